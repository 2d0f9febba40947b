"""A real Mimamori behind a real nginx that asks for client certificates, both by the files in deploy/senders."""

import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "ingest" / "receivers"))

from certificates import Authority, Pair
from ports import free_port
from programs import PATH, listening, need, stop, wait_for

LOCAL = "127.0.0.1"
HOST = "mimamori.example.lg.jp"
SOURCE, OTHER = "nhi-eligibility", "nhi-levy"
EVENTS = f"/api/v1/events?source={SOURCE}"
SENDERS = Path(__file__).parents[2] / "deploy" / "senders"
MIMAMORI = Path(sys.executable).with_name("mimamori")
_NGINX = """
user root;
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {home}; proxy_temp_path {home}; fastcgi_temp_path {home};
  uwsgi_temp_path {home}; scgi_temp_path {home};
  include {home}/senders.conf;
}}
"""


def committed(name: str, changes: Mapping[str, str]) -> str:
    """A file of deploy/senders with addresses and paths of this machine; each of them must stand in it."""
    text = (SENDERS / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, f"{name}: {old!r}"
        text = text.replace(old, new)
    return text


def line(number: int, **more: Any) -> bytes:
    """One event of the contract."""
    event = {
        "time": f"2026-10-05T09:13:{number % 60:02}+09:00",
        "event_id": f"nhi-{number:06}",
        "activity": "view",
        "operation_name": "照会",
        "actor": {"id": f"s{number % 7:04}"},
        "subjects": ["0004512345"],
        "sequence": number,
    } | more
    return json.dumps(event, ensure_ascii=False).encode() + b"\n"


@dataclass
class Door:
    """Where senders knock."""

    home: Path
    authority: Authority
    port: int = field(default_factory=free_port)
    behind: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.server = self.authority.issue(HOST)
        self.bound = self.authority.issue("sender.town.test")
        self.unbound = self.authority.issue("stranger.town.test")
        self.tls = {
            "/etc/mimamori/tls/server-ca.pem": str(self.authority.certificate),
            "/etc/mimamori/tls/senders-ca.pem": str(self.authority.certificate),
            "/etc/mimamori/tls/server.pem": str(self.server.certificate),
            "/etc/mimamori/tls/server.key": str(self.server.key),
            "/etc/mimamori/tls/sender.pem": str(self.bound.certificate),
            "/etc/mimamori/tls/sender.key": str(self.bound.key),
        }

    def files(self, *names: str) -> dict[str, str]:
        """What to put for the paths of certificates and keys."""
        return {path: here for path, here in self.tls.items() if path.rpartition("/")[2] in names}

    @property
    def url(self) -> str:
        """Its address, as senders know it."""
        return f"https://{LOCAL}:{self.port}"

    def command(self, *words: str) -> Any:
        """What a command of Mimamori answers; none runs beside the service."""
        done = subprocess.run(
            [str(MIMAMORI), "--data", str(self.home / "data"), "--json", *words],
            env=self._environment(), capture_output=True, check=True, timeout=120,
        )  # fmt: skip
        return json.loads(done.stdout)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": PATH,
            "HOME": os.environ.get("HOME", "/"),
            "MIMAMORI_TRUSTED_PROXIES": LOCAL,
            "MIMAMORI_PUBLIC_URL": self.url,
        }

    @contextmanager
    def open(self) -> Iterator[None]:
        """nginx and Mimamori at work."""
        with self.nginx(), self.service():
            yield

    @contextmanager
    def nginx(self) -> Iterator[None]:
        """nginx alone: senders are answered 502."""
        changes = {"127.0.0.1:8000": f"{LOCAL}:{self.behind}", "listen 8443": f"listen {LOCAL}:{self.port}"}
        files = self.files("server.pem", "server.key", "senders-ca.pem")
        (self.home / "senders.conf").write_text(committed("nginx.conf", changes | files))
        (self.home / "nginx.conf").write_text(_NGINX.format(home=self.home))
        with self._running(
            [
                need("nginx")["nginx"],
                "-p",
                f"{self.home}",
                "-c",
                f"{self.home}/nginx.conf",
                "-e",
                f"{self.home}/error.log",
            ],
            self.port,
        ):
            yield

    @contextmanager
    def service(self) -> Iterator[None]:
        """Mimamori alone."""
        with self._running(
            [str(MIMAMORI), "--data", str(self.home / "data"), "serve", "--port", str(self.behind)], self.behind
        ):
            yield

    @contextmanager
    def _running(self, command: list[str], port: int) -> Iterator[None]:
        said_file = self.home / f"{Path(command[0]).name}.said"
        with said_file.open("ab") as said:
            process = subprocess.Popen(command, env=self._environment(), stdout=said, stderr=said)
        try:
            wait_for(lambda: listening(port) or process.poll() is not None, f"{command[0]} listens", 60)
            assert process.poll() is None, said_file.read_text(errors="replace")
            yield
        finally:
            stop(process)

    def context(self, pair: Pair | None) -> ssl.SSLContext:
        """TLS of a sender that shows a certificate, or none."""
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if pair is not None:
            context.load_cert_chain(pair.certificate, pair.key)
        return context

    def post(
        self, body: bytes, pair: Pair | None, path: str = EVENTS, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer of one request; an answer that is no JSON comes as an empty one."""
        connection = HTTPSConnection(LOCAL, self.port, context=self.context(pair), timeout=30)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/x-ndjson", **(headers or {})})
            return read(connection.getresponse())
        finally:
            connection.close()

    def fate(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """What became of a batch, once it does not wait."""
        found: dict[str, Any] = {}

        def done() -> bool:
            connection = HTTPSConnection(LOCAL, self.port, context=self.context(self.bound), timeout=30)
            connection.request("GET", f"/api/v1/deliveries/{answer['receipt']}?source={answer['source']}")
            status, said = read(connection.getresponse())
            connection.close()
            assert status == 200, said
            found.update(said)
            return found["state"] == "stored"

        wait_for(done, "the batch is in the log")
        return found


def read(response: HTTPResponse) -> tuple[int, dict[str, Any]]:
    """Status and answer."""
    body = response.read()
    is_json = "json" in response.headers.get("content-type", "")
    return response.status, json.loads(body) if is_json else {}


def escaped(pair: Pair) -> str:
    """A certificate as nginx writes it into a header."""
    return quote(pair.certificate.read_text(), safe="")


@contextmanager
def door() -> Iterator[Door]:
    """A door with one certificate bound; nothing runs yet."""
    need("nginx")
    with tempfile.TemporaryDirectory(prefix="mimamori-door-") as name:
        home = Path(name)
        made = Door(home, Authority(home))
        made.command("init")
        made.command("sources", "credential", "bind", SOURCE, "--certificate", str(made.bound.certificate))
        yield made


def connected(door: Door, pair: Pair) -> ssl.SSLSocket:
    """A TLS connection, for requests byte for byte."""
    return door.context(pair).wrap_socket(socket.create_connection((LOCAL, door.port), 30), server_hostname=LOCAL)
