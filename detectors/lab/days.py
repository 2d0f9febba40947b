"""Which days are working days: Japanese public holidays by their law, and the town's own exceptions.

The town needs to know them on its own (a detector's table must not be the yardstick of its own test). Rules
of the Act on National Holidays as in force since 2022; earlier years are not simulated.
"""

from datetime import date, timedelta
from functools import cache

__all__ = ["is_holiday", "is_ordinary_working_day", "is_year_end", "national_holidays"]

_FIXED = ((1, 1), (2, 11), (2, 23), (4, 29), (5, 3), (5, 4), (5, 5), (8, 11), (11, 3), (11, 23))
# Month and which Monday: coming of age, marine, respect for the aged, sports.
_MONDAYS = ((1, 2), (7, 3), (9, 3), (10, 2))


def _nth_monday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(-first.weekday()) % 7 + 7 * (nth - 1))


def _equinox(year: int, month: int, base: float) -> date:
    # The customary approximation of the observatory's announcements, right for 1980 to 2099.
    return date(year, month, int(base + 0.242194 * (year - 1980) - (year - 1980) // 4))


@cache
def national_holidays(year: int) -> frozenset[date]:
    """The public holidays of a year, substitute and sandwiched days included."""
    days = {date(year, month, day) for month, day in _FIXED}
    days |= {_nth_monday(year, month, nth) for month, nth in _MONDAYS}
    days |= {_equinox(year, 3, 20.8431), _equinox(year, 9, 23.2488)}
    one = timedelta(days=1)
    sandwiched = {day + one for day in days if day + 2 * one in days and day + one not in days and day.weekday() != 5}
    substitutes = set()
    for day in days:
        if day.weekday() == 6:
            moved = day + one
            while moved in days:
                moved += one
            substitutes.add(moved)
    return frozenset(days | sandwiched | substitutes)


def is_holiday(day: date) -> bool:
    """Whether a day is a public holiday."""
    return day in national_holidays(day.year)


def is_year_end(day: date) -> bool:
    """Whether public offices are closed for the turn of the year."""
    return (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)


def is_ordinary_working_day(day: date) -> bool:
    """Whether the town hall opens without anybody having said so."""
    return day.weekday() < 5 and not is_year_end(day) and not is_holiday(day)
