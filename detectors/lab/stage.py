"""Where plots are prepared: the town before its month begins. This docstring is the plots' vocabulary.

A plot is a function `plot(stage) -> Story | None`. It casts people, changes timetable, people, approvals and cases,
plants acts, and returns the story it told; None where the town is too small or the span too short. It runs before
ordinary days are lived, so that ordinary work arranges itself around what was planted. Nobody is cast twice: a case
that mixes two stories could not be scored.

**Who and when.** `cast(*units, days=, history=, follows=, fits=)` gives a person and a day; `take(people)` keeps people
out of other plots; `post(id, day)` is the post somebody holds; `colleagues_of(person, day)`; `movers()` are the
transfers of the span as (old post, new post); `leavers()` those whose post ends within it; `technicians()`;
`contractors()`; `working_days()`.

**Whom.** `stranger(person, day)` has no relation to the person and no case near that day; `strangers(count, person,
day)` are unconnected residents without a case of the person's unit near; `client_of(person, day)` has a real case that
the person works on that day; `household_of`, `neighbours_of`, `namesakes_of`, `former_family_of` a person (empty where
the person lives elsewhere); `protected()`, `celebrity()`; `uninvolved(residents, day, until=, unit=)` keeps those
without a case near.

**What is done.** *In the course of an ordinary day*, between real work and in its sessions:
`slip(person, day, *subjects)` (look-ups), `chore(person, day, system, *steps)` (anything else), `ledger(person, day,
medium, rows)`, `work_on(person, day, case)` (honest work on a case). *In a session of its own*: a `seat(person, system,
day)`, then `look(seat, moment, *subjects)`, `sign_in(seat, moment, failures=)`, `seat.act(moment, activity, ...)` with
any field of `Act` (`export=Export(...)`, `target=Target(...)`, `counterparty=Counterparty(...)`, `factors=(...)`),
and `plant(person_id, acts)`; `session(seat, start, acts)` puts sign-in and sign-out around acts; `visit(seat, start,
looks=|subjects=, gap=)` does all of it. `batch(system, moment, activity, ...)` is done by a machine.
Acts that a plot plants are marked as its own by `simulate`, and its label is settled from them; a plot that plants
none (a busy week) is settled from all acts of its actors in its source between its start and end.

**What the feeds say.** `approve(person, source, start, end, note, kind=, max_rows=, medium=)`; `case(person, subject,
day)` enters a case; `leave(person, day)`; `roster(person, start, end, kind)`; `announce(CalendarRow)`;
`more_work(person, day, factor)`; `retire(person, last_day)` ends a post.

**What befalls a source.** `silence(source, start, end, counted=)`: nothing arrives (`counted`: its numbers run on, so
there is a gap); `skew(source, start, end, by)`: its clock is wrong; `backdated(act, by)`: an act that says it was done
earlier than it was written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from detectors.lab.acts import Act, Chore, Errand, Story, Touch
from detectors.lab.cast import Cast
from detectors.lab.model import Approval, CalendarRow, Case, Person, RosterRow
from detectors.lab.outputs import ledger
from detectors.lab.seat import Seat
from detectors.lab.timetable import at

__all__ = ["HISTORY", "Plot", "Stage", "Trouble"]

HISTORY = 9
"""Working days of usual behaviour that a deviation from one's own past needs before it."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What befalls a source between two moments: silence (`by` is None) or a clock that is wrong by some time."""

    source: str
    start: datetime
    end: datetime
    by: timedelta | None = None
    counted: bool = False


