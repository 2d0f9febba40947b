"""Two readings, one answer: what the engine reads by itself is exactly what the careful reading says.

The engine's fast path may hesitate (then Python reads), but it must never accept what `check` refuses, and never store
other values. Documents are made as text, because a JSON writer would never write the broken ones.
"""

import json
import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.events import COLUMNS, FIELDS, Activity, ActorKind, Kind, Outcome, check, parse_json
from audit.events.mynumber import MASK
from audit.log import Filter, LineReader, Lines, reading, shapes

SEEDS = range(6)
DOCS = 500
FUZZ_SEED = int(os.environ.get("MIMAMORI_FUZZ_SEED", "0"))
FUZZ_BLOCKS = int(os.environ.get("MIMAMORI_FUZZ_BLOCKS", "60"))
GOOD_TIME = "2026-10-05T09:13:22.120+09:00"
TIMES = (
    GOOD_TIME, "2026-10-05T09:13:22Z", "2026-10-05T09:13:22.1234567+09:00", "2026-10-05T09:13:22.999999999Z",
    "2026-10-05T09:13:22-03:30", "2026-10-05T09:13:22+23:59", "2026-10-05T09:13:22-00:00", "2024-02-29T00:00:00Z",
    "2023-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "2026-04-31T00:00:00Z", "2026-12-31T23:59:59.5-12:00",
    "2026-10-05T24:00:00Z", "2026-10-05T23:59:60Z", "2026-10-05T23:60:00Z", "2026-13-01T00:00:00Z",
    "2026-00-10T00:00:00Z", "2026-10-00T00:00:00Z", "2026-10-05T09:13:22", "2026-10-05 09:13:22+09:00",
    "2026-10-05t09:13:22z", "2026-10-05T09:13:22+0900", "2026-10-05T09:13:22+09", "2026-10-05T09:13:22+24:00",
    "2026-10-05T09:13:22+09:60", "2026-10-05T09:13:22.+09:00", "2026-10-05T09:13:22.1234567890Z", "2026-10-05T09:13Z",
    "2026-10-05T09:13:22,5Z", "2026/10/05 09:13:22", "20261005T091322Z", "1791159202", "1791159202.5", "令和8年10月5日",
    "２０２６-10-05T09:13:22Z", "2026-10-05T09:13:22Z ", " 2026-10-05T09:13:22Z", "2026-10-05T09:13:22Z\\n",
    "1989-12-31T23:59:59Z", "1990-01-01T00:00:00Z", "1990-01-01T08:59:59+09:00", "1970-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1899-12-31T23:59:59Z", "1900-01-01T00:00:00+09:00",
    "2199-12-31T23:59:59Z", "2299-12-31T23:59:59.999999Z", "2299-12-31T23:59:59-01:00", "2300-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "2026-11-20T03:05:00.25Z", "2026-11-20T03:05:00.250001Z",
    "2026-11-20T03:05:00.2500009Z", "2026-11-20T03:01:00.25Z", "2026-11-20T03:01:00.250001Z", "", "now",
    "Mon Oct 5 2026",
)  # fmt: skip
MY_NUMBER = "123456789018"
TEXTS = (
    "", "a", "窓口", "0004512345", MY_NUMBER, "1234-5678-9018", "１２３４５６７８９０１８",
    "1234 5678 9018", "1234\u30005678・9018",
    "2026 1234 5678 9018", "1234\\u000b5678\\u000b9018", "1234\\u00855678\\u00859018", "1234\\u001c56789018",
    "1234\\n5678\\n9018", "123456789012", "1234567890123", "202611200007", "x" * 300, "\\u0061ctivity", '\\"q\\"',
    "\\\\", "\\/", "\\u0000", "a\\u0000b", "\\ud83d\\ude42", "🙂", "\\ud800", "\\udc00x", "\\ud800\\u0041", "\u202e",
    "\ufeff", "\u2028", "\\b\\f\\n\\r\\t", "{x:String}", "'; --", "null", "true", "1", "[]", "\\x", "\\u12", "\t", "\n",
    "MTIzNDU2Nzg5MDE4", "一二三四五六七八九〇一八", "%31%32%33%34%35%36%37%38%39%30%31%38",
    "view", "VIEW", "staff", "system", "success", "ok", "h-0-0", "|", "12345678901|8", "٠١٢٣٤٥٦٧٨٩٠١",
)  # fmt: skip
NUMBERS = (
    "0", "1", "7", "120", "88123", "-0", "-1", "1.0", "3.5", "1e2", "1E2", "1e-1", "-0.0", "0.1", "1.0e0", "1e17",
    "1e18",
    "1e400", "-1e400", "9007199254740993", "9007199254740993.0", "72057594037927945.0", "999999999999999999",
    "1000000000000000000", "18446744073709551615", "18446744073709551616", "12345678901234567890123", "007", "+1", "1.",
    ".5", "0x1", "NaN", "Infinity", "-Infinity", "1" * 400, MY_NUMBER,
)  # fmt: skip
OTHERS = (
    "null", "true", "false", "{}", "[]", '{"x":null}', '{"x":1}', "[null]", "[1]", '["a",1]', '["a",["b"]]',
    "[[]]", '{"id":"x"}', "tru", "'a'", "[,]", "[1,]", '{"a":1,}', "[" * 40 + "]" * 40, "[" * 2000 + "]" * 2000, "",
)  # fmt: skip
NAMES = (
    "extra", "actor.id", "terminal.ip", "Activity", "TIME", "", "activity ", "\\u0061ctivity", "subjects",
    "unmapped", "ｔｉｍｅ", "event-id", "a.b", "a.", ".", "名前", "時刻", MY_NUMBER,
)  # fmt: skip
WHOLES = (
    b"", b" ", b"{", b"}", b"null", b"[]", b'"x"', b"1", b"{}", b"{}{}", b'{"a":1}x', b"\xff", b"\xef\xbb\xbf{}",
    b'{"time":"\xff"}', b'{"time":"\xed\xa0\x80"}', b"\x00", b"{'time':1}", b"// c\n{}", b'{"a":1 "b":2}',
)  # fmt: skip


