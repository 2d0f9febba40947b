"""The keys that ID tokens are signed with, in one file of the installation.

ES256 is what we sign with; RS256 is there because OpenID Connect demands it of every provider, for systems that know
nothing else. Rotation makes new keys and keeps only the public parts of those before: published for as long as a token
signed just before may still be verified, and known to us alone for as long as a session from before may be signed out
by such a token. A rotation by another process, the command line above all, is seen at once; a file that has become
useless changes nothing. Whoever changes the file holds a lock from reading to writing, so that no rotation is undone.
"""

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeyParameters, KeySet, RSAKey

from audit.access.model import within

__all__ = ["ALGORITHMS", "Algorithm", "SigningKey", "SigningKeys"]

Algorithm = Literal["ES256", "RS256"]
ALGORITHMS: tuple[Algorithm, ...] = ("ES256", "RS256")
SigningKey = ECKey | RSAKey
PUBLISHED = timedelta(minutes=15)
"""After they were replaced: the five minutes of an ID token, and ten for clocks that differ."""
KEPT = timedelta(hours=12)
"""The same, for us alone: longer than any session."""


@dataclass(frozen=True, slots=True)
class _Former:
    """A key that signs no more: its public part, and since when."""

    key: SigningKey
    since: datetime

    def document(self) -> dict[str, Any]:
        return {"since": self.since.isoformat(), "key": self.key.as_dict(private=False)}


@dataclass(frozen=True, slots=True)
class _Keys:
    """What the file holds: the keys that sign, in the order of `ALGORITHMS`, and those before, the newest first."""

    signing: list[SigningKey]
    former: list[_Former]


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
            with self._alone():
                if not path.exists():
                    self._write(_Keys(self.successors(), []))
        self._stamp: tuple[int, int, int] | None = self._stamp_now()
        self._read_keys = _load(path)

    @property
    def _keys(self) -> _Keys:
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
        return self._keys.signing[ALGORITHMS.index(algorithm)]

    @property
    def known(self) -> KeySet:
        """Every key that may have signed a token of a session that is still open."""
        keys = self._keys
        return KeySet([*keys.signing, *(former.key for former in keys.former)])

    def document(self, now: datetime) -> dict[str, Any]:
        """The JWKS: public parts only, of what may have signed a token that is still good."""
        keys = self._keys
        former = [each.key for each in keys.former if within(each.since, now, PUBLISHED)]
        return {"keys": [dict(key.as_dict(private=False)) for key in (*keys.signing, *former)]}

    def kids(self) -> list[str]:
        """The names of the keys that sign now."""
        return [str(key.kid) for key in self._keys.signing]

    @staticmethod
    def successors() -> list[SigningKey]:
        """New keys, not yet in use."""
        curve = ECKey.generate_key("P-256", _named("ES256"), private=True)
        return [curve, RSAKey.generate_key(2048, _named("RS256"), private=True)]

    def succeed(self, signing: Sequence[SigningKey], now: datetime) -> None:
        """Sign with new keys from now on; durable when this returns."""
        with self._alone():
            keys = self._keys
            replaced = [_Former(_read(key.as_dict(private=False)), now) for key in keys.signing]
            self._write(_Keys(list(signing), [*replaced, *_recent(keys, now)]))

    def drop_former(self, now: datetime) -> list[str]:
        """Forget the keys that nothing needs any more; their `kid`."""
        with self._alone():
            keys = self._keys
            kept = _recent(keys, now)
            dropped = [str(each.key.kid) for each in keys.former if each not in kept]
            if dropped:
                self._write(_Keys(keys.signing, kept))
        return dropped

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else changes the file meanwhile, in this process or another; what is read next is read anew."""
        descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._stamp = None
            yield
        finally:
            os.close(descriptor)

    def _write(self, keys: _Keys) -> None:
        document = {
            "keys": [key.as_dict(private=True) for key in keys.signing],
            "former": [each.document() for each in keys.former],
        }
        text = json.dumps(document).encode()
        descriptor, part = tempfile.mkstemp(".part", f"{self._path.stem}.", self._path.parent)  # for us alone to read
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(part).replace(self._path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise


def _named(algorithm: Algorithm) -> KeyParameters:
    # The name is random letters: a hash may show twelve digits in a row, and the log would mask them.
    name = "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz") for _ in range(16))
    return {"kid": name, "use": "sig", "alg": algorithm}


def _recent(keys: _Keys, now: datetime) -> list[_Former]:
    return [each for each in keys.former if within(each.since, now, KEPT)]


def _load(path: Path) -> _Keys:
    """The keys of a file.

    Raises:
        ValueError: it holds no such keys.
    """
    try:
        document = json.loads(path.read_bytes())
        # Public keys among those that sign are of a time when nobody wrote down since when: long before.
        signing = [key for key in map(_read, document["keys"]) if key.is_private]
        former = [
            _Former(_read(each["key"]), datetime.fromisoformat(each["since"])) for each in document.get("former", [])
        ]
    except (AttributeError, JoseError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no keys") from error
    if [key.get("alg") for key in signing] != list(ALGORITHMS):
        raise ValueError(f"{path} holds no signing keys")
    return _Keys(signing, former)


def _read(key: Any) -> SigningKey:  # noqa: ANN401 - whatever JSON holds
    return ECKey.import_key(key) if key["kty"] == "EC" else RSAKey.import_key(key)
