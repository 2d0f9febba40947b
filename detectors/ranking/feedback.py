"""What reviewers said, as the ranking of a day may know it.

A disposition counts from the day after it was settled to the day on which it is undone, so that the queue of a day
follows from what had been said before that day, whenever it is asked for.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from audit.clock import tokyo_date
from audit.dispositions import Disposition
from detectors.ranking.model import Outcomes

__all__ = ["outcomes_by_day"]


def outcomes_by_day(said: Iterable[Disposition]) -> Callable[[date], Mapping[str, Outcomes]]:
    """What was known of each detector's findings before a day.

    A case counts once for each detector that found something in it, with the strongest of its scores. What is not
    settled, and what was a fault in the data, says nothing of a detector.

    Args:
        said: every disposition there has been.
    """
    changes = [
        (tokyo_date(at), one.id, sign, one)
        for one in said
        if one.kind.true is not None and one.settled_at is not None
        for at, sign in ((one.settled_at, 1), (one.ended_at, -1))
        if at is not None
    ]
    changes.sort(key=lambda change: (change[0], -change[2], change[1]))
    days: list[date] = []
    known: list[Mapping[str, Outcomes]] = []
    counted: dict[str, tuple[float, int, int]] = {}  # by detector: sum of scores, how many true, how many false
    for day, _, sign, one in changes:
        for detector, score in _strongest(one).items():
            scores, true, false = counted.get(detector, (0.0, 0, 0))
            right = bool(one.kind.true)
            counted[detector] = (scores + sign * score, true + sign * right, false + sign * (not right))
        if not days or days[-1] != day:
            days.append(day)
            known.append({})
        known[-1] = _outcomes(counted)

    def before(day: date) -> Mapping[str, Outcomes]:
        place = bisect_left(days, day)
        return known[place - 1] if place else {}

    return before


def _strongest(one: Disposition) -> Mapping[str, float]:
    scores: dict[str, float] = {}
    for judged in one.findings:
        scores[judged.detector] = max(judged.score, scores.get(judged.detector, 0.0))
    return scores


def _outcomes(counted: Mapping[str, tuple[float, int, int]]) -> Mapping[str, Outcomes]:
    return {
        detector: Outcomes(scores / (true + false), true, false)
        for detector, (scores, true, false) in counted.items()
        if true + false
    }
