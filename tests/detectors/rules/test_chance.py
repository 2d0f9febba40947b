"""What chance explains, against the textbook's distributions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from detectors.rules.chance import at_least_binomial, at_least_poisson, likely


@settings(deadline=None, max_examples=100)
@given(found=st.integers(0, 60), expected=st.floats(1e-6, 50))
def test_so_many_or_more_where_some_are_expected(found: int, expected: float) -> None:
    assert at_least_poisson(found, expected) == pytest.approx(
        stats.poisson.sf(found - 1, expected), rel=1e-6, abs=1e-12
    )


@settings(deadline=None, max_examples=100)
@given(found=st.integers(0, 40), more=st.integers(0, 40), share=st.floats(0.001, 0.999))
def test_so_many_or_more_of_a_share(found: int, more: int, share: float) -> None:
    right = stats.binom.sf(found - 1, found + more, share)
    assert at_least_binomial(found, found + more, share) == pytest.approx(right, rel=1e-6, abs=1e-12)


def test_what_nobody_expects_does_not_happen_by_chance() -> None:
    assert at_least_poisson(1, 0.0) == 0.0
    assert at_least_poisson(0, 0.0) == 1.0


@settings(deadline=None, max_examples=100)
@given(before=st.floats(1e-6, 0.5), chance=st.floats(0, 1), rarer=st.floats(0, 1))
def test_the_rarer_by_chance_the_likelier_meant_but_never_certain(before: float, chance: float, rarer: float) -> None:
    low, high = sorted((chance, rarer))
    assert 0 < likely(before, high) <= likely(before, low) < 1
