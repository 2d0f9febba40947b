"""Stories that this detector must and must not find."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from detectors.cases import case, weekdays_before
from detectors.windows.stories import looks_at, open_cases, ordinary_days

__all__ = ["CASES"]

_DAY = date(2026, 10, 30)
_DAYS = [*weekdays_before(_DAY, 14)[::-1], _DAY]
_TOWN = open_cases()


def _usual() -> Iterator[dict[str, Any]]:
    """Three people; of each day a list of ten residents, all of whom have cases."""
    return ordinary_days(_DAYS, "s1", "s2", "s3", people=10)


def _trickle(
    days: Sequence[date],
    actor: str = "s1",
    each: int = 1,
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """On each day so many strangers, never the same."""
    for day in days:
        yield from looks_at(day, actor, [f"{actor}-x{day:%m%d}-{n}" for n in range(each)], at="15:10", **more)


CASES = (
    # To be found.
    case("one a day for a week", _DAY, _usual(), _trickle(_DAYS[-5:]), finds=["s1"], given=_TOWN),
    case("two every fourth day", _DAY, _usual(), _trickle(_DAYS[2::4], each=2), finds=["s1"], given=_TOWN),
    case("two a day for four days", _DAY, _usual(), _trickle(_DAYS[-4:], each=2), finds=["s1"], given=_TOWN),
    case(
        "colleagues slip now and then, this is more",
        _DAY,
        _usual(),
        _trickle(_DAYS[2:4], "s2"),
        _trickle(_DAYS[7:9], "s3"),
        _trickle(_DAYS[-4:], each=2),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "now here, now there",
        _DAY,
        _usual(),
        _trickle(_DAYS[-5::2], source="atena"),
        _trickle(_DAYS[-4::2], source="resident-register"),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "it goes on, and by now it is far more",
        _DAY,
        _usual(),
        _trickle(_DAYS[:-1:2]),
        _trickle([_DAY], each=4),
        finds=["s1"],
        given=_TOWN,
    ),
    # To be left alone.
    case("an ordinary fortnight", _DAY, _usual(), given=_TOWN),
    case("a slip now and then", _DAY, _usual(), _trickle(_DAYS[::4]), given=_TOWN),
    case("one bad day", _DAY, _usual(), _trickle([_DAY], each=7), given=_TOWN),
    case(
        "it was found days ago and is no worse", _DAY, _usual(), _trickle(_DAYS[-9:-4]), _trickle([_DAY]), given=_TOWN
    ),
    case("it has ended", _DAY, _usual(), _trickle(_DAYS[-7:-1]), given=_TOWN),
    case("the whole unit does it", _DAY, _usual(), *(_trickle(_DAYS[-8:], s) for s in ("s1", "s2", "s3")), given=_TOWN),
    case("a town that delivers no cases", _DAY, _usual(), _trickle(_DAYS[-8:])),
    case("each is followed by a change", _DAY, _usual(), _trickle(_DAYS[-8:], activity="update"), given=_TOWN),
)
