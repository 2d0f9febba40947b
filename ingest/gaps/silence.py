"""Silence: a source that owed an event and was not heard. Pure.

What is kept of a source is when it was heard: spans of time in which it owed nothing more. Between two spans it was
silent; late events close the hole or make it smaller. Silence is named by its first missed moment, so that it is one
finding from then until it ends, however many days it lasts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from ingest.gaps.timetable import Timetable

__all__ = ["Heard", "Silence", "joined", "silences"]


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
