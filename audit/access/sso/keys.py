"""The keys that ID tokens are signed with, in one file of the installation, the newest first.

ES256 is what we sign with; RS256 is there because OpenID Connect demands it of every provider, for systems that know
nothing else. Rotation makes new keys and keeps only the public parts of those before, which stay published so that
tokens signed just before still verify. A rotation by another process, the command line above all, is seen at once; a
file that has become useless changes nothing.
"""

import json
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeyParameters, KeySet, RSAKey

__all__ = ["ALGORITHMS", "Algorithm", "SigningKey", "SigningKeys"]

Algorithm = Literal["ES256", "RS256"]
ALGORITHMS: tuple[Algorithm, ...] = ("ES256", "RS256")
SigningKey = ECKey | RSAKey
KEPT = 3
"""Former generations that stay published."""


class SigningKeys:
    """The signing keys and their predecessors.

    Args:
        path: the file; made on first use, readable by the service alone.

    Raises:
        ValueError: the file holds no such keys.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(self.successors())
        self._stamp = self._stamp_now()
        self._read_keys = _load(path)

    @property
    def _keys(self) -> list[SigningKey]:
        """The keys as the file has them now."""
        stamp = self._stamp_now()
        if stamp != self._stamp:
            with suppress(OSError, ValueError):
                self._read_keys = _load(self._path)
            self._stamp = stamp
        return self._read_keys

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def signing(self, algorithm: Algorithm) -> SigningKey:
        """The key that signs now."""
        return self._keys[ALGORITHMS.index(algorithm)]

    @property
    def published(self) -> KeySet:
        """Every key that may verify."""
        return KeySet(list(self._keys))

    def document(self) -> dict[str, Any]:
        """The JWKS: public parts only."""
        return {"keys": [dict(key.as_dict(private=False)) for key in self._keys]}

    def kids(self) -> list[str]:
        """The names of the keys that sign now."""
        return [str(key.kid) for key in self._keys[: len(ALGORITHMS)]]

    @staticmethod
    def successors() -> list[SigningKey]:
        """New keys, not yet in use."""
        curve = ECKey.generate_key("P-256", _named("ES256"), private=True)
        return [curve, RSAKey.generate_key(2048, _named("RS256"), private=True)]

    def succeed(self, keys: Sequence[SigningKey]) -> None:
        """Sign with new keys from now on; durable when this returns."""
        former = [_read(key.as_dict(private=False)) for key in self._keys[: KEPT * len(ALGORITHMS)]]
        self._write([*keys, *former])

    def _write(self, keys: Sequence[SigningKey]) -> None:
        text = json.dumps({"keys": [key.as_dict(private=key.is_private) for key in keys]}).encode()
        part = self._path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)


def _named(algorithm: Algorithm) -> KeyParameters:
    # The name is random letters: a hash may show twelve digits in a row, and the log would mask them.
    name = "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz") for _ in range(16))
    return {"kid": name, "use": "sig", "alg": algorithm}


def _load(path: Path) -> list[SigningKey]:
    """The keys of a file.

    Raises:
        ValueError: it holds no such keys.
    """
    try:
        keys = [_read(key) for key in json.loads(path.read_bytes())["keys"]]
        signing = [key.get("alg") for key in keys if key.is_private]
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no keys") from error
    if signing != list(ALGORITHMS):
        raise ValueError(f"{path} holds no signing keys")
    return keys


def _read(key: Any) -> SigningKey:  # noqa: ANN401 - whatever JSON holds
    return ECKey.import_key(key) if key["kty"] == "EC" else RSAKey.import_key(key)
