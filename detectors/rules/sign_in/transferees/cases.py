"""Stories that this detector must and must not find."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from detectors.cases import act, case, clock, feeds, look_ups

__all__ = ["CASES"]

_DAY = date(2026, 10, 7)
_OLD, _NEW = "zeimu/shuno", "shimin/madoguchi"
_TAX, _REGISTER = "nhi-levy", "register"


def _post(staff_id: str, unit: str, since: str = "2020-04-01", until: str = "") -> dict[str, str]:
    name = f"職員 {staff_id}"
    return {"staff_id": staff_id, "name": name, "org_unit": unit, "valid_from": since, "valid_to": until}


def _town(moved: str, last: str, *extra: Mapping[str, str], unit: str = _NEW) -> dict[str, str]:
    """One transfer; the others of both units stay."""
    return feeds(
        staff=[
            _post("s1", _OLD, until=last),
            _post("s1", unit, moved),
            _post("s2", _OLD),
            _post("s3", _NEW),
            *extra,
        ]
    )


_IN_SEPTEMBER = _town("2026-09-01", "2026-08-31")
_OTHERS: Iterable[Mapping[str, Any]] = (
    act(clock(_DAY, "09:30"), "s2", source=_TAX, subjects=["k-0901"]),
    act(clock(_DAY, "09:40"), "s3", source=_REGISTER, subjects=["k-0902"]),
)
_CASES_OF_THREE = [
    {
        "case_id": f"c-{n}",
        "subject_id": f"k-000{n}",
        "org_unit": _NEW,
        "assignee": "s1",
        "kind": "visit",
        "opened_at": "2026-10-06",
    }
    for n in range(1, 4)
]

CASES = (
    # To be found.
    case("a month later", _DAY, _OTHERS, look_ups(_DAY, "s1", 3, source=_TAX), finds=["s1"], given=_IN_SEPTEMBER),
    case("two residents", _DAY, _OTHERS, look_ups(_DAY, "s1", 2, source=_TAX), finds=["s1"], given=_IN_SEPTEMBER),
    case(
        "an output and one resident",
        _DAY,
        _OTHERS,
        look_ups(_DAY, "s1", 1, source=_TAX),
        act(clock(_DAY, "11:00"), "s1", "export", source=_TAX, export={"rows": 40}),
        finds=["s1"],
        given=_IN_SEPTEMBER,
    ),
    case(
        "half a year after April",
        _DAY,
        _OTHERS,
        look_ups(_DAY, "s1", 4, source=_TAX),
        finds=["s1"],
        given=_town("2026-04-15", "2026-04-14"),
    ),
    case(
        "beside the work of the new unit",
        _DAY,
        _OTHERS,
        look_ups(_DAY, "s1", 4, source=_REGISTER, first=20),
        look_ups(_DAY, "s1", 3, source=_TAX),
        finds=["s1"],
        given=_IN_SEPTEMBER,
    ),
    # To be left alone.
    case(
        "the handover",
        _DAY,
        _OTHERS,
        look_ups(_DAY, "s1", 3, source=_TAX),
        given=_town("2026-10-05", "2026-10-04"),
    ),
    case("the new unit's own system", _DAY, _OTHERS, look_ups(_DAY, "s1", 9, source=_REGISTER), given=_IN_SEPTEMBER),
    case(
        "the new unit uses the system too",
        _DAY,
        _OTHERS,
        act(clock(_DAY, "09:50"), "s3", source=_TAX, subjects=["k-0903"]),
        look_ups(_DAY, "s1", 3, source=_TAX),
        given=_IN_SEPTEMBER,
    ),
    case(
        "both posts at a time",
        _DAY,
        _OTHERS,
        look_ups(_DAY, "s1", 3, source=_TAX),
        given=_town("2026-09-01", "2026-08-31", _post("s1", _OLD, "2026-09-01")),
    ),
    case(
        "every one of them on a case of one's own",
        _DAY,
        _OTHERS,
        look_ups(_DAY, "s1", 3, source=_TAX),
        given={**_IN_SEPTEMBER, **feeds(cases=_CASES_OF_THREE)},
    ),
    case("one slip", _DAY, _OTHERS, look_ups(_DAY, "s1", 1, source=_TAX), given=_IN_SEPTEMBER),
    case(
        "moved within the department",
        _DAY,
        _OTHERS,
        look_ups(_DAY, "s1", 3, source=_TAX),
        given=_town("2026-09-01", "2026-08-31", unit="zeimu"),
    ),
)
