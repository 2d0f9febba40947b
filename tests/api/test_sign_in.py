"""Signing in and out through HTTP: both steps, what is refused, and what the browser is left with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from house import PASSWORD, House, User, csrf_of, ticket_of, token

from api.app import create_app
from audit.access import AccessService, Role, opening, throttle
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
    (last,) = house.installation.log.search(Filter(sources=(OWN_SOURCE,)), limit=1).events
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
        assert house.signed_in(user).cookies["mimamori"] != kept  # it takes the other over
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


NEW = "new.person"


def _enrol(house: House, browser: httpx.Client, link: str, **changed: str) -> httpx.Response:
    page = browser.get(link)
    assert page.status_code == 200, page.text
    secret = "".join(page.text.split('class="secret"')[1].split("</code>")[0].split("<span>")[1:])
    user = User(NEW, secret.replace("</span>", "").replace(" ", ""))
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
        NEW, display_name="新しい人", roles=frozenset({Role.MANAGER}), by=viewer
    )
    browser = house.browser()
    assert _enrol(house, browser, link, password_again="other words 42").status_code == 422
    assert _enrol(house, browser, link, code="000000").status_code == 422
    assert _enrol(house, browser, link, login_id="somebody.else").status_code == 422
    short = _enrol(house, browser, link, password="short", password_again="short")
    assert short.status_code == 422
    assert 'value="short"' not in short.text, "a password is never sent back"
    used = _enrol(house, browser, link)
    assert used.status_code == 200
    assert used.text.count('<li class="code">') == 10, "the recovery codes, this once"
    assert browser.get(link).status_code == 410
    form = {"csrf": csrf_of(browser.get("/sign-in")), "password": PASSWORD, "password_again": PASSWORD}
    assert browser.post(link, data=form).status_code == 410
    assert browser.get(f"/enrol/{token()}").status_code == 410
    assert browser.get("/enrol/%00").status_code == 410


BACK = ("/alerts", "/events?actor=s1&hour=3", "https://records.example:8443/search?q=1")
AWAY = (
    "https://evil.example/", "//evil.example", "/\\evil.example", "https://records.example/", "http://records.example:8443/",
    "https://records.example:8443.evil.example/", "https://evil@records.example:8443/", "javascript:alert(1)", "https://[",
    "/a\r\nset-cookie: x=y", "/\tx",
)  # fmt: skip


@pytest.mark.parametrize("place", [*BACK, *AWAY])
def test_sign_in_and_step_up_lead_back_where_they_may(house: House, place: str) -> None:
    user, browser = house.user(Role.AUDITOR), house.browser()
    allowed = place in BACK
    origins = "https://records.example:8443"
    with _settings(house, return_origins=origins):
        page = browser.get("/sign-in", params={"next": place, "acr": "nonsense"})
        form = {"login_id": user.login_id, "password": PASSWORD, "csrf": csrf_of(page), "next": place}
        page = browser.post("/sign-in", data=form)
        form = {"ticket": ticket_of(page), "code": house.code(user), "csrf": csrf_of(page), "next": place}
        done = browser.post("/sign-in/second-factor", data=form)
        _leads(done, place if allowed else "/")
        house.clock.advance(timedelta(seconds=30))
        page = browser.get("/step-up", params={"next": place})
        assert page.status_code == 200
        form = {"code": house.code(user), "csrf": csrf_of(page), "next": place}
        _leads(browser.post("/step-up", data=form), place if allowed else "/")
        again = browser.get("/sign-in", params={"next": place})
        assert again.status_code in {200, 302, 303}
        assert "evil" not in again.headers.get("location", "")


@contextmanager
def _settings(house: House, **changed: str) -> Iterator[None]:
    before = house.installation.settings
    object.__setattr__(house.installation, "settings", before.model_copy(update=changed))
    try:
        yield
    finally:
        object.__setattr__(house.installation, "settings", before)


def _leads(done: httpx.Response, place: str) -> None:
    """A path of ours at once; another origin by a page of ours, for forms may not lead away."""
    if place.startswith("/"):
        assert (done.status_code, done.headers["location"]) == (303, place)
    else:
        assert done.status_code == 200
        assert place in done.text
        assert "evil" not in done.text
    assert "mimamori" in str(done.headers.get_list("set-cookie"))


def test_a_strength_that_nobody_here_reaches_is_said_plainly(house: House) -> None:
    user, browser = house.user(Role.AUDITOR), house.browser()
    for acr, words in (("uv", "セキュリティキーが登録されていない"), ("bio", "生体認証つきのキーが登録されていない")):
        page = browser.get("/sign-in", params={"acr": acr})
        form = {"login_id": user.login_id, "password": PASSWORD, "csrf": csrf_of(page), "acr": acr}
        page = browser.post("/sign-in", data=form)
        assert words in page.text
        assert 'name="code"' not in page.text
    browser = house.signed_in(user)
    assert "セキュリティキーが登録されていない" in browser.get("/step-up?acr=uv&next=/alerts").text
    assert 'name="code"' in browser.get("/step-up?acr=mfa-otp&next=/alerts").text


def test_every_way_in_ends_at_one_door(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """ASVS 6.3.4: shut that door, and no route of all gives a session's cookie."""

    class ShutError(Exception):
        pass

    def shut(*_: object, **__: object) -> None:
        raise ShutError

    user, browser = house.user(Role.SECURITY_ADMINISTRATOR), house.browser()
    browser.headers["connection"] = "close"  # what a defect of ours closes is not used again
    with monkeypatch.context() as patched:
        patched.setattr(AccessService, "_open_session", shut)
        page = house.password_step(browser, user)
        assert house.code_step(browser, page, house.code(user)).status_code == 500
        csrf = csrf_of(browser.get("/sign-in"))
        for route in iter_route_contexts(create_app(house.installation, schedule=False).routes):
            for method in (route.methods or set()) - {"HEAD", "OPTIONS"}:
                if "{" in str(route.path) or str(route.path).startswith("/static"):
                    continue
                form = {"csrf": csrf, "ticket": ticket_of(page), "response": "{}", "choice": "take_over"}
                answer = browser.request(method, str(route.path), data=form if method == "POST" else None)
                assert not any(
                    cookie.startswith("mimamori=") and not cookie.startswith('mimamori=""')
                    for cookie in answer.headers.get_list("set-cookie")
                ), route.path
    source = Path(opening.__file__).read_text("utf-8")
    assert source.count("SessionRow(\n") == 1
    others = {path for path in Path(opening.__file__).parent.rglob("*.py") if path.stem not in {"opening", "tables"}}
    assert not any("SessionRow(" in path.read_text("utf-8") for path in others)


