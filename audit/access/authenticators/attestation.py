"""Whether a maker vouches for an authenticator: the path from its certificates to the roots of its model.

OpenSSL verifies the path, at the time of our clock. Metadata may name as trust anchor a root, an authority below it or
the attestation certificate itself, so any of them ends a path. No anchors is no trust, never all of it.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier
from OpenSSL import crypto

from audit.access.authenticators.model import Attested, Model

__all__ = ["attested_by", "fingerprints", "leading", "self_signed"]

_AAGUID_EXTENSION = ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
_OCTET_STRING_OF_16 = b"\x04\x10"
_MAX_CHAIN = 6


def leading(chain: Sequence[bytes], anchors: Sequence[str], at: datetime) -> tuple[str, ...]:
    """Those of the trust anchors (PEM) that a chain (DER, the signing certificate first) leads to at a moment."""
    if not 1 <= len(chain) <= _MAX_CHAIN:
        return ()
    return tuple(anchor for anchor in anchors if _leads_to(chain, anchor, at))


def attested_by(
    chain: Sequence[bytes], fmt: str, aaguid: str, model: Model | None, anchors: Sequence[str]
) -> Attested | None:
    """Who vouches for an authenticator whose attestation statement holds.

    Args:
        chain: the statement's certificates, DER, the signing one first.
        fmt: the statement's format.
        aaguid: the model that the authenticator claims.
        model: what the metadata says of that model; None where it does not know it.
        anchors: those of the model's that the chain leads to.

    Returns:
        Who; None when the claim is false: the model is known, and its maker did not sign this.
    """
    if not chain:
        return Attested.NOBODY if fmt == "none" else Attested.ITSELF
    if model is None:
        return Attested.NOBODY
    return Attested.MAKER if anchors and _names(chain[0], aaguid) else None


def fingerprints(chain: Sequence[bytes]) -> tuple[str, ...]:
    """SHA-256 of each certificate, in hexadecimal."""
    return tuple(hashlib.sha256(certificate).hexdigest() for certificate in chain)


def self_signed(roots: Sequence[str]) -> tuple[str, ...]:
    """Those of the trust anchors (PEM) that are roots."""
    loaded = ((root, x509.load_pem_x509_certificate(root.encode())) for root in roots)
    return tuple(root for root, certificate in loaded if certificate.issuer == certificate.subject)


def _names(certificate: bytes, aaguid: str) -> bool:
    """Whether a certificate that names a model names this one (WebAuthn 8.2)."""
    try:
        extensions = x509.load_der_x509_certificate(certificate).extensions
        named = extensions.get_extension_for_oid(_AAGUID_EXTENSION).value
    except x509.ExtensionNotFound:
        return True
    except ValueError:
        return False
    expected = _OCTET_STRING_OF_16 + bytes.fromhex(aaguid.replace("-", ""))
    return isinstance(named, x509.UnrecognizedExtension) and named.value == expected


def _leads_to(chain: Sequence[bytes], anchor: str, at: datetime) -> bool:
    """Asked anchor by anchor: OpenSSL takes the first of two that bear the same name."""
    try:
        store = crypto.X509Store()
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
        store.set_time(at)
        store.add_cert(crypto.load_certificate(crypto.FILETYPE_PEM, anchor.encode()))
        leaf, *others = (crypto.load_certificate(crypto.FILETYPE_ASN1, item) for item in chain)
        crypto.X509StoreContext(store, leaf, others).verify_certificate()
    except (crypto.Error, crypto.X509StoreContextError, ValueError):
        return False
    return True
