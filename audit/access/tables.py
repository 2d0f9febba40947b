"""Tables of sign-in. Columns that came later are nullable or have a default, so that old installations keep theirs."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column

from audit.access.model import Account, Role, SessionInfo
from audit.access.strength import Proof
from audit.store.state import Base, UtcTime

__all__ = [
    "AccountRow",
    "AttemptRow",
    "EnrolmentRow",
    "PendingRow",
    "ResetRow",
    "SessionRow",
    "format_roles",
    "parse_roles",
    "proof_values",
]

_HEX = 32
_HASH = 64
_LOGIN_ID = 64
_ADDRESS = 64


class AccountRow(Base):
    """A user of Mimamori. `totp_secret` is empty for whoever has a security key alone.

    A closed account keeps its row and gives its login id back: whoever comes after is somebody else.
    """

    __tablename__ = "access_accounts"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    login_id: Mapped[str] = mapped_column(String(_LOGIN_ID), unique=True)
    display_name: Mapped[str] = mapped_column(String(100))
    roles: Mapped[str] = mapped_column(String(200))  # sorted, separated by a space
    password_hash: Mapped[str] = mapped_column(String(200))
    totp_secret: Mapped[bytes] = mapped_column(LargeBinary)  # sealed
    last_totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    failures: Mapped[int] = mapped_column(Integer, default=0)  # consecutive
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    password_changed_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)  # null: when it was made
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    former_login_id: Mapped[str | None] = mapped_column(String(_LOGIN_ID), default=None)  # of a closed account

    @property
    def password_since(self) -> datetime:
        """Since when the password has been the same."""
        return self.password_changed_at or self.created_at

    def roles_set(self) -> frozenset[Role]:
        """The roles as values."""
        return parse_roles(self.roles)

    def account(self, failure_limit: int) -> Account:
        """The account as the rest of the product sees it."""
        return Account(
            id=self.id,
            login_id=self.login_id,
            display_name=self.display_name,
            roles=self.roles_set(),
            disabled=self.disabled_at is not None,
            must_rebind=self.failures >= failure_limit,
            created_at=self.created_at,
            last_sign_in_at=self.last_sign_in_at,
            closed=self.closed_at is not None,
        )


class EnrolmentRow(Base):
    """A one-time link: `login_id` null for the first administrator, `account_id` set to bind factors anew.

    The account that a link makes has the link's id, so that a key can be made for it before it exists.
    """

    __tablename__ = "access_enrolments"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(_HASH), unique=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("access_accounts.id"))
    login_id: Mapped[str | None] = mapped_column(String(_LOGIN_ID), index=True)
    display_name: Mapped[str] = mapped_column(String(100))
    roles: Mapped[str] = mapped_column(String(200))
    totp_secret: Mapped[bytes] = mapped_column(LargeBinary)  # sealed
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    created_by: Mapped[str | None] = mapped_column(String(_LOGIN_ID))
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)  # used or replaced
    in_person: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    sheet: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())  # one of many, on paper


class ResetRow(Base):
    """Somebody's wish to bind a user's factors anew; a link comes of it once a second person confirms."""

    __tablename__ = "access_resets"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("access_accounts.id"), index=True)
    asked_by: Mapped[str] = mapped_column(ForeignKey("access_accounts.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcTime)
    in_person: Mapped[bool] = mapped_column(Boolean)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)  # confirmed, dropped or replaced


class ProofColumns:
    """What was proved, as stored with a session, or with a sign-in that waits for one more word."""

    factors: Mapped[str] = mapped_column(String(200), default="password totp", server_default="password totp")
    user_verified: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    authenticator: Mapped[str] = mapped_column(String(100), default="", server_default="")
    device_bound: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    proof_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)  # null: when the row was made
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    @property
    def proof(self) -> Proof:
        """The proof as a value."""
        return Proof(
            factors=frozenset(self.factors.split()),
            at=self.proof_at or self.created_at,
            user_verified=self.user_verified,
            authenticator=self.authenticator,
            device_bound=self.device_bound,
        )

    def hold(self, proof: Proof) -> None:
        """Keep a proof."""
        for name, value in proof_values(proof).items():
            setattr(self, name, value)


def proof_values(proof: Proof) -> dict[str, object]:
    """A proof as the values of its columns."""
    return {
        "factors": " ".join(proof.amr),
        "user_verified": proof.user_verified,
        "authenticator": proof.authenticator,
        "device_bound": proof.device_bound,
        "proof_at": proof.at,
    }


class PendingRow(ProofColumns, Base):
    """A sign-in that waits for one more word. `stage`: `second_factor`, `second_session` or `password_overdue`."""

    __tablename__ = "access_pending_sign_ins"

    ticket_hash: Mapped[str] = mapped_column(String(_HASH), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("access_accounts.id"), index=True)
    address: Mapped[str] = mapped_column(String(_ADDRESS))
    stage: Mapped[str] = mapped_column(String(32), default="second_factor", server_default="second_factor")


class SessionRow(ProofColumns, Base):
    """A live session; the unique account makes a second one impossible."""

    __tablename__ = "access_sessions"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(_HASH), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("access_accounts.id"), unique=True)
    last_seen_at: Mapped[datetime] = mapped_column(UtcTime)
    second_factor_at: Mapped[datetime] = mapped_column(UtcTime)
    previous_sign_in_at: Mapped[datetime | None] = mapped_column(UtcTime)
    address: Mapped[str] = mapped_column(String(_ADDRESS))
    language: Mapped[str] = mapped_column(String(8))
    terminal_id: Mapped[str] = mapped_column(String(64), default="", server_default="")
    bound: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())  # to its address
    failures_before: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # since the last sign-in
    locked_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    misused_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)  # last told of another address
    # Of a session that a sealed credential opened: its emergency, the one system it is for, and when it is over.
    emergency: Mapped[str] = mapped_column(String(_HEX), default="", server_default="")
    limited_to: Mapped[str] = mapped_column(String(100), default="", server_default="")
    ends_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)

    def info(self) -> SessionInfo:
        """The session as it may be shown."""
        return SessionInfo(
            id=self.id,
            account_id=self.account_id,
            created_at=self.created_at,
            last_seen_at=self.last_seen_at,
            second_factor_at=self.second_factor_at,
            address=self.address,
            language=self.language,
            previous_sign_in_at=self.previous_sign_in_at,
            failures_before=self.failures_before,
            terminal_id=self.terminal_id,
            proof=self.proof,
        )


class AttemptRow(Base):
    """One try at a factor, counted as failed; dropped when it succeeds. Or the beginning of a sign-in by key."""

    __tablename__ = "access_sign_in_attempts"
    __table_args__ = (Index(None, "login_key", "network", "at"), Index(None, "network", "at"))

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    login_key: Mapped[str] = mapped_column(String(_HASH))  # keyed hash: what was typed may be a password
    network: Mapped[str] = mapped_column(String(_ADDRESS))


def format_roles(roles: frozenset[Role]) -> str:
    """Roles as stored."""
    return " ".join(sorted(roles))


def parse_roles(text: str) -> frozenset[Role]:
    """Roles as values."""
    return frozenset(Role(word) for word in text.split())
