"""Runs detectors over windows: each window is judged once for what is known, and again when more is.

A window is due when it was never judged, when events have reached it or the day before since, when the context feeds
have changed, or when the detector or its parameters have. Its findings and the record of the run are kept in one unit
of work, so that a crash leaves a window either judged or due. Windows are business days; they are judged in order.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from audit.casework import (
    VERSION,
    Casework,
    LookUp,
    LookUpDimension,
    LookUpFilter,
    LookUpMeasure,
    LookUpSummary,
)
from audit.clock import Clock, tokyo_date
from audit.context import ContextService, Reach, WorkContext
from audit.findings import DetectorRun, FindingService, LastRun, Recorded
from audit.log import OWN_SOURCE, Dimension, EventLog, Filter, Measure
from detectors.model import Detector, Window, parameters_of

__all__ = ["CASEWORK", "LogReader", "RunSummary", "Runner"]

_AT_ONCE = 3_000_000
CASEWORK = "casework"
"""The name under which it is on record that a day's look-ups were matched."""
RECONSIDER = timedelta(days=90)
"""How far back a change of the context feeds makes windows due again; further back, ask for the span."""


@dataclass(frozen=True, slots=True)
class LogReader:
    """What a detector sees: the log without our own acts, the look-ups made of it, and the context of its span."""

    log: EventLog
    casework: Casework
    context: WorkContext

    def aggregate(
        self,
        wanted: Filter,
        by: Sequence[Dimension],
        measures: Sequence[Measure],
        at_least: Mapping[Measure, int] | None = None,
    ) -> list[dict[str, Any]]:
        """Measures by dimensions."""
        return self.log.aggregate(replace(wanted, without_source=OWN_SOURCE), by, measures, at_least)

    def columns(self, wanted: Filter, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Some columns of every matching event, in the order of time."""
        return self.log.columns(replace(wanted, without_source=OWN_SOURCE), columns)

    def look_ups(self, wanted: LookUpFilter) -> Iterator[LookUp]:
        """Look-ups with what accounts for them, in the order of time."""
        return self.casework.rows(wanted)

    def count_look_ups(
        self,
        wanted: LookUpFilter,
        by: Sequence[LookUpDimension],
        measures: Sequence[LookUpMeasure],
        at_least: Mapping[LookUpMeasure, int] | None = None,
    ) -> list[dict[str, Any]]:
        """Measures of look-ups by dimensions, without the combinations that have less of a measure."""
        return self.casework.aggregate(wanted, by, measures, at_least)


@dataclass(slots=True)
class RunSummary:
    """What a round of runs did.

    Attributes:
        windows: windows judged, counted once for each detector.
        events: events in the judged days, counted once.
        findings_new: findings that were not there before.
        findings_withdrawn: findings that a judged window no longer shows.
        days: the days judged.
        lookups: how many look-ups of these days are accounted for.
    """

    windows: int = 0
    events: int = 0
    findings_new: int = 0
    findings_withdrawn: int = 0
    days: tuple[date, ...] = ()
    lookups: LookUpSummary = field(default_factory=lambda: LookUpSummary(0, 0, 0))


@dataclass(frozen=True, slots=True)
class _Day:
    events: int
    high_water: int


def _with_day_before(days: Mapping[date, _Day], day: date) -> _Day:
    """What a window depends on most: its own events, and those of the day before, whose night reaches into it."""
    own, before = days[day], days.get(day - timedelta(days=1), _Day(0, -1))
    return _Day(own.events + before.events, max(own.high_water, before.high_water))


def _spans(due: Sequence[date], days: Mapping[date, _Day]) -> Iterator[tuple[date, date]]:
    """Due days in spans that are matched in one go: one after the other, and no more events than fit in memory."""
    first: date | None = None
    last, events = date.min, 0
    for day in sorted(due):
        if first is not None and (day - last > timedelta(days=1) or events + days[day].events > _AT_ONCE):
            yield first, last
            first = None
        if first is None:
            first, events = day, 0
        last, events = day, events + days[day].events
    if first is not None:
        yield first, last


class _Known:
    """What the context feeds said when a round of runs began, and what has changed in them since others."""

    def __init__(self, context: ContextService, clock: Clock) -> None:
        self.revision = context.revision()
        self._context = context
        self._earliest = clock.now() - RECONSIDER
        self._reaches: dict[int, list[Reach]] = {}

    def changed(self, since: int, start: datetime, end: datetime) -> bool:
        """Whether anything about a span has changed since a revision; not asked about what is long past."""
        if since == self.revision or end < self._earliest:
            return False
        if since not in self._reaches:
            self._reaches[since] = self._context.reaches_since(since)
        return any(reach.touches(start, end) for reach in self._reaches[since])


def _hash(parameters: Any) -> str:  # noqa: ANN401 - each detector has its own type
    return hashlib.sha256(json.dumps(asdict(parameters), sort_keys=True).encode()).hexdigest()[:16]


class Runner:
    """Runs detectors.

    Args:
        log: whose windows.
        casework: the look-ups of these windows.
        context: the feeds.
        findings: where findings and runs are kept.
        clock: which days have begun.
        detectors: by id.
        overrides: parameters that the town has set, by detector.
    """

    def __init__(
        self,
        log: EventLog,
        casework: Casework,
        context: ContextService,
        findings: FindingService,
        clock: Clock,
        detectors: Mapping[str, Detector],
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._log = log
        self._casework = casework
        self._context = context
        self._findings = findings
        self._clock = clock
        self._detectors = detectors
        self._parameters = {
            name: parameters_of(detector, (overrides or {}).get(name, {})) for name, detector in detectors.items()
        }

    def run(
        self,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        only: Iterable[str] = (),
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> RunSummary:
        """Judge the windows that are due, or every window of a span.

        Args:
            start: the beginning of a span to judge whether due or not.
            end: its end, exclusive; without `start`, only what is due is judged.
            only: ids of the detectors to run; all when empty.
            progress: told how many windows are done, of how many.

        Raises:
            KeyError: a detector of that id does not exist.
        """
        chosen = [self._detectors[name] for name in (only or self._detectors)]
        look_back = max((detector.meta.look_back for detector in chosen), default=timedelta(0))
        days = self._days(start, end, look_back)
        known = _Known(self._context, self._clock)
        forced = start is not None or end is not None
        first = tokyo_date(start) if start else date.min
        made = self._match(days, known)
        seen = {day: _with_day_before(days, day) for day in days if day >= first}
        due = [
            (day, detector)
            for detector in chosen
            for last in [self._findings.last_runs(detector.meta.id)]
            for day, content in seen.items()
            if forced or day in made or self._due(detector, day, content, last.get(Window.of_day(day).start), known)
        ]
        due.sort(key=lambda item: (item[0], item[1].meta.id))
        summary = RunSummary()
        for day, of_day in groupby(due, key=lambda item: item[0]):
            for recorded in self._judge([detector for _, detector in of_day], day, seen[day], known.revision):
                summary.windows += 1
                summary.findings_new += recorded.new
                summary.findings_withdrawn += recorded.withdrawn
            progress(summary.windows, len(due))
        if not forced:
            self._findings.looked([detector.meta.id for detector in chosen])
        summary.days = tuple(sorted({day for day, _ in due}))
        summary.events = sum(days[day].events for day in summary.days)
        summary.lookups = self._accounted(summary.days)
        return summary

    def _days(self, start: datetime | None, end: datetime | None, look_back: timedelta) -> dict[date, _Day]:
        """The business days that hold events, from as long before the first as detectors look back."""
        before = max(look_back, timedelta(days=1))
        rows = self._log.aggregate(
            Filter(
                start=Window.of_day(tokyo_date(start) - before).start if start else None,
                end=Window.of_day(tokyo_date(end - timedelta(microseconds=1))).end if end else None,
                without_source=OWN_SOURCE,
            ),
            (Dimension.DAY,),
            (Measure.EVENTS, Measure.LAST_INDEX),
        )
        return {row["day"]: _Day(row["events"], row["last_index"]) for row in sorted(rows, key=lambda row: row["day"])}

    def _match(self, days: Mapping[date, _Day], known: _Known) -> frozenset[date]:
        """Join the look-ups of every day for which this was not done, or not with what is known now.

        Returns:
            The days.
        """
        last = self._findings.last_runs(CASEWORK)
        due = [
            day
            for day, content in days.items()
            if not self._matched(last.get(Window.of_day(day).start), day, content, known)
        ]
        for first, final in _spans(due, days):
            self._casework.make(first, final)
            matched = [day for day in due if first <= day <= final]
            runs = [self._run(CASEWORK, VERSION, "", day, days[day], known.revision) for day in matched]
            self._findings.record_all([(run, []) for run in runs])
        return frozenset(due)

    def _matched(self, last: LastRun | None, day: date, content: _Day, known: _Known) -> bool:
        window = Window.of_day(day)
        return (
            last is not None
            and (last.version, last.events, last.high_water) == (VERSION, content.events, content.high_water)
            and not known.changed(last.context_revision, window.start, window.end)
        )

    @staticmethod
    def _run(name: str, version: str, parameters: str, day: date, content: _Day, revision: int) -> DetectorRun:
        window = Window.of_day(day)
        return DetectorRun(
            detector=name,
            version=version,
            parameters=parameters,
            start=window.start,
            end=window.end,
            context_revision=revision,
            events=content.events,
            high_water=content.high_water,
        )

    def _accounted(self, days: Sequence[date]) -> LookUpSummary:
        """How many look-ups of some days are accounted for."""
        found = [self._casework.summary(day, day + timedelta(days=1)) for day in days]
        return LookUpSummary(
            sum(one.matched for one in found),
            sum(one.unmatched for one in found),
            sum(one.contradicted for one in found),
        )

    def _due(self, detector: Detector, day: date, content: _Day, last: LastRun | None, known: _Known) -> bool:
        if last is None or last.events != content.events or last.high_water != content.high_water:
            return True
        if last.version != detector.meta.version or last.parameters != _hash(self._parameters[detector.meta.id]):
            return True
        window = Window.of_day(day)
        return known.changed(last.context_revision, window.start - timedelta(days=1), window.end)

    def _judge(self, detectors: Sequence[Detector], day: date, content: _Day, revision: int) -> Sequence[Recorded]:
        """Judge one day by some detectors; all of its findings and runs are kept in one unit of work.

        The context is read once, as far back as any detector of this version looks, so that what a detector sees does
        not depend on which others run.
        """
        window = Window.of_day(day)
        look_back = max(detector.meta.look_back for detector in self._detectors.values())
        reader = LogReader(self._log, self._casework, self._context.over(window.start - look_back, window.end))
        judged = []
        for detector in detectors:
            parameters = self._parameters[detector.meta.id]
            drafts = list(detector.detect(window, reader, parameters))
            run = self._run(detector.meta.id, detector.meta.version, _hash(parameters), day, content, revision)
            judged.append((run, drafts))
        return self._findings.record_all(judged)
