"""Approvals and media as values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from audit.context import Post

__all__ = ["ApprovalKind", "ApprovalState", "Entry", "Medium", "MediumState", "People", "Wanted"]


class ApprovalKind(StrEnum):
    """What an approval is for. `second_person`: a look at protected residents, approved before it."""

    EXPORT = "export"
    MAINTENANCE = "maintenance"
    MEDIA = "media"
    PRINT = "print"
    SECOND_PERSON = "second_person"
    TIME_WINDOW = "time_window"
    TRANSFER = "transfer"


class ApprovalState(StrEnum):
    """Where a request stands."""

    ASKED = "asked"
    CLOSED = "closed"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class MediumState(StrEnum):
    """Where a medium is. One that was written to and brought back is erased before it is free again."""

    DISPOSED = "disposed"
    OUT = "out"
    RETURNED = "returned"
    STORED = "stored"


class People(Protocol):
    """Who is who, as the directory says (`audit.access.people`)."""

    def post_at(self, staff_id: str, at: datetime) -> Post | None:
        """The post held at a moment."""

    def head_of(self, unit: str, at: datetime) -> str | None:
        """The staff id of a unit's head."""

    def same_natural_person(self, one: str, other: str) -> bool:
        """Whether two staff ids are one person's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for.

    Attributes:
        kind: of what.
        person: whom it is for.
        system: in which system; for a time window empty for every one.
        start: from when.
        end: until when, exclusive.
        reason: why, in the asker's words; masked before it is kept.
        max_rows: the most records of each output; None without limit.
        max_uses: how many outputs; None without limit.
        medium_id: the medium it goes to.
        subjects: the residents that a `second_person` is for.
    """

    kind: ApprovalKind
    person: str
    system: str
    start: datetime
    end: datetime
    reason: str
    max_rows: int | None = None
    max_uses: int | None = None
    medium_id: str = ""
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A request and what became of it."""

    id: str
    wanted: Wanted
    state: ApprovalState
    asked_by: str
    asked_at: datetime
    settled_by: str
    settled_at: datetime | None
    uses: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """A registered medium, and who has it."""

    id: str
    kind: str
    state: MediumState
    holder: str
    since: datetime
