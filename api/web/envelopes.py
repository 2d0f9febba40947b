"""Sealed envelopes: made by two people, and the door that they open in an emergency.

Rules:
- The code is on one page, once; a page that comes back never repeats it, nor the password.
- What is wrong about the emergency itself is said; what is wrong about the person is one refusal for everything.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from api.emergency_views import EmergencyViews, emergency_systems
from api.ledger_views import actor_of
from api.web.journal import record_look
from api.web.ledger import at_page, is_done
from api.web.security import (
    WholeForm,
    address_of,
    answer,
    installation_of,
    language_of,
    session_cookie,
    set_cookie,
    viewer_with,
)
from api.web.sign_in import pages_of, refused
from audit.access import Permission, SignInRefusedError, ThrottledError, Viewer
from audit.access.decisions import EmergencyRefusedError, EnvelopeRefusedError
from dashboards.ledger_model import DeclareForm

__all__ = ["OPEN_PATHS", "router"]

router = APIRouter(include_in_schema=False)

OPEN_PATHS = frozenset({"/sign-in/emergency"})
"""Routes that need no permission: they lead to sign-in."""

Maker = Annotated[Viewer, Depends(viewer_with(Permission.EMERGENCIES_ENVELOPE_MAKE))]
Text = Annotated[str, Form()]


@router.get("/emergencies/envelopes")
def envelopes(request: Request, viewer: Maker) -> Response:
    """The envelopes of the town, and those that are asked for."""
    record_look(request, viewer, "emergencies.envelopes_view")
    return _envelopes(request, viewer)


def _envelopes(request: Request, viewer: Viewer, error: EnvelopeRefusedError | None = None) -> Response:
    rows = EmergencyViews(installation_of(request), viewer).envelopes()
    words = error.text(language_of(request, viewer)) if error else None
    return answer(
        request,
        lambda ctx: pages_of(request).envelopes(
            at_page(ctx, "/emergencies/envelopes"), rows=rows, error=words, done=is_done(request)
        ),
        status=409 if error else 200,
    )


@router.post("/emergencies/envelopes", dependencies=[WholeForm])
def ask(request: Request, viewer: Maker) -> Response:
    """Ask for an envelope."""
    installation_of(request).decisions.envelopes.ask(by=actor_of(viewer), offices=viewer.roles)
    return RedirectResponse("/emergencies/envelopes?done=1", status_code=303)


@router.post("/emergencies/envelopes/{number}/confirmation", dependencies=[WholeForm])
def confirm(request: Request, viewer: Maker, number: str) -> Response:
    """Confirm somebody else's wish, and see the code this once."""
    try:
        made = installation_of(request).decisions.envelopes.confirm(number, by=actor_of(viewer), offices=viewer.roles)
    except EnvelopeRefusedError as error:
        if error.reason == "unknown":
            raise HTTPException(404) from error
        return _envelopes(request, viewer, error)
    return answer(
        request,
        lambda ctx: pages_of(request).envelope(
            at_page(ctx, "/emergencies/envelopes"), number=made.id, code=made.code, expires_at=made.expires_at
        ),
    )


@router.post("/emergencies/envelopes/{number}/end", dependencies=[WholeForm])
def end(request: Request, viewer: Maker, number: str) -> Response:
    """Make an envelope void, or drop a wish."""
    try:
        installation_of(request).decisions.envelopes.end(number, by=actor_of(viewer))
    except EnvelopeRefusedError as error:
        raise HTTPException(404) from error
    return RedirectResponse("/emergencies/envelopes?done=1", status_code=303)


@router.get("/sign-in/emergency")
def door(request: Request) -> Response:
    """The door that an envelope opens."""
    return _door(request, DeclareForm(minutes="30"))


def _door(request: Request, form: DeclareForm, login_id: str = "", *, status: int = 200) -> Response:
    systems, most = emergency_systems(installation_of(request))
    whole = replace(form, systems=systems, most=most)
    return answer(
        request,
        lambda ctx: pages_of(request).emergency_door(ctx, form=whole, login_id=login_id),
        status=status,
    )


@router.post("/sign-in/emergency", dependencies=[WholeForm])
def enter(
    request: Request,
    login_id: Text = "",
    password: Text = "",
    sealed: Text = "",
    system: Text = "",
    reason: Text = "",
    minutes: Text = "",
) -> Response:
    """Sign in with an envelope."""
    language = language_of(request)
    form = DeclareForm(system=system, reason=reason, minutes=minutes)
    whole = int(minutes) if minutes.isdecimal() and len(minutes) <= 4 else 0  # which is no number of minutes
    try:
        opened = installation_of(request).decisions.envelopes.open(
            login_id, password, sealed, system=system, reason=reason, minutes=whole,
            address=address_of(request), language=language,
        )  # fmt: skip
    except EmergencyRefusedError as error:
        return _door(request, replace(form, error=error.text(language)), login_id, status=422)
    except (SignInRefusedError, ThrottledError) as error:
        return refused(error, _door(request, replace(form, error=error.text(language)), login_id))
    response = RedirectResponse("/emergencies", status_code=303)
    set_cookie(request, response, session_cookie(request), opened.token)
    return response
