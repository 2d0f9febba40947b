"""A question that is allowed, its facts and the policy, to be changed in one place at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.access.decisions import (
    Answer,
    Approval,
    BreakGlass,
    DecisionPolicy,
    Facts,
    LiveSession,
    Question,
    parse_policy,
)
from audit.access.rights.model import Entitlement
from audit.access.strength import FactorPolicy, Proof
from audit.context import Post, Span, Terminal

NOW = datetime(2026, 10, 5, 1, 0, tzinfo=UTC)  # a Monday, 10:00 in Tokyo
HERE = "10.3.1.31"
ME, OTHER, BOSS = "s0412", "s0413", "s0001"
SYSTEM = "nhi-eligibility"
UNIT = "hoken/shikaku"
RESIDENT = "r-0001"
STRONG = frozenset({"password", "palm_vein"})

BASE: DecisionPolicy = parse_policy()
"""The shipped policy."""


def policy(**changes: Any) -> DecisionPolicy:
    """The shipped policy with some values changed for every system."""
    assert BASE.general is not None
    return replace(BASE, general=replace(BASE.general, **changes))


def post(staff_id: str = ME, unit: str = UNIT, **changes: Any) -> Post:
    values: dict[str, Any] = {
        "staff_id": staff_id, "name": "", "org_unit": unit, "post": "主事", "role": "clerk", "employment": "regular",
        "manager_id": "", "subject_id": "", "start": None, "end": None,
    }  # fmt: skip
    return Post(**(values | changes))


def proof(*factors: str, age: float = 60, **changes: Any) -> Proof:
    return Proof(factors=frozenset(factors) or STRONG, at=NOW - timedelta(seconds=age), **changes)


def session(person: str = ME, **changes: Any) -> LiveSession:
    begun = LiveSession(
        id=f"sid-{person}",
        login_id=person,
        proof=proof(),
        created_at=NOW - timedelta(hours=1),
        last_seen_at=NOW,
        address=HERE,
        terminal_id="T-0231",
    )
    return replace(begun, **changes)


def right(function: str = "view", person: str = ME, **changes: Any) -> Entitlement:
    held = Entitlement(
        id=f"{person}-{function}",
        person=person,
        system=SYSTEM,
        affair="",
        function=function,
        unit=UNIT,
        start=NOW - timedelta(days=100),
        end=None,
        application="a-1",
    )
    return replace(held, **changes)


def rights(*functions: str, person: str = ME) -> tuple[Entitlement, ...]:
    return tuple(right(function, person) for function in functions)


def approval(kind: str = "export", **changes: Any) -> Approval:
    given = Approval(
        id="a-51",
        kind=kind,
        person=ME,
        approved_by=BOSS,
        system=SYSTEM,
        start=NOW - timedelta(hours=1),
        end=NOW + timedelta(hours=1),
        max_rows=500,
        medium_id="",
        entered_at=NOW - timedelta(hours=1),
    )
    return replace(given, **changes)


def emergency(**changes: Any) -> BreakGlass:
    declared = BreakGlass(
        id="e-1",
        person=ME,
        system=SYSTEM,
        reason="庁舎停電のため",
        start=NOW - timedelta(minutes=5),
        end=NOW + timedelta(minutes=5),
    )
    return replace(declared, **changes)


def terminal(**changes: Any) -> Terminal:
    values = {"terminal_id": "T-0231", "org_unit": UNIT, "site": "本庁", "kind": "desk", "ip_range": "10.3.1.0/24"}
    return Terminal(**(values | changes))


def question(activity: str = "view", **changes: Any) -> Question:
    asked = Question(
        person=ME, system=SYSTEM, activity=activity, subjects=(RESIDENT,), session=f"sid-{ME}", address=HERE
    )
    return replace(asked, **changes)


def facts(**changes: Any) -> Facts:
    known = Facts(
        now=NOW,
        post=post(),
        session=session(),
        factors=FactorPolicy.parse("password+palm_vein|password+totp"),
        entitlements=rights("view", "export", "print", "media", "backup", "update", "number_view"),
        terminals=(terminal(),),
        terminals_known=True,
        working=(Span(NOW - timedelta(hours=1), NOW + timedelta(hours=7), "calendar"),),
    )
    return replace(known, **changes)


class Reader:
    """Facts that a test sets."""

    def __init__(self, known: Facts | None = None) -> None:
        self.known = known or facts()

    def read(self, question: Question) -> Facts:  # noqa: ARG002 - the same for every question
        return self.known


class Log:
    """A recorder that keeps what it is told, and can be down."""

    def __init__(self) -> None:
        self.docs: list[dict[str, Any]] = []
        self.down = False

    def record_all(self, docs: Sequence[Mapping[str, Any]]) -> None:
        if self.down:
            raise ConnectionError
        self.docs += map(dict, docs)

    def operations(self) -> list[str]:
        return [doc["operation_name"] for doc in self.docs]

    def last(self) -> dict[str, Any]:
        return self.docs[-1]


def said(answer: Answer) -> tuple[str, str]:
    """An answer in two words."""
    return answer.effect.value, answer.reason
