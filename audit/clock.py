"""The one source of time.

Business time is Asia/Tokyo, stored time is UTC. Nothing else in the product asks the operating system what
time it is: a test, a back-test and a replay must be able to say it themselves (ruff bans the other ways).
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

__all__ = ["TOKYO", "Clock", "FixedClock", "SystemClock", "day_start", "tokyo_date"]

TOKYO = ZoneInfo("Asia/Tokyo")


class Clock(Protocol):
    """Something that knows the present moment."""

    def now(self) -> datetime:
        """The present moment, in UTC and aware."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, in UTC and aware."""
        return datetime.now(UTC)  # noqa: TID251 - the one place


class FixedClock:
    """A clock that stands still until told otherwise: the twin used by tests, replays and simulations."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """The moment it was set to."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move forward, or back with a negative step."""
        self._at += by


def tokyo_date(at: datetime) -> date:
    """The business day that a moment falls on."""
    return at.astimezone(TOKYO).date()


def day_start(day: date) -> datetime:
    """The first moment of a business day, in UTC."""
    return datetime.combine(day, time.min, TOKYO).astimezone(UTC)
