"""One file's bytes, unpacked where it is packed, never whole in memory, never more than the limits allow.

gzip and zstd are told by their first bytes, not by the name. What unpacks to something packed again, archives (ZIP,
tar, 7z: a name in an archive is somebody else's path) and other packings are refused.
"""

import hashlib
import os
from collections.abc import Iterator
from typing import BinaryIO

from ingest.receivers.folder.model import FileBusyError, FileFaultError, Limits
from ingest.receivers.unpacking import PackedError, packing, unpack

__all__ = ["Reading", "packing", "signature"]

_PIECE = 1 << 20
_HEAD = 512
_OTHERS = {
    b"PK\x03\x04": "ZIP",
    b"PK\x05\x06": "ZIP",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "RAR",
    b"MSCF": "CAB",
    b"\x1f\x9d": "compress",
    b"\x04\x22\x4d\x18": "lz4",
}
_TAR_AT = 257

Signature = tuple[int, int, int, int]


def signature(status: os.stat_result) -> Signature:
    """What changes when a file is replaced or written to."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _archive(head: bytes) -> str:
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return "tar"
    return next((name for magic, name in _OTHERS.items() if head.startswith(magic)), "")


def _refuse_archive(head: bytes) -> None:
    if kind := _archive(head):
        raise FileFaultError(
            f"{kind} is not supported: send the log itself, or gzip or zstd",
            f"{kind} 形式は扱えません。ログをそのまま、または gzip か zstd で送ってください",
        )


class Reading:
    """Reads one open file once.

    Attributes:
        size: the file's bytes read so far.
        unpacked: the bytes that came of them.
    """

    def __init__(self, file: BinaryIO, limits: Limits, *, sha256: str = "") -> None:
        """Begin.

        Args:
            file: open at its beginning.
            limits: the bounds.
            sha256: what its manifest says its hash is.
        """
        self._file = file
        self._limits = limits
        self._wanted = sha256
        self._digest = hashlib.sha256()
        self._before = signature(os.fstat(file.fileno()))
        self.size = 0
        self.unpacked = 0

    @property
    def sha256(self) -> str:
        """Of the file as it lies there, once it has been read."""
        return self._digest.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        """The bytes, in order.

        Raises:
            FileFaultError: it is not what it should be. Whoever takes the pieces must forget what came before.
            FileBusyError: it cannot be read, or was written to meanwhile; the same holds.
        """
        head = self._peek()
        _refuse_archive(head)
        yield from self._unpacked(kind) if (kind := packing(head)) else self._plain()
        while self.read(_PIECE):
            pass  # the hash is of the whole file
        if signature(os.fstat(self._file.fileno())) != self._before:
            raise FileBusyError("it was written to while it was read", "読み取り中に書き込まれました")
        if self._wanted and self._wanted != self.sha256:
            raise FileFaultError("its SHA-256 is not the manifest's", "SHA-256 がマニフェストと一致しません")

    def _peek(self) -> bytes:
        try:
            return os.pread(self._file.fileno(), _HEAD, 0)
        except OSError as error:
            raise _unreadable(error) from error

    def _plain(self) -> Iterator[bytes]:
        while piece := self.read(_PIECE):
            self.unpacked += len(piece)
            yield piece

    def _unpacked(self, kind: str) -> Iterator[bytes]:
        limits = self._limits
        pieces = unpack(
            self,
            kind,
            lambda: self.size,
            limit=limits.unpacked_bytes,
            ratio=limits.ratio,
            ratio_from=limits.ratio_from,
        )
        try:
            for piece in pieces:
                if not self.unpacked:
                    _refuse_archive(piece)
                self.unpacked += len(piece)
                yield piece
        except PackedError as error:
            raise FileFaultError(error.reason.en, error.reason.ja) from error

    # What pyarrow asks of a file.
    closed = False

    def read(self, size: int) -> bytes:
        """Read and hash what lies there."""
        try:
            data = self._file.read(size)
        except OSError as error:
            raise _unreadable(error) from error
        self._digest.update(data)
        self.size += len(data)
        return data

    def close(self) -> None:
        """Nothing: who opened the file closes it."""


def _unreadable(error: OSError) -> FileBusyError:
    name = error.strerror or type(error).__name__
    return FileBusyError(f"it cannot be read ({name})", f"読み取れません ({name})")
