"""Stories that this detector must and must not find."""

from collections.abc import Iterator, Mapping
from typing import Any

from detectors.cases import act, case, clock, feeds
from detectors.rules.sign_in.terminals.stories import (
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

_OWN, _OTHER = DESKS["s1"], DESKS["s2"]


def _alternating(
    *places: str,
    gap: int = 2,
    actor: str = "s1",
    start: int = 10,
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """Acts at places in turn, so many minutes apart."""
    return (
        act(clock(DAY, f"14:{start + gap * number:02d}"), actor, subjects=[f"k-01{number}"], **_place(place), **more)
        for number, place in enumerate(places)
    )


def _place(place: str) -> Mapping[str, Any]:
    return {"ip": place} if place[0].isdigit() else {"terminal": {"id": place}}


_TO_AND_FRO = (_OWN, _OTHER, _OWN, _OTHER, _OWN)
_SITES = named_case(terminal("B-1", REGISTER, site="eki-mae"))
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
    case("to and fro with a colleague's desk", DAY, at_desks(), _alternating(*_TO_AND_FRO), finds=["s1"], given=OFFICE),
    case(
        "one act at home amid a series elsewhere, and back",
        DAY,
        at_desks(),
        _alternating(_OTHER, _OTHER, _OWN, _OTHER, _OWN),
        finds=["s1"],
        given=OFFICE,
    ),
    case(
        "two sites within minutes",
        DAY,
        at_desks(),
        _alternating(_OWN, "B-1", gap=5),
        finds=["s1"],
        given=_SITES,
    ),
    case(
        "by addresses, without any feed",
        DAY,
        _alternating("10.3.1.31", "10.9.9.9", "10.3.1.31", "10.9.9.9"),
        finds=["s1"],
    ),
    case(
        "two systems, the terminals by name",
        DAY,
        at_desks(),
        [
            act(clock(DAY, f"14:{10 + 2 * n}"), "s1", terminal={"id": place}, source=source)
            for n, (place, source) in enumerate([(_OWN, "a"), (_OTHER, "b"), (_OWN, "a"), (_OTHER, "b")])
        ],
        finds=["s1"],
        given=OFFICE,
    ),
    case(
        "back at another unit's desk after one act at home",
        DAY,
        at_desks(),
        _alternating(DESKS["s4"], _OWN, DESKS["s4"], gap=4),
        finds=["s1"],
        given=OFFICE,
    ),
    # To be left alone.
    case(
        "a walk to another unit's desk and back", DAY, at_desks(), _alternating(_OWN, DESKS["s4"], _OWN), given=OFFICE
    ),
    case("a walk to a colleague's desk and back", DAY, at_desks(), _alternating(_OWN, _OTHER, _OWN), given=OFFICE),
    case(
        "to and fro, a quarter of an hour each", DAY, at_desks(), _alternating(*_TO_AND_FRO[:4], gap=12), given=OFFICE
    ),
    case(
        "two machines that one uses every day",
        DAY,
        every_day("s1", _OWN, "N-1"),
        _alternating(_OWN, "N-1", _OWN, "N-1", _OWN),
        given=OFFICE,
    ),
    case(
        "a counter that everybody shares",
        DAY,
        at_desks(),
        _alternating(_OWN, "C-1", _OWN, "C-1", _OWN),
        given=named_case(terminal("C-1", REGISTER, "counter")),
    ),
    case(
        "a shared terminal that no register knows",
        DAY,
        [event for actor in ("s2", "s3", "s4") for event in every_day(actor, "X-1")],
        at_desks(),
        _alternating(_OWN, "X-1", _OWN, "X-1", _OWN),
        given=feeds(staff=posts()),
    ),
    case(
        "another site after an hour",
        DAY,
        at_desks(),
        _alternating(_OWN, "B-1", gap=40),
        given=_SITES,
    ),
    case(
        "an address in one system, a name in the other",
        DAY,
        [
            act(clock(DAY, f"14:{10 + 2 * n}"), "s1", source=source, **_place(place))
            for n, (place, source) in enumerate([(_OWN, "a"), ("10.0.0.9", "b"), (_OWN, "a"), ("10.0.0.9", "b")])
        ],
        given=OFFICE,
    ),
    case("approved", DAY, at_desks(), _alternating(*_TO_AND_FRO), given=named_case(approvals=[_APPROVED])),
    case(
        "two people at two desks",
        DAY,
        at_desks(),
        _alternating(_OWN, _OWN, _OWN),
        _alternating(DESKS["s4"], DESKS["s4"], actor="s4", unit=LEVY),
        given=OFFICE,
    ),
)
