"""Signing in and out, and the language switch.

Every way in ends in `opened`: the one place where a session's cookie is given out after signing in.
"""

from collections.abc import Callable
from math import ceil
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from api.web.onward import begun_elsewhere, leave
from api.web.security import (
    FORM_COOKIE,
    LANGUAGE_COOKIE,
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
)
from api.web.ways import FormWay, Way, asked_acr, verifiers_for
from audit.access import (
    AccessError,
    NeedsSecondFactor,
    Opening,
    PasswordOverdue,
    PasswordRefusedError,
    Permission,
    SecondSession,
    SignedIn,
    SignInRefusedError,
    ThrottledError,
    Viewer,
)
from dashboards.links import enrol_url
from dashboards.model import PageContext
from dashboards.pages import Pages

__all__ = [
    "OPEN_PATHS",
    "onward",
    "opened",
    "options_for",
    "pages_of",
    "refused",
    "router",
    "typed_twice",
]

router = APIRouter(include_in_schema=False)
_YEAR = 365 * 24 * 3600
_LANDINGS = (
    (Permission.ALERTS_ALERT_READ, "/alerts"),
    (Permission.BOARDS_BOARD_READ, "/board"),
)

OPEN_PATHS = frozenset(
    {
        "/",
        "/enrol/{token}",
        "/enrol/{token}/options",
        "/language",
        "/locked",
        "/locked/options",
        "/sign-in",
        "/sign-in/key",
        "/sign-in/key/options",
        "/sign-in/password",
        "/sign-in/recovery",
        "/sign-in/second-factor",
        "/sign-in/second-factor/options",
        "/sign-in/second-session",
        "/sign-out",
    }
)
"""Routes that need no permission: they lead to sign-in, or away from it."""


def pages_of(request: Request) -> Pages:
    """What renders."""
    pages: Pages = request.app.state.pages
    return pages


def _landing(viewer: Viewer) -> str:
    return next((page for permission, page in _LANDINGS if permission in viewer.permissions), "/account")


@router.get("/")
def home(request: Request) -> Response:
    """The first page is the alerts, or what a viewer may see instead."""
    viewer = signed_in(request)
    return RedirectResponse(_landing(viewer) if viewer else "/sign-in", status_code=303)


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "", acr: str = "") -> Response:  # noqa: A002 - the address's name
    """Login id and password, or a security key; whoever is signed in goes on to where they wanted."""
    if begun_elsewhere(request):
        return leave(request, place_of(request), by_page=True)
    place = return_address(request, next)
    viewer = signed_in(request)
    if viewer is not None:
        return leave(request, place, by_page=not place.startswith("/")) if place else RedirectResponse("/", 303)
    here = Way(place, asked_acr(acr), "")
    asked = here.asked(verifiers=verifiers_for(request, here.acr))
    return answer(request, lambda ctx: pages_of(request).sign_in(ctx, asked=asked))


@router.post("/sign-in", dependencies=[WholeForm])
def sign_in(
    request: Request, here: FormWay, login_id: Annotated[str, Form()] = "", password: Annotated[str, Form()] = ""
) -> Response:
    """The first step; the second asks for a key or a code."""
    try:
        begun = installation_of(request).access.begin_sign_in(login_id, password, address=address_of(request))
    except (SignInRefusedError, ThrottledError) as error:
        return _sign_in_again(request, here, error)
    return _second_factor_page(request, here, begun)


def _sign_in_again(request: Request, here: Way, error: AccessError) -> Response:
    words = error.text(language_of(request))
    asked = here.asked(ticket="", verifiers=verifiers_for(request, here.acr))
    return refused(error, answer(request, lambda ctx: pages_of(request).sign_in(ctx, asked=asked, error=words)))


def _second_factor_page(
    request: Request, here: Way, begun: NeedsSecondFactor, error: AccessError | None = None
) -> Response:
    asked = here.asked(begun.methods, begun.ticket, verifiers_for(request, here.acr, frozenset({"password"})))
    words = error.text(language_of(request)) if error else None
    page = answer(request, lambda ctx: pages_of(request).second_factor(ctx, asked=asked, error=words))
    return refused(error, page) if error else page


def _second_factor_again(request: Request, here: Way, error: AccessError) -> Response:
    methods = installation_of(request).access.methods_of_ticket(here.ticket)
    if not methods:
        return _sign_in_again(request, here, error)
    return _second_factor_page(request, here, NeedsSecondFactor(here.ticket, methods), error)


@router.post("/sign-in/second-factor", dependencies=[WholeForm])
def second_factor(
    request: Request, here: FormWay, code: Annotated[str, Form()] = "", response: Annotated[str, Form()] = ""
) -> Response:
    """The second step, by code or by key."""
    access, address, language = installation_of(request).access, address_of(request), language_of(request)
    try:
        if response:
            result = access.finish_sign_in_with_key(here.ticket, response, address=address, language=language)
        else:
            result = access.finish_sign_in(here.ticket, code, address=address, language=language)
    except (SignInRefusedError, ThrottledError) as error:
        return _second_factor_again(request, here, error)
    return opened(request, here, result)


@router.post("/sign-in/second-factor/options", dependencies=[WholeForm])
def second_factor_options(request: Request, here: FormWay) -> Response:
    """What the browser hands to the key as the second step."""
    access = installation_of(request).access
    return options_for(request, lambda: access.begin_second_factor(here.ticket, address=address_of(request)))


@router.post("/sign-in/key", dependencies=[WholeForm])
def key_sign_in(request: Request, here: FormWay, response: Annotated[str, Form()] = "") -> Response:
    """Sign in with a security key alone."""
    try:
        result = installation_of(request).access.key_sign_in(
            response,
            bound_to=request.cookies[FORM_COOKIE],
            address=address_of(request),
            language=language_of(request),
        )
    except (SignInRefusedError, ThrottledError) as error:
        return _sign_in_again(request, here, error)
    return opened(request, here, result)


