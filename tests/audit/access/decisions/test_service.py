"""Answers and their events: no allow without its event, outputs once, counts that agree."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from asking import BASE, ME, NOW, OTHER, RESIDENT, SYSTEM, Log, Reader, approval, facts, proof, question, said, session
from sqlalchemy import event

from audit.access.decisions import ConfirmRefusedError, DecisionService, Effect, Facts, Question, Reason
from audit.access.decisions.ledger.model import ApprovalKind, ApprovalState, Wanted
from audit.access.decisions.ledger.repository import EntryRow, LedgerRepository
from audit.clock import FixedClock
from audit.events import check
from audit.store.state import StateStore

Make = Callable[..., DecisionService]


@pytest.fixture
def make(store: StateStore, clock: FixedClock, log: Log) -> Make:
    def made(known: Facts | None = None, recorder: Any = log, reader: Any = None) -> DecisionService:
        return DecisionService(reader or Reader(known), lambda: BASE, store, recorder, clock)

    return made


def test_INV1_an_allow_is_in_the_log_when_it_leaves(make: Make, log: Log) -> None:
    answer = make().decide(question(purpose="levy", case_id="c-1", terminal_id="T-0231"))
    (doc,) = log.docs
    assert answer.effect is Effect.ALLOW
    assert doc["event_id"] == answer.id
    assert (doc["activity"], doc["operation_name"], doc["outcome"]) == ("authorize", "allowed", "success")
    assert doc["actor"] == {"id": ME, "kind": "staff", "org_unit": "hoken/shikaku", "role": "clerk"}
    assert doc["target"]["system"] == SYSTEM
    assert doc["terminal"] == {"id": "T-0231", "ip": "10.3.1.31"}
    assert (doc["session"], doc["subjects"], doc["subject_count"]) == (f"sid-{ME}", [RESIDENT], 1)
    assert (doc["reason"], doc["case_id"]) == ("levy", "c-1")
    assert doc["auth"] == {"factors": ["palm_vein", "password"], "user_verified": False, "authenticator": ""}
    about = doc["unmapped"]["decision"]
    assert (about["effect"], about["activity"], about["policy"]) == ("allow", "view", BASE.version)
    assert about["reliable_until"] > about["decided_at"]


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        (question(), facts()),
        (question(), facts(post=None)),
        (question(session="x" * 200), facts(session=None)),
        (question("export", rows=10, medium_id="M-1"), facts(approvals=(approval(),))),
        (question(function="number_view"), facts(session=session(proof=proof(age=400)))),
        (question("peek", subjects=(), address=""), facts()),
    ],
)
def test_every_decision_is_an_event_that_the_log_takes(make: Make, log: Log, asked: Question, known: Facts) -> None:
    answer = make(known).decide(asked)
    assert check(log.last(), NOW).faults == ()
    assert log.last()["outcome"] == ("success" if answer.effect is Effect.ALLOW else "denied")


def test_INV1_without_its_event_an_allow_is_a_denial(make: Make, log: Log) -> None:
    service = make()
    log.down = True
    answer = service.decide(question())
    assert said(answer) == ("deny", "not_recorded")
    assert (answer.life, answer.id) == (timedelta(0), "")
    assert service.counts() == {"withheld": 1}


def test_D1_when_nothing_can_be_kept_every_question_is_denied(make: Make, log: Log) -> None:
    service = make(facts(approvals=(approval(),)))
    log.down = True
    asked = [question(), question("export", rows=1), question(person=OTHER), question()]
    assert [said(one) for one in service.decide_all(asked)] == [("deny", "not_recorded")] * 4
    log.down = False
    assert service.decide(question()).effect is Effect.ALLOW


def test_a_number_typed_into_any_field_is_not_in_the_event(make: Make, log: Log) -> None:
    number = "123456789018"
    asked = question(
        person=number, terminal_id=number, case_id=number, purpose=number, medium_id=number, second_person=number,
        subjects=(number,), affair=number, function=number, activity=number,
    )  # fmt: skip
    make(facts(post=None)).decide(asked)
    stored = check(log.last(), NOW)
    assert stored.faults == ()
    assert number not in repr(stored.columns)


def test_INV1_facts_that_cannot_be_read_deny_and_the_log_says_so(make: Make, log: Log) -> None:
    class Broken:
        def read(self, question: Question) -> Facts:
            raise ConnectionError(question.person)

    assert said(make(reader=Broken()).decide(question())) == ("deny", "not_judged")
    assert log.operations() == ["not_judged"]
    assert "policy" in log.last()["unmapped"]["decision"]


def test_a_policy_that_cannot_be_had_denies(store: StateStore, clock: FixedClock, log: Log) -> None:
    def policy() -> Any:
        raise OSError

    service = DecisionService(Reader(), policy, store, log, clock)
    assert said(service.decide(question())) == ("deny", "not_judged")


def test_several_questions_are_one_write_in_their_order(make: Make) -> None:
    writes: list[list[str]] = []

    class Groups(Log):
        def record_all(self, docs: Sequence[Mapping[str, Any]]) -> None:
            writes.append([doc["operation_name"] for doc in docs])
            super().record_all(docs)

    service = make(recorder=Groups())
    answers = service.decide_all([question(), question(person=OTHER), question("peek"), question()])
    assert [answer.reason for answer in answers] == ["allowed", "no_post", "unknown_activity", "allowed"]
    assert writes == [["allowed", "no_post", "unknown_activity", "allowed"]]
    assert len({answer.id for answer in answers}) == 4


def test_INV1_the_counts_agree_with_the_events_whatever_fails(store: StateStore, clock: FixedClock) -> None:
    drawn = random.Random(7)  # noqa: S311 - a fixed script of failures

    class Failing(Log):
        def record_all(self, docs: Sequence[Mapping[str, Any]]) -> None:
            if drawn.random() < 0.4:
                raise OSError
            super().record_all(docs)

    log, reader = Failing(), Reader()
    service = DecisionService(reader, lambda: BASE, store, log, clock)
    known = [
        facts(),
        facts(post=None),
        facts(session=session(proof=proof("password"))),
        facts(approvals=(approval(),)),
    ]
    left = Counter[str]()
    for _ in range(300):
        reader.known = drawn.choice(known)
        batch = [question(drawn.choice(["view", "export"]), rows=1) for _ in range(drawn.randint(1, 3))]
        for answer in service.decide_all(batch):
            left[answer.effect.value if answer.reason != Reason.NOT_RECORDED else "withheld"] += 1
    events = Counter(doc["unmapped"]["decision"]["effect"] for doc in log.docs)
    assert dict(left) == service.counts()
    assert {effect: service.counts()[effect] for effect in events} == events
    assert min(left.values()) > 20


def test_INV1_an_output_that_could_not_be_kept_is_taken_back(make: Make, log: Log, store: StateStore) -> None:
    service = make(facts(approvals=(approval(),)))

    def fails(*_: Any) -> None:
        raise OSError

    event.listen(store._engine, "commit", fails)
    answer = service.decide(question("export", rows=100))
    event.remove(store._engine, "commit", fails)
    assert said(answer) == ("deny", "not_recorded")
    assert log.operations() == ["allowed", "decision.taken_back"]
    assert log.docs[1]["unmapped"]["decision"] == log.docs[0]["event_id"]
    assert service.counts() == {"allow": 1, "withheld": 1, "taken_back": 1}


def test_threads_that_ask_at_once_are_all_counted(make: Make, log: Log) -> None:
    service = make()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(service.decide, [question()] * 200))
    assert service.counts() == {"allow": 200}
    assert len({doc["event_id"] for doc in log.docs}) == 200


# Outputs -------------------------------------------------------------------------------------------------------------


def export(make: Make, **changes: Any) -> tuple[DecisionService, str]:
    service = make(facts(approvals=(approval(),)))
    answer = service.decide(question("export", **({"rows": 100} | changes)))
    assert answer.effect is Effect.ALLOW
    return service, answer.id


@pytest.mark.both_engines
def test_E17_an_output_is_confirmed_once_and_the_event_shows_both_times(
    make: Make, log: Log, clock: FixedClock
) -> None:
    service, decision = export(make)
    clock.advance(timedelta(seconds=40))
    service.confirm(decision, system=SYSTEM, outcome="success", rows=98)
    doc = log.last()
    assert (doc["activity"], doc["operation_name"]) == ("ledger_entry", "output.confirmed")
    about = doc["unmapped"]
    assert (about["decision"], about["decided_at"]) == (decision, NOW.isoformat())
    assert about["confirmed_at"] == (NOW + timedelta(seconds=40)).isoformat()
    assert doc["export"]["rows"] == 98
    assert check(doc, clock.now()).faults == ()
    with pytest.raises(ConfirmRefusedError):
        service.confirm(decision, system=SYSTEM, outcome="success", rows=98)


def test_S25_another_system_cannot_confirm(make: Make) -> None:
    service, decision = export(make)
    with pytest.raises(ConfirmRefusedError):
        service.confirm(decision, system="tax", outcome="success")
    service.confirm(decision, system=SYSTEM, outcome="failure")


def test_more_than_was_granted_is_a_security_event(make: Make, log: Log) -> None:
    service, decision = export(make)
    service.confirm(decision, system=SYSTEM, outcome="success", rows=101)
    assert (log.last()["activity"], log.last()["operation_name"]) == ("security_event", "output.exceeded")


@pytest.mark.parametrize(("outcome", "rows"), [("done", 1), ("success", -1)])
def test_only_what_can_be_is_confirmed(make: Make, outcome: str, rows: int) -> None:
    service, decision = export(make)
    with pytest.raises(ConfirmRefusedError):
        service.confirm(decision, system=SYSTEM, outcome=outcome, rows=rows)


def test_a_confirmation_that_cannot_be_recorded_may_be_made_again(make: Make, log: Log) -> None:
    service, decision = export(make)
    log.down = True
    with pytest.raises(ConnectionError):
        service.confirm(decision, system=SYSTEM, outcome="success")
    log.down = False
    service.confirm(decision, system=SYSTEM, outcome="success")


def test_outputs_that_nobody_confirmed_are_listed(make: Make, clock: FixedClock) -> None:
    service, decision = export(make)
    assert service.unconfirmed() == []
    clock.advance(timedelta(minutes=16))
    assert service.unconfirmed() == [decision]
    service.confirm(decision, system=SYSTEM, outcome="success")
    assert service.unconfirmed() == []


def test_outputs_are_forgotten_after_their_time_and_the_log_says_how_many(
    make: Make, clock: FixedClock, log: Log
) -> None:
    service, confirmed = export(make)
    service.confirm(confirmed, system=SYSTEM, outcome="success")
    service.decide(question("export", rows=10))
    clock.advance(timedelta(days=90))
    assert service.forget(timedelta(days=90)) == 0, "not one moment before"
    clock.advance(timedelta(microseconds=1))
    log.down = True
    with pytest.raises(ConnectionError):
        service.forget(timedelta(days=90))
    log.down = False
    assert len(service.unconfirmed()) == 1
    assert service.forget(timedelta(days=90)) == 2
    told = log.last()
    assert (told["activity"], told["operation_name"]) == ("purge", "decisions.outputs_forgotten")
    assert told["unmapped"] == {"count": 2, "unconfirmed": 1, "days": 90}
    assert check(told, clock.now()).faults == ()
    assert service.unconfirmed() == []
    assert service.forget(timedelta(days=90)) == 0
    assert log.last() == told


def test_a_look_is_not_confirmed(make: Make) -> None:
    service = make()
    answer = service.decide(question())
    with pytest.raises(ConfirmRefusedError):
        service.confirm(answer.id, system=SYSTEM, outcome="success")


def given_in_the_ledger(store: StateStore, clock: FixedClock, max_uses: int | None) -> Facts:
    wanted = Wanted(
        kind=ApprovalKind.EXPORT,
        person=ME,
        system=SYSTEM,
        start=NOW,
        end=NOW + timedelta(days=1),
        reason="納入通知",
        max_rows=500,
        max_uses=max_uses,
    )
    with store.unit() as unit:
        repository = LedgerRepository(unit)
        repository.add(EntryRow.of("f" * 32, wanted, ME, clock.now()))
        assert repository.settle("f" * 32, ApprovalState.ASKED, ApprovalState.IN_FORCE, "s0001", clock.now())
        return facts(approvals=repository.in_force(ME, SYSTEM, clock.now()))


@pytest.mark.both_engines
def test_E17_an_approval_for_one_output_covers_one_however_many_ask_at_once(
    make: Make, store: StateStore, clock: FixedClock, log: Log
) -> None:
    service = make(given_in_the_ledger(store, clock, max_uses=1))
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(service.decide, [question("export", rows=10)] * 6))
    assert Counter(answer.reason for answer in answers) == {"allowed": 1, "approval_used": 5}
    assert Counter(log.operations()) == {"allowed": 1, "approval_used": 5}


def test_rows_that_left_are_counted_on_the_approval(make: Make, store: StateStore, clock: FixedClock) -> None:
    service = make(given_in_the_ledger(store, clock, max_uses=None))
    for rows in (10, 20):
        answer = service.decide(question("export", rows=rows))
        service.confirm(answer.id, system=SYSTEM, outcome="success", rows=rows)
    with store.unit() as unit:
        entry = LedgerRepository(unit).entry("f" * 32)
    assert entry is not None
    assert (entry.uses, entry.rows) == (2, 30)


def test_an_output_whose_event_fails_takes_no_use(make: Make, store: StateStore, clock: FixedClock, log: Log) -> None:
    service = make(given_in_the_ledger(store, clock, max_uses=1))
    log.down = True
    assert service.decide(question("export", rows=10)).effect is Effect.DENY
    log.down = False
    assert service.decide(question("export", rows=10)).effect is Effect.ALLOW


# What is asserted or kept from before counts for nothing -------------------------------------------------------------


def test_S26_a_staff_id_without_a_session_is_denied_and_recorded(make: Make, log: Log) -> None:
    answer = make(facts(session=None)).decide(question(session=""))
    assert said(answer) == ("deny", "no_session")
    assert log.operations() == ["no_session"]


def test_S27_a_question_has_no_place_for_a_role() -> None:
    names = set(Question.__dataclass_fields__)
    assert names.isdisjoint({"role", "roles", "properties", "groups", "acr", "factors"})


def test_E10_what_was_revoked_is_gone_with_the_next_question(make: Make) -> None:
    reader = Reader()
    service = make(reader=reader)
    assert service.decide(question()).effect is Effect.ALLOW
    gone: dict[str, dict[str, Any]] = {
        "no_right": {"entitlements": ()},
        "no_session": {"session": None},
        "no_post": {"post": None},
    }
    for reason, less in gone.items():
        reader.known = replace(facts(), **less)
        assert said(service.decide(question())) == ("deny", reason)
