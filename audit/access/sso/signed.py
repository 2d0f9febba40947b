"""Reading signed tokens of others and of our own (RFC 7515, 8725). Pure.

Rules:
- The algorithms are named by us and are signatures with a public key: `none` and HMAC cannot be named at all, so a
  public key is never taken for a secret.
- Keys are those that were given; nothing in the header chooses a place to fetch one from. Only `alg`, `kid` and `typ`
  may stand there, and `kid` is compared, never used as a path.
- The claims are read with the parser that reads events: no double names, no NaN, no deep nesting.
"""

from collections.abc import Collection
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from audit.events import parse_json

__all__ = ["ALGORITHMS", "BadTokenError", "read_signed"]

ALGORITHMS = frozenset({"ES256", "ES384", "ES512", "Ed25519", "EdDSA", "PS256", "PS384", "PS512", "RS256"})
"""What a verifier may sign with."""
MAX_TOKEN = 16 * 1024
_HEADER = frozenset({"alg", "kid", "typ"})


class BadTokenError(Exception):
    """A token that proves nothing.

    Args:
        reason: a short stable word, for the audit log.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Signatures(JWSRegistry):
    algorithms = {  # noqa: RUF012 - declared like this by joserfc
        name: model for name, model in JWSRegistry.algorithms.items() if name in ALGORITHMS
    }
    max_header_length = 1024
    max_payload_length = MAX_TOKEN
    max_signature_length = 1024


def read_signed(token: str, keys: KeySet, algorithms: Collection[str]) -> dict[str, Any]:
    """The claims of a token whose signature holds; what they say is still to be judged.

    Args:
        token: a compact JWS.
        keys: the keys that may have signed it.
        algorithms: what they may have signed with, of `ALGORITHMS`.

    Raises:
        BadTokenError: it does not hold.
    """
    if len(token) > MAX_TOKEN:
        raise BadTokenError("token_too_long")
    registry = _Signatures(algorithms=list(algorithms))
    try:
        signed = jws.extract_compact(token.encode("ascii"), registry=registry)
        header = signed.headers()
        allowed = header.keys() <= _HEADER and header.get("typ", "JWT") == "JWT"
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadTokenError("token_unreadable") from error
    if not allowed:
        raise BadTokenError("header_not_allowed")
    if header.get("alg") not in algorithms:
        raise BadTokenError("algorithm_not_allowed")
    named = [key for key in keys.keys if key.kid == header.get("kid")] if "kid" in header else list(keys.keys)
    if len(named) != 1:  # without a name, only where there is no choice
        raise BadTokenError("key_unknown")
    if named[0].get("alg") not in (None, header["alg"]) or named[0].get("use") not in (None, "sig"):
        raise BadTokenError("key_for_other_use")
    try:
        right = jws.validate_compact(signed, named[0], registry=registry)
    except (JoseError, ValueError, TypeError) as error:
        raise BadTokenError("algorithm_not_allowed") from error
    if not right:
        raise BadTokenError("signature_wrong")
    claims, fault = parse_json(signed.payload or b"")
    if claims is None or fault is not None:
        raise BadTokenError("claims_unreadable")
    return claims
