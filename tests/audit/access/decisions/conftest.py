import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.clock import FixedClock
from audit.store.state import StateStore

sys.path.insert(0, str(Path(__file__).parent))

from asking import NOW, Log


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    store = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    store.create_tables()
    yield store
    store.close()
