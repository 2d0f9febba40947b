"""Stories that this detector must and must not find."""

from datetime import date

from detectors.cases import act, case, clock, feeds, look_ups, sign_in

__all__ = ["CASES"]

_DAY = date(2026, 10, 7)
_UNIT = "hoken-nenkin/shikaku"


def _post(staff_id: str, since: str = "2020-04-01", until: str = "", **more: str) -> dict[str, str]:
    name = f"職員 {staff_id}"
    return {"staff_id": staff_id, "name": name, "org_unit": _UNIT, "valid_from": since, "valid_to": until, **more}


_LEFT = feeds(staff=[_post("s1", until="2026-09-30"), _post("s2")])
_RENEWED = feeds(staff=[_post("s1", until="2026-09-30"), _post("s1", "2026-10-10")])
_LAST_DAY = feeds(staff=[_post("s1", until="2026-10-07")])

CASES = (
    # To be found.
    case(
        "a week after leaving",
        _DAY,
        sign_in(clock(_DAY, "09:00"), "s1", "10.3.1.31"),
        look_ups(_DAY, "s1", 3),
        act(clock(_DAY, "09:00"), "s2"),
        finds=["s1"],
        given=_LEFT,
    ),
    case("a sign-in is enough", _DAY, sign_in(clock(_DAY, "09:00"), "s1"), finds=["s1"], given=_LEFT),
    case(
        "the contractor's contract has ended",
        _DAY,
        act(clock(_DAY, "13:00"), "s7", "export", kind="contractor", export={"rows": 40}),
        finds=["s7"],
        given=feeds(staff=[_post("s7", until="2026-03-31", employment="contractor")]),
    ),
    case(
        "refused again and again",
        _DAY,
        [sign_in(clock(_DAY, f"09:0{n}"), "s1", outcome="failure") for n in range(4)],
        finds=["s1"],
        given=_LEFT,
    ),
    case(
        "two posts, both over",
        _DAY,
        act(clock(_DAY, "10:00"), "s1"),
        finds=["s1"],
        given=feeds(staff=[_post("s1", until="2025-03-31"), _post("s1", "2025-04-01", "2026-03-31")]),
    ),
    case(
        "minutes after midnight of the last day, without a shift",
        _DAY,
        act(clock(_DAY, "00:40"), "s1"),
        finds=["s1"],
        given=feeds(staff=[_post("s1", until="2026-10-06")]),
    ),
    # To be left alone.
    case("the last day", _DAY, act(clock(_DAY, "16:50"), "s1"), given=_LAST_DAY),
    case("an appointment renewed a few days late", _DAY, act(clock(_DAY, "10:00"), "s1"), given=_RENEWED),
    case(
        "a night shift that began on the last day",
        _DAY,
        act(clock(_DAY, "00:40"), "s1"),
        given=feeds(
            staff=[_post("s1", until="2026-10-06")],
            roster=[{"staff_id": "s1", "start": "2026-10-06T17:00:00", "end": "2026-10-07T01:00:00", "kind": "shift"}],
        ),
    ),
    case("one mistyped id", _DAY, sign_in(clock(_DAY, "09:00"), "s1", outcome="failure"), given=_LEFT),
    case("the session of the last evening times out", _DAY, act(clock(_DAY, "00:10"), "s1", "logout"), given=_LEFT),
    case("an account that the directory never knew", _DAY, act(clock(_DAY, "10:00"), "x1"), given=_LEFT),
    case("no directory", _DAY, act(clock(_DAY, "10:00"), "s1")),
    case(
        "asked back to hand over, as somebody else approved",
        _DAY,
        act(clock(_DAY, "10:00"), "s1"),
        given={
            **_LEFT,
            **feeds(
                approvals=[
                    {
                        "approval_id": "a-1",
                        "kind": "time_window",
                        "staff_id": "s1",
                        "approved_by": "s9",
                        "valid_from": "2026-10-07T09:00:00",
                        "valid_to": "2026-10-07T12:00:00",
                    }
                ]
            ),
        },
    ),
)
