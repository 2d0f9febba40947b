"""The three readings of an event beside each other, without disk or engine: by shape, as JSON, with care."""

import json
from collections.abc import Callable
from pathlib import Path
from time import process_time

from audit.clock import SystemClock
from audit.events import check, parse_json
from audit.log import LineReader, Lines
from tests.bench import samples
from tests.bench.tables import table

__all__ = ["run"]

_EVENTS = 100_000
_CAREFUL = 5_000
_ROUNDS = 5


def _microseconds(act: Callable[[], object], events: int) -> float:
    """The least processor time of some rounds, an event."""
    times = []
    for _ in range(_ROUNDS):
        began = process_time()
        act()
        times.append(process_time() - began)
    return min(times) / events * 1e6


def run(folder: Path, *, full: bool) -> None:
    """Measure the readings."""
    del folder, full
    now = SystemClock().now()
    data = samples.json_lines(_EVENTS)
    escaped = b"\n".join(json.dumps(json.loads(line)).encode() for line in data.splitlines())
    more = data.replace(b'"affair":', b'"request":"req-00ab","milliseconds":12,"affair":')
    few = data.splitlines()[:_CAREFUL]

    def careful() -> None:
        for line in few:
            check(parse_json(line)[0] or {}, now)

    rows = [
        [name, _microseconds(lambda text=text: LineReader(now).read(Lines.of(text)), _EVENTS)]  # type: ignore[misc]
        for name, text in (
            ("by shape", data),
            ("by shape, two fields outside the contract", more),
            ("as JSON: an escape in every line", escaped),
        )
    ]
    rows.append(["with care, line by line", _microseconds(careful, _CAREFUL)])
    table(f"Reading {_EVENTS:,} events, least of {_ROUNDS} rounds", ("", "µs of processor time an event"), rows)
