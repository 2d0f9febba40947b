"""A bench for each test."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tuning_bench import TuningBench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[TuningBench]:
    bench = TuningBench(tmp_path / "state.sqlite")
    yield bench
    bench.state.close()
