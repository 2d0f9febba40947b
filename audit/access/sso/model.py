"""What single sign-on hands around: registered systems, answers, and how long things live.

Rules (OpenID Connect Core 1.0, RFC 6749, 7636, 9207, 9470, 9700):
- The code flow alone, with PKCE S256, an exactly registered redirect URI and a nonce.
- `sub` is the staff id, `sid` our session's id. A token never outlives the session it came from.
- `acr` is one of `audit.access.strength.Acr`; one that was not proved is never claimed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from audit.access.sso.errors import ClientStateError
from audit.access.sso.keys import Algorithm
from audit.access.strength import Acr, Proof

__all__ = ["SCOPE", "Challenge", "Client", "Detour", "Refusal", "Reply", "SsoRules", "System", "UserInfo", "check_uris"]

SCOPE = "openid"
MAX_URIS = 20
MAX_URI = 500
LONGEST_AGE = 12 * 3600
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SsoRules:
    """How long things live.

    Attributes:
        code: between the person's way back and the system's request for tokens (ASVS 10.4.3: at most 60 s).
        access_token: the standard's upper limit for machine tokens, and never longer than the session.
        id_token: a statement about a sign-in that just happened, read at once.
        detour: for signing in or proving more before the authorization goes on.
        remembered: how long a used code is kept, so that its second use ends the tokens of the first.
    """

    code: timedelta = timedelta(seconds=60)
    access_token: timedelta = timedelta(minutes=10)
    id_token: timedelta = timedelta(minutes=5)
    detour: timedelta = timedelta(minutes=10)
    remembered: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A records service as it is registered.

    Attributes:
        source: its source id; its credentials as a sending system are its credentials here.
        redirect_uris: where people may be sent back to, compared letter by letter.
        post_logout_uris: where they may be sent after signing out.
        max_age: how old a sign-in it accepts when its request does not say; None for any age.
        algorithm: what its ID tokens are signed with.
    """

    source: str
    redirect_uris: tuple[str, ...]
    post_logout_uris: tuple[str, ...] = ()
    max_age: timedelta | None = None
    algorithm: Algorithm = "ES256"

    def __post_init__(self) -> None:
        """Refuse what could lead people elsewhere.

        Raises:
            ClientStateError: which part, as its reason.
        """
        if not self.redirect_uris:
            raise ClientStateError("redirect")
        check_uris(self.redirect_uris)
        check_uris(self.post_logout_uris)
        if self.max_age is not None and not timedelta(seconds=1) <= self.max_age <= timedelta(seconds=LONGEST_AGE):
            raise ClientStateError("max_age")

    def document(self) -> dict[str, Any]:
        """As it stands in events and answers."""
        return {
            "redirect_uris": list(self.redirect_uris),
            "post_logout_uris": list(self.post_logout_uris),
            "max_age": int(self.max_age.total_seconds()) if self.max_age else None,
            "algorithm": self.algorithm,
        }


@dataclass(frozen=True, slots=True)
class Client:
    """A system under one of its client ids."""

    client_id: str
    system: System


def check_uris(uris: tuple[str, ...]) -> None:
    """Refuse addresses that could lead elsewhere.

    Raises:
        ClientStateError: one of them does.
    """
    if len(uris) > MAX_URIS:
        raise ClientStateError("many")
    for uri in uris:
        try:
            parts = urlsplit(uri)
            _ = parts.port
        except ValueError as error:
            raise ClientStateError("uri") from error
        plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
        shaped = uri.isascii() and uri.isprintable() and not set(uri) & set(' "<>\\^`{|}*#') and len(uri) <= MAX_URI
        if not shaped or not parts.hostname or "@" in parts.netloc or not (parts.scheme == "https" or plain):
            raise ClientStateError("uri")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the protocol.

    Attributes:
        status: of HTTP.
        location: where the person is sent; empty for an answer with a body.
        body: the JSON document.
    """

    status: int
    location: str = field(default="", repr=False)  # it may hold a code
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Detour:
    """The person must do something before the authorization goes on.

    Attributes:
        to: sign in, or prove more in the session there is.
        acr: at least this strong.
        since: to be handed back as the parameter of that name, so that what was done on the way counts.
    """

    to: Literal["sign_in", "step_up"]
    acr: Acr
    since: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request so wrong that nobody may be sent anywhere with it; the person is told.

    Attributes:
        error: the standards' code.
        description: ASCII, for whoever sets the system up.
    """

    error: str
    description: str


@dataclass(frozen=True, slots=True)
class UserInfo:
    """Claims about the person a token stands for."""

    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Challenge:
    """Why an access token opens nothing now (RFC 6750 3.1, RFC 9470 3).

    Attributes:
        error: `invalid_token` or `insufficient_user_authentication`.
        acr: the strength to come back with.
        max_age: how old the sign-in may be then.
    """

    error: str
    acr: Acr | None = None
    max_age: timedelta | None = None

    @property
    def header(self) -> str:
        """The value of `WWW-Authenticate`."""
        parts = [f'error="{self.error}"']
        if self.acr is not None:
            parts.append(f'acr_values="{self.acr}"')
        if self.max_age is not None:
            parts.append(f'max_age="{int(self.max_age.total_seconds())}"')
        return f'Bearer realm="mimamori", {", ".join(parts)}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What an authorization says about a person: the contents of the tokens that follow from it."""

    login_id: str
    session_id: str
    acr: Acr
    proof: Proof
    address: str
