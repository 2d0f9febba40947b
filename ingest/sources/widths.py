"""Where the columns of a fixed-width file begin, found from its lines alone.

Columns are padded, so their borders show where every line has a blank before a character. Where a column is full in
every line no blank shows it: then a time that is read in every line ends a column, and so does a digit that is followed
by a letter or 漢字 in every line. What is found so is a guess from the lines at hand, and says so.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from ingest.formats.japanese import TimeTextError, parse_time

__all__ = ["find_widths"]

_LEAST_LINES = 2
_LEAST_BYTES = 12
_TIME_LENGTHS = range(28, 11, -1)
_ZONE = ZoneInfo("Asia/Tokyo")
_ENOUGH = 50
"""Lines; more would not change where every line has a border."""


def find_widths(lines: Sequence[bytes], encoding: str) -> tuple[int, ...]:
    """The widths of the columns in bytes; empty when the lines are not all of one length or show no border."""
    bodies = [line.removesuffix(b"\r") for line in lines if line.strip()]
    lengths = {len(body) for body in bodies}
    if len(bodies) < _LEAST_LINES or len(lengths) != 1 or (width := lengths.pop()) < _LEAST_BYTES:
        return ()
    try:
        classes = [_classes(body, encoding) for body in bodies]
    except UnicodeDecodeError:
        return ()
    inside = _times(bodies[:_ENOUGH], width)
    starts = [0]
    for at in range(1, width):
        within = any(begin < at < end for begin, end in inside.items())
        if at in inside.values() or (not within and _border(classes, at)):
            starts.append(at)
    starts = _without_blank(classes, sorted(set(starts)), width)
    ends = [*starts[1:], width]
    return tuple(end - start for start, end in zip(starts, ends, strict=True)) if len(starts) > 1 else ()


def _classes(body: bytes, encoding: str) -> str:
    """One letter a byte: blank, digit, letter, punctuation, the first byte of a wide character, its rest."""
    found = list[str]()
    for char in body.decode(encoding):
        size = len(char.encode(encoding))
        if char in " \u3000":
            kind = "_"
        elif char.isascii():
            kind = "9" if char.isdigit() else "a" if char.isalpha() else "."
        else:
            kind = "w"
        found.append(kind + ("_" if kind == "_" else "+") * (size - 1))
    return "".join(found)


def _border(classes: Sequence[str], at: int) -> bool:
    """Whether every line has a border in front of this byte, and some line something behind it."""
    some = False
    for line in classes:
        before, after = line[at - 1], line[at]
        if after == "+":
            return False
        if before != "_" and after != "_" and not (before == "9" and after in "aw"):
            return False
        if before != "_" and after == "_" and line[at:].strip("_"):
            # A cell may end here, or be padded further; the next border decides.
            continue
        some = some or after != "_"
    return some


def _without_blank(classes: Sequence[str], starts: list[int], width: int) -> list[int]:
    """Borders in the middle of padding belong to one column: a right-aligned one begins behind its neighbour's end."""
    kept = [0]
    for start, end in zip(starts[1:], [*starts, width][2:], strict=True):
        if any(line[start:end].strip("_") for line in classes):
            kept.append(start)
    ends = [*kept[1:], width]
    for n, (start, end) in enumerate(zip(kept, ends, strict=True)):
        if n and _right_aligned(classes, start, end):
            kept[n - 1 : n + 1] = [kept[n - 1], _neighbours_end(classes, kept[n - 1], start)]
    return sorted(set(kept))


def _right_aligned(classes: Sequence[str], start: int, end: int) -> bool:
    cells = [line[start:end].rstrip("_") for line in classes]
    filled = [cell for cell in cells if cell.strip("_")]
    return bool(filled) and any(cell.startswith("_") for cell in filled) and len({len(cell) for cell in filled}) == 1


def _neighbours_end(classes: Sequence[str], start: int, end: int) -> int:
    return start + max(len(line[start:end].rstrip("_")) for line in classes)


def _times(bodies: Sequence[bytes], width: int) -> dict[int, int]:
    """Where a time begins and ends that is read in every line; at most at the beginning of the line."""
    for length in _TIME_LENGTHS:
        if length < width and all(_is_time(body[:length]) for body in bodies):
            return {0: length}
    return {}


def _is_time(part: bytes) -> bool:
    try:
        parse_time(part.decode("ascii"), _ZONE)
    except (UnicodeDecodeError, TimeTextError):
        return False
    return True
