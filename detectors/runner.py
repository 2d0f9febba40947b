"""Runs detectors over windows: each window is judged once for what is known, and again when more is.

A window is due when it was never judged, when events have reached it or the time before it that the detector looks
at, when the context feeds say something else of that time, or when the detector or its parameters have changed. Windows
are business days; they are judged in order. Findings and the record of the evaluation are kept in one unit of work,
under a lease: a crash leaves a window either judged or due, and of two nodes only one can keep anything.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from audit.casework import VERSION, Casework, LookUpSummary
from audit.clock import Clock, tokyo_date
from audit.context import ContextService
from audit.findings import DetectorRun, Draft, Due, FindingService, LastRun
from audit.leases import Lease, LeaseService
from audit.log import OWN_SOURCE, Dimension, EventLog, Filter, Measure, StoreUnavailableError
from detectors.model import Detector, Window, parameters_of
from detectors.reader import LogReader, Memory
from detectors.schedule.due import Content, Days, Installed, Known, Past, reach_of, spans, why_due
from detectors.schedule.round import Difference, Round, RunSummary, Task, enter, inputs_of

__all__ = ["CASEWORK", "LEASE", "Difference", "LogReader", "RunSummary", "Runner"]

CASEWORK = "casework"
"""The name under which it is on record that a day's look-ups were matched."""
LEASE = "detect"
"""The lease under which windows are judged."""
_DAY = timedelta(days=1)


