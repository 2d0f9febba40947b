"""Times and numbers the way Japanese systems write them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.japanese import TimeTextError, parse_number, parse_time, wareki

TOKYO = ZoneInfo("Asia/Tokyo")
LOCAL = st.integers(0, 60_000 * 86_400).map(lambda s: datetime(1952, 1, 1, tzinfo=TOKYO) + timedelta(seconds=s))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("令和8年10月5日 9時13分22秒", "2026-10-05T09:13:22+09:00"),
        ("令和８年１０月５日　９時１３分２２秒", "2026-10-05T09:13:22+09:00"),
        ("R08.10.05 09:13:22", "2026-10-05T09:13:22+09:00"),
        ("r8/10/5 9:13", "2026-10-05T09:13:00+09:00"),
        ("㋿8年10月5日 午後1時5分", "2026-10-05T13:05:00+09:00"),
        ("令和元年5月1日(水) 0時0分", "2019-05-01T00:00:00+09:00"),
        ("平成31年4月30日 23:59:59", "2019-04-30T23:59:59+09:00"),
        ("S64.1.7 12:00:00", "1989-01-07T12:00:00+09:00"),
        ("H1.1.8 12:00:00", "1989-01-08T12:00:00+09:00"),
        ("大正元年7月30日 1:00", "1912-07-30T01:00:00+09:00"),
        ("2026-10-05T09:13:22.120+09:00", "2026-10-05T09:13:22.120000+09:00"),
        ("2026-10-05T00:13:22Z", "2026-10-05T00:13:22+00:00"),
        ("2026/10/05 09:13:22", "2026-10-05T09:13:22+09:00"),
        ("２０２６／１０／０５　０９：１３：２２", "2026-10-05T09:13:22+09:00"),
        ("20261005091322", "2026-10-05T09:13:22+09:00"),
    ],
)
def test_read(text: str, expected: str) -> None:
    assert parse_time(text, TOKYO).isoformat() == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("平成31年5月1日 9:00", "平成 ended on 2019-04-30"),
        ("令和元年4月30日 9:00", "令和 began on 2019-05-01"),
        ("R0.10.05 09:13:22", "no year 0"),
        ("明治5年10月1日 9:00", "before 明治6年"),
        ("2026/10/05 24:00", "hour 24 lies on another day"),
        ("2026-12-31T23:59:60Z", "leap second"),
        ("令和8年10月5日 午後12時0分", "more than one reading"),
        ("令和8年10月5日(火) 9時13分", "not a 火曜日"),
        ("2026/02/30 09:00", "no day 2026-02-30"),
        ("2026/10/05", "without a time of day"),
        ("2026-10-0509:13", "not a time"),
        ("2026-10-05T09:13:22+25:00", "no such offset"),
        ("", "not a time"),
        ("いつか", "not a time"),
    ],
)
def test_refuse(text: str, reason: str) -> None:
    with pytest.raises(TimeTextError, match=reason):
        parse_time(text, TOKYO)


def test_an_hour_that_clocks_repeat_needs_an_offset() -> None:
    with pytest.raises(TimeTextError, match="offset is needed"):
        parse_time("2026-11-01 01:30:00", ZoneInfo("America/New_York"))
    assert parse_time("2026-11-01 01:30:00-04:00", ZoneInfo("America/New_York")).hour == 1


def test_patterns_come_first() -> None:
    assert parse_time("05.10.2026 09-13", TOKYO, ("%d.%m.%Y %H-%M",)).isoformat() == "2026-10-05T09:13:00+09:00"
    with pytest.raises(TimeTextError, match="no year"):
        parse_time("10-05 09:13", TOKYO, ("%m-%d %H:%M",))


@given(LOCAL)
def test_wareki_round_trip(at: datetime) -> None:
    assert parse_time(wareki(at), TOKYO) == at
    full_width = wareki(at).translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    assert parse_time(full_width, TOKYO) == at


@given(st.datetimes(), st.integers(-23 * 60, 23 * 60))
def test_iso_round_trip(local: datetime, minutes: int) -> None:
    at = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    again = parse_time(at.isoformat(), UTC)
    assert (again.replace(tzinfo=None), again.utcoffset()) == (local, at.utcoffset())


@given(st.text() | st.from_regex(r"[令和RH]{1,2}[0-9０-９元]{1,4}年[0-9]{1,2}月[0-9]{1,2}日 [0-9]{1,2}:[0-9]{1,2}"))
def test_only_its_own_error(text: str) -> None:
    try:
        at = parse_time(text, TOKYO)
    except TimeTextError:
        return
    assert at.utcoffset() is not None


@pytest.mark.parametrize(("text", "number"), [("１２", 12), ("1,234", 1234), ("０", 0), (" 7 ", 7), ("-3", -3)])
def test_numbers(text: str, number: int) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", "1,23", "一", "1.5", "①", "1" * 30, "٣"])
def test_no_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        parse_number(text)
