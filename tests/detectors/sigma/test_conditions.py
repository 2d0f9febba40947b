"""Conditions of Sigma rules on the real engine, beside a plain reading of the same rule in Python."""

import fnmatch
import ipaddress
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.clock import TOKYO
from audit.log import Filter
from audit.log.condition import (
    Binder,
    Comparison,
    FlagTest,
    NumberTest,
    Present,
    RegexTest,
    SameText,
    TextTest,
    TimePart,
    TimeTest,
    rendered,
)
from audit.log.correlation import Correlation, CorrelationKind, Part
from detectors.sigma.errors import SigmaRefusedError
from detectors.sigma.rules import read_rule

Town = Any
DAY = date(2026, 10, 5)
NOON = datetime(2026, 10, 5, 3, tzinfo=UTC)
PEOPLE = ["s01", "S02", "s-3", "x%y", "a_b", "back\\slash", "quote'", "tab\tnew\nline", "山田", "ＡＢＣ", "Éclair"]
WORDS = [
    "",
    "csv",
    "CSV",
    "a*b",
    "a?b",
    "100%",
    "x_y",
    "\\",
    "\\\\n",
    "'; DROP TABLE events; --",
    "{v0:String}",
    "台帳",
]
ADDRESSES = ["", "10.1.2.3", "10.255.0.1", "192.168.0.9", "2001:db8::1", "not-an-address", "::ffff:10.1.2.3"]
NUMBERS = [None, 0, 1, 9, 10, 11, 5000]
TEXT_FIELDS = {"actor.id": PEOPLE, "reason": WORDS, "operation_name": WORDS, "terminal.ip": ADDRESSES}
CUTS = [
    "",
    "s0",
    "S0",
    "b",
    "a*",
    "%",
    "_",
    "\\\\",
    "'",
    "csv",
    "ＡＢＣ",
    "ａｂｃ",
    "éc",
    "10.",
    "*",
    "?",
    "a\\*b",
    "x?y",
    "-- ",
]


@st.composite
def an_item(draw: st.DrawFn) -> tuple[str, Any]:
    kind = draw(st.sampled_from(["text", "text", "text", "list", "number", "flag", "hour", "cidr", "regex", "field"]))
    several = draw(st.booleans())
    join = draw(st.sampled_from(["", "|all"])) if several else ""

    def values(of: st.SearchStrategy[Any]) -> Any:
        return draw(st.lists(of, min_size=2, max_size=3)) if several else draw(of)

    negated = draw(st.sampled_from(["", "", "|neq"]))
    if kind in {"text", "list"}:
        field = draw(st.sampled_from(list(TEXT_FIELDS))) if kind == "text" else "auth.factors"
        how = draw(st.sampled_from(["", "|contains", "|startswith", "|endswith"]))
        cased = draw(st.sampled_from(["", "|cased"]))
        known = TEXT_FIELDS.get(field, ["password", "TOTP", "palm"])
        texts = st.sampled_from([*CUTS, *(text.replace("\\", "\\\\") for text in known)])
        if not how and not cased and draw(st.integers(0, 5)) == 0:
            return draw(st.sampled_from([(field, None), (f"{field}|exists", True), (f"{field}|exists", False)]))
        return f"{field}{how}{cased}{join}{negated}", values(texts)
    if kind == "number":
        how = draw(st.sampled_from(["", "|gt", "|gte", "|lt", "|lte"]))
        return f"query.hits{how}{join}{negated}", values(st.sampled_from([0, 1, 10, 9.5, 5000]))
    if kind == "flag":
        return "auth.user_verified", draw(st.sampled_from([True, False, None]))
    if kind == "hour":
        return f"time|hour{draw(st.sampled_from(['', '|gte', '|lt']))}", draw(st.integers(0, 23))
    if kind == "cidr":
        nets = ["10.0.0.0/8", "192.168.0.0/24", "2001:db8::/32", "0.0.0.0/0"]
        return f"terminal.ip|cidr{negated}", values(st.sampled_from(nets))
    if kind == "regex":
        flags = draw(st.sampled_from(["", "|i", "|s", "|m|i"]))
        patterns = ["^s0", "b$", "csv", r"\\", "new.line", "^line", "[A-Z]{3}", ".*", "'"]
        return f"{draw(st.sampled_from(['actor.id', 'reason']))}|re{flags}{negated}", values(st.sampled_from(patterns))
    how = draw(st.sampled_from(["", "|startswith", "|endswith", "|contains"]))
    return f"reason|fieldref{how}{negated}", draw(st.sampled_from(["operation_name", "actor.id"]))


