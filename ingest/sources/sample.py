"""The beginning of somebody's log file: which bytes it is made of, and its lines.

Only the beginning is looked at: `MAX_BYTES` and `MAX_LINES`, whatever the size of the file; `Sample.whole` says
whether that was all. The encoding is the one in which most lines that are not ASCII can be read strictly; where
several can, the one whose text is made of what Japanese is written with. What is no text at all is refused with its
kind, so that nobody is shown a profile for a spreadsheet.
"""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass

from audit.events import MAX_RECORD_BYTES
from audit.texts import Texts
from ingest.formats.text import TextError, decode
from ingest.reader import Block, Readable, read_blocks

__all__ = [
    "MAX_BYTES",
    "MAX_LINES",
    "Sample",
    "SampleError",
    "encoding_of",
    "likely_encodings",
    "read_sample",
    "refuse_packed",
]

MAX_BYTES = 16 << 20
MAX_LINES = 10_000
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "ZIP / Excel (xlsx)",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"\xd0\xcf\x11\xe0": "Excel / Word (97-2003)",
    b"%PDF": "PDF",
    b"ElfFile\x00": "Windows EVTX",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf": "7-Zip",
    b"BZh": "bzip2",
}
_CANDIDATES = ("utf-8", "cp932", "euc_jp")
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
_TOO_MANY = 0.01
"""Of the bytes; text has no control characters but those of lines and tabs."""
_LAST_OF_LEVEL_1 = 0xCF
"""Lead byte, in EUC-JP, of the last row of the kanji in daily use (JIS X 0208 level 1)."""
_NUL_RATIO = 5
_LEAST_NULS = 0.02
"""Of the bytes of UTF-16: separators and digits are ASCII, in every log."""


class SampleError(ValueError):
    """A file from which nothing can be proposed; the message says why in both languages."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of a delivery.

    Attributes:
        encoding: one of `ingest.sources.profile.ENCODINGS`.
        lines: numbers and bytes, as the reader hands them to the formats.
        size: how many bytes were looked at.
        whole: whether that was all there is.
        doubts: what is not certain about the encoding.
    """

    encoding: str
    lines: tuple[tuple[int, bytes], ...]
    size: int
    whole: bool
    doubts: tuple[Texts, ...]


def read_sample(stream: Readable, encoding: str = "") -> Sample:
    """Read the beginning of a stream.

    Args:
        stream: where the bytes come from; no more than `MAX_BYTES` and one is read.
        encoding: the encoding, if somebody knows it.

    Raises:
        SampleError: it is empty, packed, or no text.
    """
    parts, size = list[bytes](), 0
    while size <= MAX_BYTES and (part := stream.read(MAX_BYTES + 1 - size)):
        parts.append(part)
        size += len(part)
    head = b"".join(parts)
    whole = len(head) <= MAX_BYTES
    head = head[:MAX_BYTES]
    if not head.strip():
        raise SampleError("ファイルが空です / the file is empty")
    refuse_packed(head)
    found, doubts = (encoding, ()) if encoding else encoding_of(head)
    lines = list(_lines(head, found))
    if not whole and len(lines) > 1:
        lines.pop()  # cut off somewhere
    if not lines:
        raise SampleError("行がありません / there is no line that an event could be")
    return Sample(found, tuple(lines[:MAX_LINES]), len(head), whole and len(lines) <= MAX_LINES, doubts)


def refuse_packed(head: bytes) -> None:
    """Refuse what begins like a packed file or a document of some program.

    Raises:
        SampleError: naming its kind.
    """
    for beginning, kind in _PACKED.items():
        if head.startswith(beginning):
            raise SampleError(f"{kind} です。展開または変換してください / this is {kind}: unpack or convert it first")


def encoding_of(head: bytes) -> tuple[str, tuple[Texts, ...]]:
    """The encoding of some bytes, and what is not certain about it.

    Raises:
        SampleError: they are no text.
    """
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", ()
    start = head[:65536]
    if b"\0" in start:
        even, odd, least = start[::2].count(0), start[1::2].count(0), _LEAST_NULS * len(start)
        if odd > max(_NUL_RATIO * even, least):
            return "utf-16-le", ()
        if even > max(_NUL_RATIO * odd, least):
            return "utf-16-be", ()
        raise _no_text()
    if b"\x1b$" in start:
        raise SampleError(
            "ISO-2022-JP (JIS) です。UTF-8 か CP932 に変換してください / this is ISO-2022-JP: convert it first"
        )
    if len(start) - len(start.translate(None, _CONTROL)) > _TOO_MANY * len(start):
        raise _no_text()
    others = [(n, line) for n, line in enumerate(head.split(b"\n")[:MAX_LINES], 1) if not line.isascii()]
    if len(head) >= MAX_BYTES:
        others = others[:-1]
    if not others:
        return "utf-8", ()
    return _best([line for _, line in others], [n for n, _ in others])


def likely_encodings(raw: bytes) -> tuple[str, ...]:
    """The encodings in which a line can be read, most likely first."""
    able = [(_plausible(text), name) for name in _CANDIDATES if (text := _read(raw, name)) is not None]
    return tuple(name for _, name in sorted(able, key=lambda one: (-one[0], _CANDIDATES.index(one[1]))))


def _best(lines: list[bytes], numbers: list[int]) -> tuple[str, tuple[Texts, ...]]:
    ranked: list[tuple[int, float, str]] = []
    for name in _CANDIDATES:
        texts = [text for line in lines if (text := _read(line, name)) is not None]
        # UTF-8 by chance is next to impossible, so it needs no plausibility.
        score = 1.0 if name == "utf-8" and texts else _plausible("".join(texts[:200]))
        ranked.append((len(texts), score, name))
    count, score, best = max(ranked, key=lambda one: (one[0], one[1]))
    if not count:
        raise _no_text()
    doubts: list[Texts] = []
    if count < len(lines):
        bad = [n for n, line in zip(numbers, lines, strict=True) if _read(line, best) is None]
        shown = ", ".join(map(str, bad[:5]))
        doubts.append(
            Texts(
                f"{best} として読めない行が {len(bad)} 行あります（{shown} 行目など）",
                f"{len(bad)} lines cannot be read as {best} (line {shown})",
            )
        )
    rivals = [name for n, other, name in ranked if name != best and n == count and other > score - 0.2]
    if rivals and best != "utf-8":
        doubts.append(Texts(f"{'、'.join(rivals)} としても読めます", f"it could also be {', '.join(rivals)}"))
    return best, tuple(doubts)


def _read(raw: bytes, encoding: str) -> str | None:
    try:
        return decode(raw, encoding, first=True)
    except TextError:
        return None


def _plausible(text: str) -> float:
    """From -1 to 1, how much the characters beyond ASCII are those that Japanese is written with."""
    others = [char for char in text if not char.isascii()]
    return sum(map(_weight, others)) / len(others) if others else 0.0


def _weight(char: str) -> int:
    if "\u3000" <= char <= "\u30ff" or "\uff01" <= char <= "\uff5e":
        return 1
    if "\u4e00" <= char <= "\u9fff":
        try:
            return 1 if char.encode("euc_jp")[0] <= _LAST_OF_LEVEL_1 else 0
        except UnicodeEncodeError:
            return 0
    return -1


def _lines(head: bytes, encoding: str) -> Iterator[tuple[int, bytes]]:
    for block in read_blocks(io.BytesIO(head), MAX_RECORD_BYTES, as_written=True, encoding=encoding):
        if isinstance(block, Block):
            yield from block.lines


def _no_text() -> SampleError:
    return SampleError("文字のファイルではありません / this is no text file")
