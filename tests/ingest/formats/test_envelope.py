"""Records inside syslog messages."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import check
from ingest.formats.registry import decode
from ingest.model import Doc, Record, Refused
from ingest.sources.profile import FORMATS, Profile

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PROFILE = Profile(
    id="app", name_ja="業務", name_en="app", format="key_value", envelope="syslog", columns=("操作",),
    fields={"操作": "activity", "職員": "actor.id", "時刻": "time", "端末": "terminal.id"}, activities={"照会": "view"},
)  # fmt: skip


def read(*lines: str | bytes, profile: Profile = PROFILE) -> list[Record | Refused]:
    encoded = [line if isinstance(line, bytes) else line.encode(profile.encoding) for line in lines]
    return list(decode(profile.format, enumerate(encoded, 1), profile, NOW))


def one(line: str, **changes: Any) -> Doc:
    (found,) = read(line, profile=replace(PROFILE, **changes))
    assert isinstance(found, Record), found
    assert check(found.doc, NOW).faults == ()
    return found.doc


def test_old_header() -> None:
    line = "<134>Oct  5 09:13:22 ap01 app[77]: 照会,職員=s0412"
    (found,) = read(line)
    assert isinstance(found, Record)
    assert found.raw == line.encode()
    assert found.doc == {
        "time": "2026-10-05T09:13:22+09:00", "activity": "view", "operation_name": "照会", "actor": {"id": "s0412"},
        "unmapped": {"host": "ap01", "syslog": {"program": "app", "pid": "77", "facility": 16, "severity": 6}},
    }  # fmt: skip


def test_new_header() -> None:
    found = one('<134>1 2026-10-05T00:13:22.5Z ap01 app 77 ID47 [x@1 a="b\\"c"][y@1] \ufeff照会,職員=s1')
    assert found["time"] == "2026-10-05T00:13:22.500000+00:00"
    assert found["unmapped"]["syslog"] == {
        "program": "app", "pid": "77", "msgid": "ID47", "facility": 16, "severity": 6,
        "structured_data": {"x@1": [["a", 'b"c']], "y@1": []},
    }  # fmt: skip


def test_what_the_record_says_goes_first() -> None:
    found = one("<134>Oct  5 09:13:22 ap01 app: 照会,職員=s1,時刻=2026-10-05 09:13:20,端末=T1,host=own")
    assert found["time"] == "2026-10-05T09:13:20+09:00"
    assert (found["terminal"], found["unmapped"]["host"]) == ({"id": "T1"}, "own")


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc_jp"])
def test_encodings(encoding: str) -> None:
    found = one("<134>Oct  5 09:13:22 ap01 app: 照会,職員=s1,備考=表ソ", encoding=encoding)
    assert found["unmapped"]["備考"] == "表ソ"


def test_csv_fixed_and_json_inside() -> None:
    header = "<134>Oct  5 09:13:22 ap01 app: "
    columns = {"columns": ("操作", "職員")}
    assert one(header + "照会,s1", format="csv", **columns)["actor"] == {"id": "s1"}
    assert one(header + "照会s1 ", format="fixed", encoding="cp932", widths=(4, 3), **columns)["actor"] == {"id": "s1"}
    event = {"activity": "view", "actor": {"id": "s1"}, "unmapped": "odd"}
    found = one(header + json.dumps(event), format="jsonl", constants={"affair": "x"})
    assert (found["time"], found["affair"]) == ("2026-10-05T09:13:22+09:00", "x")
    assert found["unmapped"]["unmapped"] == "odd"
    event = {"time": "2026-10-05T00:00:00Z", **event}
    assert one(header + json.dumps(event), format="jsonl")["time"] == "2026-10-05T00:00:00Z"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("照会,職員=s1", "time: no syslog time where one belongs"),
        ("<999>Oct  5 09:13:22 h app: 照会", "priority: "),
        ("<134>1 - ap01 app 77 - - 照会,職員=s1", "time: is missing"),
        ("<134>Oct  5 09:13:22 ap01 app: ", "record: an empty message"),
        ("<134>Oct  5 09:13:22 ap01 app: 踊り", "operation '踊り' is not in the vocabulary"),
        ("<134>Oct  5 09:13:22 ap01 app: 照会,時刻=いつか", "'時刻': time: not a time"),
        (b"<134>Oct  5 09:13:22 ap01 app: \xff", "byte 32: ff is not utf-8"),
        ('<134>Oct  5 09:13:22 ap01 app: 照会,a="b', "column 2: the quote never closes"),
    ],
)
def test_bad_messages_do_not_hurt_good_ones(line: str | bytes, reason: str) -> None:
    good = "<134>Oct  5 09:13:22 ap01 app: 照会,職員=s1"
    found = read(good, line, good)
    bad = next(each for each in found if isinstance(each, Refused))
    assert sorted(each.line for each in found if isinstance(each, Record)) == [1, 3]
    assert (bad.line, bad.raw) == (2, line if isinstance(line, bytes) else line.encode())
    assert any(reason in each and " / " in each for each in bad.reasons)


def test_an_overlong_run_of_messages_is_not_held() -> None:
    lines = ((n, b"<134>Oct  5 09:13:22 ap01 app: \xe7\x85\xa7\xe4\xbc\x9a,k=%d" % n) for n in range(1, 50_000))
    decoded = decode("key_value", lines, PROFILE, NOW)
    assert [next(decoded).line for _ in range(1000)] == list(range(1, 1001))


PIECES = st.sampled_from(
    ["<134>", "1 ", "Oct  5 09:13:22 ", "2026-10-05T00:13:22Z ", "h ", "a: ", "- ", "照会", ",", '"', "{", "}",
     "CEF:0|", '{"activity":"view"}', '[x a="b"] ', "=", "20261005 09:13:22,", "|"]
)  # fmt: skip
LINES = st.lists(
    st.lists(PIECES, max_size=10).map("".join).map(str.encode)
    | st.binary(max_size=20).map(lambda rest: b"<134>Oct  5 09:13:22 h a: " + rest),
    max_size=5,
)


@pytest.mark.parametrize(
    "form", sorted({*FORMATS} - {"keycloak", "mysql", "oracle"})
)  # these cut messages into records
@given(lines=LINES, encoding=st.sampled_from(["utf-8", "cp932", "euc_jp"]))
def test_nothing_is_lost_whatever_the_bytes(form: str, lines: list[bytes], encoding: str) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    profile = replace(PROFILE, format=form, encoding=encoding, widths=(3,))
    found = read(*lines, profile=profile)
    wanted = {number for number, line in enumerate(lines, 1) if line.strip()}
    taken = {each.line + offset for each in found for offset in range(each.raw.count(b"\n") + 1)}
    assert taken <= wanted
    lost = wanted - taken
    # A header of columns is no event, and neither are the brackets and commas around JSON and XML.
    assert not lost or form in {"csv", "w3c", "otlp", "windows"}, lost
    for each in found:
        last = each.line + each.raw.count(b"\n")
        assert each.raw == b"\n".join(lines[n - 1] for n in range(each.line, last + 1) if n in wanted)
