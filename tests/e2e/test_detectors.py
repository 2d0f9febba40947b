"""The auditor looks at what watches the town: from the list to a detector, its alerts, and what it is worth."""

import re

import pytest
from playwright.sync_api import expect
from visit import Town, Visit

pytestmark = pytest.mark.system


def test_from_the_list_to_a_detector_and_its_alerts(sample_town: Town, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(sample_town, sample_town.users["sample-auditor"])
    page.goto(f"{sample_town.address}/detectors")
    assert re.search(r"\d+ 本の検知器", page.locator("h1").inner_text())
    assert page.locator("table.detectors tbody tr").count() >= 40
    visit.shot("45-detectors")

    page.fill("#q", "閲覧人数の急増")
    visit.press("絞り込む")
    page.wait_for_url("**/detectors?q=*")
    page.locator("table.detectors tbody th > a").first.click()
    page.wait_for_url("**/detectors/look-up-volume")
    # The drawing is there, or the words that no finding was made.
    page.wait_for_selector("figure.drawing .main-svg, .empty")
    assert page.locator("section[aria-labelledby=runs] tbody tr").count() >= 1
    visit.shot("46-detector")

    page.goto(f"{sample_town.address}/detectors/scorecards")
    expect(page.locator("h1")).to_have_text("採点結果はまだありません")
    visit.shot("47-no-scorecard")
