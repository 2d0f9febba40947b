"""Enrolment of many: who of the directory has no account yet, and the sheets that are handed over in person."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api.web.journal import record_look
from api.web.security import WholeForm, answer, installation_of, language_of
from api.web.sign_in import pages_of
from api.web.users import Manager
from audit.access import Newcomer, SheetRefusedError, Viewer
from audit.context import Post, post_held
from dashboards.access_pages import EnrolmentsView, NewcomerRow, SheetRow
from dashboards.links import enrol_url

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
_SHOWN = 300


@router.get("/users/enrolments")
def enrolments(request: Request, viewer: Manager, unit: str = "") -> Response:
    """Everybody who holds a post in a unit or below it: who is enrolled, who has a sheet, who has none."""
    record_look(request, viewer, "users.enrolments_view", unit=unit)
    return _list(request, viewer, unit.strip())


@router.post("/users/enrolments", dependencies=[WholeForm])
def make_sheets(
    request: Request,
    viewer: Manager,
    people: Annotated[list[str] | None, Form()] = None,
    unit: Annotated[str, Form()] = "",
) -> Response:
    """Make a sheet for each of those who were chosen, and show them this once, for printing."""
    installation, held = installation_of(request), _held(request)
    try:
        newcomers = [_newcomer(staff_id, held) for staff_id in dict.fromkeys(people or ())]
        sheets = installation.access.make_sheets(newcomers, by=viewer)
    except SheetRefusedError as error:
        return _list(request, viewer, unit.strip(), error.text(language_of(request, viewer)))
    # Printed and carried about: the address is the installation's own, never what the Host header says.
    base = installation.machines.rules.issuer
    rows = [
        SheetRow(
            login_id=sheet.login_id,
            name=sheet.display_name,
            unit=held[sheet.login_id].org_unit,
            link=f"{base}{enrol_url(sheet.token)}",
            until=sheet.expires_at,
        )
        for sheet in sheets
    ]
    return answer(request, lambda ctx: pages_of(request).enrolment_sheets(ctx, rows=rows))


def _held(request: Request) -> Mapping[str, Post]:
    """The post that everybody holds now, by staff id."""
    installation = installation_of(request)
    now = installation.clock.now()
    posts = ((staff_id, post_held(rows, now)) for staff_id, rows in installation.context.people().items())
    return {staff_id: post for staff_id, post in posts if post is not None}


def _newcomer(staff_id: str, held: Mapping[str, Post]) -> Newcomer:
    if staff_id not in held or not held[staff_id].name:
        raise SheetRefusedError("sheets_unknown", staff_id[:64])
    return Newcomer(login_id=staff_id, display_name=held[staff_id].name)


def _list(request: Request, viewer: Viewer, unit: str, error: str | None = None) -> Response:
    access, held = installation_of(request).access, _held(request)
    accounts = {account.login_id: account for account in access.accounts(viewer)}
    invited = access.invitations(viewer)
    rows = []
    for staff_id, post in sorted(held.items(), key=lambda item: (item[1].org_unit, item[0])):
        if unit and not (post.org_unit == unit or post.org_unit.startswith(f"{unit}/")):
            continue
        invitation, account = invited.get(staff_id), accounts.get(staff_id)
        state = "enrolled" if account else "none" if invitation is None else "sheet" if invitation.live else "over"
        rows.append(
            NewcomerRow(
                login_id=staff_id,
                name=post.name,
                unit=post.org_unit,
                state=state,
                until=invitation.expires_at if invitation and not account else None,
            )
        )
    view = EnrolmentsView(
        rows=tuple([row for row in rows if row.state != "enrolled"][:_SHOWN]),
        unit=unit,
        enrolled=sum(row.state == "enrolled" for row in rows),
        total=len(rows),
        error=error,
    )
    return answer(request, lambda ctx: pages_of(request).enrolments(ctx, view=view), status=422 if error else 200)
