"""My Numbers never enter: cases I1 to I4 of the security review."""

import json
import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import check, mask, parse_json
from audit.events.mynumber import MASK, is_my_number, mask_id, split_numbers
from audit.log import Filter

SEPARATORS = ("", "-", " ", "\u3000", "・", "ー", "－", "−", "‐", "\t", "\n", "\v", "\x1c", "\x85", "\xa0", "\u2003")
GROUPINGS = ((4, 4, 4), (12,), (3, 3, 3, 3), (1,) * 12, (2, 10), (6, 6))
TIME = "2026-10-05T09:13:22+09:00"
RECEIVED = datetime(2026, 11, 20, 12, tzinfo=UTC)
SAMPLE = "123456789018"


def check_digit(eleven: str) -> str:
    """The ordinance's formula, written out a second time: weights 6 5 4 3 2 7 6 5 4 3 2 from the left."""
    weighted = sum(int(d) * w for d, w in zip(eleven, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True))
    rest = weighted % 11
    return "0" if rest <= 1 else str(11 - rest)


def full_width(text: str) -> str:
    return text.translate({ord(str(d)): 0xFF10 + d for d in range(10)})


ELEVEN = st.text("0123456789", min_size=11, max_size=11)
NUMBERS = ELEVEN.map(lambda eleven: eleven + check_digit(eleven))


def generated() -> list[tuple[str, str]]:
    """(digits, in some writing) for every writing that must be seen through."""
    chance = random.Random(18)  # noqa: S311 - a seeded set
    found = []
    for separator in SEPARATORS:
        for grouping in GROUPINGS:
            for writing in (str, full_width):
                eleven = f"{chance.randrange(10**11):011d}"
                digits = eleven + check_digit(eleven)
                parts, at = [], 0
                for size in grouping:
                    parts.append(digits[at : at + size])
                    at += size
                found.append((digits, writing(separator.join(parts))))
    return found


@given(NUMBERS)
def test_every_valid_number_is_known(digits: str) -> None:
    assert is_my_number(digits)
    assert mask(f"番号は{digits}です") == (f"番号は{MASK}です", 1)


@given(ELEVEN, st.sampled_from("0123456789"))
def test_one_check_digit_is_right(eleven: str, last: str) -> None:
    assert is_my_number(eleven + last) is (last == check_digit(eleven))


@pytest.mark.parametrize("digits", [SAMPLE, "000000000000"])
def test_samples_are_masked_like_any_other(digits: str) -> None:
    assert mask(digits) == (MASK, 1)


def test_recall_is_complete_on_every_writing() -> None:
    missed = [writing for _, writing in generated() if mask(f"a {writing} b") != (f"a {MASK} b", 1)]
    assert missed == []


@given(st.lists(NUMBERS, min_size=1, max_size=4), st.lists(st.text("0123456789", min_size=4, max_size=4), max_size=3))
def test_other_groups_of_digits_hide_nothing(numbers: list[str], groups: list[str]) -> None:
    spaced = [f"{n[:4]} {n[4:8]} {n[8:]}" for n in numbers]
    masked, found = mask(" ".join((*groups, "x", *(f"{s} /" for s in spaced))))
    assert found >= len(numbers)
    assert not any(s in masked for s in spaced)


@pytest.mark.parametrize("before", ["2026 ", "9999-", "1 ", "12 34 ", "0123 4567 "])
def test_a_group_in_front_hides_nothing(before: str) -> None:
    assert MASK in mask(f"{before}1234 5678 9018")[0]


@pytest.mark.parametrize(
    "text",
    ["1234567890", "1234567890123", "123456789012345", "123456789012", "090-1234-5678", "1791159202123",
     "550e8400-e29b-41d4-a716-446655440000", "2026-10-05T09:13:22.120+09:00", "12345678901", "",
     "１２３４５６７８９０１",
     "1.2.3.4", "9" * 400],
)  # fmt: skip
def test_other_runs_are_left_alone(text: str) -> None:
    assert mask(text) == (text, 0)


def test_a_key_that_is_a_number_is_masked_whole() -> None:
    assert mask_id(f"No.{SAMPLE}") == (MASK, 1)
    assert mask_id("0004512345") == ("0004512345", 0)


PLACES = ("reason", "operation_name", "screen", "affair", "extra")


def doc(**changes: Any) -> bytes:
    base = {"time": TIME, "activity": "view", "actor": {"id": "s1"}}
    return json.dumps({**base, **changes}, ensure_ascii=False).encode()


def test_no_number_survives_in_the_tables(chdb_desk: Any, engine_path: Path) -> None:
    docs = [doc(**{place: f"x {writing} y"}) for _, writing in generated() for place in PLACES]
    docs += [doc(subjects=["1", w], target={"id": w}, auth={"factors": [w]}, actor={"id": "s", "name": w})
             for _, w in generated()]  # fmt: skip
    docs += [doc(extra={w: [1, {"deep": w}], "n": int(d)}, terminal={d: 1.5}) for d, w in generated()]
    appended = chdb_desk.take(chdb_desk.delivery(1, "numbers"), list(enumerate(docs)))
    assert appended.stored == len(docs)
    assert appended.masked >= len(docs)
    for event in chdb_desk.log.each(Filter(sources=("numbers",))):
        contract = event.to_contract()
        del contract["event_id"]  # derived from a hash, whose digits mean nothing
        text = json.dumps(contract, ensure_ascii=False)
        assert mask(text)[1] == 0, text
        assert event.marks == ("masked",)
    secrets = {w.encode() for d, w in generated() for w in (d, w) if len(w) >= 12}
    chdb_desk.store.command("OPTIMIZE TABLE events FINAL")
    for file in engine_path.rglob("*"):
        if file.is_file() and (data := file.read_bytes()):
            assert not [secret for secret in secrets if secret in data], file


