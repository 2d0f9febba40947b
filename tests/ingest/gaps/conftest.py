"""A town that listens: a real log, a real book of deliveries, and a watch over what should arrive."""

import io
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.clock import TOKYO, FixedClock
from audit.context import ContextService
from audit.findings import Finding, FindingFilter, FindingService
from audit.log import EventLog, LogRepository
from audit.log.announcements import AnnouncementBook
from audit.log.quarantine import Arrival, DeliveryBook
from audit.store.clickhouse import EventStore
from audit.store.migrate import migrate
from audit.store.state import StateStore
from ingest.gaps import GapService, GapSummary
from ingest.pipeline import Pipeline, Reconciliation
from ingest.sources.profile import Profile, Rhythm

BEGIN = datetime(2026, 10, 5, 8, 30, tzinfo=TOKYO)  # a Monday


def tokyo(text: str) -> datetime:
    """`10-05 13:00` of 2026, or `2027-01-04 09:00`, in Asia/Tokyo."""
    return datetime.fromisoformat(text if text[4] == "-" else f"2026-{text}").replace(tzinfo=TOKYO)


@dataclass
class Town:
    """Everything a look needs."""

    folder: Path
    store: EventStore
    clock: FixedClock = field(default_factory=lambda: FixedClock(BEGIN))
    catalogue: dict[str, Profile] = field(default_factory=dict)
    expected: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.state = StateStore(f"sqlite:///{self.folder / 'state.db'}")
        self.state.create_tables()
        self.log = EventLog(LogRepository(self.store), self.clock)
        self.book = DeliveryBook(self.state, self.folder / "quarantine", b"k" * 32)
        self.announcements = AnnouncementBook(self.state)
        self.context = ContextService(self.state)
        self.findings = FindingService(self.state, self.clock)
        self.gaps = self.watch()

    def watch(self) -> GapService:
        """The watch as another start of the service would have it."""
        return GapService(
            self.log,
            self.book,
            self.announcements,
            self.context,
            self.findings,
            self.clock,
            self.catalogue,
            expected=self.expected,
        )

    def source(self, name: str, kind: str = "core", **rhythm: Any) -> None:
        """Put a source with a rhythm into the catalogue."""
        self.catalogue[name] = Profile(name, f"{name} システム", f"System {name}", kind=kind, rhythm=Rhythm(**rhythm))

    def at(self, moment: str | datetime) -> "Town":
        """Turn the clock."""
        at = tokyo(moment) if isinstance(moment, str) else moment
        self.clock.advance(at - self.clock.now())
        return self

    def take(
        self, *events: Mapping[str, Any] | bytes, source: str = "src", name: str = "batch", sha256: str = ""
    ) -> Reconciliation:
        """Take a delivery in."""
        lines = [
            event
            if isinstance(event, bytes)
            else json.dumps({"activity": "view", "actor": {"id": "s0412"}, **event}).encode()
            for event in events
        ]
        return Pipeline(self.log, self.book, self.clock).take(
            Arrival(source, name, "jsonl", self.clock.now(), sha256=sha256),
            io.BytesIO(b"\n".join(lines)),
            self.catalogue.get(source) or Profile(source, source, source),
        )

    def hear(self, *moments: str, source: str = "src", name: str = "batch") -> Reconciliation:
        """Take in events of these moments."""
        return self.take(*({"time": tokyo(moment).isoformat()} for moment in moments), source=source, name=name)

    def number(
        self, numbers: Iterable[int], start: datetime, step: float = 1.0, source: str = "src", name: str = "batch"
    ) -> Reconciliation:
        """Take in numbered events, the n-th of them `n * step` seconds after a moment."""
        return self.take(
            *(
                {"time": (start + timedelta(seconds=step * place)).isoformat(), "sequence": n}
                for place, n in enumerate(numbers)
            ),
            source=source,
            name=name,
        )

    def look(self) -> GapSummary:
        """Look."""
        return self.gaps.run()

    def look_twice(self) -> None:
        """A second look at the same moment, by a service just started, changes nothing."""
        self.gaps.run()
        before = self.found(), self.announcements.memories()
        again = self.watch().run()
        assert (again.opened, again.filled, again.withdrawn, again.events) == (0, 0, 0, 0)
        assert (self.found(), self.announcements.memories()) == before

    def found(self, detector: str = "", status: str = "") -> list[Finding]:
        """Findings, oldest first, withdrawn ones only when asked for."""
        return self.findings.listing(FindingFilter(detector=detector, status=status))[::-1]


@pytest.fixture(scope="module")
def events(engine_path: Path) -> Iterator[EventStore]:
    """Tables for all tests of a module, emptied for each."""
    name = f"t{uuid.uuid4().hex}"
    store = EventStore(path=engine_path, database=name, readers=1)
    migrate(store, FixedClock(BEGIN))
    yield store
    store.command(f"DROP DATABASE `{name}`")
    store.close()


@pytest.fixture
def town(tmp_path: Path, events: EventStore) -> Iterator[Town]:
    events.command("TRUNCATE TABLE events")
    opened = Town(tmp_path, events)
    yield opened
    opened.look_twice()
    opened.state.close()
