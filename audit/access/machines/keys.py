"""What an administrator binds to a source: certificates and public keys, read from what people have at hand. Pure."""

import json
import re
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from audit.access.machines.errors import MachineStateError

__all__ = ["fingerprint_of", "read_certificate", "read_public_key"]

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def fingerprint_of(certificate: x509.Certificate) -> str:
    """What a certificate is known by: the SHA-256 of its DER bytes, in hexadecimal."""
    return certificate.fingerprint(SHA256()).hex()


def read_certificate(text: str) -> tuple[str, datetime | None]:
    """A certificate's fingerprint, and its end where it is known.

    Args:
        text: PEM, or a SHA-256 fingerprint in hexadecimal, with or without colons.

    Raises:
        MachineStateError: it is neither.
    """
    bare = text.strip().replace(":", "").lower()
    if _FINGERPRINT.fullmatch(bare):
        return bare, None
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise MachineStateError("certificate") from error
    return fingerprint_of(certificate), certificate.not_valid_after_utc


def read_public_key(text: str) -> tuple[str, str]:
    """An Ed25519 public key's RFC 7638 thumbprint, and the key in PEM.

    Args:
        text: PEM or a JWK.

    Raises:
        MachineStateError: it is no such key, or a private one.
    """
    try:
        key = OKPKey.import_key(json.loads(text) if text.lstrip().startswith("{") else text)
    except (JoseError, ValueError, TypeError) as error:
        raise MachineStateError("key") from error
    if key.is_private:
        raise MachineStateError("private_key")
    if key.curve_name != "Ed25519":
        raise MachineStateError("key")
    return key.thumbprint(), key.as_pem(private=False).decode()
