"""The audit log: append-only, numbered; everything else can be rebuilt from it."""

from audit.log.correlation import Correlation, Match
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
from audit.store.errors import StoreError, StoreRefusedError, StoreUnavailableError

__all__ = [
    "BY_NUMBER",
    "OWN_SOURCE",
    "Appended",
    "Correlation",
    "CursorError",
    "Delivery",
    "Dimension",
    "EventLog",
    "Filter",
    "LineReader",
    "Lines",
    "LogRepository",
    "Match",
    "Measure",
    "Page",
    "ReadRecord",
    "Reading",
    "RefusedRow",
    "StoreError",
    "StoreRefusedError",
    "StoreUnavailableError",
    "read_docs",
    "read_records",
    "read_together",
]
