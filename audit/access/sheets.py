"""Enrolment of many: one-time links on paper, one sheet a person, handed over in person.

Rules:
- Sheets are made for all who were chosen or for none, each link with its own event; a new one replaces the one before.
- Whoever is enrolled so is staff and nothing more: any other role is given by name, on the list of users.
- A sheet lives for days, since not everybody is there on the first; its link is shown once and never kept.
"""

from collections.abc import Mapping, Sequence

from audit.access.enrolment import EnrolmentUseCases, new_link
from audit.access.errors import AccessError, AccountStateError, LoginIdRefusedError, SheetRefusedError
from audit.access.model import Invitation, Newcomer, Permission, Role, Sheet, Viewer, within
from audit.access.repository import AccessRepository

__all__ = ["MOST_SHEETS", "SheetUseCases"]

MOST_SHEETS = 100
"""Persons at one time: each has an event that is durable before the sheets are shown."""


class SheetUseCases(EnrolmentUseCases):
    """Links for many."""

    def make_sheets(self, newcomers: Sequence[Newcomer], *, by: Viewer) -> tuple[Sheet, ...]:
        """Make a one-time link for each of several new users.

        Args:
            newcomers: who; at most `MOST_SHEETS`, nobody twice.
            by: who hands the sheets over.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
            SheetRefusedError: somebody cannot be enrolled, and who; no link was made.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        if not 1 <= len(newcomers) <= MOST_SHEETS:
            raise SheetRefusedError("sheets_number", "")
        if len({one.login_id for one in newcomers}) != len(newcomers):
            raise SheetRefusedError("sheets_twice", "")
        sheets = []
        with self._store.unit() as unit:
            for one in newcomers:
                try:
                    link = new_link(AccessRepository(unit), one.login_id, one.display_name, frozenset({Role.STAFF}))
                except (AccountStateError, LoginIdRefusedError) as error:
                    raise _refused(error, one) from error
                link.sheet = True
                token = self._add_link(
                    unit,
                    link,
                    "link.created",
                    actor=by.login_id,
                    address=by.address,
                    session=by.session_id,
                    in_person="no",
                    sheet="yes",
                )
                sheets.append(
                    Sheet(
                        login_id=link.login_id or one.login_id,
                        display_name=link.display_name,
                        token=token,
                        expires_at=link.created_at + self._life(link),
                    )
                )
        return tuple(sheets)

    def invitations(self, by: Viewer) -> Mapping[str, Invitation]:
        """The links for new users that nobody has used yet, by login id; those whose time is over as well.

        Raises:
            ForbiddenError: `by` may not manage users.
            StepUpRequiredError: `by` must prove the second factor again.
        """
        self.require(by, Permission.ADMIN_USER_MANAGE)
        now = self._clock.now()
        with self._store.unit() as unit:
            return {
                link.login_id: Invitation(
                    login_id=link.login_id,
                    made_at=link.created_at,
                    made_by=link.created_by or "",
                    expires_at=link.created_at + self._life(link),
                    live=within(link.created_at, now, self._life(link)),
                )
                for link in AccessRepository(unit).invitations()
                if link.login_id is not None
            }


def _refused(error: AccessError, whom: Newcomer) -> SheetRefusedError:
    return SheetRefusedError(error.reason, whom.login_id)
