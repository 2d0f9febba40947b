"""A log that two nodes judge by detectors small enough to be reckoned by hand."""

import itertools
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from audit.casework import Casework
from audit.casework.repository import LookUpRepository
from audit.clock import TOKYO, FixedClock, day_start
from audit.context import ContextService
from audit.findings import Draft, Finding, FindingFilter, FindingService, Severity
from audit.leases import LeaseService
from audit.log import Delivery, Dimension, EventLog, Filter, LineReader, Lines, LogRepository, Measure
from audit.store.clickhouse import EventStore
from audit.store.state import StateStore
from audit.texts import Texts
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window
from detectors.runner import Runner
from detectors.schedule.due import Past

FIRST = date(2026, 10, 1)
TERM = timedelta(minutes=10)
_numbers = itertools.count(1)


class Killed(BaseException):
    """The process ends here; nothing is cleared up."""


@dataclass(frozen=True, slots=True)
class Least:
    """So many acts are odd."""

    acts: int = 1


@dataclass
class Ticking:
    """Seconds of a clock that nobody sets."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def counting(name: str, look_back: timedelta, meanwhile: Callable[[], None] = lambda: None) -> Detector:
    """A detector that names everybody with acts on the day, and says how many they had since it looks back."""

    def detect(window: Window, reader: Reader, params: Least) -> Iterable[Draft]:
        meanwhile()
        day = reader.aggregate(Filter(start=window.start, end=window.end), (Dimension.ACTOR,), (Measure.EVENTS,))
        since = Filter(start=window.start - look_back, end=window.end)
        all_in_all = {
            row["actor"]: row
            for row in reader.aggregate(since, (Dimension.ACTOR,), (Measure.EVENTS, Measure.LAST_INDEX))
        }
        for row in sorted(day, key=lambda one: one["actor"]):
            found = all_in_all[row["actor"]]
            if row["events"] >= params.acts:
                said = Texts(f"{found['events']} 件", f"{found['events']} acts")
                yield Draft(
                    row["actor"], Severity.LOW, 0.5, (row["actor"],), (), "src", said, (said,), ("src:e",),
                    found["last_index"], found["last_index"], 1,
                )  # fmt: skip

    texts = Texts("試験", "test")
    meta = DetectorMeta(
        name, "1.0.0", texts, texts, "rules", AnalyticType.RULE, Severity.LOW, ("T1078",), ("C-001",), (), look_back,
        texts, texts,
    )  # fmt: skip
    return Detector(meta, Least(), detect, ())


@dataclass
class Node:
    """One of the nodes with its detectors; `meanwhile` happens in the middle of judging, once."""

    name: str
    runner: Runner
    detectors: dict[str, Detector]
    meanwhile: list[Callable[[], None]] = field(default_factory=list)


@dataclass
class Site:
    """Two nodes, one log, one state database; `acts` is what has happened, as the model knows it."""

    SINCE: ClassVar[datetime] = datetime(2026, 10, 1, 3, tzinfo=UTC)
    """Noon of the first day in Tokyo."""

    store: EventStore
    folder: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(Site.SINCE))
    elapsed: Ticking = field(default_factory=Ticking)
    acts: list[tuple[date, str]] = field(default_factory=list)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    past: Past = field(default_factory=Past)
    apart: bool = False

    def __post_init__(self) -> None:
        self.place = self.folder / f"state-{next(_numbers)}.sqlite"
        shutil.copy(self.folder / "empty.sqlite", self.place)
        self.states: list[StateStore] = []
        self.log = EventLog(LogRepository(self.store), self.clock)
        self.findings = FindingService(self._state(), self.clock)
        self.nodes = [self.node("a"), self.node("b")]
        self.deliveries = itertools.count(1)

    def _state(self) -> StateStore:
        """A connection of its own, as each process has."""
        self.states.append(StateStore(f"sqlite:///{self.place}"))
        return self.states[-1]

    def node(self, name: str) -> Node:
        """A process of a node; one that is started again is the same node."""
        state, todo = self._state(), list[Callable[[], None]]()
        context = ContextService(state, self.clock)

        def meanwhile() -> None:
            if todo:
                todo.pop()()

        detectors = {
            one.meta.id: one
            for one in (
                counting("day", timedelta(0)),
                counting("three-days", timedelta(days=2), meanwhile),
            )
        }
        runner = Runner(
            EventLog(LogRepository(self.store), self.clock),
            Casework(LookUpRepository(self.store, name if self.apart else ""), context),
            context,
            FindingService(state, self.clock),
            self.clock,
            lambda: detectors,
            overrides=lambda: self.settings,
            past=lambda: self.past,
            leases=LeaseService(state, name, TERM, self.elapsed),
        )
        return Node(name, runner, detectors, todo)

    def happens(self, day: date, actor: str, hour: int = 10) -> None:
        """One act, delivered now."""
        number = len(self.acts)
        at = datetime(day.year, day.month, day.day, hour, tzinfo=TOKYO)
        event = {
            "time": at.isoformat(), "event_id": f"e{number}", "activity": "view", "actor": {"id": actor},
            "subjects": [f"k{number}"],
        }  # fmt: skip
        received = max(self.clock.now(), at.astimezone(UTC))
        delivery = Delivery(next(self.deliveries), "src", received)
        assert self.log.append(delivery, LineReader(received).read(Lines.of(json.dumps(event).encode()))).stored == 1
        self.acts.append((day, actor))

    def catch_up(self) -> None:
        """Let one node judge until nothing is due, whoever held the lease."""
        node = self.node("a")
        while node.runner.run().elsewhere:
            self.elapsed.now += TERM.total_seconds()

    def shown(self) -> dict[tuple[str, date, str], str]:
        """The findings that stand: what each says, by detector, day and actor."""
        found: list[Finding] = self.findings.listing(FindingFilter(status="open"))
        shown = {(one.detector, one.start.astimezone(TOKYO).date(), one.actors[0]): one.title.en for one in found}
        assert len(shown) == len(found), "a finding stands twice"
        return shown

    def expected(self) -> dict[tuple[str, date, str], str]:
        """The same by reckoning over everything that has happened."""
        said = {}
        for name, back in (("day", 0), ("three-days", 2)):
            least = self.settings.get(name, {}).get("acts", 1)
            for day in {day for day, _ in self.acts}:
                of_day = Counter(actor for on, actor in self.acts if on == day)
                reach = Counter(actor for on, actor in self.acts if day - timedelta(days=back) <= on <= day)
                said.update(
                    {(name, day, actor): f"{reach[actor]} acts" for actor, count in of_day.items() if count >= least}
                )
        return said

    def close(self) -> None:
        for state in self.states:
            state.close()


def window_of(day: date) -> datetime:
    """When its window begins."""
    return day_start(day)
