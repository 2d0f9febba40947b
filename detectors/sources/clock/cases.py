"""Stories that this detector must and must not find."""

from collections.abc import Iterable
from typing import Any

from detectors.cases import case
from detectors.sources.stories import DAY, before, later, numbered, recorded, work

__all__ = ["CASES"]

_PAST = sorted(before(4))


def _stamped(lag: float = 1.0, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - as in `work`
    return [recorded(event, lag) for event in work("tax", [*_PAST, DAY], **more)]


def _wrong(
    events: Iterable[dict[str, Any]], seconds: float, start: str = "10:00", end: str = "15:00", *, both: bool = False
) -> list[dict[str, Any]]:
    """Some hours of the day under another time; the time of recording is shifted too where it is the same clock's."""
    found = []
    for event in events:
        at = event["time"]
        if f"{DAY}T{start}" <= at < f"{DAY}T{end}":
            shifted = {**event, "time": later(event, seconds)}
            if "recorded_at" in event and both:
                shifted["recorded_at"] = later(event, seconds + 1)
            found.append(shifted)
        else:
            found.append(event)
    return found


_COUNTED = numbered(work("tax", [*_PAST, DAY], every=10))
_UNSAID = numbered(work("tax", [*_PAST, DAY], every=10), lag=None)
_OF_ONE = numbered(work("tax", [*_PAST, DAY], every=10, actors=("s1",)), lag=None)
_SPREAD = [recorded(event, 60.0 * (number % 9)) for number, event in enumerate(work("tax", [*_PAST, DAY]))]

CASES = (
    # To be found.
    case("ahead of the collector", DAY, _wrong(_stamped(), 23 * 60), finds=["tax"]),
    case("ahead by some minutes", DAY, _wrong(_stamped(), 4 * 60), finds=["tax"]),
    case("behind", DAY, _wrong(_stamped(), -20 * 60), finds=["tax"]),
    case("numbers tell: an hour back", DAY, _wrong(_COUNTED, -3600, both=True), finds=["tax"]),
    case("numbers tell: set right again", DAY, _wrong(_COUNTED, 3600, both=True), finds=["tax"]),
    case("numbers alone", DAY, _wrong(_UNSAID, -5400, "13:00", "17:00"), finds=["tax"]),
    # To be left alone.
    case("right", DAY, _stamped()),
    case("always recorded five minutes later", DAY, _stamped(300.0)),
    case("recorded at some time within minutes", DAY, _wrong(_SPREAD, -200)),
    case("a minute off", DAY, _wrong(_stamped(), 60)),
    case("one event entered later", DAY, _wrong(_stamped(), -20 * 60, "10:00", "10:30")),
    case("one person's few acts out of order", DAY, _wrong(_OF_ONE, -7200, "13:00", "13:30")),
    case("numbered in order", DAY, _UNSAID),
    case("nothing to compare with", DAY, _wrong(work("tax", [*_PAST, DAY]), 3600)),
    case("numbered anew", DAY, numbered(work("tax", [*_PAST]), 900), numbered(work("tax", [DAY]), lag=None)),
)
