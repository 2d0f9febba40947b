"""Lines that differ in their values alone: the fast way, for what programs write.

A program writes the same names in the same order every time. Lines of such a shape are cut at their commas by Arrow's
CSV reader; each piece must begin and end as in the shape, and what stands between must be free of quotes, backslashes
and control characters, or be a whole number. Such a line is JSON by construction, and its values are known. A line of
another shape, a comma within a value, an escape: not matched, and read as JSON (`audit.log.reading`). Doubt costs time,
never an event; `tests/audit/events/test_readings.py` holds all readings to the same answers.
"""

import codecs
import json
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from audit.events import FIELDS, MAX_RECORD_BYTES, Kind, parse_json
from audit.events.fields import GROUPS
from audit.events.mynumber import mask
from audit.log.lines import MAX_PLAIN_BYTES, Lines, is_utf8

__all__ = ["Matched", "by_shape"]

_ESCAPED = re.compile(rb"[\\\x00-\x1f]")
_KINDS = {f.path: f.kind for f in FIELDS if f.path != "unmapped"}
_KEPT = "unmapped."
"""Before the path of what the contract's form does not know."""
_OBJECTS = GROUPS | {"unmapped"}
_MOST_DIGITS = 18
"""The longest number that fits a count."""
_QUOTE, _COMMA, _BACKSLASH, _LF, _SPACE = b'",\\\n '
_WORTH = 64
"""Fewer lines are read as JSON before a shape is found."""
_MOST_COMMAS = 256
"""A line of more pieces costs more than it is worth."""
_ASKED = 16
"""Of so many lines, evenly spread, the shape is taken; one that occurs once is no shape."""
_BLOCKS = pyarrow.csv.ReadOptions(use_threads=False, block_size=1 << 20, autogenerate_column_names=True)
_PIECES = pyarrow.csv.ParseOptions(quote_char=False, double_quote=False, ignore_empty_lines=False)


class _Value(NamedTuple):
    """Where a value stands in a line: for a text, what is in its quotes."""

    path: str
    start: int
    end: int


class _Piece(NamedTuple):
    """What stands between two commas: constant bytes, and between them the value of a path, if any."""

    before: bytes
    path: str
    after: bytes


class Matched(NamedTuple):
    """Lines of one shape.

    Attributes:
        lines: which.
        columns: their values by our path, Arrow arrays; of `unmapped` the JSON text.
        unmapped: the values that stand in that text, one array a name.
    """

    lines: Lines
    columns: dict[str, Any]
    unmapped: list[Any]


class _Shape(NamedTuple):
    """Names in an order, and all that stands between their values.

    Attributes:
        pieces: what stands between commas.
        fixed: values that belong to the shape itself: true, false, and lists with nothing in them.
        kept: the names that the contract's form does not know, in the order in which `unmapped` has them.
        quotes: how many a line has.
    """

    pieces: tuple[_Piece, ...]
    fixed: tuple[tuple[str, bool | tuple[()]], ...]
    kept: tuple[str, ...]
    quotes: int


def by_shape(lines: Lines) -> tuple[list[Matched], Lines]:
    """Read the lines that have a shape that occurs often.

    Returns:
        The lines of each shape, and the rest.
    """
    found = list[Matched]()
    if len(lines) < _WORTH or not is_utf8(lines.data):
        return found, lines
    asked = Counter(_shape_of(lines.line(place)) for place in np.linspace(0, len(lines) - 1, _ASKED, dtype=np.int64))
    for shape, times in asked.most_common():
        if shape is not None and times > 1 and len(lines):
            rows, chosen, values = _match(shape, lines)
            if rows.any():
                found.append(_matched(shape, chosen, values))
                lines = lines.only(~rows)
    return found, lines


def _shape_of(line: bytes) -> _Shape | None:
    """The shape of a line; None where it has none: escapes, other kinds of values than wanted, objects in objects."""
    if len(line) > MAX_PLAIN_BYTES or line.count(b",") > _MOST_COMMAS or _ESCAPED.search(line):
        return None
    doc, fault = parse_json(line)
    if doc is None or fault is not None:
        return None
    values, fixed, at = list[_Value](), list[tuple[str, bool | tuple[()]]](), 0
    members = list(_members(doc))
    for path, name, said in members:
        texts = _texts(path, said)
        if texts is None:
            return None
        at = line.index(_quoted(name), at) + len(_quoted(name))
        if not texts:
            fixed.append((path, said if isinstance(said, bool) else ()))
        for text in texts:
            start = line.find(text, at)
            if start < 0 or line[at:start].strip(b" :[,"):
                return None
            at = start + len(text)
            quoted = text.startswith(b'"')
            values.append(_Value(path, start + quoted, at - quoted))
    pieces, kept = _pieces(line, values), sorted(path for path, _, _ in members if path.startswith(_KEPT))
    if pieces is None or len(set(kept)) != len(kept) or any(mask(path)[1] for path in kept):
        return None
    return _Shape(pieces, tuple(fixed), tuple(kept), line.count(b'"'))


