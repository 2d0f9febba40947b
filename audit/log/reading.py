"""JSON Lines into columns, without a Python object per event.

Arrow reads whole blocks and is strict where it matters (names that stand twice, types, escapes, lone surrogates, all
checked by `tests/audit/events/test_readings.py`); vectorised checks then say of each row whether it is plainly right:
every name known, a strict time within bounds, words of the vocabulary, nothing that could hide a My Number. Rows that
are not plainly right are read again one by one by `audit.events.check`, which has the last word. A block that Arrow
refuses is halved until the faulty lines stand alone. Being too strict here costs time, never an event.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from audit.events import Kind, check, parse_json
from audit.events.fields import GROUPS
from audit.events.validation import FUTURE_TOLERANCE
from audit.log.columns import joined, table_of
from audit.log.judging import PATHS, READ, judge
from audit.log.lines import Lines, ends_of, is_utf8
from audit.log.model import Reading, ReadRecord, RefusedRow
from audit.log.shapes import by_shape

__all__ = ["LineReader", "read_docs", "read_records", "read_together"]

_CAREFUL_LINES = 32
"""A block that Arrow refuses is not worth halving below this."""
_JSON = {Kind.TEXT: pa.string(), Kind.TIME: pa.string(), Kind.COUNT: pa.int64(), Kind.FLAG: pa.bool_()}


_BLOCKS = pj.ReadOptions(use_threads=False, block_size=1 << 20)
"""One thread, for the thread beside it stores the piece before: two readers would stand in each other's way."""


@cache
def _schema(paths: frozenset[str]) -> pa.Schema:
    """The shape of a JSON object that has these of the contract's fields."""
    shape: dict[str, Any] = {}
    for f in READ:
        if f.path in paths:
            group, _, name = f.path.partition(".")
            kind = _JSON.get(f.kind, pa.list_(pa.string()))
            shape[group] = [*shape.get(group, []), (name, kind)] if name else kind
    return pa.schema([(k, pa.struct(v) if isinstance(v, list) else v) for k, v in shape.items()])


