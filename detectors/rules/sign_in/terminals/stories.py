"""What the stories about terminals share: a small office and its habits."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from detectors.cases import act, clock, feeds, weekdays_before

__all__ = [
    "CASES_OF_THE_DAY",
    "DAY",
    "DESKS",
    "LEVY",
    "OFFICE",
    "REGISTER",
    "at_desks",
    "every_day",
    "named_case",
    "posts",
    "terminal",
]

DAY = date(2026, 10, 7)
REGISTER, LEVY = "shimin/madoguchi", "zeimu/fuka"
_UNITS = {"s1": REGISTER, "s2": REGISTER, "s3": REGISTER, "s4": LEVY, "s5": LEVY, "s6": LEVY}
DESKS = {actor: f"T-000{actor[1:]}" for actor in _UNITS}


def posts(*actors: str) -> list[dict[str, str]]:
    """The directory's rows of some people, of all without any."""
    return [
        {"staff_id": actor, "name": f"職員 {actor}", "org_unit": _UNITS[actor], "valid_from": "2020-04-01"}
        for actor in actors or _UNITS
    ]


def terminal(terminal_id: str, unit: str, kind: str = "desk", site: str = "honcho") -> dict[str, str]:
    """A registered terminal."""
    return {"terminal_id": terminal_id, "org_unit": unit, "site": site, "kind": kind}


_ALL = [terminal(desk, _UNITS[actor]) for actor, desk in DESKS.items()]


def named_case(*rows: Mapping[str, str], **more: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The directory, the desks, further terminals, further feeds."""
    return feeds(staff=posts(), terminals=[*_ALL, *rows], **more)


OFFICE = named_case()


def every_day(actor: str, *places: str) -> Iterator[dict[str, Any]]:
    """A week at the own desk, or elsewhere."""
    for day in weekdays_before(DAY, 5):
        for number, place in enumerate(places or (DESKS[actor],)):
            yield act(clock(day, f"09:{10 + number}"), actor, "login", terminal={"id": place})


def at_desks() -> list[dict[str, Any]]:
    """A week of everybody at their own desk, and their morning; each look-up of the day is on a case."""
    before = [event for actor in DESKS for event in every_day(actor)]
    morning = [
        act(
            clock(DAY, f"09:0{number}"),
            actor,
            terminal={"id": desk},
            subjects=[f"k-9{number}{again}"],
            case_id=f"c-{number}{again}",
        )
        for number, (actor, desk) in enumerate(DESKS.items())
        for again in range(2)
    ]
    return [*before, *morning]


CASES_OF_THE_DAY = [
    {
        "case_id": f"c-{number}{again}",
        "subject_id": f"k-9{number}{again}",
        "org_unit": _UNITS[actor],
        "kind": "reception",
        "opened_at": "2026-10-06",
    }
    for number, actor in enumerate(_UNITS)
    for again in range(2)
]
