"""Findings: what a detector saw, and why it is odd, in sentences."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from audit.clock import TOKYO
from audit.texts import Texts

__all__ = ["MAX_EVIDENCE", "Draft", "Finding", "FindingStatus", "Severity", "finding_id"]

MAX_EVIDENCE = 200
"""Evidence events named in a finding; more are counted."""


class Severity(StrEnum):
    """How bad it would be if it is what it looks like."""

    CRITICAL = "critical"
    HIGH = "high"
    LOW = "low"
    MEDIUM = "medium"


class FindingStatus(StrEnum):
    """Where a finding stands.

    `excepted`: it falls under an exception that two people have made (`audit.tuning`): kept, not before reviewers.
    `filled`: what was missing has arrived, or what was silent is heard again: a finding about a source that has an end.
    `withdrawn`: a later look at the same window, with more events or a corrected roster, no longer finds it.
    """

    EXCEPTED = "excepted"
    FILLED = "filled"
    OPEN = "open"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a detector says; the runner makes a finding of it.

    Attributes:
        entity: whom or what it is about, the same in every run.
        severity: how bad.
        score: 0 to 1, higher is odder.
        actors: the people acting.
        subjects: the pseudonymous keys of the people looked at, as far as they matter.
        source: where most of it happened.
        title: one line.
        reasons: why it is odd, each a sentence.
        evidence: references of the events, `source:event_id`, never empty.
        first_index: the lowest log index among the evidence.
        last_index: the highest.
        evidence_total: how many there are when not all are named.
        baseline: what is usual, as labelled numbers; the last one is this case.
    """

    entity: str
    severity: Severity
    score: float
    actors: tuple[str, ...]
    subjects: tuple[str, ...]
    source: str
    title: Texts
    reasons: tuple[Texts, ...]
    evidence: tuple[str, ...]
    first_index: int
    last_index: int
    evidence_total: int
    baseline: tuple[tuple[Texts, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding as kept.

    Attributes:
        settled_at: when it was filled or withdrawn for good; `None` while it stands.
        settled_by: what did it, a delivery's number and name for example.
        excepted_by: the exception that it falls under, by its id; empty for none.
    """

    id: str
    detector: str
    detector_version: str
    parameters: str
    severity: Severity
    score: float
    status: FindingStatus
    actors: tuple[str, ...]
    subjects: tuple[str, ...]
    source: str
    start: datetime
    end: datetime
    title: Texts
    reasons: tuple[Texts, ...]
    evidence: tuple[str, ...]
    evidence_total: int
    first_index: int
    last_index: int
    found_at: datetime
    baseline: tuple[tuple[Texts, float], ...] = field(default=())
    settled_at: datetime | None = None
    settled_by: str = ""
    excepted_by: str = ""

    def to_contract(self, case: str | None = None) -> dict[str, Any]:
        """The contract's form (DESIGN 4.5); Japanese first, English beside it.

        Args:
            case: the id of the case that it belongs to; none for a hint that is no case yet.
        """
        more = self.evidence_total - len(self.evidence)
        settled = (
            {"settled": {"at": self.settled_at.astimezone(TOKYO).isoformat(), "by": self.settled_by}}
            if self.settled_at is not None
            else {}
        )
        return {
            "id": self.id,
            "detector": self.detector,
            "detector_version": self.detector_version,
            "severity": self.severity,
            "score": round(self.score, 4),
            "status": self.status,
            "actors": list(self.actors),
            "subjects": list(self.subjects),
            "source": self.source,
            "window": {
                "from": self.start.astimezone(TOKYO).isoformat(),
                "to": self.end.astimezone(TOKYO).isoformat(),
            },
            "title": self.title.ja,
            "title_en": self.title.en,
            "reasons": [reason.ja for reason in self.reasons],
            "reasons_en": [reason.en for reason in self.reasons],
            "event_ids": list(self.evidence),
            "event_ids_omitted": more,
            "log_index": {"first": self.first_index, "last": self.last_index},
            "case": case,
            **settled,
            **({"excepted_by": self.excepted_by} if self.excepted_by else {}),
        }


def finding_id(detector: str, version: str, entity: str, start: datetime, end: datetime) -> str:
    """The id of a finding: running a detector again over the same window gives the same one."""
    major = version.partition(".")[0]
    parts: Sequence[str] = (
        detector,
        major,
        entity,
        start.astimezone(TOKYO).isoformat(),
        end.astimezone(TOKYO).isoformat(),
    )
    return "f-" + hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:20]
