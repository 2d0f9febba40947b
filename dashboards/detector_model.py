"""What the pages about detectors are given: plain values, already decided by the services.

The rules of `dashboards.model` hold here as well. A score is what the lab measured on a simulated town.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from audit.texts import Texts
from dashboards.model import Choice, Figure

__all__ = [
    "DetectorRow",
    "DetectorScoreRow",
    "DetectorView",
    "DetectorsView",
    "Goal",
    "Measured",
    "ParameterRow",
    "ProgramScore",
    "RunRow",
    "ScorecardView",
    "Watcher",
]


@dataclass(frozen=True, slots=True)
class Measured:
    """How many of how many, with the 95 % interval of the share."""

    hits: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The share; nothing of nothing."""
        return self.hits / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class DetectorScoreRow:
    """One detector's worth in a scorecard.

    Attributes:
        id: its id.
        title: what it is called.
        findings: how many stood.
        precision: those by which an incident was found.
        found: how many incidents were found by them.
        traps: how many harmless look-alikes it flagged.
        recall_without: the queue's recall without this detector.
        precision_without: the queue's precision without it.
        has_page: whether it is among the detectors installed here.
    """

    id: str
    title: Texts
    findings: int
    precision: Measured
    found: int
    traps: int
    recall_without: Measured
    precision_without: Measured
    has_page: bool = True


@dataclass(frozen=True, slots=True)
class DetectorRow:
    """A detector as a line of the list.

    Attributes:
        id: its id.
        title: what it is called.
        description: what it looks for.
        family: `rules`, `windows`, `learned` or `sigma`.
        severity: the highest it gives.
        controls: the documented controls it serves.
        state: `ok`, `late`, `never`, `refused`, or the verdict of its canary when that is not well.
        last_run: when its due windows were last looked through.
        days: findings of the last days, today last.
        open_count: findings that wait for somebody, whatever their day.
        score: of the newest scorecard, where it is in it.
        alarm: the finding that tells of its trouble; empty for none.
    """

    id: str
    title: Texts
    description: Texts
    family: str
    severity: str
    controls: tuple[str, ...]
    state: str
    last_run: datetime | None
    days: tuple[tuple[date, int], ...]
    open_count: int
    score: DetectorScoreRow | None = None
    alarm: str = ""

    @property
    def recent(self) -> int:
        """Findings of the last days."""
        return sum(count for _, count in self.days)


@dataclass(frozen=True, slots=True)
class Watcher:
    """What opens findings without judging windows: deliveries that do not come, own acts."""

    id: str
    title: Texts
    recent: int
    open_count: int


@dataclass(frozen=True, slots=True)
class DetectorsView:
    """The list of detectors.

    Attributes:
        groups: what is watched, with its detectors.
        total: how many there are in all.
        troubled: those that are not well, whatever the list is narrowed to.
        watchers: what opens findings beside them.
        gone: imported rules that cannot be used any more.
        sought: the words typed.
        control: the control chosen.
        controls: all that some detector serves.
        card: the scorecard that the scores are from; empty for none.
    """

    groups: Sequence[tuple[str, Sequence[DetectorRow]]]
    total: int
    troubled: Sequence[DetectorRow]
    watchers: Sequence[Watcher]
    gone: Sequence[str]
    sought: str
    control: str
    controls: Sequence[Choice]
    card: str


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A parameter of a detector: what it means, its default, and what is in force."""

    name: str
    meaning: Texts
    default: str
    in_force: str

    @property
    def changed(self) -> bool:
        """Whether the town has set another value."""
        return self.default != self.in_force


@dataclass(frozen=True, slots=True)
class RunRow:
    """One evaluation of a window; `late` when it should have been done long before."""

    day: date
    at: datetime
    events: int
    findings: int
    result: str
    error: str
    due: str
    late: bool
    version: str


@dataclass(frozen=True, slots=True)
class DetectorView:
    """One detector in full.

    Attributes:
        row: as in the list.
        version: its version.
        area: what it watches.
        techniques: MITRE ATT&CK.
        reads: the columns of the log that it reads.
        look_back: how many days before its window it looks at.
        runbook: what to do about a finding.
        false_positives: what else it may be.
        references: where the idea comes from.
        stories: how many of its own test cases fire, and how many stay silent.
        parameters: with what is in force.
        refused: why it does not take what the town has set; empty when it does.
        canary: when it was last told one of its own stories, and what came of it.
        runs: its last evaluations, the latest first.
        figure: findings by day.
        card: the scorecard that its score is from; empty for none.
    """

    row: DetectorRow
    version: str
    area: str
    techniques: tuple[str, ...]
    reads: tuple[str, ...]
    look_back: int
    runbook: Texts
    false_positives: Texts
    references: tuple[str, ...]
    stories: tuple[int, int]
    parameters: tuple[ParameterRow, ...]
    refused: str
    canary: tuple[datetime, str] | None
    runs: Sequence[RunRow]
    figure: Figure
    card: str


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal, and what was measured against it.

    Attributes:
        id: `recall`, `kind`, `precision`, `honest`, `traps`, `planted` or `days`.
        at_least: the side of `asked` that is good.
        asked: a share, or a number of days.
        value: measured; None where there was nothing to measure.
        share: the same as counts, where it is a share of many.
    """

    id: str
    at_least: bool
    asked: float
    value: float | None
    share: Measured | None = None

    @property
    def met(self) -> bool:
        """Whether it is; what could not be measured is not."""
        if self.value is None:
            return False
        return self.value >= self.asked if self.at_least else self.value <= self.asked


@dataclass(frozen=True, slots=True)
class ProgramScore:
    """What a program's queue is worth."""

    name: str
    recall: Measured
    precision: Measured
    traps: Measured


@dataclass(frozen=True, slots=True)
class ScorecardView:
    """A scorecard.

    Attributes:
        name: its file's; empty when there is none.
        choices: all there are, those of whole towns first.
        saved_at: when it was saved.
        town: what the town was made of: staff, days, seed, scenario.
        goals: measured against what was asked.
        cases_a_day: cases that the queue asks a day.
        per_hour: incidents found per hour of reviewing.
        detectors: each one's worth.
        figures: goals, programs, kinds.
        table: the detectors as a table for download.
        unreadable: whether the file cannot be read.
    """

    name: str = ""
    choices: tuple[Choice, ...] = ()
    saved_at: datetime | None = None
    town: tuple[tuple[str, str], ...] = ()
    goals: tuple[Goal, ...] = ()
    cases_a_day: float = 0.0
    per_hour: float = 0.0
    detectors: tuple[DetectorScoreRow, ...] = ()
    figures: tuple[Figure, ...] = ()
    table: Figure | None = None
    unreadable: bool = False
