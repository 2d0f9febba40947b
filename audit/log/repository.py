"""The log's SQL. Every value is bound; every name is one of ours."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from audit.events import ACTIVITY_CLASS, COLUMNS, FIELDS, Activity, AuditEvent, Kind, digest
from audit.events.canonical import DIGEST_BYTES, microseconds
from audit.log import intake
from audit.log.model import Delivery, Dimension, Filter, Measure, Page, ReadRecord
from audit.store.clickhouse import EventStore, Purpose

__all__ = ["CursorError", "LogRepository"]

_ARROW = {
    Kind.TEXT: pa.string(),
    Kind.IDS: pa.list_(pa.string()),
    Kind.COUNT: pa.uint64(),
    Kind.FLAG: pa.bool_(),
    Kind.TIME: pa.timestamp("us", "UTC"),
}
_ABSENT: Mapping[Kind, Any] = {Kind.TEXT: "", Kind.IDS: []}
_DIMENSIONS: Mapping[Dimension, str] = {
    Dimension.ACTIVITY: "activity",
    Dimension.ACTOR: "actor_id",
    Dimension.DAY: "toDate(time, 'Asia/Tokyo')",
    Dimension.HOUR: "toHour(time, 'Asia/Tokyo')",
    Dimension.ORG_UNIT: "actor_org_unit",
    Dimension.OUTCOME: "outcome",
    Dimension.QUARTER: "intDiv(toHour(time, 'Asia/Tokyo') * 60 + toMinute(time, 'Asia/Tokyo'), 15)",
    Dimension.SOURCE: "source",
    Dimension.SUBJECT: "arrayJoin(subjects)",
    Dimension.TERMINAL: "terminal_id",
    Dimension.WEEKDAY: "toDayOfWeek(time, 0, 'Asia/Tokyo') - 1",
}
_MEASURES: Mapping[Measure, str] = {
    Measure.EVENTS: "count()",
    Measure.FIRST: "min(time)",
    Measure.LAST: "max(time)",
    Measure.LAST_INDEX: "max(log_index)",
    Measure.SUBJECTS: "length(arrayFilter(key -> key != '', groupUniqArrayArray(subjects)))",
}
_LONGEST_CURSOR = 80
"""Two numbers in Base64; anything longer was never ours and is not worth decoding."""
_BLOCK = 32_768
"""Lines handed to the engine at a time: each block costs it 5 ms, and several are spread over the cores."""
_EVENT_COLUMNS = ("log_index", "source", "received_at", "marks", *COLUMNS)


class CursorError(ValueError):
    """A cursor that this log never gave out."""


def _where(wanted: Filter) -> tuple[str, dict[str, Any]]:
    parts, values = ["1"], dict[str, Any]()

    def add(condition: str, name: str, value: Any) -> None:  # noqa: ANN401
        if value not in (None, "", ()):
            parts.append(condition)
            values[name] = list(value) if isinstance(value, tuple) else value

    add("time >= {start:DateTime64(6, 'UTC')}", "start", wanted.start)
    add("time < {end:DateTime64(6, 'UTC')}", "end", wanted.end)
    add("source IN {sources:Array(String)}", "sources", wanted.sources)
    add("source != {without_source:String}", "without_source", wanted.without_source)
    add("actor_id IN {actors:Array(String)}", "actors", wanted.actors)
    add("has(subjects, {subject:String})", "subject", wanted.subject)
    add("activity IN {activities:Array(String)}", "activities", wanted.activities)
    add("outcome IN {outcomes:Array(String)}", "outcomes", wanted.outcomes)
    add("actor_org_unit IN {org_units:Array(String)}", "org_units", wanted.org_units)
    add("terminal_id IN {terminals:Array(String)}", "terminals", wanted.terminals)
    add("event_id IN {event_ids:Array(String)}", "event_ids", wanted.event_ids)
    add("toDayOfWeek(time, 0, 'Asia/Tokyo') - 1 IN {weekdays:Array(UInt8)}", "weekdays", wanted.weekdays)
    add("toHour(time, 'Asia/Tokyo') IN {hours:Array(UInt8)}", "hours", wanted.hours)
    if wanted.staff_only:
        parts.append("actor_id != '' AND actor_kind != 'system'")
    return " AND ".join(parts), values


def _cursor(event: AuditEvent) -> str:
    at = [microseconds(event.time), event.log_index]
    return base64.urlsafe_b64encode(json.dumps(at).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[int, int]:
    if len(cursor) > _LONGEST_CURSOR:
        raise CursorError("not a cursor of this log")
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        at, log_index = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not (type(at) is type(log_index) is int and abs(at) < 2**56 and 0 <= log_index < 2**63):
            raise CursorError("not a cursor of this log")
    except (ValueError, TypeError, binascii.Error, UnicodeEncodeError) as error:
        raise CursorError("not a cursor of this log") from error
    return at, log_index


def _event(row: Mapping[str, Any]) -> AuditEvent:
    columns = {}
    for column in COLUMNS:
        value = row[column]
        if value is not None and value not in ("", []):
            columns[column] = value
    return AuditEvent(row["log_index"], row["source"], row["received_at"], columns, tuple(row["marks"]))


def _marks(record: ReadRecord) -> list[str]:
    return ["masked"] if record.masked else []


def _field_columns(records: Sequence[ReadRecord]) -> dict[str, pa.Array]:
    return {
        field.column: pa.array(
            [record.columns.get(field.column, _ABSENT.get(field.kind)) for record in records], _ARROW[field.kind]
        )
        for field in FIELDS
    }


class LogRepository:
    """Reads and writes the `events` table."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    # Taking in -------------------------------------------------------------------------------------------------

    def forget_deliveries(self) -> None:
        """Forget which identical records were seen; only while no delivery is under way."""
        self._store.command("TRUNCATE TABLE intake_seen")

    def begin_batch(self) -> None:
        """Empty the tables that a batch passes through."""
        for table in ("intake_lines", "intake_rows", "intake_new", "intake_known"):
            self._store.command(f"TRUNCATE TABLE {table}")

    def read_lines(self, delivery: Delivery, lines: Sequence[tuple[int, bytes]], oldest: datetime) -> list[int]:
        """Let the engine read JSON lines.

        Returns:
            The numbers of those that it is not certain about.
        """
        for start in range(0, len(lines), _BLOCK):
            part = lines[start : start + _BLOCK]
            table = pa.table(
                {
                    "n": pa.array([n for n, _ in part], pa.uint32()),
                    "doc": pa.array([doc for _, doc in part], pa.binary()),
                }
            )
            self._store.insert("intake_lines", table)
        self._store.command(
            intake.READ_LINES,
            {"oldest": oldest, "newest": delivery.received_at + delivery.future_tolerance},
        )
        unclear = self._store.rows("SELECT n FROM intake_rows WHERE NOT clear ORDER BY n", purpose=Purpose.WRITE)
        return [row["n"] for row in unclear]

    def add_records(self, records: Sequence[ReadRecord], hashes: Sequence[bytes]) -> None:
        """Add records that Python has read."""
        columns: dict[str, pa.Array] = {
            "n": pa.array([record.n for record in records], pa.uint32()),
            "clear": pa.array([True] * len(records), pa.bool_()),
            "raw_hash": pa.array(hashes, pa.binary(16)),
            "marks": pa.array([_marks(record) for record in records], pa.list_(pa.string())),
        }
        self._store.insert("intake_rows", pa.table({**columns, **_field_columns(records)}))

    def has(self, source: str, event_id: str) -> bool:
        """Whether a source has an event of this name."""
        named = "SELECT 1 FROM events WHERE source = {source:String} AND event_id = {event_id:String} LIMIT 1"
        return bool(self._store.rows(named, {"source": source, "event_id": event_id}, Purpose.WRITE))

    def add_event(self, delivery: Delivery, index: int, skewed: datetime, record: ReadRecord) -> None:
        """Append one event that the log does not have."""
        ocsf = ACTIVITY_CLASS[Activity(record.columns["activity"])]
        marks = [*_marks(record), *(["skew"] if record.columns["time"] > skewed else [])]
        columns: dict[str, pa.Array] = {
            "log_index": pa.array([index], pa.uint64()),
            "source": pa.array([delivery.source]),
            "received_at": pa.array([delivery.received_at], _ARROW[Kind.TIME]),
            "delivery": pa.array([delivery.number], pa.uint64()),
            "class_uid": pa.array([ocsf.class_uid], pa.uint16()),
            "activity_id": pa.array([ocsf.activity_id], pa.uint8()),
            "digest": pa.array([digest(delivery.source, record.columns)], pa.binary(DIGEST_BYTES)),
            "marks": pa.array([marks], pa.list_(pa.string())),
        }
        self._store.insert("events", pa.table({**columns, **_field_columns([record])}))

    def name_rows(self, delivery: Delivery) -> None:
        """Give every clear row its identity and digest."""
        nameless = self._store.rows(
            "SELECT count() AS n FROM intake_rows WHERE clear AND event_id = ''", purpose=Purpose.WRITE
        )
        if nameless[0]["n"]:
            number = {"delivery": delivery.number}
            self._store.command(intake.NAME_ROWS_BY_BYTES, {"source": delivery.source, **number})
            self._store.command(intake.REMEMBER_BYTES, number)
        else:
            self._store.command(intake.NAME_ROWS, {"source": delivery.source})

    def find_known(self, source: str) -> tuple[int, int, list[int]]:
        """Find the rows that the log, or the batch itself, already has.

        Returns:
            How many rows there are, how many are known, and the numbers of those that conflict with what is known.
        """
        batch = self._store.rows(
            """SELECT count() AS n, uniqExact(event_id) AS ids,
                (SELECT countIf(clear AND event_id = '') FROM intake_rows) AS derived,
                min(event_id) AS first_id, max(event_id) AS last_id,
                min(time) AS first_time, max(time) AS last_time FROM intake_new""",
            purpose=Purpose.WRITE,
        )[0]
        if not batch["n"]:
            return 0, 0, []
        if batch["derived"] != batch["n"]:  # only an id derived from the bytes implies the time
            batch["first_time"], batch["last_time"] = (
                datetime(1970, 1, 1, tzinfo=UTC),
                datetime(2261, 1, 1, tzinfo=UTC),
            )
        bounds = {key: batch[key] for key in ("first_id", "last_id", "first_time", "last_time")}
        self._store.command(intake.FIND_STORED, {"source": source, **bounds})
        if batch["ids"] != batch["n"]:
            self._store.command(intake.FIND_REPEATED)
        known = self._store.rows(
            "SELECT n, max(conflict) AS conflict FROM intake_known GROUP BY n ORDER BY n",
            purpose=Purpose.WRITE,
        )
        return batch["n"], len(known), [row["n"] for row in known if row["conflict"]]

    def add_rows(self, delivery: Delivery, base: int, skewed: datetime) -> None:
        """Append what is new, with consecutive log indexes from `base`."""
        self._store.command(
            intake.ADD_ROWS,
            {
                "base": base,
                "source": delivery.source,
                "received_at": delivery.received_at,
                "delivery": delivery.number,
                "skewed": skewed,
            },
        )

    def next_index(self) -> int:
        """The log index after the last one."""
        rows = self._store.rows("SELECT count() AS n, max(log_index) AS last FROM events", purpose=Purpose.WRITE)
        return int(rows[0]["last"]) + 1 if rows[0]["n"] else 0

    # Asking ----------------------------------------------------------------------------------------------------

    def page(self, wanted: Filter, *, limit: int, cursor: str, newest_first: bool) -> Page:
        """One page of events by time."""
        where, values = _where(wanted)
        if cursor:
            values["at"], values["after"] = _read_cursor(cursor)
            sign = "<" if newest_first else ">"
            where += f" AND (toUnixTimestamp64Micro(time), log_index) {sign} ({{at:Int64}}, {{after:UInt64}})"
            bound = "<=" if newest_first else ">="  # the same bound on the bare column lets the engine skip
            where += f" AND time {bound} fromUnixTimestamp64Micro({{at:Int64}}, 'UTC')"
        order = "DESC" if newest_first else "ASC"
        rows = self._store.rows(
            f"SELECT {', '.join(_EVENT_COLUMNS)} FROM events WHERE {where} "
            f"ORDER BY time {order}, log_index {order} LIMIT {{limit:UInt32}}",
            {**values, "limit": limit + 1},
        )
        events = tuple(_event(row) for row in rows[:limit])
        return Page(events, _cursor(events[-1]) if len(rows) > limit else "")

    def ping(self) -> None:
        """Ask the smallest question there is."""
        self._store.rows("SELECT 1 AS one FROM events LIMIT 1")

    def count(self, wanted: Filter) -> int:
        """How many events."""
        where, values = _where(wanted)
        return int(self._store.rows(f"SELECT count() AS n FROM events WHERE {where}", values)[0]["n"])

    def aggregate(self, wanted: Filter, by: Sequence[Dimension], measures: Sequence[Measure]) -> list[dict[str, Any]]:
        """Measures by dimensions; one row a combination that occurs, in no particular order."""
        where, values = _where(wanted)
        names = [
            *(f"{_DIMENSIONS[d]} AS by_{d}" for d in by),
            *(f"{_MEASURES[m]} AS of_{m}" for m in measures),
        ]
        group = f" GROUP BY {', '.join(f'by_{d}' for d in by)}" if by else ""
        rows = self._store.rows(f"SELECT {', '.join(names)} FROM events WHERE {where}{group}", values)
        return [{key.partition("_")[2]: value for key, value in row.items()} for row in rows]

    def columns(self, wanted: Filter, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Some columns of every matching event, in the order of time."""
        unknown = set(columns) - set(_EVENT_COLUMNS)
        if unknown:
            raise ValueError(f"no such columns: {sorted(unknown)}")
        where, values = _where(wanted)
        yield from self._store.rows(
            f"SELECT {', '.join(columns)} FROM events WHERE {where} ORDER BY time, log_index", values
        )
