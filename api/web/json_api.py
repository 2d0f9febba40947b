"""JSON under `/api/v1`, for the same viewers and with the same words as the pages."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request

from api.cases import case_ids, case_queue, listed
from api.web.journal import record_look
from api.web.queries import Typed, as_filter, no_such_place, read_moment
from api.web.security import installation_of, viewer_with
from audit.access import Permission, Viewer
from audit.findings import FindingFilter

__all__ = ["router"]

router = APIRouter(prefix="/api/v1")

AlertReader = Annotated[Viewer, Depends(viewer_with(Permission.ALERTS_ALERT_READ))]
EventSearcher = Annotated[Viewer, Depends(viewer_with(Permission.EVENTS_EVENT_SEARCH))]
From = Annotated[str, Query(alias="from", description="RFC 3339, or a date in Asia/Tokyo; inclusive.")]
To = Annotated[str, Query(description="The same; exclusive.")]


@router.get("/alerts")
def alerts(
    request: Request,
    viewer: AlertReader,
    from_: From = "",
    to: To = "",
    status: str = "",
    severity: str = "",
    detector: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str = "",
) -> dict[str, Any]:
    """Findings, the latest window first; `cursor` leads to the next page."""
    wanted = FindingFilter(
        start=read_moment(from_, "from"),
        end=read_moment(to, "to"),
        status=status,
        severity=severity,
        detector=detector,
    )
    record_look(
        request,
        viewer,
        "alerts.search",
        from_=from_,
        to=to,
        status=status,
        severity=severity,
        detector=detector,
    )
    try:
        found = installation_of(request).findings.listing(wanted, limit=limit + 1, after=cursor)
    except LookupError as error:
        raise no_such_place() from error
    shown = found[:limit]
    following = shown[-1].id if len(found) > limit else ""
    case_of = case_ids(case_queue(installation_of(request))) if shown else {}
    return {"findings": [finding.to_contract(case_of.get(finding.id)) for finding in shown], "cursor": following}


@router.get("/alerts/{number}")
def alert(request: Request, viewer: AlertReader, number: str) -> dict[str, Any]:
    """One finding."""
    finding = installation_of(request).findings.get(number)
    if finding is None:
        raise HTTPException(404)
    record_look(request, viewer, "alerts.view", alert=number)
    return finding.to_contract(case_ids(case_queue(installation_of(request))).get(number))


@router.get("/cases")
def cases(
    request: Request,
    viewer: AlertReader,
    from_: From = "",
    to: To = "",
    status: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str = "",
) -> dict[str, Any]:
    """Cases by day, the latest first, by rank within it; `cursor` leads to the next page."""
    start, end = read_moment(from_, "from"), read_moment(to, "to")
    record_look(request, viewer, "cases.search", from_=from_, to=to, status=status)
    found = listed(case_queue(installation_of(request)), start=start, end=end, status=status)
    numbers = [case.id for case in found]
    if cursor and cursor not in numbers:
        raise no_such_place()
    rest = found[numbers.index(cursor) + 1 :] if cursor else found
    following = rest[limit - 1].id if len(rest) > limit else ""
    return {"cases": [case.to_contract() for case in rest[:limit]], "cursor": following}


@router.get("/events")
def events(
    request: Request,
    viewer: EventSearcher,
    from_: From = "",
    to: To = "",
    source: str = "",
    actor: str = "",
    subject: str = "",
    activity: str = "",
    outcome: str = "",
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Events, newest first; `cursor` leads to the next page."""
    typed = Typed(from_, to, source, actor, subject, activity, outcome)
    wanted = as_filter(typed)
    record_look(
        request,
        viewer,
        "events.search",
        **{name: getattr(typed, name) for name in typed.__dataclass_fields__},
    )
    page = installation_of(request).log.search(wanted, limit=limit, cursor=cursor)
    return {"events": [event.to_contract() for event in page.events], "cursor": page.cursor}
