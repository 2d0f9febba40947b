"""What may be proposed at all, whoever proposes it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from audit.clock import tokyo_date
from audit.events import mask
from audit.tuning.errors import TuningRefusedError
from audit.tuning.model import EVERY, Catalogue, ExceptionTerms, ParameterTerms, Surroundings
from audit.tuning.scopes import names_person

__all__ = ["TuningRules"]

_MOST = 100
"""So many ids stand in one scope."""


class TuningRules:
    """The rules of one installation.

    Args:
        catalogue: the detectors.
        surroundings: people.
        longest: of an exception.
    """

    def __init__(self, catalogue: Catalogue, surroundings: Surroundings, longest: timedelta) -> None:
        self._catalogue = catalogue
        self._surroundings = surroundings
        self.longest = longest

    def checked_parameters(self, terms: ParameterTerms, in_force: Mapping[str, Any]) -> ParameterTerms:
        """Values as they would be proposed, beside those in force.

        Raises:
            TuningRefusedError: they cannot be.
        """
        if terms.detector == EVERY:
            raise TuningRefusedError("every_parameters")
        if terms.detector not in self._catalogue.names():
            raise TuningRefusedError("detector")
        try:
            values = self._catalogue.checked(terms.detector, terms.values)
        except ValueError as error:
            raise TuningRefusedError("values") from error
        if values == in_force:
            raise TuningRefusedError("same")
        return ParameterTerms(terms.detector, values, in_force)

    def check_exception(self, terms: ExceptionTerms, now: datetime) -> None:
        """Insist that an exception can be.

        Raises:
            TuningRefusedError: it cannot.
        """
        scope, today = terms.scope, tokyo_date(now)
        ids = (*scope.actors, *scope.units, *scope.sources, *scope.subjects)
        checks: tuple[tuple[str, Callable[[], bool]], ...] = (
            ("detector", lambda: terms.detector == EVERY or terms.detector in self._catalogue.names()),
            ("scope", lambda: scope.restricts),
            ("shape", lambda: all(map(_is_id, ids)) and len(ids) <= _MOST),
            ("shape", lambda: set(scope.weekdays) <= set(range(7)) and set(scope.hours) <= set(range(24))),
            ("number", lambda: not any(mask(one)[1] for one in (*ids, terms.owner))),
            ("period", lambda: today <= terms.first <= terms.last and terms.last - terms.first < self.longest),
            ("owner", lambda: _is_id(terms.owner) and self._surroundings.holds_post(terms.owner, now)),
            ("owner", lambda: not self.is_for(terms, terms.owner, now)),
        )
        for reason, holds in checks:
            if not holds():
                raise TuningRefusedError(reason)

    def is_for(self, terms: ExceptionTerms, staff_id: str, now: datetime) -> bool:
        """Whether an exception is made for somebody: by name, under whatever id, or with their unit."""
        return names_person(terms, staff_id, self._surroundings.units_of(staff_id, now), self._surroundings)


def _is_id(text: str) -> bool:
    return 1 <= len(text) <= 200 and text.isprintable() and text == text.strip()
