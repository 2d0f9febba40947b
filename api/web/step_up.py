"""A fresh code before a sensitive act: whoever holds the right proves the second factor again, and goes on.

A route whose permission asks for it (`audit.access.model.STEP_UP_PERMISSIONS`) raises `StepUpRequiredError`; the answer
is then this form instead of a refusal. What was being sent is not kept: the form leads back to the page it came from.
"""

from math import ceil
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.web.security import (
    WholeForm,
    address_of,
    answer,
    installation_of,
    session_cookie,
    set_cookie,
    viewer_with,
)
from audit.access import Permission, SignInRefusedError, StepUpRequiredError, ThrottledError, Viewer
from dashboards.pages import Pages

__all__ = ["install_step_up", "router"]

router = APIRouter(include_in_schema=False)

Anybody = Annotated[Viewer, Depends(viewer_with(Permission.SELF_ACCOUNT_READ))]


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def _here(path: str) -> str:
    """The path, if it stays on this site."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


@router.post("/step-up", dependencies=[WholeForm])
def step_up(
    request: Request,
    viewer: Anybody,
    code: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the form's name
) -> Response:
    """Prove the second factor again; the session goes on under another token."""
    place = _here(next)
    try:
        renewed = installation_of(request).access.step_up(viewer, code, address=address_of(request))
    except SignInRefusedError:
        return answer(request, lambda ctx: _pages(request).step_up(ctx, place=place, refused=True), status=401)
    except ThrottledError as error:
        page = answer(request, lambda ctx: _pages(request).step_up(ctx, place=place, refused=True), status=429)
        page.headers["retry-after"] = str(ceil(error.retry_after.total_seconds()))
        return page
    response = RedirectResponse(place, status_code=303)
    set_cookie(request, response, session_cookie(request), renewed.token)
    return response


def _required(request: Request, _error: Exception) -> Response:
    place = request.url.path
    if request.method != "GET":
        came = urlsplit(request.headers.get("referer", ""))
        place = came.path if came.netloc == request.headers.get("host") else "/"
    return answer(request, lambda ctx: _pages(request).step_up(ctx, place=_here(place)), status=403)


def install_step_up(app: FastAPI) -> None:
    """Answer a missing second factor with the form that asks for it."""
    app.add_exception_handler(StepUpRequiredError, _required)
