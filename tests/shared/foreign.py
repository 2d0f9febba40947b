"""Where the third-party data lies, and a log and a book to take it in."""

import io
import os
from pathlib import Path
from typing import Any

import pytest

from audit.clock import FixedClock, SystemClock
from audit.events import AuditEvent
from audit.log import EventLog, Filter, LogRepository
from audit.log.quarantine import Arrival, DeliveryBook
from audit.store.clickhouse import EventStore
from audit.store.migrate import migrate
from audit.store.state import StateStore
from ingest.pipeline import Pipeline, Reconciliation
from ingest.sources.profile import Profile

DATA = Path(os.environ.get("MIMAMORI_SHARED", Path(__file__).parents[2] / ".." / "shared")) / "data"


class Desk:
    """A log and a book."""

    def __init__(self, folder: Path, store: EventStore) -> None:
        # the lines bear no year: their decoder takes the one nearest to the present moment
        self.clock = FixedClock(SystemClock().now())
        migrate(store, self.clock)
        self.state = StateStore(f"sqlite:///{folder / 'state.db'}")
        self.state.create_tables()
        self.log = EventLog(LogRepository(store), self.clock)
        self.book = DeliveryBook(self.state, folder / "quarantine", b"k" * 32)

    def take(self, data: bytes, fmt: str, source: str = "src", **said: Any) -> Reconciliation:
        """Take in a delivery; `said` is what else the source's profile says."""
        profile = Profile(id=source, name_ja=source, name_en=source, format=fmt, **said)
        arrival = Arrival(source, source, fmt, self.clock.now())
        sums = Pipeline(self.log, self.book, self.clock).take(arrival, io.BytesIO(data), profile)
        assert sums.read == sums.stored + sums.duplicates + sums.quarantined
        return sums

    def events(self, source: str = "src") -> list[AuditEvent]:
        """What the log holds of a source."""
        return list(self.log.each(Filter(sources=(source,))))

    def refused(self, source: str = "") -> list[tuple[str, ...]]:
        """Why records are in quarantine."""
        return [row.reasons for row in self.book.listing(source, limit=1000)]

    def kept(self, source: str) -> list[bytes]:
        """The bytes in quarantine of a source, oldest first."""
        return [b"".join(self.book.raw(row.id)) for row in reversed(self.book.listing(source, limit=10_000))]


def need(path: Path) -> Path:
    """The file, or a visible skip."""
    if not path.exists():
        pytest.skip(f"third-party data not found at {path}")
    return path
