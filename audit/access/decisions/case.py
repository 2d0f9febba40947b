"""One question on its way through the rules, and what of its facts holds: rights, approvals, places."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from audit.access.decisions.model import Approval, BreakGlass, Facts, Question
from audit.access.decisions.policy import APPROVAL_KINDS, SystemPolicy
from audit.access.decisions.reasons import Reason
from audit.access.rights.model import FUNCTION_OF, Entitlement
from audit.access.strength import Acr
from audit.context import Terminal

__all__ = [
    "Case",
    "Rule",
    "StepUp",
    "Verdict",
    "covering",
    "functions_of",
    "holds",
    "in_force",
    "is_here",
    "is_output",
    "of_unit",
    "output_kind",
    "same_address",
]

_OUTPUTS = frozenset({"backup", "export", "media", "print"})
_APPROVED = _OUTPUTS & set(APPROVAL_KINDS.values())


def functions_of(question: Question) -> tuple[str, ...]:
    """The rights a question needs: the activity's own, and the one that is named beside it.

    Whatever is done with a resident's record shows it: an activity without a right of its own needs `view` there.
    """
    needed = FUNCTION_OF.get(question.activity, "view" if question.subjects else "")
    named = question.function
    return tuple(dict.fromkeys(one for one in (needed, named) if one))


def is_output(question: Question) -> bool:
    """Whether something leaves the system, so that an allow is for one use."""
    return question.activity in APPROVAL_KINDS or not _OUTPUTS.isdisjoint(functions_of(question))


def output_kind(question: Question) -> str:
    """Which kind of approval covers an output; one that is told by its function needs it too. Empty for none."""
    if question.activity in APPROVAL_KINDS:
        return APPROVAL_KINDS[question.activity]
    return question.function if question.function in _APPROVED and question.activity != "media_return" else ""


@dataclass(slots=True)
class Case:
    """One question being judged."""

    question: Question
    facts: Facts
    policy: SystemPolicy
    functions: tuple[str, ...]
    emergency: BreakGlass | None
    notes: list[str] = field(default_factory=list)
    approvals: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Under an emergency every allow says so, whether it needed it or not."""
        if self.emergency is not None:
            self.note("break_glass")

    def lifted(self, what: str) -> bool:
        """Whether an emergency lifts a condition; noted where it does."""
        if self.emergency is None or what not in self.policy.break_glass_lifts:
            return False
        self.note(f"lifted_{what}")
        return True

    def note(self, word: str) -> None:
        """Mark an allow for whoever looks at it afterwards."""
        if word not in self.notes:
            self.notes.append(word)

    def rest_on(self, approval: Approval) -> None:
        """Name an approval without which this would not be allowed."""
        if approval.id not in self.approvals:
            self.approvals.append(approval.id)

    def mine(self, staff_id: str) -> bool:
        """Whether an id is the person's own, or another of the same natural person."""
        return staff_id == self.question.person or staff_id in self.facts.selves


@dataclass(frozen=True, slots=True)
class StepUp:
    """A verdict that asks for a stronger or fresher proof."""

    reason: Reason
    acr: Acr
    max_age: timedelta | None = None


Verdict = Reason | StepUp | None
Rule = Callable[[Case], Verdict]


# Places


def same_address(one: str, other: str) -> bool:
    """Whether two texts are one address."""
    return one == other or ((here := _address(one)) is not None and here == _address(other))


@lru_cache(maxsize=4096)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address; one of IPv4 that came by an IPv6 socket is what it was."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def is_here(terminal: Terminal, terminal_id: str, address: str) -> bool:
    """Whether a registered terminal is where the question comes from; its id, which the caller says, is not enough."""
    if terminal_id and terminal.terminal_id != terminal_id:
        return False
    return _in_network(address, terminal.ip_range)


@lru_cache(maxsize=4096)
def _in_network(address: str, ip_range: str) -> bool:
    here = _address(address)
    try:
        return here is not None and here in ip_network(ip_range, strict=False)
    except ValueError:
        return False


def of_unit(terminal: Terminal, facts: Facts) -> bool:
    """Whether a terminal is of the person's unit, of one above or below it, or of everybody."""
    unit = facts.post.org_unit if facts.post is not None else ""
    shared = terminal.kind == "shared" or not terminal.org_unit
    return shared or _within_unit(unit, terminal.org_unit) or _within_unit(terminal.org_unit, unit)


def _within_unit(unit: str, whole: str) -> bool:
    """Whether a unit is another, or a part of it."""
    return unit == whole or unit.startswith(f"{whole}/")


# Rights and approvals


def holds(rights: Iterable[Entitlement], person: str, case: Case, unit: str | None) -> bool:
    """Whether somebody holds every right that is needed; without any need, a right in the system at all.

    Args:
        rights: what the facts say is held.
        person: by whom.
        case: the question.
        unit: the unit of the holder's post; None where the facts speak for it.
    """
    question, now = case.question, case.facts.now
    valid = [
        right
        for right in rights
        if right.person == person
        and right.system == question.system
        and right.affair in {"", question.affair}
        and right.start <= now
        and (right.end is None or now < right.end)
        and (unit is None or _within_unit(unit, right.unit))
    ]
    if not case.functions:
        return bool(valid)
    return all(any(right.function == function for right in valid) for function in case.functions)


def covering(case: Case, kind: str) -> Approval | Reason:
    """The approval of a kind that covers an output, or what the nearest miss lacks."""
    nearest: Reason = Reason.APPROVAL_NEEDED
    for approval in case.facts.approvals:
        if approval.kind != kind:
            continue
        lack = in_force(approval, case) or _too_small(approval, case.question)
        if lack is None:
            return approval
        nearest = max(nearest, lack, key=_NEARNESS.index)
    return nearest


_NEARNESS = (
    Reason.APPROVAL_NEEDED,
    Reason.APPROVAL_OWN,
    Reason.APPROVAL_LATE,
    Reason.APPROVAL_MEDIUM,
    Reason.APPROVAL_ROWS,
)
"""What an approval that does not cover an act lacks, the nearest miss last: that is what the person is told."""


def in_force(approval: Approval, case: Case) -> Reason | None:
    """What an approval lacks to hold for this person, system and moment; None when it does."""
    now = case.facts.now
    concerns = approval.person == case.question.person and approval.system in {"", case.question.system}
    current = (approval.start is None or approval.start <= now) and (approval.end is None or now < approval.end)
    if not concerns or not current or not approval.approved_by:
        return Reason.APPROVAL_NEEDED
    if case.mine(approval.approved_by):
        return Reason.APPROVAL_OWN
    entered = approval.entered_at is not None and approval.entered_at <= now
    return None if entered else Reason.APPROVAL_LATE


def _too_small(approval: Approval, question: Question) -> Reason | None:
    if approval.medium_id and approval.medium_id != question.medium_id:
        return Reason.APPROVAL_MEDIUM
    if approval.max_rows is not None and (question.rows is None or question.rows > approval.max_rows):
        # An act without records, such as taking out a medium, has nothing to count.
        return Reason.APPROVAL_ROWS if question.rows is not None or approval.kind != "media" else None
    return None
