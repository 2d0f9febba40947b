"""The single writer: brings what waits in the spool to the log, one group of deliveries after the other.

While a group is stored the next one is read. A log that cannot be written is tried again until it can, with growing
pauses; nothing leaves the spool before it is in the log or in quarantine. A delivery on which something unforeseen
fails again and again is set aside, on disk, so that it holds up nobody else.
"""

import errno
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from structlog import get_logger

from audit.log import StoreError, StoreRefusedError, read_together
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
_REFUSALS = 12
"""So often a statement may be refused, over a minute and more, before the delivery is the reason."""
_AHEAD = 2
"""So many groups are read while one is stored: reading takes a little longer than storing."""
_READERS = 2
_PART = 12 << 20
"""So much of a group is read by one reader, so that the last group is not left to one of them alone."""
_BOM = b"\xef\xbb\xbf"


_DISK_FULL = frozenset({errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EROFS})
"""What passes when somebody makes room, and is no fault of the delivery."""
_T = TypeVar("_T")


class _StoppedError(Exception):
    """The writer was told to end."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Some deliveries of one source, read as far as that can be done ahead."""

    entries: list[Entry]
    incoming: list[Incoming]


class Writer:
    """Drains a spool.

    Args:
        spool: what waits.
        pipeline: the way to the log.
        profile: how a source writes, by its id.
        stored: told of each delivery that is done, and what became of it.
        fit: finds the way of a profile that a delivery is written in, from its first bytes.
    """

    def __init__(
        self,
        spool: Spool,
        pipeline: Pipeline,
        profile: Callable[[str], Profile],
        stored: Callable[[Entry, Reconciliation], None],
        fit: Callable[[Profile, bytes, datetime], Profile] = lambda profile, _head, _received_at: profile,
    ) -> None:
        self._fit = fit
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
        """Drain what waits now, in the calling thread; for commands that run without the service.

        Raises:
            StoreError: the log cannot be written; what is not in it yet waits in the spool.
        """
        while entries := self._spool.next_group(timeout=0):
            self._store(self._read(entries))

    def _run(self) -> None:
        with (
            ThreadPoolExecutor(_READERS, "reading") as readers,
            # One thread takes off the spool, so that groups are stored in the order in which they are handed out.
            ThreadPoolExecutor(1, "taking") as taker,
            suppress(_StoppedError),
        ):
            ahead = deque(taker.submit(self._next, readers) for _ in range(_AHEAD))
            while (reading := ahead.popleft().result()) is not None:
                ahead.append(taker.submit(self._next, readers))
                for group in _together([part.result() for part in reading]):
                    self._store(group)

    def _next(self, readers: ThreadPoolExecutor) -> list[Future[_Group]] | None:
        entries = self._spool.next_group()
        return [readers.submit(self._read, part) for part in _parts(entries)] if entries else None

    def _read(self, entries: list[Entry]) -> _Group:
        # What goes wrong here goes wrong again when they are stored one by one, and is dealt with there.
        with suppress(Exception):
            profile = self._profile(entries[0].source)
            if profile.encoding == "utf-8" and all(_is_small_and_plain(entry, profile) for entry in entries):
                readings = read_together([(entry.read().removeprefix(_BOM), entry.received_at) for entry in entries])
                arrivals = [_arrival(entry, "jsonl") for entry in entries]
                return _Group(entries, [Incoming(*parts) for parts in zip(arrivals, readings, strict=True)])
        return _Group(entries, [])

    def _store(self, group: _Group) -> None:
        """Store a group, however long it takes; one by one where that cannot be done together.

        Raises:
            _StoppedError: what is not stored yet stays in the spool.
        """
        together = self._insist(lambda: self._pipeline.take_all(group.incoming)) if group.incoming else None
        if together is not None:
            self._finish(list(zip(group.entries, together, strict=True)))
            return
        for entry in group.entries:
            outcome = self._insist(lambda entry=entry: self._take(entry))  # type: ignore[misc]  # bound in its turn
            if outcome is None:
                self._spool.set_aside([entry])
            else:
                self._finish([(entry, outcome)])

    def _finish(self, stored: list[tuple[Entry, Reconciliation]]) -> None:
        """Tell what became of deliveries, and only then forget them."""
        for entry, outcome in stored:
            self._insist(lambda told=(entry, outcome): self._stored(*told))  # type: ignore[misc]  # bound in its turn
        self._spool.done([entry for entry, _ in stored])

    def _insist(self, act: Callable[[], _T]) -> _T | None:
        """Do something until it is done; None when it fails again and again, for a reason of its own.

        A service waits for its log and its disks for ever, a command only for all the pauses once.

        Raises:
            _StoppedError: the writer was told to end.
            StoreError: a command waited long enough.
        """
        failures, attempt = 0, 0
        while not self._stop.is_set():
            try:
                return act()
            except Exception as error:
                refused = isinstance(error, StoreRefusedError)
                passing = isinstance(error, StoreError) or getattr(error, "errno", None) in _DISK_FULL
                _log.warning("not stored", error=type(error).__name__, passing=passing, attempt=attempt)
                failures += refused or not passing
                if failures >= (_REFUSALS if refused else _ATTEMPTS):
                    return None
                if attempt >= len(_PAUSES) and not self._thread.is_alive():
                    raise
            self._stop.wait(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            attempt += 1
        raise _StoppedError

    def _take(self, entry: Entry) -> Reconciliation:
        profile = self._fit(self._profile(entry.source), entry.head(), entry.received_at)
        stream = EntryStream(entry)
        try:
            return self._pipeline.take(_arrival(entry, _format(entry, profile)), stream, profile)
        finally:
            stream.close()


def _parts(entries: list[Entry]) -> Iterator[list[Entry]]:
    """A group in parts to be read side by side."""
    part, size = list[Entry](), 0
    for entry in entries:
        part.append(entry)
        size += entry.size
        if size >= _PART:
            yield part
            part, size = [], 0
    if part:
        yield part


def _together(parts: list[_Group]) -> Iterator[_Group]:
    """Parts of a group as one again, where all of them were read ahead; else one by one."""
    if not all(part.incoming for part in parts):
        yield from parts
        return
    yield _Group([e for part in parts for e in part.entries], [i for part in parts for i in part.incoming])


def _arrival(entry: Entry, fmt: str) -> Arrival:
    return Arrival(
        entry.source, entry.name, fmt, entry.received_at, entry.receipt, entry.key, entry.sha256, entry.stream
    )


def _is_small_and_plain(entry: Entry, profile: Profile) -> bool:
    return (
        entry.size <= _LARGE
        and is_plain(profile, _format(entry, profile))
        and not entry.head(2).startswith((b"\xff\xfe", b"\xfe\xff"))
    )


def _format(entry: Entry, profile: Profile) -> str:
    return entry.fmt or recognise(entry.head().split(b"\n")[:20], profile)
