"""Who may use Mimamori itself: its users, their factors, sessions and rights."""

from audit.access.errors import (
    AccessError,
    AccountStateError,
    CodeRefusedError,
    ForbiddenError,
    LinkRefusedError,
    LoginIdRefusedError,
    PasswordRefusedError,
    SheetRefusedError,
    SignInRefusedError,
    StepUpRequiredError,
    ThrottledError,
)
from audit.access.journal import Recorder
from audit.access.model import (
    AccessLimits,
    Account,
    Enrolled,
    Enrolment,
    LockedSession,
    NeedsSecondFactor,
    Newcomer,
    Opening,
    PasswordOverdue,
    Permission,
    Reset,
    Role,
    SecondSession,
    SessionInfo,
    SignedIn,
    Viewer,
)
from audit.access.own_account import OwnAccount
from audit.access.passwords import Passwords
from audit.access.sealing import SecretBox
from audit.access.second_factor import new_secret
from audit.access.service import AccessService

__all__ = [
    "AccessError",
    "AccessLimits",
    "AccessService",
    "Account",
    "AccountStateError",
    "CodeRefusedError",
    "Enrolled",
    "Enrolment",
    "ForbiddenError",
    "LinkRefusedError",
    "LockedSession",
    "LoginIdRefusedError",
    "NeedsSecondFactor",
    "Newcomer",
    "Opening",
    "OwnAccount",
    "PasswordOverdue",
    "PasswordRefusedError",
    "Passwords",
    "Permission",
    "Recorder",
    "Reset",
    "Role",
    "SecondSession",
    "SecretBox",
    "SessionInfo",
    "SheetRefusedError",
    "SignInRefusedError",
    "SignedIn",
    "StepUpRequiredError",
    "ThrottledError",
    "Viewer",
    "new_secret",
]
