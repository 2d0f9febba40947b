"""The town's own product as a verifier, over HTTP: another installation of ours stands for it, with its own people."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import uvicorn
from argon2.profiles import CHEAPEST
from fastapi.testclient import TestClient
from house import PASSWORD, SOURCE, House, User, csrf_of, ticket_of

from api.app import create_app
from api.cli.serving import server_config
from api.installation import open_installation
from api.settings import Settings
from audit.access import Passwords, Role
from audit.access.federation import load_verifiers
from audit.access.machines import MachineRules
from audit.access.sso import System

HERE = "mimamori-here"
PASSWORD_THERE = "夕立 correct staple 42"
CONFIG = """
[palm]
name_ja = "手のひら静脈"
name_en = "Palm vein"
issuer = "{issuer}"
client_id = "{client_id}"
secret_file = "palm.secret"
staff_ids = "user-[0-9]+"
[palm.acr]
mfa-otp = ["palm_vein"]
"""


@dataclass
class Palm:
    """The product, and the town's side of it."""

    product: House
    house: House

    def person(self, *roles: Role) -> tuple[User, User]:
        """Somebody known here and there under one staff id."""
        here = self.house.user(*roles or (Role.STAFF,))
        there = User(here.login_id, here.secret)
        access = self.product.installation.access
        access.create_account(there.login_id, "見本", frozenset({Role.STAFF}), PASSWORD_THERE, there.secret)
        return here, there

    def set_out(self, browser: httpx.Client, place: str = "/account", **form: str) -> str:
        page = browser.get("/sign-in") if "mimamori" not in browser.cookies else browser.get("/nowhere")
        answer = browser.post("/verify/palm/start", data={"csrf": csrf_of(page), "next": place} | form)
        assert answer.status_code == 200, answer.text
        cookie = next(each for each in answer.headers.get_list("set-cookie") if "verify" in each)
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()
        url = unescape(answer.text.partition('content="0; url=')[2].partition('"')[0])
        assert url.startswith(self.product.address), url
        return url

    def palm(self, url: str, there: User) -> str:
        """The person holds a palm over it; where the product sends them back to."""
        self.clock_on()
        browser = self.product.browser()
        first = browser.get(url.removeprefix(self.product.address))
        (onward,) = parse_qs(urlsplit(first.headers["location"]).query)["next"]
        page = self.product.password_step(browser, there, PASSWORD_THERE)
        done = self.product.code_step(browser, page, self.product.code(there))
        if "take_over" in done.text:  # they were here before
            form = {"ticket": ticket_of(done), "choice": "take_over", "csrf": csrf_of(done)}
            done = browser.post("/sign-in/second-session", data=form)
        assert done.status_code == 303, done.text
        back = browser.get(onward)
        assert back.status_code == 302, back.text
        return str(back.headers["location"]).removeprefix(self.house.address)

    def clock_on(self) -> None:
        self.house.clock.advance(timedelta(seconds=30))  # both look at the same clock


