"""Signing in and out through HTTP: both steps, what is refused, and what the browser is left with."""

from datetime import timedelta

import httpx
import pytest
from house import PASSWORD, House, User, csrf_of, ticket_of, token

from audit.access import Role
from audit.log import OWN_SOURCE, Filter
from audit.store.errors import StoreUnavailableError


def _names(house: House, user: User) -> list[str]:
    events = house.installation.log.each(Filter(sources=(OWN_SOURCE,), actors=(user.login_id,)))
    return [event.text("operation_name") for event in events]


def test_both_steps_open_a_session(house: House) -> None:
    user = house.user(Role.AUDITOR)
    browser = house.browser()
    fixed = token()
    browser.cookies.set("mimamori", fixed)
    assert browser.get("/alerts").status_code == 303
    page = house.password_step(browser, user)
    assert page.status_code == 200
    assert browser.get("/alerts").status_code == 303, "the password alone opens nothing"
    done = house.code_step(browser, page, house.code(user))
    assert done.status_code == 303
    (cookie,) = done.headers.get_list("set-cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert fixed not in cookie, "a session fixed beforehand must not be taken over"
    browser.cookies.delete("mimamori", domain="")
    assert browser.get("/alerts").status_code == 200
    last = house.installation.log.own_last()
    assert last.text("operation_name") == "alerts.search"
    assert last.text("terminal_ip") == "127.0.0.1"


@pytest.mark.parametrize("ending", ["sign-out", "idle", "newer sign-in"])
def test_an_ended_session_stays_ended(house: House, ending: str) -> None:
    user = house.user(Role.AUDITOR)
    browser = house.signed_in(user)
    page = browser.get("/alerts")
    kept = browser.cookies["mimamori"]
    if ending == "sign-out":
        out = browser.post("/sign-out", data={"csrf": csrf_of(page)})
        assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
        assert "clear-site-data" in out.headers
        assert "mimamori" not in browser.cookies
    elif ending == "idle":
        house.clock.advance(timedelta(minutes=15))
    else:
        assert house.signed_in(user).cookies["mimamori"] != kept
    again = house.browser(cookies={"mimamori": kept})
    assert again.get("/alerts").headers["location"] == "/sign-in"
    assert again.get("/api/v1/alerts").status_code == 401


def test_refusals_look_alike(house: House) -> None:
    user, browser = house.user(Role.AUDITOR), house.browser()
    wrong = house.password_step(browser, user, "wrong password 42")
    unknown = house.password_step(browser, User("nobody-here", user.secret))
    strange = house.password_step(browser, User("' OR 1=1 --", user.secret), "\x00\ud7ff")
    assert wrong.status_code == unknown.status_code == strange.status_code == 401
    assert wrong.text == unknown.text == strange.text
    house.clock.advance(timedelta(seconds=30))
    page = house.password_step(browser, user)
    for code in ("000000", "", "abc", "9" * 5000, "١٢٣٤٥٦"):
        assert house.code_step(browser, page, code).status_code == 401
        house.clock.advance(timedelta(minutes=15))
        page = house.password_step(browser, user)
    assert "mimamori" not in browser.cookies


def test_a_code_and_a_ticket_are_good_once(house: House) -> None:
    user, browser, winner = house.user(Role.AUDITOR), house.browser(), house.browser()
    first, second = house.password_step(winner, user), house.password_step(browser, user)
    code = house.code(user)
    assert house.code_step(winner, first, code).status_code == 303
    assert house.code_step(browser, second, code).status_code == 401
    house.clock.advance(timedelta(seconds=30))
    assert house.code_step(winner, first, house.code(user)).status_code == 401
    house.clock.advance(timedelta(minutes=3))
    assert house.code_step(browser, second, house.code(user)).status_code == 401
    # A ticket belongs to the place where it was given.
    house.clock.advance(timedelta(seconds=30))
    here = house.password_step(browser, user)
    elsewhere = house.browser("127.0.0.3")
    form = {"ticket": ticket_of(here), "code": house.code(user), "csrf": csrf_of(elsewhere.get("/sign-in"))}
    assert elsewhere.post("/sign-in/second-factor", data=form).status_code == 401


def test_guessing_is_stopped_and_the_owner_elsewhere_is_not(house: House) -> None:
    user = house.user(Role.AUDITOR)
    guesser = house.browser("127.0.0.4")
    answers = [house.password_step(guesser, user, f"guess number {n}").status_code for n in range(6)]
    assert answers == [401] * 5 + [429]
    spoofed = {"x-forwarded-for": "10.9.9.9", "forwarded": "for=10.9.9.9"}
    guesser.headers.update(spoofed)
    throttled = house.password_step(guesser, user)
    assert throttled.status_code == 429, "even the right password, and whatever address is claimed"
    assert 1 <= int(throttled.headers["retry-after"]) <= 900
    assert house.signed_in(user, "127.0.0.5").get("/alerts").status_code == 200
    assert _names(house, user).count("sign_in.throttled") == 2
    events = house.installation.log.each(Filter(sources=(OWN_SOURCE,), actors=(user.login_id,)))
    assert {event.text("terminal_ip") for event in events} <= {"127.0.0.4", "127.0.0.5", ""}


def test_no_session_while_the_log_is_down(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    user, browser = house.user(Role.AUDITOR), house.browser()
    page = house.password_step(browser, user)

    def full(*_: object) -> None:
        raise StoreUnavailableError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(house.installation.log, "record", full)
        assert house.code_step(browser, page, house.code(user)).status_code == 503
        assert house.password_step(browser, user).status_code == 503
    assert "mimamori" not in browser.cookies


def _enrol(house: House, browser: httpx.Client, link: str, **changed: str) -> httpx.Response:
    page = browser.get(link)
    assert page.status_code == 200, page.text
    secret = "".join(page.text.split('class="secret"')[1].split("</code>")[0].split("<span>")[1:])
    user = User("new.person", secret.replace("</span>", "").replace(" ", ""))
    form = {
        "login_id": user.login_id,
        "display_name": "新しい人",
        "password": PASSWORD,
        "password_again": PASSWORD,
        "code": house.code(user),
        "csrf": csrf_of(page),
    }
    return browser.post(link, data=form | changed)


def test_a_one_time_link_is_used_once(house: House) -> None:
    by = house.signed_in(Role.SECURITY_ADMINISTRATOR)
    viewer = house.installation.access.authenticate(by.cookies["mimamori"])
    assert viewer is not None
    link = "/enrol/" + house.installation.access.create_enrolment_link(
        "new.person", display_name="新しい人", roles=frozenset({Role.MANAGER}), by=viewer
    )
    browser = house.browser()
    assert _enrol(house, browser, link, password_again="other words 42").status_code == 422
    assert _enrol(house, browser, link, code="000000").status_code == 422
    assert _enrol(house, browser, link, login_id="somebody.else").status_code == 422
    short = _enrol(house, browser, link, password="short", password_again="short")
    assert short.status_code == 422
    assert 'value="short"' not in short.text, "a password is never sent back"
    used = _enrol(house, browser, link)
    assert (used.status_code, used.headers["location"]) == (303, "/sign-in")
    assert browser.get(link).status_code == 410
    form = {"csrf": csrf_of(browser.get("/sign-in")), "password": PASSWORD, "password_again": PASSWORD}
    assert browser.post(link, data=form).status_code == 410
    assert browser.get(f"/enrol/{token()}").status_code == 410
    assert browser.get("/enrol/%00").status_code == 410
