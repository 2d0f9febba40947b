"""The decision: one pure function over a question, its facts and the policy. The first rule that answers wins.

The order says what somebody may learn. Who is nobody, or not signed in, learns no more than that. Who lacks the right
is told so before anything is said about time, proof or the resident. A stronger proof is asked for only of those who
would get on with it, and before anything is said about whom the record belongs to. A question that no rule stops is
allowed only at the very end, so that a fact nobody thought of ends in a denial by the rule that misses it.

An emergency lifts what the policy names (never the person, the session or the record); every answer under it says so.
"""

from datetime import timedelta

from audit.access.decisions.case import (
    Case,
    Rule,
    StepUp,
    Verdict,
    covering,
    functions_of,
    holds,
    in_force,
    is_here,
    is_output,
    of_unit,
    output_kind,
    same_address,
)
from audit.access.decisions.model import Answer, BreakGlass, Effect, Facts, LiveSession, Question
from audit.access.decisions.policy import APPROVAL_KINDS, DecisionPolicy, SystemPolicy
from audit.access.decisions.reasons import TEXTS, Reason
from audit.access.model import within
from audit.events import Activity

__all__ = ["RULES", "decide"]

_ACTIVITIES = frozenset(Activity)
_NO_LIFE = timedelta(0)


# Who, and in which session -------------------------------------------------------------------------------------------


def _post(case: Case) -> Verdict:
    post = case.facts.post
    held = post is not None and post.staff_id == case.question.person and post.holds(case.facts.now)
    return None if held else Reason.NO_POST


def _session(case: Case) -> Verdict:
    session = case.facts.session
    return None if session is not None and session.login_id == case.question.person else Reason.NO_SESSION


def _lock(case: Case) -> Verdict:
    session = case.facts.session
    return Reason.SESSION_LOCKED if session is None or session.locked else None


def _limit(case: Case) -> Verdict:
    """What a sealed credential opened is for the system of its emergency."""
    session = case.facts.session
    elsewhere = session is None or session.limited_to not in {"", case.question.system}
    return Reason.EMERGENCY_ELSEWHERE if elsewhere else None


def _binding(case: Case) -> Verdict:
    """The caller must know something of the session: a staff id alone is no proof that its holder sits there."""
    question, session = case.question, case.facts.session
    if question.session:
        return None if session is not None and question.session == session.id else Reason.OTHER_SESSION
    shown = case.policy.bind == "session_or_address" and question.address
    return None if shown else Reason.OTHER_SESSION


def _place(case: Case) -> Verdict:
    question, session = case.question, case.facts.session
    if session is None:
        return Reason.NO_SESSION
    if question.address and not same_address(question.address, session.address):
        return Reason.OTHER_ADDRESS
    if question.terminal_id and session.terminal_id and question.terminal_id != session.terminal_id:
        return Reason.OTHER_TERMINAL
    return None


# Where ---------------------------------------------------------------------------------------------------------------


def _terminal(case: Case) -> Verdict:
    wanted = case.policy.terminals
    if wanted == "any" or (wanted == "known" and not case.facts.terminals_known):
        return None
    session = case.facts.session
    address = case.question.address or (session.address if session is not None else "")
    here = [one for one in case.facts.terminals if is_here(one, case.question.terminal_id, address)]
    if not here:
        return None if case.lifted("terminal") else Reason.TERMINAL_UNREGISTERED
    if wanted == "unit" and not any(of_unit(one, case.facts) for one in here):
        return None if case.lifted("terminal") else Reason.TERMINAL_OTHER_UNIT
    return None


# With what right -----------------------------------------------------------------------------------------------------


def _right(case: Case) -> Verdict:
    if case.question.activity not in _ACTIVITIES:
        return Reason.UNKNOWN_ACTIVITY
    if holds(case.facts.entitlements, case.question.person, case, case.facts.post.org_unit if case.facts.post else ""):
        return None
    return None if case.lifted("entitlement") else Reason.NO_RIGHT


# When, and what for --------------------------------------------------------------------------------------------------


def _time(case: Case) -> Verdict:
    facts, wanted = case.facts, case.policy.hours
    working = any(span.start <= facts.now < span.end for span in facts.working)
    if wanted == "free" or (working and not facts.on_leave):
        return None
    kinds = {"time_window", APPROVAL_KINDS.get(case.question.activity)} & {"time_window", "maintenance"}
    for approval in facts.approvals:
        if approval.kind in kinds and in_force(approval, case) is None:
            case.rest_on(approval)
            case.note("outside_hours_approved")
            return None
    if wanted == "noted":
        case.note("outside_hours")
        return None
    if case.lifted("time"):
        return None
    return Reason.ON_LEAVE if facts.on_leave else Reason.OUTSIDE_HOURS


def _purpose(case: Case) -> Verdict:
    question, policy = case.question, case.policy
    if question.purpose and policy.purposes and question.purpose not in policy.purposes:
        return Reason.PURPOSE_UNKNOWN
    if not case.functions or policy.ask_for == "nothing":
        return None
    if policy.ask_for == "case":
        return None if question.case_id else Reason.CASE_MISSING
    either = policy.ask_for == "purpose_or_case" and question.case_id
    return None if question.purpose or either else Reason.PURPOSE_MISSING


# How sure ------------------------------------------------------------------------------------------------------------


def _proof(case: Case) -> Verdict:
    session, factors = case.facts.session, case.facts.factors
    if session is not None and factors.met_by(session.proof):
        return None
    return None if _sealed(case) else StepUp(Reason.PROOF_WEAK, factors.acr)


