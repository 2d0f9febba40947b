"""Sequence numbers: a number that is missing between two that arrived is an event that is missing. Pure.

A source counts its events in runs: a restart begins again at 0 or 1, and so does a counter that is full. Runs are told
apart by time, because a late event is no restart: it has its place between its neighbours, by number and by time, and a
restart has not. What is kept of a run are its islands, the stretches of numbers that have arrived.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

__all__ = ["JITTER", "Island", "Missing", "Run", "clusters", "early", "merged", "place", "run_at", "without"]

JITTER = timedelta(minutes=1)
"""Events of one source that are written at the same time may be numbered in another order than they are timed."""
_NEAR = 100
"""Numbers further apart are not written at the same time."""
_FULL = 10
"""A counter that falls so near its limit was full; further away it was restarted."""
_NONE = timedelta(0)
_LIMITS = tuple(sorted([2**n - 1 for n in (15, 16, 31, 32, 53, 63)] + [10**n - 1 for n in range(4, 13)]))


@dataclass(frozen=True, slots=True, order=True)
class Island:
    """Consecutive numbers that have all arrived, and when the first and the last of them happened."""

    first: int
    last: int
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Missing:
    """Consecutive numbers that have not arrived, and when the events before and after them happened."""

    first: int
    last: int
    after: datetime
    before: datetime

    @property
    def count(self) -> int:
        """How many."""
        return self.last - self.first + 1


@dataclass(slots=True)
class Run:
    """One run of a source's counter.

    Attributes:
        start: when it began; `None` for the one that was running when we first heard of the source.
        islands: what has arrived of it, in order.
        full_at: the counter's limit, when the run ended there, and when that was.
    """

    start: datetime | None
    islands: list[Island] = field(default_factory=list)
    full_at: tuple[int, datetime] | None = None

    @property
    def arrived(self) -> list[tuple[int, int]]:
        """The numbers that have arrived, as ranges."""
        return [(island.first, island.last) for island in self.islands]

    @property
    def missing(self) -> list[Missing]:
        """What has not arrived between what has."""
        found = [Missing(low.last + 1, high.first - 1, low.ended, high.began) for low, high in pairwise(self.islands)]
        if self.full_at is not None and self.islands and self.islands[-1].last < self.full_at[0]:
            top = self.islands[-1]
            found.append(Missing(top.last + 1, self.full_at[0], top.ended, self.full_at[1]))
        return found

    def count(self, first: int, last: int) -> int:
        """How many numbers of a span have arrived."""
        inside = (min(last, island.last) - max(first, island.first) + 1 for island in self.islands)
        return sum(count for count in inside if count > 0)

    def continues(self, number: int, at: datetime) -> bool:
        """Whether a 0 or 1 at a moment has its place here; otherwise the counter began anew."""
        for island in self.islands:
            if island.first <= number <= island.last:
                return abs(at - island.began) <= JITTER
            if island.last < number and at < island.ended - JITTER:
                return False
            if island.first > number and at > island.began + (JITTER if island.first - number <= _NEAR else _NONE):
                return False
        return True


def merged(islands: Iterable[Island]) -> list[Island]:
    """Islands in order, with those made one that touch."""
    found: list[Island] = []
    for island in sorted(islands):
        low = found[-1] if found else None
        if low is None or island.first > low.last + 1:
            found.append(island)
        else:
            found[-1] = Island(low.first, max(low.last, island.last), low.began, max(low.ended, island.ended))
    return found


def run_at(runs: Sequence[Run], at: datetime) -> Run | None:
    """The run that a moment belongs to."""
    return next((run for run in reversed(runs) if run.start is None or run.start <= at), None)


def place(runs: list[Run], number: int, at: datetime) -> None:
    """Begin a new run where a 0 or 1 has no place in the one of its time."""
    run = run_at(runs, at)
    if run is None or run.continues(number, at):
        return
    later = [island for island in run.islands if island.began >= at]
    run.islands = [island for island in run.islands if island.began < at]
    run.full_at = next(
        ((limit, at) for limit in _LIMITS if run.islands and 0 <= limit - run.islands[-1].last <= _FULL), None
    )
    runs.insert(runs.index(run) + 1, Run(at, later))


def early(run: Run, islands: Sequence[Island], end: datetime) -> list[Island]:
    """Of the islands that came up to a restart: those that are the next run's, timed a moment before its first."""
    return [
        one
        for one in islands
        if one.last <= _NEAR
        and one.began >= end - JITTER
        and any(other.first > one.last + _NEAR and other.began < one.began for other in (*run.islands, *islands))
    ]


def without(ranges: Iterable[tuple[int, int]], taken: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of ranges of numbers when others, in order, are taken away."""
    gone = list(taken)
    left: list[tuple[int, int]] = []
    for first, last in ranges:
        at = first
        for low, high in gone:
            if high < at or low > last:
                continue
            if low > at:
                left.append((at, low - 1))
            at = high + 1
        if at <= last:
            left.append((at, last))
    return left


def clusters(missing: Sequence[Missing], most: int) -> list[list[Missing]]:
    """Missing ranges that lie close together, so that one loss is one finding; never more than `most` of them."""
    distance = 100
    while True:
        found: list[list[Missing]] = []
        for part in missing:
            if found and part.first - found[-1][-1].last <= distance:
                found[-1].append(part)
            else:
                found.append([part])
        if len(found) <= most:
            return found
        distance *= 10
