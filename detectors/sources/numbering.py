"""Where a source's numbers break on a day: numbers left out, and numbers at which time falls back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.log import Dimension, Filter, Measure
from detectors.model import Reader, Window
from detectors.sources.telling import from_microseconds

__all__ = ["MOST_BREAKS", "WITHIN", "Break", "Numbering", "all_breaks", "breaks_from", "breaks_of"]

WITHIN = timedelta(hours=1)
"""What was recorded later has its number elsewhere."""
MOST_BREAKS = 200
"""The engine tells no more at once."""
_READ_ON = 5
"""How often a day's breaks are read on where the engine did not tell all of them."""


@dataclass(frozen=True, slots=True)
class Break:
    """Two neighbouring numbers of a day.

    Attributes:
        low: the lower number.
        before: when its event happened.
        high: the next that the log has.
        after: when its event happened.
    """

    low: int
    before: datetime
    high: int
    after: datetime

    @property
    def fall(self) -> timedelta:
        """How far time falls back from the one to the other."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Numbering:
    """A source's numbers of a day.

    Attributes:
        source: its id.
        first: the lowest.
        last: the highest.
        breaks: where they break, in their order; no more than `MOST_BREAKS` until they are read on.
    """

    source: str
    first: int
    last: int
    breaks: tuple[Break, ...]


def breaks_of(window: Window, reader: Reader) -> Iterable[Numbering]:
    """Every source that numbers its events, by id."""
    rows = reader.aggregate(
        Filter(start=window.start, end=window.end, recorded_within=WITHIN),
        (Dimension.SOURCE,),
        (Measure.BREAKS, Measure.FIRST_SEQUENCE, Measure.LAST_SEQUENCE),
    )
    for row in sorted(rows, key=lambda row: str(row["source"])):
        if row["first_sequence"] is not None:
            breaks = tuple(breaks_from(row["breaks"]))
            yield Numbering(row["source"], row["first_sequence"], row["last_sequence"], breaks)


def all_breaks(window: Window, reader: Reader, numbering: Numbering) -> tuple[Break, ...]:
    """A day's breaks, those too that the engine did not tell at once, up to a thousand."""
    found = list(numbering.breaks)
    for _ in range(1, _READ_ON):
        if not found or len(found) % MOST_BREAKS:
            break
        wanted = Filter(
            start=window.start,
            end=window.end,
            sources=(numbering.source,),
            first_sequence=found[-1].high,
            recorded_within=WITHIN,
        )
        rows = reader.aggregate(wanted, (Dimension.SOURCE,), (Measure.BREAKS,))
        more = list(breaks_from(rows[0]["breaks"])) if rows else []
        if not more:
            break
        found += more
    return tuple(found)


def breaks_from(told: Iterable[tuple[int, int, int, int]]) -> Iterable[Break]:
    """Breaks as the engine tells them."""
    for low, before, high, after in told:
        yield Break(low, from_microseconds(before), high, from_microseconds(after))
