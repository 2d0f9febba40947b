"""Runs detectors over windows: each window is judged once for what is known, and again when more is.

A window is due when it was never judged, when events have reached it or the day before since, when the context feeds
have changed, or when the detector or its parameters have. Its findings and the record of the run are kept in one unit
of work, so that a crash leaves a window either judged or due. Windows are business days; they are judged in order.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from audit.clock import Clock, tokyo_date
from audit.context import ContextService, WorkContext
from audit.findings import DetectorRun, FindingService, LastRun
from audit.log import OWN_SOURCE, Dimension, EventLog, Filter, Measure
from detectors.model import Detector, Window, parameters_of

__all__ = ["LogReader", "RunSummary", "Runner"]

RECONSIDER = timedelta(days=90)
"""How far back a change of the context feeds makes windows due again; further back, ask for the span."""


@dataclass(frozen=True, slots=True)
class LogReader:
    """What a detector sees: the log without our own acts, and the context of its span."""

    log: EventLog
    context: WorkContext

    def aggregate(self, wanted: Filter, by: Sequence[Dimension], measures: Sequence[Measure]) -> list[dict[str, Any]]:
        """Measures by dimensions."""
        return self.log.aggregate(replace(wanted, without_source=OWN_SOURCE), by, measures)

    def columns(self, wanted: Filter, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Some columns of every matching event, in the order of time."""
        return self.log.columns(replace(wanted, without_source=OWN_SOURCE), columns)


@dataclass(slots=True)
class RunSummary:
    """What a round of runs did.

    Attributes:
        windows: windows judged, counted once for each detector.
        events: events in the judged days, counted once.
        findings_new: findings that were not there before.
        findings_withdrawn: findings that a judged window no longer shows.
        days: the days judged.
    """

    windows: int = 0
    events: int = 0
    findings_new: int = 0
    findings_withdrawn: int = 0
    days: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class _Day:
    events: int
    high_water: int


def _with_day_before(days: Mapping[date, _Day], day: date) -> _Day:
    """What a window depends on most: its own events, and those of the day before, whose night reaches into it."""
    own, before = days[day], days.get(day - timedelta(days=1), _Day(0, -1))
    return _Day(own.events + before.events, max(own.high_water, before.high_water))


def _hash(parameters: Any) -> str:  # noqa: ANN401 - each detector has its own type
    return hashlib.sha256(json.dumps(asdict(parameters), sort_keys=True).encode()).hexdigest()[:16]


class Runner:
    """Runs detectors.

    Args:
        log: whose windows.
        context: the feeds.
        findings: where findings and runs are kept.
        clock: which days have begun.
        detectors: by id.
        overrides: parameters that the town has set, by detector.
    """

    def __init__(
        self,
        log: EventLog,
        context: ContextService,
        findings: FindingService,
        clock: Clock,
        detectors: Mapping[str, Detector],
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._log = log
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
        days = self._days(start, end)
        revision = self._context.revision()
        forced = start is not None or end is not None
        first = tokyo_date(start) if start else date.min
        seen = {day: _with_day_before(days, day) for day in days if day >= first}
        work = [
            (day, detector)
            for detector in chosen
            for last in [self._findings.last_runs(detector.meta.id)]
            for day, content in seen.items()
            if forced or self._due(detector, day, content, last.get(Window.of_day(day).start), revision)
        ]
        work.sort(key=lambda item: (item[0], item[1].meta.id))
        summary = RunSummary()
        for done, (day, detector) in enumerate(work, start=1):
            new, withdrawn = self._judge(detector, Window.of_day(day), seen[day], revision)
            summary.windows += 1
            summary.findings_new += new
            summary.findings_withdrawn += withdrawn
            progress(done, len(work))
        if not forced:
            self._findings.looked([detector.meta.id for detector in chosen])
        summary.days = tuple(sorted({day for day, _ in work}))
        summary.events = sum(days[day].events for day in summary.days)
        return summary

    def _days(self, start: datetime | None, end: datetime | None) -> dict[date, _Day]:
        """The business days that hold events, from the day before the first."""
        rows = self._log.aggregate(
            Filter(
                start=Window.of_day(tokyo_date(start) - timedelta(days=1)).start if start else None,
                end=Window.of_day(tokyo_date(end - timedelta(microseconds=1))).end if end else None,
                without_source=OWN_SOURCE,
            ),
            (Dimension.DAY,),
            (Measure.EVENTS, Measure.LAST_INDEX),
        )
        return {row["day"]: _Day(row["events"], row["last_index"]) for row in sorted(rows, key=lambda row: row["day"])}

    def _due(self, detector: Detector, day: date, content: _Day, last: LastRun | None, revision: int) -> bool:
        if last is None or last.events != content.events or last.high_water != content.high_water:
            return True
        if last.version != detector.meta.version or last.parameters != _hash(self._parameters[detector.meta.id]):
            return True
        recent = day >= tokyo_date(self._clock.now() - RECONSIDER)
        return last.context_revision != revision and recent

    def _judge(self, detector: Detector, window: Window, content: _Day, revision: int) -> tuple[int, int]:
        parameters = self._parameters[detector.meta.id]
        reader = LogReader(self._log, self._context.over(window.start - detector.meta.look_back, window.end))
        drafts = list(detector.detect(window, reader, parameters))
        run = DetectorRun(
            detector=detector.meta.id,
            version=detector.meta.version,
            parameters=_hash(parameters),
            start=window.start,
            end=window.end,
            context_revision=revision,
            events=content.events,
            high_water=content.high_water,
        )
        recorded = self._findings.record(run, drafts)
        return recorded.new, recorded.withdrawn