class Writer:
    """Writes JSON text, mostly right."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a seeded generator of documents

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def text(self) -> str:
        if self.chance(0.75):
            return f'"{self.random.choice(("x", "窓口", "0004512345", "T-0231", "10.3.1.31", "a b"))}"'
        return f'"{self.random.choice(TEXTS)}"'

    def anything(self) -> str:
        kind = self.random.randrange(4)
        if kind == 0:
            return self.random.choice(NUMBERS)
        if kind == 1:
            return self.random.choice(OTHERS)
        if kind == 2:
            return f'"{self.random.choice(TIMES)}"'
        return f'"{self.random.choice(TEXTS)}"'

    def value(self, path: str, kind: Kind) -> str:
        if self.chance(0.05):
            return self.anything()
        if path == "activity":
            return f'"{self.random.choice(tuple(Activity))}"'
        if path in ("actor.kind", "outcome"):
            return f'"{self.random.choice(tuple(ActorKind if path == "actor.kind" else Outcome))}"'
        if kind is Kind.TIME:
            return f'"{GOOD_TIME if self.chance(0.6) else self.random.choice(TIMES)}"'
        if kind is Kind.COUNT:
            return str(self.random.randrange(10**6)) if self.chance(0.7) else self.random.choice(NUMBERS)
        if kind is Kind.FLAG:
            return self.random.choice(("true", "false"))
        if kind is Kind.IDS:
            space = self.random.choice(("", " "))
            return f"[{space}{f',{space}'.join(self.text() for _ in range(self.random.randrange(4)))}{space}]"
        return self.text()

    def members(self, pairs: list[tuple[str, str]]) -> str:
        if self.chance(0.04):
            pairs.append((self.random.choice(NAMES), self.anything()))
        if pairs and self.chance(0.02):
            pairs.append(self.random.choice(pairs))
        self.random.shuffle(pairs)
        space = " " if self.chance(0.2) else ""
        return "{" + f",{space}".join(f'"{name}":{space}{value}' for name, value in pairs) + "}"

    def doc(self) -> bytes:
        if self.chance(0.02):
            return self.random.choice(WHOLES)
        top: list[tuple[str, str]] = []
        groups: dict[str, list[tuple[str, str]]] = {}
        for field in FIELDS:
            wanted = 0.99 if field.path in ("time", "activity", "actor.id") else 0.12
            if field.path in ("event_id", "unmapped") or not self.chance(wanted):
                continue
            group, _, name = field.path.partition(".")
            if name:
                groups.setdefault(group, []).append((name, self.value(field.path, field.kind)))
            else:
                top.append((group, self.value(field.path, field.kind)))
        for group, pairs in groups.items():
            top.append((group, self.anything() if self.chance(0.01) else self.members(pairs)))
        raw = self.members(top).encode()
        if self.chance(0.01):
            raw = raw[: self.random.randrange(1, len(raw))]
        if self.chance(0.01):
            at = self.random.randrange(len(raw))
            raw = raw[:at] + bytes([self.random.randrange(256)]) + raw[at + 1 :]
        if self.chance(0.01):
            raw = (
                self.random.choice((b"\xef\xbb\xbf", b" ", b"\t")) + raw + self.random.choice((b"", b" ", b"\r", b"x"))
            )
        return raw


def compare(desk: Any, docs: list[bytes], source: str) -> int:
    """Append documents and compare with the careful reading; returns how many became events."""
    docs = [line for raw in docs if (line := raw.replace(b"\n", b" ")).strip()]
    number = desk.store.rows("SELECT count() AS n FROM events")[0]["n"] + 1
    delivery = desk.delivery(number, source)
    appended = desk.take(delivery, list(enumerate(docs)))
    expected: list[tuple[bytes, dict[str, Any]]] = []
    faults: dict[int, Any] = {}
    masked = 0
    for n, raw in enumerate(docs):
        doc, fault = parse_json(raw)
        if doc is None:
            faults[n] = (fault,)
            continue
        checked = check(doc, delivery.received_at)
        if checked.faults:
            faults[n] = checked.faults
        else:
            expected.append((raw, dict(checked.columns)))
            masked += checked.masked
    assert {row.n: row.faults for row in appended.refused} == faults
    stored = sorted(desk.log.each(Filter(sources=(source,))), key=lambda event: event.log_index)
    assert len(stored) == len(expected) == appended.stored
    expected.sort(key=lambda pair: f"{pair[1]['time']:%Y-%m}")  # a batch is stored month by month
    for event, (raw, columns) in zip(stored, expected, strict=True):
        found = dict(event.columns)
        if "event_id" not in columns:
            del found["event_id"]
        assert found == columns, raw
        event.to_contract()
    assert appended.masked == masked
    return len(stored)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_engine_reads_what_the_careful_reading_reads(chdb_desk: Any, seed: int) -> None:
    writer = Writer(seed)
    stored = compare(chdb_desk, [writer.doc() for _ in range(DOCS)], f"seed-{seed}")
    assert DOCS / 5 < stored < DOCS


def usual(chance: random.Random, shape: int, n: int) -> bytes:
    """An event as one of some programs writes it: the same names in the same order, with or without spaces."""
    doc: dict[str, Any] = {
        "time": f"2026-10-05T09:{chance.randrange(60):02d}:22.{chance.randrange(1000):03d}+09:00",
        "session": f"{shape}-{n:06d}",
        "activity": chance.choice(("view", "search", "print")),
        "actor": {"id": f"s{chance.randrange(40):04d}", "org_unit": "zeimu/shuno", "kind": "staff"},
        "reason": chance.choice(("窓口", "", "a b", "{x}", "[1]:", MY_NUMBER)),
    }
    if shape % 2:
        doc |= {"subjects": [f"00{chance.randrange(10**8):08d}" for _ in range(shape)], "subject_count": shape}
    if shape % 3:
        doc |= {"query": {"by": "name", "hits": chance.choice((0, 7, 120))}, "auth": {"user_verified": True}}
    if shape > 4:
        cut = ("1234", "5678", "9018", "1234\u3000", "\u00a05678", "9018\u2028", "窓口", "12", "", "x" * 20, ":", "]")
        doc |= {"番号1": chance.choice(cut), "番号2": chance.choice(cut), "duration": chance.choice((0, 7, 567890))}
        doc |= {"unmapped": {"b": chance.choice(cut), "a": True, "z": None}, "plain": False}
        doc |= {"a:": chance.choice(cut), "a:5": chance.choice((5, 7)), "x:[": chance.choice(cut), ":": 5, ",": "y"}
        doc["actor"]["seat"] = chance.choice((3, 123456789018)) if shape > 6 else "３"
    if shape == 6:
        doc |= {"extra": True, "unmapped": {"only": False}}
    if shape > 2:
        doc |= {"sequence": n, "case_id": None, "terminal": {"id": "T-1", "ip": ""}}
    return json.dumps(doc, ensure_ascii=shape == 4, separators=(",", ":") if shape % 2 else None).encode()


LETTERS = b'",:{}[]\\ \t\r\x00\x7f\xe3\xff0123456789-+.eEtfnu'


def damaged(chance: random.Random, raw: bytes) -> bytes:
    """A line with some bytes changed, left out, put in, doubled or cut off."""
    for _ in range(chance.randrange(1, 4)):
        at, letter = chance.randrange(len(raw) + 1), bytes([chance.choice(LETTERS)])
        to = min(len(raw), at + chance.randrange(1, 6))
        raw = chance.choice(
            (raw[:at] + letter + raw[at + 1 :], raw[:at] + raw[to:], raw[:at] + letter + raw[at:],
             raw[:to] + raw[at:], raw[:at] + chance.choice((b"null", b'","', b"-1", b"007", b"1.0", b"[]")) + raw[to:])
        )  # fmt: skip
    return raw or b"{"


@pytest.mark.parametrize("shapes", [(0,), (1,), (3,), (0, 1), (1, 2, 3), (0, 1, 2, 3, 4, 5, 7)])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5])
def test_lines_of_some_shapes_and_damaged_ones_among_them(
    chdb_desk: Any, shapes: tuple[int, ...], share: float
) -> None:
    chance = random.Random(f"{shapes} {share}")  # noqa: S311 - a seeded generator of documents
    docs = [usual(chance, chance.choice(shapes), n) for n in range(700)]
    docs = [damaged(chance, raw) if chance.random() < share else raw for raw in docs]
    assert compare(chdb_desk, docs, f"shapes-{shapes}-{share}") > 100


def careful(raw: bytes, now: datetime) -> dict[str, Any] | None:
    doc, fault = parse_json(raw)
    checked = check(doc, now) if doc is not None and fault is None else None
    return dict(checked.columns) if checked is not None and not checked.faults else None


def test_blocks_of_shapes_read_as_the_careful_reading_reads_each_line() -> None:
    """`make fuzz` reads many more; a block is its seed's."""
    now = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    for seed in range(FUZZ_SEED, FUZZ_SEED + FUZZ_BLOCKS):
        chance = random.Random(seed)  # noqa: S311 - a seeded generator of documents
        shapes = [chance.randrange(9) for _ in range(chance.randrange(1, 4))]
        share = chance.choice((0, 0.004, 0.02, 0.1, 0.5))
        docs = [usual(chance, chance.choice(shapes), n) for n in range(200)]
        docs = [damaged(chance, raw) if chance.random() < share else raw for raw in docs]
        docs = [line for raw in docs if (line := raw.replace(b"\n", b" ").removesuffix(b"\r")).strip()]
        read = LineReader(now).read(Lines.of(b"\n".join(docs) + chance.choice((b"", b"\n"))))
        expected = {n: columns for n, raw in enumerate(docs, start=1) if (columns := careful(raw, now))}
        found = {
            row["n"]: {k: v for k, v in row.items() if v not in (None, "", []) and k in COLUMNS}
            for row in read.table.to_pylist()
        }
        assert found == expected, seed
        assert len(read.refused) == len(docs) - len(expected), seed