class Runner:
    """Runs detectors.

    Args:
        log: whose windows.
        casework: the look-ups of these windows.
        context: the feeds.
        findings: where findings and runs are kept.
        clock: which days have begun.
        detectors: asked at the beginning of each round which detectors there are, by id.
        overrides: asked then too, which parameters the town has set, by detector.
        leases: those of this node; one that is alone needs none.
        late_after: so long after its end a window is late, where no turn came; longer than turns are apart.
        past: asked then too, after these, what detectors and parameters were before.
    """

    def __init__(
        self,
        log: EventLog,
        casework: Casework,
        context: ContextService,
        findings: FindingService,
        clock: Clock,
        detectors: Callable[[], Mapping[str, Detector]],
        overrides: Callable[[], Mapping[str, Mapping[str, Any]]] = dict,
        leases: LeaseService | None = None,
        late_after: timedelta = timedelta(hours=1),
        past: Callable[[], Past] = Past,
    ) -> None:
        self._log = log
        self._casework = casework
        self._context = context
        self._findings = findings
        self._memory = Memory()
        self._clock = clock
        self._detectors = detectors
        self._overrides = overrides
        self._past = past
        self._leases = leases
        self._late_after = late_after
        self._running = threading.Lock()

    def installed(self) -> Installed:
        """The detectors that there are now, with the parameters in force."""
        detectors, overrides = self._detectors(), self._overrides()
        return Installed.of(detectors, overrides, self._past())

    def known(self) -> Mapping[str, Detector]:
        """The detectors that there are now, by id, whether they take what the town has set or not."""
        return self._detectors()

    def rehearse(
        self, detector: Detector, start: datetime, end: datetime, parameters: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[Window, list[Draft]]]:
        """Judge the windows of a span by one detector, in order, and keep nothing.

        Look-ups are taken as they are on record; days that hold no events are left out.

        Args:
            detector: any one, registered or not.
            start: the beginning of the span.
            end: its end, exclusive.
            parameters: in the place of the detector's own; those in force when not given.

        Raises:
            ParameterError: the detector does not take them.
        """
        given = self._overrides().get(detector.meta.id, {}) if parameters is None else parameters
        taken = parameters_of(detector, given)
        for day in self._days(start, end, timedelta(0)).contents:
            window = Window.of_day(day)
            if start < window.end and window.start < end:
                yield window, list(detector.detect(window, self._reader(window, reach_of(detector)), taken))

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
            end: its end, exclusive; without `start`, all before it.
            only: ids of the detectors to run; all when empty.
            progress: told how many windows are done, of how many.

        Raises:
            KeyError: a detector of that id does not exist.
            FencedError: another node has taken over meanwhile; what it had not kept by then, this one did not keep.
            StoreError: the log or the state cannot be read or written.
        """
        with self._running:
            if self._leases is None:
                return self._round(Lease(LEASE, "", 0), start, end, tuple(only), progress)
            lease = self._leases.take(LEASE)
            if lease is None:
                return RunSummary(elsewhere=True)
            try:
                summary = self._round(lease, start, end, tuple(only), progress)
            except Exception:
                self._leases.release(lease)
                raise
            self._leases.release(lease)
            return summary

    def _round(
        self,
        lease: Lease,
        start: datetime | None,
        end: datetime | None,
        only: Sequence[str],
        progress: Callable[[int, int], None],
    ) -> RunSummary:
        every, installed = self._detectors(), self.installed()
        wanted = [every[name].meta.id for name in (only or every)]
        chosen = tuple(name for name in wanted if name in installed.current)
        reach = max(map(installed.reach_of, chosen), default=_DAY)
        this = Round(
            installed=installed,
            chosen=chosen,
            days=self._days(start, end, reach),
            known=Known(self._context, self._clock),
            lease=lease,
            asked=start is not None or end is not None,
            began=self._clock.now(),
            looks=self._findings.last_looks(),
            late_after=self._late_after,
        )
        summary = RunSummary(failed={name: "ParameterError" for name in wanted if name not in chosen})
        remade = self._match(this)
        tasks = self._tasks(this, tokyo_date(start) if start else date.min, remade)
        for _, of_day in groupby(tasks, key=lambda task: task.day):
            self._judge(this, [task for task in of_day if task.run.detector not in summary.failed], summary)
            progress(summary.windows, len(tasks))
        if not this.asked:
            names = [name for name in chosen if name not in summary.failed]
            self._findings.looked([CASEWORK, *names], self._guard(this))
        summary.days = tuple(sorted({task.day for task in tasks}))
        summary.events = sum(this.days.contents[day].events for day in summary.days)
        summary.lookups = self._accounted(summary.days)
        return summary

    def _guard(self, this: Round) -> Callable[[Any], None]:
        """What every unit of work of a round begins with."""
        return self._leases.guard(this.lease) if self._leases is not None else lambda _unit: None

    def _reader(self, window: Window, look_back: timedelta) -> LogReader:
        revision = self._context.revision()
        context = self._context.over(window.start - look_back, window.end)
        return LogReader(self._log, self._casework, context, self._findings, self._memory, revision)

    def _days(self, start: datetime | None, end: datetime | None, reach: timedelta) -> Days:
        """The business days that hold events, from as long before the first as detectors see."""
        rows = self._log.aggregate(
            Filter(
                start=Window.of_day(tokyo_date(start) - reach).start if start else None,
                end=Window.of_day(tokyo_date(end - timedelta(microseconds=1))).end if end else None,
                without_source=OWN_SOURCE,
            ),
            (Dimension.DAY,),
            (Measure.EVENTS, Measure.LAST_INDEX),
        )
        rows.sort(key=lambda row: row["day"])
        return Days({row["day"]: Content(row["events"], row["last_index"]) for row in rows})

    # Look-ups ---------------------------------------------------------------------------------------------------

    def _match(self, this: Round) -> frozenset[date]:
        """Join the look-ups of every day for which this was not done, or not with what is known now.

        Returns:
            The days.
        """
        days = this.days.contents
        last = self._findings.last_runs(CASEWORK)
        marks = self._casework.marks(min(days), max(days)) if days else {}
        due = {
            day: why
            for day, content in days.items()
            if (why := self._unmatched(this, last.get(Window.of_day(day).start), day, content, marks))
        }
        for first, final in spans(list(due), days):
            made = self._casework.make(first, final, this.lease.token)
            runs = [
                replace(this.run(CASEWORK, day, days[day]), parameters=made.get(day, ""), due=due[day])
                for day in due
                if first <= day <= final
            ]
            self._findings.record_all([(run, []) for run in runs], guard=self._guard(this))
        return frozenset(due)

    @staticmethod
    def _unmatched(
        this: Round, last: LastRun | None, day: date, content: Content, marks: Mapping[date, str]
    ) -> Due | None:
        """Why a day's look-ups are to be joined: as a window's, or others stand there than those on record."""
        mark = marks.get(day, "")
        now_is = LastRun(VERSION, mark, this.known.revision, content.events, content.high_water)
        return why_due(last, Window.of_day(day), timedelta(0), now_is, this.known, ())

    def _check_look_ups(self, this: Round, day: date) -> None:
        """Refuse to keep what was judged while another node, that had lost its lease, put other look-ups there.

        Raises:
            StoreUnavailableError: it did; the next round joins and judges these days again.
        """
        if not self._casework.shared:
            return
        first = tokyo_date(Window.of_day(day).start - this.installed.reach)
        runs = {tokyo_date(start): run for start, run in self._findings.last_runs(CASEWORK).items()}
        there = self._casework.marks(first, day)
        for one in this.days.contents:
            if first <= one <= day and one in runs and there.get(one, "") != runs[one].parameters:
                raise StoreUnavailableError(f"the look-ups of {one} were replaced while they were read")

    def _accounted(self, days: Sequence[date]) -> LookUpSummary:
        """How many look-ups of some days are accounted for."""
        found = [self._casework.summary(day, day + _DAY) for day in days]
        return LookUpSummary(
            sum(one.matched for one in found),
            sum(one.unmatched for one in found),
            sum(one.contradicted for one in found),
        )

    # Windows ----------------------------------------------------------------------------------------------------

    def _tasks(self, this: Round, first: date, remade: frozenset[date]) -> list[Task]:
        """What is to be judged, day by day."""
        tasks = []
        for name in this.chosen:
            runs = self._findings.last_runs(name)
            for day in this.days.contents:
                if day < first:
                    continue
                edition = this.installed.on(name, day)
                reach = reach_of(edition.detector)
                run = replace(
                    this.run(name, day, this.days.seen(day, reach)),
                    version=edition.detector.meta.version,
                    parameters=edition.digest,
                    settings=edition.settings,
                )
                last = runs.get(run.start)
                due = why_due(last, Window.of_day(day), reach, inputs_of(run), this.known, remade)
                why = Due.ASKED if this.asked else due
                if why is not None:
                    tasks.append(Task(day, edition, replace(run, due=why), last))
        return sorted(tasks, key=lambda task: (task.day, task.run.detector))

    def _judge(self, this: Round, tasks: Sequence[Task], summary: RunSummary) -> None:
        """Judge one day by some detectors; all of its findings and records are kept in one unit of work.

        The context is read once, as far back as any installed detector sees, so that what a detector sees does not
        depend on which others run. A detector that fails is left out of the rest of the round: its windows are judged
        in order, none before an earlier one.
        """
        if not tasks:
            return
        window = Window.of_day(tasks[0].day)
        reader = self._reader(window, this.installed.reach)
        judged: list[tuple[Task, DetectorRun, list[Draft]]] = []
        failed: list[tuple[DetectorRun, str]] = []
        for task in tasks:
            if self._leases is not None:
                self._leases.renew(this.lease)
            name, edition = task.run.detector, task.edition
            try:
                drafts = list(edition.detector.detect(window, reader, edition.parameters))
                judged.append((task, replace(task.run, others=reader.told.get(name, "")), drafts))
            except StoreUnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it was, the other detectors must see
                failed.append((task.run, type(error).__name__))
                summary.failed[name] = type(error).__name__
        self._check_look_ups(this, window.day)
        kept = self._findings.record_all([(run, drafts) for _, run, drafts in judged], failed, self._guard(this))
        for (task, run, _), recorded in zip(judged, kept, strict=True):
            enter(summary, task, run, recorded)
