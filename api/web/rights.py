"""The pages of rights: one's own, the application, the approver's inbox, deputies. The ledger is in `rights_ledger`.

Rules:
- Everybody who is signed in has these pages; whom a right or an application concerns is decided by `RightsService`.
  What does not concern somebody is not there for them: 404.
- An approval and a deputy need a fresh second factor (`STEP_UP_PERMISSIONS`); taking away never waits for one.
- Days on a page are whole days in Asia/Tokyo, the last one included.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from api.rights import doer_of
from api.rights_views import RightsViews
from api.web.journal import record_look
from api.web.queries import QueryError, read_day
from api.web.security import WholeForm, answer, installation_of, language_of, viewer_with
from audit.access import Permission, StepUpRequiredError, Viewer
from audit.access.rights import (
    Doer,
    Kind,
    LedgerEntry,
    RightsError,
    RightsService,
    RightUnknownError,
    Wish,
)
from audit.clock import day_start, tokyo_date
from audit.context import post_held
from dashboards.model import PageContext
from dashboards.pages import Pages
from dashboards.rights_model import ApplyForm, DeputiesView, InboxView, MyRightsView

__all__ = ["Applicant", "Approver", "act", "at_path", "mine", "router", "unit_of"]

router = APIRouter(include_in_schema=False)

Applicant = Annotated[Viewer, Depends(viewer_with(Permission.RIGHTS_APPLICATION_CREATE))]
Approver = Annotated[Viewer, Depends(viewer_with(Permission.RIGHTS_APPLICATION_APPROVE))]
Text = Annotated[str, Form()]
Item = TypeVar("Item")
_SHOWN = 50
_BETWEEN = re.compile(r"[\s,、，;]+")
"""Between the staff ids of several persons."""


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def unit_of(request: Request, person: str, start: datetime) -> str:
    """The unit that somebody works in when a right begins; empty when none is known."""
    installation = installation_of(request)
    post = post_held(installation.context.person(person), max(start, installation.clock.now()))
    return post.org_unit if post else ""


def _unlocked(request: Request, viewer: Viewer) -> bool:
    try:
        installation_of(request).access.require(viewer, Permission.RIGHTS_APPLICATION_APPROVE)
    except StepUpRequiredError:
        return False
    return True


def act(request: Request, viewer: Viewer, do: Callable[[RightsService, Doer], object]) -> str | None:
    """Do it; what was refused comes back in words.

    Raises:
        HTTPException: there is no such thing for this person.
    """
    try:
        do(installation_of(request).rights, doer_of(viewer))
    except RightUnknownError as error:
        raise HTTPException(404) from error
    except RightsError as error:
        return error.text(language_of(request, viewer))
    return None


# One's own


@router.get("/rights")
def my_rights(request: Request, viewer: Applicant) -> Response:
    """What one holds and has asked for."""
    record_look(request, viewer, "rights.view")
    return mine(request, viewer)


def mine(request: Request, viewer: Viewer, error: str | None = None) -> Response:
    """The page of one's own rights, also after an act that was refused."""
    installation, by = installation_of(request), doer_of(viewer)
    views, rights = RightsViews(installation, by), installation.rights
    view = MyRightsView(
        rights=views.rights(rights.held_by(by.id)),
        applications=tuple(map(views.application, rights.applications_of(by)[:_SHOWN])),
        waiting=len(rights.inbox(by)),
        in_office=bool(views.person(by.id).unit),
        error=error,
    )
    done = request.query_params.get("done") == "1"
    return answer(
        request,
        lambda ctx: _pages(request).my_rights(at_path(ctx, "/rights"), view=view, done=done),
        status=422 if error else 200,
    )


def at_path(ctx: PageContext, path: str) -> PageContext:
    """The page's own address, also after a form that was refused."""
    return ctx if ctx.path.startswith(path) else replace(ctx, path=path)


@router.get("/rights/apply")
def apply_page(request: Request, viewer: Applicant, right: str = "") -> Response:
    """The application form, empty or about a right that is held."""
    record_look(request, viewer, "rights.apply_view")
    today = tokyo_date(installation_of(request).clock.now()).isoformat()
    form = ApplyForm(systems=(), functions=(), person=viewer.login_id, from_=today)
    if right:
        held = _known(request, viewer, right).right
        form = replace(
            form, right=right, kind=Kind.CHANGE, person=held.person, system=held.system,
            affair=held.affair, chosen=(held.function,),
        )  # fmt: skip
    return _form(request, viewer, form)


