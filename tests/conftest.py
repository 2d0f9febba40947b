"""What every test of a run shares."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `ports`, for every test


@pytest.fixture(scope="session")
def engine_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded engine's folder: chDB holds one in a process, so each test takes a database of its own in it."""
    return tmp_path_factory.getbasetemp() / "engine"
