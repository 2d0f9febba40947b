"""A small town's desk on the real engine, for each test its own."""

import itertools
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lending import Lending
from looks import Desk, MakeDesk

from audit.store.state import StateStore

_numbers = itertools.count(1)


@pytest.fixture
def desk(lending: Lending, tmp_path: Path) -> Iterator[MakeDesk]:
    with ExitStack() as opened:

        def make() -> Desk:
            state = StateStore(f"sqlite:///{tmp_path}/casework{next(_numbers)}.db")
            opened.callback(state.close)
            return Desk(opened.enter_context(lending.one()), state)

        yield make
