"""The engines that the store's contract is run on; every test has a database of its own.

chDB holds one engine path in a process, so everything in one run shares `getbasetemp() / "engine"`.
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from audit.clock import FixedClock
from audit.log import Delivery, EventLog, LogRepository
from audit.store.clickhouse import EventStore
from audit.store.migrate import migrate

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

    def reopened(self) -> EventLog:
        """The log as another start of the service would see it."""
        return EventLog(LogRepository(self.store), self.clock)


@pytest.fixture(scope="session")
def chdb_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp() / "engine"


@pytest.fixture(scope="session")
def double_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command = [sys.executable, str(DOUBLE), str(tmp_path_factory.mktemp("double") / "engine")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as double:
        assert double.stdout is not None
        yield f"http://default@127.0.0.1:{int(double.stdout.readline())}"
        double.communicate(timeout=20)


def _engine(name: str, request: pytest.FixtureRequest) -> Engine:
    if name == "chdb":
        return Engine(name, {"path": request.getfixturevalue("chdb_path")})
    url = os.environ["CLICKHOUSE_URL"] if name == "server" else request.getfixturevalue("double_url")
    return Engine(name, {"url": url})


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return _engine(request.param, request)


@pytest.fixture
def store(engine: Engine) -> Iterator[EventStore]:
    """A database without tables, gone after the test."""
    name = f"t{uuid.uuid4().hex}"
    opened = engine.open(name)
    yield opened
    opened.command(f"DROP DATABASE `{name}`")
    opened.close()


@pytest.fixture
def desk(engine: Engine, store: EventStore) -> Desk:
    clock = FixedClock(NOW)
    migrate(store, clock)
    return Desk(engine, store, EventLog(LogRepository(store), clock), clock)


@pytest.fixture(scope="module")
def chdb_desk(chdb_path: Path) -> Iterator[Desk]:
    """A log in the embedded engine for all tests of a module: they must not mind each other's events."""
    name = f"t{uuid.uuid4().hex}"
    engine = Engine("chdb", {"path": chdb_path})
    opened = engine.open(name)
    clock = FixedClock(NOW)
    migrate(opened, clock)
    yield Desk(engine, opened, EventLog(LogRepository(opened), clock), clock)
    opened.command(f"DROP DATABASE `{name}`")
    opened.close()
