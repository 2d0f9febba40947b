"""What a queue found of a town's incidents, counted by rules that are stated here.

- *Found.* An incident is found when an entry of the queue overlaps the time from its first act to a day after its last,
  and names one of its people; one about a source also when the entry names that source and nobody.
- *At budget.* Only entries within their day's budget count, unless it says unlimited.
- *Precision.* The share of entries at budget by which some incident is found.
- *Trap flagged.* An entry at budget by which nothing is found names one of the trap's people, overlaps its time and,
  where both name residents, shares one.
- *Days to detect.* Working days after the last act until the earliest entry by which it is found was opened.
- *Ablation.* Recall and precision of the same findings ranked again without those of one detector.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import sqrt

from audit.casework import LookUp
from audit.clock import tokyo_date
from audit.context import is_closed_by_law
from audit.findings import Finding, FindingStatus
from detectors.lab.acts import Label
from detectors.ranking import Case, CaseStatus, Said, Told

__all__ = [
    "DetectorScore",
    "Entry",
    "Matching",
    "QueueScore",
    "Share",
    "matching",
    "score",
    "score_detectors",
    "told",
]

GRACE = timedelta(days=1)
MINUTES_A_CASE = 5


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """The share; nothing of nothing."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval; everything is possible of nothing."""
        if not self.of:
            return 0.0, 1.0
        share, square = self.hits / self.of, 1.96**2 / self.of
        middle = share + square / 2
        half = 1.96 * sqrt(share * (1 - share) / self.of + square / (4 * self.of))
        return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a reviewer's queue, whoever made it. `end` is exclusive."""

    actors: frozenset[str]
    subjects: frozenset[str]
    source: str
    start: datetime
    end: datetime
    opened_on: date
    within: bool

    @classmethod
    def of_case(cls, case: Case) -> "Entry":
        """A case as a reviewer sees it."""
        return cls(
            frozenset(case.actors),
            frozenset(case.subjects),
            case.source,
            case.start,
            case.end,
            case.opened_on,
            within=case.within_budget and case.status is CaseStatus.OPEN,
        )

    @classmethod
    def of_finding(cls, finding: Finding) -> "Entry":
        """A finding as if it were reviewed, whatever there is time for."""
        return cls(
            frozenset(finding.actors),
            frozenset(finding.subjects),
            finding.source,
            finding.start,
            finding.end,
            tokyo_date(finding.start),
            within=finding.status is not FindingStatus.WITHDRAWN,
        )

    def names(self, label: Label) -> bool:
        """Whether it is about the same people, or about a source and nobody."""
        return bool(self.actors & set(label.actors)) or (not self.actors and self.source in label.sources)

    def overlaps(self, label: Label, grace: timedelta = timedelta(0)) -> bool:
        """Whether it is about the same time."""
        return self.start <= label.last + grace and label.first <= self.end

    def finds(self, label: Label) -> bool:
        """Whether an incident is found by it."""
        return self.within and self.names(label) and self.overlaps(label, GRACE)

    def flags(self, trap: Label) -> bool:
        """Whether it suspects somebody for what is right."""
        apart = self.subjects and trap.subjects and not self.subjects & set(trap.subjects)
        return self.within and self.names(trap) and self.overlaps(trap) and not apart


@dataclass(frozen=True, slots=True)
class QueueScore:
    """What a queue is worth.

    Attributes:
        kinds: incidents found, by kind.
        hard: of those that are meant to be hard.
        precision: entries by which something is found.
        traps: traps flagged.
        delays: working days to detect, of what was found.
        cases_a_day: entries at budget a calendar day.
        per_hour: incidents found per hour of reviewing.
        missed: ids of the incidents that were not found.
        flagged: ids of the traps that were flagged.
    """

    kinds: Mapping[str, Share]
    hard: Share
    precision: Share
    traps: Share
    delays: tuple[int, ...]
    cases_a_day: float
    per_hour: float
    missed: tuple[str, ...]
    flagged: tuple[str, ...]

    @property
    def recall(self) -> Share:
        """Incidents found, of all."""
        return Share(sum(kind.hits for kind in self.kinds.values()), sum(kind.of for kind in self.kinds.values()))


@dataclass(frozen=True, slots=True)
class Matching:
    """How casework matching did.

    Attributes:
        honest: honest look-ups that are accounted for.
        planted: planted ones that are matched away.
        away: how many of those, by kind of incident and what accounts for them.
    """

    honest: Share
    planted: Share
    away: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class DetectorScore:
    """What one detector is worth.

    Attributes:
        findings: how many stand.
        precision: those by which an incident is found.
        found: ids of the incidents found by them, whatever the budget.
        traps: traps that they flag.
        without: the queue without the detector.
    """

    detector: str
    findings: int
    precision: Share
    found: tuple[str, ...]
    traps: Share
    without: QueueScore


