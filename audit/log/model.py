"""What one asks of the log and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from audit.events import AuditEvent, Fault
from audit.events.validation import FUTURE_TOLERANCE

__all__ = [
    "BY_NUMBER",
    "Appended",
    "Delivery",
    "Dimension",
    "Filter",
    "Measure",
    "Page",
    "ReadRecord",
    "Reading",
    "RefusedRow",
]

BY_NUMBER = ("card", "case", "case_id", "household", "household_id", "id", "number", "subject", "subject_id")
"""What is searched by where it is known beforehand who is meant."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of one source: a file, a request, a batch.

    Attributes:
        number: its own number, unique in this installation.
        source: whose log it is.
        received_at: when it arrived.
        future_tolerance: how far ahead of its receipt an event may be.
        scope: the number of the first delivery of the stream that it continues; 0 when it stands alone. Identical
            records are counted from the begin of the stream.
    """

    number: int
    source: str
    received_at: datetime
    future_tolerance: timedelta = FUTURE_TOLERANCE
    scope: int = 0


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record that Python has read and checked.

    Attributes:
        n: its number within the delivery.
        raw: its bytes as delivered.
        columns: its values by column name, from `audit.events.check`.
        masked: how many My Numbers were masked in it.
    """

    n: int
    raw: bytes
    columns: Mapping[str, Any]
    masked: int = 0


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A record that is no event; it goes to quarantine."""

    n: int
    raw: bytes
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a part of a delivery was read as, before the log has seen it.

    Attributes:
        table: the events as Arrow columns: those of `audit.log.columns.EVENT_SCHEMA` that occur, `n` (number within
            the delivery), `raw_hash` of those without an id, `masked`.
        raw: gives the bytes of a record by its number.
        refused: the records that are no events.
        masked: how many My Numbers were masked.
    """

    table: Any
    raw: Callable[[int], bytes]
    refused: tuple[RefusedRow, ...] = ()
    masked: int = 0

    @property
    def count(self) -> int:
        """How many records were read, refused ones included."""
        return int(self.table.num_rows) + len(self.refused)


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch: every record is exactly one of stored, duplicate or refused.

    Attributes:
        stored: how many are new in the log.
        duplicates: how many were there before, with the same content.
        refused: those that are no events, or that claim an id stored with other content.
        conflicts: how many of the refused claim such an id.
        masked: how many My Numbers were masked.
    """

    stored: int = 0
    duplicates: int = 0
    refused: tuple[RefusedRow, ...] = ()
    conflicts: int = 0
    masked: int = 0


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events. Empty fields do not restrict; `start` is inclusive, `end` exclusive.

    `first_index` and the sequence bounds are inclusive; only events that carry a number have a sequence.
    `recorded_after`: recorded at least so long after their own time; `recorded_within`: sooner, or at a time not told.
    """

    start: datetime | None = None
    end: datetime | None = None
    sources: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    subject: str = ""
    activities: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    org_units: tuple[str, ...] = ()
    terminals: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    staff_only: bool = False
    without_source: str = ""
    deliveries: tuple[int, ...] = ()
    first_index: int | None = None
    first_sequence: int | None = None
    last_sequence: int | None = None
    mark: str = ""
    recorded_after: timedelta | None = None
    recorded_within: timedelta | None = None
    operations: tuple[str, ...] = ()


class Dimension(StrEnum):
    """What events can be counted by.

    Days, hours, quarters of an hour (0 to 95) and weekdays (0 is Monday) are those of Asia/Tokyo. A sequence block is
    1024 consecutive numbers of a source. A partner is the system that data goes to or comes from.
    """

    ACTIVITY = "activity"
    ACTOR = "actor"
    ADDRESS = "address"
    AFFAIR = "affair"
    DAY = "day"
    FACTORS = "factors"
    HOUR = "hour"
    KIND = "kind"
    OPERATION = "operation"
    ORG_UNIT = "org_unit"
    OUTCOME = "outcome"
    PARTNER = "partner"
    QUARTER = "quarter"
    SEQUENCE = "sequence"
    SEQUENCE_BLOCK = "sequence_block"
    SOURCE = "source"
    SUBJECT = "subject"
    TARGET = "target"
    TERMINAL = "terminal"
    WEEKDAY = "weekday"


class Measure(StrEnum):
    """What is counted; `actors`, `days`, `sources` and `terminals` are distinct ones.

    `rows` are those that exports say they took out, `most_rows` by one of them; `permits` and `purposes` are the acts
    that name one. `searches` are successful ones by something else than a number, with hits; `fruitless` are those of
    one person after which they searched again, or looked at nobody for ten minutes. `denied` are acts other than
    signing in that were refused or failed; `outputs` are prints, copies of screens, exports and media that succeeded,
    `changes` what casework counts as changes of a record.

    Delays are seconds from when the source says it wrote an event to its receipt: the median, and what a tenth of
    them are below and above. `step_back` is how many seconds time falls at most from one sequence number to the next.

    `breaks` are the places where numbering breaks among events that were recorded within the hour, up to 200 of them by
    number: tuples of the number and time (microseconds of the epoch) before and after, where numbers are left out or
    time falls by more than ten minutes. Lags are whole seconds from an event to its recording, as the source says.
    """

    ACTORS = "actors"
    BREAKS = "breaks"
    CHANGES = "changes"
    DAYS = "days"
    DELAY = "delay"
    DELAY_HIGH = "delay_high"
    DELAY_LOW = "delay_low"
    DELIVERIES = "deliveries"
    DENIED = "denied"
    EVENTS = "events"
    FIRST = "first"
    FIRST_SEQUENCE = "first_sequence"
    FRUITLESS = "fruitless"
    LAG = "lag"
    LAG_HIGH = "lag_high"
    LAG_LOW = "lag_low"
    LAST = "last"
    LAST_DELIVERY = "last_delivery"
    LAST_INDEX = "last_index"
    LAST_RECEIVED = "last_received"
    LAST_SEQUENCE = "last_sequence"
    MOST_ROWS = "most_rows"
    OUTPUTS = "outputs"
    PERMITS = "permits"
    PURPOSES = "purposes"
    ROWS = "rows"
    SEARCHES = "searches"
    SEQUENCES = "sequences"
    SOURCES = "sources"
    STEP_BACK = "step_back"
    SUBJECTS = "subjects"
    TERMINALS = "terminals"


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, and where the next ones begin.

    Attributes:
        events: in the order asked for.
        cursor: give it back for the next page; empty when there is none.
    """

    events: tuple[AuditEvent, ...]
    cursor: str = ""
