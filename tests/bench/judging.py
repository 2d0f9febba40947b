"""Every detector over one day of a town hall, over days of growing size, over weeks, and beside other engines.

The towns are those of `town.py`: people work on the cases of their unit, the feeds say so, and all that is odd is what
chance makes so. A day of 5 million events is one of 5,040 staff and 500,000 residents.
"""

import math
import resource
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter, process_time

from audit.casework import Casework
from audit.casework.repository import LookUpRepository
from audit.clock import SystemClock
from audit.context import ContextService
from audit.findings import FindingService
from audit.log import EventLog, Filter, LogRepository
from audit.store.migrate import migrate
from audit.store.scratch import ScratchStore
from audit.store.state import StateStore
from detectors.model import Window
from detectors.reader import LogReader
from detectors.registry import DETECTORS
from detectors.runner import Runner
from tests.bench.beside import Beside
from tests.bench.tables import table
from tests.bench.town import Town

__all__ = ["run"]

_LAST = date(2026, 10, 30)
"""A Friday."""
_DAYS = ((200_000, 240), (1_000_000, 1_200), (5_000_000, 5_040))
"""Events of the day that is judged and staff; each day before has a fifth of the events."""
_PAST = 20
_BACK = (15, 30, 60)
"""Working days of a back-test, one after the other; the last are ninety days of the calendar."""
_DAILY, _DAILY_STAFF = 50_000, 480
_FULL, _FULL_STAFF = 833_000, 5_040
"""Events a working day and staff of the back-tests: 3 million events in all, and 50 million."""
_REACH = timedelta(days=180)


def run(folder: Path, *, full: bool) -> None:
    """Measure."""
    curve = []
    for count, staff in _DAYS:
        largest = count == _DAYS[-1][0]
        curve.append(_one_day(folder / f"day-{count}", count, staff, each=largest))
    _growth("Judging one day of growing size", curve)
    for daily, staff in ((_DAILY, _DAILY_STAFF), *([(_FULL, _FULL_STAFF)] if full else [])):
        weeks = _back_test(folder / f"back-{daily}", daily, staff)
        _growth(f"A back-test, {daily:,} events a working day, after {', '.join(map(str, _BACK))} of them", weeks)


@dataclass(slots=True)
class _Place:
    """A town and all that judges it, in a folder of its own."""

    folder: Path
    town: Town
    store: ScratchStore = field(init=False)
    state: StateStore = field(init=False)
    context: ContextService = field(init=False)
    casework: Casework = field(init=False)
    findings: FindingService = field(init=False)
    runner: Runner = field(init=False)
    log: EventLog = field(init=False)

    def __post_init__(self) -> None:
        clock = SystemClock()
        self.folder.mkdir()
        self.store = ScratchStore(
            path=self.folder.parent / "engine", database=self.folder.name.replace("-", "_"), readers=1
        )
        self.state = StateStore(f"sqlite:///{self.folder / 'state.sqlite'}")
        migrate(self.store, clock)
        self.state.create_tables()
        self.log = EventLog(LogRepository(self.store), clock)
        self.context = ContextService(self.state)
        self.casework = Casework(LookUpRepository(self.store), self.context)
        self.findings = FindingService(self.state, clock)
        self.runner = Runner(self.log, self.casework, self.context, self.findings, clock, lambda: DETECTORS)

    def close(self) -> None:
        """Leave nothing."""
        self.store.close()
        self.state.close()


class _Watch:
    """Time by the clock and of the processor, lap by lap."""

    def __init__(self) -> None:
        self.laps: list[list[object]] = []
        self._at = perf_counter(), process_time()

    def lap(self, name: str, findings: object = "") -> tuple[float, float]:
        """Note what has passed since the lap before: seconds, and seconds of the processor."""
        before, self._at = self._at, (perf_counter(), process_time())
        seconds, busy = (now - then for now, then in zip(self._at, before, strict=True))
        self.laps.append([name, seconds, busy, findings])
        return seconds, busy


@dataclass(frozen=True, slots=True)
class _Point:
    """What one size took: seconds of the clock and of the processor."""

    events: int
    seconds: float
    busy: float
    findings: int


