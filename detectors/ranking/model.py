"""Cases, and what their rank is made of. All of it is plain values."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from audit.clock import TOKYO
from audit.findings import Finding, Severity
from audit.texts import Texts

__all__ = ["SEVERITIES", "Case", "CaseStatus", "Contribution", "Facts", "Risk", "logistic", "logit"]

SEVERITIES = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
"""From the mildest to the worst."""


def logit(probability: float) -> float:
    """The logarithm of the odds."""
    return math.log(probability / (1 - probability))


def logistic(log_odds: float) -> float:
    """The probability that log-odds stand for; of both signs, without overflow."""
    small = math.exp(-abs(log_odds))
    return 1 / (1 + small) if log_odds >= 0 else small / (1 + small)


class CaseStatus(StrEnum):
    """Where a case stands. `withdrawn`: none of its findings stands any more."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the queue must know beside the findings.

    Attributes:
        through: the last day that was judged: no case is opened later.
        places: how many cases the reviewers of the town can take on a day, from 1.
        closed: whether the town hall is closed on a day.
    """

    through: date
    places: Callable[[date], int]
    closed: Callable[[date], bool]


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

    @property
    def within_budget(self) -> bool:
        """Whether there is a reviewer for it on that day."""
        return self.rank <= self.places

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
