"""D2, D6: `kill -9` at every write boundary. What was acknowledged is there, nothing is there twice."""

# ruff: noqa: S311 - cases bear their names in security.md; chance, not secrecy

import random
from collections import Counter
from collections.abc import Callable

from lives import KILLED, LONG, Hospital
from senders import DESK, DOOR, PIPE, Parcel, mixed, numbered

_SAMPLE = 6
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


def test_what_is_sent_in_peace(lives: Hospital) -> None:
    town, parcels = lives.fresh("peace"), mixed()
    assert town.live(parcels)[0] == 0
    assert len(town.acknowledged()) == len(parcels)
    found = town.check(parcels)
    assert len(found["book"]) == len(parcels)
    assert town.check(parcels) == found, "a further life changes nothing"


def test_D2_killed_at_every_write_boundary(lives: Hospital, record_property: Callable[[str, object], None]) -> None:
    parcels = mixed()
    status, said = lives.fresh("counted").live(parcels)
    assert status == 0
    points = _sample(said["passed"], said["opened"])
    for die_at in points:
        town = lives.fresh("killed")
        try:
            assert town.live(parcels, die_at=die_at)[0] == KILLED
            town.check(parcels)
        except AssertionError as error:
            error.add_note(f"killed at boundary {die_at} of {len(said['passed'])}: {said['passed'][die_at - 1]}")
            raise
        town.forget()
    record_property("crash points", len(points))


def test_D2_killed_again_while_it_recovers(lives: Hospital) -> None:
    parcels = mixed()
    for _ in range(25 if LONG else 1):
        town, deaths = lives.fresh("again"), []
        for _ in range(3):
            deaths.append(random.randint(20, 250))
            town.live(town.unheard(parcels), die_at=deaths[-1])
        try:
            town.check(parcels)
        except AssertionError as error:
            error.add_note(f"killed at the boundaries {deaths} of one life after the other")
            raise
        town.forget()


def test_D6_killed_at_any_moment_while_many_send(lives: Hospital) -> None:
    """The engine, too, dies in the middle of an insert here; senders and writer are threads."""
    parcels = mixed() + [
        Parcel(f"crowd {source} {n}", source, b"".join(raw + b"\n" for raw in numbered(f"c{n}", 300)))
        for source in (DESK, DOOR, PIPE)
        for n in range(12)
    ]
    for _ in range(25 if LONG else 1):
        town, moment = lives.fresh("crowd"), random.uniform(0.3, 1.5)
        town.live(parcels, after=moment, threads=True)
        try:
            town.check(parcels)
        except AssertionError as error:
            error.add_note(f"killed after {moment} seconds")
            raise
        town.forget()
