"""How likely it is by chance that a source is quiet for so long, by its own days. Pure.

Time is counted in events: a span of hours is as long as the number of events that usually come in it. So measured,
the longest quiet span of each earlier day says what is usual here, whatever the office's hours and however few people
use the system; how far today's goes beyond is judged by the distribution of largest values (Gumbel's).

Both the live watch and the detectors ask this, so that neither calls a silence what the other calls a quiet morning.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, pstdev

__all__ = ["QUARTERS", "Day", "QuietSpan", "chance_of_quiet", "expected_by_quarter", "longest_quiet", "quiet_spans"]

QUARTERS = 96
"""Of an hour, in a day."""
_LEAST_SCALE = 1.0
"""That of single events that come independently; bursts make it larger, nothing makes it smaller."""
_OUTLIER = 3.0
"""An earlier day counts at most so many times the median: a silence in the past is no habit."""
_BURST = 4.0
"""Of the events of a quarter of an hour so many come by themselves: a job that writes a hundred runs or does not."""
_FEW = 4.0
"""Few days tell the spread badly: so much wider, divided by their number."""
_EULER = 0.5772156649015329

Day = Mapping[int, float]
"""Events by quarter of an hour, 0 to 95; quarters without any may be left out."""


@dataclass(frozen=True, slots=True)
class QuietSpan:
    """A run of quarters of an hour without an event.

    Attributes:
        first: its first quarter.
        end: the quarter after its last.
        expected: how many events usually come in it.
    """

    first: int
    end: int
    expected: float


def expected_by_quarter(days: Sequence[Day]) -> list[float]:
    """How many events come in each quarter of an hour of a day, by the days that are like it; of a burst, a few."""
    totals = [0.0] * QUARTERS
    for day in days:
        for quarter, count in day.items():
            totals[quarter] += min(count, _BURST)
    return [total / max(1, len(days)) for total in totals]


def quiet_spans(day: Day, expected: Sequence[float], end: int = QUARTERS) -> list[QuietSpan]:
    """The spans of a day without an event in which any would be expected, longest in expected events first.

    Args:
        day: what came.
        expected: from `expected_by_quarter`.
        end: the quarter up to which the day is known.
    """
    found: list[QuietSpan] = []
    first = 0
    for quarter in range(end + 1):
        if quarter == end or day.get(quarter, 0) > 0:
            owed = sum(expected[first:quarter])
            if owed > 0:
                found.append(QuietSpan(first, quarter, owed))
            first = quarter + 1
    return sorted(found, key=lambda span: (-span.expected, span.first))


def longest_quiet(days: Sequence[Day], expected: Sequence[float]) -> list[float]:
    """How long the longest quiet span of each day is, in expected events."""
    return [next((span.expected for span in quiet_spans(day, expected)), 0.0) for day in days]


def chance_of_quiet(found: float, usual: Sequence[float]) -> float:
    """The probability that a day's longest quiet span is so long or longer.

    Args:
        found: its length in expected events.
        usual: the longest of each earlier day that is like it.

    Returns:
        The probability; 1 where no earlier day is known.
    """
    if not usual:
        return 1.0
    most = _OUTLIER * median(usual)
    kept = [min(length, most) if most > 0 else length for length in usual]
    scale = max(_LEAST_SCALE, pstdev(kept) * math.sqrt(6) / math.pi) * (1 + _FEW / len(kept))
    mode = fmean(kept) - _EULER * scale
    return -math.expm1(-math.exp(min(700.0, (mode - found) / scale)))
