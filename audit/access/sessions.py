"""Live sessions: looked up at every request, never trusted from the browser.

Rules:
- Idle and absolute ends are both checked; a clock that went back ends the session for good.
- Rights are those of the account now, not those at sign-in.
- A fresh second factor gives the session another token (ASVS 7.2.4).
"""

from datetime import timedelta

from audit.access.errors import ForbiddenError, StepUpRequiredError
from audit.access.model import (
    STEP_UP_PERMISSIONS,
    Permission,
    SignedIn,
    Viewer,
    within,
)
from audit.access.repository import AccessRepository, AccountRow, SessionRow
from audit.access.sealing import new_token, token_hash
from audit.access.second_factor import step_of_code
from audit.access.throttle import Slot, settle
from audit.access.use_cases import UseCases, account_place, viewer_of

__all__ = ["SessionUseCases"]

_TOUCH = timedelta(seconds=1)  # one write a second and session is enough to measure minutes


class SessionUseCases(UseCases):
    """From a session to what it may do."""

    def authenticate(self, token: str) -> Viewer | None:
        """Whose live session a token opens; None for everything else.

        Args:
            token: as the browser sent it.
        """
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            found = repository.session(token_hash(token))
            if found is None:
                return None
            session, account = found
            reason = self._over(session, account)
            if reason is None:
                if now - session.last_seen_at >= _TOUCH:
                    repository.touch(session.id, now)
                return viewer_of(session, account)
            ended = repository.end_session(session.id)
        if ended:  # else a request beside this one has said so
            self._journal.write("logout", reason, actor=account.login_id, address=session.address, session=session.id)
        return None

    def _over(self, session: SessionRow, account: AccountRow) -> str | None:
        now = self._clock.now()
        if account.disabled_at is not None:
            return "session.disabled"
        if within(session.last_seen_at, now, self._limits.idle):
            return None if within(session.created_at, now, self._limits.absolute) else "session.absolute_end"
        return "session.idle_end" if now > session.last_seen_at else "session.clock_went_back"

    def require(self, viewer: Viewer, permission: Permission) -> None:
        """Insist on a permission, and on a fresh second factor where the permission asks for one.

        Raises:
            ForbiddenError: not held; recorded.
            StepUpRequiredError: held, but the second factor is too old: see `step_up`.
        """
        if permission not in viewer.permissions:
            self._journal.write(
                "authorize",
                "permission.denied",
                "denied",
                actor=viewer.login_id,
                address=viewer.address,
                session=viewer.session_id,
                permission=permission.value,
            )
            raise ForbiddenError(permission.value)
        fresh = within(viewer.second_factor_at, self._clock.now(), self._limits.step_up)
        if permission in STEP_UP_PERMISSIONS and not fresh:
            raise StepUpRequiredError(permission.value)

    def step_up(self, viewer: Viewer, code: str, *, address: str) -> SignedIn:
        """Prove the second factor again; the session goes on under another token.

        Raises:
            SignInRefusedError: the code is wrong or used, or the session has ended.
            ThrottledError: too many attempts.
        """
        with self._store.unit() as unit:
            account = unit.get_one(AccountRow, viewer.account_id)
        slot = self._attempt(account.login_id, account, address)
        result = self._judge_step_up(viewer, code, slot, address)
        if isinstance(result, str):
            raise self._refuse("step_up", result, account, address)
        return result

    def _judge_step_up(self, viewer: Viewer, code: str, slot: Slot, address: str) -> SignedIn | str:
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            account = unit.get_one(AccountRow, viewer.account_id)
            secret = self._box.open(account.totp_secret, account_place(account.id))
            step = step_of_code(secret, code, now)
            if step is None:
                return "code_wrong"
            if not repository.use_step(account.id, step):
                return "code_replayed"
            if slot.exhausted:
                return "must_rebind"
            token = new_token()
            if not repository.renew(viewer.session_id, token_hash(token), now):
                return "session_ended"
            settle(repository, slot)
            session = unit.get_one(SessionRow, viewer.session_id)
            self._journal.write(
                "security_event",
                "step_up.completed",
                actor=account.login_id,
                address=address,
                session=session.id,
                factors=("totp",),
            )
            return SignedIn(token, session.info())

    def set_language(self, viewer: Viewer, language: str) -> None:
        """Remember the language for the rest of the session."""
        with self._store.unit() as unit:
            AccessRepository(unit).set_language(viewer.session_id, "en" if language == "en" else "ja")

    def sign_out(self, viewer: Viewer) -> None:
        """End the viewer's session."""
        with self._store.unit() as unit:
            ended = AccessRepository(unit).end_session(viewer.session_id)
        if ended:
            self._journal.write(
                "logout",
                "session.signed_out",
                actor=viewer.login_id,
                address=viewer.address,
                session=viewer.session_id,
            )
