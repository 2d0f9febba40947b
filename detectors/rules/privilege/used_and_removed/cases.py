"""Stories that this detector must and must not find."""

from datetime import date, datetime, timedelta
from typing import Any

from detectors.cases import act, case, clock, feeds

__all__ = ["CASES"]

_DAY = date(2026, 10, 7)
_EVE = _DAY - timedelta(days=1)
_LEVY = {"system": "nhi-levy"}


def _right(at: datetime, activity: str, actor: str = "s9", to: str = "s1", **names: str) -> dict[str, Any]:
    return act(at, actor, activity, source="rights", target={"id": to, **(names or _LEVY)})


def _uses(at: datetime, activity: str = "view", source: str = "nhi-levy", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return act(at, "s1", activity, source=source, **more)


_GIVEN = _right(clock(_DAY, "13:00"), "grant")
_USED = _uses(clock(_DAY, "13:30"))
_TAKEN = _right(clock(_DAY, "14:00"), "revoke")
_WINDOW = feeds(
    staff=[{"staff_id": "s1", "name": "職員 s1", "org_unit": "joho"}],
    approvals=[
        {
            "approval_id": "a-1",
            "kind": "time_window",
            "staff_id": "s1",
            "approved_by": "s5",
            "valid_from": "2026-10-07T13:00:00",
            "valid_to": "2026-10-07T15:00:00",
        }
    ],
)

CASES = (
    # To be found.
    case("an hour's right", _DAY, _GIVEN, _USED, _TAKEN, finds=["s1"]),
    case(
        "given to oneself",
        _DAY,
        _right(clock(_DAY, "13:00"), "grant", "s1"),
        _USED,
        _right(clock(_DAY, "14:00"), "revoke", "s1"),
        finds=["s1"],
    ),
    case(
        "over night",
        _DAY,
        _right(clock(_EVE, "19:00"), "grant"),
        _uses(clock(_EVE, "22:00")),
        _right(clock(_DAY, "08:00"), "revoke"),
        finds=["s1"],
    ),
    case(
        "a right that names nothing",
        _DAY,
        act(clock(_DAY, "13:00"), "s9", "grant", source="rights", target={"id": "s1"}),
        _uses(clock(_DAY, "13:30"), "export", "atena", export={"rows": 90}),
        act(clock(_DAY, "14:00"), "s9", "revoke", source="rights", target={"id": "s1"}),
        finds=["s1"],
    ),
    case(
        "a right for an affair",
        _DAY,
        _right(clock(_DAY, "13:00"), "grant", affair="welfare"),
        _uses(clock(_DAY, "13:30"), source="atena", affair="welfare"),
        _right(clock(_DAY, "14:00"), "revoke", affair="welfare"),
        finds=["s1"],
    ),
    # To be left alone.
    case("given by mistake and taken back", _DAY, _GIVEN, _TAKEN),
    case("given and kept", _DAY, _GIVEN, _USED),
    case("used before it was given", _DAY, _uses(clock(_DAY, "12:00")), _GIVEN, _TAKEN),
    case("other work meanwhile", _DAY, _GIVEN, _uses(clock(_DAY, "13:30"), source="atena"), _TAKEN),
    case("another right taken away", _DAY, _GIVEN, _USED, _right(clock(_DAY, "14:00"), "revoke", system="atena")),
    case(
        "taken away after a week",
        _DAY,
        _right(clock(_DAY - timedelta(days=7), "13:00"), "grant"),
        _USED,
        _TAKEN,
    ),
    case("approved by somebody else", _DAY, _right(clock(_EVE, "10:00"), "approve", "s5"), _GIVEN, _USED, _TAKEN),
    case("work approved for that time", _DAY, _GIVEN, _USED, _TAKEN, given=_WINDOW),
)
