"""Who may play in a plot, and whom it may be about: the questions that plots ask of the town."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from detectors.lab.casework import Planner
from detectors.lab.days import is_ordinary_working_day
from detectors.lab.model import Case, Person
from detectors.lab.residents import Residents
from detectors.lab.timetable import Timetable, at

__all__ = ["Cast"]

_EARLY, _LATE = timedelta(days=2), timedelta(days=8)
"""A day more on either side than a case accounts for look-ups."""


@dataclass(slots=True)
class Cast:
    """The people of the town, those who work there and those who live there.

    Attributes:
        rng: the plots' randomness.
        people: every post.
        residents: everybody who lives there.
        timetable: who works when.
        planner: the casework.
    """

    rng: Random
    people: list[Person]
    residents: Residents
    timetable: Timetable
    planner: Planner
    _cast: set[str] = field(default_factory=set)

    # Who and when

    def cast(
        self,
        *units: str,
        days: Iterable[date] | None = None,
        history: int = 0,
        follows: int = 0,
        fits: Callable[[Person], bool] = lambda person: person.pace > 0,
    ) -> tuple[Person, date] | None:
        """Find somebody for a part, and the day it happens on.

        Args:
            units: where to look; everywhere if none is given.
            days: days on which the person must not be working at all. Without it, the day is an ordinary
                working day of that person.
            history: ordinary working days that must lie before the day.
            follows: days of the span that must lie after it.
            fits: who may play the part; by default, who does casework.

        Returns:
            None when the town is too small or the span too short for it.
        """
        days_left = self.timetable.days[: len(self.timetable.days) - follows]
        free = [p for p in self.people if p.id not in self._cast and fits(p) and (not units or p.unit in units)]
        self.rng.shuffle(free)
        for person in free:
            if days is None:
                candidates = [day for day in days_left if self.timetable.ordinary(person, day)]
                # The first third of the span is left alone, so that detectors can learn from it.
                candidates = candidates[max(history, len(candidates) // 3) :]
            else:
                candidates = [day for day in days if person.holds(day) and not self.timetable.hours(person, day)]
            if candidates:
                self._cast.add(person.id)
                return person, self.rng.choice(candidates)
        return None

    def take(self, people: Iterable[Person]) -> None:
        """Keep people out of other plots."""
        self._cast |= {person.id for person in people}

    def free(self, person: Person) -> bool:
        """Whether a person plays no part yet."""
        return person.id not in self._cast

    def post(self, staff_id: str, day: date) -> Person | None:
        """The post somebody holds on a day."""
        return next((person for person in self.people if person.id == staff_id and person.holds(day)), None)

    def colleagues_of(self, person: Person, day: date) -> list[Person]:
        """Those who work in the same unit on a day."""
        team = (one for one in self.people if one.unit == person.unit and one.id != person.id)
        return [one for one in team if self.timetable.hours(one, day)]

    def superior_of(self, person: Person) -> str:
        """Whoever gives leave for what a person wants to do: the head asks another one."""
        others = [one for one in self.people if one.id != person.id]
        heads = [one for one in others if one.post == "係長"]
        return person.manager or (heads or others)[0].id

    def movers(self) -> list[tuple[Person, Person]]:
        """The transfers of the span, as old and new post, of people who play no part yet."""
        begun = {person.id: person for person in self.people if self.timetable.days[0] < person.since}
        found = [(old, begun[old.id]) for old in self.people if old.until and old.id in begun]
        return [(old, new) for old, new in found if old.unit != new.unit and self.free(old)]

    def leavers(self) -> list[Person]:
        """Those whose employment ends within the span, and who play no part yet."""
        last = {person.id: person for person in sorted(self.people, key=lambda person: person.since)}
        end = self.timetable.days[-1]
        return [person for person in last.values() if person.until and person.until < end and self.free(person)]

    def technicians(self) -> list[Person]:
        """The municipality's own systems administrators."""
        return [person for person in self.people if person.kind == "staff" and not person.pace]

    def contractors(self) -> list[Person]:
        """Maintenance contractors."""
        return [person for person in self.people if person.kind == "contractor"]

    def working_days(self) -> list[date]:
        """The days on which the town hall opens."""
        return [day for day in self.timetable.days if is_ordinary_working_day(day)]

    # Whom

    def strangers(self, count: int, person: Person | None = None, day: date | None = None) -> list[str]:
        """Unconnected residents; where a person and a day are named, without a case of the person's unit near."""
        homes = self.residents.homes
        found: list[str] = []
        for home in self.rng.sample(homes, len(homes)):
            if len(found) == count:
                break
            one = self.rng.choice(home)
            if not person or not day or self.uninvolved((one,), day, unit=person.unit):
                found.append(one)
        return found

    def stranger(self, person: Person, day: date, *, until: date | None = None) -> str:
        """A resident with no relation to a person and no case near a day (or any day until another).

        Raises:
            LookupError: everybody has a case, at least one of the person's unit.
        """
        related = {*self.household_of(person), *self.neighbours_of(person), *self.former_family_of(person)}
        related.update(self.namesakes_of(person))
        for unit in ("", person.unit):
            for one in self.rng.sample(self.residents.ids, 400):
                known = self.residents.by_id[one]
                if one not in related and not known.flags and self.uninvolved((one,), day, until=until, unit=unit):
                    return one
        raise LookupError("everybody in town has a case")

    def uninvolved(
        self, residents: Iterable[str], day: date, *, until: date | None = None, unit: str = ""
    ) -> list[str]:
        """Those of some residents whose household has no case near a day (or any day until another).

        Args:
            residents: which.
            day: the first day.
            until: the last day, where there are several.
            unit: whose cases count; those of all units where none is named.
        """
        first, last = at(day, 0) - _LATE, at(until or day, 24) + _EARLY
        return [
            one
            for one in residents
            if not any(
                case.opened <= last and (case.closed is None or first <= case.closed)
                for case in self.planner.work.about(self.residents.household(one))
                if unit in ("", case.unit)
            )
        ]

    def client_of(self, person: Person, day: date) -> tuple[str, Case] | None:
        """A resident whose case a person works on that day, and the case."""
        touches = self.planner.work.touches.get((person.id, day))
        if not touches:
            return None
        touch = self.rng.choice(touches)
        return touch.case.subject, touch.case

    def household_of(self, person: Person) -> tuple[str, ...]:
        """The person's household as residents, the person among them."""
        return self.residents.household(person.resident)

    def neighbours_of(self, person: Person) -> tuple[str, ...]:
        """Residents of other households in the person's building."""
        return self.residents.neighbours(person.resident)

    def namesakes_of(self, person: Person) -> tuple[str, ...]:
        """Residents of other households with the person's surname."""
        return self.residents.namesakes(person.resident)

    def former_family_of(self, person: Person) -> tuple[str, ...]:
        """Residents who once bore the person's surname, or bear the one that the person once bore."""
        return self.residents.former_family(person.resident)

    def protected(self) -> str:
        """A resident whose whereabouts must be kept from somebody."""
        return self.rng.choice(self.residents.flagged("protected"))

    def celebrity(self) -> str:
        """A resident everybody has heard of."""
        return self.residents.celebrity
