"""How somebody proved who they are, and whether that is enough for a system. Pure.

A proof is a set of factors with the facts behind them; a system asks for one of several sets of factors
(`password+palm_vein|password+totp`: alternatives by `|`, all of `+`). Four levels order the proofs, so that one word
can travel in a token (`acr`): `pwd` < `mfa-otp` < `uv` < `bio`.

- `webauthn` with user verification is possession and something known or inherent in one: it stands for `password`,
  `totp`, `pin`, `ic_card` and `security_card` too. A passkey that leaves its device does so as well; whoever needs a
  key that cannot be copied asks for `device_bound`.
- `biometric` is met by any modality. A modality that is asked for by name (`palm_vein`) is met by that one alone, as
  the authenticator's metadata or the verifier of the town's own product names it; user verification alone never is.
- A recovery code is for binding new factors: no system's policy is met by it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from audit.context import FACTORS, MODALITIES

__all__ = ["MODALITIES", "Acr", "FactorPolicy", "FactorPolicyError", "Proof", "covers"]

_BY_KEY = frozenset({"ic_card", "password", "pin", "security_card", "totp"})
"""What a key with user verification stands for."""
_VEINS = frozenset({"finger_vein", "palm_vein"})


class Acr(StrEnum):
    """How strong a proof is (`acr` of OpenID Connect), weakest first."""

    PASSWORD = "pwd"  # noqa: S105 - a word, no secret
    OTP = "mfa-otp"
    USER_VERIFIED = "uv"
    BIOMETRIC = "bio"

    @property
    def rank(self) -> int:
        """Its place in the order, from 0."""
        return list(Acr).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was proved, and when.

    Attributes:
        factors: of `FACTORS`, sorted words.
        user_verified: an authenticator verified its user (WebAuthn UV), or a verifier of biometrics did.
        authenticator: which one, as `aaguid-…` or `oidc:…`; empty for none.
        device_bound: its key cannot leave it (WebAuthn BE=0).
        at: when the strongest of them was proved last.
    """

    factors: frozenset[str]
    at: datetime
    user_verified: bool = False
    authenticator: str = ""
    device_bound: bool = False

    @property
    def biometric(self) -> bool:
        """Whether something inherent in the person was proved by an authenticator known to do so."""
        return bool(self.factors & MODALITIES)

    @property
    def acr(self) -> Acr:
        """How strong it is."""
        if self.biometric:
            return Acr.BIOMETRIC
        if self.user_verified and "webauthn" in self.factors:
            return Acr.USER_VERIFIED
        return Acr.OTP if len(self.factors - {"recovery_code"}) > 1 else Acr.PASSWORD

    @property
    def amr(self) -> tuple[str, ...]:
        """The factors, for a token (`amr`)."""
        return tuple(sorted(self.factors))


def covers(proof: Proof, factor: str) -> bool:
    """Whether a proof meets one factor that is asked for."""
    if factor in proof.factors:
        return True
    if factor == "biometric":
        return proof.biometric
    if factor == "vein":
        return bool(proof.factors & _VEINS)
    if factor == "device_bound":
        return proof.device_bound
    return factor in _BY_KEY and proof.user_verified and "webauthn" in proof.factors


class FactorPolicyError(ValueError):
    """A policy that nobody could read."""


@dataclass(frozen=True, slots=True)
class FactorPolicy:
    """What a system asks its users for.

    Attributes:
        alternatives: sets of factors, of which one must be met whole; none at all asks for two factors of any kind,
            for no document says what.
    """

    alternatives: tuple[frozenset[str], ...] = field(default=())

    @classmethod
    def parse(cls, text: str) -> "FactorPolicy":
        """Read `password+palm_vein|password+totp`.

        Raises:
            FactorPolicyError: an unknown or missing factor.
        """
        if not text.strip():
            return cls()
        alternatives = tuple(frozenset(word.strip() for word in part.split("+")) for part in text.split("|"))
        for factors in alternatives:
            if unknown := sorted(factors - FACTORS):
                raise FactorPolicyError(f"{', '.join(unknown)}: no factor / 認証要素ではありません")
        return cls(alternatives)

    def met_by(self, proof: Proof) -> bool:
        """Whether a proof is enough."""
        if not self.alternatives:
            return proof.acr.rank >= Acr.OTP.rank
        return any(all(covers(proof, factor) for factor in factors) for factors in self.alternatives)

    @property
    def acr(self) -> Acr:
        """The weakest level at which the policy can be met: what a caller is told to ask for."""
        return min((_level(factors) for factors in self.alternatives), key=lambda level: level.rank, default=Acr.OTP)

    def __str__(self) -> str:
        """As it is written."""
        return "|".join("+".join(sorted(factors)) for factors in self.alternatives)


def _level(factors: Iterable[str]) -> Acr:
    asked = set(factors)
    if asked & (MODALITIES | {"biometric"}):
        return Acr.BIOMETRIC
    if asked & {"webauthn", "device_bound"}:
        return Acr.USER_VERIFIED
    return Acr.OTP if len(asked) > 1 else Acr.PASSWORD
