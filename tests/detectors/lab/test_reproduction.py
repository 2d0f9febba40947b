"""R3: a whole town judged again, here or elsewhere, is the same to the byte."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lab_reading import START

from audit.casework import Casework
from audit.casework.repository import LookUpRepository
from audit.clock import FixedClock, day_start
from audit.context import ContextService
from audit.findings import FindingFilter, FindingService
from audit.log import Delivery, EventLog, LineReader, Lines, LogRepository
from audit.store.migrate import migrate
from audit.store.scratch import ScratchStore
from audit.store.state import StateStore
from detectors.lab import TownFiles, simulate
from detectors.registry import DETECTORS
from detectors.runner import Runner, RunSummary

DAYS = 7
LATER = FixedClock(datetime(2027, 1, 10, tzinfo=UTC))
Batches = Sequence[tuple[str, bytes]]


@dataclass
class Judged:
    """A town in a data directory of its own."""

    runner: Runner
    findings: FindingService
    first: RunSummary

    def told(self) -> list[dict[str, Any]]:
        """What `alerts --json` prints."""
        return [one.to_contract() for one in self.findings.listing(FindingFilter())]

    def results(self) -> dict[tuple[str, datetime], str]:
        """The hash of every window's result."""
        return {(name, start): run.result for name in DETECTORS for start, run in self.findings.last_runs(name).items()}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> TownFiles:
    """A town small enough to be judged four times."""
    return simulate(staff=24, days=DAYS, start=START, seed=3).write(tmp_path_factory.mktemp("small"), native=False)


@pytest.fixture(scope="module")
def whole(small: TownFiles) -> Batches:
    """One delivery a source."""
    return [(source, path.read_bytes()) for source, path in small.logs]


@pytest.fixture(scope="module")
def judge(
    small: TownFiles, engine_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Batches], Judged]]:
    """Brings the town in by batches, and judges it."""
    numbers, opened = itertools.count(1), list[Any]()

    def made(batches: Batches) -> Judged:
        name = f"reproduced_{next(numbers)}"
        store = ScratchStore(path=engine_path, database=name, readers=1)
        state = StateStore(f"sqlite:///{tmp_path_factory.mktemp('state') / name}.sqlite")
        opened.extend((store, state))
        migrate(store, LATER)
        state.create_tables()
        log, context = EventLog(LogRepository(store), LATER), ContextService(state, LATER)
        for kind, path in small.feeds.items():
            context.import_feed(kind, path.read_bytes())
        for number, (source, lines) in enumerate(batches, start=1):
            taken = log.append(Delivery(number, source, LATER.now()), LineReader(LATER.now()).read(Lines.of(lines)))
            assert taken.stored == lines.count(b"\n")
        findings = FindingService(state, LATER)
        casework = Casework(LookUpRepository(store), context)
        runner = Runner(log, casework, context, findings, LATER, lambda: DETECTORS)
        return Judged(runner, findings, runner.run())

    yield made
    for one in opened:
        one.close()


@pytest.fixture(scope="module")
def here(judge: Callable[[Batches], Judged], whole: Batches) -> Judged:
    """The town, judged once."""
    return judge(whole)


def as_bytes(told: list[dict[str, Any]]) -> bytes:
    """As it is printed."""
    return json.dumps(told, ensure_ascii=False).encode()


def test_R3_judged_again_every_window_gives_the_same_bytes(here: Judged) -> None:
    before, results = as_bytes(here.told()), here.results()
    assert here.told()
    again = here.runner.run(start=day_start(START), end=day_start(START + timedelta(days=DAYS)))
    assert (again.windows, again.differences, again.failed) == (here.first.windows, [], {})
    assert again.reproduced == again.windows
    assert as_bytes(here.told()) == before
    assert here.results() == results


def in_pieces(whole: Batches, lines: int) -> Iterator[tuple[str, bytes]]:
    """The same, so many lines a delivery."""
    for source, text in whole:
        every = text.splitlines(keepends=True)
        for start in range(0, len(every), lines):
            yield source, b"".join(every[start : start + lines])


def test_R3_the_same_input_in_other_batches_gives_the_same_bytes_elsewhere(
    here: Judged, judge: Callable[[Batches], Judged], whole: Batches
) -> None:
    elsewhere = judge(list(in_pieces(whole, 97)))
    assert as_bytes(elsewhere.told()) == as_bytes(here.told())
    assert elsewhere.results() == here.results()


@pytest.mark.slow
def test_R3_in_another_order_only_the_log_s_numbers_are_others(
    here: Judged, judge: Callable[[Batches], Judged], whole: Batches
) -> None:
    elsewhere = judge(list(in_pieces(whole[::-1], 1000)))
    known = {one["id"]: {**one, "log_index": None} for one in here.told()}
    assert {one["id"]: {**one, "log_index": None} for one in elsewhere.told()} == known
