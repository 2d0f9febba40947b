"""Access control in the demonstration: what a newcomer finds, person by person."""

import pytest
from playwright.sync_api import expect
from visit import Town, Visit

pytestmark = pytest.mark.system


def test_the_section_head_approves_and_the_head_of_systems_is_next(sample_town: Town, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(sample_town, sample_town.users["sample-manager"])
    page.goto(f"{sample_town.address}/rights/inbox")
    approve = page.get_by_role("button", name="承認する", exact=True)
    expect(approve).to_have_count(2)
    # The clerk's own application is not here for its person, only for the head.
    card = page.locator("section, article, li").filter(has_text="広域連合へ渡す媒体").last
    card.get_by_role("button", name="承認する", exact=True).click()
    expect(approve).to_have_count(1)
    page.goto(f"{sample_town.address}/approvals/inbox")
    expect(approve).to_have_count(1)
    visit.press("サインアウト")

    visit.sign_in(sample_town, sample_town.users["sample-systems"])
    page.goto(f"{sample_town.address}/rights/inbox")
    expect(approve).to_have_count(2)
    expect(page.locator("main")).to_contain_text("広域連合へ渡す媒体")
    visit.shot("70-systems-inbox")


def test_the_clerk_sees_rights_requests_and_the_emergency(sample_town: Town, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(sample_town, sample_town.users["sample-clerk"])
    page.goto(f"{sample_town.address}/rights")
    expect(page.locator("table").first.locator("tbody tr")).to_have_count(4)
    page.goto(f"{sample_town.address}/approvals")
    expect(page.locator("main")).to_contain_text("118 件")
    page.goto(f"{sample_town.address}/emergencies")
    expect(page.locator("main")).to_contain_text("救急搬送")


def test_the_security_administrator_sees_the_difference_and_the_review(sample_town: Town, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(sample_town, sample_town.users["sample-security"])
    page.goto(f"{sample_town.address}/rights/ledger?system=nhi-eligibility")
    expect(page.locator("main")).to_contain_text("承認のない設定 1 件")
    page.goto(f"{sample_town.address}/emergencies/reviews")
    expect(page.locator("h1")).to_contain_text("1 件")
