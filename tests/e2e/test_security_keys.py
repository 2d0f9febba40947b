"""Security keys in a real browser: enrolled, used, and refused, each with its event in the log."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from authenticators import VirtualKey
from house import PASSWORD, House
from house import User as Known
from playwright.sync_api import Browser, Page, Route, expect
from visit import Visit

from audit.access import Role
from audit.log import OWN_SOURCE, Filter

pytestmark = pytest.mark.system


def told(house: House, user: Known | None = None) -> list[dict[str, Any]]:
    """What the log says of somebody, newest first; of everybody where nobody is named."""
    actors = (user.login_id,) if user else ()
    events = house.installation.log.each(Filter(sources=(OWN_SOURCE,), actors=actors))
    return [event.to_contract() for event in events][::-1]


def operations(house: House, user: Known | None = None) -> list[str]:
    return [event["operation_name"] for event in told(house, user)]


def password(page: Page, house: House, user: Known) -> None:
    """The first step."""
    page.goto(f"{house.address}/sign-in")
    page.fill("#login_id", user.login_id)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")


def sign_in(page: Page, house: House, user: Known) -> None:
    """Both steps, by code."""
    house.clock.advance(timedelta(seconds=30))
    password(page, house, user)
    page.fill("#code", house.code(user))
    page.keyboard.press("Enter")
    page.wait_for_selector("nav")


def add_key(page: Page, house: House, name: str = "机の鍵") -> None:
    """Add the key that is plugged in, on the page of one's own account."""
    page.goto(f"{house.address}/account")
    page.fill("#name", name)
    page.get_by_role("button", name="キーを追加").click()
    page.wait_for_url("**/account?done=key_added")


def key_alone(page: Page, house: House) -> None:
    page.goto(f"{house.address}/sign-in")
    page.get_by_role("button", name="セキュリティキーでサインイン").click()


def quietly(visit: Visit, *statuses: str) -> None:
    """The browser notes refusals, rightly."""
    visit.complaints[:] = [said for said in visit.complaints if not any(status in said for status in statuses)]


@pytest.fixture
def user(still: House) -> Known:
    return still.user(Role.SECURITY_ADMINISTRATOR)


@pytest.fixture
def key(visit: Visit) -> Iterator[VirtualKey]:
    plugged = VirtualKey.plug(visit.page)
    yield plugged
    plugged.cdp.detach()


def test_a_key_is_added_signs_in_alone_and_as_second_step_and_steps_up(
    still: House, user: Known, visit: Visit, key: VirtualKey
) -> None:
    assert key.id
    page = visit.page
    sign_in(page, still, user)
    page.goto(f"{still.address}/account")
    visit.shot("60-account")
    add_key(page, still)
    expect(page.locator(".notice")).to_contain_text("追加しました")
    expect(page.locator("tbody tr").first).to_contain_text("机の鍵")
    visit.shot("61-account-with-key")
    assert "authenticator.enrolled" in operations(still, user)[:3]

    page.get_by_role("button", name="サインアウト", exact=True).click()
    page.wait_for_url("**/sign-in")
    visit.shot("62-sign-in-with-key")
    key_alone(page, still)
    page.wait_for_selector("nav")
    last = next(event for event in told(still, user) if event["operation_name"] == "sign_in.completed")
    assert last["auth"]["user_verified"] is True
    assert last["auth"]["factors"] == ["webauthn"]
    assert last["auth"]["authenticator"].startswith("aaguid-")

    # Somebody who wants more than a code is led to the key, and goes on after it.
    page.goto(f"{still.address}/step-up?next={quote('/events?actor=s1')}&acr=uv")
    visit.shot("63-step-up")
    expect(page.locator("#code")).to_have_count(0)
    page.get_by_role("button", name="セキュリティキーを使う").click()
    page.wait_for_url("**/events?actor=s1")
    assert "step_up.completed" in operations(still, user)[:3]

    page.get_by_role("button", name="サインアウト", exact=True).click()
    page.wait_for_url("**/sign-in")
    password(page, still, user)
    visit.shot("64-second-factor")
    page.get_by_role("button", name="セキュリティキーを使う").click()
    page.wait_for_selector("nav")
    last = next(event for event in told(still, user) if event["operation_name"] == "sign_in.completed")
    assert last["auth"]["factors"] == ["password", "webauthn"]


