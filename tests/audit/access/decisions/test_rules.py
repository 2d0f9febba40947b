"""Every rule, on and off."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from asking import (
    BASE,
    BOSS,
    ME,
    NOW,
    OTHER,
    RESIDENT,
    SYSTEM,
    approval,
    emergency,
    facts,
    policy,
    post,
    proof,
    question,
    right,
    rights,
    said,
    session,
    terminal,
)

from audit.access.decisions import TEXTS, Effect, Reason, decide
from audit.access.decisions.policy import NO_POLICY
from audit.access.strength import Acr, FactorPolicy

Changes = dict[str, Any]
SECOND: Changes = {
    "second_session": session(OTHER),
    "second_entitlements": rights("view", "update", person=OTHER),
}
EXPORT: Changes = {"activity": "export", "rows": 100}
ALLOW = ("allow", "allowed")

# What is asked, what is known, the policy, and the answer.
TABLE: list[tuple[str, Changes, Changes, Changes, tuple[str, str]]] = [
    ("all is well", {}, {}, {}, ALLOW),
    # Who
    ("nobody of ours", {}, {"post": None}, {}, ("deny", "no_post")),
    ("a post that has ended", {}, {"post": post(end=NOW)}, {}, ("deny", "no_post")),
    ("a post that begins now", {}, {"post": post(start=NOW)}, {}, ALLOW),
    ("the post of somebody else", {}, {"post": post(OTHER)}, {}, ("deny", "no_post")),
    # In which session
    ("no session", {}, {"session": None}, {}, ("deny", "no_session")),
    ("the session of somebody else", {}, {"session": session(OTHER)}, {}, ("deny", "no_session")),
    ("locked", {}, {"session": session(locked=True)}, {}, ("deny", "session_locked")),
    ("another session", {"session": "sid-x"}, {}, {}, ("deny", "other_session")),
    ("nothing shown of the session", {"session": "", "address": ""}, {}, {}, ("deny", "other_session")),
    ("the address shown", {"session": ""}, {}, {}, ALLOW),
    ("the address is not enough", {"session": ""}, {}, {"bind": "session"}, ("deny", "other_session")),
    ("another address", {"address": "10.3.1.99"}, {}, {}, ("deny", "other_address")),
    ("the same address otherwise written", {"address": f"::ffff:{ip_address('10.3.1.31')}"}, {}, {}, ALLOW),
    ("no address at all", {"address": "front desk"}, {}, {}, ("deny", "other_address")),
    ("another terminal", {"terminal_id": "T-9"}, {}, {}, ("deny", "other_terminal")),
    # Where
    ("no terminal there", {}, {"terminals": ()}, {}, ("deny", "terminal_unregistered")),
    ("no terminal there, and it does not matter", {}, {"terminals": ()}, {"terminals": "any"}, ALLOW),
    ("no terminals at all", {}, {"terminals": (), "terminals_known": False}, {}, ALLOW),
    ("none at all, and one is needed", {}, {"terminals": (), "terminals_known": False}, {"terminals": "registered"},
     ("deny", "terminal_unregistered")),
    ("an id claimed from elsewhere", {"terminal_id": "T-0231"}, {"terminals": (terminal(ip_range="10.9.0.0/16"),)},
     {}, ("deny", "terminal_unregistered")),
    ("a terminal without an address", {}, {"terminals": (terminal(ip_range=""),)}, {},
     ("deny", "terminal_unregistered")),
    ("a terminal of another unit", {}, {"terminals": (terminal(org_unit="zeimu"),)}, {}, ALLOW),
    ("a terminal of another unit where it matters", {}, {"terminals": (terminal(org_unit="zeimu"),)},
     {"terminals": "unit"}, ("deny", "terminal_other_unit")),
    ("a terminal of the department", {}, {"terminals": (terminal(org_unit="hoken"),)}, {"terminals": "unit"}, ALLOW),
    ("a unit that only begins alike", {}, {"terminals": (terminal(org_unit="hok"),)}, {"terminals": "unit"},
     ("deny", "terminal_other_unit")),
    ("a shared terminal", {}, {"terminals": (terminal(org_unit="zeimu", kind="shared"),)}, {"terminals": "unit"},
     ALLOW),
    # By an envelope
    ("by an envelope, in its system", {}, {"session": session(limited_to=SYSTEM)}, {}, ALLOW),
    ("by an envelope, elsewhere", {}, {"session": session(limited_to="tax")}, {}, ("deny", "emergency_elsewhere")),
    # What for

    ("no right", {}, {"entitlements": ()}, {}, ("deny", "no_right")),
    ("another right", {}, {"entitlements": rights("update")}, {}, ("deny", "no_right")),
    ("a right in another system", {}, {"entitlements": (right(system="tax"),)}, {}, ("deny", "no_right")),
    ("a right of somebody else", {}, {"entitlements": (right(person=OTHER),)}, {}, ("deny", "no_right")),
    ("a right for another unit", {}, {"entitlements": (right(unit="zeimu"),)}, {}, ("deny", "no_right")),
    ("a right for the department", {}, {"entitlements": (right(unit="hoken"),)}, {}, ALLOW),
    ("a right that ends now", {}, {"entitlements": (right(end=NOW),)}, {}, ("deny", "no_right")),
    ("a right that begins now", {}, {"entitlements": (right(start=NOW),)}, {}, ALLOW),
    ("an act of no kind on a record", {"activity": "operation"}, {"entitlements": rights("print")}, {},
     ("deny", "no_right")),
    ("an act of no kind on a record by one who may view", {"activity": "operation"}, {"entitlements": rights("view")},
     {}, ALLOW),
    ("an act of no kind on nobody", {"activity": "operation", "subjects": ()}, {"entitlements": rights("print")}, {},
     ALLOW),
    ("a right that begins later", {}, {"entitlements": (right(start=NOW + timedelta(seconds=1)),)}, {},
     ("deny", "no_right")),
    ("a right for one affair", {"affair": "levy"}, {"entitlements": (right(affair="levy"),)}, {}, ALLOW),
    ("a right for another affair", {"affair": "levy"}, {"entitlements": (right(affair="benefits"),)}, {},
     ("deny", "no_right")),
    ("an affair that is not said", {}, {"entitlements": (right(affair="levy"),)}, {}, ("deny", "no_right")),
    ("a lesser function is named", {**EXPORT, "function": "view"}, {"entitlements": rights("view")}, {},
     ("deny", "no_right")),
    ("a function beside the activity's", {"function": "number_view"}, {"entitlements": rights("view")}, {},
     ("deny", "no_right")),
    ("an act that needs no function", {"activity": "lock"}, {}, {}, ALLOW),
    ("an act that needs no function, of a stranger", {"activity": "lock"}, {"entitlements": ()}, {},
     ("deny", "no_right")),
    ("no such act", {"activity": "peek"}, {}, {}, ("deny", "unknown_activity")),
    # When
    ("at night", {}, {"working": ()}, {}, ("deny", "outside_hours")),
    ("at night, and it does not matter", {}, {"working": ()}, {"hours": "free"}, ALLOW),
    ("at night, noted", {}, {"working": ()}, {"hours": "noted"}, ALLOW),
    ("at night, approved", {}, {"working": (), "approvals": (approval("time_window"),)}, {}, ALLOW),
    ("at night, approved by oneself", {}, {"working": (), "approvals": (approval("time_window", approved_by=ME),)}, {},
     ("deny", "outside_hours")),
    ("at night, maintenance", {}, {"working": (), "approvals": (approval("maintenance"),)}, {},
     ("deny", "outside_hours")),
    ("on leave", {}, {"on_leave": True}, {}, ("deny", "on_leave")),
    ("on leave, called in", {}, {"on_leave": True, "approvals": (approval("time_window"),)}, {}, ALLOW),
    # What for
    ("no purpose", {}, {}, {"ask_for": "purpose"}, ("deny", "purpose_missing")),
    ("a purpose", {"purpose": "levy"}, {}, {"ask_for": "purpose"}, ALLOW),
    ("a case is no purpose", {"case_id": "c-1"}, {}, {"ask_for": "purpose"}, ("deny", "purpose_missing")),
    ("a case will do", {"case_id": "c-1"}, {}, {"ask_for": "purpose_or_case"}, ALLOW),
    ("neither", {}, {}, {"ask_for": "purpose_or_case"}, ("deny", "purpose_missing")),
    ("no case", {"purpose": "levy"}, {}, {"ask_for": "case"}, ("deny", "case_missing")),
    ("a purpose off the list", {"purpose": "curiosity"}, {}, {"purposes": frozenset({"levy"})},
     ("deny", "purpose_unknown")),
    # How sure
    ("too weak", {}, {"session": session(proof=proof("password"))}, {}, ("step_up", "proof_weak")),
    ("strong in another way", {}, {"session": session(proof=proof("password", "totp"))}, {}, ALLOW),
    ("a recovery code is for binding", {}, {"session": session(proof=proof("password", "recovery_code"))}, {},
     ("step_up", "proof_weak")),
    ("too old", {"function": "number_view"}, {"session": session(proof=proof(age=300))}, {}, ("step_up", "proof_old")),
    ("just young enough", {"function": "number_view"}, {"session": session(proof=proof(age=299))}, {}, ALLOW),
    ("old, and it does not matter", {}, {"session": session(proof=proof(age=3000))}, {}, ALLOW),
    ("proved in the future", {"function": "number_view"}, {"session": session(proof=proof(age=-60))}, {},
     ("step_up", "proof_old")),
    # About whom
    ("oneself", {}, {"related": {RESIDENT: "self"}}, {}, ("deny", "self")),
    ("oneself, noted", {}, {"related": {RESIDENT: "self"}}, {"self": "noted"}, ALLOW),
    ("family", {}, {"related": {RESIDENT: "family"}}, {}, ("deny", "second_person_needed")),
    ("family, refused", {}, {"related": {RESIDENT: "family"}}, {"family": "deny"}, ("deny", "family")),
    ("a colleague", {}, {"related": {RESIDENT: "colleague"}}, {}, ALLOW),
    ("a colleague, refused", {}, {"related": {RESIDENT: "colleague"}}, {"colleague": "deny"}, ("deny", "colleague")),
    ("a relation nobody defined", {}, {"related": {RESIDENT: "neighbour"}}, {}, ("deny", "protected")),
    ("protected", {}, {"flags": {RESIDENT: frozenset({"protected"})}}, {}, ("deny", "second_person_needed")),
    ("protected, refused", {}, {"flags": {RESIDENT: frozenset({"protected"})}}, {"protected": "deny"},
     ("deny", "protected")),
    ("vip", {}, {"flags": {RESIDENT: frozenset({"vip"})}}, {}, ALLOW),
    ("deceased", {}, {"flags": {RESIDENT: frozenset({"deceased"})}}, {}, ALLOW),
    ("the strictest of several", {"subjects": ("r-2", RESIDENT)},
     {"flags": {RESIDENT: frozenset({"vip", "protected"})}}, {}, ("deny", "second_person_needed")),
    ("two persons for an act", {"activity": "bind_number"}, {}, {}, ("deny", "second_person_needed")),
    ("two persons for an act are there", {"activity": "bind_number", "second_person": OTHER}, SECOND, {}, ALLOW),
    # What leaves
    ("no approval", EXPORT, {}, {}, ("deny", "approval_needed")),
    ("an approval", EXPORT, {"approvals": (approval(),)}, {}, ALLOW),
    ("an approval of another kind", EXPORT, {"approvals": (approval("print"),)}, {}, ("deny", "approval_needed")),
    ("an approval for somebody else", EXPORT, {"approvals": (approval(person=OTHER),)}, {},
     ("deny", "approval_needed")),
    ("an approval for nobody", EXPORT, {"approvals": (approval(person=""),)}, {}, ("deny", "approval_needed")),
    ("an application", EXPORT, {"approvals": (approval(approved_by=""),)}, {}, ("deny", "approval_needed")),
    ("an approval that is over", EXPORT, {"approvals": (approval(end=NOW),)}, {}, ("deny", "approval_needed")),
    ("an approval to come", EXPORT, {"approvals": (approval(start=NOW + timedelta(hours=1)),)}, {},
     ("deny", "approval_needed")),
    ("an approval for another system", EXPORT, {"approvals": (approval(system="tax"),)}, {},
     ("deny", "approval_needed")),
    ("an approval for every system", EXPORT, {"approvals": (approval(system=""),)}, {}, ALLOW),
    ("approved by oneself", EXPORT, {"approvals": (approval(approved_by=ME),)}, {}, ("deny", "approval_own")),
    ("approved by one's other id", EXPORT, {"approvals": (approval(),), "selves": frozenset({BOSS})}, {},
     ("deny", "approval_own")),
    ("an export by another name", {"function": "export", "rows": 100}, {}, {}, ("deny", "approval_needed")),
    ("an approved export by another name", {"function": "export", "rows": 100}, {"approvals": (approval(),)}, {},
     ALLOW),
    ("bringing a medium back by its function", {"activity": "media_return", "function": "media", "medium_id": "M-1"},
     {}, {}, ALLOW),
    ("entered after the act", EXPORT, {"approvals": (approval(entered_at=NOW + timedelta(seconds=1)),)}, {},
     ("deny", "approval_late")),
    ("nobody knows when entered", EXPORT, {"approvals": (approval(entered_at=None),)}, {}, ("deny", "approval_late")),
    ("as many as approved", {**EXPORT, "rows": 500}, {"approvals": (approval(),)}, {}, ALLOW),
    ("more than approved", {**EXPORT, "rows": 501}, {"approvals": (approval(),)}, {}, ("deny", "approval_rows")),
    ("nobody says how many", {**EXPORT, "rows": None}, {"approvals": (approval(),)}, {}, ("deny", "approval_rows")),
    ("nobody says how many, and no limit", {**EXPORT, "rows": None}, {"approvals": (approval(max_rows=None),)}, {},
     ALLOW),
    ("another medium", {**EXPORT, "medium_id": "M-2"}, {"approvals": (approval(medium_id="M-1"),)}, {},
     ("deny", "approval_medium")),
    ("a medium without its number", {"activity": "media_write"}, {"approvals": (approval("media"),)}, {},
     ("deny", "medium_missing")),
    ("the approved medium", {"activity": "media_write", "medium_id": "M-1"},
     {"approvals": (approval("media", medium_id="M-1"),)}, {}, ALLOW),
    ("bringing a medium back", {"activity": "media_return", "medium_id": "M-1"}, {}, {}, ALLOW),
    ("a print of a few", {"activity": "print", "rows": 20}, {}, {}, ALLOW),
    ("a print of many", {"activity": "print", "rows": 21}, {}, {}, ("deny", "approval_needed")),
    ("maintenance", {"activity": "maintenance"}, {}, {}, ("deny", "approval_needed")),
    ("maintenance, approved, at night", {"activity": "maintenance"},
     {"working": (), "approvals": (approval("maintenance", max_rows=None),)}, {}, ALLOW),
]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "known", "changed", "expected"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE]
)
def test_every_rule_on_and_off(asked: Changes, known: Changes, changed: Changes, expected: tuple[str, str]) -> None:
    answer = decide(question(**asked), facts(**known), policy(**changed))
    assert said(answer) == expected


def test_the_table_reaches_every_reason_that_a_rule_gives() -> None:
    elsewhere = {"no_policy", "not_judged", "not_recorded", "approval_used"}
    elsewhere |= {"second_person_refused", "second_person_old"}
    never_denied_by_default = {"deceased", "vip", "staff"}
    reached = {expected[1] for *_, expected in TABLE}
    assert set(Reason) - elsewhere - never_denied_by_default == reached


def test_every_reason_has_a_sentence_in_both_languages() -> None:
    assert set(TEXTS) == set(Reason)
    assert all(text.ja and text.en and text.ja != text.en for text in TEXTS.values())


@pytest.mark.parametrize("flag", ["vip", "deceased", "staff", "protected"])
def test_a_denial_for_a_flag_says_the_same_sentence_style_and_its_own_word(flag: str) -> None:
    answer = decide(question(), facts(flags={RESIDENT: frozenset({flag})}), policy(**{flag: "deny"}))
    assert said(answer) == ("deny", flag)
    assert RESIDENT not in answer.texts.ja


def test_no_policy_denies_everything() -> None:
    assert said(decide(question(), facts(), NO_POLICY)) == ("deny", "no_policy")


def test_a_system_has_its_own_policy_and_others_the_general_one() -> None:
    assert BASE.general is not None
    own = replace(BASE, systems={SYSTEM: replace(BASE.general, ask_for="case")})
    assert said(decide(question(), facts(), own)) == ("deny", "case_missing")
    elsewhere = facts(entitlements=(right(system="tax"),))
    assert said(decide(question(system="tax"), elsewhere, own)) == ALLOW


# Answers -------------------------------------------------------------------------------------------------------------


def test_an_allow_may_be_relied_on_for_seconds_and_an_output_not_at_all() -> None:
    assert decide(question(), facts(), BASE).life == timedelta(seconds=3)
    output = decide(question(**EXPORT), facts(approvals=(approval(),)), BASE)
    assert (output.effect, output.life, output.approval) == (Effect.ALLOW, timedelta(0), "a-51")


def test_a_step_up_says_what_to_ask_for() -> None:
    bio = facts(
        factors=FactorPolicy.parse("palm_vein|fingerprint+pin"), session=session(proof=proof("password", "totp"))
    )
    weak = decide(question(), bio, BASE)
    assert (weak.acr, weak.max_age) == (Acr.BIOMETRIC, None)
    old = decide(question(function="number_view"), facts(session=session(proof=proof(age=301))), BASE)
    assert (old.acr, old.max_age) == (Acr.OTP, timedelta(minutes=5))


def test_what_is_looked_at_afterwards_is_noted() -> None:
    known = facts(flags={RESIDENT: frozenset({"vip", "deceased"})}, related={RESIDENT: "colleague"}, working=())
    answer = decide(question(), known, policy(hours="noted"))
    assert answer.notes == ("outside_hours", "colleague", "deceased", "vip")


def test_an_approved_night_names_its_approval() -> None:
    answer = decide(question(), facts(working=(), approvals=(approval("time_window"),)), BASE)
    assert (answer.notes, answer.approval) == (("outside_hours_approved",), "a-51")


def test_an_allow_names_every_approval_that_it_rests_on() -> None:
    night, look = approval("time_window", id="a-1"), approval("second_person", id="a-2", subjects=(RESIDENT,))
    known = facts(**PROTECTED, working=(), approvals=(night, look, approval(id="a-3")))
    answer = decide(question(**EXPORT), known, BASE)
    assert (said(answer), answer.approvals, answer.approval) == (ALLOW, ("a-1", "a-2", "a-3"), "a-3")
    assert decide(question(), facts(), BASE).approvals == ()


# The second person ---------------------------------------------------------------------------------------------------

PROTECTED: Changes = {"flags": {RESIDENT: frozenset({"protected"})}}


@pytest.mark.parametrize(
    "changes",
    [
        {"second_session": None},
        {"second_session": session(OTHER, locked=True)},
        {"second_session": session(OTHER, limited_to=SYSTEM)},
        {"second_session": session(BOSS)},
        {"second_session": session(OTHER, proof=proof("password"))},
        {"second_entitlements": ()},
        {"second_entitlements": rights("update", person=OTHER)},
        {"second_entitlements": rights("view")},
        {"selves": frozenset({OTHER})},
        {"second_related": {RESIDENT: "family"}},
    ],
)
def test_a_second_person_must_be_another_be_there_and_hold_the_right(changes: Changes) -> None:
    asked = question(second_person=OTHER)
    assert said(decide(asked, facts(**PROTECTED, **SECOND), BASE)) == ALLOW
    assert said(decide(asked, facts(**(PROTECTED | SECOND | changes)), BASE)) == ("deny", "second_person_refused")


def test_E13_a_second_person_whose_session_was_left_open_confirms_nothing() -> None:
    asked = question(second_person=OTHER)
    for age, changed, expected in [
        (299, {}, ALLOW),
        (300, {}, ("deny", "second_person_old")),
        (-60, {}, ("deny", "second_person_old")),
        (60, {"second_person_seconds": 60}, ("deny", "second_person_old")),
    ]:
        there = SECOND | {"second_session": session(OTHER, proof=proof(age=age))}
        assert said(decide(asked, facts(**PROTECTED, **there), policy(**changed))) == expected


def test_E13_nobody_is_their_own_second_person() -> None:
    known = facts(**PROTECTED, second_session=session(), second_entitlements=rights("view"))
    assert said(decide(question(second_person=ME), known, BASE)) == ("deny", "second_person_refused")


def test_an_approval_beforehand_is_for_these_residents_alone() -> None:
    given = approval("second_person", subjects=(RESIDENT,), max_rows=None)
    assert said(decide(question(), facts(**PROTECTED, approvals=(given,)), BASE)) == ALLOW
    both = question(subjects=(RESIDENT, "r-2"))
    assert said(decide(both, facts(**PROTECTED, approvals=(given,)), BASE)) == ("deny", "second_person_needed")
    kin = replace(given, concerned=frozenset({RESIDENT}))
    assert said(decide(question(), facts(**PROTECTED, approvals=(kin,)), BASE)) == ("deny", "second_person_needed")
    mine = replace(given, approved_by=ME)
    assert said(decide(question(), facts(**PROTECTED, approvals=(mine,)), BASE)) == ("deny", "second_person_needed")


# What may be learnt --------------------------------------------------------------------------------------------------


def test_who_has_no_right_learns_nothing_of_the_resident_the_hour_or_the_factors() -> None:
    known = facts(
        entitlements=(),
        working=(),
        session=session(proof=proof("password")),
        flags={RESIDENT: frozenset({"protected"})},
    )
    assert said(decide(question(), known, BASE)) == ("deny", "no_right")


def test_who_has_proved_too_little_learns_nothing_of_the_resident() -> None:
    known = facts(session=session(proof=proof("password")), flags={RESIDENT: frozenset({"protected"})})
    with_flag = decide(question(), known, BASE)
    assert with_flag == decide(question(), replace(known, flags={}), BASE)
    assert with_flag.notes == ()


# Emergencies ---------------------------------------------------------------------------------------------------------

BREAKING = policy(break_glass=True)
LIFTED: list[tuple[str, Changes, Changes]] = [
    ("entitlement", {}, {"entitlements": ()}),
    ("time", {}, {"working": ()}),
    ("time", {}, {"on_leave": True}),
    ("terminal", {}, {"terminals": ()}),
    ("second_person", {}, PROTECTED),
]


@pytest.mark.parametrize(("what", "asked", "known"), LIFTED)
def test_E9_an_emergency_lifts_what_the_policy_names(what: str, asked: Changes, known: Changes) -> None:
    answer = decide(question(**asked), facts(**known, emergency=emergency()), BREAKING)
    assert said(answer) == ALLOW
    assert {"break_glass", f"lifted_{what}"} <= set(answer.notes)
    without = policy(break_glass=True, break_glass_lifts=frozenset())
    assert decide(question(**asked), facts(**known, emergency=emergency()), without).effect is Effect.DENY
    assert decide(question(**asked), facts(**known, emergency=emergency()), BASE).effect is Effect.DENY
    assert decide(question(**asked), facts(**known), BREAKING).effect is Effect.DENY


@pytest.mark.parametrize(
    ("asked", "known", "reason"),
    [
        ({}, {"post": None}, "no_post"),
        ({}, {"session": None}, "no_session"),
        ({}, {"session": session(locked=True)}, "session_locked"),
        ({"session": "x"}, {}, "other_session"),
        ({"address": "10.9.9.9"}, {}, "other_address"),
        ({}, {"related": {RESIDENT: "self"}}, "self"),
        (EXPORT, {}, "approval_needed"),
    ],
)
def test_E9_an_emergency_never_lifts_the_person_the_session_or_an_output(
    asked: Changes, known: Changes, reason: str
) -> None:
    answer = decide(question(**asked), facts(**known, emergency=emergency(sealed=True)), BREAKING)
    assert said(answer) == ("deny", reason)


def test_E9_the_factors_are_lifted_only_by_a_sealed_credential() -> None:
    weak = session(proof=proof("password", "recovery_code", age=4000))
    asked = question(function="number_view")
    plain = decide(asked, facts(session=weak, emergency=emergency()), BREAKING)
    assert said(plain) == ("step_up", "proof_weak")
    sealed = decide(asked, facts(session=weak, emergency=emergency(sealed=True)), BREAKING)
    assert said(sealed) == ALLOW
    assert "lifted_factors" in sealed.notes


@pytest.mark.parametrize(
    "changes",
    [{"end": NOW}, {"start": NOW + timedelta(seconds=1)}, {"person": OTHER}, {"system": "tax"}],
)
def test_E9_an_emergency_is_for_one_person_one_system_and_its_time(changes: Changes) -> None:
    answer = decide(question(), facts(entitlements=(), emergency=emergency(**changes)), BREAKING)
    assert said(answer) == ("deny", "no_right")


def test_every_answer_under_an_emergency_says_so() -> None:
    known = facts(emergency=emergency())
    assert "break_glass" in decide(question(), known, BREAKING).notes
    assert decide(question(**EXPORT), known, BREAKING).notes == ("break_glass",)


def test_the_unit_of_the_post_decides_not_the_one_of_the_right() -> None:
    moved = facts(post=post(unit="zeimu"))
    assert said(decide(question(), moved, policy(terminals="any"))) == ("deny", "no_right")
