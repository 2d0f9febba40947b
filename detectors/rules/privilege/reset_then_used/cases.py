"""Stories that this detector must and must not find."""

from datetime import date, timedelta
from typing import Any

from detectors.cases import act, case, clock, feeds, sign_in

__all__ = ["CASES"]

_DAY = date(2026, 10, 7)
_EVE = _DAY - timedelta(days=1)
_DESK, _HELP = {"id": "T-0001"}, {"id": "T-0900"}


def _reset(
    at: str = "10:00",
    by: str = "s9",
    on: date = _DAY,
    activity: str = "credential_reset",
    **more: Any,  # noqa: ANN401 - any field
) -> dict[str, Any]:
    return act(clock(on, at), by, activity, source="rights", target={"id": "s1"}, **{"terminal": _HELP, **more})


def _in(at: str = "10:20", place: dict[str, str] = _HELP, on: date = _DAY, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return sign_in(clock(on, at), "s1", terminal=place, **more)


_LOOKS = [act(clock(_DAY, f"10:3{n}"), "s1", terminal=_HELP, subjects=[f"k-000{n}"]) for n in range(3)]

CASES = (
    # To be found.
    case("reset, signed in, looked up", _DAY, _reset(), _in(), _LOOKS, finds=["s1"]),
    case("signed in only", _DAY, _reset(), _in(), finds=["s1"]),
    case("a new card for another", _DAY, _reset(activity="credential_issue"), _in(), _LOOKS, finds=["s1"]),
    case("reset in the evening, used after midnight", _DAY, _reset("23:50", on=_EVE), _in("00:10"), finds=["s1"]),
    case(
        "by address",
        _DAY,
        _reset(terminal={"ip": "10.3.9.9"}),
        sign_in(clock(_DAY, "10:20"), "s1", "10.3.9.9"),
        finds=["s1"],
    ),
    # To be left alone.
    case("the owner at the own desk", _DAY, _reset(), _in(place=_DESK)),
    case("one's own password", _DAY, _reset(by="s1"), _in(), _LOOKS),
    case("signed in before the reset", _DAY, _in("09:00"), _reset()),
    case("where the owner always is", _DAY, _in(on=_DAY - timedelta(days=2)), _reset(), _in()),
    case("refused", _DAY, _reset(outcome="denied"), _in()),
    case(
        "at a counter for everybody",
        _DAY,
        _reset(),
        _in(),
        given=feeds(terminals=[{"terminal_id": "T-0900", "org_unit": "joho", "kind": "counter"}]),
    ),
    case(
        "behind an address that everybody shares",
        _DAY,
        [sign_in(clock(_DAY, f"08:3{n}"), f"s{n}", "10.3.0.1") for n in range(2, 8)],
        _reset(terminal={"ip": "10.3.0.1"}),
        sign_in(clock(_DAY, "10:20"), "s1", "10.3.0.1"),
    ),
)
