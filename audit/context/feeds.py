"""Reading context feeds: CSV with a header or JSON Lines, UTF-8 or CP932, every fault located.

A feed is taken whole or not at all: half a staff list would judge people by the wrong post, which is worse than
judging them by last month's.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from audit.clock import TOKYO, day_start
from audit.context.model import RosterKind
from audit.events import mask

__all__ = ["FEEDS", "FeedError", "FeedRow", "read_rows"]

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


_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?")


_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_LONGEST = 1000
_LONGEST_ID = 100
_LONGEST_NUMBER = 15


def _text(value: str) -> str:
    if mask(value)[1]:
        raise ValueError("contains a My Number / 個人番号が含まれています")
    if len(value) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters / {_LONGEST} 文字を超えています")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("holds half of a surrogate pair / サロゲートペアの片方だけがあります")
    return value


def _required(value: str) -> str:
    if not value:
        raise ValueError("is missing / 値がありません")
    if len(value) > _LONGEST_ID:
        raise ValueError(f"is longer than {_LONGEST_ID} characters / {_LONGEST_ID} 文字を超えています")
    return _text(value)


def _date(value: str) -> date:
    match = _DATE.fullmatch(value)
    if match is None:
        raise ValueError("is no date like 2026-04-01 / 2026-04-01 形式の日付ではありません")
    found = date(int(match[1]), int(match[2]), int(match[3]))
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise ValueError(f"is not between {_FIRST_YEAR} and {_LAST_YEAR} / {_FIRST_YEAR}〜{_LAST_YEAR} 年の外です")
    return found


def _moment(value: str) -> tuple[datetime, bool]:
    """A moment, and whether it was a whole day."""
    if _DATE.fullmatch(value):
        return day_start(_date(value)), True
    try:
        at = datetime.fromisoformat(value.replace("/", "-"))
    except ValueError as error:
        raise ValueError("is no date or time / 日付または時刻ではありません") from error
    _date(f"{at.year:04}-{at.month:02}-{at.day:02}")
    return (at if at.tzinfo else at.replace(tzinfo=TOKYO)), False


def _start(value: str) -> datetime | None:
    return _moment(value)[0] if value else None


def _end(value: str) -> datetime | None:
    """The exclusive end: the last day is included, a time is exact."""
    if not value:
        return None
    at, whole_day = _moment(value)
    return at + timedelta(days=1) if whole_day else at


def _must(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def parsed(value: str) -> Any:  # noqa: ANN401
        return parse(_required(value))

    return parsed


def _one_of(*words: str, default: str = "") -> Callable[[str], str]:
    def parsed(value: str) -> str:
        word = value or default
        if word not in words:
            raise ValueError(f"is none of {', '.join(words)} / {', '.join(words)} のいずれかです")
        return word

    return parsed


def _clock_time(value: str) -> str:
    if not value:
        return ""
    match = _TIME.fullmatch(value)
    if match is None or (match[1] == "24" and match[2] != "00"):
        raise ValueError("is no time of day like 08:30 / 08:30 形式の時刻ではありません")
    return f"{int(match[1]):02}:{match[2]}"


def _number(value: str) -> int | None:
    if not value:
        return None
    if not value.isascii() or not value.isdigit():
        raise ValueError("is no whole number / 整数ではありません")
    if len(value) > _LONGEST_NUMBER:
        raise ValueError("is too large / 大きすぎます")
    return int(value)


_Columns = Mapping[str, Callable[[str], Any]]

FEEDS: Mapping[str, _Columns] = {
    "staff": {
        "staff_id": _required,
        "name": _text,
        "kana": _text,
        "org_unit": _required,
        "post": _text,
        "role": _text,
        "employment": _one_of("regular", "fixed_term", "contractor", default="regular"),
        "manager_id": _text,
        "valid_from": _start,
        "valid_to": _end,
        "subject_id": _text,
    },
    "roster": {
        "staff_id": _required,
        "start": _must(_start),
        "end": _must(_end),
        "kind": _one_of(*RosterKind),
        "approved_by": _text,
    },
    "calendar": {
        "date": _must(_date),
        "org_unit": _text,
        "kind": _one_of("closed", "open", "busy"),
        "opens": _clock_time,
        "closes": _clock_time,
        "note": _text,
    },
    "approvals": {
        "approval_id": _required,
        "kind": _one_of("export", "print", "media", "transfer", "maintenance", "time_window", "terminal"),
        "staff_id": _text,
        "approved_by": _text,
        "source": _text,
        "valid_from": _start,
        "valid_to": _end,
        "max_rows": _number,
        "medium_id": _text,
        "note": _text,
    },
}
"""The feeds of DESIGN 4.4 that something judges by in this version: their columns, and how each is read."""

_NEEDED: Mapping[str, frozenset[str]] = {
    "staff": frozenset({"staff_id", "org_unit"}),
    "roster": frozenset({"staff_id", "start", "end", "kind"}),
    "calendar": frozenset({"date", "kind"}),
    "approvals": frozenset({"approval_id", "kind"}),
}
"""Columns without which a file is not the feed it is said to be."""
_ORDERED = (("valid_from", "valid_to"), ("start", "end"), ("opens", "closes"))


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
        return set().union(*(cells for _, cells in rows)), rows
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [cell.strip() for cell in cells]
            elif len(cells) != len(header):
                counts = f"{len(cells)} columns, the header has {len(header)}"
                raise FeedError([f"line {reader.line_num}: {counts} / {len(cells)} 列、見出しは {len(header)} 列"])
            else:
                rows.append((reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
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
    names, cells_by_line = _cells(_decode(data))
    missing = _NEEDED[kind] - names
    if missing:
        listed = ", ".join(sorted(missing))
        raise FeedError([f"columns are missing: {listed} / 列がありません: {listed}"])
    rows, faults = [], []
    for line, cells in cells_by_line:
        row: FeedRow = {}
        for name, parse in columns.items():
            try:
                row[name] = parse(cells.get(name, ""))
            except (ValueError, OverflowError) as error:
                faults.append(f"line {line}, {name}: {error}")
        for first, last in _ORDERED:
            start, end = row.get(first), row.get(last)
            if start and end and end <= start:
                faults.append(f"line {line}, {last}: not after {first} / {first} より後ではありません")
        rows.append(row)
    if faults:
        raise FeedError(faults)
    return rows
