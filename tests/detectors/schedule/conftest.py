"""A log that two nodes judge."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from two_nodes import Site

from audit.clock import FixedClock
from audit.store.clickhouse import Purpose
from audit.store.migrate import migrate
from audit.store.scratch import ScratchStore
from audit.store.state import StateStore


@pytest.fixture(scope="session")
def site_store(engine_path: Path) -> Iterator[ScratchStore]:
    """One database, emptied for every site: to make one takes longer than a test."""
    store = ScratchStore(path=engine_path, database="two_nodes", readers=1)
    migrate(store, FixedClock(Site.SINCE))
    yield store
    store.close()


@pytest.fixture(scope="session")
def empty_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for state databases, and in it an empty one to copy."""
    folder = tmp_path_factory.mktemp("sites")
    state = StateStore(f"sqlite:///{folder / 'empty.sqlite'}")
    state.create_tables()
    state.close()
    return folder


@pytest.fixture
def make_site(site_store: ScratchStore, empty_state: Path) -> Iterator[Callable[..., Site]]:
    """Makes sites one after the other; the next one ends the one before."""
    made: list[Site] = []

    def make(*, apart: bool = False) -> Site:
        while made:
            made.pop().close()
        site_store.empty()
        made.append(Site(site_store, empty_state, apart=apart))
        return made[-1]

    yield make
    while made:
        made.pop().close()
    for name in ("a", "b"):
        for table in ("residents", "posts", "cases", "approvals", "acts"):
            site_store.command(f"DROP TABLE IF EXISTS casework_{table}_{name}", purpose=Purpose.MIGRATE)
        site_store.command(f"DROP TABLE IF EXISTS lookups_made_{name}", purpose=Purpose.MIGRATE)


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site."""
    return make_site()
