"""A stage on which a detector's stories are played: an engine's tables of their own, gone afterwards."""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from audit.casework import Casework
from audit.casework.repository import LookUpRepository
from audit.clock import FixedClock
from audit.context import ContextService
from audit.findings import Draft
from audit.log import Delivery, Dimension, EventLog, Filter, LineReader, Lines, LogRepository, Measure
from audit.store.migrate import migrate
from audit.store.scratch import ScratchStore
from audit.store.state import StateStore
from audit.texts import Texts
from detectors.model import Case, Detector, Window
from detectors.reader import LogReader

__all__ = ["DATABASE", "Played", "Stage", "open_stage"]

DATABASE = "mimamori_stories"
"""Beside the tables of the installation, never among them."""
_LATER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a story.

    Attributes:
        case: the story.
        found: the entities that were found.
        faults: why it could not be told; nothing was judged then.
    """

    case: Case
    found: frozenset[str] = frozenset()
    faults: tuple[Texts, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether exactly those were found who must be."""
        return not self.faults and self.found == self.case.expect


class Stage:
    """Plays stories one after the other.

    Args:
        store: tables that nobody else uses.
        folder: for what is kept during a story.
    """

    def __init__(self, store: ScratchStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._empty = folder / "empty.sqlite"
        state = StateStore(f"sqlite:///{self._empty}")
        state.create_tables()
        state.close()

    def play(self, detector: Detector) -> Iterator[Played]:
        """Every story of a detector, with the parameters that it comes with."""
        for case in detector.cases:
            self._store.empty()
            kept = self._folder / "story.sqlite"
            shutil.copy(self._empty, kept)
            state = StateStore(f"sqlite:///{kept}")
            try:
                yield self._play(detector, case, state)
            finally:
                state.close()

    def _play(self, detector: Detector, case: Case, state: StateStore) -> Played:
        times = [datetime.fromisoformat(event["time"]) for event in case.events]
        window = Window.of_day(case.day)
        clock = FixedClock(max([window.end, *times]) + _LATER)
        log = EventLog(LogRepository(self._store), clock)
        faults = _tell(log, case, clock)
        if faults:
            return Played(case, faults=faults)
        context = ContextService(state)
        try:
            for kind, text in case.feeds.items():
                context.import_feed(kind, text.encode())
        except ValueError as error:
            return Played(case, faults=(Texts.same(str(error)),))
        casework = Casework(LookUpRepository(self._store), context)
        if days := [row["day"] for row in log.aggregate(Filter(), (Dimension.DAY,), (Measure.EVENTS,))]:
            casework.make(min(days), max(days))
        reader = LogReader(log, casework, context.over(window.start - detector.meta.look_back, window.end))
        drafts: Iterable[Draft] = detector.detect(window, reader, detector.parameters)
        return Played(case, frozenset(draft.entity for draft in drafts))


def _tell(log: EventLog, case: Case, clock: FixedClock) -> tuple[Texts, ...]:
    """Bring a story's events to the log, one delivery a source; every one of them must be an event."""
    by_source: dict[str, list[bytes]] = defaultdict(list)
    for number, event in enumerate(case.events):
        document = {"event_id": f"e{number:05d}", **event}
        by_source[document.pop("source")].append(json.dumps(document).encode())
    faults = []
    for number, (source, written) in enumerate(by_source.items(), start=1):
        reading = LineReader(clock.now()).read(Lines.of(b"\n".join(written)))
        appended = log.append(Delivery(number, source, clock.now()), reading)
        faults += [
            Texts(f"{source} の {row.n} 件目: {fault.what_ja}", f"{source}, event {row.n}: {fault.what}")
            for row in appended.refused
            for fault in row.faults
        ]
    return tuple(faults)


@contextmanager
def open_stage(
    *, path: Path | None = None, url: str | None = None, folder: Path | None = None, database: str = DATABASE
) -> Iterator[Stage]:
    """A stage; its tables are dropped at the end, and before, should an earlier one have been cut off.

    Args:
        path: folder of the embedded engine, when a process has it open: it can have only one; a temporary one else.
        url: a server in its place.
        folder: where to put what is kept during a story; a temporary one else.
        database: what the tables are in; nodes that share a server have one each.

    Raises:
        StoreError: the engine cannot be used.
    """
    with TemporaryDirectory(dir=folder) as temporary:
        place = None if url else path or Path(temporary) / "events"
        ScratchStore(path=place, url=url, database=database, readers=1).close()
        store = ScratchStore(path=place, url=url, database=database, readers=1)
        try:
            migrate(store, FixedClock(datetime.fromisoformat("2026-01-01T00:00:00+09:00")))
            yield Stage(store, Path(temporary))
        finally:
            store.close()
