"""The audit log: append-only, numbered; everything else can be rebuilt from it."""

from audit.log.model import (
    Appended,
    Delivery,
    Dimension,
    Filter,
    Measure,
    Page,
    ReadRecord,
    RefusedRow,
)
from audit.log.repository import CursorError, LogRepository
from audit.log.service import OWN_SOURCE, EventLog

__all__ = [
    "OWN_SOURCE",
    "Appended",
    "CursorError",
    "Delivery",
    "Dimension",
    "EventLog",
    "Filter",
    "LogRepository",
    "Measure",
    "Page",
    "ReadRecord",
    "RefusedRow",
]
