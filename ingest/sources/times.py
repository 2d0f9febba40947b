"""Which columns of a sample hold the time, and how it is written.

Whatever `ingest.formats.japanese` reads needs nothing said. Other writings get a strptime pattern, and when several
patterns read every value (is 05/10 in May or in October?) the first is proposed and the others are named. A day and a
time of day in two columns are one time if the day comes first, because they are joined in the record's order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from audit.texts import Texts
from ingest.formats.japanese import TimeTextError, parse_time
from ingest.sources.layout import Column

__all__ = ["PATTERNS", "Times", "find_times"]

PATTERNS = (
    "%Y%m%d %H:%M:%S",
    "%Y%m%d%H%M",
    "%Y%m%d %H:%M",
    "%Y%m%d %H%M",
    "%Y/%m/%d-%H:%M:%S",
    "%Y/%m/%d %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%b/%Y:%H:%M:%S %z",
    "%d-%b-%Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%b %d %Y %H:%M:%S",
    "%b %d, %Y %I:%M:%S %p",
    "%a %b %d %H:%M:%S %Y",
    "%y/%m/%d %H:%M:%S",
    "%y-%m-%d %H:%M:%S",
)
_ZONE = ZoneInfo("Asia/Tokyo")
_LOOKED_AT = 300
_MOST = 0.95
"""Of the values: some may be broken, and those records are refused with their reason."""
Candidate = tuple[int, Column, bool]


@dataclass(frozen=True, slots=True)
class Times:
    """Where the time stands and how it is written.

    Attributes:
        columns: the places of its columns; none when there is no time.
        patterns: strptime patterns, none where none is needed.
        doubt: what is not certain.
    """

    columns: tuple[int, ...]
    patterns: tuple[str, ...] = ()
    doubt: Texts | None = None


def find_times(candidates: Sequence[Candidate], *, key_value: bool) -> Times:
    """Find the columns of the time.

    Args:
        candidates: places, columns and whether their name says so, best first.
        key_value: whether a record has only some of the columns.
    """
    for n, column, named in candidates:
        if patterns := _patterns(column.filled):
            more = _filling_in(n, column, candidates, patterns[0]) if not key_value or named else ()
            return Times((n, *more), tuple(filter(None, patterns[:1])), _doubt(patterns, named=named))
    return _joined(candidates)


def _joined(candidates: Sequence[Candidate]) -> Times:
    """A day and a time of day, neighbours or not."""
    ordered = sorted(candidates, key=lambda one: one[0])
    for n, day, named in ordered:
        for k, clock, _ in ordered:
            if k == n:
                continue
            together = [f"{a} {b}" for a, b in zip(day.values, clock.values, strict=True) if a and b]
            if not _is_clock(clock.filled) or not (patterns := _patterns(together)):
                continue
            if k < n:
                return Times(
                    (),
                    (),
                    Texts(
                        "時刻の列が日付の列より前にあるため、つなげて読めません。出力の列順を変えてください",
                        "the time of day stands before the day, so they cannot be joined: change their order",
                    ),
                )
            return Times((n, k), tuple(filter(None, patterns[:1])), _doubt(patterns, named=named))
    return Times((), (), Texts("時刻として読める列がありません", "no column can be read as a time"))


def _filling_in(n: int, column: Column, candidates: Sequence[Candidate], pattern: str) -> tuple[int, ...]:
    """Another time for the records in which the first is empty, if it never stands beside it."""
    if all(column.values):
        return ()
    for k, other, _ in candidates:
        both = any(a and b for a, b in zip(column.values, other.values, strict=True))
        if k != n and other.filled and not both and pattern in _patterns(other.filled):
            return (k,)
    return ()


def _patterns(values: Sequence[str]) -> tuple[str, ...]:
    """The patterns that read the values, empty text for none needed; nothing when no pattern does."""
    looked_at = values[:_LOOKED_AT]
    if not looked_at:
        return ()
    if _share(looked_at, ()) >= _MOST:
        return ("",)
    return tuple(pattern for pattern in PATTERNS if _share(looked_at, (pattern,)) >= _MOST)


def _share(values: Sequence[str], patterns: tuple[str, ...]) -> float:
    good = 0
    for value in values:
        try:
            parse_time(value, _ZONE, patterns)
        except TimeTextError:
            continue
        good += 1
    return good / len(values)


def _is_clock(values: Sequence[str]) -> bool:
    """Whether values are times of day: with a day in front they are times, without one they are not."""
    return bool(values) and all(value[0].isdigit() and len(value) <= 16 and "/" not in value for value in values[:20])


def _doubt(patterns: tuple[str, ...], *, named: bool) -> Texts | None:
    if len(patterns) > 1:
        others = "、".join(patterns[1:])
        return Texts(
            f"日付の書き方が一つに定まりません。他の読み方: {others}",
            f"the writing has more than one reading; others: {', '.join(patterns[1:])}",
        )
    if patterns[0].startswith("%y"):
        return Texts("年が 2 桁です。和暦でないか確かめてください", "the year has two digits: is it of an era?")
    return (
        None
        if named
        else Texts("列名は時刻を示していませんが、値が時刻です", "its values are times, its name says nothing")
    )
