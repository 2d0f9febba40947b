"""The cases of the town, and who works on them when: what every honest look-up comes from.

A member of staff has so many look-ups a day in them. What is due on cases that are already open comes first; new
cases fill the day. Cases arrive by the section's lines of work, live for minutes or months, are worked on again, by
a colleague when the assignee is away, looked into by the superior, and handed over when the assignee goes.
All of it is planned before a day is lived, so that plots can ask who has a case and who has none.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random

from detectors.lab.acts import Chore, Touch
from detectors.lab.days import is_ordinary_working_day
from detectors.lab.model import Case, Line, Person
from detectors.lab.residents import Residents
from detectors.lab.systems import INTERMEDIATE
from detectors.lab.timetable import Timetable, at

__all__ = ["Casework", "Planner"]

_FULL_DAY = timedelta(hours=8, minutes=45)
_CHECKED = 0.03
"""Of the cases, those that the superior looks into."""
_TAKEN_OVER = 0.6
_STANDING = 12
"""Cases that have been open for long, of one member of staff."""


@dataclass(slots=True)
class Casework:
    """Every case, and what is to be done when.

    Attributes:
        cases: by number.
        touches: planned work by person and day.
        chores: other work within ordinary days, by person and day.
    """

    cases: dict[str, Case] = field(default_factory=dict)
    touches: dict[tuple[str, date], list[Touch]] = field(default_factory=lambda: defaultdict(list))
    chores: dict[tuple[str, date], list[Chore]] = field(default_factory=lambda: defaultdict(list))
    _about: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def enter(self, case: Case) -> Case:
        """Enter a case, or enter it anew after a change."""
        if case.id not in self.cases:
            self._about[case.subject].append(case.id)
        self.cases[case.id] = case
        return case

    def number(self) -> str:
        """The next case number."""
        return f"c-{len(self.cases) + 10_001}"

    def about(self, residents: Iterable[str]) -> list[Case]:
        """Every case of any of these residents."""
        return [self.cases[number] for one in residents for number in self._about.get(one, ())]


@dataclass(slots=True)
class Planner:
    """Plans casework: the whole span at first, more of it where a plot brings more work.

    Attributes:
        seed: what its randomness is drawn from.
        people: every post.
        residents: whom it is about.
        timetable: who works when; it must hold the whole routine.
        work: what is planned.
    """

    seed: str
    people: Sequence[Person]
    residents: Residents
    timetable: Timetable
    work: Casework = field(default_factory=Casework)
    _units: dict[str, list[Person]] = field(default_factory=lambda: defaultdict(list))
    _standing: dict[tuple[str, str], list[tuple[Case, Line, tuple[str, ...]]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def __post_init__(self) -> None:
        """Sort people by what they are asked for."""
        for person in self.people:
            self._units[person.unit].append(person)

    def plan(self) -> Casework:
        """Plan the whole span."""
        for day in self.timetable.days:
            for person in self.people:
                if person.pace:
                    self.fill(person, day)
        return self.work

    def fill(self, person: Person, day: date, *, factor: float = 1.0, label: str = "") -> None:
        """Fill a person's day: what is due, then new cases.

        Args:
            person: whose.
            day: which.
            factor: how much more than usual.
            label: makes a second filling differ from the first.
        """
        hours = self.timetable.hours(person, day)
        rng = Random(f"{self.seed}/{person.id}/{day}{label}")
        # Only some of a unit turn up when it opens on a closed day.
        if not hours or (
            not is_ordinary_working_day(day) and not self.timetable.rows(person, day) and rng.random() < 0.5
        ):
            return
        wanted = factor * _workload(rng, person, day, hours)
        done = sum(len(touch.seen) for touch in self.work.touches.get((person.id, day), ()))
        while done < wanted:
            done += len(self.begin(rng, person, day, hours).seen)

    def begin(self, rng: Random, person: Person, day: date, hours: Sequence[tuple[datetime, datetime]]) -> Touch:
        """Begin a case, or take up one that has been open for long, and plan what follows from it."""
        lines = person.section.lines
        line = rng.choices(lines, [one.weight * (1 + (day.month in one.months)) for one in lines])[0]
        spot = rng.random()
        standing = self._standing[person.id, line.kind]
        old = [one for one in standing if one[0].closed and one[0].closed.date() > day]
        if rng.random() < line.standing and len(old) >= _STANDING:
            case, line, family = rng.choice(old)
        else:
            home = rng.choice(self.residents.homes)
            while person.resident in home:  # nobody handles a case of the own household
                home = rng.choice(self.residents.homes)
            subject = rng.choice(home)
            family = tuple(one for one in home if one != subject)
            long_open = rng.random() < line.standing
            opened, closed = self._life(rng, line, person, day, _moment(hours, spot), long_open=long_open)
            case = self.work.enter(
                Case(self.work.number(), line.source, subject, person.unit, person.id, line.kind, opened, closed)
            )
            if long_open:
                standing.append((case, line, family))
            self._plan_visits(rng, person, case, line, family, day)
        touch = _touch(rng, spot, case, line, family, first=True)
        self.work.touches[person.id, day].append(touch)
        return touch

    def _life(
        self, rng: Random, line: Line, person: Person, day: date, moment: datetime, *, long_open: bool
    ) -> tuple[datetime, datetime | None]:
        """When a case is entered and closed: at once, some hours late, or the next morning."""
        if long_open:
            opened = moment - timedelta(days=rng.uniform(5, 0.8 * line.days[1]))
            return opened, max(opened + timedelta(days=line.days[1]), moment + timedelta(days=line.days[0]))
        chance = rng.random()
        morrow = day + timedelta(days=1)
        if chance < 0.7:
            opened = moment + timedelta(minutes=rng.uniform(-4, 3))
        elif chance < 0.9 or self.timetable.opening(person.unit, morrow) is None:
            opened = min(moment + timedelta(hours=rng.uniform(0.3, 4)), max(moment, at(day, 17, 10)))
        else:
            opened = min(at(morrow, 8, 35) + timedelta(minutes=rng.uniform(0, 50)), moment + timedelta(hours=22))
        shortest, longest = line.days
        life = rng.uniform(shortest, longest) if longest else rng.uniform(0.003, 0.05)
        return opened, max(opened, moment) + timedelta(days=life)

    def _plan_visits(
        self, rng: Random, person: Person, case: Case, line: Line, family: tuple[str, ...], day: date
    ) -> None:
        """Later days on which somebody works on it, and the superior's look."""
        last = case.closed.date() if case.closed else day
        ahead = (min(last, self.timetable.days[-1]) - day).days
        for _ in range(rng.randint(*line.visits)):
            if ahead > 0:
                self._visit(rng, person, case, line, family, day + timedelta(days=rng.randint(1, ahead)))
        chief = next((one for one in self._units[person.unit] if one.id == person.manager), None)
        if chief and chief.pace and rng.random() < _CHECKED:
            morrow = self._working_day(chief, day + timedelta(days=1), 3)
            if morrow:
                touch = Touch(rng.random(), case, (case.subject,), (case.source,))
                self.work.touches[chief.id, morrow].append(touch)

    def _visit(self, rng: Random, person: Person, case: Case, line: Line, family: tuple[str, ...], day: date) -> None:
        """Work on a case again, on the next day on which the town hall is open and enough time is left."""
        week = (day + timedelta(days=number) for number in range(7))
        found = next((one for one in week if is_ordinary_working_day(one) and self._room(person, one)), None)
        if found is None or found > self.timetable.days[-1]:
            return
        day = found
        who: Person | None = person
        if not self.timetable.hours(person, day):
            gone = person.until is not None and day > person.until
            present = [one for one in self._units[person.unit] if one.pace and self.timetable.hours(one, day)]
            team = [one for one in present if self._room(one, day)]
            who = rng.choice(team) if team and (gone or rng.random() < _TAKEN_OVER) else None
            if gone and who:
                case = self.work.enter(replace(case, assignee=who.id))
        if who and who.resident not in (case.subject, *family):
            self.work.touches[who.id, day].append(_touch(rng, rng.random(), case, line, family, first=False))

    def _room(self, person: Person, day: date) -> bool:
        """Whether what is due on a day leaves time for more."""
        return sum(len(touch.seen) for touch in self.work.touches.get((person.id, day), ())) < person.pace

    def _working_day(self, person: Person, day: date, within: int) -> date | None:
        days = (day + timedelta(days=number) for number in range(within))
        return next((one for one in days if self.timetable.ordinary(person, one)), None)


