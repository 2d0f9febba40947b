"""What the pages about rights are given: plain values, already decided by the services."""

from dataclasses import dataclass, field
from datetime import date, datetime

from audit.texts import Texts
from dashboards.model import Choice

__all__ = [
    "ApplicationRow",
    "ApplyForm",
    "DelegationRow",
    "DeputiesView",
    "DifferenceRow",
    "InboxView",
    "LedgerView",
    "MyRightsView",
    "PersonView",
    "ReconciliationView",
    "RightRow",
    "StepRow",
]


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody, by the post held now; all but the id is empty for whoever the directory does not know."""

    id: str
    name: str = ""
    unit: str = ""
    post: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RightRow:
    """One right, by days, the last one included. `holds`: it gives something now; `may_end`: the viewer may end it."""

    id: str
    person: PersonView
    system: Texts
    affair: str
    function: str
    unit: str
    start: date
    last: date | None
    approvers: tuple[PersonView, ...]
    reason: str
    holds: bool
    applied_on: date | None
    may_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One step of a chain: whose it is in words, who gave it or would, and when. `alone`: one person's by post."""

    title: Texts
    who: PersonView | None
    deputy_for: str = ""
    at: datetime | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRow:
    """One application, as its applicant or its approver sees it.

    Attributes:
        deputy_for: in whose place the viewer would approve; empty for their own.
        present: what the person holds in the system already.
        normal: what the unit's work needs; None where the town has no such table.
        beside: how many other persons were asked for with this one.
    """

    id: str
    kind: str
    person: PersonView
    system: Texts
    affair: str
    functions: tuple[str, ...]
    outside: tuple[str, ...]
    unit: str
    start: date
    last: date | None
    reason: str
    decision_ref: str
    applicant: PersonView
    created_at: datetime
    expires_on: date
    status: str
    steps: tuple[StepRow, ...]
    closing_reason: str = ""
    deputy_for: str = ""
    present: tuple[RightRow, ...] = ()
    normal: tuple[str, ...] | None = None
    may_withdraw: bool = False
    beside: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MyRightsView:
    """What somebody holds and has asked for. `in_office`: the directory knows a post of theirs."""

    rights: tuple[RightRow, ...]
    applications: tuple[ApplicationRow, ...]
    waiting: int
    in_office: bool
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxView:
    """What waits for somebody's decision. `unlocked`: the second factor is fresh enough to approve."""

    rows: tuple[ApplicationRow, ...]
    unlocked: bool
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyForm:
    """The application form, as it was filled in. `right`: the right that is to be changed or ended."""

    systems: tuple[Choice, ...]
    functions: tuple[str, ...]
    person: str = ""
    system: str = ""
    affair: str = ""
    chosen: tuple[str, ...] = ()
    from_: str = ""
    to: str = ""
    reason: str = ""
    decision_ref: str = ""
    kind: str = "grant"
    right: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationRow:
    """One deputy. `mine`: the viewer named them, and may end it."""

    id: str
    approver: PersonView
    deputy: PersonView
    start: datetime
    end: datetime
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeputiesView:
    """The viewer's deputies, and those whose deputy the viewer is."""

    rows: tuple[DelegationRow, ...]
    unlocked: bool
    deputy: str = ""
    from_: str = ""
    to: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow:
    """One difference between what was approved and what the target has; days, the last one included."""

    what: str
    person: PersonView
    function: str
    affair: str
    approved: tuple[str, str]
    reported: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationView:
    """The last comparison of a system."""

    at: datetime
    by: str
    matched: int
    rows: tuple[DifferenceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerView:
    """The rights in one system, or the choice of one. `may_reconcile`: the viewer may bring the target's list."""

    systems: tuple[Choice, ...]
    system: str = ""
    title: Texts | None = None
    rows: tuple[RightRow, ...] = ()
    reconciliation: ReconciliationView | None = None
    may_reconcile: bool = False
    next_page: str | None = None
    error: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
