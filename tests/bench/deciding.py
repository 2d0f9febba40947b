"""What a decision costs: pure beside Cedar and Casbin, and whole, with its facts read and its event durable."""

import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

from api.decisions import Decisions, open_decisions
from audit.access import Role, SignedIn
from audit.access.decisions import BreakGlass, Effect, LiveSession, Question
from audit.access.people import PeopleService
from audit.access.rights.model import Entitlement
from audit.access.strength import FactorPolicy, Proof
from audit.clock import FixedClock
from audit.context import ContextService
from audit.findings import FindingService
from audit.log import EventLog, LogRepository
from audit.store.clickhouse import EventStore
from audit.store.migrate import migrate
from audit.store.state import StateStore
from ingest.spool.acts import AHEAD, ActSpool
from ingest.spool.service import Spool
from tests.audit.access.decisions.asking import HERE, NOW, SYSTEM, UNIT
from tests.audit.access.decisions.rivals import Hall
from tests.bench.tables import table

__all__ = ["run"]

_STAFF = 3_000
_RESIDENTS = 100_000
_QUESTIONS = 20_000
_WHOLE = 2_000
_DENIED = 0.2
_CALLERS = (1, 4, 8)


def run(folder: Path, *, full: bool) -> None:  # noqa: ARG001 - the shape of every part
    """Measure deciding."""
    _pure()
    _whole(folder)


def _timed(ask: Callable[[], object]) -> float:
    began = perf_counter()
    ask()
    return perf_counter() - began


def _row(name: str, seconds: Sequence[float], unit: float) -> list[object]:
    ordered = sorted(seconds)
    return [
        name,
        round(len(ordered) / sum(ordered)),
        median(ordered) * unit,
        ordered[round(0.99 * (len(ordered) - 1))] * unit,
    ]


def _pure() -> None:
    """The same questions to all three, in turn, with their answers compared."""
    for staff in (50, 1_000):
        hall = Hall(staff, seed=11)
        questions = [hall.ask() for _ in range(_QUESTIONS)]
        engines = hall.engines()
        taken: dict[str, list[float]] = {name: [] for name in engines}
        differing = allowed = 0
        for asked in questions:
            answers = []
            for name, answer in engines.items():
                began = perf_counter()
                said = answer(asked)
                taken[name].append(perf_counter() - began)
                answers.append(said)
            differing += len(set(answers)) > 1
            allowed += answers[0]
        table(
            f"Deciding alone: {_QUESTIONS:,} questions about {staff:,} clerks, {allowed / _QUESTIONS:.0%} allowed, "
            f"{differing} answers differ",
            ("", "decisions/s", "median µs", "99 % µs"),
            [_row(name, times, 1e6) for name, times in taken.items()],
        )
        ours = sum(taken["ours"])
        print(
            f"\nours is {', '.join(f'{sum(taken[o]) / ours:.1f} times as fast as {o}' for o in ('cedarpy', 'casbin'))}"
        )


class _Signed:
    """Everybody is signed in, and holds two rights: what the services of others cost is theirs to measure."""

    def live_session(self, login_id: str) -> LiveSession | None:
        return LiveSession(
            id=f"sid-{login_id}",
            login_id=login_id,
            proof=Proof(factors=frozenset({"password", "totp"}), at=NOW),
            created_at=NOW,
            last_seen_at=NOW,
            address=HERE,
        )

    def held(self, person: str, system: str, at: datetime) -> tuple[Entitlement, ...]:
        return tuple(
            Entitlement(
                id=f"{person}-{function}",
                person=person,
                system=system,
                affair="",
                function=function,
                unit=UNIT,
                start=at - timedelta(days=1),
                end=None,
                application="a",
            )
            for function in ("view", "update")
        )

    def roles_in_office(self, login_id: str) -> frozenset[Role]:
        raise NotImplementedError

    def begin_sealed_sign_in(self, login_id: str, password: str, *, sealed: bool, address: str) -> tuple[str, str]:
        raise NotImplementedError

    def finish_sealed_sign_in(
        self, ticket: str, emergency: BreakGlass, *, address: str, language: str = "ja"
    ) -> SignedIn:
        raise NotImplementedError


def _whole(folder: Path) -> None:
    clock = FixedClock(NOW)
    events = EventStore(path=folder / "engine", database="bench", readers=1)
    migrate(events, clock)
    log = EventLog(LogRepository(events), clock)
    state = StateStore(f"sqlite:///{folder / 'state.sqlite'}")
    state.create_tables()
    context = ContextService(state, clock)
    _fill(context)
    acts = ActSpool(Spool(folder / "acts", clock, limit=1 << 30, reserve=0, share=1, ahead=AHEAD), log, clock)
    signed = _Signed()
    decisions = open_decisions(
        folder,
        state=state,
        clock=clock,
        recorder=acts,
        log=log,
        context=context,
        people=PeopleService(state, clock, context, log),
        sessions=signed,
        rights=signed,
        factors=lambda system, at: FactorPolicy.parse(context.factor_policy(system, at) or "password+totp"),
        findings=FindingService(state, clock),
    )
    try:
        _measure(decisions, acts, folder)
    finally:
        acts.stop()
        state.close()
        events.close()


