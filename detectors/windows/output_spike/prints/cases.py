"""Stories of prints and screen copies."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from detectors.cases import act, case, clock, feeds, weekdays_before
from detectors.rules.outputs.stories import DAY, UNIT, approval, staff

__all__ = ["CASES"]

_STAFF = staff("s1", "s2", "s3", "s4", "s5")
_WORK = [f"w-{number:02d}" for number in range(1, 41)]
_KEYS = [f"x-{number:02d}" for number in range(1, 31)]
_DAYS = weekdays_before(DAY, 6)


def _subject(key: str, **more: str) -> dict[str, str]:
    return {"subject_id": key, "household_id": f"h-{key}", **more}


def _ticket(key: str) -> dict[str, str]:
    return {
        "case_id": f"c-{key}",
        "source": "local-tax",
        "subject_id": key,
        "org_unit": UNIT,
        "kind": "application",
        "opened_at": "2026-08-03T09:00:00+09:00",
    }


_RESIDENTS = [_subject(key) for key in (*_WORK, *_KEYS)]
_GIVEN = feeds(staff=_STAFF, subjects=_RESIDENTS, cases=[_ticket(key) for key in _WORK])


def _sheets(
    person: str,
    keys: list[str],
    day: date = DAY,
    activity: str = "print",
    **more: Any,  # noqa: ANN401
) -> Iterator[dict[str, Any]]:
    for number, key in enumerate(keys):
        at = clock(day, f"{10 + number // 60}:{number % 60:02d}")
        yield act(at, person, activity, subjects=[key], **{"source": "local-tax", "unit": UNIT, **more})


_USUAL = [
    *[one for day in _DAYS for one in _sheets("s1", _WORK[:3], day, "view")],
    *_sheets("s1", _WORK[:3], _DAYS[0]),
    *_sheets("s2", _WORK, DAY, "view"),
]
"""A week of work with cases, and a colleague at work on the day."""
_PAPER = approval("s1", kind="print", max_rows="100")

CASES = (
    case("thirty residents, printed one by one", DAY, _USUAL, _sheets("s1", _KEYS), finds=["s1"], given=_GIVEN),
    case(
        "ten copies of the screen",
        DAY,
        _USUAL,
        _sheets("s1", _KEYS[:10], activity="screen_copy"),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "among a day's ordinary prints",
        DAY,
        _USUAL,
        _sheets("s1", _WORK[:10]),
        _sheets("s1", _KEYS[:10]),
        finds=["s1"],
        given=_GIVEN,
    ),
    case("somebody new", DAY, _USUAL, _sheets("s3", _KEYS[:12]), finds=["s3"], given=_GIVEN),
    case(
        "far above what is usual without any cases",
        DAY,
        [one for day in _DAYS for one in _sheets("s1", _KEYS[:3], day)],
        _sheets("s1", _KEYS[:26]),
        finds=["s1"],
    ),
    case(
        "approved for another system",
        DAY,
        _USUAL,
        _sheets("s1", _KEYS[:15]),
        finds=["s1"],
        given=feeds(
            staff=_STAFF,
            subjects=_RESIDENTS,
            cases=[_ticket(key) for key in _WORK],
            approvals=[_PAPER | {"source": "nhi-levy"}],
        ),
    ),
    # To be left alone.
    case("certificates with their applications", DAY, _USUAL, _sheets("s1", _WORK[:30]), given=_GIVEN),
    case("three without a case", DAY, _USUAL, _sheets("s1", _KEYS[:3]), given=_GIVEN),
    case(
        "an approved list",
        DAY,
        _USUAL,
        _sheets("s1", _KEYS),
        given=feeds(staff=_STAFF, subjects=_RESIDENTS, cases=[_ticket(key) for key in _WORK], approvals=[_PAPER]),
    ),
    case(
        "a counter that prints all day, where no cases are delivered",
        DAY,
        [one for day in _DAYS for one in _sheets("s1", _KEYS[:20], day)],
        _sheets("s1", _KEYS[:26]),
    ),
    case("looked at and not printed", DAY, _USUAL, _sheets("s1", _KEYS, activity="view"), given=_GIVEN),
    case("the same resident's papers, twenty sheets", DAY, _USUAL, _sheets("s1", _KEYS[:1] * 20), given=_GIVEN),
    case("refused by the printer", DAY, _USUAL, _sheets("s1", _KEYS, outcome="denied"), given=_GIVEN),
    case("the nightly print run", DAY, _USUAL, _sheets("batch", _KEYS, kind="system"), given=_GIVEN),
    case(
        "the whole unit prints its notices",
        DAY,
        [
            one
            for number, day in enumerate(_DAYS)
            for person in ("s1", "s2", "s3", "s4", "s5")
            for one in _sheets(person, _KEYS[4 * number : 4 * number + 4], day)
        ],
        [one for person in ("s1", "s2", "s3", "s4", "s5") for one in _sheets(person, _KEYS[:14])],
        given=feeds(staff=_STAFF),
    ),
)
