"""What was taken away is told once, however often the log fails."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from audit.access.outbox import Outbox, UntoldRow, keep
from audit.store.errors import StoreUnavailableError
from audit.store.state import StateStore


class Log:
    """A log that knows an event by its id, and can fail: before it has the events, or after."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}
        self.fails = ""

    def record_all(self, docs: Sequence[Mapping[str, Any]]) -> None:
        if self.fails == "before":
            raise StoreUnavailableError("disk full")
        self.stored |= {doc["event_id"]: dict(doc) for doc in docs}
        if self.fails == "after":
            raise StoreUnavailableError("gone before it answered")


class OneByOne:
    """The same, one event at a time."""

    def __init__(self) -> None:
        self.log = Log()

    def record(self, doc: dict[str, Any]) -> None:
        self.log.record_all([doc])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    store = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    store.create_tables()
    yield store
    store.close()


def waiting(store: StateStore) -> int:
    with store.unit() as unit:
        return unit.scalar(select(func.count()).select_from(UntoldRow)) or 0


def take_away(outbox: Outbox, *names: str) -> None:
    with outbox.unit() as (_, told):
        told += [{"event_id": name, "operation_name": "taken"} for name in names]


@pytest.mark.parametrize("fails", ["before", "after"])
def test_what_the_log_refused_is_told_by_the_next_sweep_and_stored_once(store: StateStore, fails: str) -> None:
    log = Log()
    outbox = Outbox(store, log)
    log.fails = fails
    with pytest.raises(StoreUnavailableError):
        take_away(outbox, "a", "b")
    assert waiting(store) == 2
    with pytest.raises(StoreUnavailableError):
        outbox.catch_up()
    log.fails = ""
    assert (outbox.catch_up(), waiting(store), sorted(log.stored)) == (2, 0, ["a", "b"])
    assert outbox.catch_up() == 0


def test_what_is_told_in_its_time_leaves_nothing_behind(store: StateStore) -> None:
    for recorder in (Log(), OneByOne()):
        take_away(Outbox(store, recorder), *(f"{number:04d}" for number in range(1200)))
        log = recorder if isinstance(recorder, Log) else recorder.log
        assert (len(log.stored), waiting(store)) == (1200, 0)


def test_an_act_that_fails_tells_nothing(store: StateStore) -> None:
    log = Log()

    def act() -> None:
        with Outbox(store, log).unit() as (_, told):
            told.append({"event_id": "a"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    assert (log.stored, waiting(store)) == ({}, 0)


def test_an_event_that_the_log_never_takes_holds_up_no_other(store: StateStore) -> None:
    class Strict(Log):
        def record_all(self, docs: Sequence[Mapping[str, Any]]) -> None:
            if any(doc["event_id"] == "faulty" for doc in docs):
                raise ValueError("told 山田 太郎")
            super().record_all(docs)

    log = Strict()
    with store.unit() as unit:
        keep(unit, [{"event_id": name} for name in ("a", "faulty", "z")])
    for told in (2, 0):
        with capture_logs() as logged:
            assert Outbox(store, log).catch_up() == told
        assert logged == [{"event": "event_stays_untold", "event_id": "faulty", "log_level": "error"}]
    assert (sorted(log.stored), waiting(store)) == (["a", "z"], 1)