def test_a_locked_session_is_led_to_its_lock_and_back(house: House) -> None:
    user = house.user(Role.AUDITOR)
    browser = house.signed_in(user)
    house.clock.advance(timedelta(minutes=5))
    away = browser.get("/events?actor=s0411")
    assert (away.status_code, away.headers["location"]) == (303, "/locked?next=%2Fevents%3Factor%3Ds0411")
    assert browser.get("/api/v1/events").status_code == 401
    page = browser.get(away.headers["location"])
    assert "<table" not in page.text
    wrong = browser.post("/locked", data={"csrf": csrf_of(page), "code": "000000", "next": "/events?actor=s0411"})
    assert wrong.status_code == 401
    form = {"csrf": csrf_of(page), "code": house.code(user), "next": "/events?actor=s0411"}
    opened = browser.post("/locked", data=form)
    assert (opened.status_code, opened.headers["location"]) == (303, "/events?actor=s0411")
    assert browser.get("/events?actor=s0411").status_code == 200
    names = _names(house, user)
    assert {"session.locked_idle", "unlock.code_wrong", "session.unlocked"} <= set(names)
    assert browser.get("/locked").headers["location"] == "/"
    assert house.browser().get("/locked").headers["location"] == "/sign-in"
    assert house.browser().post("/locked/options", data={"csrf": "x"}).status_code == 403


def test_beginnings_by_key_beyond_the_limit_are_told_when_to_come_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "BEGINNINGS", replace(throttle.BEGINNINGS, failures=2))
    browser = house.browser("127.0.0.7")
    form = {"csrf": csrf_of(browser.get("/sign-in"))}
    assert [browser.post("/sign-in/key/options", data=form).status_code for _ in range(2)] == [200, 200]
    assert house.last_act()["operation_name"] == "sign_in.many_beginnings"
    refused = browser.post("/sign-in/key/options", data=form)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "300")
    assert refused.json()["text"].startswith("試行が多すぎます")


def test_a_session_of_a_registered_terminal_stays_there(house: House) -> None:
    user = house.user(Role.AUDITOR)
    feed = b"terminal_id,org_unit,site,kind,ip_range\nT-9,audit,main,desk,127.0.0.9\n"
    house.installation.context.import_feed("terminals", feed)
    browser = house.signed_in(user, "127.0.0.9")
    assert browser.get("/alerts").status_code == 200
    thief = house.browser("127.0.0.8", cookies={"mimamori": browser.cookies["mimamori"]})
    assert thief.get("/alerts").headers["location"] == "/sign-in"
    assert house.last_act()["operation_name"] == "session.other_address"
    assert browser.get("/alerts").status_code == 200
