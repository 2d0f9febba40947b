"""A factor once more: before a sensitive act, or to unlock.

Rules:
- What is proved is good for the session and the purpose that it was asked for, and gives the session another token
  (ASVS 7.2.4).
- The session's proof grows with what is proved and never claims more: a code after a key makes the second factor
  fresh, not the key.
- A locked session opens to whatever is as strong as what opened it; unlocking is no step-up.
"""

from dataclasses import replace
from typing import Any

from audit.access.authenticators.model import By, Purpose
from audit.access.errors import SignInRefusedError
from audit.access.model import LockedSession, SignedIn, Viewer
from audit.access.repository import AccessRepository
from audit.access.sealing import new_token, token_hash
from audit.access.second_factor import step_of_code
from audit.access.sessions import SessionUseCases
from audit.access.strength import Proof
from audit.access.tables import AccountRow, SessionRow
from audit.access.throttle import Slot, settle
from audit.access.use_cases import account_place
from audit.store.state import Session

__all__ = ["StepUpUseCases"]


class StepUpUseCases(SessionUseCases):
    """From a session to a fresher or stronger one."""

    def step_up(self, viewer: Viewer, code: str, *, address: str) -> SignedIn:
        """Prove the second factor again with a code; the session goes on under another token.

        Raises:
            SignInRefusedError: the code is wrong or used, or the session has ended.
            ThrottledError: too many attempts.
        """
        return self._with_code("step_up", viewer.account_id, viewer.session_id, code, address)

    def begin_step_up(self, viewer: Viewer) -> dict[str, Any]:
        """What the browser hands to a security key before a sensitive act."""
        return self._keys.begin_assertion(Purpose.STEP_UP, bound_to=viewer.session_id, account_id=viewer.account_id)

    def step_up_with_key(self, viewer: Viewer, response: str, *, address: str) -> SignedIn:
        """The same as `step_up` with a security key.

        Raises:
            SignInRefusedError: the key proves nothing, or the session has ended.
        """
        proof = self._assert(Purpose.STEP_UP, viewer.account_id, viewer.session_id, viewer.login_id, response, address)
        return self.step_up_verified(viewer, proof, address=address)

    def step_up_verified(self, viewer: Viewer, proof: Proof, *, address: str) -> SignedIn:
        """The same with what somebody else has verified of the viewer: a key's wrapper, or the town's own product.

        Raises:
            SignInRefusedError: the session has ended.
        """
        return self._go_on("step_up", viewer.account_id, viewer.session_id, proof, address)

    def unlock(self, locked: LockedSession, code: str, *, address: str) -> SignedIn:
        """Unlock a session with a code.

        Raises:
            SignInRefusedError: the code is wrong, used or too weak for the session, or the session has ended.
            ThrottledError: too many attempts.
        """
        return self._with_code("unlock", locked.session.account_id, locked.session.id, code, address)

    def begin_unlock(self, locked: LockedSession) -> dict[str, Any]:
        """What the browser hands to a security key to unlock."""
        session = locked.session
        return self._keys.begin_assertion(Purpose.UNLOCK, bound_to=session.id, account_id=session.account_id)

    def unlock_with_key(self, locked: LockedSession, response: str, *, address: str) -> SignedIn:
        """Unlock a session with a security key.

        Raises:
            SignInRefusedError: the key proves nothing or too little, or the session has ended.
        """
        session = locked.session
        proof = self._assert(Purpose.UNLOCK, session.account_id, session.id, locked.login_id, response, address)
        return self._go_on("unlock", session.account_id, session.id, proof, address)

    def unlock_verified(self, locked: LockedSession, proof: Proof, *, address: str) -> SignedIn:
        """The same with what the town's own product has verified of whoever locked it.

        Raises:
            SignInRefusedError: too little for the session, or it has ended.
        """
        return self._go_on("unlock", locked.session.account_id, locked.session.id, proof, address)

    def _assert(
        self, purpose: Purpose, account_id: str, session_id: str, login_id: str, response: str, address: str
    ) -> Proof:
        by = By(actor=login_id, address=address, session=session_id)
        return self._keys.finish_assertion(purpose, response, bound_to=session_id, account_id=account_id, by=by).proof()

    def _with_code(self, purpose: str, account_id: str, session_id: str, code: str, address: str) -> SignedIn:
        with self._store.unit() as unit:
            account = unit.get_one(AccountRow, account_id)
        slot = self._attempt(account.login_id, account, address)
        with self._store.unit() as unit:
            account = unit.get_one(AccountRow, account_id)
            judged = self._judge_code(unit, account, slot, code)
            result = (
                judged if isinstance(judged, str) else self._renew(unit, account, purpose, session_id, judged, address)
            )
            if isinstance(result, SignedIn):
                settle(AccessRepository(unit), slot)
        if isinstance(result, str):
            raise self._refuse(purpose, result, account, address)
        return result

    def _judge_code(self, unit: Session, account: AccountRow, slot: Slot, code: str) -> Proof | str:
        """Use a code up; what it proves, or why it proves nothing."""
        now = self._clock.now()
        if not account.totp_secret:
            return "code_wrong"
        step = step_of_code(self._box.open(account.totp_secret, account_place(account.id)), code, now)
        if step is None:
            return "code_wrong"
        if not AccessRepository(unit).use_step(account.id, step):
            return "code_replayed"
        return "must_rebind" if slot.exhausted else Proof(factors=frozenset({"totp"}), at=now)

    def _go_on(self, purpose: str, account_id: str, session_id: str, proof: Proof, address: str) -> SignedIn:
        with self._store.unit() as unit:
            account = unit.get_one(AccountRow, account_id)
            result = self._renew(unit, account, purpose, session_id, proof, address)
        if isinstance(result, str):
            raise self._refuse(purpose, result, account, address)
        return result

    def _renew(
        self, unit: Session, account: AccountRow, purpose: str, session_id: str, fresh: Proof, address: str
    ) -> SignedIn | str:
        """Give the session another token for what was proved, or say why not."""
        repository, now, token = AccessRepository(unit), self._clock.now(), new_token()
        session = unit.get(SessionRow, session_id)
        if session is None or self._over(session, account):
            return "session_ended"
        grown = _grown(session.proof, fresh)
        if purpose == "unlock" and grown is None:
            return "too_weak"
        if purpose == "unlock":
            renewed = repository.unlock(session_id, token_hash(token), now)
        else:
            renewed = repository.renew(session_id, token_hash(token), now, grown)
        if not renewed:
            return "session_ended"
        self._journal.write(
            "unlock" if purpose == "unlock" else "security_event",
            "session.unlocked" if purpose == "unlock" else "step_up.completed",
            actor=account.login_id,
            address=address,
            session=session_id,
            proof=fresh,
        )
        unit.refresh(session)
        return SignedIn(token, session.info())

    def _refuse(self, operation: str, reason: str, account: AccountRow | None, address: str) -> SignInRefusedError:
        """Record a refusal under its own activity; the caller raises what comes back."""
        if operation != "unlock":
            return super()._refuse(operation, reason, account, address)
        actor = account.login_id if account else None
        self._journal.write("unlock", f"unlock.{reason}", "failure", actor=actor, address=address)
        return SignInRefusedError(reason)


def _grown(held: Proof, fresh: Proof) -> Proof | None:
    """What a session proves after a fresh factor beside what it held; None where that is weaker than before."""
    beside = frozenset({"password"}) & held.factors
    if replace(fresh, factors=fresh.factors | beside).acr.rank < held.acr.rank:
        return None
    return replace(fresh, factors=fresh.factors | held.factors)
