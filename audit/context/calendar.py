"""Japanese public holidays and the closure over the year's end.

Holidays follow the Act on National Holidays (国民の祝日に関する法律) as amended, including substitute holidays
(振替休日), days between two holidays (国民の休日), and the one-off moves of 2019 to 2021. Equinoxes are announced by
the Cabinet Office each February for the year after; the formula used here is right for 1980 to 2099 as far as is
known, and a `calendar` feed overrides any day. Municipal offices are closed from 29 December to 3 January
(地方自治法第4条の2 and each municipality's ordinance).
"""

from datetime import date, timedelta
from functools import lru_cache

__all__ = ["DEFAULT_CLOSES", "DEFAULT_OPENS", "holiday_name", "is_closed_by_law"]

FIRST_YEAR = 2007
"""The first year with today's set of holidays as a whole; earlier years are not needed for logs we take in."""


DEFAULT_OPENS = "08:30"
DEFAULT_CLOSES = "17:15"

_MONDAY = 0
_SPECIAL: dict[int, dict[date, str]] = {
    2019: {
        date(2019, 5, 1): "天皇の即位の日",
        date(2019, 10, 22): "即位礼正殿の儀",
    },
    2020: {
        date(2020, 7, 23): "海の日",
        date(2020, 7, 24): "スポーツの日",
        date(2020, 8, 10): "山の日",
    },
    2021: {
        date(2021, 7, 22): "海の日",
        date(2021, 7, 23): "スポーツの日",
        date(2021, 8, 8): "山の日",
    },
}


def _nth_monday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(_MONDAY - first.weekday()) % 7 + 7 * (nth - 1))


def _vernal_equinox(year: int) -> date:
    return date(year, 3, int(20.8431 + 0.242194 * (year - 1980) - (year - 1980) // 4))


def _autumnal_equinox(year: int) -> date:
    return date(year, 9, int(23.2488 + 0.242194 * (year - 1980) - (year - 1980) // 4))


def _named(year: int) -> dict[date, str]:
    days = {
        date(year, 1, 1): "元日",
        _nth_monday(year, 1, 2): "成人の日",
        date(year, 2, 11): "建国記念の日",
        _vernal_equinox(year): "春分の日",
        date(year, 4, 29): "昭和の日",
        date(year, 5, 3): "憲法記念日",
        date(year, 5, 4): "みどりの日",
        date(year, 5, 5): "こどもの日",
        _nth_monday(year, 9, 3): "敬老の日",
        _autumnal_equinox(year): "秋分の日",
        date(year, 11, 3): "文化の日",
        date(year, 11, 23): "勤労感謝の日",
    }
    if year <= 2018:
        days[date(year, 12, 23)] = "天皇誕生日"
    elif year >= 2020:
        days[date(year, 2, 23)] = "天皇誕生日"
    days.update(_SPECIAL.get(year, {}))
    if year not in (2020, 2021):
        days[_nth_monday(year, 7, 3)] = "海の日"
        days[_nth_monday(year, 10, 2)] = "スポーツの日" if year >= 2020 else "体育の日"
        if year >= 2016:
            days[date(year, 8, 11)] = "山の日"
    return days


@lru_cache(maxsize=64)
def _holidays(year: int) -> dict[date, str]:
    if year < FIRST_YEAR:
        return {}
    named = _named(year)
    days = dict(named)
    for day in sorted(named):
        if day.weekday() == 6:  # the next day that is no holiday itself
            substitute = day + timedelta(days=1)
            while substitute in named:
                substitute += timedelta(days=1)
            days[substitute] = "振替休日"
    for day in named:
        between = day + timedelta(days=1)
        if between not in days and between + timedelta(days=1) in named and between.weekday() != 6:
            days[between] = "国民の休日"
    return days


def holiday_name(day: date) -> str:
    """The holiday's name in Japanese; empty when it is none."""
    return _holidays(day.year).get(day, "")


def is_closed_by_law(day: date) -> str:
    """Why municipal offices are closed on a day, without any calendar of the town's own.

    Returns:
        The reason in Japanese, empty when the day is open.
    """
    if day.weekday() >= 5:
        return "土曜日" if day.weekday() == 5 else "日曜日"
    if (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3):
        return holiday_name(day) or "年末年始の休庁日"
    return holiday_name(day)
