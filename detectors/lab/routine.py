"""What every month has, decided before anything goes wrong: leave, overtime, part-time, weekend counters, elections.

Each person's months have randomness of their own, so that one more member of staff changes nobody else's leave.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from random import Random

from detectors.lab.days import is_ordinary_working_day
from detectors.lab.model import CalendarRow, Person, RosterRow
from detectors.lab.sections import DESK
from detectors.lab.timetable import Timetable, at

__all__ = ["enter_routine"]

_ELECTION_UNITS = (DESK, "shimin/koseki")


def enter_routine(seed: str, people: Sequence[Person], timetable: Timetable) -> None:
    """Fill the roster and the calendar of the whole span.

    Args:
        seed: what the randomness is drawn from.
        people: every post.
        timetable: what is filled.
    """
    _weekend_counters(timetable)
    chiefs = [person.id for person in people if person.post == "係長"]
    # The head's hours are approved by another chief: nobody approves their own.
    approvers = {one.id: one.manager or next((c for c in chiefs if c != one.id), one.id) for one in people}
    election = _election_night(Random(f"{seed}/election"), people, timetable, approvers)
    for person in people:
        rng = Random(f"{seed}/{person.id}/{person.since}")
        if person.kind == "contractor":
            _contractor(rng, person, timetable)
        else:
            _staff(rng, person, timetable, election, approvers[person.id])


def _staff(rng: Random, person: Person, timetable: Timetable, busy_night: date | None, approver: str) -> None:
    part_time = person.employment == "fixed_term" and rng.random() < 0.6
    day_off = rng.randrange(5)
    for day in timetable.days:
        chance, late = rng.random(), rng.choice((18, 19))
        if not is_ordinary_working_day(day) or not person.holds(day):
            continue
        if chance < 0.05 or (part_time and day.weekday() == day_off):
            timetable.decide(RosterRow(person.id, at(day, 0), at(day, 24), "leave", approver))
        elif part_time:
            timetable.decide(RosterRow(person.id, at(day, 9), at(day, 16), "shift", approver))
        elif chance < 0.065:
            timetable.decide(RosterRow(person.id, at(day, 13), at(day, 17, 15), "leave", approver))
        elif chance < 0.072:
            timetable.decide(RosterRow(person.id, at(day, 13, 30), at(day, 16), "training", approver))
        elif chance < 0.105 and day != busy_night:
            timetable.decide(RosterRow(person.id, at(day, 17, 15), at(day, late, 30), "overtime", approver))


def _contractor(rng: Random, person: Person, timetable: Timetable) -> None:
    """In the house about one day a week, by roster."""
    for day in timetable.days:
        if is_ordinary_working_day(day) and person.holds(day) and rng.random() < 0.2:
            timetable.decide(RosterRow(person.id, at(day, 9), at(day, 17), "shift", person.manager))


def _weekend_counters(timetable: Timetable) -> None:
    """The counter opens on the last Sunday morning of each month."""
    for day in timetable.days:
        if day.weekday() == 6 and (day + timedelta(days=7)).month != day.month and not _turn_of_year(day):
            timetable.announce(CalendarRow(day, DESK, "open", "09:00", "12:00", "休日窓口"))


def _turn_of_year(day: date) -> bool:
    return (day.month, day.day) >= (12, 28)


def _election_night(
    rng: Random, people: Sequence[Person], timetable: Timetable, approvers: Mapping[str, str]
) -> date | None:
    """One Sunday of a longer span is an election: some work into the night, on overtime."""
    sundays = [day for day in timetable.days if day.weekday() == 6 and not timetable.opening(DESK, day)]
    if len(timetable.days) < 40 or not sundays:
        return None
    day = rng.choice(sundays[1:] or sundays)
    for person in _sample(rng, [p for p in people if p.unit in _ELECTION_UNITS and p.holds(day)], 0.6):
        timetable.decide(RosterRow(person.id, at(day, 7), at(day, 24), "overtime", approvers[person.id]))
    return day


def _sample(rng: Random, people: Iterable[Person], share: float) -> list[Person]:
    return [person for person in people if rng.random() < share]
