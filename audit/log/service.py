"""The log: append, search, aggregate. One writer; consecutive indexes; nothing is ever changed."""

import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.clock import Clock
from audit.events import AuditEvent, Fault, check
from audit.events.validation import OLDEST
from audit.log import batches
from audit.log.columns import joined
from audit.log.correlation import Correlation, Match
from audit.log.model import (
    Appended,
    Delivery,
    Dimension,
    Filter,
    Measure,
    Page,
    Reading,
    ReadRecord,
    RefusedRow,
)
from audit.log.reading import read_records
from audit.log.repository import LogRepository
from audit.log.spans import IdRanges

__all__ = ["OWN_SOURCE", "SKEW", "EventLog"]

OWN_SOURCE = "mimamori"
"""The source under which Mimamori's own acts are logged."""
SKEW = timedelta(seconds=60)
"""An event further ahead of its receipt than this is marked `skew`."""
MAX_PAGE = 10_000
NEVER = datetime(2261, 1, 1, tzinfo=UTC)
"""Later than any event."""

_CONFLICT = Fault(
    "event_id",
    "the same id is stored with other content; the first is kept",
    "同じ識別子で内容の異なるイベントが既にあります。先のものを残します",
)


class EventLog:
    """The audit log of one installation.

    Args:
        repository: its SQL.
        clock: for the receipt of our own events.
    """

    def __init__(self, repository: LogRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock
        self._writing = threading.RLock()
        self._next: int | None = repository.next_index()
        self._open: set[int] = set()
        self._used: dict[str, IdRanges] = {}

    def append(self, delivery: Delivery, reading: Reading) -> Appended:
        """Append what was read of a delivery.

        Raises:
            StoreError: the log cannot be written. Whole months of the batch may be stored: the same reading appended
                again finds them and adds the rest.
        """
        return self.append_all([(delivery, reading)])[0]

    def append_all(self, parts: Sequence[tuple[Delivery, Reading]]) -> list[Appended]:
        """Append what was read of several deliveries of one source, in one go.

        Args:
            parts: each delivery with a reading of it.

        Raises:
            StoreError: as for `append`.
        """
        with self._writing:
            self._index()  # what a write that failed left undecided is decided before asking what is known
            tables = [self._named(delivery, reading.table) for delivery, reading in parts]
            ends = list(itertools.accumulate(table.num_rows for table in tables))
            events = tables[0] if len(tables) == 1 else joined(tables)
            known = self._known(parts[0][0].source, tables, events)
            self._add(events.filter(pa.array(~known.rows)) if known.rows.any() else events)
            return [
                _account(reading, known, end - table.num_rows, end)
                for (_, reading), table, end in zip(parts, tables, ends, strict=True)
            ]

    def record(self, doc: Mapping[str, Any]) -> None:
        """Append one of our own acts; when this returns, it is in the log.

        Raises:
            ValueError: the event is faulty, which is a defect of ours.
            StoreError: the log cannot be written; the act must not happen.
        """
        now = self._clock.now()
        checked = check(doc, now)
        if checked.faults:
            raise ValueError("; ".join(str(fault) for fault in checked.faults))
        delivery = Delivery(0, OWN_SOURCE, now)
        with self._writing:
            named = "event_id" in checked.columns
            columns = {"event_id": f"m-{self._index():012d}", **checked.columns}
            reading = read_records([ReadRecord(0, repr(sorted(checked.columns.items())).encode(), columns)])
            if named and self._repository.has(OWN_SOURCE, columns["event_id"]):
                self.append(delivery, reading)
            else:  # the usual case: nothing to compare with, and a page waits for it
                self._used.pop(OWN_SOURCE, None)
                self._add(self._named(delivery, reading.table))

    @contextmanager
    def delivery(self, delivery: Delivery) -> Iterator[Delivery]:
        """Keep count of identical records from the first batch of a delivery to its last.

        Needed only where one delivery is appended in several batches.
        """
        with self._writing:
            self._open.add(delivery.number)
        try:
            yield delivery
        finally:
            with self._writing:
                self._open.discard(delivery.number)

    def resume(self, delivery: Delivery) -> None:
        """Take up a delivery from its begin that was cut off: its records are counted anew."""
        with self._writing:
            self._repository.forget(delivery)

    def _index(self) -> int:
        """The index of the next event; asked of the log again when a write may or may not have happened."""
        if self._next is None:
            self._next = self._repository.next_index()
        return self._next

    def _named(self, delivery: Delivery, table: pa.Table) -> pa.Table:
        """The events of a delivery with their names and all that is known about their receipt."""
        nameless = batches.nameless(table)
        if len(nameless):
            hashes = table["raw_hash"].combine_chunks().take(pa.array(nameless))
            before: Mapping[bytes, int] = {}
            if delivery.scope or delivery.number in self._open:
                before = self._repository.seen_before(delivery, hashes)
            table = batches.with_names(table, nameless, hashes, before)
        return batches.received(table, delivery, delivery.received_at + SKEW)

    def _known(self, source: str, tables: Sequence[pa.Table], events: pa.Table) -> batches.Known:
        """Which of some events the log, or one that stands earlier among them, already has.

        Args:
            source: whose they are.
            tables: by delivery.
            events: all of them.
        """
        rows = np.zeros(events.num_rows, np.bool_)
        runs = [batches.run_of(table) for table in tables if table.num_rows]
        if not runs:
            return batches.Known(rows, rows)
        ids = events["event_id"].combine_chunks()
        # Only an id derived from the bytes implies the time.
        first, last = batches.time_span(events) if batches.all_derived(events) else (OLDEST, NEVER)
        suspects = pa.array([], pa.string()) if batches.follow(runs) else batches.repeated(ids)
        stored = self._stored_ids(source, runs, first, last)
        if len(stored):
            suspects = pa.concat_arrays([suspects, stored])
        if not len(suspects):
            return batches.Known(rows, rows)
        places = np.flatnonzero(pc.is_in(ids, suspects).to_numpy(zero_copy_only=False))
        conflicts = rows.copy()
        for n, conflict in self._repository.known_rows(source, batches.staged(events, places)):
            rows[n], conflicts[n] = True, conflict
        return batches.Known(rows, conflicts)

    def _stored_ids(self, source: str, runs: Sequence[batches.Run], first: datetime, last: datetime) -> pa.Array:
        """Those of some ids that the log has; only runs that meet what their source has used need a question."""
        used = self._used.get(source)
        if used is None:
            used = self._used[source] = self._repository.id_ranges(source)
        met = [run.ids for run in runs if used.meet(run.first, run.last)]
        stored = self._repository.known_ids(source, pa.concat_arrays(met), first, last) if met else pa.array([])
        for run in runs:
            used.add(run.first, run.last)
        return stored

    def _add(self, events: pa.Table) -> None:
        """Append with consecutive indexes, month by month: each month is stored altogether or not at all."""
        for month in batches.by_month(events):
            index = self._index()
            self._next = None
            self._repository.add(batches.in_time_order(batches.numbered(month, index)))
            self._next = index + month.num_rows

    # Asking ----------------------------------------------------------------------------------------------------

    def search(self, wanted: Filter, *, limit: int = 100, cursor: str = "", newest_first: bool = True) -> Page:
        """One page of events by time.

        Args:
            wanted: which.
            limit: at most so many, 1 to 10,000.
            cursor: from the page before.
            newest_first: the order.

        Raises:
            CursorError: the cursor is none of ours.
        """
        return self._repository.page(
            wanted, limit=max(1, min(limit, MAX_PAGE)), cursor=cursor, newest_first=newest_first
        )

    def each(self, wanted: Filter) -> Iterator[AuditEvent]:
        """Every matching event, oldest first, page by page."""
        cursor = ""
        while True:
            page = self.search(wanted, limit=MAX_PAGE, cursor=cursor, newest_first=False)
            yield from page.events
            cursor = page.cursor
            if not cursor:
                return

    def find(self, source: str, event_id: str) -> AuditEvent | None:
        """One event by its name."""
        page = self.search(Filter(sources=(source,), event_ids=(event_id,)), limit=1)
        return page.events[0] if page.events else None

    @property
    def size(self) -> int:
        """How many events the log has taken in."""
        with self._writing:
            return self._index()

    def ping(self) -> None:
        """Ask the smallest question there is.

        Raises:
            StoreError: the log does not answer.
        """
        self._repository.ping()

    def own(self, event_id: str) -> AuditEvent:
        """One of our own acts by the name that it was recorded under.

        Raises:
            LookupError: there is none of this name.
        """
        found = self.find(OWN_SOURCE, event_id)
        if found is None:
            raise LookupError("none of our own acts in the log has this name")
        return found

    def count(self, wanted: Filter) -> int:
        """How many events match."""
        return self._repository.count(wanted)

    def aggregate(
        self,
        wanted: Filter,
        by: Sequence[Dimension],
        measures: Sequence[Measure] = (Measure.EVENTS,),
        at_least: Mapping[Measure, int] | None = None,
    ) -> list[dict[str, Any]]:
        """Measures by dimensions, for example distinct subjects by actor and day.

        Args:
            wanted: which events.
            by: what they are counted by.
            measures: what is counted.
            at_least: leaves out the combinations that have less of a measure.
        """
        return self._repository.aggregate(wanted, by, measures, at_least)

    def columns(self, wanted: Filter, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Some columns of every matching event, in the order of time."""
        return self._repository.columns(wanted, columns)

    def matching(self, wanted: Filter, sought: Correlation, since: datetime, limit: int) -> list[Match]:
        """Where a correlation is found among some events, the strongest first.

        Args:
            wanted: which events.
            sought: the correlation.
            since: it must be so at this time or later.
            limit: at most so many.
        """
        return self._repository.matching(wanted, sought, since, limit)

    def matched(
        self, wanted: Filter, sought: Correlation, matches: Sequence[Match], limit: int
    ) -> Iterator[dict[str, Any]]:
        """The acts of what was found: the latest of each group, by its `key`, and how many `acts` there are in all."""
        return self._repository.matched(wanted, sought, matches, limit) if matches else iter(())


def _account(reading: Reading, known: batches.Known, begin: int, end: int) -> Appended:
    """What became of the rows of one reading."""
    rows, conflicts = known.rows[begin:end], known.conflicts[begin:end]
    refused = reading.refused
    if conflicts.any():
        numbers = reading.table["n"].to_numpy()[conflicts]
        refused += tuple(RefusedRow(int(n), reading.raw(int(n)), (_CONFLICT,)) for n in numbers)
    known_count, conflict_count = int(rows.sum()), int(conflicts.sum())
    return Appended(end - begin - known_count, known_count - conflict_count, refused, conflict_count, reading.masked)
