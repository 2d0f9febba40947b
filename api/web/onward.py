"""Ways that lead to another site and back.

Our session cookie is `SameSite=Strict`: on a way that another site began it is not sent. A page of ours that goes on by
itself begins the way anew. The same page stands before a way out after one of our forms, because browsers hold the
policy `form-action 'self'` against whatever a form leads to.
"""

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from api.web.security import answer, session_cookie
from dashboards.pages import Pages

__all__ = ["begun_elsewhere", "leave"]


def begun_elsewhere(request: Request) -> bool:
    """Whether another site began this way, so that the session, if there is one, cannot be seen yet."""
    return request.headers.get("sec-fetch-site") == "cross-site" and session_cookie(request) not in request.cookies


def leave(request: Request, url: str, *, by_page: bool | None = None) -> Response:
    """Send a person on.

    Args:
        request: what is answered.
        url: an address of ours, or of a system that is registered for it.
        by_page: by a page that goes on by itself; None: where one of our own pages led here.
    """
    if by_page if by_page is not None else request.headers.get("sec-fetch-site") == "same-origin":
        pages: Pages = request.app.state.pages
        return answer(request, lambda ctx: pages.onward(ctx, url=url))
    return RedirectResponse(url, status_code=302)
