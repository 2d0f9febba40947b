"""Which time a change of the context reaches: only judgements of that time are worth making again.

A roster that is handed in every day would otherwise make three months of windows due every day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.clock import day_start

__all__ = ["BEFORE_ENTRY", "BEYOND_CLOSING", "Reach", "reach_of"]

BEFORE_ENTRY = timedelta(days=1)
"""Tickets are written late: a case accounts for look-ups from so long before it was entered (DESIGN 4.4)."""
BEYOND_CLOSING = timedelta(days=7)
"""And to so long after it closed."""
_SETTLING = timedelta(days=1)

_SPANS = {
    "approvals": ("valid_from", "valid_to"),
    "cases": ("opened_at", "closed_at"),
    "roster": ("start", "end"),
    "staff": ("valid_from", "valid_to"),
}


@dataclass(frozen=True, slots=True)
class Reach:
    """A span of time; None is without a bound. `end` is exclusive."""

    start: datetime | None
    end: datetime | None

    def with_(self, other: "Reach") -> "Reach":
        """The least span that has both."""
        return _union((self, other))

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether it has a part of another span."""
        return (self.start is None or self.start < end) and (self.end is None or self.end > start)


def reach_of(
    kind: str,
    changes: Iterable[tuple[Mapping[str, Any] | None, Mapping[str, Any]]],
    now: datetime,
    *,
    first_ever: bool,
) -> Reach:
    """What time some changed entries of one feed reach.

    Args:
        kind: the feed.
        changes: each entry as it was, None where it is new, and as it is; at least one.
        now: when they came.
        first_ever: whether the feed brought nothing before: it then reaches everything.
    """
    if first_ever:
        return Reach(None, None)
    if kind == "calendar":
        days = [day_start(new["date"]) for _, new in changes]
        return Reach(min(days) - timedelta(days=1), max(days) + timedelta(days=2))
    if kind == "policies":
        return _union([Reach(new["valid_from"], None) for _, new in changes])
    if kind not in _SPANS:  # residents and terminals have no time of their own: what was judged stays judged
        return Reach(now - _SETTLING, None)
    return _union([_between(kind, old, new) for old, new in changes])


def _between(kind: str, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Reach:
    """Where two states of an entry differ in effect."""
    start, end = _SPANS[kind]
    same = old is not None and {**old, end: None} == {**new, end: None}
    if old is not None and same:  # only its end has moved
        ends = [value for value in (old[end], new[end]) if value is not None]
        return _widened(kind, Reach(min(ends), max(ends) if len(ends) == 2 else None))
    return _union([_widened(kind, Reach(row[start], row[end])) for row in (old, new) if row is not None])


def _widened(kind: str, reach: Reach) -> Reach:
    if kind != "cases":
        return reach
    return Reach(
        None if reach.start is None else reach.start - BEFORE_ENTRY,
        None if reach.end is None else reach.end + BEYOND_CLOSING,
    )


def _union(spans: Iterable[Reach]) -> Reach:
    found = list(spans)
    starts = [span.start for span in found if span.start is not None]
    ends = [span.end for span in found if span.end is not None]
    return Reach(min(starts) if len(starts) == len(found) else None, max(ends) if len(ends) == len(found) else None)
