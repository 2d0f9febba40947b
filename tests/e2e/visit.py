"""One person at the browser: what they see, and what the browser complains about."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
from playwright.sync_api import ConsoleMessage, Page, Request, Route

from audit.clock import SystemClock

_STEP = 30
_MARGIN = 3
"""Seconds that a code must still live when it is typed."""


@dataclass
class User:
    """A sign-in, and when its last code was used: a code is good once."""

    login_id: str
    password: str
    totp_secret: str
    used: str = ""

    def code(self) -> str:
        """A code that was not used before and does not run out while it is typed."""
        while True:
            now = SystemClock().now()
            code = pyotp.TOTP(self.totp_secret).at(now)
            if code != self.used and now.timestamp() % _STEP < _STEP - _MARGIN:
                self.used = code
                return code
            time.sleep(0.2)


@dataclass
class Town:
    """A running service."""

    address: str
    stdout: Path
    stderr: Path
    users: dict[str, User] = field(default_factory=dict)

    def one_time_link(self) -> str:
        """The link for the first administrator, from what the service told."""
        found = re.search(r"http://\S+/enrol/\S+", self.stderr.read_text("utf-8"))
        assert found, self.stderr.read_text("utf-8")
        return found[0]


@dataclass
class Visit:
    """A browser window."""

    page: Page
    shots: Path
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(15_000)
        self.page.route("**/*", self._only_here)
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("requestfailed", self._failed)

    def _only_here(self, route: Route) -> None:
        if urlsplit(route.request.url).hostname == "localhost":
            route.continue_()
        else:
            self.complaints.append(f"foreign request: {route.request.url}")
            route.abort()

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        # A page left while it was loading gives up its own requests.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def shot(self, name: str) -> None:
        """Keep a picture of the page."""
        self.page.screenshot(path=self.shots / f"{name}.png", full_page=True)

    def path(self) -> str:
        """Where we are."""
        return urlsplit(self.page.url).path

    def press(self, name: str) -> None:
        """Press the button of that name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def sign_in(self, town: Town, user: User) -> None:
        """Both steps; a session that another test left open is taken over."""
        self.page.goto(f"{town.address}/sign-in")
        self.page.fill("#login_id", user.login_id)
        self.page.fill("#password", user.password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("#code")
        self.page.fill("#code", user.code())
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("nav, button[value=take_over]")
        if self.page.locator("button[value=take_over]").count():
            self.page.click("button[value=take_over]")
        self.page.wait_for_selector("nav")
