"""A small town's desk on the real engine, for each test its own."""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from looks import Desk, MakeDesk

from audit.store.clickhouse import EventStore, Purpose
from audit.store.state import StateStore

_numbers = itertools.count(1)


@pytest.fixture
def desk(engine_path: Path, tmp_path: Path) -> Iterator[MakeDesk]:
    opened: list[tuple[EventStore, StateStore]] = []

    def make() -> Desk:
        name = f"casework{next(_numbers)}"
        opened.append((EventStore(path=engine_path, database=name), StateStore(f"sqlite:///{tmp_path}/{name}.db")))
        return Desk(*opened[-1])

    yield make
    for store, state in opened:
        store.command(f"DROP DATABASE `{store.database}`", purpose=Purpose.MIGRATE)
        store.close()
        state.close()
