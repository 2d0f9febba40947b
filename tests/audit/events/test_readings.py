"""Two readings, one answer: what the engine reads by itself is exactly what the careful reading says.

The engine's fast path may hesitate (then Python reads), but it must never accept what `check` refuses, and never store
other values. Documents are made as text, because a JSON writer would never write the broken ones.
"""

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from audit.events import FIELDS, Activity, ActorKind, Kind, Outcome, check, parse_json
from audit.log import Filter, reading

SEEDS = range(6)
DOCS = 500
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


def test_the_tolerance_for_the_future_is_exact(chdb_desk: Any) -> None:
    edge = chdb_desk.clock.now() + timedelta(minutes=5)
    times = [(edge + timedelta(microseconds=step)).isoformat() for step in (-1, 0, 1)]
    assert compare(chdb_desk, [plain(time=f'"{time}"') for time in times], "edge") == 2
