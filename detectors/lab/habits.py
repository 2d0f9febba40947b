"""An ordinary day: casework that causes look-ups, sign-ins around it, and the small failures of any day.

Each person's day has randomness of its own, drawn from the town's seed, the person and the day. So planting
an incident changes the day it happens on and no other, and two towns can be compared event by event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from detectors.lab.days import is_ordinary_working_day
from detectors.lab.model import Act, Errand, Person
from detectors.lab.people import ATENA, SERVER
from detectors.lab.timetable import Timetable, at

__all__ = ["BATCH", "Seat", "machine_day", "office_day", "technician_day"]

BATCH = "batch_atena"
"""The service account of the night's jobs. Service accounts never look like staff ids."""

_FULL_DAY = timedelta(hours=8, minutes=45)
_COMMANDS = (
    "/usr/bin/systemctl status postgresql",
    "/usr/bin/tail -n 200 /var/log/postgresql/postgresql.log",
    "/usr/bin/journalctl -u renkei --since today",
    "/usr/bin/systemctl restart renkei",
    "/usr/bin/df -h",
    "/usr/bin/apt-get -s upgrade",
)
_STATEMENTS = (
    "SELECT count(*) FROM public.renkei_queue WHERE state = 'error'",
    "SELECT atena_no, updated_at FROM public.addressee ORDER BY updated_at DESC LIMIT 50",
    "UPDATE public.renkei_queue SET state = 'retry' WHERE state = 'error'",
    "SELECT relname, n_dead_tup FROM pg_catalog.pg_stat_user_tables",
)
_NIGHT = (
    "SELECT atena_no, setai_no\nFROM public.juki_delta\nWHERE torikomi_date = CURRENT_DATE",
    "INSERT INTO public.addressee_work SELECT * FROM public.juki_delta",
    "UPDATE public.addressee SET updated_at = now() WHERE atena_no IN (SELECT atena_no FROM addressee_work)",
    "INSERT INTO public.renkei_queue (atena_no, kind) SELECT atena_no, 'juki' FROM public.addressee_work",
    "DELETE FROM public.addressee_work",
)


@dataclass(frozen=True, slots=True)
class Seat:
    """An account at a terminal, in one session of one system: where acts come from."""

    system: str
    actor: str
    terminal: str
    address: str
    session: str

    @classmethod
    def of(cls, person: Person, system: str, day: date, number: str, *, terminal_of: Person | None = None) -> "Seat":
        """A person's account, at the own terminal or at somebody else's."""
        desk = terminal_of or person
        session = f"{person.id}-{day:%m%d}-{number}"
        return cls(system, person.id, desk.terminal, desk.address, session)

    def act(self, moment: datetime, activity: str, **more: Any) -> Act:  # noqa: ANN401 - the fields of Act
        """Do something."""
        return Act(moment, self.system, self.actor, activity, self.terminal, self.address, self.session, **more)


def office_day(
    rng: Random,
    person: Person,
    day: date,
    timetable: Timetable,
    households: Sequence[tuple[str, ...]],
    errands: Sequence[Errand],
) -> list[Act]:
    """What a person with casework does on a day.

    Args:
        rng: randomness of this person's day.
        person: who.
        day: when.
        timetable: what the feeds say about the day.
        households: everybody who may come to the counter.
        errands: the person's own; ordinary work makes room for them.
    """
    # Only some of a unit turn up when it opens on a closed day.
    if not is_ordinary_working_day(day) and rng.random() < 0.5:
        return []
    blocks = _blocks(rng, person, day, timetable, errands)
    if not blocks:
        return []
    weights = [(end - start).total_seconds() for start, end in blocks]
    share = sum(weights) / _FULL_DAY.total_seconds()
    busy = timetable.busy.get((person.section.unit, day), 1.0)
    # No ordinary day is further from the usual than two standard deviations: what is, has a reason.
    mood = min(max(rng.gauss(1.0, 0.18), 0.64), 1.36)
    wanted = max(1, round(person.pace * mood * busy * share))
    systems = person.section.systems
    seats: dict[tuple[int, str], list[Act]] = {}
    done: set[str] = set()
    case = 0
    while len(done) < wanted:
        block = rng.choices(range(len(blocks)), weights)[0]
        moment = _moment(rng, *blocks[block])
        system = rng.choices(list(systems), list(systems.values()))[0]
        seat = Seat.of(person, system, day, f"{block}{system[0]}")
        case += 1
        acts = _handle(rng, seat, moment, rng.choice(households), f"c-{person.id}-{day:%m%d}-{case}")
        done.update(subject for act in acts for subject in act.subjects)
        seats.setdefault((block, system), []).extend(acts)
    return [
        act
        for (block, system), acts in seats.items()
        for act in _signed_in(
            rng,
            Seat.of(person, system, day, f"{block}{system[0]}"),
            acts,
            blocks[block][1] + timedelta(minutes=8),
        )
    ]


