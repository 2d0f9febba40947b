"""Sign-in with a sealed credential in the place of the second factor: the password, an envelope, an emergency.

What the envelope holds and what is told of it is the matter of `audit.access.decisions.emergencies`; here are the two
steps at the door. A wrong code is refused as a wrong password is: the same words, the same cost, the same count.
"""

from audit.access.decisions.model import BreakGlass
from audit.access.model import Opening, Role, SignedIn
from audit.access.repository import AccessRepository
from audit.access.sign_in import SignInUseCases
from audit.access.tables import AccountRow

__all__ = ["SealedSignInUseCases"]

_OPERATION = "sealed_sign_in"


class SealedSignInUseCases(SignInUseCases):
    """The door in an emergency."""

    def roles_in_office(self, login_id: str) -> frozenset[Role]:
        """The roles of somebody whose account is open and who holds a post; none of everybody else."""
        with self._store.unit() as unit:
            account = AccessRepository(unit).account_by_login(login_id)
        if account is None or account.disabled_at is not None:
            return frozenset()
        stays = self._people.holds_post(account.login_id, self._clock.now())
        return account.roles_set() if stays else frozenset()

    def begin_sealed_sign_in(self, login_id: str, password: str, *, sealed: bool, address: str) -> tuple[str, str]:
        """First step: the password, beside a code that somebody else has looked at.

        Args:
            login_id: as typed.
            password: as typed.
            sealed: whether the code is one that can be used.
            address: the peer's address.

        Returns:
            A ticket, and the login id as it is stored.

        Raises:
            SignInRefusedError: anything is wrong.
            ThrottledError: too many attempts.
        """
        account, slot = self._judge_password(_OPERATION, login_id, password, address)
        if not sealed:
            raise self._refuse(_OPERATION, "code_wrong", account, address)
        if not self._people.holds_post(account.login_id, self._clock.now()):
            raise self._refuse(_OPERATION, "no_post", account, address)
        return self._open_ticket(account.id, slot, password, address, "sealed"), account.login_id

    def finish_sealed_sign_in(
        self, ticket: str, emergency: BreakGlass, *, address: str, language: str = "ja"
    ) -> SignedIn:
        """Second step, once the emergency is declared and alerted: a session for its system and its minutes.

        An overdue password is no hindrance, and another session of the person ends: there is no time to ask.

        Args:
            ticket: from the first step.
            emergency: of the same person.
            address: the peer's address, the same place as in the first step.
            language: `ja` or `en`.

        Raises:
            SignInRefusedError: anything is wrong.
        """
        account, pending = self._waiting(ticket, "sealed", address)
        arrival = self._arrive(account, address, language)
        with self._store.unit() as unit:
            account = unit.get_one(AccountRow, account.id)
            result: Opening | str = "ticket_unknown"
            if AccessRepository(unit).take_pending(pending.ticket_hash):
                if account.disabled_at is not None or not arrival.stays or account.login_id != emergency.person:
                    result = "disabled" if account.disabled_at is not None else "no_post"
                else:
                    others = self._other_sessions(unit, arrival)
                    result = self._open_session(unit, account, pending.proof, arrival, others, emergency)
        opened = self._result(result, account, address)
        if not isinstance(opened, SignedIn):
            raise self._refuse(_OPERATION, "ticket_unknown", account, address)
        return opened
