"""The state database on both engines."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "doubles"))

from private_postgres import Postgres, private_postgres

from audit.store.state import StateStore


@pytest.fixture(scope="session")
def lease_postgres() -> Iterator[Postgres]:
    with private_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a state database with all tables is."""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("lease_postgres")
        name = f"leases-{request.node.name}"
        yield server.database(name).render_as_string(hide_password=False)
        server.drop(name)
        return
    place = f"sqlite:///{tmp_path / 'state.sqlite'}"
    store = StateStore(place)
    store.create_tables()
    store.close()
    yield place


@pytest.fixture
def state(url: str) -> Iterator[StateStore]:
    store = StateStore(url)
    yield store
    store.close()
