"""What every use case of this package shares: its parts, and how an event is told that must not be lost."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from audit.access.journal import Recorder
from audit.access.outbox import Outbox
from audit.access.rights.approvers import Approvers
from audit.access.rights.chains import Rules
from audit.access.rights.journal import RightsJournal
from audit.access.rights.people import People
from audit.access.rights.repository import RightsRepository
from audit.clock import Clock
from audit.store.state import StateStore

__all__ = ["UseCases"]


class UseCases:
    """The parts.

    Args:
        store: the state database.
        clock: the time.
        recorder: the audit log.
        people: the staff directory.
        rules: the chains, and what units normally need.
        systems: the source ids for which rights are kept.
    """

    def __init__(
        self,
        store: StateStore,
        clock: Clock,
        recorder: Recorder,
        people: People,
        rules: Rules,
        systems: Collection[str],
    ) -> None:
        self.rules = rules
        self.systems = systems
        self._store = store
        self._clock = clock
        self._people = people
        self._journal = RightsJournal(recorder)
        self._outbox = Outbox(store, recorder)

    def _approvers(self, repository: RightsRepository, now: datetime) -> Approvers:
        return Approvers(self._people, repository.delegations(now, start_by=now), now)

    def _tell(self, docs: Iterable[dict[str, Any]]) -> None:
        """Tell events that were committed as untold; what the log refuses now is told by the next sweep."""
        self._outbox.tell(list(docs))
