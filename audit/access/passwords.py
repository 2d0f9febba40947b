"""Passwords: what may be one, and how it is kept.

Rules (ASVS 5.0 6.2, SP 800-63B-4):
- 12 to 256 characters. 63B asks for 8 beside a second factor and 15 alone; the second factor is always asked
  here, and 12 leaves a margin for the day when it is phished. No composition rules; a forced change only
  where a town's own rules demand it (`AccessLimits.password_max_age`).
- Verified exactly as received: no trimming, normalisation or truncation, so that two ways to write the same letter
  (NFC, NFD) are two passwords. Only the rules fold a copy.
- Neither common nor made of the product's name or the login id. The list of common ones is a file beside this module.
- An unknown user costs the same argon2 work as a known one.
"""

import secrets
import unicodedata
from base64 import b64encode
from functools import cache
from importlib import resources
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
# What the list beside this module, gathered from all the world, does not hold: what a town hall thinks of first.
_LOCAL = frozenset(
    """
    1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc abcd1234 aishiteru arigatou doraemon fujisan fukuoka hanako himawari
    hoken hokkaido jumin juumin kaigo kanri kanrisha kokuho konnichiwa kumagaya kumamoto kurashiki kyoto momotaro
    nagaoka nagoya nenkin nihon nippon ohayou okinawa osaka pa55word passpass passwordpassword pikachu qwertyqwerty
    qwertyuiopas samurai sapporo shinjuku shiyakusho suzuki takahashi tanaka tarou tokyo unknown watanabe yakuba
    yamada yokohama zeimu zxcvbnmasdfg パスワード ぱすわーど 管理者 市役所 町役場 村役場 区役所
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
    half = core[: len(core) // 2]
    twice = half if half * 2 == core else core  # a common password typed twice is as common
    if few or not core or _is_run(folded) or any(word in _LOCAL or word in _common() for word in (folded, core, twice)):
        raise PasswordRefusedError("common")


@cache
def _common() -> frozenset[str]:
    lines = (resources.files("audit.access") / "common_passwords.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _is_run(text: str) -> bool:
    """Whether each character is the neighbour of the one before: abcdef..., 987654..."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return steps in ({1}, {-1})


def _decoy(profile: Parameters) -> str:
    """The stored form of no password: what stands for the hash is random, so that to refuse it takes all the work."""
    salt, digest = (
        b64encode(secrets.token_bytes(length)).decode().rstrip("=") for length in (profile.salt_len, profile.hash_len)
    )
    costs = f"m={profile.memory_cost},t={profile.time_cost},p={profile.parallelism}"
    return f"$argon2{profile.type.name.lower()}$v={profile.version}${costs}${salt}${digest}"


class Passwords:
    """Hashes and verifies passwords.

    Args:
        profile: argon2 parameters; tests pass cheaper ones.
    """

    def __init__(self, profile: Parameters = ARGON2_2026) -> None:
        self._hasher = PasswordHasher.from_parameters(profile)
        self._turn = BoundedSemaphore(AT_ONCE)
        self._decoy = _decoy(profile)

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
