"""Holidays against another implementation of the law, and the closure over the year's end."""

from datetime import date, timedelta

import jpholiday
import pytest

from audit.context import holiday_name, is_closed_by_law

DIFFERING: frozenset[date] = frozenset()
"""Days on which the other implementation is known to be wrong, each with its reason; none so far."""


@pytest.mark.parametrize("year", range(2007, 2051))
def test_holidays_agree_with_another_implementation(year: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365 + (year % 4 == 0))]
    ours = {day for day in days if holiday_name(day)}
    theirs = {day for day, _ in jpholiday.year_holidays(year)}
    assert ours ^ theirs <= DIFFERING


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 9, 22), "国民の休日"),  # between two holidays
        (date(2026, 5, 6), "振替休日"),  # the first day after three holidays
        (date(2019, 4, 30), "国民の休日"),
        (date(2019, 5, 1), "天皇の即位の日"),
        (date(2019, 10, 14), "体育の日"),
        (date(2020, 7, 24), "スポーツの日"),
        (date(2021, 8, 9), "振替休日"),
        (date(2018, 12, 24), "振替休日"),
        (date(2019, 12, 23), ""),
        (date(2020, 10, 12), ""),
        (date(2026, 10, 12), "スポーツの日"),
        (date(2006, 1, 1), ""),  # before the years that are known
    ],
)
def test_names(day: date, name: str) -> None:
    assert holiday_name(day) == name


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2026, 12, 28), ""),
        (date(2026, 12, 29), "年末年始の休庁日"),
        (date(2026, 12, 31), "年末年始の休庁日"),
        (date(2027, 1, 1), "元日"),
        (date(2025, 1, 2), "年末年始の休庁日"),
        (date(2027, 1, 3), "日曜日"),
        (date(2027, 1, 4), ""),
        (date(2026, 10, 10), "土曜日"),
        (date(2026, 10, 11), "日曜日"),
        (date(2026, 10, 12), "スポーツの日"),
        (date(2026, 10, 13), ""),
    ],
)
def test_why_offices_are_closed(day: date, why: str) -> None:
    assert is_closed_by_law(day) == why
