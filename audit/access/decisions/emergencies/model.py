"""Emergencies as values, and what they need of others."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from audit.access.decisions.model import BreakGlass, LiveSession
from audit.context import Post

__all__ = ["Alarm", "Emergency", "Envelope", "EnvelopeState", "SealedCredential", "Surroundings", "Verdict"]


class Verdict(StrEnum):
    """What a review found."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """A declared emergency and its review. `review_due`: the business day by whose end it must be reviewed."""

    declared: BreakGlass
    review_due: date
    verdict: Verdict | None = None
    reviewed_by: str = ""
    reviewed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCredential:
    """A credential for the envelope: shown once, good once. `id` is written on the envelope, `code` inside."""

    id: str
    code: str = field(repr=False)
    expires_at: datetime


class EnvelopeState(StrEnum):
    """Where an envelope stands."""

    ASKED = "asked"
    SEALED = "sealed"
    OPENED = "opened"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A sealed credential as it is listed, or somebody's wish for one; never its code.

    Attributes:
        asked_by: the first of the two people.
        confirmed_by: the second; empty while it is only asked for.
        opened_by: who used it; empty for nobody.
    """

    id: str
    state: EnvelopeState
    asked_by: str
    asked_at: datetime
    confirmed_by: str = ""
    expires_at: datetime | None = None
    opened_by: str = ""
    opened_at: datetime | None = None


class Surroundings(Protocol):
    """What is known about the person who declares."""

    def live_session(self, login_id: str) -> LiveSession | None:
        """The person's live session."""

    def post_at(self, staff_id: str, at: datetime) -> Post | None:
        """The post held at a moment."""

    def same_natural_person(self, one: str, other: str) -> bool:
        """Whether two staff ids are one person's."""

    def closed(self, org_unit: str, day: date) -> str:
        """Why a unit is closed on a day; empty when it is open."""


class Alarm(Protocol):
    """Tells those who watch."""

    def alert(self, emergency: Emergency, event_id: str) -> None:
        """Make it known at once, with the event that tells of it; raise when that fails: then there is no emergency."""
