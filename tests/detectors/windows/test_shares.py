"""Shares of look-ups that nothing accounts for: the arithmetic behind several detectors."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.windows.shares import Tally, at_least_beta_binomial


@settings(deadline=None, max_examples=60)
@given(of=st.integers(1, 30), a=st.integers(1, 9), b=st.integers(1, 40), data=st.data())
def test_agrees_with_exact_fractions(of: int, a: int, b: int, data: st.DataObject) -> None:
    found = data.draw(st.integers(0, of))

    def beta(x: int, y: int) -> Fraction:
        return Fraction(math.factorial(x - 1) * math.factorial(y - 1), math.factorial(x + y - 1))

    exact = sum((math.comb(of, k) * beta(k + a, of - k + b) for k in range(found, of + 1)), start=Fraction(0)) / beta(
        a, b
    )
    assert at_least_beta_binomial(found, of, a / (a + b), a + b) == pytest.approx(float(exact), rel=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    of=st.integers(1, 1500),
    mean=st.floats(0.001, 0.999),
    strength=st.floats(2, 5000),
    data=st.data(),
)
def test_leaves_out_only_what_adds_nothing(of: int, mean: float, strength: float, data: st.DataObject) -> None:
    found = data.draw(st.integers(1, of))
    a, b = mean * strength, (1 - mean) * strength

    def beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    terms = (
        math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1) + beta(k + a, of - k + b) - beta(a, b)
        for k in range(found, of + 1)
    )
    whole = min(1.0, math.fsum(map(math.exp, terms)))
    assert at_least_beta_binomial(found, of, mean, strength) == pytest.approx(whole, rel=1e-7, abs=1e-200)


def test_hardly_any_of_many_is_no_less_than_certain() -> None:
    assert at_least_beta_binomial(1, 100_000, 0.5, 1e6) == 1.0


def test_nearly_all_of_many_is_next_to_impossible() -> None:
    assert at_least_beta_binomial(99_999, 100_000, 0.5, 1e6) == 0.0


def test_where_everything_is_unaccounted_nothing_is_unlikely() -> None:
    assert at_least_beta_binomial(40, 40, 1.0, 30.0) == 1.0


def _tally(everyone: dict[str, tuple[int, int]], unit: str = "u") -> Tally:
    return Tally(
        {p: n for p, (n, _) in everyone.items()},
        {p: x for p, (_, x) in everyone.items()},
        dict.fromkeys(everyone, unit),
    )


def test_a_person_is_measured_by_the_others_of_the_unit() -> None:
    tally = _tally({"s1": (100, 90), "s2": (450, 9), "s3": (500, 10)})
    usual = tally.usual("s1", "u")
    assert usual is not None
    assert usual.share == pytest.approx((19 + 50 * 0.05) / 1000)
    assert usual.peers == 2


def test_one_odd_colleague_hardly_widens_what_is_usual() -> None:
    calm = {f"s{n}": (400, 12) for n in range(8)}
    odd = {**calm, "s7": (400, 200)}
    spread = [_tally(people).usual("s0", "u") for people in (calm, odd)]
    assert all(one is not None for one in spread)
    first, second = (one.spread / one.share for one in spread if one is not None)
    assert first == second == pytest.approx(0.2)


def test_too_little_is_known_where_hardly_anybody_looks_anybody_up() -> None:
    assert _tally({"s1": (40, 20), "s2": (30, 0)}).usual("s1", "u") is None


def test_the_town_stands_in_for_a_unit_without_look_ups() -> None:
    tally = Tally({"s1": 10, "t1": 300}, {"s1": 9, "t1": 150}, {"s1": "u", "t1": "v"})
    usual = tally.usual("s1", "u")
    assert usual is not None
    assert usual.share == pytest.approx(159 / 310)
