"""Case E14 of the security review: many small look-ups, each day below every threshold, over weeks."""

import random
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from detectors.cases import feeds, weekdays_before
from detectors.registry import DETECTORS
from detectors.rules.stories import look, resident, staff
from detectors.windows.stories import UNIT, looks_at, open_cases, ordinary_days

MakeTown = Callable[[Any, Mapping[str, str]], Any]
DAY = date(2026, 10, 30)
DAYS = [*weekdays_before(DAY, 19)[::-1], DAY]
"""Four weeks of working days."""
HONEST = [f"h{number:02d}" for number in range(12)]


def named(town: Any, day: date) -> dict[str, set[str]]:
    """Who is named by which detectors."""
    return {name: {d.entity for d in town.judge(one, day)} for name, one in DETECTORS.items()}


def test_E14_somebody_who_takes_a_little_each_day_is_found_by_the_sum(town: MakeTown) -> None:
    """Six people at six rates, among twelve with a slip now and then: at least five of them are found in four weeks."""
    chance = random.Random(14)  # noqa: S311 - the same town in every run
    rates = {"p1": (1.0, 1), "p2": (0.8, 1), "p3": (0.6, 2), "p4": (0.4, 2), "p5": (0.5, 2), "p6": (0.9, 1)}
    events, days_of = list(ordinary_days(DAYS, *HONEST, *rates, people=10)), {}
    for person, (share, most) in rates.items():
        days_of[person] = [day for day in DAYS[:-1] if chance.random() < share] + [DAY]
        for day in days_of[person]:
            strangers = [f"{person}-{day:%m%d}-{n}" for n in range(chance.randint(1, most))]
            events += looks_at(day, person, strangers, at="15:10")
    for person in HONEST:
        for day in chance.sample(DAYS, 1):
            events += looks_at(day, person, [f"{person}-slip"], at="15:10")
    given = open_cases()
    whole = town(events, given)
    serial = DETECTORS["serial-look-ups"]
    found = {draft.entity for day in DAYS[4:] for draft in whole.judge(serial, day)}
    assert len(found & rates.keys()) >= 5, found
    assert found <= rates.keys(), "nobody is found for a slip"
    alone = town([event for event in events if event["time"].startswith(str(DAY))], given)
    assert not any(people & rates.keys() for people in named(alone, DAY).values()), "a day by itself shows nothing"


def test_E14_a_resident_whom_many_look_at_a_little_is_found_by_target(town: MakeTown) -> None:
    units = ("zeimu/shuno", "kaigo/nintei", UNIT, "shimin/madoguchi")
    given = feeds(
        staff=[staff(f"s{n}", unit=units[n % 4]) for n in range(8)], subjects=[resident("r-1"), resident("r-9")]
    )
    one_a_day = {day: f"s{n}" for n, day in enumerate(DAYS[-5:])}
    events = [event for day, person in one_a_day.items() for event in look(person, "r-1", day=day)]
    crowd = DETECTORS["crowd-on-one-resident"]
    assert {draft.entity for draft in town(events, given).judge(crowd, DAY)} == {"r-1"}
    for day, person in one_a_day.items():
        assert town(look(person, "r-1", day=day), given).judge(crowd, day) == []


def test_E14_one_resident_once_a_week_by_the_same_person_is_found(town: MakeTown) -> None:
    given = feeds(staff=[staff("s1")], subjects=[resident("r-1"), resident("r-9")])
    events = [event for day in DAYS[4::5] for event in look("s1", "r-1", day=day)]
    again = DETECTORS["repeated-resident"]
    last = DAYS[4::5][-1]
    assert {draft.entity for draft in town(events, given).judge(again, last)} == {"s1"}
    assert town(look("s1", "r-1", day=last), given).judge(again, last) == []
