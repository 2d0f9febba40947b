"""A log for each test, and one for all tests of a module that must not mind each other's sources."""

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from audit.store.clickhouse import EventStore

sys.path.insert(0, str(Path(__file__).parent))

from foreign import Desk


@contextmanager
def _opened(folder: Path, engine_path: Path) -> Iterator[Desk]:
    name = f"t{uuid.uuid4().hex}"
    store = EventStore(path=engine_path, database=name)
    desk = Desk(folder, store)
    yield desk
    desk.state.close()
    store.command(f"DROP DATABASE `{name}`")
    store.close()


@pytest.fixture
def desk(tmp_path: Path, engine_path: Path) -> Iterator[Desk]:
    with _opened(tmp_path, engine_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory, engine_path: Path) -> Iterator[Desk]:
    with _opened(tmp_path_factory.mktemp("desk"), engine_path) as opened:
        yield opened
