"""How deliveries lie on disk: files of frames, each with its own checksum.

A frame is `MMR1`, the lengths of its two parts (4 and 8 bytes, big endian), a checksum (SHA-256 over the first part and
the SHA-256 of the second), then the parts: a JSON object that says what it is, and bytes of a delivery. Small
deliveries share a file and one fsync; a large one has a file of its own and several frames, the last of which says so.
Frames are only ever appended; zeros may lie ahead of them. What a power cut tore is at the end of a file, was never
acknowledged, and is found by its checksum.
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["Entry", "EntryStream", "Torn", "frame", "fsync_folder", "scan"]

_HEAD = struct.Struct(">4sIQ32s")
_MAGIC = b"MMR1"
_MOST_META = 1 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery in the spool.

    Attributes:
        receipt: its name, unique in this installation; names sort in the order of arrival.
        source: whose log it is.
        fmt: its format; empty for the one in the source's profile.
        name: what to call it, a file name for example.
        key: the sender's idempotency key; may be empty.
        stream: the stream that it is a part of; may be empty.
        received_at: when it arrived.
        size: its bytes.
        sha256: of its bytes, in hexadecimal.
        path: the file it lies in.
        parts: where its bytes are: offset and length of each part.
    """

    receipt: str
    source: str
    fmt: str
    name: str
    key: str
    stream: str
    received_at: datetime
    size: int
    sha256: str
    path: Path
    parts: tuple[tuple[int, int], ...]

    def meta(self) -> dict[str, Any]:
        """What its last frame says of it."""
        return {
            "receipt": self.receipt,
            "source": self.source,
            "fmt": self.fmt,
            "name": self.name,
            "key": self.key,
            "stream": self.stream,
            "received_at": self.received_at.isoformat(),
            "sha256": self.sha256,
            "last": True,
        }

    def head(self, size: int = 1 << 16) -> bytes:
        """Its first bytes."""
        offset, length = self.parts[0]
        with self.path.open("rb") as file:
            return os.pread(file.fileno(), min(size, length), offset)

    def read(self) -> bytes:
        """All its bytes."""
        with self.path.open("rb") as file:
            return b"".join(os.pread(file.fileno(), length, offset) for offset, length in self.parts)


class EntryStream:
    """The bytes of an entry as a stream, for reading once from begin to end."""

    def __init__(self, entry: Entry) -> None:
        self._file: BinaryIO = entry.path.open("rb")
        self._parts = iter(entry.parts)
        self._left = 0

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; none at the end."""
        taken = list[bytes]()
        wanted = size if size >= 0 else 1 << 62
        while wanted:
            if not self._left:
                part = next(self._parts, None)
                if part is None:
                    break
                self._file.seek(part[0])
                self._left = part[1]
                continue  # an empty one has nothing to read
            found = self._file.read(min(wanted, self._left))
            if not found:
                raise OSError(f"{self._file.name}: ends within a delivery")
            self._left -= len(found)
            wanted -= len(found)
            taken.append(found)
        return b"".join(taken)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Torn:
    """The end of a file that is no frame.

    Attributes:
        path: the file.
        offset: where it begins.
        size: its bytes.
    """

    path: Path
    offset: int
    size: int


def frame(meta: dict[str, Any], size: int, digest: bytes) -> bytes:
    """The bytes that stand before a payload.

    Args:
        meta: what it is.
        size: its bytes.
        digest: its SHA-256.

    Raises:
        ValueError: more is said of the delivery than would be read again.
    """
    text = json.dumps(meta, ensure_ascii=True).encode()
    if len(text) > _MOST_META:
        raise ValueError(f"a frame says {len(text)} bytes of itself, at most {_MOST_META} are read")
    return _HEAD.pack(_MAGIC, len(text), size, _checksum(text, digest)) + text


def _checksum(text: bytes, digest: bytes) -> bytes:
    return hashlib.sha256(text + digest).digest()


def scan(path: Path, *, laid_ahead: bool = False) -> Iterator[Entry | Torn]:
    """The whole deliveries of a file, in order; then, where there is one, its torn end.

    Args:
        path: the file.
        laid_ahead: zeros lie ahead of its frames: where the next one would begin with zeros there is none, whatever
            comes after them. A frame is durable only with all before it, so that this is what zeros were laid over.
    """
    size = path.stat().st_size
    offset = begun = 0
    parts: list[tuple[int, int]] = []
    with path.open("rb") as file:
        while (found := _frame_at(file, offset, size)) is not None:
            meta, start, length = found
            parts.append((start, length))
            offset = start + length
            if meta.get("last"):
                yield _entry(meta, path, tuple(parts))
                parts, begun = [], offset
        torn = begun < size and not (laid_ahead and _not_begun(file, begun))
    if torn:
        yield Torn(path, begun, size - begun)


def _not_begun(file: BinaryIO, offset: int) -> bool:
    """Whether no frame was begun here."""
    file.seek(offset)
    return not any(file.read(len(_MAGIC)))


def _frame_at(file: BinaryIO, offset: int, size: int) -> tuple[dict[str, Any], int, int] | None:
    """What a frame says, where its payload begins and how long it is; None when it is no whole frame."""
    file.seek(offset)
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    magic, text_length, length, checksum = _HEAD.unpack(head)
    start = offset + _HEAD.size + text_length
    if magic != _MAGIC or text_length > _MOST_META or start + length > size:
        return None
    text = file.read(text_length)
    hashing, left = hashlib.sha256(), length
    while left and (piece := file.read(min(left, 1 << 20))):
        hashing.update(piece)
        left -= len(piece)
    return (json.loads(text), start, length) if _checksum(text, hashing.digest()) == checksum else None


def _entry(meta: dict[str, Any], path: Path, parts: tuple[tuple[int, int], ...]) -> Entry:
    return Entry(
        receipt=meta["receipt"],
        source=meta["source"],
        fmt=meta["fmt"],
        name=meta["name"],
        key=meta["key"],
        stream=meta["stream"],
        received_at=datetime.fromisoformat(meta["received_at"]).astimezone(UTC),
        size=sum(length for _, length in parts),
        sha256=meta["sha256"],
        path=path,
        parts=parts,
    )


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
