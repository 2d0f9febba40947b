"""What the pages about approvals, media and emergencies are given: plain values, already decided by the services."""

from dataclasses import dataclass
from datetime import date, datetime

from audit.texts import Texts
from dashboards.model import Choice
from dashboards.rights_model import PersonView

__all__ = [
    "AskForm",
    "ConductRow",
    "DeclareForm",
    "EmergenciesView",
    "EmergencyRow",
    "EnvelopeRow",
    "MediaView",
    "MediumRow",
    "RequestRow",
    "RequestsView",
    "ReviewedRow",
    "ReviewsView",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One request for an approval.

    Attributes:
        state: of the vocabulary `approval_state`: as the ledger has it, or `over`, `used`.
        system: empty for every system.
        why_not: the reason that a refusal gave.
        may_withdraw: the viewer may take it back.
        may_end: the viewer may end it before its time.
    """

    id: str
    kind: str
    person: PersonView
    system: Texts
    start: datetime
    end: datetime
    reason: str
    max_rows: int | None
    max_uses: int | None
    medium_id: str
    subjects: tuple[str, ...]
    state: str
    asked_by: PersonView
    asked_at: datetime
    settled_by: PersonView | None
    settled_at: datetime | None
    uses: int
    rows: int
    why_not: str = ""
    may_withdraw: bool = False
    may_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsView:
    """Requests on a page. `unlocked`: the second factor is fresh enough to approve; `trouble`: with the policy."""

    rows: tuple[RequestRow, ...]
    waiting: int = 0
    in_office: bool = True
    unlocked: bool = False
    trouble: Texts | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForm:
    """The request for an approval, as it was filled in."""

    kinds: tuple[str, ...] = ()
    systems: tuple[Choice, ...] = ()
    kind: str = ""
    person: str = ""
    system: str = ""
    from_: str = ""
    to: str = ""
    reason: str = ""
    max_rows: str = ""
    max_uses: str = ""
    medium_id: str = ""
    subjects: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MediumRow:
    """One medium. `holder`: only for whoever may know; `mine`: the viewer has it."""

    id: str
    kind: str
    state: str
    holder: PersonView | None
    mine: bool
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaView:
    """The media ledger. `step_up`: the refused step would be allowed after a fresh proof of this strength."""

    rows: tuple[MediumRow, ...]
    systems: tuple[Choice, ...]
    may_register: bool
    medium_id: str = ""
    step: str = ""
    system: str = ""
    rows_written: str = ""
    purpose: str = ""
    step_up: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductRow:
    """One decision that was made under an emergency. `lifted`: what the emergency stood in for."""

    time: datetime
    event_id: str
    activity: str
    outcome: str
    subjects: int
    lifted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyRow:
    """One emergency that nobody has reviewed yet.

    Attributes:
        open: it holds now.
        overdue: the day by which it was to be reviewed is over.
        conduct: decisions under it, the first ones.
        conduct_total: how many there were.
        may_review: the viewer may enter the review now.
    """

    id: str
    person: PersonView
    system: Texts
    reason: str
    start: datetime
    end: datetime
    sealed: bool
    review_due: date
    open: bool
    overdue: bool
    conduct: tuple[ConductRow, ...] = ()
    conduct_total: int = 0
    may_review: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareForm:
    """The declaration, as it was filled in; never the sealed code."""

    systems: tuple[Choice, ...] = ()
    most: int = 0
    system: str = ""
    reason: str = ""
    minutes: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergenciesView:
    """One's own emergencies, and the form. `trouble`: with the policy, for whoever reads it."""

    rows: tuple[EmergencyRow, ...]
    form: DeclareForm
    trouble: Texts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedRow:
    """One emergency that was reviewed, as the log tells it."""

    time: datetime
    event_id: str
    person: PersonView
    system: Texts
    reason: str
    reviewer: PersonView
    verdict: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsView:
    """What is to be reviewed, and what was."""

    rows: tuple[EmergencyRow, ...]
    reviewed: tuple[ReviewedRow, ...]
    may_review: bool
    trouble: Texts | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeRow:
    """One sealed credential, or somebody's wish for one.

    Attributes:
        state: `asked`, `sealed`, `opened` or `ended`.
        mine: the viewer asked for it, and somebody else confirms.
    """

    id: str
    state: str
    asked_by: PersonView
    asked_at: datetime
    confirmed_by: PersonView | None
    expires_at: datetime | None
    opened_by: PersonView | None
    opened_at: datetime | None
    mine: bool
