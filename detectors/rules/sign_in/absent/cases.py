"""Stories that this detector must and must not find."""

from datetime import date

from detectors.cases import act, case, clock, feeds, look_ups, sign_in

__all__ = ["CASES"]

_DAY = date(2026, 10, 7)
_STAFF = [{"staff_id": "s1", "name": "職員 s1", "org_unit": "hoken-nenkin/shikaku"}]


def _row(start: str, end: str, kind: str, approved_by: str = "s9") -> dict[str, str]:
    return {"staff_id": "s1", "start": start, "end": end, "kind": kind, "approved_by": approved_by}


def _roster(*rows: dict[str, str]) -> dict[str, str]:
    return feeds(staff=_STAFF, roster=rows)


_LEAVE = _row("2026-10-07", "2026-10-07", "leave")
_AFTERNOON = _row("2026-10-07T13:00:00", "2026-10-07T17:15:00", "leave")
_TRAINING = _row("2026-10-07T09:00:00", "2026-10-07T17:00:00", "training")
_APPROVED = feeds(
    approvals=[
        {
            "approval_id": "a-1",
            "kind": "time_window",
            "staff_id": "s1",
            "approved_by": "s9",
            "valid_from": "2026-10-07T13:00:00",
            "valid_to": "2026-10-07T15:00:00",
        }
    ]
)

_CASE = {
    "case_id": "c-1",
    "subject_id": "k-0001",
    "org_unit": "hoken-nenkin/shikaku",
    "assignee": "s1",
    "kind": "visit",
    "opened_at": "2026-10-06",
}

CASES = (
    # To be found.
    case("on leave all day", _DAY, look_ups(_DAY, "s1", 4), finds=["s1"], given=_roster(_LEAVE)),
    case("a sign-in on a day of leave", _DAY, sign_in(clock(_DAY, "10:00"), "s1"), finds=["s1"], given=_roster(_LEAVE)),
    case(
        "the afternoon of a half day",
        _DAY,
        act(clock(_DAY, "14:30"), "s1"),
        finds=["s1"],
        given=_roster(_AFTERNOON),
    ),
    case(
        "look-ups in the middle of training",
        _DAY,
        act(clock(_DAY, "11:00"), "s1"),
        finds=["s1"],
        given=_roster(_TRAINING),
    ),
    case(
        "a print in the middle of a week's leave",
        _DAY,
        act(clock(_DAY, "11:00"), "s1", "print", subjects=["k-0001"]),
        finds=["s1"],
        given=_roster(_row("2026-10-05", "2026-10-09", "leave")),
    ),
    case(
        "overtime that nobody approved does not call the leave off",
        _DAY,
        act(clock(_DAY, "14:00"), "s1"),
        finds=["s1"],
        given=_roster(_LEAVE, _row("2026-10-07T13:00:00", "2026-10-07T16:00:00", "overtime", "")),
    ),
    # To be left alone.
    case("the morning of a half day", _DAY, act(clock(_DAY, "10:00"), "s1"), given=_roster(_AFTERNOON)),
    case("a few minutes into the half day", _DAY, act(clock(_DAY, "13:10"), "s1"), given=_roster(_AFTERNOON)),
    case("back early from training", _DAY, act(clock(_DAY, "16:45"), "s1"), given=_roster(_TRAINING)),
    case(
        "work on a case during training at the desk",
        _DAY,
        act(clock(_DAY, "11:00"), "s1"),
        given={**_roster(_TRAINING), **feeds(cases=[_CASE])},
    ),
    case("signed in for the training", _DAY, sign_in(clock(_DAY, "10:00"), "s1"), given=_roster(_TRAINING)),
    case(
        "called in from leave by somebody else",
        _DAY,
        act(clock(_DAY, "14:00"), "s1"),
        given=_roster(_LEAVE, _row("2026-10-07T13:00:00", "2026-10-07T16:00:00", "overtime")),
    ),
    case(
        "approved for that time",
        _DAY,
        act(clock(_DAY, "14:00"), "s1"),
        given={**_roster(_LEAVE), **_APPROVED},
    ),
    case("a colleague's leave", _DAY, act(clock(_DAY, "14:00"), "s2"), given=_roster(_LEAVE)),
    case("the session times out", _DAY, act(clock(_DAY, "14:00"), "s1", "logout"), given=_roster(_LEAVE)),
)
