"""What the rules ask of the log: sums over what is new, never the whole of it.

New is what has a log index at or above the last look's. Numbers come as islands, counted by the engine in blocks of
1024, so that a million events in order are a thousand rows; only blocks with holes are looked into.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from audit.clock import day_start, tokyo_date
from audit.events import AuditEvent
from audit.findings import MAX_EVIDENCE
from audit.log import OWN_SOURCE, Dimension, EventLog, Filter, Measure
from ingest.gaps.clocks import ClockHour
from ingest.gaps.sequence import JITTER, Island, Run
from ingest.gaps.silence import Heard

__all__ = ["News", "NumberedEvents", "Questions", "Volume"]

STEP = timedelta(hours=1)
"""How far a later number may lie before an earlier one in time before that is called backdating."""
MOST_RESTARTS = 200
"""Restarts of a counter looked at in one go; a source that has more does not count at all."""
_MICROSECOND = timedelta(microseconds=1)
_EVIDENCE = ("sequence", "time", "event_id", "log_index")


@dataclass(slots=True)
class News:
    """What is new of one source.

    Attributes:
        days: the business days its new events happened on.
        events: how many there are.
        first: when the earliest happened.
        last: when the latest happened.
        received: when the last one arrived.
        last_index: the highest log index among them.
    """

    days: set[date] = field(default_factory=set)
    events: int = 0
    first: datetime | None = None
    last: datetime | None = None
    received: datetime | None = None
    last_index: int = -1


@dataclass(frozen=True, slots=True)
class NumberedEvents:
    """New numbers, and those of them that lie before their predecessors in time."""

    islands: list[Island]
    stepped_back: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Volume:
    """What the last days say of a source."""

    today: int = 0
    week: int = 0
    last: datetime | None = None


class Questions:
    """The log, as the rules ask it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def news(self, index: int) -> dict[str, News]:
        """What is new, by source."""
        found: dict[str, News] = {}
        for row in self._log.aggregate(
            Filter(first_index=index, without_source=OWN_SOURCE),
            (Dimension.SOURCE, Dimension.DAY),
            (Measure.EVENTS, Measure.FIRST, Measure.LAST, Measure.LAST_INDEX, Measure.LAST_RECEIVED),
        ):
            news = found.setdefault(row["source"], News())
            news.days.add(row["day"])
            news.events += row["events"]
            news.first = min(row["first"], news.first or row["first"])
            news.last = max(row["last"], news.last or row["last"])
            news.received = max(row["last_received"], news.received or row["last_received"])
            news.last_index = max(row["last_index"], news.last_index)
        return found

    def heard(self, source: str, start: datetime, index: int = 0) -> list[Heard]:
        """When a source was heard from a moment on, in quarters of an hour."""
        rows = self._log.aggregate(
            Filter(sources=(source,), start=start, first_index=index),
            (Dimension.DAY, Dimension.QUARTER),
            (Measure.FIRST, Measure.LAST),
        )
        return [Heard(row["first"], row["last"]) for row in rows]

    def quarters(self, source: str, start: datetime, end: datetime) -> dict[date, dict[int, float]]:
        """How many events a source has, by business day and quarter of an hour."""
        found: dict[date, dict[int, float]] = {}
        wanted = Filter(sources=(source,), start=start, end=end)
        for row in self._log.aggregate(wanted, (Dimension.DAY, Dimension.QUARTER), (Measure.EVENTS,)):
            found.setdefault(row["day"], {})[row["quarter"]] = row["events"]
        return found

    def between(self, source: str, after: datetime, before: datetime) -> tuple[int, int]:
        """How many events lie strictly between two moments, and the number of the delivery that brought the last."""
        wanted = Filter(sources=(source,), start=after + _MICROSECOND, end=before)
        (row,) = self._log.aggregate(wanted, (), (Measure.EVENTS, Measure.LAST_DELIVERY))
        return row["events"], row["last_delivery"]

    def at(self, source: str, at: datetime) -> list[AuditEvent]:
        """An event of that moment."""
        return list(self._log.search(Filter(sources=(source,), start=at, end=at + _MICROSECOND), limit=1).events)

    def clock_hours(self, days: Iterable[date]) -> dict[str, list[ClockHour]]:
        """What the hours of some business days say of their sources' clocks, in order."""
        found: dict[str, list[ClockHour]] = {}
        by = (Dimension.SOURCE, Dimension.HOUR)
        measures = (Measure.EVENTS, Measure.DELIVERIES, Measure.DELAY, Measure.DELAY_LOW, Measure.DELAY_HIGH)
        for day in sorted(days):
            wanted = Filter(start=day_start(day), end=day_start(day + timedelta(days=1)), without_source=OWN_SOURCE)
            ahead = {
                (row["source"], row["hour"]): (row["events"], -row["delay"])
                for row in self._log.aggregate(replace(wanted, mark="skew"), by, (Measure.EVENTS, Measure.DELAY))
            }
            rows = self._log.aggregate(wanted, by, measures)
            for row in sorted(rows, key=lambda row: row["hour"]):
                skewed, skewed_by = ahead.get((row["source"], row["hour"]), (0, 0.0))
                found.setdefault(row["source"], []).append(
                    ClockHour(
                        start=day_start(day) + timedelta(hours=row["hour"]),
                        events=row["events"],
                        deliveries=row["deliveries"],
                        delay=row["delay"],
                        low=row["delay_low"],
                        high=row["delay_high"],
                        ahead=skewed,
                        ahead_by=skewed_by,
                    )
                )
        return found

    def skewed(self, source: str, start: datetime, end: datetime) -> list[AuditEvent]:
        """Events ahead of their receipt, else any of that time, as evidence of a clock."""
        wanted = Filter(sources=(source,), start=start, end=end)
        events = self._log.search(replace(wanted, mark="skew"), limit=20).events
        return list(events or self._log.search(wanted, limit=5).events)

    def backdated_days(self, index: int, after: timedelta, sources: tuple[str, ...]) -> list[tuple[str, date]]:
        """The sources and days of new events that were recorded long after their own time."""
        rows = self._log.aggregate(
            Filter(first_index=index, recorded_after=after, sources=sources, without_source=OWN_SOURCE),
            (Dimension.SOURCE, Dimension.DAY),
        )
        return sorted((row["source"], row["day"]) for row in rows)

    def backdated(self, source: str, day: date, after: timedelta) -> tuple[int, list[AuditEvent]]:
        """The events of a day that were recorded long after their own time: how many, and some of them."""
        wanted = Filter(
            sources=(source,), start=day_start(day), end=day_start(day + timedelta(days=1)), recorded_after=after
        )
        page = self._log.search(wanted, limit=MAX_EVIDENCE, newest_first=False)
        return (self._log.count(wanted) if page.cursor else len(page.events)), list(page.events)

    # Sequence numbers ------------------------------------------------------------------------------------------

    def restarts(self, source: str, index: int) -> list[tuple[int, datetime]] | None:
        """Every new 0 and 1 with its moment, in the order of time; `None` when there are too many to be restarts."""
        wanted = Filter(sources=(source,), first_index=index, last_sequence=1)
        if self._log.count(wanted) > MOST_RESTARTS:
            return None
        return [(row["sequence"], row["time"]) for row in self._log.columns(wanted, ("sequence", "time"))]

    def numbered(
        self, source: str, index: int, start: datetime | None, end: datetime | None, known: list[Island]
    ) -> NumberedEvents:
        """The new numbers of a span of time, with those that step back behind what is known before them."""
        wanted = Filter(sources=(source,), first_index=index, start=start, end=end, first_sequence=0)
        rows = self._blocks(wanted)
        back: list[dict[str, Any]] = []
        until = _settled(end)
        lower = iter(sorted(island for island in known if island.ended < until))
        below = next(lower, None)
        before: datetime | None = None
        for row in rows:
            while below is not None and below.first < row["first_sequence"]:
                before = max(below.ended, before or below.ended)
                below = next(lower, None)
            within = row["step_back"] > STEP.total_seconds()
            if within or (before is not None and row["first"] < before - STEP):
                back += self._stepped_back(wanted, row, before)
            if row["last"] < until:
                before = max(row["last"], before or row["last"])
        return NumberedEvents(list(self._islands(wanted, rows)), back)

    def present(self, source: str, span: tuple[int, int], start: datetime, end: datetime, run: Run) -> list[Island]:
        """The numbers of a span that the log has, whenever they arrived; blocks that a run knows are left out."""
        first, last = span
        wanted = Filter(
            sources=(source,), start=start, end=end + _MICROSECOND, first_sequence=first, last_sequence=last
        )
        rows = [
            row
            for row in self._blocks(wanted)
            if row["sequences"] > run.count(row["first_sequence"], row["last_sequence"])
        ]
        return list(self._islands(wanted, rows))

    def number(self, source: str, number: int, at: datetime) -> list[AuditEvent]:
        """The event of a number and moment."""
        wanted = Filter(sources=(source,), start=at, end=at + _MICROSECOND, first_sequence=number, last_sequence=number)
        return list(self._log.search(wanted, limit=1).events)

    def filled_by(self, source: str, first: int, last: int, index: int) -> int:
        """The number of the delivery that brought the last of a range of numbers."""
        wanted = Filter(sources=(source,), first_index=index, first_sequence=first, last_sequence=last)
        (row,) = self._log.aggregate(wanted, (), (Measure.LAST_DELIVERY,))
        return int(row["last_delivery"])

    def _blocks(self, wanted: Filter) -> list[dict[str, Any]]:
        measures = (
            Measure.FIRST_SEQUENCE,
            Measure.LAST_SEQUENCE,
            Measure.SEQUENCES,
            Measure.FIRST,
            Measure.LAST,
            Measure.STEP_BACK,
        )
        rows = self._log.aggregate(wanted, (Dimension.SEQUENCE_BLOCK,), measures)
        return sorted(rows, key=lambda row: row["first_sequence"])

    def _islands(self, wanted: Filter, blocks: Iterable[dict[str, Any]]) -> Iterator[Island]:
        for row in blocks:
            first, last = row["first_sequence"], row["last_sequence"]
            if last - first + 1 == row["sequences"]:
                yield Island(first, last, row["first"], row["last"])
                continue
            for one in self._log.aggregate(_within(wanted, row), (Dimension.SEQUENCE,), (Measure.FIRST, Measure.LAST)):
                yield Island(one["sequence"], one["sequence"], one["first"], one["last"])

    def _stepped_back(self, wanted: Filter, block: dict[str, Any], before: datetime | None) -> list[dict[str, Any]]:
        rows = sorted(
            self._log.columns(_within(wanted, block), _EVIDENCE), key=lambda row: (row["sequence"], row["time"])
        )
        found, latest, until = [], before, _settled(wanted.end)
        for row in rows:
            if latest is not None and row["time"] < latest - STEP:
                found.append(row)
            if row["time"] < until:
                latest = max(row["time"], latest or row["time"])
        return found

    # For people ------------------------------------------------------------------------------------------------

    def volumes(self, now: datetime) -> dict[str, Volume]:
        """How much came of each source today and in the last seven days."""
        today = tokyo_date(now)
        rows = self._log.aggregate(
            Filter(start=day_start(today - timedelta(days=6)), without_source=OWN_SOURCE),
            (Dimension.SOURCE, Dimension.DAY),
            (Measure.EVENTS, Measure.LAST),
        )
        found: dict[str, Volume] = {}
        for row in rows:
            so_far = found.get(row["source"], Volume())
            found[row["source"]] = Volume(
                so_far.today + (row["events"] if row["day"] == today else 0),
                so_far.week + row["events"],
                max(row["last"], so_far.last or row["last"]),
            )
        return found


def _within(wanted: Filter, block: dict[str, Any]) -> Filter:
    """The events of one block; its times let the engine skip all others."""
    return replace(
        wanted,
        start=block["first"],
        end=block["last"] + _MICROSECOND,
        first_sequence=block["first_sequence"],
        last_sequence=block["last_sequence"],
    )


def _settled(end: datetime | None) -> datetime:
    """Up to when events surely belong to a run that ended then: the first of the next may be timed a moment early."""
    return datetime.max.replace(tzinfo=UTC) if end is None else end - JITTER
