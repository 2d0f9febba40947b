"""Security keys and passkeys: the values of their ceremonies.

Rules:
- No biometric data exists here: an authenticator verifies its user and says so; its model's metadata says by what.
- What an authenticator claims about itself (its model) is worth something only once its maker has attested it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from audit.access.strength import Proof
from audit.texts import Texts

__all__ = [
    "CHALLENGE_LIFE",
    "Asserted",
    "Attested",
    "Authenticator",
    "By",
    "MetadataState",
    "Model",
    "NewAuthenticator",
    "Purpose",
    "RelyingParty",
]

CHALLENGE_LIFE = timedelta(seconds=120)
"""How long a challenge may be answered."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Purpose(StrEnum):
    """What a challenge is for; it is good for nothing else."""

    ENROL = "enrol"
    SIGN_IN = "sign_in"
    SECOND_FACTOR = "second_factor"
    STEP_UP = "step_up"
    UNLOCK = "unlock"


class Attested(StrEnum):
    """Who vouches for an authenticator's model."""

    NOBODY = "none"
    ITSELF = "self"
    MAKER = "maker"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """As whom browsers and authenticators know this service.

    Attributes:
        id: the host name that credentials are made for (`rp.id`).
        origins: the exact origins (scheme, host, port) at which a ceremony may take place.
        name: shown by some browsers.
    """

    id: str
    origins: tuple[str, ...]
    name: str = "Mimamori"

    @classmethod
    def of(cls, url: str) -> "RelyingParty":
        """The relying party of the address under which people reach this service.

        Raises:
            ValueError: no http or https address with a host.
        """
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError("the address of the service must be http or https and name a host")
        host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
        shown = f"[{host}]" if ":" in host else host
        port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
        return cls(id=host, origins=(f"{parts.scheme}://{shown}{port}",))


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who does something, for the log: a login id, an address, a session id. Empty where there is none."""

    actor: str | None = None
    address: str | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of authenticators, as the FIDO metadata describes it.

    Attributes:
        aaguid: its identifier, in lower case.
        description: its name.
        modalities: what of a person it can verify, of `strength.MODALITIES`.
        always: whether every way of verifying its user uses one of them; else a PIN does as well.
        roots: trust anchors of its attestation, PEM.
        refused: why it may not be used any more, as a word; empty for no reason.
        compromised: SHA-256 of attestation certificates that are known to be stolen.
    """

    aaguid: str
    description: str
    modalities: frozenset[str]
    always: bool
    roots: tuple[str, ...] = field(repr=False)
    refused: str = ""
    compromised: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataState:
    """Which FIDO metadata an installation has.

    Attributes:
        number: of the metadata, growing; 0 for none at all.
        next_update: until when newer metadata was to come, in UTC.
        models: how many models it describes.
        imported_at: when it was taken in.
        warning: what a person should do about it; None for nothing.
    """

    number: int
    next_update: datetime | None
    models: int
    imported_at: datetime | None
    warning: Texts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAuthenticator:
    """An authenticator that proved itself and is not stored yet: see `AuthenticatorService.add`."""

    account_id: str
    credential_id: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    sign_count: int
    aaguid: str
    attested: Attested
    device_bound: bool
    backed_up: bool
    transports: tuple[str, ...]
    chain: tuple[str, ...] = field(repr=False)
    model: Model | None
    modalities: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticator:
    """An authenticator of an account, as it may be shown.

    Attributes:
        id: its own; no secret.
        account_id: whose it is.
        name: as its owner calls it.
        model: its model's name; empty where nobody vouches for one.
        aaguid: the model's identifier, only claimed unless `attested` is the maker.
        attested: who vouches for the model.
        modalities: what of a person it verifies; empty where nobody vouches for it.
        device_bound: its key cannot leave it.
        created_at: when it was enrolled.
        last_used_at: when it was used last.
        refused: why it would be refused now, as a word; empty for no reason.
    """

    id: str
    account_id: str
    name: str
    model: str
    aaguid: str
    attested: Attested
    modalities: frozenset[str]
    device_bound: bool
    created_at: datetime
    last_used_at: datetime | None
    refused: str = ""

    @property
    def biometric(self) -> bool:
        """Whether its maker says that it verifies something inherent in a person."""
        return bool(self.modalities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asserted:
    """Somebody proved to hold an authenticator, and it verified its user.

    Attributes:
        account_id: who.
        login_id: the same, as people know them.
        authenticator_id: with which of theirs.
        aaguid: its model's identifier.
        device_bound: its key cannot leave it.
        sign_count: as it counted this signature.
        modalities: what of the person it verifies, by its maker's word.
        at: when.
        user_verified: always true: nothing else is accepted.
        notes: risks that the policy lets pass (`sign_count_rollback`), already recorded.
    """

    account_id: str
    login_id: str
    authenticator_id: str
    aaguid: str
    device_bound: bool
    sign_count: int
    modalities: frozenset[str]
    at: datetime
    user_verified: bool = True
    notes: tuple[str, ...] = ()

    @property
    def proof_factors(self) -> frozenset[str]:
        """What was proved, in the words of `strength.FACTORS`."""
        return self.modalities | {"webauthn"}

    @property
    def authenticator(self) -> str:
        """The authenticator as events and proofs name it."""
        return f"aaguid-{self.aaguid}"

    def proof(self, also: frozenset[str] = frozenset()) -> Proof:
        """The proof that a session carries.

        Args:
            also: factors that were proved beside it, such as `password`.
        """
        return Proof(
            factors=self.proof_factors | also,
            at=self.at,
            user_verified=True,
            authenticator=self.authenticator,
            device_bound=self.device_bound,
        )

    def auth(self, also: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The `auth` part of an event (DESIGN 4.3); the sign count goes beside it, under `unmapped`."""
        return {
            "factors": sorted(self.proof_factors | also),
            "user_verified": True,
            "authenticator": self.authenticator,
        }
