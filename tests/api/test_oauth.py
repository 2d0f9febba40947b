"""The OAuth endpoints and the receiver's guard over HTTP, by real servers; one stands behind a proxy's headers."""

import asyncio
import base64
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from fastapi import FastAPI

from api.web.certificates import BehindProxies
from api.web.oauth import OPEN_PATHS, Sender, install_oauth
from api.web.security import SecurityHeaders
from audit.access import SecretBox
from audit.access.machines import MachineRules, MachineService
from audit.clock import FixedClock
from audit.events import check
from audit.store.errors import StoreUnavailableError
from audit.store.state import StateStore

sys.path.insert(0, str(Path(__file__).parents[1] / "doubles"))

from oauth_client import ASSERTION_TYPE, OAuthClient

ISSUER = "https://mimamori.example.lg.jp"
NHI, TAX = "nhi-eligibility", "resident-tax"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class Ledger:
    """A log that takes valid events only, and can be full."""

    clock: FixedClock
    docs: list[dict[str, Any]] = field(default_factory=list)
    full: bool = False

    def record(self, doc: dict[str, Any]) -> None:
        if self.full:
            raise StoreUnavailableError("disk full")
        checked = check(doc, self.clock.now())
        if checked.faults or checked.masked:
            raise ValueError(checked.faults)
        self.docs.append(doc)


