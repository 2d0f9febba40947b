"""Signing in and out, one-time links, and the language switch."""

from math import ceil
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.web.security import (
    LANGUAGE_COOKIE,
    WholeForm,
    address_of,
    answer,
    installation_of,
    language_of,
    session_cookie,
    set_cookie,
    signed_in,
)
from audit.access import (
    CodeRefusedError,
    Enrolment,
    LoginIdRefusedError,
    PasswordRefusedError,
    Permission,
    SignInRefusedError,
    ThrottledError,
)
from dashboards.model import EnrolForm
from dashboards.pages import Pages

__all__ = ["OPEN_PATHS", "router"]

router = APIRouter(include_in_schema=False)
_YEAR = 365 * 24 * 3600
_LANDINGS = (
    (Permission.ALERTS_ALERT_READ, "/alerts"),
    (Permission.BOARDS_BOARD_READ, "/board"),
)

OPEN_PATHS = frozenset({"/sign-in", "/sign-in/second-factor", "/sign-out", "/enrol/{token}", "/language", "/"})
"""Routes that need no permission: they lead to sign-in, or away from it."""


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


@router.get("/")
def home(request: Request) -> Response:
    """The first page is the alerts, or what a viewer may see instead."""
    viewer = signed_in(request)
    held = viewer.permissions if viewer else frozenset()
    page = next((page for permission, page in _LANDINGS if permission in held), "/alerts")
    return RedirectResponse(page if viewer else "/sign-in", status_code=303)


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    """Login id and password."""
    if signed_in(request) is not None:
        return RedirectResponse("/", status_code=303)
    return answer(request, lambda ctx: _pages(request).sign_in(ctx))


@router.post("/sign-in", dependencies=[WholeForm])
def sign_in(request: Request, login_id: Annotated[str, Form()] = "", password: Annotated[str, Form()] = "") -> Response:
    """The first step; the second asks for the code."""
    language = language_of(request)
    try:
        ticket = installation_of(request).access.begin_sign_in(login_id, password, address=address_of(request)).ticket
    except (SignInRefusedError, ThrottledError) as error:
        words = error.text(language)
        return _refused(error, answer(request, lambda ctx: _pages(request).sign_in(ctx, error=words)))
    return answer(request, lambda ctx: _pages(request).second_factor(ctx, ticket=ticket))


@router.post("/sign-in/second-factor", dependencies=[WholeForm])
def second_factor(request: Request, ticket: Annotated[str, Form()] = "", code: Annotated[str, Form()] = "") -> Response:
    """The second step opens the session."""
    language = language_of(request)
    try:
        opened = installation_of(request).access.finish_sign_in(
            ticket, code, address=address_of(request), language=language
        )
    except (SignInRefusedError, ThrottledError) as error:
        words = error.text(language)
        page = answer(request, lambda ctx: _pages(request).second_factor(ctx, ticket=ticket, error=words))
        return _refused(error, page)
    response = RedirectResponse("/", status_code=303)
    set_cookie(request, response, session_cookie(request), opened.token)
    return response


def _refused(error: SignInRefusedError | ThrottledError, page: Response) -> Response:
    page.status_code = 401
    if isinstance(error, ThrottledError):
        page.status_code = 429
        page.headers["retry-after"] = str(ceil(error.retry_after.total_seconds()))
    return page


@router.post("/sign-out", dependencies=[WholeForm])
def sign_out(request: Request) -> Response:
    """End the session, and what the browser remembers of it."""
    viewer = signed_in(request)
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
    stays = next.startswith("/") and not next.startswith(("//", "/\\"))
    response = RedirectResponse(next if stays else "/", status_code=303)
    set_cookie(request, response, LANGUAGE_COOKIE, chosen, max_age=_YEAR)
    return response


def _form(token: str, enrolment: Enrolment, login_id: str = "", display_name: str = "") -> EnrolForm:
    return EnrolForm(
        token=token,
        provisioning_uri=enrolment.provisioning_uri,
        secret=enrolment.secret,
        login_id=enrolment.login_id or login_id,
        login_fixed=enrolment.login_id is not None,
        display_name=display_name or enrolment.display_name,
    )


@router.get("/enrol/{token}")
def enrol_page(request: Request, token: str) -> Response:
    """The page behind a one-time link."""
    enrolment = installation_of(request).access.open_enrolment(token, address=address_of(request))
    return answer(request, lambda ctx: _pages(request).enrol(ctx, form=_form(token, enrolment)))


@router.post("/enrol/{token}", dependencies=[WholeForm])
def enrol(
    request: Request,
    token: str,
    login_id: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    password_again: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
) -> Response:
    """Bind password and authenticator; the link is used up only when everything is right."""
    access, language = installation_of(request).access, language_of(request)
    if password == password_again:
        try:
            access.complete_enrolment(
                token,
                login_id=login_id,
                display_name=display_name,
                password=password,
                code=code,
                address=address_of(request),
            )
        except (CodeRefusedError, LoginIdRefusedError, PasswordRefusedError) as error:
            words = error.text(language)
        else:
            return RedirectResponse("/sign-in", status_code=303)
    else:
        words = "The two passwords differ." if language == "en" else "2 回のパスワードが一致しません。"
    enrolment = access.open_enrolment(token, address=address_of(request))
    form = _form(token, enrolment, login_id, display_name)
    return answer(request, lambda ctx: _pages(request).enrol(ctx, form=form, error=words), status=422)
