"""Rights in the systems that hold residents' records: who holds which, from when to when, and how they came. Values.

An id is made of letters alone, so that none can look like an individual number and be masked in the log.
"""

import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from audit.context import Post, post_held

__all__ = [
    "FUNCTIONS",
    "FUNCTION_OF",
    "Application",
    "Approval",
    "Change",
    "Delegation",
    "Doer",
    "Entitlement",
    "Kind",
    "Status",
    "Wish",
    "lost_at",
    "new_id",
    "replay",
]

FUNCTIONS = (
    "view", "update", "print", "export", "media", "backup", "inquiry", "provision", "number_view", "administer",
)  # fmt: skip
"""What a right is for; each is applied for by itself (C-061, C-062). A system may have others beside them."""

FUNCTION_OF: Mapping[str, str] = MappingProxyType(
    {
        "search": "view", "view": "view",
        "create": "update", "update": "update", "delete": "update", "answer": "update", "import": "update",
        "upload": "update", "bind_number": "update", "copy_register": "update",
        "print": "print", "screen_copy": "print",
        "export": "export", "download": "export", "transfer": "export",
        "media_checkout": "media", "media_write": "media", "media_return": "media", "media_erase": "media",
        "media_dispose": "media",
        "backup": "backup", "restore": "backup", "maintenance": "backup", "job_run": "backup",
        "inquiry": "inquiry", "receive": "inquiry",
        "provision": "provision",
        "grant": "administer", "revoke": "administer", "credential_issue": "administer",
        "credential_reset": "administer",
        "policy_change": "administer", "config_change": "administer", "purge": "administer", "log_clear": "administer",
    }
)  # fmt: skip
"""Which right an activity needs; one that is not here needs none beside being allowed to work in the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """One right that holds: (affair, system, function, unit, person, validity). `end` is exclusive.

    Attributes:
        id: its own.
        person: the staff id of the holder.
        system: the source id.
        affair: the business; empty for every one of the system.
        function: of `FUNCTIONS`, or the system's own.
        unit: the unit for whose work it was granted; it ends when the holder leaves the unit.
        start: from when.
        end: until when; None without end.
        application: by which application it came.
    """

    id: str
    person: str
    system: str
    affair: str
    function: str
    unit: str
    start: datetime
    end: datetime | None
    application: str

    def in_force(self, at: datetime) -> bool:
        """Whether its validity covers a moment."""
        return self.start <= at and (self.end is None or at < self.end)

    def to_doc(self) -> dict[str, str]:
        """As an event carries it; an end that is not there is left out."""
        doc = {
            "id": self.id,
            "person": self.person,
            "system": self.system,
            "affair": self.affair,
            "function": self.function,
            "unit": self.unit,
            "from": self.start.isoformat(),
            "application": self.application,
        }
        return doc | ({"to": self.end.isoformat()} if self.end else {})

    @classmethod
    def from_doc(cls, doc: Mapping[str, str]) -> "Entitlement":
        """What `to_doc` wrote."""
        return cls(
            id=doc["id"],
            person=doc["person"],
            system=doc["system"],
            affair=doc["affair"],
            function=doc["function"],
            unit=doc["unit"],
            start=datetime.fromisoformat(doc["from"]),
            end=datetime.fromisoformat(doc["to"]) if "to" in doc else None,
            application=doc["application"],
        )


class Kind(StrEnum):
    """What an application asks for."""

    CHANGE = "change"
    GRANT = "grant"
    REVOKE = "revoke"


class Status(StrEnum):
    """Where an application stands."""

    APPROVED = "approved"
    EXPIRED = "expired"
    REFUSED = "refused"
    WAITING = "waiting"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doer:
    """Who acts, as the session proved it.

    Attributes:
        id: the staff id.
        address: where from.
        session: of which session; empty for none.
        oversees: whether the person answers for the rights of the whole town (a security administrator).
        reads_all: whether the person may see everybody's applications (also an auditor).
    """

    id: str
    address: str = ""
    session: str = ""
    oversees: bool = False
    reads_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is applied for. `end` is exclusive.

    Attributes:
        kind: a new right, other terms for rights that are held, or their end.
        person: the staff id of the one who is to hold it.
        system: the source id.
        affair: the business; empty for every one of the system.
        functions: one right each.
        unit: the unit for whose work it is; that of the person's post when it begins.
        start: from when; a past one counts from the last approval.
        end: until when; None without end.
        reason: why, in words.
        decision_ref: the number of a written decision (決裁番号); empty for none.
        replaces: the ids of the rights that are to be changed or ended.
    """

    kind: Kind = Kind.GRANT
    person: str
    system: str
    affair: str = ""
    functions: tuple[str, ...]
    unit: str
    start: datetime
    end: datetime | None
    reason: str
    decision_ref: str = ""
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One step of the chain, given. `deputy_for`: the approver who had named `by` as deputy; empty for none."""

    step: int
    by: str
    deputy_for: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Something applied for, and how far it has come.

    Attributes:
        id: its own.
        wish: what is asked.
        applicant: who asks.
        chain: the chain it goes through, by its fingerprint: under another one it must be asked anew.
        steps: how many approvals it needs.
        outside: functions that the unit's table of rights does not have (C-076).
        approvals: those given so far, in order.
        created_at: when it was asked.
        expires_at: until when it may be decided.
        status: where it stands.
        closed_at: since when it is decided; None while it waits.
        closed_by: by whom; empty when nobody did.
        closing_reason: why it was refused; empty otherwise.
        batch: shared by the parts of one application for several persons; empty for one alone.
        beside: the persons of the other parts, none of whom may decide this one.
    """

    id: str
    wish: Wish
    applicant: str
    chain: str
    steps: int
    outside: tuple[str, ...]
    approvals: tuple[Approval, ...]
    created_at: datetime
    expires_at: datetime
    status: Status
    closed_at: datetime | None = None
    closed_by: str = ""
    closing_reason: str = ""
    batch: str = ""
    beside: tuple[str, ...] = ()

    @property
    def step(self) -> int:
        """The step that is due, from 0."""
        return len(self.approvals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """An approver's word that somebody else may approve in their place. `end` is exclusive."""

    id: str
    approver: str
    deputy: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one right: what it was and what it is; None where there is none.

    Attributes:
        number: its place in the book; 0 for one that comes out of an event.
        at: when it was written.
        right: the id of the right.
        operation: our own word for it (`rights.granted`, `rights.expired`, ...).
        by: the staff id of who did it last; empty when nobody did.
        before: the old value.
        after: the new value.
        reason: why.
    """

    number: int = 0
    at: datetime
    right: str
    operation: str
    by: str
    before: Entitlement | None
    after: Entitlement | None
    reason: str = field(default="")

    @classmethod
    def from_event(cls, doc: Mapping[str, Any]) -> "tuple[Change, ...]":
        """The changes that an event of the log tells; none when it is about something else.

        Args:
            doc: in contract form; fields of our own may stand at its top or under `unmapped`.
        """
        told = {**doc.get("unmapped", {}), **doc}
        return tuple(
            cls(
                at=datetime.fromisoformat(doc["time"]),
                right=change["id"],
                operation=doc["operation_name"],
                by="" if doc["actor"].get("kind") == "system" else doc["actor"]["id"],
                before=Entitlement.from_doc(change["before"]) if "before" in change else None,
                after=Entitlement.from_doc(change["after"]) if "after" in change else None,
                reason=told.get("why", ""),
            )
            for change in told.get("rights", ())
        )


def replay(changes: Sequence[Change], at: datetime) -> dict[str, Entitlement]:
    """The rights that were granted and not taken away at a moment, by id, whatever their validity.

    Args:
        changes: in the order of the book, or of the log.
        at: the moment; what was written later is not looked at.
    """
    found: dict[str, Entitlement] = {}
    for change in changes:
        if change.at > at:
            continue
        if change.after is None:
            found.pop(change.right, None)
        else:
            found[change.right] = change.after
    return found


def lost_at(posts: Sequence[Post], right: Entitlement, at: datetime) -> datetime | None:
    """When the holder first left the unit that a right was granted for; None when they are there without a break.

    Whoever left and came back applies again: work in between was another one's.
    """
    edges = {edge for post in posts for edge in (post.start, post.end) if edge and right.start < edge <= at}
    for edge in sorted(edges | {right.start}):
        post = post_held(posts, edge)
        if post is None or post.org_unit != right.unit:
            return edge
    return None


def new_id() -> str:
    """An id of 94 bits."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(20))
