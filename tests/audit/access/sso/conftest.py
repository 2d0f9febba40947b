import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.access.sso import SigningKeys
from audit.store.state import StateStore

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[3] / "doubles"))

from sso_desk import Desk


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of keys, made once: an RSA key takes a while."""
    path = tmp_path_factory.mktemp("keys") / "sso.json"
    SigningKeys(path)
    return path


@pytest.fixture(scope="session")
def empty_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state database with its tables, made once."""
    path = tmp_path_factory.mktemp("state") / "state.db"
    store = StateStore(f"sqlite:///{path}")
    store.create_tables()
    store.close()
    return path


@pytest.fixture
def desk(tmp_path: Path, made_keys: Path, empty_state: Path) -> Iterator[Desk]:
    shutil.copy(empty_state, tmp_path / "state.db")
    (tmp_path / "keys").mkdir()
    shutil.copy(made_keys, tmp_path / "keys" / "sso.json")
    desk = Desk(tmp_path)
    yield desk
    desk.store.close()
