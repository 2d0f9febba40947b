"""Stories that these detectors must and must not find."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from detectors.cases import case, feeds
from detectors.rules.stories import DAY, UNIT, block, list_work, look, resident, staff, ticket

__all__ = ["CROWD", "RETURNS"]

_UNITS = ("zeimu/shuno", "kaigo/nintei", UNIT, "shimin/madoguchi")
_PEOPLE = [staff(f"s{number}", unit=_UNITS[number % 4]) for number in range(8)]
_TOWN = feeds(staff=_PEOPLE, subjects=[resident("r-1", "h-1"), resident("r-2", "h-1"), resident("r-9")])
_WEEK = [DAY - timedelta(days=back) for back in (6, 5, 4, 3)]


def _all(
    number: int,
    *subjects: str,
    first: int = 0,
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """So many people look at residents."""
    for person in range(first, first + number):
        yield from look(f"s{person}", *subjects, **more)


def _noticed(flag: str) -> dict[str, str]:
    return feeds(staff=_PEOPLE, subjects=[resident("r-1", flags=flag)])


_TICKETS = {**_TOWN, **feeds(cases=[ticket("r-1", unit, number=f"c-{unit}") for unit in _UNITS])}
_INSTITUTION = feeds(staff=_PEOPLE, subjects=[resident(f"q-{number}", "h-1") for number in range(12)])

CROWD = (
    # To be found.
    case("seven people in a day", DAY, _all(7, "r-1"), finds=["r-1"], given=_TOWN),
    case("four people in a day", DAY, _all(4, "r-1"), finds=["r-1"], given=_TOWN),
    case("one a day, and today the fifth", DAY, *(look(f"s{n}", "r-1", day=day) for n, day in enumerate(_WEEK)),
         look("s4", "r-1"), finds=["r-1"], given=_TOWN),
    case("of one household, some this one, some that one", DAY, _all(3, "r-1"), _all(2, "r-2", first=3), finds=["r-1"],
         given=_TOWN),
    case("three people and a public figure", DAY, _all(3, "r-1"), finds=["r-1"], given=_noticed("vip")),
    case("three people and somebody under protection", DAY, _all(3, "r-1"), finds=["r-1"],
         given=_noticed("protected")),
    case("one of them has a case", DAY, _all(7, "r-1"), finds=["r-1"],
         given={**_TOWN, **feeds(cases=[ticket("r-1", assignee="s2")])}),
    # To be left alone.
    case("three people", DAY, _all(3, "r-1"), given=_TOWN),
    case("every section has a case of theirs", DAY, _all(7, "r-1"), given=_TICKETS),
    case("one person, again and again", DAY, *(look("s1", "r-1", at=f"1{n}:00") for n in range(5)), given=_TOWN),
    case("a care home", DAY, *(look(f"s{n % 8}", f"q-{n}", at=f"10:{n:02d}") for n in range(12)), given=_INSTITUTION),
    case("as many as every week", DAY,
         *(_all(6, "r-1", day=DAY - timedelta(days=back)) for back in (21, 14, 7)), _all(6, "r-1"), given=_TOWN),
    case("a crowd last month, one person today", DAY, _all(7, "r-1", day=DAY - timedelta(days=25)), look("s1", "r-1"),
         given=_TOWN),
    case("the crowd was yesterday, one of them comes back", DAY, _all(7, "r-1", day=DAY - timedelta(days=3)),
         look("s1", "r-1"), given=_TOWN),
    case("sections whose cases are not delivered", DAY,
         *(_all(8, f"q-{n:03d}", at=f"10:{n:02d}") for n in range(30)), _all(7, "r-1", at="14:00"),
         given=feeds(staff=_PEOPLE, subjects=[*block(30), resident("r-1")])),
)  # fmt: skip

_KIN = feeds(staff=[staff("s1", "r-2")], subjects=[resident("r-1", "h-1"), resident("r-2", "h-1")])
_WEEKLY = [DAY - timedelta(days=7 * back) for back in (3, 2, 1)]
_CASE_OF_ONCE = [ticket("r-1", closed="2026-08-20T12:00:00+09:00")]

RETURNS = (
    # To be found.
    case("once a week", DAY, *(look("s1", "r-1", day=day) for day in _WEEKLY), look("s1", "r-1"), finds=["s1"],
         given=_TOWN),
    case("three days within four weeks", DAY, *(look("s1", "r-1", day=day) for day in _WEEKLY[:2]), look("s1", "r-1"),
         finds=["s1"], given=_TOWN),
    case("every other day", DAY, *(look("s1", "r-1", day=day) for day in _WEEK[::2]), look("s1", "r-1"), finds=["s1"],
         given=_TOWN),
    case("the household, one member after the other", DAY, *(look("s1", "r-1", day=day) for day in _WEEKLY),
         look("s1", "r-2"), finds=["s1"], given=_TOWN),
    case("long after the case was closed", DAY, *(look("s1", "r-1", day=day) for day in _WEEKLY), look("s1", "r-1"),
         finds=["s1"], given={**_TOWN, **feeds(cases=_CASE_OF_ONCE)}),
    case("residents unknown", DAY, *(look("s1", "r-1", day=day) for day in _WEEKLY), look("s1", "r-1"), finds=["s1"],
         given=feeds(staff=_PEOPLE)),
    # To be left alone.
    case("twice", DAY, look("s1", "r-1", day=_WEEKLY[0]), look("s1", "r-1"), given=_TOWN),
    case("a case of the unit", DAY, *(look("s1", "r-1", day=day) for day in _WEEKLY), look("s1", "r-1"),
         given=_TICKETS),
    case("somebody else every week", DAY,
         *(look("s1", f"q-{n}", day=day) for n, day in enumerate(_WEEKLY)), look("s1", "q-9"), given=_TOWN),
    case("a colleague each week", DAY, *(look(f"s{n}", "r-1", day=day) for n, day in enumerate(_WEEKLY)),
         look("s6", "r-1"), given=_TOWN),
    case("again and again on one day", DAY, *(look("s1", "r-1", at=f"1{n}:00") for n in range(5)), given=_TOWN),
    case("their own household is another matter", DAY, *(look("s1", "r-1", day=day) for day in _WEEKLY),
         look("s1", "r-1"), given=_KIN),
    case("approved today, and twice before", DAY, *(look("s1", "r-1", day=day) for day in _WEEKLY[:2]),
         look("s1", "r-1"), given={**_TOWN, **feeds(approvals=[list_work("s1")])}),
    case("a unit whose cases are not delivered", DAY,
         *(look("s1", *(f"q-{n:03d}" for n in range(30)), day=day) for day in _WEEKLY),
         look("s1", *(f"q-{n:03d}" for n in range(30))), given=feeds(staff=_PEOPLE)),
)  # fmt: skip