def test_S11_a_key_that_does_not_verify_its_user_opens_nothing(
    still: House, user: Known, visit: Visit, key: VirtualKey
) -> None:
    page = visit.page
    sign_in(page, still, user)
    add_key(page, still)
    page.get_by_role("button", name="サインアウト", exact=True).click()
    page.wait_for_url("**/sign-in")
    key.verifies(False)
    key_alone(page, still)
    expect(page.locator(".problem:visible")).to_contain_text("キーを確認できませんでした")  # the browser kept it back

    def lax(route: Route) -> None:
        """A forged page asks for less than we do."""
        asked = route.fetch()
        route.fulfill(response=asked, json={**asked.json(), "userVerification": "discouraged"})

    (original,) = key.credentials()
    key.unplug()
    VirtualKey.plug(page, verifies=False, hasUserVerification=False).take(original)  # a key without a PIN
    page.route("**/sign-in/second-factor/options", lax)
    password(page, still, user)
    page.get_by_role("button", name="セキュリティキーを使う").click()
    page.wait_for_url("**/sign-in/second-factor")
    expect(page.locator(".problem:visible")).to_contain_text("セキュリティキーを確認できませんでした")
    assert operations(still)[0] == "authenticator.user_not_verified"
    assert "sign_in.completed" not in operations(still, user)[:2]
    quietly(visit, "401")


def test_S12_a_cloned_key_is_refused(still: House, user: Known, visit: Visit, key: VirtualKey) -> None:
    page = visit.page
    sign_in(page, still, user)
    add_key(page, still)
    (original,) = key.credentials()
    for _ in range(2):
        page.get_by_role("button", name="サインアウト", exact=True).click()
        page.wait_for_url("**/sign-in")
        key_alone(page, still)
        page.wait_for_selector("nav")
    page.get_by_role("button", name="サインアウト", exact=True).click()
    page.wait_for_url("**/sign-in")
    key.unplug()
    clone = VirtualKey.plug(page)
    clone.take(original, signCount=1)
    key_alone(page, still)
    expect(page.locator(".problem:visible")).to_contain_text("確認できませんでした")
    refused = told(still)[0]
    assert (refused["activity"], refused["outcome"]) == ("security_event", "denied")
    assert refused["operation_name"] == "authenticator.sign_count_rollback"
    assert refused["actor"]["id"] == user.login_id
    page.goto(f"{still.address}/account")
    page.wait_for_url("**/sign-in")
    visit.shot("65-refused")
    quietly(visit, "401")


def test_S15_an_unattested_key_is_refused_where_the_policy_wants_metadata(
    still: House, user: Known, visit: Visit, key: VirtualKey
) -> None:
    assert key.id
    page = visit.page
    policy = still.installation.settings.data / "authenticators.toml"
    policy.write_text('attestation = "metadata"\n', "utf-8")
    try:
        sign_in(page, still, user)
        page.goto(f"{still.address}/account")
        page.get_by_role("button", name="キーを追加").click()
        expect(page.locator(".problem:visible")).to_contain_text("管理者が指定した機種")
    finally:
        policy.write_text('attestation = "direct"\n', "utf-8")
    page.goto(f"{still.address}/account")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert "authenticator.enrolment_refused.model_unknown" in operations(still, user)[:3]
    quietly(visit, "422")


def test_S6_a_captured_answer_is_good_once(still: House, user: Known, visit: Visit, key: VirtualKey) -> None:
    assert key.id
    page = visit.page
    sign_in(page, still, user)
    add_key(page, still)
    page.get_by_role("button", name="サインアウト", exact=True).click()
    page.wait_for_url("**/sign-in")
    sent: list[str] = []
    page.on(
        "request",
        lambda request: sent.append(request.post_data or "") if request.url.endswith("/sign-in/key") else None,
    )
    key_alone(page, still)
    page.wait_for_selector("nav")
    (form,) = sent
    page.get_by_role("button", name="サインアウト", exact=True).click()
    page.wait_for_url("**/sign-in")
    again = {name: values[0] for name, values in parse_qs(form, keep_blank_values=True).items()}
    answer = page.request.post(f"{still.address}/sign-in/key", form=again, max_redirects=0)
    assert answer.status == 401
    assert operations(still)[0] == "authenticator.challenge_unknown"


