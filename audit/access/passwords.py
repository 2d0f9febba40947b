"""Passwords: what may be one, and how it is kept.

Rules (ASVS 5.0 6.2, SP 800-63B-4):
- 12 to 256 characters. 63B asks for 8 beside a second factor and 15 alone; the second factor is always asked
  here, and 12 leaves a margin for the day when it is phished. No composition rules, no forced change.
- Verified exactly as received: no trimming, normalisation or truncation. Only the rules fold a copy.
- Neither common nor made of the product's name or the login id. The list is small and works offline.
- An unknown user costs the same argon2 work as a known one.
"""

import secrets
import unicodedata
from itertools import pairwise
from threading import BoundedSemaphore

from argon2 import Parameters, PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from audit.access.errors import PasswordRefusedError

__all__ = ["ARGON2_2026", "Passwords", "check_new_password"]

MIN_LENGTH = 12
MAX_LENGTH = 256  # 64 must be allowed; a bound keeps a request from being a workload

# November 2026: RFC 9106 section 4, second recommended option (64 MiB, 3 passes, 4 lanes), above OWASP's
# floor of 19 MiB and 2 passes. A change here re-hashes at each user's next sign-in.
ARGON2_2026 = Parameters(
    type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=3, memory_cost=65536, parallelism=4
)
AT_ONCE = 4  # 4 x 64 MiB: a flood of sign-ins must not become a flood of memory

_CONTEXT = ("mimamori", "見守り", "みまもり", "ミマモリ")
_COMMON = frozenset(
    """
    000000000000 098765432100 111111111111 112233445566 121212121212 123123123123 1234567890 12345678910
    123456789012 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc abc123 abcd1234 abcdefghijkl access admin
    administrator adminadmin asdfghjkl asdfghjklqwe baseball changeme charlie computer default dragon football
    guest hello iloveyou japan kanri kanrisha letmein login master monkey nihon nippon p@ssw0rd p@ssword
    pa55word pass passpass passw0rd password passwordpassword princess qazwsxedcrfv qwerty qwertyui qwertyuiop
    qwertyuiopas qwertyqwerty root sakura secret shiyakusho shadow sunshine superman system test testtest
    tokyo trustno1 unknown user welcome whatever yakuba zaq12wsx zxcvbnm zxcvbnmasdfg パスワード ぱすわーど
    管理者 市役所 町役場 村役場
    """.split()  # noqa: SIM905 - a word list reads as words
)
_FEW_CHARACTERS = 4
_DECORATION = "0123456789!?#$%&*+-_.@ "


def check_new_password(password: str, login_id: str) -> None:
    """Refuse a new password that is against the rules.

    Raises:
        PasswordRefusedError: with the rule as its reason.
    """
    if len(password) < MIN_LENGTH:
        raise PasswordRefusedError("too_short")
    if len(password) > MAX_LENGTH:
        raise PasswordRefusedError("too_long")
    if any(unicodedata.category(character) == "Cs" for character in password):
        raise PasswordRefusedError("not_text")
    folded = unicodedata.normalize("NFKC", password).casefold()
    own = unicodedata.normalize("NFKC", login_id).casefold()
    core = folded.strip(_DECORATION)
    # A login id of three letters sits inside many good passphrases; then only the bare id counts.
    if any(word in folded for word in _CONTEXT) or core == own or (len(own) > 3 and own in folded):
        raise PasswordRefusedError("context")
    few = len(set(folded)) <= _FEW_CHARACTERS
    if few or not core or folded in _COMMON or core in _COMMON or _is_run(folded):
        raise PasswordRefusedError("common")


def _is_run(text: str) -> bool:
    """Whether each character is the neighbour of the one before: abcdef..., 987654..."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return steps in ({1}, {-1})


class Passwords:
    """Hashes and verifies passwords.

    Args:
        profile: argon2 parameters; tests pass cheaper ones.
    """

    def __init__(self, profile: Parameters = ARGON2_2026) -> None:
        self._hasher = PasswordHasher.from_parameters(profile)
        self._turn = BoundedSemaphore(AT_ONCE)
        self._decoy = self._hasher.hash(secrets.token_urlsafe(32))

    def hash(self, password: str) -> str:
        """The stored form of a password."""
        with self._turn:
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether a password is the stored one; None stands for no such user and costs the same work."""
        with self._turn:
            try:
                self._hasher.verify(stored or self._decoy, password)
            except (VerificationError, InvalidHashError, UnicodeEncodeError):
                return False
        return stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether a stored hash was made under other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)
