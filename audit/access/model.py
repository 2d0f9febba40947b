"""Mimamori's own users: roles, permissions, and the values that sign-in hands out.

Rules:
- A role is a set of permissions; a user holds a set of roles. What no role grants is denied.
- A permission for part of the records ("own reports only") is not granted before that visible scope exists.
- A `Viewer` is proof that a live session was looked up: only `audit.access` can make one.
- No elapsed time is trusted when the clock has gone back: see `within`.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from audit.access.strength import Proof

__all__ = [
    "ROLE_PERMISSIONS",
    "STEP_UP_PERMISSIONS",
    "AccessLimits",
    "Account",
    "Enrolled",
    "Enrolment",
    "Invitation",
    "LockedSession",
    "NeedsSecondFactor",
    "Newcomer",
    "Opening",
    "PasswordOverdue",
    "Permission",
    "Reset",
    "Role",
    "SecondSession",
    "SecondSessionRule",
    "SessionInfo",
    "Sheet",
    "SignedIn",
    "Viewer",
    "display_name_of",
    "login_id_of",
    "permissions_of",
    "within",
]

SecondSessionRule = Literal["ask", "refuse", "take_over"]
CLOCK_TOLERANCE = timedelta(seconds=5)  # two requests in flight, or a small correction, are no clock gone back
MAX_LOGIN_ID = 64
MAX_DISPLAY_NAME = 100
_MANY_DIGITS = re.compile(r"\d{12}")  # an individual number must not become an id or a name


class Role(StrEnum):
    """What a user is to the product."""

    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    DETECTION_ENGINEER = "detection_engineer"
    MANAGER = "manager"
    SECURITY_ADMINISTRATOR = "security_administrator"
    STAFF = "staff"


class Permission(StrEnum):
    """A right, as `scope:resource:action`."""

    ADMIN_USER_MANAGE = "admin:user:manage"
    ALERTS_ALERT_READ = "alerts:alert:read"
    APPROVALS_LEDGER_READ = "approvals:ledger:read"
    APPROVALS_REQUEST_APPROVE = "approvals:request:approve"
    APPROVALS_REQUEST_CREATE = "approvals:request:create"
    BOARDS_BOARD_READ = "boards:board:read"
    CASES_CASE_CLOSE = "cases:case:close"
    DETECTORS_CHANGE_END = "detectors:change:end"
    DETECTORS_CHANGE_READ = "detectors:change:read"
    DETECTORS_DETECTOR_TUNE = "detectors:detector:tune"
    EMERGENCIES_EMERGENCY_DECLARE = "emergencies:emergency:declare"
    EMERGENCIES_EMERGENCY_READ = "emergencies:emergency:read"
    EMERGENCIES_EMERGENCY_REVIEW = "emergencies:emergency:review"
    EMERGENCIES_ENVELOPE_MAKE = "emergencies:envelope:make"
    EVENTS_EVENT_SEARCH = "events:event:search"
    MEDIA_MEDIUM_HANDLE = "media:medium:handle"
    MEDIA_MEDIUM_REGISTER = "media:medium:register"
    RIGHTS_APPLICATION_APPROVE = "rights:application:approve"
    RIGHTS_APPLICATION_CREATE = "rights:application:create"
    RIGHTS_ENTITLEMENT_READ = "rights:entitlement:read"
    RIGHTS_ENTITLEMENT_RECONCILE = "rights:entitlement:reconcile"
    SELF_ACCOUNT_READ = "self:account:read"
    SELF_SESSION_END = "self:session:end"
    SOURCES_CREDENTIAL_MANAGE = "sources:credential:manage"
    SOURCES_SOURCE_READ = "sources:source:read"


_RIGHTS = frozenset({Permission.RIGHTS_APPLICATION_APPROVE, Permission.RIGHTS_APPLICATION_CREATE})
"""Everybody's: whose application it is, and who may approve it, is decided by post."""
_DECISIONS = frozenset(
    {
        Permission.APPROVALS_REQUEST_APPROVE,
        Permission.APPROVALS_REQUEST_CREATE,
        Permission.EMERGENCIES_EMERGENCY_DECLARE,
        Permission.MEDIA_MEDIUM_HANDLE,
    }
)
"""Everybody's as well: who may approve what, declare what and handle which medium, the decision service says."""
_SELF = frozenset({Permission.SELF_ACCOUNT_READ, Permission.SELF_SESSION_END}) | _RIGHTS | _DECISIONS
_LEDGERS = frozenset({Permission.APPROVALS_LEDGER_READ, Permission.EMERGENCIES_EMERGENCY_READ})
_WORKINGS = frozenset({Permission.BOARDS_BOARD_READ, Permission.SOURCES_SOURCE_READ})
_RECORDS = frozenset({Permission.ALERTS_ALERT_READ, Permission.EVENTS_EVENT_SEARCH})

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        # Runs the installation: sees that it works and which system may send, not what it recorded about people.
        Role.ADMINISTRATOR: _SELF
        | _WORKINGS
        | {
            Permission.EMERGENCIES_ENVELOPE_MAKE,
            Permission.MEDIA_MEDIUM_REGISTER,
            Permission.SOURCES_CREDENTIAL_MANAGE,
        },
        Role.AUDITOR: _SELF
        | _WORKINGS
        | _RECORDS
        | _LEDGERS
        | {Permission.DETECTORS_CHANGE_READ, Permission.RIGHTS_ENTITLEMENT_READ},
        # Tunes detectors, two of them together; closes no case: see `permissions_of`.
        Role.DETECTION_ENGINEER: _SELF
        | _WORKINGS
        | {
            Permission.ALERTS_ALERT_READ,
            Permission.DETECTORS_CHANGE_END,
            Permission.DETECTORS_CHANGE_READ,
            Permission.DETECTORS_DETECTOR_TUNE,
        },
        # Alerts and events wait for the scope "own reports"; boards hold figures, no residents.
        Role.MANAGER: _SELF | {Permission.BOARDS_BOARD_READ},
        Role.SECURITY_ADMINISTRATOR: _SELF
        | _WORKINGS
        | _RECORDS
        | _LEDGERS
        | {
            Permission.ADMIN_USER_MANAGE,
            Permission.CASES_CASE_CLOSE,
            Permission.DETECTORS_CHANGE_END,
            Permission.DETECTORS_CHANGE_READ,
            Permission.EMERGENCIES_EMERGENCY_REVIEW,
            Permission.EMERGENCIES_ENVELOPE_MAKE,
            Permission.MEDIA_MEDIUM_REGISTER,
            Permission.RIGHTS_ENTITLEMENT_READ,
            Permission.RIGHTS_ENTITLEMENT_RECONCILE,
        },
        Role.STAFF: _SELF,
    }
)

