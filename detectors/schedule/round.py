"""A round of runs: what it goes by, what it has to do, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from audit.casework import VERSION, LookUpSummary
from audit.findings import DetectorRun, Due, LastRun, Recorded
from audit.leases import Lease
from detectors.model import Window
from detectors.schedule.due import Content, Days, Edition, Installed, Known

__all__ = ["Difference", "Round", "RunSummary", "Task", "enter", "inputs_of"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A window that gave another result than the one on record.

    Attributes:
        detector: whose.
        start: the window's beginning.
        inputs: what it was judged with that is not what it was; nothing where all is the same, which must not be.
    """

    detector: str
    start: datetime
    inputs: tuple[Due, ...]


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
        late: windows that should have been judged long before, while nothing ran.
        reproduced: windows whose result is the one that was on record.
        differences: those whose result is not.
        failed: detectors that came to nothing, and with what error; they are tried again in the next round.
        elsewhere: whether another node is at it, so that nothing was done here.
    """

    windows: int = 0
    events: int = 0
    findings_new: int = 0
    findings_withdrawn: int = 0
    days: tuple[date, ...] = ()
    lookups: LookUpSummary = field(default_factory=lambda: LookUpSummary(0, 0, 0))
    late: int = 0
    reproduced: int = 0
    differences: list[Difference] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A window that a detector is to judge, as which edition, why, and what is on record of it."""

    day: date
    edition: Edition
    run: DetectorRun
    last: LastRun | None


@dataclass(frozen=True, slots=True)
class Round:
    """What a round of runs goes by from its beginning to its end."""

    installed: Installed
    chosen: tuple[str, ...]
    days: Days
    known: Known
    lease: Lease
    asked: bool
    began: datetime
    looks: Mapping[str, datetime]
    late_after: timedelta

    def run(self, name: str, day: date, content: Content) -> DetectorRun:
        """The record of an evaluation that is going to be made."""
        window = Window.of_day(day)
        return DetectorRun(
            detector=name,
            version=VERSION,
            parameters="",
            start=window.start,
            end=window.end,
            context_revision=self.known.revision,
            events=content.events,
            high_water=content.high_water,
            late=not self.asked and self._late(name, window),
            node=self.lease.holder,
            token=self.lease.token,
        )

    def _late(self, name: str, window: Window) -> bool:
        """Whether a turn was missed: none since the window ended, and that was long ago."""
        last = self.looks.get(name)
        return last is not None and last < window.end and self.began - window.end > self.late_after


def inputs_of(run: DetectorRun) -> LastRun:
    """What an evaluation is made with."""
    return LastRun(run.version, run.parameters, run.context_revision, run.events, run.high_water)


def enter(summary: RunSummary, task: Task, run: DetectorRun, recorded: Recorded) -> None:
    """Count what came of one window, and compare it with what is on record."""
    summary.windows += 1
    summary.findings_new += recorded.new
    summary.findings_withdrawn += recorded.withdrawn
    summary.late += run.late
    if task.last is None:
        return
    if task.last.result == recorded.result:
        summary.reproduced += 1
    else:
        summary.differences.append(Difference(run.detector, run.start, _changed(task.last, run)))


def _changed(last: LastRun, run: DetectorRun) -> tuple[Due, ...]:
    """Which inputs of an evaluation are others than those of the one before."""
    pairs = (
        (Due.EVENTS, (last.events, last.high_water), (run.events, run.high_water)),
        (Due.CONTEXT, last.context_revision, run.context_revision),
        (Due.VERSION, last.version, run.version),
        (Due.PARAMETERS, last.parameters, run.parameters),
        (Due.FINDINGS, last.others, run.others),
    )
    return tuple(name for name, before, now in pairs if before != now)
