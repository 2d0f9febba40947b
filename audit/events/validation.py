"""The careful reading of one event: every fault is named at once, and located.

The log's fast path accepts what is plainly right without Python; whatever it is not certain about comes here. Both
read the same table of fields, and a property test holds them to the same answers.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.events.activities import Activity, ActorKind, Outcome
from audit.events.fields import FIELD_BY_PATH, GROUPS, Field, Kind
from audit.events.mynumber import MASK, mask, mask_id, split_numbers

__all__ = [
    "FUTURE_TOLERANCE",
    "MAX_DEPTH",
    "MAX_RECORD_BYTES",
    "OLDEST",
    "Checked",
    "Fault",
    "check",
    "parse_json",
    "parse_time",
]

MAX_RECORD_BYTES = 1 << 20
"""A longer record is no event: 1 MiB is two thousand times the usual one."""
MAX_DEPTH = 32
"""Nesting beyond this is an attack, not a log."""
MAX_COUNT = 10**18 - 1
MAX_EVENT_ID_BYTES = 500
"""An id longer than this is a payload, not a name."""
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
"""No system whose logs arrive is older; an earlier time is a broken clock (1970 above all)."""
FUTURE_TOLERANCE = timedelta(minutes=5)
"""An event this far ahead of its receipt has a broken clock; it is quarantined, never silently re-timed."""

_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d{2}):?(\d{2}))?",
    re.ASCII,
)
_WORDS: Mapping[str, frozenset[str]] = {
    "activity": frozenset(Activity),
    "actor.kind": frozenset(ActorKind),
    "outcome": frozenset(Outcome),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a record.

    Attributes:
        where: the contract's path, or `record` for the whole.
        what: the fault in English.
        what_ja: the same in Japanese.
    """

    where: str
    what: str
    what_ja: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} / {self.what_ja}"


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of a careful reading.

    Attributes:
        columns: values by column name, absent ones left out; empty when there are faults.
        faults: everything wrong, in the order found.
        masked: how many My Numbers were masked.
    """

    columns: Mapping[str, Any]
    faults: tuple[Fault, ...]
    masked: int = 0


class _DuplicateKeyError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _DuplicateKeyError(twice)
    return found


def _constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def parse_json(data: bytes) -> tuple[dict[str, Any] | None, Fault | None]:
    """Read one JSON object strictly: UTF-8, no duplicate names, no NaN, no deep nesting.

    Returns:
        The object, or the fault that made it unreadable, located.
    """
    if len(data) > MAX_RECORD_BYTES:
        return None, Fault(
            "record",
            f"{len(data)} bytes, more than {MAX_RECORD_BYTES}",
            f"{len(data)} バイトあり、上限 {MAX_RECORD_BYTES} バイトを超えています",
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return None, Fault(
            "record",
            f"byte {error.start + 1} is not UTF-8",
            f"{error.start + 1} バイト目が UTF-8 ではありません",
        )
    try:
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except _DuplicateKeyError as error:
        name = mask(str(error))[0][:80]
        return None, Fault("record", f"the name {name!r} stands twice", f"名前 {name!r} が重複しています")
    except json.JSONDecodeError as error:
        return None, Fault(
            "record",
            f"not JSON at character {error.pos + 1}: {error.msg}",
            f"{error.pos + 1} 文字目で JSON として読めません",
        )
    except UnicodeEncodeError:
        return None, Fault("record", "half of a surrogate pair stands alone", "サロゲートペアの片方だけがあります")
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        return None, Fault("record", reason, f"JSON として読めません ({reason})")
    if not isinstance(found, dict):
        return None, Fault("record", "not a JSON object", "JSON オブジェクトではありません")
    return found, None


def parse_time(text: str) -> datetime | Fault:
    """Read an RFC 3339 time with its offset; digits beyond microseconds are cut.

    Returns:
        The moment in UTC, or a fault whose `where` is empty for the caller to fill in.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return Fault("", "not an RFC 3339 time", "RFC 3339 形式の時刻ではありません")
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    if match[8] is None and match[9] is None:
        return Fault(
            "",
            "no offset from UTC, so the moment is unknown",
            "時差 (+09:00 など) がなく、時点が定まりません",
        )
    offset = timedelta()
    if match[9]:
        if int(match[10]) > 23 or int(match[11]) > 59:
            return Fault("", "no such offset", "存在しない時差です")
        offset = timedelta(hours=int(match[10]), minutes=int(match[11])) * (-1 if match[9] == "-" else 1)
    try:
        local = datetime(year, month, day, hour, minute, second, int((match[7] or "")[:6].ljust(6, "0")), tzinfo=UTC)
        moment = local - offset
    except (ValueError, OverflowError):
        return Fault("", "no such date or time of day", "存在しない日付または時刻です")
    if not 1900 <= moment.year < 2300:
        return Fault("", "outside of 1900 to 2299", "1900 年から 2299 年の範囲外です")
    return moment


