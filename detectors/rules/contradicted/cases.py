"""Stories that this detector must and must not find."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from detectors.cases import case, weekdays_before
from detectors.windows.stories import looks_at, open_cases, ordinary_days

__all__ = ["CASES"]

_DAY = date(2026, 10, 30)
_PAST = weekdays_before(_DAY, 4)
_TOWN = open_cases()
_STRANGERS = [f"x-{number:03d}" for number in (17, 480, 93, 702, 255)]
_MARKED = open_cases(subjects=[{"subject_id": "x-017", "flags": "protected"}])
_KIN = open_cases(
    staff=[{"staff_id": "s1", "org_unit": "hoken-nenkin/shikaku", "subject_id": "m-1"}],
    subjects=[
        {"subject_id": "m-1", "household_id": "h-1", "name_key": "n-9"},
        {"subject_id": "x-017", "household_id": "h-2", "name_key": "n-9"},
    ],
)
_CLOSED = open_cases(60, more=["q-1"])


def _usual(**more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any field
    return ordinary_days([*_PAST, _DAY], "s1", "s2", "s3", **more)


CASES = (
    # To be found.
    case(
        "one case for five households",
        _DAY,
        _usual(),
        looks_at(_DAY, "s1", _STRANGERS, case_id="c-k-0001"),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "two households, with cases of others",
        _DAY,
        _usual(),
        looks_at(_DAY, "s1", _STRANGERS[:1], case_id="c-k-0001"),
        looks_at(_DAY, "s1", _STRANGERS[1:2], at="15:20", case_id="c-k-0002"),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "one, of a protected resident",
        _DAY,
        _usual(),
        looks_at(_DAY, "s1", ["x-017"], case_id="c-k-0001"),
        finds=["s1"],
        given=_MARKED,
    ),
    case(
        "one, of a namesake, by night",
        _DAY,
        _usual(),
        looks_at(_DAY, "s1", ["x-017"], at="21:40", case_id="c-k-0001"),
        finds=["s1"],
        given=_KIN,
    ),
    case(
        "another unit's cases",
        _DAY,
        _usual(),
        ordinary_days(_PAST, "t1", "t2", unit="zeimu/shuno", people=20, first=31, activity="update"),
        (
            look
            for n in range(1, 4)
            for look in looks_at(_DAY, "t1", [f"k-{n:04d}"], unit="zeimu/shuno", at=f"1{n}:00", case_id=f"c-k-{n:04d}")
        ),
        finds=["t1"],
        given=_TOWN,
    ),
    case(
        "printed as well",
        _DAY,
        _usual(),
        looks_at(_DAY, "s1", _STRANGERS[:2], case_id="c-k-0001"),
        looks_at(_DAY, "s1", _STRANGERS[:2], at="14:02", case_id="c-k-0001", activity="print"),
        finds=["s1"],
        given=_TOWN,
    ),
    # To be left alone.
    case("an ordinary day", _DAY, _usual(), given=_TOWN),
    case("one number mistyped", _DAY, _usual(), looks_at(_DAY, "s1", _STRANGERS[:1], case_id="c-k-0001"), given=_TOWN),
    case("no case is cited", _DAY, _usual(), looks_at(_DAY, "s1", _STRANGERS), given=_TOWN),
    case("a case that is not on record", _DAY, _usual(), looks_at(_DAY, "s1", _STRANGERS, case_id="c-9"), given=_TOWN),
    case("a wrong number, and the right case as well", _DAY, _usual(case_id="c-k-0060"), given=_TOWN),
    case(
        "the wrong number, but the record was changed",
        _DAY,
        _usual(),
        looks_at(_DAY, "s1", _STRANGERS, case_id="c-k-0001", activity="update"),
        given=_TOWN,
    ),
    case(
        "a unit that leaves the last case open on the screen",
        _DAY,
        _usual(),
        ordinary_days(_PAST, "s2", "s3", first=201, people=10, case_id="c-k-0001"),
        looks_at(_DAY, "s1", _STRANGERS[:2], case_id="c-k-0001"),
        given=_TOWN,
    ),
)
