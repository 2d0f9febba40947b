"""A small town on the real engine, for detectors to look at."""

import itertools
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from audit.casework import Casework, LookUp, LookUpDimension, LookUpFilter, LookUpMeasure
from audit.casework.repository import LookUpRepository
from audit.clock import FixedClock
from audit.context import ContextService, WorkContext
from audit.findings import Draft
from audit.log import (
    Correlation,
    Delivery,
    Dimension,
    EventLog,
    Filter,
    LineReader,
    Lines,
    LogRepository,
    Match,
    Measure,
)
from audit.store.clickhouse import EventStore, Purpose
from audit.store.migrate import migrate
from audit.store.state import StateStore
from detectors.model import Detector, Window
from detectors.runner import LogReader

LATER = FixedClock(datetime(2026, 12, 1, tzinfo=UTC))
_numbers = itertools.count(1)


@dataclass
class CountingReader:
    """The real reader, and how many rows it handed out."""

    reader: LogReader
    match: Callable[[], None]
    rows: int = 0

    @property
    def context(self) -> WorkContext:
        return self.reader.context

    def aggregate(
        self,
        wanted: Filter,
        by: Sequence[Dimension],
        measures: Sequence[Measure],
        at_least: Mapping[Measure, int] | None = None,
    ) -> list[dict[str, Any]]:
        found = self.reader.aggregate(wanted, by, measures, at_least)
        self.rows += len(found)
        return found

    def columns(self, wanted: Filter, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        for row in self.reader.columns(wanted, columns):
            self.rows += 1
            yield row

    def look_ups(self, wanted: LookUpFilter) -> Iterator[LookUp]:
        self.match()
        for row in self.reader.look_ups(wanted):
            self.rows += 1
            yield row

    def count_look_ups(
        self,
        wanted: LookUpFilter,
        by: Sequence[LookUpDimension],
        measures: Sequence[LookUpMeasure],
        at_least: Mapping[LookUpMeasure, int] | None = None,
    ) -> list[dict[str, Any]]:
        self.match()
        found = self.reader.count_look_ups(wanted, by, measures, at_least)
        self.rows += len(found)
        return found

    def matching(self, wanted: Filter, sought: Correlation, since: datetime, limit: int) -> list[Match]:
        found = self.reader.matching(wanted, sought, since, limit)
        self.rows += len(found)
        return found

    def matched(
        self, wanted: Filter, sought: Correlation, matches: Sequence[Match], limit: int
    ) -> Iterator[dict[str, Any]]:
        for row in self.reader.matched(wanted, sought, matches, limit):
            self.rows += 1
            yield row

    def suspected(self, start: date, end: date, without: str) -> frozenset[tuple[date, str]]:
        return self.reader.suspected(start, end, without)

    def kept(self, name: str, made_of: Hashable, make: Callable[[], Any]) -> Any:
        return self.reader.kept(name, made_of, make)


@dataclass
class Town:
    """A log and context feeds of its own."""

    store: EventStore
    state: StateStore
    leave: Callable[[EventStore], None]
    log: EventLog = field(init=False)
    context: ContextService = field(init=False)
    casework: Casework = field(init=False)
    made: bool = False

    def __post_init__(self) -> None:
        self.log = EventLog(LogRepository(self.store), LATER)
        self.context = ContextService(self.state)
        self.casework = Casework(LookUpRepository(self.store), self.context)

    def take_in(self, events: Iterable[Mapping[str, Any]], feeds: Mapping[str, str]) -> None:
        """One delivery per source; every record must be stored."""
        by_source: dict[str, list[bytes]] = defaultdict(list)
        for event in events:
            doc = {**event}
            by_source[doc.pop("source")].append(json.dumps(doc).encode())
        for number, (source, delivered) in enumerate(by_source.items(), start=1):
            lines = Lines.of(b"\n".join(delivered))
            appended = self.log.append(Delivery(number, source, LATER.now()), LineReader(LATER.now()).read(lines))
            assert appended.stored == len(delivered), appended
        for kind, text in feeds.items():
            self.context.import_feed(kind, text.encode())
        self.made = False

    def match(self) -> None:
        """Make the look-ups, once somebody asks for them: most detectors do not."""
        if not self.made:
            self.made = True
            if days := [row["day"] for row in self.log.aggregate(Filter(), (Dimension.DAY,), (Measure.EVENTS,))]:
                self.casework.make(min(days), max(days))

    def reader(self, detector: Detector, day: date) -> CountingReader:
        window = Window.of_day(day)
        context = self.context.over(window.start - detector.meta.look_back, window.end)
        return CountingReader(LogReader(self.log, self.casework, context), self.match)

    def judge(self, detector: Detector, day: date) -> list[Draft]:
        return list(detector.detect(Window.of_day(day), self.reader(detector, day), detector.parameters))

    def close(self) -> None:
        self.state.close()
        self.leave(self.store)


MakeTown = Callable[[Iterable[Mapping[str, Any]], Mapping[str, str]], Town]


@pytest.fixture(scope="session")
def make_town(engine_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeTown]:
    """Makes towns; the tables of one that is gone are emptied for the next, which is faster than making them."""
    folder = tmp_path_factory.mktemp("state")
    empty = folder / "empty.db"
    state = StateStore(f"sqlite:///{empty}")
    state.create_tables()
    state.close()
    free: list[EventStore] = []
    every: list[EventStore] = []

    def leave(store: EventStore) -> None:
        names = (
            "SELECT name FROM system.tables"
            " WHERE database = currentDatabase() AND name != 'migrations' AND total_rows != 0"
        )
        for row in store.rows(names, purpose=Purpose.MIGRATE):
            store.command(f"TRUNCATE TABLE `{row['name']}`", purpose=Purpose.MIGRATE)
        free.append(store)

    def make(events: Iterable[Mapping[str, Any]], feeds: Mapping[str, str]) -> Town:
        name = f"detectors_{next(_numbers)}"
        if not free:
            every.append(EventStore(path=engine_path, database=name, readers=1))
            migrate(every[-1], LATER)
            free.append(every[-1])
        shutil.copy(empty, folder / f"{name}.db")
        town = Town(free.pop(), StateStore(f"sqlite:///{folder / name}.db"), leave)
        town.take_in(events, feeds)
        return town

    yield make
    for store in every:
        store.command(f"DROP DATABASE `{store.database}`", purpose=Purpose.MIGRATE)
        store.close()


@pytest.fixture
def town(make_town: MakeTown) -> Iterator[MakeTown]:
    """Makes towns that are gone after the test."""
    made: list[Town] = []

    def make(events: Iterable[Mapping[str, Any]], feeds: Mapping[str, str]) -> Town:
        made.append(make_town(events, feeds))
        return made[-1]

    yield make
    for each in made:
        each.close()
