"""Databases of the event store for tests: one given back is emptied for the next, as making one takes longer."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from audit.clock import FixedClock
from audit.store.clickhouse import EventStore, Purpose
from audit.store.migrate import migrate

__all__ = ["Lending"]

_SINCE = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
_numbers = itertools.count(1)


class Lending:
    """Migrated, empty databases of one engine, which tests must leave with the tables that they found.

    Args:
        opening: opens a database of a name.
    """

    def __init__(self, opening: Callable[[str], EventStore]) -> None:
        self._opening = opening
        self._free: list[EventStore] = []

    @contextmanager
    def one(self) -> Iterator[EventStore]:
        """A database for nobody else, until it is given back."""
        if not self._free:
            self._free.append(self._opening(f"lent_{next(_numbers)}"))
            migrate(self._free[-1], _SINCE)
        store = self._free.pop()
        yield store
        filled = (
            "SELECT name FROM system.tables"
            " WHERE database = currentDatabase() AND name != 'migrations' AND total_rows != 0"
        )
        for row in store.rows(filled, purpose=Purpose.MIGRATE):
            store.command(f"TRUNCATE TABLE `{row['name']}`", purpose=Purpose.MIGRATE)
        self._free.append(store)

    def close(self) -> None:
        """Drop them."""
        for store in self._free:
            store.command(f"DROP DATABASE `{store.database}`", purpose=Purpose.MIGRATE)
            store.close()