class LineReader:
    """Reads the JSON lines of one delivery, or of several by the same source.

    Arrow looks for every field of its schema in every object, so it is only told of those that this reader has met:
    an event of twenty fields is read a third faster than with all forty. A block that brings another is read again.

    Args:
        received_at: when the lines arrived.
        tolerance: how far ahead of its receipt an event may be.
    """

    def __init__(self, received_at: datetime, tolerance: timedelta = FUTURE_TOLERANCE) -> None:
        self._received_at = received_at
        self._tolerance = tolerance
        self._met = frozenset({"activity", "time"})

    def read(self, lines: Lines) -> Reading:
        """Read some lines."""
        tables = list[Any]()
        careful = list[ReadRecord]()
        refused = list[RefusedRow]()
        for part, columns, clear in self._columns(lines):
            if clear.any():
                tables.append(self._plain(part, columns, clear))
            for place in map(int, np.flatnonzero(~clear)):
                read = self._read_carefully(int(part.numbers[place]), part.line(place))
                (careful if isinstance(read, ReadRecord) else refused).append(read)  # type: ignore[arg-type]
        careful.sort(key=lambda record: record.n)
        refused.sort(key=lambda row: row.n)
        tables += [_careful_table(careful)] if careful else []
        raw = partial(self._raw, lines)
        return Reading(_in_order(tables), raw, tuple(refused), sum(record.masked for record in careful))

    def _raw(self, lines: Lines, n: int) -> bytes:
        return lines.numbered(n)

    def _columns(self, lines: Lines) -> Iterator[tuple[Lines, dict[str, Any], Any]]:
        """The lines in parts: the columns of each, and which of its lines are plainly right."""
        newest = self._received_at + self._tolerance
        shaped, rest = by_shape(lines)
        for part, found, unmapped in shaped:
            yield part, *judge(found, (), unmapped, len(part), newest)
        waiting = [rest] if len(rest) else []
        while waiting:
            part = waiting.pop()
            table = None if part.too_deep() else self._parse(part)
            if table is not None:
                yield part, *judge(*_flat(table), (), len(part), newest)
            elif len(part) > _CAREFUL_LINES:
                waiting += part.halves()
            else:
                yield part, {}, np.zeros(len(part), np.bool_)

    def _read_carefully(self, n: int, raw: bytes) -> ReadRecord | RefusedRow:
        doc, fault = parse_json(raw)
        if doc is None or fault is not None:
            return RefusedRow(n, raw, (fault,) if fault else ())
        return self._checked(n, raw, doc)

    def _checked(self, n: int, raw: bytes, doc: Mapping[str, Any]) -> ReadRecord | RefusedRow:
        checked = check(doc, self._received_at, self._tolerance)
        if checked.faults:
            return RefusedRow(n, raw, checked.faults)
        return ReadRecord(n, raw, checked.columns, checked.masked)

    def _plain(self, lines: Lines, columns: dict[str, Any], clear: Any) -> Any:  # noqa: ANN401 - an Arrow table
        """The rows that are plainly right, with their numbers, and the hashes of those that bring no id."""
        table = pa.table({**columns, "n": pa.array(lines.numbers)})
        nameless = clear.copy()
        if "event_id" in columns:
            nameless &= pc.equal(columns["event_id"], "").to_numpy(zero_copy_only=False)
        if nameless.any():
            named = zip(lines.numbers.tolist(), nameless.tolist(), strict=True)
            hashes = [_hash(self._raw(lines, n)) if bare else None for n, bare in named]
            table = table.append_column("raw_hash", pa.array(hashes, pa.binary(16)))
        return table if clear.all() else table.filter(pa.array(clear))

    def _parse(self, lines: Lines) -> Any:  # noqa: ANN401 - an Arrow table, or None where Arrow is in doubt
        if not (lines.are_objects() and is_utf8(lines.data)):  # which Arrow's JSON does not look at
            return None
        try:
            self._met |= _members(_read_json(lines.line(0), self._met)) & PATHS  # usually all that there is
            table = _read_json(lines.data, self._met)
            if met := _members(table) & PATHS - self._met:
                self._met |= met
                table = _read_json(lines.data, self._met)
        except pa.ArrowInvalid:
            return None
        return table.combine_chunks() if table.num_rows == len(lines) else None


class _DocReader(LineReader):
    """Reads events that a format has made of records: as lines of JSON, which is cheaper than checking each."""

    def __init__(
        self, docs: Mapping[int, tuple[bytes, Mapping[str, Any]]], received_at: datetime, tolerance: timedelta
    ) -> None:
        super().__init__(received_at, tolerance)
        self._docs = docs

    def _raw(self, lines: Lines, n: int) -> bytes:
        del lines
        return self._docs[n][0]

    def _read_carefully(self, n: int, raw: bytes) -> ReadRecord | RefusedRow:
        del raw
        return self._checked(n, *self._docs[n])

    def written(self) -> Lines:
        """The events as lines; one that cannot be written is a line that nobody reads, so that it is read with care."""
        lines = [_json(doc) or b"-" for _, doc in self._docs.values()]
        data = b"\n".join(lines)
        return Lines(data, ends_of(data), np.fromiter(self._docs, np.int64, len(self._docs)))


def _json(doc: Mapping[str, Any]) -> bytes:
    """A document as one line of JSON; nothing where that cannot be done."""
    try:
        return json.dumps(doc, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError):  # half of a surrogate pair, for example
        return b""


def read_docs(
    docs: Mapping[int, tuple[bytes, Mapping[str, Any]]], received_at: datetime, tolerance: timedelta
) -> Reading:
    """The reading of records that a format made events of.

    Args:
        docs: the bytes of each record and the event in the contract's form, by its number within the delivery, rising.
        received_at: when they arrived.
        tolerance: how far ahead of its receipt an event may be.
    """
    reader = _DocReader(docs, received_at, tolerance)
    return reader.read(reader.written())


