"""Enrolment by one-time link: the only way to factors, for the first administrator too.

Rules:
- No default account, no password set by somebody else: who opens the link chooses it and proves the secret.
- A link holds its own secret, so opening the page twice shows the same QR code; each opening is recorded.
- Completing is all or nothing and happens once. A new link for the same login id replaces the one before.
- A link for an existing account binds both factors anew, ends its sessions and forgets its failures.
"""

from dataclasses import dataclass, field
from uuid import uuid4

from audit.access.errors import (
    AccountStateError,
    CodeRefusedError,
    ForbiddenError,
    LinkRefusedError,
    LoginIdRefusedError,
)
from audit.access.model import (
    Account,
    Enrolment,
    Permission,
    Role,
    Viewer,
    display_name_of,
    login_id_of,
    within,
)
from audit.access.passwords import check_new_password
from audit.access.repository import AccessRepository, AccountRow, EnrolmentRow, format_roles, parse_roles
from audit.access.sealing import new_token, token_hash
from audit.access.second_factor import new_secret, provisioning_uri, step_of_code
from audit.access.sessions import SessionUseCases
from audit.access.use_cases import account_place
from audit.store.state import Session

__all__ = ["EnrolmentUseCases"]

FIRST_ROLES = frozenset({Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class _Factors:
    login_id: str
    display_name: str
    password_hash: str
    secret: str = field(repr=False)
    step: int  # the step used up by proving the secret


def _link_place(link_id: str) -> str:
    return f"enrolment:{link_id}"


class EnrolmentUseCases(SessionUseCases):
    """Links and the accounts they make."""

    def create_enrolment_link(
        self,
        login_id: str | None = None,
        *,
        display_name: str = "",
        roles: frozenset[Role] = frozenset(),
        by: Viewer | None = None,
    ) -> str:
        """Make a one-time link.

        Args:
            login_id: whom it is for; None for the first administrator, while nobody is enrolled.
            display_name: for a new user.
            roles: for a new user; an existing one keeps theirs and only binds new factors.
            by: who makes it; None only for the first administrator.

        Returns:
            The token, in clear only here.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
            AccountStateError: no such first administrator, roles or account.
            LoginIdRefusedError: login id or name cannot be taken.
        """
        if login_id is None:
            name = None
        else:
            if by is None:
                raise ForbiddenError(Permission.ADMIN_USER_MANAGE.value)
            self.require(by, Permission.ADMIN_USER_MANAGE)
            name = login_id_of(login_id)
            if name is None:
                raise LoginIdRefusedError("shape")
        now, token = self._clock.now(), new_token()
        actor = by.login_id if by else None
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            repository.end_links(name, now)
            link = self._new_link(repository, name, display_name, roles)
            link.token_hash, link.created_at, link.created_by = token_hash(token), now, actor
            repository.add(link)
            self._journal.write(
                "credential_issue" if link.account_id is None else "credential_reset",
                "link.created",
                actor=actor,
                address=by.address if by else None,
                session=by.session_id if by else None,
                target=name,
                roles=link.roles.split(),
                link=link.id,
            )
        return token

    def _new_link(
        self, repository: AccessRepository, name: str | None, display_name: str, roles: frozenset[Role]
    ) -> EnrolmentRow:
        account = repository.account_by_login(name) if name else None
        link_id = uuid4().hex
        secret = self._box.seal(new_secret(), _link_place(link_id))
        if name is None:
            if repository.any_account():
                raise AccountStateError("not_first")
            shown, held = "", FIRST_ROLES
        elif account is None:
            shown, held = display_name_of(display_name) or "", roles
            if not held:
                raise AccountStateError("roles")
            if not shown:
                raise LoginIdRefusedError("name")
        else:
            if account.disabled_at is not None:
                raise AccountStateError("disabled")
            if roles:
                raise AccountStateError("roles")
            shown, held = account.display_name, account.roles_set()
        return EnrolmentRow(
            id=link_id,
            account_id=account.id if account else None,
            login_id=name,
            display_name=shown,
            roles=format_roles(held),
            totp_secret=secret,
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
        secret = self._box.open(link.totp_secret, _link_place(link.id))
        return Enrolment(
            login_id=link.login_id,
            display_name=link.display_name,
            roles=parse_roles(link.roles),
            existing=link.account_id is not None,
            expires_at=link.created_at + self._limits.link,
            secret=secret,
            provisioning_uri=provisioning_uri(secret, link.login_id or "administrator"),
        )

    def complete_enrolment(
        self, token: str, *, login_id: str, display_name: str, password: str, code: str, address: str
    ) -> Account:
        """Use a link: choose a password and prove the new authenticator, all or nothing.

        Args:
            token: from the link.
            login_id: the link's own where it is fixed.
            display_name: chosen by the first administrator; otherwise the link's own holds.
            password: as typed.
            code: from the authenticator.
            address: the peer's address.

        Raises:
            LinkRefusedError: unknown, used, replaced or expired.
            LoginIdRefusedError: login id or name cannot be taken.
            PasswordRefusedError: against the rules.
            CodeRefusedError: the code is wrong; the link stays usable.
        """
        with self._store.unit() as unit:
            link = self._live_link(unit, token)
        if link is None:
            raise self._refuse_link(address)
        name = login_id_of(login_id)
        if name is None:
            raise LoginIdRefusedError("shape")
        if link.login_id not in {None, name}:
            raise LoginIdRefusedError("fixed")
        shown = link.display_name or display_name_of(display_name)
        if not shown:
            raise LoginIdRefusedError("name")
        check_new_password(password, name)
        secret = self._box.open(link.totp_secret, _link_place(link.id))
        step = step_of_code(secret, code, self._clock.now())
        if step is None:
            self._journal.write(
                "security_event", "link.code_wrong", "failure", actor=None, address=address, link=link.id
            )
            raise CodeRefusedError("code_wrong")
        chosen = _Factors(name, shown, self._passwords.hash(password), secret, step)
        with self._store.unit() as unit:
            account = self._bind(unit, link, chosen, address=address)
        if account is None:
            raise self._refuse_link(address)
        return account

    def _bind(self, unit: Session, link: EnrolmentRow, chosen: _Factors, *, address: str) -> Account | None:
        """Turn a link into factors; None when it was used, or overtaken, at this very moment."""
        repository = AccessRepository(unit)
        if not repository.take_link(link.id, self._clock.now()):
            return None
        if link.login_id is None and repository.any_account():
            return None
        ended: list[str] = []
        if link.account_id is None:
            row = self._add_account(repository, chosen, parse_roles(link.roles))
        else:
            row = unit.get_one(AccountRow, link.account_id)
            if row.disabled_at is not None:
                return None
            row.password_hash, row.failures = chosen.password_hash, 0
            row.totp_secret = self._box.seal(chosen.secret, account_place(row.id))
            row.last_totp_step = chosen.step
            repository.end_pending(row.id)
            ended = repository.end_sessions(row.id)
        self._journal.write(
            "grant" if link.account_id is None else "credential_reset",
            "account.created" if link.account_id is None else "account.factors_bound",
            actor=row.login_id,
            address=address,
            target=row.login_id,
            factors=("password", "totp"),
            roles=row.roles.split(),
            link=link.id,
        )
        for session in ended:
            self._journal.write(
                "logout", "session.factors_changed", actor=row.login_id, address=address, session=session
            )
        return row.account(self._limits.failures)

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
        chosen = _Factors(name, shown, self._passwords.hash(password), totp_secret, step=0)
        with self._store.unit() as unit:
            row = self._add_account(AccessRepository(unit), chosen, roles)
            self._journal.write("grant", "account.created_as_sample", actor=None, target=name, roles=row.roles.split())
            return row.account(self._limits.failures)

    def _add_account(self, repository: AccessRepository, chosen: _Factors, roles: frozenset[Role]) -> AccountRow:
        account_id = uuid4().hex
        row = AccountRow(
            id=account_id,
            login_id=chosen.login_id,
            display_name=chosen.display_name,
            roles=format_roles(roles),
            password_hash=chosen.password_hash,
            totp_secret=self._box.seal(chosen.secret, account_place(account_id)),
            last_totp_step=chosen.step,
            failures=0,
            created_at=self._clock.now(),
        )
        repository.add_account(row)
        return row

    def _live_link(self, unit: Session, token: str) -> EnrolmentRow | None:
        link = AccessRepository(unit).link(token_hash(token))
        live = (
            link is not None and link.ended_at is None and within(link.created_at, self._clock.now(), self._limits.link)
        )
        return link if live else None

    def _refuse_link(self, address: str) -> LinkRefusedError:
        self._journal.write("security_event", "link.refused", "denied", actor=None, address=address)
        return LinkRefusedError("link")
