"""Stories that this detector must and must not find."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from detectors.cases import case, feeds, weekdays_before
from detectors.windows.stories import looks_at, open_cases, ordinary_days

__all__ = ["CASES"]

_DAY = date(2026, 10, 30)
_PAST = weekdays_before(_DAY, 4)
_TOWN = open_cases()
_STRANGERS = [f"x-{number:03d}" for number in (17, 480, 93, 702, 255)]
_LEVY = {"source": "nhi-levy"}
_TAX = "zeimu/shuno"
_DIRECTORY = open_cases(
    staff=[
        *({"staff_id": f"s{n}", "org_unit": "hoken-nenkin/shikaku"} for n in (1, 2, 3)),
        *({"staff_id": f"t{n}", "org_unit": _TAX} for n in (1, 2)),
    ]
)


def _usual(**more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any field
    """Three people of one unit and its system, two of another and theirs."""
    yield from ordinary_days([*_PAST, _DAY], "s1", "s2", "s3", people=20, **more)
    yield from ordinary_days([*_PAST, _DAY], "t1", "t2", **{"unit": _TAX, "people": 20, **_LEVY, **more})


def _there(people: int, actor: str = "s1", **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any field
    return looks_at(_DAY, actor, _STRANGERS[:people], **{**_LEVY, **more})


CASES = (
    # To be found.
    case("three strangers in another unit's system", _DAY, _usual(), _there(3), finds=["s1"], given=_TOWN),
    case("a single one", _DAY, _usual(), _there(1), finds=["s1"], given=_TOWN),
    case(
        "one system, another affair in it",
        _DAY,
        ordinary_days([*_PAST, _DAY], "s1", "s2", "s3", people=20, source="atena", affair="nhi-eligibility"),
        ordinary_days([*_PAST, _DAY], "t1", "t2", people=20, source="atena", affair="local-tax", unit=_TAX),
        _there(2, source="atena", affair="local-tax"),
        finds=["s1"],
        given=_TOWN,
    ),
    case("events that name no unit", _DAY, _usual(unit=""), _there(2, unit=""), finds=["s1"], given=_DIRECTORY),
    case(
        "somebody new to the unit",
        _DAY,
        _usual(),
        _there(3, actor="s9"),
        finds=["s9"],
        given=_TOWN,
    ),
    case("a town that delivers no cases", _DAY, _usual(), _there(4), finds=["s1"]),
    # To be left alone.
    case("an ordinary day", _DAY, _usual(), given=_TOWN),
    case(
        "helping out with the unit's own cases",
        _DAY,
        _usual(),
        ordinary_days([_DAY], "s1", people=8, **_LEVY),
        given=_TOWN,
    ),
    case(
        "a colleague works with it",
        _DAY,
        _usual(),
        ordinary_days(_PAST, "s2", people=5, **_LEVY),
        _there(3),
        given=_TOWN,
    ),
    case(
        "they have worked with it before",
        _DAY,
        _usual(),
        ordinary_days(_PAST[:2], "s1", people=5, **_LEVY),
        _there(3),
        given=_TOWN,
    ),
    case("a system that is new to the town", _DAY, _usual(), _there(3, source="childcare"), given=_TOWN),
    case(
        "nobody knows yet what the unit works with",
        _DAY,
        ordinary_days([_PAST[0]], "s1", "s2", people=20),
        ordinary_days([_PAST[0]], "t1", "t2", unit=_TAX, people=20, **_LEVY),
        _there(3),
        given=_TOWN,
    ),
    case(
        "moved here today, and works as the colleagues do",
        _DAY,
        _usual(),
        _there(3, actor="t1", source="nhi-eligibility"),
        given=feeds(
            staff=[
                {"staff_id": "t1", "org_unit": _TAX, "valid_to": "2026-10-29"},
                {"staff_id": "t1", "org_unit": "hoken-nenkin/shikaku", "valid_from": "2026-10-30"},
            ]
        ),
    ),
    case("one of another unit's system was refused", _DAY, _usual(), _there(3, outcome="denied"), given=_TOWN),
)
