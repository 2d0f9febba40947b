"""Sign-in in two steps: password, then a code. The only way to a session.

Rules:
- Every refusal looks the same and costs the same argon2 work, whether the login id exists or not.
- A disabled or exhausted account is judged like any other and then refused, so that it cannot be told apart.
- A code is used up by its time step before anything else is decided; the ticket is used once.
- The newest session of an account replaces the one before.
"""

import unicodedata
from uuid import uuid4

from audit.access.model import NeedsSecondFactor, SignedIn, login_id_of, within
from audit.access.repository import AccessRepository, AccountRow, PendingRow, SessionRow
from audit.access.sealing import new_token, token_hash
from audit.access.second_factor import step_of_code
from audit.access.throttle import Slot, network_of, settle
from audit.access.use_cases import UseCases, account_place

__all__ = ["SignInUseCases"]

_MAX_TYPED = 1024  # what is longer is garbage; bounds the work of normalising it


class SignInUseCases(UseCases):
    """From nothing to a session."""

    def begin_sign_in(self, login_id: str, password: str, *, address: str) -> NeedsSecondFactor:
        """First step: the password.

        Args:
            login_id: as typed.
            password: as typed; verified exactly so.
            address: the peer's address.

        Raises:
            SignInRefusedError: anything is wrong.
            ThrottledError: too many attempts.
        """
        name = login_id_of(login_id)
        with self._store.unit() as unit:
            account = AccessRepository(unit).account_by_login(name) if name else None
        typed = unicodedata.normalize("NFC", login_id[:_MAX_TYPED])
        slot = self._attempt(typed, account, address)
        right = self._passwords.verify(account.password_hash if account else None, password)
        if account is None:
            raise self._refuse("sign_in", "unknown_login_id", None, address)
        reason = "password_wrong" if not right else _unable(account, slot)
        if reason is not None:
            raise self._refuse("sign_in", reason, account, address)
        return self._open_ticket(account.id, slot, password, address)

    def _open_ticket(self, account_id: str, slot: Slot, password: str, address: str) -> NeedsSecondFactor:
        now = self._clock.now()
        ticket = new_token()
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            settle(repository, slot)
            repository.forget_pending(now - self._limits.ticket)
            repository.add(
                PendingRow(
                    ticket_hash=token_hash(ticket),
                    account_id=account_id,
                    address=address[:64],
                    created_at=now,
                )
            )
            account = unit.get_one(AccountRow, account_id)
            if self._passwords.outdated(account.password_hash):
                account.password_hash = self._passwords.hash(password)
            self._journal.write(
                "security_event",
                "sign_in.password_accepted",
                actor=account.login_id,
                address=address,
                factors=("password",),
            )
        return NeedsSecondFactor(ticket)

    def finish_sign_in(self, ticket: str, code: str, *, address: str, language: str = "ja") -> SignedIn:
        """Second step: the code.

        Args:
            ticket: from the first step.
            code: as typed; full-width digits are accepted.
            address: the peer's address, the same place as in the first step.
            language: `ja` or `en`.

        Raises:
            SignInRefusedError: anything is wrong.
            ThrottledError: too many attempts.
        """
        hashed = token_hash(ticket)
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            pending = repository.pending(hashed)
            account = repository.account(pending.account_id) if pending else None
        live = (
            pending is not None
            and within(pending.created_at, self._clock.now(), self._limits.ticket)
            and network_of(pending.address) == network_of(address)
        )
        if account is None or not live:
            raise self._refuse("sign_in", "ticket_unknown", account, address)
        slot = self._attempt(account.login_id, account, address)
        result = self._judge_code(account.id, hashed, code, slot, address=address, language=language)
        if isinstance(result, str):
            raise self._refuse("sign_in", result, account, address)
        return result

    def _judge_code(
        self, account_id: str, ticket_hash: str, code: str, slot: Slot, *, address: str, language: str
    ) -> SignedIn | str:
        """Open the session, or say why not."""
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            account = unit.get_one(AccountRow, account_id)
            secret = self._box.open(account.totp_secret, account_place(account_id))
            step = step_of_code(secret, code, now)
            if step is None:
                return "code_wrong"
            if not repository.use_step(account_id, step):
                return "code_replayed"
            reason = _unable(account, slot)
            if reason is not None:
                return reason
            if not repository.take_pending(ticket_hash):
                return "ticket_unknown"
            settle(repository, slot)
            taken_over = repository.end_sessions(account_id)
            token = new_token()
            session = SessionRow(
                id=uuid4().hex,
                token_hash=token_hash(token),
                account_id=account_id,
                created_at=now,
                last_seen_at=now,
                second_factor_at=now,
                previous_sign_in_at=account.last_sign_in_at,
                address=address[:64],
                language="en" if language == "en" else "ja",
            )
            repository.add(session)
            repository.sign_in_done(account_id, now)
            self._journal.write(
                "login",
                "sign_in.completed",
                actor=account.login_id,
                address=address,
                session=session.id,
                factors=("password", "totp"),
            )
            for ended in taken_over:
                self._journal.write(
                    "logout", "session.taken_over", actor=account.login_id, address=address, session=ended
                )
            return SignedIn(token, session.info())


def _unable(account: AccountRow, slot: Slot) -> str | None:
    if account.disabled_at is not None:
        return "disabled"
    return "must_rebind" if slot.exhausted else None
