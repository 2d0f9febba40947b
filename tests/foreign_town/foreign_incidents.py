"""Planting: every kind once or twice, easy and hard in turn, each in a place of its own."""

from collections.abc import Callable

import foreign_leaks
import foreign_misuse
import foreign_peeping
from foreign_model import Town
from foreign_plot import Missing, Plot

__all__ = ["attempt", "plant"]

_DRAWS = 300


def plant(town: Town) -> None:
    """Plant every kind of incident: the first one hard or easy by chance, a second one, where drawn, the other."""
    plot = Plot(town)
    kinds = list(foreign_misuse.KINDS + foreign_leaks.KINDS + foreign_peeping.KINDS)
    scarce = [kind for kind in kinds if kind in _SCARCE]
    drawn = [(kind, town.rng.random() < 0.5) for kind in scarce + [one for one in kinds if one not in scarce]]
    for kind, hard in drawn:
        attempt(plot, kind, hard)
    for kind, hard in drawn:
        if kind not in _LONG and town.rng.random() < 0.4:
            attempt(plot, kind, not hard, needed=False)
    for kind in foreign_leaks.LOGS:
        attempt(plot, kind, town.rng.random() < 0.5)


_LONG = (foreign_peeping.curiosity, foreign_peeping.stalking, foreign_peeping.detective, foreign_leaks.drip)
_SCARCE = (
    *_LONG,
    foreign_peeping.own_household,
    foreign_peeping.own_record,
    foreign_peeping.neighbour,
    foreign_peeping.former_family,
    foreign_peeping.rare_namesake,
    foreign_leaks.staging,
    foreign_misuse.leaver,
    foreign_misuse.transferee,
    foreign_misuse.dormant,
    foreign_leaks.outside_window,
    foreign_leaks.contractor_copy,
    foreign_leaks.contractor_views,
)
"""Kinds that need somebody for long, or one of few: they choose first."""


def attempt(plot: Plot, kind: Callable[[Plot, bool], None], hard: bool, *, needed: bool = True) -> None:
    """Draw until it succeeds; what a draw that failed had begun is undone.

    Raises:
        Missing: naming the kind, when the town has no room for it and it is needed.
    """
    town = plot.town
    for _ in range(_DRAWS):
        acts, tickets = len(town.acts), len(town.tickets)
        rows = {name: len(feed) for name, feed in town.feeds.items()}
        try:
            kind(plot, hard)
        except Missing:
            del town.acts[acts:]
            for ticket in town.tickets[tickets:]:
                town.by_household[ticket.resident.household].remove(ticket)
            del town.tickets[tickets:]
            for name, length in rows.items():
                del town.feeds[name][length:]
        else:
            return
    if needed:
        raise Missing(f"{kind.__name__}: no room in a town of {town.size} people and {town.days} days")
