"""Takes the pictures of the tour from a running demonstration: `python tests/docs/pictures.py DATA ADDRESS`.

Only the part of a page below the menu is taken, so that another menu leaves the pictures true.
"""

import json
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]

from visit import Town, User, Visit  # noqa: E402 - found by the line above

PAGES = (
    ("sample-security", "alerts", "/alerts"),
    ("sample-security", "alert", "a[href^='/alerts/f-']:has-text('閲覧人数')"),
    ("sample-security", "board", "/board"),
    ("sample-manager", "rights-inbox", "/rights/inbox"),
    ("sample-security", "rights-ledger", "/rights/ledger?system=nhi-eligibility"),
    ("sample-auditor", "approvals", "/approvals/ledger"),
    ("sample-security", "emergency", "/emergencies/reviews"),
    ("sample-security", "decisions", "/events?source=mimamori&activity=authorize&outcome=denied"),
)
"""Who looks, the picture's name, and the page or the link on the page before."""
_HIGHEST = 1000


def take(data: Path, address: str, folder: Path) -> None:
    """Take every picture.

    Args:
        data: of the demonstration.
        address: where it answers.
        folder: where the pictures go.
    """
    rows = json.loads((data / "sample-sign-ins.json").read_text("utf-8"))
    users = {row["login_id"]: User(**row) for row in rows}
    town = Town(address, Path(), Path())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-lcd-text"]
        )
        for who in dict.fromkeys(one for one, _, _ in PAGES):
            page = _signed_in(browser, town, users[who])
            for name, place in ((name, place) for one, name, place in PAGES if one == who):
                if place.startswith("/"):
                    page.goto(address + place)
                else:
                    page.goto(address + "/alerts")
                    page.locator(place).first.click()
                page.wait_for_load_state("networkidle")
                _shoot(page, folder / f"{name}.png")
        browser.close()


def _signed_in(browser: Browser, town: Town, user: User) -> Page:
    context = browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo", viewport={"width": 1280, "height": 900})
    visit = Visit(context.new_page(), Path())
    visit.page.set_default_timeout(60_000)  # the board has much to count
    visit.sign_in(town, user)
    return visit.page


def _shoot(page: Page, path: Path) -> None:
    box = page.locator("main").bounding_box()
    assert box
    box["height"] = min(box["height"], _HIGHEST)
    page.screenshot(path=path, full_page=True, clip=box)


if __name__ == "__main__":
    take(Path(sys.argv[1]), sys.argv[2].rstrip("/"), ROOT / "docs" / "images")
