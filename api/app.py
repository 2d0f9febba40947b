"""The application factory. Nothing happens at import; the lifespan owns the scheduler."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from importlib import resources
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from api.gateways import read_gateways
from api.installation import Installation
from api.jobs import start_scheduler
from api.receivers import running
from api.web import (
    authenticators,
    cases_json,
    detectors,
    detectors_json,
    emergencies,
    emergencies_json,
    enrolments,
    envelopes,
    federation,
    json_api,
    ledger,
    ledger_json,
    media,
    outcomes,
    pages,
    receive,
    rights,
    rights_json,
    rights_ledger,
    runs_json,
    scim,
    sign_in,
    sources,
    step_up,
    tuning,
    tuning_json,
    users,
)
from api.web.authzen import StaffDecisions, install_authzen
from api.web.errors import install_errors
from api.web.forward_auth import install_forward_auth
from api.web.oauth import install_oauth
from api.web.oidc import install_oidc
from api.web.security import SecurityHeaders, installation_of
from audit.store.errors import StoreError
from dashboards.pages import STATIC, Pages

__all__ = ["create_app"]


def create_app(installation: Installation, *, schedule: bool = True, watch: bool = True) -> FastAPI:
    """The application of one installation.

    Args:
        installation: what it serves; the caller opens and closes it.
        schedule: whether anything happens by itself: due windows are judged, what arrives is taken in.
        watch: whether, on that schedule, systems that fall silent are noticed. In a demonstration all would.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as stack:
            if schedule:
                stack.enter_context(running(installation))
                scheduler = start_scheduler(installation, watch=watch)
                stack.callback(scheduler.shutdown, wait=True)
            yield
        installation.machines.flush_refusals(everything=True)
        installation.sso.flush_refusals(everything=True)
        installation.federation.flush_refusals(everything=True)
        installation.authenticators.flush_refusals(everything=True)

    app = FastAPI(title="Mimamori", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.installation = installation
    app.state.pages = Pages()
    app.add_middleware(SecurityHeaders)
    install_errors(app)
    step_up.install_step_up(app)
    install_oauth(app, installation.machines)
    install_oidc(app, installation.sso)
    decisions = installation.decisions.service
    install_authzen(app, StaffDecisions(decisions, installation.acts, installation.clock, installation.access.seen))
    install_forward_auth(app, decisions, read_gateways(installation.settings.data))
    plotly = Path(str(resources.files("plotly"))) / "package_data" / "plotly.min.js"

    @app.get("/static/plotly.min.js", include_in_schema=False)
    def plotly_script() -> Response:
        """The drawing library, from the installed package: the machines have no internet."""
        return FileResponse(plotly, media_type="text/javascript", headers={"cache-control": "max-age=86400"})

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> Response:
        """Whether the process answers."""
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", include_in_schema=False)
    def readyz(request: Request) -> Response:
        """Whether the log can be read and deliveries be taken in."""
        installation = installation_of(request)
        if trouble := installation.spool.trouble() or installation.acts.trouble():
            return JSONResponse({"status": trouble}, status_code=503)
        try:
            installation.log.ping()
        except StoreError:
            return JSONResponse({"status": "event store unavailable"}, status_code=503)
        return JSONResponse({"status": "ok"})

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(sign_in.router)
    app.include_router(step_up.router)
    app.include_router(federation.router)
    app.include_router(authenticators.router)
    app.include_router(users.router)
    app.include_router(pages.router)
    app.include_router(sources.router)
    app.include_router(rights.router)
    app.include_router(rights_json.router)
    for part in (
        enrolments,
        ledger,
        ledger_json,
        media,
        emergencies,
        emergencies_json,
        envelopes,
        outcomes,
        tuning,
        tuning_json,
        runs_json,
        detectors,
        detectors_json,
        cases_json,
    ):
        app.include_router(part.router)
    app.include_router(rights_ledger.router)
    app.include_router(json_api.router)
    app.include_router(receive.router)
    app.include_router(scim.router)
    return app