STEP_UP_PERMISSIONS = frozenset(
    {
        Permission.ADMIN_USER_MANAGE,
        Permission.APPROVALS_REQUEST_APPROVE,
        Permission.DETECTORS_DETECTOR_TUNE,
        Permission.EMERGENCIES_ENVELOPE_MAKE,
        Permission.RIGHTS_APPLICATION_APPROVE,
        Permission.SOURCES_CREDENTIAL_MANAGE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLimits:
    """How long things live. Each default is one the town may shorten.

    Attributes:
        lock: a session is locked after this long without a request, and waits for a factor.
        idle: a session ends after this long without a request (SP 800-63B AAL3: at most 15 minutes).
        absolute: a session ends after this long whatever happens (one shift, below AAL3's 12 hours).
        ticket: time to enter the code after the password: six steps of the authenticator.
        link: time to use an enrolment link: a working day, nights included.
        in_person: the same for a link made for somebody who stands beside the administrator.
        sheet: the same for one of many that are handed over on paper.
        step_up: age of the second factor that a sensitive act accepts.
        failures: consecutive failures per account before its factors must be bound anew (SP 800-63B 3.2.2).
        second_session: what becomes of a sign-in while the person has a session: they are asked, the new one is
            refused, or it takes over.
        bind_address: whether every session belongs to the address where it was opened; one that was opened at a
            registered terminal always does.
        password_max_age: after how long a password must be changed; None: never, as SP 800-63B 3.1.1.2 wants it. For
            towns whose own rules demand it.
    """

    lock: timedelta = timedelta(minutes=5)
    idle: timedelta = timedelta(minutes=15)
    absolute: timedelta = timedelta(hours=9)
    ticket: timedelta = timedelta(minutes=3)
    link: timedelta = timedelta(hours=24)
    in_person: timedelta = timedelta(minutes=15)
    sheet: timedelta = timedelta(days=7)
    step_up: timedelta = timedelta(minutes=5)
    failures: int = 100
    second_session: SecondSessionRule = "ask"
    bind_address: bool = False
    password_max_age: timedelta | None = None


def within(since: datetime, now: datetime, life: timedelta) -> bool:
    """Whether something that began at `since` still lives.

    A clock that has gone back beyond the tolerance ends it: an unknown age is not a young age.
    """
    return -CLOCK_TOLERANCE <= now - since < life


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Everything that a set of roles grants; who deals with cases tunes no detector, whatever else they are."""
    held = frozenset[Permission]().union(*(ROLE_PERMISSIONS[role] for role in roles))
    return held - {Permission.DETECTORS_DETECTOR_TUNE} if Role.SECURITY_ADMINISTRATOR in roles else held


def login_id_of(text: str) -> str | None:
    """A login id in its stored form (NFC, case kept), or None when it cannot be one."""
    if not 1 <= len(text) <= MAX_LOGIN_ID:
        return None
    name = unicodedata.normalize("NFC", text)
    shaped = all(character in "._-@" or unicodedata.category(character)[0] in "LMN" for character in name)
    return name if shaped and len(name) <= MAX_LOGIN_ID and not _MANY_DIGITS.search(name) else None


def display_name_of(text: str) -> str | None:
    """A display name in its stored form, or None when it cannot be one."""
    if len(text) > MAX_DISPLAY_NAME:
        return None
    name = unicodedata.normalize("NFC", text).strip()
    shaped = 1 <= len(name) <= MAX_DISPLAY_NAME and name.isprintable()
    return name if shaped and not _MANY_DIGITS.search(name) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One user of Mimamori. `must_rebind`: too many failures, only a new enrolment link helps."""

    id: str
    login_id: str
    display_name: str
    roles: frozenset[Role]
    disabled: bool
    must_rebind: bool
    created_at: datetime
    last_sign_in_at: datetime | None
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """A session as it may be shown: `id` is no secret and opens nothing."""

    id: str
    account_id: str
    created_at: datetime
    last_seen_at: datetime
    second_factor_at: datetime
    address: str
    language: str
    previous_sign_in_at: datetime | None
    proof: Proof
    failures_before: int = 0
    terminal_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedSession:
    """A session that waits for one of its factors; nothing is shown to it, nothing done for it."""

    session: SessionInfo
    login_id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class NeedsSecondFactor:
    """The password was right; `ticket` is to be handed back together with the second factor.

    Attributes:
        ticket: opens nothing by itself.
        methods: what this person can answer with: `key`, `totp`, `recovery_code`.
    """

    ticket: str = field(repr=False)
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecondSession:
    """Everything was proved, but the person has a session already: see `settle_second_session`.

    Attributes:
        ticket: to be handed back with the choice; empty where the rule is to refuse.
        since: when that session was opened.
        address: where.
    """

    ticket: str = field(repr=False)
    since: datetime
    address: str


@dataclass(frozen=True, slots=True)
class PasswordOverdue:
    """Everything was proved, but the password is too old: only `change_overdue_password` goes on."""

    ticket: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session was opened or renewed; `token` exists in clear only here."""

    token: str = field(repr=False)
    session: SessionInfo


Opening = SignedIn | SecondSession | PasswordOverdue
"""What becomes of a sign-in whose factors were all right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What an open enrolment link shows. `login_id` is None where the user chooses it."""

    login_id: str | None
    display_name: str
    roles: frozenset[Role]
    existing: bool
    expires_at: datetime
    secret: str = field(repr=False)
    provisioning_uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An enrolment that is complete; the recovery codes exist in clear only here."""

    account: Account
    recovery_codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Somebody's wish to bind a user's factors anew. `mine_to_confirm`: whoever looks may be the second person."""

    login_id: str
    asked_by: str
    asked_at: datetime
    in_person: bool
    mine_to_confirm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Somebody who is to be enrolled, by the staff directory."""

    login_id: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A one-time link for a new user, as it is handed over; `token` exists in clear only here."""

    login_id: str
    display_name: str
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link for a new user that nobody has used. `live`: its time is not over."""

    login_id: str
    made_at: datetime
    made_by: str
    expires_at: datetime
    live: bool


VIEWER_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Somebody with a live session. Only `audit.access` makes one, so holding one is proof of sign-in.

    Attributes:
        emergency: the emergency for which a sealed credential opened the session; empty for any other.
        limited_to: the one system that such a session is for.
    """

    account_id: str
    login_id: str
    display_name: str
    roles: frozenset[Role]
    permissions: frozenset[Permission]
    session_id: str
    second_factor_at: datetime
    proof: Proof
    previous_sign_in_at: datetime | None
    failures_before: int
    language: str
    address: str
    terminal_id: str
    emergency: str = ""
    limited_to: str = ""
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        """Refuse to exist without the seal of this package."""
        if seal is not VIEWER_SEAL:
            raise TypeError("a Viewer comes from AccessService.authenticate")
