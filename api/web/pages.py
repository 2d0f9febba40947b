"""The pages: alerts, one alert, the search, one event, the board."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response

from api import views
from api.board import board_figures, board_span
from api.installation import Installation
from api.own_findings import OWN_DETECTORS
from api.web.journal import record_look
from api.web.queries import QueryError, Typed, as_filter, day_bounds, read_day
from api.web.security import answer, installation_of, language_of, viewer_with
from audit.access import Permission, Viewer
from audit.context import WorkContext
from audit.events import AuditEvent, mask
from audit.findings import Finding, FindingFilter, FindingStatus
from audit.log import OWN_SOURCE, CursorError, Filter
from audit.texts import Texts
from dashboards.links import alerts_url, events_url
from dashboards.model import (
    AlertFilters,
    AlertSummary,
    Choice,
    DetectorState,
    EventFilters,
)
from dashboards.pages import Pages
from dashboards.table_csv import figure_csv
from detectors.registry import DETECTORS
from ingest.gaps import DETECTORS as GAP_DETECTORS

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_ALERTS_A_PAGE = 50
_EVENTS_A_PAGE = 100
_EVIDENCE_SHOWN = 50

AlertReader = Annotated[Viewer, Depends(viewer_with(Permission.ALERTS_ALERT_READ))]
EventSearcher = Annotated[Viewer, Depends(viewer_with(Permission.EVENTS_EVENT_SEARCH))]
BoardReader = Annotated[Viewer, Depends(viewer_with(Permission.BOARDS_BOARD_READ))]
From = Annotated[str, Query(alias="from")]


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def _context(installation: Installation, findings: Iterable[Finding]) -> WorkContext:
    spans = [(finding.start, finding.end) for finding in findings]
    if not spans:
        return WorkContext()
    return installation.context.over(min(start for start, _ in spans), max(end for _, end in spans))


@router.get("/alerts")
def alerts(
    request: Request,
    viewer: AlertReader,
    status: str = "",
    severity: str = "",
    detector: str = "",
    from_: From = "",
    to: str = "",
    about: str = "",
    page: int = 1,
) -> Response:
    """What needs a look. What has not arrived is listed apart, so that it cannot bury what people did."""
    installation = installation_of(request)
    start, end = day_bounds(read_day(from_, "from"), read_day(to, "to"))
    wanted = FindingFilter(
        start=start,
        end=end,
        status=status,
        severity=severity,
        detector=detector,
        among=GAP_DETECTORS if about == "gaps" else (),
        without=() if about or detector else GAP_DETECTORS,
    )
    page = max(1, min(page, 10_000))
    record_look(
        request,
        viewer,
        "alerts.search",
        status=status,
        severity=severity,
        detector=detector,
        from_=from_,
        to=to,
        about=about,
    )
    found = installation.findings.listing(wanted, limit=_ALERTS_A_PAGE + 1, offset=(page - 1) * _ALERTS_A_PAGE)
    shown = found[:_ALERTS_A_PAGE]
    context = _context(installation, shown)
    imported = installation.imported.detectors()
    following = alerts_url(
        status=status, severity=severity, detector=detector, from_=from_, to=to, about=about, page=str(page + 1)
    )
    return answer(
        request,
        lambda ctx: _pages(request).alerts(
            ctx,
            rows=[views.alert_row(finding, installation.catalogue, context, imported) for finding in shown],
            filters=AlertFilters(
                status,
                severity,
                detector,
                from_,
                to,
                about,
                tuple(
                    Choice(name, views.detector_title(name, imported))
                    for name in (*DETECTORS, *imported, *GAP_DETECTORS, *OWN_DETECTORS)
                ),
            ),
            summary=_summary(installation),
            next_page=following if len(found) > len(shown) else None,
        ),
    )


def _summary(installation: Installation) -> AlertSummary:
    waiting: dict[str, int] = {}
    count_by_day = installation.findings.count_by_day
    for _, severity, count in count_by_day(FindingFilter(status=FindingStatus.OPEN, without=GAP_DETECTORS)):
        waiting[severity] = waiting.get(severity, 0) + count
    late = installation.clock.now() - timedelta(minutes=3 * installation.settings.detect_minutes)
    states = []
    for name, detector in {**DETECTORS, **installation.imported.detectors()}.items():
        last = installation.findings.last_look(name)
        state = "never" if last is None else "late" if last < late else "ok"
        states.append(DetectorState(detector.meta.title, state, last))
    missing = count_by_day(FindingFilter(status=FindingStatus.OPEN, among=GAP_DETECTORS))
    excepted = count_by_day(FindingFilter(status=FindingStatus.EXCEPTED))
    return AlertSummary(
        sum(waiting.values()),
        waiting,
        tuple(states),
        sum(count for _, _, count in missing),
        sum(count for _, _, count in excepted),
    )


@router.get("/alerts/{number}")
def alert(request: Request, viewer: AlertReader, number: str) -> Response:
    """One alert as a story."""
    installation = installation_of(request)
    finding = installation.findings.get(number)
    if finding is None:
        raise HTTPException(404)
    record_look(request, viewer, "alerts.view", alert=number)
    context = _context(installation, [finding])
    evidence = _evidence(installation, finding)
    return answer(
        request,
        lambda ctx: _pages(request).alert(
            ctx,
            alert=views.alert_view(
                finding, evidence, installation.catalogue, context, installation.imported.detectors()
            ),
        ),
    )


def _evidence(installation: Installation, finding: Finding) -> list[AuditEvent]:
    """The first events behind a finding, in the order of time."""
    by_source: dict[str, list[str]] = {}
    for ref in finding.evidence[:_EVIDENCE_SHOWN]:
        source, _, event_id = ref.partition(":")
        by_source.setdefault(source, []).append(event_id)
    events: list[AuditEvent] = []
    for source, ids in by_source.items():
        events += installation.log.search(
            Filter(sources=(source,), event_ids=tuple(ids)), limit=_EVIDENCE_SHOWN, newest_first=False
        ).events
    return sorted(events, key=lambda event: (event.time, event.log_index))


@router.get("/events")
def events(
    request: Request,
    viewer: EventSearcher,
    from_: From = "",
    to: str = "",
    source: str = "",
    actor: str = "",
    subject: str = "",
    activity: str = "",
    outcome: str = "",
    weekday: str = "",
    hour: str = "",
    cursor: str = "",
) -> Response:
    """The search of the log, newest first."""
    installation = installation_of(request)
    typed = Typed(from_, to, source, actor.strip(), subject.strip(), activity, outcome, weekday, hour)
    names = {name: mask(getattr(typed, name))[0] for name in typed.__dataclass_fields__}
    filters = EventFilters(**names, sources=_source_choices(installation))
    try:
        wanted = as_filter(typed)
        record_look(request, viewer, "events.search", **names)
        found = installation.log.search(wanted, limit=_EVENTS_A_PAGE, cursor=cursor)
    except (QueryError, CursorError) as error:
        words = error.texts if isinstance(error, QueryError) else Texts("ページの指定が無効です", "No such page")
        return answer(
            request,
            lambda ctx: _pages(request).events(
                ctx, filters=filters, rows=[], total=None, next_page=None, error=words.in_(ctx.language)
            ),
            status=422,
        )
    rows = [views.event_row(event, installation.catalogue) for event in found.events]
    following = events_url(**names, cursor=found.cursor) if found.cursor else None
    total = installation.log.count(wanted)
    return answer(
        request,
        lambda ctx: _pages(request).events(
            ctx, filters=filters, rows=rows, total=total, next_page=following, error=None
        ),
    )


def _source_choices(installation: Installation) -> tuple[Choice, ...]:
    seen = installation.book.totals()
    names = sorted(set(installation.catalogue) | set(seen) | {OWN_SOURCE})
    return tuple(Choice(name, views.source_name(installation.catalogue, name)) for name in names)


@router.get("/events/{source}/{event_id:path}")
def event(request: Request, viewer: EventSearcher, source: str, event_id: str) -> Response:
    """One event, every field of it."""
    installation = installation_of(request)
    found = installation.log.find(source, event_id)
    if found is None:
        raise HTTPException(404)
    record_look(request, viewer, "events.view", event=found.ref)
    return answer(
        request,
        lambda ctx: _pages(request).event(ctx, event=views.event_view(found, installation.catalogue)),
    )


def _span(request: Request, from_: str, to: str) -> tuple[date, date]:
    return board_span(installation_of(request), read_day(from_, "from"), read_day(to, "to"))


@router.get("/board")
def board(request: Request, viewer: BoardReader, from_: From = "", to: str = "") -> Response:
    """When, where from, and how many alerts."""
    installation = installation_of(request)
    span = _span(request, from_, to)
    record_look(request, viewer, "board.view", from_=str(span[0]), to=str(span[1]))
    drawn, days = board_figures(installation, *span)
    return answer(request, lambda ctx: _pages(request).board(ctx, figures=drawn, span=days))


@router.get("/board/{name}")
def board_csv(request: Request, viewer: BoardReader, name: str, from_: From = "", to: str = "") -> Response:
    """A figure's table as a file."""
    installation = installation_of(request)
    span = _span(request, from_, to)
    drawn, _ = board_figures(installation, *span)
    figure = next((figure for figure in drawn if figure.csv_name == name), None)
    if figure is None:
        raise HTTPException(404)
    record_look(request, viewer, "board.view", file=name, from_=str(span[0]), to=str(span[1]))
    return Response(
        figure_csv(figure, language_of(request, viewer)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{figure.csv_name}"'},
    )
