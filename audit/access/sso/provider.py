"""Authlib's authorization server between our values: the only module that knows the library.

Authlib judges the protocol: client, redirect URI, PKCE, grants, the shape of the ID token. What it asks for is
answered from the book of codes; clients have proved themselves before, as for every other token
(`audit.access.machines`).
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from authlib.common.urls import add_params_to_uri  # type: ignore[import-untyped]
from authlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped]
    AuthorizationServer,
    InvalidGrantError,
    InvalidRequestError,
    OAuth2Request,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import CodeChallenge  # type: ignore[import-untyped]
from authlib.oidc.core import UserInfo  # type: ignore[import-untyped]
from authlib.oidc.core.grants import OpenIDCode  # type: ignore[import-untyped]

from audit.access.model import Viewer
from audit.access.sealing import new_token
from audit.access.sso.codes import Book
from audit.access.sso.keys import Algorithm, SigningKey, SigningKeys
from audit.access.sso.model import SCOPE, Client, Granted, Refusal, Reply
from audit.access.sso.repository import CodeRow

__all__ = ["Provider", "RefusedRequestError", "ValidRequest"]

_DISALLOWED = set('"\\')
CHECKED = ("client_id", "redirect_uri", "response_type")
"""Authlib repeats these in what it says of an error, where only printable ASCII may stand."""


class RefusedRequestError(Exception):
    """An authorization request that goes no further.

    Args:
        answer: what to answer: back to the system with an error, or, where it is unknown whose request this is, a page.
        error: the standards' code.
        client: whose request it was, where that is known.
    """

    def __init__(self, answer: Reply | Refusal, error: str, client: Client | None) -> None:
        super().__init__(error)
        self.answer = answer
        self.error = error
        self.client = client


class ValidRequest:
    """A request that is right in itself; whether the person may go on is still to be judged."""

    def __init__(self, grant: Any, client: Client, parameters: Mapping[str, str]) -> None:  # noqa: ANN401 - untyped
        self.grant = grant
        self.client = client
        self.parameters = parameters
        self.redirect_uri: str = grant.redirect_uri


class Provider:
    """The authorization server.

    Args:
        book: codes and tokens.
        keys: what ID tokens are signed with.
    """

    def __init__(self, book: Book, keys: SigningKeys) -> None:
        # At DEBUG this logger would write access tokens.
        logging.getLogger("authlib.oauth2.rfc6749.grants").setLevel(logging.INFO)
        self._book = book
        self._server = _Server(book, keys)

    def validate(self, parameters: Mapping[str, str], viewer: Viewer | None, issuer: str) -> ValidRequest:
        """Judge an authorization request by itself.

        Args:
            parameters: each stands once.
            viewer: who is signed in.
            issuer: our own address.

        Raises:
            RefusedRequestError: it is wrong, or must be silent with nobody signed in.
        """
        for name in CHECKED:
            value = parameters.get(name, "")
            if not (value.isascii() and value.isprintable()) or _DISALLOWED & set(value):
                raise RefusedRequestError(Refusal("invalid_request", f"{name} cannot be read"), "invalid_request", None)
        client = self._book.client(parameters.get("client_id", ""))
        try:
            grant = self._server.get_consent_grant(_Request("GET", issuer, parameters), end_user=viewer)
            if client is None or "openid" not in parameters.get("scope", "").split():
                raise InvalidRequestError("scope must hold openid", redirect_uri=grant.redirect_uri)
        except OAuth2Error as error:
            if not error.redirect_uri:
                raise RefusedRequestError(Refusal(error.error, error.description or ""), error.error, client) from error
            answer = self.refuse(error.redirect_uri, error.error, error.description or "", parameters, issuer)
            raise RefusedRequestError(answer, error.error, client) from error
        return ValidRequest(grant, client, parameters)

    def refuse(
        self, redirect_uri: str, error: str, description: str, parameters: Mapping[str, str], issuer: str
    ) -> Reply:
        """Send the person back to the system with an error."""
        told = {"error": error, "error_description": description, "state": parameters.get("state", ""), "iss": issuer}
        return Reply(302, add_params_to_uri(redirect_uri, [(name, value) for name, value in told.items() if value]))

    def grant(self, request: ValidRequest, granted: Granted, issuer: str) -> Reply:
        """Send the person back to the system with a code; it is kept and recorded when this returns."""
        reply: Reply = self._server.create_authorization_response(
            request.grant.request, grant_user=granted, grant=request.grant
        )
        return Reply(reply.status, add_params_to_uri(reply.location, [("iss", issuer)]))  # RFC 9207

    def exchange(self, form: Mapping[str, str], client_id: str, *, address: str, issuer: str) -> Reply:
        """Tokens for a code.

        Args:
            form: the parameters of the request.
            client_id: of the client, which has just proved itself.
            address: the peer's address.
            issuer: our own address.
        """
        request = _Request("POST", issuer, form, client_id=client_id, address=address)
        reply: Reply = self._server.create_token_response(request)
        return reply


class _Request(OAuth2Request):  # type: ignore[misc]
    def __init__(
        self, method: str, issuer: str, parameters: Mapping[str, str], *, client_id: str = "", address: str = ""
    ) -> None:
        super().__init__(method, issuer)
        self.payload = BasicOAuth2Payload(dict(parameters))
        self.issuer = issuer
        self.proven_client_id = client_id
        self.address = address

    @property
    def form(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.payload.data
        return found


class _Client:
    """A registered system, as Authlib asks about it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get_client_id(self) -> str:
        return self.client.client_id

    def get_default_redirect_uri(self) -> None:
        """None: a request names its redirect URI."""

    def get_allowed_scope(self, scope: str) -> str:  # noqa: ARG002 - Authlib's signature
        return SCOPE  # whatever else was asked for is not given (OpenID Connect Core 3.1.2.1)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.client.system.redirect_uris

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class _Server(AuthorizationServer):  # type: ignore[misc]
    def __init__(self, book: Book, keys: SigningKeys) -> None:
        super().__init__()
        self.book = book
        self.register_grant(_CodeGrant, [_S256(), _IdToken(book, keys)])
        self.register_token_generator("default", self._new_token)

    def _new_token(self, **_asked: object) -> dict[str, Any]:
        life = int(self.book.rules.access_token.total_seconds())
        return {"token_type": "Bearer", "access_token": new_token(), "expires_in": life, "scope": SCOPE}

    def query_client(self, client_id: str) -> _Client | None:
        found = self.book.client(client_id)
        return _Client(found) if found else None

    def save_token(self, token: Mapping[str, Any], request: _Request) -> None:
        if not self.book.issue_token(token["access_token"], request.authorization_code.row, address=request.address):
            raise InvalidGrantError("the code was used twice")

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: _Request) -> _Request:
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Reply:  # noqa: ANN401
        return Reply(status, dict(headers).get("Location", ""), body or {})