def test_what_is_declared_to_be_an_id_or_a_time_is_left_alone(chdb_desk: Any) -> None:
    ids = {
        "event_id": SAMPLE, "session": SAMPLE, "case_id": SAMPLE, "actor": {"id": SAMPLE},
        "terminal": {"id": SAMPLE}, "sequence": int(SAMPLE), "recorded_at": TIME,
        "export": {"medium_id": SAMPLE, "approval_id": SAMPLE}, "reason": "1234567890123",
        "subjects": ["0123456789", "123456789012345", "1234567890123"],
    }  # fmt: skip
    appended = chdb_desk.take(chdb_desk.delivery(1, "ids"), [(1, doc(**ids))])
    assert (appended.stored, appended.masked) == (1, 0)
    event = chdb_desk.log.find("ids", SAMPLE)
    contract = event.to_contract()
    assert {name: contract[name] for name in ("session", "case_id", "sequence", "reason", "subjects")} == {
        name: ids[name] for name in ("session", "case_id", "sequence", "reason", "subjects")
    }
    assert event.text("terminal_id") == SAMPLE


def test_faults_never_quote_one() -> None:
    long = "x" * 70
    received = datetime(2026, 11, 1, tzinfo=UTC)
    for raw in (
        doc(activity=SAMPLE), doc(activity=f"{long} {SAMPLE}"), doc(outcome=full_width(SAMPLE)), doc(time=SAMPLE),
        doc(actor=SAMPLE), doc(actor={"id": int(SAMPLE)}), doc(recorded_at=SAMPLE), doc(sequence=SAMPLE),
        b'{"%s":1,"%s":2}' % (SAMPLE.encode(), SAMPLE.encode()), b'{"x":"%s' % SAMPLE.encode(),
        f'{{"{long} {SAMPLE}":1,"{long} {SAMPLE}":1}}'.encode(),
    ):  # fmt: skip
        read, fault = parse_json(raw)
        faults = (fault,) if read is None else check(read, received).faults
        assert faults
        text = " ".join(map(str, faults))
        assert "123456789" not in text
        assert mask(text)[1] == 0


# Over several fields


def kept(unmapped: dict[str, Any]) -> tuple[dict[str, Any], int]:
    doc = {"time": "2026-11-20T09:00:00+09:00", "activity": "view", "actor": {"id": "s1"}, **unmapped}
    read = check(doc, RECEIVED)
    assert read.faults == ()
    return json.loads(read.columns["unmapped"]), read.masked


@pytest.mark.parametrize(
    "parts",
    [
        {"番号1": "1234", "番号2": "5678", "番号3": "9018"}, {"no_1": "12", "no_2": 3456789018},
        {"番号2": "5678", "x": "-", "番号1": "1234", "番号3": "9018"}, {"kojin_a": "123456", "kojin_b": "789018"},
        {"上段": "1234", "中段": "5678", "下段": "9018"}, {"p": "12345678", "q": "9018"},
        {"p": "１２３４", "q": "五六七八", "r": "9018"}, {"deep": {"p": "123456", "q": "789018"}},
        {"list": ["1234", "5678", "9018"]}, {"list": [1234, 5678, 9018]},
        {"list": ["x", "12", "3456789018"]}, {"list": ["99", "1234", "5678", "9018"]},
    ],
)  # fmt: skip
def test_a_number_cut_into_fields_is_masked(parts: dict[str, Any]) -> None:
    masked, found = kept(parts)
    text = json.dumps(masked, ensure_ascii=False)
    assert found == 1
    assert not re.search("1234|5678|9018|五六七八|１２３４|3456|789", text)
    assert text.count(MASK) >= 2


@pytest.mark.parametrize(
    "parts",
    [
        {"pid": "1234", "tid": "5678", "port": "9018"}, {"a": 1234, "bee": 5678, "sea": 9018},
        {"p": "1234", "q": "5678"}, {"p": "1", "q": "23456789018"}, {"date": "20261120", "clock": "0007"},
        {"p": "12345", "q": "6789018"},
        {"list": ["1234", "5678", "9018", "1", "2", "3", "4"]}, {"p": "1234", "x": "a", "q": "5678", "r": "9018"},
        {"p": True, "q": 1234, "r": 1.5, "s": 0.123456789018}, {"更新日時": "202611200007"},
    ],
)  # fmt: skip
def test_what_is_no_cut_number_is_kept(parts: dict[str, Any]) -> None:
    assert kept(parts) == (parts, 0)


@given(st.lists(st.text("0123456789", max_size=13) | st.integers() | st.none() | st.floats(), max_size=8))
def test_pieces_are_always_twelve_digits(values: list[Any]) -> None:
    for names in (None, [f"n{n}" for n in range(len(values))], list("pqrstuvw")[: len(values)]):
        pieces = split_numbers(values, names)
        assert len(pieces) != 1
        assert sum(len(str(values[n])) for n in pieces) >= 12 or not pieces
