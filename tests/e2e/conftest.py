"""A real browser, and the service as a town would start it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "api"))

import uvicorn
from argon2.profiles import CHEAPEST
from house import House, visiting
from ports import free_port
from visit import Town, User, Visit

from api.app import create_app
from api.cli.serving import server_config
from api.installation import open_installation
from api.settings import Settings
from audit.access import Passwords
from audit.clock import FixedClock

MIMAMORI = (sys.executable, "-c", "from api.cli import main; raise SystemExit(main())")


@contextmanager
def _running(folder: Path, *words: str) -> Iterator[Town]:
    """The service on a free port, its messages in files, stopped as a town would stop it."""
    port = free_port()
    out, err = folder / "stdout", folder / "stderr"
    command = [*MIMAMORI, "--data", str(folder / "data"), *words, "--port", str(port)]
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr)
        try:
            deadline = time.monotonic() + 120
            while not _answers(port):
                assert process.poll() is None, err.read_text("utf-8")
                assert time.monotonic() < deadline, err.read_text("utf-8")
                time.sleep(0.1)
            yield Town(f"http://localhost:{port}", out, err)
        finally:
            process.terminate()
            code = process.wait(timeout=30)
    assert code == 0, err.read_text("utf-8")
    assert "Traceback" not in err.read_text("utf-8")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def sample_town(
    browser: Browser,  # noqa: ARG001 - first the browser: without one no town is needed
    demonstration: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("sample")
    shutil.copytree(demonstration.data, folder / "data", symlinks=True)  # the engine has some
    with _running(folder, "demo", "--json") as town:
        # stdout is whole once the port answers: it is written before.
        for row in json.loads((folder / "data" / "sample-sign-ins.json").read_text("utf-8")):
            town.users[row["login_id"]] = User(**row)
        yield town


@pytest.fixture
def empty_town(browser: Browser, tmp_path: Path) -> Iterator[Town]:  # noqa: ARG001 - the same
    with _running(tmp_path, "serve") as town:
        yield town


@pytest.fixture(scope="session")
def the_still_house(
    browser: Browser,  # noqa: ARG001 - as above
    engine_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """An installation whose time stands still until a test moves it, behind a real server on localhost."""
    clock = FixedClock(datetime(2026, 11, 20, 3, 0, 10, tzinfo=UTC))
    data, port = tmp_path_factory.mktemp("still"), free_port()
    settings = Settings(data=data, events_path=engine_path, clickhouse_database="still", port=port)
    with open_installation(settings, clock) as installation:
        installation.access._passwords = Passwords(CHEAPEST)
        server = uvicorn.Server(server_config(create_app(installation, schedule=False), settings))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield House(installation, clock, f"http://localhost:{port}")
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def still(the_still_house: House) -> Iterator[House]:
    with visiting(the_still_house) as house:
        yield house


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go."""
    folder = Path(os.environ.get("MIMAMORI_SHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def visit(browser: Browser, shots: Path) -> Iterator[Visit]:
    """A person at the browser; foreign requests and errors on the console fail the test."""
    context = browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo", viewport={"width": 1280, "height": 900})
    visit = Visit(context.new_page(), shots)
    yield visit
    context.close()
    assert visit.complaints == []
