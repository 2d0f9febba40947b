"""The door to sign-in: every use case in one class, and the administrator's acts on accounts."""

from audit.access.enrolment import EnrolmentUseCases
from audit.access.errors import AccountStateError
from audit.access.model import Account, Permission, Viewer, login_id_of
from audit.access.repository import AccessRepository, AccountRow
from audit.access.sign_in import SignInUseCases

__all__ = ["AccessService"]


class AccessService(SignInUseCases, EnrolmentUseCases):
    """Sign-in, sessions, enrolment and accounts of Mimamori's own users."""

    def is_empty(self) -> bool:
        """Whether nobody is enrolled yet, so that the first administrator's link may be made."""
        with self._store.unit() as unit:
            return not AccessRepository(unit).any_account()

    def accounts(self, by: Viewer) -> list[Account]:
        """Every account, by login id.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        with self._store.unit() as unit:
            return [row.account(self._limits.failures) for row in AccessRepository(unit).accounts()]

    def disable_account(self, login_id: str, *, by: Viewer) -> None:
        """Shut an account: its sessions, sign-ins under way and links end at once.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
            AccountStateError: no such user, or oneself.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            row = _other(repository, login_id, by)
            row.disabled_at = now
            repository.end_links(row.login_id, now)
            repository.end_pending(row.id)
            ended = repository.end_sessions(row.id)
        self._tell("account.disabled", row.login_id, by, ended)

    def enable_account(self, login_id: str, *, by: Viewer) -> None:
        """Open a disabled account again, with the factors it had.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
            AccountStateError: no such user, or oneself.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        with self._store.unit() as unit:
            row = _other(AccessRepository(unit), login_id, by)
            row.disabled_at = None
            self._journal.write(
                "grant",
                "account.enabled",
                actor=by.login_id,
                address=by.address,
                session=by.session_id,
                target=row.login_id,
            )

    def revoke_all(self, login_id: str, *, by: Viewer) -> None:
        """End every session and sign-in under way of a user, oneself included.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
            AccountStateError: no such user.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            row = _known(repository, login_id)
            repository.end_pending(row.id)
            ended = repository.end_sessions(row.id)
        self._tell("account.sessions_revoked", row.login_id, by, ended)

    def _tell(self, operation: str, target: str, by: Viewer, ended: list[str]) -> None:
        self._journal.write(
            "revoke",
            operation,
            actor=by.login_id,
            address=by.address,
            session=by.session_id,
            target=target,
            ended_sessions=ended,
        )


def _known(repository: AccessRepository, login_id: str) -> AccountRow:
    name = login_id_of(login_id)
    row = repository.account_by_login(name) if name else None
    if row is None:
        raise AccountStateError("unknown")
    return row


def _other(repository: AccessRepository, login_id: str, by: Viewer) -> AccountRow:
    row = _known(repository, login_id)
    if row.id == by.account_id:
        raise AccountStateError("oneself")
    return row
