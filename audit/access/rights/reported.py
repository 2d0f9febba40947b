"""What a target system reports as held: CSV with a header or a JSON list, UTF-8 or CP932; read whole or not at all.

Columns: `person,function,affair,from,to`. Dates are whole days in Asia/Tokyo, the last one included; a blank `from`
or `to` says nothing, or without end.
"""

import csv
import io
import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from audit.access.rights.errors import ReconciliationRefusedError
from audit.events import mask

__all__ = ["Reported", "read_reported"]

_COLUMNS = ("person", "function", "affair", "from", "to")
_LONGEST = 100
_MOST_ROWS = 200_000
_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One right that a target system has. `last`: the last day, included; None without end."""

    person: str
    function: str
    affair: str
    first: date | None
    last: date | None


def read_reported(data: bytes) -> list[Reported]:
    """Read a list.

    Raises:
        ReconciliationRefusedError: naming every fault; nothing of the list must then be used.
    """
    rows, faults = _rows(_decoded(data)), []
    found = []
    for number, row in rows:
        try:
            found.append(_reported(row))
        except ValueError as error:
            faults.append(f"{number}: {error}")
    if len(rows) > _MOST_ROWS:
        faults.append(f"{_MOST_ROWS} 行を超えています / more than {_MOST_ROWS} rows")
    if faults:
        raise ReconciliationRefusedError(faults)
    return found


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ReconciliationRefusedError(["UTF-8 でも CP932 でもありません / neither UTF-8 nor CP932"])


def _rows(text: str) -> list[tuple[int, dict[str, Any]]]:
    if text.lstrip().startswith(("[", "{")):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ReconciliationRefusedError(["JSON ではありません / not JSON"]) from error
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise ReconciliationRefusedError(["JSON の配列ではありません / not a JSON list of objects"])
        return list(enumerate(found, start=1))
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = {"person", "function"} - set(reader.fieldnames or ())
        if missing:
            named = ", ".join(sorted(missing))
            raise ReconciliationRefusedError([f"列がありません: {named} / columns are missing: {named}"])
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ReconciliationRefusedError([f"{reader.line_num}: {error}"]) from error


def _reported(row: dict[str, Any]) -> Reported:
    if None in row:
        raise ValueError("見出しより列が多い / more columns than the header")
    cells = {name: str(row.get(name) or "").strip() for name in _COLUMNS}
    if not cells["person"] or not cells["function"]:
        raise ValueError("person と function が必要です / person and function are needed")
    if any(len(cell) > _LONGEST for cell in cells.values()):
        raise ValueError(f"{_LONGEST} 文字を超えています / longer than {_LONGEST} characters")
    if any(mask(cell)[1] or not cell.isprintable() for cell in cells.values()):
        raise ValueError("使えない文字か個人番号があります / characters that cannot be used, or an individual number")
    first, last = _day(cells["from"]), _day(cells["to"])
    if first and last and last < first:
        raise ValueError("to が from より前です / to comes before from")
    return Reported(person=cells["person"], function=cells["function"], affair=cells["affair"], first=first, last=last)


def _day(text: str) -> date | None:
    if not text:
        return None
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("2026-04-01 形式の日付ではありません / no date like 2026-04-01")
    return date(int(match[1]), int(match[2]), int(match[3]))
