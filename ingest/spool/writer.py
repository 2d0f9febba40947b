"""The single writer: brings what waits in the spool to the log, one group of deliveries after the other.

While a group is stored the next one is read. A log that cannot be written is tried again until it can, with growing
pauses; nothing leaves the spool before it is in the log or in quarantine. A delivery on which something unforeseen
fails again and again is set aside, on disk, so that it holds up nobody else.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from structlog import get_logger

from audit.log import LineReader, Lines, StoreError
from audit.log.quarantine import Arrival
from ingest.formats.registry import recognise
from ingest.pipeline import Incoming, Pipeline, Reconciliation, is_plain
from ingest.sources.profile import Profile
from ingest.spool.segments import Entry, EntryStream
from ingest.spool.service import Spool

__all__ = ["Writer"]

_log = get_logger("mimamori.writer")
_LARGE = 16 << 20
"""A delivery beyond this is read piece by piece."""
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class _Group:
    """Some deliveries of one source, read as far as that can be done ahead."""

    entries: list[Entry]
    profile: Profile
    incoming: list[Incoming]


class Writer:
    """Drains a spool.

    Args:
        spool: what waits.
        pipeline: the way to the log.
        profile: how a source writes, by its id.
        stored: told of each delivery that is done, and what became of it.
    """

    def __init__(
        self,
        spool: Spool,
        pipeline: Pipeline,
        profile: Callable[[str], Profile],
        stored: Callable[[Entry, Reconciliation], None],
    ) -> None:
        self._spool = spool
        self._pipeline = pipeline
        self._profile = profile
        self._stored = stored
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to drain."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the group under way and end; what waits stays in the spool."""
        self._stop.set()
        self._spool.close()
        self._thread.join()

    def drain(self) -> None:
        """Drain what waits now, in the calling thread; for commands that run without the service."""
        while entries := self._spool.next_group(timeout=0):
            self._store(self._read(entries))

    def _run(self) -> None:
        with ThreadPoolExecutor(1, "reading") as pool:
            ahead = pool.submit(self._next)
            while (group := ahead.result()) is not None:
                ahead = pool.submit(self._next)
                self._store(group)

    def _next(self) -> _Group | None:
        entries = self._spool.next_group()
        return self._read(entries) if entries else None

    def _read(self, entries: list[Entry]) -> _Group:
        profile = self._profile(entries[0].source)
        if profile.encoding != "utf-8" or not all(_is_small_and_plain(entry, profile) for entry in entries):
            return _Group(entries, profile, [])
        return _Group(entries, profile, [_incoming(entry) for entry in entries])

    def _store(self, group: _Group) -> None:
        """Store a group, however long it takes; only a stop gives up, and leaves the group in the spool."""
        failures, attempt = 0, 0
        while not self._stop.is_set():
            try:
                self._store_once(group)
            except StoreError as error:
                _log.warning("the log cannot be written", error=type(error).__name__, attempt=attempt)
            except Exception as error:  # noqa: BLE001 - whatever it was, the other deliveries must come through
                failures += 1
                _log.error("a delivery cannot be taken in", source=group.profile.id, error=type(error).__name__)
                if failures >= _ATTEMPTS:
                    self._spool.set_aside(group.entries)
                    return
            else:
                return
            self._stop.wait(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            attempt += 1

    def _store_once(self, group: _Group) -> None:
        if group.incoming:
            outcomes = self._pipeline.take_all(group.incoming)
        else:
            outcomes = [self._take(entry, group.profile) for entry in group.entries]
        self._spool.done(group.entries)
        for entry, outcome in zip(group.entries, outcomes, strict=True):
            self._stored(entry, outcome)

    def _take(self, entry: Entry, profile: Profile) -> Reconciliation:
        stream = EntryStream(entry)
        try:
            return self._pipeline.take(_arrival(entry, _format(entry, profile)), stream, profile)
        finally:
            stream.close()


def _arrival(entry: Entry, fmt: str) -> Arrival:
    return Arrival(
        entry.source, entry.name, fmt, entry.received_at, entry.receipt, entry.key, entry.sha256, entry.stream
    )


def _incoming(entry: Entry) -> Incoming:
    data = entry.read().removeprefix(b"\xef\xbb\xbf")
    return Incoming(_arrival(entry, "jsonl"), LineReader(entry.received_at).read(Lines.of(data)))


def _is_small_and_plain(entry: Entry, profile: Profile) -> bool:
    return (
        entry.size <= _LARGE
        and is_plain(profile, _format(entry, profile))
        and not entry.head(2).startswith((b"\xff\xfe", b"\xfe\xff"))
    )


def _format(entry: Entry, profile: Profile) -> str:
    return entry.fmt or recognise(entry.head().split(b"\n")[:20], profile)
