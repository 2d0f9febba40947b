"""The one place where a session comes into being, whatever was proved on the way.

Rules:
- Whatever the way, a session stands on two factors or on a key that verified its user.
- One human being has one session: who has one already is asked, refused, or takes over, as the town chose. Every
  outcome is recorded; two places within a minute are a security event of their own. Two ids of one human being that
  arrive at the same instant do not see each other before they are in: afterwards, the later session is the one.
- An overdue password opens nothing: it can only be changed.
- A sealed credential stands for the second factor (`audit.access.sealed_sign_in`): such a session is weaker than any
  other, belongs to its address, and is over with its emergency.
- A session that was opened at a registered terminal belongs to that address.
- What the directory and the register of terminals know is asked before a unit of work begins: they have their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import uuid4

from audit.access.decisions.model import BreakGlass
from audit.access.errors import PasswordRefusedError
from audit.access.model import Opening, PasswordOverdue, SecondSession, SessionInfo, SignedIn, within
from audit.access.passwords import check_new_password
from audit.access.repository import AccessRepository
from audit.access.sealing import new_token, token_hash
from audit.access.strength import Acr, Proof
from audit.access.tables import AccountRow, PendingRow, SessionRow
from audit.access.throttle import network_of
from audit.access.use_cases import UseCases
from audit.store.state import Session

__all__ = ["Arrival", "OpeningUseCases", "Stage"]

Stage = Literal["second_factor", "second_session", "password_overdue", "sealed"]
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When the second factor was proved of whoever has proved none."""
_AT_ONCE = timedelta(minutes=1)
"""Use at two places within so short a time is no walk from one to the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Somebody who wants a session, and what the neighbours know about that."""

    address: str
    language: str
    terminal_id: str
    stays: bool  # still holds a post
    same_person: frozenset[str]  # accounts of the same human being


