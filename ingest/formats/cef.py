r"""ArcSight's Common Event Format: `CEF:0|vendor|product|version|class|name|severity|key=value key=value …`.

Security devices write it, mostly behind a syslog header, which is optional here. A value runs until the next
` key=`, so it may hold spaces; `\=`, `\\`, `\|`, `\n` and `\r` are escapes, any other backslash is itself, because
devices leave Windows paths as they are. A custom field goes by its label where it has one (`cs1Label=職員番号
cs1=s0412`), unless the profile speaks of `cs1`. Times are milliseconds since 1970 or `Oct 05 2026 09:13:22`;
without one, the header's counts.

What a class or name means is the profile's to say, by `deviceEventClassId` or `name`; without it the event is a
`security_event`. The actor is the source user; where a record names only a destination user, that one.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from audit.clock import SystemClock
from ingest.formats.envelope import keep_header, take_header
from ingest.formats.mapping import Builtin, Mapper
from ingest.formats.syslog import SyslogError, SyslogLine, parse_syslog
from ingest.formats.text import TextError, decode
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["DEVICE_OUTCOMES", "decode_cef", "device_time"]

_START = re.compile(r"CEF: ?[0-9]{1,2}\|")
_HEADER = ("deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity")
_CELL = re.compile(r"((?:[^|\\]|\\.)*+)(?:\||\Z)", re.DOTALL)
_KEY = re.compile(r"(?:^|(?<=\s))([\w.\-\[\]]+)=")
_ESCAPE = re.compile(r"\\([\\=|nr])")
_ESCAPED = {"n": "\n", "r": "\r"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLIS = re.compile(r"-?[0-9]{12,14}")
_SECONDS = re.compile(r"[0-9]{9,10}(?:\.[0-9]{1,9})?")
_ZONE = re.compile(r" (?:(UTC|GMT|Z)|(JST)|((?:UTC|GMT)?[+-][0-9]{2}:?[0-9]{2}))$")
_MONTH_FIRST = re.compile(r"[A-Z][a-z]{2} {1,2}[0-9]{1,2} (?:[0-9]{4} )?[0-9:.]{8,18}")
_TIMES = ("rt", "start", "end", "art")
_WORDS = {
    "denied": ("deny", "denied", "block", "blocked", "drop", "dropped", "reject", "rejected", "prevented"),
    "failure": ("failure", "fail", "failed", "error"),
    "success": ("success", "successful", "succeeded", "allow", "allowed", "permit", "permitted", "accept", "accepted"),
}  # fmt: skip
DEVICE_OUTCOMES = {
    form: outcome
    for outcome, words in _WORDS.items()
    for word in words
    for form in (word, word.capitalize(), word.upper())
}
"""What security devices call their results and what they did."""
_BUILTIN = Builtin(
    fields={
        **dict.fromkeys(_TIMES, "time"),
        "suser": "actor.id",
        "suid": "actor.id",
        "duser": "actor.id",
        "src": "terminal.ip",
        "sourceAddress": "terminal.ip",
        "shost": "terminal.id",
        "name": "activity",
        "outcome": "outcome",
        "act": "outcome",
        "reason": "reason",
    },
    outcomes=DEVICE_OUTCOMES,
    constants={"activity": "security_event", "actor.kind": "system"},
)


class _CefError(ValueError):
    """A line that is no CEF; the message says where."""


def decode_cef(
    lines: Iterable[tuple[int, bytes]], profile: Profile, *, reference: datetime | None = None
) -> Iterator[Record | Refused]:
    """Decode a delivery of CEF; see `ingest.model.Decoder`.

    Args:
        lines: number and bytes of every line.
        profile: how this source writes.
        reference: a moment near which the lines were written, for their missing years; by default now.
    """
    reference = reference or SystemClock().now()
    mapper = Mapper(profile, _BUILTIN)
    for line, raw in lines:
        if not raw.strip():
            continue
        try:
            text = decode(raw, profile.encoding, first=line == 1).rstrip("\r")
            header, named = _read(text, mapper, reference)
        except TextError as error:
            yield Refused(line, raw, (f"record: {error}",))
            continue
        except _CefError as error:
            yield Refused(line, raw, (str(error),))
            continue
        doc, faults = mapper.document(named)
        yield Refused(line, raw, tuple(faults)) if faults else Record(line, raw, keep_header(doc, header))


def _read(text: str, mapper: Mapper, reference: datetime) -> tuple[SyslogLine, list[tuple[str, str]]]:
    start = _START.search(text)
    if start is None:
        raise _CefError("record: no CEF:0| where an event begins / CEF:0| で始まるイベントがありません")
    zone = mapper.profile.zone
    header = take_header(text[: start.start()], zone, reference)
    named: list[tuple[str, str]] = [("prefix", header.message)]
    at = start.end()
    for number, name in enumerate(_HEADER, 1):
        if at >= len(text):
            raise _CefError(
                f"header: ends before its part {number + 1}, {name} / ヘッダーが {name} の前で終わっています"
            )
        cell = _CELL.match(text, at)
        if cell is None:  # a lone backslash at the very end
            raise _CefError(f"header: broken in {name} at character {at + 1} / ヘッダーの {name} が読めません")
        named.append((name, _unescape(cell[1])))
        at = cell.end()
    named += _extension(text[at:])
    named = list(_labelled(named, mapper))
    if not any(mapper.path_of(name) == "time" and value for name, value in named) and header.time is not None:
        named.append(("time", header.time.isoformat()))
    has_source = any(name in {"suser", "suid"} and value for name, value in named)
    result = []
    for name, value in named:
        own = mapper.profile.fields.get(name)
        if name in _TIMES or own in {"time", "recorded_at"}:
            result.append((name, device_time(value, zone, reference)))
        elif name == "duser" and has_source and own is None and name not in mapper.profile.drop:
            result.append(("target.id", value))
        else:
            result.append((name, value))
    return header, result


def _extension(text: str) -> Iterator[tuple[str, str]]:
    keys = list(_KEY.finditer(text))
    if before := text[: keys[0].start() if keys else len(text)].strip():
        yield "extension", _unescape(before)
    for number, key in enumerate(keys):
        end = keys[number + 1].start() if number + 1 < len(keys) else len(text)
        yield key[1], _unescape(text[key.end() : end].strip(" "))


def _labelled(named: list[tuple[str, str]], mapper: Mapper) -> Iterator[tuple[str, str]]:
    """Custom fields under the names their labels give them."""
    values = {name for name, _ in named}
    labels = {
        base: value
        for name, value in named
        if value and (base := name.removesuffix("Label")) != name and base in values
    }
    for name, value in named:
        base = name.removesuffix("Label")
        if base not in labels or base in mapper.slots:
            yield name, value
        elif name == base:
            yield labels[base], value


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text) if "\\" in text else text


def device_time(text: str, zone: tzinfo, reference: datetime) -> str:
    """A device's way of writing a time as RFC 3339; what is in none of those ways stays as it is.

    Args:
        text: milliseconds or seconds since 1970, or `Oct 05 2026 09:13:22.120 JST` with the year and the zone optional.
        zone: the zone of times that say none.
        reference: a moment near which it was written, for a missing year.
    """
    value = text.strip()
    try:
        if _MILLIS.fullmatch(value):
            return (_EPOCH + timedelta(milliseconds=int(value))).isoformat()
        if _SECONDS.fullmatch(value):
            seconds, _, fraction = value.partition(".")
            return (_EPOCH + timedelta(seconds=int(seconds), microseconds=int(fraction[:6].ljust(6, "0")))).isoformat()
        named = _ZONE.search(value)
        if not _MONTH_FIRST.fullmatch(value[: named.start()] if named else value):
            return value
        if named is None:
            at = parse_syslog(f"{value} -", zone=zone, reference=reference).time
            return value if at is None else at.isoformat()
        bare = parse_syslog(f"{value[: named.start()]} -", zone=UTC, reference=reference).time
        if bare is None:
            return value
        offset = "+00:00" if named[1] else "+09:00" if named[2] else named[3].removeprefix("UTC").removeprefix("GMT")
        return bare.replace(tzinfo=datetime.strptime(offset, "%z").tzinfo).isoformat()
    except (SyslogError, OverflowError, ValueError):
        return value
