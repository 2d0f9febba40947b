"""CSV: encodings, quotes, vocabularies, and good rows beside bad ones."""

from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.csv_rows import MAX_LINES, decode_csv
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

PROFILE = Profile(
    id="levy",
    name_ja="賦課",
    name_en="levy",
    format="csv",
    fields={
        "日時": "time", "職員": "actor.id", "操作": "activity", "結果": "outcome", "件数": "query.hits",
        "対象": "subjects", "照合": "auth.user_verified",
    },
    activities={"照会": "view", "表示": "view"},
    outcomes={"正常": "success", "拒否": "denied"},
    split={"subjects": ";"},
    constants={"affair": "nhi-levy"},
)  # fmt: skip
AMBIGUOUS = "¢£¬‖−〜"
"""Characters that CP932 can write but reads back as others."""
HEADER = "日時,職員,操作,結果,件数,対象,照合,備考"
GOOD = "2026/10/05 09:13:22,s0412,照会,正常,１２,a;b,済,窓口"


def read(text: str | bytes, profile: Profile = PROFILE) -> list[Record | Refused]:
    data = text if isinstance(text, bytes) else text.encode(profile.encoding)
    return list(decode_csv(enumerate(data.split(b"\n"), 1), profile))


def reasons(found: Record | Refused) -> str:
    assert isinstance(found, Refused)
    return " | ".join(found.reasons)


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc_jp"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_row(encoding: str, end: str) -> None:
    (found,) = read(f"{HEADER}{end}{GOOD}{end}", replace(PROFILE, encoding=encoding))
    assert isinstance(found, Record)
    assert found.line == 2
    assert found.doc == {
        "time": "2026-10-05T09:13:22+09:00", "actor": {"id": "s0412"}, "activity": "view",
        "operation_name": "照会",
        "outcome": "success", "query": {"hits": 12}, "subjects": ["a", "b"], "auth": {"user_verified": True},
        "affair": "nhi-levy", "unmapped": {"備考": "窓口", "結果": "正常"},
    }  # fmt: skip


def test_byte_order_mark_and_no_header() -> None:
    (found,) = read(b"\xef\xbb\xbf" + f"{HEADER}\n{GOOD}".encode())
    assert isinstance(found, Record)
    (bare,) = read(GOOD, replace(PROFILE, header=False, columns=tuple(HEADER.split(","))))
    assert isinstance(bare, Record)
    assert bare.doc == found.doc


def test_tab_separated_under_our_own_names() -> None:
    profile = Profile(id="x", name_ja="x", name_en="x", format="csv", delimiter="\t")
    (found,) = read("time\tactor.id\tactivity\textra\n2026-10-05T09:00:00Z\ts1\tlogin\tkept", profile)
    assert isinstance(found, Record)
    assert found.doc["activity"] == "login"
    assert found.doc["unmapped"] == {"extra": "kept"}


def test_day_and_time_of_day_in_two_columns() -> None:
    profile = replace(PROFILE, fields={"日": "time", "時": "time", "職員": "actor.id", "操作": "activity"})
    (found,) = read("日,職員,時,操作\n令和8年10月5日,s1,9時13分,照会", profile)
    assert isinstance(found, Record)
    assert found.doc["time"] == "2026-10-05T09:13:00+09:00"


def test_a_record_over_lines() -> None:
    cell = '"一行目\n二行目, ""引用"""'
    first, second = read(f"{HEADER}\n2026/10/05 09:13:22,s1,照会,正常,1,,,{cell}\n{GOOD}")
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.doc["unmapped"]["備考"] == '一行目\n二行目, "引用"'
    assert first.raw.count(b"\n") == 1
    assert (first.line, second.line) == (2, 4)


def test_backslash_as_second_byte() -> None:
    profile = replace(PROFILE, encoding="cp932")
    (found,) = read(f"{HEADER}\n{GOOD.replace('窓口', '表ソ能|')}", profile)
    assert isinstance(found, Record)
    assert found.doc["unmapped"]["備考"] == "表ソ能|"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2", "2 columns where 8 belong"),
        (GOOD.replace("照会", "飛ぶ"), "operation '飛ぶ' is not in the vocabulary of source levy"),
        (GOOD.replace("正常", "不明"), "outcome '不明'"),
        (GOOD.replace("１２", "多数"), "column 5 '件数': query.hits: not a whole number"),
        (GOOD.replace("2026/10/05 09:13:22", "平成40年1月1日 9:00"), "'日時': time: 平成 ended"),
        (GOOD.replace("済", "多分"), "auth.user_verified: neither yes nor no"),
        (GOOD.replace("窓口", '"窓"口'), "column 8: text after the closing quote"),
        (",s,,,,,,", "time: is missing / 時刻がありません | activity: is missing"),
    ],
)
def test_bad_rows_do_not_hurt_good_ones(row: str, reason: str) -> None:
    before, bad, after = read(f"{HEADER}\n{GOOD}\n{row}\n{GOOD}")
    assert isinstance(before, Record)
    assert isinstance(after, Record)
    assert reason in reasons(bad)
    assert bad.raw == row.encode()


