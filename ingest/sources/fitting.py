"""Which city's way a source writes, where no preset was chosen: the first records decide.

The base profile goes first. Only when it reads none of the first records are the cities' ways tried, and the one that
reads most of them is taken; when none does, the base profile says what is wrong.
"""

from datetime import datetime

from audit.events import check
from ingest.formats.registry import decode, recognise
from ingest.model import Record
from ingest.sources.profile import Profile

__all__ = ["fitted"]

_LINES = 20


def fitted(profile: Profile, head: bytes, received_at: datetime) -> Profile:
    """The profile, or the way of one city, that reads the beginning of a delivery.

    Args:
        profile: the source's.
        head: the first bytes of the delivery.
        received_at: when it arrived.
    """
    lines = [line.removesuffix(b"\r") for line in head.split(b"\n")[:_LINES]]
    if not profile.cities or _read(profile, lines, received_at):
        return profile
    ways = [profile.in_city(city) for city in profile.cities]
    best = max(ways, key=lambda way: _read(way, lines, received_at))
    return best if _read(best, lines, received_at) else profile


def _read(profile: Profile, lines: list[bytes], received_at: datetime) -> int:
    """How many of some lines become events."""
    fmt = recognise(lines, profile)
    if fmt == "jsonl":
        return sum(line.startswith(b"{") for line in lines)
    records = decode(fmt, enumerate(lines, start=1), profile, received_at)
    return sum(isinstance(r, Record) and not check(r.doc, received_at).faults for r in records)
