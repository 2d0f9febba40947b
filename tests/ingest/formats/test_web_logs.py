"""Web servers' logs: Common, Combined and W3C extended."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import check
from ingest.formats.access_log import decode_access_log, unescaped
from ingest.formats.japanese import ascii_forms
from ingest.formats.w3c import decode_w3c
from ingest.model import Decoder, Doc, Record, Refused
from ingest.sources.profile import Profile

PROFILE = Profile(id="portal", name_ja="申請", name_en="portal")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
AT = "[05/Oct/2026:09:13:22 +0900]"
COMBINED = f'10.3.1.31 - s0412 {AT} "GET /view?id=1 HTTP/1.1" 200 512 "https://portal/" "Mozilla/5.0 (X11)"'
Read = Callable[..., Iterator[Record | Refused]]


def read(decoder: Decoder, *lines: str | bytes, profile: Profile = PROFILE) -> list[Record | Refused]:
    encoded = [line if isinstance(line, bytes) else line.encode(profile.encoding) for line in lines]
    return list(decoder(enumerate(encoded, 1), profile))


def one(decoder: Decoder, *lines: str, **changes: Any) -> Doc:
    (found,) = read(decoder, *lines, profile=replace(PROFILE, **changes))
    assert isinstance(found, Record), found
    assert check(found.doc, NOW).faults == ()
    return found.doc


def test_combined() -> None:
    assert one(decode_access_log, COMBINED) == {
        "time": "2026-10-05T09:13:22+09:00", "activity": "view", "operation_name": "GET", "outcome": "success",
        "actor": {"id": "s0412"}, "terminal": {"ip": "10.3.1.31"}, "screen": "/view",
        "unmapped": {
            "query": "id=1", "protocol": "HTTP/1.1", "status": "200", "bytes": "512", "referer": "https://portal/",
            "user_agent": "Mozilla/5.0 (X11)",
        },
    }  # fmt: skip


def test_common_behind_a_virtual_host() -> None:
    found = one(decode_access_log, f'portal:443 gate.example - - {AT} "DELETE /x HTTP/2.0" 204 -')
    assert found["actor"] == {"kind": "system"}
    assert "terminal" not in found
    assert found["unmapped"] == {
        "vhost": "portal:443", "client_host": "gate.example", "protocol": "HTTP/2.0", "status": "204"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "activity"),
    [("GET", "view"), ("HEAD", "view"), ("POST", "create"), ("PUT", "update"), ("PATCH", "update"),
     ("DELETE", "delete"), ("OPTIONS", "operation"), ("PROPFIND", "operation")],
)  # fmt: skip
def test_methods(method: str, activity: str) -> None:
    found = one(decode_access_log, COMBINED.replace("GET", method))
    assert (found["activity"], found["operation_name"]) == (activity, method)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("101", "success"), ("200", "success"), ("304", "success"), ("400", "failure"), ("401", "denied"),
     ("403", "denied"), ("404", "failure"), ("499", "failure"), ("503", "failure"), ("-", None), ("000", None)],
)  # fmt: skip
def test_status(status: str, outcome: str | None) -> None:
    assert one(decode_access_log, COMBINED.replace(" 200 ", f" {status} ")).get("outcome") == outcome


def test_users_with_spaces_brackets_and_quotes_do_not_move_the_rest() -> None:
    hostile = r"hoken taro - [01/Jan/2020:00:00:00 +0000] \x22GET / HTTP/1.0\x22 200 1"
    found = one(decode_access_log, COMBINED.replace("s0412", hostile))
    assert found["actor"]["id"] == hostile.replace(r"\x22", '"')
    assert (found["time"], found["screen"]) == ("2026-10-05T09:13:22+09:00", "/view")
    assert one(decode_access_log, COMBINED.replace("s0412", '""'))["actor"] == {"kind": "system"}


@pytest.mark.parametrize("request_line", [r"\x16\x03\x01\x02\x00\x01", "", "-", r"\n", "GET"])
def test_what_is_no_request_is_kept(request_line: str) -> None:
    found = one(decode_access_log, f'10.3.1.31 - - {AT} "{request_line}" 400 150 "-" "-" 0.001 "a b"')
    assert (found["activity"], found["outcome"]) == ("operation", "failure")
    assert found["unmapped"].get("request", "") == request_line
    assert (found["unmapped"]["field 10"], found["unmapped"]["field 11"]) == ("0.001", "a b")


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (r"\xE7\x85\xA7\xe4\xbc\x9a", "照会"),
        (r"\x22\x5C", '"\\'),
        (r"\"a\" \\x41", r'"a" \x41'),
        (r"\x0A\x1B[2J", r"\x0A\x1B[2J"),
        (r"\xE7\x85", r"\xE7\x85"),
    ],
)
def test_escapes(written: str, read_as: str) -> None:
    assert unescaped(written) == read_as


def test_a_profile_may_mean_something_else() -> None:
    found = one(
        decode_access_log,
        COMBINED,
        activities={"GET": "search"},
        fields={"query": "query.by"},
        constants={"affair": "x"},
    )
    assert (found["activity"], found["query"], found["affair"]) == ("search", {"by": "id=1"}, "x")


FIELDS = "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query cs-username c-ip cs(User-Agent) sc-status"
ROW = r"2026-10-05 00:13:22 10.0.0.9 GET /app/view.aspx id=1+2 TOWN\taro 10.3.1.31 Mozilla/5.0+(X11;+Linux) 200"


def test_iis() -> None:
    assert one(decode_w3c, "#Software: Microsoft Internet Information Services 10.0", "#Version: 1.0", FIELDS, ROW) == {
        "time": "2026-10-05T00:13:22+00:00", "activity": "view", "operation_name": "GET", "outcome": "success",
        "actor": {"id": r"TOWN\taro"}, "terminal": {"ip": "10.3.1.31"}, "screen": "/app/view.aspx",
        "unmapped": {
            "s-ip": "10.0.0.9", "cs-uri-query": "id=1+2", "cs(User-Agent)": "Mozilla/5.0 (X11; Linux)",
            "sc-status": "200",
        },
    }  # fmt: skip


def test_columns_may_change() -> None:
    lines = [FIELDS, ROW, "#Fields: time c-ip", "00:00:01 10.0.0.1", "#Date: 2026-10-06 00:00:00", "00:00:02 10.0.0.2"]
    first, undated, last = read(decode_w3c, *lines)
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert isinstance(undated, Refused)
    assert "time: is missing" in undated.reasons[0]
    assert last.doc["time"] == "2026-10-06T00:00:02+00:00"


def test_windows_firewall() -> None:
    found = one(
        decode_w3c,
        "#Version: 1.5",
        "#Time Format: Local",
        "#Fields: date time action protocol src-ip dst-ip info",
        "2026-10-05 09:13:22 DROP TCP 10.0.0.1 10.0.0.2 -",
    )
    assert (found["time"], found["outcome"]) == ("2026-10-05T09:13:22+09:00", "denied")
    assert found["terminal"] == {"ip": "10.0.0.1"}


def test_quoted_columns_and_columns_from_the_profile() -> None:
    columns = ("date", "time", "x-user", "x-note")
    line = '2026-10-05\t00:13:22\ts1\t"say ""a b"" - c"'
    found = one(decode_w3c, line, columns=columns, fields={"x-user": "actor.id"})
    assert found["actor"]["id"] == "s1"
    assert found["unmapped"] == {"x-note": 'say "a b" - c'}


@pytest.mark.parametrize(
    ("decoder", "before", "line", "reason"),
    [
        (decode_access_log, (), "hello", "record: not as Common"),
        (decode_access_log, (), COMBINED.replace("05/Oct", "31/Feb"), "'time': time: there is no day"),
        (decode_access_log, (), COMBINED.replace("Oct", "Okt"), "'time': time: not a time"),
        (decode_access_log, (), COMBINED[:60], "record: not as Common"),
        (decode_access_log, (), b"\x83" + COMBINED.encode(), "byte 1: 83 is not utf-8"),
        (decode_w3c, (FIELDS,), ROW + " more", "record: 11 columns where 10 belong"),
        (decode_w3c, (FIELDS,), "\x00" * 20, "record: 1 columns"),
        (decode_w3c, (FIELDS,), ROW.replace("-05", "-32"), "'time': time: there is no day"),
        (decode_w3c, (FIELDS,), b"\xff", "byte 1: ff is not utf-8"),
    ],
)
def test_bad_lines_do_not_hurt_good_ones(
    decoder: Decoder, before: tuple[str, ...], line: str | bytes, reason: str
) -> None:
    good = ROW if before else COMBINED
    first, bad, last = read(decoder, *before, good, line, good)
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert isinstance(bad, Refused)
    assert any(reason in each and " / " in each for each in bad.reasons)


def test_events_before_any_columns_are_refused() -> None:
    (found,) = read(decode_w3c, ROW)
    assert isinstance(found, Refused)
    assert "no #Fields before the first event" in found.reasons[0]


PIECES = st.sampled_from(
    ["#Fields: ", "date", "time ", "#", '"', "\\", " ", "- ", "[05/Oct/2026:09:13:22 +0900] ", "10.0.0.1 ", "200 ", "a",
     '"GET / HTTP/1.1" ', "[", "]", "\\x22", "2026-10-05 "]
)  # fmt: skip


@given(st.lists(st.lists(PIECES, max_size=14).map("".join).map(str.encode) | st.binary(max_size=30), max_size=6))
def test_nothing_is_lost_whatever_the_bytes(lines: list[bytes]) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    for decoder in (decode_access_log, decode_w3c):
        found = read(decoder, *lines)
        bare = [line.strip(b" \t\r") if decoder is decode_w3c else b"" for line in lines]
        events = [n for n, line in enumerate(lines, 1) if line.strip() and not bare[n - 1].startswith(b"#")]
        lines_of = [each.line for each in found]
        assert lines_of == sorted(set(lines_of))
        assert set(events) <= set(lines_of)
        # What is found beyond events is a comment that is no text, which may have been the one that names the columns.
        assert all(isinstance(each, Refused) for each in found if each.line not in events)
        assert all(" / " in reason for each in found if isinstance(each, Refused) for reason in each.reasons)


@given(
    st.text(st.characters(exclude_characters='"\\\r\n', exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20)
)
def test_any_user_and_agent_come_through(text: str) -> None:
    if text == "-":
        return
    found = one(decode_access_log, COMBINED.replace("s0412", text).replace("Mozilla/5.0 (X11)", text))
    assert (found["actor"]["id"], found["unmapped"]["user_agent"]) == (ascii_forms(text), text)
    assert text in {found["actor"]["id"], *found["unmapped"].values()}
