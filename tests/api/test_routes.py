"""Every route names a permission or is open on purpose, and every role on every route gets what it holds."""

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from house import SOURCE, House, csrf_of, token

from api.app import create_app
from api.web import authzen, envelopes, federation, forward_auth, oauth, oidc, scim
from api.web.rights_json import whole_json
from api.web.security import whole_form
from api.web.sign_in import OPEN_PATHS as SIGN_IN_PATHS
from audit.access import Permission, Role
from audit.access.machines import Scope
from audit.access.model import ROLE_PERMISSIONS
from audit.store.errors import StoreUnavailableError

OPEN_PATHS = (
    SIGN_IN_PATHS
    | oauth.OPEN_PATHS
    | oidc.OPEN_PATHS
    | federation.OPEN_PATHS
    | envelopes.OPEN_PATHS
    | authzen.OPEN_PATHS
    | forward_auth.OPEN_PATHS
)
MACHINES = {"/api/v1/announcements", "/api/v1/deliveries/{receipt}"} | scim.PATHS
"""Guarded by the credentials of a sending system; so is the POST to the path where people read events."""
WITHOUT_PEOPLE = {"/healthz", "/readyz", "/openapi.json", "/static", "/static/plotly.min.js"}
HEADERS = {
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
}
RIGHTS_OF = "nhi-eligibility"
PLACES = {
    "/account": "/account",
    "/step-up": "/step-up?next=/board&acr=uv",
    "/users": "/users",
    "/users/enrolments": "/users/enrolments",
    "/alerts": "/alerts",
    "/alerts/{number}": "/alerts/{alert}",
    "/events": "/events?actor=s0411",
    "/events/{source}/{event_id:path}": f"/events/{SOURCE}/e/1",
    "/board": "/board?from=2026-11-01&to=2026-11-20",
    "/board/{name}": "/board/events-by-source.csv",
    "/approvals": "/approvals",
    "/approvals/ask": "/approvals/ask",
    "/approvals/inbox": "/approvals/inbox",
    "/approvals/ledger": "/approvals/ledger",
    "/approvals/media": "/approvals/media",
    "/emergencies": "/emergencies",
    "/emergencies/envelopes": "/emergencies/envelopes",
    "/emergencies/reviews": "/emergencies/reviews",
    "/api/v1/approvals": "/api/v1/approvals",
    "/api/v1/approvals/inbox": "/api/v1/approvals/inbox",
    "/api/v1/approvals/ledger": "/api/v1/approvals/ledger",
    "/api/v1/emergencies": "/api/v1/emergencies",
    "/api/v1/emergencies/reviews": "/api/v1/emergencies/reviews",
    "/api/v1/media": "/api/v1/media",
    "/rights": "/rights",
    "/rights/apply": "/rights/apply",
    "/rights/deputies": "/rights/deputies",
    "/rights/inbox": "/rights/inbox",
    "/rights/ledger": f"/rights/ledger?system={RIGHTS_OF}",
    "/api/v1/rights/applications": "/api/v1/rights/applications",
    "/api/v1/rights/delegations": "/api/v1/rights/delegations",
    "/api/v1/rights/entitlements": f"/api/v1/rights/entitlements?system={RIGHTS_OF}",
    "/api/v1/rights/held": "/api/v1/rights/held",
    "/api/v1/rights/inbox": "/api/v1/rights/inbox",
    "/api/v1/rights/reconciliations/{system}": f"/api/v1/rights/reconciliations/{RIGHTS_OF}",
    "/tuning": "/tuning",
    "/tuning/changes/{number}": "/tuning/changes/{change}",
    "/tuning/exceptions/new": "/tuning/exceptions/new",
    "/tuning/parameters/new": "/tuning/parameters/new?detector=off-hours-access",
    "/tuning/previews/{number}": "/tuning/previews/{preview}",
    "/api/v1/tuning": "/api/v1/tuning",
    "/api/v1/tuning/previews/{number}": "/api/v1/tuning/previews/{preview}",
    "/detectors": "/detectors?q=own&control=C-083",
    "/detectors/scorecards": "/detectors/scorecards",
    "/detectors/scorecards/{card}/{name}": "/detectors/scorecards/{card}/goals.csv",
    "/detectors/{detector}": "/detectors/off-hours-access",
    "/detectors/{detector}/findings.csv": "/detectors/off-hours-access/findings.csv",
    "/sources": "/sources",
    "/sources/{source}": f"/sources/{SOURCE}",
    "/api/v1/alerts": "/api/v1/alerts",
    "/api/v1/alerts/{number}": "/api/v1/alerts/{alert}",
    "/api/v1/detectors": "/api/v1/detectors",
    "/api/v1/detector-runs": "/api/v1/detector-runs?limit=3",
    "/api/v1/detector-states": "/api/v1/detector-states",
    "/api/v1/cases": "/api/v1/cases?limit=3",
    "/api/v1/events": "/api/v1/events?limit=3",
}


