"""From a stream of bytes to whole lines, in blocks, whatever the stream is like.

Memory is bounded by the block and by the longest event allowed: a line beyond that is handed over in pieces and
never held whole. The last line may lack its end; a line end of CR LF is one of LF; empty lines are no records.

UTF-16 cannot be cut at the byte 0x0A, so it is turned into UTF-8 first. The way is reversible: half of a surrogate
pair, which no UTF-8 may hold, is written as the three bytes it would have there. So its line alone is refused, with
its position (`ingest.formats.text.decode`), and what quarantine keeps gives back the delivered bytes.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

__all__ = ["BLOCK_BYTES", "Block", "LongLine", "Piece", "Readable", "read_blocks", "read_pieces"]

BLOCK_BYTES = 16 << 20
"""So much is read at once: what an over-long line may cost in memory."""
_LINES = 200_000
_BATCH_BYTES = 48 << 20
"""So much is handed over at once: a batch costs the engine about 60 ms however small it is."""
_PIECE = 1 << 20
_BOM = b"\xef\xbb\xbf"
_UTF16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_ODD = 0xDC00
"""A last byte that is no whole unit is shown as half of a surrogate pair with that byte in it."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines: 1-based numbers and bytes without line ends."""

    lines: list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some whole lines as they were delivered, not cut: the 1-based number of the first, and the bytes of all."""

    first: int
    data: bytes


@dataclass(slots=True)
class LongLine:
    """A line longer than any event may be; its pieces must be read before the next block is asked for."""

    line: int
    pieces: Iterator[bytes]


class Readable(Protocol):
    """Something whose bytes can be read once, in order."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes of what is left; none at the end."""


def read_blocks(
    stream: Readable, max_line: int, *, as_written: bool = False, encoding: str = ""
) -> Iterator[Block | LongLine]:
    """Cut a stream into lines.

    Args:
        stream: where the bytes come from.
        max_line: lines longer than this many bytes come as `LongLine`.
        as_written: keep empty lines and the CR of a line end, for formats whose records may span lines.
        encoding: the profile's. UTF-16 comes as UTF-8, also where UTF-8 was expected and the first two bytes are
            UTF-16's byte order mark, which no UTF-8 begins with.
    """
    lines: list[tuple[int, bytes]] = []
    size = 0
    source: Readable = _Utf16(stream, encoding) if encoding.startswith("utf") else stream
    for found in _read(source, max_line, as_written):
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


def read_pieces(stream: Readable, max_line: int, encoding: str = "") -> Iterator[Piece | LongLine]:
    """Cut a stream into pieces of whole lines, without looking at the lines.

    Args:
        stream: where the bytes come from.
        max_line: a line that fills a piece and is longer than this comes as `LongLine`.
        encoding: as for `read_blocks`.
    """
    yield from _pieces(_Utf16(stream, encoding) if encoding.startswith("utf") else stream, max_line)


def _read(stream: Readable, max_line: int, as_written: bool) -> Iterator[Block | LongLine]:
    for found in _pieces(stream, max_line):
        if isinstance(found, LongLine):
            yield found
        else:
            yield from _blocks(found.first - 1, found.data.split(b"\n"), max_line, as_written)


def _pieces(stream: Readable, max_line: int) -> Iterator[Piece | LongLine]:
    number, rest, first = 0, b"", True
    while chunk := stream.read(BLOCK_BYTES):
        data = rest + chunk
        if first:
            data, first = data.removeprefix(_BOM), False
        cut = data.rfind(b"\n")
        if cut < 0:
            if len(data) <= max_line + 1:  # the last byte may be the CR of a line end
                rest = data
                continue
            pieces = _LongPieces(stream, data)
            number += 1
            yield LongLine(number, iter(pieces))
            pieces.drain()
            rest = pieces.rest
            continue
        rest = data[cut + 1 :]
        whole = data[:cut]
        yield Piece(number + 1, whole)
        number += whole.count(b"\n") + 1
    if rest:  # what followed an over-long line may be several lines
        yield Piece(number + 1, rest.removesuffix(b"\n"))


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

    def __init__(self, stream: Readable, begun: bytes) -> None:
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


class _Utf16:
    """A stream of UTF-16 as one of UTF-8; one that turns out to be UTF-8 comes as it is.

    A byte order mark decides. Without one, plain `utf-16` is little-endian, as Windows writes it.
    """

    def __init__(self, stream: Readable, encoding: str) -> None:
        self._stream = stream
        self._expected = {"utf-8": "", "utf-16": "utf-16-le"}.get(encoding, encoding)
        self._decoder: codecs.IncrementalDecoder | None = None
        self._started = False

    def read(self, size: int, /) -> bytes:
        while not self._started or self._decoder is not None:
            chunk = self._stream.read(size)
            ended = not chunk
            if not self._started:
                chunk = self._start(chunk)
            if self._decoder is None:
                return chunk
            text = self._decoder.decode(chunk)
            if ended:
                text += self._end(self._decoder)
            if text or ended:
                return text.encode("utf-8", "surrogatepass")
        return self._stream.read(size)

    def _start(self, chunk: bytes) -> bytes:
        while len(chunk) < 2 and (more := self._stream.read(2 - len(chunk))):
            chunk += more
        self._started = True
        marked = _UTF16_MARKS.get(chunk[:2])
        if encoding := marked or self._expected:
            self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        return chunk[2:] if marked else chunk

    @staticmethod
    def _end(decoder: codecs.IncrementalDecoder) -> str:
        """What was left undecided when the stream ended: half of a pair, or half of a unit."""
        left, _ = decoder.getstate()
        decoder.reset()
        if not left:
            return ""
        whole = len(left) & ~1
        half = decoder.decode(left[:whole], final=True) if whole else ""
        decoder.reset()
        return half + (chr(_ODD + left[-1]) if len(left) % 2 else "")
