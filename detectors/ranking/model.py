"""Cases, and what their rank is made of. All of it is plain values."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from audit.clock import TOKYO
from audit.dispositions import CaseSeen, Disposition, DispositionState, Judged
from audit.findings import Finding, Severity
from audit.texts import Texts

__all__ = [
    "SEVERITIES",
    "STRENGTH",
    "Case",
    "CaseStatus",
    "Contribution",
    "Facts",
    "Outcomes",
    "Risk",
    "logistic",
    "logit",
]

SEVERITIES = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
"""From the mildest to the worst."""
STRENGTH = 20.0
"""How many findings with a known outcome the author's word is worth."""


def logit(probability: float) -> float:
    """The logarithm of the odds."""
    return math.log(probability / (1 - probability))


def logistic(log_odds: float) -> float:
    """The probability that log-odds stand for; of both signs, without overflow."""
    small = math.exp(-abs(log_odds))
    return 1 / (1 + small) if log_odds >= 0 else small / (1 + small)


class CaseStatus(StrEnum):
    """Where a case stands.

    `closed`: a reviewer has made something of it as it stands, two where it is grave.
    `withdrawn`: none of its findings stands any more.
    """

    CLOSED = "closed"
    OPEN = "open"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of a detector's findings.

    Attributes:
        expected: the mean of their scores, between 0 and 1.
        true: how many were misuse.
        false: how many were not.
    """

    expected: float
    true: int = 0
    false: int = 0

    @property
    def precision(self) -> float:
        """The share of misuse to expect: the mean of a Beta distribution that began with the author's word."""
        return (STRENGTH * self.expected + self.true) / (STRENGTH + self.true + self.false)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the queue must know beside the findings.

    Attributes:
        through: the last day that was judged: no case is opened later.
        places: how many cases the reviewers of the town can take on a day, from 1.
        closed: whether the town hall is closed on a day.
        outcomes: what reviewers had said before a day, by detector.
    """

    through: date
    places: Callable[[date], int]
    closed: Callable[[date], bool]
    outcomes: Callable[[date], Mapping[str, Outcomes]] = field(default=lambda _day: {})


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one finding adds to the log-odds, from 0 up."""

    group: str
    detector: str
    finding: str
    value: float


@dataclass(frozen=True, slots=True)
class Risk:
    """The log-odds that a case is misuse, in parts that sum to them.

    Attributes:
        base: what they would be without any finding.
        parts: what each finding adds, the most first.
    """

    base: float
    parts: tuple[Contribution, ...]

    @property
    def log_odds(self) -> float:
        """The sum of the parts; rounded once, so that no order of adding can be told from it."""
        return math.fsum((self.base, *(part.value for part in self.parts)))

    @property
    def probability(self) -> float:
        """How likely the case is to be misuse, as far as the weights are right."""
        return logistic(self.log_odds)


@dataclass(frozen=True, slots=True)
class Case:
    """What a reviewer is shown: one episode of a person, of a group that acted together, or of a source.

    Attributes:
        rank: its place in the queue of the day `opened_on`, from 1.
        places: how many cases are reviewed on that day.
        actors: empty for a case about a source.
        start: of the first window.
        end: of the last window, exclusive.
        findings: the one that adds most first.
        opened_on: the day of the data on which it took its place.
        disposition: what was made of it and has not been undone; it may wait for a second person, or be about fewer
            findings than there are by now: then the case is open.
    """

    id: str
    rank: int
    places: int
    risk: Risk
    severity: Severity
    status: CaseStatus
    actors: tuple[str, ...]
    subjects: tuple[str, ...]
    source: str
    start: datetime
    end: datetime
    findings: tuple[Finding, ...]
    title: Texts
    reasons: tuple[Texts, ...]
    opened_on: date
    disposition: Disposition | None = None

    @property
    def within_budget(self) -> bool:
        """Whether there is a reviewer for it on that day."""
        return self.rank <= self.places

    @property
    def seen(self) -> CaseSeen:
        """What whoever judges it judges."""
        return CaseSeen(
            id=self.id,
            severity=self.severity,
            actors=self.actors,
            start=self.start,
            findings=tuple(Judged(one.id, one.detector, one.score) for one in self.findings),
            withdrawn=self.status is CaseStatus.WITHDRAWN,
        )

    def judged(self, disposition: Disposition) -> "Case":
        """The case with what was made of it: closed if that counts, and is about all that there is by now."""
        settled = disposition.state is DispositionState.SETTLED and disposition.covers(self.seen)
        closes = settled and self.status is CaseStatus.OPEN
        return replace(self, disposition=disposition, status=CaseStatus.CLOSED if closes else self.status)

    def undone(self) -> "Case":
        """The case after what was made of it is undone."""
        closed = self.status is CaseStatus.CLOSED
        return replace(self, disposition=None, status=CaseStatus.OPEN if closed else self.status)

    def to_contract(self) -> dict[str, Any]:
        """The contract's form (DESIGN 4.2); Japanese first, English beside it, and what the risk is made of."""
        return {
            "id": self.id,
            "rank": self.rank,
            "risk": round(self.risk.probability, 4),
            "severity": self.severity,
            "status": self.status,
            "actors": list(self.actors),
            "subjects": list(self.subjects),
            "source": self.source,
            "window": {
                "from": self.start.astimezone(TOKYO).isoformat(),
                "to": self.end.astimezone(TOKYO).isoformat(),
            },
            "findings": [finding.id for finding in self.findings],
            "disposition": self.disposition.to_doc() if self.disposition is not None else None,
            "title": self.title.ja,
            "title_en": self.title.en,
            "reasons": [reason.ja for reason in self.reasons],
            "reasons_en": [reason.en for reason in self.reasons],
            "opened_on": self.opened_on.isoformat(),
            "budget": self.places,
            "within_budget": self.within_budget,
            "log_odds": {
                "base": self.risk.base,
                "parts": [
                    {"group": part.group, "detector": part.detector, "finding": part.finding, "value": part.value}
                    for part in self.risk.parts
                ],
                "sum": self.risk.log_odds,
            },
        }