FORMS = {
    "/step-up": Permission.SELF_ACCOUNT_READ,
    "/step-up/options": Permission.SELF_ACCOUNT_READ,
    "/active": Permission.SELF_SESSION_END,
    "/account/app": Permission.SELF_ACCOUNT_READ,
    "/account/app/confirm": Permission.SELF_ACCOUNT_READ,
    "/account/app/remove": Permission.SELF_ACCOUNT_READ,
    "/account/keys": Permission.SELF_ACCOUNT_READ,
    "/account/keys/options": Permission.SELF_ACCOUNT_READ,
    "/account/keys/remove": Permission.SELF_ACCOUNT_READ,
    "/account/password": Permission.SELF_ACCOUNT_READ,
    "/account/recovery-codes": Permission.SELF_ACCOUNT_READ,
    "/users": Permission.ADMIN_USER_MANAGE,
    "/users/enrolments": Permission.ADMIN_USER_MANAGE,
    "/users/{login_id}/reset": Permission.ADMIN_USER_MANAGE,
    "/users/{login_id}/reset/confirm": Permission.ADMIN_USER_MANAGE,
    "/users/{login_id}/reset/drop": Permission.ADMIN_USER_MANAGE,
    "/users/{login_id}/sign-out": Permission.ADMIN_USER_MANAGE,
    "/users/{login_id}/disable": Permission.ADMIN_USER_MANAGE,
    "/users/{login_id}/enable": Permission.ADMIN_USER_MANAGE,
    "/users/{login_id}/close": Permission.ADMIN_USER_MANAGE,
    "/users/{login_id}/roles": Permission.ADMIN_USER_MANAGE,
    "/approvals/requests": Permission.APPROVALS_REQUEST_CREATE,
    "/approvals/requests/{number}/approval": Permission.APPROVALS_REQUEST_APPROVE,
    "/approvals/requests/{number}/end": Permission.APPROVALS_REQUEST_CREATE,
    "/approvals/requests/{number}/refusal": Permission.APPROVALS_REQUEST_CREATE,
    "/approvals/requests/{number}/withdrawal": Permission.APPROVALS_REQUEST_CREATE,
    "/approvals/media": Permission.MEDIA_MEDIUM_REGISTER,
    "/approvals/media/steps": Permission.MEDIA_MEDIUM_HANDLE,
    "/emergencies": Permission.EMERGENCIES_EMERGENCY_DECLARE,
    "/emergencies/{number}/end": Permission.EMERGENCIES_EMERGENCY_DECLARE,
    "/emergencies/{number}/review": Permission.EMERGENCIES_EMERGENCY_REVIEW,
    "/emergencies/envelopes": Permission.EMERGENCIES_ENVELOPE_MAKE,
    "/emergencies/envelopes/{number}/confirmation": Permission.EMERGENCIES_ENVELOPE_MAKE,
    "/emergencies/envelopes/{number}/end": Permission.EMERGENCIES_ENVELOPE_MAKE,
    "/rights/applications": Permission.RIGHTS_APPLICATION_CREATE,
    "/rights/applications/{number}/approval": Permission.RIGHTS_APPLICATION_APPROVE,
    "/rights/applications/{number}/refusal": Permission.RIGHTS_APPLICATION_CREATE,
    "/rights/applications/{number}/withdrawal": Permission.RIGHTS_APPLICATION_CREATE,
    "/rights/approvals": Permission.RIGHTS_APPLICATION_APPROVE,
    "/rights/deputies": Permission.RIGHTS_APPLICATION_APPROVE,
    "/rights/deputies/{number}/end": Permission.RIGHTS_APPLICATION_CREATE,
    "/rights/held/{number}/revocation": Permission.RIGHTS_APPLICATION_CREATE,
    "/rights/reconciliations": Permission.RIGHTS_ENTITLEMENT_RECONCILE,
    "/tuning/exceptions": Permission.DETECTORS_DETECTOR_TUNE,
    "/tuning/parameters": Permission.DETECTORS_DETECTOR_TUNE,
    "/tuning/previews/{number}/proposal": Permission.DETECTORS_DETECTOR_TUNE,
    "/tuning/changes/{number}/confirmation": Permission.DETECTORS_DETECTOR_TUNE,
    "/tuning/changes/{number}/end": Permission.DETECTORS_CHANGE_END,
    "/sources/{source}/credentials": Permission.SOURCES_CREDENTIAL_MANAGE,
    "/sources/{source}/bindings": Permission.SOURCES_CREDENTIAL_MANAGE,
    "/sources/{source}/revocations": Permission.SOURCES_CREDENTIAL_MANAGE,
}
"""Forms for people with a right, and which."""
JSON_ACTS = {
    "/api/v1/approvals": Permission.APPROVALS_REQUEST_CREATE,
    "/api/v1/approvals/{number}/approval": Permission.APPROVALS_REQUEST_APPROVE,
    "/api/v1/approvals/{number}/end": Permission.APPROVALS_REQUEST_CREATE,
    "/api/v1/approvals/{number}/refusal": Permission.APPROVALS_REQUEST_CREATE,
    "/api/v1/approvals/{number}/withdrawal": Permission.APPROVALS_REQUEST_CREATE,
    "/api/v1/cases/{number}/confirmation": Permission.CASES_CASE_CLOSE,
    "/api/v1/cases/{number}/disposition": Permission.CASES_CASE_CLOSE,
    "/api/v1/cases/{number}/reopening": Permission.CASES_CASE_CLOSE,
    "/api/v1/emergencies": Permission.EMERGENCIES_EMERGENCY_DECLARE,
    "/api/v1/emergencies/{number}/end": Permission.EMERGENCIES_EMERGENCY_DECLARE,
    "/api/v1/emergencies/{number}/review": Permission.EMERGENCIES_EMERGENCY_REVIEW,
    "/api/v1/media": Permission.MEDIA_MEDIUM_REGISTER,
    "/api/v1/media/steps": Permission.MEDIA_MEDIUM_HANDLE,
    "/api/v1/rights/applications": Permission.RIGHTS_APPLICATION_CREATE,
    "/api/v1/rights/applications/{number}/approval": Permission.RIGHTS_APPLICATION_APPROVE,
    "/api/v1/rights/applications/{number}/refusal": Permission.RIGHTS_APPLICATION_CREATE,
    "/api/v1/rights/applications/{number}/withdrawal": Permission.RIGHTS_APPLICATION_CREATE,
    "/api/v1/rights/approvals": Permission.RIGHTS_APPLICATION_APPROVE,
    "/api/v1/rights/batches": Permission.RIGHTS_APPLICATION_CREATE,
    "/api/v1/rights/delegations": Permission.RIGHTS_APPLICATION_APPROVE,
    "/api/v1/rights/delegations/{number}/end": Permission.RIGHTS_APPLICATION_CREATE,
    "/api/v1/rights/held/{number}/revocation": Permission.RIGHTS_APPLICATION_CREATE,
    "/api/v1/tuning/exceptions": Permission.DETECTORS_DETECTOR_TUNE,
    "/api/v1/tuning/parameters": Permission.DETECTORS_DETECTOR_TUNE,
    "/api/v1/tuning/previews/{number}/proposal": Permission.DETECTORS_DETECTOR_TUNE,
    "/api/v1/tuning/changes/{number}/confirmation": Permission.DETECTORS_DETECTOR_TUNE,
    "/api/v1/tuning/changes/{number}/end": Permission.DETECTORS_CHANGE_END,
}
"""The same as JSON."""
PERSONAL = {"/api/v1/rights/applications/{number}"}
"""What is there only for those it concerns: see `test_E15_what_concerns_others_is_not_there`."""
ENDING = {"/lock": Permission.SELF_SESSION_END, "/account/sign-out-everywhere": Permission.SELF_SESSION_END}
"""The same, but after them the session is locked or over."""


