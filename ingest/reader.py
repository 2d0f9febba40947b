"""From a stream of bytes to whole lines, in blocks, whatever the stream is like.

Memory is bounded by the block and by the longest event allowed: a line beyond that is handed over in pieces and never
held whole. The last line may lack its end; a line end of CR LF is one of LF; empty lines are no records.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

__all__ = ["BLOCK_BYTES", "Block", "LongLine", "read_blocks"]

BLOCK_BYTES = 16 << 20
"""So much is read at once: what an over-long line may cost in memory."""
_LINES = 200_000
_BATCH_BYTES = 48 << 20
"""So much is handed over at once: a batch costs the engine about 60 ms however small it is."""
_PIECE = 1 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines: 1-based numbers and bytes without line ends."""

    lines: list[tuple[int, bytes]]


@dataclass(slots=True)
class LongLine:
    """A line longer than any event may be; its pieces must be read before the next block is asked for."""

    line: int
    pieces: Iterator[bytes]


def read_blocks(stream: BinaryIO, max_line: int, *, as_written: bool = False) -> Iterator[Block | LongLine]:
    """Cut a stream into lines.

    Args:
        stream: where the bytes come from.
        max_line: lines longer than this many bytes come as `LongLine`.
        as_written: keep empty lines and the CR of a line end, for formats whose records may span lines.
    """
    lines: list[tuple[int, bytes]] = []
    size = 0
    for found in _read(stream, max_line, as_written):
        more = 0 if isinstance(found, LongLine) else sum(len(line) for _, line in found.lines)
        full = isinstance(found, LongLine) or len(lines) + len(found.lines) > _LINES or size + more > _BATCH_BYTES
        if full and lines:
            yield Block(lines)
            lines, size = [], 0
        if isinstance(found, LongLine):
            yield found
        else:
            lines += found.lines
            size += more
    if lines:
        yield Block(lines)


def _read(stream: BinaryIO, max_line: int, as_written: bool) -> Iterator[Block | LongLine]:
    number, rest, first = 0, b"", True
    while chunk := stream.read(BLOCK_BYTES):
        data = rest + chunk
        if first:
            data, first = data.removeprefix(_BOM), False
        cut = data.rfind(b"\n")
        if cut < 0:
            if len(data) <= max_line:
                rest = data
                continue
            pieces = _LongPieces(stream, data)
            number += 1
            yield LongLine(number, iter(pieces))
            pieces.drain()
            rest = pieces.rest
            continue
        rest = data[cut + 1 :]
        whole = data[:cut].split(b"\n")
        yield from _blocks(number, whole, max_line, as_written)
        number += len(whole)
    if rest:  # what followed an over-long line may be several lines
        yield from _blocks(number, rest.removesuffix(b"\n").split(b"\n"), max_line, as_written)


def _blocks(number: int, whole: list[bytes], max_line: int, as_written: bool) -> Iterator[Block | LongLine]:
    lines: list[tuple[int, bytes]] = []
    for place, line in enumerate(whole, start=number + 1):
        bare = line if as_written else line.removesuffix(b"\r")
        if len(bare) > max_line:
            if lines:
                yield Block(lines)
                lines = []
            yield LongLine(place, iter([bare]))
        elif as_written or bare.strip():
            lines.append((place, bare))
        if len(lines) == _LINES:
            yield Block(lines)
            lines = []
    if lines:
        yield Block(lines)


class _LongPieces:
    """Reads on to the end of an over-long line."""

    def __init__(self, stream: BinaryIO, begun: bytes) -> None:
        self._stream = stream
        self._begun = begun
        self._done = False
        self.rest = b""

    def __iter__(self) -> Iterator[bytes]:
        yield self._begun
        while not self._done:
            chunk = self._stream.read(_PIECE)
            line, end, after = chunk.partition(b"\n")
            self._done = bool(end) or not chunk
            self.rest = after
            if line:
                yield line

    def drain(self) -> None:
        """Read what nobody wanted."""
        while not self._done:
            chunk = self._stream.read(_PIECE)
            _, end, after = chunk.partition(b"\n")
            self._done = bool(end) or not chunk
            self.rest = after
