"""What somebody seeks in the log that is more than one act: so many, so varied, together, in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from audit.events import Kind
from audit.log.condition import KINDS, Condition

__all__ = ["WHO", "Correlation", "CorrelationKind", "Match", "Part"]

WHO = "who"
"""Stands in the place of a column: who acted; the source, where it does not say."""


class CorrelationKind(StrEnum):
    """How acts belong together.

    `acts` are counted over the whole span; the others within any stretch of a given length: how many acts there are,
    how many different values, what values sum to, how many of the parts occur, and all of the parts one after the
    other.
    """

    ACTS = "acts"
    EVENT_COUNT = "event_count"
    TEMPORAL = "temporal"
    TEMPORAL_ORDERED = "temporal_ordered"
    VALUE_COUNT = "value_count"
    VALUE_SUM = "value_sum"


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of act.

    Attributes:
        condition: which acts.
        by: columns whose values must be the same; acts that lack one belong to nothing. As many in every part.
        value: the column that is counted or summed.
    """

    condition: Condition
    by: tuple[str, ...]
    value: str = ""


@dataclass(frozen=True, slots=True)
class Correlation:
    """What is sought.

    Attributes:
        kind: how acts belong together.
        parts: in their order.
        at_least: how many.
        within: the stretch, both ends included.
    """

    kind: CorrelationKind
    parts: tuple[Part, ...]
    at_least: int
    within: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        """See that it names columns, and what they can be counted by."""
        values: Mapping[CorrelationKind, tuple[Kind, ...]] = {
            CorrelationKind.VALUE_COUNT: (Kind.TEXT, Kind.IDS, Kind.COUNT),
            CorrelationKind.VALUE_SUM: (Kind.COUNT,),
        }
        wanted = values.get(self.kind)
        for part in self.parts:
            if not all(column == WHO or KINDS.get(column) in {Kind.TEXT, Kind.IDS} for column in part.by):
                raise ValueError(f"cannot be grouped by: {part.by}")
            if wanted is not None and KINDS.get(part.value) not in wanted:
                raise ValueError(f"no value to count: {part.value!r}")
        if len({len(part.by) for part in self.parts}) != 1 or self.at_least < 1:
            raise ValueError("parts are grouped by as many columns, and at least one is sought")


@dataclass(frozen=True, slots=True)
class Match:
    """Where what was sought is found.

    Attributes:
        key: the group, as the engine writes it.
        group: its values.
        strength: the most at any moment; for an order, how often it was complete.
        first: when it was first so.
        last: when it was last so.
    """

    key: str
    group: tuple[str, ...]
    strength: int
    first: datetime
    last: datetime
