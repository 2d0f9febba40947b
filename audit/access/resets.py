"""Binding an existing user's factors anew: two people, or whoever sits at the machine itself.

Rules:
- One administrator asks, another confirms; neither is the user, and no human being is two of the three.
- A wish that nobody confirms within a day is forgotten; a new one replaces it.
- Only the machine's own command line makes a link alone: an installation with one administrator must not lock
  itself out.
"""

from dataclasses import replace
from uuid import uuid4

from audit.access.errors import AccountStateError
from audit.access.links import LinkUseCases
from audit.access.model import Permission, Reset, Viewer, login_id_of, within
from audit.access.repository import AccessRepository
from audit.access.sessions import SessionUseCases
from audit.access.tables import AccountRow, ResetRow

__all__ = ["ResetUseCases", "known_account"]


class ResetUseCases(SessionUseCases, LinkUseCases):
    """From a lost factor to a new link."""

    def resets(self, by: Viewer) -> list[Reset]:
        """The wishes that wait for a second person, oldest first.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        since = self._clock.now() - self._limits.link
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            found = [
                Reset(
                    login_id=unit.get_one(AccountRow, row.account_id).login_id,
                    asked_by=unit.get_one(AccountRow, row.asked_by).login_id,
                    asked_at=row.asked_at,
                    in_person=row.in_person,
                )
                for row in repository.resets(since)
            ]
        same = self._people.same_natural_person
        return [
            replace(reset, mine_to_confirm=not any(same(by.login_id, who) for who in (reset.login_id, reset.asked_by)))
            for reset in found
        ]

    def ask_reset(self, login_id: str, *, by: Viewer, in_person: bool = False) -> None:
        """Ask for new factors for a user; nothing changes for them before somebody else confirms.

        Args:
            login_id: whose.
            by: who asks.
            in_person: the user will stand beside whoever confirms: the link lives for minutes.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
            AccountStateError: no such user, disabled, or oneself.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        self._not_oneself(login_id, by)
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            account = known_account(repository, login_id)
            if account.disabled_at is not None:
                raise AccountStateError("disabled")
            repository.end_resets(account.id, now)
            repository.add(
                ResetRow(
                    id=uuid4().hex,
                    account_id=account.id,
                    asked_by=by.account_id,
                    asked_at=now,
                    in_person=in_person,
                )
            )
            self._journal.write(
                "apply",
                "reset.asked",
                actor=by.login_id,
                address=by.address,
                session=by.session_id,
                target=account.login_id,
            )

    def confirm_reset(self, login_id: str, *, by: Viewer) -> str:
        """Confirm what another administrator asked for.

        Returns:
            The token of the link, in clear only here.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
            AccountStateError: nothing waits, or `by` is the user or the one who asked, under whatever id; recorded.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            account = known_account(repository, login_id)
            row = repository.reset_of(account.id)
            asker = repository.account(row.asked_by) if row else None
        if row is None or asker is None or not within(row.asked_at, now, self._limits.link):
            raise AccountStateError("no_reset")
        self._not_oneself(account.login_id, by)
        if self._people.same_natural_person(asker.login_id, by.login_id):
            raise self._refuse_act("reset.same_person", by, account.login_id, "second_person")
        if asker.disabled_at is not None or not self._people.holds_post(asker.login_id, now):
            raise self._refuse_act("reset.asker_left", by, account.login_id, "no_reset")
        with self._store.unit() as unit:
            if not AccessRepository(unit).take_reset(row.id, now):
                raise AccountStateError("no_reset")
            return self._link_for(
                unit,
                unit.get_one(AccountRow, account.id),
                "link.created_for_reset",
                actor=by.login_id,
                address=by.address,
                session=by.session_id,
                in_person=row.in_person,
                asked_by=asker.login_id,
            )

    def drop_reset(self, login_id: str, *, by: Viewer) -> None:
        """Refuse, or take back, what was asked for.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
            AccountStateError: nothing waits.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        with self._store.unit() as unit:
            repository = AccessRepository(unit)
            account = known_account(repository, login_id)
            row = repository.reset_of(account.id)
            if row is None or not repository.take_reset(row.id, self._clock.now()):
                raise AccountStateError("no_reset")
        self._journal.write(
            "revoke",
            "reset.dropped",
            actor=by.login_id,
            address=by.address,
            session=by.session_id,
            target=account.login_id,
        )

    def reset_at_the_machine(self, login_id: str, *, operator: str) -> str:
        """A link for an existing user, made on the machine that this runs on.

        Args:
            login_id: whose.
            operator: the operating system's user, for the log.

        Returns:
            The token, in clear only here.

        Raises:
            AccountStateError: no such user, or disabled.
        """
        with self._store.unit() as unit:
            account = known_account(AccessRepository(unit), login_id)
            return self._link_for(unit, account, "link.created_at_the_machine", actor=None, operator=operator)

    def _not_oneself(self, login_id: str, by: Viewer) -> None:
        if self._people.same_natural_person(login_id, by.login_id):
            raise self._refuse_act("reset.oneself", by, login_id, "oneself")

    def _refuse_act(self, operation: str, by: Viewer, target: str, reason: str) -> AccountStateError:
        self._journal.write(
            "authorize",
            operation,
            "denied",
            actor=by.login_id,
            address=by.address,
            session=by.session_id,
            target=target if login_id_of(target) else None,
        )
        return AccountStateError(reason)


def known_account(repository: AccessRepository, login_id: str) -> AccountRow:
    """An account that is not closed.

    Raises:
        AccountStateError: there is none.
    """
    name = login_id_of(login_id)
    row = repository.account_by_login(name) if name else None
    if row is None:
        raise AccountStateError("unknown")
    return row
