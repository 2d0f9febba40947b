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
from datetime import datetime

from ingest.formats.device import DEVICE_OUTCOMES, DeviceError, Named, decode_device, device_time
from ingest.formats.mapping import Builtin, Mapper
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["decode_cef"]

_START = re.compile(r"CEF: ?[0-9]{1,2}\|")
_HEADER = ("deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity")
_CELL = re.compile(r"((?:[^|\\]|\\.)*+)(?:\||\Z)", re.DOTALL)
_KEY = re.compile(r"(?:^|(?<=\s))([\w.\-\[\]]+)=")
_ESCAPE = re.compile(r"\\([\\=|nr])")
_ESCAPED = {"n": "\n", "r": "\r"}
_TIMES = ("rt", "start", "end", "art")
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


def decode_cef(
    lines: Iterable[tuple[int, bytes]], profile: Profile, *, reference: datetime | None = None
) -> Iterator[Record | Refused]:
    """Decode a delivery of CEF; see `ingest.formats.device.decode_device`."""
    return decode_device(lines, profile, _BUILTIN, _START, _read, reference)


def _read(text: str, start: re.Match[str] | None, mapper: Mapper, reference: datetime) -> Named:
    if start is None:
        raise DeviceError("record: no CEF:0| where an event begins / CEF:0| で始まるイベントがありません")
    found: Named = []
    at = start.end()
    for number, name in enumerate(_HEADER, 1):
        if at >= len(text):
            raise DeviceError(
                f"header: ends before its part {number + 1}, {name} / ヘッダーが {name} の前で終わっています"
            )
        cell = _CELL.match(text, at)
        if cell is None:  # a lone backslash at the very end
            raise DeviceError(f"header: broken in {name} at character {at + 1} / ヘッダーの {name} が読めません")
        found.append((name, _unescape(cell[1])))
        at = cell.end()
    named = list(_labelled([*found, *_extension(text[at:])], mapper))
    has_source = any(name in {"suser", "suid"} and value for name, value in named)
    result = []
    for name, value in named:
        own = mapper.profile.fields.get(name)
        if name in _TIMES or own in {"time", "recorded_at"}:
            result.append((name, device_time(value, mapper.profile.zone, reference)))
        elif name == "duser" and has_source and own is None and name not in mapper.profile.drop:
            result.append(("target.id", value))
        else:
            result.append((name, value))
    return result


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
