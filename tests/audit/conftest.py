"""The engines that the store's contract is run on; every test has a database of its own."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lending import Lending

from audit.clock import FixedClock
from audit.log import Appended, Delivery, EventLog, LineReader, Lines, LogRepository, Reading
from audit.store.clickhouse import EventStore

NOW = datetime(2026, 11, 20, 3, 0, 0, 250_000, tzinfo=UTC)
DOUBLE = Path(__file__).parents[1] / "doubles" / "clickhouse_http.py"
ENGINES = ("chdb", "http", *(("server",) if os.environ.get("CLICKHOUSE_URL") else ()))


@dataclass
class Engine:
    """Where an engine is, and what it is called in the capability table."""

    name: str
    where: dict[str, Any]

    def open(self, database: str) -> EventStore:
        """Clients of one database."""
        return EventStore(**self.where, database=database)


@dataclass
class Desk:
    """An empty log and all it stands on."""

    engine: Engine
    store: EventStore
    log: EventLog
    clock: FixedClock

    def delivery(self, number: int = 1, source: str = "src") -> Delivery:
        """A delivery that arrives now."""
        return Delivery(number, source, self.clock.now())

    def take(self, delivery: Delivery, lines: Sequence[tuple[int, bytes]], log: EventLog | None = None) -> Appended:
        """Read lines of a delivery and append them."""
        return (log or self.log).append(delivery, self.read(delivery, lines))

    @staticmethod
    def read(delivery: Delivery, lines: Sequence[tuple[int, bytes]]) -> Reading:
        """Read lines of a delivery."""
        first = lines[0][0] if lines else 1
        numbered = Lines.of(b"\n".join(raw for _, raw in lines), first)
        return LineReader(delivery.received_at, delivery.future_tolerance).read(numbered)

    def reopened(self) -> EventLog:
        """The log as another start of the service would see it."""
        return EventLog(LogRepository(self.store), self.clock)


@pytest.fixture(scope="session")
def double_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command = [sys.executable, str(DOUBLE), str(tmp_path_factory.mktemp("double") / "engine")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as double:
        assert double.stdout is not None
        yield f"http://default@127.0.0.1:{int(double.stdout.readline())}"
        double.communicate(timeout=20)


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "chdb":
        return Engine("chdb", {"path": request.getfixturevalue("engine_path")})
    server = os.environ["CLICKHOUSE_URL"] if request.param == "server" else request.getfixturevalue("double_url")
    return Engine(request.param, {"url": server})


@contextmanager
def fresh(engine: Engine) -> Iterator[EventStore]:
    """A database without tables, gone afterwards."""
    name = f"t{uuid.uuid4().hex}"
    opened = engine.open(name)
    try:
        yield opened
    finally:
        opened.command(f"DROP DATABASE `{name}`")
        opened.close()


@pytest.fixture(scope="session")
def engine_lending(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Lending]:
    """Lends databases of the engine."""
    if engine.name == "chdb":
        yield request.getfixturevalue("lending")
        return
    lending = Lending(engine.open)
    yield lending
    lending.close()


@contextmanager
def _desk(engine: Engine, lending: Lending) -> Iterator[Desk]:
    with lending.one() as opened:
        clock = FixedClock(NOW)
        yield Desk(engine, opened, EventLog(LogRepository(opened), clock), clock)


@pytest.fixture
def store(engine: Engine) -> Iterator[EventStore]:
    """A database without tables."""
    with fresh(engine) as opened:
        yield opened


@pytest.fixture
def desk(engine: Engine, engine_lending: Lending) -> Iterator[Desk]:
    """An empty log."""
    with _desk(engine, engine_lending) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_desk(engine: Engine, engine_lending: Lending) -> Iterator[Desk]:
    """A log for all tests of a module: they must not mind each other's events."""
    with _desk(engine, engine_lending) as opened:
        yield opened


@pytest.fixture(scope="module")
def chdb_desk(engine_path: Path, lending: Lending) -> Iterator[Desk]:
    """The same in the embedded engine only, where a test is about our reading and not about the engine."""
    with _desk(Engine("chdb", {"path": engine_path}), lending) as opened:
        yield opened
