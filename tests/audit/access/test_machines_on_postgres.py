"""The two state machines of access once more, shorter, with the state in PostgreSQL."""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent / "rights"))

from test_machine import Rights
from test_session_machine import Sessions

_SHORT = settings(max_examples=3, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _on_postgres(on_postgres: None) -> None:
    """Every installation that a machine opens keeps its state there."""


class TestRightsOnPostgres(Rights.TestCase):  # type: ignore[misc]  # made by hypothesis
    settings = _SHORT


class TestSessionsOnPostgres(Sessions.TestCase):  # type: ignore[misc]  # the same
    settings = _SHORT
