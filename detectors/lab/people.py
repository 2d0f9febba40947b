"""Who works in the town: posts and those who hold them, transfers, leavers and joiners.

Staff have neutral names made of their number.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import TypedDict

from detectors.lab.model import Person, Section
from detectors.lab.residents import Residents
from detectors.lab.sections import SECTIONS, SYSTEMS_UNIT, TECHNICIANS

__all__ = ["hire", "move_people"]

_FACTORS = (("password", "palm_vein"), ("password", "totp"))
_PART_TIME = "会計年度任用職員"
_SPARE = 5000
"""Desks from this number on stand empty until somebody moves to them."""


def _sizes(staff: int) -> list[int]:
    """Largest remainders, so that any number of staff is spread over the sections without loss."""
    total = sum(section.share for section in SECTIONS)
    exact = [staff * section.share / total for section in SECTIONS]
    sizes = [int(share) for share in exact]
    by_need = sorted(range(len(SECTIONS)), key=lambda i: (sizes[i] > 0, i > 2, sizes[i] - exact[i]))
    for index in range(staff - sum(sizes)):
        sizes[by_need[index % len(by_need)]] += 1
    return sizes


def hire(rng: Random, *, staff: int, start: date, residents: Residents) -> list[Person]:
    """Fill the town hall.

    Args:
        rng: randomness of its own.
        staff: municipal staff; contractors come on top, one in the smallest town.
        start: the first simulated day; everybody was there before.
        residents: whoever lives in the town is the first of a household flagged `staff`.
    """
    people: list[Person] = []
    head = ""
    # Numbers have gaps, as people leave; sorted, so that seniority reads like it does in a real list.
    numbers = iter(sorted(rng.sample(range(101, 1000 + 4 * staff), staff)))
    for section, size in zip(SECTIONS, _sizes(staff), strict=True):
        chief = ""
        for seat in range(size):
            fixed_term = seat > 1 and rng.random() < 0.2
            home = residents.homes[len(people)]
            person = Person(
                id=f"s{next(numbers):04}",
                section=section,
                post="係長" if not chief else (_PART_TIME if fixed_term else "主事"),
                employment="fixed_term" if fixed_term else "regular",
                manager=chief or head,
                **_desk(section, seat),
                # A chief decides more than looks up.
                pace=rng.uniform(*section.looks) * (1.0 if chief else 0.6),
                factors=_FACTORS[rng.random() < 0.25],
                since=start - timedelta(days=rng.randint(60, 3000)),
                until=start + timedelta(days=365) if fixed_term else None,
                resident=home[0] if "staff" in residents.by_id[home[0]].flags else "",
            )
            people.append(person)
            chief = chief or person.id
            head = head or person.id
    host = next((p.id for p in people if p.section is TECHNICIANS), head)
    people += [
        Person(
            id=f"c{number:04}",
            section=TECHNICIANS,
            post="保守委託先",
            employment="contractor",
            manager=host,
            terminal=f"T-90{number:04}",
            address=f"10.9.20.{10 + number}",
            pace=0.0,
            factors=("password",),
            since=start - timedelta(days=200),
            until=start + timedelta(days=365),
        )
        for number in range(1, 2 + (staff >= 20) + staff // 75)
    ]
    return people


def move_people(rng: Random, people: Sequence[Person], days: Sequence[date]) -> list[Person]:
    """What personnel decide for the firsts of months within the span: on 1 April much, else little.

    Chiefs, technicians and contractors stay. Whoever is transferred gets a terminal at the new desk, whoever joins
    the one of whoever left; a few change desks within their section.
    """
    posts = list(people)
    for day in days[1:]:
        if day.day != 1 or len(people) < 25:
            continue
        share = 0.2 if day.month == 4 else 0.025
        movable = [
            place
            for place, person in enumerate(posts)
            if person.pace and person.post == "主事" and person.until is None and person.since < day
        ]
        rng.shuffle(movable)
        count = max(2, round(share * len(posts)))
        _transfer(rng, posts, movable[:count], day)
        _move_desks(posts, movable[-2:], day)
        _replace_leavers(posts, movable[count : count + max(1, count // 3)], day)
    return posts


def _transfer(rng: Random, posts: list[Person], places: Sequence[int], day: date) -> None:
    """Desks rotate: everybody goes to the desk of the next one of another section."""
    chiefs = {person.section.unit: person.id for person in posts if person.post == "係長"}
    by_unit: dict[str, list[Section]] = defaultdict(list)
    desks: dict[str, int] = defaultdict(int)
    for person in posts:
        by_unit[person.unit].append(person.section)
        desks[person.unit] += 1
    units = [unit for unit in by_unit if unit != SYSTEMS_UNIT]
    for place in places:
        old = posts[place]
        others = [unit for unit in units if unit != old.unit]
        if not others:
            continue
        section = by_unit[rng.choice(others)][0]
        posts[place] = replace(old, until=day - timedelta(days=1))
        posts.append(
            replace(
                old,
                section=section,
                manager=chiefs.get(section.unit, old.manager),
                # Learning the new work takes most of a month.
                pace=rng.uniform(*section.looks) * 0.8,
                since=day,
                **_desk(section, desks[section.unit]),
            )
        )
        desks[section.unit] += 1


def _move_desks(posts: list[Person], places: Sequence[int], day: date) -> None:
    """The same post at another desk: a row of its own, as the terminal is new."""
    for place in places:
        old = posts[place]
        if old.until is None:
            posts[place] = replace(old, until=day - timedelta(days=1))
            posts.append(replace(old, since=day, **_desk(old.section, _SPARE + place)))


def _replace_leavers(posts: list[Person], places: Sequence[int], day: date) -> None:
    last = max(int(person.id[1:]) for person in posts if person.kind == "staff")
    for number, place in enumerate(places, start=1):
        old = posts[place]
        posts[place] = replace(old, until=day - timedelta(days=1))
        # Nobody who joins inherits the resident: they are somebody else.
        posts.append(replace(old, id=f"s{last + number:04}", since=day, until=None, resident="", pace=old.pace * 0.8))


class _Desk(TypedDict):
    terminal: str
    address: str


def _desk(section: Section, seat: int) -> _Desk:
    block = next(number for number, one in enumerate(SECTIONS, start=1) if one is section)
    network, host = divmod(seat, 200)
    return {"terminal": f"T-{block:02}{seat + 1:04}", "address": f"10.{3 + network}.{block}.{host + 11}"}
