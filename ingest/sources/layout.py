"""How a sample is laid out: which format it is, where its columns are and what they are called.

A format that announces itself (`ingest.formats.registry.sniff`) is believed when it reads something. Otherwise the
separators decide: lists of `name=value`, then columns by the separator that cuts most records alike, then fixed
width. A first row is a header when it has names that are known, or no time where the rows below it have one.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from audit.events import FIELDS
from audit.texts import Texts
from ingest.formats.csv_rows import MAX_LINES, read_rows, split_row
from ingest.formats.japanese import TimeTextError, parse_time
from ingest.formats.key_value import split_pairs
from ingest.formats.registry import decode, sniff
from ingest.model import Record
from ingest.sources.knowledge import Knowledge
from ingest.sources.profile import Profile
from ingest.sources.sample import Sample, SampleError
from ingest.sources.widths import find_widths

__all__ = ["TABULAR", "Column", "Layout", "bare_profile", "lay_out", "named_values"]

TABULAR = frozenset({"csv", "fixed", "key_value"})
"""Formats whose names and words are the source's own; the others bring a vocabulary."""
_SEPARATORS = (",", "\t", ";", "|")
_PAIR = re.compile(r"(?=[^\W\d])[^\s=,;|\"'<>(){}\[\]?&/]{1,60}=")
_TOKEN = re.compile(r"[\w.:\-]+")
_PROBED = 300
"""Records by which the separator is chosen."""
_NAMED = 1000
"""Records whose names are looked at in a format that brings its own."""
_MOST_PAIRED = 0.8
"""So many records must be bare values, if any, and then nothing but pairs."""
_ALIKE = 0.6
"""So many records must have the same number of columns."""
_SOME_TIME = "2000-01-01T00:00:00+09:00"


@dataclass(frozen=True, slots=True)
class Column:
    """One column, or one name of `name=value`.

    Attributes:
        name: its name in the file; empty where the file has none.
        values: its value in each record, empty where it has none.
    """

    name: str
    values: tuple[str, ...]

    @property
    def filled(self) -> tuple[str, ...]:
        """The values that are there."""
        return tuple(value for value in self.values if value)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a sample is laid out.

    Attributes:
        format: one of `ingest.sources.profile.FORMATS`.
        columns: what it has; of `key_value`, first those in front without a name.
        records: how many records were looked at.
        delimiter: between cells.
        header: whether the first record names the columns.
        widths: of fixed width, in bytes.
        doubts: what is not certain.
    """

    format: str
    columns: tuple[Column, ...]
    records: int
    delimiter: str = ","
    header: bool = True
    widths: tuple[int, ...] = ()
    doubts: tuple[Texts, ...] = ()


class _Rows(NamedTuple):
    delimiter: str
    rows: list[list[str]]
    alike: float
    width: int


def lay_out(sample: Sample, knowledge: Knowledge, now: datetime, fmt: str = "") -> Layout:
    """Find the format and the columns of a sample.

    Args:
        sample: the beginning of the file.
        knowledge: which names are known, for telling a header.
        now: taken as when the sample arrived.
        fmt: the format, if somebody knows it.

    Raises:
        SampleError: no format fits.
    """
    wanted = fmt or sniff([raw for _, raw in sample.lines[:20]]) or ""
    if wanted not in {"", *TABULAR}:
        layout = _announced(wanted, sample, now)
        if fmt or layout.records or wanted == "jsonl":
            return layout
    return _tabular(sample, knowledge, fmt)


def bare_profile(profile: Profile, names: Sequence[str] = ()) -> Profile:
    """A profile under which every value is kept under its source's own name, for seeing what there was."""
    ours = [field.path for field in FIELDS if field.path != "unmapped"]
    every = [*names, *ours, *profile.fields, *profile.drop]
    return Profile(
        id=profile.id,
        name_ja=profile.id,
        name_en=profile.id,
        format=profile.format,
        envelope=profile.envelope,
        encoding=profile.encoding,
        timezone=profile.timezone,
        delimiter=profile.delimiter,
        header=profile.header,
        columns=profile.columns,
        widths=profile.widths,
        fields={name: f"unmapped.{name}" for name in every},
        constants={"time": _SOME_TIME, "activity": "operation", "actor.kind": "system"},
    )


