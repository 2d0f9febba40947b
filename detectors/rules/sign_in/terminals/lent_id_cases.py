"""Stories that this detector must and must not find."""

from collections.abc import Iterator
from typing import Any

from detectors.cases import act, case, clock, feeds, sign_in
from detectors.rules.sign_in.terminals.stories import (
    CASES_OF_THE_DAY,
    DAY,
    DESKS,
    OFFICE,
    REGISTER,
    at_desks,
    every_day,
    named_case,
    posts,
    terminal,
)

__all__ = ["CASES"]

_OWN, _OTHER = DESKS["s1"], DESKS["s2"]
_WITH_CASES = {**OFFICE, **feeds(cases=CASES_OF_THE_DAY)}


def _works(actor: str, place: str, *minutes: int, first: int = 0) -> Iterator[dict[str, Any]]:
    """Look-ups at a place, at these minutes after two in the afternoon."""
    return (
        act(clock(DAY, f"14:{minute:02d}"), actor, terminal={"id": place}, subjects=[f"k-0{first + minute:02d}"])
        for minute in minutes
    )


def _row(kind: str, start: str, end: str) -> dict[str, str]:
    return {"staff_id": "s1", "start": start, "end": end, "kind": kind, "approved_by": "s9"}


def _door(at: str, actor: str, activity: str = "exit", source: str = "gate") -> dict[str, Any]:
    return act(clock(DAY, at), actor, activity, source=source)


_APPROVED = {
    "approval_id": "a-1",
    "kind": "terminal",
    "staff_id": "s1",
    "approved_by": "s9",
    "valid_from": "2026-10-07",
    "valid_to": "2026-10-07",
}
_ALL_LEFT = [_door(f"12:0{n}", f"s{n}") for n in range(1, 7)]
_ALL_BACK = [_door(f"12:5{n}", f"s{n}", "entry") for n in range(2, 7)]

CASES = (
    # To be found.
    case(
        "at a colleague's terminal while both are at work",
        DAY,
        at_desks(),
        _works("s1", _OTHER, 10, 14, 20),
        _works("s1", _OWN, 16, first=40),
        _works("s2", _OTHER, 5, 25, first=50),
        finds=["s1"],
        given=OFFICE,
    ),
    case(
        "on leave, at a colleague's terminal",
        DAY,
        at_desks(),
        _works("s1", _OTHER, 10, 14),
        finds=["s1"],
        given=named_case(roster=[_row("leave", "2026-10-07T13:00:00", "2026-10-07T17:15:00")]),
    ),
    case(
        "its owner amid, and look-ups without a case",
        DAY,
        at_desks(),
        _works("s1", _OTHER, 10, 14, 20),
        _works("s2", _OTHER, 15, first=50),
        finds=["s1"],
        given=_WITH_CASES,
    ),
    case(
        "a failure first, then in beside its owner, and no case",
        DAY,
        at_desks(),
        sign_in(clock(DAY, "14:08"), "s1", outcome="failure", terminal={"id": _OTHER}),
        _works("s1", _OTHER, 10, 14),
        _works("s2", _OTHER, 5, first=50),
        finds=["s1"],
        given=_WITH_CASES,
    ),
    case(
        "out of the building",
        DAY,
        at_desks(),
        _ALL_LEFT,
        _ALL_BACK,
        _works("s1", _OWN, 10, 14),
        finds=["s1"],
        given=_WITH_CASES,
    ),
    # To be left alone.
    case("a colleague's empty desk", DAY, at_desks(), _works("s1", _OTHER, 10, 14, 20), given=OFFICE),
    case(
        "shown by a colleague at their desk",
        DAY,
        at_desks(),
        _works("s1", _OTHER, 10),
        _works("s2", _OTHER, 5, 12, first=50),
        given=OFFICE,
    ),
    case(
        "a counter for everybody",
        DAY,
        [event for actor in ("s2",) for event in every_day(actor, "C-1")],
        at_desks(),
        _works("s1", "C-1", 10, 14, 20),
        _works("s1", _OWN, 16, first=40),
        _works("s2", "C-1", 5, 15, first=50),
        given=named_case(terminal("C-1", REGISTER, "counter")),
    ),
    case(
        "two who share two desks",
        DAY,
        every_day("s1", _OTHER),
        at_desks(),
        _works("s1", _OTHER, 10, 14, 20),
        _works("s1", _OWN, 16, first=40),
        _works("s2", _OTHER, 5, 25, first=50),
        given=OFFICE,
    ),
    case(
        "a door that people come back by without their card",
        DAY,
        at_desks(),
        _ALL_LEFT,
        [event for actor in ("s1", "s2", "s3") for event in _works(actor, DESKS[actor], 10, 14)],
        given=_WITH_CASES,
    ),
    case(
        "somebody else approved it",
        DAY,
        at_desks(),
        _works("s1", _OTHER, 10, 14, 20),
        _works("s1", _OWN, 16, first=40),
        _works("s2", _OTHER, 5, 25, first=50),
        given=named_case(approvals=[_APPROVED]),
    ),
    case(
        "a newcomer without a desk of their own",
        DAY,
        [event for event in at_desks() if event["actor"]["id"] != "s1"],
        _works("s1", _OTHER, 10, 14, 20),
        _works("s2", _OTHER, 5, 15, first=50),
        given=feeds(staff=posts()),
    ),
)
