"""Stories that this detector must and must not find."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from detectors.cases import case, weekdays_before
from detectors.windows.stories import UNIT, looks_at, open_cases, ordinary_days

__all__ = ["CASES"]

_DAY = date(2026, 10, 30)
_PAST = weekdays_before(_DAY, 4)
_UNIT_S = ("s1", "s2", "s3")
_TOWN = open_cases()
_STRANGERS = [f"x-{number:03d}" for number in (17, 480, 93, 702, 255, 31, 868, 140, 599)]
_FAMILY = [f"f-{number}" for number in range(6)]
_LIST = open_cases(
    approvals=[
        {
            "approval_id": "a-1",
            "kind": "time_window",
            "staff_id": "s1",
            "approved_by": "s9",
            "source": "atena",
            "valid_from": "2026-10-30",
            "valid_to": "2026-10-30",
        }
    ]
)
_PRACTICE = open_cases(
    approvals=[
        {
            "approval_id": "a-2",
            "kind": "time_window",
            "staff_id": "s1",
            "approved_by": "s9",
            "valid_from": "2026-10-30T08:30:00+09:00",
            "valid_to": "2026-10-30T17:15:00+09:00",
            "note": "研修",
        }
    ]
)


def _usual() -> Iterator[dict[str, Any]]:
    return ordinary_days([*_PAST, _DAY], *_UNIT_S)


CASES = (
    # To be found.
    case(
        "eight strangers in an ordinary day",
        _DAY,
        _usual(),
        looks_at(_DAY, "s1", _STRANGERS[:8]),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "a few in each of three systems",
        _DAY,
        _usual(),
        looks_at(_DAY, "s1", _STRANGERS[:3]),
        looks_at(_DAY, "s1", _STRANGERS[3:6], source="atena"),
        looks_at(_DAY, "s1", _STRANGERS[6:], source="resident-register"),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "a case is cited that is another household's",
        _DAY,
        _usual(),
        looks_at(_DAY, "s1", _STRANGERS[:8], case_id="c-k-0001"),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "somebody without a past, in a unit that has one",
        _DAY,
        ordinary_days([*_PAST, _DAY], "s2", "s3"),
        looks_at(_DAY, "s1", _STRANGERS[:6]),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "five in the evening",
        _DAY,
        _usual(),
        looks_at(_DAY, "s1", _STRANGERS[:5], at="20:10", every=3),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "slips are usual, so many are not",
        _DAY,
        _usual(),
        (look for day in _PAST for look in looks_at(day, "s2", [f"y-{day.day}"], every=1)),
        looks_at(_DAY, "s1", _STRANGERS[:7]),
        finds=["s1"],
        given=_TOWN,
    ),
    # To be left alone.
    case("an ordinary day", _DAY, _usual(), given=_TOWN),
    case("three slips", _DAY, _usual(), looks_at(_DAY, "s1", _STRANGERS[:3]), given=_TOWN),
    case("a town that delivers no cases", _DAY, _usual(), looks_at(_DAY, "s1", _STRANGERS[:8])),
    case(
        "a unit whose work is half on record",
        _DAY,
        ordinary_days([*_PAST, _DAY], *_UNIT_S, first=46),
        looks_at(_DAY, "s1", _STRANGERS[:4]),
        given=_TOWN,
    ),
    case(
        "somebody whose work is never on record",
        _DAY,
        ordinary_days([*_PAST, _DAY], "s2", "s3"),
        ordinary_days([*_PAST, _DAY], "s1", first=101, people=8),
        given=_TOWN,
    ),
    case(
        "one family of six, opened by mistake",
        _DAY,
        _usual(),
        looks_at(_DAY, "s1", _FAMILY, every=1),
        given=open_cases(subjects=[{"subject_id": key, "household_id": "h-6"} for key in _FAMILY]),
    ),
    case("list work that was approved", _DAY, _usual(), looks_at(_DAY, "s1", _STRANGERS, source="atena"), given=_LIST),
    case(
        "each look ends in a change of the record",
        _DAY,
        _usual(),
        looks_at(_DAY, "s1", _STRANGERS),
        looks_at(_DAY, "s1", _STRANGERS, at="14:02", activity="update"),
        given=_TOWN,
    ),
    case(
        "practising in time that was approved for it",
        _DAY,
        ordinary_days([*_PAST, _DAY], "s2", "s3"),
        looks_at(_DAY, "s1", _STRANGERS, at="09:10"),
        given=_PRACTICE,
    ),
    case("the first day of all", _DAY, looks_at(_DAY, "s1", _STRANGERS[:8], unit=UNIT), given=_TOWN),
)