def named_values(
    raw: bytes, profile: Profile, header: Sequence[bytes] = (), fmt: str = "", line: int = 2
) -> list[tuple[str, str]]:
    """The names and values of one record as its source has them; nothing when it cannot be cut.

    Args:
        raw: its bytes.
        profile: how its source writes.
        header: the lines of the header, where there is one.
        fmt: its format, if not the profile's.
        line: its number; a byte order mark stands in the first.
    """
    fmt = fmt or profile.format
    names = _TOKEN.findall(raw.decode("utf-8", "replace")) if fmt not in TABULAR else ()
    lines = [(n, part) for n, part in enumerate(header, 1)]
    lines += list(enumerate(raw.split(b"\n"), max(line, len(lines) + 1)))
    bare = bare_profile(profile, names)
    found = [one for one in decode(fmt, lines, bare, datetime.fromisoformat(_SOME_TIME)) if isinstance(one, Record)]
    if len(found) != 1:
        return []
    unmapped: Mapping[str, object] = found[0].doc.get("unmapped", {})
    return [
        (name, str(value))
        for name, values in unmapped.items()
        for value in (values if isinstance(values, list) else [values])
    ]


def _announced(fmt: str, sample: Sample, now: datetime) -> Layout:
    profile = bare_profile(Profile("sample", "sample", "sample", format=fmt, encoding=sample.encoding))
    records, refused, columns = 0, 0, dict[str, list[str]]()
    for found in islice(decode(fmt, list(sample.lines), profile, now), _NAMED):
        if not isinstance(found, Record):
            refused += 1
            continue
        for name, value in named_values(found.raw, profile, fmt=fmt):
            columns.setdefault(name, [""] * records).append(value)
        records += 1
        _level(columns, records)
    doubts = (_unread(refused, fmt),) if refused else ()
    return Layout(fmt, tuple(Column(name, tuple(v[:records])) for name, v in columns.items()), records, doubts=doubts)


def _level(columns: Mapping[str, list[str]], records: int) -> None:
    """Give every column a value for every record."""
    for values in columns.values():
        values.extend([""] * (records - len(values)))


def _unread(count: int, fmt: str) -> Texts:
    return Texts(f"{fmt} として読めない記録が {count} 件あります", f"{count} records cannot be read as {fmt}")


def _tabular(sample: Sample, knowledge: Knowledge, fmt: str) -> Layout:
    if fmt in {"", "key_value"} and (found := _pairs(sample, forced=bool(fmt))):
        return found
    cuts = [_cut(sample, separator, split_row) for separator in _SEPARATORS]
    best = max(cuts, key=lambda cut: (cut.width > 1, round(cut.alike, 1), cut.width))
    if fmt != "fixed" and best.width > 1 and (best.alike >= _ALIKE or fmt):
        return _csv(sample, best, knowledge)
    lines = [raw for _, raw in sample.lines if raw.strip()]
    if widths := find_widths(lines, sample.encoding):
        return _fixed(sample, widths)
    raise SampleError(
        "形式が分かりません。区切り文字も固定長の列も見つかりませんでした（--format で指定できます）"
        " / no format fits: neither separators nor columns of fixed width were found (--format names one)"
    )


def _cut(sample: Sample, separator: str, cutter: Callable[[str, str], list[str]], most: int = _PROBED) -> _Rows:
    profile = Profile("sample", "sample", "sample", encoding=sample.encoding, delimiter=separator)
    read = (row for _, _, row in read_rows(sample.lines, profile, MAX_LINES, cutter) if not isinstance(row, str))
    rows = list(islice(read, most))
    counts = Counter(map(len, rows))
    count, times = max(counts.items(), key=lambda item: (item[1], item[0])) if counts else (0, 0)
    return _Rows(separator, rows, times / len(rows) if rows else 0.0, count)


def _pairs(sample: Sample, *, forced: bool) -> Layout | None:
    best: tuple[int, str] | None = None
    for separator in (*_SEPARATORS, " "):
        rows = _cut(sample, separator, split_pairs).rows
        paired = [_trailing_pairs(row) for row in rows]
        # A first record without a pair is a header, whatever the cells of the others look like.
        enough = sum(map(bool, paired)) >= _MOST_PAIRED * len(rows) and paired[:1] != [0]
        if rows and (enough or forced) and sum(paired) > (best[0] if best else 0):
            best = sum(paired), separator
    if best is None:
        return None
    rows = _cut(sample, best[1], split_pairs, len(sample.lines)).rows
    bare = max(sum(1 for cell in row if not _is_pair(cell)) for row in rows)
    columns: dict[str, list[str]] = {f"\0{n}": [] for n in range(bare)}
    for place, row in enumerate(rows):
        seen = 0
        for cell in row:
            name, value = (f"\0{seen}", cell) if not _is_pair(cell) else cell.split("=", 1)
            seen += not _is_pair(cell)
            values = columns.setdefault(name.strip(), [""] * place)
            if len(values) <= place:  # a name that stands twice keeps its first value
                values.append(value.strip())
        _level(columns, place + 1)
    named = tuple(Column("" if name.startswith("\0") else name, tuple(values)) for name, values in columns.items())
    return Layout("key_value", named, len(rows), delimiter=best[1])


