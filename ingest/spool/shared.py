"""The file that small deliveries share: appended to by all, and made durable for all who wait at once.

Nothing may be left of what a sender was refused, because the sender will bring it again: half a frame is cut off at
once, and frames whose fsync failed are cut off together. What the kernel could not write it forgets, so that a file
takes no more after such a failure.

Where somebody waits for every frame, zeros lie on disk ahead of the frames: an fsync of bytes that only change takes no
turn in the journal of the file system, and does not wait for what others have created meanwhile.
"""

import errno
import os
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

__all__ = ["SharedFile", "write"]

_AT_ONCE = 1024
"""The most pieces that one call may write."""


class SharedFile:
    """One such file. Safe to use from several threads.

    Args:
        path: where; must not exist.
        ahead: how many bytes are laid down before they are needed; none for 0.

    Attributes:
        path: where.
        size: its bytes.
        taking: whether more may be appended.
    """

    def __init__(self, path: Path, ahead: int = 0) -> None:
        self.path = path
        self._ahead = ahead
        self._laid = 0
        self.size = 0
        self.taking = True
        self._file: BinaryIO = path.open("xb", buffering=0)
        self._changed = threading.Condition()
        self._synced = 0
        self._syncing = False
        self._failed = False

    def append(self, parts: Sequence[bytes]) -> int:
        """Append a frame, which is not durable yet.

        Args:
            parts: its bytes, in pieces.

        Returns:
            Where it begins.

        Raises:
            OSError: nothing was appended.
        """
        with self._changed:
            if not self.taking:
                raise OSError(errno.EIO, "the file takes no more")
            begin, size = self.size, sum(map(len, parts))
            if self._ahead and begin + size > self._laid:
                self._lay(begin + size + self._ahead)
            try:
                write(self._file, parts)
            except OSError:
                self._cut_back(begin)
                raise
            self.size += size
            return begin

    def _lay(self, end: int) -> None:
        """Lay zeros up to `end`; what there is no room for now is written when it is needed."""
        with suppress(OSError):
            self._laid = self.size + os.pwrite(self._file.fileno(), bytes(end - self.size), self.size)

    def _cut_back(self, size: int) -> None:
        """Take back half a frame, so that the next one is found; where that fails too, none may follow it."""
        try:
            os.ftruncate(self._file.fileno(), size)
            os.lseek(self._file.fileno(), size, os.SEEK_SET)
            self._laid = size
        except OSError:
            self.taking = False
            self._close_when_durable()

    def sync(self, end: int) -> None:
        """Wait until the file is durable up to `end`: whoever comes first syncs for all who wait.

        Raises:
            OSError: it cannot be made so, and what was not durable was cut off.
        """
        with self._changed:
            while self._syncing and self._synced < end:
                self._changed.wait()
            if self._synced >= end:
                return
            if self._failed:
                raise OSError(errno.EIO, "an earlier fsync failed")
            self._syncing = True
            reached = self.size
        try:
            os.fdatasync(self._file.fileno())
        except OSError:
            self._fail()
            raise
        else:
            with self._changed:
                self._synced = reached
        finally:
            with self._changed:
                self._syncing = False
                self._close_when_durable()
                self._changed.notify_all()

    def _fail(self) -> None:
        with self._changed:
            self.taking, self._failed = False, True
            with suppress(OSError):
                os.ftruncate(self._file.fileno(), self._synced)
            self._file.close()

    def _close_when_durable(self) -> None:
        if not (self.taking or self._syncing) and self._synced == self.size:
            self._file.close()

    def clear(self) -> bool:
        """Begin anew, once all that was appended is durable and done with: what was sent must not lie about in clear.

        Returns:
            Whether the file is empty and takes more.
        """
        with self._changed:
            if not self.taking or self._syncing or self._synced < self.size:
                return False
            if not self._blank():
                self._cut_back(0)
            if self.taking:
                self.size = self._synced = 0
            return self.taking

    def _blank(self) -> bool:
        """Lay zeros over everything, so that what was laid ahead stays; False where that is not worth it."""
        if not 0 < self.size <= self._ahead:
            return False
        try:
            os.lseek(self._file.fileno(), 0, os.SEEK_SET)
            return os.pwrite(self._file.fileno(), bytes(self.size), 0) == self.size
        except OSError:
            return False

    def end(self) -> None:
        """Take no more; the file is closed once all in it is durable."""
        with self._changed:
            self.taking = False
            self._close_when_durable()

    def close(self) -> None:
        """Let go of the file, once nobody syncs it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._syncing)
            self.taking = False
            self._file.close()


def write(file: BinaryIO, parts: Sequence[bytes]) -> None:
    """Write all of some pieces to an unbuffered file, without bringing them together first.

    Raises:
        OSError: some of them may be written.
    """
    left = deque(memoryview(part) for part in parts if part)
    while left:
        written = os.writev(file.fileno(), list(islice(left, _AT_ONCE)))
        while left and written >= len(left[0]):
            written -= len(left.popleft())
        if written:
            left[0] = left[0][written:]
