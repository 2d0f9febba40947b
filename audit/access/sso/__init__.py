"""Single sign-on for records services: Mimamori as their OpenID Connect provider."""

from audit.access.sso.errors import ClientStateError
from audit.access.sso.keys import ALGORITHMS, SigningKeys
from audit.access.sso.model import Challenge, Detour, Refusal, Reply, SsoRules, System, UserInfo
from audit.access.sso.service import SsoService

__all__ = [
    "ALGORITHMS",
    "Challenge",
    "ClientStateError",
    "Detour",
    "Refusal",
    "Reply",
    "SigningKeys",
    "SsoRules",
    "SsoService",
    "System",
    "UserInfo",
]
