"""Secrets at rest: encrypted where they must be read again, hashed where they are only compared.

Each use has a key of its own, derived from one key file, and each ciphertext is bound to its place, so that
one moved to another row does not open. Random tokens hold 256 bits, and a plain SHA-256 of them cannot be
guessed; what people type (login ids) can, so it is hashed with a key.
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["SecretBox", "new_token", "token_hash"]

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


def new_token() -> str:
    """A random bearer token of 256 bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token. Anything typed has a hash, so that garbage is merely unknown."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class SecretBox:
    """Seals small secrets with AES-256-GCM and hashes guessable values with a key.

    Args:
        key: the bytes of the key file, 32 or more, from a random source.

    Raises:
        ValueError: the key is too short.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < _KEY_BYTES:
            raise ValueError("the key file must hold at least 32 bytes")
        self._cipher = AESGCM(_derive(key, b"mimamori access seal v1"))
        self._hash_key = _derive(key, b"mimamori access keyed hash v1")

    def seal(self, secret: str, place: str) -> bytes:
        """Encrypt a secret for one place."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret.encode(), _VERSION + place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """Decrypt what was sealed for this place.

        Raises:
            ValueError: altered, moved, or sealed under another key.
        """
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, sealed[:1] + place.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise ValueError("a sealed secret does not open with this key, here") from error

    def keyed_hash(self, text: str) -> str:
        """A hash that cannot be guessed without the key file."""
        return hmac.new(self._hash_key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(key)
