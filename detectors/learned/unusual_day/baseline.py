"""What a day of somebody is expected to be: their own days in their unit, moved towards the unit's and the town's.

The fewer days somebody has in a unit, the more the unit counts; somebody new or transferred begins with the unit's
days. How fast their own take over is learned for each number: by how much people differ beside how much their days do
(empirical Bayes).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Baseline"]

_Floats = npt.NDArray[np.float64]
_UNIT = 20.0
"""What is known of the town is worth so many person-days of a unit."""
_OWN = 2.0, 60.0
"""The unit is worth so many days of one's own, at least and at most."""
_LEAST_SPREAD = 0.3
"""Nobody's days are more alike than this."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of rows by group."""

    place: Mapping[object, int]
    count: _Floats
    total: _Floats

    @classmethod
    def of(cls, groups: Sequence[object], rows: _Floats) -> tuple["_Sums", npt.NDArray[np.intp]]:
        """The sums, and the group of each row."""
        place = {group: number for number, group in enumerate(dict.fromkeys(groups))}
        at = np.array([place[group] for group in groups], np.intp)
        count = np.bincount(at, minlength=len(place)).astype(np.float64)
        total: _Floats = np.column_stack([np.bincount(at, column, len(place)) for column in rows.T])
        return cls(place, count, total), at

    def get(self, group: object) -> tuple[float, _Floats]:
        """How many rows a group has, and their sum."""
        place = self.place.get(group)
        return (0.0, np.zeros(self.total.shape[1])) if place is None else (float(self.count[place]), self.total[place])


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was learned of people and units.

    Attributes:
        town: the mean of all person-days.
        strength: by number, how many days of one's own the unit is worth.
        spread: the town's standard deviation around what is expected.
    """

    own: _Sums
    unit: _Sums
    town: _Floats
    strength: _Floats
    spread: _Floats
    unit_squares: _Sums

    @classmethod
    def of(cls, actors: Sequence[str], units: Sequence[str], rows: _Floats) -> tuple["Baseline", _Floats]:
        """Learn from person-days.

        Returns:
            The baseline, and for each of these days how far it lay from what the others make one expect, in standard
            deviations.
        """
        town = rows.mean(axis=0)
        own, of_own = _Sums.of(list(zip(actors, units, strict=True)), rows)
        unit, of_unit = _Sums.of(units, rows)
        strength = _strength(own, of_own, rows)
        # Each day is compared with what the other days say, as a day that is judged will be.
        count, total = own.count[of_own, None] - 1, own.total[of_own] - rows
        expected = _shrunk(count, total, _shrunk(unit.count[:, None], unit.total, town, _UNIT)[of_unit], strength)
        off = (rows - expected) / np.sqrt(1 + 1 / (count + strength))
        spread = np.maximum(_LEAST_SPREAD, np.sqrt(np.mean(off**2, axis=0)))
        squares, _ = _Sums.of(units, off**2)
        found = cls(own, unit, town, strength, spread, squares)
        each = np.array([found._spread(name) for name in dict.fromkeys(units)])
        return found, off / each[of_unit]

    def off(self, actor: str, unit: str, row: _Floats) -> _Floats:
        """How far a day lies from what is expected, in standard deviations."""
        count, _ = self.own.get((actor, unit))
        wider = np.sqrt(1 + 1 / (count + self.strength))  # little is known of somebody new
        deviation: _Floats = (row - self.expected(actor, unit)) / wider / self._spread(unit)
        return deviation

    def expected(self, actor: str, unit: str) -> _Floats:
        """What a day of somebody in a unit is expected to be."""
        count, total = self.unit.get(unit)
        usual = _shrunk(np.array(count), total, self.town, _UNIT)
        count, total = self.own.get((actor, unit))
        return _shrunk(np.array(count), total, usual, self.strength)

    def own_days(self, actor: str, unit: str) -> int:
        """How many days of their own in a unit are known."""
        return int(self.own.get((actor, unit))[0])

    def _spread(self, unit: str) -> _Floats:
        count, squares = self.unit_squares.get(unit)
        spread: _Floats = np.sqrt((squares + _UNIT * self.spread**2) / (count + _UNIT))
        return spread


def _shrunk(count: _Floats, total: _Floats, towards: _Floats, strength: _Floats | float) -> _Floats:
    mean: _Floats = (total + strength * towards) / (count + strength)
    return mean


def _strength(own: _Sums, of_own: npt.NDArray[np.intp], rows: _Floats) -> _Floats:
    """How many days of one's own the unit is worth: the variance of days beside that of people."""
    mean = own.total / own.count[:, None]
    days = max(1, len(rows) - len(own.count))
    within = np.sum((rows - mean[of_own]) ** 2, axis=0) / days
    people = np.average((mean - mean.mean(axis=0)) ** 2, axis=0) - within * np.mean(1 / own.count)
    least, most = _OWN
    strength: _Floats = np.clip(within / np.maximum(people, within / most + 1e-12), least, most)
    return strength