def _freshness(case: Case) -> Verdict:
    session, age = case.facts.session, case.policy.step_up
    if case.policy.sensitive.isdisjoint(case.functions):
        return None
    if session is not None and within(session.proof.at, case.facts.now, age):
        return None
    return None if _sealed(case) else StepUp(Reason.PROOF_OLD, case.facts.factors.acr, age)


def _sealed(case: Case) -> bool:
    """Whether a sealed credential stands for the factor that is not at hand."""
    return case.emergency is not None and case.emergency.sealed and case.lifted("factors")


# About whom ----------------------------------------------------------------------------------------------------------


def _subjects(case: Case) -> Verdict:
    """Flags and relations of every subject; the strictest word counts, and every one is noted."""
    facts = case.facts
    found: dict[str, None] = {}
    for subject in case.question.subjects:
        if relation := facts.related.get(subject):
            found[relation] = None
        found |= dict.fromkeys(sorted(facts.flags.get(subject, ())))
    asked = case.question.activity in case.policy.two_persons
    for what in found:
        treatment = case.policy.treatment(what)
        if treatment == "deny":
            return Reason(what) if what in TEXTS else Reason.PROTECTED
        asked = asked or treatment == "second_person"
        case.note(what)
    return _second_person(case) if asked else None


def _second_person(case: Case) -> Verdict:
    """Somebody else confirms now, or has approved a look at these very residents before."""
    question, facts = case.question, case.facts
    lack = _unconfirmed(case, facts.second_session) if question.second_person else Reason.SECOND_PERSON_NEEDED
    if lack is None:
        case.note("second_person")
        return None
    wanted = set(question.subjects)
    for approval in facts.approvals:
        named = wanted and wanted <= set(approval.subjects) and wanted.isdisjoint(approval.concerned)
        if approval.kind == "second_person" and named and in_force(approval, case) is None:
            case.rest_on(approval)
            case.note("second_person")
            return None
    return None if case.lifted("second_person") else lack


def _unconfirmed(case: Case, session: LiveSession | None) -> Reason | None:
    """What the second person lacks: is it another one, there, proven, with the right, not concerned, and only now?

    The service names the second person, so a session that was left open would confirm everything in its owner's
    absence: the proof must be of these minutes.
    """
    facts, second = case.facts, case.question.second_person
    counts = (
        not case.mine(second)
        and session is not None
        and session.login_id == second
        and not session.locked
        and not session.limited_to
        and facts.factors.met_by(session.proof)
        and holds(facts.second_entitlements, second, case, None)
        and not any(facts.second_related.get(subject) in {"self", "family"} for subject in case.question.subjects)
    )
    if not counts or session is None:
        return Reason.SECOND_PERSON_REFUSED
    return None if within(session.proof.at, facts.now, case.policy.second_person) else Reason.SECOND_PERSON_OLD


# What leaves the system ----------------------------------------------------------------------------------------------


def _output(case: Case) -> Verdict:
    question = case.question
    kind = output_kind(question)
    if question.activity.startswith("media_") and not question.medium_id:
        return Reason.MEDIUM_MISSING
    limit = case.policy.approval_from.get(kind)
    if limit is None or (question.rows is not None and question.rows < limit):
        return None
    found = covering(case, kind)
    if isinstance(found, Reason):
        return found
    case.rest_on(found)
    return None


# Altogether ----------------------------------------------------------------------------------------------------------

RULES: tuple[Rule, ...] = (
    _post,
    _session,
    _lock,
    _limit,
    _binding,
    _place,
    _terminal,
    _right,
    _time,
    _purpose,
    _proof,
    _freshness,
    _subjects,
    _output,
)
"""In the order in which they are asked."""


def decide(question: Question, facts: Facts, policy: DecisionPolicy) -> Answer:
    """Judge one question. Pure: the same three give the same answer.

    Args:
        question: what is asked; its system is the authenticated one.
        facts: everything it is judged by, as it stands now.
        policy: the town's policy; one that could not be read denies everything.
    """
    own = policy.of(question.system)
    if own is None:
        reason = Reason.NO_POLICY
        return Answer(effect=Effect.DENY, reason=reason, texts=TEXTS[reason], policy=policy.version)
    emergency = facts.emergency
    if emergency is not None and not _open(emergency, question, facts, own):
        emergency = None
    case = Case(question, facts, own, functions_of(question), emergency)
    for rule in RULES:
        verdict = rule(case)
        if verdict is not None:
            return _refused(case, verdict, policy)
    return Answer(
        effect=Effect.ALLOW,
        reason=Reason.ALLOWED,
        texts=TEXTS[Reason.ALLOWED],
        life=_NO_LIFE if is_output(question) else own.life,
        notes=tuple(case.notes),
        policy=policy.version,
        approvals=tuple(case.approvals),
    )


def _open(emergency: BreakGlass, question: Question, facts: Facts, policy: SystemPolicy) -> bool:
    return (
        policy.break_glass
        and emergency.person == question.person
        and emergency.system == question.system
        and emergency.start <= facts.now < emergency.end
    )


def _refused(case: Case, verdict: Reason | StepUp, policy: DecisionPolicy) -> Answer:
    """A denial or a step-up. What was noted on the way would tell of the resident what the answer itself does not."""
    step_up = verdict if isinstance(verdict, StepUp) else None
    reason = verdict.reason if isinstance(verdict, StepUp) else verdict
    return Answer(
        effect=Effect.STEP_UP if step_up else Effect.DENY,
        reason=reason,
        texts=TEXTS[reason],
        acr=step_up.acr if step_up else None,
        max_age=step_up.max_age if step_up else None,
        notes=("break_glass",) if case.emergency else (),
        policy=policy.version,
    )