def _known(request: Request, viewer: Viewer, right: str) -> LedgerEntry:
    """A right of the viewer's own."""
    for entry in installation_of(request).rights.held_by(viewer.login_id):
        if entry.right.id == right:
            return entry
    raise HTTPException(404)


def _form(request: Request, viewer: Viewer, form: ApplyForm) -> Response:
    views = RightsViews(installation_of(request), doer_of(viewer))
    shown = replace(form, systems=views.systems(), functions=views.functions(*form.chosen))
    return answer(
        request,
        lambda ctx: _pages(request).apply_for_rights(at_path(ctx, "/rights/apply"), form=shown),
        status=422 if form.error else 200,
    )


@router.post("/rights/applications", dependencies=[WholeForm])
def apply(
    request: Request,
    viewer: Applicant,
    person: Text = "",
    system: Text = "",
    functions: Annotated[list[str] | None, Form()] = None,
    affair: Text = "",
    from_: Annotated[str, Form(alias="from")] = "",
    to: Text = "",
    reason: Text = "",
    decision_ref: Text = "",
    kind: Text = Kind.CHANGE,
    right: Text = "",
) -> Response:
    """Ask for a right, for other terms, or for an end."""
    language = language_of(request, viewer)
    chosen = tuple(functions or ())
    form = ApplyForm(
        systems=(), functions=(), person=person, system=system, affair=affair, chosen=chosen, from_=from_, to=to,
        reason=reason, decision_ref=decision_ref, kind=kind, right=right,
    )  # fmt: skip
    try:
        first, last = read_day(from_, "from"), read_day(to, "to")
    except QueryError as error:
        return _form(request, viewer, replace(form, error=error.texts.in_(language)))
    start = day_start(first) if first else installation_of(request).clock.now()
    persons = tuple(filter(None, _BETWEEN.split(person)))
    person, asked = person.strip(), Kind(kind) if right and kind in {Kind.CHANGE, Kind.REVOKE} else Kind.GRANT
    held = _known(request, viewer, right).right if right else None
    wish = Wish(
        kind=asked,
        person=person,
        system=system,
        affair=affair.strip(),
        functions=chosen,
        unit=held.unit if held and asked is Kind.REVOKE else unit_of(request, person, start) or "-",
        start=start,
        end=day_start(last + timedelta(days=1)) if last else None,
        reason=reason,
        decision_ref=decision_ref.strip(),
        replaces=(right,) if right else (),
    )

    def ask(rights: RightsService, by: Doer) -> object:
        if len(persons) < 2 or right:
            return rights.apply(wish, by)
        units = {one: unit_of(request, one, start) or "-" for one in persons}
        return rights.apply_together([replace(wish, person=one, unit=units[one]) for one in persons], by)

    if refused := act(request, viewer, ask):
        return _form(request, viewer, replace(form, error=refused))
    return RedirectResponse("/rights?done=1", status_code=303)


@router.post("/rights/applications/{number}/withdrawal", dependencies=[WholeForm])
def withdraw(request: Request, viewer: Applicant, number: str) -> Response:
    """Take an application back."""
    if error := act(request, viewer, lambda rights, by: rights.withdraw(number, by)):
        return mine(request, viewer, error)
    return RedirectResponse("/rights?done=1", status_code=303)


# The approver


@router.get("/rights/inbox")
def inbox(request: Request, viewer: Applicant) -> Response:
    """What waits for one's decision."""
    record_look(request, viewer, "rights.inbox_view")
    return _inbox(request, viewer)


def _inbox(request: Request, viewer: Viewer, error: str | None = None) -> Response:
    installation, by = installation_of(request), doer_of(viewer)
    views = RightsViews(installation, by)
    view = InboxView(
        rows=tuple(map(views.due, installation.rights.inbox(by)[:_SHOWN])),
        unlocked=_unlocked(request, viewer),
        error=error,
    )
    done = request.query_params.get("done") == "1"
    return answer(
        request,
        lambda ctx: _pages(request).rights_inbox(at_path(ctx, "/rights/inbox"), view=view, done=done),
        status=409 if error else 200,
    )


