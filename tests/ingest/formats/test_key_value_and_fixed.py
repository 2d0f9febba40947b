"""Lists of name=value and columns of fixed width."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.fixed import decode_fixed
from ingest.formats.key_value import decode_key_value
from ingest.model import Doc, Record, Refused
from ingest.sources.profile import Profile

PROFILE = Profile(
    id="window", name_ja="窓口", name_en="window", format="key_value",
    columns=("日時", "職員", "端末", "操作"),
    fields={
        "日時": "time", "職員": "actor.id", "staff": "actor.id", "端末": "terminal.id", "term": "terminal.id",
        "操作": "activity", "住民番号": "subjects", "factors": "auth.factors", "result": "outcome",
    },
    activities={"照会": "view"},
    outcomes={"ok": "success"},
    words={"auth.factors": {"id:*": "", "password:ok": "password", "palm_vein:ok": "palm_vein"}},
    split={"auth.factors": ";"},
)  # fmt: skip
FIXED = replace(
    PROFILE, format="fixed", encoding="cp932", columns=("日時", "職員", "操作", "備考"), widths=(14, 6, 8, 6)
)  # fmt: skip
Decode = Callable[[Iterable[tuple[int, bytes]], Profile], Iterator[Record | Refused]]


def read(*lines: str | bytes, profile: Profile = PROFILE, decoder: Decode = decode_key_value) -> list[Record | Refused]:
    encoded = [line if isinstance(line, bytes) else line.encode(profile.encoding) for line in lines]
    return list(decoder(enumerate(encoded, 1), profile))


def doc(*lines: str | bytes, profile: Profile = PROFILE, decoder: Decode = decode_key_value) -> Doc:
    (found,) = read(*lines, profile=profile, decoder=decoder)
    assert isinstance(found, Record), found
    return found.doc


def test_bare_cells_then_pairs() -> None:
    assert doc("2018/11/06 13:22:05,U03318,医保-T21,照会,住民番号=00512944") == {
        "time": "2018-11-06T13:22:05+09:00", "actor": {"id": "U03318"}, "terminal": {"id": "医保-T21"},
        "activity": "view", "operation_name": "照会", "subjects": ["00512944"],
    }  # fmt: skip


def test_factors_in_a_pair() -> None:
    line = "2026-05-12T09:41:07+09:00,login,staff=K0417,term=国保-T12,factors=id:ok;password:ok;palm_vein:ok,result=ok"
    assert doc(line, profile=replace(PROFILE, columns=("time", "操作"))) == {
        "time": "2026-05-12T09:41:07+09:00", "actor": {"id": "K0417"}, "terminal": {"id": "国保-T12"},
        "activity": "login", "operation_name": "login", "outcome": "success",
        "auth": {"factors": ["password", "palm_vein"]},
        "unmapped": {"factors": "id:ok;password:ok;palm_vein:ok", "result": "ok"},
    }  # fmt: skip


def test_the_first_bare_cell_is_the_time_where_nothing_else_is_said() -> None:
    line = "2026-05-12 10:15:31,staff=S1120,操作=照会,式=a=b,余り"
    found = doc(line, profile=replace(PROFILE, columns=()))
    assert found["time"] == "2026-05-12T10:15:31+09:00"
    assert found["unmapped"] == {"式": "a=b", "column 5": "余り"}


def test_quotes() -> None:
    found = doc('"2026-05-12 10:15:31",s1,t1,照会,備考="a,""b"",c","事由=x,y",空=""')
    assert found["unmapped"] == {"備考": 'a,"b",c', "事由": "x,y"}


def test_a_quoted_value_over_lines() -> None:
    first, second = read('2026-05-12 10:15:31,s1,t1,照会,備考="一', '二"', "2026-05-12 10:15:32,s1,t1,照会")
    assert isinstance(first, Record)
    assert first.doc["unmapped"] == {"備考": "一\n二"}
    assert (first.raw.count(b"\n"), second.line) == (1, 3)


def test_logfmt() -> None:
    profile = Profile(id="x", name_ja="x", name_en="x", delimiter=" ", fields={"ts": "time", "user": "actor.id"})
    found = doc(r'ts=2026-10-05T09:00:00Z  user=s1 activity=view msg="say \"a b\"\n" path=C:\x', profile=profile)
    assert found["actor"] == {"id": "s1"}
    assert found["unmapped"] == {"msg": 'say "a b"', "path": r"C:\x"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2026-05-12 10:15:31,s1,t1,踊り", "operation '踊り' is not in the vocabulary"),
        ('2026-05-12 10:15:31,s1,t1,照会,a="b"c', "column 5: text after the closing quote"),
        ('2026-05-12 10:15:31,s1,t1,照会,a="b', "column 5: the quote never closes"),
        (b"2026-05-12 10:15:31,\xff", "byte 21: ff is not utf-8"),
        ("今日は,s1,t1,照会", "'日時': time: not a time"),
    ],
)
def test_bad_lines_do_not_hurt_good_ones(line: str | bytes, reason: str) -> None:
    good = "2026-05-12 10:15:31,s1,t1,照会"
    before, bad, after = read(good, line, good)
    assert isinstance(before, Record)
    assert isinstance(after, Record)
    assert isinstance(bad, Refused)
    assert any(reason in one for one in bad.reasons)
    assert all(" / " in one for one in bad.reasons)


def test_fixed() -> None:
    found = doc("20261005091322s1    照会　　表ソ" + "  ", profile=FIXED, decoder=decode_fixed)
    assert found == {
        "time": "2026-10-05T09:13:22+09:00", "actor": {"id": "s1"}, "activity": "view", "operation_name": "照会",
        "unmapped": {"備考": "表ソ"},
    }  # fmt: skip


def test_fixed_in_utf16_counts_its_own_bytes() -> None:
    profile = replace(FIXED, encoding="utf-16", widths=(28, 12, 8, 4))
    line = "20261005091322s1    照会　　外字"
    assert doc(line.encode(), profile=profile, decoder=decode_fixed)["unmapped"] == {"備考": "外字"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("20261005091322s1    照会", "24 bytes where 34 belong"),
        ("20261005091322s1    照会　　      x", "35 bytes"),
        ("20261005091322s1   照会　　 123456", "byte 20: a character crosses the end of column 2"),
        (b"20261005091322s1    \x81\x20".ljust(34), "byte 21: 81 is not cp932"),
        (b"20261005091322s1    " + b"\xf0\x3f".ljust(14), "byte 21: f0"),
    ],
)
def test_fixed_lines_that_do_not_fit(line: str | bytes, reason: str) -> None:
    good = "20261005091322s1    照会　　      "
    before, bad, after = read(good, line, good, profile=FIXED, decoder=decode_fixed)
    assert isinstance(before, Record)
    assert isinstance(after, Record)
    assert isinstance(bad, Refused)
    assert reason in bad.reasons[0]


def test_fixed_without_widths_is_refused() -> None:
    (found,) = read("x", profile=replace(FIXED, widths=(1,)), decoder=decode_fixed)
    assert isinstance(found, Refused)
    assert "does not give each column a width" in found.reasons[0]


def test_private_use_characters_are_kept() -> None:
    gaiji = b"\xf0\x40\xf9\xfc".decode("cp932")
    assert all(0xE000 <= ord(char) <= 0xF8FF for char in gaiji)
    line = "20261005091322s1    照会　　".encode("cp932") + b"\xf0\x40\xf9\xfc  "
    assert doc(line, profile=FIXED, decoder=decode_fixed)["unmapped"] == {"備考": gaiji}


PIECES = st.sampled_from([b",", b"=", b'"', b" ", b"\\", b"a", "照会".encode(), "照会".encode("cp932"), b"\x81", b"\r"])


@given(
    st.lists(st.lists(PIECES, max_size=12).map(b"".join) | st.binary(max_size=34), max_size=8),
    st.sampled_from([(decode_key_value, ","), (decode_key_value, " "), (decode_fixed, ",")]),
    st.sampled_from(["utf-8", "cp932", "euc_jp", "utf-16"]),
)
def test_nothing_is_lost_whatever_the_bytes(lines: list[bytes], how: tuple[Decode, str], encoding: str) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    decoder, delimiter = how
    profile = replace(FIXED, encoding=encoding, delimiter=delimiter)
    found = list(decoder(enumerate(lines, 1), profile))
    taken = {one.line + offset for one in found for offset in range(one.raw.count(b"\n") + 1)}
    assert {number for number, line in enumerate(lines, 1) if line.strip()} <= taken
    assert all(" / " in reason for one in found if isinstance(one, Refused) for reason in one.reasons)


@given(st.lists(st.tuples(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text(max_size=12)), max_size=5))
def test_quoted_pairs_round_trip(pairs: list[tuple[str, str]]) -> None:
    unique = {f"k{name}": value.replace("\r", "").strip() for name, value in pairs}
    plain = "".join(f',{name}="{value.replace(chr(34), chr(34) * 2)}"' for name, value in unique.items())
    line = f"2026-05-12 10:15:31,s1,t1,照会{plain}".encode("utf-8", "surrogatepass")
    found = list(decode_key_value(enumerate(line.split(b"\n"), 1), PROFILE))
    if isinstance(found[0], Record):
        assert found[0].doc.get("unmapped", {}) == {name: value for name, value in unique.items() if value}
