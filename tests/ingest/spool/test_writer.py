"""The single writer: what passes is waited for, what does not is set aside, and nobody else waits for it."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.clock import SystemClock
from audit.log import StoreError, StoreRefusedError
from audit.store.errors import StoreUnavailableError
from ingest.pipeline import Incoming, Pipeline, Reconciliation
from ingest.sources.catalogue_reader import default_profile
from ingest.spool import writer as writer_module
from ingest.spool.service import Spool
from ingest.spool.writer import Writer

LINE = b'{"time":"2026-10-05T09:13:22+09:00","activity":"view","actor":{"id":"s1"}}\n'


class Log(Pipeline):
    """A pipeline that keeps names, and fails where it is told to."""

    def __init__(self, fails: Callable[[str, int], Exception | None]) -> None:
        self.fails = fails
        self.tried = Counter[str]()
        self.stored = list[str]()

    def _one(self, name: str) -> Reconciliation:
        self.tried[name] += 1
        error = self.fails(name, self.tried[name])
        if error is not None:
            raise error
        self.stored.append(name)
        return Reconciliation(read=1, stored=1)

    def take(self, arrival: Any, stream: Any, profile: Any, progress: Any = None) -> Reconciliation:
        del stream, profile, progress
        return self._one(arrival.name)

    def take_all(self, incoming: Any) -> list[Reconciliation]:
        assert all(isinstance(each, Incoming) for each in incoming)
        if len(incoming) > 1 and any(self.fails(each.arrival.name, 1) for each in incoming):
            raise StoreRefusedError("one of them")
        return [self._one(each.arrival.name) for each in incoming]


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    monkeypatch.setattr(writer_module, "_PAUSES", (0.0,) * 20)
    opened = Spool(tmp_path, SystemClock(), reserve=0)
    for name in ("first", "poison", "last"):
        opened.accept("src", name, [LINE])
    yield opened
    opened.close()


def drained(spool: Spool, fails: Callable[[str, int], Exception | None]) -> tuple[Log, list[str]]:
    log, told = Log(fails), list[str]()
    Writer(spool, log, default_profile, lambda entry, _sums: told.append(entry.name)).drain()
    return log, told


@pytest.mark.parametrize(
    ("error", "attempts"), [(StoreRefusedError("no", 53), writer_module._REFUSALS), (KeyError("defect"), 3)]
)
def test_a_delivery_that_is_the_reason_is_set_aside_and_kept(
    spool: Spool, tmp_path: Path, error: Exception, attempts: int
) -> None:
    log, told = drained(spool, lambda name, _n: error if name == "poison" else None)
    assert told == log.stored == ["first", "last"]
    assert log.tried["poison"] == attempts
    assert (spool.state().entries, spool.state().aside) == (0, 1)
    spool.close()
    again = Spool(tmp_path, SystemClock(), reserve=0)
    assert "poison" in [entry.name for entry in again.next_group(0)]  # the book knows that the others are done
    again.close()


def test_what_passes_is_waited_for(spool: Spool) -> None:
    log, told = drained(spool, lambda name, n: StoreUnavailableError("down") if name == "poison" and n < 15 else None)
    assert told == log.stored == ["first", "poison", "last"]
    assert spool.state().aside == 0


def test_a_command_does_not_wait_for_ever(spool: Spool) -> None:
    with pytest.raises(StoreError):
        drained(spool, lambda _name, _n: StoreUnavailableError("down"))
    assert spool.state().entries == 3