def _fill(context: ContextService) -> None:
    staff = "staff_id,org_unit,subject_id\n" + "".join(
        f"s{n:04d},{UNIT if n % 2 else 'zeimu/shotoku'},r{n:06d}\n" for n in range(_STAFF)
    )
    context.import_feed("staff", staff.encode())
    subjects = "subject_id,household_id,address_key,name_key,former_name_key,flags\n" + "".join(
        f"r{n:06d},h{n // 3:06d},a{n // 3:06d},n{n % 900:03d},,{'vip' if n % 97 == 0 else ''}\n"
        for n in range(_RESIDENTS)
    )
    context.import_feed("subjects", subjects.encode())
    terminals = "terminal_id,org_unit,site,kind,ip_range\n" + "".join(
        f"T-{n:04d},{UNIT},本庁,desk,10.3.{n // 250}.{n % 250 + 1}\n" for n in range(2_000)
    )
    context.import_feed("terminals", terminals.encode())
    roster = "staff_id,start,end,kind,approved_by\n" + "".join(
        f"s{n:04d},2026-10-0{day}T18:00:00+09:00,2026-10-0{day}T20:00:00+09:00,overtime,s0001\n"
        for n in range(_STAFF)
        for day in (1, 5, 6)
    )
    context.import_feed("roster", roster.encode())
    context.import_feed("policies", f"source,valid_from,require\n{SYSTEM},2020-01-01,password+totp\n".encode())


def _measure(decisions: Decisions, acts: ActSpool, folder: Path) -> None:
    drawn = random.Random(5)
    decide = decisions.service.decide

    def question() -> Question:
        person = f"s{drawn.randrange(_STAFF // 2) * 2 + 1:04d}"
        return Question(
            person=person,
            system=SYSTEM,
            activity="export" if drawn.random() < _DENIED else "view",
            subjects=(f"r{drawn.randrange(_RESIDENTS):06d}",),
            purpose="eligibility",
            session=f"sid-{person}",
            address=HERE,
        )

    def asked() -> list[Question]:
        return [question() for _ in range(_WHOLE)]  # others for every row: nobody was asked about before

    def each(name: str, callers: int = 1) -> list[object]:
        questions = asked()
        with ThreadPoolExecutor(callers) as pool:
            began = perf_counter()
            taken = list(pool.map(lambda one: _timed(lambda: decide(one)), questions))
            rate = len(taken) / (perf_counter() - began)
        row = _row(name, taken, 1e3)
        return [row[0], round(rate), *row[2:]]

    allowed = sum(decide(one).effect is Effect.ALLOW for one in asked())
    acts.drain()
    rows = [_row("fdatasync of 1.5 kB alone", _syncs(folder), 1e3)]
    rows.append(_row("facts alone", [_timed(lambda one=one: decisions.facts.read(one)) for one in asked()], 1e3))  # type: ignore[misc]
    rows.append(each("with the event, the log's writer at rest"))
    acts.drain()
    acts.start()
    for callers in _CALLERS:
        rows.append(each(f"with the event, the writer at work, callers: {callers}", callers))
        while acts.waiting():
            sleep(0.1)
    groups = [questions[n : n + 20] for questions in [asked()] for n in range(0, _WHOLE, 20)]
    batch = [_timed(lambda group=group: decisions.service.decide_all(group)) / 20 for group in groups]  # type: ignore[misc]
    rows.append(_row("the same, batches of 20, each", batch, 1e3))
    rows.append(_row("fdatasync of 1.5 kB alone", _syncs(folder), 1e3))
    table(
        f"Deciding altogether: {_STAFF:,} staff, {_RESIDENTS:,} residents, SQLite, event fsynced, "
        f"{1 - allowed / _WHOLE:.0%} denied",
        ("", "decisions/s", "median ms", "99 % ms"),
        rows,
    )


def _syncs(folder: Path) -> list[float]:
    """What the disk takes for one small write, with whatever else it is doing: the least that a durable event costs."""
    with (folder / "alone").open("ab", buffering=0) as file:

        def write() -> None:
            file.write(b"x" * 1_500)
            os.fdatasync(file.fileno())

        return [_timed(write) for _ in range(1_000)]
