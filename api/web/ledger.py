"""The pages of approvals: one's own requests, the request form, the approver's inbox, the ledger.

Rules:
- Everybody who is signed in has these pages; who may ask and who may answer is decided by `LedgerService`. A request
  that does not concern somebody is not there for them: 404.
- An approval needs a fresh second factor (`STEP_UP_PERMISSIONS`); a refusal, a withdrawal and an end wait for none.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from api.ledger_views import LedgerViews, actor_of
from api.web.journal import record_look
from api.web.queries import QueryError, read_moment
from api.web.security import WholeForm, answer, installation_of, language_of, viewer_with
from audit.access import Permission, StepUpRequiredError, Viewer
from audit.access.decisions import Actor, LedgerRefusedError
from audit.access.decisions.ledger.model import ApprovalKind, Entry, Wanted
from audit.access.decisions.ledger.service import LedgerService
from audit.clock import TOKYO
from audit.texts import Texts
from dashboards.ledger_model import AskForm, RequestsView
from dashboards.model import PageContext
from dashboards.pages import Pages

__all__ = [
    "Approver",
    "Asker",
    "LedgerReader",
    "at_page",
    "is_done",
    "known_system",
    "read_number",
    "router",
    "settled",
]

router = APIRouter(include_in_schema=False)

Asker = Annotated[Viewer, Depends(viewer_with(Permission.APPROVALS_REQUEST_CREATE))]
Approver = Annotated[Viewer, Depends(viewer_with(Permission.APPROVALS_REQUEST_APPROVE))]
LedgerReader = Annotated[Viewer, Depends(viewer_with(Permission.APPROVALS_LEDGER_READ))]
Text = Annotated[str, Form()]
Act = Callable[[LedgerService, Actor], Entry]
_SHOWN = 200
_MOST = 10**9
_KINDS = ("export", "print", "media", "transfer", "maintenance", "time_window", "second_person")
_NO_SYSTEM = Texts("システムを選んでください。", "Choose a system.")
_NO_KIND = Texts("何の承認かを選んでください。", "Choose what the approval is for.")
_NO_NUMBER = Texts("件数・回数は数字で入力してください。", "Write numbers of records and times as digits.")


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def _views(request: Request, viewer: Viewer) -> LedgerViews:
    return LedgerViews(installation_of(request), viewer)


def settled(request: Request, viewer: Viewer, number: str, act: Act) -> Entry:
    """Do something with a request.

    Raises:
        HTTPException: there is no such request for this person.
        LedgerRefusedError: why it cannot be done.
    """
    try:
        return act(installation_of(request).decisions.ledger, actor_of(viewer))
    except LedgerRefusedError as error:
        if not _views(request, viewer).concerns(number):
            raise HTTPException(404) from error
        raise


def known_system(request: Request, system: str, *, blank: bool = False) -> None:
    """Refuse a system that the catalogue does not have.

    Raises:
        QueryError: it has none of that name.
    """
    if not (blank and not system) and system not in installation_of(request).catalogue:
        raise QueryError(_NO_SYSTEM)


def read_number(text: str) -> int | None:
    """A number of records or times; None where nothing was typed.

    Raises:
        QueryError: it is no number.
    """
    if not text.strip():
        return None
    if not text.strip().isdecimal() or not int(text[:20]) <= _MOST:
        raise QueryError(_NO_NUMBER)
    return int(text)


def _done(place: str) -> Response:
    return RedirectResponse(f"{place}?done=1", status_code=303)


def at_page(ctx: PageContext, path: str) -> PageContext:
    """The page's own address, also after a form that was refused."""
    return ctx if ctx.path.startswith(path) else replace(ctx, path=path)


def is_done(request: Request) -> bool:
    """Whether the page follows an act that was done."""
    return request.query_params.get("done") == "1"


# One's own


@router.get("/approvals")
def my_approvals(request: Request, viewer: Asker) -> Response:
    """What one has asked for."""
    record_look(request, viewer, "approvals.view")
    return _mine(request, viewer)


def _mine(request: Request, viewer: Viewer, error: str | None = None) -> Response:
    views, installation = _views(request, viewer), installation_of(request)
    view = RequestsView(
        rows=views.rows(views.mine(_SHOWN)),
        waiting=len(installation.decisions.ledger.inbox(viewer.login_id)),
        in_office=bool(views.person(viewer.login_id).unit),
        trouble=views.trouble,
        error=error,
    )
    return answer(
        request,
        lambda ctx: _pages(request).my_approvals(at_page(ctx, "/approvals"), view=view, done=is_done(request)),
        status=409 if error else 200,
    )


