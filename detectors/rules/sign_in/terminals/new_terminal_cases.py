"""Stories that this detector must and must not find."""

from collections.abc import Iterator
from typing import Any

from detectors.cases import act, case, clock, feeds
from detectors.rules.sign_in.terminals.stories import (
    CASES_OF_THE_DAY,
    DAY,
    DESKS,
    LEVY,
    OFFICE,
    REGISTER,
    at_desks,
    every_day,
    named_case,
    posts,
    terminal,
)

__all__ = ["CASES"]

_WITH_CASES = {**OFFICE, **feeds(cases=CASES_OF_THE_DAY)}


def _there(actor: str, place: str, people: int = 2, hour: int = 14, **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any field
    """An hour at a place, looking somebody up every ten minutes."""
    return (
        act(clock(DAY, f"{hour}:{10 + n}"), actor, terminal={"id": place}, subjects=[f"k-0{n:02d}"], **more)
        for n in range(people)
    )


_APPROVED = {
    "approval_id": "a-1",
    "kind": "terminal",
    "staff_id": "s1",
    "approved_by": "s9",
    "valid_from": "2026-10-07",
    "valid_to": "2026-10-07",
}

CASES = (
    # To be found.
    case(
        "two look-ups without a case at another unit's desk",
        DAY,
        at_desks(),
        _there("s1", DESKS["s4"]),
        finds=["s1"],
        given=_WITH_CASES,
    ),
    case(
        "in the evening at another unit's desk",
        DAY,
        at_desks(),
        _there("s1", DESKS["s4"], hour=20),
        finds=["s1"],
        given=OFFICE,
    ),
    case("a terminal that is not registered", DAY, at_desks(), _there("s1", "T-9999"), finds=["s1"], given=OFFICE),
    case(
        "a vendor's terminal",
        DAY,
        at_desks(),
        _there("s1", "V-1"),
        finds=["s1"],
        given=named_case(terminal("V-1", "", "vendor", "vendor-site")),
    ),
    case(
        "no register of terminals, but somebody of another unit always sits there",
        DAY,
        at_desks(),
        _there("s1", DESKS["s4"], people=3),
        finds=["s1"],
        given=feeds(staff=posts(), cases=CASES_OF_THE_DAY),
    ),
    # To be left alone.
    case("helping out at another unit's desk", DAY, at_desks(), _there("s1", DESKS["s4"]), given=OFFICE),
    case("a colleague's desk in the own unit", DAY, at_desks(), _there("s1", DESKS["s2"]), given=_WITH_CASES),
    case("one's own desk", DAY, at_desks(), _there("s1", DESKS["s1"], people=9), given=_WITH_CASES),
    case(
        "a counter for everybody",
        DAY,
        at_desks(),
        _there("s1", "C-1"),
        given=named_case(terminal("C-1", LEVY, "counter"), cases=CASES_OF_THE_DAY),
    ),
    case(
        "the whole unit moves",
        DAY,
        at_desks(),
        _there("s1", "T-9001"),
        [*_there("s2", "T-9002"), *_there("s3", "T-9003")],
        given=OFFICE,
    ),
    case(
        "used there last week",
        DAY,
        at_desks(),
        every_day("s1", DESKS["s4"]),
        _there("s1", DESKS["s4"]),
        given=_WITH_CASES,
    ),
    case(
        "somebody else approved the terminal",
        DAY,
        at_desks(),
        _there("s1", "T-9999"),
        given=named_case(approvals=[_APPROVED]),
    ),
    case(
        "a new colleague has no habit yet",
        DAY,
        [event for event in at_desks() if event["actor"]["id"] != "s1"],
        _there("s1", DESKS["s4"]),
        given=_WITH_CASES,
    ),
    case(
        "a new machine of the own unit",
        DAY,
        at_desks(),
        _there("s1", "T-0100"),
        given=named_case(terminal("T-0100", REGISTER), cases=CASES_OF_THE_DAY),
    ),
)
