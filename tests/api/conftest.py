"""One installation for all tests of this folder: chDB holds one engine path in a process."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from argon2.profiles import CHEAPEST

from api.app import create_app
from api.cli import main
from api.cli.serving import server_config
from api.installation import open_installation
from api.settings import Settings
from audit.access import Passwords
from audit.clock import FixedClock
from audit.store.clickhouse import EventStore

sys.path.insert(0, str(Path(__file__).parent))

from house import House, visiting


@pytest.fixture(scope="session")
def the_house(engine_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    clock = FixedClock(datetime(2026, 11, 20, 3, 0, 10, tzinfo=UTC))
    data = tmp_path_factory.mktemp("house")
    settings = Settings(data=data, events_path=engine_path, clickhouse_database="house")
    with open_installation(settings, clock) as installation:
        installation.access._passwords = Passwords(CHEAPEST)
        # Port 0: the system gives a free one, which Settings rightly does not let a town ask for.
        config = server_config(create_app(installation, schedule=False), settings.model_copy(update={"port": 0}))
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            house = House(installation, clock, f"http://127.0.0.1:{port}")
            house.settle()
            yield house
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def house(the_house: House) -> Iterator[House]:
    with visiting(the_house) as house:
        yield house


@pytest.fixture
def mimamori_here(
    engine_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """`mimamori` with some words in this process, which has its engine: where a process of its own is not the point."""
    database = f"here_{tmp_path.name}"[:60]
    monkeypatch.setenv("MIMAMORI_EVENTS_PATH", str(engine_path))
    monkeypatch.setenv("MIMAMORI_CLICKHOUSE_DATABASE", database)

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        code = main([str(word) for word in words])
        return subprocess.CompletedProcess(words, code, *capsys.readouterr())

    yield run
    store = EventStore(path=engine_path, database="default", readers=1)
    store.command(f"DROP DATABASE IF EXISTS `{database}`")
    store.close()
