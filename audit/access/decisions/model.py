"""A question about access, the facts it is judged by, and the answer. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from audit.access.rights.model import Entitlement
from audit.access.strength import Acr, FactorPolicy, Proof
from audit.context import Post, Span, Terminal
from audit.texts import Texts

__all__ = ["Actor", "Answer", "Approval", "BreakGlass", "Effect", "Facts", "LiveSession", "Question"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody who is signed in and acts on the ledger or in an emergency; the delivery makes it from its viewer."""

    staff_id: str
    address: str = ""
    session: str = ""


class Effect(StrEnum):
    """What the caller must do. Anything but `allow` means: not now."""

    ALLOW = "allow"
    DENY = "deny"
    STEP_UP = "step_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May this person do this, now?

    Attributes:
        person: the staff id.
        system: the source id of the authenticated caller, never what the caller claims.
        activity: a word of the closed vocabulary (DESIGN 4.3).
        function: a function of the system, empty for the one that the activity belongs to.
        affair: the business (`nhi-levy`), empty for the system's own.
        subjects: pseudonymous keys of the residents concerned; empty for an act on none.
        purpose: what it is for, as the caller's controlled list says.
        case_id: the reception ticket or application that it belongs to.
        terminal_id: where the person sits, as the caller says; judged only beside the address.
        address: the terminal's network address.
        session: the session id that the caller was given (`sid`); empty when it has none.
        rows: how many records an output holds.
        medium_id: the medium that it goes to.
        second_person: the staff id of the one who confirms at the same time, where two are needed.
    """

    person: str
    system: str
    activity: str
    function: str = ""
    affair: str = ""
    subjects: tuple[str, ...] = ()
    purpose: str = ""
    case_id: str = ""
    terminal_id: str = ""
    address: str = ""
    session: str = ""
    rows: int | None = None
    medium_id: str = ""
    second_person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A session that is open now. `limited_to`: the one system it is for, where a sealed credential opened it."""

    id: str
    login_id: str
    proof: Proof
    created_at: datetime
    last_seen_at: datetime
    address: str
    terminal_id: str = ""
    limited_to: str = ""
    locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody's word that an output, a medium, a time or maintenance is wanted. `end` is exclusive.

    Attributes:
        entered_at: since when it is on record; one without it, or entered after the act, covers nothing.
        subjects: the residents that a `second_person` was given for.
        concerned: those among them who are the approver, or of the approver's household.
        ledger: whether it was given in Mimamori, where its uses are counted.
    """

    id: str
    kind: str
    person: str
    approved_by: str
    system: str
    start: datetime | None
    end: datetime | None
    max_rows: int | None
    medium_id: str
    entered_at: datetime | None = None
    subjects: tuple[str, ...] = ()
    concerned: frozenset[str] = frozenset()
    ledger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """An emergency that a person declared, with its reason. `end` is exclusive.

    Attributes:
        sealed: declared with a sealed emergency credential, for want of the second factor.
    """

    id: str
    person: str
    system: str
    reason: str
    start: datetime
    end: datetime
    sealed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that one question is judged by, as it stands at one moment.

    Attributes:
        now: the moment.
        post: the person's post now; None for nobody of ours, or no more.
        session: the person's live session; None without one.
        selves: further staff ids of the same natural person.
        second_session: the live session of the second person, where one is named.
        entitlements: the person's rights in the system that hold now.
        second_entitlements: the second person's.
        second_related: what a subject is to the second person.
        factors: what the system asks for.
        terminals: the system's or town's registered terminals that the address or the id belongs to.
        terminals_known: whether any terminal is registered at all.
        working: when the person works today.
        on_leave: whether the roster says leave.
        flags: flags of the subjects (`protected vip staff deceased`), by subject.
        related: what a subject is to the person: `self`, `family` (same household), `colleague` (same unit).
        approvals: those that concern the person and system now.
        emergency: the open break-glass of the person for the system.
    """

    now: datetime
    post: Post | None
    session: LiveSession | None
    factors: FactorPolicy
    selves: frozenset[str] = frozenset()
    second_session: LiveSession | None = None
    entitlements: tuple[Entitlement, ...] = ()
    second_entitlements: tuple[Entitlement, ...] = ()
    terminals: tuple[Terminal, ...] = ()
    terminals_known: bool = False
    working: tuple[Span, ...] = ()
    on_leave: bool = False
    flags: Mapping[str, frozenset[str]] = field(default_factory=dict)
    related: Mapping[str, str] = field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()
    second_related: Mapping[str, str] = field(default_factory=dict)
    emergency: BreakGlass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was decided.

    Attributes:
        effect: what the caller must do.
        reason: a word for programs (`no_session`, `outside_hours`, ...).
        texts: the same as a sentence for people.
        acr: for a step-up, the level to ask for; None otherwise.
        max_age: for a step-up, how fresh the proof must be; None when age does not matter.
        life: how long an allow may be relied on; zero for one use.
        notes: why an allow is looked at afterwards (`break_glass`, `outside_hours_approved`, `self`, ...).
        policy: version of the decision policy.
        approvals: ids of every approval that an allow rests on, in the order in which they were needed.
        id: of this decision, once it is recorded; by it an output is confirmed.
    """

    effect: Effect
    reason: str
    texts: Texts
    acr: Acr | None = None
    max_age: timedelta | None = None
    life: timedelta = timedelta(0)
    notes: tuple[str, ...] = ()
    policy: str = ""
    approvals: tuple[str, ...] = ()
    id: str = ""

    @property
    def approval(self) -> str:
        """The last of them: of an output, the one that it is counted against. Empty for none."""
        return self.approvals[-1] if self.approvals else ""
