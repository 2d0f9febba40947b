"""Our own acts: safe when `record` returns, in the log soon after and once, refused when they cannot be kept."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lending import Lending

from audit.clock import FixedClock
from audit.log import OWN_SOURCE, EventLog, Filter, LogRepository
from audit.store.errors import StoreUnavailableError
from ingest.spool import acts as acts_module
from ingest.spool.acts import AHEAD, ActsFullError, ActSpool
from ingest.spool.service import Spool

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
CLOCK = FixedClock(NOW)
DECISION = {
    "time": NOW.isoformat(),
    "activity": "authorize",
    "operation_name": "allowed",
    "outcome": "success",
    "actor": {"id": "s0412", "kind": "staff"},
    "target": {"system": "nhi-levy"},
}


def decision(**changes: Any) -> dict[str, Any]:
    return {**DECISION, **changes}


@pytest.fixture
def log(lending: Lending) -> Iterator[EventLog]:
    with lending.one() as store:
        yield EventLog(LogRepository(store), CLOCK)


Opened = Callable[..., ActSpool]


@pytest.fixture
def opened(log: EventLog) -> Iterator[Opened]:
    with ExitStack() as stack:

        def opened(folder: Path, limit: int = 1 << 20) -> ActSpool:
            spool = Spool(folder, CLOCK, limit=limit, reserve=0, share=1)
            stack.callback(spool.close)
            return ActSpool(spool, log, CLOCK)

        yield opened


def ids(log: EventLog) -> list[str]:
    return sorted(event.event_id for event in log.each(Filter(sources=(OWN_SOURCE,))))


def test_what_was_recorded_survives_a_crash_and_reaches_the_log_in_order(
    tmp_path: Path, log: EventLog, opened: Opened
) -> None:
    crashed = opened(tmp_path)
    for n in range(3):
        crashed.record(decision(event_id=f"d-{n}"))
    assert log.size == 0, "the process died before the thread came to it"
    opened(tmp_path).drain()
    assert ids(log) == ["d-0", "d-1", "d-2"]
    assert [event.log_index for event in log.each(Filter())] == [0, 1, 2]
    assert not list(tmp_path.glob("*.shared"))


def test_an_act_that_the_log_has_already_is_stored_once(tmp_path: Path, log: EventLog, opened: Opened) -> None:
    first = opened(tmp_path / "a")
    first.record(decision(event_id="d-1"))
    again = opened(tmp_path / "b")
    again.record_all([decision(event_id="d-1"), decision(event_id="d-2")])
    first.drain()
    again.drain()
    assert ids(log) == ["d-1", "d-2"]


def test_each_act_is_an_event_of_its_own_however_alike(tmp_path: Path, log: EventLog, opened: Opened) -> None:
    acts = opened(tmp_path)
    acts.record_all([decision(), decision()])
    acts.record(decision())
    acts.drain()
    assert len(set(ids(log))) == 3


def test_several_acts_are_kept_altogether_or_not_at_all(tmp_path: Path, log: EventLog, opened: Opened) -> None:
    acts = opened(tmp_path)
    with pytest.raises(ValueError, match="activity"):
        acts.record_all([decision(), decision(activity="guess")])
    acts.drain()
    assert acts.waiting() == log.size == 0


def test_D1_no_room_is_an_error_so_that_the_act_does_not_happen(tmp_path: Path, log: EventLog, opened: Opened) -> None:
    acts, kept = opened(tmp_path, limit=20_000), 0
    with suppress(ActsFullError):
        while kept < 1000:
            acts.record(decision(event_id=f"d-{kept}"))
            kept += 1
    with pytest.raises(ActsFullError):
        acts.record(decision())
    assert 0 < kept < 1000
    assert acts.trouble()
    acts.drain()
    assert log.size == kept
    acts.record(decision())  # there is room again


def test_a_log_that_cannot_be_written_is_tried_again(
    tmp_path: Path, log: EventLog, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts_module, "_PAUSES", (0.0,))
    monkeypatch.setattr(acts_module, "_GATHER", 0.0)
    failures, stored, append = [StoreUnavailableError("gone")] * 5, threading.Event(), log.append

    def unsteady(*parts: Any) -> Any:
        if failures:
            raise failures.pop()
        done = append(*parts)
        stored.set()
        return done

    monkeypatch.setattr(log, "append", unsteady)
    acts = opened(tmp_path)
    acts.start()
    acts.record(decision(event_id="d-1"))
    assert stored.wait(30)
    acts.stop()
    assert ids(log) == ["d-1"]
    assert not failures


def test_a_my_number_that_somebody_typed_is_masked(tmp_path: Path, log: EventLog, opened: Opened) -> None:
    acts = opened(tmp_path)
    acts.record(decision(event_id="d-1", reason="番号 123456789018 の件"))
    acts.drain()
    event = log.find(OWN_SOURCE, "d-1")
    assert event is not None
    assert "123456789018" not in str(event.to_contract())
    assert b"123456789018" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


# Zeros laid ahead ---------------------------------------------------------------------------------------------------


def test_acts_lie_in_bytes_that_are_on_disk_already(tmp_path: Path) -> None:
    spool = Spool(tmp_path, CLOCK, reserve=0, ahead=AHEAD)
    spool.accept(OWN_SOURCE, "acts", [b"first"])
    (path,) = tmp_path.glob("*.shared")
    laid = path.stat().st_size
    for n in range(100):
        spool.accept(OWN_SOURCE, "acts", [b"act %d" % n])
    assert path.stat().st_size == laid > AHEAD
    spool.close()
    again = Spool(tmp_path, CLOCK, reserve=0, ahead=AHEAD)
    assert [entry.read() for entry in again.next_group(timeout=0)] == [b"first", *(b"act %d" % n for n in range(100))]
    assert again.torn == []
    again.close()


def test_more_than_was_laid_ahead_is_kept_too(tmp_path: Path) -> None:
    spool = Spool(tmp_path, CLOCK, reserve=0, ahead=1000)
    payloads = [bytes([65 + n]) * 900 for n in range(20)]
    for payload in payloads:
        spool.accept(OWN_SOURCE, "acts", [payload])
    spool.close()
    again = Spool(tmp_path, CLOCK, reserve=0, ahead=1000)
    assert [entry.read() for entry in again.next_group(timeout=0)] == payloads
    again.close()


def test_nothing_of_what_is_done_lies_under_what_comes_after_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path, CLOCK, reserve=0, ahead=AHEAD)
    for n in range(5):
        spool.accept(OWN_SOURCE, "acts", [b"long ago %d" % n * 20])
    spool.done(spool.next_group(timeout=0))
    spool.accept(OWN_SOURCE, "acts", [b"new"])
    (path,) = tmp_path.glob("*.shared")
    assert b"long ago" not in path.read_bytes()
    spool.close()
    again = Spool(tmp_path, CLOCK, reserve=0, ahead=AHEAD)
    assert [entry.read() for entry in again.next_group(timeout=0)] == [b"new"]
    again.close()


def test_an_act_torn_by_a_crash_is_set_aside_among_the_zeros(tmp_path: Path) -> None:
    spool = Spool(tmp_path, CLOCK, reserve=0, ahead=AHEAD)
    spool.accept(OWN_SOURCE, "acts", [b"whole"])
    spool.accept(OWN_SOURCE, "acts", [b"torn"])
    last = spool.next_group(timeout=0)[-1]
    spool.close()
    with last.path.open("r+b") as file:
        file.seek(last.parts[0][0])
        file.write(b"TORN")
    again = Spool(tmp_path, CLOCK, reserve=0, ahead=AHEAD)
    assert [entry.read() for entry in again.next_group(timeout=0)] == [b"whole"]
    assert len(again.torn) == 1
    again.close()


def test_a_disk_without_room_ahead_keeps_the_act_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ingest.spool.shared.os.pwrite", full)
    spool = Spool(tmp_path, CLOCK, reserve=0, ahead=AHEAD)
    spool.accept(OWN_SOURCE, "acts", [b"kept"])
    spool.done(spool.next_group(timeout=0))
    spool.accept(OWN_SOURCE, "acts", [b"kept as well"])
    spool.close()
    again = Spool(tmp_path, CLOCK, reserve=0, ahead=AHEAD)
    assert [entry.read() for entry in again.next_group(timeout=0)] == [b"kept as well"]
    again.close()


@pytest.mark.parametrize("after", [b"", b"new"])
def test_what_a_crash_left_of_acts_that_were_done_is_nothing(tmp_path: Path, after: bytes) -> None:
    spool = Spool(tmp_path / "before", CLOCK, reserve=0, ahead=AHEAD)
    for n in range(40):
        spool.accept(OWN_SOURCE, "acts", [b"long ago %d" % n * 20])
    (path,) = (tmp_path / "before").glob("*.shared")
    old = path.read_bytes()
    spool.done(spool.next_group(timeout=0))
    if after:
        spool.accept(OWN_SOURCE, "acts", [after])
    zeros = path.read_bytes()
    (tmp_path / "crashed").mkdir()
    # Of the pages that zeros were laid over, the first alone has reached the disk.
    (tmp_path / "crashed" / path.name).write_bytes(zeros[:4096] + old[4096:])
    again = Spool(tmp_path / "crashed", CLOCK, reserve=0, ahead=AHEAD)
    assert again.torn == []
    assert [entry.read() for entry in again.next_group(timeout=0)] == ([after] if after else [])
    assert [kept.name for kept in (tmp_path / "crashed").iterdir()] == ([path.name] if after else [])
    again.close()
    spool.close()
