"""Sign-in: password and a second factor, or a security key alone. Every way ends in `audit.access.opening`.

Rules:
- Every refusal looks the same and costs the same argon2 work, whether the login id exists or not.
- A disabled or exhausted account is judged like any other and then refused, so that it cannot be told apart.
- A code is used up by its time step before anything else is decided; a ticket is used once.
- A security key alone is not throttled: nobody guesses a signature, so nobody's failures keep its owner out. Only its
  beginnings are bounded, for each leaves a challenge here before anybody has proved anything; and beyond a limit for
  each place what is refused is told by its count.
- A recovery code opens no session: with the password it gives a one-time link to bind factors anew.
"""

import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import Any

from audit.access.authenticators.model import By, Purpose
from audit.access.errors import ThrottledError
from audit.access.links import LinkUseCases
from audit.access.model import NeedsSecondFactor, Opening, login_id_of, within
from audit.access.opening import OpeningUseCases, Stage
from audit.access.repository import AccessRepository
from audit.access.sealing import token_hash
from audit.access.step_up import StepUpUseCases
from audit.access.strength import Proof
from audit.access.tables import AccountRow
from audit.access.throttle import Slot, reserve_beginning, settle

__all__ = ["SignInUseCases"]

_MAX_TYPED = 1024  # what is longer is garbage; bounds the work of normalising it


