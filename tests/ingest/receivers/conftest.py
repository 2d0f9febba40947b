"""The inbox the receivers' tests hand over to."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from memory_inbox import MemoryInbox


@pytest.fixture
def inbox() -> MemoryInbox:
    return MemoryInbox()
