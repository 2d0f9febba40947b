"""The spool of one installation: deliveries wait here, durably, until they are in the log.

`accept` returns once the bytes are fsynced; calls that wait at the same time share one fsync. The spool is bounded by
bytes, a single source by half of them, so that a flood from one system leaves room for the others; beyond that, and
when the disk is full, nothing is kept and the sender is told to come again. Deliveries are handed out source by source
in turn. What was handed out and not reported as done is handed out again after a restart, in the order of arrival:
receipts of one installation always grow while anything waits, whatever the clock does.

A sender that is told to come again will bring the same bytes, so that nothing is left of what it was refused.
"""

import hashlib
import itertools
import os
import secrets
import shutil
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from audit.clock import Clock
from ingest.receivers.model import InboxFullError, Receipt
from ingest.spool.room import Room
from ingest.spool.segments import Entry, Torn, frame, fsync_folder, scan
from ingest.spool.shared import SharedFile, write

__all__ = ["Spool", "SpoolState"]

_SMALL = 8 << 20
"""A delivery up to this size shares a file and an fsync with others."""
_SHARED = 64 << 20
"""A shared file beyond this size takes no more."""
_PART = 8 << 20
_GROUP_BYTES = 48 << 20
_GROUP_ENTRIES = 1_000
_NAMED = "%Y%m%dT%H%M%S.%f"
_NAMED_LENGTH = 22


@dataclass(frozen=True, slots=True)
class SpoolState:
    """What waits.

    Attributes:
        entries: how many deliveries.
        size: their bytes.
        limit: how many bytes may wait.
        oldest: the receipt of the first of them; empty when none waits.
        aside: how many deliveries were set aside.
    """

    entries: int
    size: int
    limit: int
    oldest: str
    aside: int


