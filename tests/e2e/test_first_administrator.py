"""An empty installation: the one-time link makes the first administrator, who then signs in."""

import re

import pytest
from visit import Town, User, Visit

pytestmark = pytest.mark.system


def test_the_one_time_link(empty_town: Town, visit: Visit) -> None:
    page, link = visit.page, empty_town.one_time_link()
    page.goto(link)
    assert page.locator("svg.qr").is_visible()
    box = page.locator("svg.qr").bounding_box()
    assert box is not None
    assert box["width"] >= 100, "a telephone must be able to read it"
    visit.shot("01-enrol")
    secret = re.sub(r"\s", "", page.locator("code.secret").inner_text())
    first = User("first.admin", "朝霧 correct staple 42", secret)
    page.fill("#login_id", first.login_id)
    page.fill("#display_name", "最初の管理者")
    page.fill("#password", first.password)
    page.fill("#password_again", first.password)
    page.fill("#code", first.code())
    page.click("button[value=app]")
    page.wait_for_selector(".codes")
    assert page.locator(".codes li").count() == 10
    visit.shot("01-recovery-codes")
    page.click("main a.button")
    page.wait_for_url("**/sign-in")
    visit.sign_in(empty_town, first)
    assert visit.path() == "/alerts"
    assert "最初の管理者" in page.locator(".viewer").inner_text()
    visit.shot("02-alerts-empty")
    for place in ("/events", "/board", "/sources"):
        page.goto(empty_town.address + place)
        assert page.locator("h1").is_visible()
        visit.shot(f"03{place.replace('/', '-')}-empty")
    refused = page.goto(link)
    assert refused is not None
    assert refused.status == 410
    visit.complaints[:] = [said for said in visit.complaints if "410" not in said]  # the browser notes it, rightly
