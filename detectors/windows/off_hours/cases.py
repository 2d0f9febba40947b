"""Stories that this detector must and must not find."""

from datetime import date, timedelta

from detectors.cases import act, case, clock, feeds, sign_in

__all__ = ["CASES"]

_MONDAY = date(2026, 10, 5)
_SUNDAY = date(2026, 10, 4)
_SPORTS_DAY = date(2026, 10, 12)  # a Monday
_APRIL_1 = date(2026, 4, 1)
_YEAR_END = date(2025, 12, 30)  # a Tuesday
_UNIT = "hoken-nenkin/shikaku"


def _staff(*ids: str, unit: str = _UNIT) -> list[dict[str, str]]:
    return [{"staff_id": staff_id, "name": f"職員 {staff_id}", "org_unit": unit} for staff_id in ids]


def _duty(staff_id: str, start: str, end: str, kind: str, approved_by: str = "") -> dict[str, str]:
    return {"staff_id": staff_id, "start": start, "end": end, "kind": kind, "approved_by": approved_by}


def _approval(source: str, start: str, end: str) -> dict[str, str]:
    return {
        "approval_id": "a-1",
        "kind": "time_window",
        "staff_id": "s1",
        "approved_by": "s9",
        "source": source,
        "valid_from": start,
        "valid_to": end,
    }


_DIRECTORY = feeds(staff=_staff("s1"))
_NIGHT_SHIFT = feeds(staff=_staff("s1"), roster=[_duty("s1", "2026-10-05T21:00:00", "2026-10-06T05:00:00", "shift")])
_EVENING_APPROVED = feeds(
    staff=_staff("s1"), approvals=[_approval("nhi-levy", "2026-10-05T20:00:00", "2026-10-05T23:00:00")]
)
_TRANSFERS = feeds(
    staff=[
        {"staff_id": "s1", "org_unit": "shimin", "valid_to": "2026-03-31"},
        {"staff_id": "s1", "org_unit": "zeimu", "valid_from": "2026-04-01"},
        {"staff_id": "s2", "org_unit": "zeimu", "valid_to": "2026-03-31"},
        {"staff_id": "s2", "org_unit": "shimin", "valid_from": "2026-04-01"},
    ],
    calendar=[{"date": "2026-04-01", "org_unit": "shimin", "kind": "open", "opens": "08:30", "closes": "20:00"}],
)
_NIGHTS_BEFORE = [_MONDAY - timedelta(days=back) for back in range(1, 21)]
_EVERY_NIGHT = [act(clock(day, "03:00"), "svc-night") for day in [_MONDAY, *_NIGHTS_BEFORE]]

_OFFICE = feeds(staff=[{"staff_id": f"s{n}", "org_unit": "zeimu"} for n in range(1, 7)])

