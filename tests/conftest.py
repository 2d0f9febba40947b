"""What every test of a run shares."""

import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))  # `ports`, for every test

from forked import mimamori
from lending import Lending

from audit.store.clickhouse import EventStore

MEMORY = Path("/dev/shm")
ROOM = 2 << 30


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with slow tests first: begun last, one would keep a whole run waiting. After pytest-randomly's order."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def engine_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The embedded engine's folder: chDB holds one in a process, so each test takes a database of its own in it.

    In memory where there is room: on a disk, a quarter of a small test's time goes into emptying tables for the next.
    What is about the disk (`faults`, `system`) has folders of its own.
    """
    if not (os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM):
        yield tmp_path_factory.getbasetemp() / "engine"
        return
    with tempfile.TemporaryDirectory(prefix="mimamori-", dir=MEMORY, ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "engine"


@pytest.fixture(scope="session")
def lending(engine_path: Path) -> Iterator[Lending]:
    """Lends databases of the embedded engine."""
    lending = Lending(lambda database: EventStore(path=engine_path, database=database))
    yield lending
    lending.close()


@dataclass(frozen=True)
class Made:
    """What `mimamori --json demo --no-serve` left behind and said."""

    data: Path
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The demonstration, made by the first worker that asks; whoever does something with it takes a copy."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    data, told = shared / "demonstration", shared / "demonstration.json"
    with (shared / "demonstration.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            shutil.rmtree(data, ignore_errors=True)
            done = mimamori("--data", str(data), "--json", "demo", "--no-serve", seconds=900)
            assert done.returncode == 0, done.stderr
            told.write_text(json.dumps({"stdout": done.stdout, "stderr": done.stderr}), "utf-8")
    return Made(data, **json.loads(told.read_text("utf-8")))


@pytest.fixture(autouse=True)
def _messages() -> Iterator[None]:
    """A command that a test calls writes its messages to the standard error of that test, which then is closed."""
    yield
    structlog.reset_defaults()


# A browser that calls home would blur what this test is about: our pages ask nobody else.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the whole run: a second beside it cannot be started in the same process."""
    chromium = shutil.which("chromium")
    if chromium is None:
        reason = "missing program: chromium (tests/system/install.sh installs it)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"browser test impossible in CI: {reason}")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield opened
        opened.close()
