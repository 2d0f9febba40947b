"""What the beginning of a delivery tells of the way it is written, and a profile could not know.

A byte order mark says the encoding: whoever saves a CP932 list as "CSV UTF-8" has changed it.

Which city's way a source writes is told by the first records, where no preset was chosen; and, as documents give one
slot to several systems, whether it writes as another system of its slot does.

The way that makes most of the first records events is taken, of several that which fills most fields, the nearest
first. Where none makes any, other encodings are tried; when that does not help, the profile itself says what is wrong.
"""

import codecs
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from audit.events import check
from ingest.formats.registry import decode, recognise
from ingest.model import Record
from ingest.reader import Piece, read_pieces
from ingest.sources.profile import Profile

__all__ = ["fitted", "in_marked_encoding"]

_LINES = 20
_ENCODINGS = ("utf-8", "cp932", "euc-jp")
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def in_marked_encoding(profile: Profile, head: bytes) -> Profile:
    """The profile, in the encoding that a byte order mark at the beginning of a delivery says.

    Args:
        profile: the source's.
        head: the first bytes of the delivery.
    """
    marked = next((encoding for mark, encoding in _MARKS.items() if head.startswith(mark)), profile.encoding)
    return profile if marked == profile.encoding else replace(profile, encoding=marked)


def fitted(
    profile: Profile, head: bytes, received_at: datetime, catalogue: Mapping[str, Profile], *, city: str = ""
) -> Profile:
    """The profile, or another way of the same source, that reads the beginning of a delivery.

    Args:
        profile: the source's.
        head: the first bytes of the delivery.
        received_at: when it arrived.
        catalogue: the sources that `Profile.like` may name.
        city: whose way was chosen by a preset.
    """
    ways = [in_marked_encoding(way, head) for way in _ways(profile, catalogue, city)]
    others = [replace(way, encoding=encoding) for way in ways for encoding in _ENCODINGS if encoding != way.encoding]
    for candidates in (ways, others):
        fits = [_fit(way, head, received_at) for way in candidates]
        if any(read for read, _, _ in fits):
            return candidates[fits.index(max(fits))]
    return ways[0]


def _ways(profile: Profile, catalogue: Mapping[str, Profile], city: str) -> list[Profile]:
    """The ways in which a source may write, nearest first."""
    alike = [profile, *(replace(catalogue[other], id=profile.id) for other in profile.like if other in catalogue)]
    return alike if city else [way for one in alike for way in (one, *map(one.in_city, one.cities))]


def _fit(profile: Profile, head: bytes, received_at: datetime) -> tuple[int, int, int]:
    """How many of the first records become events, how many of our fields they fill, and how likely the text is.

    EUC-JP that is read as CP932 makes sense to the decoder: as half-width katakana, which nobody writes so many of.
    """
    pieces = read_pieces(io.BytesIO(head), len(head) + 1, profile.encoding)
    lines = [line for piece in pieces if isinstance(piece, Piece) for line in piece.data.split(b"\n")][:_LINES]
    fmt = recognise(lines, profile)
    if fmt == "jsonl":
        return sum(line.startswith(b"{") for line in lines), 0, 0
    read, filled = 0, 0
    for record in decode(fmt, enumerate(lines, start=1), profile, received_at):
        checked = check(record.doc, received_at) if isinstance(record, Record) else None
        if checked is not None and not checked.faults:
            read += 1
            filled += len(checked.columns.keys() - {"unmapped"})
    odd = sum("\uff61" <= letter <= "\uff9f" for line in lines for letter in line.decode(profile.encoding, "ignore"))
    return read, filled, -odd