@dataclass
class Gate:
    """An installation's gate for machines, and its address."""

    machines: MachineService
    clock: FixedClock
    ledger: Ledger
    http: httpx.Client

    def client(self, source: str = NHI) -> OAuthClient:
        made = self.machines.register(source)
        return OAuthClient(made.client_id, made.client_secret, ISSUER)

    def token(self, source: str = NHI) -> str:
        return self.client(source).token(self.http, self.clock.now())

    def post(self, path: str = "/oauth2/token", **kept: Any) -> httpx.Response:
        return self.http.post(path, **kept)

    def send(self, token: str = "", source: str = NHI, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["authorization"] = f"Bearer {token}"
        return self.http.post("/batch", params={"source": source}, headers=sent)


def application(machines: MachineService) -> FastAPI:
    app = FastAPI()
    app.add_middleware(SecurityHeaders)
    install_oauth(app, machines)

    @app.post("/batch")
    def batch(machine: Sender) -> dict[str, str]:
        return {"source": machine.source, "how": machine.how}

    return app


@pytest.fixture(params=["127.0.0.1"])
def gate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gate]:
    """One gate; the parameter is the setting `trusted_proxies`."""
    clock = FixedClock(datetime(2026, 10, 5, 0, 0, 10, tzinfo=UTC))
    ledger, store = Ledger(clock), StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    store.create_tables()
    machines = MachineService(
        store, clock, ledger, SecretBox(bytes(range(32))), MachineRules(issuer=ISSUER, basic=True)
    )
    config = uvicorn.Config(
        BehindProxies(application(machines), request.param),
        port=0,
        log_level="critical",
        ws="none",
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            yield Gate(machines, clock, ledger, http)
    finally:
        server.should_exit = True
        thread.join()
        store.close()


def is_private(answer: httpx.Response) -> bool:
    """Whether an answer is kept by nobody."""
    return answer.headers["cache-control"] == "no-store" and answer.headers["content-type"] == "application/json"


def test_a_token_is_given_and_opens_the_door(gate: Gate) -> None:
    client = gate.client()
    answer = gate.post(data=client.form(gate.clock.now(), grant_type="client_credentials"))
    assert answer.status_code == 200
    assert is_private(answer)
    content = answer.json()
    assert content.keys() == {"access_token", "token_type", "expires_in", "scope"}  # and no refresh_token
    assert (content["token_type"], content["expires_in"]) == ("Bearer", 600)
    assert content["scope"] == "mimamori:access:decide mimamori:events:write"
    assert len(content["access_token"]) == 43
    assert gate.send(content["access_token"]).json() == {"source": NHI, "how": "token"}
    assert content["access_token"] not in repr(gate.ledger.docs)


def test_the_interim_method_is_taken_where_the_setting_says_so(gate: Gate) -> None:
    client = gate.client()
    form = {"grant_type": "client_credentials"}
    assert gate.post(data=form, auth=(client.client_id, client.secret)).status_code == 200
    for pair in ((client.client_id, "x" * 43), ("a" * 32, client.secret), (client.client_id, ""), ("発", "鍵")):
        answer = gate.post(data=form, auth=pair)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"] == 'Basic realm="mimamori"'
    for header in ("Basic", "Basic !", "Basic " + base64.b64encode(b"\xff:\xff").decode(), "Negotiate x", "Bearer x"):
        assert gate.post(data=form, headers={"authorization": header}).status_code == 401
    gate.machines.rules = MachineRules(issuer=ISSUER)
    assert gate.post(data=form, auth=(client.client_id, client.secret)).status_code == 401
    assert gate.ledger.docs[-1]["outcome"] == "failure"


def test_what_is_asked_wrongly(gate: Gate) -> None:
    client, now = gate.client(), gate.clock.now()
    good = client.form(now)
    cases: list[tuple[int, str, dict[str, Any]]] = [
        (400, "invalid_request", {"data": client.form(now)}),
        (400, "unsupported_grant_type", {"data": client.form(now, grant_type="password")}),
        (400, "unsupported_grant_type", {"data": client.form(now, grant_type="refresh_token")}),
        (400, "invalid_scope", {"data": client.form(now, grant_type="client_credentials", scope="juki:events:write")}),
        (400, "invalid_request", {"json": {"grant_type": "client_credentials"}}),
        (400, "invalid_request", {"content": b"", "headers": {}}),
        (400, "invalid_request", {"data": good, "headers": {"authorization": "Basic eDp5"}}),
        (400, "invalid_request", {"data": good | {"client_assertion_type": "urn:x"}}),
        (400, "invalid_request", {"data": {"client_assertion": good["client_assertion"]}}),
        (400, "invalid_request", {"content": b"grant_type=a&grant_type=b", "headers": FORM}),
        (400, "invalid_request", {"content": b"grant_type=%FF", "headers": FORM}),
        (400, "invalid_request", {"content": "scope=発".encode(), "headers": FORM}),
        (400, "invalid_request", {"content": b"&".join(b"p%d=1" % n for n in range(30)), "headers": FORM}),
        (413, "invalid_request", {"content": b"x=" + b"y" * 20_000, "headers": FORM}),
        (413, "invalid_request", {"content": iter([b"x=", *[b"y" * 4096] * 9]), "headers": FORM}),
        (401, "invalid_client", {"data": {"grant_type": "client_credentials"}}),
        (401, "invalid_client", {"data": {"grant_type": "client_credentials", "client_id": client.client_id,
                                          "client_secret": client.secret}}),
        (401, "invalid_client", {"data": client.form(now, grant_type="client_credentials", client_id="a" * 32)}),
        (401, "invalid_client", {"data": {"client_assertion_type": ASSERTION_TYPE, "client_assertion": "A" * 9000}}),
    ]  # fmt: skip
    for status, error, kept in cases:
        answer = gate.post(**kept)
        assert (answer.status_code, answer.json()["error"]) == (status, error), kept
        assert is_private(answer)
        assert answer.json()["error_description"].isascii()
        assert client.secret not in answer.text


def test_s24_a_refusal_does_not_say_why(gate: Gate) -> None:
    client, now = gate.client(), gate.clock.now()
    stranger = OAuthClient("a" * 32, "s" * 43, ISSUER)
    assertions = (
        client.assertion(now, {"alg": "none"}),
        client.assertion(now, aud="https://evil.example"),
        client.assertion(now - timedelta(hours=1)),
        stranger.assertion(now),
        "发.x.y",
    )
    bodies = set()
    for assertion in assertions:
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        answer = gate.post(data=form | {"grant_type": "client_credentials"})
        assert answer.status_code == 401
        bodies.add((answer.text, answer.headers["www-authenticate"]))
    assert len(bodies) == 1
    gate.machines.flush_refusals(everything=True)
    told = {reason for doc in gate.ledger.docs for reason in doc["unmapped"].get("reasons", [])}
    assert told == {
        "algorithm_not_allowed=1",
        "claim_aud=1",
        "claim_exp=1",
        "signature_wrong=1",
        "assertion_unreadable=1",
    }
    assert {doc["activity"] for doc in gate.ledger.docs[1:]} == {"login"}
    assert {doc["actor"]["kind"] for doc in gate.ledger.docs} == {"system"}


def test_introspection_and_revocation(gate: Gate) -> None:
    client, other = gate.client(), gate.client(TAX)
    token = client.token(gate.http, gate.clock.now())

    def ask(path: str, who: OAuthClient, asked: str = token) -> httpx.Response:
        return gate.post(path, data=who.form(gate.clock.now(), token=asked))

    told = ask("/oauth2/introspect", client)
    assert is_private(told)
    assert (told.json()["active"], told.json()["sub"]) == (True, NHI)
    assert ask("/oauth2/introspect", other).json() == ask("/oauth2/introspect", client, "x").json() == {"active": False}
    for path in ("/oauth2/introspect", "/oauth2/revoke"):
        assert gate.post(path, data=client.form(gate.clock.now())).json()["error"] == "invalid_request"
        assert gate.post(path, data={"token": token}).status_code == 401
        assert gate.post(path, data={"token": token}, headers={"authorization": f"Bearer {token}"}).status_code == 401
    for who in (other, client, client):
        answer = ask("/oauth2/revoke", who)
        assert (answer.status_code, answer.json()) == (200, {})
        assert gate.send(token).status_code == (200 if who is other else 401)


def test_the_metadata_names_what_there_is(gate: Gate) -> None:
    answer = gate.http.get("/.well-known/oauth-authorization-server", headers={"host": "evil.example"})
    told = answer.json()
    assert "evil" not in answer.text
    assert told["issuer"] == ISSUER
    endpoints = {value.removeprefix(ISSUER) for name, value in told.items() if name.endswith("_endpoint")}
    assert endpoints | {"/.well-known/oauth-authorization-server"} == OPEN_PATHS
    for path in endpoints:
        assert gate.http.get(path).status_code == 405
        assert gate.http.post(path).status_code == 400
    assert told["token_endpoint_auth_methods_supported"] == ["client_secret_jwt", "client_secret_basic"]
    gate.machines.rules = MachineRules(issuer=ISSUER)
    told = gate.http.get("/.well-known/oauth-authorization-server").json()
    assert told["token_endpoint_auth_methods_supported"] == ["client_secret_jwt"]


def test_t1_without_proof_nothing_is_taken(gate: Gate) -> None:
    for token, challenge in (("", 'Bearer realm="mimamori"'), ("x", 'Bearer realm="mimamori", error="invalid_token"')):
        answer = gate.send(token)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == challenge
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 401
    assert gate.ledger.docs[-1]["activity"] == "security_event"


def test_s25_a_source_under_another_s_name_is_refused(gate: Gate) -> None:
    token = gate.token(TAX)
    answer = gate.send(token, source=NHI)
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == 'Bearer realm="mimamori", error="insufficient_scope"'
    assert gate.ledger.docs[-1]["target"] == {"system": TAX}
    assert gate.send(token, source="発" * 200).status_code == 422
    assert gate.send(token, source=TAX).status_code == 200


def test_while_the_log_is_full_nobody_gets_a_token(gate: Gate) -> None:
    client, token = gate.client(), gate.token()
    gate.ledger.full = True
    form = client.form(gate.clock.now(), grant_type="client_credentials")
    for answer in (
        gate.post(data=form),
        gate.post(data={"grant_type": "client_credentials"}),
        gate.post("/oauth2/revoke", data=gate_form(gate, token)),
    ):
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert "disk" not in answer.text
    assert gate.post(data=form).status_code == 503  # the assertion was used up, and its refusal cannot be told either


def gate_form(gate: Gate, token: str) -> dict[str, str]:
    """A form to end a token, by a credential made while the log still worked."""
    gate.ledger.full = False
    form = gate.client().form(gate.clock.now(), token=token)
    gate.ledger.full = True
    return form


# Certificates


def certificate() -> x509.Certificate:
    key, now = generate_private_key(SECP256R1()), datetime(2026, 10, 1, tzinfo=UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nhi-sender")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(7).not_valid_before(now).not_valid_after(now + timedelta(days=90))
    return built.sign(key, SHA256())


def shown(made: x509.Certificate) -> list[dict[str, str]]:
    """How proxies write it: RFC 9440, and nginx."""
    der = base64.b64encode(made.public_bytes(Encoding.DER)).decode()
    return [{"client-cert": f":{der}:"}, {"x-ssl-client-cert": quote(made.public_bytes(Encoding.PEM).decode())}]


def test_a_certificate_shown_to_the_proxy_proves_the_source(gate: Gate) -> None:
    made, other = certificate(), certificate()
    gate.machines.bind_certificate(NHI, made.public_bytes(Encoding.PEM).decode())
    for headers in shown(made):
        assert gate.send(**headers).json() == {"source": NHI, "how": "certificate"}
        assert gate.send(source=TAX, **headers).status_code == 403
    for headers in shown(other):
        assert gate.send(**headers).status_code == 401
    token = gate.token()
    assert gate.send(token).status_code == 401
    assert gate.send(token, **shown(made)[0]).json()["how"] == "token+certificate"
    assert gate.send(**shown(made)[0], x_ssl_client_cert="").status_code == 200  # nginx sends it empty without one


def test_certificates_that_are_none(gate: Gate) -> None:
    made = certificate()
    gate.machines.bind_certificate(NHI, made.public_bytes(Encoding.PEM).decode())
    structured, escaped = (next(iter(headers.values())) for headers in shown(made))
    wrong = [
        {"client-cert": structured, "x-ssl-client-cert": escaped},
        {"client-cert": structured[1:]},
        {"client-cert": structured[:-9] + ":"},
        {"client-cert": ":"},
        {"client-cert": "::"},
        {"client-cert": ":!:"},
        {"client-cert": escaped},
        {"x-ssl-client-cert": escaped[:-40]},
        {"x-ssl-client-cert": "%ZZ"},
        {"x-ssl-client-cert": escaped + "A" * 20_000},
        {"x-client-cert": structured},
    ]
    for headers in wrong:
        assert gate.send(**headers).status_code == 401, headers
    twice = [("client-cert", structured)] * 2
    assert gate.http.post("/batch", params={"source": NHI}, headers=twice).status_code == 401


@pytest.mark.parametrize("gate", ["", "192.0.2.1", "192.0.2.0/24"], indirect=True)
def test_s25_a_certificate_header_from_anybody_else_is_not_believed(gate: Gate) -> None:
    made = certificate()
    gate.machines.bind_certificate(NHI, made.public_bytes(Encoding.PEM).decode())
    for headers in shown(made):
        answer = gate.send(**headers, x_forwarded_for="192.0.2.1", x_forwarded_proto="https")
        assert answer.status_code == 401
        assert "strict-transport-security" not in answer.headers
    assert gate.ledger.docs[-1]["terminal"] == {"ip": "127.0.0.1"}


def test_the_sender_s_address_is_the_one_the_proxy_names(gate: Gate) -> None:
    assert gate.send(x_forwarded_for="10.3.1.31").status_code == 401
    assert gate.ledger.docs[-1]["terminal"] == {"ip": "10.3.1.31"}


def test_without_the_outer_layer_no_header_is_believed(gate: Gate) -> None:
    """An application started in another way must not believe what it cannot judge."""
    made = certificate()
    gate.machines.bind_certificate(NHI, made.public_bytes(Encoding.PEM).decode())
    bare = httpx.ASGITransport(application(gate.machines))

    async def ask() -> list[int]:
        async with httpx.AsyncClient(transport=bare, base_url="http://test") as http:
            return [(await http.post(f"/batch?source={NHI}", headers=headers)).status_code for headers in shown(made)]

    with ThreadPoolExecutor(1) as pool:  # a browser's loop may be running in this thread
        assert pool.submit(asyncio.run, ask()).result() == [401, 401]
