"""A lease: the right to do one kind of work, with a number that only ever grows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["FencedError", "Lease", "Step"]


class FencedError(Exception):
    """The work was handed to another node while this one was away: nothing that it still holds may be kept."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that was given.

    Attributes:
        name: of the work.
        holder: the node that has it.
        token: higher than that of every lease of this name before.
    """

    name: str
    holder: str
    token: int


@dataclass(frozen=True, slots=True)
class Step:
    """A clock that did not go on as time did.

    Attributes:
        before: what it said at the last reading.
        after: what it says now.
        by: how far it was set; negative when it was set back.
    """

    before: datetime
    after: datetime
    by: timedelta
