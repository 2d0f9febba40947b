"""The door to authenticators: every use case in one class, and what owners and administrators do with them."""

from audit.access.authenticators.assertions import AssertionUseCases
from audit.access.authenticators.errors import AuthenticatorStateError
from audit.access.authenticators.model import Authenticator, By
from audit.access.authenticators.registration import RegistrationUseCases
from audit.access.authenticators.repository import AuthenticatorRepository
from audit.access.repository import AccessRepository
from audit.store.state import Session

__all__ = ["AuthenticatorService"]


class AuthenticatorService(RegistrationUseCases, AssertionUseCases):
    """Security keys and passkeys of Mimamori's own users."""

    def authenticators_of(self, account_id: str) -> tuple[Authenticator, ...]:
        """The authenticators of an account that are not revoked, oldest first."""
        policy = self._policy()
        with self._store.unit() as unit:
            rows = AuthenticatorRepository(unit).of_account(account_id)
            return tuple(self._shown(row, self.metadata.model(unit, row.aaguid), policy) for row in rows)

    def enrolled(self) -> tuple[tuple[str, Authenticator], ...]:
        """Every authenticator that is not revoked, with the login id of its owner, by that."""
        with self._store.unit() as unit:
            owners = [(row.login_id, row.id) for row in AccessRepository(unit).accounts()]
        return tuple(
            (login_id, shown) for login_id, account_id in owners for shown in self.authenticators_of(account_id)
        )

    def revoke(self, account_id: str, authenticator_id: str, *, by: By) -> None:
        """End an authenticator; whether another factor is left is the caller's to ask before.

        Raises:
            AuthenticatorStateError: the account has none of this id.
        """
        with self._store.unit() as unit:
            account = AccessRepository(unit).account(account_id)
            done = AuthenticatorRepository(unit).revoke(account_id, authenticator_id, self._clock.now())
        if account is None or not done:
            raise AuthenticatorStateError("unknown")
        self._journal.write("revoke", "authenticator.revoked", by=by, target=account.login_id, key=authenticator_id)

    def revoke_all(self, unit: Session, account_id: str) -> tuple[str, ...]:
        """End every authenticator of an account that is reset or closed, in the caller's unit; the caller records it.

        Returns:
            The ids of what was ended.
        """
        return tuple(AuthenticatorRepository(unit).revoke_all(account_id, self._clock.now()))
