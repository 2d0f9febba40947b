"""Evaluations of windows: what was judged, with what, and what came of it. None is ever overwritten."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from audit.clock import TOKYO

__all__ = ["DetectorRun", "Due", "Evaluation", "LastRun", "Recorded"]


class Due(StrEnum):
    """Why a window was judged.

    `asked`: somebody named the span. `context`: the context feeds have changed what they say of its time.
    `events`: events have reached the window, or the time before it that the detector looks at. `findings`: what other
    detectors found, where it looks at that, is not what it was; nothing is due for this alone. `first`: it never was.
    `parameters`, `version`: the detector's are other ones.
    """

    ASKED = "asked"
    CONTEXT = "context"
    EVENTS = "events"
    FINDINGS = "findings"
    FIRST = "first"
    PARAMETERS = "parameters"
    VERSION = "version"


_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DetectorRun:
    """One evaluation of one window.

    Attributes:
        detector: its id.
        version: its version.
        parameters: hash of its parameters.
        start: the window's beginning.
        end: its end, exclusive.
        context_revision: which state of the context feeds it saw.
        events: how many events it could see, in the window and as far back as the detector looks.
        high_water: the highest log index among them, -1 when there were none.
        settings: the parameters themselves, by name.
        due: why the window was judged.
        late: whether this should have been done long before, while nothing ran.
        node: who did it.
        token: of the lease under which it was done; 0 where there was none.
        others: hash of what other detectors had found, where this one looked at that; else empty.
    """

    detector: str
    version: str
    parameters: str
    start: datetime
    end: datetime
    context_revision: int
    events: int
    high_water: int
    settings: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    due: Due = Due.ASKED
    late: bool = False
    node: str = ""
    token: int = 0
    others: str = ""


@dataclass(frozen=True, slots=True)
class LastRun:
    """What is known of a window's last evaluation.

    `result` is the hash of what it found, `others` that of what other detectors had, where it looked at that.
    """

    version: str
    parameters: str
    context_revision: int
    events: int
    high_water: int
    result: str = ""
    others: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run changed, and the hash of what it found."""

    new: int
    known: int
    withdrawn: int
    result: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation as kept.

    Attributes:
        id: a number that grows.
        run: what was judged, with what.
        findings: how many there were.
        result: SHA-256 of the findings in the contract's form, in hex; empty when the detector failed.
        error: what kind of error ended it; empty when it was judged.
        at: when.
    """

    id: int
    run: DetectorRun
    findings: int
    result: str
    error: str
    at: datetime

    def to_contract(self) -> dict[str, Any]:
        """As commands and the API show it."""
        run = self.run
        return {
            "id": self.id,
            "detector": run.detector,
            "detector_version": run.version,
            "window": {"from": run.start.astimezone(TOKYO).isoformat(), "to": run.end.astimezone(TOKYO).isoformat()},
            "parameters": dict(run.settings),
            "parameters_hash": run.parameters,
            "context_revision": run.context_revision,
            "events": run.events,
            "high_water": run.high_water,
            "other_findings_sha256": run.others,
            "findings": self.findings,
            "result_sha256": self.result,
            "error": self.error,
            "due": run.due,
            "late": run.late,
            "node": run.node,
            "token": run.token,
            "at": self.at.astimezone(TOKYO).isoformat(),
        }
