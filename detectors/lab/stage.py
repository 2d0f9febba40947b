"""Where plots are prepared: the town before its month begins.

A plot casts people, changes the timetable, asks for approvals, plants acts, and returns the story it told. It
runs before ordinary days are lived, so that ordinary work arranges itself around what was planted. Nobody is
cast twice: a case that mixes two stories could not be scored.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from detectors.lab.days import is_ordinary_working_day
from detectors.lab.habits import Seat
from detectors.lab.model import Act, Approval, Errand, Person, RosterRow, Story
from detectors.lab.timetable import Timetable, at

__all__ = ["Plot", "Stage"]

HISTORY = 9
"""Working days of usual behaviour that a deviation from one's own past needs before it."""


@dataclass(slots=True)
class Stage:
    """The town before its month begins."""

    rng: Random
    people: Sequence[Person]
    households: Sequence[tuple[str, ...]]
    timetable: Timetable
    approvals: list[Approval] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)
    _cast: set[str] = field(default_factory=set)

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
        free = [p for p in self.people if p.id not in self._cast and fits(p) and (not units or p.section.unit in units)]
        self.rng.shuffle(free)
        for person in free:
            if days is None:
                candidates = [day for day in days_left if self.timetable.ordinary(person, day)]
                # The first third of the span is left alone, so that detectors can learn from it.
                candidates = candidates[max(history, len(candidates) // 3) :]
            else:
                candidates = [day for day in days if not self.timetable.hours(person, day)]
            if candidates:
                self._cast.add(person.id)
                return person, self.rng.choice(candidates)
        return None

    def take(self, people: Iterable[Person]) -> None:
        """Keep people out of other plots."""
        self._cast |= {person.id for person in people}

    def working_days(self) -> list[date]:
        """The days on which the town hall opens."""
        return [day for day in self.timetable.days if is_ordinary_working_day(day)]

    def strangers(self, count: int) -> list[str]:
        """Residents who have nothing to do with each other."""
        homes = self.rng.sample(range(len(self.households)), min(count, len(self.households)))
        return [self.rng.choice(self.households[home]) for home in homes]

    def sign_in(self, seat: Seat, start: datetime, *, failures: int = 0) -> list[Act]:
        """A sign-in that succeeds after some failures; the last act is the success."""
        acts: list[Act] = []
        for _ in range(failures):
            acts.append(seat.act(start, "login", outcome="failure"))
            start += timedelta(seconds=self.rng.uniform(4, 11))
        return [*acts, seat.act(start, "login")]

    def visit(
        self,
        seat: Seat,
        start: datetime,
        *,
        looks: int,
        gap: tuple[float, float],
        failures: int = 0,
        instead: bool = True,
    ) -> Errand:
        """Plant a sign-in, look-ups of unconnected residents one after the other, and a sign-out.

        Args:
            seat: whose account, and where.
            start: the first attempt to sign in.
            looks: how many residents.
            gap: shortest and longest seconds between look-ups.
            failures: failed attempts before the sign-in.
            instead: whether the account's owner does this in place of ordinary work.
        """
        acts = self.sign_in(seat, start, failures=failures)
        moment = acts[-1].at
        for subject in self.strangers(looks):
            moment += timedelta(seconds=self.rng.uniform(*gap))
            acts.append(seat.act(moment, "view", subjects=(subject,), by="number", hits=1))
        acts.append(seat.act(moment + timedelta(seconds=self.rng.uniform(3, 40)), "logout"))
        return self.plant(seat.actor if instead else "", acts)

    def plant(self, person: str, acts: Iterable[Act]) -> Errand:
        """Plant acts; a named person does them in place of ordinary work."""
        errand = Errand(person, tuple(acts))
        self.errands.append(errand)
        return errand

    def leave(self, person: Person, day: date) -> None:
        """Grant a day of leave."""
        self.timetable.decide(RosterRow(person.id, at(day, 0), at(day, 24), "leave", person.manager or person.id))

    def approve(
        self,
        person: Person,
        source: str,
        start: datetime,
        end: datetime,
        note: str,
        *,
        max_rows: int | None = None,
    ) -> None:
        """Enter an approval of work at a time."""
        number = f"a-{len(self.approvals) + 1:03}"
        approver = person.manager or person.id
        self.approvals.append(Approval(number, person.id, approver, source, start, end, note, max_rows))


Plot = Callable[[Stage], Story | None]
"""Plants one story, or none where the town is too small or the span too short."""
