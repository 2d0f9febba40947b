import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url

import audit.store.state

sys.path.insert(0, str(Path(__file__).parents[2] / "doubles"))
sys.path.insert(0, str(Path(__file__).parent))

from private_postgres import Postgres, private_postgres
from sign_in_town import Town


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with private_postgres() as server:
        yield server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is marked so holds on both engines that may keep the state."""
    if metafunc.definition.get_closest_marker("both_engines"):
        metafunc.parametrize("state_engine", ("sqlite", "postgresql"), indirect=True)


@pytest.fixture
def on_postgres(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A PostgreSQL database stands for each SQLite file that a test names."""
    named = set[str]()

    def instead(url: str, **options: Any) -> Engine:
        name = make_url(url).database or ""
        named.add(name)
        return create_engine(postgres.database(name), **options)

    monkeypatch.setattr(audit.store.state, "create_engine", instead)
    yield
    for name in named:
        postgres.drop(name)


@pytest.fixture(autouse=True)
def state_engine(request: pytest.FixtureRequest) -> str:
    """The engine of the state. `MIMAMORI_STATE_TESTS=postgresql` runs every test of this folder there, by hand: the two
    that look for secrets in the file of SQLite find none.
    """
    chosen: str = getattr(request, "param", os.environ.get("MIMAMORI_STATE_TESTS", "sqlite"))
    if chosen == "postgresql":
        request.getfixturevalue("on_postgres")
    return chosen


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path / "state.db")
    yield town
    town.store.close()