def _members(doc: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """The values of an event in the order in which they were written: their path, their own name, and what they are."""
    for name, value in doc.items():
        inner = value.items() if isinstance(value, dict) and name in _OBJECTS else ()
        for one, said in inner:
            path = f"{name}.{one}"
            if said is not None:
                yield path if path in _KINDS or name == "unmapped" else _KEPT + path, one, said
        if value is not None and not (inner or (name in GROUPS and value == {})):
            yield name if name in _KINDS and "." not in name else _KEPT + name, name, value


def _texts(path: str, said: Any) -> list[bytes] | None:  # noqa: ANN401 - anything JSON can hold
    """What differs from line to line, as it is written; nothing for true, false and an empty list.

    Returns:
        None for what the path cannot hold.
    """
    kept, kind = path.startswith(_KEPT), _KINDS.get(path)
    if (kept or kind is Kind.COUNT) and type(said) is int and said >= 0:
        return [str(said).encode()]
    if (kept or kind in {Kind.TEXT, Kind.TIME}) and isinstance(said, str):
        return [_quoted(said)]
    if kind is Kind.IDS and isinstance(said, list) and all(isinstance(item, str) for item in said):
        return [_quoted(item) for item in said]
    return [] if (kept or kind is Kind.FLAG) and isinstance(said, bool) else None


def _quoted(text: str) -> bytes:
    return b'"' + text.encode() + b'"'


def _pieces(line: bytes, values: list[_Value]) -> tuple[_Piece, ...] | None:
    """A line cut at its commas; None where one of them stands in a value."""
    ahead, begin, pieces = deque(values), 0, list[_Piece]()
    for comma in [*(match.start() for match in re.finditer(b",", line)), len(line)]:
        if ahead and ahead[0].start <= comma:
            value = ahead.popleft()
            if comma < value.end:
                return None
            pieces.append(_Piece(line[begin : value.start], value.path, line[value.end : comma]))
        else:
            pieces.append(_Piece(line[begin:comma], "", b""))
        begin = comma + 1
    return tuple(pieces)


def _match(shape: _Shape, lines: Lines) -> tuple[Any, Lines, dict[str, Any]]:
    """Which lines have a shape, a Boolean array of NumPy; these lines, and their values as texts."""
    rows = _alike(shape, lines)
    if not rows.any():
        return rows, lines, {}
    chosen = lines.only(rows)
    try:
        cells = _cut(shape, chosen)
    except pa.ArrowInvalid:
        return np.zeros(len(lines), np.bool_), lines, {}
    good = np.ones(len(chosen), np.bool_)
    values: dict[str, list[Any]] = {}
    for piece, cell in zip(shape.pieces, cells, strict=True):
        for check in _checks(piece, cell):
            good &= check.to_numpy(zero_copy_only=False)
        if piece.path:
            end = -len(piece.after) if piece.after else MAX_RECORD_BYTES
            bare = pc.binary_slice(cell, len(piece.before), end).view(pa.string())
            values.setdefault(piece.path, []).append(bare)
            if not piece.before.endswith(b'"'):
                good &= _are_counts(bare).to_numpy(zero_copy_only=False)
    # A good line has the quotes of its shape, and is JSON when it has no others.
    if not good.all() or chosen.total(lambda letters: letters == _QUOTE) != shape.quotes * len(chosen):
        good &= _count(_QUOTE, chosen) == shape.quotes
        values = {path: [bare.filter(pa.array(good)) for bare in bares] for path, bares in values.items()}
    rows[rows.nonzero()[0][~good]] = False
    return rows, chosen.only(good), values


def _matched(shape: _Shape, lines: Lines, values: dict[str, list[Any]]) -> Matched:
    """The columns of a shape's lines."""
    columns = {path: _column(_KINDS[path], bares) for path, bares in values.items() if path in _KINDS}
    columns |= {path: pa.repeat(_fixed(value), len(lines)) for path, value in shape.fixed if path in _KINDS}
    if not shape.kept:
        return Matched(lines, columns, [])
    quoted = {piece.path for piece in shape.pieces if piece.before.endswith(b'"')}
    fixed, parts, before = dict(shape.fixed), list[Any](), "{"
    for path in shape.kept:
        text = f"{before}{json.dumps(path.removeprefix(_KEPT), ensure_ascii=False)}:"
        quote = '"' if path in quoted else ""
        if path in values:
            parts += [text + quote, values[path][0]]
            before = quote + ","
        else:
            before = f"{text}{json.dumps(fixed[path])},"
    parts.append(before.removesuffix(",") + "}")
    texts = [pa.repeat(part, len(lines)) if isinstance(part, str) else part for part in parts]
    columns["unmapped"] = pc.binary_join_element_wise(*texts, "")
    return Matched(lines, columns, [values[path][0] for path in shape.kept if path in values])


def _alike(shape: _Shape, lines: Lines) -> Any:  # noqa: ANN401 - a Boolean array of NumPy
    """The lines with as many commas as a shape, and nothing that JSON would escape."""
    wanted = len(shape.pieces) - 1
    rows = lines.ends - lines.begins() <= MAX_PLAIN_BYTES
    if lines.total(lambda letters: letters == _COMMA) != wanted * len(lines):
        rows &= _count(_COMMA, lines) == wanted
    if lines.total(lambda letters: letters < _SPACE) != lines.data.count(b"\n") or _BACKSLASH in lines.data:
        letters = _letters(lines)
        harmful = np.flatnonzero(((letters < _SPACE) & (letters != _LF)) | (letters == _BACKSLASH))
        rows[np.searchsorted(lines.ends, harmful)] = False
    return rows


def _letters(lines: Lines) -> Any:  # noqa: ANN401 - an array of NumPy
    return np.frombuffer(lines.data, np.uint8)


def _count(letter: int, lines: Lines) -> Any:  # noqa: ANN401 - an array of NumPy
    """How often a letter stands in each line."""
    there = (_letters(lines) == letter).view(np.uint8)
    return np.add.reduceat(there, lines.begins(), dtype=np.uint32)


def _cut(shape: _Shape, lines: Lines) -> Sequence[Any]:
    """The pieces of each line: Arrow arrays of bytes."""
    if lines.data.startswith(codecs.BOM_UTF8):
        raise pa.ArrowInvalid("a byte order mark, which would be left out")
    names = [f"f{n}" for n in range(len(shape.pieces))]
    kinds = pyarrow.csv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(names, pa.binary()), null_values=[])
    table = pyarrow.csv.read_csv(pa.BufferReader(lines.data), _BLOCKS, _PIECES, kinds)
    if table.num_rows != len(lines) or table.column_names != names:
        raise pa.ArrowInvalid("other pieces than counted")
    return [column.combine_chunks() for column in table.columns]


