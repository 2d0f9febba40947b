"""JSON about the detectors there are: what each is, whom it serves, and with which values it runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from api.detector_views import DetectorViews, detector_document
from api.web.journal import record_look
from api.web.security import installation_of, viewer_with
from audit.access import Permission, Viewer

__all__ = ["router"]

router = APIRouter(prefix="/api/v1")

AlertReader = Annotated[Viewer, Depends(viewer_with(Permission.ALERTS_ALERT_READ))]


@router.get("/detectors")
def detectors(request: Request, viewer: AlertReader) -> dict[str, Any]:
    """Every detector that is installed, imported ones too; `parameters` are those in force."""
    record_look(request, viewer, "detectors.view")
    views = DetectorViews(installation_of(request))
    return {"detectors": [detector_document(views, views.known[name]) for name in sorted(views.known)]}
