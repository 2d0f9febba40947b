"""Every route, for every role, in every state that is no live session: nothing is shown, nothing is done."""

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from house import SOURCE, House, User, csrf_of

from audit.access import Role

sys.path.insert(0, str(Path(__file__).parent))

from test_routes import ENDING, FORMS, JSON_ACTS, PLACES, is_safe

State = Callable[[House, User, httpx.Client], None]


def _locked(house: House, _user: User, browser: httpx.Client) -> None:
    house.clock.advance(timedelta(minutes=5, seconds=1))
    assert browser.get("/account").headers["location"].startswith("/locked")


def _idle(house: House, _user: User, _browser: httpx.Client) -> None:
    house.clock.advance(timedelta(minutes=15, seconds=1))


def _clock_back(house: House, _user: User, _browser: httpx.Client) -> None:
    house.clock.advance(timedelta(seconds=-30))


def _disabled(house: House, user: User, _browser: httpx.Client) -> None:
    admin = house.signed_in(Role.SECURITY_ADMINISTRATOR)
    form = {"csrf": csrf_of(admin.get("/users"))}
    assert admin.post(f"/users/{user.login_id}/disable", data=form).status_code == 303


def _left(house: House, user: User, _browser: httpx.Client) -> None:
    """The directory knows the person, and that the last post ended yesterday."""
    day = (house.clock.now() - timedelta(days=1)).date()
    feed = f"staff_id,org_unit,valid_from,valid_to\n{user.login_id},hoken,2026-04-01,{day}\n"
    house.installation.context.import_feed("staff", feed.encode())


def _signed_out(_house: House, _user: User, browser: httpx.Client) -> None:
    token = browser.cookies["mimamori"]
    assert browser.post("/sign-out", data={"csrf": csrf_of(browser.get("/account"))}).status_code == 303
    browser.cookies.set("mimamori", token)


STATES = {
    "locked": _locked,
    "idle": _idle,
    "clock back": _clock_back,
    "disabled": _disabled,
    "left": _left,
    "signed out": _signed_out,
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", Role)
def test_without_a_live_session_every_route_is_shut(house: House, role: Role, state: str) -> None:
    user = house.user(role)
    browser = house.signed_in(user)
    csrf = csrf_of(browser.get("/account"))
    STATES[state](house, user, browser)
    size = house.installation.log.size
    named = {"source": SOURCE, "login_id": "nobody-here", "number": "none"}
    for place in PLACES.values():
        answer = browser.get(house.place(place))
        _shut(answer, place, state, as_json=place.startswith("/api/"))
    for path in FORMS | ENDING:
        if path in {"/step-up", "/step-up/options"} and state == "locked":
            continue  # this is how one unlocks
        _shut(browser.post(path.format(**named), data={"csrf": csrf}), path, state, as_json=False)
    for path in JSON_ACTS:
        _shut(browser.post(path.format(**named), json={}), path, state, as_json=True)
    assert house.installation.log.size <= size + 1, "beside the end of the session nothing happened"


def _shut(answer: httpx.Response, place: str, state: str, *, as_json: bool) -> None:
    assert is_safe(answer), place
    if as_json:
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), place
    else:
        leads_to = "/locked" if state == "locked" else "/sign-in"
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, leads_to), place
        assert not answer.content
