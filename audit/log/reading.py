"""JSON Lines into columns, without a Python object per event.

Arrow reads whole blocks and is strict where it matters (names that stand twice, types, escapes, lone surrogates, all
checked by `tests/audit/events/test_readings.py`); vectorised checks then say of each row whether it is plainly right:
every name known, a strict time within bounds, words of the vocabulary, nothing that could hide a My Number. Rows that
are not plainly right are read again one by one by `audit.events.check`, which has the last word. A block that Arrow
refuses is halved until the faulty lines stand alone. Being too strict here costs time, never an event.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from audit.events import FIELDS, Activity, ActorKind, Field, Kind, Outcome, check, parse_json
from audit.events.fields import GROUPS
from audit.events.mynumber import SUSPECT
from audit.events.validation import FUTURE_TOLERANCE, MAX_COUNT, MAX_EVENT_ID_BYTES, OLDEST
from audit.log.columns import ARROW, joined, table_of
from audit.log.model import Reading, ReadRecord, RefusedRow

__all__ = ["LineReader", "Lines", "read_records", "read_together"]

_CAREFUL_LINES = 32
"""A block that Arrow refuses is not worth halving below this."""
_LONG_LINE = 4096
"""Nesting of a shorter line cannot exhaust the stack of Arrow's recursive reader."""
_MAX_OPENED = 64
_CACHED = 1 << 19
_MAX_PLAIN_BYTES = 65_536
_TWELVE_DIGITS = 12
"""Nothing shorter, in bytes, holds twelve digits in any writing."""
_TIME = (
    r"^(?:199\d|20\d\d|21\d\d)-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$"
)
_WORDS = {
    "activity": pa.array([str(word) for word in Activity]),
    "actor.kind": pa.array(["", *map(str, ActorKind)]),
    "outcome": pa.array(["", *map(str, Outcome)]),
}
_READ = tuple(f for f in FIELDS if f.path != "unmapped")
"""`unmapped` is what the form has no place for: a line that brings any is read with care."""
_JSON = {Kind.TEXT: pa.string(), Kind.TIME: pa.string(), Kind.COUNT: pa.int64(), Kind.FLAG: pa.bool_()}
_MANY_VALUES = frozenset(
    {"case_id", "counterparty.permit", "event_id", "export.approval_id", "export.file", "export.sha256", "reason"}
    | {"session", "target.id"}
)
"""Texts that differ from event to event; all others repeat, and travel as dictionaries."""


_BLOCKS = pj.ReadOptions(use_threads=False, block_size=1 << 20)
"""One thread, for the thread beside it stores the piece before: two readers would stand in each other's way."""


@cache
def _schema(paths: frozenset[str]) -> pa.Schema:
    """The shape of a JSON object that has these of the contract's fields."""
    shape: dict[str, Any] = {}
    for f in _READ:
        if f.path in paths:
            group, _, name = f.path.partition(".")
            kind = _JSON.get(f.kind, pa.list_(pa.string()))
            shape[group] = [*shape.get(group, []), (name, kind)] if name else kind
    return pa.schema([(k, pa.struct(v) if isinstance(v, list) else v) for k, v in shape.items()])


