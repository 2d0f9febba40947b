"""The words the simulated town is described in: sections, people, residents, cases, rows of the timetable.

All of it is plain values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

__all__ = ["Approval", "CalendarRow", "Case", "Line", "Person", "Resident", "RosterRow", "Section"]

_EARLY, _LATE = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of casework of a section.

    Attributes:
        kind: as in the cases feed.
        source: the system it is handled in.
        weight: its share of the section's new cases.
        days: shortest and longest life in days; zero is the same hour.
        visits: fewest and most later days on which somebody works on it.
        family: how often the rest of the household is looked at too.
        also: systems looked into besides, with how often.
        changes: how often it ends in a change of the record.
        prints: how often something is handed out or sent.
        asks: how often another body is asked over the intermediate server.
        standing: how often work on it is on a case that has been open for long (arrears, care).
        months: the months in which twice as many come.
    """

    kind: str
    source: str
    weight: float
    days: tuple[int, int] = (0, 0)
    visits: tuple[int, int] = (0, 0)
    family: float = 0.3
    also: Mapping[str, float] | None = None
    changes: float = 0.12
    prints: float = 0.15
    asks: float = 0.0
    standing: float = 0.0
    months: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Section:
    """A unit of the town hall.

    Attributes:
        unit: its path in the organisation, as in the staff feed.
        name: its Japanese name, as old systems print it.
        share: its weight when staff are hired.
        looks: the range its members' usual distinct look-ups in a day are drawn from; zero for technicians.
        systems: the systems its members use, with weights; the heaviest is its main system.
        lines: its kinds of casework; none for technicians.
        role: what its members are in the systems.
    """

    unit: str
    name: str
    share: float
    looks: tuple[int, int]
    systems: Mapping[str, float]
    lines: tuple[Line, ...] = ()
    role: str = "clerk"

    @property
    def main_system(self) -> str:
        """The system its members use most."""
        return max(self.systems, key=lambda system: self.systems[system])


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a post. Whoever is transferred is two of these with one id, as in the staff feed.

    Attributes:
        id: staff id, the same in every system.
        section: where they work.
        post: their post in Japanese.
        employment: as in the staff feed.
        manager: staff id of the superior, empty for the head.
        terminal: the terminal on their desk.
        address: its address.
        pace: usual distinct look-ups in a full day.
        factors: what they sign in with where the system asks for two factors.
        since: first day in the post.
        until: last day in the post, where it ends.
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

    @property
    def unit(self) -> str:
        """The unit of the post."""
        return self.section.unit

    def holds(self, day: date) -> bool:
        """Whether the post is held on a day."""
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Resident:
    """A resident, by pseudonyms only.

    Attributes:
        id: ten digits, as a 宛名番号 often is and never twelve.
        household: key of the household.
        address: key of the lot or building; several households may share it.
        name: key of the surname.
        former_name: key of an earlier surname (married or divorced).
        flags: of `protected`, `vip`, `staff`, `deceased`.
    """

    id: str
    household: str
    address: str
    name: str
    former_name: str = ""
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the cases feed.

    Attributes:
        id: its number.
        source: the system it is kept in.
        subject: whom it is about.
        unit: who handles it.
        assignee: staff id.
        kind: reception, application, notice, arrears, visit, call or inquiry.
        opened: when it was entered; the work may have begun up to a day before.
        closed: when it was closed, if it was.
    """

    id: str
    source: str
    subject: str
    unit: str
    assignee: str
    kind: str
    opened: datetime
    closed: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Whether it accounts for look-ups at a moment, by the rule of the contract (DESIGN 4.4)."""
        return self.opened - _EARLY <= at and (self.closed is None or at <= self.closed + _LATE)


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
    """One row of the approvals feed."""

    id: str
    person: str
    approved_by: str
    source: str
    start: datetime
    end: datetime
    note: str
    max_rows: int | None = None
    kind: str = "time_window"
    medium: str = ""
