"""Stories that this detector must and must not find."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from detectors.cases import act, case, clock, feeds, look_ups, sign_in

__all__ = ["CASES"]

_DAY = date(2026, 10, 7)
_UNIT = "hoken-nenkin/shikaku"


def _post(staff_id: str, since: str = "2020-04-01", until: str = "") -> dict[str, str]:
    name = f"職員 {staff_id}"
    return {"staff_id": staff_id, "name": name, "org_unit": _UNIT, "valid_from": since, "valid_to": until}


_DIRECTORY = feeds(staff=[_post("s1"), _post("s2")])


def _back(days: int) -> date:
    return _DAY - timedelta(days=days)


def _others(since: int) -> Iterator[dict[str, Any]]:
    """Somebody else, who is always there: the log goes back so far."""
    return (act(clock(_back(back), "10:00"), "s2") for back in range(since, 0, -20))


def _leave(first: str, last: str, kind: str = "leave") -> dict[str, str]:
    return feeds(
        staff=[_post("s1"), _post("s2")], roster=[{"staff_id": "s1", "start": first, "end": last, "kind": kind}]
    )


_LAST_YEAR = act(clock(_back(100), "10:00"), "s1")
_AWAKE = (sign_in(clock(_DAY, "13:00"), "s1", "10.3.1.31"), *look_ups(_DAY, "s1", 3))

CASES = (
    # To be found.
    case("after a hundred days", _DAY, _others(120), _LAST_YEAR, _AWAKE, finds=["s1"], given=_DIRECTORY),
    case("a sign-in is enough", _DAY, _others(120), _LAST_YEAR, _AWAKE[:1], finds=["s1"], given=_DIRECTORY),
    case("never seen in a month of log", _DAY, _others(30), _AWAKE, finds=["s1"], given=_DIRECTORY),
    case(
        "an account that the directory does not know",
        _DAY,
        _others(60),
        look_ups(_DAY, "old-admin", 2),
        finds=["old-admin"],
        given=_DIRECTORY,
    ),
    case("without a directory, but seen before", _DAY, _others(120), _LAST_YEAR, _AWAKE, finds=["s1"]),
    case(
        "a few days' leave do not account for months",
        _DAY,
        _others(120),
        _LAST_YEAR,
        _AWAKE,
        finds=["s1"],
        given=_leave("2026-09-28", "2026-10-02"),
    ),
    case(
        "used day after day, then not for five weeks",
        _DAY,
        _others(120),
        *(act(clock(_back(back), "10:00"), "s1") for back in (41, 38, 37, 36, 35)),
        _AWAKE,
        finds=["s1"],
        given=_DIRECTORY,
    ),
    # To be left alone.
    case(
        "used every other week, this time after five",
        _DAY,
        _others(120),
        *(act(clock(_back(back), "10:00"), "s1") for back in (77, 63, 49, 35)),
        _AWAKE,
        given=_DIRECTORY,
    ),
    case("seen last month", _DAY, _others(120), act(clock(_back(40), "10:00"), "s1"), _AWAKE, given=_DIRECTORY),
    case("seen last week", _DAY, _others(120), act(clock(_back(6), "10:00"), "s1"), _AWAKE, given=_DIRECTORY),
    case(
        "back from parental leave",
        _DAY,
        _others(120),
        _LAST_YEAR,
        _AWAKE,
        given=_leave("2026-07-01", "2026-10-06"),
    ),
    case(
        "newly appointed",
        _DAY,
        _others(60),
        _AWAKE,
        given=feeds(staff=[_post("s1", "2026-10-01"), _post("s2")]),
    ),
    case(
        "another post since last month",
        _DAY,
        _others(120),
        _LAST_YEAR,
        _AWAKE,
        given=feeds(staff=[_post("s1", until="2026-08-31"), _post("s1", "2026-09-01"), _post("s2")]),
    ),
    case("the first days of the log", _DAY, _others(10), _AWAKE, given=_DIRECTORY),
    case("without a directory and never seen", _DAY, _others(60), _AWAKE),
    case(
        "refused at the door",
        _DAY,
        _others(120),
        _LAST_YEAR,
        sign_in(clock(_DAY, "13:00"), "s1", outcome="failure"),
        given=_DIRECTORY,
    ),
)