class _Code:
    """A used code, as Authlib asks about it."""

    def __init__(self, row: CodeRow) -> None:
        self.row = row
        self.code_challenge = row.challenge
        self.code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        return self.row.redirect_uri

    def get_scope(self) -> str:
        return SCOPE

    def get_nonce(self) -> str:
        return self.row.nonce

    def get_auth_time(self) -> int:
        return int(self.row.auth_time.timestamp())

    def get_acr(self) -> str:
        return self.row.acr

    def get_amr(self) -> list[str]:
        return self.row.amr.split()


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    def authenticate_token_endpoint_client(self) -> _Client:
        client = self.server.query_client(self.request.proven_client_id)
        if client is None:
            raise UnauthorizedClientError("the system is not registered for single sign-on")
        return client  # type: ignore[no-any-return]

    def generate_authorization_code(self) -> str:
        return new_token()

    def save_authorization_code(self, code: str, request: _Request) -> None:
        asked = request.payload.data
        self.server.book.keep_code(
            code,
            request.client.client,
            request.user,
            redirect_uri=asked["redirect_uri"],
            nonce=asked["nonce"],
            challenge=asked["code_challenge"],
        )

    def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
        row = self.server.book.use_code(code, client.client, address=self.request.address)
        return _Code(row) if row else None

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        """It was used up when it was looked up."""

    def authenticate_user(self, authorization_code: _Code) -> CodeRow:
        return authorization_code.row  # its session was open when the code was used


class _S256(CodeChallenge):  # type: ignore[misc]
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 - declared like this by Authlib

    def validate_code_challenge(self, grant: _CodeGrant, redirect_uri: str) -> None:
        """Authlib asks public clients only; here every request needs one."""
        asked = grant.request.payload.data
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE with code_challenge_method S256 is needed")
        super().validate_code_challenge(grant, redirect_uri)


class _IdToken(OpenIDCode):  # type: ignore[misc]
    def __init__(self, book: Book, keys: SigningKeys) -> None:
        super().__init__(require_nonce=True)
        self._book = book
        self._keys = keys

    def exists_nonce(self, nonce: str, request: _Request) -> bool:  # noqa: ARG002 - Authlib's signature
        return False  # the client compares it; a person who goes back in the browser repeats it

    def get_client_algorithm(self, client: _Client) -> Algorithm:
        return client.client.system.algorithm

    def get_encode_header(self, client: _Client) -> dict[str, str]:
        algorithm = self.get_client_algorithm(client)
        return {"alg": algorithm, "kid": str(self._keys.signing(algorithm).kid)}

    def resolve_client_private_key(self, client: _Client) -> SigningKey:
        return self._keys.signing(self.get_client_algorithm(client))

    def get_compatible_claims(self, request: _Request) -> dict[str, Any]:
        now: int = int(self._book.clock.now().timestamp())
        life: timedelta = self._book.rules.id_token
        return {
            "iss": request.issuer,
            "aud": request.client.get_client_id(),
            "iat": now,
            "exp": now + int(life.total_seconds()),
            "sid": request.authorization_code.row.session_id,
        }

    def generate_user_info(self, user: CodeRow, scope: str) -> Any:  # noqa: ANN401, ARG002 - Authlib's signature
        return UserInfo(sub=user.login_id)
