"""Stories that this detector must and must not find."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from detectors.cases import act, case, clock
from detectors.sources.stories import DAY, before, later, numbered, recorded, work

__all__ = ["CASES"]

_PAST = sorted(before(4))
_DAYS = [*_PAST, DAY]
_EACH = 16
"""Events of a day, so that the day's own are numbered from here on:"""
_FIRST = len(_PAST) * _EACH + 1


def _counted(*lost: int, days: Iterable[date] = _DAYS, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return numbered(work("tax", days), lost=lost, **more)


def _from_one(*lost: int, first: int = 1) -> list[dict[str, Any]]:
    """A source that numbers each day from the beginning."""
    return [event for day in _DAYS for event in numbered(work("tax", [day]), first, lost=lost if day == DAY else ())]


_RESTARTED = [
    *numbered(work("tax", _PAST), 500),
    *numbered(work("tax", [DAY], ("09:00", "12:00")), 500 + len(_PAST) * _EACH),
    *numbered(work("tax", [DAY], ("12:00", "17:00"))),
]
_TWO_WRITERS = [
    *numbered(work("tax", _DAYS, actors=("s1",))),
    *numbered(work("tax", _DAYS, ("09:15", "17:00"), actors=("s2",)), 90_000),
]
_SPARSE = [{**event, "sequence": event["sequence"] * 3} for event in _counted()]
_ENTERED = numbered(work("tax", _DAYS))
_ENTERED[_FIRST + 4] = {
    **_ENTERED[_FIRST + 4],
    "time": later(_ENTERED[_FIRST + 4], -2 * 86400 - 120),
    "recorded_at": later(_ENTERED[_FIRST + 4], 1),
}
"""One of the day's events is dated two days before."""

_EARLIER, _LATEST = work("tax", _PAST), work("tax", [DAY], every=1)
_BUSY = [*numbered(_EARLIER), *numbered(_LATEST, _FIRST, lost=range(_FIRST + 1, _FIRST + 450, 2))]
"""On this day every other number of 450 is missing, in more places than the engine tells at once."""
_LEAVES_OUT = [{**event, "sequence": event["sequence"] * 2} for event in numbered(work("tax", _DAYS, every=2))]
"""A source that leaves out a number after each, on more than 200 places a day."""
_EVE = _PAST[-1]


def _round_the_clock(*lost: int) -> list[dict[str, Any]]:
    """A source that writes at midnight, where numbers and times are not in the same order."""
    days = numbered(work("tax", _PAST))
    n = len(days) + 1
    times = [
        f"{_EVE}T23:59:57+09:00",
        f"{_EVE}T23:59:59+09:00",
        f"{DAY}T00:00:00.005+09:00",
        f"{_EVE}T23:59:59.7+09:00",
    ]
    night = [act(datetime.fromisoformat(at), "s1", source="tax") for at in times]
    rest = [act(clock(DAY, "00:01") + timedelta(minutes=m), "s1", source="tax") for m in range(4)]
    return [*days, *numbered([*night, *rest], n, lost=[n + one for one in lost])]


_SUNDAY = date(2026, 10, 4)
_ON_SUNDAY = numbered(work("tax", _DAYS))
_ON_SUNDAY[_FIRST + 4] = {
    **_ON_SUNDAY[_FIRST + 4],
    "time": f"{_SUNDAY}T11:02:00+09:00",
    "recorded_at": later(_ON_SUNDAY[_FIRST + 4], 1),
}

CASES = (
    # To be found.
    case("numbers missing in the middle of the day", DAY, _counted(*range(_FIRST + 3, _FIRST + 8)), finds=["tax"]),
    case("one number", DAY, _counted(_FIRST + 6), finds=["tax"]),
    case("over night", DAY, _counted(_FIRST - 1, _FIRST, _FIRST + 1), finds=["tax"]),
    case("in several places", DAY, _counted(_FIRST + 2, _FIRST + 5, _FIRST + 9), finds=["tax"]),
    case("numbered from one each day", DAY, _from_one(5, 6, 7), finds=["tax"]),
    case("by one of two writers", DAY, [e for e in _TWO_WRITERS if e["sequence"] != _FIRST + 7], finds=["tax"]),
    case("without times of recording", DAY, _counted(_FIRST + 3, _FIRST + 4, lag=None), finds=["tax"]),
    case("in more places than are told at once", DAY, _BUSY, finds=["tax"]),
    case("right before midnight", DAY, _round_the_clock(1), finds=["tax"]),
    case("right after midnight", DAY, _round_the_clock(4), finds=["tax"]),
    # To be left alone.
    case("numbers and times cross at midnight, the day before", _EVE, _round_the_clock()),
    case("numbers and times cross at midnight, the day after", DAY, _round_the_clock()),
    case("leaves out every other number each day", DAY, _LEAVES_OUT),
    case("all there", DAY, _counted()),
    case("numbering began anew", DAY, _RESTARTED),
    case("numbered from one each day, all there", DAY, _from_one()),
    case("numbered from a thousand each day", DAY, _from_one(first=1001)),
    case("two writers", DAY, _TWO_WRITERS),
    case("delivered twice", DAY, [*_counted(), *({**e, "unmapped": {"again": "1"}} for e in _counted()[-5:])]),
    case("numbers of several systems together", DAY, _SPARSE),
    case("entered under an earlier time", DAY, _ENTERED),
    case("only late entries on a closed day", _SUNDAY, _ON_SUNDAY),
    case("missing the day before", DAY, _counted(_FIRST - 6, _FIRST - 5)),
    case("no numbers", DAY, (recorded(event, 1) for event in work("tax", _DAYS))),
)
