"""The users of Mimamori itself: links, resets by two people, roles, and the end of an account."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.web.journal import record_look
from api.web.security import WholeForm, answer, installation_of, language_of, viewer_with
from api.web.sign_in import pages_of
from audit.access import (
    AccessError,
    AccessService,
    Account,
    AccountStateError,
    LoginIdRefusedError,
    Permission,
    Role,
    Viewer,
)
from dashboards.access_pages import ResetRow, UserRow
from dashboards.links import enrol_url

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

Manager = Annotated[Viewer, Depends(viewer_with(Permission.ADMIN_USER_MANAGE))]
_DONE = frozenset({"asked", "dropped", "disabled", "enabled", "closed", "signed_out", "roles_changed"})


@router.get("/users")
def users(request: Request, viewer: Manager, done: str = "") -> Response:
    """Every user, and the resets that wait."""
    return _users(request, viewer, done=done if done in _DONE else "")


def _users(
    request: Request, viewer: Viewer, *, token: str = "", error: AccessError | None = None, done: str = ""
) -> Response:
    installation = installation_of(request)
    if request.method == "GET":
        record_look(request, viewer, "users.view")
    rows = [_row(account, viewer) for account in installation.access.accounts(viewer)]
    resets = [
        ResetRow(reset.login_id, reset.asked_by, reset.asked_at, reset.in_person, reset.mine_to_confirm)
        for reset in installation.access.resets(viewer)
    ]
    words = error.text(language_of(request, viewer)) if error else None
    link = f"{request.url.scheme}://{request.headers.get('host', '')}{enrol_url(token)}" if token else ""
    return answer(
        request,
        lambda ctx: pages_of(request).users(
            ctx, rows=rows, resets=resets, roles=[role.value for role in Role], link=link, error=words, done=done
        ),
        status=422 if error else 200,
    )


def _row(account: Account, viewer: Viewer) -> UserRow:
    state = "disabled" if account.disabled else "rebind" if account.must_rebind else "active"
    return UserRow(
        login_id=account.login_id,
        display_name=account.display_name,
        roles=tuple(sorted(account.roles)),
        state=state,
        last_sign_in_at=account.last_sign_in_at,
        oneself=account.id == viewer.account_id,
    )


def _linked(request: Request, viewer: Viewer, make: Callable[[], str]) -> Response:
    """Make a link and show it this once, or say why not."""
    try:
        token = make()
    except (AccountStateError, LoginIdRefusedError) as error:
        return _users(request, viewer, error=error)
    return _users(request, viewer, token=token)


def _acted(request: Request, viewer: Viewer, act: Callable[[AccessService], None], done: str) -> Response:
    """Do it and return to the list, or say there why not."""
    try:
        act(installation_of(request).access)
    except AccountStateError as error:
        return _users(request, viewer, error=error)
    return RedirectResponse(f"/users?done={done}", status_code=303)


def _roles(words: list[str]) -> frozenset[Role]:
    return frozenset(Role(word) for word in words if word in set(Role))


@router.post("/users", dependencies=[WholeForm])
def invite(
    request: Request,
    viewer: Manager,
    login_id: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
    roles: Annotated[list[str] | None, Form()] = None,
    in_person: Annotated[str, Form()] = "",
) -> Response:
    """A link for a new user."""
    access = installation_of(request).access

    def make() -> str:
        return access.create_enrolment_link(
            login_id,
            display_name=display_name,
            roles=_roles(roles or []),
            by=viewer,
            in_person=in_person == "yes",
        )

    return _linked(request, viewer, make)


@router.post("/users/{login_id}/reset", dependencies=[WholeForm])
def ask_reset(request: Request, viewer: Manager, login_id: str, in_person: Annotated[str, Form()] = "") -> Response:
    """Ask for new factors for a user."""
    here = in_person == "yes"
    return _acted(request, viewer, lambda access: access.ask_reset(login_id, by=viewer, in_person=here), "asked")


@router.post("/users/{login_id}/reset/confirm", dependencies=[WholeForm])
def confirm_reset(request: Request, viewer: Manager, login_id: str) -> Response:
    """Confirm what another administrator asked for: the link is shown this once."""
    access = installation_of(request).access
    return _linked(request, viewer, lambda: access.confirm_reset(login_id, by=viewer))


@router.post("/users/{login_id}/reset/drop", dependencies=[WholeForm])
def drop_reset(request: Request, viewer: Manager, login_id: str) -> Response:
    """Refuse it, or take it back."""
    return _acted(request, viewer, lambda access: access.drop_reset(login_id, by=viewer), "dropped")


@router.post("/users/{login_id}/sign-out", dependencies=[WholeForm])
def sign_out_user(request: Request, viewer: Manager, login_id: str) -> Response:
    """End a user's sessions."""
    return _acted(request, viewer, lambda access: access.revoke_all(login_id, by=viewer), "signed_out")


@router.post("/users/{login_id}/disable", dependencies=[WholeForm])
def disable(request: Request, viewer: Manager, login_id: str) -> Response:
    """Shut an account."""
    return _acted(request, viewer, lambda access: access.disable_account(login_id, by=viewer), "disabled")


@router.post("/users/{login_id}/enable", dependencies=[WholeForm])
def enable(request: Request, viewer: Manager, login_id: str) -> Response:
    """Open it again."""
    return _acted(request, viewer, lambda access: access.enable_account(login_id, by=viewer), "enabled")


@router.post("/users/{login_id}/close", dependencies=[WholeForm])
def close(request: Request, viewer: Manager, login_id: str) -> Response:
    """Close it for good."""
    return _acted(request, viewer, lambda access: access.close_account(login_id, by=viewer), "closed")


@router.post("/users/{login_id}/roles", dependencies=[WholeForm])
def change_roles(
    request: Request, viewer: Manager, login_id: str, roles: Annotated[list[str] | None, Form()] = None
) -> Response:
    """Give a user other roles."""
    wanted = _roles(roles or [])
    return _acted(request, viewer, lambda access: access.change_roles(login_id, wanted, by=viewer), "roles_changed")
