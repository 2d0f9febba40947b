"""The log: append, search, aggregate. One writer; consecutive indexes; nothing is ever changed."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from audit.clock import Clock
from audit.events import AuditEvent, Fault, check, parse_json
from audit.events.validation import OLDEST
from audit.log.model import Appended, Delivery, Dimension, Filter, Measure, Page, ReadRecord, RefusedRow
from audit.log.repository import LogRepository

__all__ = ["OWN_SOURCE", "SKEW", "EventLog"]

OWN_SOURCE = "mimamori"
"""The source under which Mimamori's own acts are logged."""
SKEW = timedelta(seconds=60)
"""An event further ahead of its receipt than this is marked `skew`."""
MAX_PAGE = 10_000

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
        self._next = repository.next_index()
        self._open: set[int] = set()

    def append_lines(self, delivery: Delivery, lines: Sequence[tuple[int, bytes]]) -> Appended:
        """Append JSON lines in the contract's form.

        Args:
            delivery: what they belong to.
            lines: their numbers within it, and their bytes. The engine reads them; only what is not plainly right is
                read again by Python.
        """
        with self._writing:
            self._repository.begin_batch()
            unclear = self._repository.read_lines(delivery, lines, OLDEST) if lines else []
            if not unclear:
                return self._add(delivery, lambda: dict(lines), (), 0)
            by_number = dict(lines)
            read, refused = [], []
            for n in unclear:
                doc, fault = parse_json(by_number[n])
                if doc is None or fault is not None:
                    refused.append(RefusedRow(n, by_number[n], (fault,) if fault else ()))
                    continue
                checked = check(doc, delivery.received_at, delivery.future_tolerance)
                if checked.faults:
                    refused.append(RefusedRow(n, by_number[n], checked.faults))
                else:
                    read.append(ReadRecord(n, by_number[n], checked.columns, checked.masked))
            self._add_records(read)
            return self._add(delivery, lambda: by_number, tuple(refused), sum(record.masked for record in read))

    def append_records(self, delivery: Delivery, records: Sequence[ReadRecord]) -> Appended:
        """Append records that were decoded and checked in Python."""
        with self._writing:
            self._repository.begin_batch()
            self._add_records(records)
            return self._add(
                delivery,
                lambda: {record.n: record.raw for record in records},
                (),
                sum(record.masked for record in records),
            )

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
            columns = {**checked.columns}
            columns.setdefault("event_id", f"m-{self._next:012d}")
            record = ReadRecord(0, repr(sorted(checked.columns.items())).encode(), columns, checked.masked)
            if self._repository.has(OWN_SOURCE, columns["event_id"]):
                self.append_records(delivery, [record])
            else:  # the usual case, without the tables that a batch passes through: a page waits for it
                self._repository.add_event(delivery, self._next, delivery.received_at + SKEW, record)
                self._next += 1

    @contextmanager
    def delivery(self, delivery: Delivery) -> Iterator[Delivery]:
        """Keep count of identical records from the first batch of a delivery to its last."""
        with self._writing:
            self._open.add(delivery.number)
        try:
            yield delivery
        finally:
            with self._writing:
                self._open.discard(delivery.number)
                if not self._open:
                    self._repository.forget_deliveries()

    def _add_records(self, records: Sequence[ReadRecord]) -> None:
        if records:
            hashes = [hashlib.sha256(record.raw).digest()[:16] for record in records]
            self._repository.add_records(records, hashes)

    def _add(
        self, delivery: Delivery, raw: Callable[[], Mapping[int, bytes]], refused: tuple[RefusedRow, ...], masked: int
    ) -> Appended:
        self._repository.name_rows(delivery)
        rows, known, conflicts = self._repository.find_known(delivery.source)
        new = rows - known
        if new:
            self._repository.add_rows(delivery, self._next, delivery.received_at + SKEW)
            self._next += new
        if conflicts:
            bytes_of = raw()
            refused += tuple(RefusedRow(n, bytes_of[n], (_CONFLICT,)) for n in conflicts)
        return Appended(new, known - len(conflicts), refused, len(conflicts), masked)

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
        return self._next

    def ping(self) -> None:
        """Ask the smallest question there is.

        Raises:
            StoreError: the log does not answer.
        """
        self._repository.ping()

    def own_last(self) -> AuditEvent:
        """The last of our own acts.

        Raises:
            LookupError: there is none yet.
        """
        page = self.search(Filter(sources=(OWN_SOURCE,)), limit=1)
        if not page.events:
            raise LookupError("none of our own acts is in the log")
        return page.events[0]

    def count(self, wanted: Filter) -> int:
        """How many events match."""
        return self._repository.count(wanted)

    def aggregate(
        self, wanted: Filter, by: Sequence[Dimension], measures: Sequence[Measure] = (Measure.EVENTS,)
    ) -> list[dict[str, Any]]:
        """Measures by dimensions, for example distinct subjects by actor and day."""
        return self._repository.aggregate(wanted, by, measures)

    def columns(self, wanted: Filter, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Some columns of every matching event, in the order of time."""
        return self._repository.columns(wanted, columns)
