"""Talking to a verifier: its documents, the way to it, and the exchange of a code.

Rules:
- Everything is asked of the configured issuer's own origin: a document that points elsewhere is refused, so neither
  keys nor the secret ever go by anybody else's word.
- Nothing is waited for long, and nothing long is read: see `asking`.
"""

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from audit.access.federation.asking import PATIENCE, AskError, ask
from audit.access.federation.errors import VerificationRefusedError
from audit.access.federation.model import Verifier
from audit.events import parse_json

__all__ = ["Metadata", "Remote"]

_DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a verifier's discovery document says, as far as we use it."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    names_itself: bool


class Remote:
    """One verifier over HTTP.

    Args:
        verifier: which.
        redirect_uri: ours for it.
        trust: which certificates are believed; made once, for reading them takes longer than asking.
        patience: how long one request may take.
    """

    def __init__(
        self, verifier: Verifier, redirect_uri: str, trust: ssl.SSLContext, patience: timedelta = PATIENCE
    ) -> None:
        self._verifier = verifier
        self._patience = patience
        self._redirect_uri = redirect_uri
        self._trust = trust

    def metadata(self) -> Metadata:
        """Its endpoints.

        Raises:
            VerificationRefusedError: it does not answer, or points elsewhere.
        """
        told = self._verifier.metadata
        if told is None:
            told = self._ask("GET", self._verifier.issuer.rstrip("/") + _DISCOVERY, "unreachable")
        if told.get("issuer") != self._verifier.issuer:
            raise VerificationRefusedError("discovery_issuer")
        needed = ["authorization_endpoint", "token_endpoint"]
        needed += ["jwks_uri"] if self._verifier.keys is None else []
        places = {name: str(told.get(name, "")) for name in needed}
        if any(_origin(place) != _origin(self._verifier.issuer) for place in places.values()):
            raise VerificationRefusedError("discovery_elsewhere")
        names_itself = told.get("authorization_response_iss_parameter_supported") is True
        return Metadata(
            places["authorization_endpoint"], places["token_endpoint"], places.get("jwks_uri", ""), names_itself
        )

    def keys(self, metadata: Metadata) -> KeySet:
        """The keys it signs with: the pinned ones, or those it publishes now.

        Raises:
            VerificationRefusedError: it does not answer, or these are no public keys.
        """
        document = (
            self._verifier.keys
            if self._verifier.keys is not None
            else self._ask("GET", metadata.jwks_uri, "unreachable")
        )
        listed = document.get("keys")
        # Key types that we do not verify with, and shared secrets above all, are left out.
        usable = (
            [key for key in listed if isinstance(key, dict) and key.get("kty") in {"EC", "OKP", "RSA"}]
            if (isinstance(listed, list))
            else []
        )
        try:
            return KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise VerificationRefusedError("keys_unreadable") from error

    def way(self, metadata: Metadata, *, state: str, nonce: str, code_verifier: str) -> str:
        """Where the person is sent: the code flow with PKCE, and a new check of the person."""
        uri: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=self._verifier.client_id,
            response_type="code",
            redirect_uri=self._redirect_uri,
            scope="openid",
            state=state,
            nonce=nonce,
            prompt="login",
            max_age=str(int(self._verifier.max_age.total_seconds())),
            code_challenge=create_s256_code_challenge(code_verifier),
            code_challenge_method="S256",
        )
        return uri

    def exchange(self, metadata: Metadata, *, code: str, code_verifier: str) -> object:
        """The ID token for a code; nothing else of the answer is used.

        Raises:
            VerificationRefusedError: it does not answer, or refuses.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": code_verifier,
        }
        # RFC 6749 2.3.1: each is form-encoded before it becomes a name and a password.
        pair = f"{quote_plus(self._verifier.client_id)}:{quote_plus(self._verifier.secret)}"
        proof = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return self._ask("POST", metadata.token_endpoint, "code_refused", form, {"authorization": proof}).get(
            "id_token"
        )

    def _ask(
        self,
        method: str,
        url: str,
        refusal: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        """The JSON object behind an address."""
        sent = {"host": urlsplit(url).netloc, "accept": "application/json", "user-agent": "mimamori", **(headers or {})}
        content = urlencode(form).encode() if form else b""
        if form:
            sent |= {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(content))}
        try:
            status, body = ask(method, url, self._trust, headers=sent, content=content, patience=self._patience)
        except AskError as error:
            raise VerificationRefusedError(error.reason) from error
        found, fault = parse_json(body)
        if status != HTTPStatus.OK:
            raise VerificationRefusedError(refusal)
        if found is None or fault is not None:
            raise VerificationRefusedError("document_unreadable")
        return found


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return "", "", None
    return parts.scheme, parts.hostname or "", port
