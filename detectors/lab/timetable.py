"""When people work: the truth the town lives by and, row by row, what its feeds say about it.

The two are one on purpose. Work that the feeds account for is generated from them; other work
exists only where an incident planted it.
Rules: the day's shifts if there are any, else the unit's opening hours; overtime and standby on top; leave and
training take away; nobody works outside of the post.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from audit.clock import TOKYO
from detectors.lab.days import is_ordinary_working_day
from detectors.lab.model import CalendarRow, Person, RosterRow

__all__ = ["CLOSES", "OPENS", "Timetable", "at"]

OPENS = time(8, 30)
CLOSES = time(17, 15)

Span = tuple[datetime, datetime]
_ADDS = ("overtime", "standby")
_TAKES = ("leave", "training")


def at(day: date, hour: int, minute: int = 0, second: float = 0.0) -> datetime:
    """A moment of a business day; hour 24 and beyond is the night after."""
    return datetime.combine(day, time(), TOKYO) + timedelta(hours=hour, minutes=minute, seconds=second)


@dataclass(slots=True)
class Timetable:
    """Roster and calendar of the whole span.

    Attributes:
        days: every simulated day.
        roster: rows in the order they were decided.
        calendar: exceptions from ordinary opening.
    """

    days: tuple[date, ...]
    roster: list[RosterRow] = field(default_factory=list)
    calendar: list[CalendarRow] = field(default_factory=list)
    _rows: dict[tuple[str, date], list[RosterRow]] = field(default_factory=dict)
    _open: dict[tuple[str, date], CalendarRow] = field(default_factory=dict)

    def decide(self, row: RosterRow) -> None:
        """Enter a roster row."""
        self.roster.append(row)
        self._rows.setdefault((row.person, row.start.date()), []).append(row)

    def announce(self, row: CalendarRow) -> None:
        """Enter a calendar row."""
        self.calendar.append(row)
        if row.kind != "busy":
            self._open[row.unit, row.day] = row

    def rows(self, person: Person, day: date) -> list[RosterRow]:
        """What the roster says about a person's day."""
        return self._rows.get((person.id, day), [])

    def opening(self, unit: str, day: date) -> Span | None:
        """When a unit is open on a day, if it is."""
        row = self._open.get((unit, day)) or self._open.get(("", day))
        if row and row.kind == "closed":
            return None
        if row:
            opens, closes = time.fromisoformat(row.opens), time.fromisoformat(row.closes)
            return datetime.combine(day, opens, TOKYO), datetime.combine(day, closes, TOKYO)
        if not is_ordinary_working_day(day):
            return None
        return datetime.combine(day, OPENS, TOKYO), datetime.combine(day, CLOSES, TOKYO)

    def hours(self, person: Person, day: date) -> list[Span]:
        """When a person works on a day."""
        if not person.holds(day):
            return []
        rows = self.rows(person, day)
        spans: list[Span] = [(row.start, row.end) for row in rows if row.kind == "shift"]
        opening = self.opening(person.section.unit, day)
        # A contractor comes when the roster says so.
        if not spans and opening and person.kind == "staff":
            spans = [opening]
        spans += [(row.start, row.end) for row in rows if row.kind in _ADDS]
        for away in (row for row in rows if row.kind in _TAKES):
            spans = [kept for span in spans for kept in _without(span, away)]
        return sorted(spans)

    def ordinary(self, person: Person, day: date) -> bool:
        """Whether nothing but the ordinary opening hours applies to a person's day."""
        return person.holds(day) and is_ordinary_working_day(day) and not self.rows(person, day)


def _without(span: Span, leave: RosterRow) -> Iterator[Span]:
    start, end = span
    if start < min(leave.start, end):
        yield start, min(leave.start, end)
    if max(leave.end, start) < end:
        yield max(leave.end, start), end
