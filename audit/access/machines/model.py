"""What sending systems prove themselves with, and what they are allowed.

Rules (共通機能標準仕様書 2.2.5 and RFC 6749, 7523, 8705):
- A system is authenticated, never a person: staff identities travel in the events.
- A client id has 32 characters, a client secret at least 32; an access token lives ten minutes at most and is never
  renewed. One token opens one system: `${system}:${resource}:${operation}`, and the system is always Mimamori.
- A `Machine` is proof that a sender was authenticated just now: only this package can make one.
"""

import re
import secrets
import string
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

__all__ = [
    "MACHINE_SEAL",
    "PERSONNEL",
    "SOURCE_ID",
    "AccessToken",
    "Binding",
    "BindingKind",
    "Client",
    "Credential",
    "CredentialInfo",
    "Machine",
    "MachineRules",
    "Proof",
    "Scope",
    "new_client_id",
    "new_client_secret",
    "scopes_of",
    "usual_scopes",
]

SOURCE_ID = re.compile(r"[^\W_][\w.-]{0,99}")
"""What a source may be called; the same rule as for `ingest --source`."""
CLIENT_ID_LENGTH = 32
SECRET_LENGTH = 43
LONGEST_TOKEN = timedelta(minutes=10)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Scope(StrEnum):
    """What an access token allows, as `${system}:${resource}:${operation}`."""

    ACCESS_DECIDE = "mimamori:access:decide"
    EVENTS_WRITE = "mimamori:events:write"
    STAFF_PROVISION = "mimamori:staff:provision"


PERSONNEL = "hr"
"""The one source whose credentials may provision staff."""


def scopes_of(source: str) -> frozenset[Scope]:
    """What the credentials of a source may be used for.

    A personnel system makes people and decides nothing; no other system makes any.
    """
    if source == PERSONNEL:
        return frozenset({Scope.EVENTS_WRITE, Scope.STAFF_PROVISION})
    return frozenset(Scope) - {Scope.STAFF_PROVISION}


def usual_scopes(source: str) -> frozenset[Scope]:
    """What a token is for that is asked for without a scope; a personnel system names it to write events."""
    return frozenset({Scope.STAFF_PROVISION}) if source == PERSONNEL else scopes_of(source)


class BindingKind(StrEnum):
    """What may be bound to a source beside its credentials."""

    CERTIFICATE = "certificate"
    SIGNING_KEY = "signing_key"


class Proof(StrEnum):
    """How a sender proved which source it is."""

    CERTIFICATE = "certificate"
    SECRET = "secret"  # noqa: S105 - a word, no secret
    TOKEN = "token"  # noqa: S105 - a word, no secret
    TOKEN_AND_CERTIFICATE = "token+certificate"  # noqa: S105 - the same


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRules:
    """How senders may prove themselves, and how long each proof lives.

    Attributes:
        issuer: the address under which senders know us; from a setting and never from the Host header, so that an
            assertion made for another server cannot be used here. Plain http is for this machine alone.
        basic: whether `client_secret_basic`, the standard's interim method, is taken too.
        token: life of an access token (the standard's upper limit is ten minutes).
        assertion: the furthest that the end of an assertion may lie ahead.
        skew: how far a sender's clock may be off.
        credential: life of a credential: a year, and a month to replace it in.
    """

    issuer: str = "http://localhost:8000"
    basic: bool = False
    token: timedelta = LONGEST_TOKEN
    assertion: timedelta = LONGEST_TOKEN
    skew: timedelta = timedelta(seconds=60)
    credential: timedelta = timedelta(days=397)

    def __post_init__(self) -> None:
        """Refuse weak or unusable rules at the start.

        Raises:
            ValueError: which rule, and why.
        """
        parts = urlsplit(self.issuer)
        plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if not parts.hostname or (parts.scheme != "https" and not plain):
            raise ValueError("the issuer must be an https address (http only for this machine itself)")
        if parts.query or parts.fragment or self.issuer.endswith("/"):
            raise ValueError("the issuer must have no query, no fragment and no slash at its end")
        if not timedelta(0) < self.token <= LONGEST_TOKEN:
            raise ValueError("an access token lives at most ten minutes")

    @property
    def token_endpoint(self) -> str:
        """Where tokens are asked for."""
        return f"{self.issuer}/oauth2/token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A new credential. The secret exists in clear only here: it is shown once."""

    source: str
    client_id: str
    client_secret: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialInfo:
    """A credential as it may be shown. `last_used_at`: when it last proved itself."""

    source: str
    client_id: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A certificate or signing key that a source must use.

    Attributes:
        id: of a certificate the SHA-256 of its DER bytes in hexadecimal; of a key its RFC 7638 thumbprint, which a
            sender gives as `kid`.
        source: whose it is.
        kind: certificate or key.
        created_at: since when.
        expires_at: the certificate's own end; None where only its fingerprint is known.
    """

    id: str
    source: str
    kind: BindingKind
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Client:
    """A client that has just proved its secret at one of the OAuth endpoints."""

    client_id: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A new access token; it exists in clear only here."""

    token: str = field(repr=False)
    scope: str
    expires_in: int


MACHINE_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A sending system that proved which source it is; events are stored under `source`, never under what it claims.

    Attributes:
        source: the authenticated source.
        how: by what.
        client_id: of the token's credential; None for a certificate alone.
    """

    source: str
    how: Proof
    client_id: str | None
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        """Refuse to exist without the seal of this package."""
        if seal is not MACHINE_SEAL:
            raise TypeError("a Machine comes from MachineService.authenticate")


def new_client_id() -> str:
    """A client id: 32 letters. No digits, so that none can look like an individual number and be masked in the log."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(CLIENT_ID_LENGTH))


def new_client_secret() -> str:
    """A client secret of 256 bits: letters and digits, so that it is copied as one word and never read as an option."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(SECRET_LENGTH))
