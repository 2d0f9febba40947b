"""What is remembered of one source's folder from one start to the next.

A small JSON file outside the folder, so that the sender cannot write to it. It is replaced whole, and only after the
inbox has what it tells of: a crash between the two, or a lost file, costs a delivery taken twice, never one missed.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["FolderState", "Growing", "fingerprint"]

_TAKEN = 500
"""Hashes of files taken before that are remembered; more would only make the notes of a re-delivery more complete."""
FINGER = 1024


def fingerprint(descriptor: int, start: int, end: int) -> str:
    """What a file's bytes from one place to another are, in short."""
    return hashlib.sha256(os.pread(descriptor, end - start, start)).hexdigest()


@dataclass(slots=True)
class Growing:
    """How far one growing file was taken.

    A file is known again by its inode and by two fingerprints of what was taken: its beginning, and the bytes just
    before the offset. Names change and inodes are used again, so neither is proof.

    Attributes:
        name: its name at the last look.
        first_name: its name when it was first seen; another one means that it was rotated away.
        device: where its inode is counted.
        inode: its number.
        offset: so many bytes were taken.
        head: fingerprint of its beginning, up to 1,024 bytes and the offset.
        tail: fingerprint of the last bytes before the offset, as many.
        size: its bytes at the last look.
        modified: its time of change at the last look, in nanoseconds.
        since: when it was first seen, which tells it from a later file of the same inode.
        planned: where the piece ends that was being handed over; the same piece is handed over again after a crash.
        missing_since: the day it was first missing, ISO; empty while it is there.
    """

    name: str
    first_name: str
    device: int
    inode: int
    offset: int = 0
    head: str = ""
    tail: str = ""
    size: int = 0
    modified: int = 0
    since: str = ""
    planned: int = 0
    missing_since: str = ""

    def mark(self, descriptor: int, offset: int) -> None:
        """Enter that the file was taken up to an offset."""
        span = min(FINGER, offset)
        self.offset = offset
        self.head = fingerprint(descriptor, 0, span)
        self.tail = fingerprint(descriptor, offset - span, offset)

    def fits(self, descriptor: int, size: int) -> bool:
        """Whether what was taken of this one is what the open file begins with."""
        span = min(FINGER, self.offset)
        return (
            size >= self.offset
            and fingerprint(descriptor, 0, span) == self.head
            and fingerprint(descriptor, self.offset - span, self.offset) == self.tail
        ) or self.offset == 0


@dataclass(slots=True)
class FolderState:
    """One source's memory."""

    path: Path
    files: list[Growing] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    lost: bool = False

    @classmethod
    def load(cls, path: Path) -> "FolderState":
        """Read it; `lost` says that there was one and it could not be read."""
        try:
            data: Any = json.loads(path.read_bytes())
            return cls(path, [Growing(**entry) for entry in data["files"]], [str(item) for item in data["taken"]])
        except FileNotFoundError:
            return cls(path)
        except (OSError, ValueError, TypeError, KeyError):
            return cls(path, lost=True)

    def note_taken(self, sha256: str) -> bool:
        """Remember a file; whether it was taken before."""
        again = sha256 in self.taken
        if again:
            self.taken.remove(sha256)
        self.taken = [*self.taken, sha256][-_TAKEN:]
        return again

    def save(self) -> None:
        """Write it durably.

        Raises:
            OSError: it cannot be written; the former one stays.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        with fresh.open("w", encoding="ascii") as file:  # names of any bytes are escaped by JSON
            json.dump({"files": [asdict(entry) for entry in self.files], "taken": self.taken}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
