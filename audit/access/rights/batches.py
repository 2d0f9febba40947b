"""One application for several persons of a unit, as after the transfers of 1 April.

Rules:
- It is one act and one reason; from then on each person's part is an application of its own: approved, refused and
  withdrawn by itself, a right and events of its own.
- Whoever is to gain by any part may decide none of them: nobody approves for the others who approve for them.
"""

from collections.abc import Sequence
from dataclasses import replace

from audit.access.rights.applications import ApplicationUseCases
from audit.access.rights.errors import ApplicationRefusedError, PartRefusedError
from audit.access.rights.model import Application, Doer, Kind, Wish, new_id
from audit.access.rights.repository import RightsRepository
from audit.access.rights.wishes import cleaned

__all__ = ["MOST_TOGETHER", "BatchUseCases"]

MOST_TOGETHER = 100
"""Persons of one application."""


class BatchUseCases(ApplicationUseCases):
    """Asking for several persons at once."""

    def apply_together(self, wishes: Sequence[Wish], by: Doer) -> tuple[Application, ...]:
        """Ask for the same right for several persons of one unit: for all, or, where one part is wrong, for none.

        Args:
            wishes: new rights that differ in the person alone.
            by: who asks.

        Raises:
            ApplicationRefusedError: they cannot be asked for together; recorded.
            PartRefusedError: one of them cannot be asked for, and whose; recorded.
        """
        now, person = self._clock.now(), ""
        try:
            _check_together(wishes)
            batch, persons = new_id(), tuple(wish.person for wish in wishes)
            made: list[Application] = []
            with self._store.unit() as unit:
                repository = RightsRepository(unit)
                for wish in wishes:
                    person = wish.person
                    asked = self._asked(cleaned(wish, now), by, repository, now)
                    made.append(replace(asked, batch=batch, beside=tuple(one for one in persons if one != person)))
                    repository.add_application(made[-1])
                for application in made:
                    self._journal.record(
                        self._journal.about(
                            "apply", "rights.applied_for", now, by, application, why=application.wish.reason
                        )
                    )
        except ApplicationRefusedError as error:
            doc = self._journal.event("apply", "rights.application_denied", now, by, "denied", why=error.reason)
            self._journal.record(doc)
            raise PartRefusedError(error.reason, person) if person else error from error
        return tuple(made)


def _check_together(wishes: Sequence[Wish]) -> None:
    """Insist on one application.

    Raises:
        ApplicationRefusedError: these are none.
    """
    if not 2 <= len(wishes) <= MOST_TOGETHER:
        raise ApplicationRefusedError("together_number")
    if len({wish.person for wish in wishes}) != len(wishes):
        raise ApplicationRefusedError("together_twice")
    if len({wish.unit for wish in wishes}) != 1:
        raise ApplicationRefusedError("together_unit")
    if any(replace(wish, person="") != replace(wishes[0], person="") for wish in wishes):
        raise ApplicationRefusedError("together")
    if wishes[0].kind is not Kind.GRANT:
        raise ApplicationRefusedError("together")
