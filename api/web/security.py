"""What every request and answer goes through: headers, cookies, forms, and who is asking.

A route names the permission it needs by asking for `viewer_with(...)`; a test walks the routes and fails on one that
does not and is not listed as open. A form is taken only with the token of the page it came from, from this site.
"""

import hmac
import secrets
from collections.abc import Callable
from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.installation import Installation
from audit.access import LockedSession, Permission, Viewer
from audit.events import mask
from dashboards.model import Language, PageContext
from dashboards.model import Viewer as PageViewer
from dashboards.show import moment

__all__ = [
    "FORM_COOKIE",
    "LANGUAGE_COOKIE",
    "FormRefusedError",
    "LockedError",
    "NotSignedInError",
    "SecurityHeaders",
    "WholeForm",
    "address_of",
    "answer",
    "installation_of",
    "language_of",
    "locked_session",
    "place_of",
    "return_address",
    "secure",
    "session_cookie",
    "set_cookie",
    "signed_in",
    "viewer_with",
]

FORM_COOKIE = "mimamori-form"
LANGUAGE_COOKIE = "mimamori-language"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{style}; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class NotSignedInError(Exception):
    """Nobody is signed in on this request."""


class LockedError(NotSignedInError):
    """The session is locked: it waits for a factor."""


class FormRefusedError(Exception):
    """A form that did not come from a page of ours."""


class SecurityHeaders:
    """Adds the headers that keep pages from being framed, cached, or fed foreign scripts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers added."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(scope, MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def secure(scope: Scope, headers: MutableHeaders) -> None:
    """Add the headers to one answer: the framework's last resort, a 500, does not pass the middleware."""
    path: str = scope["path"]
    headers.update(_HEADERS)
    # Plotly styles its own elements; only the pages that it draws on allow that.
    style = " 'unsafe-inline'" if path == "/board" or path.startswith("/detectors/") else ""
    headers["content-security-policy"] = _POLICY.format(style=style)
    if not path.startswith("/static/"):
        headers["cache-control"] = "no-store"
    if scope["scheme"] == "https":
        headers["strict-transport-security"] = "max-age=31536000"


def installation_of(request: Request) -> Installation:
    """The installation that this application serves."""
    return cast(Installation, request.app.state.installation)


def address_of(request: Request) -> str:
    """The peer's address; headers that anybody can write are not believed."""
    return request.client.host if request.client else "unknown"


def session_cookie(request: Request) -> str:
    """The session cookie's name; with TLS it is bound to this host alone."""
    return "__Host-mimamori" if request.url.scheme == "https" else "mimamori"


def set_cookie(request: Request, response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def language_of(request: Request, viewer: Viewer | None = None) -> Language:
    """Japanese first; English for whoever has chosen it."""
    chosen = request.cookies.get(LANGUAGE_COOKIE) or (viewer.language if viewer else "")
    return "en" if chosen == "en" else "ja"


def signed_in(request: Request) -> Viewer | None:
    """Who is asking; None for a locked session too, which `locked_session` then shows."""
    token = request.cookies.get(session_cookie(request), "")
    found = installation_of(request).access.look(token, address=address_of(request)) if token else None
    viewer = found if isinstance(found, Viewer) else None
    request.state.viewer = viewer
    request.state.locked = found if isinstance(found, LockedSession) else None
    return viewer


def locked_session(request: Request) -> LockedSession | None:
    """The locked session of whoever is asking."""
    signed_in(request)
    locked: LockedSession | None = request.state.locked
    return locked


def viewer_with(permission: Permission) -> Callable[[Request], Viewer]:
    """A dependency that lets only viewers with a permission through."""

    def dependency(request: Request) -> Viewer:
        viewer = signed_in(request)
        if viewer is None:
            raise LockedError if request.state.locked else NotSignedInError
        installation_of(request).access.require(viewer, permission)
        return viewer

    dependency.permission = permission  # type: ignore[attr-defined] # read by the test that walks the routes
    return dependency


def whole_form(request: Request, csrf: Annotated[str, Form()] = "") -> None:
    """A dependency that refuses forms which did not come from a page of ours.

    Raises:
        FormRefusedError: the form has another page's token, or comes from another site.
    """
    expected = request.cookies.get(FORM_COOKIE, "")
    if not expected or not hmac.compare_digest(expected.encode(), csrf.encode()):
        raise FormRefusedError
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise FormRefusedError
    origin = request.headers.get("origin")
    if origin and origin.partition("://")[2] != request.headers.get("host"):
        raise FormRefusedError


WholeForm = Depends(whole_form)


def return_address(request: Request, text: str) -> str:
    """Where a page may lead back to: a path of ours, or an origin that the settings name; else nowhere (empty)."""
    if not text.isprintable() or "\\" in text or " " in text:
        return ""
    if text.startswith("/"):
        return "" if text.startswith("//") else text
    origins = {origin.strip().rstrip("/") for origin in installation_of(request).settings.return_origins.split(",")}
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in {"http", "https"} and f"{parts.scheme}://{parts.netloc}" in origins else ""


def place_of(request: Request) -> str:
    """The page to come back to after a detour: this one, or for a form the page that it stood on."""
    if request.method == "GET":
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    came = urlsplit(request.headers.get("referer", ""))
    return came.path if came.netloc == request.headers.get("host") else "/"


def answer(request: Request, render: Callable[[PageContext], str], *, status: int = 200) -> HTMLResponse:
    """Render a page for a request; sets the form's cookie where there is none."""
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    language = language_of(request, viewer)
    csrf = request.cookies.get(FORM_COOKIE, "")
    fresh = len(csrf) < 32
    if fresh:
        csrf = secrets.token_urlsafe(32)
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if mask(path)[1]:
        path = "/"  # where a form leads back to: a number that was typed into an address is not repeated
    context = PageContext(
        language=language,
        viewer=PageViewer(viewer.display_name, tuple(sorted(viewer.roles))) if viewer else None,
        path=path if request.method == "GET" else "/",
        csrf=csrf,
        last_sign_in=_last_sign_in(viewer, language),
        permissions=frozenset(viewer.permissions) if viewer else frozenset(),
        lock_after=int(installation_of(request).access.limits.lock.total_seconds()) if viewer else 0,
    )
    response = HTMLResponse(render(context), status_code=status)
    if fresh:
        set_cookie(request, response, FORM_COOKIE, csrf)
    return response


def _last_sign_in(viewer: Viewer | None, language: Language) -> str | None:
    if viewer is None or viewer.previous_sign_in_at is None:
        return None
    at, failures = moment(viewer.previous_sign_in_at, language), viewer.failures_before
    if language == "en":
        return f"Last sign-in: {at}" + (f". Failed attempts since then: {failures}." if failures else "")
    return f"前回のログイン: {at}" + (f"。その後の失敗: {failures} 回" if failures else "")