def _workload(rng: Random, person: Person, day: date, hours: Sequence[tuple[datetime, datetime]]) -> float:
    """How many look-ups a person has in them on a day."""
    share = sum((end - start).total_seconds() for start, end in hours) / _FULL_DAY.total_seconds()
    if not is_ordinary_working_day(day):
        share = min(share, 0.4)
    # No ordinary day is further from the usual than two standard deviations: what is, has a reason.
    mood = min(max(rng.gauss(1.0, 0.18), 0.64), 1.36)
    return max(1.0, person.pace * mood * share)


def _touch(rng: Random, spot: float, case: Case, line: Line, family: tuple[str, ...], *, first: bool) -> Touch:
    seen = (case.subject, *(family if rng.random() < line.family * (1.0 if first else 0.4) else ()))
    also = (system for system, often in (line.also or {}).items() if rng.random() < often)
    asks = rng.random() < line.asks
    systems = (line.source, *also, *((INTERMEDIATE,) if asks else ()))
    return Touch(spot, case, seen, systems, rng.random() < line.changes, rng.random() < line.prints, asks)


def _moment(hours: Sequence[tuple[datetime, datetime]], spot: float) -> datetime:
    """The moment at a share of the working time."""
    left = spot * sum((end - start).total_seconds() for start, end in hours)
    for start, end in hours:
        length = (end - start).total_seconds()
        if left <= length:
            return start + timedelta(seconds=left)
        left -= length
    return hours[-1][1]
