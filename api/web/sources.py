"""The pages of sources: how they are doing, what one of them says and sends, and what it proves itself with.

Rules:
- Whoever may see sources may see their profiles and deliveries; refused records are shown without their bytes.
- Credentials are there for whoever may manage them. A change asks for a fresh second factor and is recorded by
  `MachineService` before it is answered. A secret is shown in the answer to its own request and never again.
- What was pasted is never shown back: people paste private keys.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from api.installation import Installation
from api.source_views import credentials_view, issued_view, source_row, source_view
from api.sources import is_known, statuses
from api.web.journal import record_look
from api.web.security import WholeForm, answer, installation_of, language_of, viewer_with
from audit.access import Permission, StepUpRequiredError, Viewer
from audit.access.machines import MachineService, MachineStateError
from dashboards.links import source_url
from dashboards.model import PageContext
from dashboards.pages import Pages
from dashboards.source_model import CredentialsView, Issued, SourcesView
from ingest.gaps import DETECTORS
from ingest.sources.catalogue_reader import cities

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

SourceReader = Annotated[Viewer, Depends(viewer_with(Permission.SOURCES_SOURCE_READ))]
CredentialManager = Annotated[Viewer, Depends(viewer_with(Permission.SOURCES_CREDENTIAL_MANAGE))]
Act = Callable[[MachineService], object]

_LATE = timedelta(minutes=15)
"""Silence is looked for every five minutes: two looks missed are worth a word."""
_LONGEST_PEM = 16 * 1024
_LIVES = (30, 90, 180, 397)


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


@router.get("/sources")
def sources(request: Request, viewer: SourceReader) -> Response:
    """The systems and whether their events arrive."""
    installation = installation_of(request)
    record_look(request, viewer, "sources.view")
    now = installation.clock.now()
    looks = [installation.findings.last_look(detector) for detector in DETECTORS]
    last = min((look for look in looks if look is not None), default=None)
    view = SourcesView(
        rows=[source_row(status, now) for status in statuses(installation)],
        preset=cities().get(installation.city),
        watch="never" if last is None else "late" if now - last > _LATE else "ok",
        last_look=last,
    )
    return answer(request, lambda ctx: _pages(request).sources(ctx, view=view))


@router.get("/sources/{source}")
def source(request: Request, viewer: SourceReader, source: str) -> Response:
    """One system: what is missing, what came, what its profile says, what it sends with."""
    _known(request, source)
    record_look(request, viewer, "source.view", source=source)
    return _shown(request, viewer, source)


@router.post("/sources/{source}/credentials", dependencies=[WholeForm])
def issue(
    request: Request, viewer: CredentialManager, source: str, days: Annotated[int, Form()] = _LIVES[-1]
) -> Response:
    """Issue a credential; the answer is the only place where its secret stands."""
    installation = _known(request, source)
    machines = installation.machines
    if days not in _LIVES:
        raise HTTPException(422)
    end = installation.clock.now() + timedelta(days=days)
    made = machines.register(source, expires_at=end, by=viewer.login_id)
    return _shown(request, viewer, source, issued=issued_view(made, machines.rules))


@router.post("/sources/{source}/bindings", dependencies=[WholeForm])
def bind(
    request: Request,
    viewer: CredentialManager,
    source: str,
    certificate: Annotated[str, Form()] = "",
    signing_key: Annotated[str, Form()] = "",
) -> Response:
    """Bind a certificate or a signing key."""
    installation = _known(request, source)

    def act(machines: MachineService) -> None:
        pem = (certificate or signing_key)[:_LONGEST_PEM]
        (machines.bind_certificate if certificate else machines.bind_signing_key)(source, pem, by=viewer.login_id)

    return _done(request, viewer, source, installation, act)


@router.post("/sources/{source}/revocations", dependencies=[WholeForm])
def revoke(
    request: Request, viewer: CredentialManager, source: str, identifier: Annotated[str, Form()] = ""
) -> Response:
    """End a credential, a certificate or a key."""
    installation = _known(request, source)
    return _done(
        request, viewer, source, installation, lambda machines: machines.revoke(source, identifier, by=viewer.login_id)
    )


def _known(request: Request, source: str) -> Installation:
    installation = installation_of(request)
    if not is_known(installation, source):
        raise HTTPException(404)
    return installation


def _done(request: Request, viewer: Viewer, source: str, installation: Installation, act: Act) -> Response:
    """Do it and return to the page, or say on the page why not."""
    try:
        act(installation.machines)
    except MachineStateError as error:
        return _shown(request, viewer, source, error=error.text(language_of(request, viewer)))
    return RedirectResponse(f"{source_url(source)}?done=1#credentials", status_code=303)


def _shown(
    request: Request, viewer: Viewer, source: str, *, issued: Issued | None = None, error: str | None = None
) -> Response:
    installation = installation_of(request)
    (status,) = statuses(installation, [source])
    view = source_view(installation, status, _credentials(installation, viewer, source, issued, error))
    done = request.query_params.get("done") == "1" and view.credentials is not None

    def render(ctx: PageContext) -> str:
        here = ctx if request.method == "GET" else replace(ctx, path=source_url(source))
        return _pages(request).source(here, view=view, lives=_LIVES, done=done)

    return answer(request, render, status=422 if error else 200)


def _credentials(
    installation: Installation, viewer: Viewer, source: str, issued: Issued | None, error: str | None
) -> CredentialsView | None:
    if Permission.SOURCES_CREDENTIAL_MANAGE not in viewer.permissions:
        return None
    try:
        installation.access.require(viewer, Permission.SOURCES_CREDENTIAL_MANAGE)
    except StepUpRequiredError:
        unlocked = False
    else:
        unlocked = True
    machines = installation.machines
    return credentials_view(
        machines.listing(source),
        machines.bindings(source),
        installation.clock.now(),
        unlocked=unlocked,
        issued=issued,
        error=error,
    )
