"""The words for what is done in the town: acts, planned work, stories and their labels.

All of it is plain values. An act is what a person did, before any system wrote it down in its own way; the
writers turn the same acts into different logs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from detectors.lab.model import Case, Person

__all__ = ["Act", "Chore", "Counterparty", "Errand", "Export", "Label", "Story", "Target", "Touch"]


@dataclass(frozen=True, slots=True)
class Export:
    """What an export, print, upload or medium carried: the contract's `export`."""

    rows: int = 0
    file: str = ""
    sha256: str = ""
    destination: str = ""
    medium: str = ""
    approval: str = ""


@dataclass(frozen=True, slots=True)
class Counterparty:
    """The other side of an inquiry, provision or transfer: the contract's `counterparty`."""

    body: str
    system: str = ""
    permit: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom or what a grant, revocation or reset is about: the contract's `target`."""

    id: str
    affair: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done in one system.

    Attributes:
        at: when, in Asia/Tokyo.
        system: source id of the system that will write it down.
        actor: staff id, service account or whatever an intruder typed.
        activity: from the closed vocabulary of the event contract.
        terminal: terminal id, empty where the system sees addresses only.
        address: where it came from.
        session: joins the acts between one sign-in and its sign-out.
        person: the post held by the actor, None for service accounts and intruders.
        outcome: from the event contract.
        subjects: the residents whose records were seen or changed.
        case: the case that made it necessary; written only by systems that record one.
        cause: what a look-up really came from: a case, an approval, `noise`, or nothing but somebody's will.
            It is never written down.
        plot: id of the story that planted it. It is never written down.
        by: what a search was made by.
        hits: what a search found, or rows that a statement touched.
        detail: the command or statement, for systems that log those; else the system's own word for the act.
        factors: what a sign-in was made with, where it is not what the system asks for.
        export: what went out.
        counterparty: the other body.
        target: whom or what it is about.
        recorded: when it was written down, where that is not at once.
    """

    at: datetime
    system: str
    actor: str
    activity: str
    terminal: str
    address: str
    session: str
    person: Person | None = None
    outcome: str = "success"
    subjects: tuple[str, ...] = ()
    case: str = ""
    cause: str = ""
    plot: str = ""
    by: str = ""
    hits: int = 0
    detail: str = ""
    factors: tuple[str, ...] | None = None
    export: Export | None = None
    counterparty: Counterparty | None = None
    target: Target | None = None
    recorded: datetime | None = None

    @property
    def written(self) -> datetime:
        """When it was written down: the order of a log."""
        return self.recorded or self.at


@dataclass(frozen=True, slots=True)
class Errand:
    """Acts that take the place of a person's ordinary work while they last."""

    person: str
    acts: tuple[Act, ...]

    @property
    def start(self) -> datetime:
        """When it begins."""
        return self.acts[0].at

    @property
    def end(self) -> datetime:
        """When it ends."""
        return self.acts[-1].at


@dataclass(frozen=True, slots=True)
class Touch:
    """One piece of planned casework: somebody works on a case on a day.

    Attributes:
        at: when, as a share of that day's working time.
        case: the case.
        seen: the residents looked at, the case's subject first.
        systems: where, the case's own system first.
        changes: whether the record is changed.
        prints: whether something is handed out.
        asks: whether another body is asked.
    """

    at: float
    case: Case
    seen: tuple[str, ...]
    systems: tuple[str, ...]
    changes: bool = False
    prints: bool = False
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Chore:
    """Acts that are done in the course of an ordinary day, within an ordinary session.

    Attributes:
        at: when, as a share of that day's working time.
        system: where.
        steps: activities with the further fields of their acts.
        plot: id of the story that planted it.
    """

    at: float
    system: str
    steps: tuple[tuple[str, Mapping[str, Any]], ...]
    plot: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """What a plot planted, before the town has lived it.

    Attributes:
        kind: the plot's name.
        actors: who did it; empty for what happens to a source.
        source: the system where it shows first.
        start: no act of it lies before.
        end: no act of it lies after.
        ja: what happened, in Japanese.
        en: the same in English.
        detectors: those expected to fire; none for a benign trap.
        tempts: for a trap, the detectors it tempts.
        hard: whether a person would have to look closely.
    """

    kind: str
    actors: tuple[str, ...]
    source: str
    start: datetime
    end: datetime
    ja: str
    en: str
    detectors: tuple[str, ...] = ()
    tempts: tuple[str, ...] = ()
    hard: bool = False

    @property
    def trap(self) -> bool:
        """Whether it looks wrong and is right."""
        return not self.detectors


@dataclass(frozen=True, slots=True)
class Label:
    """A story settled against what was really written: who acted, from when to when, on whom.

    Attributes:
        id: its id.
        story: what was planted.
        actors: who acted.
        sources: where it was written down.
        first: the first act.
        last: the last act.
        subjects: whom it was about.
        looks: its look-ups as (day, actor, source, resident): those that no casework accounts for.
    """

    id: str
    story: Story
    actors: tuple[str, ...]
    sources: tuple[str, ...]
    first: datetime
    last: datetime
    subjects: tuple[str, ...]
    looks: tuple[tuple[date, str, str, str], ...] = ()