@dataclass(slots=True)
class Stage(Cast):
    """The town before its month begins; the module's docstring says what each word is for.

    Attributes:
        approvals: every row of the approvals feed.
        errands: acts in sessions of their own.
        machines: acts of service accounts.
        troubles: what befalls sources.
        plot: id of the plot that is being planted.
    """

    approvals: list[Approval] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)
    machines: list[Act] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    plot: str = ""

    # What is done

    def seat(
        self, person: Person, system: str, day: date, number: str = "x1", *, terminal_of: Person | None = None
    ) -> Seat:
        """A person's account, at the own terminal or at somebody else's, in a session of its own."""
        return Seat.of(person, system, day, number, terminal_of=terminal_of)

    def chore(
        self,
        person: Person,
        day: date,
        system: str,
        *steps: tuple[str, Mapping[str, Any]],
        spot: float | None = None,
    ) -> None:
        """Something done between ordinary work; `spot` is the share of the working day that has passed by then."""
        when = self.rng.uniform(0.05, 0.95) if spot is None else spot
        self.planner.work.chores[person.id, day].append(Chore(when, system, steps, self.plot))

    def slip(
        self, person: Person, day: date, *subjects: str, system: str = "", by: str = "number", spot: float | None = None
    ) -> None:
        """Look residents up between ordinary work; by name, a search comes first."""
        found: list[tuple[str, Mapping[str, Any]]] = []
        for subject in subjects:
            if by != "number":
                found.append(("search", {"by": by, "hits": self.rng.randint(1, 6)}))
            found.append(("view", {"subjects": (subject,), "by": "number", "hits": 1}))
        self.chore(person, day, system or person.section.main_system, *found, spot=spot)

    def ledger(self, person: Person, day: date, medium: str, rows: int, *, spot: float) -> None:
        """Take a medium out, write to it, give it back and have it erased, around what was exported at a `spot`."""
        self.planner.work.chores[person.id, day] += ledger(spot, medium, rows, plot=self.plot)

    def work_on(self, person: Person, day: date, case: Case, *, family: bool = True) -> None:
        """Work on a case as it should be."""
        seen = (case.subject, *(self.residents.family(case.subject) if family else ()))
        touch = Touch(self.rng.uniform(0.05, 0.95), case, seen, (case.source,))
        self.planner.work.touches[person.id, day].append(touch)

    def look(self, seat: Seat, moment: datetime, *subjects: str, gap: tuple[float, float] = (15, 90)) -> list[Act]:
        """Look residents up one after the other."""
        acts = []
        for subject in subjects:
            acts.append(seat.act(moment, "view", subjects=(subject,), by="number", hits=1))
            moment += timedelta(seconds=self.rng.uniform(*gap))
        return acts

    def sign_in(self, seat: Seat, start: datetime, *, failures: int = 0) -> list[Act]:
        """A sign-in that succeeds after some failures; the last act is the success."""
        acts: list[Act] = []
        for _ in range(failures):
            acts.append(seat.act(start, "login", outcome="failure"))
            start += timedelta(seconds=self.rng.uniform(4, 11))
        return [*acts, seat.act(start, "login")]

    def session(self, seat: Seat, start: datetime, acts: Sequence[Act], *, failures: int = 0) -> list[Act]:
        """Acts with a sign-in before and a sign-out after."""
        end = max((act.at for act in acts), default=start) + timedelta(seconds=self.rng.uniform(3, 40))
        return [*self.sign_in(seat, start, failures=failures), *acts, seat.act(end, "logout")]

    def visit(
        self,
        seat: Seat,
        start: datetime,
        *,
        looks: int = 0,
        subjects: Sequence[str] = (),
        gap: tuple[float, float] = (20, 90),
        failures: int = 0,
        instead: bool = True,
    ) -> Errand:
        """Plant a sign-in, look-ups one after the other, and a sign-out.

        Args:
            seat: whose account, and where.
            start: the first attempt to sign in.
            looks: how many unconnected residents, where none are named.
            subjects: which residents.
            gap: shortest and longest seconds between look-ups.
            failures: failed attempts before the sign-in.
            instead: whether the account's owner does this in place of ordinary work.
        """
        entered = self.sign_in(seat, start, failures=failures)
        first = entered[-1].at + timedelta(seconds=self.rng.uniform(*gap))
        seen = self.look(seat, first, *(subjects or self.strangers(looks, seat.person, start.date())), gap=gap)
        left = (seen or entered)[-1].at + timedelta(seconds=self.rng.uniform(3, 40))
        return self.plant(seat.actor if instead else "", [*entered, *seen, seat.act(left, "logout")])

    def plant(self, person: str, acts: Iterable[Act]) -> Errand:
        """Plant acts in order of time; a named person (by id) does them in place of ordinary work."""
        errand = Errand(person, tuple(replace(act, plot=self.plot) for act in acts))
        self.errands.append(errand)
        return errand

    def batch(self, system: str, moment: datetime, activity: str, *, account: str = "batch", **more: Any) -> None:  # noqa: ANN401 - fields of Act
        """Have a machine do something."""
        act = Seat(system, account, "", "10.9.1.10", "batch").act(moment, activity, **more)
        self.machines.append(replace(act, plot=self.plot))

    # What the feeds say

    def approve(
        self,
        person: Person,
        source: str,
        start: datetime,
        end: datetime,
        note: str,
        *,
        kind: str = "time_window",
        max_rows: int | None = None,
        medium: str = "",
    ) -> Approval:
        """Enter an approval; the superior gives it."""
        number = f"a-{len(self.approvals) + 1:03}"
        given = Approval(number, person.id, self.superior_of(person), source, start, end, note, max_rows, kind, medium)
        self.approvals.append(given)
        return given

    def case(
        self,
        person: Person,
        subject: str,
        day: date,
        *,
        kind: str = "application",
        source: str = "",
        closed: datetime | None = None,
        hour: float = 9.0,
    ) -> Case:
        """Enter a case of a person's unit, assigned to the person, on a day."""
        number = self.planner.work.number()
        opened = at(day, 0) + timedelta(hours=hour)
        where = source or person.section.main_system
        return self.planner.work.enter(Case(number, where, subject, person.unit, person.id, kind, opened, closed))

    def leave(self, person: Person, day: date) -> None:
        """Grant a day of leave."""
        self.roster(person, at(day, 0), at(day, 24), "leave")

    def roster(self, person: Person, start: datetime, end: datetime, kind: str) -> None:
        """Enter a roster row, approved by the superior."""
        self.timetable.decide(RosterRow(person.id, start, end, kind, self.superior_of(person)))

    def announce(self, row: CalendarRow) -> None:
        """Enter a calendar row."""
        self.timetable.announce(row)

    def more_work(self, person: Person, day: date, factor: float) -> None:
        """Bring cases until a person's day holds so many times the usual work."""
        self.planner.fill(person, day, factor=factor, label="/more")

    def retire(self, person: Person, last_day: date) -> Person:
        """End a post; nothing of the ordinary work happens after."""
        ended = replace(person, until=last_day)
        self.people[self.people.index(person)] = ended
        return ended

    # What befalls a source

    def silence(self, source: str, start: datetime, end: datetime, *, counted: bool = False) -> None:
        """Let nothing of a source arrive between two moments; `counted` leaves a gap in its numbers."""
        self.troubles.append(Trouble(source, start, end, None, counted))

    def skew(self, source: str, start: datetime, end: datetime, by: timedelta) -> None:
        """Let a source's clock be wrong between two moments."""
        self.troubles.append(Trouble(source, start, end, by))

    def backdated(self, act: Act, by: timedelta) -> Act:
        """An act that says it was done earlier than it was written down."""
        return replace(act, at=act.at - by, recorded=act.at)


Plot = Callable[[Stage], Story | None]
"""Plants one story, or none where the town is too small or the span too short."""
