"""Tokens for sending systems: RFC 6749 client credentials, 7662, 7009, 8414; and who is sending at the receiver.

Rules:
- A parameter that stands twice, a body beyond the limit, or two proofs at once is refused before anything is judged.
- Answers are the standards' JSON. Their `error_description` is English because RFC 6749 5.2 allows ASCII alone; it
  never says why a client was refused. The reason is in the log, for whoever runs this installation.
- Nothing here believes the Host header: addresses come from the rules' issuer.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, cast
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from structlog import get_logger

from api.web.certificates import certificate_of
from api.web.security import address_of
from audit.access import AccessError
from audit.access.machines import (
    Client,
    ClientRefusedError,
    DigestRefusedError,
    Machine,
    MachineRefusedError,
    MachineService,
    Scope,
    SourceRefusedError,
)
from audit.store.errors import StoreError

__all__ = ["OPEN_PATHS", "Form", "Grant", "Sender", "install_oauth", "machines_of", "metadata_of", "sender"]

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_BODY = 16 * 1024
"""Bytes: twice the longest assertion."""
MAX_FIELDS = 20
_RETRY_AFTER = "5"
_METADATA = "/.well-known/oauth-authorization-server"
OPEN_PATHS = frozenset({"/oauth2/token", "/oauth2/introspect", "/oauth2/revoke", _METADATA})
"""Paths that no viewer's permission guards: a client proves itself there, and the metadata is for everybody."""

_log = get_logger("mimamori.oauth")
router = APIRouter()


class OAuthError(Exception):
    """An answer of RFC 6749 5.2.

    Args:
        error: its code.
        description: ASCII without quotes.
        status: of the answer.
    """

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


def machines_of(request: Request) -> MachineService:
    """The service behind these routes."""
    return cast(MachineService, request.app.state.machines)


async def _form(request: Request) -> Mapping[str, str]:
    """The parameters of a request, read up to the limit and no further."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "the body must be application/x-www-form-urlencoded")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise OAuthError("invalid_request", "the body is too long", 413)
    try:
        pairs = parse_qsl(body.decode("ascii"), encoding="utf-8", errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise OAuthError("invalid_request", "the body cannot be read") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise OAuthError("invalid_request", "a parameter stands twice")
    return found


Form = Annotated[Mapping[str, str], Depends(_form)]
Grant = Callable[[Request, Mapping[str, str], Client], Response]
"""How another grant than client credentials answers a client that has proved itself."""
Revocation = Callable[[Request, str, Client], None]
"""How a token of another grant ends, if it is one of the client's."""
_TAKES_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "additionalProperties": {"type": "string"}}
            }
        },
    }
}


def _client(request: Request, form: Form) -> Client:
    """Who is asking, by exactly one proof."""
    machines, address = machines_of(request), address_of(request)
    authorization = request.headers.get("authorization", "")
    try:
        if "client_assertion" not in form and authorization:
            return machines.client_by_secret(authorization, address=address)
        if authorization:
            raise OAuthError("invalid_request", "one client authentication method at a time")
        if "client_assertion" in form and form.get("client_assertion_type") != ASSERTION_TYPE:
            raise OAuthError("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}")
        return machines.client_by_assertion(
            form.get("client_assertion", ""), address=address, claimed=form.get("client_id")
        )
    except StoreError as error:
        raise _unavailable(error) from error


ProvenClient = Annotated[Client, Depends(_client)]


@router.post("/oauth2/token", openapi_extra=_TAKES_FORM)
def token(request: Request, form: Form, client: ProvenClient) -> Response:
    """An access token for a client (RFC 6749 4.4); there is no refresh token."""
    if "grant_type" not in form:
        raise OAuthError("invalid_request", "grant_type is missing")
    further: Mapping[str, Grant] = request.app.state.further_grants
    if form["grant_type"] in further:
        try:
            return further[form["grant_type"]](request, form, client)
        except StoreError as error:
            raise _unavailable(error) from error
    if form["grant_type"] != "client_credentials":
        raise OAuthError("unsupported_grant_type", "grant_type must be client_credentials")
    try:
        issued = machines_of(request).issue_token(client, form.get("scope", ""), address=address_of(request))
    except StoreError as error:
        raise _unavailable(error) from error
    if issued is None:
        raise OAuthError("invalid_scope", "no such scope")
    return _answer(
        {
            "access_token": issued.token,
            "token_type": "Bearer",
            "expires_in": issued.expires_in,
            "scope": issued.scope,
        }
    )


@router.post("/oauth2/introspect", openapi_extra=_TAKES_FORM)
def introspect(request: Request, form: Form, client: ProvenClient) -> Response:
    """What a token is (RFC 7662), for clients of the source it belongs to."""
    return _answer(machines_of(request).introspect(_token_in(form), client))