def _one_day(folder: Path, count: int, staff: int, *, each: bool) -> _Point:
    place = _Place(folder, Town(staff, staff * 100, _working_days(_PAST + 1)))
    town, window, before = place.town, Window.of_day(place.town.days[-1]), Window.of_day(place.town.days[-2])
    watch = _Watch()
    fed = sum(town.tell(place.context).values())
    watch.lap(f"{fed:,} rows of feeds brought in")
    for number in range(_PAST):
        town.fill(place.store, number, count // 5)
    town.fill(place.store, _PAST, count)
    watch.lap(f"{place.log.count(Filter()):,} events made")
    place.runner.run(start=before.start, end=before.end, only=["dormant-account"])  # it looks farthest back
    watch.lap(f"casework of the {_PAST} days before")
    place.runner.run(start=window.start, end=window.end, only=["own-record"])
    casework = watch.lap("casework of the day")
    whole = place.runner.run(start=window.start, end=window.end)
    judged = watch.lap("every detector", whole.findings_new)
    if whole.failed:
        print(f"\nfailed: {whole.failed}")
    if each:
        reader = LogReader(
            place.log, place.casework, place.context.over(window.start - _REACH, window.end), place.findings
        )
        for name, detector in DETECTORS.items():
            found = list(detector.detect(window, reader, detector.parameters))
            watch.lap(name, len(found))
    heads = ("", "seconds", "of processor", "findings")
    table(f"One day of {whole.events:,} events, {staff:,} staff", heads, watch.laps)
    print(f"\npeak resident memory so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:,.1f} GB")
    if each:
        beside = Beside(place.store, place.log, place.casework, place.context, folder, window.day)
        engines = ("seconds", "ours", "DuckDB", "pandas", "ours to the faster", "answers")
        table("The same questions of other engines", engines, beside.run())
    place.close()
    seconds, busy = (one + other for one, other in zip(casework, judged, strict=True))
    return _Point(whole.events, seconds, busy, whole.findings_new)


def _back_test(folder: Path, count: int, staff: int) -> list[_Point]:
    """All days of a log judged in order, casework included; what had passed after some, more and all of them."""
    place = _Place(folder, Town(staff, staff * 100, _working_days(_BACK[-1])))
    days = place.town.days
    place.town.tell(place.context)
    for number in range(len(days)):
        place.town.fill(place.store, number, count)
    points, first, sums = [], 0, _Point(0, 0.0, 0.0, 0)
    for until in _BACK:
        began, busy = perf_counter(), process_time()
        start, end = Window.of_day(days[first]).start, Window.of_day(days[until - 1]).end
        summary = place.runner.run(start=start, end=end)
        first, sums = (
            until,
            _Point(
                sums.events + summary.events,
                sums.seconds + perf_counter() - began,
                sums.busy + process_time() - busy,
                sums.findings + summary.findings_new,
            ),
        )
        points.append(sums)
    place.close()
    return points


def _growth(title: str, points: Sequence[_Point]) -> None:
    """The points, and the slope of the curve through them on logarithmic scales: 1 is linear, less is better."""
    rows = [
        [f"{one.events:,} events", one.seconds, one.busy, one.seconds / one.events * 1e6, one.findings]
        for one in points
    ]
    table(title, ("", "seconds", "of processor", "µs an event", "findings"), rows)
    for name, values in (("seconds", [one.seconds for one in points]), ("processor", [one.busy for one in points])):
        sizes = [math.log(one.events) for one in points]
        logs = [math.log(value) for value in values]
        middle, level = sum(sizes) / len(sizes), sum(logs) / len(logs)
        above = sum((x - middle) * (y - level) for x, y in zip(sizes, logs, strict=True))
        print(f"growth of {name}: events to the power of {above / sum((x - middle) ** 2 for x in sizes):.2f}")


def _working_days(count: int) -> tuple[date, ...]:
    found: list[date] = []
    day = _LAST
    while len(found) < count:
        if day.weekday() < 5:
            found.append(day)
        day -= timedelta(days=1)
    return tuple(reversed(found))