@pytest.fixture(scope="module")
def product(engine_path: Path, the_house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data = tmp_path_factory.mktemp("product")
    settings = Settings(data=data, events_path=engine_path, clickhouse_database="product")
    with open_installation(settings, the_house.clock) as installation:
        installation.access._passwords = Passwords(CHEAPEST)
        app = create_app(installation, schedule=False)
        server = uvicorn.Server(server_config(app, settings.model_copy(update={"port": 0})))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            address = f"http://127.0.0.1:{port}"
            installation.machines.rules = MachineRules(issuer=address, basic=True)
            with ExitStack() as opened:
                yield House(installation, the_house.clock, address, open=opened)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def palm(house: House, product: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Palm:
    monkeypatch.setattr(house.installation.machines, "rules", MachineRules(issuer=house.address, basic=True))
    callback = f"{house.address}/verify/palm/callback"
    product.installation.sso.register(System(source=HERE, redirect_uris=(callback,)), by="test")
    made = product.installation.machines.register(HERE)
    (tmp_path / "palm.secret").write_text(made.client_secret)
    path = tmp_path / "verifiers.toml"
    path.write_text(CONFIG.format(issuer=product.address, client_id=made.client_id))
    monkeypatch.setattr(house.installation.federation, "_verifiers", load_verifiers(path))
    return Palm(product, house)


def test_a_palm_signs_its_owner_in(palm: Palm) -> None:
    here, there = palm.person()
    browser = palm.house.browser()
    back = palm.palm(palm.set_out(browser), there)
    done = browser.get(back)
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    opened = palm.house.last_act()
    assert opened["operation_name"] == "sign_in.completed"
    assert opened["actor"]["id"] == here.login_id
    assert opened["auth"] == {"factors": ["palm_vein"], "user_verified": True, "authenticator": "oidc:palm"}
    live = palm.house.installation.access.live_session(here.login_id)
    assert live is not None
    assert live.proof.acr == "bio"
    again = browser.get(back)
    assert again.status_code == 400, "an answer is good once"
    assert "最初からやり直して" in again.text


def test_a_palm_steps_a_session_up_and_the_system_gets_what_it_asked_for(palm: Palm) -> None:
    here, there = palm.person()
    browser = palm.house.signed_in(here)
    before = browser.cookies["mimamori"]
    done = browser.get(palm.palm(palm.set_out(browser, "/account?x=1"), there))
    assert (done.status_code, done.headers["location"]) == (303, "/account?x=1")
    assert browser.cookies["mimamori"] != before
    live = palm.house.installation.access.live_session(here.login_id)
    assert live is not None
    assert live.proof.factors == {"password", "totp", "palm_vein"}
    assert palm.house.last_act()["operation_name"] == "step_up.completed"


def test_s23_a_system_that_asks_for_a_biometric_gets_it_from_the_palm(palm: Palm) -> None:
    """Three servers: the records service asks for `bio`, the session is too weak, the product confirms, and back."""
    house, sso = palm.house, palm.house.installation.sso
    back = "https://records.example.lg.jp/callback"
    sso.register(System(source=SOURCE, redirect_uris=(back,)), by="test")
    asked = {
        "response_type": "code", "redirect_uri": back, "scope": "openid", "state": "s", "nonce": "n",
        "client_id": house.installation.machines.register(SOURCE).client_id, "acr_values": "bio", "prompt": "login",
        "code_challenge": "c" * 43, "code_challenge_method": "S256",
    }  # fmt: skip
    here, there = palm.person()
    browser = house.signed_in(here)
    palm.clock_on()
    weak = urlsplit(browser.get(f"/oauth2/authorize?{urlencode(asked)}").headers["location"])
    wanted = parse_qs(weak.query)
    assert (weak.path, wanted["acr"]) == ("/step-up", ["bio"])
    strong = browser.get(palm.palm(palm.set_out(browser, wanted["next"][0]), there))
    assert strong.headers["location"] == wanted["next"][0]
    done = browser.get(strong.headers["location"])
    assert done.headers["location"].startswith(f"{back}?code=")
    told = house.last_act()
    assert (told["operation_name"], told["unmapped"]["acr"]) == ("sso.authorized", "bio")
    assert told["auth"]["factors"] == ["palm_vein", "password", "totp"]
    sso.remove(SOURCE, by="test")


def test_nobody_steps_up_another_s_session(palm: Palm) -> None:
    (here, _), (_, other) = palm.person(), palm.person()
    browser = palm.house.signed_in(here)
    refused = browser.get(palm.palm(palm.set_out(browser), other))
    assert refused.status_code == 400
    live = palm.house.installation.access.live_session(here.login_id)
    assert live is not None
    assert live.proof.acr == "mfa-otp"
    url = palm.set_out(browser)
    browser.post("/sign-out", data={"csrf": csrf_of(browser.get("/nowhere"))})
    assert browser.get(palm.palm(url, palm.person()[1])).status_code == 400, "its session has ended"


def test_an_answer_opens_nothing_in_another_browser(palm: Palm) -> None:
    _, there = palm.person()
    back = palm.palm(palm.set_out(palm.house.browser()), there)
    thief = palm.house.browser()
    assert thief.get(back).status_code == 400
    palm.set_out(thief)
    assert thief.get(back).status_code == 400
    assert "mimamori" not in thief.cookies
    assert thief.get(back + "&state=x").status_code == 400


def test_it_can_name_nobody_that_the_town_does_not_let_it_and_nobody_unknown(palm: Palm) -> None:
    here, there = palm.person()
    verifiers: Any = palm.house.installation.federation._verifiers
    verifiers["palm"] = replace(verifiers["palm"], staff_ids=re.compile("admin"))
    browser = palm.house.browser()
    assert browser.get(palm.palm(palm.set_out(browser), there)).status_code == 400
    assert palm.house.installation.access.live_session(here.login_id) is None
    verifiers["palm"] = replace(verifiers["palm"], staff_ids=re.compile("user-x"))
    stranger = User("user-x", there.secret)
    palm.product.installation.access.create_account(
        "user-x", "見本", frozenset({Role.STAFF}), PASSWORD_THERE, there.secret
    )
    browser = palm.house.browser()
    assert browser.get(palm.palm(palm.set_out(browser), stranger)).status_code == 400
    assert "mimamori" not in browser.cookies


def test_setting_out_needs_a_form_of_ours_and_a_verifier(palm: Palm) -> None:
    browser = palm.house.browser()
    assert browser.get("/verify/palm/start").status_code == 405
    assert browser.post("/verify/palm/start", data={"next": "/"}).status_code == 403
    csrf = csrf_of(browser.get("/sign-in"))
    assert browser.post("/verify/none/start", data={"csrf": csrf}).status_code == 400
    assert browser.get("/verify/palm/callback").status_code == 400
    away = palm.set_out(browser, "https://evil.example/")
    _, there = palm.person()
    assert browser.get(palm.palm(away, there)).headers["location"] == "/"


def test_what_is_offered(palm: Palm) -> None:
    (offer,) = palm.house.installation.federation.offers()
    assert (offer.name, offer.texts.ja, offer.factors) == ("palm", "手のひら静脈", {"palm_vein"})


def test_with_tls_the_cookie_is_for_this_host_alone_and_goes_when_it_was_used(palm: Palm) -> None:
    _, there = palm.person()
    app = create_app(palm.house.installation, schedule=False)
    browser = TestClient(app, base_url="https://localhost", follow_redirects=False)
    browser.get("/sign-in")
    started = browser.post("/verify/palm/start", data={"csrf": browser.cookies["mimamori-form"], "next": "/account"})
    (kept,) = started.headers.get_list("set-cookie")
    assert kept.startswith("__Host-mimamori-verify=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(kept.split("; "))
    done = browser.get(palm.palm(unescape(started.text.partition("0; url=")[2].partition('"')[0]), there))
    assert done.status_code == 303, done.text
    gone = next(each for each in done.headers.get_list("set-cookie") if each.startswith("__Host-mimamori-verify="))
    assert {"Max-Age=0", "Secure", "Path=/"} <= set(gone.split("; ")), "else the browser keeps it"


def test_an_answer_that_fits_no_session_is_told_to_the_log(palm: Palm) -> None:
    def reasons() -> list[str]:
        palm.house.installation.federation.flush_refusals(everything=True)
        return list(palm.house.last_act()["unmapped"]["reasons"])

    (here, _), (_, other) = palm.person(), palm.person()
    browser = palm.house.signed_in(here)
    palm.house.installation.federation.flush_refusals(everything=True)
    back = palm.palm(palm.set_out(browser), other)
    assert browser.get(back).status_code == 400
    assert reasons() == ["other_session=1"]
    assert browser.get(back + "&state=x").status_code == 400
    assert reasons() == ["parameter_twice=1"]


OFFER = 'action="/verify/palm/start"'


def test_every_page_that_asks_who_one_is_offers_the_palm(palm: Palm) -> None:
    house, (here, _) = palm.house, palm.person()
    browser = house.browser()
    first = browser.get("/sign-in?next=/account&acr=bio")
    assert first.text.count(OFFER) == 1
    assert "手のひら静脈 で確認" in first.text
    form = {"login_id": here.login_id, "password": PASSWORD, "csrf": csrf_of(first), "acr": "bio"}
    second = browser.post("/sign-in", data=form)
    assert OFFER in second.text
    assert 'name="code"' not in second.text, "a code is no biometric"
    assert 'class="problem" role="alert"' not in second.text
    browser.post("/language", data={"csrf": csrf_of(first), "language": "en"})
    assert "Confirm with Palm vein" in browser.get("/sign-in").text
    browser = house.signed_in(here)
    for acr in ("", "mfa-otp", "uv", "bio"):
        assert OFFER in browser.get(f"/step-up?acr={acr}&next=/account").text
    house.clock.advance(timedelta(minutes=5))
    locked = browser.get("/locked?next=/account")
    assert OFFER in locked.text
    assert 'name="next" value="/account"' in locked.text


def test_what_a_card_alone_proves_is_offered_as_second_step_only(palm: Palm) -> None:
    verifiers: Any = palm.house.installation.federation._verifiers
    verifiers["palm"] = replace(verifiers["palm"], acr={"mfa-otp": frozenset({"ic_card"})})
    here, _ = palm.person()
    browser = palm.house.browser()
    assert OFFER not in browser.get("/sign-in").text
    assert OFFER in palm.house.password_step(browser, here).text
    browser = palm.house.signed_in(here)
    assert OFFER in browser.get("/step-up").text
    assert OFFER not in browser.get("/step-up?acr=bio").text


def test_a_palm_is_the_second_step_after_a_password(palm: Palm) -> None:
    here, there = palm.person()
    browser = palm.house.browser()
    page = palm.house.password_step(browser, here)
    done = browser.get(palm.palm(palm.set_out(browser, ticket=ticket_of(page)), there))
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    opened = palm.house.last_act()
    assert opened["operation_name"] == "sign_in.completed"
    assert opened["auth"]["factors"] == ["palm_vein", "password"]
    assert browser.get("/account").status_code == 200
    used = palm.house.browser()
    again = used.get(palm.palm(palm.set_out(used, ticket=ticket_of(page)), there))
    assert again.status_code >= 400, "a ticket is good once"
    assert "mimamori" not in used.cookies


def test_a_password_and_another_s_palm_open_nothing(palm: Palm) -> None:
    (here, _), (other, there) = palm.person(), palm.person()
    browser = palm.house.browser()
    page = palm.house.password_step(browser, here)
    refused = browser.get(palm.palm(palm.set_out(browser, ticket=ticket_of(page)), there))
    assert refused.status_code >= 400
    assert palm.house.last_act()["operation_name"] == "sign_in.other_person"
    assert "mimamori" not in browser.cookies
    for user in (here, other):
        assert palm.house.installation.access.live_session(user.login_id) is None
    unknown = browser.get(palm.palm(palm.set_out(browser, ticket="nobody's"), there))
    assert unknown.status_code >= 400, "a ticket that is none is not a sign-in by palm alone"
    assert palm.house.last_act()["operation_name"] == "sign_in.ticket_unknown"


def test_a_palm_unlocks_what_it_opened_and_only_its_owner_s(palm: Palm) -> None:
    here, there = palm.person()
    _, other = palm.person()
    browser = palm.house.browser()
    browser.get(palm.palm(palm.set_out(browser), there))
    kept = browser.cookies["mimamori"]
    palm.house.clock.advance(timedelta(minutes=5))
    locked = browser.get("/locked?next=/account")
    assert 'name="code"' not in locked.text, "a code is weaker than what opened it"
    way = {"csrf": csrf_of(locked)}
    assert browser.get(palm.palm(palm.set_out(browser, **way), other)).status_code == 400
    assert browser.get("/account").headers["location"].startswith("/locked")
    done = browser.get(palm.palm(palm.set_out(browser, "/account?x=1", **way), there))
    assert (done.status_code, done.headers["location"]) == (303, "/account?x=1")
    unlocked = palm.house.last_act()
    assert (unlocked["activity"], unlocked["operation_name"]) == ("unlock", "session.unlocked")
    assert unlocked["auth"]["authenticator"] == "oidc:palm"
    assert browser.cookies["mimamori"] != kept
    assert browser.get("/account").status_code == 200
    assert here.login_id == unlocked["actor"]["id"]
