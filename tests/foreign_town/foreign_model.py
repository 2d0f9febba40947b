"""The town as it grows: its people, what they did, and what of it was wrong. Everything else in this folder adds to it.

Times are seconds since 1970; days count from the town's first day, in Asia/Tokyo.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import jpholiday
from foreign_styles import Section, Style

__all__ = ["DAY", "HOUR", "MINUTE", "TOKYO", "Act", "Label", "Person", "Post", "Resident", "Ticket", "Town"]

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
TOKYO = timezone(timedelta(hours=9))


@dataclass(slots=True)
class Resident:
    """One resident, by number."""

    number: int
    household: int
    address: str
    name: int
    born: int
    former: int = 0
    flags: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Post:
    """One post; the last day is included."""

    unit: str
    first: int | None = None
    last: int | None = None


@dataclass(slots=True)
class Person:
    """One user. `asleep`: the days on which the account, though valid, is not used."""

    id: str
    posts: list[Post]
    employment: str
    role: str
    desk: str
    site: str
    pace: float = 1.0
    manager: str = ""
    resident: Resident | None = None
    asleep: frozenset[int] = frozenset()
    surname: int = 0
    second_desk: tuple[int, str] | None = None

    def desk_on(self, day: int) -> str:
        """The person's terminal on a day: a transfer brings another."""
        if self.second_desk is not None and day >= self.second_desk[0]:
            return self.second_desk[1]
        return self.desk

    def unit(self, day: int) -> str:
        """Where the person works on a day; empty before and after."""
        for post in self.posts:
            if (post.first is None or post.first <= day) and (post.last is None or day <= post.last):
                return post.unit
        return ""


@dataclass(slots=True)
class Ticket:
    """Casework about one resident's household."""

    id: str
    source: str
    resident: Resident
    unit: str
    assignee: str
    kind: str
    opened: float
    closed: float | None


@dataclass(slots=True, eq=False)
class Act:
    """One event: when it happened, when it was written, and what is said of it."""

    at: float
    written: float
    source: str
    doc: dict[str, Any]
    id: str = ""
    lost: bool = False
    gone: bool = False


@dataclass(slots=True)
class Label:
    """One incident, or one trap: something unusual that is in order. `sources`: the logs that it is about, if any."""

    kind: str
    trap: bool
    acts: list[Act]
    actors: list[str]
    subjects: list[str]
    source: str
    hard: bool
    start: float
    end: float
    sources: list[str]


