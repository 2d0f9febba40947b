"""The town's own palm-vein or IC-card product as a verifier: an OpenID provider that says who stands there."""

from audit.access.federation.config import load_verifiers
from audit.access.federation.errors import VerificationRefusedError, VerifierConfigError
from audit.access.federation.model import Begun, Offer, Verified, Verifier
from audit.access.federation.service import FederationService

__all__ = [
    "Begun",
    "FederationService",
    "Offer",
    "VerificationRefusedError",
    "Verified",
    "Verifier",
    "VerifierConfigError",
    "load_verifiers",
]
