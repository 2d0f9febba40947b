"""One-time links, and what people do with their own authenticators, password and sessions."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.web.journal import record_look
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
from api.web.sign_in import options_for, pages_of, typed_twice
from audit.access import (
    AccessError,
    AccountStateError,
    CodeRefusedError,
    Enrolment,
    LoginIdRefusedError,
    OwnAccount,
    PasswordRefusedError,
    Permission,
    SignInRefusedError,
    StepUpRequiredError,
    ThrottledError,
    Viewer,
)
from audit.access.authenticators import AuthenticatorStateError, RegistrationRefusedError
from dashboards.access_pages import AccountView, KeyRow
from dashboards.model import EnrolForm

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

Owner = Annotated[Viewer, Depends(viewer_with(Permission.SELF_ACCOUNT_READ))]
Leaver = Annotated[Viewer, Depends(viewer_with(Permission.SELF_SESSION_END))]
_MISTAKES = (
    AccountStateError,
    AuthenticatorStateError,
    CodeRefusedError,
    LoginIdRefusedError,
    PasswordRefusedError,
    RegistrationRefusedError,
    SignInRefusedError,
    ThrottledError,
)
"""What is said on the page that the form stood on."""


# One-time links


def _form(token: str, enrolment: Enrolment, login_id: str = "", display_name: str = "") -> EnrolForm:
    return EnrolForm(
        token=token,
        provisioning_uri=enrolment.provisioning_uri,
        secret=enrolment.secret,
        login_id=enrolment.login_id or login_id,
        login_fixed=enrolment.login_id is not None,
        display_name=display_name or enrolment.display_name,
    )


@router.get("/enrol/{token}")
def enrol_page(request: Request, token: str) -> Response:
    """The page behind a one-time link."""
    enrolment = installation_of(request).access.open_enrolment(token, address=address_of(request))
    return answer(request, lambda ctx: pages_of(request).enrol(ctx, form=_form(token, enrolment)))


@router.post("/enrol/{token}/options", dependencies=[WholeForm])
def enrol_options(
    request: Request,
    token: str,
    login_id: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
) -> Response:
    """What the browser hands to a key that is to be bound."""
    access = installation_of(request).access
    return options_for(
        request,
        lambda: access.begin_key_enrolment(
            token, login_id=login_id, display_name=display_name, address=address_of(request)
        ),
    )


@router.post("/enrol/{token}", dependencies=[WholeForm])
def enrol(
    request: Request,
    token: str,
    login_id: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    password_again: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    response: Annotated[str, Form()] = "",
) -> Response:
    """Bind password and second factor; the link is used up only when everything is right."""
    access = installation_of(request).access
    try:
        enrolled = access.complete_enrolment(
            token,
            login_id=login_id,
            display_name=display_name,
            password=typed_twice(password, password_again),
            code=code,
            key=response,
            address=address_of(request),
        )
    except (CodeRefusedError, LoginIdRefusedError, PasswordRefusedError, RegistrationRefusedError) as error:
        words = error.text(language_of(request))
        enrolment = access.open_enrolment(token, address=address_of(request))
        form = _form(token, enrolment, login_id, display_name)
        return answer(request, lambda ctx: pages_of(request).enrol(ctx, form=form, error=words), status=422)
    codes = enrolled.recovery_codes
    return answer(request, lambda ctx: pages_of(request).recovery_codes(ctx, codes=codes, place="/sign-in"))


# One's own account


@router.get("/account")
def account(request: Request, viewer: Owner, done: str = "") -> Response:
    """One's own account."""
    record_look(request, viewer, "account.view")
    return _account(request, viewer, done=done if done in _DONE else "")


_DONE = frozenset({"key_added", "removed", "app_bound", "password_changed"})


def _account(request: Request, viewer: Viewer, *, error: AccessError | None = None, done: str = "") -> Response:
    access = installation_of(request).access
    try:
        access.require_fresh(viewer, "account")
    except StepUpRequiredError:
        fresh = False
    else:
        fresh = True
    view = _view(viewer, access.own_account(viewer), fresh=fresh)
    words = error.text(language_of(request, viewer)) if error else None
    return answer(
        request,
        lambda ctx: pages_of(request).account(ctx, view=view, error=words, done=done),
        status=422 if error else 200,
    )