class Town:
    """Everything of one town, written by nobody but the modules of this folder, in a fixed order."""

    def __init__(self, seed: int, style: Style, staff: int, days: int, start: date) -> None:
        self.rng = random.Random(f"{seed}/{style.name}/{staff}/{days}/{start}")  # noqa: S311 - a lab wants seeds
        self.style, self.size, self.days, self.start = style, staff, days, start
        self.zero = datetime(start.year, start.month, start.day, tzinfo=TOKYO).timestamp()
        self.people: dict[str, Person] = {}
        self.residents: list[Resident] = []
        self.households: dict[int, list[Resident]] = defaultdict(list)
        self.lots: dict[str, list[int]] = defaultdict(list)
        self.named: dict[int, list[Resident]] = defaultdict(list)
        self.acts: list[Act] = []
        self.tickets: list[Ticket] = []
        self.by_household: dict[int, list[Ticket]] = defaultdict(list)
        self.labels: list[Label] = []
        self.duty: dict[tuple[str, int], tuple[float, float]] = {}
        self.feeds: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.sections = {team: section for section in style.sections for team in (section.unit, *section.teams)}
        self.booked: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._serial: dict[str, int] = defaultdict(int)
        self._addresses: dict[str, str] = {}

    # Time

    def on(self, day: int) -> date:
        """The date of a day."""
        return self.start + timedelta(days=day)

    def when(self, day: int, hour: float) -> float:
        """A moment of a day, by its hour."""
        return self.zero + day * DAY + hour * HOUR

    def day_of(self, at: float) -> int:
        """The day of a moment."""
        return int((at - self.zero) // DAY)

    def stamp(self, at: float, *, utc: bool = False) -> str:
        """A moment as it is written."""
        return datetime.fromtimestamp(at, UTC if utc else TOKYO).isoformat(timespec="milliseconds")

    def local(self, at: float) -> str:
        """A moment as feeds write it."""
        return datetime.fromtimestamp(at, TOKYO).isoformat(timespec="minutes")

    def closed(self, day: int) -> bool:
        """Whether the town hall is closed by law."""
        on = self.on(day)
        return on.weekday() >= 5 or jpholiday.is_holiday(on) or (on.month, on.day) in _YEARS_END

    def workdays(self) -> list[int]:
        """The days on which the town hall is open."""
        return [day for day in range(self.days) if not self.closed(day)]

    # People and keys

    def subject(self, resident: Resident) -> str:
        """A resident's key."""
        return self.style.subject_id.format(resident.number)

    def serial(self, name: str) -> int:
        """The next number of a series, from 1."""
        self._serial[name] += 1
        return self._serial[name]

    def section(self, person: Person, day: int) -> Section | None:
        """Where a person works on a day."""
        return self.sections.get(person.unit(day))

    def family(self, resident: Resident) -> list[Resident]:
        """The others of the household."""
        return [other for other in self.households[resident.household] if other is not resident]

    def tied(self, person: Person, resident: Resident) -> bool:
        """Whether a resident is the person's own household, or related by a former name."""
        own = person.resident
        return own is not None and (
            own.household == resident.household or bool(resident.former and resident.former == own.name)
        )

    def covered(self, unit: str, household: int, at: float) -> bool:
        """Whether casework of a unit, of one above it or of one below it accounts for a look-up, with days to spare."""
        return any(
            _kin(ticket.unit, unit)
            and ticket.opened - 2 * DAY <= at
            and (ticket.closed is None or at <= ticket.closed + 9 * DAY)
            for ticket in self.by_household[household]
        )

    # What happens

    def ticket(self, person: Person, resident: Resident, source: str, kind: str, opened: float, lasts: float) -> Ticket:
        """Open casework. It bears the section's unit; what lasts beyond the town's days is still open."""
        style = self.style
        about = self.households[resident.household][0] if style.household_cases else resident
        section = self.sections[person.unit(self.day_of(opened)) or person.posts[0].unit]
        number = self.serial("case")
        name = style.case_id.format(
            self.on(self.day_of(opened)).strftime("%m" if style.name != "city" else "%y"), number
        )
        closed = opened + lasts
        ended = closed if closed < self.when(self.days, 0) else None
        found = Ticket(name, source, about, section.unit, person.id, style.words[kind], opened, ended)
        self.tickets.append(found)
        self.by_household[about.household].append(found)
        return found

    def act(
        self,
        person: Person | None,
        at: float,
        source: str,
        activity: str,
        subjects: Iterable[Resident] = (),
        **more: Any,
    ) -> Act:
        """Something is done, and logged.

        Args:
            person: who; None for a job.
            at: when.
            source: in which system.
            activity: a word of the contract's vocabulary.
            subjects: about whom.
            more: further fields of the contract; `terminal` may be a terminal's id, `written` when it was written.
        """
        style, shown = self.style, self.style.shown
        doc: dict[str, Any] = {"activity": activity, "outcome": more.pop("outcome", "success")}
        written = more.pop("written", 0.0) or at + self.rng.random() * 2
        terminal = more.pop("terminal", "") or (person.desk_on(self.day_of(at)) if person else "")
        if person is None:
            doc["actor"] = {"kind": "system"}
        else:
            actor: dict[str, Any] = {"id": person.id}
            if "unit" in shown:
                actor["org_unit"] = person.unit(self.day_of(at)) or person.posts[-1].unit
            if "role" in shown:
                actor["role"] = person.role
            if "kind" in shown:
                actor["kind"] = "contractor" if person.employment == "contractor" else "staff"
            doc["actor"] = actor
        if terminal:
            doc["terminal"] = {"id": terminal}
            if "ip" in shown:
                doc["terminal"]["ip"] = self.address(terminal)
        keys = [self.subject(one) for one in subjects]
        if keys:
            doc["subjects"] = keys
        doc.update({name: value for name, value in more.items() if value not in (None, "")})
        if "reason" not in shown:
            doc.pop("reason", None)
        if source not in style.stamped:
            written = at if written < at + HOUR else written
        found = Act(at, written, source, doc)
        self.acts.append(found)
        return found

    def address(self, terminal: str) -> str:
        """A terminal's address, by its number."""
        if terminal not in self._addresses:
            number = int("".join(filter(str.isdigit, terminal)) or "9")
            network = 7 if terminal[0] in "TPW" else 99
            self._addresses[terminal] = f"10.{network}.{number // 200 % 250}.{number % 200 + 10}"
        return self._addresses[terminal]

    def factors(self, source: str, at: float) -> list[str]:
        """What a sign-in to a source proves itself with, by the policy of the day."""
        require = "password"
        for first, asked in self.style.policies.get(source, ()):
            if self.day_of(at) >= first:
                require = asked
        return require.split("|")[0].split("+")

    def sign_in(self, person: Person, at: float, source: str, terminal: str = "", **more: Any) -> Act:
        """A sign-in as the policy asks."""
        more.setdefault("auth", {"factors": self.factors(source, at)})
        return self.act(person, at, source, "login", terminal=terminal, **more)

    def look(
        self, person: Person, at: float, source: str, resident: Resident, activity: str = "view", **more: Any
    ) -> Act:
        """A look-up of one resident, or of the household where screens show all of it."""
        shown = [resident]
        if self.style.household_views and activity == "view" and source in {"resident-register", "nhi-core"}:
            shown += self.family(resident)
        return self.act(person, at, source, activity, shown, **more)

    # What was wrong, or only seemed so

    def label(
        self,
        kind: str,
        acts: list[Act],
        *,
        actors: Iterable[Person] = (),
        subjects: Iterable[Resident] = (),
        source: str = "",
        partner: str = "",
        hard: bool = False,
        trap: bool = False,
        span: tuple[float, float] | None = None,
    ) -> None:
        """Say what a set of acts was.

        Args:
            kind: the kind of incident or trap.
            acts: all of them.
            actors: who acted.
            subjects: about whom.
            source: the log that it is about, where it is about one.
            partner: the other log of a linkage.
            hard: whether it hides in everyday work.
            trap: whether it is in order.
            span: from when to when, where the acts do not say.
        """
        people = list(dict.fromkeys(person.id for person in actors))
        about = list(dict.fromkeys(self.subject(one) for one in subjects))
        start, end = span or (min(act.at for act in acts), max(act.at for act in acts))
        named = source or max({act.source for act in acts}, key=[act.source for act in acts].count, default="")
        self.labels.append(
            Label(kind, trap, acts, people, about, named, hard, start, end, [one for one in (source, partner) if one])
        )
        for one in people:
            self.booked[one].append((start, end))

    def free(self, person: Person, start: float, end: float) -> bool:
        """Whether nothing labelled is about a person in or near a span."""
        return all(end + 4 * DAY < first or last + 4 * DAY < start for first, last in self.booked[person.id])

    def choose(self, start: float, end: float, fits: Callable[[Person], bool]) -> Person | None:
        """Somebody about whom nothing is labelled then, or nobody."""
        found = sorted(one.id for one in self.people.values() if fits(one) and self.free(one, start, end))
        return self.people[self.rng.choice(found)] if found else None


_YEARS_END = {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}


def _kin(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
