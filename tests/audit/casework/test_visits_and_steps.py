"""Counting look-ups by visits and by steps from number to number."""

from datetime import date, timedelta

import pytest
from looks import DAY, MakeDesk, act

from audit.casework import LookUpDimension, LookUpFilter, LookUpMeasure, Result

NEXT = DAY + timedelta(days=1)
HOMES = "subject_id,household_id\nr-100,h1\nr-101,h1\nr-102,h2\n"


def _count(town: object, measure: LookUpMeasure, *, end: date = NEXT, results: tuple[str, ...] = ()) -> dict[str, int]:
    wanted = LookUpFilter(start=DAY, end=end, results=results)
    rows = town.casework.aggregate(wanted, (LookUpDimension.ACTOR,), (measure,))  # type: ignore[attr-defined]  # a Desk
    return {row["actor"]: int(row[measure]) for row in rows}


def test_a_visit_is_one_household_of_a_person_and_a_day(desk: MakeDesk) -> None:
    town = desk()
    town.feed("subjects", HOMES)
    town.take_in(
        [
            act("10:00", "s1", "r-100"),
            act("10:05", "s1", "r-101"),  # the same family
            act("10:06", "s1", "r-102", source="atena"),
            act("10:07", "s1", "r-102"),  # in another system
            act("10:00", "s2", "r-100"),
            act("10:00", "s1", "r-100", on=NEXT),
        ]
    )
    town.casework.make(DAY, NEXT)
    assert _count(town, LookUpMeasure.VISITS) == {"s1": 2, "s2": 1}
    assert _count(town, LookUpMeasure.VISITS, end=NEXT + timedelta(days=1)) == {"s1": 3, "s2": 1}
    assert _count(town, LookUpMeasure.VISITS, results=(Result.MATCHED,)) == {}


@pytest.mark.parametrize(
    ("looks", "steps"),
    [
        ([("10:00", "r-200"), ("10:01", "r-201"), ("10:02", "r-202")], 2),
        ([("10:00", "r-202"), ("10:01", "r-201")], 1),  # downward
        ([("10:00", "0000123451"), ("10:01", "0000123469")], 1),  # a check digit stands last
        ([("10:00", "r-200"), ("10:01", "r-221")], 0),  # not near
        ([("10:00", "r-200"), ("10:11", "r-201")], 0),  # not soon
        ([("10:00", "r-100"), ("10:01", "r-101")], 0),  # one family
        ([("10:00", "abc"), ("10:01", "abd")], 0),  # no numbers
        ([("10:00", "r-200"), ("10:01", "r-900"), ("10:02", "r-201")], 0),  # somebody else in between
    ],
)
def test_a_step_leads_to_the_next_number_of_another_household(
    desk: MakeDesk, looks: list[tuple[str, str]], steps: int
) -> None:
    town = desk()
    town.feed("subjects", HOMES)
    town.take_in([act(at, "s1", subject) for at, subject in looks])
    town.casework.make(DAY, DAY)
    assert _count(town, LookUpMeasure.STEPS) == {"s1": steps}


def test_one_screen_full_of_people_is_no_step(desk: MakeDesk) -> None:
    town = desk()
    town.take_in([{**act("10:00", "s1", "r-200"), "subjects": ["r-200", "r-201", "r-202"]}])
    town.casework.make(DAY, DAY)
    assert _count(town, LookUpMeasure.STEPS) == {"s1": 0}


def test_steps_of_two_people_are_not_mixed_up(desk: MakeDesk) -> None:
    town = desk()
    town.take_in([act("10:00", "s1", "r-200"), act("10:01", "s2", "r-201")])
    town.casework.make(DAY, DAY)
    wanted = LookUpFilter(start=DAY, end=NEXT)
    assert town.casework.aggregate(wanted, (), (LookUpMeasure.STEPS,)) == [{"steps": 0}]


def test_what_was_found_by_name_can_be_counted_alone(desk: MakeDesk) -> None:
    town = desk()
    town.take_in(
        [
            act("10:00", "s1", "r-1", query={"by": "name", "hits": 1}),
            act("10:01", "s1", "r-2", query={"by": "number", "hits": 1}),
            act("10:02", "s2", "r-3"),
        ]
    )
    town.casework.make(DAY, DAY)
    wanted = LookUpFilter(start=DAY, end=NEXT, by_name=True)
    found = town.casework.aggregate(wanted, (LookUpDimension.ACTOR,), (LookUpMeasure.VISITS,), {})
    assert found == [{"actor": "s1", "visits": 1}]
