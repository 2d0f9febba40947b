"""The audit log: append-only, numbered; everything else can be rebuilt from it."""

from audit.log.lines import Lines
from audit.log.model import (
    BY_NUMBER,
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
from audit.log.reading import LineReader, read_docs, read_records, read_together
from audit.log.repository import CursorError, LogRepository
from audit.log.service import OWN_SOURCE, EventLog
from audit.store.errors import StoreError, StoreRefusedError

__all__ = [
    "BY_NUMBER",
    "OWN_SOURCE",
    "Appended",
    "CursorError",
    "Delivery",
    "Dimension",
    "EventLog",
    "Filter",
    "LineReader",
    "Lines",
    "LogRepository",
    "Measure",
    "Page",
    "ReadRecord",
    "Reading",
    "RefusedRow",
    "StoreError",
    "StoreRefusedError",
    "read_docs",
    "read_records",
    "read_together",
]
