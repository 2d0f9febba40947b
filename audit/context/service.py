"""Bringing context feeds in, and asking what was known over a span."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.context.feeds import read_rows
from audit.context.model import WorkContext
from audit.context.repository import ContextRepository
from audit.store.state import StateStore

__all__ = ["ContextService", "Imported"]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a feed brought: rows read, and how many entries are new, changed or as they were."""

    read: int
    new: int
    changed: int
    unchanged: int


class ContextService:
    """The town's context."""

    def __init__(self, state: StateStore) -> None:
        self._state = state

    def import_feed(self, kind: str, data: bytes) -> Imported:
        """Bring one feed in, whole or not at all; the same feed again changes nothing.

        Raises:
            FeedError: naming every fault.
        """
        rows = read_rows(kind, data)
        with self._state.unit() as session:
            repository = ContextRepository(session)
            new, changed, unchanged = repository.merge(kind, rows)
            if new or changed:
                repository.revise()
            return Imported(len(rows), new, changed, unchanged)

    def revision(self) -> int:
        """How many imports have changed something so far."""
        with self._state.unit() as session:
            return ContextRepository(session).revision()

    def over(self, start: datetime, end: datetime) -> WorkContext:
        """What is known about working time over a span, and a day either side for night shifts."""
        margin = timedelta(days=1)
        with self._state.unit() as session:
            repository = ContextRepository(session)
            return WorkContext.of(
                repository.posts(),
                repository.roster(start - margin, end + margin),
                repository.calendar(),
                repository.windows(start - margin, end + margin),
            )
