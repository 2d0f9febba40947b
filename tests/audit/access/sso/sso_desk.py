import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from audit.access import Permission, Role, SecretBox, Viewer
from audit.access.decisions.model import LiveSession
from audit.access.machines import MachineRules, MachineService
from audit.access.model import VIEWER_SEAL
from audit.access.sso import Reply, SigningKeys, SsoService, System
from audit.access.strength import FactorPolicy, Proof
from audit.clock import FixedClock
from audit.events import check
from audit.store.errors import StoreUnavailableError
from audit.store.state import StateStore

ISSUER = "https://mimamori.example.lg.jp"
NHI, TAX = "nhi-eligibility", "resident-tax"
BACK = "https://nhi.example.lg.jp/callback"
HERE = "10.3.1.31"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
OTP, KEY, PALM = {"password", "totp"}, {"password", "webauthn"}, {"password", "palm_vein"}


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
        assert not checked.faults
        assert not checked.masked
        self.docs.append(doc)

    def operations(self) -> list[str]:
        return [doc["operation_name"] for doc in self.docs]


@dataclass
class Sessions:
    """The sessions that are open; the real ones are tried over HTTP."""

    live: dict[str, LiveSession] = field(default_factory=dict)

    def session_by_id(self, session_id: str) -> LiveSession | None:
        return self.live.get(session_id)


@dataclass
class Desk:
    """Single sign-on with two registered systems, on a real database file."""

    folder: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime(2026, 10, 5, 0, 0, 10, tzinfo=UTC)))
    sessions: Sessions = field(default_factory=Sessions)
    policies: dict[str, str] = field(default_factory=dict)
    issuer: str = ISSUER

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.clock)
        self.store = StateStore(f"sqlite:///{self.folder / 'state.db'}")
        self.box = SecretBox(bytes(range(32)))
        self.machines = MachineService(self.store, self.clock, self.ledger, self.box, MachineRules(issuer=ISSUER))
        self.keys = SigningKeys(self.folder / "keys" / "sso.json")
        self.sso = SsoService(
            self.store,
            self.clock,
            self.ledger,
            self.box,
            self.keys,
            sessions=self.sessions,
            policy_of=lambda source, _at: FactorPolicy.parse(self.policies.get(source, "password")),
            issuer=lambda: self.issuer,
        )
        self.sso.register(System(source=NHI, redirect_uris=(BACK,), post_logout_uris=(BACK + "/bye",)), by="uid 1")
        self.sso.register(System(source=TAX, redirect_uris=("https://tax.example.lg.jp/cb",)), by="uid 1")
        self.client_id = self.machines.register(NHI).client_id
        self.other_id = self.machines.register(TAX).client_id
        self.ledger.docs.clear()

    def forward(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))

    def viewer(self, factors: set[str] = OTP, login_id: str = "s0412") -> Viewer:
        """Somebody who has just signed in."""
        now = self.clock.now()
        verified = bool(factors & {"webauthn", "palm_vein"})
        proof = Proof(factors=frozenset(factors), at=now, user_verified=verified)
        session_id = f"session-{login_id}"
        self.sessions.live[session_id] = LiveSession(
            id=session_id, login_id=login_id, proof=proof, created_at=now, last_seen_at=now, address=HERE
        )
        return Viewer(
            account_id="a",
            login_id=login_id,
            display_name="係員",
            roles=frozenset({Role.STAFF}),
            permissions=frozenset({Permission.SELF_ACCOUNT_READ}),
            session_id=session_id,
            second_factor_at=now,
            proof=proof,
            previous_sign_in_at=None,
            failures_before=0,
            language="ja",
            address=HERE,
            terminal_id="",
            seal=VIEWER_SEAL,
        )

    def asked(self, **other: str | None) -> dict[str, str]:
        """The parameters of a right request; one given as None is left out."""
        usual = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": BACK,
            "scope": "openid",
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (usual | other).items() if value is not None}

    def authorize(self, viewer: Viewer | None = None, **other: str | None) -> Any:
        return self.sso.authorize(self.asked(**other), viewer, address=HERE)

    def code(self, viewer: Viewer | None = None, **other: str | None) -> str:
        answer = self.authorize(viewer or self.viewer(), **other)
        assert isinstance(answer, Reply), answer
        return brought(answer)["code"]

    def exchange(self, code: str, client_id: str | None = None, /, **other: str | None) -> Reply:
        usual = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
        }
        form = {name: value for name, value in (usual | other).items() if value is not None}
        return self.sso.exchange(form, client_id or self.client_id, address="10.9.0.1")

    def tokens(self, viewer: Viewer | None = None, **other: str | None) -> dict[str, Any]:
        reply = self.exchange(self.code(viewer, **other))
        assert reply.status == 200, reply.body
        return dict(reply.body)

    def claims(self, id_token: str) -> dict[str, Any]:
        """What an ID token says, read by hand."""
        payload = id_token.split(".")[1]
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return found


def brought(reply: Reply) -> dict[str, str]:
    """What a person brings back to the system."""
    assert reply.status == 302, reply
    assert re.match(r"https://(nhi|tax)\.example\.lg\.jp/", reply.location), reply.location
    return {name: values[0] for name, values in parse_qs(urlsplit(reply.location).query).items()}
