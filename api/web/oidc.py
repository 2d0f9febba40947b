"""OpenID Connect for records services: discovery, authorization, userinfo, signing out; tokens from `/oauth2/token`.

Rules:
- A parameter that stands twice is refused before anything is judged; what cannot be sent back to a registered system is
  told to the person.
- Whoever must sign in, unlock or prove more goes there and comes back to the very same request.
- Nothing here believes the Host header: addresses come from the rules' issuer.
"""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from api.web.errors import ProblemError
from api.web.oauth import Form, metadata_of
from api.web.onward import begun_elsewhere, leave
from api.web.security import (
    LockedError,
    address_of,
    installation_of,
    locked_session,
    place_of,
    session_cookie,
    set_cookie,
    signed_in,
)
from audit.access.machines import Client
from audit.access.machines import Scope as MachineScope
from audit.access.sso import Challenge, Detour, Refusal, SsoService
from audit.access.sso.service import SINCE
from audit.texts import Texts

__all__ = ["OPEN_PATHS", "install_oidc"]

DISCOVERY = "/.well-known/openid-configuration"
OPEN_PATHS = frozenset({DISCOVERY, "/oauth2/authorize", "/oauth2/jwks", "/oauth2/logout", "/oauth2/userinfo"})
"""Paths that no permission guards: the person's own session, or a token, decides there."""
MAX_QUERY = 8 * 1024
_MAX_FIELDS = 40
_PLACES = {"sign_in": "/sign-in", "step_up": "/step-up"}
_MAX_AUTHORIZATION = 1024

router = APIRouter(include_in_schema=False)


def _sso(request: Request) -> SsoService:
    return installation_of(request).sso


def _parameters(request: Request) -> dict[str, str]:
    """The parameters of a request, each of them once.

    Raises:
        ProblemError: one stands twice, or there are too many.
    """
    try:
        if len(request.url.query) > MAX_QUERY:
            raise ValueError  # noqa: TRY301 - told in one way
        pairs = parse_qsl(request.url.query, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise _refused("invalid_request", "the parameters cannot be read") from error
    if len(found := dict(pairs)) != len(pairs):
        raise _refused("invalid_request", "a parameter stands twice")
    return {name: value for name, value in found.items() if value}


def _refused(error: str, description: str) -> ProblemError:
    return ProblemError(
        400,
        Texts(
            f"サインインの要求に誤りがあります。システムの管理者に伝えてください({error}: {description})。",
            f"The system's request for a sign-in is wrong. Tell whoever runs the system ({error}: {description}).",
        ),
    )


@router.get("/oauth2/authorize")
def authorize(request: Request) -> Response:
    """A person comes from a records service: sent back with a code, or asked to sign in or prove more first."""
    parameters = _parameters(request)
    if begun_elsewhere(request):
        return leave(request, place_of(request), by_page=True)
    viewer = signed_in(request)
    answer = _sso(request).authorize(parameters, viewer, address=address_of(request))
    if isinstance(answer, Refusal):
        raise _refused(answer.error, answer.description)
    if isinstance(answer, Detour):
        if request.state.locked:
            raise LockedError
        back = f"/oauth2/authorize?{urlencode(parameters | {SINCE: answer.since})}"
        query = urlencode({"next": back, "acr": answer.acr.value})
        return RedirectResponse(f"{_PLACES[answer.to]}?{query}", status_code=303)
    return leave(request, answer.location)


@router.post("/oauth2/authorize")
def authorize_by_form(form: Form) -> Response:
    """The same by a form (OpenID Connect Core 3.1.2.1), which comes from another site and so without our session."""
    return RedirectResponse(f"/oauth2/authorize?{urlencode(form)}", status_code=303)


@router.get("/oauth2/userinfo")
@router.post("/oauth2/userinfo")
def userinfo(request: Request) -> Response:
    """Who an access token stands for."""
    scheme, _, token = request.headers.get("authorization", "")[:_MAX_AUTHORIZATION].partition(" ")
    if scheme.lower() != "bearer" or not token:
        return _json({}, 401, {"www-authenticate": 'Bearer realm="mimamori"'})
    found = _sso(request).user_info(token.strip(), address=address_of(request))
    if isinstance(found, Challenge):
        return _json({"error": found.error}, 401, {"www-authenticate": found.header})
    return _json(found.claims)


@router.get("/oauth2/logout")
def logout(request: Request) -> Response:
    """A records service signs its user out."""
    parameters = _parameters(request)
    if begun_elsewhere(request):
        return leave(request, place_of(request), by_page=True)
    viewer = signed_in(request) or locked_session(request)  # to sign out takes away: no factor is asked for
    place, ends = _sso(request).ends_session(parameters, viewer)
    if viewer is not None and ends:
        installation_of(request).access.sign_out(viewer)
    if place and "state" in parameters:
        place += ("&" if "?" in place else "?") + urlencode({"state": parameters["state"]})
    response = leave(request, place or "/")
    if ends:
        set_cookie(request, response, session_cookie(request), "", max_age=0)
    return response


@router.post("/oauth2/logout")
def logout_by_form(form: Form) -> Response:
    """The same by a form."""
    return RedirectResponse(f"/oauth2/logout?{urlencode(form)}", status_code=303)


@router.get("/oauth2/jwks")
def jwks(request: Request) -> Response:
    """The keys that ID tokens verify with."""
    return _json(_sso(request).jwks())


@router.get(DISCOVERY)
def discovery(request: Request) -> Response:
    """Where everything is (OpenID Connect Discovery 1.0)."""
    return _json(metadata_of(request))


def _exchange(request: Request, form: Mapping[str, str], client: Client) -> Response:
    reply = _sso(request).exchange(form, client.client_id, address=address_of(request))
    return _json(reply.body, reply.status)


def _revoke(request: Request, token: str, client: Client) -> None:
    _sso(request).revoke_token(token, client.client_id, address=address_of(request))


def _json(content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    kept_nowhere = {"cache-control": "no-store", "pragma": "no-cache"}
    return JSONResponse(dict(content), status_code=status, headers={**kept_nowhere, **(headers or {})})


def install_oidc(app: FastAPI, sso: SsoService) -> None:
    """Give an application these routes, and its OAuth endpoints the code grant and its tokens; after `install_oauth`.

    Args:
        app: the application.
        sso: the service behind them.
    """
    grants = cast("dict[str, Any]", app.state.further_grants)
    grants["authorization_code"] = _exchange
    app.state.further_revocations.append(_revoke)
    app.state.further_metadata = lambda: {
        **sso.metadata(),
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "scopes_supported": ["openid", *sorted(MachineScope)],
    }
    app.include_router(router)
