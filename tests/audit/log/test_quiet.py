"""How long a source is quiet by chance: nothing is a silence that its own days have, and a real one is."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.log.quiet import (
    QUARTERS,
    chance_of_quiet,
    expected_by_quarter,
    longest_quiet,
    quiet_spans,
)

OFFICE = range(36, 68)
"""From nine to five."""


def day(rng: Random, each: float) -> dict[int, float]:
    """A day on which so many events come in each quarter of an hour of the office, independently."""
    counts = {quarter: float(sum(rng.random() < each / 20 for _ in range(20))) for quarter in OFFICE}
    return {quarter: count for quarter, count in counts.items() if count}


def test_a_span_is_as_long_as_what_usually_comes_in_it() -> None:
    expected = expected_by_quarter([{36: 2, 37: 4}, {36: 4}])
    assert (expected[36], expected[37], sum(expected)) == (3, 2, 5)
    first, second = quiet_spans({38: 1}, [*([0.0] * 36), 3.0, 2.0, *([1.0] * 58)])
    assert (first.first, first.end, first.expected) == (39, QUARTERS, 57)
    assert (second.first, second.end, second.expected) == (0, 38, 5)


def test_a_day_is_judged_no_further_than_it_is_known() -> None:
    expected = expected_by_quarter([dict.fromkeys(OFFICE, 1.0)])
    assert [span.end for span in quiet_spans({36: 1}, expected, 40)] == [40]
    assert quiet_spans({}, expected, 30) == []


def test_nothing_known_says_nothing() -> None:
    assert chance_of_quiet(100.0, []) == 1.0
    assert expected_by_quarter([]) == [0.0] * QUARTERS


@pytest.mark.parametrize("each", [0.1, 0.5, 3.0])
def test_ordinary_days_are_rarely_called_odd(each: float) -> None:
    """Of 400 ordinary days no more than a handful are as rare as one in a hundred."""
    rng = Random(20261121)  # noqa: S311 - days that every run repeats
    odd = 0
    for _ in range(400):
        days = [day(rng, each) for _ in range(15)]
        expected = expected_by_quarter(days)
        (found,) = longest_quiet([day(rng, each)], expected)
        odd += chance_of_quiet(found, longest_quiet(days, expected)) < 0.01
    assert odd <= 12


def test_a_morning_without_events_is_odd_for_a_busy_source_only() -> None:
    rng = Random(7)  # noqa: S311 - days that every run repeats
    chances = []
    for each in (0.1, 3.0):
        days = [day(rng, each) for _ in range(15)]
        expected = expected_by_quarter(days)
        afternoon = dict.fromkeys(range(52, 68), 1.0)
        (found,) = longest_quiet([afternoon], expected)
        chances.append(chance_of_quiet(found, longest_quiet(days, expected)))
    assert chances[0] > 0.01
    assert chances[1] < 1e-6


def test_a_silence_in_the_past_does_not_make_the_next_one_usual() -> None:
    usual = [2.0] * 14
    assert chance_of_quiet(60.0, [*usual, 60.0]) < 1e-6


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 500), min_size=1, max_size=30), st.floats(0, 1000), st.floats(0, 1000))
def test_longer_is_never_likelier(usual: list[float], one: float, other: float) -> None:
    low, high = sorted((one, other))
    short, long = chance_of_quiet(low, usual), chance_of_quiet(high, usual)
    assert 0 <= long <= short <= 1
    assert not math.isnan(short)
