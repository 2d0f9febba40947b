"""Statements of sign-in. Nothing here commits: the unit of work does.

What must happen once (a code, a ticket, a link) is one UPDATE or DELETE whose row count is the answer, so two
requests at the same moment cannot both win.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Delete, Update, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from audit.access.errors import LoginIdRefusedError
from audit.access.strength import Proof
from audit.access.tables import (
    AccountRow,
    AttemptRow,
    EnrolmentRow,
    PendingRow,
    ResetRow,
    SessionRow,
    proof_values,
)
from audit.store.state import Base, Session

__all__ = ["AccessRepository"]


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
        """Every account that is not closed, by login id."""
        query = select(AccountRow).where(AccountRow.closed_at.is_(None)).order_by(AccountRow.login_id)
        return self._unit.scalars(query).all()

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

    def sign_in_done(self, account_id: str, now: datetime, *, forgive: bool) -> None:
        """A session was opened.

        Args:
            account_id: whose.
            now: when.
            forgive: what is counted was proved, so that failures are no longer consecutive.
        """
        done = {"last_sign_in_at": now} | ({"failures": 0} if forgive else {})
        self._change(update(AccountRow).where(AccountRow.id == account_id).values(**done))

    # Sign-ins under way

    def pending(self, ticket_hash: str, stage: str) -> PendingRow | None:
        """A sign-in that waits at a stage."""
        row = self._unit.get(PendingRow, ticket_hash)
        return row if row is not None and row.stage == stage else None

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
        return self._session_where(SessionRow.token_hash == token_hash)

    def session_by_id(self, session_id: str) -> tuple[SessionRow, AccountRow] | None:
        """The same by the session's id, which opens nothing."""
        return self._session_where(SessionRow.id == session_id)

    def session_of(self, login_id: str) -> tuple[SessionRow, AccountRow] | None:
        """The same by the login id."""
        return self._session_where(AccountRow.login_id == login_id)

    def _session_where(self, condition: ColumnElement[bool]) -> tuple[SessionRow, AccountRow] | None:
        row = self._unit.execute(
            select(SessionRow, AccountRow).join(AccountRow, AccountRow.id == SessionRow.account_id).where(condition)
        ).one_or_none()
        return None if row is None else (row[0], row[1])

    def sessions(self) -> Sequence[tuple[SessionRow, str]]:
        """Every session that has not been ended, and the login id of its owner."""
        rows = self._unit.execute(
            select(SessionRow, AccountRow.login_id).join(AccountRow, AccountRow.id == SessionRow.account_id)
        )
        return [(row[0], row[1]) for row in rows]

    def touch(self, session_id: str, now: datetime) -> None:
        """A request was made; never moves back."""
        self._change(
            update(SessionRow)
            .where(SessionRow.id == session_id, SessionRow.last_seen_at < now)
            .values(last_seen_at=now)
        )

    def renew(self, session_id: str, token_hash: str, now: datetime, proof: Proof | None) -> bool:
        """Give a session another token after a fresh second factor; False when it has ended or was locked meanwhile.

        Args:
            session_id: which.
            token_hash: of the new token.
            now: when the factor was proved.
            proof: what the session proves from now on; None leaves it.
        """
        return self._once(
            update(SessionRow)
            .where(SessionRow.id == session_id, SessionRow.locked_at.is_(None))
            .values(
                token_hash=token_hash,
                second_factor_at=now,
                last_seen_at=now,
                **(proof_values(proof) if proof else {}),
            )
        )

    def lock(self, session_id: str, now: datetime) -> bool:
        """Lock a session; False when it was locked, or has ended, before."""
        return self._once(
            update(SessionRow).where(SessionRow.id == session_id, SessionRow.locked_at.is_(None)).values(locked_at=now)
        )

    def unlock(self, session_id: str, token_hash: str, now: datetime) -> bool:
        """Unlock a session under another token; False when it was not locked, or has ended."""
        return self._once(
            update(SessionRow)
            .where(SessionRow.id == session_id, SessionRow.locked_at.is_not(None))
            .values(token_hash=token_hash, last_seen_at=now, locked_at=None)
        )

    def misused(self, session_id: str, now: datetime, quiet_since: datetime) -> bool:
        """Note that a session's token came from another address; False when that was noted after `quiet_since`."""
        return self._once(
            update(SessionRow)
            .where(
                SessionRow.id == session_id,
                or_(SessionRow.misused_at.is_(None), SessionRow.misused_at <= quiet_since),
            )
            .values(misused_at=now)
        )

    def set_language(self, session_id: str, language: str) -> None:
        """Remember the language of a session."""
        self._change(update(SessionRow).where(SessionRow.id == session_id).values(language=language))

    def end_session(self, session_id: str) -> bool:
        """End one session; False when it had ended before."""
        return self._once(delete(SessionRow).where(SessionRow.id == session_id))

    def end_sessions(self, *account_ids: str, but: str = "") -> list[str]:
        """End whatever sessions accounts have; returns what was ended.

        Args:
            account_ids: whose.
            but: the id of one that goes on.
        """
        ended = self._unit.scalars(
            delete(SessionRow)
            .where(SessionRow.account_id.in_(account_ids), SessionRow.id != but)
            .returning(SessionRow.id),
            execution_options={"synchronize_session": False},
        )
        return list(ended)

    # Enrolment links

    def link(self, token_hash: str) -> EnrolmentRow | None:
        """A link by its token's hash."""
        return self._unit.scalar(select(EnrolmentRow).where(EnrolmentRow.token_hash == token_hash))

    def invitations(self) -> Sequence[EnrolmentRow]:
        """The links for new users, the first administrator apart, that were neither used nor replaced."""
        query = select(EnrolmentRow).where(
            EnrolmentRow.ended_at.is_(None), EnrolmentRow.account_id.is_(None), EnrolmentRow.login_id.is_not(None)
        )
        return self._unit.scalars(query).all()

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

    # Resets that wait for a second person

    def resets(self, since: datetime) -> Sequence[ResetRow]:
        """Those that nobody has confirmed or dropped, asked for after `since`."""
        query = select(ResetRow).where(ResetRow.ended_at.is_(None), ResetRow.asked_at > since)
        return self._unit.scalars(query.order_by(ResetRow.asked_at)).all()

    def reset_of(self, account_id: str) -> ResetRow | None:
        """The one for an account that nobody has confirmed or dropped."""
        return self._unit.scalar(select(ResetRow).where(ResetRow.account_id == account_id, ResetRow.ended_at.is_(None)))

    def take_reset(self, reset_id: str, now: datetime) -> bool:
        """Confirm or drop one; False when that was done before."""
        return self._once(
            update(ResetRow).where(ResetRow.id == reset_id, ResetRow.ended_at.is_(None)).values(ended_at=now)
        )

    def end_resets(self, account_id: str, now: datetime) -> None:
        """Drop whatever waits for an account."""
        self._change(
            update(ResetRow).where(ResetRow.account_id == account_id, ResetRow.ended_at.is_(None)).values(ended_at=now)
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

    def forget_attempts(self, before: datetime, network: str | None = None) -> None:
        """Drop attempts older than every window, everywhere or from one network."""
        statement = delete(AttemptRow).where(AttemptRow.at < before)
        self._change(statement if network is None else statement.where(AttemptRow.network == network))
