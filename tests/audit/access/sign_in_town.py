"""Sign-in with everything around it, and somebody in front of it."""

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
from argon2.profiles import CHEAPEST

sys.path.insert(0, str(Path(__file__).parents[2] / "doubles"))

from authenticator import SoftAuthenticator

from audit.access import (
    AccessLimits,
    AccessService,
    NeedsSecondFactor,
    Opening,
    Passwords,
    Role,
    SecondSession,
    SecretBox,
    SignedIn,
    Viewer,
)
from audit.access.authenticators import AuthenticatorService, RelyingParty
from audit.clock import FixedClock
from audit.context import Terminal
from audit.store.state import StateStore

HERE = "10.3.1.31"
PASSWORD = "ツバメ correct staple 42"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Ledger:
    """A recorder that keeps what it is told, and can be down."""

    def __init__(self) -> None:
        self.docs: list[dict[str, Any]] = []
        self.down_for: str | None = None

    def record(self, doc: dict[str, Any]) -> None:
        if self.down_for is not None and doc["operation_name"].startswith(self.down_for):
            raise ConnectionError
        self.docs.append(doc)

    def operations(self) -> list[str]:
        return [doc["operation_name"] for doc in self.docs]


class CountingPasswords(Passwords):
    """Cheap argon2 that counts its verifications."""

    def __init__(self) -> None:
        super().__init__(CHEAPEST)
        self.verified = 0

    def verify(self, stored: str | None, password: str) -> bool:
        self.verified += 1
        return super().verify(stored, password)


class Directory:
    """Who left, and which ids are one human being."""

    def __init__(self) -> None:
        self.left: set[str] = set()
        self.twins: list[set[str]] = []

    def same_natural_person(self, a: str, b: str) -> bool:
        return a == b or any({a, b} <= twins for twins in self.twins)

    def holds_post(self, staff_id: str, at: datetime) -> bool:
        assert at.tzinfo
        return staff_id not in self.left


class Register:
    """The registered terminals, by address."""

    def __init__(self) -> None:
        self.known: dict[str, Terminal] = {}

    def terminals_at(self, address: str, terminal_id: str) -> tuple[Terminal, ...]:
        assert not terminal_id
        return (self.known[address],) if address in self.known else ()


@dataclass
class Town:
    """Sign-in with everything around it, on a real database file."""

    path: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime(2026, 10, 5, 0, 0, 10, tzinfo=UTC)))
    ledger: Ledger = field(default_factory=Ledger)
    passwords: CountingPasswords = field(default_factory=CountingPasswords)
    directory: Directory = field(default_factory=Directory)
    register: Register = field(default_factory=Register)

    def __post_init__(self) -> None:
        self.store = StateStore(f"sqlite:///{self.path}")
        self.store.create_tables()
        self.box = SecretBox(bytes(range(32)))
        party = RelyingParty.of("http://localhost:8000")
        policy = self.path.parent / "authenticators.toml"
        self.keys = AuthenticatorService(self.store, self.clock, self.ledger, self.box, party, policy)
        self.access = self.open()

    def open(self, *, passwords: Passwords | None = None, **limits: Any) -> AccessService:
        """The service as it is after a start, under other limits if they are given."""
        return AccessService(
            self.store,
            self.clock,
            self.ledger,
            self.box,
            self.keys,
            passwords=passwords or self.passwords,
            limits=AccessLimits(**limits),
            people=self.directory,
            terminals=self.register,
        )

    def choose(self, **limits: Any) -> None:
        """The town decides otherwise about sessions and passwords."""
        self.access = self.open(**limits)

    def forward(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))

    def code(self, secret: str = SECRET) -> str:
        return pyotp.TOTP(secret).at(self.clock.now())

    def user(self, login_id: str = "s0412", *roles: Role) -> None:
        self.access.create_account(login_id, "係員0412", frozenset(roles or {Role.STAFF}), PASSWORD, totp_secret=SECRET)

    def ticket(self, login_id: str = "s0412", address: str = HERE) -> str:
        begun = self.access.begin_sign_in(login_id, PASSWORD, address=address)
        assert isinstance(begun, NeedsSecondFactor)
        return begun.ticket

    def opening(self, login_id: str = "s0412", address: str = HERE) -> Opening:
        """Both steps, and what comes of them."""
        return self.access.finish_sign_in(self.ticket(login_id, address), self.code(), address=address)

    def sign_in(self, login_id: str = "s0412", address: str = HERE) -> SignedIn:
        """Both steps; a session that is open already is taken over."""
        opened = self.opening(login_id, address)
        if isinstance(opened, SecondSession):
            opened = self.access.settle_second_session(opened.ticket, take_over=True, address=address)
        assert isinstance(opened, SignedIn)
        return opened

    def key(self, login_id: str = "s0412") -> SoftAuthenticator:
        """A security key that its owner has added; their session goes on."""
        key = SoftAuthenticator()
        viewer = self.viewer(login_id)
        options = self.access.begin_key(viewer)
        self.access.add_key(viewer, key.create(options), name="鍵", address=HERE)
        return key

    def key_alone(self, key: SoftAuthenticator, address: str = HERE) -> Opening:
        """Sign in with a key, nobody named."""
        options = self.access.begin_key_sign_in(bound_to="form", address=address)
        return self.access.key_sign_in(key.get(options), bound_to="form", address=address)

    def viewer(self, login_id: str = "s0412") -> Viewer:
        viewer = self.access.authenticate(self.sign_in(login_id).token)
        assert viewer is not None
        return viewer

    def sign_in_again(self, login_id: str = "s0412") -> SignedIn:
        """Once more, with the next code."""
        self.forward(seconds=30)
        return self.sign_in(login_id)

    def sign_in_again_as_viewer(self, login_id: str = "s0412") -> Viewer:
        viewer = self.access.authenticate(self.sign_in_again(login_id).token)
        assert viewer is not None
        return viewer

    def bytes_on_disk(self) -> bytes:
        return b"".join(file.read_bytes() for file in self.path.parent.iterdir())