class Spool:
    """Deliveries that wait.

    Args:
        folder: where; made when missing.
        clock: for receipts.
        limit: how many bytes may wait.
        reserve: how many bytes of the disk stay free.
        share: which part of the room one source may have.
        ahead: how many bytes of a shared file are laid down before they are needed; see `SharedFile`.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        limit: int = 4 << 30,
        reserve: int = 256 << 20,
        share: float = 0.5,
        ahead: int = 0,
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._clock = clock
        self._ahead = ahead
        self._room = Room(folder, limit, reserve, share)
        self._changed = threading.Condition()
        self._entries: dict[str, Entry] = {}
        self._waiting: dict[str, deque[Entry]] = {}
        self._aside: set[str] = set()
        self._keys: dict[tuple[str, str], Entry] = {}
        self._in_file: dict[Path, int] = {}
        self._shared: SharedFile | None = None
        self._closed = False
        self._last = datetime.min.replace(tzinfo=UTC)
        self._opened = secrets.token_hex(4)
        self.torn: list[Torn] = []
        with self._changed:
            self._recover()

    # Taking in -------------------------------------------------------------------------------------------------

    def accept(
        self, source: str, name: str, pieces: Iterable[bytes], *, fmt: str = "", key: str = "", stream: str = ""
    ) -> Receipt:
        """Keep one delivery durably; see `ingest.receivers.model.Inbox`."""
        bare = Entry(self._receipt(), source, fmt, name, key, stream, self._clock.now(), 0, "", self._folder, ())
        try:
            self._room.check(source, 0)
            entry = self._store(bare, iter(pieces))
        except OSError as error:
            raise self._room.failed(error) from error
        except InboxFullError:
            self._room.refused(source)
            raise
        self._room.accepted(source)
        return Receipt(entry.receipt, entry.size, entry.sha256)

    def _store(self, entry: Entry, pieces: Iterator[bytes]) -> Entry:
        small, size = list[bytes](), 0
        for piece in pieces:
            small.append(piece)
            size += len(piece)
            if size > _SMALL:
                return self._store_large(entry, itertools.chain(small, pieces))
        digest = hashlib.sha256()
        for piece in small:
            digest.update(piece)
        whole = replace(entry, size=size, sha256=digest.hexdigest())
        return self._store_small(whole, frame(whole.meta(), size, digest.digest()), small)

    def _store_small(self, entry: Entry, head: bytes, pieces: list[bytes]) -> Entry:
        with self._changed:
            self._room.check(entry.source, entry.size)
            shared = self._shared_file()
            offset = shared.append([head, *pieces]) + len(head)
            entry = replace(entry, path=shared.path, parts=((offset, entry.size),))
            self._room.take(entry.source, entry.size)
            self._in_file[shared.path] += 1
        try:
            shared.sync(offset + entry.size)
        except OSError:
            with self._changed:
                self._room.take(entry.source, -entry.size)
                self._leave(shared.path)
            raise
        with self._changed:
            self._enqueue(entry)
        return entry

    def _store_large(self, entry: Entry, pieces: Iterator[bytes]) -> Entry:
        path = self._folder / f"{entry.receipt}.large"
        part = path.with_suffix(".part")
        hashing, parts, offset, kept = hashlib.sha256(), list[tuple[int, int]](), 0, 0
        try:
            with part.open("xb", buffering=0) as file:
                for payload, last in _in_parts(pieces):
                    hashing.update(payload)
                    with self._changed:
                        self._room.check(entry.source, len(payload), kept)
                        self._room.take(entry.source, len(payload))
                        kept += len(payload)
                    entry = replace(entry, size=kept, sha256=hashing.hexdigest())
                    meta = entry.meta() if last else {"receipt": entry.receipt}
                    digest = hashlib.sha256(payload) if parts else hashing  # the first part is the beginning
                    head = frame(meta, len(payload), digest.digest())
                    write(file, [head, payload])
                    parts.append((offset + len(head), len(payload)))
                    offset += len(head) + len(payload)
                os.fsync(file.fileno())
            part.rename(path)
            fsync_folder(self._folder)
        except BaseException:
            part.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            self._room.take(entry.source, -kept)
            raise
        entry = replace(entry, path=path, parts=tuple(parts))
        with self._changed:
            self._in_file[path] = 1
            self._enqueue(entry)
        return entry

    def _receipt(self) -> str:
        """A name later than all before it, also where the clock stands still or steps back."""
        with self._changed:
            self._last = max(self._last + timedelta(microseconds=1), self._clock.now())
            return f"{self._last:{_NAMED}}-{self._opened}"

    def trouble(self) -> str:
        """Why nothing is taken in; empty when there is room."""
        return self._room.trouble()

    def _shared_file(self) -> SharedFile:
        if self._shared is not None:
            if self._shared.taking and self._shared.size < _SHARED:
                return self._shared
            self._shared.end()
            self._shared = None
        shared = SharedFile(self._folder / f"{self._receipt()}.shared", self._ahead)
        try:
            fsync_folder(self._folder)
        except OSError:
            shared.close()
            shared.path.unlink(missing_ok=True)
            raise
        self._in_file[shared.path] = 0
        self._shared = shared
        return shared

    def _enqueue(self, entry: Entry) -> None:
        self._entries[entry.receipt] = entry
        self._waiting.setdefault(entry.source, deque()).append(entry)
        if entry.key:
            self._keys[entry.source, entry.key] = entry
        self._changed.notify_all()

    # Handing out -----------------------------------------------------------------------------------------------

    def next_group(self, timeout: float | None = None) -> list[Entry]:
        """Hand out the next deliveries of one source and format, in the order of arrival; they stay on disk.

        Args:
            timeout: seconds to wait for one; None waits until there is one or the spool is closed.

        Returns:
            Deliveries that fit into one batch, or none.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._waiting), timeout)
            source = next(iter(self._waiting), None)
            if source is None or self._closed:
                return []
            queue = self._waiting.pop(source)
            group = _fitting(queue)
            if queue:
                self._waiting[source] = queue  # at the end: the other sources come first
            return group

    def done(self, entries: Iterable[Entry]) -> None:
        """Forget deliveries that are in the log or in quarantine; files with nothing else in them are removed."""
        with self._changed:
            for entry in entries:
                del self._entries[entry.receipt]
                self._keys.pop((entry.source, entry.key), None)
                self._room.take(entry.source, -entry.size)
                self._leave(entry.path)
            self._changed.notify_all()

    def set_aside(self, entries: Iterable[Entry]) -> None:
        """Keep deliveries that nothing can be done with; they are handed out again after a restart."""
        with self._changed:
            self._aside.update(entry.receipt for entry in entries)
            self._changed.notify_all()

    def _leave(self, path: Path) -> None:
        self._in_file[path] -= 1
        if self._in_file[path]:
            return
        if self._shared is not None and self._shared.path == path:
            if self._shared.size < _SHARED // 4 and self._shared.clear():
                return  # worth keeping open
            self._shared.close()
            self._shared = None
        del self._in_file[path]
        path.unlink(missing_ok=True)

    def by_key(self, source: str, key: str) -> Entry | None:
        """The waiting delivery that a source sent under an idempotency key."""
        with self._changed:
            return self._keys.get((source, key))

    def state(self) -> SpoolState:
        """What waits now."""
        with self._changed:
            aside = len(self._aside)
            oldest = next((receipt for receipt in self._entries if receipt not in self._aside), "")
            return SpoolState(len(self._entries) - aside, self._room.held, self._room.limit, oldest, aside)

    def source_of(self, receipt: str) -> str:
        """The source of a delivery that still waits; empty when it does not."""
        with self._changed:
            waiting = self._entries.get(receipt)
            return waiting.source if waiting else ""

    def waiting(self) -> dict[str, int]:
        """How many bytes of each source wait."""
        return self._room.by_source()

    def wait_until_done(self, receipt: str, timeout: float) -> bool:
        """Wait until a delivery no longer waits; False when the time is up."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.source_of(receipt), timeout)

    def close(self) -> None:
        """Wake whoever waits; what waits stays on disk."""
        with self._changed:
            self._closed = True
            if self._shared is not None:
                self._shared.close()
                if not self._in_file[self._shared.path]:
                    self._shared.path.unlink(missing_ok=True)
                self._shared = None
            self._changed.notify_all()

    # Coming back -----------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        for part in self._folder.glob("*.part"):
            part.unlink()  # never acknowledged
        found = list[Entry]()
        for path in (*self._folder.glob("*.shared"), *self._folder.glob("*.large")):
            items = list(scan(path, laid_ahead=self._ahead > 0 and path.suffix == ".shared"))
            whole = [item for item in items if isinstance(item, Entry)]
            self.torn += (torn := [item for item in items if isinstance(item, Torn)])
            trimmed = all(map(self._trim, torn))
            if whole:
                self._in_file[path] = len(whole)
            elif trimmed:
                path.unlink()
            found += whole
        for entry in sorted(found, key=lambda entry: entry.receipt):
            self._room.take(entry.source, entry.size)
            self._enqueue(entry)
        if found:
            newest = max(entry.receipt for entry in found)[:_NAMED_LENGTH]
            self._last = datetime.strptime(newest, _NAMED).replace(tzinfo=UTC)

    def _trim(self, torn: Torn) -> bool:
        """Set a torn end aside: it was never acknowledged, and somebody may want to look.

        Returns:
            Whether there was room for it; else it stays where it is, and harms nobody: the file takes no more.
        """
        aside = self._folder / "torn"
        copied = aside / f"{torn.path.name}-{torn.offset}"
        try:
            aside.mkdir(mode=0o700, exist_ok=True)
            with torn.path.open("rb") as file, copied.open("wb") as copy:
                file.seek(torn.offset)
                shutil.copyfileobj(file, copy)
                copy.flush()
                os.fsync(copy.fileno())
            os.truncate(torn.path, torn.offset)
        except OSError:
            with suppress(OSError):
                copied.unlink(missing_ok=True)
            return False
        return True


def _in_parts(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The same bytes in parts of about the same size, each with whether it is the last."""
    held, size = list[bytes](), 0
    for piece in pieces:
        if size >= _PART:
            yield b"".join(held), False
            held, size = [], 0
        held.append(piece)
        size += len(piece)
    yield b"".join(held), True


def _fitting(queue: deque[Entry]) -> list[Entry]:
    """Take as many deliveries off a queue as fit into one batch."""
    group = [queue.popleft()]
    size = group[0].size
    while queue and len(group) < _GROUP_ENTRIES:
        size += queue[0].size
        if queue[0].fmt != group[0].fmt or size > _GROUP_BYTES:
            break
        group.append(queue.popleft())
    return group
