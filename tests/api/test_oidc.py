"""OpenID Connect over HTTP: what is published, what browsers are led through, and what is refused."""

import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import structlog
from fastapi.testclient import TestClient
from house import PASSWORD, SOURCE, House, csrf_of

from api.app import create_app
from api.cli import clients, main
from api.installation import Installation
from api.settings import Settings
from api.web.oidc import OPEN_PATHS
from audit.access import Role
from audit.access.machines import MachineRules
from audit.access.sso import System
from audit.store.errors import StoreUnavailableError

sys.path.insert(0, str(Path(__file__).parents[1] / "doubles"))

from oauth_client import OAuthClient

BACK = "https://records.example.lg.jp/callback"
BYE = "https://records.example.lg.jp/bye"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CROSS, SAME = {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-origin"}


@dataclass
class Records:
    """A registered records service."""

    house: House
    client: OAuthClient

    def way(self, **other: str | None) -> str:
        usual = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": BACK,
            "scope": "openid profile",
            "state": "state & 1",
            "nonce": "nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return "/oauth2/authorize?" + urlencode({n: v for n, v in (usual | other).items() if v is not None})

    def exchange(self, code: str, http: httpx.Client) -> httpx.Response:
        form = self.client.form(
            self.house.clock.now(),
            grant_type="authorization_code",
            code=code,
            redirect_uri=BACK,
            code_verifier=VERIFIER,
        )
        return http.post("/oauth2/token", data=form)

    def tokens(self, browser: httpx.Client) -> dict[str, Any]:
        answer = self.exchange(told(browser.get(self.way()))["code"], self.house.browser())
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def told(answer: httpx.Response) -> dict[str, str]:
    """What a person is sent back to the records service with."""
    place = answer.headers["location"]
    assert place.startswith(f"{BACK}?"), place
    return {name: values[0] for name, values in parse_qs(urlsplit(place).query).items()}


def leads_to(page: httpx.Response) -> str:
    """Where a page goes on to by itself."""
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    content = page.text.partition('http-equiv="refresh" content="0; url=')[2].partition('"')[0]
    assert content
    return unescape(content)


@pytest.fixture(autouse=True)
def usual_log() -> Iterator[None]:
    yield
    structlog.reset_defaults()  # a command logs to the standard error of its moment, which is gone after the test


@pytest.fixture
def records(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Records]:
    machines = house.installation.machines
    monkeypatch.setattr(machines, "rules", MachineRules(issuer=house.address))
    system = System(source=SOURCE, redirect_uris=(BACK,), post_logout_uris=(BYE,))
    house.installation.sso.register(system, by="test")
    made = machines.register(SOURCE)
    yield Records(house, OAuthClient(made.client_id, made.client_secret, house.address))
    house.installation.sso.remove(SOURCE, by="test")


@pytest.mark.usefixtures("records")
def test_the_documents_name_what_there_is(house: House) -> None:
    browser = house.browser()
    document = browser.get("/.well-known/openid-configuration", headers={"host": "evil.example"}).json()
    assert document == browser.get("/.well-known/oauth-authorization-server").json()
    assert document["issuer"] == house.address
    names = {"authorization_endpoint", "userinfo_endpoint", "end_session_endpoint", "jwks_uri"}
    places = {document[name].removeprefix(house.address) for name in names}
    assert places | {"/.well-known/openid-configuration"} == OPEN_PATHS
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["acr_values_supported"] == ["pwd", "mfa-otp", "uv", "bio"]
    assert document["grant_types_supported"] == ["authorization_code", "client_credentials"]
    assert document["token_endpoint_auth_methods_supported"] == ["client_secret_jwt"]
    keys = browser.get("/oauth2/jwks").json()["keys"]
    assert {key["alg"] for key in keys} == {"ES256", "RS256"}
    assert not {"d", "p", "q", "k"} & set().union(*keys)


def test_a_system_proves_itself_as_it_does_for_every_token(house: House, records: Records) -> None:
    browser, http = house.signed_in(house.user(Role.STAFF)), house.browser()
    answer = records.exchange(told(browser.get(records.way()))["code"], http)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["scope"] == "openid"
    code = told(browser.get(records.way()))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    alone = http.post("/oauth2/token", data=form | {"client_id": records.client.client_id})
    assert (alone.status_code, alone.json()["error"]) == (401, "invalid_client")
    secret = {"client_id": records.client.client_id, "client_secret": records.client.secret}
    assert http.post("/oauth2/token", data=form | secret).status_code == 401
    stranger = OAuthClient("a" * 32, "s" * 43, house.address)
    assert http.post("/oauth2/token", data=form | stranger.form(house.clock.now())).status_code == 401
    assert records.exchange(code, http).status_code == 200
    assert records.exchange(code, http).json()["error"] == "invalid_grant"
    assert records.client.token(http, house.clock.now())  # and for machines, as ever


def test_a_parameter_that_stands_twice_and_a_stranger_are_told_to_the_person(house: House, records: Records) -> None:
    browser = house.signed_in(house.user(Role.STAFF))
    for way in (
        records.way() + "&state=x",
        records.way() + "&client_id=" + records.client.client_id,
        records.way(client_id="x"),
        records.way(redirect_uri="https://evil.example/"),
        "/oauth2/authorize",
        "/oauth2/authorize?" + "&".join(f"p{n}=1" for n in range(50)),
        "/oauth2/authorize?x=%FF",
        "/oauth2/authorize?x=" + "y" * 9000,
    ):
        page = browser.get(way)
        assert page.status_code == 400, way
        assert "location" not in page.headers
        assert "サインインの要求に誤りがあります" in page.text
    browser.cookies.set("mimamori-language", "en")
    assert "Tell whoever runs the system" in browser.get("/oauth2/authorize").text


def test_a_way_that_began_elsewhere_begins_anew_so_that_the_session_is_seen(house: House, records: Records) -> None:
    """Our cookie is SameSite=Strict: a browser does not send it on a way that another site began."""
    way = records.way(prompt="none")
    assert leads_to(house.browser().get(way, headers=CROSS)) == way
    browser = house.signed_in(house.user(Role.STAFF))
    assert leads_to(browser.get(way, headers=SAME)).startswith(f"{BACK}?code=")
    assert "code" in told(browser.get(way))
    assert told(house.browser().get(way))["error"] == "login_required"


def test_a_form_leads_the_same_way(house: House, records: Records) -> None:
    path, _, query = records.way().partition("?")
    answer = house.browser().post(path, data=dict(parse_qs(query)))
    assert answer.status_code == 303
    assert "code" in told(house.signed_in(house.user(Role.STAFF)).get(answer.headers["location"]))


def test_whoever_signs_in_on_the_way_is_led_back_by_the_forms(house: House, records: Records) -> None:
    user, browser = house.user(Role.STAFF), house.browser()
    first = browser.get(records.way())
    assert first.status_code == 303
    place = first.headers["location"]
    assert place.startswith("/sign-in?next=")
    page = browser.get(place)
    assert page.status_code == 200
    (onward,) = parse_qs(urlsplit(place).query)["next"]
    form = {"login_id": user.login_id, "csrf": csrf_of(page), "next": onward}
    second = browser.post("/sign-in", data=form | {"password": PASSWORD})
    done = house.code_step(browser, second, house.code(user))
    assert done.status_code == 303
    assert "code" in told(browser.get(onward))


def test_a_locked_session_is_unlocked_first(house: House, records: Records) -> None:
    browser = house.signed_in(house.user(Role.STAFF))
    token = records.tokens(browser)["access_token"]
    bearer = {"authorization": f"Bearer {token}"}
    assert browser.post("/lock", data={"csrf": csrf_of(browser.get("/nowhere"))}).status_code == 303
    place = urlsplit(browser.get(records.way()).headers["location"])
    assert (place.path, parse_qs(place.query)["next"]) == ("/locked", [records.way()])
    assert told(browser.get(records.way(prompt="none")))["error"] == "login_required"
    assert house.browser().get("/oauth2/userinfo", headers=bearer).status_code == 401


def test_nothing_is_given_while_the_log_is_full(
    house: House, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, http = house.signed_in(house.user(Role.STAFF)), house.browser()
    code = told(browser.get(records.way()))["code"]

    def full(*_: object) -> None:
        raise StoreUnavailableError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(house.installation.log, "record", full)
        page = browser.get(records.way())
        assert page.status_code == 503
        assert "location" not in page.headers
        answer = records.exchange(code, http)
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert "disk" not in answer.text + page.text


def test_signing_out_at_the_system_ends_the_session_here(house: House, records: Records) -> None:
    browser = house.signed_in(house.user(Role.STAFF))
    tokens = records.tokens(browser)
    query = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE, "state": "s&1"}
    other = house.signed_in(house.user(Role.STAFF))
    assert other.get("/oauth2/logout", params=query).headers["location"] == f"{BYE}?state=s%261"
    assert other.get(records.way()).status_code == 302, "another's session goes on"
    assert browser.get("/oauth2/logout").headers["location"] == "/"
    assert browser.get(records.way()).status_code == 302, "no page can sign anybody out"
    assert leads_to(house.browser().get("/oauth2/logout", params=query, headers=CROSS)).startswith("/oauth2/logout?")
    by_form = browser.post("/oauth2/logout", data=query)
    assert by_form.status_code == 303
    done = browser.get(by_form.headers["location"])
    assert done.headers["location"] == f"{BYE}?state=s%261"
    assert browser.get(records.way()).headers["location"].startswith("/sign-in")
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert house.browser().get("/oauth2/userinfo", headers=bearer).status_code == 401


def test_signing_out_at_the_system_ends_a_locked_session_too(house: House, records: Records) -> None:
    user = house.user(Role.STAFF)
    browser = house.signed_in(user)
    query = {"id_token_hint": records.tokens(browser)["id_token"], "post_logout_redirect_uri": BYE}
    other = house.signed_in(house.user(Role.STAFF))
    for each in (browser, other):
        assert each.post("/lock", data={"csrf": csrf_of(each.get("/account"))}).status_code == 303
        assert each.get("/locked").status_code == 200
    assert other.get("/oauth2/logout", params=query).headers["location"] == BYE
    assert other.get("/locked").status_code == 200, "another's locked session goes on"
    assert browser.get("/oauth2/logout", params=query).headers["location"] == BYE
    assert house.installation.access.live_session(user.login_id) is None
    assert browser.get("/locked").headers["location"] == "/sign-in"


def test_userinfo_wants_a_token(house: House, records: Records) -> None:
    http = house.browser()
    for headers in ({}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}):
        answer = http.get("/oauth2/userinfo", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="mimamori"'
    machine = records.client.token(http, house.clock.now())
    answer = http.post("/oauth2/userinfo", headers={"authorization": f"Bearer {machine}"})
    assert answer.headers["www-authenticate"] == 'Bearer realm="mimamori", error="invalid_token"'
    user = house.user(Role.STAFF)
    tokens = records.tokens(house.signed_in(user))
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    info = http.post("/oauth2/userinfo", headers=bearer).json()
    assert info.keys() == {"sub", "acr", "amr", "auth_time"}
    assert info["sub"] == user.login_id
    assert http.post("/api/v1/events", params={"source": SOURCE}, headers=bearer, content=b"").status_code == 401


def test_the_commands_register_list_change_and_remove(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def opened(_settings: Settings) -> Iterator[Installation]:
        yield house.installation

    monkeypatch.setattr(clients, "open_installation", opened)

    def run(*words: str) -> dict[str, Any]:
        assert main(["--json", "clients", *words]) == 0
        return dict(json.loads(capsys.readouterr().out))

    made = run("add", SOURCE, "--redirect", BACK, "--redirect", BACK + "2", "--post-logout", BYE, "--max-age", "600")
    assert (made["redirect_uris"], made["post_logout_uris"], made["max_age"]) == ([BACK, BACK + "2"], [BYE], 600)
    assert made["algorithm"] == "ES256"
    assert house.last_act()["operation_name"] == "sso.system_registered"
    assert run("add", SOURCE, "--redirect", BACK, "--algorithm", "RS256")["max_age"] is None
    told = house.last_act()
    assert (told["activity"], told["operation_name"]) == ("config_change", "sso.system_changed")
    assert (told["unmapped"]["old"]["max_age"], told["unmapped"]["new"]["algorithm"]) == (600, "RS256")
    assert [each["system"] for each in run("list")["clients"]] == [SOURCE]
    assert main(["clients", "list"]) == 0
    assert f"redirect_uris: {BACK}" in capsys.readouterr().out
    old = house.installation.sso.jwks()["keys"][0]["kid"]
    assert old not in run("rotate-keys")["kids"]
    assert run("remove", SOURCE) == {"removed": SOURCE}
    assert house.last_act()["operation_name"] == "sso.system_removed"
    for words in (
        ("add", SOURCE, "--redirect", "http://records.example.lg.jp/"),
        ("add", SOURCE, "--redirect", "https://*.example.lg.jp/"),
        ("add", SOURCE, "--redirect", "https://a@records.example.lg.jp/"),
        ("add", SOURCE, "--redirect", "https://records.example.lg.jp/#x"),
        ("add", SOURCE, "--redirect", "https://records.example.lg.jp:x/"),
        ("add", SOURCE, "--redirect", "javascript:alert(1)"),
        ("add", SOURCE, "--redirect", BACK, "--post-logout", "/bye"),
        ("add", SOURCE, "--redirect", BACK, "--max-age", "-1"),
        ("add", "a b", "--redirect", BACK),
        ("add", SOURCE, *("--redirect", BACK) * 21),
        ("remove", SOURCE),
    ):
        assert main(["clients", *words]) == 2, words
        assert " / " in capsys.readouterr().err


def test_a_system_ends_its_token_at_the_revocation_endpoint(house: House, records: Records) -> None:
    token = records.tokens(house.signed_in(house.user(Role.STAFF)))["access_token"]
    http, bearer = house.browser(), {"authorization": f"Bearer {token}"}
    assert http.get("/oauth2/userinfo", headers=bearer).status_code == 200
    done = http.post("/oauth2/revoke", data=records.client.form(house.clock.now(), token=token))
    assert (done.status_code, done.json()) == (200, {})
    assert http.get("/oauth2/userinfo", headers=bearer).status_code == 401


def test_signing_out_takes_the_cookie_with_tls_too(house: House, records: Records) -> None:
    browser = house.signed_in(house.user(Role.STAFF))
    hint, token = records.tokens(browser)["id_token"], browser.cookies["mimamori"]
    app = create_app(house.installation, schedule=False)
    tls = TestClient(app, base_url="https://localhost", cookies={"__Host-mimamori": token}, follow_redirects=False)
    done = tls.get("/oauth2/logout", params={"id_token_hint": hint})
    cookie = next(each for each in done.headers.get_list("set-cookie") if each.startswith("__Host-mimamori="))
    assert "Max-Age=0" in cookie
    assert "Secure" in cookie, "else the browser refuses it and keeps the old one"
