"""JSON about the running of detectors: every evaluation there was, and whether they still see."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from api.web.journal import record_look
from api.web.json_api import From, To
from api.web.queries import no_such_place, read_moment
from api.web.security import installation_of, viewer_with
from audit.access import Permission, Viewer
from audit.clock import TOKYO

__all__ = ["router"]

router = APIRouter(prefix="/api/v1")

AlertReader = Annotated[Viewer, Depends(viewer_with(Permission.ALERTS_ALERT_READ))]


@router.get("/detector-runs")
def detector_runs(
    request: Request,
    viewer: AlertReader,
    from_: From = "",
    to: To = "",
    detector: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str = "",
) -> dict[str, Any]:
    """Evaluations of windows, the latest first; none is ever overwritten. `cursor` leads to the next page."""
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 16):
        raise no_such_place()
    start, end = read_moment(from_, "from"), read_moment(to, "to")
    record_look(request, viewer, "detector_runs.search", from_=from_, to=to, detector=detector)
    found = installation_of(request).findings.history(
        detector=detector, start=start, end=end, before=int(cursor) if cursor else None, limit=limit + 1
    )
    shown = found[:limit]
    following = str(shown[-1].id) if len(found) > limit else ""
    return {"runs": [one.to_contract() for one in shown], "cursor": following}


@router.get("/detector-states")
def detector_states(request: Request, viewer: AlertReader) -> dict[str, Any]:
    """Of each detector: when its due windows were last looked through, its last canary, and the alarm that stands."""
    installation = installation_of(request)
    record_look(request, viewer, "detector_states.view")
    looks, canaries = installation.findings.last_looks(), installation.canaries.last()
    alarms, installed = installation.canaries.alarms(), installation.runner.installed()
    return {
        "detectors": [
            {
                "detector": name,
                "refused": installed.refused.get(name, ""),
                "last_look": looks[name].astimezone(TOKYO).isoformat() if name in looks else None,
                "canary": canaries[name].to_contract() if name in canaries else None,
                "alarm": alarms[name].finding if name in alarms else None,
            }
            for name in sorted({*installed.detectors, *installed.refused})
        ]
    }