def _view(viewer: Viewer, own: OwnAccount, *, fresh: bool) -> AccountView:
    usable = [key.id for key in own.keys if not key.refused]
    rows = [
        KeyRow(
            id=key.id,
            name=key.name,
            model=key.model,
            modalities=tuple(sorted(key.modalities)),
            device_bound=key.device_bound,
            created_at=key.created_at,
            last_used_at=key.last_used_at,
            refused=bool(key.refused),
            removable=own.app or usable != [key.id],
        )
        for key in own.keys
    ]
    return AccountView(
        login_id=viewer.login_id,
        app=own.app,
        app_removable=bool(usable),
        keys=tuple(rows),
        recovery_codes=own.recovery_codes,
        password_since=own.password_since,
        password_until=own.password_until,
        signed_in_at=own.session.created_at,
        address=own.session.address,
        factors=own.session.proof.amr,
        fresh=fresh,
    )


def _done(request: Request, viewer: Viewer, act: Callable[[], None], done: str) -> Response:
    """Do it and return to the page, or say on the page why not."""
    try:
        act()
    except _MISTAKES as error:
        return _account(request, viewer, error=error)
    return RedirectResponse(f"/account?done={done}", status_code=303)


@router.post("/account/keys/options", dependencies=[WholeForm])
def key_options(request: Request, viewer: Owner) -> Response:
    """What the browser hands to a key that is to be added."""
    access = installation_of(request).access
    return options_for(request, lambda: access.begin_key(viewer))


@router.post("/account/keys", dependencies=[WholeForm])
def add_key(
    request: Request, viewer: Owner, name: Annotated[str, Form()] = "", response: Annotated[str, Form()] = ""
) -> Response:
    """Add a security key."""
    access, address = installation_of(request).access, address_of(request)
    return _done(request, viewer, lambda: access.add_key(viewer, response, name=name, address=address), "key_added")


@router.post("/account/keys/remove", dependencies=[WholeForm])
def remove_key(request: Request, viewer: Owner, key: Annotated[str, Form()] = "") -> Response:
    """Remove a security key, unless it is the last factor."""
    access, address = installation_of(request).access, address_of(request)
    return _done(request, viewer, lambda: access.remove_key(viewer, key, address=address), "removed")


@router.post("/account/app", dependencies=[WholeForm])
def app_page(request: Request, viewer: Owner) -> Response:
    """A new secret for an authenticator app."""
    return _app_page(request, viewer)


def _app_page(request: Request, viewer: Viewer, error: AccessError | None = None) -> Response:
    secret, uri, sealed = installation_of(request).access.begin_app(viewer)
    words = error.text(language_of(request, viewer)) if error else None
    return answer(
        request,
        lambda ctx: pages_of(request).account_app(ctx, secret=secret, uri=uri, sealed=sealed, error=words),
        status=422 if error else 200,
    )


@router.post("/account/app/confirm", dependencies=[WholeForm])
def bind_app(
    request: Request, viewer: Owner, sealed: Annotated[str, Form()] = "", code: Annotated[str, Form()] = ""
) -> Response:
    """Bind it by its first code."""
    try:
        installation_of(request).access.finish_app(viewer, sealed, code, address=address_of(request))
    except CodeRefusedError as error:
        return _app_page(request, viewer, error)
    return RedirectResponse("/account?done=app_bound", status_code=303)


@router.post("/account/app/remove", dependencies=[WholeForm])
def remove_app(request: Request, viewer: Owner) -> Response:
    """Unbind the app, unless it is the last factor."""
    access, address = installation_of(request).access, address_of(request)
    return _done(request, viewer, lambda: access.remove_app(viewer, address=address), "removed")


@router.post("/account/recovery-codes", dependencies=[WholeForm])
def recovery_codes(request: Request, viewer: Owner) -> Response:
    """New recovery codes; the answer is the only place where they stand."""
    codes = installation_of(request).access.new_recovery_codes(viewer, address=address_of(request))
    return answer(request, lambda ctx: pages_of(request).recovery_codes(ctx, codes=codes, place="/account"))


@router.post("/account/password", dependencies=[WholeForm])
def change_password(
    request: Request,
    viewer: Owner,
    old: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    password_again: Annotated[str, Form()] = "",
) -> Response:
    """Choose another password."""
    access, address = installation_of(request).access, address_of(request)

    def act() -> None:
        access.change_password(viewer, old, typed_twice(password, password_again), address=address)

    return _done(request, viewer, act, "password_changed")


@router.post("/account/sign-out-everywhere", dependencies=[WholeForm])
def sign_out_everywhere(request: Request, viewer: Leaver) -> Response:
    """End every session of one's own."""
    installation_of(request).access.sign_out_everywhere(viewer)
    response = RedirectResponse("/sign-in", status_code=303)
    set_cookie(request, response, session_cookie(request), "", max_age=0)
    response.headers["clear-site-data"] = '"cache"'
    return response
