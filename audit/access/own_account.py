"""What people do with their own account: authenticators, recovery codes, password, all of it with a fresh factor.

Rules:
- Whatever changes a factor ends every other session of the account and every sign-in under way; this one goes on.
- The last second factor is never removed: without it only an administrator's link would help.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.access.authenticators.model import Authenticator, By
from audit.access.errors import AccountStateError, CodeRefusedError, PasswordRefusedError
from audit.access.journal import Activity
from audit.access.model import SessionInfo, Viewer
from audit.access.passwords import check_new_password
from audit.access.repository import AccessRepository
from audit.access.second_factor import new_secret, provisioning_uri, step_of_code
from audit.access.sessions import SessionUseCases
from audit.access.tables import AccountRow, SessionRow
from audit.access.throttle import settle
from audit.access.use_cases import account_place, key_name
from audit.store.state import Session

__all__ = ["OwnAccount", "OwnAccountUseCases"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAccount:
    """What people see of their own account.

    Attributes:
        session: the one they look from.
        app: whether an authenticator app is bound.
        keys: their security keys.
        recovery_codes: how many are left.
        password_since: since when the password has been the same.
        password_until: when it must be changed; None: never.
    """

    session: SessionInfo
    app: bool
    keys: tuple[Authenticator, ...]
    recovery_codes: int
    password_since: datetime
    password_until: datetime | None


class OwnAccountUseCases(SessionUseCases):
    """From a viewer to their own factors."""

    def own_account(self, viewer: Viewer) -> OwnAccount:
        """What the viewer may see of their own account; no secret."""
        with self._store.unit() as unit:
            account = unit.get_one(AccountRow, viewer.account_id)
            session = unit.get_one(SessionRow, viewer.session_id).info()
        return OwnAccount(
            session=session,
            app=bool(account.totp_secret),
            keys=self._keys.authenticators_of(account.id),
            recovery_codes=self._keys.recovery.left(account.id),
            password_since=account.password_since,
            password_until=account.password_since + self._limits.password_max_age
            if self._limits.password_max_age
            else None,
        )

    def change_password(self, viewer: Viewer, old: str, new: str, *, address: str) -> None:
        """Choose another password; other sessions end.

        Raises:
            StepUpRequiredError: the second factor must be proved again.
            SignInRefusedError: the old password is wrong.
            PasswordRefusedError: the new one is against the rules, or the old one.
            ThrottledError: too many attempts.
        """
        self.require_fresh(viewer, "password")
        check_new_password(new, viewer.login_id)
        account = self._account(viewer)
        slot = self._attempt(account.login_id, account, address)
        if not self._passwords.verify(account.password_hash, old):
            raise self._refuse("password_change", "password_wrong", account, address)
        with self._store.unit() as unit:
            settle(AccessRepository(unit), slot)
        if old == new:
            raise PasswordRefusedError("same")
        hashed = self._passwords.hash(new)
        with self._store.unit() as unit:
            row = unit.get_one(AccountRow, viewer.account_id)
            row.password_hash, row.password_changed_at, row.failures = hashed, self._clock.now(), 0
            self._changed(unit, viewer, "credential_reset", "account.password_changed", address)

    def begin_app(self, viewer: Viewer) -> tuple[str, str, str]:
        """A new secret for an authenticator app, which nothing is bound to yet.

        Returns:
            The secret, the `otpauth` address for a QR code, and the secret sealed for this session, to be handed back.

        Raises:
            StepUpRequiredError: the second factor must be proved again.
        """
        self.require_fresh(viewer, "authenticator")
        secret = new_secret()
        sealed = self._box.seal(secret, f"app:{viewer.session_id}").hex()
        return secret, provisioning_uri(secret, viewer.login_id), sealed

    def finish_app(self, viewer: Viewer, sealed: str, code: str, *, address: str) -> None:
        """Bind an authenticator app in the place of the one before.

        Raises:
            StepUpRequiredError: the second factor must be proved again.
            CodeRefusedError: the code does not belong to the secret.
        """
        self.require_fresh(viewer, "authenticator")
        try:
            secret = self._box.open(bytes.fromhex(sealed), f"app:{viewer.session_id}")
        except ValueError as error:
            raise CodeRefusedError("code_wrong") from error
        step = step_of_code(secret, code, self._clock.now())
        if step is None:
            self._journal.write(
                "security_event",
                "app.code_wrong",
                "failure",
                actor=viewer.login_id,
                address=address,
                session=viewer.session_id,
            )
            raise CodeRefusedError("code_wrong")
        with self._store.unit() as unit:
            row = unit.get_one(AccountRow, viewer.account_id)
            before = "totp" if row.totp_secret else ""
            row.totp_secret = self._box.seal(secret, account_place(row.id))
            row.last_totp_step = max(step, row.last_totp_step)
            self._changed(unit, viewer, "credential_issue", "app.bound", address, old=before, new="totp")

    def remove_app(self, viewer: Viewer, *, address: str) -> None:
        """Unbind the authenticator app.

        Raises:
            StepUpRequiredError: the second factor must be proved again.
            AccountStateError: there is none, or it is the last second factor.
        """
        self.require_fresh(viewer, "authenticator")
        if not self._usable_keys(viewer):
            raise AccountStateError("last_factor")
        with self._store.unit() as unit:
            row = unit.get_one(AccountRow, viewer.account_id)
            if not row.totp_secret:
                raise AccountStateError("unknown_factor")
            row.totp_secret = b""
            self._changed(unit, viewer, "revoke", "app.removed", address, old="totp", new="")

    def begin_key(self, viewer: Viewer) -> dict[str, Any]:
        """What the browser hands to a security key that is to be added.

        Raises:
            StepUpRequiredError: the second factor must be proved again.
        """
        self.require_fresh(viewer, "authenticator")
        return self._keys.begin_registration(
            viewer.account_id, viewer.login_id, viewer.display_name, bound_to=viewer.session_id
        )

    def add_key(self, viewer: Viewer, response: str, *, name: str, address: str) -> None:
        """Add a security key; other sessions end.

        Args:
            viewer: whose.
            response: the browser's answer, JSON.
            name: as its owner calls it; empty for its model's name.
            address: the peer's address.

        Raises:
            StepUpRequiredError: the second factor must be proved again.
            RegistrationRefusedError: it cannot be enrolled.
        """
        self.require_fresh(viewer, "authenticator")
        by = _by(viewer, address)
        new = self._keys.check_registration(
            viewer.account_id, response, roles=viewer.roles, bound_to=viewer.session_id, by=by
        )
        with self._store.unit() as unit:
            self._keys.add(unit, new, name=key_name(new, name), by=by)
            self._end_others(unit, viewer, address)

    def remove_key(self, viewer: Viewer, key_id: str, *, address: str) -> None:
        """Remove a security key; other sessions end.

        Raises:
            StepUpRequiredError: the second factor must be proved again.
            AccountStateError: it is the last second factor.
            AuthenticatorStateError: there is no such key.
        """
        self.require_fresh(viewer, "authenticator")
        left = [key for key in self._usable_keys(viewer) if key.id != key_id]
        if not left and not self._account(viewer).totp_secret:
            raise AccountStateError("last_factor")
        self._keys.revoke(viewer.account_id, key_id, by=_by(viewer, address))
        with self._store.unit() as unit:
            self._end_others(unit, viewer, address)

    def new_recovery_codes(self, viewer: Viewer, *, address: str) -> tuple[str, ...]:
        """Ten recovery codes in the place of those before, in clear only here.

        Raises:
            StepUpRequiredError: the second factor must be proved again.
        """
        self.require_fresh(viewer, "recovery_codes")
        with self._store.unit() as unit:
            return self._keys.recovery.issue(unit, viewer.account_id, by=_by(viewer, address))

    def _account(self, viewer: Viewer) -> AccountRow:
        with self._store.unit() as unit:
            return unit.get_one(AccountRow, viewer.account_id)

    def _usable_keys(self, viewer: Viewer) -> list[Authenticator]:
        return [key for key in self._keys.authenticators_of(viewer.account_id) if not key.refused]

    def _changed(
        self, unit: Session, viewer: Viewer, activity: Activity, operation: str, address: str, **values: str
    ) -> None:
        """Record a change of factors before it is committed, and end what other factors opened."""
        self._journal.write(
            activity,
            operation,
            actor=viewer.login_id,
            address=address,
            session=viewer.session_id,
            target=viewer.login_id,
            also=values,
        )
        self._end_others(unit, viewer, address)

    def _end_others(self, unit: Session, viewer: Viewer, address: str) -> None:
        repository = AccessRepository(unit)
        repository.end_pending(viewer.account_id)
        for session_id in repository.end_sessions(viewer.account_id, but=viewer.session_id):
            self._journal.write(
                "logout", "session.factors_changed", actor=viewer.login_id, address=address, session=session_id
            )


def _by(viewer: Viewer, address: str) -> By:
    return By(actor=viewer.login_id, address=address, session=viewer.session_id)