class OpeningUseCases(UseCases):
    """From a proof to a session."""

    def _arrive(self, account: AccountRow, address: str, language: str) -> Arrival:
        now = self._clock.now()
        with self._store.unit() as unit:
            owners = {row.account_id: login_id for row, login_id in AccessRepository(unit).sessions()}
        same = self._people.same_natural_person
        terminals = self._terminals.terminals_at(address, "")
        return Arrival(
            address=address,
            language="en" if language == "en" else "ja",
            terminal_id=terminals[0].terminal_id if terminals else "",
            stays=self._people.holds_post(account.login_id, now),
            same_person=frozenset(
                {account.id, *(owner for owner, login_id in owners.items() if same(account.login_id, login_id))}
            ),
        )

    def _admit(self, unit: Session, account: AccountRow, proof: Proof, arrival: Arrival) -> Opening | str:
        """Open a session for what was proved, or say what is in the way: as a value where the person can go on."""
        if account.disabled_at is not None:
            return "disabled"
        if not arrival.stays:
            return "no_post"
        if proof.acr.rank < Acr.OTP.rank:
            return "too_weak"
        oldest = self._limits.password_max_age
        if "password" in proof.factors and oldest and not within(account.password_since, self._clock.now(), oldest):
            ticket = self._wait(unit, account.id, "password_overdue", arrival.address, proof)
            self._tell_sign_in(account, "password_overdue", arrival, proof)
            return PasswordOverdue(ticket)
        others = self._other_sessions(unit, arrival)
        if not others or self._limits.second_session == "take_over":
            return self._open_session(unit, account, proof, arrival, others)
        ticket = ""
        if self._limits.second_session == "ask":
            ticket = self._wait(unit, account.id, "second_session", arrival.address, proof)
        self._tell_sign_in(account, "second_session", arrival, proof, other_session=others[0].id)
        return SecondSession(ticket, others[0].created_at, others[0].address)

    def _other_sessions(self, unit: Session, arrival: Arrival) -> list[SessionRow]:
        """Sessions of the same human being that are alive; told when one was in use elsewhere a moment ago."""
        now = self._clock.now()
        found = [
            (row, login_id)
            for row, login_id in AccessRepository(unit).sessions()
            if row.account_id in arrival.same_person
            and within(row.last_seen_at, now, self._limits.idle)
            and within(row.created_at, now, self._limits.absolute)
            and (row.ends_at is None or now < row.ends_at)
        ]
        for row, login_id in found:
            elsewhere = network_of(row.address) != network_of(arrival.address)
            if elsewhere and within(row.last_seen_at, now, _AT_ONCE):
                self._journal.write(
                    "security_event",
                    "session.concurrent_identity",
                    "denied",
                    actor=login_id,
                    address=arrival.address,
                    session=row.id,
                    other_address=row.address,
                )
        return [row for row, _ in found]

    def _open_session(
        self,
        unit: Session,
        account: AccountRow,
        proof: Proof,
        arrival: Arrival,
        others: Sequence[SessionRow],
        emergency: BreakGlass | None = None,
    ) -> SignedIn:
        repository, now = AccessRepository(unit), self._clock.now()
        ended = repository.end_sessions(account.id, *(row.account_id for row in others))
        unit.refresh(account)  # the failures, which statements have counted past it
        token = new_token()
        session = SessionRow(
            id=uuid4().hex,
            token_hash=token_hash(token),
            account_id=account.id,
            created_at=now,
            last_seen_at=now,
            second_factor_at=proof.at,
            previous_sign_in_at=account.last_sign_in_at,
            failures_before=account.failures,
            address=arrival.address[:64],
            language=arrival.language,
            terminal_id=arrival.terminal_id,
            bound=self._limits.bind_address or bool(arrival.terminal_id),
        )
        also = {"terminal_id": arrival.terminal_id} if arrival.terminal_id else {}
        if emergency is not None:
            session.emergency, session.limited_to, session.ends_at = emergency.id, emergency.system, emergency.end
            session.second_factor_at, session.bound = _NEVER, True
            also |= {"break_glass": emergency.id}
        session.hold(proof)
        repository.add(session)
        repository.sign_in_done(account.id, now, forgive="password" in proof.factors)
        self._journal.write(
            "login",
            "sign_in.completed",
            actor=account.login_id,
            address=arrival.address,
            session=session.id,
            proof=proof,
            also=also,
        )
        for session_id in ended:
            self._journal.write(
                "logout",
                "session.taken_over",
                actor=account.login_id,
                address=arrival.address,
                session=session_id,
            )
        return SignedIn(token, session.info())

    def settle_second_session(self, ticket: str, *, take_over: bool, address: str, language: str = "ja") -> Opening:
        """Take the other session over, or leave it as it is.

        Args:
            ticket: of `SecondSession`.
            take_over: the person's choice.
            address: the peer's address, the same place as before.
            language: `ja` or `en`.

        Returns:
            The new session, or the question once more where it was left.

        Raises:
            SignInRefusedError: the ticket is unknown or too old, or the account may not sign in any more.
        """
        account, pending = self._waiting(ticket, "second_session", address)
        arrival, proof = self._arrive(account, address, language), pending.proof
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            account = unit.get_one(AccountRow, account.id)
            result: Opening | str = "ticket_unknown"
            if repository.take_pending(pending.ticket_hash):
                others = self._other_sessions(unit, arrival)
                if account.disabled_at is not None or not arrival.stays:
                    result = "no_post" if account.disabled_at is None else "disabled"
                elif take_over:
                    result = self._open_session(unit, account, proof, arrival, others)
                else:
                    self._tell_sign_in(account, "other_session_kept", arrival, proof)
                    since, place = (others[0].created_at, others[0].address) if others else (proof.at, address)
                    result = SecondSession("", since, place)
        return self._result(result, account, address)

    def change_overdue_password(self, ticket: str, password: str, *, address: str, language: str = "ja") -> Opening:
        """Choose another password for one that is too old, and go on signing in.

        Args:
            ticket: of `PasswordOverdue`.
            password: the new one, as typed.
            address: the peer's address, the same place as before.
            language: `ja` or `en`.

        Raises:
            PasswordRefusedError: against the rules, or the one before; the ticket stays good.
            SignInRefusedError: the ticket is unknown or too old, or the account may not sign in any more.
        """
        account, pending = self._waiting(ticket, "password_overdue", address)
        check_new_password(password, account.login_id)
        if self._passwords.verify(account.password_hash, password):
            raise PasswordRefusedError("same")
        hashed = self._passwords.hash(password)
        arrival, proof = self._arrive(account, address, language), pending.proof
        with self._store.unit() as unit:
            account = unit.get_one(AccountRow, account.id)
            result: Opening | str = "ticket_unknown"
            if AccessRepository(unit).take_pending(pending.ticket_hash):
                account.password_hash, account.password_changed_at = hashed, self._clock.now()
                self._journal.write(
                    "credential_reset",
                    "account.password_changed",
                    actor=account.login_id,
                    address=address,
                    target=account.login_id,
                    proof=proof,
                )
                result = self._admit(unit, account, proof, arrival)
        return self._result(result, account, address)

    def _result(self, result: Opening | str, account: AccountRow, address: str) -> Opening:
        """What every way in ends with, once its unit of work is committed.

        Raises:
            SignInRefusedError: the result is a reason; recorded.
        """
        if isinstance(result, str):
            raise self._refuse("sign_in", result, account, address)
        if isinstance(result, SignedIn):
            self._end_twins(result.session, account.login_id)
        return result

    def _end_twins(self, opened: SessionInfo, login_id: str) -> None:
        """Leave one session to a human being whose ids arrived at the same instant.

        Each looks after its own commit, so whoever looks last sees every one of them; the order is the same for all.
        What was open before that instant was seen on arrival.
        """
        since = self._clock.now() - _AT_ONCE
        with self._store.unit() as unit:
            found = [(row.info(), owner) for row, owner in AccessRepository(unit).sessions() if row.created_at > since]
        ours = [
            (session, owner)
            for session, owner in found
            if session.account_id == opened.account_id or self._people.same_natural_person(login_id, owner)
        ]
        for session, owner in sorted(ours, key=lambda each: (each[0].created_at, each[0].id))[:-1]:
            with self._store.unit() as unit:
                ended = AccessRepository(unit).end_session(session.id)
            if ended:
                self._journal.write(
                    "logout", "session.taken_over", actor=owner, address=opened.address, session=session.id
                )

    def _wait(self, unit: Session, account_id: str, stage: Stage, address: str, proof: Proof) -> str:
        """Remember a sign-in that waits for one more word."""
        ticket, now = new_token(), self._clock.now()
        repository = AccessRepository(unit)
        repository.forget_pending(now - self._limits.ticket)
        row = PendingRow(
            ticket_hash=token_hash(ticket), account_id=account_id, address=address[:64], created_at=now, stage=stage
        )
        row.hold(proof)
        repository.add(row)
        return ticket

    def _waiting(self, ticket: str, stage: Stage, address: str) -> tuple[AccountRow, PendingRow]:
        """The sign-in that a ticket belongs to.

        Raises:
            SignInRefusedError: unknown, too old, of another stage or from another place; recorded.
        """
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            pending = repository.pending(token_hash(ticket), stage)
            account = repository.account(pending.account_id) if pending else None
        if (
            pending is None
            or account is None
            or not within(pending.created_at, self._clock.now(), self._limits.ticket)
            or network_of(pending.address) != network_of(address)
        ):
            raise self._refuse("sign_in", "ticket_unknown", account, address)
        return account, pending

    def _tell_sign_in(
        self, account: AccountRow, operation: str, arrival: Arrival, proof: Proof, **details: str
    ) -> None:
        """Record that everything was proved and yet no session opened."""
        self._journal.write(
            "login",
            f"sign_in.{operation}",
            "denied",
            actor=account.login_id,
            address=arrival.address,
            proof=proof,
            also=details,
        )
