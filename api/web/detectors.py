"""The pages about detectors: what watches what, one of them in full, and what they are worth on a known town.

Rules:
- Whoever may read alerts may see what makes them. Nothing here changes anything; values are changed by `tuning`.
- Scorecards are of simulated towns: no one in them exists.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response

from api.detector_views import DetectorViews
from api.scorecards import card_names, read_card
from api.web.journal import record_look
from api.web.security import answer, installation_of, language_of, viewer_with
from audit.access import Permission, Viewer
from audit.events import mask
from dashboards.detector_model import ScorecardView
from dashboards.model import Figure
from dashboards.pages import Pages
from dashboards.table_csv import figure_csv

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

AlertReader = Annotated[Viewer, Depends(viewer_with(Permission.ALERTS_ALERT_READ))]
_LONGEST_SEARCH = 200


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


@router.get("/detectors")
def detectors(request: Request, viewer: AlertReader, q: str = "", control: str = "") -> Response:
    """Every detector with what it found lately; narrowed to words, or to a control."""
    sought = mask(q.strip()[:_LONGEST_SEARCH])[0]
    control = mask(control[:_LONGEST_SEARCH])[0]
    record_look(request, viewer, "detectors.view", q=sought, control=control)
    view = DetectorViews(installation_of(request)).listing(sought, control)
    return answer(request, lambda ctx: _pages(request).detectors(ctx, view=view))


@router.get("/detectors/scorecards")
def scorecards(request: Request, viewer: AlertReader, card: str = "") -> Response:
    """A scorecard, the newest of a whole town when none is named."""
    view = _card(request, card)
    record_look(request, viewer, "scorecards.view", card=view.name)
    return answer(request, lambda ctx: _pages(request).scorecard(ctx, view=view))


@router.get("/detectors/scorecards/{card}/{name}")
def scorecard_csv(request: Request, viewer: AlertReader, card: str, name: str) -> Response:
    """A figure of a scorecard as a table in a file."""
    view = _card(request, card)
    figures = (*view.figures, view.table) if view.table else view.figures
    figure = next((one for one in figures if one.csv_name == name), None)
    if figure is None:
        raise HTTPException(404)
    record_look(request, viewer, "scorecards.view", card=view.name, file=name)
    return _file(request, viewer, figure)


@router.get("/detectors/{detector}")
def detector(request: Request, viewer: AlertReader, detector: str) -> Response:
    """One detector: what it looks for, what to do, its values, what it found, how it ran."""
    views = _known(request, detector)
    record_look(request, viewer, "detector.view", detector=detector)
    view = views.detail(detector)
    return answer(request, lambda ctx: _pages(request).detector(ctx, view=view))


@router.get("/detectors/{detector}/findings.csv")
def findings_csv(request: Request, viewer: AlertReader, detector: str) -> Response:
    """A detector's findings by day as a table in a file."""
    views = _known(request, detector)
    record_look(request, viewer, "detector.view", detector=detector, file="findings.csv")
    return _file(request, viewer, views.figure(detector))


def _known(request: Request, detector: str) -> DetectorViews:
    views = DetectorViews(installation_of(request))
    if detector not in views.known:
        raise HTTPException(404)
    return views


def _card(request: Request, card: str) -> ScorecardView:
    """The scorecard that was named, and only one of those there are: a name is part of a path."""
    installation = installation_of(request)
    names = card_names(installation.settings.data)
    if card and card not in names:
        raise HTTPException(404)
    chosen = card or (names[0] if names else "")
    return read_card(installation.settings.data, chosen, installation.imported.detectors())


def _file(request: Request, viewer: Viewer, figure: Figure) -> Response:
    return Response(
        figure_csv(figure, language_of(request, viewer)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{figure.csv_name}"'},
    )
