"""A town that several tests read: simulated and written once in a run."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `lab_reading`

from lab_reading import START, Read, read_events

from detectors.lab import Town, TownFiles, simulate


@pytest.fixture(scope="session")
def town() -> Town:
    return simulate(staff=60, days=30, start=START, seed=1)


@pytest.fixture(scope="session")
def files(town: Town, tmp_path_factory: pytest.TempPathFactory) -> TownFiles:
    return town.write(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="session")
def plain_files(town: Town, tmp_path_factory: pytest.TempPathFactory) -> TownFiles:
    """The same town, wholly in the contract's form."""
    return town.write(tmp_path_factory.mktemp("plain"), native=False)


@pytest.fixture(scope="session")
def events(files: TownFiles) -> list[Read]:
    return read_events(files)