@router.get("/approvals/ask")
def ask_page(request: Request, viewer: Asker) -> Response:
    """The request form."""
    record_look(request, viewer, "approvals.ask_view")
    now = installation_of(request).clock.now().astimezone(TOKYO)
    typed = (now.strftime("%Y-%m-%dT%H:%M"), (now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"))
    return _form(request, viewer, AskForm(person=viewer.login_id, from_=typed[0], to=typed[1]))


def _form(request: Request, viewer: Viewer, form: AskForm) -> Response:
    shown = replace(form, kinds=_KINDS, systems=_views(request, viewer).systems())
    return answer(
        request,
        lambda ctx: _pages(request).ask_for_approval(at_page(ctx, "/approvals/ask"), form=shown),
        status=422 if form.error else 200,
    )


@router.post("/approvals/requests", dependencies=[WholeForm])
def ask(
    request: Request,
    viewer: Asker,
    kind: Text = "",
    person: Text = "",
    system: Text = "",
    from_: Annotated[str, Form(alias="from")] = "",
    to: Text = "",
    reason: Text = "",
    max_rows: Text = "",
    max_uses: Text = "",
    medium_id: Text = "",
    subjects: Text = "",
) -> Response:
    """Ask for an approval."""
    form = AskForm(
        kind=kind, person=person.strip(), system=system, from_=from_, to=to, reason=reason, max_rows=max_rows,
        max_uses=max_uses, medium_id=medium_id.strip(), subjects=subjects,
    )  # fmt: skip
    language = language_of(request, viewer)
    try:
        wanted = _wanted(request, form)
        installation_of(request).decisions.ledger.ask(wanted, by=actor_of(viewer))
    except QueryError as error:
        return _form(request, viewer, replace(form, error=error.texts.in_(language)))
    except LedgerRefusedError as error:
        return _form(request, viewer, replace(form, error=error.text(language)))
    return _done("/approvals")


def _wanted(request: Request, form: AskForm) -> Wanted:
    """What the form asks for.

    Raises:
        QueryError: a field that cannot be read.
    """
    if form.kind not in _KINDS:
        raise QueryError(_NO_KIND)
    known_system(request, form.system, blank=form.kind == ApprovalKind.TIME_WINDOW)
    now = installation_of(request).clock.now()
    return Wanted(
        kind=ApprovalKind(form.kind),
        person=form.person,
        system=form.system,
        start=read_moment(form.from_, "from") or now,
        end=read_moment(form.to, "to") or now,
        reason=form.reason,
        max_rows=read_number(form.max_rows),
        max_uses=read_number(form.max_uses),
        medium_id=form.medium_id,
        subjects=tuple(form.subjects.split()),
    )


@router.post("/approvals/requests/{number}/withdrawal", dependencies=[WholeForm])
def withdraw(request: Request, viewer: Asker, number: str) -> Response:
    """Take a request back."""
    return _own_act(request, viewer, number, lambda ledger, by: ledger.withdraw(number, by=by))


@router.post("/approvals/requests/{number}/end", dependencies=[WholeForm])
def end(request: Request, viewer: Asker, number: str) -> Response:
    """End an approval before its time."""
    return _own_act(request, viewer, number, lambda ledger, by: ledger.close(number, by=by))


def _own_act(request: Request, viewer: Viewer, number: str, act: Act) -> Response:
    try:
        settled(request, viewer, number, act)
    except LedgerRefusedError as error:
        return _mine(request, viewer, error.text(language_of(request, viewer)))
    return _done("/approvals")


# The approver


@router.get("/approvals/inbox")
def inbox(request: Request, viewer: Asker) -> Response:
    """What waits for one's decision."""
    record_look(request, viewer, "approvals.inbox_view")
    return _inbox(request, viewer)


def _inbox(request: Request, viewer: Viewer, error: str | None = None) -> Response:
    due = installation_of(request).decisions.ledger.inbox(viewer.login_id)
    rows = _views(request, viewer).rows(due[:_SHOWN])
    view = RequestsView(rows=rows, unlocked=_unlocked(request, viewer), error=error)
    return answer(
        request,
        lambda ctx: _pages(request).approvals_inbox(at_page(ctx, "/approvals/inbox"), view=view, done=is_done(request)),
        status=409 if error else 200,
    )


def _unlocked(request: Request, viewer: Viewer) -> bool:
    try:
        installation_of(request).access.require(viewer, Permission.APPROVALS_REQUEST_APPROVE)
    except StepUpRequiredError:
        return False
    return True


@router.post("/approvals/requests/{number}/approval", dependencies=[WholeForm])
def approve(request: Request, viewer: Approver, number: str) -> Response:
    """Give what was asked for."""
    return _answer(request, viewer, number, lambda ledger, by: ledger.approve(number, by=by))


@router.post("/approvals/requests/{number}/refusal", dependencies=[WholeForm])
def refuse(request: Request, viewer: Asker, number: str, reason: Text = "") -> Response:
    """Refuse it, with a reason."""
    return _answer(request, viewer, number, lambda ledger, by: ledger.refuse(number, by=by, reason=reason))


def _answer(request: Request, viewer: Viewer, number: str, act: Act) -> Response:
    try:
        settled(request, viewer, number, act)
    except LedgerRefusedError as error:
        return _inbox(request, viewer, error.text(language_of(request, viewer)))
    return _done("/approvals/inbox")


@router.get("/approvals/ledger")
def ledger(request: Request, viewer: LedgerReader) -> Response:
    """Every request, the newest first."""
    record_look(request, viewer, "approvals.ledger_view")
    views = _views(request, viewer)
    view = RequestsView(rows=views.rows(views.all()[:_SHOWN]), trouble=views.trouble)
    return answer(request, lambda ctx: _pages(request).approvals_ledger(ctx, view=view))
