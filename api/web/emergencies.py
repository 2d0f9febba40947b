"""The pages of emergencies: declare one, end one's own, review those of others.

Rules:
- Declaring and ending are everybody's; whether an emergency may be is decided by `EmergencyService`, which has alerted
  before it answers.
- The sealed code is never shown again, recorded or repeated in a form that comes back.
- An emergency of somebody else is there for its reviewers alone: 404.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from api.emergency_views import EmergencyViews
from api.ledger_views import actor_of
from api.web.journal import record_look
from api.web.ledger import at_page, is_done
from api.web.security import WholeForm, answer, installation_of, language_of, viewer_with
from audit.access import Permission, Viewer
from audit.access.decisions import EmergencyRefusedError
from audit.access.decisions.emergencies.model import Verdict
from dashboards.ledger_model import DeclareForm, EmergenciesView, ReviewsView
from dashboards.pages import Pages

__all__ = ["Declarer", "EmergencyReader", "Reviewer", "end_own", "enter_review", "router"]

router = APIRouter(include_in_schema=False)

Declarer = Annotated[Viewer, Depends(viewer_with(Permission.EMERGENCIES_EMERGENCY_DECLARE))]
EmergencyReader = Annotated[Viewer, Depends(viewer_with(Permission.EMERGENCIES_EMERGENCY_READ))]
Reviewer = Annotated[Viewer, Depends(viewer_with(Permission.EMERGENCIES_EMERGENCY_REVIEW))]
Text = Annotated[str, Form()]


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def end_own(request: Request, viewer: Viewer, number: str) -> None:
    """End an emergency of one's own, and with it the session that an envelope opened for it.

    Raises:
        HTTPException: there is none that is open.
    """
    try:
        installation_of(request).decisions.emergencies.end(number, by=actor_of(viewer))
    except EmergencyRefusedError as error:
        raise HTTPException(404) from error
    if viewer.emergency == number:
        installation_of(request).access.sign_out(viewer)


def enter_review(request: Request, viewer: Viewer, number: str, verdict: Verdict, note: str) -> None:
    """Review an emergency.

    Raises:
        HTTPException: there is none of that number.
        EmergencyRefusedError: why it cannot be reviewed.
    """
    try:
        installation_of(request).decisions.emergencies.review(number, verdict, note, by=actor_of(viewer))
    except EmergencyRefusedError as error:
        if error.reason == "unknown":
            raise HTTPException(404) from error
        raise


@router.get("/emergencies")
def emergencies(request: Request, viewer: Declarer) -> Response:
    """The declaration, and one's own emergencies."""
    record_look(request, viewer, "emergencies.view")
    return _own(request, viewer, DeclareForm(minutes="30"))


def _own(request: Request, viewer: Viewer, form: DeclareForm) -> Response:
    views = EmergencyViews(installation_of(request), viewer)
    systems, most = views.allowed()
    view = EmergenciesView(rows=views.own(), form=replace(form, systems=systems, most=most), trouble=views.trouble)
    return answer(
        request,
        lambda ctx: _pages(request).emergencies(at_page(ctx, "/emergencies"), view=view, done=is_done(request)),
        status=422 if form.error else 200,
    )


@router.post("/emergencies", dependencies=[WholeForm])
def declare(
    request: Request, viewer: Declarer, system: Text = "", reason: Text = "", minutes: Text = "", sealed: Text = ""
) -> Response:
    """Declare an emergency."""
    form = DeclareForm(system=system, reason=reason, minutes=minutes)
    whole = int(minutes) if minutes.isdecimal() and len(minutes) <= 4 else 0  # which is no number of minutes
    try:
        installation_of(request).decisions.emergencies.declare(
            system, reason, whole, by=actor_of(viewer), sealed_code=sealed.strip()
        )
    except EmergencyRefusedError as error:
        return _own(request, viewer, replace(form, error=error.text(language_of(request, viewer))))
    return RedirectResponse("/emergencies?done=1", status_code=303)


@router.post("/emergencies/{number}/end", dependencies=[WholeForm])
def end(request: Request, viewer: Declarer, number: str) -> Response:
    """End one's own emergency."""
    end_own(request, viewer, number)
    return RedirectResponse("/emergencies?done=1", status_code=303)


@router.get("/emergencies/reviews")
def reviews(request: Request, viewer: EmergencyReader) -> Response:
    """What is to be reviewed, and what was."""
    record_look(request, viewer, "emergencies.reviews_view")
    return _reviews(request, viewer)


def _reviews(request: Request, viewer: Viewer, error: str | None = None) -> Response:
    views = EmergencyViews(installation_of(request), viewer)
    view = ReviewsView(
        rows=views.unreviewed(),
        reviewed=views.reviewed(),
        may_review=Permission.EMERGENCIES_EMERGENCY_REVIEW in viewer.permissions,
        trouble=views.trouble,
        error=error,
    )
    return answer(
        request,
        lambda ctx: _pages(request).emergency_reviews(
            at_page(ctx, "/emergencies/reviews"), view=view, done=is_done(request)
        ),
        status=409 if error else 200,
    )


@router.post("/emergencies/{number}/review", dependencies=[WholeForm])
def review(request: Request, viewer: Reviewer, number: str, verdict: Text = "", note: Text = "") -> Response:
    """Enter what was found about an emergency."""
    if verdict not in set(Verdict):
        raise HTTPException(422)
    try:
        enter_review(request, viewer, number, Verdict(verdict), note)
    except EmergencyRefusedError as error:
        return _reviews(request, viewer, error.text(language_of(request, viewer)))
    return RedirectResponse("/emergencies/reviews?done=1", status_code=303)
