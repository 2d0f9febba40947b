"""One installation with all its doors for the tests of this folder: chDB holds one engine path in a process."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from argon2.profiles import CHEAPEST

from api.app import create_app
from api.cli.serving import server_config
from api.installation import open_installation
from api.receivers import running
from api.settings import Settings
from audit.access import Passwords
from audit.clock import FixedClock

sys.path.insert(0, str(Path(__file__).parent))

from gatehouse import PROFILES, RECEIVERS, Gate, House


@pytest.fixture(scope="session")
def the_gate(engine_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    data = tmp_path_factory.mktemp("gate")
    (data / "sources").mkdir()
    for name, text in PROFILES.items():
        (data / "sources" / f"{name}.toml").write_text(text, encoding="utf-8")
    (data / "receivers.toml").write_text(RECEIVERS)
    settings = Settings(
        data=data, events_path=engine_path, clickhouse_database="abuse", max_body=8 << 20, max_unpacked=32 << 20
    )
    clock = FixedClock(datetime(2026, 11, 20, 3, 0, 10, tzinfo=UTC))
    with ExitStack() as stack:
        installation = stack.enter_context(open_installation(settings, clock))
        installation.access._passwords = Passwords(CHEAPEST)
        receivers = stack.enter_context(running(installation))
        receivers.folder._limits = replace(receivers.folder._limits, poll_seconds=0.2)
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
            http = stack.enter_context(httpx.Client(base_url=house.address, timeout=60))
            yield Gate(house, receivers, http)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def gate(the_gate: Gate) -> Iterator[Gate]:
    with ExitStack() as opened:
        the_gate.house.open = opened
        yield the_gate
