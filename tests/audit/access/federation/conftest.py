import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.clock import FixedClock
from audit.store.state import StateStore

sys.path.insert(0, str(Path(__file__).parent))

from product import Gate, Product


@pytest.fixture(scope="session")
def empty_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state database with its tables, made once."""
    path = tmp_path_factory.mktemp("state") / "state.db"
    store = StateStore(f"sqlite:///{path}")
    store.create_tables()
    store.close()
    return path


@pytest.fixture
def gate(tmp_path: Path, empty_state: Path) -> Iterator[Gate]:
    shutil.copy(empty_state, tmp_path / "state.db")
    clock = FixedClock(datetime(2026, 10, 5, 0, 0, 10, tzinfo=UTC))
    product = Product(clock)
    gate = Gate(tmp_path / "state.db", clock, product)
    yield gate
    product.close()
    gate.store.close()