@pytest.mark.parametrize("letter", [b"\t", b"\x00", b"\x1f", b"\\", b"\\x", b"\xff", b"\r"])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_one_harmful_letter_in_one_line(letter: bytes, end: bytes) -> None:
    now = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    for place in (0, 50, 99):
        docs = [plain(reason=f'"a{n}b"') for n in range(100)]
        docs[place] = docs[place].replace(f"{place}b".encode(), letter + b"b")
        read = LineReader(now).read(Lines.of(b"\n".join(docs) + end))
        assert [row.n for row in read.refused] == ([] if letter == b"\\" else [place + 1])
        assert read.table.num_rows + len(read.refused) == 100


def test_a_name_that_holds_what_stands_between_values(chdb_desk: Any) -> None:
    for first, others in (
        (b'"a:5":5', [b'"a:7":5', b'"a:5":7']),
        (b'"a:":":"', [b'"a:": ":"', b'"a:" :":"', b'"a:"zzz":"']),
        (b'"[":"["', [b'"["["["', b'"[":["["]']),
        (b'"":""', [b'"":"":""', b'"" :" "']),
    ):
        lines = [plain().replace(b"}}", b"}," + member + b"}") for member in [first] * 90 + others]
        compare(chdb_desk, lines, f"between-{first.decode()}")


