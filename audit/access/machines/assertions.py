"""Reading client assertions: `client_secret_jwt` with HS256 (RFC 7523, 8725; 共通機能標準仕様書 2.2.5). Pure, no I/O.

Rules:
- The signature is joserfc's work, with a registry in which HS256 is the only algorithm that exists: `none`, another
  hash or a public key taken for a secret cannot even be named.
- Only `alg`, `typ` and `kid` may stand in the header: a key is never fetched from, or chosen by, what a sender wrote.
- `aud` names us alone. An assertion that also names another server could be replayed by that server.
- The claims are read with the parser that reads events: no double names, no NaN, no deep nesting.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joserfc import jws
from joserfc.errors import ClaimError, JoseError
from joserfc.jwk import OctKey
from joserfc.jws import CompactSignature, JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from audit.access.machines.model import CLIENT_ID_LENGTH, MachineRules
from audit.events import parse_json

__all__ = ["Assertion", "BadAssertionError", "check_assertion", "read_assertion"]

MAX_ASSERTION = 8 * 1024
"""Characters; a usual one has some 400."""
MAX_JTI = 256
_HEADER = frozenset({"alg", "typ", "kid"})
_TYPES = frozenset({"JWT", "client-authentication+jwt"})


class _Hs256(JWSRegistry):
    algorithms = {"HS256": JWSRegistry.algorithms["HS256"]}  # noqa: RUF012 - declared like this by joserfc
    max_header_length = 1024
    max_payload_length = MAX_ASSERTION


_REGISTRY = _Hs256(algorithms=["HS256"])


class BadAssertionError(Exception):
    """An assertion that proves nothing.

    Args:
        reason: a short stable word, for the audit log.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion as it was sent. Nothing in it is true before `check_assertion` returns.

    Attributes:
        client_id: whose it claims to be.
        claims: everything it claims.
        signed: what joserfc will verify.
    """

    client_id: str
    claims: dict[str, Any] = field(repr=False)
    signed: CompactSignature = field(repr=False)

    @property
    def once(self) -> str:
        """The name under which it may be used once."""
        return hashlib.sha256(f"{self.client_id}\n{self.claims['jti']}".encode()).hexdigest()


def read_assertion(text: str) -> Assertion:
    """Take an assertion apart.

    Args:
        text: as it was sent.

    Raises:
        BadAssertionError: it is none.
    """
    if len(text) > MAX_ASSERTION:
        raise BadAssertionError("assertion_too_long")
    try:
        signed = jws.extract_compact(text.encode("ascii"), registry=_REGISTRY)
        header = signed.headers()
        allowed = header.keys() <= _HEADER and header.get("typ", "JWT") in _TYPES
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # Not only JoseError: joserfc takes for granted that a header is an object.
        raise BadAssertionError("assertion_unreadable") from error
    if not allowed:
        raise BadAssertionError("header_not_allowed")
    claims, fault = parse_json(signed.payload or b"")
    if claims is None or fault is not None:
        raise BadAssertionError("claims_unreadable")
    client_id = claims.get("iss")
    if not isinstance(client_id, str) or len(client_id) != CLIENT_ID_LENGTH or not client_id.isascii():
        raise BadAssertionError("claim_iss")
    return Assertion(client_id, claims, signed)


def check_assertion(assertion: Assertion, secret: str, rules: MachineRules, now: datetime) -> None:
    """Verify signature and claims.

    Args:
        assertion: what was read.
        secret: the client's secret.
        rules: whom it must be for, and how long it may live.
        now: the present moment.

    Raises:
        BadAssertionError: it does not hold.
    """
    try:
        right = jws.validate_compact(assertion.signed, OctKey.import_key(secret), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError) as error:
        raise BadAssertionError("algorithm_not_allowed") from error
    if not right:
        raise BadAssertionError("signature_wrong")
    claims, seconds = assertion.claims, int(now.timestamp())
    skew, life = (int(span.total_seconds()) for span in (rules.skew, rules.assertion))
    audience = claims.get("aud")
    if isinstance(audience, list) and len(audience) != 1:
        raise BadAssertionError("claim_aud")
    registry = JWTClaimsRegistry(
        now=seconds,
        leeway=skew,
        sub={"essential": True, "value": assertion.client_id},
        aud={"essential": True, "values": [rules.issuer, rules.token_endpoint]},
        exp={"essential": True},
        iat={"essential": True},
        jti={"essential": True},
    )
    try:
        registry.validate(claims)
    except ClaimError as error:
        # Several names may be missing; the first says enough, and a name is one of the five above or `nbf`.
        raise BadAssertionError(f"claim_{error.claim.partition(',')[0]}") from error
    if claims["exp"] > seconds + life + skew or claims["iat"] < seconds - life - skew:
        raise BadAssertionError("claim_exp_far")
    if not 1 <= len(claims["jti"]) <= MAX_JTI:
        raise BadAssertionError("claim_jti")
