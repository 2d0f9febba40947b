"""Forms are taken from our own pages only, and lead nowhere else."""

import pytest
from house import House, csrf_of, token

from audit.access import Role

FORMS = (
    "/sign-in",
    "/sign-in/key",
    "/sign-in/key/options",
    "/sign-in/password",
    "/sign-in/recovery",
    "/sign-in/second-factor",
    "/sign-in/second-factor/options",
    "/sign-in/second-session",
    "/locked",
    "/locked/options",
    "/sign-out",
    "/language",
    "/enrol/none",
    "/enrol/none/options",
    "/step-up",
    "/sources/town-hall/credentials",
)


def test_a_form_needs_the_token_of_its_page(house: House) -> None:
    browser = house.signed_in(Role.AUDITOR)
    right = csrf_of(browser.get("/alerts"))
    for path in FORMS:
        for form in ({}, {"csrf": ""}, {"csrf": token()}, {"csrf": "見守り"}):
            refused = browser.post(path, data=form)
            assert refused.status_code == 403, (path, form)
            assert "set-cookie" not in refused.headers
        assert house.browser().post(path, data={"csrf": right}).status_code == 403, "a token without its cookie"
        assert house.browser().post(path, data={"csrf": ""}, headers={"cookie": "mimamori-form="}).status_code == 403
    assert browser.get("/alerts").status_code == 200, "and nobody was signed out"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": "http://127.0.0.1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_from_another_site_is_refused(house: House, headers: dict[str, str]) -> None:
    browser = house.browser()
    form = {"csrf": csrf_of(browser.get("/sign-in")), "language": "en"}
    assert browser.post("/language", data=form, headers=headers).status_code == 403
    assert browser.post("/language", data=form, headers={"origin": house.address}).status_code == 303


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "//[evil",
     "http://[", "evil", "", " //evil.example", "/\t/evil.example", "/\n/evil.example", "/a\r\nset-cookie: x=y"],
)  # fmt: skip
def test_the_language_switch_stays_here(house: House, elsewhere: str) -> None:
    browser = house.browser()
    form = {"csrf": csrf_of(browser.get("/sign-in")), "language": "en", "next": elsewhere}
    answer = browser.post("/language", data=form)
    assert answer.status_code == 303
    place = answer.headers["location"]
    assert place.startswith("/")
    assert not place.startswith(("//", "/\\"))
    assert not any(character in place for character in "\t\r\n\\")
    assert "x=y" not in str(answer.headers.get_list("set-cookie"))


def test_the_language_switch_returns_and_is_remembered(house: House) -> None:
    browser = house.signed_in(Role.AUDITOR)
    page = browser.get("/events?actor=s0411&hour=10")
    assert '<html lang="ja">' in page.text
    form = {"csrf": csrf_of(page), "language": "en", "next": "/events?actor=s0411&hour=10"}
    assert browser.post("/language", data=form).headers["location"] == form["next"]
    assert '<html lang="en">' in browser.get("/events").text
    assert "Sign in" in house.browser(cookies={"mimamori-language": "en"}).get("/sign-in").text
    assert '<html lang="ja">' in house.browser(cookies={"mimamori-language": "xx"}).get("/sign-in").text


def test_what_is_no_form_is_refused_quietly(house: House) -> None:
    browser = house.browser()
    csrf = csrf_of(browser.get("/sign-in"))
    files = {"csrf": (None, csrf.encode()), "login_id": ("a.txt", b"x"), "password": (None, b"x")}
    assert browser.post("/sign-in", files=files).status_code == 422
    assert browser.post("/sign-in", json={"csrf": csrf}).status_code == 403
    assert browser.post(
        "/sign-in", content=b"\xff\x00%", headers={"content-type": "multipart/form-data"}
    ).is_client_error
    huge = {"csrf": csrf, "login_id": "x" * 100_000, "password": "y" * 100_000}
    assert browser.post("/sign-in", data=huge).status_code == 401