def _permissions(dependant: Dependant) -> set[Permission]:
    named: Permission | None = getattr(dependant.call, "permission", None)
    own = {named} if named else set()
    return own.union(*(_permissions(child) for child in dependant.dependencies))


def _scopes(dependant: Dependant) -> set[Scope]:
    named: Scope | None = getattr(dependant.call, "scope", None)
    own = {named} if isinstance(named, Scope) else set()
    return own.union(*(_scopes(child) for child in dependant.dependencies))


def guarded(app: FastAPI) -> dict[str, Permission]:
    """The routes that name a permission; every other one must be open on purpose."""
    found: dict[str, Permission] = {}
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        named = _permissions(dependant) if dependant else set()
        if dependant and _scopes(dependant):
            assert not named, f"{route.path} is for machines and asks for {named}"
            assert route.path in MACHINES or route.methods == {"POST"}
        elif route.path in OPEN_PATHS | WITHOUT_PEOPLE:
            assert not named, f"{route.path} is listed as open and asks for {named}"
        else:
            assert len(named) == 1, f"{route.path} names {named or 'no permission'}"
            if route.methods != {"GET"}:
                assert dependant
                if any(child.call is whole_json for child in dependant.dependencies):
                    assert JSON_ACTS.get(str(route.path)) in named, f"{route.path}: an act without an example here"
                    continue
                assert any(child.call is whole_form for child in dependant.dependencies), f"{route.path}: WholeForm"
                assert (FORMS | ENDING).get(str(route.path)) in named, f"{route.path}: a form without an example here"
                continue
            found[str(route.path)] = named.pop()
    return found


