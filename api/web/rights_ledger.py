"""The ledger of a system's rights: who holds what, what the system itself says, and ending a right at once."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, HTTPException, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from api.rights import doer_of
from api.rights_views import RightsViews
from api.web.journal import record_look
from api.web.queries import part_of
from api.web.rights import Applicant, act, at_path, mine
from api.web.security import WholeForm, answer, installation_of, viewer_with
from audit.access import Permission, Viewer
from dashboards.pages import Pages
from dashboards.rights_model import LedgerView

__all__ = ["LedgerReader", "router"]

router = APIRouter(include_in_schema=False)

LedgerReader = Annotated[Viewer, Depends(viewer_with(Permission.RIGHTS_ENTITLEMENT_READ))]
Reconciler = Annotated[Viewer, Depends(viewer_with(Permission.RIGHTS_ENTITLEMENT_RECONCILE))]
Text = Annotated[str, Form()]
_ROWS = 200
_LONGEST_LIST = 32 << 20


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


@router.post("/rights/held/{number}/revocation", dependencies=[WholeForm])
def revoke(request: Request, viewer: Applicant, number: str, reason: Text = "", system: Text = "") -> Response:
    """End a right at once; back to the ledger of `system` where that was asked for from there."""
    error = act(request, viewer, lambda rights, by: rights.revoke(number, reason, by))
    from_ledger = Permission.RIGHTS_ENTITLEMENT_READ in viewer.permissions
    if from_ledger and system in installation_of(request).rights.systems:
        return _ledger(request, viewer, system, error) if error else _to_ledger(system)
    return mine(request, viewer, error) if error else RedirectResponse("/rights?done=1", status_code=303)


def _to_ledger(system: str) -> Response:
    return RedirectResponse(f"{_ledger_url(system)}&done=1", status_code=303)


def _ledger_url(system: str) -> str:
    return f"/rights/ledger?system={quote(system, safe='')}"


@router.get("/rights/ledger")
def ledger(request: Request, viewer: LedgerReader, system: str = "", cursor: str = "") -> Response:
    """Who holds what in a system, why, and by whose approval."""
    if system and system not in installation_of(request).rights.systems:
        raise HTTPException(404)
    record_look(request, viewer, "rights.ledger_view", system=system)
    return _ledger(request, viewer, system, cursor=cursor)


def _ledger(request: Request, viewer: Viewer, system: str, error: str | None = None, *, cursor: str = "") -> Response:
    installation = installation_of(request)
    views, rights = RightsViews(installation, doer_of(viewer)), installation.rights
    choices = views.systems()
    view = LedgerView(systems=choices, counts=dict(rights.counts()))
    if system:
        shown, following = part_of(rights.ledger(system), lambda entry: entry.right.id, cursor, _ROWS)
        may_reconcile = Permission.RIGHTS_ENTITLEMENT_RECONCILE in viewer.permissions
        view = replace(
            view,
            system=system,
            title=next(choice.name for choice in choices if choice.value == system),
            rows=tuple(views.right(entry, ending=may_reconcile) for entry in shown),
            next_page=f"{_ledger_url(system)}&cursor={following}" if following else None,
            reconciliation=views.reconciliation(rights.last_reconciliation(system)),
            may_reconcile=may_reconcile,
            error=error,
        )
    done = request.query_params.get("done") == "1"
    return answer(
        request,
        lambda ctx: _pages(request).rights_ledger(at_path(ctx, "/rights/ledger"), view=view, done=done),
        status=422 if error else 200,
    )


@router.post("/rights/reconciliations", dependencies=[WholeForm])
def reconcile(
    request: Request,
    viewer: Reconciler,
    system: Text = "",
    list_: Annotated[UploadFile | None, File(alias="list")] = None,
) -> Response:
    """Compare a system's own list with what was approved."""
    if system not in installation_of(request).rights.systems:
        raise HTTPException(404)
    data = list_.file.read(_LONGEST_LIST + 1) if list_ else b""
    if len(data) > _LONGEST_LIST:
        raise HTTPException(413)
    if error := act(request, viewer, lambda rights, by: rights.reconcile(system, data, by)):
        return _ledger(request, viewer, system, error)
    return _to_ledger(system)
