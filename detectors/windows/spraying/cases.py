"""Stories that this detector must and must not find."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from detectors.cases import act, case, clock, feeds, sign_in, weekdays_before

__all__ = ["CASES"]

_DAY = date(2026, 10, 7)
_STRANGE, _GATEWAY = "10.9.9.9", "10.3.0.1"
_DIRECTORY = feeds(staff=[{"staff_id": "s1", "org_unit": "zeimu"}])


def _spray(
    count: int,
    ip: str = _STRANGE,
    each: int = 1,
    names: str = "s{}",
    hour: int = 2,
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """Failures of many accounts, few each, a minute apart."""
    for number in range(1, count + 1):
        for again in range(each):
            at = clock(_DAY, f"{hour + again:02d}:{number:02d}")
            yield sign_in(at, names.format(number), ip, **{"outcome": "failure", **more})


def _habit(count: int, ip: str) -> Iterator[dict[str, Any]]:
    return (
        sign_in(clock(day, f"08:3{n}"), f"s{n}", ip) for day in weekdays_before(_DAY, 3) for n in range(1, count + 1)
    )


CASES = (
    # To be found.
    case("nine accounts, once each", _DAY, _spray(9), finds=[_STRANGE]),
    case("six accounts, twice each, through the day", _DAY, _spray(6, each=2, hour=10), finds=[_STRANGE]),
    case(
        "one of them opens",
        _DAY,
        _spray(9),
        sign_in(clock(_DAY, "02:30"), "s4", _STRANGE),
        finds=[_STRANGE],
    ),
    case(
        "from a terminal, by its name",
        _DAY,
        _spray(7, "", terminal={"id": "T-0200"}),
        finds=["T-0200"],
    ),
    case("refused rather than failed", _DAY, _spray(7, outcome="denied"), finds=[_STRANGE]),
    case("names that nobody here bears", _DAY, _spray(4, names="admin{}"), finds=[_STRANGE], given=_DIRECTORY),
    case(
        "over two systems",
        _DAY,
        _spray(3),
        _spray(6, source="atena", hour=4),
        finds=[_STRANGE],
    ),
    # To be left alone.
    case("four accounts", _DAY, _spray(4)),
    case("a gateway from which they all sign in", _DAY, _habit(9, _GATEWAY), _spray(9, _GATEWAY)),
    case(
        "the first morning at a new gateway",
        _DAY,
        _spray(6, _GATEWAY, hour=8),
        [sign_in(clock(_DAY, f"08:3{n}"), f"s{n}", _GATEWAY) for n in range(1, 7)],
    ),
    case(
        "one account, many times",
        _DAY,
        [sign_in(clock(_DAY, f"02:{n:02d}"), "s1", _STRANGE, "failure") for n in range(30)],
    ),
    case(
        "everybody at a desk of their own",
        _DAY,
        [sign_in(clock(_DAY, "08:30"), f"s{n}", f"10.3.1.{n}", "failure") for n in range(1, 13)],
    ),
    case(
        "refused look-ups",
        _DAY,
        [act(clock(_DAY, f"09:{n:02d}"), f"s{n}", ip=_STRANGE, outcome="denied") for n in range(9)],
    ),
    case("from nowhere", _DAY, _spray(9, "")),
)
