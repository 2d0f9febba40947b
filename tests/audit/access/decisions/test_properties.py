"""What holds of every answer, on random questions: against a list of conditions, and under less or more."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from asking import (
    BASE,
    BOSS,
    HERE,
    ME,
    NOW,
    OTHER,
    RESIDENT,
    SYSTEM,
    approval,
    emergency,
    facts,
    post,
    proof,
    question,
    right,
    rights,
    session,
    terminal,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.access.decisions import DecisionPolicy, Effect, Facts, Question, decide, functions_of
from audit.access.decisions.policy import APPROVAL_KINDS, LIFTS, SystemPolicy
from audit.access.strength import FactorPolicy
from audit.context import Span

FLAGS = ("protected", "vip", "staff", "deceased")
TREATMENTS = ("noted", "second_person", "deny")
WORKING = (Span(NOW - timedelta(hours=1), NOW + timedelta(hours=1), "calendar"),)


@st.composite
def few(draw: st.DrawFn, good: Any, most: int, **others: st.SearchStrategy[Any]) -> Any:
    """Something good with a few of its values drawn anew, so that the last rule is reached as well as the first."""
    changed = draw(st.lists(st.sampled_from(sorted(others)), max_size=most, unique=True))
    return replace(good, **{name: draw(others[name]) for name in changed})


def mostly(*words: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(words)


QUESTIONS = few(
    question(),
    4,
    activity=mostly("view", "export", "print", "bind_number", "media_write", "maintenance", "lock", "peek"),
    function=mostly("", "view", "number_view", "no-such"),
    affair=st.sampled_from(["", "levy"]),
    subjects=st.sampled_from([(), (RESIDENT,), (RESIDENT, "r-2")]),
    purpose=st.sampled_from(["", "levy", "curiosity"]),
    case_id=st.sampled_from(["", "c-1"]),
    terminal_id=mostly("", "T-0231", "T-9"),
    address=mostly(HERE, "", "10.9.9.9", "no address"),
    session=mostly(f"sid-{ME}", "", "sid-x"),
    rows=st.sampled_from([None, 0, 20, 21, 500, 501]),
    medium_id=mostly("M-1", "", "M-2"),
    second_person=st.sampled_from(["", OTHER, ME]),
)
PROOFS = mostly(proof(), proof("password", "totp"), proof("password"), proof(age=400), proof("recovery_code"))
SESSIONS = few(
    session(),
    1,
    proof=PROOFS,
    locked=st.booleans(),
    terminal_id=mostly("", "T-0231"),
    limited_to=mostly("", SYSTEM, "tax"),
)
GIVEN = few(
    approval(),
    2,
    kind=st.sampled_from(["export", "print", "media", "maintenance", "time_window", "second_person"]),
    person=mostly(ME, OTHER, ""),
    approved_by=mostly(BOSS, ME, ""),
    system=mostly(SYSTEM, "", "tax"),
    end=mostly(NOW + timedelta(hours=1), NOW, None),
    entered_at=mostly(NOW, None, NOW + timedelta(seconds=1)),
    max_rows=st.sampled_from([None, 20, 500]),
    medium_id=st.sampled_from(["", "M-1"]),
    subjects=st.sampled_from([(), (RESIDENT,), (RESIDENT, "r-2")]),
    concerned=mostly(frozenset(), frozenset({"r-2"})),
)
HELD = few(
    right(),
    2,
    function=st.sampled_from(["view", "export", "print", "media", "backup", "update", "number_view"]),
    person=mostly(ME, OTHER),
    unit=mostly("hoken/shikaku", "hoken", "zeimu"),
    affair=st.sampled_from(["", "levy", "benefits"]),
    end=mostly(None, NOW, NOW + timedelta(days=1)),
)
FACTS = few(
    facts(),
    5,
    post=mostly(None, post(OTHER), post(end=NOW), post(unit="zeimu"), post(unit="hoken")),
    session=st.one_of(SESSIONS, st.none(), st.just(session(OTHER, id=f"sid-{ME}"))),
    factors=st.sampled_from([FactorPolicy(), *map(FactorPolicy.parse, ("password", "palm_vein", "password+totp"))]),
    selves=mostly(frozenset(), frozenset({BOSS}), frozenset({OTHER})),
    second_session=few(session(OTHER), 1, proof=PROOFS, locked=st.booleans()),
    second_entitlements=st.sampled_from([(), rights("view", person=OTHER), rights("view", "export", person=OTHER)]),
    second_related=mostly({}, {RESIDENT: "self"}),
    entitlements=st.one_of(st.just(facts().entitlements), st.lists(HELD, max_size=6).map(tuple)),
    terminals=st.sampled_from([(), (terminal(),), (terminal(org_unit="zeimu"),), (terminal(ip_range="10.9.0.0/16"),)]),
    terminals_known=st.booleans(),
    working=mostly(WORKING, ()),
    on_leave=mostly(False, True),
    flags=st.dictionaries(st.sampled_from([RESIDENT, "r-2"]), st.frozensets(st.sampled_from(FLAGS), max_size=2)),
    related=mostly({}, {RESIDENT: "self"}, {RESIDENT: "family"}, {"r-2": "colleague"}),
    approvals=st.lists(GIVEN, max_size=4).map(tuple),
    emergency=mostly(None, emergency(), emergency(sealed=True), emergency(end=NOW)),
)
assert BASE.general is not None
OWN = few(
    replace(BASE.general, break_glass=True),
    5,
    bind=st.sampled_from(["session_or_address", "session"]),
    terminals=st.sampled_from(["any", "known", "registered", "unit"]),
    hours=st.sampled_from(["free", "noted", "enforced"]),
    ask_for=mostly("nothing", "purpose_or_case", "purpose", "case"),
    purposes=mostly(frozenset(), frozenset({"levy"})),
    two_persons=mostly(frozenset({"bind_number"}), frozenset({"view"}), frozenset()),
    sensitive=st.sampled_from([frozenset(), frozenset({"export", "number_view"}), frozenset({"view"})]),
    step_up_seconds=st.sampled_from([60, 61, 300]),
    second_person_seconds=st.sampled_from([60, 61, 300]),
    approval_from=st.sampled_from([{}, {"export": 0, "media": 0, "maintenance": 0, "print": 21}]),
    break_glass=st.booleans(),
    break_glass_lifts=st.frozensets(st.sampled_from(sorted(LIFTS))),
    **{
        what: st.sampled_from(TREATMENTS)
        for what in ("self", "family", "colleague", "protected", "vip", "deceased", "staff")
    },
)


def town(own: SystemPolicy) -> DecisionPolicy:
    return replace(BASE, general=own)


def in_force(one: Any, known: Facts, system: str) -> bool:
    return bool(
        one.person == ME
        and one.system in ("", system)
        and (one.start is None or one.start <= NOW)
        and (one.end is None or one.end > NOW)
        and one.approved_by not in ("", ME, *known.selves)
        and one.entered_at
        and one.entered_at <= NOW
    )


def unmet(asked: Question, known: Facts, own: SystemPolicy) -> set[str]:
    """The same conditions written down a second time, as a list and without an order."""
    missing = set[str]()

    def need(name: str, met: object, lifted_by: str = "") -> None:
        if not met and lifted_by not in lifts:
            missing.add(name)

    opened = known.emergency
    lifts = own.break_glass_lifts if own.break_glass and opened and opened.start <= NOW < opened.end else frozenset()
    if opened and not opened.sealed:
        lifts -= {"factors"}
    session, post = known.session, known.post
    need("post", post and post.staff_id == ME and (post.end is None or post.end > NOW))
    need("session", session and session.login_id == ME and not session.locked)
    need("its system", not session or session.limited_to in ("", SYSTEM))
    if not post or not session:
        return missing
    if asked.session:
        need("sid", asked.session == session.id)
    else:
        need("bound", own.bind != "session" and asked.address)
    need("address", asked.address in ("", session.address))
    need("same terminal", not asked.terminal_id or not session.terminal_id or asked.terminal_id == session.terminal_id)
    if own.terminals in ("registered", "unit") or (own.terminals == "known" and known.terminals_known):
        here = [
            one
            for one in known.terminals
            if one.ip_range == "10.3.1.0/24" and asked.terminal_id in ("", one.terminal_id)
        ]
        need("terminal", here, "terminal")
        if own.terminals == "unit":
            near = post.org_unit == "hoken/shikaku"
            need("unit", any(one.org_unit == post.org_unit or (near and one.org_unit == "hoken") for one in here),
                 "terminal")  # fmt: skip

    def holds(person: str, held: Any, unit: str | None) -> bool:
        mine = [
            one
            for one in held
            if one.person == person
            and one.affair in ("", asked.affair)
            and (one.end is None or one.end > NOW)
            and (unit is None or unit == one.unit or unit.startswith(one.unit + "/"))
        ]
        wanted = set(functions_of(asked))
        return wanted <= {one.function for one in mine} if wanted else bool(mine)

    need("activity", asked.activity != "peek")
    need("right", holds(ME, known.entitlements, post.org_unit), "entitlement")
    windows = {"time_window", "maintenance"} if asked.activity == "maintenance" else {"time_window"}
    approved = any(one.kind in windows and in_force(one, known, SYSTEM) for one in known.approvals)
    need("time", own.hours != "enforced" or (known.working and not known.on_leave) or approved, "time")
    need("listed", not asked.purpose or not own.purposes or asked.purpose in own.purposes)
    if functions_of(asked):
        wanted = {
            "nothing": True,
            "purpose": asked.purpose,
            "case": asked.case_id,
            "purpose_or_case": asked.purpose or asked.case_id,
        }
        need("purpose", wanted[own.ask_for])
    need("proof", known.factors.met_by(session.proof), "factors")
    if own.sensitive & set(functions_of(asked)):
        need("fresh", NOW - session.proof.at < timedelta(seconds=own.step_up_seconds), "factors")
    found = {word for one in asked.subjects for word in known.flags.get(one, ())}
    found |= {known.related[one] for one in asked.subjects if one in known.related}
    need("may be seen", not any(getattr(own, word) == "deny" for word in found))
    if asked.activity in own.two_persons or any(getattr(own, word) == "second_person" for word in found):
        second = known.second_session
        there = (
            asked.second_person == OTHER
            and OTHER not in known.selves
            and second
            and not second.locked
            and known.factors.met_by(second.proof)
            and NOW - second.proof.at < timedelta(seconds=own.second_person_seconds)
            and holds(OTHER, known.second_entitlements, None)
            and not any(known.second_related.get(one) for one in asked.subjects)
        )
        before = asked.subjects and any(
            one.kind == "second_person"
            and set(asked.subjects) <= set(one.subjects)
            and not one.concerned & set(asked.subjects)
            and in_force(one, known, SYSTEM)
            for one in known.approvals
        )
        need("second person", there or before, "second_person")
    kind = APPROVAL_KINDS.get(asked.activity)
    need("medium", asked.activity != "media_write" or asked.medium_id)
    limit = own.approval_from.get(kind or "")
    if limit is not None and (asked.rows is None or asked.rows >= limit):
        covered = any(
            one.kind == kind
            and in_force(one, known, SYSTEM)
            and one.medium_id in ("", asked.medium_id)
            and (
                one.max_rows is None
                or (asked.rows is None and kind == "media")
                or (asked.rows is not None and asked.rows <= one.max_rows)
            )
            for one in known.approvals
        )
        need("approval", covered)
    return missing


@settings(deadline=None, max_examples=1500)
@given(QUESTIONS, FACTS, OWN)
def test_an_allow_means_that_every_condition_is_met_and_a_denial_that_one_is_not(
    asked: Question, known: Facts, own: SystemPolicy
) -> None:
    answer = decide(asked, known, town(own))
    assert (answer.effect is Effect.ALLOW) == (not unmet(asked, known, own)), (answer.reason, unmet(asked, known, own))
    assert (answer.effect is Effect.STEP_UP) <= (answer.acr is not None)
    assert answer == decide(asked, known, town(own))


LESS = [
    {"post": None},
    {"session": None},
    {"entitlements": ()},
    {"second_session": None},
    {"second_entitlements": ()},
    {"terminals": ()},
    {"terminals_known": True},
    {"working": ()},
    {"on_leave": True},
    {"approvals": ()},
    {"emergency": None},
    {"selves": frozenset({BOSS, OTHER})},
    {"flags": {RESIDENT: frozenset(FLAGS), "r-2": frozenset(FLAGS)}},
]


@settings(deadline=None, max_examples=400)
@given(QUESTIONS, FACTS, OWN, st.integers(0, 5), st.integers(0, 3))
def test_taking_something_away_never_makes_an_allow(
    asked: Question, known: Facts, own: SystemPolicy, nth_right: int, nth_approval: int
) -> None:
    if decide(asked, known, town(own)).effect is Effect.ALLOW:
        return
    one_right_less = known.entitlements[:nth_right] + known.entitlements[nth_right + 1 :]
    one_word_less = known.approvals[:nth_approval] + known.approvals[nth_approval + 1 :]
    for less in [*LESS, {"entitlements": one_right_less}, {"approvals": one_word_less}]:
        assert decide(asked, replace(known, **less), town(own)).effect is not Effect.ALLOW, less


ORDERS: dict[str, tuple[Any, ...]] = {
    "bind": ("session_or_address", "session"),
    "terminals": ("any", "known", "registered", "unit"),
    "hours": ("free", "noted", "enforced"),
    **dict.fromkeys(("self", "family", "colleague", *FLAGS), TREATMENTS),
    "step_up_seconds": (300, 61, 60),
    "second_person_seconds": (300, 61, 60),
    "break_glass": (True, False),
}


@settings(deadline=None, max_examples=400)
@given(QUESTIONS, FACTS, OWN)
def test_asking_for_more_never_makes_an_allow(asked: Question, known: Facts, own: SystemPolicy) -> None:
    if decide(asked, known, town(own)).effect is Effect.ALLOW:
        return
    stricter = [{name: word} for name, words in ORDERS.items() for word in words[words.index(getattr(own, name)) + 1 :]]
    functions = frozenset({"export", "number_view", "view", "print", "media", "backup", "update"})
    stricter += [
        {"sensitive": functions},
        {"two_persons": own.two_persons | {"view", "export"}},
        {"approval_from": dict.fromkeys(APPROVAL_KINDS.values(), 0)},
        {"break_glass_lifts": frozenset()},
    ]
    if own.ask_for == "nothing":
        stricter += [{"ask_for": word} for word in ("purpose", "case", "purpose_or_case")]
    for more in stricter:
        raised = {one.name: getattr(own, one.name) for one in fields(own) if one.init} | more
        assert decide(asked, known, town(SystemPolicy(**raised))).effect is not Effect.ALLOW, more


@settings(deadline=None, max_examples=200)
@given(QUESTIONS, st.sampled_from(["post", "session", "entitlements"]))
def test_without_facts_nothing_is_allowed(asked: Question, gone: str) -> None:
    empty: dict[str, Any] = {"post": None, "session": None, "entitlements": ()}
    assert decide(asked, facts(**{gone: empty[gone]}), BASE).effect is Effect.DENY
    assert decide(question(), facts(), BASE).effect is Effect.ALLOW