CASES = (
    # To be found.
    case(
        "late evening, no overtime",
        _MONDAY,
        act(clock(_MONDAY, "22:14"), "s1"),
        finds=["s1"],
        given=_DIRECTORY,
    ),
    case("a Sunday, no duty", _SUNDAY, act(clock(_SUNDAY, "10:00"), "s1"), finds=["s1"], given=_DIRECTORY),
    case(
        "a public holiday",
        _SPORTS_DAY,
        act(clock(_SPORTS_DAY, "10:00"), "s1"),
        finds=["s1"],
        given=_DIRECTORY,
    ),
    case(
        "closed over the year's end",
        _YEAR_END,
        act(clock(_YEAR_END, "10:00"), "s1"),
        finds=["s1"],
        given=_DIRECTORY,
    ),
    case("just past the grace", _MONDAY, act(clock(_MONDAY, "17:46"), "s1"), finds=["s1"], given=_DIRECTORY),
    case(
        "the town closes on a weekday",
        _MONDAY,
        act(clock(_MONDAY, "10:00"), "s1"),
        finds=["s1"],
        given=feeds(staff=_staff("s1"), calendar=[{"date": "2026-10-05", "kind": "closed", "note": "市制記念日"}]),
    ),
    case(
        "a department closes, and its sections with it",
        _MONDAY,
        act(clock(_MONDAY, "10:00"), "s1"),
        act(clock(_MONDAY, "10:00"), "s2"),
        finds=["s1"],
        given=feeds(
            staff=[*_staff("s1"), *_staff("s2", unit="zeimu")],
            calendar=[{"date": "2026-10-05", "org_unit": "hoken-nenkin", "kind": "closed"}],
        ),
    ),
    case(
        "overtime that nobody approved",
        _MONDAY,
        act(clock(_MONDAY, "20:30"), "s1"),
        finds=["s1"],
        given=feeds(staff=_staff("s1"), roster=[_duty("s1", "2026-10-05T18:00:00", "2026-10-05T22:00:00", "overtime")]),
    ),
    case(
        "overtime approved by oneself",
        _MONDAY,
        act(clock(_MONDAY, "21:00"), "s1"),
        finds=["s1"],
        given=feeds(
            staff=_staff("s1"),
            roster=[_duty("s1", "2026-10-05T18:00:00", "2026-10-05T22:00:00", "overtime", "s1")],
        ),
    ),
    case(
        "overtime approved by oneself under another id",
        _MONDAY,
        act(clock(_MONDAY, "21:00"), "s1"),
        finds=["s1"],
        given=feeds(
            staff=[{**one, "subject_id": "r-1"} for one in _staff("s1", "s9")],
            roster=[_duty("s1", "2026-10-05T18:00:00", "2026-10-05T22:00:00", "overtime", "s9")],
        ),
    ),
    case(
        "an evening approved by oneself",
        _MONDAY,
        act(clock(_MONDAY, "21:00"), "s1", source="nhi-levy"),
        finds=["s1"],
        given=feeds(
            staff=_staff("s1"),
            approvals=[_approval("nhi-levy", "2026-10-05T20:00:00", "2026-10-05T23:00:00") | {"approved_by": "s1"}],
        ),
    ),
    case(
        "the morning of an afternoon shift",
        _MONDAY,
        act(clock(_MONDAY, "09:00"), "s1"),
        finds=["s1"],
        given=feeds(staff=_staff("s1"), roster=[_duty("s1", "2026-10-05T13:00:00", "2026-10-05T21:00:00", "shift")]),
    ),
    case(
        "an hour after the night shift",
        _MONDAY + timedelta(days=1),
        act(clock(_MONDAY + timedelta(days=1), "06:10"), "s1"),
        finds=["s1"],
        given=_NIGHT_SHIFT,
    ),
    case(
        "on leave",
        _MONDAY,
        act(clock(_MONDAY, "10:00"), "s1"),
        finds=["s1"],
        given=feeds(staff=_staff("s1"), roster=[_duty("s1", "2026-10-05", "2026-10-05", "leave")]),
    ),
    case(
        "approved for another source",
        _MONDAY,
        act(clock(_MONDAY, "21:00"), "s1"),
        finds=["s1"],
        given=_EVENING_APPROVED,
    ),
    case(
        "transferred on 1 April: today's post counts",
        _APRIL_1,
        act(clock(_APRIL_1, "19:30"), "s1"),
        act(clock(_APRIL_1, "19:30"), "s2"),
        finds=["s1"],
        given=_TRANSFERS,
    ),
    case(
        "an account outside the directory, once",
        _MONDAY,
        _EVERY_NIGHT,
        act(clock(_MONDAY, "03:00"), "svc-once", kind="contractor"),
        finds=["svc-once"],
        given=_DIRECTORY,
    ),
    case(
        "a service account at another hour than every night's",
        _MONDAY,
        _EVERY_NIGHT,
        act(clock(_MONDAY, "22:00"), "svc-night"),
        finds=["svc-night"],
        given=_DIRECTORY,
    ),
    case(
        "without a directory everyone is staff",
        _MONDAY,
        act(clock(_MONDAY, "22:14"), "s1", unit=_UNIT),
        finds=["s1"],
    ),
    case(
        "late and without overtime, though on a case",
        _MONDAY,
        act(clock(_MONDAY, "21:14"), "s1"),
        finds=["s1"],
        given=feeds(
            staff=_staff("s1"),
            cases=[
                {
                    "case_id": "c-1",
                    "subject_id": "k-0001",
                    "org_unit": _UNIT,
                    "assignee": "s1",
                    "kind": "visit",
                    "opened_at": "2026-10-05",
                }
            ],
        ),
    ),
    # To be left alone.
    case(
        "a few minutes early and late",
        _MONDAY,
        act(clock(_MONDAY, "08:05"), "s1"),
        act(clock(_MONDAY, "17:40"), "s1"),
        given=_DIRECTORY,
    ),
    case(
        "approved overtime",
        _MONDAY,
        act(clock(_MONDAY, "20:30"), "s1"),
        given=feeds(
            staff=_staff("s1"),
            roster=[_duty("s1", "2026-10-05T17:15:00", "2026-10-05T22:00:00", "overtime", "s9")],
        ),
    ),
    case("night shift before midnight", _MONDAY, act(clock(_MONDAY, "23:30"), "s1"), given=_NIGHT_SHIFT),
    case(
        "night shift after midnight",
        _MONDAY + timedelta(days=1),
        act(clock(_MONDAY + timedelta(days=1), "03:30"), "s1"),
        given=_NIGHT_SHIFT,
    ),
    case(
        "a shift that ends at midnight, and a few minutes",
        _MONDAY + timedelta(days=1),
        act(clock(_MONDAY + timedelta(days=1), "00:10"), "s1"),
        given=feeds(staff=_staff("s1"), roster=[_duty("s1", "2026-10-05T16:00:00", "2026-10-06T00:00:00", "shift")]),
    ),
    case(
        "standby on a Sunday",
        _SUNDAY,
        act(clock(_SUNDAY, "14:00"), "s1"),
        given=feeds(staff=_staff("s1"), roster=[_duty("s1", "2026-10-04T08:00:00", "2026-10-04T20:00:00", "standby")]),
    ),
    case(
        "duty on a public holiday",
        _SPORTS_DAY,
        act(clock(_SPORTS_DAY, "10:00"), "s1"),
        given=feeds(staff=_staff("s1"), roster=[_duty("s1", "2026-10-12T08:30:00", "2026-10-12T17:15:00", "shift")]),
    ),
    case(
        "the town opens on a Sunday",
        _SUNDAY,
        act(clock(_SUNDAY, "10:00"), "s1"),
        given=feeds(staff=_staff("s1"), calendar=[{"date": "2026-10-04", "kind": "open", "note": "日曜開庁"}]),
    ),
    case(
        "a department's evening opening, worked by its section",
        _MONDAY,
        act(clock(_MONDAY, "18:50"), "s1"),
        given=feeds(
            staff=_staff("s1"),
            calendar=[
                {
                    "date": "2026-10-05",
                    "org_unit": "hoken-nenkin",
                    "kind": "open",
                    "opens": "08:30",
                    "closes": "19:00",
                }
            ],
        ),
    ),
    case(
        "the morning before an afternoon's leave",
        _MONDAY,
        act(clock(_MONDAY, "10:00"), "s1"),
        given=feeds(staff=_staff("s1"), roster=[_duty("s1", "2026-10-05T13:00:00", "2026-10-05T17:15:00", "leave")]),
    ),
    case(
        "approved for this source",
        _MONDAY,
        act(clock(_MONDAY, "21:00"), "s1", source="nhi-levy"),
        given=_EVENING_APPROVED,
    ),
    case(
        "approved for every source",
        _SUNDAY,
        act(clock(_SUNDAY, "10:00"), "s1"),
        given=feeds(staff=_staff("s1"), approvals=[_approval("", "2026-10-04", "2026-10-04")]),
    ),
    case("a service account at its hour of every night", _MONDAY, _EVERY_NIGHT, given=_DIRECTORY),
    case(
        "an unknown account in the first days of the log",
        _MONDAY,
        [act(clock(day, "03:00"), "svc-new") for day in [_MONDAY, *_NIGHTS_BEFORE[:3]]],
        given=_DIRECTORY,
    ),
    case(
        "a service account around midnight",
        _MONDAY,
        [act(clock(day, "00:03"), "svc-night") for day in _NIGHTS_BEFORE],
        act(clock(_MONDAY, "23:58"), "svc-night"),
        given=_DIRECTORY,
    ),
    case(
        "refused at the door",
        _MONDAY,
        sign_in(clock(_MONDAY, "22:00"), "s1", outcome="failure"),
        act(clock(_MONDAY, "22:01"), "s1", outcome="denied"),
        given=_DIRECTORY,
    ),
    case(
        "signed out by the idle lock, and a batch at night",
        _MONDAY,
        act(clock(_MONDAY, "21:00"), "s1", "logout"),
        act(clock(_MONDAY, "21:00"), "s1", "lock"),
        act(clock(_MONDAY, "23:00"), "batch", "job_run", kind="system"),
        act(clock(_MONDAY, "23:00"), "batch", kind="system"),
        given=_DIRECTORY,
    ),
    case(
        "an office that is at work before it opens",
        _MONDAY,
        [act(clock(_MONDAY, f"07:5{n}"), f"s{n}") for n in range(1, 5)],
        [act(clock(_MONDAY, "10:00"), f"s{n}") for n in range(1, 7)],
        given=_OFFICE,
    ),
    case(
        "two who are there early look people up, the others come in time",
        _MONDAY,
        [act(clock(_MONDAY, f"07:5{n}"), f"s{n}") for n in range(1, 3)],
        [act(clock(_MONDAY, "10:00"), f"s{n}") for n in range(1, 7)],
        finds=["s1", "s2"],
        given=_OFFICE,
    ),
    case(
        "signed in an hour early and looked at nothing",
        _MONDAY,
        act(clock(_MONDAY, "07:20"), "s1", "login"),
        act(clock(_MONDAY, "09:00"), "s1"),
        given=_DIRECTORY,
    ),
    case(
        "an office together late at night needs its overtime approved",
        _MONDAY,
        [act(clock(_MONDAY, f"23:0{n}"), f"s{n}") for n in range(1, 5)],
        finds=["s1", "s2", "s3", "s4"],
        given=_OFFICE,
    ),
    case(
        "an office together on a Sunday is still closed",
        _SUNDAY,
        [act(clock(_SUNDAY, f"10:0{n}"), f"s{n}") for n in range(1, 5)],
        finds=["s1", "s2", "s3", "s4"],
        given=_OFFICE,
    ),
)
