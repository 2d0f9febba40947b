"""When the next event of a source is due, by its rhythm and the town's calendar. Pure.

A continuous source owes an event within so many hours in which the town works (or within so many hours at all, around
the clock); a daily one owes something on every working day, and is judged half a day after that day has ended, because
a day's file is written at night; an irregular one owes nothing.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from audit.clock import day_start, tokyo_date
from audit.context import WorkContext
from audit.texts import Texts
from ingest.sources.profile import Rhythm

__all__ = ["Timetable"]

_GRACE = {"continuous": timedelta(minutes=15), "daily": timedelta(hours=12)}
"""How long after it was due the silence of a source is told: what was written in time may still be under way."""
_DAY = timedelta(days=1)
_FAR = 366
"""Days looked ahead for working time; a town that is closed for a year owes no logs."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """What a source owes.

    Attributes:
        rhythm: how often it should be heard of.
        work: the town's calendar.
    """

    rhythm: Rhythm
    work: WorkContext

    @property
    def owes(self) -> bool:
        """Whether its silence means anything."""
        return self.rhythm.expected in _GRACE

    @property
    def grace(self) -> timedelta:
        """How long after an event was due its absence is told."""
        return _GRACE[self.rhythm.expected]

    def due(self, heard: datetime) -> datetime | None:
        """By when the next event must have happened after one at `heard`; `None` when none is owed."""
        if not self.owes:
            return None
        if self.rhythm.expected == "daily":
            return self._next_day_over(heard)
        allowed = timedelta(hours=self.rhythm.silence_hours)
        return heard + allowed if self.rhythm.around_the_clock else self._worked(heard, allowed)

    def half(self, heard: datetime) -> datetime | None:
        """When half of the time has passed that a continuous source may be quiet; a daily one has no half."""
        if self.rhythm.expected != "continuous":
            return self.due(heard)
        rhythm = replace(self.rhythm, silence_hours=self.rhythm.silence_hours / 2)
        return Timetable(rhythm, self.work).due(heard)

    def kept(self, heard: datetime, again: datetime) -> bool:
        """Whether a source that was heard at two moments owed nothing between them."""
        if self.rhythm.expected == "continuous" and again - heard <= timedelta(hours=self.rhythm.silence_hours):
            return True  # working time is never longer than time: most pairs need no calendar
        due = self.due(heard)
        return due is None or again <= due

    def _worked(self, since: datetime, hours: timedelta) -> datetime | None:
        """When so much working time has passed since a moment."""
        left = hours
        for day in _days_from(tokyo_date(since)):
            span = self.work.hours("", day)
            if span is None or span[1] <= since:
                continue
            begins = max(span[0], since)
            if span[1] - begins >= left:
                return begins + left
            left -= span[1] - begins
        return None

    def _next_day_over(self, since: datetime) -> datetime | None:
        for day in _days_from(tokyo_date(since) + _DAY):
            if self.rhythm.around_the_clock or not self.work.closed("", day):
                return day_start(day + _DAY)
        return None

    @property
    def words(self) -> Texts:
        """What it owes, in words."""
        if self.rhythm.expected == "daily":
            every = Texts("毎日", "every day"), Texts("開庁日ごと", "every working day")
            return every[0] if self.rhythm.around_the_clock else every[1]
        if self.rhythm.expected == "continuous":
            hours = f"{self.rhythm.silence_hours:g}"
            if self.rhythm.around_the_clock:
                return Texts(f"{hours} 時間以内ごと（終日）", f"every {hours} hours, around the clock")
            return Texts(f"開庁時間で {hours} 時間以内ごと", f"every {hours} working hours")
        return Texts("不定期", "irregularly")


def _days_from(first: date) -> list[date]:
    return [first + timedelta(days=n) for n in range(_FAR)]
