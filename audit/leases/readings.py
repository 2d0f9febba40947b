"""Whether this node's clock goes on as time does: one that is set is told of, whoever set it."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from audit.clock import Clock
from audit.leases.model import Step
from audit.leases.repository import LeaseRepository
from audit.store.state import StateStore

__all__ = ["ClockReadings"]

_TOLERANCE = timedelta(minutes=2)
"""Less is what time servers put right, and what a busy machine takes between two readings."""


def _since_boot() -> float:
    """Seconds of a clock that nobody sets and that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class ClockReadings:
    """Reads the clock of one node, again and again.

    Args:
        state: where the last reading is kept, so that a restart hides no step back.
        node: whose clock.
        clock: the clock.
        elapsed: seconds of a clock that nobody sets.
    """

    def __init__(self, state: StateStore, node: str, clock: Clock, elapsed: Callable[[], float] = _since_boot) -> None:
        self._state = state
        self._node = node
        self._clock = clock
        self._elapsed = elapsed
        self._last: tuple[datetime, float] | None = None
        self._read: tuple[datetime, float] | None = None

    def look(self) -> Step | None:
        """Read the clock; how it was set since the last reading that was kept, if it was.

        Before the first reading of this process only a step back can be told: how long the process was not there,
        nobody knows. A reading that shows no step is kept at once. One that does is kept by `keep`, when it has been
        told: until then each further look says so again.
        """
        now, elapsed = self._clock.now(), self._elapsed()
        step = None
        if self._last is not None:
            before, then = self._last
            by = now - before - timedelta(seconds=elapsed - then)
            step = Step(before, now, by)
        elif (kept := self._kept()) is not None:
            step = Step(kept, now, min(now - kept, timedelta(0)))
        self._read = now, elapsed
        if step is not None and abs(step.by) > _TOLERANCE:
            return step
        self.keep()
        return None

    def keep(self) -> None:
        """Keep the reading of the last look: what comes next is measured by it."""
        if self._read is None:
            return
        with self._state.unit() as session:
            LeaseRepository(session).enter_reading(self._node, self._read[0])
        self._last = self._read

    def _kept(self) -> datetime | None:
        with self._state.unit() as session:
            return LeaseRepository(session).last_reading(self._node)
