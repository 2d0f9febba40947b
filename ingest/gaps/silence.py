"""Silence: a source that owed an event and was not heard. Pure.

What is kept of a source is when it was heard: spans of time in which it owed nothing more. Between two spans it was
silent; late events close the hole or make it smaller. Silence is named by its first missed moment, so that it is one
finding from then until it ends, however many days it lasts.

What a source owes by its profile is what an office expects of a busy system. How long a source is quiet by chance is
known from its own days, and a silence no longer than that is none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from audit.clock import TOKYO, tokyo_date
from audit.log.quiet import QUARTERS, Day, chance_of_quiet, expected_by_quarter, longest_quiet
from ingest.gaps.timetable import Timetable

__all__ = ["HISTORY", "Heard", "Silence", "chance", "joined", "score", "silences"]

HISTORY = timedelta(days=28)
"""Before and, in a log that was loaded, after: the days by which it is judged how long a source is quiet."""
_DAYS_LIKE = 8
"""Days of a kind, open or closed, that must be known."""
_MOST_DAYS = 14
"""A silence is judged by its first days; after so many there is nothing left to chance."""
_BEFORE = 1e-4
"""About so many of a source's days have a silence that is none of chance."""
_SURE = 0.98
"""Nothing that is seen from outside is surer than this."""
_NOT_KNOWN = 0.5
"""The score of a silence of which only the profile says that it is one."""


@dataclass(frozen=True, slots=True, order=True)
class Heard:
    """A span of time over which a source was heard as often as it should be."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence.

    Attributes:
        heard: the last event before it.
        due: the first missed moment.
        again: the first event after it; `None` while it lasts.
    """

    heard: datetime
    due: datetime
    again: datetime | None = None


def joined(spans: Iterable[Heard], timetable: Timetable) -> list[Heard]:
    """Spans in order, with those made one between which nothing was owed."""
    found: list[Heard] = []
    for span in sorted(spans):
        if found and timetable.kept(found[-1].last, span.first):
            found[-1] = Heard(found[-1].first, max(found[-1].last, span.last))
        else:
            found.append(span)
    return found


def silences(spans: Sequence[Heard], timetable: Timetable, now: datetime, since: datetime) -> list[Silence]:
    """Every silence, the present one included.

    Args:
        spans: from `joined`.
        timetable: what the source owes.
        now: the present moment.
        since: from when on we listen. A source that was silent before has no gap now.
    """
    found = [
        Silence(before.last, due, after.first)
        for before, after in pairwise(spans)
        if (due := timetable.due(before.last)) is not None
    ]
    due = timetable.due(spans[-1].last) if spans else None
    if due is not None and due >= since and now >= due + timetable.grace:
        found.append(Silence(spans[-1].last, due))
    return found


def chance(found: Silence, now: datetime, days: Mapping[date, Day], closed: Callable[[date], bool]) -> float | None:
    """How likely chance alone makes a silence so long, by the source's own days around it.

    Args:
        found: the silence.
        now: the present moment, up to which one that lasts is known.
        days: events by quarter of an hour, of the days within `HISTORY`; today's do not count.
        closed: whether the town hall is closed on a day.

    Returns:
        The probability; `None` where too few days are known.
    """
    begins, ends = found.heard.astimezone(TOKYO), (found.again or now).astimezone(TOKYO)
    known = [day for day in _known(days, tokyo_date(now)) if not begins.date() <= day <= ends.date()]
    total: float | None = None
    for back in range(min((ends.date() - begins.date()).days + 1, _MOST_DAYS)):
        day = begins.date() + timedelta(days=back)
        like = [days.get(one, {}) for one in known if closed(one) == closed(day)]
        if len(like) < _DAYS_LIKE:
            continue
        expected = expected_by_quarter(like)
        first = _quarter(begins) + 1 if back == 0 else 0
        last = _quarter(ends) if day == ends.date() else QUARTERS
        owed = sum(expected[first:last])
        of_day = chance_of_quiet(owed, longest_quiet(like, expected)) if owed > 0 else 1.0
        if last - first == QUARTERS:  # a source that writes on every third day is silent on two
            of_day = max(of_day, sum(not one for one in like) / len(like))
        total = of_day if total is None else total * of_day
    return total


def score(by_chance: float | None) -> float:
    """How likely a silence is none of chance: the longer it is by the source's own days, the more."""
    return _NOT_KNOWN if by_chance is None else min(_SURE, _BEFORE / (_BEFORE + by_chance))


def _known(days: Mapping[date, Day], today: date) -> list[date]:
    """From the first day on which the source was heard to the last; those on which it was not are known as well."""
    past = [day for day in days if day < today]
    return [min(past) + timedelta(days=n) for n in range((max(past) - min(past)).days + 1)] if past else []


def _quarter(at: datetime) -> int:
    return (at.hour * 60 + at.minute) // 15
