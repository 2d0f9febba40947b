"""The facts of a town: feeds, people, ledger and emergencies as they are, sessions and rights as a test sets them."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asking import BOSS, HERE, ME, NOW, OTHER, RESIDENT, SYSTEM, Log, question, right, said, session

from api.decisions import BREAK_GLASS_DETECTOR, Decisions, open_decisions
from audit.access import Role, SignedIn
from audit.access.decisions import Actor, BreakGlass, LiveSession, Question
from audit.access.decisions.ledger.model import ApprovalKind, Wanted
from audit.access.people import PeopleService
from audit.access.rights.model import Entitlement
from audit.access.strength import FactorPolicy
from audit.clock import FixedClock
from audit.context import ContextService
from audit.findings import FindingFilter, FindingService
from audit.log import EventLog, LogRepository
from audit.store.clickhouse import EventStore
from audit.store.migrate import migrate
from audit.store.state import StateStore

STAFF = f"""staff_id,org_unit,post,role,subject_id,valid_from,valid_to
{ME},hoken/shikaku,主事,clerk,r-me,2020-04-01,
s9412,hoken,主事,clerk,r-me,2020-04-01,
{OTHER},hoken/shikaku,主事,clerk,r-other,2020-04-01,
{BOSS},hoken/shikaku,係長,head,r-boss,2020-04-01,
s0500,zeimu,主事,clerk,r-far,2020-04-01,
s0600,hoken/shikaku,主事,clerk,,2020-04-01,2026-10-05
"""
SUBJECTS = f"""subject_id,household_id,address_key,name_key,former_name_key,flags
{RESIDENT},h-1,a-1,n-1,,
r-me,h-me,a-2,n-2,,staff
r-child,h-me,a-2,n-2,,
r-other,h-2,a-3,n-3,,staff
r-far,h-3,a-4,n-4,,staff
r-safe,h-4,a-5,n-5,,protected
"""


class Signed:
    """Who is signed in, and who holds what."""

    def __init__(self) -> None:
        self.out: set[str] = set()
        self.rights: tuple[Entitlement, ...] = tuple(
            right(function, person) for person in (ME, OTHER, "s0600") for function in ("view", "export")
        )

    def live_session(self, login_id: str) -> LiveSession | None:
        return None if login_id in self.out else session(login_id)

    def held(self, person: str, system: str, at: datetime) -> tuple[Entitlement, ...]:
        held = (one for one in self.rights if one.person == person and one.system == system)
        return tuple(one for one in held if one.start <= at)

    def roles_in_office(self, login_id: str) -> frozenset[Role]:
        raise NotImplementedError

    def begin_sealed_sign_in(self, login_id: str, password: str, *, sealed: bool, address: str) -> tuple[str, str]:
        raise NotImplementedError

    def finish_sealed_sign_in(
        self, ticket: str, emergency: BreakGlass, *, address: str, language: str = "ja"
    ) -> SignedIn:
        raise NotImplementedError


class Town:
    """The parts, and the feeds they stand on."""

    def __init__(self, folder: Path, engine: Path, clock: FixedClock, store: StateStore) -> None:
        self.clock = clock
        self.log = Log()
        self.signed = Signed()
        self.findings = FindingService(store, clock)
        self.events = EventStore(path=engine, database="town_facts", readers=1)
        migrate(self.events, clock)
        self.context = ContextService(store, clock)
        self.feed("staff", STAFF)
        self.feed("subjects", SUBJECTS)
        self.people = PeopleService(store, clock, self.context, EventLog(LogRepository(self.events), clock))
        self.file = folder / "decisions.toml"
        self.parts: Decisions = open_decisions(
            folder,
            state=store,
            clock=clock,
            recorder=self.log,
            log=EventLog(LogRepository(self.events), clock),
            context=self.context,
            people=self.people,
            sessions=self.signed,
            rights=self.signed,
            factors=lambda system, at: FactorPolicy.parse(self.context.factor_policy(system, at) or "password"),
            findings=self.findings,
        )

    def feed(self, kind: str, text: str) -> None:
        self.context.import_feed(kind, text.encode())

    def ask(self, activity: str = "view", **changes: Any) -> tuple[str, str]:
        return said(self.parts.service.decide(question(activity, **changes)))

    def about(self, subject: str) -> tuple[str, str]:
        return self.ask(subjects=(subject,))


@pytest.fixture
def town(tmp_path: Path, engine_path: Path, clock: FixedClock, store: StateStore) -> Iterator[Town]:
    town = Town(tmp_path, engine_path, clock, store)
    yield town
    town.events.command("DROP DATABASE town_facts")
    town.events.close()


ALLOW = ("allow", "allowed")


def test_a_clerk_at_work_is_allowed(town: Town) -> None:
    assert town.ask() == ALLOW


def test_E13_self_family_colleague_and_protected_as_the_feeds_say(town: Town) -> None:
    assert town.about("r-me") == ("deny", "self")
    assert town.about("r-child") == ("deny", "second_person_needed")
    assert town.about("r-safe") == ("deny", "second_person_needed")
    assert town.about("r-other") == ALLOW
    assert town.about("r-far") == ALLOW
    notes = [doc["unmapped"]["decision"].get("notes") for doc in town.log.docs if doc["operation_name"] == "allowed"]
    assert notes == [["colleague", "staff"], ["staff"]]


def test_E13_who_somebody_is_as_a_resident_is_not_forgotten_with_a_new_post(town: Town) -> None:
    for person in (ME, OTHER):
        town.feed("staff", f"staff_id,org_unit,valid_from\n{person},hoken/shikaku,2026-10-01\n")
    assert town.about("r-me") == ("deny", "self")
    assert town.about("r-child") == ("deny", "second_person_needed")
    assert town.about("r-other") == ALLOW
    assert "colleague" in town.log.docs[-1]["unmapped"]["decision"]["notes"]
    town.feed("subjects", f"{SUBJECTS.splitlines()[0]}\nr-safe,h-2,a-5,n-5,,protected\n")
    assert town.ask(subjects=("r-safe",), second_person=OTHER) == ("deny", "second_person_refused")


def test_E13_a_second_person_who_is_there_and_is_another(town: Town) -> None:
    assert town.ask(subjects=("r-safe",), second_person=OTHER) == ALLOW
    assert town.ask(subjects=("r-safe",), second_person="s9412") == ("deny", "second_person_refused")
    assert town.ask(subjects=("r-safe",), second_person="s0500") == ("deny", "second_person_refused")
    town.signed.out = {OTHER}
    assert town.ask(subjects=("r-safe",), second_person=OTHER) == ("deny", "second_person_refused")


def test_E13_the_log_names_the_second_person_and_what_their_session_had_proved(town: Town) -> None:
    assert town.ask(subjects=("r-safe",), second_person=OTHER) == ALLOW
    told = town.log.docs[-1]["unmapped"]["decision"]
    assert (told["second_person"], told["second_session"]["id"]) == (OTHER, f"sid-{OTHER}")
    assert told["second_session"]["factors"] == ["palm_vein", "password"]
    town.ask(subjects=("r-safe",))
    assert "second_session" not in town.log.docs[-1]["unmapped"]["decision"]


@pytest.mark.parametrize(
    ("resident", "expected"),
    [("r-safe", ALLOW), ("r-boss", ("deny", "second_person_needed")), ("r-kin", ("deny", "second_person_needed"))],
)
def test_E13_nobody_approves_a_look_at_themselves_or_their_household(
    town: Town, resident: str, expected: tuple[str, str]
) -> None:
    head = SUBJECTS.splitlines()[0]
    town.feed("subjects", f"{head}\nr-boss,h-boss,a-9,n-9,,protected\nr-kin,h-boss,a-9,n-9,,protected\n")
    wanted = Wanted(
        kind=ApprovalKind.SECOND_PERSON,
        person=ME,
        system=SYSTEM,
        start=NOW,
        end=NOW + timedelta(days=1),
        reason="支援措置の更新",
        subjects=(resident,),
    )
    entry = town.parts.ledger.ask(wanted, by=Actor(staff_id=ME))
    town.parts.ledger.approve(entry.id, by=Actor(staff_id=BOSS))
    assert town.about(resident) == expected


def test_E10_whoever_leaves_moves_or_signs_out_is_denied_with_the_next_question(town: Town) -> None:
    assert town.ask() == ALLOW
    town.signed.out = {ME}
    assert town.ask() == ("deny", "no_session")
    town.signed.out = set()
    town.feed("staff", f"staff_id,org_unit,valid_from,valid_to\n{ME},hoken/shikaku,2020-04-01,2026-10-04\n")
    assert town.ask() == ("deny", "no_post")
    town.feed("staff", f"staff_id,org_unit,valid_from\n{ME},zeimu,2026-10-05\n")
    assert town.ask() == ("deny", "no_right")


def test_E10_a_post_ends_at_its_moment_without_any_import(town: Town) -> None:
    asked = {"person": "s0600", "session": "sid-s0600"}
    assert town.ask(**asked) == ALLOW
    town.clock.advance(datetime(2026, 10, 5, 15, 0, tzinfo=NOW.tzinfo) - NOW)  # midnight in Tokyo
    assert town.ask(**asked) == ("deny", "no_post")


def test_terminals_hold_as_soon_as_they_are_registered(town: Town) -> None:
    assert town.ask() == ALLOW
    town.feed("terminals", "terminal_id,org_unit,site,kind,ip_range\nT-1,hoken,本庁,desk,10.9.0.0/16\n")
    assert town.ask() == ("deny", "terminal_unregistered")
    town.feed("terminals", f"terminal_id,org_unit,site,kind,ip_range\nT-0231,hoken,本庁,desk,{HERE}\n")
    assert town.ask() == ALLOW
    assert town.ask(terminal_id="T-1") == ("deny", "other_terminal")


def test_night_leave_and_overtime_as_the_roster_says(town: Town) -> None:
    town.clock.advance(timedelta(hours=9))  # 19:00 in Tokyo
    assert town.ask() == ("deny", "outside_hours")
    head = "staff_id,start,end,kind,approved_by\n"
    town.feed("roster", f"{head}{ME},2026-10-05T18:00,2026-10-05T20:00,overtime,{BOSS}\n")
    assert town.ask() == ALLOW
    for own in (ME, "s9412"):  # the second is another id of theirs
        town.feed("roster", f"{head}{ME},2026-10-05T18:00,2026-10-05T20:00,overtime,{own}\n")
        assert town.ask() == ("deny", "outside_hours"), own
    town.feed("roster", f"{head}{ME},2026-10-05T00:00,2026-10-06T00:00,leave,\n")
    assert town.ask() == ("deny", "on_leave")


def test_a_factor_policy_holds_from_its_moment(town: Town) -> None:
    town.feed("policies", f"source,valid_from,require\n{SYSTEM},2026-10-05T11:00,fingerprint\n")
    assert town.ask() == ALLOW
    town.clock.advance(timedelta(hours=1))
    assert town.ask() == ("step_up", "proof_weak")


def test_an_imported_approval_covers_what_comes_after_it(town: Town) -> None:
    assert town.ask("export", rows=10) == ("deny", "approval_needed")
    head = "approval_id,kind,staff_id,approved_by,source,valid_from,valid_to,max_rows\n"
    row = "a-1,export,{me},{by},{system},2026-10-01,2026-10-31,100\n"
    town.feed("approvals", head + row.format(me=ME, by="s9412", system=SYSTEM))
    assert town.ask("export", rows=10) == ("deny", "approval_own")
    town.feed("approvals", head + row.format(me=ME, by=BOSS, system=SYSTEM))
    assert town.ask("export", rows=10) == ALLOW
    assert town.ask("export", rows=101) == ("deny", "approval_rows")


def test_an_approval_of_the_ledger_is_asked_for_given_used_and_counted(town: Town) -> None:
    wanted = Wanted(
        kind=ApprovalKind.EXPORT,
        person=ME,
        system=SYSTEM,
        start=NOW,
        end=NOW + timedelta(days=1),
        reason="納入通知",
        max_rows=100,
        max_uses=1,
    )
    entry = town.parts.ledger.ask(wanted, by=Actor(staff_id=ME))
    town.parts.ledger.approve(entry.id, by=Actor(staff_id=BOSS))
    answer = town.parts.service.decide(question("export", rows=10))
    assert (said(answer), answer.approval) == (ALLOW, entry.id)
    town.parts.service.confirm(answer.id, system=SYSTEM, outcome="success", rows=10)
    assert [(one.uses, one.rows) for one in town.parts.ledger.entries()] == [(1, 10)]
    assert town.ask("export", rows=10) == ("deny", "approval_needed")


def test_E9_an_emergency_opens_a_critical_finding_and_holds_for_its_minutes(town: Town) -> None:
    town.file.write_text(f"version = 1\n[systems.{SYSTEM}]\nbreak_glass = true\n", encoding="utf-8")
    town.signed.rights = ()
    assert town.ask() == ("deny", "no_right")
    actor = Actor(staff_id=ME, address=HERE, session=f"sid-{ME}")
    declared = town.parts.emergencies.declare(SYSTEM, "庁舎の停電により端末が使えない", 30, by=actor)
    assert declared.review_due == date(2026, 10, 6)
    assert town.ask() == ALLOW
    (finding,) = town.findings.listing(FindingFilter(detector=BREAK_GLASS_DETECTOR))
    assert (finding.severity, finding.actors) == ("critical", (ME,))
    event = next(doc for doc in town.log.docs if doc["operation_name"] == "break_glass.declared")
    assert finding.evidence == (f"mimamori:{event['event_id']}",)
    town.clock.advance(timedelta(minutes=30))
    assert town.ask() == ("deny", "no_right")


def test_what_is_kept_of_the_feeds_answers_as_what_is_read(town: Town) -> None:
    asked = Question(person=ME, system=SYSTEM, activity="view", subjects=("r-child",), address=HERE)
    once, again = town.parts.facts.read(asked), town.parts.facts.read(asked)
    assert once == again
    assert once.related == {"r-child": "family"}


def test_what_a_system_asks_for_changes_at_its_moment_without_an_import(town: Town) -> None:
    later = NOW + timedelta(minutes=1)
    town.feed("policies", f"source,valid_from,require\n{SYSTEM},,password\n{SYSTEM},{later.isoformat()},totp\n")
    assert town.ask() == ALLOW
    town.clock.advance(timedelta(minutes=1))
    assert town.ask()[0] == "step_up"
    town.clock.advance(timedelta(minutes=-1))
    assert town.ask() == ALLOW
    town.feed("policies", f"source,valid_from,require\n{SYSTEM},,totp\n")
    assert town.ask()[0] == "step_up", "an import counts at once"
