"""Syslog headers, old and new."""

# A table of log lines is read best uncut, a row being one case.

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.syslog import SyslogError, SyslogLine, parse_syslog

REFERENCE = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")
SHARED = Path(os.environ.get("MIMAMORI_SHARED", Path(__file__).parents[4] / "shared"))


def parse(text: str) -> SyslogLine:
    return parse_syslog(text, zone=TOKYO, reference=REFERENCE)


@pytest.mark.parametrize(
    ("text", "time", "host", "program", "pid", "message"),
    [
        ("Jan  1 00:00:01 web sshd[12]: hi", "2026-01-01T00:00:01+09:00", "web", "sshd", "12", "hi"),
        ("Dec 31 23:59:59 web sudo: hi", "2025-12-31T23:59:59+09:00", "web", "sudo", None, "hi"),
        ("Jan  3 11:00:00 web su: a: b", "2026-01-03T11:00:00+09:00", "web", "su", None, "a: b"),
        ("Jan  4 12:00:00 web su: x", "2025-01-04T12:00:00+09:00", "web", "su", None, "x"),
        ("Feb 29 12:00:00 web su: x", "2024-02-29T12:00:00+09:00", "web", "su", None, "x"),
        ("<86>Oct  5 2024 09:13:22 gw app: x", "2024-10-05T09:13:22+09:00", "gw", "app", None, "x"),
        ("2026-01-01T01:02:03.5+00:00 web x[1]: y", "2026-01-01T01:02:03.500000+00:00", "web", "x", "1", "y"),
        ("Jan  1 00:00:01 pc gdm-password]: hi", "2026-01-01T00:00:01+09:00", "pc", "gdm-password", None, "hi"),
        ("Jan  1 00:00:01 10.0.0.9 no tag here", "2026-01-01T00:00:01+09:00", "10.0.0.9", None, None, "no tag here"),
    ],
)  # fmt: skip
def test_old(text: str, time: str, host: str, program: str | None, pid: str | None, message: str) -> None:
    found = parse(text)
    assert found.time is not None
    assert found.time.isoformat() == time
    assert (found.host, found.program, found.pid, found.message) == (host, program, pid, message)


def test_new() -> None:
    found = parse(
        '<165>1 2025-10-11T22:14:15.003Z host app 99 ID47 [a@1 q="say \\"hi\\" \\\\ \\]" r="1"][b@1] \ufeff本文'
    )
    assert (found.facility, found.severity, found.msgid, found.message) == (20, 5, "ID47", "本文")
    assert found.structured == {"a@1": (("q", 'say "hi" \\ ]'), ("r", "1")), "b@1": ()}
    nothing = parse("<34>1 - - - - - -")
    assert nothing == SyslogLine(None, None, None, None, None, 4, 2, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "time"),
        ("hello", "time"),
        ("<192>Jan  1 00:00:01 h a: b", "priority"),
        ("<x>Jan  1 00:00:01 h a: b", "priority"),
        ("Foo  1 00:00:01 h a: b", "no such month"),
        ("Jan 32 00:00:01 h a: b", "no day"),
        ("Jan  1 24:00:00 h a: b", "hour 24"),
        ("<1>1 2025-01-01T00:00:00 h a p m -", "RFC 3339"),
        ("<1>1 2025-01-01T00:00:00Z h a", "header"),
        ('<1>1 - h a p m [a b="c]"]', "broken"),
        ('<1>1 - h a p m [a b="c"', "broken"),
        ("<1>1 - h a p m [a][a]", "twice"),
        ("<1>1 - h a p m x", "structured data"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(SyslogError, match=reason):
        parse(text)


@given(st.text() | st.from_regex(r"<[0-9]{1,3}>1 \S+ \S+ \S+ \S+ \S+ (-|\[.*)"))
def test_only_its_own_error(text: str) -> None:
    try:
        found = parse(text)
    except SyslogError:
        return
    assert text.endswith(found.message)


@given(st.text('ab"\\] =', max_size=20))
def test_structured_values_round_trip(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
    assert parse(f'<1>1 - - - - - [x y="{escaped}"]').structured == {"x": (("y", value),)}


@pytest.mark.shared
def test_second_opinion() -> None:
    cases = SHARED / "data" / "syslog" / "rfc3164_cases.json"
    if not cases.exists():
        pytest.skip(f"{cases} is absent")
    for case in json.loads(cases.read_text()):
        found, expected = parse(case["input"]), case["expected"]
        assert (found.host, found.program, found.pid, found.message or None) == (
            expected["hostname"], expected["appname"], expected["procid"], expected["message"],
        )  # fmt: skip
        assert (found.facility, found.severity) == (expected["facility"], expected["severity"])
