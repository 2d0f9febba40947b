"""What went wrong, said to a person on a page and to a program as RFC 9457."""

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from structlog import get_logger

from api.web.onward import begun_elsewhere, leave
from api.web.queries import QueryError
from api.web.security import FormRefusedError, NotSignedInError, answer, language_of, place_of, secure
from audit.access import AccessError, ForbiddenError, LinkRefusedError, StepUpRequiredError
from audit.log import CursorError
from audit.store.errors import StoreError
from audit.texts import Texts
from dashboards.pages import Pages

__all__ = ["ProblemError", "install_errors"]

_log = get_logger("mimamori.web")
_NAMED = 200
"""So much is said of which parameters were refused."""

_NOT_FOUND = Texts("見つかりません", "Not found")
_TITLES = {
    400: Texts("受け付けられません", "Not accepted"),
    401: Texts("ログインが必要です", "Sign in first"),
    403: Texts("権限がありません", "Not permitted"),
    404: _NOT_FOUND,
    405: Texts("この操作はできません", "Not possible"),
    408: Texts("時間切れです", "Too slow"),
    409: Texts("前の送信と食い違っています", "Conflict with what was sent before"),
    410: Texts("リンクは使えません", "This link cannot be used"),
    413: Texts("大きすぎます", "Too large"),
    415: Texts("扱えない形式です", "Not supported"),
    422: Texts("入力を確かめてください", "Please check the input"),
    429: Texts("混み合っています", "Busy"),
    503: Texts("記録を読み書きできません", "The log cannot be read or written"),
    500: Texts("エラーが起きました", "Something went wrong"),
}
_DETAILS = {
    404: Texts("このページまたは記録はありません。", "There is no such page or record."),
    405: Texts("このアドレスではその操作はできません。", "This address does not do that."),
    401: Texts("ログインしてからもう一度お試しください。", "Sign in and try again."),
    500: Texts(
        "記録されました。続くようであれば管理者に連絡してください。",
        "It has been noted. If it goes on, tell the administrator.",
    ),
    503: Texts(
        "監査ログに書き込めない間は、何も表示しません。しばらくしてからお試しください。",
        "While the audit log cannot be written, nothing is shown. Please try again shortly.",
    ),
}


class ProblemError(Exception):
    """A request that is refused for a reason of its own.

    Args:
        status: of the answer.
        texts: why.
        retry_after: seconds after which it is worth trying again; 0 says nothing of it.
    """

    def __init__(self, status: int, texts: Texts, retry_after: int = 0) -> None:
        super().__init__(texts.en)
        self.status = status
        self.texts = texts
        self.retry_after = retry_after


def _wants_json(request: Request) -> bool:
    return request.url.path.startswith(("/access/", "/api/", "/healthz", "/readyz", "/scim/"))


def _say(request: Request, status: int, detail: Texts | None = None) -> Response:
    language = language_of(request, getattr(request.state, "viewer", None))
    title = _TITLES.get(status, _TITLES[500 if status >= 500 else 400])
    words = detail or _DETAILS.get(status) or title
    if _wants_json(request):
        return JSONResponse(
            {"type": "about:blank", "title": title.en, "status": status, "detail": words.en},
            status_code=status,
            media_type="application/problem+json",
        )
    pages: Pages = request.app.state.pages
    return answer(
        request,
        lambda ctx: pages.message(ctx, title=title.in_(language), text=words.in_(language), status=status),
        status=status,
    )


def _not_signed_in(request: Request, _error: Exception) -> Response:
    if _wants_json(request):
        return _say(request, 401)
    if request.method == "GET" and begun_elsewhere(request):
        return leave(request, place_of(request), by_page=True)
    return RedirectResponse("/sign-in", status_code=303)


def _form_refused(request: Request, _error: Exception) -> Response:
    return _say(
        request,
        403,
        Texts(
            "画面の有効期限が切れたか、別のサイトからの送信です。ページを開き直してください。",
            "The page is too old, or the form came from another site. Please open the page again.",
        ),
    )


def _http(request: Request, error: Exception) -> Response:
    return _say(request, error.status_code if isinstance(error, HTTPException) else 500)


def _access(request: Request, error: Exception) -> Response:
    if not isinstance(error, AccessError):
        return _say(request, 500)
    status = 410 if isinstance(error, LinkRefusedError) else 403
    if not isinstance(error, (ForbiddenError, StepUpRequiredError, LinkRefusedError)):
        status = 400
    return _say(request, status, Texts(error.text("ja"), error.text("en")))


def _query(request: Request, error: Exception) -> Response:
    return _say(request, 422, error.texts if isinstance(error, QueryError) else None)


def _parameters(request: Request, error: Exception) -> Response:
    """Which parameters were not as they must be; never what was in them."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    named = ", ".join(dict.fromkeys(str(fault["loc"][-1]) for fault in faults if fault.get("loc")))[:_NAMED]
    return _say(request, 422, Texts(f"入力を確かめてください: {named}", f"Please check the input: {named}"))


def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        return _say(request, 500)
    response = _say(request, error.status, error.texts)
    if error.retry_after:
        response.headers["retry-after"] = str(error.retry_after)
    return response


def _store(request: Request, error: Exception) -> Response:
    _log.error("store failed", error=type(error).__name__, code=getattr(error, "code", None))
    return _say(request, 503)


def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("unexpected", error=type(error).__name__, path=request.url.path)
    response = _say(request, 500)
    secure(request.scope, response.headers)
    return response


def install_errors(app: FastAPI) -> None:
    """Teach an application what to say."""
    handlers: dict[type[Exception], Callable[[Request, Exception], Response]] = {
        NotSignedInError: _not_signed_in,
        FormRefusedError: _form_refused,
        HTTPException: _http,
        RequestValidationError: _parameters,
        QueryError: _query,
        ProblemError: _problem,
        CursorError: _query,
        AccessError: _access,
        StoreError: _store,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