def score(entries: Iterable[Entry], labels: Sequence[Label], days: int) -> QueueScore:
    """Score a queue against what was planted."""
    queue = [entry for entry in entries if entry.within]
    incidents, traps = _parted(labels)
    by = {label.id: [entry for entry in queue if entry.finds(label)] for label in incidents}
    true = {entry for entries_of in by.values() for entry in entries_of}
    wrong = [entry for entry in queue if entry not in true]
    flagged = tuple(label.id for label in traps if any(entry.flags(label) for entry in wrong))
    kinds: dict[str, list[bool]] = defaultdict(list)
    for label in incidents:
        kinds[label.story.kind].append(bool(by[label.id]))
    hard = [label.id for label in incidents if label.story.hard]
    found = sum(map(bool, by.values()))
    return QueueScore(
        kinds={kind: Share(sum(hits), len(hits)) for kind, hits in sorted(kinds.items())},
        hard=Share(sum(bool(by[name]) for name in hard), len(hard)),
        precision=Share(sum(entry in true for entry in queue), len(queue)),
        traps=Share(len(flagged), len(traps)),
        delays=tuple(
            _working_days(tokyo_date(label.last), min(entry.opened_on for entry in by[label.id]))
            for label in incidents
            if by[label.id]
        ),
        cases_a_day=len(queue) / days,
        per_hour=found / (len(queue) * MINUTES_A_CASE / 60) if queue else 0.0,
        missed=tuple(name for name, entries_of in by.items() if not entries_of),
        flagged=flagged,
    )


def score_detectors(
    detectors: Collection[str],
    findings: Sequence[Finding],
    labels: Sequence[Label],
    days: int,
    rank: Callable[[Sequence[Finding]], Sequence[Case]],
) -> list[DetectorScore]:
    """Score each detector.

    Args:
        detectors: which, also those that found nothing.
        findings: all.
        labels: what was planted.
        days: how long the town lived.
        rank: makes cases of findings.
    """
    incidents, _ = _parted(labels)
    scores = []
    for detector in sorted(detectors):
        own = [Entry.of_finding(finding) for finding in findings if finding.detector == detector]
        others = [finding for finding in findings if finding.detector != detector]
        alone = score(own, labels, days)
        scores.append(
            DetectorScore(
                detector,
                alone.precision.of,
                alone.precision,
                tuple(label.id for label in incidents if label.id not in alone.missed),
                alone.traps,
                score(map(Entry.of_case, rank(others)), labels, days),
            )
        )
    return scores


def matching(look_ups: Iterable[LookUp], labels: Sequence[Label]) -> Matching:
    """How many look-ups are accounted for: of the honest ones nearly all should be, of the planted ones none."""
    planted = {look: label.story.kind for label in labels if not label.story.trap for look in label.looks}
    counts = {True: [0, 0], False: [0, 0]}
    away: Counter[tuple[str, str]] = Counter()
    for one in look_ups:
        kind = planted.get((one.day, one.actor, one.source, one.subject))
        count = counts[kind is not None]
        count[0] += one.result == "matched"
        count[1] += 1
        if kind is not None and one.result == "matched":
            away[kind, one.because] += 1
    return Matching(Share(*counts[False]), Share(*counts[True]), dict(sorted(away.items())))


def told(cases: Iterable[Case], labels: Sequence[Label]) -> list[Told]:
    """Episodes with what came of them: which of them, and which of their findings, lead to an incident."""
    incidents, _ = _parted(labels)

    def right(entry: Entry) -> bool:
        return any(entry.finds(label) for label in incidents)

    return [
        Told(
            right(replace(Entry.of_case(case), within=True)),
            tuple(
                Said(finding.id, finding.detector, finding.score, right(Entry.of_finding(finding)))
                for finding in case.findings
            ),
        )
        for case in cases
        if case.status is CaseStatus.OPEN
    ]


def _parted(labels: Sequence[Label]) -> tuple[list[Label], list[Label]]:
    return [label for label in labels if not label.story.trap], [label for label in labels if label.story.trap]


def _working_days(first: date, last: date) -> int:
    """How many working days lie after one day, up to and with another."""
    days = (first + timedelta(days=n) for n in range(1, max(0, (last - first).days) + 1))
    return sum(not is_closed_by_law(day) for day in days)
