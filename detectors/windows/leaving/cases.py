"""Stories of last weeks at work."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from detectors.cases import act, case, clock, feeds, weekdays_before
from detectors.rules.outputs.stories import DAY, UNIT, approval, output, staff

__all__ = ["CASES"]

_DAYS = weekdays_before(DAY, 4)
_KEYS = [f"x-{number:02d}" for number in range(1, 13)]
_WORK = [f"w-{number:02d}" for number in range(1, 25)]
_LEAVES = [*staff("s1", valid_to="2026-10-16"), *staff("s2", "s9")]
_GIVEN = feeds(staff=_LEAVES)
_SUBJECTS = [{"subject_id": key, "household_id": f"h-{key}"} for key in (*_KEYS, *_WORK)]
_CASES = [
    {
        "case_id": f"c-{key}",
        "source": "local-tax",
        "subject_id": key,
        "org_unit": UNIT,
        "kind": "application",
        "opened_at": "2026-08-03T09:00:00+09:00",
    }
    for key in _WORK
]
_CASEWORK = feeds(staff=_LEAVES, subjects=_SUBJECTS, cases=_CASES)


def _more_each_day(person: str = "s1", **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for number, day in enumerate((*reversed(_DAYS), DAY), start=1):
        yield output(person, 40 * number, day, **more)


def _looks(person: str, keys: list[str], day: date = DAY) -> Iterator[dict[str, Any]]:
    for number, key in enumerate(keys):
        yield act(
            clock(day, "10:00") + timedelta(minutes=number), person, subjects=[key], source="local-tax", unit=UNIT
        )


_USUAL = [*_looks("s1", _WORK[:6], _DAYS[0]), *_looks("s1", _WORK[:6], _DAYS[1]), *_looks("s2", _WORK)]

CASES = (
    case("more every day", DAY, _more_each_day(), finds=["s1"], given=_GIVEN),
    case(
        "small lists, and they go to a stick",
        DAY,
        output("s1", 40, _DAYS[0], to="usb"),
        output("s1", 30, to="usb"),
        finds=["s1"],
        given=_GIVEN,
    ),
    case("one large list", DAY, output("s1", 4000), finds=["s1"], given=_GIVEN),
    case(
        "fetched and exported by turns",
        DAY,
        output("s1", 70, _DAYS[1]),
        output("s1", 90, activity="download"),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "looked up one after the other without a case", DAY, _USUAL, _looks("s1", _KEYS), finds=["s1"], given=_CASEWORK
    ),
    case(
        "the contract ends, and no other follows",
        DAY,
        _more_each_day(),
        finds=["s1"],
        given=feeds(
            staff=[
                *staff("s1", valid_to="2026-03-31"),
                *staff("s1", valid_from="2026-04-01", valid_to="2026-10-31", employment="fixed_term"),
            ]
        ),
    ),
    # To be left alone.
    case("somebody who stays", DAY, _more_each_day("s2"), given=_GIVEN),
    case(
        "transferred, not leaving",
        DAY,
        _more_each_day(),
        given=feeds(
            staff=[*staff("s1", valid_to="2026-10-16"), *staff("s1", unit="zeimu/shuno", valid_from="2026-10-17")]
        ),
    ),
    case("leaves next spring", DAY, _more_each_day(), given=feeds(staff=staff("s1", valid_to="2027-03-31"))),
    case(
        "the hand-over was approved",
        DAY,
        _more_each_day(),
        given=feeds(staff=_LEAVES, approvals=[approval("s1", valid_from="2026-09-01", valid_to="2026-10-16")]),
    ),
    case(
        "the weekly list as ever",
        DAY,
        [output("s1", 120, DAY - timedelta(days=7 * week)) for week in range(4)],
        given=_GIVEN,
    ),
    case("one small list", DAY, output("s1", 40), given=_GIVEN),
    case("a day's work with its cases", DAY, _USUAL, _looks("s1", _WORK), given=_CASEWORK),
    case("two without a case", DAY, _USUAL, _looks("s1", _KEYS[:2]), given=_CASEWORK),
    case("has already left", DAY, _more_each_day(), given=feeds(staff=staff("s1", valid_to="2026-09-11"))),
)
