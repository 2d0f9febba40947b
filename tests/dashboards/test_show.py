"""Dates as people write them, and text that cannot lie about itself."""

from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from dashboards.links import around_url, event_url, events_url
from dashboards.show import day, is_odd, moment, number, span, spelled, visible

AT = datetime(2026, 10, 5, 14, 40, 7, tzinfo=UTC)


def test_moments_are_told_in_japan_time() -> None:
    assert moment(AT, "ja") == "2026年10月5日(月) 23:40"
    assert moment(AT, "en") == "Mon 5 Oct 2026 23:40"
    assert moment(AT + timedelta(minutes=20), "ja", seconds=True) == "2026年10月6日(火) 00:00:07"
    assert day(date(2026, 1, 4), "en") == "Sun 4 Jan 2026"


def test_a_window_says_its_day_once() -> None:
    same = span(AT, AT + timedelta(minutes=5), "ja").striptags()
    assert same == "2026年10月5日(月) 23:40–23:45"
    over = span(AT, AT + timedelta(minutes=30), "en").striptags()
    assert over == "Mon 5 Oct 2026 23:40 – Tue 6 Oct 2026 00:10"


@pytest.mark.parametrize(
    ("value", "written"), [(0, "0"), (1234567, "1,234,567"), (12.5, "12.5"), (0.914, "0.91"), (100.0, "100")]
)
def test_numbers_have_separators(value: float, written: str) -> None:
    assert number(value) == written


@given(st.text())
def test_visible_text_has_nothing_odd_and_no_markup_of_its_own(text: str) -> None:
    shown = str(visible(text))
    assert not any(is_odd(c) for c in unescape(shown))
    assert shown.count("<") == 2 * sum(is_odd(c) for c in text)
    assert not any(is_odd(c) for c in spelled(text))


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"])))
def test_ordinary_text_is_left_alone(text: str) -> None:
    if not any(is_odd(c) for c in text):
        assert unescape(str(visible(text))) == text


def test_japanese_text_is_ordinary() -> None:
    for text in ("髙橋 葛󠄀城", "令和8年 10月", "①㈱ﾊﾝｶｸ", "がぎぐ"):
        assert visible(text) == text
    assert visible(Markup("<b>")) == "<b>"


def test_addresses_survive_any_text() -> None:
    assert event_url("a/b", "../x?#\ud800").startswith("/events/a%2Fb/..%2Fx%3F%23")
    assert events_url(from_="2026-10-05T00:00", actor="", subject="あ&") == (
        "/events?from=2026-10-05T00%3A00&subject=%E3%81%82%26"
    )
    assert around_url(AT, actor="s1") == ("/events?from=2026-10-05T23%3A10&to=2026-10-06T00%3A10&actor=s1")
