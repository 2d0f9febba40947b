"""The log's SQL. Every value is bound; every name is one of ours."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from audit.events import COLUMNS, LOOKUPS, AuditEvent
from audit.events.canonical import microseconds
from audit.log import intake, matching
from audit.log.condition import Binder
from audit.log.correlation import Correlation, Match
from audit.log.model import BY_NUMBER, Delivery, Dimension, Filter, Measure, Page
from audit.log.spans import IdRanges
from audit.store.clickhouse import EventStore, Purpose
from audit.store.errors import StoreUnavailableError

__all__ = ["CursorError", "LogRepository"]

_BEGINNING, _END = datetime(1970, 1, 1, tzinfo=UTC), datetime(2261, 1, 1, tzinfo=UTC)
"""Every time that an event can have."""
_DIMENSIONS: Mapping[Dimension, str] = {
    Dimension.ACTIVITY: "activity",
    Dimension.ACTOR: "actor_id",
    Dimension.ADDRESS: "terminal_ip",
    Dimension.AFFAIR: "affair",
    Dimension.DAY: "toDate(time, 'Asia/Tokyo')",
    Dimension.FACTORS: "arrayStringConcat(arraySort(auth_factors), '+')",
    Dimension.HOUR: "toHour(time, 'Asia/Tokyo')",
    Dimension.KIND: "actor_kind",
    Dimension.OPERATION: "operation_name",
    Dimension.ORG_UNIT: "actor_org_unit",
    Dimension.OUTCOME: "outcome",
    Dimension.PARTNER: "counterparty_system",
    Dimension.QUARTER: "intDiv(toHour(time, 'Asia/Tokyo') * 60 + toMinute(time, 'Asia/Tokyo'), 15)",
    Dimension.SEQUENCE: "sequence",
    Dimension.SEQUENCE_BLOCK: "intDiv(sequence, 1024)",
    Dimension.SOURCE: "source",
    Dimension.SUBJECT: "arrayJoin(subjects)",
    Dimension.TARGET: "target_id",
    Dimension.TERMINAL: "terminal_id",
    Dimension.WEEKDAY: "toDayOfWeek(time, 0, 'Asia/Tokyo') - 1",
}
_DELAY = "dateDiff('second', coalesce(recorded_at, time), received_at)"
_SEARCH = (
    f"(activity = 'search' AND outcome IN ('', 'success') AND lower(query_by) NOT IN {BY_NUMBER}"
    " AND ifNull(query_hits, 1) > 0)"
)
_LOOK = "activity IN ({})".format(", ".join(f"'{activity}'" for activity in sorted(LOOKUPS)))
_SEARCHED = f"arraySort(groupArrayIf((toUnixTimestamp64Micro(time), {_LOOK}), {_SEARCH} OR {_LOOK}))"
_OUTPUT = "activity IN ('download', 'export', 'media_write', 'print', 'screen_copy') AND outcome IN ('', 'success')"
_DENIED = "outcome IN ('denied', 'failure') AND activity NOT IN ('login', 'security_event', 'unlock')"
_CHANGE = "activity IN ('answer', 'bind_number', 'create', 'delete', 'provision', 'update')"
_FRUITLESS = "NOT this.2 AND (NOT next.2 OR next.1 - this.1 > 600000000)"
_NUMBERED = (
    "arraySort(groupUniqArrayIf((assumeNotNull(sequence), toUnixTimestamp64Micro(time)),"
    " isNotNull(sequence) AND ifNull(recorded_at <= addHours(time, 1), 1)))"
)
_BREAK = "pair.3 > pair.1 + 1 OR (pair.3 = pair.1 + 1 AND pair.4 < pair.2 - 600000000)"
_LAG = "dateDiff('second', time, recorded_at), toUInt8(isNotNull(recorded_at))"
_MEASURES: Mapping[Measure, str] = {
    Measure.ACTORS: "uniqExact(actor_id)",
    Measure.BREAKS: f"arraySlice(arrayFilter(pair -> {_BREAK}, arrayMap((low, high) -> (low.1, low.2, high.1, high.2),"
    f" arrayPopBack({_NUMBERED}), arrayPopFront({_NUMBERED}))), 1, 200)",
    Measure.CHANGES: f"countIf({_CHANGE} AND outcome IN ('', 'success'))",
    Measure.DAYS: "uniqExact(toDate(time, 'Asia/Tokyo'))",
    Measure.DELAY: f"quantile(0.5)({_DELAY})",
    Measure.DELAY_HIGH: f"quantile(0.9)({_DELAY})",
    Measure.DELAY_LOW: f"quantile(0.1)({_DELAY})",
    Measure.DELIVERIES: "uniqExact(delivery)",
    Measure.DENIED: f"countIf({_DENIED})",
    Measure.EVENTS: "count()",
    Measure.FIRST: "min(time)",
    Measure.FIRST_SEQUENCE: "min(sequence)",
    Measure.FRUITLESS: f"arrayCount((this, next) -> {_FRUITLESS}, {_SEARCHED},"
    f" arrayPopFront(arrayPushBack({_SEARCHED}, (toInt64(0), toUInt8(0)))))",
    Measure.LAG: f"quantileExactWeighted(0.5)({_LAG})",
    Measure.LAG_HIGH: f"quantileExactWeighted(0.9)({_LAG})",
    Measure.LAG_LOW: f"quantileExactWeighted(0.1)({_LAG})",
    Measure.LAST: "max(time)",
    Measure.LAST_DELIVERY: "max(delivery)",
    Measure.LAST_INDEX: "max(log_index)",
    Measure.LAST_RECEIVED: "max(received_at)",
    Measure.LAST_SEQUENCE: "max(sequence)",
    Measure.MOST_ROWS: "max(export_rows)",
    Measure.OUTPUTS: f"countIf({_OUTPUT})",
    Measure.PERMITS: "countIf(counterparty_permit != '')",
    Measure.PURPOSES: "countIf(counterparty_purpose_no != '')",
    Measure.ROWS: "sum(export_rows)",
    Measure.SEARCHES: f"countIf({_SEARCH})",
    Measure.SEQUENCES: "uniqExact(sequence)",
    Measure.SOURCES: "uniqExact(source)",
    Measure.STEP_BACK: "-arrayMin(arrayDifference(arrayMap(pair -> pair.2, "
    "arraySort(groupArray((sequence, toUnixTimestamp(time)))))))",
    Measure.SUBJECTS: "length(arrayFilter(key -> key != '', groupUniqArrayArray(subjects)))",
    Measure.TERMINALS: "uniqExactIf(terminal_id, terminal_id != '')",
}
_LONGEST_CURSOR = 80
"""Two numbers in Base64; anything longer was never ours and is not worth decoding."""
_INSERTING = """
SELECT 1 FROM system.processes
WHERE query_kind = 'Insert' AND current_database = currentDatabase() AND query LIKE 'INSERT INTO %events%'
LIMIT 1
"""
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
    add("delivery IN {deliveries:Array(UInt64)}", "deliveries", wanted.deliveries)
    add("has(subjects, {subject:String})", "subject", wanted.subject)
    add("activity IN {activities:Array(String)}", "activities", wanted.activities)
    add("outcome IN {outcomes:Array(String)}", "outcomes", wanted.outcomes)
    add("actor_org_unit IN {org_units:Array(String)}", "org_units", wanted.org_units)
    add("terminal_id IN {terminals:Array(String)}", "terminals", wanted.terminals)
    add("event_id IN {event_ids:Array(String)}", "event_ids", wanted.event_ids)
    add("toDayOfWeek(time, 0, 'Asia/Tokyo') - 1 IN {weekdays:Array(UInt8)}", "weekdays", wanted.weekdays)
    add("toHour(time, 'Asia/Tokyo') IN {hours:Array(UInt8)}", "hours", wanted.hours)
    add("log_index >= {first_index:UInt64}", "first_index", wanted.first_index)
    add("sequence >= {first_sequence:UInt64}", "first_sequence", wanted.first_sequence)
    add("sequence <= {last_sequence:UInt64}", "last_sequence", wanted.last_sequence)
    add("has(marks, {mark:String})", "mark", wanted.mark)
    add("operation_name IN {operations:Array(String)}", "operations", wanted.operations)
    if wanted.recorded_after is not None:
        parts.append("recorded_at >= addSeconds(time, {recorded_after:Int64})")
        values["recorded_after"] = int(wanted.recorded_after.total_seconds())
    if wanted.recorded_within is not None:
        parts.append("ifNull(recorded_at < addSeconds(time, {recorded_within:Int64}), 1)")
        values["recorded_within"] = int(wanted.recorded_within.total_seconds())
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


class LogRepository:
    """Reads and writes the `events` table."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    # Taking in -------------------------------------------------------------------------------------------------

    def add(self, events: pa.Table) -> None:
        """Append events of one month: they are stored altogether or not at all.

        One insert of one block into one partition is one part, which the engine brings in by a single rename.
        """
        self._store.insert("events", events.combine_chunks())

    def id_ranges(self, source: str) -> IdRanges:
        """The range of all ids that a source has used."""
        named = "SELECT min(event_id) AS first, max(event_id) AS last FROM events WHERE source = {source:String}"
        found = self._store.rows(named, {"source": source}, Purpose.WRITE)[0]
        used = IdRanges()
        if found["last"]:
            used.add(found["first"], found["last"])
        return used

    def known_ids(self, source: str, ids: pa.Array, first: datetime, last: datetime) -> pa.Array:
        """Those of some ids that a source already has, among events of these times."""
        bounds = pc.min_max(ids)
        asked = {
            "source": source,
            "first_id": bounds["min"].as_py(),
            "last_id": bounds["max"].as_py(),
            "first_time": first,
            "last_time": last,
        }
        if not self._store.rows(f"SELECT 1 {intake.IN_RANGE} LIMIT 1", asked, Purpose.WRITE):
            return pa.array([], pa.string())
        self._store.command("TRUNCATE TABLE intake_ids")
        self._store.insert("intake_ids", pa.table({"event_id": ids}))
        found = self._store.rows(intake.FIND_IDS, asked, Purpose.WRITE)
        self._check_staged("intake_ids", len(ids))
        return pa.array([row["event_id"] for row in found], pa.string())

    def known_rows(self, source: str, rows: pa.Table) -> list[tuple[int, bool]]:
        """Those of some events that are known: the log has their id, or it stands earlier among them.

        Args:
            source: whose events.
            rows: columns of events, and `n`.

        Returns:
            `n` of each, and whether its content is another than that which came first.
        """
        bounds = pc.min_max(rows["event_id"])
        asked = {
            "source": source,
            "first_id": bounds["min"].as_py(),
            "last_id": bounds["max"].as_py(),
            "first_time": _BEGINNING,
            "last_time": _END,
        }
        self._store.command("TRUNCATE TABLE intake_rows")
        self._store.insert("intake_rows", rows)
        found = self._store.rows(intake.FIND_KNOWN, asked, Purpose.WRITE)
        self._check_staged("intake_rows", rows.num_rows)
        return [(row["n"], bool(row["conflict"])) for row in found]

    def seen_before(self, delivery: Delivery, hashes: pa.Array) -> dict[bytes, int]:
        """How often a delivery, or the stream that it continues, brought the same bytes before; these are remembered.

        Args:
            delivery: which.
            hashes: of the records without an id, in any order.
        """
        self._store.command("TRUNCATE TABLE intake_hashes")
        self._store.insert("intake_hashes", pa.table({"raw_hash": hashes}))
        scope = {"scope": delivery.scope or delivery.number}
        seen = self._store.rows(intake.FIND_SEEN, scope, Purpose.WRITE)
        self._store.command(intake.REMEMBER, {**scope, "delivery": delivery.number})
        self._check_staged("intake_hashes", len(hashes))
        return {row["raw_hash"]: row["before"] for row in seen}

    def forget(self, delivery: Delivery) -> None:
        """Forget what a delivery brought that was cut off, and is read from its begin again."""
        self._store.command(intake.FORGET, {"delivery": delivery.number})

    def has(self, source: str, event_id: str) -> bool:
        """Whether a source has an event of this name."""
        named = "SELECT 1 FROM events WHERE source = {source:String} AND event_id = {event_id:String} LIMIT 1"
        return bool(self._store.rows(named, {"source": source, "event_id": event_id}, Purpose.WRITE))

    def _check_staged(self, table: str, count: int) -> None:
        """See that what was asked about was there when the answer was given: a server that restarts forgets it.

        Raises:
            StoreUnavailableError: it was not; all must be asked again.
        """
        staged = self._store.rows(f"SELECT count() AS n FROM {table}", purpose=Purpose.WRITE)[0]["n"]
        if staged != count:
            raise StoreUnavailableError(f"{table} holds {staged} rows of {count}: the event store was restarted")

    def next_index(self) -> int:
        """The log index after the last one.

        Raises:
            StoreUnavailableError: an earlier insert, whose answer never came, is still under way.
        """
        if self._store.rows(_INSERTING, purpose=Purpose.WRITE):
            raise StoreUnavailableError("an earlier insert is still under way")
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

    def aggregate(
        self,
        wanted: Filter,
        by: Sequence[Dimension],
        measures: Sequence[Measure],
        at_least: Mapping[Measure, int] | None = None,
    ) -> list[dict[str, Any]]:
        """Measures by dimensions; one row a combination that occurs, in no particular order.

        `at_least` leaves out the combinations that have less of a measure.
        """
        where, values = _where(wanted)
        least = at_least or {}
        names = [
            *(f"{_DIMENSIONS[d]} AS by_{d}" for d in by),
            *(f"{_MEASURES[m]} AS of_{m}" for m in dict.fromkeys((*measures, *least))),
        ]
        group = f" GROUP BY {', '.join(f'by_{d}' for d in by)}" if by else ""
        bounds = " AND ".join(f"of_{m} >= {{least_{m}:UInt64}}" for m in least)
        having = f" HAVING {bounds}" if bounds else ""
        values |= {f"least_{m}": value for m, value in least.items()}
        asked = f"SELECT {', '.join(names)} FROM events WHERE {where}{group}{having}"
        rows = self._store.rows(asked, values)
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

    def matching(self, wanted: Filter, sought: Correlation, since: datetime, limit: int) -> list[Match]:
        """Where a correlation is found among some events, the strongest first.

        Args:
            wanted: which events.
            sought: the correlation.
            since: it must be so at this time or later.
            limit: at most so many.
        """
        where, values = _where(wanted)
        binder = Binder()
        statement = matching.seeking(sought, where, binder, limit)
        rows = self._store.rows(statement, {**values, **binder.values, **matching.bound(sought, since)})
        return [
            Match(
                key=row["key"],
                group=tuple(json.loads(row["key"])),
                strength=int(row["strength"]),
                first=_BEGINNING + timedelta(microseconds=row["first"]),
                last=_BEGINNING + timedelta(microseconds=row["last"]),
            )
            for row in rows
        ]

    def matched(
        self, wanted: Filter, sought: Correlation, matches: Sequence[Match], limit: int
    ) -> Iterator[dict[str, Any]]:
        """The acts of what was found: the latest of each group, by its `key`, and how many `acts` there are in all."""
        where, values = _where(wanted)
        binder = Binder()
        statement, more = matching.evidence_of(sought, matches, where, binder, limit)
        for row in self._store.rows(statement, {**values, **binder.values, **more}):
            yield {**row, "subjects": row["shown"]}
