"""IBM's Log Event Extended Format, 1.0 and 2.0: `LEEF:2.0|vendor|product|version|event|^|key=value^key=value`.

Attributes are separated by a tab, or in 2.0 by the character that the sixth part names, as itself or in hexadecimal
(`x09`, `0x5E`). There are no escapes: an attribute ends at the next delimiter, and a piece without `=` belongs to
the value before it. `devTime` is milliseconds since 1970, or written as `devTimeFormat` says in Java's letters;
without one, the syslog header's time counts. What an event id means is the profile's to say, by `EventID`; without
it the event is a `security_event`.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from ingest.formats.device import DEVICE_OUTCOMES, DeviceError, Named, decode_device, device_time
from ingest.formats.japanese import TimeTextError, parse_time
from ingest.formats.mapping import Builtin, Mapper
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["decode_leef"]

_START = re.compile(r"LEEF: ?([12])(?:\.[0-9])?\|")
_HEADER = ("vendor", "product", "version", "EventID")
_HEX = re.compile(r"(?:0?[xX])([0-9A-Fa-f]{1,4})")
_JAVA = re.compile(r"'([^']*)'|y+|M+|d+|H+|h+|m+|s+|S+|a+|Z+|X+|z+|[^A-Za-z']|[A-Za-z]")
_STRPTIME = {
    "y": "%Y",
    "MMM": "%b",
    "M": "%m",
    "d": "%d",
    "H": "%H",
    "h": "%I",
    "m": "%M",
    "s": "%S",
    "S": "%f",
    "a": "%p",
    "Z": "%z",
    "X": "%z",
    "z": "%Z",
}
_BUILTIN = Builtin(
    fields={
        "devTime": "time",
        "usrName": "actor.id",
        "accountName": "actor.id",
        "src": "terminal.ip",
        "identHostName": "terminal.id",
        "role": "actor.role",
        "EventID": "activity",
        "outcome": "outcome",
        "action": "outcome",
        "reason": "reason",
    },
    outcomes=DEVICE_OUTCOMES,
    constants={"activity": "security_event", "actor.kind": "system"},
)


def decode_leef(
    lines: Iterable[tuple[int, bytes]], profile: Profile, *, reference: datetime | None = None
) -> Iterator[Record | Refused]:
    """Decode a delivery of LEEF; see `ingest.formats.device.decode_device`."""
    return decode_device(lines, profile, _BUILTIN, _START, _read, reference)


def _read(text: str, start: re.Match[str] | None, mapper: Mapper, reference: datetime) -> Named:
    if start is None:
        raise DeviceError("record: no LEEF:1.0| or LEEF:2.0| / LEEF:1.0| か LEEF:2.0| がありません")
    *parts, rest = text[start.end() :].split("|", len(_HEADER))
    if len(parts) < len(_HEADER):
        missing = _HEADER[len(parts)]
        raise DeviceError(f"header: ends with its part {missing} / ヘッダーが {missing} で終わっています")
    named: Named = list(zip(_HEADER, parts, strict=True))
    delimiter, attributes = _delimiter(rest) if start[1] == "2" else ("\t", rest)
    pairs = _pairs(attributes, delimiter)
    form = next((value for name, value in pairs if name == "devTimeFormat"), "")
    for name, value in pairs:
        timed = mapper.path_of(name) in {"time", "recorded_at"}
        named.append((name, _time(value, form, mapper, reference) if timed else value))
    return named


def _delimiter(rest: str) -> tuple[str, str]:
    """The delimiter of a 2.0 event, and its attributes; some devices leave the part out."""
    given, bar, attributes = rest.partition("|")
    if not bar or len(given) > 6 or "=" in given[1:]:
        return "\t", rest
    if match := _HEX.fullmatch(given):
        return chr(int(match[1], 16)), attributes
    return (given or "\t"), attributes


def _pairs(attributes: str, delimiter: str) -> Named:
    found: Named = []
    for piece in attributes.split(delimiter):
        name, equals, value = piece.partition("=")
        if equals and name.strip():
            found.append((name.strip(), value))
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]}{delimiter}{piece}")
        elif piece.strip():
            found.append(("attributes", piece))
    return found


def _time(value: str, form: str, mapper: Mapper, reference: datetime) -> str:
    if form:
        try:
            return parse_time(value, mapper.profile.zone, [_strptime(form)]).isoformat()
        except TimeTextError:
            pass  # a format that does not fit its time: the usual ways are tried
    return device_time(value, mapper.profile.zone, reference)


def _strptime(form: str) -> str:
    """Java's letters for a time as Python's."""
    parts = []
    for token in _JAVA.finditer(form):
        text = token[0]
        if token[1] is not None:
            parts.append(token[1] or "'")
        else:
            key = "MMM" if text.startswith("MMM") else text[0]
            parts.append("%%" if text == "%" else _STRPTIME.get(key, text))
    return "".join(parts).replace("%%%", "%%")
