"""Tuning over a real state database, with people and detectors of a few words."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.access.decisions import Actor
from audit.clock import FixedClock
from audit.findings import DetectorRun, Draft, FindingService, Severity
from audit.store.errors import StoreUnavailableError
from audit.store.state import StateStore
from audit.texts import Texts
from audit.tuning import (
    Change,
    ExceptionTerms,
    ParameterTerms,
    Scope,
    Terms,
    TuningRefusedError,
    TuningService,
    preview_document,
)

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)  # noon in Tokyo
TODAY = date(2026, 11, 20)
ANN, BOB, EVE = Actor(staff_id="ann"), Actor(staff_id="bob"), Actor(staff_id="eve")


class Log:
    """Keeps what is recorded; breaks when told to."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []
        self.broken = False

    def record_all(self, docs: Sequence[Mapping[str, Any]]) -> None:
        if self.broken:
            raise StoreUnavailableError("broken")
        self.events += docs

    def record(self, doc: dict[str, Any]) -> None:
        self.record_all([doc])

    @property
    def operations(self) -> list[str]:
        return [event["operation_name"] for event in self.events]


class Detectors:
    """Two detectors, and one that is guarded."""

    guarded = frozenset({"log-cleared"})

    def names(self) -> Collection[str]:
        return {"off-hours", "scan", "log-cleared"}

    def checked(self, detector: str, values: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        if values.keys() - {"limit"} or not all(isinstance(value, int) for value in values.values()):
            raise ValueError(values)
        return {name: value for name, value in values.items() if value != 10}


@dataclass
class People:
    """Who is who: ids that share their first letters up to a dash are one person's."""

    units: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    times: dict[str, datetime] = field(default_factory=dict)
    events: bool = False

    def same_natural_person(self, one: str, other: str) -> bool:
        return one.partition("-")[0] == other.partition("-")[0]

    def holds_post(self, staff_id: str, at: datetime) -> bool:  # noqa: ARG002
        return staff_id not in self.left

    def may_tune(self, staff_id: str) -> bool:
        return staff_id not in self.left

    def units_of(self, staff_id: str, at: datetime) -> Collection[str]:  # noqa: ARG002
        return self.units.get(staff_id, ())

    def holds_events(self) -> bool:
        return self.events

    def times_of(self, refs: Sequence[str]) -> Sequence[datetime]:
        return [self.times[ref] for ref in refs if ref in self.times]


class TuningBench:
    """The service and its neighbours."""

    def __init__(self, path: Path) -> None:
        self.state = StateStore(f"sqlite:///{path}")
        self.state.create_tables()
        self.clock = FixedClock(NOW)
        self.log, self.people = Log(), People()
        self.findings = FindingService(self.state, self.clock)
        self.tuning = TuningService(
            self.state, self.clock, self.log, self.findings, Detectors(), self.people, longest=90
        )

    def find(self, day: date, *drafts: Draft, detector: str = "off-hours") -> None:
        """Keep what a detector found on a day."""
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=9)
        run = DetectorRun(detector, "1.0.0", "p", start, start + timedelta(days=1), 0, 10, 9)
        self.findings.record(run, drafts)

    def previewed(self, terms: Terms, by: Actor = ANN, judged: int = 0) -> str:
        """The id of a finished preview."""
        preview = self.tuning.begin_preview(terms, first=TODAY - timedelta(days=364), by=by)
        document = preview_document(preview.terms, preview.first, preview.last, [], judged)
        return self.tuning.finish(preview.id, document).id

    def proposed(self, terms: Terms, by: Actor = ANN) -> Change:
        """A proposal."""
        return self.tuning.propose(self.previewed(terms, by), reason="保守の作業", ticket="CHG-7", by=by)

    def in_force(self, terms: Terms) -> Change:
        """The same, confirmed by somebody else."""
        change = self.proposed(terms)
        return self.tuning.confirm(change.id, digest=change.digest, by=BOB)


def draft(*actors: str, evidence: tuple[str, ...] = ("src:e",), total: int = 0, **more: Any) -> Draft:
    texts = Texts("題", "title")
    severity = more.get("severity", Severity.LOW)
    return Draft(
        "/".join(actors) or "src", severity, 0.5, actors, more.get("subjects", ()), more.get("source", "src"), texts,
        (texts,), evidence, 0, 0, total or len(evidence),
    )  # fmt: skip


def exception(detector: str = "off-hours", *, days: int = 30, owner: str = "olga", **scope: Any) -> ExceptionTerms:
    return ExceptionTerms(detector, Scope(**scope), owner, TODAY, TODAY + timedelta(days=days - 1))


def values(detector: str = "off-hours", **given: Any) -> ParameterTerms:
    return ParameterTerms(detector, given)


@contextmanager
def refused_for(reason: str) -> Iterator[None]:
    """Something is refused, for this reason."""
    with pytest.raises(TuningRefusedError) as caught:
        yield
    assert caught.value.reason == reason
