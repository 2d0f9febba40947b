"""How long the questions of a day take: who saw this resident, what did this person do, what happened here."""

import random
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from audit.clock import SystemClock
from audit.log import Dimension, EventLog, Filter, LogRepository
from audit.store.clickhouse import EventStore
from audit.store.migrate import migrate
from tests.bench import samples
from tests.bench.tables import spread, table

__all__ = ["run"]

_DAYS = 400
_RUNS = 20
_FORGET = ("MARK CACHE", "INDEX MARK CACHE", "UNCOMPRESSED CACHE", "INDEX UNCOMPRESSED CACHE", "QUERY CONDITION CACHE")


def run(folder: Path, *, full: bool) -> None:
    """Measure searching in logs of growing size."""
    for count in (1_000_000, 10_000_000) if full else (1_000_000,):
        store = EventStore(path=folder / "engine", database=f"bench_{count}", readers=1)
        migrate(store, SystemClock())
        began = perf_counter()
        samples.fill(store, count, _DAYS)
        filled = perf_counter() - began
        store.command("OPTIMIZE TABLE events FINAL")
        _measure(store, EventLog(LogRepository(store), SystemClock()), count, filled)
        store.command(f"DROP DATABASE {store.database}")
        store.close()


def _questions(log: EventLog, count: int, drawn: random.Random) -> dict[str, Callable[[], object]]:
    end = samples.LAST_DAY + timedelta(hours=10)

    def day() -> Filter:
        start = end - timedelta(days=drawn.randrange(1, _DAYS))
        return Filter(start=start, end=start + timedelta(days=1), actors=(f"s{drawn.randrange(400):04d}",))

    def source() -> Filter:
        start = end - timedelta(days=drawn.randrange(31, _DAYS))
        return Filter(start=start, end=start + timedelta(days=30), sources=("nhi-eligibility",))

    def subject() -> Filter:
        return Filter(subject=f"00{drawn.randrange(90_000):08d}")

    def deep() -> str:
        page = log.search(Filter(), limit=10_000)
        for _ in range(5):
            page = log.search(Filter(), limit=10_000, cursor=page.cursor)
        return page.cursor

    cursor = deep()
    return {
        "who saw this resident": lambda: log.search(subject()),
        "one person, one day": lambda: log.search(day()),
        "one system, 30 days, newest page": lambda: log.search(source()),
        "newest page of everything": lambda: log.search(Filter()),
        "a page of 100 from deep inside": lambda: log.search(Filter(), cursor=cursor),
        "one event by its id": lambda: log.find("tax", f"e-{drawn.randrange(count):012d}"),
        "weekday and hour over 30 days": lambda: log.aggregate(
            Filter(start=end - timedelta(days=30)), (Dimension.WEEKDAY, Dimension.HOUR)
        ),
    }


def _measure(store: EventStore, log: EventLog, count: int, filled: float) -> None:
    drawn = random.Random(5)
    lines = []
    for name, ask in _questions(log, count, drawn).items():
        for cache in _FORGET:
            store.command(f"SYSTEM DROP {cache}")
        times = []
        for _ in range(_RUNS + 1):
            began = perf_counter()
            ask()
            times.append(perf_counter() - began)
        lines.append([name, times[0] * 1000, *spread(times[1:])])
    table(
        f"Searching {count:,} events of {_DAYS} days (filled in {filled:.0f} s)",
        ("", "first ms", "median ms", "95 % ms"),
        lines,
    )
    read, holding, total = zip(*(_granules(store, f"00{drawn.randrange(90_000):08d}") for _ in range(5)), strict=True)
    mean = sum(read) / len(read)
    print(
        f"\nwho saw this resident: reads {mean:.1f} of {total[0]} granules ({mean / total[0]:.2%}), "
        f"{sum(holding) / len(holding):.1f} of them hold an answer (mean of 5; goal 1 %)"
    )


def _granules(store: EventStore, subject: str) -> tuple[int, int, int]:
    """Granules that the index lets through, those that hold an answer, and all."""
    value = {"subject": subject}
    where = "FROM events WHERE has(subjects, {subject:String})"
    plan = [row["explain"] for row in store.rows(f"EXPLAIN indexes = 1 SELECT log_index {where}", value)]
    found = [re.search(r"Granules: (\d+)/(\d+)", line) for line in plan]
    counts = [(int(match[1]), int(match[2])) for match in found if match]
    holding = store.rows(f"SELECT uniqExact(_part, intDiv(_part_offset, 8192)) AS n {where}", value)
    return counts[-1][0], holding[0]["n"], counts[0][1]
