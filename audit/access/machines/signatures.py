"""Signed batches: a detached JWS (RFC 7515, appendix F) over the value of the Content-Digest header. Pure, no I/O.

Rules:
- `Content-Digest: sha-256=:…:` (RFC 9530) says which bytes come; `X-JWS-Signature: HEADER..SIGNATURE` signs that value,
  exactly as sent. The signature is thus judged before the first byte of the batch, and the batch is hashed while it is
  written: it never has to be held in memory.
- Ed25519 alone (`alg` `Ed25519`, or its older name `EdDSA`); `kid` is the RFC 7638 thumbprint of the key.
- A signed batch that comes again is a delivery that comes again: its events are duplicates and change nothing.
"""

import base64
import re

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import CompactSignature, JWSRegistry

__all__ = ["digest_of", "read_signature", "verifies"]

MAX_SIGNATURE = 1024
_SHA256 = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_HEADER = frozenset({"alg", "kid", "typ"})


class _Ed25519(JWSRegistry):
    # RFC 9864 gave the algorithm a name of its own; under the older name, too, no other curve exists here.
    algorithms = dict.fromkeys(("Ed25519", "EdDSA"), JWSRegistry.algorithms["Ed25519"])


_REGISTRY = _Ed25519(algorithms=["Ed25519", "EdDSA"])


def digest_of(content_digest: str) -> str | None:
    """The SHA-256 that a Content-Digest header announces, in hexadecimal; None when it holds none, or several."""
    found = [match[1] for part in content_digest.split(",") if (match := _SHA256.fullmatch(part.strip()))]
    return base64.b64decode(found[0]).hex() if len(found) == 1 else None


def read_signature(signature: str, content_digest: str) -> tuple[str, CompactSignature] | None:
    """Take a detached signature apart.

    Args:
        signature: the header X-JWS-Signature.
        content_digest: the header Content-Digest, exactly as sent.

    Returns:
        The `kid` it names and what is to be verified; None when it is no detached signature.
    """
    if len(signature) > MAX_SIGNATURE or ".." not in signature:
        return None
    try:
        signed = jws.extract_compact(signature.encode("ascii"), content_digest, _REGISTRY)
        header = signed.headers()
        kid = header["kid"] if header.keys() <= _HEADER else None
    except (JoseError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None
    return (kid, signed) if isinstance(kid, str) else None


def verifies(signed: CompactSignature, public_key: str) -> bool:
    """Whether a signature holds under a public key in PEM."""
    try:
        return jws.validate_compact(signed, OKPKey.import_key(public_key), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError):
        return False