def technician_day(
    rng: Random, person: Person, day: date, timetable: Timetable, errands: Sequence[Errand]
) -> list[Act]:
    """What a systems administrator or maintenance contractor does on a day."""
    # A contractor is in the house about one day a week.
    if person.kind == "contractor" and rng.random() < 0.8:
        return []
    acts: list[Act] = []
    for number, block in enumerate(_blocks(rng, person, day, timetable, errands)):
        for visit in range(rng.randint(0, 2)):
            seat = Seat.of(person, SERVER, day, f"{number}s{visit}")
            moments = sorted(_moment(rng, *block) for _ in range(rng.randint(1, 4)))
            work = [seat.act(moment, "operation", detail=rng.choice(_COMMANDS)) for moment in moments]
            acts += _signed_in(rng, seat, work, block[1] + timedelta(minutes=8))
        if person.kind == "staff" and rng.random() < 0.4:
            seat = Seat.of(person, ATENA, day, f"{number}a")
            moments = sorted(_moment(rng, *block) for _ in range(rng.randint(1, 5)))
            work = [_statement(rng, seat, moment, rng.choice(_STATEMENTS)) for moment in moments]
            acts += _signed_in(rng, seat, work, block[1] + timedelta(minutes=8))
    return acts


def machine_day(rng: Random, day: date) -> list[Act]:
    """What runs by itself: the hourly cron of the server, the night's batch in the addressee database."""
    cron = Seat(SERVER, "root", "", "", "cron")
    acts = [cron.act(at(day, hour, 17, 1.0 + rng.random()), "job_run") for hour in range(24)]
    batch = Seat(ATENA, BATCH, "", "10.9.1.10", f"batch-{day:%m%d}")
    moment = at(day, 2, 0, rng.uniform(0.1, 3))
    acts.append(batch.act(moment, "login"))
    for statement in _NIGHT:
        moment += timedelta(seconds=rng.uniform(2, 90))
        acts.append(_statement(rng, batch, moment, statement))
    acts.append(batch.act(moment + timedelta(seconds=rng.uniform(0.2, 2)), "logout"))
    return acts


def _statement(rng: Random, seat: Seat, moment: datetime, statement: str) -> Act:
    activity = {"SELECT": "view", "INSERT": "create", "UPDATE": "update", "DELETE": "delete"}[
        statement.split(maxsplit=1)[0]
    ]
    return seat.act(moment, activity, detail=statement, hits=rng.randint(0, 180))


def _blocks(
    rng: Random, person: Person, day: date, timetable: Timetable, errands: Sequence[Errand]
) -> list[tuple[datetime, datetime]]:
    """Stretches of work: people come a little early or late, and split the day at lunch."""
    spans: list[tuple[datetime, datetime]] = []
    for start, end in timetable.hours(person, day):
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    noon = at(day, 12, 30)
    blocks = []
    for start, end in spans:
        came = start + timedelta(minutes=rng.uniform(-7, 12))
        left = end + timedelta(minutes=rng.uniform(-12, 12))
        blocks += [(came, noon), (noon, left)] if came < noon < left else [(came, left)]
    return [(s, e) for s, e in blocks if not any(x.start < e and s < x.end for x in errands)]


def _moment(rng: Random, start: datetime, end: datetime) -> datetime:
    """A moment in a block, seldom in the lunch hour."""
    span = (end - start).total_seconds()
    moment = start + timedelta(seconds=rng.random() * span)
    if moment.hour == 12 and rng.random() < 0.75:
        moment = start + timedelta(seconds=rng.random() * span)
    return moment


def _handle(rng: Random, seat: Seat, moment: datetime, household: tuple[str, ...], case: str) -> list[Act]:
    """One case at the counter or on the desk: find the person, look at the household, do what was asked."""
    acts: list[Act] = []

    def act(activity: str, **more: Any) -> None:  # noqa: ANN401 - the fields of Act
        nonlocal moment
        acts.append(seat.act(moment, activity, case=case, **more))
        moment += timedelta(seconds=rng.uniform(4, 35))

    subject = rng.choice(household)
    if rng.random() < 0.5:
        by = rng.choice(("number", "name", "name_birth"))
        act("search", by=by, hits=1 if by == "number" else rng.randint(1, 9))
    refused = rng.random()
    outcome = "denied" if refused < 0.002 else "failure" if refused < 0.006 else "success"
    act("view", subjects=(subject,), by="number", hits=1, outcome=outcome)
    if rng.random() < 0.3:
        for member in household:
            if member != subject:
                act("view", subjects=(member,), by="household", hits=1)
    if rng.random() < 0.12:
        act("update", subjects=(subject,))
    if rng.random() < 0.15:
        # A certificate of the whole household is one print about several people.
        act("print", subjects=household if rng.random() < 0.3 else (subject,))
    return acts


def _signed_in(rng: Random, seat: Seat, acts: list[Act], latest: datetime) -> list[Act]:
    """Put a sign-in before and a sign-out after, with now and then a mistyped password."""
    acts = sorted(acts, key=lambda act: act.at)
    login = acts[0].at - timedelta(seconds=rng.uniform(8, 50))
    logout = max(acts[-1].at + timedelta(seconds=1), min(acts[-1].at + timedelta(seconds=rng.uniform(5, 600)), latest))
    mistyped = [login - timedelta(seconds=rng.uniform(4, 15))] if rng.random() < 0.03 else []
    return [
        *(seat.act(moment, "login", outcome="failure") for moment in mistyped),
        seat.act(login, "login"),
        *acts,
        seat.act(logout, "logout"),
    ]
