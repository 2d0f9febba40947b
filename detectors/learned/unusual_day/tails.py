"""How often something as large is to be expected, by what was seen before: counted where there was much of it."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Tail"]

_Floats = npt.NDArray[np.float64]
_UPPER = 0.05
"""The share of the values by which what lies beyond all of them is estimated."""
_FEWEST = 10
"""By so many at least."""
_LEAST_EXCESS = 0.5
"""Where all were alike, the next one may still differ."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The upper tail of some values: counted up to a bound, exponential beyond it.

    Beyond the bound the mean excess is known from few values alone; the probability allows for that, so that little
    data makes nothing look rarer than it can tell.

    Attributes:
        values: those seen, in order.
        of: of how many; the others are below all values.
        bound: above it the tail is estimated.
        beyond: how many lie above it.
        excess: how far on the average.
    """

    values: _Floats
    of: int
    bound: float
    beyond: int
    excess: float

    @classmethod
    def learned(cls, values: _Floats, of: int) -> "Tail":
        """Learn the tail of some values out of so many."""
        ordered = np.sort(values)
        many = min(len(ordered), max(_FEWEST, math.ceil(_UPPER * len(ordered))))
        bound = float(ordered[-many]) if many else 0.0
        above = ordered[ordered > bound]
        excess = (float(np.sum(above - bound)) + _LEAST_EXCESS) / (len(above) + 1)
        return cls(ordered, of, bound, len(above), max(excess, _LEAST_EXCESS))

    def chances(self, found: _Floats) -> _Floats:
        """The probability of a value as large, for each of some values."""
        at_least = len(self.values) - np.searchsorted(self.values, found - 1e-9, side="left")
        few = max(self.beyond, 1)
        further = np.maximum(0.0, found - self.bound) / (self.excess * few)
        estimated: _Floats = (self.beyond + 1) * (1 + further) ** -few
        return np.where(found > self.bound, estimated, at_least + 1) / (self.of + 1)
