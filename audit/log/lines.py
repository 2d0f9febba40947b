"""Lines of a delivery as bytes and where each ends, so that no line is cut out before somebody asks for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["MAX_PLAIN_BYTES", "Lines", "ends_of", "is_utf8"]

_LONG_LINE = 4096
"""Nesting of a shorter line cannot exhaust the stack of Arrow's recursive reader."""
_MAX_OPENED = 64
_CACHED = 1 << 19
MAX_PLAIN_BYTES = 65_536
"""A longer line is read with care."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of a delivery.

    Attributes:
        data: their bytes, LF between them, and perhaps after the last.
        ends: where each line ends in `data`, an int64 array.
        numbers: the number of each line within its delivery, an int64 array.
    """

    data: bytes
    ends: Any
    numbers: Any

    @classmethod
    def of(cls, data: bytes, first: int = 1) -> "Lines":
        """Lines as they were delivered, numbered from `first`; empty ones are left out but counted.

        A CR before an LF belongs to the line end.
        """
        ends = ends_of(data)
        lines = cls(data, ends, np.arange(first, first + len(ends)))
        if lines.are_objects():
            return lines
        split = [(n, line.removesuffix(b"\r")) for n, line in enumerate(data.split(b"\n"), start=first)]
        kept = [(n, line) for n, line in split if line.strip()]
        data = b"\n".join(line for _, line in kept)
        return cls(data, ends_of(data), np.array([n for n, _ in kept], np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def begins(self) -> Any:  # noqa: ANN401 - an int64 array of NumPy
        """Where each line begins."""
        return np.append(0, self.ends[:-1] + 1)

    def line(self, place: int) -> bytes:
        """The bytes of one line, by its place here."""
        return self.data[int(self.ends[place - 1]) + 1 if place else 0 : int(self.ends[place])]

    def numbered(self, n: int) -> bytes:
        """The bytes of one line, by its number in the delivery."""
        return self.line(int(np.searchsorted(self.numbers, n)))

    def are_objects(self) -> bool:
        """Whether each line begins with `{` and ends with `}`.

        In valid JSON `}` LF `{` stands between two objects and nowhere else: such lines hold whole objects.
        """
        if not self.data:
            return False
        letters = np.frombuffer(self.data, np.uint8)
        return bool((letters[self.ends - 1] == ord("}")).all() and (letters[self.begins()] == ord("{")).all())

    def too_deep(self) -> bool:
        """Whether a line could be nested so deeply, or be so long, that only the careful reading may have it."""
        begins = self.begins()
        for place in np.flatnonzero(self.ends - begins > _LONG_LINE):
            begin, end = int(begins[place]), int(self.ends[place])
            opened = self.data.count(b"[", begin, end) + self.data.count(b"{", begin, end)
            if end - begin > MAX_PLAIN_BYTES or opened > _MAX_OPENED:
                return True
        return False

    def total(self, which: Callable[[Any], Any]) -> int:
        """How many of the bytes are such; asked in parts that stay in the processor's cache.

        Args:
            which: of an array of bytes, a Boolean array.
        """
        letters = np.frombuffer(self.data, np.uint8)
        return sum(int(np.count_nonzero(which(letters[at : at + _CACHED]))) for at in range(0, len(letters), _CACHED))

    def only(self, rows: Any) -> "Lines":  # noqa: ANN401 - a Boolean array of NumPy
        """Some of the lines."""
        if rows.all():
            return self
        bounds = np.append(self.begins(), len(self.data))
        whole = pa.Array.from_buffers(
            pa.large_binary(), len(self), [None, pa.py_buffer(bounds), pa.py_buffer(self.data)]
        )
        taken = whole.filter(pa.array(rows))
        ends = np.cumsum(pc.binary_length(taken).to_numpy()) - 1
        data = taken.buffers()[2]
        cut = data.to_pybytes()[: int(ends[-1]) + 1] if len(ends) else b""
        if len(ends) and rows[-1] and not self.data.endswith(b"\n"):
            ends[-1] += 1
        return Lines(cut, ends, self.numbers[rows])

    def halves(self) -> tuple["Lines", "Lines"]:
        """The same lines in two parts."""
        middle = len(self) // 2
        cut = int(self.ends[middle - 1])
        return (
            Lines(self.data[:cut], self.ends[:middle], self.numbers[:middle]),
            Lines(self.data[cut + 1 :], self.ends[middle:] - cut - 1, self.numbers[middle:]),
        )


def is_utf8(data: bytes) -> bool:
    """Whether some bytes are UTF-8 altogether."""
    bounds = np.array([0, len(data)], np.int64)
    try:
        pa.Array.from_buffers(pa.large_binary(), 1, [None, pa.py_buffer(bounds), pa.py_buffer(data)]).cast(
            pa.large_string()
        )
    except pa.ArrowInvalid:
        return False
    return True


def ends_of(data: bytes) -> Any:  # noqa: ANN401 - an int64 array of NumPy
    """Where the lines of some bytes end; searched in parts that stay in the processor's cache."""
    letters = np.frombuffer(data, np.uint8)
    found = [np.flatnonzero(letters[at : at + _CACHED] == ord("\n")) + at for at in range(0, len(data), _CACHED)]
    last = [] if not data or data.endswith(b"\n") else [len(data)]
    return np.concatenate([*found, np.array(last, np.int64)])
