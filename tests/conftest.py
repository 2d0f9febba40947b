"""What every test of a run shares."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))  # `ports`, for every test


@pytest.fixture(scope="session")
def engine_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded engine's folder: chDB holds one in a process, so each test takes a database of its own in it."""
    return tmp_path_factory.getbasetemp() / "engine"


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
