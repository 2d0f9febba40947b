import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "doubles"))
sys.path.insert(0, str(Path(__file__).parent))

from sign_in_town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path / "state.db")
    yield town
    town.store.close()
