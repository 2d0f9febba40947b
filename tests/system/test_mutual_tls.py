"""The door for senders: certificates through nginx, the requests that Vector makes, and tokens with curl."""

import base64
import gzip
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from backports import zstd
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "ingest" / "receivers"))

from certificates import Authority, Pair
from door import EVENTS, HOST, LOCAL, OTHER, SENDERS, SOURCE, Door, connected, door, escaped, line, read
from programs import give_up, need

pytestmark = pytest.mark.system

_COUNTS = ("read", "stored", "duplicates", "quarantined")


@pytest.fixture(scope="module")
def at() -> Iterator[Door]:
    with door() as made:
        credential = made.command("sources", "credential", "issue", OTHER)
        (made.home / "credential.json").write_text(json.dumps(credential))
        with made.open():
            yield made


def counts(found: dict[str, Any]) -> tuple[int, ...]:
    return tuple(found[name] for name in _COUNTS)


def test_a_bound_certificate_is_let_in_and_the_batch_is_stored_once(at: Door) -> None:
    batch = line(1) + line(2) + b"no event\n"
    status, answer = at.post(batch, at.bound)
    assert (status, answer["source"], answer["bytes"]) in {(202, SOURCE, len(batch)), (200, SOURCE, len(batch))}
    assert counts(at.fate(answer)) == (3, 2, 0, 1)
    again = at.post(batch, at.bound)[1]
    assert counts(at.fate(again)) == (3, 0, 2, 1)


def test_without_a_certificate_or_with_one_that_is_not_bound(at: Door) -> None:
    assert at.post(line(10), None)[0] == 401
    assert at.post(line(10), at.unbound)[0] == 401


def test_a_certificate_of_another_authority_ends_at_nginx(at: Door) -> None:
    foreign = Authority(at.home, "elsewhere").issue("sender.town.test", "foreign")
    assert at.post(line(11), foreign) == (400, {})


def test_s25_a_certificate_writes_for_its_own_source_only(at: Door) -> None:
    assert at.post(line(12), at.bound, f"/api/v1/events?source={OTHER}")[0] == 403


@pytest.mark.parametrize("name", ["X-SSL-Client-Cert", "x_ssl_client_cert", "Client-Cert"])
def test_s25_a_certificate_header_of_the_senders_own_does_not_arrive(at: Door, name: str) -> None:
    der = x509.load_pem_x509_certificate(at.bound.certificate.read_bytes()).public_bytes(Encoding.DER)
    forged = f":{base64.b64encode(der).decode()}:" if name == "Client-Cert" else escaped(at.bound)
    assert at.post(line(13), None, headers={name: forged})[0] == 401
    assert at.post(line(13), at.unbound, headers={name: forged})[0] == 401
    status, answer = at.post(line(14), at.bound, headers={name: escaped(at.unbound)})
    assert (status in {200, 202}, answer["source"]) == (True, SOURCE)


def test_the_door_leads_to_nothing_else(at: Door) -> None:
    for path in ("/", "/sign-in", "/api/v1/alerts", "/api/v1/events/../alerts", "/metrics"):
        assert at.post(b"", at.bound, path)[0] == 404, path


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_batch_of_many_megabytes(at: Door, encoding: str) -> None:
    batch = b"".join(line(n, event_id=f"{encoding}-{n}", screen="x" * 300) for n in range(20_000))
    packed = gzip.compress(batch, 1) if encoding == "gzip" else zstd.compress(batch)
    status, answer = at.post(packed, at.bound, headers={"Content-Encoding": encoding, "Prefer": "wait=20"})
    assert status in {200, 202}
    assert counts(at.fate(answer)) == (20_000, 20_000, 0, 0)


