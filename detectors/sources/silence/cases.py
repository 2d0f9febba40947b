"""Stories that this detector must and must not find."""

from datetime import date, timedelta

from detectors.cases import case, feeds
from detectors.sources.stories import DAY, before, work

__all__ = ["CASES"]

_SATURDAY = date(2026, 10, 10)
_OTHER = [*work("register", [*before(), DAY])]
"""Another system, heard all day."""
_PAST = [*work("tax", before(), every=20)]
_FEW = [*work("pension", before(16), every=80)]
_CLOSED = feeds(calendar=[{"date": DAY.isoformat(), "kind": "closed", "note": "臨時休庁"}])
_ROUND_THE_CLOCK = [
    event
    for back in range(28)
    for event in work(
        "platform", [_SATURDAY - timedelta(days=back)], ("00:00", "23:59"), every=30, actors=("beat",), kind="system"
    )
]
_UNTIL_TEN = [event for event in _ROUND_THE_CLOCK if event["time"] < f"{_SATURDAY}T10"]

CASES = (
    # To be found.
    case(
        "silent for hours",
        DAY,
        _OTHER,
        _PAST,
        work("tax", [DAY], ("09:00", "10:00"), ("16:00", "17:00")),
        finds=["tax"],
    ),
    case("silent from noon on", DAY, _OTHER, _PAST, work("tax", [DAY], ("09:00", "12:00")), finds=["tax"]),
    case("silent all day", DAY, _OTHER, _PAST, finds=["tax"]),
    case("heard late in the day", DAY, _OTHER, _PAST, work("tax", [DAY], ("15:30", "17:00")), finds=["tax"]),
    case(
        "few events, for days",
        DAY,
        work("register", [*before(16), DAY]),
        [event for event in _FEW if event["time"] < before(2)[-1].isoformat()],
        finds=["pension"],
    ),
    case(
        "round the clock, on a closed day",
        _SATURDAY,
        _UNTIL_TEN,
        work("door", [_SATURDAY - timedelta(days=back) for back in range(28)], ("08:00", "22:00"), every=120),
        finds=["platform"],
    ),
    # To be left alone.
    case("an ordinary day", DAY, _OTHER, _PAST, work("tax", [DAY])),
    case("a short quiet while", DAY, _OTHER, _PAST, work("tax", [DAY], ("09:00", "11:00"), ("13:00", "17:00"))),
    case("one day of a system of few events", DAY, _OTHER, work("pension", before(), every=160)),
    case("a closed day", DAY, _OTHER, _PAST, given=_CLOSED),
    case("the whole town is quiet", DAY, work("register", before()), _PAST, work("door", [DAY], every=240)),
    case("known for a few days only", DAY, _OTHER, work("tax", before(5))),
    case("nobody else is heard", DAY, _PAST, work("tax", [DAY], ("09:00", "12:00"))),
    case("quiet every other day", DAY, _OTHER, work("tax", before()[1::2])),
    case("a weekly job", DAY, _OTHER, work("batch", before()[3::5], every=5)),
)
