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
_LIST = open_cases(
    approvals=[
        {
            "approval_id": "a-1",
            "kind": "time_window",
            "staff_id": "s1",
            "approved_by": "s9",
            "source": "nhi-eligibility",
            "valid_from": "2026-10-30",
            "valid_to": "2026-10-30",
        }
    ]
)


def _usual() -> Iterator[dict[str, Any]]:
    return ordinary_days([_DAY], "s1", "s2", "s3")


def _scan(
    *numbers: int,
    actor: str = "s1",
    day: date = _DAY,
    every: int = 1,
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    return looks_at(day, actor, [f"00045{number:05d}" for number in numbers], every=every, **more)


CASES = (
    # To be found.
    case("eight numbers in a row", _DAY, _usual(), _scan(*range(301, 309)), finds=["s1"], given=_TOWN),
    case("downward", _DAY, _usual(), _scan(*range(309, 301, -1)), finds=["s1"], given=_TOWN),
    case("with a check digit", _DAY, _usual(), _scan(3018, 3026, 3034, 3042, 3050, 3069), finds=["s1"], given=_TOWN),
    case("some numbers are left out", _DAY, _usual(), _scan(301, 302, 305, 307, 311, 312), finds=["s1"], given=_TOWN),
    case(
        "a stranger in between",
        _DAY,
        _usual(),
        _scan(301, 302, 303, 70411, 304, 305, 306),
        finds=["s1"],
        given=_TOWN,
    ),
    case("a town that delivers no cases", _DAY, _scan(*range(301, 313)), finds=["s1"]),
    case(
        "now in one system, now in another",
        _DAY,
        _usual(),
        _scan(301, 302, 303),
        _scan(304, 305, 306, at="14:03", source="atena"),
        finds=["s1"],
        given=_TOWN,
    ),
    # To be left alone.
    case("an ordinary day", _DAY, _usual(), given=_TOWN),
    case("numbers as people come", _DAY, _usual(), _scan(301, 8841, 512, 77013, 4094, 666), given=_TOWN),
    case(
        "one family with numbers in a row",
        _DAY,
        _usual(),
        _scan(*range(301, 307)),
        given=open_cases(subjects=[{"subject_id": f"00045{n:05d}", "household_id": "h-1"} for n in range(301, 307)]),
    ),
    case("a list that was approved", _DAY, _usual(), _scan(*range(301, 309)), given=_LIST),
    case(
        "cases in the order of the register",
        _DAY,
        _usual(),
        _scan(*range(301, 309)),
        given=open_cases(more=[f"00045{n:05d}" for n in range(301, 309)]),
    ),
    case(
        "colleagues share a list",
        _DAY,
        _usual(),
        (look for n, s in enumerate(("s1", "s2", "s3")) for look in _scan(*range(300 + 8 * n, 308 + 8 * n), actor=s)),
        given=_TOWN,
    ),
    case(
        "it is their work every week",
        _DAY,
        (look for day in [*_PAST, _DAY] for look in _scan(*range(301, 309), day=day)),
        given=_TOWN,
    ),
    case("an hour lies between", _DAY, _scan(*range(301, 307), every=60, at="09:00"), given=_TOWN),
    case("one screen shows ten in a row", _DAY, ordinary_days([_DAY], "s1", first=301), given=_TOWN),
)
