"""The spool of one installation: deliveries wait here, durably, until they are in the log.

`accept` returns once the bytes are fsynced; calls that wait at the same time share one fsync. The spool is bounded by
bytes, a single source by half of them, so that a flood from one system leaves room for the others; beyond that, and
when the disk is full, nothing is kept and the sender is told to come again. Deliveries are handed out source by source
in turn. What was handed out and not reported as done is handed out again after a restart.
"""

import hashlib
import itertools
import os
import shutil
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from audit.clock import Clock
from ingest.receivers.model import InboxFullError, InboxTooLargeError, Receipt
from ingest.spool.segments import Entry, Torn, frame, fsync_folder, scan

__all__ = ["Spool", "SpoolState"]

_SMALL = 1 << 20
"""A delivery up to this size shares a file and an fsync with others."""
_SHARED = 64 << 20
"""A shared file beyond this size takes no more."""
_PART = 8 << 20
_RETRY_AFTER = 5
_GROUP_BYTES = 32 << 20
_GROUP_ENTRIES = 1_000
_NO_ROOM = "受信箱がいっぱいです。しばらくしてから送り直してください / the inbox is full: send again later"
_NEVER = "受信箱に入る大きさを超えています。分けて送ってください / larger than the inbox: send it in parts"
_NO_DISK = "ディスクに書けません。しばらくしてから送り直してください / the disk cannot be written: send again later"


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