# Vector ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vector() -> dict[str, Any]:
    """deploy/senders/vector.yaml as Debian's YAML parser reads it."""
    need()
    python = "/usr/bin/python3"
    if subprocess.run([python, "-c", "import yaml"], capture_output=True, check=False).returncode:
        give_up("missing programs: python3-yaml")
    words = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"
    text = (SENDERS / "vector.yaml").read_bytes()
    done = subprocess.run([python, "-c", words], input=text, capture_output=True, check=True, timeout=20)
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_vectors_settings_lose_nothing(vector: dict[str, Any]) -> None:
    sink = vector["sinks"]["mimamori"]
    assert sink["inputs"] == list(vector["sources"])
    assert (sink["type"], sink["encoding"], sink["framing"]) == (
        "http",
        {"codec": "text"},
        {"method": "newline_delimited"},
    )
    assert sink["retry_strategy"] == {"type": "all"}
    assert sink["acknowledgements"] == {"enabled": True}
    assert (sink["buffer"]["type"], sink["buffer"]["when_full"]) == ("disk", "block")
    assert sink["buffer"]["max_size"] >= 268_435_488, "Vector refuses a smaller disk buffer"
    assert set(sink["tls"]) == {"ca_file", "crt_file", "key_file"}
    assert sink["request"]["concurrency"] == 1
    uri = urlsplit(sink["uri"])
    assert (uri.scheme, uri.hostname, f"{uri.path}?{uri.query}") == ("https", HOST, EVENTS)


def as_vector(sink: dict[str, Any], body: bytes) -> bytes:
    """One request as the http sink of Vector 0.58.0 makes it (src/sinks/http, src/http.rs; hyper 0.14, HTTP/1.1).

    A body in memory has its length and is not chunked. Headers of the configuration replace those of the codec.
    """
    uri = urlsplit(sink["uri"])
    headers = {
        "content-type": "text/plain",
        "content-encoding": sink["compression"],
        **{name.lower(): value for name, value in sink["request"]["headers"].items()},
        "accept-encoding": "zstd,gzip,deflate,br",
        "user-agent": "Vector/0.58.0 (x86_64-unknown-linux-gnu)",
        "host": uri.netloc,
        "content-length": str(len(body)),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {uri.path}?{uri.query} HTTP/1.1\r\n{head}\r\n".encode() + body


def answer_on(connection: ssl.SSLSocket) -> tuple[int, dict[str, Any]]:
    response = HTTPResponse(connection, method="POST")
    response.begin()
    return read(response)


def test_requests_as_vector_makes_them_on_one_connection(at: Door, vector: dict[str, Any]) -> None:
    sink = vector["sinks"]["mimamori"]
    with connected(at, at.bound) as connection:
        for first in (100_000, 110_000):
            # `text` leaves every line as it was; the framing ends each with a line feed.
            batch = b"".join(line(n) for n in range(first, first + 5_000))
            connection.sendall(as_vector(sink, gzip.compress(batch)))
            status, answer = answer_on(connection)
            assert (status in {200, 202}, answer["bytes"]) == (True, len(batch))
            assert counts(at.fate(answer)) == (5_000, 5_000, 0, 0)


# Tokens ----------------------------------------------------------------------------------------------------------


def curl(at: Door, pair: Pair | None, source: str) -> int:
    """The status that curl got, with a token of `deploy/senders/get_token.py`."""
    programs = need("curl")
    config = subprocess.run(
        [sys.executable, str(SENDERS / "get_token.py"), f"{at.home}/credential.json", f"{at.authority.certificate}"],
        capture_output=True, check=True, timeout=20,
    ).stdout  # fmt: skip
    shown = ["--cert", str(pair.certificate), "--key", str(pair.key)] if pair else []
    done = subprocess.run(
        [
            programs["curl"], "-sS", "--cacert", str(at.authority.certificate), *shown, "--config", "-",
            "-o", "/dev/null", "-w", "%{http_code}", "--data-binary", f"@{at.home}/day.jsonl",
            "-H", "Content-Type: application/x-ndjson",
            f"https://{LOCAL}:{at.port}/api/v1/events?source={source}&name=day.jsonl",
        ],
        input=config, capture_output=True, check=True, timeout=20,
    )  # fmt: skip
    return int(done.stdout)


def test_curl_with_a_token(at: Door) -> None:
    (at.home / "day.jsonl").write_bytes(line(1) + line(2))
    assert curl(at, None, OTHER) in {200, 202}
    assert curl(at, None, SOURCE) == 403


def test_a_secret_that_is_wrong_gets_no_token(at: Door) -> None:
    credential = json.loads((at.home / "credential.json").read_text())
    (at.home / "wrong.json").write_text(json.dumps(credential | {"client_secret": "x" * 43}))
    done = subprocess.run(
        [sys.executable, str(SENDERS / "get_token.py"), f"{at.home}/wrong.json", f"{at.authority.certificate}"],
        capture_output=True, check=False, timeout=20,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"invalid_client" in done.stderr
