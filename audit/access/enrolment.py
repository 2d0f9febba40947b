"""Enrolment by one-time link: the only way to factors, for the first administrator too.

Rules:
- No default account, no password set by somebody else: who opens the link chooses it and proves the new factor.
- The second factor is an authenticator app, a security key, or both. Recovery codes are shown once, at the end.
- Completing is all or nothing and happens once.
- A link for an existing account binds every factor anew, ends its sessions and forgets its failures.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from audit.access.authenticators.model import By, NewAuthenticator
from audit.access.errors import (
    AccountStateError,
    CodeRefusedError,
    ForbiddenError,
    LoginIdRefusedError,
)
from audit.access.links import LinkUseCases, link_place
from audit.access.model import (
    Account,
    Enrolled,
    Enrolment,
    Permission,
    Role,
    Viewer,
    display_name_of,
    login_id_of,
)
from audit.access.passwords import check_new_password
from audit.access.repository import AccessRepository
from audit.access.second_factor import provisioning_uri, step_of_code
from audit.access.sessions import SessionUseCases
from audit.access.tables import AccountRow, EnrolmentRow, format_roles, parse_roles
from audit.access.use_cases import account_place
from audit.access.use_cases import key_name as named
from audit.store.state import Session

__all__ = ["EnrolmentUseCases", "new_link"]

FIRST_ROLES = frozenset({Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class _Factors:
    login_id: str
    display_name: str
    password_hash: str
    secret: str = field(default="", repr=False)
    step: int = 0  # the step used up by proving the secret
    key: NewAuthenticator | None = None
    key_name: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """What was bound, for the log."""
        return ("password", *(["totp"] if self.secret else []), *(["webauthn"] if self.key else []))


class EnrolmentUseCases(SessionUseCases, LinkUseCases):
    """Links and the accounts they make."""

    def create_enrolment_link(
        self,
        login_id: str | None = None,
        *,
        display_name: str = "",
        roles: frozenset[Role] = frozenset(),
        by: Viewer | None = None,
        in_person: bool = False,
    ) -> str:
        """Make a one-time link for a new user.

        Args:
            login_id: whom it is for; None for the first administrator, while nobody is enrolled.
            display_name: of the new user.
            roles: of the new user.
            by: who makes it; None only for the first administrator.
            in_person: the user stands beside `by`: the link lives for minutes.

        Returns:
            The token, in clear only here.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
            AccountStateError: no such first administrator, no roles, or the user exists: see `ask_reset`.
            LoginIdRefusedError: login id or name cannot be taken.
        """
        if login_id is not None:
            if by is None:
                raise ForbiddenError(Permission.ADMIN_USER_MANAGE.value)
            self.require(by, Permission.ADMIN_USER_MANAGE)
        with self._store.unit() as unit:
            return self._add_link(
                unit,
                new_link(AccessRepository(unit), login_id, display_name, roles, in_person),
                "link.created",
                actor=by.login_id if by else None,
                address=by.address if by else None,
                session=by.session_id if by else None,
                in_person="yes" if in_person else "no",
            )

    def open_enrolment(self, token: str, *, address: str) -> Enrolment:
        """What a link shows; it stays usable.

        Raises:
            LinkRefusedError: unknown, used, replaced or expired.
        """
        with self._store.unit() as unit:
            link = self._live_link(unit, token)
            if link is not None:
                self._journal.write(
                    "security_event",
                    "link.opened",
                    actor=None,
                    address=address,
                    target=link.login_id,
                    link=link.id,
                )
        if link is None:
            raise self._refuse_link(address)
        secret = self._box.open(link.totp_secret, link_place(link.id))
        return Enrolment(
            login_id=link.login_id,
            display_name=link.display_name,
            roles=parse_roles(link.roles),
            existing=link.account_id is not None,
            expires_at=link.created_at + self._life(link),
            secret=secret,
            provisioning_uri=provisioning_uri(secret, link.login_id or "administrator"),
        )

    def begin_key_enrolment(self, token: str, *, login_id: str, display_name: str, address: str) -> dict[str, Any]:
        """What the browser hands to a security key that is to be bound by a link.

        Args:
            token: from the link.
            login_id: the link's own where it is fixed; the key shows it to its owner.
            display_name: the same.
            address: the peer's address.

        Raises:
            LinkRefusedError: unknown, used, replaced or expired.
            LoginIdRefusedError: login id or name cannot be taken.
        """
        with self._store.unit() as unit:
            link = self._live_link(unit, token)
        if link is None:
            raise self._refuse_link(address)
        name, shown = _names(link, login_id, display_name)
        return self._keys.begin_registration(link.account_id or link.id, name, shown, bound_to=link.id)

    def complete_enrolment(
        self,
        token: str,
        *,
        login_id: str,
        display_name: str,
        password: str,
        code: str = "",
        key: str = "",
        key_name: str = "",
        address: str,
    ) -> Enrolled:
        """Use a link: choose a password and prove the new second factor, all or nothing.

        Args:
            token: from the link.
            login_id: the link's own where it is fixed.
            display_name: chosen by the first administrator; otherwise the link's own holds.
            password: as typed.
            code: of the authenticator app; may be left out beside a key.
            key: the browser's answer about a security key, JSON; may be left out beside a code.
            key_name: what its owner calls it; empty for its model's name.
            address: the peer's address.

        Raises:
            LinkRefusedError: unknown, used, replaced or expired.
            LoginIdRefusedError: login id or name cannot be taken.
            PasswordRefusedError: against the rules.
            CodeRefusedError: the code is wrong, or neither code nor key is there; the link stays usable.
            RegistrationRefusedError: the key cannot be enrolled; the link stays usable.
        """
        with self._store.unit() as unit:
            link = self._live_link(unit, token)
        if link is None:
            raise self._refuse_link(address)
        name, shown = _names(link, login_id, display_name)
        check_new_password(password, name)
        secret, step = self._prove_app(link, code, address) if code or not key else ("", 0)
        new_key = None
        if key:
            new_key = self._keys.check_registration(
                link.account_id or link.id,
                key,
                roles=parse_roles(link.roles),
                bound_to=link.id,
                by=By(actor=link.login_id, address=address),
            )
        chosen = _Factors(name, shown, self._passwords.hash(password), secret, step, new_key, key_name)
        with self._store.unit() as unit:
            enrolled = self._bind(unit, link, chosen, address=address)
        if enrolled is None:
            raise self._refuse_link(address)
        return enrolled

    def _prove_app(self, link: EnrolmentRow, code: str, address: str) -> tuple[str, int]:
        secret = self._box.open(link.totp_secret, link_place(link.id))
        step = step_of_code(secret, code, self._clock.now())
        if step is None:
            self._journal.write(
                "security_event", "link.code_wrong", "failure", actor=None, address=address, link=link.id
            )
            raise CodeRefusedError("code_wrong")
        return secret, step

    def _bind(self, unit: Session, link: EnrolmentRow, chosen: _Factors, *, address: str) -> Enrolled | None:
        """Turn a link into factors; None when it was used, or overtaken, at this very moment."""
        repository, now = AccessRepository(unit), self._clock.now()
        if not repository.take_link(link.id, now):
            return None
        if link.login_id is None and repository.any_account():
            return None
        ended: list[str] = []
        if link.account_id is None:
            row = self._add_account(repository, chosen, parse_roles(link.roles), account_id=link.id)
        else:
            row = unit.get_one(AccountRow, link.account_id)
            if row.disabled_at is not None:
                return None
            row.password_hash, row.password_changed_at, row.failures = chosen.password_hash, now, 0
            row.totp_secret = self._sealed(chosen.secret, row.id)
            row.last_totp_step = chosen.step or row.last_totp_step
            self._keys.revoke_all(unit, row.id)
            repository.end_pending(row.id)
            repository.end_resets(row.id, now)
            ended = repository.end_sessions(row.id)
        by = By(actor=row.login_id, address=address)
        if chosen.key is not None:
            self._keys.add(unit, chosen.key, name=named(chosen.key, chosen.key_name), by=by)
        codes = self._keys.recovery.issue(unit, row.id, by=by)
        self._journal.write(
            "grant" if link.account_id is None else "credential_reset",
            "account.created" if link.account_id is None else "account.factors_bound",
            actor=row.login_id,
            address=address,
            target=row.login_id,
            factors=chosen.words,
            roles=row.roles.split(),
            link=link.id,
            account=row.id,
        )
        for session in ended:
            self._journal.write(
                "logout", "session.factors_changed", actor=row.login_id, address=address, session=session
            )
        return Enrolled(row.account(self._limits.failures), codes)

    def create_account(
        self, login_id: str, display_name: str, roles: frozenset[Role], password: str, totp_secret: str
    ) -> Account:
        """Make an account without a link: for the sample users of `mimamori demo` only.

        Raises:
            LoginIdRefusedError: login id or name cannot be taken.
            PasswordRefusedError: against the rules.
            AccountStateError: no role.
        """
        name, shown = login_id_of(login_id), display_name_of(display_name)
        if name is None or shown is None:
            raise LoginIdRefusedError("shape" if name is None else "name")
        if not roles:
            raise AccountStateError("roles")
        check_new_password(password, name)
        chosen = _Factors(name, shown, self._passwords.hash(password), totp_secret)
        with self._store.unit() as unit:
            row = self._add_account(AccessRepository(unit), chosen, roles, account_id=uuid4().hex)
            self._journal.write("grant", "account.created_as_sample", actor=None, target=name, roles=row.roles.split())
            return row.account(self._limits.failures)

    def _add_account(
        self, repository: AccessRepository, chosen: _Factors, roles: frozenset[Role], *, account_id: str
    ) -> AccountRow:
        row = AccountRow(
            id=account_id,
            login_id=chosen.login_id,
            display_name=chosen.display_name,
            roles=format_roles(roles),
            password_hash=chosen.password_hash,
            totp_secret=self._sealed(chosen.secret, account_id),
            last_totp_step=chosen.step,
            failures=0,
            created_at=self._clock.now(),
        )
        repository.add_account(row)
        return row

    def _sealed(self, secret: str, account_id: str) -> bytes:
        return self._box.seal(secret, account_place(account_id)) if secret else b""


def new_link(
    repository: AccessRepository,
    login_id: str | None,
    display_name: str,
    roles: frozenset[Role],
    in_person: bool = False,
) -> EnrolmentRow:
    """A link for a new user, not yet stored.

    Raises:
        AccountStateError: no such first administrator, no roles, or the user exists.
        LoginIdRefusedError: login id or name cannot be taken.
    """
    if login_id is None:
        if repository.any_account():
            raise AccountStateError("not_first")
        return EnrolmentRow(login_id=None, display_name="", roles=format_roles(FIRST_ROLES), in_person=in_person)
    name, shown = login_id_of(login_id), display_name_of(display_name)
    if name is None:
        raise LoginIdRefusedError("shape")
    if repository.account_by_login(name) is not None:
        raise AccountStateError("two_people")
    if not roles:
        raise AccountStateError("roles")
    if not shown:
        raise LoginIdRefusedError("name")
    return EnrolmentRow(login_id=name, display_name=shown, roles=format_roles(roles), in_person=in_person)


def _names(link: EnrolmentRow, login_id: str, display_name: str) -> tuple[str, str]:
    """Login id and name that a link leads to."""
    name = login_id_of(login_id)
    if name is None:
        raise LoginIdRefusedError("shape")
    if link.login_id not in {None, name}:
        raise LoginIdRefusedError("fixed")
    shown = link.display_name or display_name_of(display_name)
    if not shown:
        raise LoginIdRefusedError("name")
    return name, shown
