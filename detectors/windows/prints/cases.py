"""Stories that this detector must and must not find."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from detectors.cases import case, weekdays_before
from detectors.windows.stories import looks_at, open_cases, ordinary_days

__all__ = ["CASES"]

_DAY = date(2026, 10, 30)
_DAYS = [*weekdays_before(_DAY, 7)[::-1], _DAY]
_TOWN = open_cases()


def _usual(**more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any field
    """Three people at a counter; of each day ten certificates, all with tickets."""
    return ordinary_days(_DAYS, "s1", "s2", "s3", people=10, activity="print", **more)


def _taken(
    days: Sequence[date],
    actor: str = "s1",
    each: int = 1,
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """On each day so many strangers' records printed, never the same."""
    for day in days:
        strangers = [f"{actor}-x{day:%m%d}-{n}" for n in range(each)]
        yield from looks_at(day, actor, strangers, **{"at": "15:10", "activity": "print", **more})


CASES = (
    # To be found.
    case("two in one day", _DAY, _usual(), _taken([_DAY], each=2), finds=["s1"], given=_TOWN),
    case("one now and then", _DAY, _usual(), _taken(_DAYS[1::3], each=2), finds=["s1"], given=_TOWN),
    case(
        "two copied from the screen",
        _DAY,
        _usual(),
        _taken([_DAY], each=2, activity="screen_copy"),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "one in the evening, by somebody who prints nothing else",
        _DAY,
        _usual(),
        _taken([_DAY], "s4", at="20:40"),
        finds=["s4"],
        given=_TOWN,
    ),
    case(
        "a colleague forgot a ticket, this is more",
        _DAY,
        _usual(),
        _taken(_DAYS[2:3], "s2"),
        _taken(_DAYS[-3:], each=2),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "now here, now there",
        _DAY,
        _usual(),
        _taken(_DAYS[-1:], each=2),
        _taken(_DAYS[-3:-1], each=2, source="atena"),
        finds=["s1"],
        given=_TOWN,
    ),
    # To be left alone.
    case("an ordinary week", _DAY, _usual(), given=_TOWN),
    case("one forgotten ticket", _DAY, _usual(), _taken([_DAY]), given=_TOWN),
    case("looks, not prints", _DAY, _usual(), _taken([_DAY], each=3, activity="view"), given=_TOWN),
    case("it has ended", _DAY, _usual(), _taken(_DAYS[-4:-1]), given=_TOWN),
    case(
        "everyone does it",
        _DAY,
        _usual(),
        *(_taken(_DAYS, s, each=2) for s in ("s1", "s2", "s3")),
        given=_TOWN,
    ),
    case("a counter without tickets", _DAY, _usual(), _taken([_DAY], each=3)),
    case("too few prints to know", _DAY, _taken([_DAY], each=2), given=_TOWN),
)