def _text(value: Any) -> str | Fault:  # noqa: ANN401 - anything JSON can hold
    if isinstance(value, str):
        return value
    return Fault("", "must be text", "文字列でなければなりません")


def _count(value: Any) -> int | Fault:  # noqa: ANN401
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of number, and some programs write every one as 3.0
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT:
        return value
    return Fault(
        "", f"must be a whole number from 0 to {MAX_COUNT}", f"0 から {MAX_COUNT} までの整数でなければなりません"
    )


def _flag(value: Any) -> bool | Fault:  # noqa: ANN401
    return (
        value if isinstance(value, bool) else Fault("", "must be true or false", "true か false でなければなりません")
    )


def _ids(value: Any) -> list[str] | Fault:  # noqa: ANN401
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [item for item in value if item]
    return Fault("", "must be a list of texts", "文字列の配列でなければなりません")


def _read_time(value: Any) -> datetime | str | Fault:  # noqa: ANN401
    text = _text(value)
    return text if isinstance(text, Fault) or not text else parse_time(text)


_READERS = {Kind.TEXT: _text, Kind.COUNT: _count, Kind.FLAG: _flag, Kind.IDS: _ids, Kind.TIME: _read_time}


class _Reading:
    """One careful reading in progress."""

    def __init__(self) -> None:
        self.columns: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self.unmapped: dict[str, Any] = {}
        self.masked = 0

    def fault(self, where: str, what: str, what_ja: str) -> None:
        self.faults.append(Fault(where, what, what_ja))

    def take(self, field: Field, value: Any) -> None:  # noqa: ANN401
        read = _READERS[field.kind](value)
        if isinstance(read, Fault):
            self.fault(field.path, read.what, read.what_ja)
            return
        if read in ("", []):
            return
        if field.path in _WORDS and read not in _WORDS[field.path]:
            word = mask(str(read))[0][:80]
            self.fault(field.path, f"{word!r} is not in the vocabulary", f"{word!r} は語彙にありません")
            return
        if field.path == "event_id" and isinstance(read, str) and len(read.encode()) > MAX_EVENT_ID_BYTES:
            self.fault(
                field.path, f"longer than {MAX_EVENT_ID_BYTES} bytes", f"{MAX_EVENT_ID_BYTES} バイトを超えています"
            )
            return
        self.columns[field.column] = self._masked(field, read)

    def _masked(self, field: Field, value: Any) -> Any:  # noqa: ANN401
        if field.declared_id or field.path in _WORDS:
            return value
        if field.kind is Kind.TEXT:
            value, found = mask_id(value) if field.path == "target.id" else mask(value)
            self.masked += found
        elif field.kind is Kind.IDS:
            pairs = [mask_id(item) for item in value]
            value = [item for item, _ in pairs]
            self.masked += sum(found for _, found in pairs)
        return value

    def _masked_tree(self, value: Any, label: str = "") -> Any:  # noqa: ANN401
        """The same JSON value with every My Number masked, also where it is a name, a number or cut into pieces."""
        if isinstance(value, dict):
            return {
                self._masked_text(name): MASK if split else self._masked_tree(inner, name)
                for (name, inner), split in zip(
                    value.items(), self._split(list(value.values()), list(value)), strict=True
                )
            }
        if isinstance(value, list):
            return [
                MASK if split else self._masked_tree(inner, label)
                for inner, split in zip(value, self._split(value), strict=True)
            ]
        if isinstance(value, str):
            return self._masked_text(value, label)
        # what stands behind the point of a number is a measure, never a part of somebody's number
        whole = str(int(value)) if isinstance(value, float) and math.isfinite(value) else json.dumps(value)
        return MASK if self._masked_text(whole, label) != whole else value

    def _masked_text(self, text: str, label: str = "") -> str:
        masked, found = mask(text, label)
        self.masked += found
        return masked

    def _split(self, values: Sequence[Any], names: Sequence[str] | None = None) -> Iterator[bool]:
        """Of each value, whether it is a piece of a number cut up."""
        pieces = split_numbers(values, names)
        self.masked += bool(pieces)
        return (n in pieces for n in range(len(values)))

    def keep(self, path: str, value: Any) -> None:  # noqa: ANN401
        """Keep what the form has no place for."""
        if value is not None:
            self.unmapped[path] = value

    def close(self, received_at: datetime, future_tolerance: timedelta) -> None:
        """What can only be judged once everything is read."""
        if self.unmapped:
            if _depth(self.unmapped) > MAX_DEPTH:
                self.fault("unmapped", "nested too deeply", "入れ子が深すぎます")
                return
            self.columns["unmapped"] = json.dumps(
                self._masked_tree(self.unmapped), ensure_ascii=False, sort_keys=True, separators=(",", ":")
            )
        failed = self.columns.get("outcome") in {Outcome.FAILURE, Outcome.DENIED}
        if failed and self.columns.get("activity") == Activity.LOGIN:
            # Nobody's id, but what somebody typed; now and then that is the number on the card before them.
            typed, found = mask_id(self.columns.get("actor_id", ""))
            if found:
                self.columns["actor_id"] = typed
                self.masked += found
        named = {fault.where for fault in self.faults}
        for path, what_ja in (("time", "時刻がありません"), ("activity", "操作の種類がありません")):
            if path not in self.columns and path not in named:
                self.fault(path, "is missing", what_ja)
        if "actor_id" not in self.columns and self.columns.get("actor_kind") != "system" and "actor.id" not in named:
            self.fault("actor.id", "is missing, and the actor is no system", "操作者がなく、システムでもありません")
        at = self.columns.get("time")
        if at is not None and at < OLDEST:
            self.fault("time", f"before {OLDEST.year}", f"{OLDEST.year} 年より前です")
        if at is not None and at > received_at + future_tolerance:
            ahead = at - received_at
            self.fault("time", f"{ahead} ahead of its receipt", f"受信時刻より {ahead} 先です")


