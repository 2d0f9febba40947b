"""Which stories a town carries: a few in a small one, all in a large one, and some of those repeatedly."""

from collections.abc import Sequence
from random import Random

from detectors.lab.incidents import INCIDENTS
from detectors.lab.stage import Plot
from detectors.lab.traps import TRAPS

__all__ = ["programme"]

_INCIDENTS = 0.32
"""Per member of staff: most people do nothing worth telling."""
_TRAPS = 0.15
_LEAST = 6
_AGAIN = 0.4
"""Of the kinds, those that a large town carries once more, and again those once more than that."""


def programme(rng: Random, staff: int) -> list[Plot]:
    """Choose a town's stories.

    Args:
        rng: randomness of its own.
        staff: how many people work for the town.

    Returns:
        Traps and incidents, those that need particular people first. Where there is room for all kinds, some come two
        or three times, in an order of their own.
    """
    return [*_chosen(rng, TRAPS, round(staff * _TRAPS)), *_chosen(rng, INCIDENTS, round(staff * _INCIDENTS))]


def _chosen(rng: Random, library: Sequence[Plot], room: int) -> list[Plot]:
    room = max(_LEAST, room)
    again = [plot for plot in library for chance in (_AGAIN, _AGAIN**2) if rng.random() < chance]
    rng.shuffle(again)
    return [*library, *again][:room]
