"""The door to sign-in: every use case in one class, and the administrator's acts on accounts."""

from typing import Any

from audit.access.errors import AccountStateError
from audit.access.model import Account, Permission, Role, Viewer
from audit.access.own_account import OwnAccountUseCases
from audit.access.repository import AccessRepository
from audit.access.resets import ResetUseCases, known_account
from audit.access.sealed_sign_in import SealedSignInUseCases
from audit.access.sheets import SheetUseCases
from audit.access.tables import AccountRow, format_roles

__all__ = ["AccessService"]

_CLOSED = "closed:"  # no login id holds a colon, so that nobody can ask for what a closed account is called


class AccessService(SealedSignInUseCases, SheetUseCases, ResetUseCases, OwnAccountUseCases):
    """Sign-in, sessions, enrolment and accounts of Mimamori's own users."""

    def is_empty(self) -> bool:
        """Whether nobody is enrolled yet, so that the first administrator's link may be made."""
        with self._store.unit() as unit:
            return not AccessRepository(unit).any_account()

    def accounts(self, by: Viewer) -> list[Account]:
        """Every account that is not closed, by login id.

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
        with self._outbox.unit() as (unit, told):
            repository = AccessRepository(unit)
            row = _other(repository, login_id, by)
            ended = self._shut(repository, row)
            told.append(self._end_of("account.disabled", row.login_id, by, ended_sessions=ended))

    def close_account(self, login_id: str, *, by: Viewer) -> None:
        """Close an account for good: its factors are gone, its login id is free, its history stays with its own id.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
            AccountStateError: no such user, or oneself.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        with self._outbox.unit() as (unit, told):
            repository = AccessRepository(unit)
            row = _other(repository, login_id, by)
            name = row.login_id
            ended = self._shut(repository, row)
            keys = self._keys.revoke_all(unit, row.id)
            self._keys.recovery.end(unit, row.id)
            row.login_id, row.former_login_id, row.closed_at = f"{_CLOSED}{row.id}", name, self._clock.now()
            row.password_hash, row.totp_secret = "", b""
            told.append(self._end_of("account.closed", name, by, ended_sessions=ended, keys=list(keys), account=row.id))

    def _shut(self, repository: AccessRepository, row: AccountRow) -> list[str]:
        now = self._clock.now()
        row.disabled_at = row.disabled_at or now
        repository.end_links(row.login_id, now)
        repository.end_resets(row.id, now)
        repository.end_pending(row.id)
        return repository.end_sessions(row.id)

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

    def change_roles(self, login_id: str, roles: frozenset[Role], *, by: Viewer) -> None:
        """Give an account other roles; its sessions end, so that nothing goes on with the old ones.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
            AccountStateError: no such user, oneself, or no role at all.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        if not roles:
            raise AccountStateError("no_roles")
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            row = _other(repository, login_id, by)
            old, row.roles = row.roles, format_roles(roles)
            if row.roles == old:
                return
            repository.end_pending(row.id)
            ended = repository.end_sessions(row.id)
            self._journal.write(
                "grant" if roles - frozenset(map(Role, old.split())) else "revoke",
                "account.roles_changed",
                actor=by.login_id,
                address=by.address,
                session=by.session_id,
                target=row.login_id,
                old=old.split(),
                new=row.roles.split(),
                ended_sessions=ended,
            )

    def revoke_all(self, login_id: str, *, by: Viewer) -> None:
        """End every session and sign-in under way of a user, oneself included.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
            AccountStateError: no such user.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        with self._outbox.unit() as (unit, told):
            repository = AccessRepository(unit)
            row = known_account(repository, login_id)
            repository.end_pending(row.id)
            ended = repository.end_sessions(row.id)
            told.append(self._end_of("account.sessions_revoked", row.login_id, by, ended_sessions=ended))

    def _end_of(self, operation: str, target: str, by: Viewer, **details: str | list[str]) -> dict[str, Any]:
        """The event of something of somebody's that ended."""
        return self._journal.event(
            "revoke",
            operation,
            actor=by.login_id,
            address=by.address,
            session=by.session_id,
            target=target,
            also=details,
        )


def _other(repository: AccessRepository, login_id: str, by: Viewer) -> AccountRow:
    row = known_account(repository, login_id)
    if row.id == by.account_id:
        raise AccountStateError("oneself")
    return row
