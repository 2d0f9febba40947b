"""Tuning as values: exceptions, parameter changes, and the previews without which nobody proposes either.

Days are business days (Asia/Tokyo): a finding belongs to the day on which its window begins.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from audit.clock import tokyo_date

__all__ = [
    "EVERY",
    "Catalogue",
    "Change",
    "ChangeState",
    "ExceptionTerms",
    "Kind",
    "ParameterTerms",
    "Preview",
    "PreviewState",
    "Scope",
    "Surroundings",
    "Terms",
    "terms_of",
]

EVERY = "*"
"""In the place of a detector: every one, except those that can only be excepted by their own name."""


class Kind(StrEnum):
    """What is changed."""

    EXCEPTION = "exception"
    PARAMETERS = "parameters"


class ChangeState(StrEnum):
    """Where a change stands."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    REPLACED = "replaced"
    ENDED = "ended"
    DROPPED = "dropped"
    OVER = "over"


class PreviewState(StrEnum):
    """Where a preview stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Scope:
    """What an exception is restricted to; an empty part restricts nothing.

    Attributes:
        actors: staff ids; every actor of a finding must be among them.
        units: organisational units, with those below them; every actor must belong to one.
        sources: systems; that of the finding and of each event named must be among them.
        subjects: pseudonymous keys of residents; every one that the finding names must be among them.
        weekdays: 0 for Monday, of the finding's business day.
        hours: 0 to 23, Asia/Tokyo; every event of the finding must lie within them.
    """

    actors: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()

    @property
    def restricts(self) -> bool:
        """Whether it leaves anything out."""
        return any(asdict(self).values())


@dataclass(frozen=True, slots=True)
class ExceptionTerms:
    """An exception as proposed.

    Attributes:
        detector: its id, or `EVERY`.
        scope: what of its findings.
        owner: the staff id of who answers for it.
        first: the first business day, never before the day of its confirmation.
        last: the last one.
    """

    detector: str
    scope: Scope
    owner: str
    first: date
    last: date

    def to_doc(self) -> dict[str, Any]:
        """As JSON."""
        scope = {name: list(values) for name, values in asdict(self.scope).items() if values}
        return {
            "detector": self.detector,
            "scope": scope,
            "owner": self.owner,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class ParameterTerms:
    """A change of a detector's parameters as proposed.

    Attributes:
        detector: its id.
        values: every parameter that is to differ from the detector's own default; none to go back to all of them.
        before: those that differed when it was proposed.
    """

    detector: str
    values: Mapping[str, Any]
    before: Mapping[str, Any] = field(default_factory=dict)

    def to_doc(self) -> dict[str, Any]:
        """As JSON."""
        return {"detector": self.detector, "values": dict(self.values), "before": dict(self.before)}


Terms = ExceptionTerms | ParameterTerms


def terms_of(kind: Kind, doc: Mapping[str, Any]) -> Terms:
    """Terms from their JSON."""
    if kind is Kind.PARAMETERS:
        return ParameterTerms(doc["detector"], doc["values"], doc["before"])
    return ExceptionTerms(
        doc["detector"],
        Scope(**{name: tuple(values) for name, values in doc["scope"].items()}),
        doc["owner"],
        date.fromisoformat(doc["first"]),
        date.fromisoformat(doc["last"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A proposal and what became of it; never deleted.

    Attributes:
        preview: the preview that it was proposed with, by its id.
        digest: that preview's digest.
        expires_at: when a proposal that nobody confirms is over.
    """

    id: str
    terms: Terms
    reason: str
    ticket: str
    preview: str
    digest: str
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    ended_by: str = ""
    ended_at: datetime | None = None
    replaced_at: datetime | None = None

    @property
    def kind(self) -> Kind:
        """What is changed."""
        return Kind.EXCEPTION if isinstance(self.terms, ExceptionTerms) else Kind.PARAMETERS

    @property
    def parties(self) -> tuple[str, ...]:
        """Everybody who answers for it."""
        owner = (self.terms.owner,) if isinstance(self.terms, ExceptionTerms) else ()
        return tuple(dict.fromkeys(one for one in (self.proposed_by, self.confirmed_by, *owner) if one))

    def span(self) -> tuple[date, date] | None:
        """The first and the last business day that a confirmed exception covers; None where it covers none."""
        if not isinstance(self.terms, ExceptionTerms) or self.confirmed_at is None:
            return None
        first, last = max(self.terms.first, tokyo_date(self.confirmed_at)), self.terms.last
        if self.ended_at is not None:  # the day on which it is ended is judged without it
            last = min(last, date.fromordinal(tokyo_date(self.ended_at).toordinal() - 1))
        return (first, last) if first <= last else None

    def state(self, now: datetime) -> ChangeState:
        """Where it stands at a moment."""
        if self.confirmed_at is None:
            if self.ended_at is not None:
                return ChangeState.DROPPED
            return ChangeState.PROPOSED if now < self.expires_at else ChangeState.OVER
        if self.ended_at is not None:
            return ChangeState.ENDED
        if self.replaced_at is not None:
            return ChangeState.REPLACED
        if isinstance(self.terms, ExceptionTerms) and tokyo_date(now) > self.terms.last:
            return ChangeState.OVER
        return ChangeState.IN_FORCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a change would have done to the past.

    Attributes:
        first: the first business day of the past that is looked at.
        last: the last one.
        done: how much of `total` is done; what is counted depends on the kind.
        document: its result; empty while it waits and runs.
        digest: of the document, with the terms in it.
    """

    id: str
    terms: Terms
    first: date
    last: date
    state: PreviewState
    done: int
    total: int
    made_by: str
    made_at: datetime
    document: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""


class Catalogue(Protocol):
    """The detectors as tuning needs them."""

    def names(self) -> Collection[str]:
        """The ids of those that judge windows: what the installation tells of itself cannot be excepted."""

    @property
    def guarded(self) -> Collection[str]:
        """Those that `EVERY` leaves alone: they tell of traces that were wiped out or cannot be trusted."""

    def checked(self, detector: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values that differ from the detector's defaults.

        Raises:
            ValueError: it does not take them.
        """


class Surroundings(Protocol):
    """What is asked about people and events."""

    def same_natural_person(self, one: str, other: str) -> bool:
        """Whether two staff ids are one person's."""

    def holds_post(self, staff_id: str, at: datetime) -> bool:
        """Whether somebody holds a post; whoever the directory does not know holds none."""

    def may_tune(self, staff_id: str) -> bool:
        """Whether somebody tunes detectors, now."""

    def units_of(self, staff_id: str, at: datetime) -> Collection[str]:
        """The unit of a person at a moment, and those above it; empty where it is not known."""

    def holds_events(self) -> bool:
        """Whether the log holds events of the town's systems, not our own alone."""

    def times_of(self, refs: Sequence[str]) -> Sequence[datetime]:
        """When the events of some references took place, as far as they are found."""
