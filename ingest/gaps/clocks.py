"""A source's clock: told by how its events' times lie to the moments of their receipt. Pure.

An event cannot arrive before it happened, so one ahead of its receipt is proof by itself. A clock that is behind looks
like a slow way: it is told only where many deliveries in one hour were all late by the same, because a backlog, a file
or a shipper's interval spread the delays. Nothing is ever re-timed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

__all__ = ["HOUR", "ClockHour", "Episode", "Verdict", "follow"]

HOUR = timedelta(hours=1)
_BEHIND = 120.0
"""Seconds of delay from which a clock may be called behind."""
_SPREAD = 60.0
"""Seconds by which the delays of a clock that is behind differ at most, from the lowest tenth to the highest."""
_EVENTS, _DELIVERIES = 20, 5
_ENOUGH = timedelta(days=1)
"""After a day without another sign an episode has ended, also for a source that is never prompt."""


@dataclass(frozen=True, slots=True)
class ClockHour:
    """What an hour of a source says about its clock.

    Attributes:
        start: the hour's beginning.
        events: how many it has.
        deliveries: how many deliveries they came with.
        delay: median seconds from writing to receipt.
        low: what a tenth of the delays are below.
        high: what a tenth are above.
        ahead: how many were ahead of their receipt.
        ahead_by: by how many seconds, in the median.
        refused: how many records were refused for an impossible time.
    """

    start: datetime
    events: int = 0
    deliveries: int = 0
    delay: float = 0.0
    low: float = 0.0
    high: float = 0.0
    ahead: int = 0
    ahead_by: float = 0.0
    refused: int = 0

    @property
    def behind(self) -> bool:
        """Whether all of it was late by the same."""
        many = self.events >= _EVENTS and self.deliveries >= _DELIVERIES
        return many and self.delay >= _BEHIND and self.high - self.low <= _SPREAD

    @property
    def wrong(self) -> bool:
        """Whether the clock was."""
        return bool(self.ahead or self.refused) or self.behind

    @property
    def right(self) -> bool:
        """Whether the clock plainly was not."""
        return not self.wrong and self.events > 0 and abs(self.delay) < _BEHIND


@dataclass(frozen=True, slots=True)
class Episode:
    """A time over which a source's clock was wrong.

    Attributes:
        start: the first wrong hour.
        end: the end of the last one so far.
        worst: the hour with the most to say.
        refused: how many records were refused for an impossible time, in all.
        ended: the first hour in which it was right again; `None` while it lasts.
    """

    start: datetime
    end: datetime
    worst: ClockHour
    refused: int = 0
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What some hours make of an episode: those that have ended, and the one that lasts."""

    ended: tuple[Episode, ...] = ()
    open: Episode | None = None


def _says(hour: ClockHour) -> tuple[int, float]:
    return hour.ahead, hour.ahead_by or hour.delay


def follow(episode: Episode | None, hours: Iterable[ClockHour]) -> Verdict:
    """Go on with an episode, or begin one.

    Args:
        episode: the one that lasted so far.
        hours: what was looked at since, in order. The same hour again, with more events, changes nothing that is told.
    """
    ended: list[Episode] = []
    for hour in hours:
        if hour.wrong:
            if episode is None:
                episode = Episode(hour.start, hour.start + HOUR, hour, hour.refused)
            else:
                episode = replace(
                    episode,
                    end=max(episode.end, hour.start + HOUR),
                    worst=max(episode.worst, hour, key=_says),
                    refused=episode.refused + hour.refused,
                )
        elif episode is not None and (
            (hour.right and hour.start >= episode.end) or hour.start - episode.end >= _ENOUGH
        ):
            ended.append(replace(episode, ended=hour.start))
            episode = None
    return Verdict(tuple(ended), episode)