@router.post("/sign-in/key/options", dependencies=[WholeForm])
def key_sign_in_options(request: Request) -> Response:
    """The same for anybody: nobody is named, and no list of keys given away."""
    access, bound_to = installation_of(request).access, request.cookies[FORM_COOKIE]
    return options_for(request, lambda: access.begin_key_sign_in(bound_to=bound_to, address=address_of(request)))


@router.post("/sign-in/second-session", dependencies=[WholeForm])
def second_session(request: Request, here: FormWay, choice: Annotated[str, Form()] = "") -> Response:
    """Take the other session over, or leave it."""
    try:
        result = installation_of(request).access.settle_second_session(
            here.ticket,
            take_over=choice == "take_over",
            address=address_of(request),
            language=language_of(request),
        )
    except SignInRefusedError as error:
        return _sign_in_again(request, here, error)
    return opened(request, here, result, decided=True)


@router.post("/sign-in/password", dependencies=[WholeForm])
def overdue_password(
    request: Request,
    here: FormWay,
    password: Annotated[str, Form()] = "",
    password_again: Annotated[str, Form()] = "",
) -> Response:
    """Choose another password for one that is too old, and go on."""
    language = language_of(request)
    try:
        result = installation_of(request).access.change_overdue_password(
            here.ticket, typed_twice(password, password_again), address=address_of(request), language=language
        )
    except PasswordRefusedError as error:
        words = error.text(language)
        return answer(request, lambda ctx: pages_of(request).overdue(ctx, asked=here.asked(), error=words), status=422)
    except SignInRefusedError as error:
        return _sign_in_again(request, here, error)
    return opened(request, here, result)


@router.post("/sign-in/recovery", dependencies=[WholeForm])
def recover(request: Request, here: FormWay, recovery: Annotated[str, Form()] = "") -> Response:
    """A recovery code leads to new factors, never to a session."""
    access = installation_of(request).access
    try:
        token = access.recover(here.ticket, recovery, address=address_of(request))
    except (SignInRefusedError, ThrottledError) as error:
        return _second_factor_again(request, here, error)
    return RedirectResponse(enrol_url(token), status_code=303)


def opened(request: Request, here: Way, result: Opening, *, decided: bool = False) -> Response:
    """What follows when everything was proved: the session's cookie, or the one thing that is in the way.

    Args:
        request: what is answered.
        here: where it leads.
        result: what became of the sign-in.
        decided: whether the person has just left another session as it is.
    """
    if isinstance(result, SignedIn):
        place = here.place or "/"
        response = onward(request, place)
        set_cookie(request, response, session_cookie(request), result.token)
        return response

    def render(ctx: PageContext) -> str:
        asked = here.asked(ticket=result.ticket)
        if isinstance(result, PasswordOverdue):
            return pages_of(request).overdue(ctx, asked=asked)
        return pages_of(request).second_session(
            ctx, asked=asked, since=result.since, address=result.address, decided=decided
        )

    refused_here = isinstance(result, SecondSession) and not result.ticket and not decided
    return answer(request, render, status=409 if refused_here else 200)


def onward(request: Request, place: str) -> Response:
    """Lead on after a form: to a path of ours at once, elsewhere by a page, which forms may not lead away from."""
    return RedirectResponse(place, status_code=303) if place.startswith("/") else leave(request, place, by_page=True)


def typed_twice(password: str, again: str) -> str:
    """A new password, if it was typed twice the same.

    Raises:
        PasswordRefusedError: it was not.
    """
    if password != again:
        raise PasswordRefusedError("differ")
    return password


def options_for(request: Request, begin: Callable[[], dict[str, Any]]) -> Response:
    """The options of a ceremony as JSON, or why there are none."""
    try:
        return JSONResponse(begin())
    except AccessError as error:
        throttled = isinstance(error, ThrottledError)
        headers = {"retry-after": _seconds(error)} if isinstance(error, ThrottledError) else None
        text = error.text(language_of(request))
        return JSONResponse({"text": text}, status_code=429 if throttled else 403, headers=headers)


def _seconds(error: ThrottledError) -> str:
    return str(ceil(error.retry_after.total_seconds()))


def refused(error: AccessError, page: Response) -> Response:
    """The page of a refusal, with the status and wait that belong to it."""
    page.status_code = 401
    if isinstance(error, ThrottledError):
        page.status_code = 429
        page.headers["retry-after"] = _seconds(error)
    return page


@router.post("/sign-out", dependencies=[WholeForm])
def sign_out(request: Request) -> Response:
    """End the session, locked or not, and what the browser remembers of it."""
    viewer = signed_in(request) or locked_session(request)
    if viewer is not None:
        installation_of(request).access.sign_out(viewer)
    response = RedirectResponse("/sign-in", status_code=303)
    set_cookie(request, response, session_cookie(request), "", max_age=0)
    response.headers["clear-site-data"] = '"cache"'
    return response


@router.post("/language", dependencies=[WholeForm])
def language(
    request: Request,
    language: Annotated[str, Form()] = "ja",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the form's name
) -> Response:
    """Switch the language and return."""
    chosen = "en" if language == "en" else "ja"
    viewer = signed_in(request)
    if viewer is not None:
        installation_of(request).access.set_language(viewer, chosen)
    place = return_address(request, next)
    response = RedirectResponse(place if place.startswith("/") else "/", status_code=303)
    set_cookie(request, response, LANGUAGE_COOKIE, chosen, max_age=_YEAR)
    return response
