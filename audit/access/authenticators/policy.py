"""What a town asks of authenticators, as data.

The file `authenticators.toml` in the data directory, every entry optional:

```
attestation = "direct"          # none: not asked for; direct: asked for, and believed where the metadata knows the
                                # model; metadata: nothing else may be enrolled
models = []                     # AAGUIDs that may be enrolled; empty: any. Needs attestation = "metadata"
biometric = "named"             # named: the metadata names a biometric among the ways of verifying the user;
                                # always: every way uses one, so that no PIN can take its place
device_bound = [roles]          # whose keys must not be copied off their device
rollback_refused = [roles]      # who is refused when a key counts backwards; for others it is an event only
[modalities]                    # what a model verifies, where the metadata has no word for it
"aaguid" = ["palm_vein"]
```
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from audit.access.authenticators.errors import PolicyError
from audit.access.authenticators.model import Attested, Model
from audit.access.model import Role
from audit.access.strength import MODALITIES

__all__ = ["STRICTEST", "AuthenticatorPolicy", "Conveyance", "format_policy", "parse_policy"]

VIRTUAL = "01020304-0506-0708-0102-030405060708"
"""Chromium's authenticator for tests: its attestation key is public, so whoever names it proves nothing."""
Word = TypeVar("Word", bound=StrEnum)
_AAGUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PRIVILEGED = frozenset({Role.ADMINISTRATOR, Role.AUDITOR, Role.DETECTION_ENGINEER, Role.SECURITY_ADMINISTRATOR})
_NAMES = frozenset({"attestation", "models", "biometric", "device_bound", "rollback_refused", "modalities"})


class Conveyance(StrEnum):
    """How far an authenticator's model must be attested."""

    NONE = "none"
    DIRECT = "direct"
    METADATA = "metadata"


class Biometric(StrEnum):
    """When a model counts as verifying a biometric."""

    NAMED = "named"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorPolicy:
    """The policy; the module says what each entry means."""

    attestation: Conveyance = Conveyance.DIRECT
    models: frozenset[str] = frozenset()
    biometric: Biometric = Biometric.NAMED
    device_bound: frozenset[Role] = _PRIVILEGED
    rollback_refused: frozenset[Role] = _PRIVILEGED
    modalities: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))

    def refusal(
        self, *, aaguid: str, attested: Attested, model: Model | None, device_bound: bool, roles: frozenset[Role]
    ) -> str:
        """Why an authenticator may not be enrolled, as a word; empty when it may."""
        if model is not None and model.refused:
            return "model_revoked"
        if self.attestation is Conveyance.METADATA:
            if attested is not Attested.MAKER:
                return "model_unknown" if attested is Attested.NOBODY and model is None else "not_attested"
            if aaguid == VIRTUAL or model is None:
                return "model_unknown"
            if self.models and aaguid not in self.models:
                return "model_not_allowed"
        return "" if device_bound or not self.demands_device_bound(roles) else "not_device_bound"

    def demands_device_bound(self, roles: frozenset[Role]) -> bool:
        """Whether somebody with these roles may only use keys that cannot be copied."""
        return bool(roles & self.device_bound)

    def refuses_rollback(self, roles: frozenset[Role]) -> bool:
        """Whether somebody with these roles is refused when a key counts backwards."""
        return bool(roles & self.rollback_refused)

    def modalities_of(self, model: Model | None, attested: Attested) -> frozenset[str]:
        """What of a person an authenticator verifies; nothing where its maker does not vouch for the model."""
        if model is None or attested is not Attested.MAKER or model.refused:
            return frozenset()
        if model.aaguid in self.modalities:
            return self.modalities[model.aaguid]
        return model.modalities if model.always or self.biometric is Biometric.NAMED else frozenset()


STRICTEST = AuthenticatorPolicy(
    attestation=Conveyance.METADATA,
    biometric=Biometric.ALWAYS,
    rollback_refused=frozenset(Role),
)
"""What keys that are enrolled already are judged by while no policy can be read; nothing is enrolled then."""


def parse_policy(text: str) -> AuthenticatorPolicy:
    """Read a policy.

    Raises:
        PolicyError: it is no TOML, or an entry is unknown, wrong or contradicts another.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError("toml", "TOML として読めません。", "It cannot be read as TOML.") from error
    for name in document.keys() - _NAMES:
        raise _wrong(name[:40], "は知らない項目です。", "is no known entry.")
    policy = AuthenticatorPolicy(
        attestation=_one(document, "attestation", Conveyance, Conveyance.DIRECT),
        models=frozenset(_aaguid("models", item) for item in _list(document, "models")),
        biometric=_one(document, "biometric", Biometric, Biometric.NAMED),
        device_bound=_roles(document, "device_bound"),
        rollback_refused=_roles(document, "rollback_refused"),
        modalities=_modalities(document),
    )
    if policy.models and policy.attestation is not Conveyance.METADATA:
        raise _wrong("models", 'には attestation = "metadata" が必要です。', 'needs attestation = "metadata".')
    return policy


def format_policy(policy: AuthenticatorPolicy) -> str:
    """A policy as a file, every entry written out."""

    def listed(items: frozenset[Any]) -> str:
        return "[" + ", ".join(f'"{item}"' for item in sorted(items)) + "]"

    lines = [
        f'attestation = "{policy.attestation}"',
        f"models = {listed(policy.models)}",
        f'biometric = "{policy.biometric}"',
        f"device_bound = {listed(policy.device_bound)}",
        f"rollback_refused = {listed(policy.rollback_refused)}",
        "",
        "[modalities]",
        *(f'"{aaguid}" = {listed(words)}' for aaguid, words in sorted(policy.modalities.items())),
    ]
    return "\n".join(lines) + "\n"


def _wrong(name: str, ja: str, en: str) -> PolicyError:
    return PolicyError("entry", f"{name} {ja}", f"{name} {en}")


def _one(document: Mapping[str, Any], name: str, words: type[Word], otherwise: Word) -> Word:
    value = document.get(name, otherwise)
    if not isinstance(value, str) or value not in set(words):
        listed = " | ".join(words)
        raise _wrong(name, f"は {listed} のいずれかです。", f"is one of {listed}.")
    return words(value)


def _list(document: Mapping[str, Any], name: str) -> list[str]:
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(name, "は文字列の並びです。", "is a list of texts.")
    return value


def _roles(document: Mapping[str, Any], name: str) -> frozenset[Role]:
    if name not in document:
        return _PRIVILEGED
    items = _list(document, name)
    if not set(items) <= set(Role):
        raise _wrong(name, f"は役割（{', '.join(Role)}）の並びです。", f"is a list of roles ({', '.join(Role)}).")
    return frozenset(Role(item) for item in items)


def _aaguid(name: str, text: str) -> str:
    if not _AAGUID.fullmatch(text.lower()):
        raise _wrong(name, "に AAGUID でないものがあります。", "holds something that is no AAGUID.")
    return text.lower()


def _modalities(document: Mapping[str, Any]) -> Mapping[str, frozenset[str]]:
    table = document.get("modalities", {})
    if not isinstance(table, dict):
        raise _wrong("modalities", "は表です。", "is a table.")
    said = {_aaguid("modalities", aaguid): frozenset(_list(table, aaguid)) for aaguid in table}
    if any(words - MODALITIES for words in said.values()):
        listed = ", ".join(sorted(MODALITIES))
        raise _wrong("modalities", f"の値は {listed} です。", f"takes {listed}.")
    return MappingProxyType(said)