@pytest.mark.parametrize("space", ["\u3000", "\u00a0", "\u0085", "\u2028", "\u2003", "\x0b", "\x1c", " "])
def test_a_number_cut_into_padded_pieces_is_masked(chdb_desk: Any, space: str) -> None:
    pieces = {"番号1": f"1234{space}", "番号2": f"{space}5678", "番号3": "9018"}
    doc = {"time": GOOD_TIME, "activity": "view", "actor": {"id": "s1"}} | pieces
    lines = [json.dumps(doc | {"session": str(n)}, ensure_ascii=False).encode() for n in range(70)]
    assert compare(chdb_desk, lines, f"padded-{ord(space)}") == 70


def test_a_byte_order_mark_within_a_delivery_is_no_part_of_an_event(chdb_desk: Any) -> None:
    marked = b"\xef\xbb\xbf" + plain(session='"m"')
    assert compare(chdb_desk, [marked, *(plain(session=f'"{n}"') for n in range(80))], "mark-first") == 80
    others = [plain(reason='"x"', session=f'"{n}"') for n in range(80)]
    assert compare(chdb_desk, [*others, marked, *(plain(session=f'"{n}"') for n in range(80))], "mark-within") == 160


def test_wide_lines_have_no_shape(chdb_desk: Any) -> None:
    wide = [plain(**{f"n{m}": str(n) for m in range(300)}) for n in range(70)]
    assert shapes.by_shape(Lines.of(b"\n".join(wide)))[0] == []
    assert compare(chdb_desk, wide, "wide") == 70


