"""The pages of media: where each is, and taking a step with one.

A step of a medium is a decision; what becomes of an allowed one is confirmed here, for no other system does it.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.ledger_views import LedgerViews, actor_of
from api.web.authzen import acr_values
from api.web.journal import record_look
from api.web.ledger import at_page, is_done, known_system, read_number
from api.web.queries import QueryError
from api.web.security import WholeForm, answer, installation_of, language_of, viewer_with
from audit.access import AccessError, Permission, Viewer
from audit.access.decisions import Answer, Effect, MediumRefusedError, Question
from audit.events import mask
from dashboards.ledger_model import MediaView
from dashboards.pages import Pages

__all__ = ["Handler", "Registrar", "router", "take_step"]

router = APIRouter(include_in_schema=False)

Handler = Annotated[Viewer, Depends(viewer_with(Permission.MEDIA_MEDIUM_HANDLE))]
Registrar = Annotated[Viewer, Depends(viewer_with(Permission.MEDIA_MEDIUM_REGISTER))]
Text = Annotated[str, Form()]
_LONGEST = 200


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


@router.get("/approvals/media")
def media(request: Request, viewer: Handler) -> Response:
    """The media ledger."""
    record_look(request, viewer, "approvals.media_view")
    return _media(request, viewer)


def _media(request: Request, viewer: Viewer, view: MediaView | None = None) -> Response:
    views, found = LedgerViews(installation_of(request), viewer), installation_of(request).decisions.media.media()
    typed = view or MediaView(rows=(), systems=(), may_register=False)
    shown = replace(
        typed,
        rows=tuple(map(views.medium, found)),
        systems=views.systems(),
        may_register=Permission.MEDIA_MEDIUM_REGISTER in viewer.permissions,
    )
    return answer(
        request,
        lambda ctx: _pages(request).media(at_page(ctx, "/approvals/media"), view=shown, done=is_done(request)),
        status=422 if typed.error else 200,
    )


@router.post("/approvals/media", dependencies=[WholeForm])
def register(request: Request, viewer: Registrar, medium_id: Text = "", kind: Text = "") -> Response:
    """Register a medium."""
    try:
        installation_of(request).decisions.media.register(medium_id.strip(), kind.strip(), by=actor_of(viewer))
    except MediumRefusedError as error:
        words = error.text(language_of(request, viewer))
        return _media(request, viewer, MediaView(rows=(), systems=(), may_register=True, error=words))
    return RedirectResponse("/approvals/media?done=1", status_code=303)


@router.post("/approvals/media/steps", dependencies=[WholeForm])
def step(
    request: Request,
    viewer: Handler,
    medium_id: Text = "",
    step: Text = "",
    system: Text = "",
    rows: Text = "",
    purpose: Text = "",
) -> Response:
    """Take a medium out, write to it, bring it back, erase it, dispose of it."""
    language = language_of(request, viewer)
    typed = MediaView(
        rows=(), systems=(), may_register=False, medium_id=medium_id, step=step, system=system, rows_written=rows,
        purpose=purpose,
    )  # fmt: skip
    try:
        known_system(request, system)
        asked = Question(
            person=viewer.login_id, system=system, activity=step, medium_id=medium_id, rows=read_number(rows),
            purpose=mask(purpose)[0][:_LONGEST],
        )  # fmt: skip
        decided = take_step(request, viewer, asked)
    except QueryError as error:
        return _media(request, viewer, replace(typed, error=error.texts.in_(language)))
    except AccessError as error:
        return _media(request, viewer, replace(typed, error=error.text(language)))
    if decided.effect is Effect.ALLOW:
        return RedirectResponse("/approvals/media?done=1", status_code=303)
    stronger = acr_values(decided.acr).split()[0] if decided.acr else ""
    return _media(request, viewer, replace(typed, error=decided.texts.in_(language), step_up=stronger))


def take_step(request: Request, viewer: Viewer, asked: Question) -> Answer:
    """Take a step of a medium; what was allowed is confirmed as done.

    Raises:
        MediumRefusedError: the medium is not where the step needs it.
        StoreError: it cannot be recorded; the medium stays where it was.
    """
    decisions = installation_of(request).decisions
    here = replace(asked, address=viewer.address, session=viewer.session_id, terminal_id=viewer.terminal_id)
    decided = decisions.media.step(here, by=actor_of(viewer))
    if decided.effect is Effect.ALLOW:
        decisions.service.confirm(decided.id, system=here.system, outcome="success", rows=here.rows)
    return decided