def test_a_second_session_asks_and_both_answers_are_told(
    still: House, user: Known, visit: Visit, browser: Browser
) -> None:
    page = visit.page
    sign_in(page, still, user)
    there = browser.new_context(locale="ja-JP").new_page()
    try:
        for choice, told_as in (("あちらを残す", "sign_in.other_session_kept"), ("あちらを終了", "sign_in.completed")):
            still.clock.advance(timedelta(seconds=30))
            password(there, still, user)
            there.fill("#code", still.code(user))
            there.keyboard.press("Enter")
            expect(there.locator("h1")).to_have_text("すでにサインイン中です")
            there.screenshot(path=visit.shots / "66-second-session.png")
            there.get_by_role("button", name=choice).click()
            there.wait_for_load_state()
            assert told_as in operations(still, user)[:3]
        there.wait_for_selector("nav")
        page.goto(f"{still.address}/account")
        page.wait_for_url("**/sign-in")
        assert "session.taken_over" in operations(still, user)[:4]
    finally:
        there.context.close()


def test_the_screen_locks_and_a_factor_opens_it(still: House, user: Known, visit: Visit) -> None:
    page = visit.page
    sign_in(page, still, user)
    page.goto(f"{still.address}/events?actor=s0411")
    still.clock.advance(timedelta(minutes=5))
    page.reload()
    page.wait_for_url("**/locked?next=*")
    visit.shot("67-locked")
    assert operations(still, user)[0] == "session.locked_idle"
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.locator(".problem")).to_be_visible()
    page.fill("#code", still.code(user))
    page.keyboard.press("Enter")
    page.wait_for_url("**/events?actor=s0411")
    assert "session.unlocked" in operations(still, user)[:3]
    page.get_by_role("button", name="画面をロック").click()
    page.wait_for_url("**/locked?next=*")
    assert operations(still, user)[0] == "session.locked"
    still.clock.advance(timedelta(minutes=15))
    page.goto(f"{still.address}/account")
    page.wait_for_url("**/sign-in")
    assert operations(still, user)[0] == "session.idle_end"
    quietly(visit, "401")


def test_the_page_is_blanked_by_itself(still: House, user: Known, visit: Visit) -> None:
    page = visit.page
    page.clock.install()
    sign_in(page, still, user)
    page.goto(f"{still.address}/account")
    page.clock.run_for(299_000)
    assert visit.path() == "/account"
    page.clock.run_for(3_000)
    page.wait_for_url("**/locked?next=*")
    assert operations(still, user)[0] == "session.locked"


def test_enrolment_with_a_key_by_keyboard_alone(still: House, user: Known, visit: Visit, key: VirtualKey) -> None:
    assert key.id
    page = visit.page
    sign_in(page, still, user)
    page.goto(f"{still.address}/users")
    visit.shot("68-users")
    page.fill("#login_id", f"s{user.login_id}")
    page.fill("main #display_name", "新しい 職員")
    page.check("#new-staff")
    page.get_by_role("button", name="登録リンクを作る").click()
    link = page.locator(".issued pre").inner_text()
    visit.shot("69-users-link")
    page.get_by_role("button", name="サインアウト", exact=True).click()
    page.wait_for_url("**/sign-in")
    page.goto(link)
    visit.shot("70-enrol")
    page.focus("#password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    expect(page.locator("button[data-with=key]")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_selector(".codes")
    visit.shot("71-recovery-codes")
    code = page.locator(".codes li").first.inner_text()
    page.focus("main a.button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in")
    page.focus("form[action='/sign-in/key'] button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account")
    new = Known(f"s{user.login_id}", "")
    assert operations(still, new)[1] == "sign_in.completed"

    # Lost the key: the password and a recovery code lead to new factors, and to no session.
    page.get_by_role("button", name="サインアウト", exact=True).click()
    page.wait_for_url("**/sign-in")
    password(page, still, new)
    page.locator("details.other summary").click()
    page.fill("#recovery", code)
    visit.shot("72-recovery")
    page.get_by_role("button", name="登録し直す").click()
    page.wait_for_url("**/enrol/*")
    assert page.goto(f"{still.address}/account")
    page.wait_for_url("**/sign-in")