@router.post("/oauth2/revoke", openapi_extra=_TAKES_FORM)
def revoke(request: Request, form: Form, client: ProvenClient) -> Response:
    """End a token (RFC 7009); the answer is the same whether there was one."""
    asked = _token_in(form)
    further: Sequence[Revocation] = request.app.state.further_revocations
    try:
        machines_of(request).revoke_token(asked, client, address=address_of(request))
        for revoke_other in further:
            revoke_other(request, asked, client)
    except StoreError as error:
        raise _unavailable(error) from error
    return _answer({})


@router.get(_METADATA)
def metadata(request: Request) -> Response:
    """Where everything is, and what is taken (RFC 8414)."""
    return _answer(metadata_of(request))


def metadata_of(request: Request) -> dict[str, Any]:
    """The same, as a document; further grants add what is theirs."""
    rules = machines_of(request).rules
    methods = ["client_secret_jwt", *(["client_secret_basic"] if rules.basic else [])]
    endpoints: dict[str, Any] = {}
    for name in ("token", "introspection", "revocation"):
        endpoints[f"{name}_endpoint_auth_methods_supported"] = methods
        endpoints[f"{name}_endpoint_auth_signing_alg_values_supported"] = ["HS256"]
    further: Callable[[], Mapping[str, Any]] = request.app.state.further_metadata
    return {
        "issuer": rules.issuer,
        "token_endpoint": rules.token_endpoint,
        "introspection_endpoint": f"{rules.issuer}/oauth2/introspect",
        "revocation_endpoint": f"{rules.issuer}/oauth2/revoke",
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": sorted(Scope),
        **endpoints,
        **further(),
    }


def _token_in(form: Mapping[str, str]) -> str:
    if "token" not in form:
        raise OAuthError("invalid_request", "token is missing")
    return form["token"]


def _answer(content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    kept_nowhere = {"cache-control": "no-store", "pragma": "no-cache"}
    return JSONResponse(content, status_code=status, headers={**kept_nowhere, **(headers or {})})


def _unavailable(error: StoreError) -> OAuthError:
    _log.error("store failed", error=type(error).__name__)
    return OAuthError("temporarily_unavailable", "the audit log cannot be written", 503)


# The receiver ---------------------------------------------------------------------------------------------------


def sender(
    request: Request, source: Annotated[str, Query(max_length=100, description="The sending system's id.")]
) -> Machine:
    """A dependency that lets only an authenticated source through, under its own name.

    Raises:
        MachineRefusedError: it did not prove any source.
        SourceRefusedError: it proved to be another than `source`.
    """
    return machines_of(request).authenticate(
        request.headers.get("authorization", ""),
        certificate_of(request),
        claimed=source,
        address=address_of(request),
        scope=Scope.EVENTS_WRITE,
    )


sender.scope = Scope.EVENTS_WRITE  # type: ignore[attr-defined] # for a test that walks the routes
Sender = Annotated[Machine, Depends(sender)]


# What was refused -----------------------------------------------------------------------------------------------


def _oauth_refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, OAuthError):
        raise error
    headers = {"retry-after": _RETRY_AFTER} if error.status == 503 else {}
    return _answer({"error": error.error, "error_description": str(error)}, error.status, headers)


def _client_refused(request: Request, _error: Exception) -> Response:
    # RFC 6749 5.2: the challenge names the scheme that the client tried.
    scheme = "Basic" if "authorization" in request.headers else "Bearer"
    content = {"error": "invalid_client", "error_description": "client authentication failed"}
    return _answer(content, 401, {"www-authenticate": f'{scheme} realm="mimamori"'})


def _sender_refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, AccessError):
        raise error
    headers: dict[str, str] = {}
    status, title = 400, "Not accepted"
    if isinstance(error, MachineRefusedError):
        status, title = 401, "Not authenticated"
        invalid = ', error="invalid_token"' if error.token_sent else ""
        headers["www-authenticate"] = f'Bearer realm="mimamori"{invalid}'
    elif isinstance(error, SourceRefusedError):
        status, title = 403, "Not permitted"
        headers["www-authenticate"] = 'Bearer realm="mimamori", error="insufficient_scope"'
    return JSONResponse(
        {"type": "about:blank", "title": title, "status": status, "detail": error.text("en")},
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


def install_oauth(app: FastAPI, machines: MachineService) -> None:
    """Give an application these routes and the words for what they refuse.

    Args:
        app: the application.
        machines: the service behind them.
    """
    app.state.machines = machines
    app.state.further_grants = {}
    app.state.further_revocations = []
    app.state.further_metadata = dict
    app.include_router(router)
    app.add_exception_handler(OAuthError, _oauth_refused)
    app.add_exception_handler(ClientRefusedError, _client_refused)
    for kind in (MachineRefusedError, SourceRefusedError, DigestRefusedError):
        app.add_exception_handler(kind, _sender_refused)
