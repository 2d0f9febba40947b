"""The picture of a preview: a bar a week, whatever the days."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dashboards.tuning_model import picture_of

FIRST, LAST = date(2025, 11, 21), date(2026, 11, 20)
DAYS = [(FIRST + timedelta(days=n)).isoformat() for n in range((LAST - FIRST).days + 1)]
COUNTS = st.dictionaries(st.sampled_from(DAYS), st.integers(1, 1000), max_size=30)


@given(COUNTS, COUNTS, st.booleans())
def test_nothing_is_lost_and_everything_lies_within_the_picture(
    upper: dict[str, int], lower: dict[str, int], diverging: bool
) -> None:
    if not diverging:  # a share of what is above
        lower = {day: min(count, upper[day]) for day, count in lower.items() if day in upper}
    shown = picture_of(FIRST, LAST, upper, lower, diverging=diverging)
    assert sum(bar.upper_count for bar in shown.bars) == sum(upper.values())
    assert sum(bar.lower_count for bar in shown.bars) == sum(lower.values())
    for bar in shown.bars:
        assert (bar.upper > 0, bar.lower > 0) == (bar.upper_count > 0, bar.lower_count > 0), (
            "what is not nothing is seen"
        )
        assert 0 <= bar.upper_top <= bar.upper_top + bar.upper == shown.base
        assert 0 <= bar.lower_top <= bar.lower_top + bar.lower <= shown.height - 18
        assert 0 < bar.left < bar.left + shown.bar <= shown.width
    lefts = [bar.left for bar in shown.bars]
    assert lefts == sorted(set(lefts))
    assert [month.month for _, month in shown.months] == [12, *range(1, 12)]


def test_a_short_span_has_wider_bars() -> None:
    short = picture_of(LAST - timedelta(days=29), LAST, {}, {}, diverging=True)
    long = picture_of(FIRST, LAST, {}, {}, diverging=True)
    assert short.bar > long.bar
    assert short.width < long.width