def _depth(value: Any) -> int:  # noqa: ANN401
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return depth


def check(doc: Mapping[str, Any], received_at: datetime, future_tolerance: timedelta = FUTURE_TOLERANCE) -> Checked:
    """Read one event carefully.

    Args:
        doc: the event in the contract's form.
        received_at: when it arrived.
        future_tolerance: how far ahead of its receipt its time may be.
    """
    reading = _Reading()
    for name, value in doc.items():
        if value is None:
            continue
        if name == "unmapped" and isinstance(value, dict):
            for key, kept in value.items():
                reading.keep(key, kept)
        elif name in GROUPS and isinstance(value, dict):
            for inner, inner_value in value.items():
                field = FIELD_BY_PATH.get(f"{name}.{inner}")
                if inner_value is None:
                    continue
                if field is None:
                    reading.keep(f"{name}.{inner}", inner_value)
                else:
                    reading.take(field, inner_value)
        elif name in GROUPS:
            reading.fault(name, "must be an object", "オブジェクトでなければなりません")
        elif name in FIELD_BY_PATH and "." not in name and name != "unmapped":
            reading.take(FIELD_BY_PATH[name], value)
        else:
            reading.keep(name, value)
    reading.close(received_at, future_tolerance)
    if reading.faults:
        return Checked({}, tuple(reading.faults), reading.masked)
    return Checked(reading.columns, (), reading.masked)