@pytest.fixture
def routes(house: House) -> dict[str, Permission]:
    return guarded(create_app(house.installation, schedule=False))


@pytest.fixture
def places(house: House, routes: dict[str, Permission]) -> dict[str, Permission]:
    assert routes.keys() == PLACES.keys() | PERSONAL, "a route without an example here, or the other way round"
    return {house.place(PLACES[path]): needed for path, needed in routes.items() if path in PLACES}


def is_safe(answer: httpx.Response) -> bool:
    """Whether an answer has every security header, may run no foreign script, and is not kept."""
    policy = answer.headers["content-security-policy"]
    assert set(answer.headers) >= HEADERS
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    return bool(answer.headers["cache-control"] == "no-store")


def test_open_paths_exist(house: House) -> None:
    paths = {route.path for route in iter_route_contexts(create_app(house.installation, schedule=False).routes)}
    assert paths >= OPEN_PATHS | WITHOUT_PEOPLE | MACHINES


def test_a_route_without_permission_is_noticed(house: House) -> None:
    app = create_app(house.installation, schedule=False)
    app.add_api_route("/forgotten", lambda: None)
    with pytest.raises(AssertionError, match="/forgotten names no permission"):
        guarded(app)


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_what_it_holds(house: House, places: dict[str, Permission], role: Role) -> None:
    browser = house.signed_in(role)
    for place, needed in places.items():
        before = house.own_events()
        answer = browser.get(place)
        assert is_safe(answer)
        recorded = house.last_act()
        assert house.own_events() == before + 1, place
        assert recorded["actor"]["id"] == house.staff[role].login_id
        assert recorded["terminal"]["ip"] == "127.0.0.1"
        if needed in ROLE_PERMISSIONS[role]:
            assert answer.status_code == 200, place
            assert recorded["outcome"] == "success"
        else:
            assert answer.status_code == 403, place
            assert recorded["operation_name"] == "permission.denied"
            assert "s0411" not in answer.text.replace("actor=s0411", "")


@pytest.mark.parametrize("role", Role)
def test_each_role_may_send_the_forms_it_may(house: House, role: Role) -> None:
    browser = house.signed_in(role)
    csrf, before = csrf_of(browser.get("/nowhere")), len(house.installation.machines.listing(SOURCE))
    for path, needed in FORMS.items():
        place = path.format(source=SOURCE, login_id="nobody-here", number="none")
        assert browser.post(place, data={"csrf": token()}).status_code == 403
        answer = browser.post(place, data={"csrf": csrf, "code": "0", "days": "1"})
        assert is_safe(answer)
        assert (answer.status_code == 403) == (needed not in ROLE_PERMISSIONS[role]), (place, answer.status_code)
        if answer.status_code == 403:
            assert house.last_act()["operation_name"] == "permission.denied"
        anybody = house.browser()
        form = {"csrf": csrf_of(anybody.get("/sign-in"))}
        assert anybody.post(place, data=form).headers["location"] == "/sign-in"
    assert len(house.installation.machines.listing(SOURCE)) == before


@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_as_json_what_it_may(house: House, role: Role) -> None:
    browser, anybody = house.signed_in(role), house.browser()
    for path, needed in JSON_ACTS.items():
        place = path.format(number="none")
        assert anybody.post(place, json={"unknown": 1}).status_code == 401
        answer = browser.post(place, json={"unknown": 1})
        assert is_safe(answer)
        assert answer.status_code == (422 if needed in ROLE_PERMISSIONS[role] else 403), place


