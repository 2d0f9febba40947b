"""A condition on events as a value: what rules that others wrote are made of, and nothing else can be in it.

A condition names columns of ours and holds values; `rendered` makes SQL in which every value is bound, so that no
text of a rule ever becomes part of a statement. Logic has two values: a test of what an event does not have is false.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Any, TypeAlias

from audit.events import FIELDS, Kind

__all__ = [
    "KINDS",
    "AllOf",
    "AnyOf",
    "Binder",
    "Comparison",
    "Condition",
    "FlagTest",
    "NetworkTest",
    "Not",
    "NumberTest",
    "Present",
    "RegexTest",
    "SameText",
    "Test",
    "TextTest",
    "TimePart",
    "TimeTest",
    "Wildcard",
    "rendered",
]

KINDS: Mapping[str, Kind] = {
    **{one.column: one.kind for one in FIELDS if one.path != "unmapped"},
    "source": Kind.TEXT,
    "class_uid": Kind.COUNT,
    "activity_id": Kind.COUNT,
    "type_uid": Kind.COUNT,
}
"""The columns that a condition may name, and what they hold."""
_INT64 = 2**63


class Wildcard(StrEnum):
    """What stands for other text in a pattern."""

    ANY = "*"
    ONE = "?"


class Comparison(StrEnum):
    """How a number is compared."""

    EQUAL = "="
    GREATER = ">"
    GREATER_EQUAL = ">="
    LESS = "<"
    LESS_EQUAL = "<="


class TimePart(StrEnum):
    """A part of a time, on the clock of Asia/Tokyo."""

    DAY = "toDayOfMonth"
    HOUR = "toHour"
    MINUTE = "toMinute"
    MONTH = "toMonth"
    YEAR = "toYear"


@dataclass(frozen=True, slots=True)
class TextTest:
    """A text, or one text of a list, is this. Without `cased`, upper and lower case are the same."""

    column: str
    pattern: tuple[str | Wildcard, ...]
    cased: bool = False


@dataclass(frozen=True, slots=True)
class RegexTest:
    """A regular expression (RE2) is found in a text, or in one text of a list. `flags` are of `ims`."""

    column: str
    pattern: str
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NetworkTest:
    """An address is within a network."""

    column: str
    network: IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class NumberTest:
    """A number compares so with this one."""

    column: str
    comparison: Comparison
    value: float


@dataclass(frozen=True, slots=True)
class FlagTest:
    """A flag is so."""

    column: str
    value: bool


@dataclass(frozen=True, slots=True)
class TimeTest:
    """A part of a time compares so with a number."""

    column: str
    part: TimePart
    comparison: Comparison
    value: float


@dataclass(frozen=True, slots=True)
class Present:
    """The event has such a value."""

    column: str


@dataclass(frozen=True, slots=True)
class SameText:
    """A text equals another of the same event, or begins or ends with it, or contains it; both must be there."""

    column: str
    other: str
    begins: bool = False
    ends: bool = False
    cased: bool = False


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of these."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not this."""

    part: "Condition"


Test: TypeAlias = TextTest | RegexTest | NetworkTest | NumberTest | FlagTest | TimeTest | Present | SameText
Condition: TypeAlias = AllOf | AnyOf | Not | Test


