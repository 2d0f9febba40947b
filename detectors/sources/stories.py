"""What the stories of sources share: systems that write at a steady pace, on the working days before."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from detectors.cases import act, clock, weekdays_before

__all__ = ["DAY", "before", "later", "numbered", "recorded", "work"]

DAY = date(2026, 10, 7)
"""A Wednesday, with more than a week of ordinary working days before it."""


def before(count: int = 9, day: date = DAY) -> list[date]:
    """The working days before."""
    return weekdays_before(day, count)


def work(
    source: str,
    days: Iterable[date],
    *spans: tuple[str, str],
    every: int = 30,
    actors: Sequence[str] = ("s1", "s2", "s3"),
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """One act every so many minutes, by some people in turn.

    Args:
        source: whose log.
        days: on which days.
        spans: from when to when, the end left out; from nine to five when none is given.
        every: minutes.
        actors: who.
        more: as in `act`.
    """
    for day in days:
        for start, end in spans or (("09:00", "17:00"),):
            at, number = clock(day, start), 0
            while at < clock(day, end):
                yield act(at, actors[number % len(actors)], source=source, **more)
                at, number = at + timedelta(minutes=every), number + 1


def numbered(
    events: Iterable[dict[str, Any]], first: int = 1, *, lost: Iterable[int] = (), lag: float | None = 1.0
) -> list[dict[str, Any]]:
    """Events with numbers in their order, and when they were recorded.

    Args:
        events: in the order in which they were written.
        first: the first number.
        lost: numbers whose events do not arrive.
        lag: seconds from an event to its recording; `None` where the source does not say.
    """
    gone = frozenset(lost)
    found = []
    for number, event in enumerate(events, start=first):
        if number not in gone:
            found.append({"sequence": number, **event} if lag is None else recorded({"sequence": number, **event}, lag))
    return found


def recorded(event: dict[str, Any], lag: float) -> dict[str, Any]:
    """An event that was recorded so many seconds after it happened."""
    return {**event, "recorded_at": later(event, lag)}


def later(event: dict[str, Any], seconds: float) -> str:
    """So many seconds after an event, as text."""
    return (datetime.fromisoformat(event["time"]) + timedelta(seconds=seconds)).isoformat()