class SignInUseCases(OpeningUseCases, StepUpUseCases, LinkUseCases):
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
        account, slot = self._judge_password("sign_in", login_id, password, address)
        ticket = self._open_ticket(account.id, slot, password, address)
        return NeedsSecondFactor(ticket, self.methods_of(account.id))

    def _judge_password(self, operation: str, login_id: str, password: str, address: str) -> tuple[AccountRow, Slot]:
        """Whose login id and password these are; the attempt is the caller's to settle.

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
            raise self._refuse(operation, "unknown_login_id", None, address)
        reason = "password_wrong" if not right else _unable(account, slot)
        if reason is not None:
            raise self._refuse(operation, reason, account, address)
        return account, slot

    def _open_ticket(
        self, account_id: str, slot: Slot, password: str, address: str, stage: Stage = "second_factor"
    ) -> str:
        with self._store.unit() as unit:
            settle(AccessRepository(unit), slot)
            account = unit.get_one(AccountRow, account_id)
            if self._passwords.outdated(account.password_hash):
                account.password_hash = self._passwords.hash(password)
            proof = Proof(factors=frozenset({"password"}), at=self._clock.now())
            ticket = self._wait(unit, account_id, stage, address, proof)
            self._journal.write(
                "security_event",
                "sign_in.password_accepted",
                actor=account.login_id,
                address=address,
                proof=proof,
            )
        return ticket

    def finish_sign_in(self, ticket: str, code: str, *, address: str, language: str = "ja") -> Opening:
        """Second step with a code of the authenticator app.

        Args:
            ticket: from the first step.
            code: as typed; full-width digits are accepted.
            address: the peer's address, the same place as in the first step.
            language: `ja` or `en`.

        Raises:
            SignInRefusedError: anything is wrong.
            ThrottledError: too many attempts.
        """
        account, pending = self._waiting(ticket, "second_factor", address)
        slot = self._attempt(account.login_id, account, address)
        arrival = self._arrive(account, address, language)
        with self._store.unit() as unit:
            account = unit.get_one(AccountRow, account.id)
            result: Opening | str
            judged = self._judge_code(unit, account, slot, code)
            if isinstance(judged, str):
                result = judged
            elif not AccessRepository(unit).take_pending(pending.ticket_hash):
                result = "ticket_unknown"
            else:
                settle(AccessRepository(unit), slot)
                both = Proof(factors=judged.factors | {"password"}, at=judged.at)
                result = self._admit(unit, account, both, arrival)
        return self._result(result, account, address)

    def begin_second_factor(self, ticket: str, *, address: str) -> dict[str, Any]:
        """What the browser hands to a security key as the second step.

        Raises:
            SignInRefusedError: the ticket is unknown or too old.
        """
        account, pending = self._waiting(ticket, "second_factor", address)
        return self._keys.begin_assertion(Purpose.SECOND_FACTOR, bound_to=pending.ticket_hash, account_id=account.id)

    def finish_sign_in_with_key(self, ticket: str, response: str, *, address: str, language: str = "ja") -> Opening:
        """Second step with a security key.

        Args:
            ticket: from the first step.
            response: the browser's answer, JSON.
            address: the peer's address, the same place as in the first step.
            language: `ja` or `en`.

        Raises:
            SignInRefusedError: anything is wrong.
        """
        account, pending = self._waiting(ticket, "second_factor", address)
        asserted = self._keys.finish_assertion(
            Purpose.SECOND_FACTOR,
            response,
            bound_to=pending.ticket_hash,
            account_id=account.id,
            by=By(actor=account.login_id, address=address),
        )
        proof = asserted.proof(frozenset({"password"}))
        return self._finish_proved(account, pending.ticket_hash, proof, address, language)

    def finish_sign_in_verified(
        self, ticket: str, login_id: str, proof: Proof, *, address: str, language: str = "ja"
    ) -> Opening:
        """Second step by the town's own product.

        Args:
            ticket: from the first step.
            login_id: whom the product has verified.
            proof: of what.
            address: the peer's address, the same place as in the first step.
            language: `ja` or `en`.

        Raises:
            SignInRefusedError: somebody else than who knew the password, or anything else is wrong.
        """
        account, pending = self._waiting(ticket, "second_factor", address)
        if account.login_id != login_id:
            raise self._refuse("sign_in", "other_person", account, address)
        both = replace(proof, factors=proof.factors | {"password"})
        return self._finish_proved(account, pending.ticket_hash, both, address, language)

    def _finish_proved(
        self, account: AccountRow, ticket_hash: str, proof: Proof, address: str, language: str
    ) -> Opening:
        """Use the ticket of the first step up, and go in."""
        arrival = self._arrive(account, address, language)
        with self._store.unit() as unit:
            account = unit.get_one(AccountRow, account.id)
            result: Opening | str = "ticket_unknown"
            if AccessRepository(unit).take_pending(ticket_hash):
                result = self._admit(unit, account, proof, arrival)
        return self._result(result, account, address)

    def begin_key_sign_in(self, *, bound_to: str, address: str) -> dict[str, Any]:
        """What the browser hands to a security key that signs in alone: nobody is named, nothing given away.

        Args:
            bound_to: what this browser alone holds.
            address: the peer's address.

        Raises:
            ThrottledError: too many beginnings from here; told once when there is no more room.
        """
        with self._store.unit() as unit:
            room = reserve_beginning(AccessRepository(unit), address, self._clock.now())
        if isinstance(room, timedelta):
            raise ThrottledError(room)
        if not room:
            self._journal.write("security_event", "sign_in.many_beginnings", "denied", actor=None, address=address)
        return self._keys.begin_assertion(Purpose.SIGN_IN, bound_to=token_hash(bound_to))

    def key_sign_in(self, response: str, *, bound_to: str, address: str, language: str = "ja") -> Opening:
        """Sign in with a security key alone: it is what one has, and knows or is.

        Args:
            response: the browser's answer, JSON.
            bound_to: as at the beginning.
            address: the peer's address.
            language: `ja` or `en`.

        Raises:
            SignInRefusedError: anything is wrong.
        """
        asserted = self._keys.finish_assertion(
            Purpose.SIGN_IN, response, bound_to=token_hash(bound_to), by=By(address=address)
        )
        return self._open_proved(asserted.account_id, asserted.proof(), address, language)

    def open_verified_session(self, login_id: str, proof: Proof, *, address: str, language: str = "ja") -> Opening:
        """Sign in whom the town's own product has verified.

        Args:
            login_id: whom, by the product's word.
            proof: of what; at least two factors, or something inherent.
            address: the peer's address.
            language: `ja` or `en`.

        Raises:
            SignInRefusedError: nobody of ours, or somebody who may not sign in.
        """
        with self._store.unit() as unit:
            account = AccessRepository(unit).account_by_login(login_id)
        if account is None:
            raise self._refuse("sign_in", "unknown_login_id", None, address)
        return self._open_proved(account.id, proof, address, language)

    def _open_proved(self, account_id: str, proof: Proof, address: str, language: str) -> Opening:
        with self._store.unit() as unit:
            account = unit.get_one(AccountRow, account_id)
        arrival = self._arrive(account, address, language)
        with self._store.unit() as unit:
            account = unit.get_one(AccountRow, account_id)
            result = self._admit(unit, account, proof, arrival)
        return self._result(result, account, address)

    def recover(self, ticket: str, code: str, *, address: str) -> str:
        """Second step with a recovery code: nothing opens but the way to new factors.

        Args:
            ticket: from the first step.
            code: as typed.
            address: the peer's address, the same place as in the first step.

        Returns:
            The token of a one-time link, good for a short time, in clear only here.

        Raises:
            SignInRefusedError: anything is wrong.
            ThrottledError: too many attempts.
        """
        account, pending = self._waiting(ticket, "second_factor", address)
        slot = self._attempt(account.login_id, account, address)
        by = By(actor=account.login_id, address=address)
        with self._store.unit() as unit:
            account = unit.get_one(AccountRow, account.id)
            reason = _unable(account, slot)
            if reason is None and not self._keys.recovery.use(unit, account.id, code, by=by):
                reason = "recovery_code_wrong"
            if reason is None and not AccessRepository(unit).take_pending(pending.ticket_hash):
                reason = "ticket_unknown"
            token = ""
            if reason is None:
                settle(AccessRepository(unit), slot)
                token = self._link_for(
                    unit,
                    account,
                    "link.created_by_recovery_code",
                    actor=account.login_id,
                    address=address,
                    in_person=True,
                )
        if reason is not None:
            raise self._refuse("sign_in", reason, account, address)
        return token

    def methods_of_ticket(self, ticket: str) -> tuple[str, ...]:
        """The same for a sign-in that waits for its second factor; nothing for a ticket that is over."""
        with self._store.unit() as unit:
            pending = AccessRepository(unit).pending(token_hash(ticket), "second_factor")
        if pending is None or not within(pending.created_at, self._clock.now(), self._limits.ticket):
            return ()
        return self.methods_of(pending.account_id)

    def methods_of(self, account_id: str) -> tuple[str, ...]:
        """What an account can answer with beside its password: `key`, `totp`, `recovery_code`."""
        with self._store.unit() as unit:
            totp = bool(unit.get_one(AccountRow, account_id).totp_secret)
        key = any(not each.refused for each in self._keys.authenticators_of(account_id))
        recovery = self._keys.recovery.left(account_id) > 0
        words = {"key": key, "totp": totp, "recovery_code": recovery}
        return tuple(word for word, held in words.items() if held)


def _unable(account: AccountRow, slot: Slot) -> str | None:
    if account.disabled_at is not None:
        return "disabled"
    return "must_rebind" if slot.exhausted else None
