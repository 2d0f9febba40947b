import base64
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from audit.access import SecretBox
from audit.access.federation import Begun, FederationService, Verified, Verifier
from audit.clock import FixedClock
from audit.events import check
from audit.store.state import StateStore
from audit.texts import Texts

NAME, CLIENT, SECRET = "palm", "mimamori", "geheim:ü+/"
HERE = "10.3.1.31"


@dataclass
class Ledger:
    """A log that takes valid events only."""

    clock: FixedClock
    docs: list[dict[str, Any]] = field(default_factory=list)

    def record(self, doc: dict[str, Any]) -> None:
        checked = check(doc, self.clock.now())
        assert not checked.faults
        self.docs.append(doc)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(claims: Any, key: ECKey | RSAKey, alg: str = "ES256", **header: Any) -> str:
    """A token that is signed as its header says."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    head = {"alg": alg, "kid": key.kid} | header
    head = {name: value for name, value in head.items() if value is not None}
    known = {name: value for name, value in head.items() if name in {"alg", "kid", "typ", "jku", "x5u", "jwk"}}
    token = jws.serialize_compact(known, payload, key, algorithms=[alg])
    return str(token)


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """A token with whatever header, unsigned or with HMAC-SHA-256."""
    text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    mac = b"" if secret is None else hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{b64(mac)}"


@dataclass
class Product:
    """The town's palm-vein product: an OpenID provider over real HTTP that can be told to misbehave."""

    clock: FixedClock
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one", "use": "sig"}))
    wrong: dict[str, Any] = field(default_factory=dict)  # claims; None leaves one out
    token: Callable[[dict[str, Any]], Any] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    grants: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def approve(self, url: str) -> dict[str, str]:
        """Somebody holds the right palm over it; what they bring back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self.grants)}"
        self.grants[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def claims(self, nonce: str) -> dict[str, Any]:
        now = int(self.clock.now().timestamp())
        usual = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "s0412",
            "iat": now,
            "exp": now + 300,
            "auth_time": now - 5,
            "nonce": nonce,
            "amr": ["vein", "unknown"],
        }
        return {name: value for name, value in (usual | self.wrong).items() if value is not None}

    def answer(self, path: str, form: dict[str, str]) -> Any:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "authorization_response_iss_parameter_supported": True,
            } | self.metadata
        if path == "/jwks":
            return {"keys": [self.key.as_dict(private=False), {"kty": "oct", "k": "AAAA", "kid": "shared"}]}
        grant = self.grants.pop(form["code"])
        challenge = b64(hashlib.sha256(form["code_verifier"].encode()).digest())
        assert challenge == grant["code_challenge"]
        assert form["redirect_uri"] == grant["redirect_uri"]
        claims = self.claims(grant["nonce"])
        made = self.token(claims) if self.token else signed(claims, self.key)
        return {"access_token": "a", "token_type": "Bearer", "id_token": made}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        product = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.reply({})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self.reply({name: values[0] for name, values in parse_qs(body).items()})

            def reply(self, form: dict[str, str]) -> None:
                product.asked.append((self.path, form, self.headers.get("authorization", "")))
                body = json.dumps(product.answer(self.path, form)).encode()
                self.send_response(product.status if self.path == "/token" else 200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


@dataclass
class Gate:
    """The town's side, on a real database file."""

    path: Path
    clock: FixedClock
    product: Product

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.clock)
        self.store = StateStore(f"sqlite:///{self.path}")
        self.verifier = Verifier(
            name=NAME,
            texts=Texts("手のひら静脈", "Palm vein"),
            issuer=self.product.issuer,
            client_id=CLIENT,
            secret=SECRET,
            staff_ids=re.compile(r"s\d{4}", re.ASCII),
            amr={"vein": frozenset({"palm_vein"}), "card": frozenset({"ic_card"})},
            acr={"urn:card": frozenset({"ic_card", "pin"})},
        )
        self.use(self.verifier)

    def use(self, *verifiers: Verifier) -> None:
        self.service = FederationService(
            self.store,
            self.clock,
            self.ledger,
            SecretBox(bytes(range(32))),
            {each.name: each for each in verifiers},
            base=lambda: "https://mimamori.example.lg.jp",
        )

    def change(self, **other: Any) -> None:
        self.use(replace(self.verifier, **other))

    def begin(self, name: str = NAME, begun_for: str = "") -> Begun:
        return self.service.begin(name, place="/alerts", begun_for=begun_for, address=HERE)

    def finish(self, begun: Begun, name: str = NAME, /, **other: str | None) -> Verified:
        brought = {n: v for n, v in (self.product.approve(begun.url) | other).items() if v is not None}
        return self.service.finish(name, brought, begun.sealed, address=HERE)

    def reasons(self) -> set[str]:
        """Why something was refused, as the log tells it."""
        self.service.flush_refusals(everything=True)
        return {reason.partition("=")[0] for doc in self.ledger.docs for reason in doc["unmapped"].get("reasons", [])}
