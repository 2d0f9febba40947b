"""Dispositions as values."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from audit.clock import TOKYO
from audit.findings import Severity

__all__ = [
    "CaseSeen",
    "Disposition",
    "DispositionKind",
    "DispositionState",
    "Judged",
    "Surroundings",
]

_BY_WEIGHT = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
_GRAVE = frozenset({Severity.HIGH, Severity.CRITICAL})


class DispositionKind(StrEnum):
    """What a reviewer made of a case.

    `explained`: odd, and there was a reason. `benign`: nothing odd about it. `false_alarm`: the detector was wrong.
    `data_fault`: what was recorded is wrong, which says nothing of the detector.
    """

    BENIGN = "benign"
    CONFIRMED_MISUSE = "confirmed_misuse"
    DATA_FAULT = "data_fault"
    EXPLAINED = "explained"
    FALSE_ALARM = "false_alarm"
    POLICY_BREACH = "policy_breach"

    @property
    def true(self) -> bool | None:
        """Whether the findings were right; None where that cannot be said."""
        if self is DispositionKind.DATA_FAULT:
            return None
        return self in {DispositionKind.CONFIRMED_MISUSE, DispositionKind.POLICY_BREACH}


class DispositionState(StrEnum):
    """Where a disposition stands: `replaced` by one over more findings, `dropped` before a second person agreed."""

    DROPPED = "dropped"
    PROPOSED = "proposed"
    REOPENED = "reopened"
    REPLACED = "replaced"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding as it was when the case was judged."""

    finding: str
    detector: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSeen:
    """A case as whoever judges it sees it.

    Attributes:
        start: when its first window begins.
        withdrawn: whether none of its findings stands any more.
    """

    id: str
    severity: Severity
    actors: tuple[str, ...]
    start: datetime
    findings: tuple[Judged, ...]
    withdrawn: bool = False

    @property
    def grave(self) -> bool:
        """Whether it takes two people."""
        return self.severity in _GRAVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """What was made of a case, and what became of that; never deleted.

    Attributes:
        findings: of the case as they stood.
        severity: of the case as it stood.
        two: whether it counts only once a second person has confirmed it.
        replaced: whether it ended because the case was judged anew.
    """

    id: str
    case: str
    kind: DispositionKind
    reason: str
    severity: Severity
    findings: tuple[Judged, ...]
    two: bool
    closed_by: str
    closed_at: datetime
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    ended_by: str = ""
    ended_at: datetime | None = None
    ended_reason: str = ""
    replaced: bool = False

    @property
    def settled_at(self) -> datetime | None:
        """From when it counts; None while it waits for a second person."""
        return self.confirmed_at if self.two else self.closed_at

    @property
    def state(self) -> DispositionState:
        """Where it stands."""
        if self.ended_at is None:
            return DispositionState.PROPOSED if self.settled_at is None else DispositionState.SETTLED
        if self.replaced:
            return DispositionState.REPLACED
        return DispositionState.DROPPED if self.settled_at is None else DispositionState.REOPENED

    def covers(self, case: CaseSeen) -> bool:
        """Whether the case holds nothing new since: no further finding, and it is no graver."""
        known = {one.finding for one in self.findings}
        no_graver = _BY_WEIGHT.index(case.severity) <= _BY_WEIGHT.index(self.severity)
        return no_graver and all(one.finding in known for one in case.findings)

    def to_doc(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.id,
            "disposition": self.kind,
            "state": self.state,
            "reason": self.reason,
            "severity": self.severity,
            "findings": [one.finding for one in self.findings],
            "closed": _signed(self.closed_by, self.closed_at),
            "second_person": self.two,
            "confirmed": _signed(self.confirmed_by, self.confirmed_at),
        }


def _signed(by: str, at: datetime | None) -> dict[str, str] | None:
    return {"by": by, "at": at.astimezone(TOKYO).isoformat()} if at is not None else None


class Surroundings(Protocol):
    """What is asked about people."""

    def same_natural_person(self, one: str, other: str) -> bool:
        """Whether two staff ids are one person's."""

    def may_close(self, staff_id: str) -> bool:
        """Whether somebody is in office and deals with cases, now."""

    def superiors_of(self, staff_id: str, at: datetime) -> Collection[str]:
        """Whom a person answers to at a moment, all the way up."""
