"""Closing cases: who may, what takes two, what counts when, and what is never lost."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.access.decisions import Actor
from audit.clock import FixedClock
from audit.dispositions import (
    CaseSeen,
    Disposition,
    DispositionKind,
    DispositionRefusedError,
    DispositionService,
    DispositionState,
    Judged,
)
from audit.findings import Severity
from audit.store.errors import StoreUnavailableError
from audit.store.state import StateStore

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
ANN, BOB, EVE = Actor(staff_id="ann"), Actor(staff_id="bob"), Actor(staff_id="eve")
BENIGN, MISUSE = DispositionKind.BENIGN, DispositionKind.CONFIRMED_MISUSE
CASE = CaseSeen(
    id="c-1",
    severity=Severity.MEDIUM,
    actors=("s1",),
    start=NOW - timedelta(days=2),
    findings=(Judged("f1", "scan", 0.5), Judged("f2", "night", 0.4)),
)
GRAVE = replace(CASE, severity=Severity.HIGH)
MORE = replace(CASE, findings=(*CASE.findings, Judged("f3", "scan", 0.7)))


class Log:
    """Keeps what is recorded; breaks when told to."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []
        self.broken = False

    def record_all(self, docs: Sequence[Mapping[str, Any]]) -> None:
        if self.broken:
            raise StoreUnavailableError("broken")
        self.events += docs

    def record(self, doc: dict[str, Any]) -> None:
        self.record_all([doc])


@dataclass
class People:
    """Who is who: ids that share their first letters up to a dash are one person's."""

    out: set[str] = field(default_factory=set)
    above: dict[str, set[str]] = field(default_factory=dict)
    moved: dict[str, set[str]] = field(default_factory=dict)

    def same_natural_person(self, one: str, other: str) -> bool:
        return one.partition("-")[0] == other.partition("-")[0]

    def may_close(self, staff_id: str) -> bool:
        return staff_id not in self.out

    def superiors_of(self, staff_id: str, at: datetime) -> Collection[str]:
        return (self.above if at >= NOW else self.moved).get(staff_id, set())


class Desk:
    """The service and its neighbours."""

    def __init__(self, path: Path) -> None:
        self.state = StateStore(f"sqlite:///{path}")
        self.state.create_tables()
        self.clock, self.log, self.people = FixedClock(NOW), Log(), People()
        self.service = DispositionService(self.state, self.clock, self.log, self.people)

    def close(self, case: CaseSeen = CASE, kind: DispositionKind = BENIGN, by: Actor = ANN) -> Disposition:
        made = self.service.close(case, kind, reason="確認済み", by=by)
        self.clock.advance(timedelta(minutes=1))
        return made

    @property
    def states(self) -> list[str]:
        return [one.state for one in self.service.every()]

    @property
    def operations(self) -> list[str]:
        return [event["operation_name"] for event in self.log.events]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "state.sqlite")
    yield desk
    desk.state.close()


@contextmanager
def refused_for(reason: str) -> Iterator[None]:
    with pytest.raises(DispositionRefusedError) as caught:
        yield
    assert caught.value.reason == reason
    assert caught.value.text("ja") != caught.value.text("en")


def test_one_person_closes_a_case_that_is_not_grave(desk: Desk) -> None:
    made = desk.close()
    (kept,) = desk.service.every()
    assert kept == made
    assert (kept.state, kept.settled_at, kept.findings) == (DispositionState.SETTLED, NOW, CASE.findings)
    (event,) = desk.log.events
    assert (event["activity"], event["operation_name"], event["actor"]["id"]) == ("ledger_entry", "cases.closed", "ann")
    assert event["unmapped"] | {"case": "c-1", "disposition": "benign", "findings": ["f1", "f2"]} == event["unmapped"]
    with refused_for("closed"):
        desk.close(by=BOB)


@pytest.mark.parametrize("severity", [Severity.HIGH, Severity.CRITICAL])
def test_a_grave_case_counts_only_once_a_second_person_agrees(desk: Desk, severity: Severity) -> None:
    case = replace(CASE, severity=severity)
    made = desk.close(case, MISUSE)
    assert (made.state, made.settled_at) == (DispositionState.PROPOSED, None)
    with refused_for("proposed"):
        desk.close(case, by=BOB)
    for who in ("ann", "ann-2"):
        with refused_for("same_person"):
            desk.service.confirm(case, MISUSE, by=Actor(staff_id=who))
    with refused_for("another"):
        desk.service.confirm(case, BENIGN, by=BOB)
    confirmed = desk.service.confirm(case, MISUSE, by=BOB)
    assert desk.service.every() == [confirmed]
    assert (confirmed.settled_at, confirmed.confirmed_by) == (NOW + timedelta(minutes=1), "bob")
    assert [event["activity"] for event in desk.log.events] == ["apply", "authorize", "authorize", "approve"]
    with refused_for("closed"):
        desk.service.confirm(case, MISUSE, by=EVE)