@pytest.mark.parametrize(
    ("encoding", "bad", "reason"),
    [
        ("utf-8", b"\x83\x65", "byte 1: 83 is not utf-8"),
        ("cp932", b"a\x81\x20", "byte 2: 81"),
        ("cp932", "表".encode("cp932") + b"\xa0", "byte 3: a0 is not cp932"),
        ("euc_jp", b"ok\xff", "byte 3: ff"),
        ("utf-16", "表".encode() + b"x\xed\xa0\x80", "byte 5: half of a surrogate pair is not utf-16"),
    ],
)
def test_bytes_that_do_not_fit_are_refused_where_they_are(encoding: str, bad: bytes, reason: str) -> None:
    profile = replace(PROFILE, encoding=encoding, header=False, columns=("a",))
    (found,) = read(bad, profile)
    assert reason in reasons(found)
    assert found.raw == bad


def test_an_open_quote_swallows_nothing() -> None:
    rows = [GOOD] * (MAX_LINES * 2)
    found = read("\n".join([HEADER, GOOD.replace("窓口", '"窓口'), *rows]))
    assert "never closes" in reasons(found[0])
    assert all(isinstance(one, Record) for one in found[1:])
    assert [one.line for one in found] == list(range(2, MAX_LINES * 2 + 3))


def test_a_header_that_cannot_be_used_refuses_every_row() -> None:
    header, row = read("日時,日時\n1,2")
    assert "stands twice" in reasons(header)
    assert "header: cannot be used" in reasons(row)


def test_a_long_number_is_not_repeated_in_a_message() -> None:
    (found,) = read(f"{HEADER}\n{GOOD.replace('照会', '999999999999')}")
    assert "999999999999" not in reasons(found)


def test_streaming() -> None:
    endless = ((number, (HEADER if number == 1 else GOOD).encode()) for number in count(1))
    decoded = decode_csv(endless, PROFILE)
    assert [next(decoded).line for _ in range(1000)] == list(range(2, 1002))


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), max_size=12))
def test_nothing_is_lost_whatever_the_bytes(lines: list[bytes]) -> None:
    found = list(decode_csv(enumerate(lines, 1), replace(PROFILE, header=False, columns=("a", "b"))))
    taken = {one.line + offset for one in found for offset in range(one.raw.count(b"\n") + 1)}
    assert {number for number, line in enumerate(lines, 1) if line.strip()} <= taken
    assert all(one.reasons for one in found if isinstance(one, Refused))


@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="cp932", exclude_characters=AMBIGUOUS), max_size=20), st.booleans()),
        min_size=1,
        max_size=5,
    )
)
def test_cells_round_trip(cells: list[tuple[str, bool]]) -> None:
    names = tuple(f"c{n}" for n in range(len(cells)))
    profile = replace(PROFILE, header=False, columns=(*names, "日時", "操作"), encoding="cp932")
    texts = [text.replace("\r", "").strip() for text, _ in cells]
    written = ['"' + text.replace('"', '""') + '"' for text in texts]
    found, *more = read(",".join([*written, "2026/10/05 09:00", "照会"]), profile)
    if isinstance(found, Refused):  # and each of its lines, for what they hold
        assert all(isinstance(one, Refused) for one in more)
        assert any(char in "".join(texts) for char in "\x80\xa0\uf8f0\uf8f1\uf8f2\uf8f3")
    else:
        assert [found.doc.get("unmapped", {}).get(name, "") for name in names] == texts


def test_a_record_is_not_lost_as_a_header() -> None:
    alone, *_ = found = read(GOOD)
    assert len(found) == 1
    assert "no column of the profile" in reasons(alone)
    found = read(f"{GOOD}\n{GOOD}")
    assert len(found) == 2
    assert all("no column of the profile" in reasons(row) for row in found)


def test_lines_that_end_in_cr_alone_are_refused_not_lost() -> None:
    (found,) = read(f"{HEADER}\r{GOOD}\r")
    assert "CR alone" in reasons(found)
    (row,) = read(f'"備\r\n考",{HEADER}\nx,{GOOD}')  # a line feed inside a quoted column name is no such thing
    assert isinstance(row, Record)
