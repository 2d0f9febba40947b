from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2.profiles import CHEAPEST

from audit.access import AccessService, NeedsSecondFactor, Passwords, Role, SecretBox, SignedIn, Viewer
from audit.clock import FixedClock
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


@dataclass
class Town:
    """Sign-in with everything around it, on a real database file."""

    path: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime(2026, 10, 5, 0, 0, 10, tzinfo=UTC)))
    ledger: Ledger = field(default_factory=Ledger)
    passwords: CountingPasswords = field(default_factory=CountingPasswords)

    def __post_init__(self) -> None:
        self.store = StateStore(f"sqlite:///{self.path}")
        self.store.create_tables()
        self.access = AccessService(
            self.store, self.clock, self.ledger, SecretBox(bytes(range(32))), passwords=self.passwords
        )

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

    def sign_in(self, login_id: str = "s0412", address: str = HERE) -> SignedIn:
        return self.access.finish_sign_in(self.ticket(login_id, address), self.code(), address=address)

    def viewer(self, login_id: str = "s0412") -> Viewer:
        viewer = self.access.authenticate(self.sign_in(login_id).token)
        assert viewer is not None
        return viewer

    def bytes_on_disk(self) -> bytes:
        return b"".join(file.read_bytes() for file in self.path.parent.iterdir())


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path / "state.db")
    yield town
    town.store.close()