def test_nobody_gets_anything(house: House, places: dict[str, Permission]) -> None:
    browser = house.browser()
    for cookies in ({}, {"mimamori": "x" * 43}):
        browser.cookies.update(cookies)
        for place in places:
            answer = browser.get(place)
            assert is_safe(answer)
            if place.startswith("/api/"):
                assert answer.status_code == 401
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["status"] == 401
            else:
                assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
                assert not answer.content


def test_the_open_ones_answer_anybody(house: House) -> None:
    browser = house.browser()
    assert browser.get("/").headers["location"] == "/sign-in"
    assert browser.get("/healthz").json() == browser.get("/readyz").json() == {"status": "ok"}
    assert browser.get("/openapi.json").json()["openapi"].startswith("3.1")
    for place in ("/", "/sign-in", "/healthz", "/openapi.json", "/enrol/none", "/nowhere"):
        assert is_safe(browser.get(place)), place
    for asset in ("/static/app.css", "/static/board.js", "/static/mark.svg", "/static/plotly.min.js"):
        answer = browser.get(asset)
        assert answer.status_code == 200
        assert set(answer.headers) >= HEADERS
    assert browser.get("/static/../templates/base.html").status_code == 404
    assert browser.get("/static/%2e%2e/pages.py").status_code == 404


@pytest.mark.parametrize(
    ("role", "page"),
    [(Role.SECURITY_ADMINISTRATOR, "/alerts"), (Role.AUDITOR, "/alerts"), (Role.MANAGER, "/board"),
     (Role.ADMINISTRATOR, "/board")],
)  # fmt: skip
def test_everybody_lands_on_a_page_of_theirs(house: House, role: Role, page: str) -> None:
    browser = house.signed_in(role)
    assert browser.get("/").headers["location"] == page
    assert browser.get(page).status_code == 200
    assert browser.get("/sign-in").status_code == 303


def test_what_is_not_there(house: House) -> None:
    browser = house.signed_in(Role.AUDITOR)
    pages = (
        "/alerts/f-0",
        "/alerts/%00",
        f"/events/{SOURCE}/none",
        "/sources/none",
        "/sources/%00",
        "/events/none/e/1",
        "/events/x/%00",
        "/board/x.csv",
        "/detectors/none",
        "/detectors/none/findings.csv",
        "/detectors/scorecards?card=../state",
        "/detectors/scorecards/none/goals.csv",
    )
    for place in (*pages, "/nothing"):
        answer = browser.get(place)
        assert answer.status_code == 404, place
        assert is_safe(answer)
    for place in ("/api/v1/alerts/f-0", "/api/v1/nothing"):
        answer = browser.get(place)
        assert answer.status_code == 404, place
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["title"] == "Not found"
    assert browser.post("/alerts").status_code == 405


def test_no_look_without_its_record(
    house: House, places: dict[str, Permission], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail closed: while the log cannot be written, nothing is shown."""
    browser = house.signed_in(Role.AUDITOR)

    def full(*_: object) -> None:
        raise StoreUnavailableError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(house.installation.log, "record", full)
        for place in places:
            answer = browser.get(place)
            assert answer.status_code == 503, place
            assert is_safe(answer)
            shown = answer.text.replace(place, "").replace(place.replace("&", "&amp;"), "")
            assert not any(word in shown for word in ("s041", "e/1", "disk full", house.alert, "<table")), place
        assert browser.get("/readyz").status_code == 200
        broken.setattr(house.installation.log, "ping", full)
        assert browser.get("/readyz").status_code == 503
    with monkeypatch.context() as broken:
        broken.setattr(house.installation.spool, "trouble", lambda: "inbox is full")
        assert browser.get("/readyz").json() == {"status": "inbox is full"}
        assert browser.get("/readyz").status_code == 503
    assert browser.get("/alerts").status_code == 200


def test_a_defect_of_ours_says_nothing_and_is_still_safe(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = house.signed_in(Role.AUDITOR)

    def broken(*_: object, **__: object) -> None:
        raise LookupError("a detail of the inside")

    with monkeypatch.context() as patched:
        patched.setattr(house.installation.log, "search", broken)
        answer = browser.get("/events", headers={"connection": "close"})
        problem = browser.get("/api/v1/events")
    assert answer.status_code == problem.status_code == 500
    assert is_safe(answer)
    assert problem.headers["content-type"] == "application/problem+json"
    assert "inside" not in answer.text + problem.text