@st.composite
def a_rule(draw: st.DrawFn) -> dict[str, Any]:
    names = ["sel_a", "sel_b", "other"]
    detection: dict[str, Any] = {name: dict(draw(st.lists(an_item(), min_size=1, max_size=3))) for name in names}
    if draw(st.booleans()):
        detection["sel_b"] = [dict([draw(an_item())]), detection["sel_b"]]
    detection["condition"] = draw(
        st.sampled_from(
            [
                "sel_a and not sel_b or other", "1 of sel_* and other", "all of sel_* or not other", "all of them",
                "not (sel_a or sel_b) and other", "sel_a or (sel_b and not other)", "not 1 of them",
            ]
        )
    )  # fmt: skip
    return rule_of(detection)


def rule_of(detection: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "title": "a rule",
        "id": "5a4b8c1e-6d0f-4a3b-9e2c-7f1d2a3b4c5d",
        "status": "test",
        "logsource": {"product": "mimamori"},
        "detection": dict(detection),
        **more,
    }


def bytes_of(*documents: Mapping[str, Any]) -> bytes:
    """JSON is YAML."""
    return "\n---\n".join(json.dumps(document, ensure_ascii=False) for document in documents).encode()


# The plain reading ----------------------------------------------------------------------------------------


def folded(pattern: str) -> tuple[list[tuple[str, bool]], bool]:
    """A Sigma pattern as characters, each with whether it is a wildcard."""
    chars, place = [], 0
    while place < len(pattern):
        char, following = pattern[place], pattern[place + 1 : place + 2]
        if char == "\\" and following in {"*", "?", "\\"} and following:
            chars.append((following, False))
            place += 2
        else:
            chars.append((char, char in "*?"))
            place += 1
    return chars, not chars


def wild(chars: list[tuple[str, bool]]) -> str:
    written = {"*": "(?s:.*)", "?": "(?s:.)"}
    return "".join(written[char] if special else re.escape(char) for char, special in chars)


def text_is(text: str, value: Any, modifiers: list[str]) -> bool:
    chars, empty = folded(str(value))
    star = ("*", True)
    if "contains" in modifiers or "endswith" in modifiers:
        chars = chars if chars[:1] == [star] else [star, *chars]
    if "contains" in modifiers or "startswith" in modifiers:
        chars = chars if chars[-1:] == [star] else [*chars, star]
    if empty and not set(modifiers) & {"contains", "startswith", "endswith"}:
        return text == ""
    if all(char == star for char in chars):
        return text != ""
    if "cased" not in modifiers:
        text, chars = text.lower(), [(char.lower(), special) for char, special in chars]
    return re.fullmatch(wild(chars), text) is not None


def same(one: str, other: str, modifiers: list[str]) -> bool:
    one, other = one.lower(), other.lower()
    if not one or not other:
        return False
    if "contains" in modifiers:
        return other in one
    if "startswith" in modifiers:
        return one.startswith(other)
    return one.endswith(other) if "endswith" in modifiers else one == other


def within(address: str, network: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if found.version == 6 and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found in ipaddress.ip_network(network)


COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": lambda a, b: a > b, "gte": lambda a, b: a >= b, "lt": lambda a, b: a < b, "lte": lambda a, b: a <= b,
}  # fmt: skip


def value_is(event: Mapping[str, Any], field: str, modifiers: list[str], value: Any) -> bool:  # noqa: PLR0911 - a case each
    if field == "time":
        compare = next((COMPARED[name] for name in modifiers if name in COMPARED), lambda a, b: a == b)
        return compare(event["hour"], value)
    have = event[field]
    if value is None:
        return have in (None, "", [])
    if "exists" in modifiers:
        return (have not in (None, "", [])) == value
    if isinstance(have, list):
        return (not have) if value == "" and modifiers == [] else any(text_is(one, value, modifiers) for one in have)
    if field == "query.hits":
        compare = next((COMPARED[name] for name in modifiers if name in COMPARED), lambda a, b: a == b)
        return have is not None and compare(have, value)
    if field == "auth.user_verified":
        return have is value
    if "cidr" in modifiers:
        return within(have, value)
    if "re" in modifiers:
        flags = sum(
            (name in modifiers) * flag for name, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL))
        )
        return have != "" and re.search(value, have, flags) is not None
    if "fieldref" in modifiers:
        return same(have, event[value], modifiers)
    return text_is(have, value, modifiers)


def item_is(event: Mapping[str, Any], key: str, value: Any) -> bool:
    field, *modifiers = key.split("|")
    values = value if isinstance(value, list) else [value]
    joined = all if "all" in modifiers else any
    plain = [name for name in modifiers if name not in {"all", "neq"}]
    if "cased" in plain and plain == ["cased"] and values == [""] and isinstance(event[field], list):
        plain = []
    return joined(value_is(event, field, plain, one) for one in values) != ("neq" in modifiers)


def selected(event: Mapping[str, Any], selection: Any) -> bool:
    if isinstance(selection, list):
        return any(selected(event, one) for one in selection)
    return all(item_is(event, key, value) for key, value in selection.items())


