"""The way to the town's own palm-vein or IC-card product and back: `/verify/NAME/start` and `/verify/NAME/callback`.

Rules:
- Setting out is a form of ours, from the sign-in page or from the page that asks for more; what was begun is kept in a
  cookie of its own, sealed, `SameSite=Lax` because the way back begins at another site.
- What was proved opens a session, or strengthens the one in which it was begun, through `AccessService` alone.
- A session is strengthened or unlocked only by the person whose it is, and only in the browser that holds it.
- What the way was begun for travels with its state: the session, or the ticket of a sign-in whose password was right.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.web.onward import begun_elsewhere, leave
from api.web.security import (
    WholeForm,
    address_of,
    installation_of,
    language_of,
    locked_session,
    place_of,
    session_cookie,
    set_cookie,
    signed_in,
)
from api.web.sign_in import onward, opened
from api.web.ways import FormWay, Way
from audit.access import LockedSession, Viewer
from audit.access.federation import Verified

__all__ = ["OPEN_PATHS", "router"]

OPEN_PATHS = frozenset({"/verify/{name}/start", "/verify/{name}/callback"})
"""Routes that need no permission: they lead to sign-in."""
_LIFE = 300
_TICKET = "ticket "
"""Stands before the ticket of a sign-in, where a session's id, which holds no space, stands otherwise."""

router = APIRouter(include_in_schema=False)


def _cookie(request: Request) -> str:
    return "__Host-mimamori-verify" if request.url.scheme == "https" else "mimamori-verify"


def _keep(request: Request, response: Response, value: str, life: int) -> None:
    """Set the cookie, or with no life take it away: browsers hold both to the same attributes."""
    tls = request.url.scheme == "https"
    response.set_cookie(_cookie(request), value, max_age=life, path="/", secure=tls, httponly=True, samesite="lax")


@router.post("/verify/{name}/start", dependencies=[WholeForm])
def start(
    request: Request,
    name: str,
    here: FormWay,
) -> Response:
    """Set out to a verifier: to sign in, or, where somebody is signed in, to prove more or to unlock."""
    begun = installation_of(request).federation.begin(
        name,
        place=here.place or "/",
        begun_for=_TICKET + here.ticket if here.ticket else _session_of(signed_in(request) or locked_session(request)),
        address=address_of(request),
    )
    response = leave(request, begun.url, by_page=True)
    _keep(request, response, begun.sealed, _LIFE)
    return response


@router.get("/verify/{name}/callback")
def callback(request: Request, name: str) -> Response:
    """Come back from a verifier."""
    if begun_elsewhere(request):
        return leave(request, place_of(request), by_page=True)
    federation, parameters = installation_of(request).federation, dict(request.query_params.multi_items())
    if len(parameters) != len(request.query_params.multi_items()):
        raise federation.refuse("parameter_twice", address=address_of(request))
    verified = federation.finish(
        name, parameters, request.cookies.get(_cookie(request), ""), address=address_of(request)
    )
    go_on = _renewed if verified.begun_for and not verified.begun_for.startswith(_TICKET) else _signed_in
    response = go_on(request, verified)
    _keep(request, response, "", 0)
    return response


def _signed_in(request: Request, verified: Verified) -> Response:
    access, address, language = installation_of(request).access, address_of(request), language_of(request)
    if ticket := verified.begun_for.removeprefix(_TICKET):
        opening = access.finish_sign_in_verified(
            ticket, verified.login_id, verified.proof, address=address, language=language
        )
    else:
        opening = access.open_verified_session(verified.login_id, verified.proof, address=address, language=language)
    return opened(request, Way(verified.place, "", ""), opening)


def _session_of(found: Viewer | LockedSession | None) -> str:
    if found is None:
        return ""
    return found.session_id if isinstance(found, Viewer) else found.session.id


def _renewed(request: Request, verified: Verified) -> Response:
    access, address = installation_of(request).access, address_of(request)
    found = signed_in(request) or locked_session(request)
    if found is None or _session_of(found) != verified.begun_for or found.login_id != verified.login_id:
        raise installation_of(request).federation.refuse("other_session", address=address_of(request))
    if isinstance(found, Viewer):
        renewed = access.step_up_verified(found, verified.proof, address=address)
    else:
        renewed = access.unlock_verified(found, verified.proof, address=address)
    response = onward(request, verified.place)
    set_cookie(request, response, session_cookie(request), renewed.token)
    return response
