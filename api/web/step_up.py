"""A factor once more: before a sensitive act, or to unlock the screen.

A route whose permission asks for it (`audit.access.model.STEP_UP_PERMISSIONS`) raises `StepUpRequiredError`; the answer
is then the page of `/step-up` instead of a refusal. What was being sent is not kept: the page leads back to where it
came from. A locked session leads to `/locked` and back.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from api.web.journal import record_look
from api.web.security import (
    LockedError,
    WholeForm,
    address_of,
    answer,
    installation_of,
    language_of,
    locked_session,
    place_of,
    return_address,
    session_cookie,
    set_cookie,
    signed_in,
    viewer_with,
)
from api.web.sign_in import onward, options_for, pages_of, refused
from api.web.ways import FormWay, Way, asked_acr, verifiers_for
from audit.access import (
    AccessError,
    LockedSession,
    Permission,
    SignedIn,
    SignInRefusedError,
    StepUpRequiredError,
    ThrottledError,
    Viewer,
)
from audit.access.strength import Acr

__all__ = ["install_step_up", "router"]

router = APIRouter(include_in_schema=False)
_FOR_PROGRAMS = ("/api/", "/access/")

Anybody = Annotated[Viewer, Depends(viewer_with(Permission.SELF_ACCOUNT_READ))]
Sitting = Annotated[Viewer, Depends(viewer_with(Permission.SELF_SESSION_END))]


@router.get("/step-up")
def step_up_page(request: Request, viewer: Anybody, next: str = "", acr: str = "") -> Response:  # noqa: A002 - the address's name
    """Prove a factor again, at least as strong as the place that leads here asks for."""
    record_look(request, viewer, "step_up.view")
    return _step_up_page(request, viewer, Way(return_address(request, next), asked_acr(acr), ""))


def _step_up_page(
    request: Request, viewer: Viewer, here: Way, error: AccessError | None = None, status: int = 200
) -> Response:
    access = installation_of(request).access
    held = tuple(word for word in access.methods_of(viewer.account_id) if word != "recovery_code")
    asked = here.asked(held, verifiers=verifiers_for(request, here.acr, viewer.proof.factors & {"password"}))
    words, tried = error.text(language_of(request, viewer)) if error else None, isinstance(error, SignInRefusedError)
    page = answer(
        request, lambda ctx: pages_of(request).step_up(ctx, asked=asked, error=words, refused=tried), status=status
    )
    return refused(error, page) if error else page


@router.post("/step-up", dependencies=[WholeForm])
def step_up(
    request: Request,
    viewer: Anybody,
    here: FormWay,
    code: Annotated[str, Form()] = "",
    response: Annotated[str, Form()] = "",
) -> Response:
    """Prove the second factor again; the session goes on under another token."""
    access, address = installation_of(request).access, address_of(request)
    try:
        if response:
            renewed = access.step_up_with_key(viewer, response, address=address)
        else:
            renewed = access.step_up(viewer, code, address=address)
    except (SignInRefusedError, ThrottledError) as error:
        return _step_up_page(request, viewer, here, error)
    return _renewed(request, here, renewed)


@router.post("/step-up/options", dependencies=[WholeForm])
def step_up_options(request: Request, viewer: Anybody) -> Response:
    """What the browser hands to the key."""
    access = installation_of(request).access
    return options_for(request, lambda: access.begin_step_up(viewer))


def _renewed(request: Request, here: Way, renewed: SignedIn) -> Response:
    place = here.place or "/"
    response = onward(request, place)
    set_cookie(request, response, session_cookie(request), renewed.token)
    return response


# The lock


@router.post("/active", dependencies=[WholeForm])
def active(viewer: Sitting) -> Response:
    """Somebody is working on a page: being asked is enough to keep the session awake."""
    return JSONResponse({"session": viewer.session_id})


@router.post("/lock", dependencies=[WholeForm])
def lock(request: Request, viewer: Sitting, here: FormWay) -> Response:
    """Lock the screen."""
    installation_of(request).access.lock(viewer)
    return _to_lock(here.place)


def _to_lock(place: str) -> Response:
    return RedirectResponse(f"/locked?next={quote(place, safe='')}", status_code=303)


@router.get("/locked")
def locked_page(request: Request, next: str = "") -> Response:  # noqa: A002 - the address's name
    """The locked screen; whoever is not locked goes on."""
    place = return_address(request, next)
    locked = locked_session(request)
    if locked is None:
        back = place if place.startswith("/") else "/"
        return RedirectResponse(back if signed_in(request) else "/sign-in", status_code=303)
    return _locked_page(request, locked, Way(place, "", ""))


def _locked_page(request: Request, locked: LockedSession, here: Way, error: AccessError | None = None) -> Response:
    access, proof = installation_of(request).access, locked.session.proof
    weakest = "" if proof.acr is Acr.OTP else Acr.USER_VERIFIED
    held = tuple(word for word in access.methods_of(locked.session.account_id) if word != "recovery_code")
    asked = Way(here.place, weakest, "").asked(
        held, verifiers=verifiers_for(request, weakest, proof.factors & {"password"})
    )
    words, tried = error.text(language_of(request)) if error else None, isinstance(error, SignInRefusedError)
    page = answer(
        request,
        lambda ctx: pages_of(request).locked(ctx, asked=asked, name=locked.display_name, error=words, refused=tried),
    )
    return refused(error, page) if error else page


@router.post("/locked", dependencies=[WholeForm])
def unlock(
    request: Request, here: FormWay, code: Annotated[str, Form()] = "", response: Annotated[str, Form()] = ""
) -> Response:
    """Unlock with whatever is as strong as what opened the session."""
    locked = locked_session(request)
    if locked is None:
        return RedirectResponse("/sign-in", status_code=303)
    access, address = installation_of(request).access, address_of(request)
    try:
        if response:
            renewed = access.unlock_with_key(locked, response, address=address)
        else:
            renewed = access.unlock(locked, code, address=address)
    except (SignInRefusedError, ThrottledError) as error:
        return _locked_page(request, locked, here, error)
    return _renewed(request, here, renewed)


@router.post("/locked/options", dependencies=[WholeForm])
def unlock_options(request: Request) -> Response:
    """What the browser hands to the key."""
    locked, access = locked_session(request), installation_of(request).access
    if locked is None:
        return JSONResponse({"text": SignInRefusedError("session_ended").text(language_of(request))}, status_code=403)
    return options_for(request, lambda: access.begin_unlock(locked))


def _required(request: Request, error: Exception) -> Response:
    if request.url.path.startswith(_FOR_PROGRAMS):
        return _problem("Step-up required", 403, str(error))
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    if viewer is None:
        return RedirectResponse("/sign-in", status_code=303)
    return _step_up_page(request, viewer, Way(return_address(request, place_of(request)), "", ""), status=403)


def _locked(request: Request, _error: Exception) -> Response:
    if request.url.path.startswith(_FOR_PROGRAMS):
        return _problem("Locked", 401, "The session is locked.")
    return _to_lock(return_address(request, place_of(request)))


def _problem(title: str, status: int, detail: str) -> Response:
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(problem, status_code=status, media_type="application/problem+json")


def install_step_up(app: FastAPI) -> None:
    """Answer a missing second factor, and a locked session, with the page that asks for it."""
    app.add_exception_handler(StepUpRequiredError, _required)
    app.add_exception_handler(LockedError, _locked)
