"""Authenticators on a real database file, and a software authenticator in front of them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from authenticator import RIGHT, Bent, SoftAuthenticator

from audit.access import Role, SecretBox
from audit.access.authenticators import (
    Asserted,
    Authenticator,
    AuthenticatorService,
    By,
    Purpose,
    RelyingParty,
)
from audit.access.authenticators.repository import AuthenticatorRepository, AuthenticatorRow
from audit.access.repository import AccessRepository
from audit.access.tables import AccountRow, format_roles
from audit.clock import FixedClock
from audit.store.state import StateStore

BOUND = "session-1"
HERE = By(address="10.3.1.31")


class Ledger:
    """A recorder that keeps what it is told, and can be down."""

    def __init__(self) -> None:
        self.docs: list[dict[str, Any]] = []
        self.down = False

    def record(self, doc: dict[str, Any]) -> None:
        if self.down:
            raise ConnectionError
        self.docs.append(doc)

    def operations(self) -> list[str]:
        return [doc["operation_name"] for doc in self.docs]


@dataclass
class Desk:
    """The service with everything around it."""

    path: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime(2026, 10, 5, 0, 0, 10, tzinfo=UTC)))
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self.store = StateStore(f"sqlite:///{self.path / 'state.db'}")
        self.store.create_tables()
        self.policy_file = self.path / "authenticators.toml"
        self.service = self.opened()
        self._names = iter(range(1, 1000))

    def opened(self) -> AuthenticatorService:
        """The service as it is after a start."""
        box = SecretBox(bytes(range(32)))
        party = RelyingParty.of("http://localhost:8000")
        return AuthenticatorService(self.store, self.clock, self.ledger, box, party, self.policy_file)

    def forward(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))

    def user(self, *roles: Role) -> str:
        """A new account; its id."""
        row = AccountRow(
            id=uuid4().hex,
            login_id=f"s04{next(self._names):02}",
            display_name="係員",
            roles=format_roles(frozenset(roles or {Role.STAFF})),
            password_hash="",
            totp_secret=b"",
            created_at=self.clock.now(),
        )
        with self.store.unit() as unit:
            AccessRepository(unit).add_account(row)
        return row.id

    def enrol(
        self, account_id: str, key: SoftAuthenticator, bent: Bent = RIGHT, bound_to: str = BOUND
    ) -> Authenticator:
        """Enrol a key, from the options to the row."""
        options = self.service.begin_registration(account_id, "s0412", "係員", bound_to=BOUND)
        return self.service.finish_registration(
            account_id, key.create(options, bent), name="鍵", bound_to=bound_to, by=HERE
        )

    def prove(
        self, account_id: str, key: SoftAuthenticator, bent: Bent = RIGHT, purpose: Purpose = Purpose.SECOND_FACTOR
    ) -> Asserted:
        """Answer for an account with a key, from the options to the proof."""
        asked = None if purpose is Purpose.SIGN_IN else account_id
        options = self.service.begin_assertion(purpose, bound_to=BOUND, account_id=asked)
        return self.service.finish_assertion(purpose, key.get(options, bent), bound_to=BOUND, account_id=asked, by=HERE)

    def row(self, key: SoftAuthenticator) -> AuthenticatorRow:
        """What is stored of a key."""
        with self.store.unit() as unit:
            row = AuthenticatorRepository(unit).by_credential(key.credential_id)
        assert row is not None
        return row

    def write_policy(self, text: str) -> None:
        """The town writes its policy; each time another moment, for the file says when it was written."""
        self.policy_file.write_text(text, encoding="utf-8")

    def last(self) -> dict[str, Any]:
        return self.ledger.docs[-1]
