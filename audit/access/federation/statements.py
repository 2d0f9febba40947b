"""Judging what a verifier says: its ID token (OpenID Connect Core 3.1.3.7). Pure.

Rules:
- Issuer, audience, nonce, times and `auth_time` are all demanded; a check of the person that is too old proves nothing.
- Only words that the town has mapped prove a factor; an unknown word proves none.
- It names only accounts that its configuration lets it name.
"""

import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc.errors import ClaimError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from audit.access.federation.errors import VerificationRefusedError
from audit.access.federation.model import Verified, Verifier
from audit.access.model import login_id_of
from audit.access.sso.signed import BadTokenError, read_signed
from audit.access.strength import Acr

__all__ = ["judge_statement"]

SKEW = timedelta(seconds=60)
LONGEST_LIFE = timedelta(hours=1)


def judge_statement(
    id_token: object,
    verifier: Verifier,
    keys: KeySet,
    *,
    nonce: str,
    now: datetime,
) -> Verified:
    """Whom a verifier has confirmed, and by what.

    Args:
        id_token: as its token endpoint answered.
        verifier: whose it must be.
        keys: that verifier's keys.
        nonce: what was sent with the request.
        now: the present moment.

    Raises:
        VerificationRefusedError: it proves nothing.
    """
    if not isinstance(id_token, str):
        raise VerificationRefusedError("no_id_token")
    try:
        claims = read_signed(id_token, keys, verifier.algorithms)
    except BadTokenError as error:
        raise VerificationRefusedError(error.reason) from error
    _judge_claims(claims, verifier, nonce, int(now.timestamp()))
    at = datetime.fromtimestamp(claims["auth_time"], UTC)
    if not -SKEW <= now - at <= verifier.max_age + SKEW:
        raise VerificationRefusedError("auth_time")
    login_id = claims.get(verifier.claim)
    if not isinstance(login_id, str) or not verifier.staff_ids.fullmatch(login_id):
        raise VerificationRefusedError("staff_id_not_allowed")
    if login_id_of(login_id) != login_id:
        raise VerificationRefusedError("staff_id_shape")
    found = Verified(
        login_id=login_id,
        factors=_factors(claims, verifier),
        authenticator=f"oidc:{verifier.name}",
        at=min(at, now),
    )
    if not found.factors:
        raise VerificationRefusedError("no_factor")
    if found.proof.acr.rank < Acr.OTP.rank:
        raise VerificationRefusedError("too_weak")
    return found


def _judge_claims(claims: dict[str, Any], verifier: Verifier, nonce: str, seconds: int) -> None:
    skew = int(SKEW.total_seconds())
    registry = JWTClaimsRegistry(
        now=seconds,
        leeway=skew,
        iss={"essential": True, "value": verifier.issuer},
        sub={"essential": True},
        aud={"essential": True, "value": verifier.client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True},
        auth_time={"essential": True},
    )
    try:
        registry.validate(claims)
    except ClaimError as error:
        raise VerificationRefusedError(f"claim_{error.claim.partition(',')[0]}") from error
    except JoseError as error:
        raise VerificationRefusedError("claims") from error
    audience, at = claims["aud"], claims["auth_time"]
    if isinstance(audience, list) and len(audience) != 1:
        raise VerificationRefusedError("claim_aud")
    if claims.get("azp", verifier.client_id) != verifier.client_id:
        raise VerificationRefusedError("claim_azp")
    if not isinstance(claims["nonce"], str) or not hmac.compare_digest(claims["nonce"].encode(), nonce.encode()):
        raise VerificationRefusedError("claim_nonce")
    if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at <= seconds + skew:
        raise VerificationRefusedError("claim_auth_time")
    longest = int(LONGEST_LIFE.total_seconds())
    if claims["exp"] > seconds + longest + skew or claims["iat"] < seconds - longest - skew:
        raise VerificationRefusedError("claim_exp_far")


def _factors(claims: dict[str, Any], verifier: Verifier) -> frozenset[str]:
    words = claims.get("amr", [])
    mapped = (
        [verifier.amr[word] for word in words if isinstance(word, str) and word in verifier.amr]
        if isinstance(words, list)
        else []
    )
    level = claims.get("acr")
    if isinstance(level, str) and level in verifier.acr:
        mapped.append(verifier.acr[level])
    return frozenset().union(*mapped)
