"""W3C extended log files: IIS, and what writes like it, Windows Firewall's log among them.

`#Fields` says what the columns are, and may say so again further down; every other directive is about the log, not
an event. Times are UTC by definition, unless `#Time Format: Local` says that they are the profile's zone's. A
column of `-` is empty. IIS writes `+` for a space inside a text and leaves a real `+` as it is; it is read as a
space, except in addresses, where it may mean itself. Methods and status are understood as in an access log.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.formats.access_log import HTTP_METHODS, HTTP_OUTCOMES
from ingest.formats.mapping import Builtin, Mapper
from ingest.formats.text import TextError, decode
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["decode_w3c"]

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z -]*):\s*(.*)", re.DOTALL)
_TOKEN = re.compile(r'"((?:[^"]|"")*+)"(?=\s|\Z)|(\S+)')
_DAY = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_AS_WRITTEN = frozenset({"cs-uri-stem", "cs-uri-query", "cs-uri", "cs(referer)", "cs(cookie)", "date", "time"})
_BUILTIN = Builtin(
    fields={
        "cs-username": "actor.id",
        "c-ip": "terminal.ip",
        "src-ip": "terminal.ip",
        "cs-method": "activity",
        "cs-uri-stem": "screen",
        "sc-status": "outcome",
        "action": "outcome",
    },
    activities=HTTP_METHODS,
    outcomes={**HTTP_OUTCOMES, "ALLOW": "success", "DROP": "denied"},
    constants={"activity": "operation", "actor.kind": "system"},
)


@dataclass(slots=True)
class _Columns:
    """What the directives said last."""

    names: tuple[str, ...]
    day: str = ""
    offset: str = "Z"

    def direct(self, name: str, value: str) -> None:
        """Follow one directive."""
        if name == "fields":
            self.names = tuple(value.split())
        elif name == "date" and (day := _DAY.match(value)):
            self.day = day[0]
        elif name == "time format":
            self.offset = "" if value.strip().lower() == "local" else "Z"


def decode_w3c(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Record | Refused]:
    """Decode a W3C extended log; see `ingest.model.Decoder`."""
    mapper = Mapper(profile, _BUILTIN)
    columns = _Columns(profile.columns)
    for line, raw in lines:
        if not raw.strip():
            continue
        try:
            text = decode(raw, profile.encoding, first=line == 1).strip(" \t\r")
        except TextError as error:
            yield Refused(line, raw, (f"record: {error}",))
            continue
        if text.startswith("#"):
            if directive := _DIRECTIVE.match(text):
                columns.direct(directive[1].lower(), directive[2])
            continue
        cells = [found[2] if found[1] is None else found[1].replace('""', '"') for found in _TOKEN.finditer(text)]
        if reason := _unusable(columns, len(cells)):
            yield Refused(line, raw, (reason,))
            continue
        doc, faults = mapper.document(_named(columns, cells))
        yield Refused(line, raw, tuple(faults)) if faults else Record(line, raw, doc)


def _unusable(columns: _Columns, count: int) -> str:
    if not columns.names:
        return "header: no #Fields before the first event / イベントの前に #Fields がありません"
    wanted = len(columns.names)
    if count != wanted:
        return f"record: {count} columns where {wanted} belong / 列が {count} 個あります ({wanted} 個のはずです)"
    return ""


def _named(columns: _Columns, cells: list[str]) -> Iterator[tuple[str, str]]:
    day, clock = columns.day, ""
    for name, cell in zip(columns.names, cells, strict=True):
        if cell == "-":
            continue
        if name == "date":
            day = cell
        elif name == "time":
            clock = cell
        else:
            yield name, cell if name.lower() in _AS_WRITTEN else cell.replace("+", " ")
    if day and clock:
        yield "time", f"{day}T{clock}{columns.offset}"
    elif day or clock:
        yield "unmapped.time", f"{day} {clock}"