def read_together(parts: Sequence[tuple[bytes, datetime]]) -> list[Reading]:
    """Read small deliveries of one source in one go, because most of what a reading costs is to begin it.

    Args:
        parts: the bytes of each, and when it arrived.
    """
    whole = b"".join(data if data.endswith(b"\n") else data + b"\n" for data, _ in parts)
    lines = Lines(whole, ends := ends_of(whole), np.arange(len(ends)))
    if len(parts) == 1 or not lines.are_objects():
        return [LineReader(received_at).read(Lines.of(data)) for data, received_at in parts]
    sizes = [len(data) + (not data.endswith(b"\n")) for data, _ in parts]
    begins = np.searchsorted(ends, np.cumsum([0, *sizes]))  # the number of the first line of each, and one beyond
    together = LineReader(min(received_at for _, received_at in parts)).read(lines)
    rows = together.table["n"].to_numpy() if together.table.num_rows else np.array([], np.int64)
    cuts = np.searchsorted(rows, begins)
    alone = {int(np.searchsorted(begins, row.n, "right")) - 1 for row in together.refused}
    readings = []
    for place, (data, received_at) in enumerate(parts):
        table = together.table.slice(cuts[place], cuts[place + 1] - cuts[place])
        if place in alone or ("masked" in table.column_names and pc.any(table["masked"]).as_py()):
            # Whoever is refused is judged by the receipt of its own delivery.
            readings.append(LineReader(received_at).read(Lines.of(data)))
        else:
            readings.append(_part(table, lines, int(begins[place])))
    return readings


def _part(table: Any, lines: Lines, begin: int) -> Reading:  # noqa: ANN401
    """The reading of one delivery of several: its lines are numbered from 1."""
    if table.num_rows:
        place = table.column_names.index("n")
        table = table.set_column(place, "n", pc.subtract(table["n"], begin - 1))
    return Reading(table, lambda n: lines.line(begin + n - 1))


def read_records(records: Sequence[ReadRecord]) -> Reading:
    """The reading of records that were decoded and checked in Python."""
    table = _careful_table(records) if records else table_of([])
    raw = {record.n: record.raw for record in records}
    return Reading(table, raw.__getitem__, (), sum(record.masked for record in records))


def _careful_table(records: Sequence[ReadRecord]) -> Any:  # noqa: ANN401 - an Arrow table
    hashes = [None if record.columns.get("event_id") else _hash(record.raw) for record in records]
    return (
        table_of([record.columns for record in records])
        .append_column("n", pa.array([record.n for record in records], pa.int64()))
        .append_column("raw_hash", pa.array(hashes, pa.binary(16)))
        .append_column("masked", pa.array([bool(record.masked) for record in records], pa.bool_()))
    )


def _in_order(tables: list[Any]) -> Any:  # noqa: ANN401 - an Arrow table
    tables = [table for table in tables if table.num_rows]
    if len(tables) < 2:
        return tables[0] if tables else table_of([])
    return joined(tables).sort_by("n")


def _read_json(data: bytes, paths: frozenset[str]) -> Any:  # noqa: ANN401 - an Arrow table
    parsing = pj.ParseOptions(explicit_schema=_schema(paths), unexpected_field_behavior="infer")
    return pj.read_json(pa.BufferReader(data), read_options=_BLOCKS, parse_options=parsing)


def _members(table: Any) -> frozenset[str]:  # noqa: ANN401
    """The paths of all that a table has, known or not."""
    found = set[str]()
    for name, kind in zip(table.schema.names, table.schema.types, strict=True):
        if pa.types.is_struct(kind):
            found |= {f"{name}.{member.name}" for member in kind}
        found.add(name)
    return frozenset(found)


def _flat(table: Any) -> tuple[dict[str, Any], list[Any]]:  # noqa: ANN401
    """The columns of a table by our path, and those that the contract's form does not know."""
    known, strangers = dict[str, Any](), list[Any]()
    for name, column in zip(table.column_names, table.columns, strict=True):
        whole = column.combine_chunks()
        if name in GROUPS and pa.types.is_struct(whole.type):
            # By place: a name that begins with a point would be taken for a path.
            members = {f"{name}.{one.name}": pc.struct_field(whole, [place]) for place, one in enumerate(whole.type)}
        else:
            members = {name: whole}
        for path, values in members.items():
            if path in PATHS and (path == name) == ("." not in path):
                known[path] = values
            else:
                strangers.append(values)
    return known, strangers


def _hash(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()[:16]
