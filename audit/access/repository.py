"""Tables and statements of sign-in. Nothing here commits: the unit of work does.

What must happen once (a code, a ticket, a link) is one UPDATE or DELETE whose row count is the answer, so two
requests at the same moment cannot both win.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CursorResult,
    Delete,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Update,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from audit.access.errors import LoginIdRefusedError
from audit.access.model import Account, Role, SessionInfo
from audit.store.state import Base, Session, UtcTime

__all__ = ["AccessRepository", "AccountRow", "AttemptRow", "EnrolmentRow", "PendingRow", "SessionRow"]

_HEX = 32
_HASH = 64
_LOGIN_ID = 64
_ADDRESS = 64


class AccountRow(Base):
    """A user of Mimamori, with both factors."""

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
        )


class EnrolmentRow(Base):
    """A one-time link: `login_id` null for the first administrator, `account_id` set to bind factors anew."""

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


class PendingRow(Base):
    """A sign-in between password and code."""

    __tablename__ = "access_pending_sign_ins"

    ticket_hash: Mapped[str] = mapped_column(String(_HASH), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("access_accounts.id"), index=True)
    address: Mapped[str] = mapped_column(String(_ADDRESS))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class SessionRow(Base):
    """A live session; the unique account makes a second one impossible."""

    __tablename__ = "access_sessions"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(_HASH), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("access_accounts.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcTime)
    second_factor_at: Mapped[datetime] = mapped_column(UtcTime)
    previous_sign_in_at: Mapped[datetime | None] = mapped_column(UtcTime)
    address: Mapped[str] = mapped_column(String(_ADDRESS))
    language: Mapped[str] = mapped_column(String(8))

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
        )


class AttemptRow(Base):
    """One try at a factor, counted as failed; dropped when it succeeds."""

    __tablename__ = "access_sign_in_attempts"
    __table_args__ = (Index(None, "login_key", "network", "at"), Index(None, "network", "at"))

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    login_key: Mapped[str] = mapped_column(String(_HASH))  # keyed hash: what was typed may be a password
    network: Mapped[str] = mapped_column(String(_ADDRESS))


class AccessRepository:
    """The statements, within one unit of work."""

    def __init__(self, unit: Session) -> None:
        self._unit = unit

    def add(self, row: Base) -> None:
        """Insert a row now, so that a broken constraint shows here."""
        self._unit.add(row)
        self._unit.flush()

    def _change(self, statement: Update | Delete) -> int:
        done = self._unit.execute(statement, execution_options={"synchronize_session": False})
        return cast("CursorResult[Any]", done).rowcount

    def _once(self, statement: Update | Delete) -> bool:
        return self._change(statement) == 1

    # Accounts

    def add_account(self, row: AccountRow) -> None:
        """Insert an account.

        Raises:
            LoginIdRefusedError: the login id is taken.
        """
        try:
            self.add(row)
        except IntegrityError as error:
            raise LoginIdRefusedError("taken") from error

    def account(self, account_id: str) -> AccountRow | None:
        """An account by its id."""
        return self._unit.get(AccountRow, account_id)

    def account_by_login(self, login_id: str) -> AccountRow | None:
        """An account by its exact login id."""
        return self._unit.scalar(select(AccountRow).where(AccountRow.login_id == login_id))

    def accounts(self) -> Sequence[AccountRow]:
        """Every account, by login id."""
        return self._unit.scalars(select(AccountRow).order_by(AccountRow.login_id)).all()

    def any_account(self) -> bool:
        """Whether anybody has been enrolled."""
        return bool(self._unit.scalar(select(func.count()).select_from(AccountRow)))

    def use_step(self, account_id: str, step: int) -> bool:
        """Use up a time step; False when it, or a later one, was used before."""
        return self._once(
            update(AccountRow)
            .where(AccountRow.id == account_id, AccountRow.last_totp_step < step)
            .values(last_totp_step=step)
        )

    def count_failure(self, account_id: str, limit: int) -> bool:
        """Count one more consecutive failure; False when the limit was reached before."""
        return self._once(
            update(AccountRow)
            .where(AccountRow.id == account_id, AccountRow.failures < limit)
            .values(failures=AccountRow.failures + 1)
        )

    def uncount_failure(self, account_id: str) -> None:
        """Take back what was counted in advance, leaving earlier failures."""
        self._change(
            update(AccountRow)
            .where(AccountRow.id == account_id, AccountRow.failures > 0)
            .values(failures=AccountRow.failures - 1)
        )

    def sign_in_done(self, account_id: str, now: datetime) -> None:
        """Both factors were right: failures are no longer consecutive."""
        self._change(update(AccountRow).where(AccountRow.id == account_id).values(failures=0, last_sign_in_at=now))

    # Sign-ins under way

    def pending(self, ticket_hash: str) -> PendingRow | None:
        """A sign-in that waits for its code."""
        return self._unit.get(PendingRow, ticket_hash)

    def take_pending(self, ticket_hash: str) -> bool:
        """End a waiting sign-in; False when it was ended before."""
        return self._once(delete(PendingRow).where(PendingRow.ticket_hash == ticket_hash))

    def end_pending(self, account_id: str) -> None:
        """End every waiting sign-in of an account."""
        self._change(delete(PendingRow).where(PendingRow.account_id == account_id))

    def forget_pending(self, before: datetime) -> None:
        """Drop sign-ins that nobody finished."""
        self._change(delete(PendingRow).where(PendingRow.created_at < before))

    # Sessions

    def session(self, token_hash: str) -> tuple[SessionRow, AccountRow] | None:
        """A live session and whose it is."""
        row = self._unit.execute(
            select(SessionRow, AccountRow)
            .join(AccountRow, AccountRow.id == SessionRow.account_id)
            .where(SessionRow.token_hash == token_hash)
        ).one_or_none()
        return None if row is None else (row[0], row[1])

    def touch(self, session_id: str, now: datetime) -> None:
        """A request was made; never moves back."""
        self._change(
            update(SessionRow)
            .where(SessionRow.id == session_id, SessionRow.last_seen_at < now)
            .values(last_seen_at=now)
        )

    def renew(self, session_id: str, token_hash: str, now: datetime) -> bool:
        """Give a session another token after a fresh second factor; False when it has ended meanwhile."""
        return self._once(
            update(SessionRow)
            .where(SessionRow.id == session_id)
            .values(token_hash=token_hash, second_factor_at=now, last_seen_at=now)
        )

    def set_language(self, session_id: str, language: str) -> None:
        """Remember the language of a session."""
        self._change(update(SessionRow).where(SessionRow.id == session_id).values(language=language))

    def end_session(self, session_id: str) -> bool:
        """End one session; False when it had ended before."""
        return self._once(delete(SessionRow).where(SessionRow.id == session_id))

    def end_sessions(self, account_id: str) -> list[str]:
        """End whatever session an account has; returns what was ended."""
        ended = self._unit.scalars(
            delete(SessionRow).where(SessionRow.account_id == account_id).returning(SessionRow.id),
            execution_options={"synchronize_session": False},
        )
        return list(ended)

    # Enrolment links

    def link(self, token_hash: str) -> EnrolmentRow | None:
        """A link by its token's hash."""
        return self._unit.scalar(select(EnrolmentRow).where(EnrolmentRow.token_hash == token_hash))

    def take_link(self, link_id: str, now: datetime) -> bool:
        """Use a link up; False when it was used or replaced before."""
        return self._once(
            update(EnrolmentRow)
            .where(EnrolmentRow.id == link_id, EnrolmentRow.ended_at.is_(None))
            .values(ended_at=now, totp_secret=b"")  # a link that is over keeps no secret
        )

    def end_links(self, login_id: str | None, now: datetime) -> None:
        """Replace every unused link for a login id (None: for the first administrator)."""
        self._change(
            update(EnrolmentRow)
            .where(EnrolmentRow.login_id.is_not_distinct_from(login_id), EnrolmentRow.ended_at.is_(None))
            .values(ended_at=now, totp_secret=b"")  # a link that is over keeps no secret
        )

    # Attempts

    def attempt_at_limit(
        self, since: datetime, limit: int, network: str, login_key: str | None, but: str
    ) -> datetime | None:
        """When the attempt was made that fills a limit, newest first; None while there is room."""
        query = (
            select(AttemptRow.at)
            .where(AttemptRow.network == network, AttemptRow.at > since, AttemptRow.id != but)
            .order_by(AttemptRow.at.desc())
            .offset(limit - 1)
            .limit(1)
        )
        if login_key is not None:
            query = query.where(AttemptRow.login_key == login_key)
        return self._unit.scalar(query)

    def drop_attempt(self, attempt_id: str) -> None:
        """Forget an attempt that turned out right or was not let through."""
        self._change(delete(AttemptRow).where(AttemptRow.id == attempt_id))

    def forget_attempts(self, before: datetime) -> None:
        """Drop attempts older than every window."""
        self._change(delete(AttemptRow).where(AttemptRow.at < before))


def format_roles(roles: frozenset[Role]) -> str:
    """Roles as stored."""
    return " ".join(sorted(roles))


def parse_roles(text: str) -> frozenset[Role]:
    """Roles as values."""
    return frozenset(Role(word) for word in text.split())
