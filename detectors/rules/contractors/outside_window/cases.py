"""Stories that this detector must and must not find."""

from datetime import date
from typing import Any

from detectors.cases import act, case, clock, feeds, sign_in, weekdays_before

__all__ = ["CASES"]

_DAY = date(2026, 10, 7)


def _does(at: str, activity: str = "operation", actor: str = "s7", on: date = _DAY, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return act(clock(on, at), actor, activity, **{"kind": "contractor", "source": "server", **more})


def _approval(start: str, end: str, actor: str = "s7", kind: str = "maintenance", **more: str) -> dict[str, str]:
    row = {"approval_id": f"a-{actor}-{start}", "kind": kind, "staff_id": actor, "approved_by": "s9"}
    return {**row, "valid_from": start, "valid_to": end, **more}


def _town(
    *approvals: dict[str, str], roster: tuple[dict[str, str], ...] = (), employment: str = "contractor"
) -> dict[str, str]:
    staff = [{"staff_id": "s7", "name": "職員 s7", "org_unit": "joho", "employment": employment}]
    return feeds(staff=staff, approvals=approvals, roster=roster)


_TONIGHT = _approval("2026-10-07T21:00:00", "2026-10-07T23:00:00")
_YESTERDAY = _approval("2026-10-06T09:00:00", "2026-10-06T12:00:00")

CASES = (
    # To be found.
    case("at night without an approval", _DAY, _does("22:00"), finds=["s7"], given=_town()),
    case("two hours after the approved time", _DAY, _does("20:00"), finds=["s7"], given=_town(_YESTERDAY)),
    case(
        "by day, where every visit is approved",
        _DAY,
        sign_in(clock(_DAY, "10:00"), "s7", kind="contractor", source="server"),
        finds=["s7"],
        given=_town(_YESTERDAY),
    ),
    case(
        "a contractor by the directory only",
        _DAY,
        _does("22:00", "view", kind="staff"),
        finds=["s7"],
        given=_town(),
    ),
    case(
        "approved for another system",
        _DAY,
        _does("22:00"),
        finds=["s7"],
        given=_town(_TONIGHT | {"source": "atena"}),
    ),
    case("approved by oneself", _DAY, _does("22:00"), finds=["s7"], given=_town(_TONIGHT | {"approved_by": "s7"})),
    case("without any feed, at night", _DAY, _does("23:30", "export"), finds=["s7"]),
    # To be left alone.
    case("approved maintenance", _DAY, _does("22:00"), given=_town(_TONIGHT)),
    case("an approved time", _DAY, _does("22:00"), given=_town(_TONIGHT | {"kind": "time_window"})),
    case("a quarter of an hour too long", _DAY, _does("23:15"), given=_town(_TONIGHT)),
    case(
        "on the roster",
        _DAY,
        _does("19:00"),
        given=_town(
            roster=({"staff_id": "s7", "start": "2026-10-07T12:00", "end": "2026-10-07T20:00", "kind": "shift"},)
        ),
    ),
    case("by day, where contractors need no approval", _DAY, _does("10:00"), given=_town()),
    case(
        "at the counter every day, where others are let in by approval",
        _DAY,
        [_does("10:00", "view", on=day) for day in weekdays_before(_DAY, 10)],
        _does("10:00", "view"),
        given=_town(_approval("2026-10-06T21:00:00", "2026-10-06T23:00:00")),
    ),
    case("staff at night are another finding", _DAY, _does("22:00", kind="staff"), given=_town(employment="regular")),
    case("a job of the night", _DAY, _does("22:00", "job_run"), given=_town()),
    case("refused", _DAY, _does("22:00", outcome="denied"), given=_town()),
)
