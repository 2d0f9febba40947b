"""A morning of the security administrator, in a real browser."""

import re

import pytest
from playwright.sync_api import expect
from visit import Town, Visit

pytestmark = pytest.mark.system


def test_from_the_alert_to_the_evidence_and_back(sample_town: Town, visit: Visit) -> None:
    page = visit.page
    page.goto(sample_town.address)
    page.wait_for_url("**/sign-in")
    visit.shot("10-sign-in")
    visit.sign_in(sample_town, sample_town.users["sample-security"])
    assert visit.path() == "/alerts"
    rows = page.locator("table.alerts tbody tr")
    assert rows.count() >= 3
    visit.shot("11-alerts")

    # An alert about a person, as a story.
    row = rows.filter(has=page.locator(".person .minor")).first
    person = row.locator(".person .minor").first.inner_text()
    row.locator("th a").click()
    page.wait_for_url("**/alerts/f-*")
    reasons = page.locator("section.why li")
    assert reasons.count() >= 1
    assert all(len(reason) > 10 for reason in reasons.all_inner_texts())
    assert person in page.locator("dl.story").inner_text()
    visit.shot("12-alert")
    alert = page.url

    # One event of its evidence.
    page.locator("table.events tbody tr").filter(has_text=person).locator("th a").first.click()
    page.wait_for_url("**/events/*/*")
    assert page.locator("table.fields").count() >= 2
    assert person in page.locator("main").inner_text()
    visit.shot("13-event")

    # Everything that person did that day.
    page.goto(alert)
    page.locator("section[aria-labelledby=evidence] p.below a").click()
    page.wait_for_url("**/events?*")
    assert f"actor={person}" in page.url
    assert page.input_value("#actor") == person
    shown = page.locator("table.events tbody tr")
    assert shown.count() >= 1
    assert all(person in text for text in shown.locator("td:nth-child(2)").all_inner_texts())
    visit.shot("14-search")

    page.locator("nav a[href='/sources']").click()
    page.wait_for_url("**/sources")
    tallies = re.findall(r"(正常|遅れ|欠けあり|途絶) (\d+) 件", page.locator("h1").inner_text())
    assert int(dict(tallies)["正常"]) >= 5
    # What was never heard is folded away.
    expect(page.locator("table.sources:visible tbody tr")).to_have_count(sum(int(count) for _, count in tallies))
    visit.shot("15-sources")

    visit.press("English")
    page.wait_for_url("**/sources")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto(alert)
    assert re.search(r"[A-Za-z]{3}", page.locator("h1").inner_text())
    visit.shot("16-alert-english")
    visit.press("日本語")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    assert page.url == alert

    kept = page.context.cookies()
    page.locator("form[action='/sign-out'] button").click()
    page.wait_for_url("**/sign-in")
    page.go_back()
    page.wait_for_url("**/sign-in")  # nothing was kept
    page.context.add_cookies([{key: each[key] for key in ("name", "value", "domain", "path")} for each in kept])  # type: ignore[misc] # the keys a cookie is set by
    page.goto(alert)
    page.wait_for_url("**/sign-in")


def test_the_board_is_drawn_and_leads_to_the_search(sample_town: Town, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(sample_town, sample_town.users["sample-auditor"])
    page.goto(f"{sample_town.address}/board")
    drawn = page.locator(".js-plotly-plot")
    expect(drawn).to_have_count(3)
    expect(page.locator("figure[aria-busy]")).to_have_count(0)
    visit.shot("20-board")
    heat = page.locator("figure.drawing").first.locator(".nsewdrag")
    heat.scroll_into_view_if_needed()
    box = heat.bounding_box()
    assert box is not None
    # The first row is Monday, or the last: whichever, ten in the morning is worked on a weekday in the middle.
    page.mouse.move(box["x"] + box["width"] * 10.5 / 24, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] * 10.5 / 24, box["y"] + box["height"] / 2)
    page.wait_for_url("**/events?*")
    assert "hour=10" in page.url
    assert "weekday=" in page.url
    assert page.locator("table.events tbody tr").count() >= 1
    visit.shot("21-search-of-an-hour")
    page.go_back()
    page.locator("details.twin summary").first.click()
    assert page.locator("details.twin table").first.locator("td").first.is_visible()
    with page.expect_download() as download:
        page.locator("a[download]").first.click()
    assert download.value.suggested_filename.endswith(".csv")


def test_the_keyboard_is_enough(sample_town: Town, visit: Visit) -> None:
    page, manager = visit.page, sample_town.users["sample-manager"]
    page.goto(f"{sample_town.address}/sign-in")
    keyboard = page.keyboard
    expect(page.locator("#login_id")).to_be_focused()
    keyboard.type(manager.login_id)
    keyboard.press("Tab")
    keyboard.type(manager.password)
    keyboard.press("Enter")
    page.wait_for_selector("#code")
    visit.shot("30-second-factor")
    expect(page.locator("#code")).to_be_focused()
    keyboard.type(manager.code())
    keyboard.press("Enter")
    page.wait_for_url("**/board")
    visit.shot("31-board-of-a-manager")
    keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    refused = page.goto(f"{sample_town.address}/alerts")
    assert refused is not None
    assert refused.status == 403
    visit.shot("32-not-permitted")
    visit.complaints[:] = [said for said in visit.complaints if "403" not in said]  # the browser notes it, rightly