@dataclass(slots=True)
class Binder:
    """Gives every value a name of ours, under which the engine is handed it."""

    values: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: str | float, kind: str) -> str:
        """The placeholder of a value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"


def rendered(condition: Condition, binder: Binder) -> str:
    """A condition in SQL.

    Args:
        condition: what to ask.
        binder: takes the values.

    Raises:
        ValueError: it names what is no column, or asks of a column what it cannot hold.
    """
    if isinstance(condition, AllOf | AnyOf):
        joint, none = (" AND ", "1") if isinstance(condition, AllOf) else (" OR ", "0")
        return "(" + (joint.join(rendered(part, binder) for part in condition.parts) or none) + ")"
    return f"NOT {rendered(condition.part, binder)}" if isinstance(condition, Not) else _test(condition, binder)


def _test(test: Test, binder: Binder) -> str:
    match test:
        case Present():
            made = _present(test.column)
        case TextTest():
            made = _each(test.column, lambda item: _text(item, test, binder))
        case RegexTest():
            made = _each(test.column, lambda item: _regex(item, test, binder))
        case NetworkTest():
            made = _each(test.column, lambda item: _within(item, test, binder))
        case SameText():
            made = _same(test)
        case NumberTest():
            number = _number(test.value, binder)
            made = f"ifNull({_of_kind(test.column, Kind.COUNT)} {test.comparison.value} {number}, 0)"
        case FlagTest():
            made = f"ifNull({_of_kind(test.column, Kind.FLAG)} = {int(test.value)}, 0)"
        case _:
            at = f"{test.part.value}({_of_kind(test.column, Kind.TIME)}, 'Asia/Tokyo')"
            made = f"ifNull({at} {test.comparison.value} {_number(test.value, binder)}, 0)"
    return made


def _of_kind(column: str, *kinds: Kind) -> str:
    if KINDS.get(column) not in kinds:
        raise ValueError(f"no column of this kind: {column!r}")
    return column


def _present(column: str) -> str:
    kind = KINDS[_of_kind(column, *Kind)]
    if kind is Kind.TEXT:
        return f"{column} != ''"
    return f"notEmpty({column})" if kind is Kind.IDS else f"isNotNull({column})"


def _each(column: str, test: Callable[[str], str]) -> str:
    """A test of a text, or of any text of a list."""
    if KINDS[_of_kind(column, Kind.TEXT, Kind.IDS)] is Kind.TEXT:
        return test(column)
    return f"arrayExists(item -> {test('item')}, {column})"


def _text(item: str, asked: TextTest, binder: Binder) -> str:
    pattern = asked.pattern
    if pattern and all(part is Wildcard.ANY for part in pattern):
        return f"{item} != ''"
    if not asked.cased:
        item = f"lowerUTF8({item})"
        pattern = tuple(part if isinstance(part, Wildcard) else part.lower() for part in pattern)
    if any(isinstance(part, Wildcard) for part in pattern):
        return f"{item} LIKE {binder.bind(''.join(map(_like, pattern)), 'String')}"
    return f"{item} = {binder.bind(''.join(pattern), 'String')}"


def _like(part: str | Wildcard) -> str:
    if isinstance(part, Wildcard):
        return "%" if part is Wildcard.ANY else "_"
    return re.sub(r"([\\%_])", r"\\\1", part)


def _regex(item: str, asked: RegexTest, binder: Binder) -> str:
    flags = "".join(sorted(asked.flags)) + ("" if "s" in asked.flags else "-s")  # the engine's own default is with it
    return f"({item} != '' AND match({item}, {binder.bind(f'(?{flags}){asked.pattern}', 'String')}))"


def _within(item: str, asked: NetworkTest, binder: Binder) -> str:
    first, last = (
        IPv6Address(f"::ffff:{address}") if address.version == 4 else address
        for address in (asked.network.network_address, asked.network.broadcast_address)
    )
    low, high = (f"toIPv6({binder.bind(str(address), 'String')})" for address in (first, last))
    return f"ifNull(toIPv6OrNull({item}) BETWEEN {low} AND {high}, 0)"


def _same(asked: SameText) -> str:
    texts = [_of_kind(asked.column, Kind.TEXT), _of_kind(asked.other, Kind.TEXT)]
    one, other = texts if asked.cased else [f"lowerUTF8({text})" for text in texts]
    if asked.begins and asked.ends:
        test = f"position({one}, {other}) > 0"
    elif asked.begins:
        test = f"startsWith({one}, {other})"
    else:
        test = f"endsWith({one}, {other})" if asked.ends else f"{one} = {other}"
    return f"({asked.column} != '' AND {asked.other} != '' AND {test})"


def _number(value: float, binder: Binder) -> str:
    if isinstance(value, int):
        if not -_INT64 <= value < _INT64:
            raise ValueError(f"no number that a column can be compared with: {value}")
        return binder.bind(value, "Int64")
    return binder.bind(value, "Float64")
