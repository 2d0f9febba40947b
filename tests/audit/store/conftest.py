from datetime import UTC, datetime

import pytest

from audit.clock import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 20, 3, 0, 0, 250_000, tzinfo=UTC))
