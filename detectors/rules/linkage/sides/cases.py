"""Stories of linkages."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from detectors.cases import act, case, clock, weekdays_before
from detectors.rules.outputs.stories import DAY

__all__ = ["CASES"]

_DAYS = weekdays_before(DAY, 6)
_TAX, _ADDRESSEES, _CARE = "local-tax", "addressees", "care"


def _side(
    doing: str,
    source: str,
    partner: str,
    day: date = DAY,
    at: str = "13:00",
    **more: Any,  # noqa: ANN401
) -> dict[str, Any]:
    sheet = {"file": more.pop("file", f"if-{day}.dat"), "rows": more.pop("rows", 120), "sha256": more.pop("sha256", "")}
    kept = {name: value for name, value in sheet.items() if value}
    who = more.pop("who", "job")
    kind = "system" if who == "job" else "staff"
    return act(
        clock(day, at), who, doing, kind=kind, source=source, export=kept, counterparty={"system": partner}, **more
    )


def _both(source: str, partner: str, day: date = DAY, at: str = "02:00", **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    yield _side("transfer", source, partner, day, at, **more)
    yield _side("receive", partner, source, day, at, **more)


_PAST = [one for day in _DAYS for one in _both(_TAX, _ADDRESSEES, day)]
_OTHERS = [act(clock(day, "10:00"), "s1", source=_CARE) for day in _DAYS]
"""A third system, without any linkage."""

CASES = (
    case(
        "sent, and never received",
        DAY,
        _PAST,
        _both(_TAX, _ADDRESSEES),
        _side("transfer", _TAX, _ADDRESSEES, file="adhoc.dat", rows=2600),
        finds=[_TAX],
    ),
    case(
        "received, and never sent",
        DAY,
        _PAST,
        _both(_TAX, _ADDRESSEES),
        _side("receive", _ADDRESSEES, _TAX, file="adhoc.dat"),
        finds=[_ADDRESSEES],
    ),
    case("the daily file does not arrive", DAY, _PAST, _side("transfer", _TAX, _ADDRESSEES), finds=[_TAX]),
    case(
        "sent by hand",
        DAY,
        _PAST,
        _both(_TAX, _ADDRESSEES),
        _side("transfer", _TAX, _ADDRESSEES, file="x.dat", who="s1"),
        finds=[_TAX],
    ),
    case(
        "to a system that never had any",
        DAY,
        _PAST,
        _OTHERS,
        _both(_TAX, _ADDRESSEES),
        _side("transfer", _TAX, _CARE, file="adhoc.dat"),
        finds=[_TAX],
    ),
    case(
        "other contents under the same name",
        DAY,
        _PAST,
        _side("transfer", _TAX, _ADDRESSEES, sha256="aa"),
        _side("receive", _ADDRESSEES, _TAX, sha256="bb"),
        _side("receive", _ADDRESSEES, _TAX, sha256="cc"),
        finds=[_TAX, _ADDRESSEES],
    ),
    case(
        "one side, beside linkages with a third system",
        DAY,
        [one for day in (*_DAYS, DAY) for one in (*_both(_TAX, _CARE, day), *_both(_TAX, _ADDRESSEES, day))],
        _side("transfer", _TAX, _ADDRESSEES, file="adhoc.dat"),
        finds=[_TAX],
    ),
    case(
        "an unknown direction between two that are linked otherwise",
        DAY,
        [
            one
            for day in (*_DAYS, DAY)
            for one in (*_both(_TAX, _CARE, day, "03:00"), *_both(_CARE, _ADDRESSEES, day, "03:00"))
        ],
        _side("transfer", _ADDRESSEES, _TAX, file="adhoc.dat"),
        finds=[_ADDRESSEES],
    ),
    # To be left alone.
    case("both sides as every day", DAY, _PAST, _both(_TAX, _ADDRESSEES)),
    case(
        "received an hour later",
        DAY,
        _PAST,
        _side("transfer", _TAX, _ADDRESSEES),
        _side("receive", _ADDRESSEES, _TAX, at="14:10"),
    ),
    case(
        "without names of files, the number agrees",
        DAY,
        _PAST,
        _both(_TAX, _ADDRESSEES, file=""),
        _both(_TAX, _ADDRESSEES, at="12:00", file=""),
    ),
    case(
        "the receiver does not name whence",
        DAY,
        _PAST,
        _side("transfer", _TAX, _ADDRESSEES),
        _side("receive", _ADDRESSEES, ""),
    ),
    case(
        "a partner that never records its side, as every day",
        DAY,
        [_side("transfer", _TAX, _CARE, day) for day in (*_DAYS, DAY)],
        _OTHERS,
    ),
    case(
        "a body outside the house",
        DAY,
        _PAST,
        _both(_TAX, _ADDRESSEES),
        _side("transfer", _TAX, "pension-office", file="yearly.dat"),
    ),
    case(
        "over midnight",
        DAY,
        _PAST,
        _both(_TAX, _ADDRESSEES),
        _side("transfer", _TAX, _ADDRESSEES, at="23:50", file="late.dat"),
    ),
    case(
        "it failed, and was sent again",
        DAY,
        _PAST,
        _both(_TAX, _ADDRESSEES),
        _side("transfer", _TAX, _ADDRESSEES, at="01:50", outcome="failure"),
    ),
    case(
        "the first days of the log",
        DAY,
        _side("transfer", _TAX, _ADDRESSEES),
        act(clock(DAY, "10:00"), "s1", source=_ADDRESSEES),
    ),
)
