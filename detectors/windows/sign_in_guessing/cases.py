"""Stories that this detector must and must not find."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from detectors.cases import act, case, clock, sign_in, weekdays_before

__all__ = ["CASES"]

_DAY = date(2026, 10, 7)
_EVE = _DAY - timedelta(days=1)
_OWN, _STRANGE, _GATEWAY = "10.3.1.31", "10.9.9.9", "10.3.0.1"


def _failures(
    count: int,
    at: datetime,
    actor: str,
    ip: str,
    gap: int = 20,
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """Failed attempts, so many seconds apart."""
    for number in range(count):
        yield sign_in(at + timedelta(seconds=gap * number), actor, ip, **{"outcome": "failure", **more})


def _spray(count: int, at: datetime, ip: str) -> Iterator[dict[str, Any]]:
    """One failed attempt at each of many accounts."""
    for number in range(count):
        yield sign_in(at + timedelta(seconds=10 * number), f"s{number + 1}", ip, "failure")


def _habit(actor: str, ip: str) -> Iterator[dict[str, Any]]:
    """Two weeks of signing in from one place."""
    return (sign_in(clock(day, "08:31"), actor, ip) for day in weekdays_before(_DAY, 10))


_USUAL_TERMINAL = {"id": "T-0001", "ip": _GATEWAY}
_NEW_TERMINAL = {"id": "T-0999", "ip": _GATEWAY}

CASES = (
    # To be found.
    case(
        "five failures from a strange place, then in",
        _DAY,
        _habit("s1", _OWN),
        _failures(5, clock(_DAY, "02:00"), "s1", _STRANGE),
        sign_in(clock(_DAY, "02:05"), "s1", _STRANGE),
        finds=["nhi-eligibility/s1"],
    ),
    case(
        "eight failures even at one's own terminal",
        _DAY,
        _habit("s1", _OWN),
        _failures(8, clock(_DAY, "08:30"), "s1", _OWN),
        sign_in(clock(_DAY, "08:40"), "s1", _OWN),
        finds=["nhi-eligibility/s1"],
    ),
    case(
        "one password tried on many accounts, and one opens",
        _DAY,
        _habit("s4", _OWN),
        _spray(12, clock(_DAY, "02:00"), _STRANGE),
        sign_in(clock(_DAY, "02:10"), "s4", _STRANGE),
        finds=["nhi-eligibility/s4"],
    ),
    case(
        "a burst over midnight",
        _DAY,
        _failures(6, clock(_EVE, "23:50"), "s1", _STRANGE),
        sign_in(clock(_DAY, "00:05"), "s1", _STRANGE),
        finds=["nhi-eligibility/s1"],
    ),
    case(
        "message repeated six times, in one second",
        _DAY,
        _failures(6, clock(_DAY, "02:00:07"), "root", _STRANGE, gap=0, source="server-admin-terminal"),
        sign_in(clock(_DAY, "02:00:09"), "root", _STRANGE, source="server-admin-terminal"),
        finds=["server-admin-terminal/root"],
    ),
    case(
        "two sources, one finding each",
        _DAY,
        _failures(5, clock(_DAY, "02:00"), "s1", _STRANGE),
        sign_in(clock(_DAY, "02:05"), "s1", _STRANGE),
        _failures(5, clock(_DAY, "02:10"), "s1", _STRANGE, source="atena"),
        sign_in(clock(_DAY, "02:15"), "s1", _STRANGE, source="atena"),
        finds=["nhi-eligibility/s1", "atena/s1"],
    ),
    case(
        "refusals count like failures",
        _DAY,
        _failures(3, clock(_DAY, "02:00"), "s1", _STRANGE),
        _failures(3, clock(_DAY, "02:02"), "s1", _STRANGE, outcome="denied"),
        sign_in(clock(_DAY, "02:05"), "s1", _STRANGE),
        finds=["nhi-eligibility/s1"],
    ),
    # To be left alone.
    case(
        "a forgotten password",
        _DAY,
        _habit("s1", _OWN),
        _failures(4, clock(_DAY, "08:30"), "s1", _OWN),
        sign_in(clock(_DAY, "08:33"), "s1", _OWN),
    ),
    case(
        "seven failures at one's own terminal",
        _DAY,
        _habit("s1", _OWN),
        _failures(7, clock(_DAY, "08:30"), "s1", _OWN),
        sign_in(clock(_DAY, "08:35"), "s1", _OWN),
    ),
    case(
        "four failures at a terminal lent for the day",
        _DAY,
        _habit("s1", _OWN),
        _failures(4, clock(_DAY, "08:30"), "s1", _STRANGE),
        sign_in(clock(_DAY, "08:35"), "s1", _STRANGE),
    ),
    case(
        "failures elsewhere, success at one's own terminal",
        _DAY,
        _habit("s1", _OWN),
        _failures(20, clock(_DAY, "08:30"), "s1", _STRANGE),
        sign_in(clock(_DAY, "08:40"), "s1", _OWN),
    ),
    case("thirty failures without success", _DAY, _failures(30, clock(_DAY, "02:00"), "s1", _STRANGE)),
    case(
        "more than an hour apart",
        _DAY,
        _failures(9, clock(_DAY, "02:00"), "s1", _STRANGE),
        sign_in(clock(_DAY, "03:05"), "s1", _STRANGE),
    ),
    case(
        "a gateway from which everyone signs in",
        _DAY,
        _habit("s4", _GATEWAY),
        _spray(12, clock(_DAY, "08:30"), _GATEWAY),
        sign_in(clock(_DAY, "08:35"), "s4", _GATEWAY),
    ),
    case(
        "a new terminal behind the address that everyone shares",
        _DAY,
        sign_in(clock(_EVE, "08:30"), "s1", terminal=_USUAL_TERMINAL),
        [sign_in(clock(_DAY, f"08:3{n}"), "s1", terminal=_NEW_TERMINAL, outcome="failure") for n in range(6)],
        sign_in(clock(_DAY, "08:37"), "s1", terminal=_NEW_TERMINAL),
        finds=["nhi-eligibility/s1"],
    ),
    case(
        "the usual terminal behind the address that everyone shares",
        _DAY,
        sign_in(clock(_EVE, "08:30"), "s1", terminal=_USUAL_TERMINAL),
        [sign_in(clock(_DAY, f"08:3{n}"), "s1", terminal=_USUAL_TERMINAL, outcome="failure") for n in range(6)],
        sign_in(clock(_DAY, "08:37"), "s1", terminal=_USUAL_TERMINAL),
    ),
    case(
        "a success between two small bursts",
        _DAY,
        _failures(3, clock(_DAY, "08:30"), "s1", _STRANGE),
        sign_in(clock(_DAY, "08:35"), "s1", _STRANGE),
        _failures(3, clock(_DAY, "08:40"), "s1", _STRANGE),
        sign_in(clock(_DAY, "08:45"), "s1", _STRANGE),
    ),
    case(
        "yesterday's burst ended yesterday",
        _DAY,
        _failures(9, clock(_EVE, "23:40"), "s1", _STRANGE),
        sign_in(clock(_EVE, "23:45"), "s1", _STRANGE),
        sign_in(clock(_DAY, "00:10"), "s1", _STRANGE),
    ),
    case(
        "refused look-ups are no sign-ins",
        _DAY,
        [act(clock(_DAY, f"09:{minute:02d}"), "s1", ip=_OWN, outcome="denied") for minute in range(20)],
        sign_in(clock(_DAY, "09:30"), "s1", _OWN),
    ),
    case(
        "failures in one source, success in another",
        _DAY,
        _failures(10, clock(_DAY, "08:30"), "s1", _STRANGE, source="atena"),
        sign_in(clock(_DAY, "08:40"), "s1", _STRANGE),
    ),
)
