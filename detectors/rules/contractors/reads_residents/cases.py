"""Stories that this detector must and must not find."""

from datetime import date
from typing import Any

from detectors.cases import act, case, clock, feeds, look_ups, weekdays_before

__all__ = ["CASES"]

_DAY = date(2026, 10, 7)
_STAFF = [{"staff_id": "s7", "name": "職員 s7", "org_unit": "joho", "employment": "contractor"}]
_TOWN = feeds(staff=_STAFF)


def _does(activity: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return act(clock(_DAY, "14:00"), "s7", activity, kind="contractor", **more)


def _reads(people: int, actor: str = "s7", on: date = _DAY, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any field
    return list(look_ups(on, actor, people, **{"kind": "contractor", **more}))


def _approved(kind: str) -> dict[str, str]:
    row = {"approval_id": "a-1", "kind": kind, "staff_id": "s7", "approved_by": "s9"}
    return feeds(staff=_STAFF, approvals=[{**row, "valid_from": "2026-10-07", "valid_to": "2026-10-07"}])


def _cases(people: int) -> list[dict[str, str]]:
    return [
        {
            "case_id": f"c-{n}",
            "subject_id": f"k-{n:04d}",
            "org_unit": "joho",
            "kind": "reception",
            "opened_at": "2026-10-06",
        }
        for n in range(1, people + 1)
    ]


CASES = (
    # To be found.
    case("a dozen residents", _DAY, _reads(12), finds=["s7"], given=_TOWN),
    case("within approved maintenance", _DAY, _reads(3), finds=["s7"], given=_approved("maintenance")),
    case("an output that nobody approved", _DAY, _does("export", export={"rows": 900}), finds=["s7"], given=_TOWN),
    case(
        "one resident and a medium",
        _DAY,
        _reads(1),
        _does("media_write", export={"rows": 1, "destination": "usb"}),
        finds=["s7"],
        given=_TOWN,
    ),
    case("without any feed", _DAY, _reads(3), finds=["s7"]),
    case("a contractor by the directory only", _DAY, _reads(3, kind="staff"), finds=["s7"], given=_TOWN),
    case(
        "a whole table, within approved maintenance",
        _DAY,
        _does("view", subjects=[], query={"hits": 40000}),
        finds=["s7"],
        given=_approved("maintenance"),
    ),
    # To be left alone.
    case("rows counted", _DAY, _does("view", subjects=[], query={"hits": 1}), given=_TOWN),
    case("one record, a test", _DAY, _reads(1), given=_TOWN),
    case("statements that name nobody", _DAY, _does("view", subjects=[]), _does("operation"), given=_TOWN),
    case(
        "running a counter",
        _DAY,
        [event for day in weekdays_before(_DAY, 6) for event in _reads(3, on=day)],
        _reads(9),
        given=_TOWN,
    ),
    case("on cases of the unit", _DAY, _reads(3), given=feeds(staff=_STAFF, cases=_cases(3))),
    case("the first day at a counter", _DAY, _reads(5), given=feeds(staff=_STAFF, cases=_cases(3))),
    case("an approved output", _DAY, _does("export", export={"rows": 900}), given=_approved("export")),
    case("staff", _DAY, _reads(9, "s1", kind="staff"), given=_TOWN),
    case("refused", _DAY, _reads(5, outcome="denied"), given=_TOWN),
)
