"""What closing cases asks about people."""

from collections.abc import Collection
from datetime import datetime

from audit.access import AccessService, Permission
from audit.access.decisions.ledger.service import heads_for
from audit.access.model import permissions_of
from audit.access.people import PeopleService

__all__ = ["Reviewers"]


class Reviewers:
    """Who deals with cases, and whom they answer to; implements `audit.dispositions.Surroundings`.

    Args:
        people: the staff directory.
        access: who deals with cases.
    """

    def __init__(self, people: PeopleService, access: AccessService) -> None:
        self._people = people
        self._access = access

    def same_natural_person(self, one: str, other: str) -> bool:
        """Whether two staff ids are one person's."""
        return self._people.same_natural_person(one, other)

    def may_close(self, staff_id: str) -> bool:
        """Whether somebody is in office and deals with cases, now."""
        return Permission.CASES_CASE_CLOSE in permissions_of(self._access.roles_in_office(staff_id))

    def superiors_of(self, staff_id: str, at: datetime) -> Collection[str]:
        """Whom a person answers to at a moment: managers by name and heads of units, all the way up."""
        found: set[str] = set()
        waiting = [staff_id]
        while waiting:
            one = waiting.pop()
            named = self._people.manager_of(one, at)
            above = {*heads_for(self._people, one, at), *([named] if named else [])} - found - {staff_id}
            found |= above
            waiting += above
        return found
