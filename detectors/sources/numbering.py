"""Where a source's numbers break on a day: numbers left out, and numbers at which time falls back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.log import Dimension, Filter, Measure
from detectors.model import Reader, Window
from detectors.sources.telling import from_microseconds

__all__ = ["MOST_BREAKS", "Break", "Numbering", "breaks_from", "breaks_of"]

_WITHIN = timedelta(hours=1)
"""What was recorded later has its number elsewhere."""
MOST_BREAKS = 200
"""The engine tells no more; a source that has so many does not number its events in order."""


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
        breaks: where they break, in their order.
    """

    source: str
    first: int
    breaks: tuple[Break, ...]


def breaks_of(window: Window, reader: Reader) -> Iterable[Numbering]:
    """Every source that numbers its events, by id."""
    rows = reader.aggregate(
        Filter(start=window.start, end=window.end, recorded_within=_WITHIN),
        (Dimension.SOURCE,),
        (Measure.BREAKS, Measure.FIRST_SEQUENCE),
    )
    for row in sorted(rows, key=lambda row: str(row["source"])):
        if row["first_sequence"] is not None:
            yield Numbering(row["source"], row["first_sequence"], tuple(breaks_from(row["breaks"])))


def breaks_from(told: Iterable[tuple[int, int, int, int]]) -> Iterable[Break]:
    """Breaks as the engine tells them."""
    for low, before, high, after in told:
        yield Break(low, from_microseconds(before), high, from_microseconds(after))
