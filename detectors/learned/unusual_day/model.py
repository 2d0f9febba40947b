"""The model: how surprising a person's day is, in parts that add up.

1. Each number is compared with what the person's own days and the unit's make one expect (`Baseline`).
2. What the work of the day explains (households with a case, changes of records) is taken off, by a ridge regression
   over all person-days.
3. What is left of each number is as surprising as its upper tail is thin: the negative logarithm of the probability
   of as much. Less than usual is no surprise.
4. The surprises add up; what a sum means is learned from the sums of all person-days.
"""

import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.learned.unusual_day.baseline import Baseline
from detectors.learned.unusual_day.features import COUNTED, PersonDays
from detectors.learned.unusual_day.tails import Tail

__all__ = ["MissingLibraryError", "Model", "Surprise", "fit"]

_Floats = npt.NDArray[np.float64]
_MOST_ROWS = 50_000
"""The regression and the tails learn from so many person-days at most, drawn by the seed."""
_PENALTY = 1.0
_BUSIEST = 3.0
"""Standard deviations of work that may explain something."""
_N = len(COUNTED)


class MissingLibraryError(RuntimeError):
    """scikit-learn is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "学習する検知には scikit-learn が必要です: pip install 'mimamori[learned]' / "
            "detectors that learn need scikit-learn: pip install 'mimamori[learned]'"
        )


@dataclass(frozen=True, slots=True)
class Surprise:
    """How surprising a day is.

    Attributes:
        parts: by the place of the number, what it adds.
        chance: the probability of a day as surprising by chance alone.
    """

    parts: tuple[float, ...]
    chance: float


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned from the person-days before an anchor.

    Attributes:
        anchor: nothing of this day or later was learned from.
        days: how many person-days were.
        left_out: how many were not because of findings.
        fingerprint: of what was learned; the same for the same person-days, parameters and seed.
    """

    anchor: date
    days: int
    left_out: int
    baseline: Baseline
    slopes: _Floats
    intercepts: _Floats
    tails: tuple[Tail, ...]
    total: Tail
    fingerprint: str

    def off(self, actors: Sequence[str], units: Sequence[str], rows: _Floats) -> _Floats:
        """What of some days their work does not explain, in standard deviations.

        Each row is judged by itself: whoever else is judged beside changes nothing, to the last bit.
        """
        each = [self.baseline.off(actor, unit, row) for actor, unit, row in zip(actors, units, rows, strict=True)]
        return _left(np.array(each).reshape(rows.shape), self.slopes, self.intercepts)

    def surprises(self, rows: _Floats, off: _Floats) -> list[Surprise]:
        """How surprising some days are that are so far from the expected."""
        parts = [tuple(map(float, some)) for some in _parts(self.tails, rows, off)]
        chances = self.total.chances(np.array([math.fsum(some) for some in parts]))
        return [Surprise(some, float(chance)) for some, chance in zip(parts, chances, strict=True)]


def fit(days: PersonDays, suspected: Collection[tuple[date, str]], anchor: date, seed: int) -> Model:
    """Learn from person-days, without those that open findings are about.

    Raises:
        MissingLibraryError: scikit-learn is not installed.
    """
    known = days.without(suspected)
    baseline, off = Baseline.of([actor for _, actor in known.keys], known.units, known.values)
    rows = known.values
    if len(rows) > _MOST_ROWS:
        drawn = np.sort(np.random.default_rng(seed).choice(len(rows), _MOST_ROWS, replace=False))
        rows, off = rows[drawn], off[drawn]
    ridge = _ridge().fit(_bounded(off[:, _N:]), off[:, :_N])
    slopes, intercepts = np.asarray(ridge.coef_, np.float64), np.asarray(ridge.intercept_, np.float64)
    left = _left(off, slopes, intercepts)
    tails = tuple(
        Tail.learned(column[count > 0], len(rows)) for column, count in zip(left.T, rows[:, :_N].T, strict=True)
    )
    total = Tail.learned(_parts(tails, rows, left).sum(axis=1), len(rows))
    return Model(
        anchor=anchor,
        days=len(known.keys),
        left_out=len(days.keys) - len(known.keys),
        baseline=baseline,
        slopes=slopes,
        intercepts=intercepts,
        tails=tails,
        total=total,
        fingerprint=_fingerprint(seed, known, slopes, total),
    )


def _ridge() -> Any:  # noqa: ANN401 - scikit-learn ships no types
    try:
        from sklearn.linear_model import Ridge  # noqa: PLC0415 - takes seconds, and comes with an extra
    except ImportError as error:
        raise MissingLibraryError from error
    return Ridge(alpha=_PENALTY)


def _left(off: _Floats, slopes: _Floats, intercepts: _Floats) -> _Floats:
    left: _Floats = off[:, :_N] - intercepts
    for work, explained in zip(_bounded(off[:, _N:]).T, slopes.T, strict=True):
        left -= work[:, None] * explained  # no product of matrices: its last bit depends on how many rows there are
    return left


def _bounded(work: _Floats) -> _Floats:
    """Work beyond what was ever seen explains no more than what was."""
    bounded: _Floats = np.clip(work, -_BUSIEST, _BUSIEST)
    return bounded


def _parts(tails: tuple[Tail, ...], rows: _Floats, left: _Floats) -> _Floats:
    """Surprises: negative logarithms of the probability of as much; nothing for less than usual, nor for nothing."""
    chances = np.column_stack([tail.chances(column) for tail, column in zip(tails, left.T, strict=True)])
    parts: _Floats = np.where((left > 0) & (rows[:, :_N] > 0), -np.log(chances), 0.0)
    return parts


def _fingerprint(seed: int, known: PersonDays, slopes: _Floats, total: Tail) -> str:
    told = hashlib.sha256(f"{seed}\n".encode())
    for (day, actor), unit in zip(known.keys, known.units, strict=True):
        told.update(f"{day}\x00{actor}\x00{unit}\n".encode())
    for numbers in (known.values, slopes, total.values):
        told.update(np.round(numbers, 9).tobytes())
    return told.hexdigest()[:12]
