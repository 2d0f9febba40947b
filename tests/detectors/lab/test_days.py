"""The days a town can be simulated on, and its holidays against another implementation of the law."""

from datetime import date
from typing import Any

import jpholiday
import pytest

from detectors.lab import simulate
from detectors.lab.days import is_ordinary_working_day, national_holidays


@pytest.mark.parametrize("wrong", [{"staff": 0}, {"days": 0}, {"start": date(2021, 12, 31)}])
def test_impossible_towns_are_refused(wrong: dict[str, Any]) -> None:
    good: dict[str, Any] = {"staff": 5, "days": 3, "start": date(2026, 10, 1), "seed": 1}
    with pytest.raises(ValueError, match="a town needs"):
        simulate(**good | wrong)


def test_holidays_agree_with_another_implementation() -> None:
    for year in range(2022, 2051):
        assert national_holidays(year) == {day for day, _ in jpholiday.year_holidays(year)}


def test_weekends_holidays_and_the_turn_of_the_year_are_no_working_days() -> None:
    closed = (date(2026, 10, 3), date(2026, 10, 12), date(2026, 9, 22), date(2026, 12, 29), date(2027, 1, 3))
    assert not any(is_ordinary_working_day(day) for day in closed)
    assert all(is_ordinary_working_day(day) for day in (date(2026, 10, 1), date(2026, 12, 28), date(2027, 1, 4)))
