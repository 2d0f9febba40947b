"""One day judged by every detector, after four weeks of history."""

from datetime import timedelta
from pathlib import Path
from time import perf_counter

from audit.casework import Casework
from audit.casework.repository import LookUpRepository
from audit.clock import SystemClock
from audit.context import ContextService
from audit.findings import FindingService
from audit.log import EventLog, LogRepository
from audit.store.clickhouse import EventStore
from audit.store.migrate import migrate
from audit.store.state import StateStore
from detectors.model import Window
from detectors.registry import DETECTORS
from detectors.runner import Runner
from tests.bench import samples
from tests.bench.tables import table

__all__ = ["run"]

_PAST_DAYS = 28


def run(folder: Path, *, full: bool) -> None:
    """Measure the detectors over days of two sizes; the past has a fifth of the day's events each day."""
    del full
    clock = SystemClock()
    lines = []
    for count in (100_000, 1_000_000):
        store = EventStore(path=folder / "engine", database=f"day_{count}", readers=1)
        state = StateStore(f"sqlite:///{folder / f'{count}.sqlite'}")
        migrate(store, clock)
        state.create_tables()
        past = count * _PAST_DAYS // 5
        samples.fill(store, past, _PAST_DAYS, last=samples.LAST_DAY - timedelta(days=1))
        samples.fill(store, count, 1, base=past)
        log = EventLog(LogRepository(store), clock)
        findings = FindingService(state, clock)
        context = ContextService(state)
        casework = Casework(LookUpRepository(store), context)
        runner = Runner(log, casework, context, findings, clock, lambda: DETECTORS)
        window = Window.of_day((samples.LAST_DAY + timedelta(hours=9)).date())
        for name in DETECTORS:
            began = perf_counter()
            summary = runner.run(start=window.start, end=window.end, only=[name])
            lines.append([f"{name}, {count:,} a day", perf_counter() - began, summary.events, summary.findings_new])
        store.command(f"DROP DATABASE {store.database}")
        store.close()
        state.close()
    table("Judging one day", ("", "seconds", "events", "findings"), lines)
