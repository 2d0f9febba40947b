"""Stories that this detector must and must not find."""

from datetime import timedelta
from typing import Any

from detectors.cases import act, case, clock
from detectors.sources.stories import DAY, before, numbered, recorded, work

__all__ = ["CASES"]

_PAST = sorted(before(4))
_HOUR, _A_DAY = 3600.0, 86400.0
_USUAL = [recorded(event, 1.0) for event in work("tax", [*_PAST, DAY])]


def _entered(
    count: int, lag: float, actor: str = "s9", activity: str = "update", source: str = "tax"
) -> list[dict[str, Any]]:
    """Some acts of the day, recorded so much later."""
    start = clock(DAY, "14:03")
    return [
        recorded(act(start + timedelta(minutes=n), actor, activity, source=source, subjects=[f"k-{n}"]), lag)
        for n in range(count)
    ]


def _inserted(count: int, actor: str = "s9", at: str = "10:10") -> list[dict[str, Any]]:
    """Acts under a time of the morning, written at the end of the day; only their numbers tell."""
    day = numbered(work("tax", [*_PAST, DAY]), lag=None)
    late = [act(clock(DAY, at) + timedelta(minutes=n), actor, "update", source="tax") for n in range(count)]
    return [*day, *numbered(late, len(day) + 1, lag=None)]


_DAYS_LATER = [
    *numbered(work("tax", [*_PAST, DAY]), lag=None),
    *numbered([act(clock(_PAST[1], "11:05"), "s9", "update", source="tax")], len(_PAST) * 16 + 17, lag=None),
]
"""Written after today's events, under a time three working days ago."""

_MIDDAY = numbered(work("tax", [*_PAST, DAY]), lag=None)
_MIDDAY[len(_PAST) * 16 + 8] = {
    **_MIDDAY[len(_PAST) * 16 + 8],
    "actor": {"id": "s9", "kind": "staff"},
    "time": clock(_PAST[1], "11:05").isoformat(),
}
"""The ninth act of today, under a time three working days ago."""
_EACH_DAY_ANEW = [
    *(event for day in _PAST for event in numbered(work("tax", [day], actors=("s1",)), lag=None)),
    *numbered(work("tax", [DAY], ("09:00", "14:00"), actors=("s1",)), lag=None),
]

CASES = (
    # To be found.
    case("recorded six days later", DAY, _USUAL, _entered(4, 6 * _A_DAY), finds=["s9"]),
    case("recorded the next day", DAY, _USUAL, _entered(2, 1.2 * _A_DAY), finds=["s9"]),
    case("recorded in the evening", DAY, _USUAL, _entered(3, 4 * _HOUR), finds=["s9"]),
    case("merely looked at, it says", DAY, _USUAL, _entered(3, 3 * _A_DAY, activity="view"), finds=["s9"]),
    case("numbers tell, the same day", DAY, _inserted(2), finds=["s9"]),
    case("numbers tell, days before", DAY, _DAYS_LATER, finds=["s9"]),
    case("numbers tell, days before, in the middle of the day", DAY, _MIDDAY, finds=["s9"]),
    case(
        "by two people",
        DAY,
        _USUAL,
        _entered(2, 3 * _A_DAY),
        _entered(2, 3 * _A_DAY, "s8"),
        finds=["s8", "s9"],
    ),
    # To be left alone.
    case("numbers tell on the day of writing, not on the day claimed", _PAST[1], _DAYS_LATER),
    case("numbered from one each day, fewer today", DAY, _EACH_DAY_ANEW),
    case("recorded at once", DAY, _USUAL),
    case("some minutes later", DAY, _USUAL, _entered(3, 600.0)),
    case("a ledger that is always typed in later", DAY, [recorded(e, 2 * _A_DAY) for e in work("tax", [*_PAST, DAY])]),
    case(
        "a system that was cut off",
        DAY,
        _USUAL,
        *(_entered(2, 5 * _HOUR, f"s{n}") for n in range(20, 27)),
    ),
    case(
        "entered by a job", DAY, _USUAL, [{**e, "actor": {"id": "job", "kind": "system"}} for e in _entered(3, _A_DAY)]
    ),
    case("numbered in order", DAY, numbered(work("tax", [*_PAST, DAY]), lag=None)),
    case(
        "numbered anew at noon",
        DAY,
        numbered(work("tax", [*_PAST, DAY], ("09:00", "12:00")), 500),
        numbered(work("tax", [DAY], ("12:00", "17:00"))),
    ),
    case(
        "neither numbers nor times of recording",
        DAY,
        work("tax", [*_PAST, DAY]),
        act(clock(DAY, "10:10"), "s9", "update", source="tax"),
    ),
)
