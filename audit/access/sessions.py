"""Live sessions: looked up at every request, never trusted from the browser.

Rules:
- Lock, idle and absolute ends are all checked here; a clock that went back ends the session for good.
- A locked session shows and does nothing until one of its factors is proved again (`audit.access.step_up`).
- Rights are those of the account now, not those at sign-in; who holds no post any more has no session.
- A session that belongs to an address opens nothing elsewhere.
"""

from datetime import timedelta

from audit.access.decisions.model import LiveSession
from audit.access.errors import ForbiddenError, StepUpRequiredError
from audit.access.model import (
    STEP_UP_PERMISSIONS,
    LockedSession,
    Permission,
    Viewer,
    within,
)
from audit.access.repository import AccessRepository
from audit.access.sealing import token_hash
from audit.access.tables import AccountRow, SessionRow
from audit.access.use_cases import UseCases, viewer_of

__all__ = ["SessionUseCases"]

_TOUCH = timedelta(seconds=1)  # one write a second and session is enough to measure minutes
_QUIET = timedelta(minutes=1)  # a stolen token that is tried on and on is told once a minute


class SessionUseCases(UseCases):
    """From a session to what it may do."""

    def authenticate(self, token: str, *, address: str | None = None) -> Viewer | None:
        """Whose live session a token opens; None for everything else, a locked session included.

        Args:
            token: as the browser sent it.
            address: the peer's address; None where the caller has judged the place itself.
        """
        found = self.look(token, address=address)
        return found if isinstance(found, Viewer) else None

    def look(self, token: str, *, address: str | None = None) -> Viewer | LockedSession | None:
        """The same, telling a locked session from none."""
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            found = repository.session(token_hash(token))
            if found is None:
                return None
            session, account = found
            reason = self._over(session, account)
            elsewhere = reason is None and session.bound and address not in {None, session.address}
            told = elsewhere and repository.misused(session.id, now, now - _QUIET)
            locked = reason is None and not elsewhere and self._locked(session)
            if locked and session.locked_at is None:
                told = repository.lock(session.id, now)
            elif not (reason or elsewhere or locked) and now - session.last_seen_at >= _TOUCH:
                repository.touch(session.id, now)
        if reason is None and not self._people.holds_post(account.login_id, now):
            reason = "session.no_post"
        if reason is not None:
            self._end(session, account, reason)
            return None
        if elsewhere:
            if told and address is not None:
                self._tell_elsewhere(session, account, address)
            return None
        if locked:
            if told:
                self._tell_lock("session.locked_idle", account.login_id, session.id, session.address)
            return LockedSession(session=session.info(), login_id=account.login_id, display_name=account.display_name)
        return viewer_of(session, account)

    def _over(self, session: SessionRow, account: AccountRow) -> str | None:
        now = self._clock.now()
        if account.disabled_at is not None:
            return "session.disabled"
        if session.ends_at is not None and now >= session.ends_at:
            return "session.emergency_over"
        if within(session.last_seen_at, now, self._limits.idle):
            return None if within(session.created_at, now, self._limits.absolute) else "session.absolute_end"
        return "session.idle_end" if now > session.last_seen_at else "session.clock_went_back"

    def _locked(self, session: SessionRow) -> bool:
        # What a sealed credential opened has no factor to unlock with: it is not locked by itself, and ends idle.
        idle = not session.emergency and not within(session.last_seen_at, self._clock.now(), self._limits.lock)
        return session.locked_at is not None or idle

    def _end(self, session: SessionRow, account: AccountRow, reason: str) -> None:
        with self._outbox.unit() as (unit, told):
            if AccessRepository(unit).end_session(session.id):  # else a request beside this one has said so
                told.append(
                    self._journal.event(
                        "logout", reason, actor=account.login_id, address=session.address, session=session.id
                    )
                )

    def _tell_elsewhere(self, session: SessionRow, account: AccountRow, address: str) -> None:
        self._journal.write(
            "security_event",
            "session.other_address",
            "denied",
            actor=account.login_id,
            address=address,
            session=session.id,
            bound_to=session.address,
        )

    def _tell_lock(self, operation: str, login_id: str, session_id: str, address: str) -> None:
        self._journal.write("lock", operation, actor=login_id, address=address, session=session_id)

    # Sessions as decisions see them

    def live_session(self, login_id: str) -> LiveSession | None:
        """The session that somebody has now; looking does not keep it alive."""
        with self._store.unit() as unit:
            found = AccessRepository(unit).session_of(login_id)
        return None if found is None else self._live(*found)

    def session_by_id(self, session_id: str) -> LiveSession | None:
        """The same by the session's id, as it stands in a token (`sid`)."""
        with self._store.unit() as unit:
            found = AccessRepository(unit).session_by_id(session_id)
        return None if found is None else self._live(*found)

    def _live(self, session: SessionRow, account: AccountRow) -> LiveSession | None:
        if self._over(session, account) or not self._people.holds_post(account.login_id, self._clock.now()):
            return None
        return LiveSession(
            id=session.id,
            login_id=account.login_id,
            proof=session.proof,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            address=session.address,
            terminal_id=session.terminal_id,
            limited_to=session.limited_to,
            locked=self._locked(session),
        )

    def seen(self, session_id: str) -> None:
        """Somebody works with a session in a records service: a sign of life, unless it is locked or over."""
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            found = repository.session_by_id(session_id)
            if found is not None and self._over(*found) is None and not self._locked(found[0]):
                repository.touch(session_id, self._clock.now())

    # Rights

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
        if permission in STEP_UP_PERMISSIONS:
            self.require_fresh(viewer, permission.value)

    def require_fresh(self, viewer: Viewer, act: str) -> None:
        """Insist on a fresh second factor.

        Args:
            viewer: whose.
            act: a short word for what it is asked for.

        Raises:
            StepUpRequiredError: it is too old.
        """
        if not within(viewer.second_factor_at, self._clock.now(), self._limits.step_up):
            raise StepUpRequiredError(act)

    # What people do with their own session

    def set_language(self, viewer: Viewer, language: str) -> None:
        """Remember the language for the rest of the session."""
        with self._store.unit() as unit:
            AccessRepository(unit).set_language(viewer.session_id, "en" if language == "en" else "ja")

    def lock(self, viewer: Viewer) -> None:
        """Lock the viewer's session: they leave their seat."""
        with self._store.unit() as unit:
            locked = AccessRepository(unit).lock(viewer.session_id, self._clock.now())
        if locked:
            self._tell_lock("session.locked", viewer.login_id, viewer.session_id, viewer.address)

    def sign_out(self, viewer: Viewer | LockedSession) -> None:
        """End the viewer's session."""
        session_id = viewer.session_id if isinstance(viewer, Viewer) else viewer.session.id
        address = viewer.address if isinstance(viewer, Viewer) else viewer.session.address
        with self._outbox.unit() as (unit, told):
            if AccessRepository(unit).end_session(session_id):
                told.append(
                    self._journal.event(
                        "logout", "session.signed_out", actor=viewer.login_id, address=address, session=session_id
                    )
                )

    def sign_out_everywhere(self, viewer: Viewer) -> None:
        """End every session and sign-in under way of the viewer, this one included."""
        with self._outbox.unit() as (unit, told):
            repository = AccessRepository(unit)
            repository.end_pending(viewer.account_id)
            ended = repository.end_sessions(viewer.account_id)
            told.append(
                self._journal.event(
                    "logout",
                    "session.signed_out_everywhere",
                    actor=viewer.login_id,
                    address=viewer.address,
                    session=viewer.session_id,
                    ended_sessions=ended,
                )
            )
