"""OpenTelemetry logs as OTLP in JSON: one object is one request, and holds the log records of many.

Each log record is a record of its own, whatever is wrong with its neighbours. Its bytes are its own part of the
request as compact JSON with sorted names, together with the resource and scope it came from: deterministic, so that
the same log record is the same event in whatever company it is sent again. Its line is its request's.

Attributes go by name: a profile's names first, then ours, then OpenTelemetry's semantic conventions. Those of the
resource and the scope stand under `resource.` and `scope.`; a body that is a map counts as attributes, a text is kept
as `body`. A request with too many records or too deep is refused whole.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, NamedTuple

from audit.events import Activity, Kind
from ingest.formats.mapping import KINDS, Builtin, Mapper
from ingest.formats.pieces import MAX_DEPTH, cut
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["MAX_RECORDS", "decode_otlp"]

MAX_RECORDS = 10_000
"""Log records in one request; collectors send some hundreds."""
_BUILTIN = Builtin(
    fields={
        "timeUnixNano": "time",
        "observedTimeUnixNano": "time",
        "eventName": "activity",
        "event.name": "activity",
        "event.outcome": "outcome",
        "enduser.id": "actor.id",
        "user.id": "actor.id",
        "user.name": "actor.id",
        "user.full_name": "actor.name",
        "enduser.role": "actor.role",
        "client.address": "terminal.ip",
        "source.address": "terminal.ip",
        "network.peer.address": "terminal.ip",
        "session.id": "session",
        "log.record.uid": "event_id",
        "url.path": "screen",
    },
    constants={"activity": Activity.OPERATION, "actor.kind": "system"},
)
_ADDRESSES = frozenset({"client.address", "source.address", "network.peer.address"})
_TIMES = ("timeUnixNano", "observedTimeUnixNano")
_APART = frozenset({*_TIMES, "attributes", "body"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCALARS = ("stringValue", "intValue", "doubleValue", "boolValue", "bytesValue")
Named = list[tuple[str, str]]


class _OtlpError(ValueError):
    """A request or a log record that is not as OTLP has it; the message locates the fault."""


class _Part(NamedTuple):
    """One log record of a request, or what stands where one belongs."""

    resource: Any
    scope: Any
    record: Any

    @property
    def raw(self) -> bytes:
        """Its bytes: the same for the same content."""
        content = {"logRecord": self.record, "resource": self.resource, "scope": self.scope}
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def decode_otlp(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Record | Refused]:
    """Decode requests of OTLP/JSON, one or more to a delivery; see `ingest.model.Decoder`."""
    mapper = Mapper(profile, _BUILTIN)
    for piece in cut(lines, profile.encoding):
        if not piece.fault and not piece.raw.strip():
            continue
        try:
            parts = _parts(piece.found) if piece.found is not None else []
        except ValueError as error:
            yield Refused(piece.line, piece.raw, (f"request: {error}",))
            continue
        if not parts:
            fault = piece.fault or "request: holds no log record / ログレコードがありません"
            yield Refused(piece.line, piece.raw, (fault,))
        for part in parts:
            try:
                doc, faults = mapper.document(_named(part, mapper))
            except ValueError as error:
                doc, faults = {}, [f"record: {error}"]
            yield Refused(piece.line, part.raw, tuple(faults)) if faults else Record(piece.line, part.raw, doc)


def _parts(request: Any) -> list[_Part]:  # noqa: ANN401 - anything JSON can hold
    """The log records of a request, wherever they are; what is no list or no object stands for itself.

    Raises:
        ValueError: when there are too many, or the request is too deep.
    """
    if _depth(request) > MAX_DEPTH:
        raise _OtlpError(f"nested deeper than {MAX_DEPTH} / 入れ子が {MAX_DEPTH} 段を超えています")
    found: list[_Part] = []
    for outer in _items(request, "resourceLogs"):
        scopes = _items(outer, "scopeLogs")
        resource = outer.get("resource") if isinstance(outer, dict) else None
        if not isinstance(outer, dict) or (scopes and not isinstance(outer.get("scopeLogs"), list)):
            found.append(_Part(resource, None, outer))
            continue
        for inner in scopes:
            records = _items(inner, "logRecords") if isinstance(inner, dict) else [inner]
            scope = inner.get("scope") if isinstance(inner, dict) else None
            found += [_Part(resource, scope, record) for record in records]
        if len(found) > MAX_RECORDS:
            raise _OtlpError(f"more than {MAX_RECORDS} log records / ログレコードが {MAX_RECORDS} 件を超えています")
    return found


def _items(holder: Any, name: str) -> list[Any]:  # noqa: ANN401
    value = holder.get(name) if isinstance(holder, dict) else None
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _depth(value: Any) -> int:  # noqa: ANN401
    """Levels of nesting, counted no further than matters."""
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        inner = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        depth += bool(inner)
        level = [one for items in inner for one in items]
    return depth


def _named(part: _Part, mapper: Mapper) -> Named:
    record = part.record
    if not isinstance(record, dict):
        raise _OtlpError("not a JSON object / JSON オブジェクトではありません")
    named: Named = []
    for name in _TIMES:
        if (nanos := _nanos(record.get(name), name)) > 0:
            named += _time(name, nanos)
    named += _attributes(record.get("attributes"), "", mapper)
    body = record.get("body")
    if isinstance(body, dict) and isinstance(body.get("kvlistValue"), dict):
        named += _attributes(body["kvlistValue"].get("values"), "", mapper)
    elif body is not None:
        named += _values("body", body, mapper)
    named += [(name, _text(value)) for name, value in record.items() if name not in _APART and value is not None]
    for group, holder in (("resource", part.resource), ("scope", part.scope)):
        if not isinstance(holder, dict):
            continue
        named += _attributes(holder.get("attributes"), f"{group}.", mapper)
        named += [(f"{group}.{name}", _text(value)) for name, value in holder.items() if name != "attributes"]
    return named


def _nanos(value: Any, name: str) -> int:  # noqa: ANN401
    """A 64-bit number, which JSON writes as text; 0 means unknown. Twenty digits reach no further than year 5138."""
    if value is None:
        return 0
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or len(text) > 20:
        raise _OtlpError(f"{name}: not nanoseconds since 1970 / 1970 年からのナノ秒ではありません")
    return int(text)


def _time(name: str, nanos: int) -> Named:
    at = _EPOCH + timedelta(microseconds=nanos // 1000)
    text = at.strftime("%Y-%m-%dT%H:%M:%S.")
    digits = 9 if nanos % 1000 else 6
    return [(name, f"{text}{nanos % 1_000_000_000:09}"[: len(text) + digits] + "Z")]


def _attributes(listed: Any, prefix: str, mapper: Mapper) -> Named:  # noqa: ANN401
    """Names and values of a list of attributes.

    Raises:
        ValueError: when it is no such list.
    """
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise _OtlpError("attributes are no list / 属性がリストではありません")
    named: Named = []
    for one in listed:
        if not isinstance(one, dict) or not isinstance(one.get("key"), str):
            raise _OtlpError("an attribute has no key / 属性に名前がありません")
        named += _values(prefix + one["key"], one.get("value"), mapper)
    return named


def _values(name: str, value: Any, mapper: Mapper) -> Named:  # noqa: ANN401
    """One attribute: a list gives one value each where we hold several, a map one for each of its names."""
    if name == "time" and name not in mapper.profile.fields:
        name = "unmapped.time"  # the record's own time is OTLP's, whatever an application calls a field
    if not isinstance(value, dict):
        return [] if value is None else [(name, _text(value))]
    if isinstance(inner := value.get("kvlistValue"), dict):
        return _attributes(inner.get("values"), f"{name}.", mapper)
    if isinstance(array := value.get("arrayValue"), dict):
        items = [_plain(item) for item in _items(array, "values")]
        if KINDS.get(mapper.path_of(name)) is Kind.IDS:
            return [(name, _text(item)) for item in items if item is not None]
        return [(name, _text(items))]
    plain = _plain(value)
    text = "" if plain is None else _text(plain)
    if name in _ADDRESSES and mapper.path_of(name) == "terminal.ip" and not _is_address(text):
        name = f"unmapped.{name}"
    return [(name, text)]


def _plain(value: Any) -> Any:  # noqa: ANN401
    """What an AnyValue holds; a form we do not know stays as it is."""
    if not isinstance(value, dict):
        return value
    return next((value[kind] for kind in _SCALARS if kind in value), value or None)


def _text(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
