"""D4, D5: a ClickHouse server that is down, slow, read-only, killed, or whose answers are lost after it committed."""

# ruff: noqa: S311 - cases bear their names in security.md; chance, not secrecy

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lives import LONG, Hospital, Town
from middleman import Fate, Middleman, middleman
from senders import DESK, DOOR, PIPE, Parcel, mixed, numbered

from audit.clock import SystemClock
from audit.log import Delivery, EventLog, LineReader, Lines, LogRepository
from audit.store.clickhouse import EventStore
from audit.store.errors import StoreUnavailableError
from audit.store.migrate import migrate


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Middleman]:
    with middleman(tmp_path / "engine") as opened:
        yield opened


@pytest.fixture
def town(lives: Hospital, server: Middleman) -> Town:
    lives.count += 1
    return Town(lives, lives.folder / f"served-{lives.count}", server.url)


def crowd(count: int) -> list[Parcel]:
    """More of it, from several sources."""
    return mixed() + [
        Parcel(f"crowd {source} {n}", source, b"".join(raw + b"\n" for raw in numbered(f"c{n}", 20)))
        for source in (DESK, DOOR, PIPE)
        for n in range(count)
    ]


def check(town: Town, server: Middleman, parcels: list[Parcel], fates: dict[Fate, float], seed: int) -> None:
    """Live with a server that fails by chance, then with one that does not."""
    chance = random.Random(seed)

    def plan(_request: bytes) -> Fate:
        for fate, share in fates.items():
            if chance.random() < share:
                return fate
        return Fate.PASS

    server.plan = plan
    status, _ = town.live(parcels, threads=True)
    assert status == 0
    assert len(town.acknowledged()) == len(parcels)
    server.plan = lambda _request: Fate.PASS
    try:
        town.check(parcels)
    except AssertionError as error:
        error.add_note(f"seed {seed}, {server.fates}")
        raise
    assert sum(server.fates[fate] for fate in fates), "nothing ever happened"


SEEDS = [random.randrange(1 << 30) for _ in range(6 if LONG else 1)]


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_D5_answers_are_lost_after_the_commit(town: Town, server: Middleman, seed: int) -> None:
    check(town, server, crowd(1), {Fate.LOSE: 0.03}, seed)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_D4_connections_break_and_answers_are_slow(town: Town, server: Middleman, seed: int) -> None:
    check(town, server, crowd(1), {Fate.REFUSE: 0.02, Fate.SLOW: 0.01, Fate.LOSE: 0.01}, seed)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_D4_the_server_is_killed_between_any_two_statements(town: Town, server: Middleman, seed: int) -> None:
    """What the server held in memory for us is gone then, and no answer may be given without it."""
    restarts = 20 if LONG else 2
    chance = random.Random(seed)
    server.plan = lambda _request: (
        Fate.RESTART if server.fates[Fate.RESTART] < restarts and chance.random() < 0.05 else Fate.PASS
    )
    parcels = crowd(4 if LONG else 1)
    assert town.live(parcels, threads=True)[0] == 0
    server.plan = lambda _request: Fate.PASS
    town.check(parcels)
    assert server.fates[Fate.RESTART]


@pytest.mark.parametrize("how", [Fate.REFUSE, Fate.READONLY])
def test_D4_ingest_goes_on_while_the_server_does_not_answer(town: Town, server: Middleman, how: Fate) -> None:
    parcels, away = crowd(3), 60.0 if LONG else 1.0
    began = list[float]()

    def plan(_request: bytes) -> Fate:
        began.append(time.monotonic())
        return how if began[-1] - began[0] < away else Fate.PASS

    server.plan = plan
    lasting = threading.Thread(target=town.live, args=(parcels,), kwargs={"threads": True})
    lasting.start()
    while len(town.acknowledged()) < len(parcels):
        assert lasting.is_alive()
        time.sleep(0.02)
    told_at = time.monotonic()
    lasting.join()
    assert server.fates[how] > 1
    assert told_at < began[0] + away, "senders had to wait for the server"
    town.check(parcels)


def test_D5_an_insert_that_is_still_under_way_is_waited_for(server: Middleman) -> None:
    """Its sender gave up; the server did not, and will commit: nothing may be numbered or judged new before it has."""
    store = EventStore(url=server.url, database="mimamori")
    migrate(store, SystemClock())
    log = EventLog(LogRepository(store), SystemClock())
    slow = EventStore(url=server.url, database="mimamori")
    late = (
        "INSERT INTO `mimamori`.`events` (source, event_id, time, log_index, activity) "
        "SELECT 'src', 'late', now64(6) + sleepEachRow(1.5), 0, 'view'"
    )
    inserting = threading.Thread(target=slow.command, args=(late,))
    inserting.start()
    time.sleep(0.5)
    log._next = None  # as after an insert whose answer was lost
    line = Lines.of(b'{"time":"2026-10-05T09:13:22+09:00","event_id":"new","activity":"view","actor":{"id":"s"}}')
    delivery = Delivery(1, "src", SystemClock().now())
    with pytest.raises(StoreUnavailableError, match="under way"):
        log.append(delivery, LineReader(delivery.received_at).read(line))
    inserting.join()
    assert log.append(delivery, LineReader(delivery.received_at).read(line)).stored == 1
    indexes = store.rows("SELECT event_id, log_index FROM events ORDER BY log_index")
    assert [tuple(row.values()) for row in indexes] == [("late", 0), ("new", 1)]
    store.close()
    slow.close()