@router.post("/rights/applications/{number}/approval", dependencies=[WholeForm])
def approve(request: Request, viewer: Approver, number: str) -> Response:
    """Give the step that is due."""
    if error := act(request, viewer, lambda rights, by: rights.approve(number, by)):
        return _inbox(request, viewer, error)
    return RedirectResponse("/rights/inbox?done=1", status_code=303)


def _approve_one(request: Request, viewer: Viewer, number: str) -> str | None:
    """Give one of several; where there is no such thing that is said too, for others may be given already."""
    try:
        installation_of(request).rights.approve(number, doer_of(viewer))
    except RightsError as error:
        return error.text(language_of(request, viewer))
    return None


@router.post("/rights/approvals", dependencies=[WholeForm])
def approve_ticked(request: Request, viewer: Approver, items: Annotated[list[str] | None, Form()] = None) -> Response:
    """Give the step that is due in each application that was ticked; what is refused is said, the rest is given."""
    ticked = tuple(dict.fromkeys(items or ()))[:_SHOWN]
    told = {number: _approve_one(request, viewer, number) for number in ticked}
    refused = {number: error for number, error in told.items() if error}
    if refused:
        return _inbox(request, viewer, " / ".join(f"{number}: {error}" for number, error in refused.items()))
    return RedirectResponse("/rights/inbox?done=1" if ticked else "/rights/inbox", status_code=303)


@router.post("/rights/applications/{number}/refusal", dependencies=[WholeForm])
def refuse(request: Request, viewer: Applicant, number: str, reason: Text = "") -> Response:
    """Refuse an application, with a reason."""
    if error := act(request, viewer, lambda rights, by: rights.refuse(number, reason, by)):
        return _inbox(request, viewer, error)
    return RedirectResponse("/rights/inbox?done=1", status_code=303)


# Deputies


@router.get("/rights/deputies")
def deputies(request: Request, viewer: Applicant) -> Response:
    """One's deputies, and whose deputy one is."""
    record_look(request, viewer, "rights.deputies_view")
    return _deputies(request, viewer)


def _deputies(
    request: Request, viewer: Viewer, error: str | None = None, typed: tuple[str, str, str] = ("", "", "")
) -> Response:
    installation, by = installation_of(request), doer_of(viewer)
    views = RightsViews(installation, by)
    deputy, first, last = typed
    view = DeputiesView(
        rows=tuple(map(views.delegation, installation.rights.delegations_of(by))),
        unlocked=_unlocked(request, viewer),
        deputy=deputy,
        from_=first or tokyo_date(installation.clock.now()).isoformat(),
        to=last,
        error=error,
    )
    done = request.query_params.get("done") == "1"
    return answer(
        request,
        lambda ctx: _pages(request).rights_deputies(at_path(ctx, "/rights/deputies"), view=view, done=done),
        status=422 if error else 200,
    )


@router.post("/rights/deputies", dependencies=[WholeForm])
def delegate(
    request: Request,
    viewer: Approver,
    deputy: Text = "",
    from_: Annotated[str, Form(alias="from")] = "",
    to: Text = "",
) -> Response:
    """Name a deputy."""
    typed = (deputy, from_, to)
    try:
        first, last = read_day(from_, "from"), read_day(to, "to")
    except QueryError as error:
        return _deputies(request, viewer, error.texts.in_(language_of(request, viewer)), typed)
    now = installation_of(request).clock.now()
    start = day_start(first) if first else now
    end = day_start(last + timedelta(days=1)) if last else now
    if refused := act(request, viewer, lambda rights, by: rights.delegate(deputy.strip(), start, end, by)):
        return _deputies(request, viewer, refused, typed)
    return RedirectResponse("/rights/deputies?done=1", status_code=303)


@router.post("/rights/deputies/{number}/end", dependencies=[WholeForm])
def end_delegation(request: Request, viewer: Applicant, number: str) -> Response:
    """End a delegation of one's own."""
    act(request, viewer, lambda rights, by: rights.end_delegation(number, by))
    return RedirectResponse("/rights/deputies?done=1", status_code=303)