def plainly(event: Mapping[str, Any], detection: Mapping[str, Any]) -> bool:
    names = [name for name in detection if name != "condition"]

    def spelt(match: re.Match[str]) -> str:
        joint = " or " if match[1] == "1" else " and "
        pattern = "*" if match[2] == "them" else match[2]
        return "(" + joint.join(name for name in names if fnmatch.fnmatchcase(name, pattern)) + ")"

    logic = re.sub(r"\b(1|all) of (\S+?)(?=\)|\s|$)", spelt, detection["condition"])
    return bool(eval(logic, {}, {name: selected(event, detection[name]) for name in names}))  # noqa: S307 - ours


# The engine -----------------------------------------------------------------------------------------------


def contract(number: int, event: Mapping[str, Any]) -> dict[str, Any]:
    at = datetime(DAY.year, DAY.month, DAY.day, event["hour"], 30, number % 60, tzinfo=TOKYO)
    doc: dict[str, Any] = {
        "source": "records", "event_id": f"e{number:04d}", "time": at.isoformat(), "activity": "operation",
        "actor": {"id": event["actor.id"]},
    }  # fmt: skip
    for path in ("reason", "operation_name", "terminal.ip", "query.hits", "auth.user_verified", "auth.factors"):
        if event[path] not in (None, "", []):
            group, _, name = path.partition(".")
            if name:
                doc.setdefault(group, {})[name] = event[path]
            else:
                doc[group] = event[path]
    return doc


def found_by(town: Town, data: bytes) -> set[str]:
    sought = read_rule(data).correlation
    parts = tuple(Part(part.condition, ("event_id",)) for part in sought.parts)
    wanted = Filter(start=NOON - timedelta(days=2), end=NOON + timedelta(days=2))
    each = Correlation(CorrelationKind.ACTS, parts, 1)
    return {match.group[0] for match in town.log.matching(wanted, each, wanted.start, 10_000)}


@pytest.fixture(scope="session")
def engine(make_town: Any) -> Iterator[tuple[Town, list[dict[str, Any]]]]:
    """Three hundred events, and the town that holds them."""
    chance = random.Random(20261121)  # noqa: S311 - the same events in every run
    events = [
        {
            "actor.id": chance.choice(PEOPLE),
            "reason": chance.choice(WORDS),
            "operation_name": chance.choice(WORDS),
            "terminal.ip": chance.choice(ADDRESSES),
            "query.hits": chance.choice(NUMBERS),
            "auth.user_verified": chance.choice([None, True, False]),
            "auth.factors": chance.sample(["password", "totp", "Totp", "palm_vein"], chance.randrange(4)),
            "hour": chance.randrange(24),
        }
        for _ in range(300)
    ]
    town = make_town([contract(number, event) for number, event in enumerate(events)], {})
    yield town, events
    town.close()


@settings(max_examples=50, deadline=None)
@given(rule=a_rule())
def test_the_engine_finds_what_a_plain_reading_of_the_rule_finds(engine: Any, rule: dict[str, Any]) -> None:
    town, events = engine
    expected = {f"e{number:04d}" for number, event in enumerate(events) if plainly(event, rule["detection"])}
    assert found_by(town, bytes_of(rule)) == expected


# What no rule can do --------------------------------------------------------------------------------------

HOSTILE = ("1) OR 1=1 --", "actor_id", "actor.id) OR (1", "unmapped", "log_index", "v0", "", "actor.id\x00", "raw_hash")


@pytest.mark.parametrize("field", HOSTILE)
def test_a_field_that_is_none_of_ours_is_refused_by_its_name(field: str) -> None:
    with pytest.raises(SigmaRefusedError) as refused:
        read_rule(bytes_of(rule_of({"sel": {field: "x", "nonsense": 1}, "condition": "sel"})))
    assert "nonsense" in refused.value.text("en") or "keyword" in refused.value.text("en")
    assert refused.value.text("ja")


@pytest.mark.parametrize("column", ["1 OR 1=1", "time); --", "unmapped", "nothing"])
def test_a_condition_made_by_hand_cannot_name_anything_else_either(column: str) -> None:
    for condition in (
        Present(column), TextTest(column, ("x",)), RegexTest(column, "x"), SameText(column, "reason"),
        SameText("reason", column), NumberTest(column, Comparison.EQUAL, 1), FlagTest(column, value=True),
        TimeTest(column, TimePart.HOUR, Comparison.EQUAL, 1),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="no column"):
            rendered(condition, Binder())
    with pytest.raises(ValueError, match="grouped by"):
        Correlation(CorrelationKind.ACTS, (Part(Present("actor_id"), (column,)),), 1)


@settings(max_examples=30, deadline=None)
@given(text=st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=30))
def test_a_value_never_becomes_part_of_the_statement(text: str) -> None:
    binder = Binder()
    marked = f"☃{text}☃"
    for condition in (TextTest("reason", (marked,)), RegexTest("reason", marked), TextTest("auth_factors", (marked,))):
        assert "☃" not in rendered(condition, binder)
    assert len(binder.values) == 3