class _Shared:
    """The file that small deliveries are appended to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: BinaryIO = path.open("xb", buffering=0)
        self.size = 0
        self.synced = 0
        self.syncing = False
        self.broken = False


class Spool:
    """Deliveries that wait.

    Args:
        folder: where; made when missing.
        clock: for receipts.
        limit: how many bytes may wait.
        reserve: how many bytes of the disk stay free.
    """

    def __init__(self, folder: Path, clock: Clock, *, limit: int = 4 << 30, reserve: int = 256 << 20) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._clock = clock
        self._limit = limit
        self._reserve = reserve
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[Entry]] = {}
        self._handed: dict[str, Entry] = {}
        self._aside: list[Entry] = []
        self._keys: dict[tuple[str, str], Entry] = {}
        self._sizes: dict[str, int] = {}
        self._in_file: dict[Path, int] = {}
        self._shared: _Shared | None = None
        self._closed = False
        self.torn: list[Torn] = []
        self._numbers = itertools.count(1)
        self._recover()

    # Taking in -------------------------------------------------------------------------------------------------

    def accept(
        self, source: str, name: str, pieces: Iterable[bytes], *, fmt: str = "", key: str = "", stream: str = ""
    ) -> Receipt:
        """Keep one delivery durably; see `ingest.receivers.model.Inbox`."""
        self._check_room(source, 0)
        bare = Entry(self._receipt(), source, fmt, name, key, stream, self._clock.now(), 0, "", self._folder, ())
        try:
            entry = self._store(bare, iter(pieces))
        except OSError as error:
            raise InboxFullError(f"{_NO_DISK} ({error.strerror})", _RETRY_AFTER) from error
        return Receipt(entry.receipt, entry.size, entry.sha256)

    def _store(self, entry: Entry, pieces: Iterator[bytes]) -> Entry:
        small = bytearray()
        for piece in pieces:
            small += piece
            if len(small) > _SMALL:
                return self._store_large(entry, itertools.chain([bytes(small)], pieces))
        payload = bytes(small)
        whole = replace(entry, size=len(payload), sha256=hashlib.sha256(payload).hexdigest())
        return self._store_small(whole, payload)

    def _store_small(self, entry: Entry, payload: bytes) -> Entry:
        head, head_size = frame(entry.meta(), payload)
        with self._changed:
            self._check_room(entry.source, len(payload))
            shared = self._shared_file()
            offset = shared.size
            try:
                _write(shared.file, head + payload)
            except OSError:
                self._cut_back(shared, offset)
                raise
            shared.size += head_size + len(payload)
            end = shared.size
            entry = replace(entry, path=shared.path, parts=((offset + head_size, len(payload)),))
            self._count(entry, 1)
            self._in_file[shared.path] += 1
        try:
            self._sync(shared, end)
        except OSError:
            with self._changed:
                self._count(entry, -1)
            raise
        with self._changed:
            self._enqueue(entry)
        return entry

    def _sync(self, shared: _Shared, end: int) -> None:
        """Wait until a file is durable up to `end`: whoever comes first syncs for all who wait."""
        with self._changed:
            while shared.syncing and shared.synced < end:
                self._changed.wait()
            if shared.synced >= end:
                return
            if shared.broken:
                raise OSError(5, "an earlier fsync failed")
            shared.syncing = True
            reached = shared.size
        try:
            os.fdatasync(shared.file.fileno())
        except OSError:
            with self._changed:
                # What the kernel could not write it forgets: this file takes no more, nothing unsynced in it counts.
                shared.broken = True
                if self._shared is shared:
                    self._shared = None
            raise
        else:
            with self._changed:
                shared.synced = max(shared.synced, reached)
        finally:
            with self._changed:
                shared.syncing = False
                self._changed.notify_all()

    def _store_large(self, entry: Entry, pieces: Iterator[bytes]) -> Entry:
        path = self._folder / f"{entry.receipt}.large"
        part = path.with_suffix(".part")
        hashing, parts, offset, kept = hashlib.sha256(), list[tuple[int, int]](), 0, 0
        try:
            with part.open("xb", buffering=0) as file:
                for payload, last in _in_parts(pieces):
                    hashing.update(payload)
                    with self._changed:
                        self._check_room(entry.source, len(payload))
                        self._sizes[entry.source] = self._sizes.get(entry.source, 0) + len(payload)
                        kept += len(payload)
                    entry = replace(entry, size=kept, sha256=hashing.hexdigest())
                    meta = entry.meta() if last else {"receipt": entry.receipt}
                    head, head_size = frame(meta, payload)
                    _write(file, head)
                    _write(file, payload)
                    parts.append((offset + head_size, len(payload)))
                    offset += head_size + len(payload)
                os.fsync(file.fileno())
            part.rename(path)
            fsync_folder(self._folder)
        except BaseException:
            part.unlink(missing_ok=True)
            with self._changed:
                self._sizes[entry.source] = self._sizes.get(entry.source, 0) - kept
            raise
        entry = replace(entry, path=path, parts=tuple(parts))
        with self._changed:
            self._in_file[path] = 1
            self._enqueue(entry)
        return entry

    def _receipt(self) -> str:
        return f"{self._clock.now():%Y%m%dT%H%M%S.%f}-{os.getpid()}-{next(self._numbers)}"

    def _check_room(self, source: str, size: int) -> None:
        if size > self._limit // 2:
            raise InboxTooLargeError(_NEVER)
        with self._changed:
            held, own = sum(self._sizes.values()), self._sizes.get(source, 0)
        if held + size > self._limit or own + size > self._limit // 2:
            raise InboxFullError(_NO_ROOM, _RETRY_AFTER)
        if shutil.disk_usage(self._folder).free < self._reserve + size:
            raise InboxFullError(_NO_DISK, _RETRY_AFTER)

    def _shared_file(self) -> _Shared:
        if self._shared is None or self._shared.broken or self._shared.size >= _SHARED:
            self._shared = _Shared(self._folder / f"{self._receipt()}.shared")
            self._in_file[self._shared.path] = 0
            fsync_folder(self._folder)
        return self._shared

    @staticmethod
    def _cut_back(shared: _Shared, offset: int) -> None:
        """Take back half a frame, so that the next one is found."""
        try:
            os.ftruncate(shared.file.fileno(), offset)
            os.lseek(shared.file.fileno(), offset, os.SEEK_SET)
        except OSError:
            shared.broken = True

    def _enqueue(self, entry: Entry) -> None:
        self._waiting.setdefault(entry.source, deque()).append(entry)
        if entry.key:
            self._keys[entry.source, entry.key] = entry
        self._changed.notify_all()

    def _count(self, entry: Entry, sign: int) -> None:
        self._sizes[entry.source] = self._sizes.get(entry.source, 0) + sign * entry.size

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
            self._handed.update((entry.receipt, entry) for entry in group)
            return group

    def done(self, entries: Iterable[Entry]) -> None:
        """Forget deliveries that are in the log or in quarantine; files with nothing else in them are removed."""
        with self._changed:
            for entry in entries:
                del self._handed[entry.receipt]
                self._keys.pop((entry.source, entry.key), None)
                self._count(entry, -1)
                self._leave(entry.path)
            self._changed.notify_all()

    def set_aside(self, entries: Iterable[Entry]) -> None:
        """Keep deliveries that nothing can be done with; they are handed out again after a restart."""
        with self._changed:
            for entry in entries:
                del self._handed[entry.receipt]
                self._aside.append(entry)
            self._changed.notify_all()

    def _leave(self, path: Path) -> None:
        self._in_file[path] -= 1
        if self._in_file[path]:
            return
        if self._shared is not None and self._shared.path == path:
            if self._shared.size < _SHARED // 4:
                return  # worth keeping open
            self._shared.file.close()
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
            receipts = [queue[0].receipt for queue in self._waiting.values()] + list(self._handed)
            count = sum(map(len, self._waiting.values())) + len(self._handed)
            return SpoolState(
                count, sum(self._sizes.values()), self._limit, min(receipts, default=""), len(self._aside)
            )

    def source_of(self, receipt: str) -> str:
        """The source of a delivery that still waits; empty when it does not."""
        with self._changed:
            waiting = itertools.chain(self._handed.values(), self._aside, *self._waiting.values())
            return next((entry.source for entry in waiting if entry.receipt == receipt), "")

    def waiting(self) -> dict[str, int]:
        """How many bytes of each source wait."""
        with self._changed:
            return {source: size for source, size in self._sizes.items() if size}

    def wait_until_done(self, receipt: str, timeout: float) -> bool:
        """Wait until a delivery no longer waits; False when the time is up."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.source_of(receipt), timeout)

    def close(self) -> None:
        """Wake whoever waits; what waits stays on disk."""
        with self._changed:
            self._closed = True
            if self._shared is not None:
                self._shared.file.close()
                if not self._in_file[self._shared.path]:
                    self._shared.path.unlink(missing_ok=True)
                self._shared = None
            self._changed.notify_all()

    # Coming back -----------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        for part in self._folder.glob("*.part"):
            part.unlink()  # never acknowledged
        for path in sorted((*self._folder.glob("*.shared"), *self._folder.glob("*.large"))):
            found = 0
            for item in scan(path):
                if isinstance(item, Torn):
                    self._trim(item)
                else:
                    found += 1
                    self._count(item, 1)
                    self._enqueue(item)
            if found:
                self._in_file[path] = found
            else:
                path.unlink()

    def _trim(self, torn: Torn) -> None:
        """Set a torn end aside; it was never acknowledged, and somebody may want to look."""
        aside = self._folder / "torn"
        aside.mkdir(mode=0o700, exist_ok=True)
        with torn.path.open("rb") as file, (aside / f"{torn.path.name}-{torn.offset}").open("wb") as copy:
            file.seek(torn.offset)
            shutil.copyfileobj(file, copy)
        os.truncate(torn.path, torn.offset)
        self.torn.append(torn)


def _write(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _in_parts(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The same bytes in parts of bounded size, each with whether it is the last."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) > _PART:
            yield bytes(held[:_PART]), False
            del held[:_PART]
    yield bytes(held), True


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