_PATHS = frozenset(f.path for f in _READ)


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of a delivery.

    Attributes:
        data: their bytes, LF between them, and perhaps after the last.
        ends: where each line ends in `data`, an int64 array.
        numbers: the number of each line within its delivery, an int64 array.
    """

    data: bytes
    ends: Any
    numbers: Any

    @classmethod
    def of(cls, data: bytes, first: int = 1) -> "Lines":
        """Lines as they were delivered, numbered from `first`; empty ones are left out but counted.

        A CR before an LF belongs to the line end.
        """
        ends = _ends(data)
        lines = cls(data, ends, np.arange(first, first + len(ends)))
        if lines.are_objects():
            return lines
        split = [(n, line.removesuffix(b"\r")) for n, line in enumerate(data.split(b"\n"), start=first)]
        kept = [(n, line) for n, line in split if line.strip()]
        data = b"\n".join(line for _, line in kept)
        return cls(data, _ends(data), np.array([n for n, _ in kept], np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def begins(self) -> Any:  # noqa: ANN401 - an int64 array of NumPy
        """Where each line begins."""
        return np.append(0, self.ends[:-1] + 1)

    def line(self, place: int) -> bytes:
        """The bytes of one line, by its place here."""
        return self.data[int(self.ends[place - 1]) + 1 if place else 0 : int(self.ends[place])]

    def numbered(self, n: int) -> bytes:
        """The bytes of one line, by its number in the delivery."""
        return self.line(int(np.searchsorted(self.numbers, n)))

    def are_objects(self) -> bool:
        """Whether each line begins with `{` and ends with `}`.

        In valid JSON `}` LF `{` stands between two objects and nowhere else: such lines hold whole objects.
        """
        if not self.data:
            return False
        letters = np.frombuffer(self.data, np.uint8)
        return bool((letters[self.ends - 1] == ord("}")).all() and (letters[self.begins()] == ord("{")).all())

    def halves(self) -> tuple["Lines", "Lines"]:
        """The same lines in two parts."""
        middle = len(self) // 2
        cut = int(self.ends[middle - 1])
        return (
            Lines(self.data[:cut], self.ends[:middle], self.numbers[:middle]),
            Lines(self.data[cut + 1 :], self.ends[middle:] - cut - 1, self.numbers[middle:]),
        )


def _ends(data: bytes) -> Any:  # noqa: ANN401 - an int64 array of NumPy
    """Where the lines end; searched in parts that stay in the processor's cache."""
    letters = np.frombuffer(data, np.uint8)
    found = [np.flatnonzero(letters[at : at + _CACHED] == ord("\n")) + at for at in range(0, len(data), _CACHED)]
    last = [] if not data or data.endswith(b"\n") else [len(data)]
    return np.concatenate([*found, np.array(last, np.int64)])


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
        waiting = [lines] if len(lines) else []
        while waiting:
            part = waiting.pop()
            table = None if _too_deep(part) else self._parse(part)
            if table is None and len(part) > _CAREFUL_LINES:
                waiting += part.halves()
                continue
            doubtful: Any = range(len(part))
            if table is not None:
                columns, clear = _judge(table, self._received_at + self._tolerance)
                doubtful = np.flatnonzero(~clear)
                tables.append(_plain(part, columns, clear))
            for place in doubtful:
                read = self._read_carefully(int(part.numbers[place]), part.line(place))
                (careful if isinstance(read, ReadRecord) else refused).append(read)  # type: ignore[arg-type]
        careful.sort(key=lambda record: record.n)
        refused.sort(key=lambda row: row.n)
        tables += [_careful_table(careful)] if careful else []
        return Reading(_in_order(tables), lines.numbered, tuple(refused), sum(record.masked for record in careful))

    def _read_carefully(self, n: int, raw: bytes) -> ReadRecord | RefusedRow:
        doc, fault = parse_json(raw)
        if doc is None or fault is not None:
            return RefusedRow(n, raw, (fault,) if fault else ())
        checked = check(doc, self._received_at, self._tolerance)
        if checked.faults:
            return RefusedRow(n, raw, checked.faults)
        return ReadRecord(n, raw, checked.columns, checked.masked)

    def _parse(self, lines: Lines) -> Any:  # noqa: ANN401 - an Arrow table, or None where Arrow is in doubt
        if not lines.are_objects():
            return None
        try:
            _check_utf8(lines.data)  # which Arrow's JSON does not look at
            self._met |= _members(_read_json(lines.line(0), self._met)) & _PATHS  # usually all that there is
            table = _read_json(lines.data, self._met)
            if met := _members(table) & _PATHS - self._met:
                self._met |= met
                table = _read_json(lines.data, self._met)
        except pa.ArrowInvalid:
            return None
        return table.combine_chunks() if table.num_rows == len(lines) else None


