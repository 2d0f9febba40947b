"""Approvals asked for and given, and the media ledger."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from asking import BASE, BOSS, ME, NOW, OTHER, RESIDENT, SYSTEM, Log, Reader, approval, facts, post, question, said

from audit.access.decisions import (
    Actor,
    DecisionService,
    Effect,
    LedgerRefusedError,
    MediumRefusedError,
    decide,
)
from audit.access.decisions.ledger.media import MediaService
from audit.access.decisions.ledger.model import ApprovalKind, ApprovalState, Entry, MediumState, Wanted
from audit.access.decisions.ledger.service import LedgerService
from audit.clock import FixedClock
from audit.context import Post
from audit.events import check
from audit.store.state import StateStore

CHIEF = "s0002"  # head of the department
ALIAS = "s9412"  # another id of ME


@dataclass
class Directory:
    """A small town hall."""

    posts: dict[str, Post] = field(
        default_factory=lambda: {
            one.staff_id: one
            for one in (post(ME), post(OTHER), post(BOSS), post(CHIEF, unit="hoken"), post(ALIAS, unit="hoken"))
        }
    )
    heads: dict[str, str] = field(default_factory=lambda: {"hoken/shikaku": BOSS, "hoken": CHIEF})

    def post_at(self, staff_id: str, at: datetime) -> Post | None:
        found = self.posts.get(staff_id)
        return found if found is not None and found.holds(at) else None

    def head_of(self, unit: str, at: datetime) -> str | None:
        head = self.heads.get(unit)
        return head if head is not None and self.post_at(head, at) else None

    def same_natural_person(self, one: str, other: str) -> bool:
        return one == other or {one, other} == {ME, ALIAS}


@pytest.fixture
def people() -> Directory:
    return Directory()


@pytest.fixture
def ledger(store: StateStore, clock: FixedClock, log: Log, people: Directory) -> LedgerService:
    return LedgerService(store, clock, log, people)


def by(staff_id: str) -> Actor:
    return Actor(staff_id=staff_id, address="10.3.1.31", session=f"sid-{staff_id}")


def wanted(kind: ApprovalKind = ApprovalKind.EXPORT, **changes: Any) -> Wanted:
    asked = Wanted(
        kind=kind,
        person=ME,
        system=SYSTEM,
        start=NOW,
        end=NOW + timedelta(days=1),
        reason="納入通知書の発送",
        max_rows=500,
    )
    return replace(asked, **changes)


def in_force(ledger: LedgerService, **changes: Any) -> Entry:
    return ledger.approve(ledger.ask(wanted(**changes), by=by(ME)).id, by=by(BOSS))


def test_asked_for_given_by_the_head_and_in_force(ledger: LedgerService, log: Log, clock: FixedClock) -> None:
    asked = ledger.ask(wanted(), by=by(ME))
    assert ledger.in_force(ME, SYSTEM, NOW) == ()
    clock.advance(timedelta(minutes=5))
    given = ledger.approve(asked.id, by=by(BOSS))
    assert (given.state, given.settled_by) == (ApprovalState.IN_FORCE, BOSS)
    (seen,) = ledger.in_force(ME, SYSTEM, clock.now())
    assert (seen.kind, seen.approved_by, seen.entered_at, seen.max_rows) == ("export", BOSS, clock.now(), 500)
    assert [doc["activity"] for doc in log.docs] == ["apply", "approve"]
    assert log.last()["unmapped"]["old"] == {"state": "asked"}
    assert log.last()["unmapped"]["new"]["state"] == "in_force"
    assert log.last()["target"] == {"id": ME, "system": SYSTEM}
    assert all(check(doc, clock.now()).faults == () for doc in log.docs)


def test_what_was_given_covers_what_comes_after_and_nothing_before(ledger: LedgerService, clock: FixedClock) -> None:
    asked = question("export", rows=10)
    clock.advance(timedelta(minutes=5))
    in_force(ledger, start=NOW - timedelta(hours=1))
    approvals = ledger.in_force(ME, SYSTEM, clock.now())
    assert said(decide(asked, facts(approvals=approvals), BASE)) == ("deny", "approval_late")
    later = facts(approvals=approvals, now=clock.now())
    assert decide(asked, replace(later, session=facts().session), BASE).effect is not Effect.DENY


@pytest.mark.parametrize(
    ("asker", "approver", "reason"),
    [
        (ME, ME, "oneself"),
        (ME, ALIAS, "oneself"),
        (ALIAS, ME, "oneself"),
        (OTHER, OTHER, "oneself"),
        (BOSS, BOSS, "oneself"),
        (ME, OTHER, "not_head"),
        (ME, "s0000", "not_head"),
        (ME, BOSS, ""),
        (ME, CHIEF, ""),
        (BOSS, CHIEF, ""),
    ],
)
def test_INV4_nobody_gives_what_concerns_themselves(
    ledger: LedgerService, asker: str, approver: str, reason: str
) -> None:
    entry = ledger.ask(wanted(), by=by(asker))
    if not reason:
        assert ledger.approve(entry.id, by=by(approver)).state is ApprovalState.IN_FORCE
        return
    with pytest.raises(LedgerRefusedError) as refused:
        ledger.approve(entry.id, by=by(approver))
    assert refused.value.reason == reason
    assert ledger.in_force(ME, SYSTEM, NOW) == ()


def test_INV4_a_head_is_approved_by_the_head_above_and_never_through_another_id(
    ledger: LedgerService, people: Directory
) -> None:
    people.heads = {"hoken/shikaku": ME, "hoken": ALIAS}
    entry = ledger.ask(wanted(), by=by(OTHER))
    for approver in (ME, ALIAS):
        with pytest.raises(LedgerRefusedError, match="themselves"):
            ledger.approve(entry.id, by=by(approver))


def test_a_head_who_has_left_approves_nothing(ledger: LedgerService, people: Directory, clock: FixedClock) -> None:
    entry = ledger.ask(wanted(), by=by(ME))
    people.posts[BOSS] = post(BOSS, end=clock.now())
    with pytest.raises(LedgerRefusedError) as refused:
        ledger.approve(entry.id, by=by(BOSS))
    assert refused.value.reason == "not_head"


@pytest.mark.both_engines
def test_two_answers_at_once_are_one(ledger: LedgerService, log: Log) -> None:
    entry = ledger.ask(wanted(), by=by(ME))

    def settle(nth: int) -> str:
        try:
            if nth % 2:
                ledger.approve(entry.id, by=by(BOSS))
            else:
                ledger.withdraw(entry.id, by=by(ME))
        except LedgerRefusedError as error:
            return error.reason
        return "done"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(settle, range(6)))
    assert outcomes.count("done") == 1
    assert len(log.docs) == 2


def test_an_approval_that_cannot_be_recorded_was_not_given(ledger: LedgerService, log: Log) -> None:
    entry = ledger.ask(wanted(), by=by(ME))
    log.down = True
    with pytest.raises(ConnectionError):
        ledger.approve(entry.id, by=by(BOSS))
    assert ledger.in_force(ME, SYSTEM, NOW) == ()
    assert ledger.entries()[0].state is ApprovalState.ASKED


def test_what_is_taken_away_is_gone_even_where_it_cannot_be_recorded(ledger: LedgerService, log: Log) -> None:
    entry = in_force(ledger)
    log.down = True
    with pytest.raises(ConnectionError):
        ledger.close(entry.id, by=by(ME))
    assert ledger.in_force(ME, SYSTEM, NOW) == ()


def test_refused_with_a_reason(ledger: LedgerService, log: Log) -> None:
    entry = ledger.ask(wanted(), by=by(ME))
    with pytest.raises(LedgerRefusedError):
        ledger.refuse(entry.id, by=by(BOSS), reason=" ")
    assert ledger.refuse(entry.id, by=by(BOSS), reason="件数が多すぎる").state is ApprovalState.REFUSED
    assert (log.last()["outcome"], log.last()["unmapped"]["why"]) == ("denied", "件数が多すぎる")


def test_others_end_nothing_of_mine(ledger: LedgerService) -> None:
    entry = ledger.ask(wanted(), by=by(ME))
    with pytest.raises(LedgerRefusedError):
        ledger.withdraw(entry.id, by=by(OTHER))
    ledger.approve(entry.id, by=by(BOSS))
    with pytest.raises(LedgerRefusedError):
        ledger.close(entry.id, by=by(OTHER))
    assert ledger.close(entry.id, by=by(CHIEF)).state is ApprovalState.CLOSED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"end": NOW}, "span"),
        ({"start": NOW + timedelta(days=2)}, "span"),
        ({"end": NOW + timedelta(days=93)}, "span"),
        ({"reason": "  "}, "reason"),
        ({"reason": "あ" * 501}, "reason"),
        ({"max_rows": 0}, "number"),
        ({"max_uses": 0}, "number"),
        ({"kind": ApprovalKind.TIME_WINDOW, "max_uses": 1}, "number"),
        ({"kind": ApprovalKind.MEDIA}, "medium"),
        ({"kind": ApprovalKind.SECOND_PERSON}, "subjects"),
        ({"subjects": (RESIDENT,)}, "subjects"),
        ({"kind": ApprovalKind.SECOND_PERSON, "subjects": (RESIDENT,) * 101}, "subjects"),
        ({"person": "s0000"}, "no_post"),
    ],
)
def test_what_cannot_be_approved_cannot_be_asked_for(
    ledger: LedgerService, log: Log, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(LedgerRefusedError) as refused:
        ledger.ask(wanted(**changes), by=by(ME))
    assert refused.value.reason == reason
    assert refused.value.text("ja") != refused.value.text("en")
    assert log.docs == []


def test_a_number_in_a_reason_is_kept_nowhere(ledger: LedgerService, log: Log) -> None:
    ledger.ask(wanted(reason="123456789018 の件"), by=by(ME))
    assert "123456789018" not in repr(ledger.entries()) + repr(log.docs)


def test_the_inbox_holds_what_one_may_settle(ledger: LedgerService) -> None:
    entry = ledger.ask(wanted(), by=by(ME))
    own = ledger.ask(wanted(person=BOSS), by=by(BOSS))
    assert [one.id for one in ledger.inbox(BOSS)] == [entry.id]
    assert {one.id for one in ledger.inbox(CHIEF)} == {entry.id, own.id}
    assert ledger.inbox(OTHER) == []


# Media ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def reader() -> Reader:
    return Reader(facts(approvals=(approval("media", medium_id="M-1", max_rows=None),)))


@pytest.fixture
def media(store: StateStore, clock: FixedClock, log: Log, reader: Reader) -> MediaService:
    decisions = DecisionService(reader, lambda: BASE, store, log, clock)
    service = MediaService(store, clock, log, decisions.decide)
    service.register("M-1", "usb", by=by(BOSS))
    return service


def test_a_medium_goes_out_is_written_to_comes_back_is_erased_and_disposed_of(media: MediaService, log: Log) -> None:
    states = []
    for step in ("media_checkout", "media_write", "media_return", "media_erase", "media_dispose"):
        answer = media.step(question(step, subjects=(), medium_id="M-1", rows=None), by=by(ME))
        assert answer.effect is Effect.ALLOW, answer.reason
        states.append(media.media()[0].state)
        assert (log.last()["activity"], log.last()["unmapped"]["decision"]) == (step, answer.id)
    assert states == ["out", "out", "returned", "stored", "disposed"]
    assert log.operations().count("allowed") == 5


@pytest.mark.parametrize("step", ["media_write", "media_return", "media_erase"])
def test_a_step_out_of_turn_is_refused(media: MediaService, step: str) -> None:
    with pytest.raises(MediumRefusedError):
        media.step(question(step, medium_id="M-1"), by=by(ME))


def test_without_an_approval_nothing_leaves_the_safe(media: MediaService, reader: Reader) -> None:
    reader.known = facts()
    assert said(media.step(question("media_checkout", medium_id="M-1"), by=by(ME))) == ("deny", "approval_needed")
    assert media.media()[0].state is MediumState.STORED


def test_only_its_holder_writes_to_a_medium(media: MediaService) -> None:
    media.step(question("media_checkout", medium_id="M-1"), by=by(ME))
    with pytest.raises(MediumRefusedError) as refused:
        media.step(question("media_write", person=OTHER, medium_id="M-1"), by=by(OTHER))
    assert refused.value.reason == "holder"


def test_nobody_takes_a_step_in_the_name_of_another(media: MediaService) -> None:
    with pytest.raises(MediumRefusedError):
        media.step(question("media_checkout", medium_id="M-1"), by=by(OTHER))


@pytest.mark.both_engines
def test_one_medium_goes_out_once(media: MediaService) -> None:
    def out(_: int) -> bool:
        try:
            return media.step(question("media_checkout", medium_id="M-1"), by=by(ME)).effect is Effect.ALLOW
        except MediumRefusedError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(out, range(4))) == 1


@pytest.mark.parametrize(("number", "reason"), [("", "shape"), ("M" * 65, "shape"), ("M-1", "known")])
def test_a_medium_is_registered_once_under_a_number(media: MediaService, number: str, reason: str) -> None:
    with pytest.raises(MediumRefusedError) as refused:
        media.register(number, "usb", by=by(BOSS))
    assert refused.value.reason == reason


def test_ones_own_requests_go_on_where_a_page_ended(ledger: LedgerService) -> None:
    made = set()
    for asker, person in ((ME, ME), (ME, OTHER), (OTHER, ME), (ME, ME)):
        made.add(ledger.ask(wanted(person=person), by=by(asker)).id)
    others = ledger.ask(wanted(person=OTHER), by=by(OTHER)).id
    found, after = list[str](), ""
    while page := ledger.entries(person=ME, limit=3, after=after):
        found += [one.id for one in page]
        after = found[-1]
    assert (len(found), set(found)) == (4, made)
    with pytest.raises(LookupError):
        ledger.entries(person=ME, after=others)
