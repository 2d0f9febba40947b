"""Reading context feeds: CSV with a header or JSON Lines, UTF-8 or CP932, every fault located.

A feed is taken whole or not at all: half a staff list would judge people by the wrong post, which is worse than
judging them by last month's.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from audit.context import cells
from audit.context.model import RosterKind

__all__ = ["FEEDS", "FeedError", "FeedRow", "read_row", "read_rows"]

FeedRow = dict[str, Any]
"""One row: the column's name to its value, parsed."""


class FeedError(ValueError):
    """A feed that cannot be taken; `faults` names every place."""

    def __init__(self, faults: Sequence[str]) -> None:
        shown = "\n".join(faults[:50])
        more = f"\n… {len(faults) - 50} more" if len(faults) > 50 else ""
        super().__init__(
            f"{len(faults)} faults, nothing was imported / {len(faults)} 件の誤り、取り込みなし\n{shown}{more}"
        )
        self.faults = tuple(faults)


_Columns = Mapping[str, Callable[[str], Any]]

FEEDS: Mapping[str, _Columns] = {
    "staff": {
        "staff_id": cells.required,
        "name": cells.text,
        "kana": cells.text,
        "org_unit": cells.required,
        "post": cells.text,
        "role": cells.text,
        "employment": cells.one_of("regular", "fixed_term", "contractor", default="regular"),
        "manager_id": cells.text,
        "valid_from": cells.start,
        "valid_to": cells.end,
        "subject_id": cells.text,
    },
    "subjects": {
        "subject_id": cells.must(cells.key),
        "household_id": cells.key,
        "address_key": cells.key,
        "name_key": cells.key,
        "former_name_key": cells.key,
        "flags": cells.flags,
    },
    "cases": {
        "case_id": cells.required,
        "source": cells.text,
        "subject_id": cells.must(cells.key),
        "org_unit": cells.text,
        "assignee": cells.text,
        "kind": cells.text,
        "opened_at": cells.must(cells.start),
        "closed_at": cells.end,
    },
    "roster": {
        "staff_id": cells.required,
        "start": cells.must(cells.start),
        "end": cells.must(cells.end),
        "kind": cells.one_of(*RosterKind),
        "approved_by": cells.text,
    },
    "calendar": {
        "date": cells.must(cells.day),
        "org_unit": cells.text,
        "kind": cells.one_of("closed", "open", "busy"),
        "opens": cells.clock_time,
        "closes": cells.clock_time,
        "note": cells.text,
    },
    "approvals": {
        "approval_id": cells.required,
        "kind": cells.one_of("export", "print", "media", "transfer", "maintenance", "time_window", "terminal"),
        "staff_id": cells.text,
        "approved_by": cells.text,
        "source": cells.text,
        "valid_from": cells.start,
        "valid_to": cells.end,
        "max_rows": cells.number,
        "medium_id": cells.text,
        "note": cells.text,
    },
    "policies": {
        "source": cells.required,
        "valid_from": cells.start,
        "require": cells.factor_policy,
    },
    "terminals": {
        "terminal_id": cells.required,
        "org_unit": cells.text,
        "site": cells.text,
        "kind": cells.one_of("desk", "counter", "shared", "server", "vendor", default="desk"),
        "ip_range": cells.address_range,
    },
}
"""The feeds of DESIGN 4.4 that something judges by in this version: their columns, and how each is read."""

_NEEDED: Mapping[str, frozenset[str]] = {
    "staff": frozenset({"staff_id", "org_unit"}),
    "subjects": frozenset({"subject_id"}),
    "cases": frozenset({"case_id", "subject_id", "opened_at"}),
    "roster": frozenset({"staff_id", "start", "end", "kind"}),
    "calendar": frozenset({"date", "kind"}),
    "approvals": frozenset({"approval_id", "kind"}),
    "policies": frozenset({"source", "require"}),
    "terminals": frozenset({"terminal_id"}),
}
"""Columns without which a file is not the feed it is said to be."""
_ORDERED = (("valid_from", "valid_to"), ("start", "end"), ("opens", "closes"), ("opened_at", "closed_at"))


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return data.decode("cp932")
        except UnicodeDecodeError as error:
            raise FeedError(
                [f"byte {error.start + 1}: neither UTF-8 nor CP932 / UTF-8 でも CP932 でもありません"]
            ) from error


def _cells(text: str) -> tuple[set[str], list[tuple[int, dict[str, str]]]]:
    """The column names, and each row's line and its cells by name."""
    rows: list[tuple[int, dict[str, str]]] = []
    if text.lstrip().startswith("{"):
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise FeedError([f"line {number}: not JSON / JSON ではありません"]) from error
            if not isinstance(found, dict):
                raise FeedError([f"line {number}: not a JSON object / JSON オブジェクトではありません"])
            rows.append((number, {str(k): "" if v is None else str(v) for k, v in found.items()}))
        return set().union(*(named for _, named in rows)), rows
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if not header:
                header = [cell.strip() for cell in row]
            elif len(row) != len(header):
                counts = f"{len(row)} columns, the header has {len(header)}"
                raise FeedError([f"line {reader.line_num}: {counts} / {len(row)} 列、見出しは {len(header)} 列"])
            else:
                rows.append((reader.line_num, dict(zip(header, (cell.strip() for cell in row), strict=True))))
    except csv.Error as error:
        raise FeedError([f"line {reader.line_num}: {error}"]) from error
    return set(header), rows


def read_rows(kind: str, data: bytes) -> list[FeedRow]:
    """Read one feed.

    Args:
        kind: one of `FEEDS`.
        data: the file.

    Raises:
        FeedError: naming every fault; nothing of the feed must then be used.
    """
    columns = FEEDS[kind]
    names, lines = _cells(_decode(data))
    missing = _NEEDED[kind] - names
    if missing:
        listed = ", ".join(sorted(missing))
        raise FeedError([f"columns are missing: {listed} / 列がありません: {listed}"])
    rows, faults = [], []
    for line, named in lines:
        row, found = _row(columns, named)
        rows.append(row)
        faults += [f"line {line}, {fault}" for fault in found]
    if faults:
        raise FeedError(faults)
    return rows


def read_row(kind: str, named: Mapping[str, str]) -> FeedRow:
    """Read one row that came by another way than a file, by the same rules.

    Args:
        kind: one of `FEEDS`.
        named: the cells, by column; one that is not named is empty.

    Raises:
        FeedError: naming every fault.
    """
    row, faults = _row(FEEDS[kind], named)
    if faults:
        raise FeedError(faults)
    return row


def _row(columns: _Columns, named: Mapping[str, str]) -> tuple[FeedRow, list[str]]:
    """A row's values, and its faults."""
    row: FeedRow = {}
    faults = []
    for name, parse in columns.items():
        try:
            row[name] = parse(named.get(name, ""))
        except (ValueError, OverflowError) as error:
            faults.append(f"{name}: {error}")
    for first, last in _ORDERED:
        start, end = row.get(first), row.get(last)
        if start and end and end <= start:
            faults.append(f"{last}: not after {first} / {first} より後ではありません")
    return row, faults