def read_together(parts: Sequence[tuple[bytes, datetime]]) -> list[Reading]:
    """Read small deliveries of one source in one go, because most of what a reading costs is to begin it.

    Args:
        parts: the bytes of each, and when it arrived.
    """
    whole = b"".join(data if data.endswith(b"\n") else data + b"\n" for data, _ in parts)
    lines = Lines(whole, ends := _ends(whole), np.arange(len(ends)))
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


def _check_utf8(data: bytes) -> None:
    bounds = np.array([0, len(data)], np.int64)
    pa.Array.from_buffers(pa.large_binary(), 1, [None, pa.py_buffer(bounds), pa.py_buffer(data)]).cast(
        pa.large_string()
    )


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


def _hash(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()[:16]


def _too_deep(lines: Lines) -> bool:
    """Whether a line could be nested so deeply, or be so long, that only the careful reading may have it."""
    begins = lines.begins()
    for place in np.flatnonzero(lines.ends - begins > _LONG_LINE):
        begin, end = int(begins[place]), int(lines.ends[place])
        opened = lines.data.count(b"[", begin, end) + lines.data.count(b"{", begin, end)
        if end - begin > _MAX_PLAIN_BYTES or opened > _MAX_OPENED:
            return True
    return False


def _strangers(table: Any) -> Iterator[Any]:  # noqa: ANN401
    """The columns that the contract's form does not know."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name in GROUPS and pa.types.is_struct(column.type):
            for member in column.type:
                if f"{name}.{member.name}" not in _PATHS:
                    yield pc.struct_field(column, member.name)
        elif name in GROUPS or name not in _PATHS or "." in name:
            yield column


def _member(table: Any, f: Field) -> Any:  # noqa: ANN401 - an Arrow array, or None
    group, _, name = f.path.partition(".")
    if group not in table.column_names:
        return None
    column = table[group].combine_chunks()
    if not name:
        return column
    if not pa.types.is_struct(column.type) or column.type.get_field_index(name) < 0:
        return None
    return pc.struct_field(column, name)


def _judge(table: Any, newest: datetime) -> tuple[dict[str, Any], Any]:  # noqa: ANN401
    """The columns of a block, and which of its rows are plainly right."""
    judgement = _Judgement(table.num_rows)
    for stranger in _strangers(table):
        judgement.demand(pc.is_null(stranger))
    columns: dict[str, Any] = {}
    for f in _READ:
        values = _member(table, f)
        if values is None or (values.null_count == len(values) and f.path not in {"activity", "time"}):
            continue
        columns[f.column] = _CHECKS[f.kind](f, values, judgement)
    judgement.scan()
    named = columns.get("actor_id")
    kinds = columns.get("actor_kind")
    has_id = pc.not_equal(named, "") if named is not None else pa.array([False] * table.num_rows)
    is_system = pc.equal(kinds, "system") if kinds is not None else pa.array([False] * table.num_rows)
    judgement.demand(pc.or_(has_id, is_system))
    at = columns["time"]
    within = pc.and_(pc.greater_equal(at, pa.scalar(OLDEST, at.type)), pc.less_equal(at, pa.scalar(newest, at.type)))
    judgement.demand(pc.fill_null(within, False))
    return columns, judgement.clear


class _Judgement:
    """Which rows are plainly right, narrowed check by check."""

    def __init__(self, rows: int) -> None:
        self.clear = np.ones(rows, np.bool_)
        self._texts: list[tuple[Any, Any]] = []

    def demand(self, good: Any) -> None:  # noqa: ANN401 - a Boolean array without nulls
        self.clear &= good.to_numpy(zero_copy_only=False)

    def refuse(self, rows: Any) -> None:  # noqa: ANN401 - an array of row numbers
        self.clear[rows] = False

    def demand_harmless(self, texts: Any, rows_of: Any) -> None:  # noqa: ANN401
        """Texts in which no My Number may hide; `rows_of` gives the rows of some places in them."""
        long = np.flatnonzero(pc.fill_null(pc.binary_length(texts), 0).to_numpy() >= _TWELVE_DIGITS)
        if len(long) == len(texts) and len(long):
            self._texts.append((texts, rows_of))
        elif len(long):
            self._texts.append((texts.take(pa.array(long)), lambda places: rows_of(long[places])))

    def scan(self) -> None:
        """Search all texts at once: setting up the search costs more than searching a column."""
        if not self._texts:
            return
        found = pc.match_substring_regex(pa.concat_arrays([texts for texts, _ in self._texts]), SUSPECT)
        hidden = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
        if not hidden.any():
            return
        begin = 0
        for texts, rows_of in self._texts:
            places = np.flatnonzero(hidden[begin : begin + len(texts)])
            begin += len(texts)
            if len(places):
                self.refuse(rows_of(places))


def _check_text(f: Field, values: Any, judgement: _Judgement) -> Any:  # noqa: ANN401
    if values.null_count:
        values = pc.fill_null(values, "")
    if f.path == "event_id" and pc.max(pc.binary_length(values)).as_py() > MAX_EVENT_ID_BYTES:
        judgement.demand(pc.less_equal(pc.binary_length(values), MAX_EVENT_ID_BYTES))
    if f.path in _MANY_VALUES:
        if not f.declared_id:
            judgement.demand_harmless(values, lambda places: places)
        return values
    words = values.dictionary_encode()
    if f.path in _WORDS:
        judgement.demand(pc.is_in(words.dictionary, _WORDS[f.path]).take(words.indices))
    elif not f.declared_id:
        judgement.demand_harmless(
            words.dictionary, lambda places: np.flatnonzero(np.isin(words.indices.to_numpy(), places))
        )
    return words


def _check_time(f: Field, values: Any, judgement: _Judgement) -> Any:  # noqa: ANN401
    if values.null_count:
        values = pc.fill_null(values, "")
    good = pc.match_substring_regex(values, _TIME)
    judgement.demand(good if f.path == "time" else pc.or_(good, pc.equal(values, "")))
    return pc.cast(pc.if_else(good, values, pa.scalar(None, pa.string())), ARROW[Kind.TIME])


def _check_ids(_f: Field, values: Any, judgement: _Judgement) -> Any:  # noqa: ANN401
    items, parents = pc.list_flatten(values), pc.list_parent_indices(values).to_numpy()
    filled = pc.fill_null(pc.not_equal(items, ""), False).to_numpy(zero_copy_only=False)
    if not filled.all():
        judgement.refuse(parents[~filled])
    judgement.demand_harmless(items, lambda places: parents[places])
    return pc.if_else(pc.is_valid(values), values, pa.scalar([], values.type)) if values.null_count else values


def _check_count(_f: Field, values: Any, judgement: _Judgement) -> Any:  # noqa: ANN401
    good = pc.fill_null(pc.and_(pc.greater_equal(values, 0), pc.less_equal(values, MAX_COUNT)), True)
    if not pc.all(good).as_py():
        judgement.demand(good)
        values = pc.if_else(good, values, pa.scalar(None, values.type))
    return pc.cast(values, ARROW[Kind.COUNT])


def _check_flag(_f: Field, values: Any, _judgement: _Judgement) -> Any:  # noqa: ANN401
    return values


_CHECKS = {
    Kind.TEXT: _check_text,
    Kind.TIME: _check_time,
    Kind.IDS: _check_ids,
    Kind.COUNT: _check_count,
    Kind.FLAG: _check_flag,
}


def _plain(lines: Lines, columns: dict[str, Any], clear: Any) -> Any:  # noqa: ANN401
    """The rows that are plainly right, with their numbers, and the hashes of those that bring no id."""
    table = pa.table({**columns, "n": pa.array(lines.numbers)})
    nameless = clear.copy()
    if "event_id" in columns:
        nameless &= pc.equal(columns["event_id"], "").to_numpy(zero_copy_only=False)
    if nameless.any():
        hashes = [_hash(lines.line(place)) if nameless[place] else None for place in range(len(lines))]
        table = table.append_column("raw_hash", pa.array(hashes, pa.binary(16)))
    return table if clear.all() else table.filter(pa.array(clear))
