"""Stories that this detector must and must not find."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from detectors.cases import act, case, clock, weekdays_before
from detectors.windows.stories import UNIT, open_cases

__all__ = ["CASES"]

_DAY = date(2026, 10, 30)
_PAST = weekdays_before(_DAY, 4)


def _served(
    day: date,
    actor: str,
    people: int = 6,
    refined: int = 0,
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """People found by name whose records are opened; before some of them, a search that has to be narrowed down."""
    for number in range(people):
        at = clock(day, "09:00") + timedelta(minutes=40 * number)
        if number < refined:
            yield _search(at - timedelta(minutes=1), actor, hits=70)
        yield _search(at, actor)
        seen = {"unit": UNIT, "subjects": [f"k-{number:04d}"], **more}
        yield act(at + timedelta(seconds=50), actor, **seen)


def _search(at: Any, actor: str = "s1", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    query = {"by": more.pop("by", "name"), **({"hits": hits} if (hits := more.pop("hits", 3)) is not None else {})}
    return act(at, actor, "search", **{"unit": UNIT, "query": query, **more})


def _curious(times: int, actor: str = "s1", at: str = "14:10", every: int = 2, **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any field
    for number in range(times):
        yield _search(clock(_DAY, at) + timedelta(minutes=every * number), actor, **more)


def _usual(refined: int = 0) -> Iterator[dict[str, Any]]:
    for day in (*_PAST, _DAY):
        for actor in ("s1", "s2", "s3"):
            yield from _served(day, actor, refined=refined)


CASES = (
    # To be found.
    case("eight names, nobody opened", _DAY, _usual(), _curious(8), finds=["s1"]),
    case(
        "by address and by date of birth",
        _DAY,
        _usual(),
        _curious(4, by="address"),
        _curious(4, at="15:10", by="birth"),
        finds=["s1"],
    ),
    case("a system that does not write hits", _DAY, _usual(), _curious(8, hits=None), finds=["s1"]),
    case("colleagues narrow down now and then", _DAY, _usual(refined=1), _curious(12), finds=["s1"]),
    case(
        "somebody who does not search otherwise",
        _DAY,
        (one for day in _PAST for actor in ("s2", "s3") for one in _served(day, actor)),
        _curious(7, actor="s4"),
        finds=["s4"],
    ),
    case("all through the day, between the cases", _DAY, _usual(), _curious(6, at="09:20", every=40), finds=["s1"]),
    case(
        "twenty names, then the next visitor's record",
        _DAY,
        _usual(),
        _curious(20, every=1),
        [act(clock(_DAY, "14:31"), "s1", unit=UNIT, subjects=["k-0009"])],
        finds=["s1"],
        given=open_cases(),
    ),
    # To be left alone.
    case("an ordinary day", _DAY, _usual()),
    case("four are few", _DAY, _usual(), _curious(4)),
    case("nobody is found", _DAY, _usual(), _curious(9, hits=0)),
    case("by number", _DAY, _usual(), _curious(9, by="number")),
    case("refused", _DAY, _usual(), _curious(9, outcome="denied")),
    case(
        "a system of which no view is recorded",
        _DAY,
        (
            one
            for day in (*_PAST, _DAY)
            for s in ("s1", "s2")
            for one in _served(day, s, people=9, activity="operation")
        ),
    ),
    case(
        "a common name, searched again and again until the right one is found",
        _DAY,
        _usual(),
        _curious(7, every=1),
        [act(clock(_DAY, "14:18"), "s1", unit=UNIT, subjects=["k-0009"])],
        given=open_cases(),
    ),
    case("opened in another system", _DAY, _usual(), _served(_DAY, "s4", people=9, source="atena")),
    case("the first day of all", _DAY, _curious(9)),
)
