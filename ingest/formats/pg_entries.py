"""PostgreSQL's server log in its three forms, cut into entries: csvlog, jsonlog and stderr with a prefix.

The form is recognised per delivery. In stderr an entry goes on over lines that start with a tab or lack the
prefix, and DETAIL, HINT, STATEMENT and CONTEXT lines of the same process belong to the entry before them. A
client chooses part of a prefix (`application_name`), so csvlog or jsonlog is the form to prefer.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from itertools import chain

from audit.events import parse_json
from ingest.formats.csv_rows import MAX_BYTES, read_rows
from ingest.formats.japanese import TimeTextError, parse_time
from ingest.formats.text import TextError, decode, present, quoted
from ingest.model import Refused
from ingest.sources.profile import Profile

__all__ = ["Entry", "read_entries"]

_MAX_LINES = 1000
"""A statement with more lines is a load script; what follows is refused, visibly."""
_LOOK_AHEAD = 50
_ZONES = {"UTC": 0, "GMT": 0, "Z": 0, "JST": 9}
_STAMP = r"(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)"
_STAMP += r" (?P<zone>[A-Za-z]{1,6}|[+-][0-9:]{2,6})"
_SEVERITIES = "DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC"
_PARTS = "DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION"
_ADDRESS = r"[0-9A-Fa-f.:]+|\[local\]"
_SAYS = rf"(?P<severity>{_SEVERITIES}|{_PARTS}):  (?P<message>.*)"
_PREFIXES = (
    re.compile(  # PostgreSQL's default, Debian's, ours with user=,db=,app=,client=, and those with the address in front
        rf"(?:(?P<client_before>{_ADDRESS}) )?{_STAMP} \[(?P<pid>[0-9]+)\]:?(?: \[(?P<number>[0-9]+)-1\])? "
        r"(?:user=(?P<user>[^,]*),db=(?P<database>[^,]*),app=(?P<application>.*?),client=(?P<client>\S*) |"
        rf"(?:(?P<client_at>{_ADDRESS}) )?(?P<user_at>[^\s@]+)@(?P<database_at>\S+) )?{_SAYS}",
        re.DOTALL,
    ),
    re.compile(  # %t:%r:%u@%d:[%p]: as managed services write it
        rf"{_STAMP}:(?P<client_at>[^:()]*(?::[^:()]+)*)(?:\([0-9]+\))?:"
        rf"(?P<user_at>[^@:]*)@(?P<database_at>[^:]*):\[(?P<pid>[0-9]+)\]:{_SAYS}",
        re.DOTALL,
    ),
)
_TIME = re.compile(_STAMP)
_CSV_START = re.compile(_STAMP + ",")
_ANY_STAMP = re.compile(_STAMP + r"[ ,:]")
_COLUMNS = [
    "time",
    "user",
    "database",
    "pid",
    "connection",
    "session_id",
    "session_line",
    "command_tag",
    "session_start",
    "virtual_transaction",
    "transaction",
    "severity",
    "sqlstate",
    "message",
    "detail",
    "hint",
    "internal_query",
    "internal_position",
    "context",
    "query",
    "query_position",
    "location",
    "application",
    "backend_type",
    "leader_pid",
    "query_id",
]
_CSV_WIDTHS = (23, 24, 26)
"""PostgreSQL 9.0 to 12, 13, and 14 and later."""
_JSON_NAMES = {
    "timestamp": "time",
    "dbname": "database",
    "line_num": "session_line",
    "ps": "command_tag",
    "vxid": "virtual_transaction",
    "txid": "transaction",
    "error_severity": "severity",
    "state_code": "sqlstate",
    "statement": "query",
    "cursor_position": "query_position",
    "application_name": "application",
}


@dataclass(slots=True)
class Entry:
    """One entry of the server log.

    Attributes:
        line: number of its first line.
        raw: its bytes.
        at: when it was written, aware.
        severity: LOG, ERROR, FATAL, …
        message: the text, line feeds included.
        facts: what else the entry says, under names of ours; nothing empty.
    """

    line: int
    raw: bytes
    at: datetime
    severity: str
    message: str
    facts: dict[str, object] = field(default_factory=dict)


_Reader = Callable[[Iterable[tuple[int, bytes]], Profile], Iterator[Entry | Refused]]


def read_entries(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Entry | Refused]:
    """Cut one delivery into entries, in whichever of the three forms it is."""
    source = iter(lines)
    seen: deque[tuple[int, bytes]] = deque()
    reader: _Reader = _stderr
    for numbered in source:
        seen.append(numbered)
        text = numbered[1].removeprefix(b"\xef\xbb\xbf").decode("latin-1")
        if text.startswith("{"):
            reader = _jsonlog
            break
        if _CSV_START.match(text):
            reader = _csvlog
            break
        if _ANY_STAMP.match(text) or len(seen) >= _LOOK_AHEAD:
            break
    return reader(chain(seen, source), profile)


def _csvlog(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Entry | Refused]:
    for line, raw, read in read_rows(lines, replace(profile, delimiter=","), _MAX_LINES):
        if isinstance(read, str):
            yield Refused(line, raw, (read,))
        elif len(read) not in _CSV_WIDTHS:
            widths = ", ".join(map(str, _CSV_WIDTHS))
            reason = f"record: {len(read)} columns; csvlog has {widths} / 列数が csvlog ({widths}) と合いません"
            yield Refused(line, raw, (reason,))
        else:
            facts: dict[str, object] = dict(zip(_COLUMNS, read, strict=False))
            host, _, port = str(facts.pop("connection")).rpartition(":")
            # The local socket has no port: `[local]` stands alone.
            facts |= {"client": host, "port": port} if host else {"client": port}
            yield _entry(line, raw, facts)


def _jsonlog(
    lines: Iterable[tuple[int, bytes]],
    profile: Profile,  # noqa: ARG001 - all three forms are read alike
) -> Iterator[Entry | Refused]:
    for line, raw in lines:
        if not raw.strip():
            continue
        found, fault = parse_json(raw.removeprefix(b"\xef\xbb\xbf") if line == 1 else raw)
        if found is None:
            yield Refused(line, raw, (str(fault),))
            continue
        facts = {_JSON_NAMES.get(name, name): value for name, value in found.items()}
        if host := facts.pop("remote_host", None):
            facts["client"] = host
        if port := facts.pop("remote_port", None):
            facts["port"] = str(port)
        yield _entry(line, raw, facts)


def _stderr(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Entry | Refused]:
    held: _Held | None = None
    for line, raw in lines:
        if not raw.strip() and held is None:
            continue
        try:
            text = decode(raw, profile.encoding, first=line == 1).rstrip("\r")
        except TextError as error:
            if held:
                yield held.entry()
            held = None
            yield Refused(line, raw, (f"record: {error}",))
            continue
        match = next((found for prefix in _PREFIXES if (found := prefix.fullmatch(text))), None)
        if held and held.takes(raw, text, match):
            continue
        if held:
            yield held.entry()
            held = None
        if match is None:
            yield Refused(line, raw, ("record: no PostgreSQL log prefix / PostgreSQL のログ行ではありません",))
        else:
            held = _Held(line, raw, match)
    if held:
        yield held.entry()


class _Held:
    """A stderr entry that may go on."""

    def __init__(self, line: int, raw: bytes, match: re.Match[str]) -> None:
        self._line = line
        self._raw = [raw]
        self._bytes = len(raw)
        found = {name: value for name, value in match.groupdict().items() if value not in {None, "[unknown]"}}
        self._pid = found.get("pid")
        found["time"] = f"{match['time']} {found.pop('zone')}"
        for name in ("user", "database", "client"):
            for place in ("before", "at"):
                if value := found.pop(f"{name}_{place}", None):
                    found[name] = value
        if number := found.pop("number", None):
            found["session_line"] = number
        self._texts: dict[str, list[str]] = {"message": [match["message"]]}
        self._facts: dict[str, object] = dict(found)
        self._open = "message"

    def takes(self, raw: bytes, text: str, match: re.Match[str] | None) -> bool:
        """Take a line that belongs to this entry; False when it starts another, or this one is full."""
        if len(self._raw) >= _MAX_LINES or self._bytes + len(raw) > MAX_BYTES:
            return False
        if match is None:
            if _ANY_STAMP.match(text):  # a prefix of another kind is no continuation
                return False
            self._texts[self._open].append(text.removeprefix("\t"))
        elif match["severity"] in _PARTS.split("|") and match["pid"] == self._pid:
            self._open = match["severity"].lower()
            self._texts.setdefault(self._open, []).append(match["message"])
        else:
            return False
        self._raw.append(raw)
        self._bytes += len(raw)
        return True

    def entry(self) -> Entry | Refused:
        """The entry, complete."""
        facts = self._facts | {name: "\n".join(texts) for name, texts in self._texts.items()}
        if "statement" in facts:
            facts["query"] = facts.pop("statement")
        return _entry(self._line, b"\n".join(self._raw), facts)


def _entry(line: int, raw: bytes, facts: Mapping[str, object]) -> Entry | Refused:
    kept = present(facts)
    written, severity, message = kept.pop("time", ""), kept.pop("severity", ""), kept.pop("message", "")
    if not (isinstance(written, str) and isinstance(severity, str) and isinstance(message, str)):
        return Refused(line, raw, ("record: time, severity and message must be text / 文字列ではありません",))
    try:
        at = _moment(written)
    except TimeTextError as error:
        return Refused(line, raw, (f"time: {error}",))
    if not severity:
        return Refused(line, raw, ("severity: is missing / 重大度がありません",))
    return Entry(line, raw, at, severity, message, kept)


def _moment(text: str) -> datetime:
    match = _TIME.fullmatch(text)
    if match is None:
        raise TimeTextError("not a PostgreSQL log time / PostgreSQL のログ時刻ではありません")
    zone = match["zone"]
    if zone[0] in "+-":
        parts = zone[1:].split(":") if ":" in zone else [zone[1:3], zone[3:] or "0"]
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts) or int(parts[0]) > 23:
            raise TimeTextError("there is no such offset / 存在しない時差です")
        away = timedelta(hours=int(parts[0]), minutes=int(parts[1]))
        return parse_time(match["time"], timezone(-away if zone[0] == "-" else away))
    if zone not in _ZONES:
        raise TimeTextError(
            f"the zone {quoted(zone)} has more than one meaning; set log_timezone to UTC or Asia/Tokyo"
            f" / 時間帯の略号 {quoted(zone)} は一つに定まりません"
        )
    return parse_time(match["time"], timezone(timedelta(hours=_ZONES[zone])))
