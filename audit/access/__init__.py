"""Who may use Mimamori itself: its users, their factors, sessions and rights."""

from audit.access.errors import (
    AccessError,
    AccountStateError,
    CodeRefusedError,
    ForbiddenError,
    LinkRefusedError,
    LoginIdRefusedError,
    PasswordRefusedError,
    SignInRefusedError,
    StepUpRequiredError,
    ThrottledError,
)
from audit.access.journal import Recorder
from audit.access.model import (
    AccessLimits,
    Account,
    Enrolment,
    NeedsSecondFactor,
    Permission,
    Role,
    SessionInfo,
    SignedIn,
    Viewer,
)
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
    "Enrolment",
    "ForbiddenError",
    "LinkRefusedError",
    "LoginIdRefusedError",
    "NeedsSecondFactor",
    "PasswordRefusedError",
    "Passwords",
    "Permission",
    "Recorder",
    "Role",
    "SecretBox",
    "SessionInfo",
    "SignInRefusedError",
    "SignedIn",
    "StepUpRequiredError",
    "ThrottledError",
    "Viewer",
    "new_secret",
]