def _trailing_pairs(row: Sequence[str]) -> int:
    """How many pairs a record ends with, once they have begun; none when something else comes after one."""
    pairs = [_PAIR.match(cell.strip()) is not None for cell in row if cell.strip()]
    begun = pairs.index(True) if True in pairs else len(pairs)
    return len(pairs) - begun if all(pairs[begun:]) else 0


def _is_pair(cell: str) -> bool:
    name, equals, _ = cell.partition("=")
    return bool(equals and name.strip())


def _csv(sample: Sample, cut: _Rows, knowledge: Knowledge) -> Layout:
    rows = _cut(sample, cut.delimiter, split_row, len(sample.lines)).rows
    doubts: list[Texts] = []
    first = [cell.strip().removesuffix("\r") for cell in rows[0]]
    if len(first) != cut.width:
        doubts.append(
            Texts(
                f"1 行目の列が {len(first)} 個で、他の行（{cut.width} 個）と違います。表題なら取り除いてください",
                f"line 1 has {len(first)} columns where others have {cut.width}: a title must be taken off",
            )
        )
    body = [row for row in rows[1:] if len(row) == cut.width]
    header, certain = _is_header(first, body, knowledge)
    if not certain:
        doubts.append(
            Texts(
                f"1 行目を{'見出し' if header else 'データ'}とみなしました（header = {str(not header).lower()} で逆）",
                f"line 1 is taken as {'a header' if header else 'data'} (header = {str(not header).lower()} otherwise)",
            )
        )
    kept = body if header else [row for row in rows if len(row) == cut.width]
    odd = len(rows) - header - len(kept)
    if odd and len(first) == cut.width:
        doubts.append(Texts(f"列数の違う記録が {odd} 件あります", f"{odd} records have another number of columns"))
    names = first if header else [""] * cut.width
    columns = tuple(
        Column(names[n] if n < len(names) else "", tuple(row[n].strip().removesuffix("\r") for row in kept))
        for n in range(cut.width)
    )
    return Layout("csv", columns, len(kept), delimiter=cut.delimiter, header=header, doubts=tuple(doubts))


def _is_header(first: Sequence[str], body: Sequence[Sequence[str]], knowledge: Knowledge) -> tuple[bool, bool]:
    """Whether the first row names the columns, and whether that is certain."""
    if any(_is_time(cell) for cell in first):
        return False, True
    filled = [cell for cell in first if cell]
    known = [cell for cell in filled if knowledge.is_dropped(cell) or any(one.known for one in knowledge.paths(cell))]
    timed = any(_is_time(cell) for row in body[:20] for cell in row)
    if len(set(filled)) == len(filled) and known and (timed or len(known) * 2 >= len(filled)):
        return True, True
    return len(set(filled)) == len(filled) and timed, timed


def _fixed(sample: Sample, widths: tuple[int, ...]) -> Layout:
    columns: list[list[str]] = [[] for _ in widths]
    lines = [raw.removesuffix(b"\r") for _, raw in sample.lines if raw.strip()]
    for raw in lines:
        at = 0
        for values, width in zip(columns, widths, strict=True):
            values.append(raw[at : at + width].decode(sample.encoding, "replace").strip())
            at += width
    doubt = Texts(
        f"列の境界は {len(lines)} 行の空白から推定しました。仕様書の桁数と比べてください",
        f"borders are guessed from the blanks of {len(lines)} lines: compare them with the specification",
    )
    named = tuple(Column("", tuple(values)) for values in columns)
    return Layout("fixed", named, len(lines), header=False, widths=widths, doubts=(doubt,))


def _is_time(cell: str) -> bool:
    try:
        parse_time(cell, Profile("sample", "sample", "sample").zone)
    except TimeTextError as error:
        return "a day without a time" in str(error)
    return True