def test_quotes_that_make_up_for_each_other(chdb_desk: Any) -> None:
    """As many quotes and commas altogether as there should be, and yet two lines that are no JSON."""
    for wrong in ('x"y', 'x","y', 'x"', '"', '":"'):
        more, fewer = plain(reason=f'"{wrong}"', session='"z"'), plain(reason='"x"', session='"z"')
        missing = fewer.replace(b'"', b"'", wrong.count('"')).replace(b",", b";", wrong.count(","))
        rest = [fewer.replace(b'"z"', f'"{n}"'.encode()) for n in range(100)]
        assert compare(chdb_desk, [*rest, more, missing, *rest[:1]], f"quotes-{wrong}")


def test_names_that_only_look_like_the_contract(chdb_desk: Any) -> None:
    odd = [
        {"extra": {}}, {"extra": None}, {"unmapped": {}}, {"unmapped": None}, {"actor": {"id": "s1"}, "terminal": {}},
        {"actor.id": "x"}, {"actor": {"id": "s1", "extra": None}}, {"query": {"by": None, "hits": None}},
        {"extra": {"activity": None}}, {"id": None}, {"subjects": []}, {"subjects": [""]}, {"subject_count": -1},
        {"subjects": None}, {"auth": {"factors": ["a", "b"], "user_verified": False}}, {"actor": None},
        {"extra": "1234", "more": 56789018}, {"a": 1, "unmapped": {"a": 2}}, {"a.b": "x"},
        {"actor": {"id": "s", "a": 1}},
        {"extra": [1]}, {"extra": 1.5}, {"extra": {"a": 1}}, {"extra": -1}, {"unmapped": "x"}, {MY_NUMBER: "x"},
        {"unmapped": {"actor.id": "x"}}, {"terminal": {"a,b": "x"}}, {"extra": 10**20}, {"": ""}, {"b": "", "a": ""},
        {"sequence": 10**18}, {"sequence": 10**17}, {"a,b": None}, {"reason": ""}, {"reason": "a,b"}, {"": None},
    ]  # fmt: skip
    for n, fields in enumerate(odd):
        for separators in ((",", ":"), (", ", ": ")):
            doc = {"time": GOOD_TIME, "activity": "view", "actor": {"id": "s1"}, "session": "0"} | fields
            docs = [json.dumps(doc | {"session": str(m)}, separators=separators).encode() for m in range(80)]
            compare(chdb_desk, docs, f"names-{n}-{len(separators[0])}")
    first = ["-0", "0", "00", "-5", "5", "1e2", "1.0", "10", "999999999999999999", "9999999999999999999"]
    for leader in first:
        docs = [plain(sequence=leader), *(plain(sequence=number) for number in first)] * 12
        compare(chdb_desk, [plain(sequence=leader)] * 90 + docs, f"numbers-{leader}")


