"""D2, D6: `kill -9` at every write boundary. What was acknowledged is there, nothing is there twice."""

import random
from collections import Counter

import pytest
from lives import KILLED, LONG, Hospital, Town
from senders import Parcel, mixed

_SAMPLE = 12
"""Boundaries of the short form, one of each kind first."""


def _sample(passed: list[str], opened: int) -> list[int]:
    """Numbers of boundaries: all of them, or each kind once and some more."""
    every = list(range(1, len(passed) + 1))
    if LONG:
        return every
    chosen = list[int]()
    kinds = Counter[str]()
    order = random.sample(every[opened:], len(every) - opened)
    for rare in sorted(order, key=lambda n: passed.count(passed[n - 1])):
        if not kinds[passed[rare - 1]]:
            kinds[passed[rare - 1]] += 1
            chosen.append(rare)
    random.shuffle(chosen)
    return sorted(chosen[:_SAMPLE])


def _die_and_return(town: Town, parcels: list[Parcel], die_at: int) -> None:
    status, _ = town.live(parcels, die_at=die_at)
    assert status == KILLED
    status, _ = town.live(town.unheard(parcels))
    assert status == 0
    town.check(parcels)


def test_what_is_sent_in_peace(lives: Hospital) -> None:
    town, parcels = lives.fresh("peace"), mixed()
    assert town.live(parcels)[0] == 0
    assert len(town.acknowledged()) == len(parcels)
    found = town.check(parcels)
    assert len(found["book"]) == len(parcels)
    assert town.check(parcels) == found, "looking again changes nothing"


def test_D2_killed_at_every_write_boundary(lives: Hospital) -> None:
    parcels = mixed()
    status, said = lives.fresh("counted").live(parcels)
    assert status == 0
    points = _sample(said["passed"], said["opened"])
    for die_at in points:
        town = lives.fresh("killed")
        try:
            _die_and_return(town, parcels, die_at)
        except AssertionError as error:
            error.add_note(f"killed at boundary {die_at} of {len(said['passed'])}: {said['passed'][die_at - 1]}")
            raise
        town.forget()