def _checks(piece: _Piece, cell: Any) -> Iterator[Any]:  # noqa: ANN401 - an Arrow array of bytes
    if not piece.path:
        yield pc.equal(cell, piece.before)
        return
    yield pc.starts_with(cell, piece.before)
    yield pc.ends_with(cell, piece.after)
    yield pc.greater_equal(pc.binary_length(cell), len(piece.before) + len(piece.after))


def _are_counts(bare: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    """Where a text is a whole number as JSON writes it."""
    long = pc.binary_length(bare)
    led = pc.and_(pc.starts_with(bare, "0"), pc.greater(long, 1))
    return pc.and_(pc.ascii_is_decimal(bare), pc.and_(pc.invert(led), pc.less_equal(long, _MOST_DIGITS)))


def _column(kind: Kind, bares: list[Any]) -> Any:  # noqa: ANN401 - Arrow arrays
    if kind is Kind.COUNT:
        return pc.cast(bares[0], pa.int64())
    if kind is not Kind.IDS:
        return bares[0]
    count, each = len(bares[0]), len(bares)
    items = bares[0]
    if each > 1:
        items = pa.concat_arrays(bares).take(pa.array(np.arange(count * each).reshape(each, count).T.ravel()))
    return pa.ListArray.from_arrays(pa.array(np.arange(0, count * each + 1, each), pa.int32()), items)


def _fixed(value: bool | tuple[()]) -> Any:  # noqa: ANN401 - an Arrow scalar
    return pa.scalar(value) if isinstance(value, bool) else pa.scalar([], pa.list_(pa.string()))