def plain(**fields: str) -> bytes:
    pairs = {"time": f'"{GOOD_TIME}"', "activity": '"view"', "actor": '{"id":"s1"}', **fields}
    return ("{" + ",".join(f'"{name}":{value}' for name, value in pairs.items()) + "}").encode()


def everywhere(value: str) -> list[bytes]:
    """A value in every place that the form has, and in some that it has not."""
    docs = []
    for field in FIELDS:
        group, _, name = field.path.partition(".")
        if field.path == "event_id":
            continue
        if group == "actor" and name != "id":
            docs.append(plain(actor=f'{{"id":"s1","{name}":{value}}}'))
        else:
            docs.append(plain(**{group: f'{{"{name}":{value}}}' if name else value}))
    docs += [
        plain(activity='"login"', outcome=f'"{outcome}"', actor=f'{{"id":{value}}}')
        for outcome in ("failure", "success")
    ]
    return [*docs, plain(extra=value), plain(terminal=value), plain(terminal=f'{{"extra":{value}}}')]


@pytest.mark.parametrize(
    "values", [NUMBERS, OTHERS, tuple(f'"{text}"' for text in TEXTS), tuple(f'"{time}"' for time in TIMES),
               tuple(f'["a","{text}"]' for text in TEXTS)],
    ids=["numbers", "others", "texts", "times", "lists"],
)  # fmt: skip
def test_every_odd_value_in_every_place(chdb_desk: Any, values: tuple[str, ...]) -> None:
    docs = [doc for value in values for doc in everywhere(value)]
    assert compare(chdb_desk, docs, f"odd-{hash(values)}")


def test_odd_wholes_and_names(chdb_desk: Any) -> None:
    docs = [*WHOLES, *(plain(**{name: value}) for name in NAMES for value in ('"x"', "1", "null", "{}", '{"id":"x"}'))]
    docs += [b"\xef\xbb\xbf" + plain(), plain() + b"\n", b"\r" + plain(), plain() + b"\x00", plain() * 2]
    docs += [plain(reason='"' + "x" * size + '"') for size in (65_000, 65_536, 70_000, 1 << 20)]
    assert compare(chdb_desk, docs, "wholes")


def test_what_is_plainly_right_never_reaches_python(chdb_desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason why the fast path exists; a slip in its SQL would only show as slowness."""
    full = {
        "time": GOOD_TIME, "recorded_at": GOOD_TIME, "event_id": "nhi-1", "activity": "view", "outcome": "success",
        "operation_name": "照会", "actor": {"id": "s0412", "name": "担当", "kind": "staff", "role": "clerk"},
        "terminal": {"id": "T-0231", "ip": "10.3.1.31"}, "subjects": ["0004512345"], "subject_count": 1,
        "query": {"by": "name", "hits": 3}, "auth": {"factors": ["password", "palm_vein"], "user_verified": True},
        "session": MY_NUMBER, "sequence": 88123, "case_id": None,
    }  # fmt: skip
    lines = [(1, json.dumps(full).encode()), (2, json.dumps(full, ensure_ascii=False).encode()), (3, plain())]
    careful = []
    monkeypatch.setattr(reading, "parse_json", lambda raw: careful.append(raw) or parse_json(raw))
    found = chdb_desk.read(chdb_desk.delivery(), lines)
    assert (found.table.num_rows, found.refused, careful) == (3, (), [])


def test_a_number_typed_in_the_place_of_a_name_is_masked(chdb_desk: Any) -> None:
    """What stands in a failed sign-in is nobody's id; a good one's is, and two of them must never become one."""
    acts = [("login", "failure"), ("login", "denied"), ("login", "success"), ("view", "denied")]
    docs = [
        plain(activity=f'"{activity}"', outcome=f'"{outcome}"', actor=f'{{"id":"{MY_NUMBER}"}}')
        for activity, outcome in acts
    ]
    stored = [check(parse_json(doc)[0] or {}, chdb_desk.clock.now()).columns["actor_id"] for doc in docs]
    assert stored == [MASK, MASK, MY_NUMBER, MY_NUMBER]
    assert compare(chdb_desk, docs, "typed") == len(docs)


def test_the_tolerance_for_the_future_is_exact(chdb_desk: Any) -> None:
    edge = chdb_desk.clock.now() + timedelta(minutes=5)
    times = [(edge + timedelta(microseconds=step)).isoformat() for step in (-1, 0, 1)]
    assert compare(chdb_desk, [plain(time=f'"{time}"') for time in times], "edge") == 2
