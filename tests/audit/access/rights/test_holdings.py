"""What holds at each moment, how it ends, and what the target systems say."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from town_hall import (
    CHIEF,
    CLERK,
    DEPUTY,
    HEAD,
    KYUFU,
    NHI,
    OTHER_CHIEF,
    PEER,
    SHIKAKU,
    SYSTEMS_HEAD,
    TEMP,
    Hall,
)

from audit.access.rights import DecisionRefusedError, Doer, ReconciliationRefusedError, RightUnknownError
from audit.clock import TOKYO

MOVE = datetime(2026, 11, 1, tzinfo=TOKYO)


def until(hall: Hall, at: datetime) -> None:
    hall.clock.advance(at - hall.clock.now())


def move(hall: Hall) -> None:
    hall.staff(f"{CLERK},係員,,{KYUFU},主事,,regular,{OTHER_CHIEF},2026-11-01,,9000000001\n")


def test_E10_a_transfer_takes_effect_at_its_instant_and_without_any_job(hall: Hall) -> None:
    hall.granted()
    move(hall)
    until(hall, MOVE - timedelta(microseconds=1))
    assert hall.functions() == ["view"]
    until(hall, MOVE)
    assert hall.functions() == []
    move_back = f"{CLERK},係員,,{SHIKAKU},主事,,regular,{CHIEF},2026-12-01,,9000000001\n"
    hall.staff(move_back)
    until(hall, MOVE + timedelta(days=60))
    assert hall.functions() == []  # whoever comes back applies again


def test_E10_a_leaver_holds_nothing_at_once(hall: Hall) -> None:
    hall.granted()
    hall.staff(f"{CLERK},係員,,{SHIKAKU},主事,,regular,{CHIEF},2020-04-01,2026-10-31,9000000001\n")
    until(hall, MOVE - timedelta(microseconds=1))
    assert hall.functions() == ["view"]
    until(hall, MOVE)
    assert hall.functions() == []


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(f"{CLERK},係員,,{SHIKAKU},主事,,regular,{CHIEF},2020-04-01,,9000000001\n", id="lengthened"),
        pytest.param(f"{CLERK},係員,,{SHIKAKU},主事,,regular,{CHIEF},2026-11-01,,9000000001\n", id="gap filled"),
    ],
)
def test_E10_a_post_that_is_lengthened_after_its_end_brings_no_right_back(hall: Hall, row: str) -> None:
    hall.granted()
    hall.staff(f"{CLERK},係員,,{SHIKAKU},主事,,regular,{CHIEF},2020-04-01,2026-10-31,9000000001\n")
    until(hall, MOVE + timedelta(minutes=1))  # and no sweep has come by
    hall.staff(row)
    assert hall.functions() == []
    swept = hall.service.sweep(hall.clock.now())
    assert (swept.ended, swept.told) == (0, 1)
    assert hall.ledger.operations()[-1] == "rights.left_office"
    assert hall.ledger.docs[-1]["ended_at"] == MOVE.astimezone(UTC).isoformat()


def test_a_post_that_is_lengthened_before_its_end_keeps_the_right(hall: Hall) -> None:
    hall.granted()
    hall.staff(f"{CLERK},係員,,{SHIKAKU},主事,,regular,{CHIEF},2020-04-01,2026-10-31,9000000001\n")
    until(hall, MOVE - timedelta(microseconds=1))
    hall.staff(f"{CLERK},係員,,{SHIKAKU},主事,,regular,{CHIEF},2020-04-01,2026-11-30,9000000001\n")
    until(hall, MOVE)
    assert hall.functions() == ["view"]


def test_a_promotion_in_the_same_unit_keeps_the_right(hall: Hall) -> None:
    hall.granted()
    hall.staff(f"{CLERK},係員,,{SHIKAKU},主任,,regular,{CHIEF},2026-11-01,,9000000001\n")
    until(hall, MOVE)
    assert hall.functions() == ["view"]
    assert hall.service.sweep(hall.clock.now()).ended == 0


def test_the_sweep_writes_each_end_once_with_its_delay(hall: Hall) -> None:
    """C-075."""
    hall.granted(end=datetime(2026, 10, 20, tzinfo=TOKYO))
    hall.granted(functions=("print",))
    move(hall)
    until(hall, MOVE + timedelta(days=2))
    swept = hall.service.sweep(hall.clock.now())
    assert (swept.ended, swept.longest) == (2, timedelta(days=14))
    assert hall.service.sweep(hall.clock.now()).ended == 0
    ends = [doc for doc in hall.ledger.docs if doc["activity"] == "revoke"]
    assert sorted((doc["operation_name"], doc["delay_days"]) for doc in ends) == [
        ("rights.expired", "14.000"),
        ("rights.left_unit", "2.000"),
    ]
    assert all(doc["rights"][0]["before"]["person"] == CLERK and "after" not in doc["rights"][0] for doc in ends)
    assert all(doc["actor"]["kind"] == "system" for doc in ends)


def test_an_end_that_could_not_be_told_is_told_by_the_next_sweep(hall: Hall) -> None:
    hall.granted(end=MOVE)
    until(hall, MOVE)
    hall.ledger.down_for = "rights.expired"
    with pytest.raises(ConnectionError):
        hall.service.sweep(hall.clock.now())
    hall.ledger.down_for = None
    assert hall.functions() == []
    swept = hall.service.sweep(hall.clock.now())
    assert (swept.ended, swept.told) == (0, 1)
    assert hall.ledger.operations().count("rights.expired") == 1


@pytest.mark.parametrize("who", [CLERK, CHIEF, HEAD, SYSTEMS_HEAD, "admin"])
def test_a_right_is_ended_at_once_by_whoever_answers_for_it(hall: Hall, who: str) -> None:
    hall.granted()
    (right,) = hall.service.held(CLERK, NHI, hall.clock.now())
    with pytest.raises(DecisionRefusedError):
        hall.service.revoke(right.id, "", Doer(id=CHIEF))
    hall.service.revoke(right.id, "退職の申出", Doer(id=who, oversees=who == "admin"))
    assert hall.functions() == []
    last = hall.ledger.docs[-1]
    assert (last["activity"], last["actor"]["id"], last["rights"][0]["before"]["id"]) == ("revoke", who, right.id)
    with pytest.raises(RightUnknownError):
        hall.service.revoke(right.id, "もう一度", Doer(id=CHIEF))


@pytest.mark.parametrize("who", [PEER, OTHER_CHIEF, DEPUTY, "nobody", ""])
def test_nobody_else_ends_it(hall: Hall, who: str) -> None:
    hall.granted()
    (right,) = hall.service.held(CLERK, NHI, hall.clock.now())
    assert not hall.service.may_end(right, Doer(id=who))
    with pytest.raises(RightUnknownError):
        hall.service.revoke(right.id, "いたずら", Doer(id=who))
    assert hall.functions() == ["view"]


def test_E4_a_right_given_and_taken_within_a_minute_stands_in_the_log(hall: Hall) -> None:
    hall.granted()
    (right,) = hall.service.held(CLERK, NHI, hall.clock.now())
    hall.forward(seconds=40)
    hall.service.revoke(right.id, "用済み", Doer(id=CLERK))
    assert hall.service.held_by(CLERK) == []  # the state shows nothing
    told = [(doc["activity"], one["id"]) for doc in hall.ledger.docs for one in doc.get("rights", ())]
    assert told == [("grant", right.id), ("revoke", right.id)]
    assert [change.operation for change in hall.service.history(CLERK)] == ["rights.granted", "rights.revoked"]


def test_E17_a_right_that_ends_between_two_questions_does_not_hold_at_the_second(hall: Hall) -> None:
    hall.granted()
    at = hall.clock.now()
    (right,) = hall.service.held(CLERK, NHI, at)
    hall.service.revoke(right.id, "異動", Doer(id=CHIEF))
    assert hall.service.held(CLERK, NHI, at) == ()
    assert hall.ledger.docs[-1]["time"] >= at.astimezone(TOKYO).isoformat(timespec="microseconds")


def test_E17_nothing_revives_when_the_clock_goes_back(hall: Hall) -> None:
    hall.granted()
    (right,) = hall.service.held(CLERK, NHI, hall.clock.now())
    hall.forward(hours=2)
    hall.service.revoke(right.id, "異動", Doer(id=CHIEF))
    hall.forward(hours=-1)
    assert hall.functions() == []


def test_every_past_state_is_rebuilt_from_the_book_and_from_the_log(hall: Hall) -> None:
    """F5: old and new value on every change."""
    seen = []

    def look() -> None:
        seen.append((hall.clock.now(), set(hall.functions()) | set(hall.functions(TEMP))))
        hall.forward(hours=1)

    look()
    first = hall.granted()
    look()
    hall.granted(TEMP, functions=("print",), end=hall.people.posts(TEMP)[0].end)
    look()
    change = hall.service.apply(hall.changed(first, functions=("update", "media")), Doer(id=CLERK))
    for by in (CHIEF, SYSTEMS_HEAD):
        hall.service.approve(change.id, Doer(id=by))
    look()
    (right,) = [one for one in hall.service.held(CLERK, NHI, hall.clock.now()) if one.function == "media"]
    hall.service.revoke(right.id, "不要", Doer(id=CHIEF))
    look()
    move(hall)
    until(hall, MOVE + timedelta(days=1))
    hall.service.sweep(hall.clock.now())
    look()
    assert [functions for _, functions in seen] == [
        set(),
        {"view"},
        {"view", "print"},
        {"update", "media", "print"},
        {"update", "print"},
        {"print"},
    ]
    for at, functions in seen:
        assert {right.function for right in hall.service.held_at(at)} == functions
    book = [(change.at, change.before, change.after, change.operation) for change in hall.service.history()]
    assert [(one.at, one.before, one.after, one.operation) for one in hall.ledger.changes()] == book


# Reconciliation


def reconcile(hall: Hall, text: str, by: str = "admin") -> list[tuple[str, str, str]]:
    result = hall.service.reconcile(NHI, text.encode(), Doer(id=by))
    assert hall.service.last_reconciliation(NHI) == result
    return [(one.what, one.person, one.function) for one in result.differences]


def test_what_the_target_has_is_compared_with_what_was_approved(hall: Hall) -> None:
    """C-077."""
    assert hall.service.last_reconciliation(NHI) is None
    hall.granted(functions=("view", "print"), end=datetime(2026, 12, 1, tzinfo=TOKYO))
    hall.granted(functions=("update",))
    hall.granted(functions=("media",))
    assert reconcile(
        hall,
        "person,function,affair,from,to\n"
        f"{CLERK},view,,2026-10-05,2026-11-30\n"  # the last day is included
        f"{CLERK},print,,2026-10-05,\n"  # without an end there
        f"{CLERK},update,,2026-09-01,\n"  # there before it was approved
        f"{PEER},view,,,\n",
    ) == [
        ("missing", CLERK, "media"),
        ("validity", CLERK, "print"),
        ("validity", CLERK, "update"),
        ("unapproved", PEER, "view"),
    ]
    assert [doc["activity"] for doc in hall.ledger.docs[-2:]] == ["ledger_entry", "security_event"]
    assert hall.ledger.docs[-1]["rights_found"] == [f"{PEER} view"]
    applied = {one.right.function for one in hall.service.held_by(CLERK) if one.applied_at}
    assert applied == {"view", "print", "update"}


def test_a_right_that_ended_is_not_approved_any_more(hall: Hall) -> None:
    hall.granted()
    row = f"person,function\n{CLERK},view\n"
    assert reconcile(hall, row) == []
    (right,) = hall.service.held(CLERK, NHI, hall.clock.now())
    hall.service.revoke(right.id, "異動", Doer(id=CHIEF))
    assert reconcile(hall, json.dumps([{"person": CLERK, "function": "view"}])) == [("unapproved", CLERK, "view")]


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00",
        b"name\nx\n",
        b"person,function\n,view\n",
        b"person,function,from\na,view,tomorrow\n",
        b"person,function,from,to\na,view,2026-02-02,2026-02-01\n",
        b"person,function,from\na,view,2026-02-31\n",
        b"person,function\n123456789018,view\n",
        b"person,function\na,view,more\n",
        b'person,function\n"a,view\n',
        b"[1]",
        b"{",
        b'[{"person": "' + b"x" * 101 + b'", "function": "view"}]',
    ],
)
def test_a_list_with_a_fault_is_not_used_at_all(hall: Hall, data: bytes) -> None:
    hall.granted()
    before = len(hall.ledger.docs)
    with pytest.raises(ReconciliationRefusedError) as error:
        hall.service.reconcile(NHI, data, None)
    assert "\n" in error.value.text("ja")
    assert "123456789018" not in error.value.text("ja")
    assert hall.service.last_reconciliation(NHI) is None
    assert len(hall.ledger.docs) == before


def test_a_list_in_cp932_of_an_unknown_system_or_person(hall: Hall) -> None:
    assert reconcile(hall, "person,function,affair\nx9,照会,国保\n") == [("unapproved", "x9", "照会")]
    result = hall.service.reconcile(NHI, "person,function\nx9,照会\n".encode("cp932"), None)
    assert result.count("unapproved") == 1
    assert hall.ledger.docs[-1]["actor"]["kind"] == "system"
    with pytest.raises(ReconciliationRefusedError):
        hall.service.reconcile("moon", b"person,function\n", None)


def test_the_ledger_says_who_holds_what_and_who_approved_it(hall: Hall) -> None:
    hall.granted()
    (entry,) = hall.service.ledger(NHI)
    assert entry.holds
    assert [one.by for one in entry.application.approvals] == [CHIEF, SYSTEMS_HEAD]
    assert hall.service.counts() == {NHI: 1}
    move(hall)
    until(hall, MOVE)
    (entry,) = hall.service.ledger(NHI)
    assert not entry.holds
    assert entry.right.unit == SHIKAKU