def test_nobody_judges_themselves_or_a_superior_in_any_step(desk: Desk) -> None:
    desk.people.above = {"bob": {"s1"}}
    desk.people.moved = {"eve": {"s1-2"}}
    hindered = {"s1": "oneself", "s1-2": "oneself", "bob": "superior", "eve": "superior", "out": "not_entitled"}
    desk.people.out = {"out"}

    def every_way_is_shut() -> None:
        for who, reason in hindered.items():
            by = Actor(staff_id=who)
            with refused_for(reason):
                desk.close(GRAVE, by=by)
            with refused_for(reason):
                desk.service.confirm(GRAVE, BENIGN, by=by)
            with refused_for(reason):
                desk.service.reopen(GRAVE, reason="r", by=by)

    every_way_is_shut()
    desk.close(GRAVE)
    every_way_is_shut()
    assert desk.states == ["proposed"]
    assert desk.operations.count("cases.closing_refused") == desk.operations.count("cases.reopening_refused") == 10
    anybody = replace(CASE, id="c-source", actors=())
    assert desk.close(anybody, by=BOB).state is DispositionState.SETTLED, "a source is nobody's superior"


def test_whoever_proposed_must_still_be_entitled(desk: Desk) -> None:
    desk.close(GRAVE)
    desk.people.out = {"ann"}
    with refused_for("asker_left"):
        desk.service.confirm(GRAVE, BENIGN, by=BOB)
    desk.service.reopen(GRAVE, reason="退職", by=BOB)
    assert desk.close(GRAVE, by=EVE).state is DispositionState.PROPOSED
    assert desk.states == ["dropped", "proposed"]


@pytest.mark.parametrize("new", [MORE, GRAVE], ids=["one finding more", "graver"])
def test_what_is_new_is_judged_anew_and_the_former_word_is_kept(desk: Desk, new: CaseSeen) -> None:
    former = desk.close()
    assert former.covers(CASE)
    assert former.covers(replace(CASE, findings=CASE.findings[:1])), "what was withdrawn since changes nothing"
    assert not former.covers(new)
    desk.close(new, MISUSE, by=BOB)
    assert desk.states[0] == "replaced"
    assert desk.log.events[-1]["unmapped"]["old"]["disposition"] == "benign"


def test_a_proposal_is_not_confirmed_over_findings_that_nobody_judged(desk: Desk) -> None:
    desk.close(GRAVE)
    with refused_for("changed"):
        desk.service.confirm(replace(GRAVE, findings=MORE.findings), BENIGN, by=BOB)


def test_reopened_is_on_record_with_everything_before(desk: Desk) -> None:
    desk.close()
    desk.clock.advance(timedelta(days=1))
    ended = desk.service.reopen(CASE, reason="新しい情報 123456789018", by=BOB)
    assert desk.service.every() == [ended]
    assert (ended.state, ended.settled_at, ended.ended_by) == (DispositionState.REOPENED, NOW, "bob")
    assert "123456789018" not in ended.ended_reason
    assert (desk.log.events[-1]["activity"], desk.operations[-1]) == ("revoke", "cases.reopened")
    with refused_for("open"):
        desk.service.reopen(CASE, reason="r", by=BOB)
    desk.close(kind=MISUSE)
    assert desk.states == ["reopened", "settled"]


def test_without_a_reason_or_a_finding_nothing_is_said(desk: Desk) -> None:
    for text in ("", " \n", "x" * 501):
        with refused_for("reason"):
            desk.service.close(CASE, BENIGN, reason=text, by=ANN)
        with refused_for("reason"):
            desk.service.reopen(CASE, reason=text, by=ANN)
    with refused_for("withdrawn"):
        desk.close(replace(CASE, withdrawn=True))
    with refused_for("open"):
        desk.service.confirm(CASE, BENIGN, by=BOB)
    assert (desk.states, desk.log.events) == ([], [])


def test_what_the_log_does_not_take_does_not_close_but_opens(desk: Desk) -> None:
    desk.log.broken = True
    with pytest.raises(StoreUnavailableError):
        desk.close()
    assert desk.states == []
    desk.log.broken = False
    desk.close(GRAVE)
    desk.log.broken = True
    with pytest.raises(StoreUnavailableError):
        desk.service.confirm(GRAVE, BENIGN, by=BOB)
    assert desk.states == ["proposed"]
    with pytest.raises(StoreUnavailableError):
        desk.service.reopen(GRAVE, reason="r", by=BOB)
    assert desk.states == ["dropped"], "what shows more is committed, and told later"


def test_of_many_who_close_at_once_one_does(desk: Desk) -> None:
    def attempt(number: int) -> str:
        try:
            return desk.close(by=Actor(staff_id=f"r{number}")).state
        except DispositionRefusedError as error:
            return error.reason

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(attempt, range(6)))
    assert found.count("settled") == 1
    assert set(found) <= {"settled", "closed", "overtaken"}
    assert desk.states == ["settled"]


@pytest.mark.parametrize("kind", DispositionKind)
def test_what_a_disposition_says_of_its_findings(kind: DispositionKind) -> None:
    right = {"confirmed_misuse": True, "policy_breach": True, "data_fault": None}
    assert kind.true is right.get(kind, False)
