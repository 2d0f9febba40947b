"""The words the simulated town is described in: people, acts, timetable rows, stories and labels.

All of it is plain values. An act is what a person did, before any system wrote it down in its own way; the
writers turn the same acts into five different logs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

__all__ = ["Act", "Approval", "CalendarRow", "Errand", "Label", "Person", "RosterRow", "Section", "Story"]


@dataclass(frozen=True, slots=True)
class Section:
    """A unit of the town hall.

    Attributes:
        unit: its path in the organisation, as in the staff feed.
        name: its Japanese name, as old systems print it.
        share: its weight when staff are hired.
        looks: the range its members' usual distinct look-ups in a day are drawn from; zero for technicians.
        systems: the systems its members use, with weights; the heaviest is its main system.
        role: what its members are in the systems.
    """

    unit: str
    name: str
    share: float
    looks: tuple[int, int]
    systems: Mapping[str, float]
    role: str = "clerk"

    @property
    def main_system(self) -> str:
        """The system its members use most."""
        return max(self.systems, key=lambda system: self.systems[system])


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account.

    Attributes:
        id: staff id, the same in every system.
        section: where they work.
        post: their post in Japanese.
        employment: as in the staff feed.
        manager: staff id of the superior, empty for the head.
        terminal: the terminal on their desk.
        address: its address.
        pace: usual distinct look-ups in a full day.
        factors: what they sign in with.
        since: first day in the post.
        until: last day in the post, where the employment ends.
        resident: their own number as a resident, if they live in the town.
    """

    id: str
    section: Section
    post: str
    employment: str
    manager: str
    terminal: str
    address: str
    pace: float
    factors: tuple[str, ...]
    since: date
    until: date | None = None
    resident: str = ""

    @property
    def name(self) -> str:
        """A neutral name: the town has no people to protect, and none to invent."""
        return f"係員{self.id[1:]}"

    @property
    def kana(self) -> str:
        """The reading of the name."""
        return f"カカリイン{self.id[1:]}"

    @property
    def kind(self) -> str:
        """The actor kind of the event contract."""
        return "contractor" if self.employment == "contractor" else "staff"


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
        outcome: from the event contract.
        subjects: the residents whose records were seen or changed.
        case: the case that made it necessary, if the system records one.
        by: what a search was made by.
        hits: what a search found, or rows that a statement touched.
        detail: the command or statement, for systems that log those.
    """

    at: datetime
    system: str
    actor: str
    activity: str
    terminal: str
    address: str
    session: str
    outcome: str = "success"
    subjects: tuple[str, ...] = ()
    case: str = ""
    by: str = ""
    hits: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One row of the roster feed."""

    person: str
    start: datetime
    end: datetime
    kind: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """One row of the calendar feed; an empty unit means everyone."""

    day: date
    unit: str
    kind: str
    opens: str
    closes: str
    note: str


@dataclass(frozen=True, slots=True)
class Approval:
    """One row of the approvals feed, always of kind `time_window`."""

    id: str
    person: str
    approved_by: str
    source: str
    start: datetime
    end: datetime
    note: str
    max_rows: int | None = None


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
class Story:
    """What a plot planted, before the town has lived it.

    Attributes:
        kind: the plot's name.
        actors: who did it.
        source: the system where it shows.
        start: no act of it lies before.
        end: no act of it lies after.
        ja: what happened, in Japanese.
        en: the same in English.
        detectors: those expected to fire; none for a benign trap.
        tempts: for a trap, the detectors it tempts.
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

    @property
    def trap(self) -> bool:
        """Whether it looks wrong and is right."""
        return not self.detectors


@dataclass(frozen=True, slots=True)
class Label:
    """A story settled against what was really written: who acted, from when to when, on whom."""

    id: str
    story: Story
    actors: tuple[str, ...]
    first: datetime
    last: datetime
    subjects: tuple[str, ...]
