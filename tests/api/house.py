"""A real installation behind a real server, and browsers that sign in to it."""

import itertools
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

import httpx
import pyotp
from scorecards_made import save_card

from api.installation import Installation
from audit.access import Role, new_secret
from audit.access.decisions import Actor
from audit.clock import FixedClock, tokyo_date
from audit.findings import FindingFilter
from audit.log import OWN_SOURCE, Filter
from audit.tuning import ExceptionTerms, Scope

PASSWORD = "朝霧 correct staple 42"
SOURCE = "town-hall"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_TICKET = re.compile(r'name="ticket" value="([^"]+)"')
_names = itertools.count(1)


def csrf_of(page: httpx.Response) -> str:
    """The token of the forms on a page."""
    found = _CSRF.search(page.text)
    assert found, page.text
    return found[1]


def ticket_of(page: httpx.Response) -> str:
    """What the second step of signing in hands back."""
    found = _TICKET.search(page.text)
    assert found, page.text
    return found[1]


@dataclass
class User:
    """Somebody who may sign in."""

    login_id: str
    secret: str


@dataclass
class House:
    """The installation, its clock and its address."""

    installation: Installation
    clock: FixedClock
    address: str
    alert: str = ""
    preview: str = ""
    change: str = ""
    card: str = ""
    open: ExitStack = field(default_factory=ExitStack)
    staff: dict[Role, User] = field(default_factory=dict)

    def settle(self) -> None:
        """A few events, and an alert: the same id came with other content."""
        profile = self.installation.profile(SOURCE)
        for action in ("view", "update"):
            lines = b"".join(
                b'{"time":"2026-11-19T1%d:00:00+09:00","event_id":"e/%d","activity":"%s","actor":{"id":"s041%d"}}\n'
                % (n % 8, n, action.encode() if n == 0 else b"view", n % 3)
                for n in range(25)
            )
            self.installation.ingest(BytesIO(lines), name="day.jsonl", profile=profile, fmt="jsonl")
        (finding,) = self.installation.findings.listing(FindingFilter())
        self.alert = finding.id
        for role in Role:
            self.staff[role] = self.user(role)
        self._propose()
        self.card = save_card(self.installation.settings.data)

    def _propose(self) -> None:
        """An exception that somebody proposes, and that nobody falls under."""
        self.installation.context.import_feed("staff", b"staff_id,org_unit\ns0001,joho\n")
        today = tokyo_date(self.clock.now())
        terms = ExceptionTerms("off-hours-access", Scope(actors=("s9999",)), "s0001", today, today + timedelta(days=7))
        by = Actor(staff_id="s0001")
        previews, tuning = self.installation.previews, self.installation.tuning
        self.preview = previews.make(previews.begin(terms, by=by)).id
        self.change = tuning.propose(self.preview, reason="機器の更新", ticket="CHG-1", by=by).id

    def place(self, path: str, **more: str) -> str:
        """A path with the ids of what is here put in."""
        return path.format(alert=self.alert, preview=self.preview, change=self.change, card=self.card, **more)

    def user(self, *roles: Role) -> User:
        """A new user."""
        user = User(f"user-{next(_names)}", new_secret())
        self.installation.access.create_account(user.login_id, "見本", frozenset(roles), PASSWORD, user.secret)
        return user

    def browser(self, here: str = "127.0.0.1", **kept: Any) -> httpx.Client:
        """A browser without cookies at a network address; it follows no redirection by itself."""
        transport = httpx.HTTPTransport(local_address=here)
        client = httpx.Client(base_url=self.address, transport=transport, timeout=30, **kept)
        return self.open.enter_context(client)

    def code(self, user: User) -> str:
        """The code that the user's authenticator shows now; every code is good once."""
        return pyotp.TOTP(user.secret).at(self.clock.now())

    def password_step(self, browser: httpx.Client, user: User, password: str = PASSWORD) -> httpx.Response:
        """The first step of signing in."""
        form = {"login_id": user.login_id, "password": password, "csrf": csrf_of(browser.get("/sign-in"))}
        return browser.post("/sign-in", data=form)

    def code_step(self, browser: httpx.Client, page: httpx.Response, code: str) -> httpx.Response:
        """The second step of signing in."""
        form = {"ticket": ticket_of(page), "code": code, "csrf": csrf_of(page)}
        return browser.post("/sign-in/second-factor", data=form)

    def signed_in(self, who: Role | User, here: str = "127.0.0.1") -> httpx.Client:
        """A browser in which somebody has signed in."""
        user = self.staff[who] if isinstance(who, Role) else who
        self.clock.advance(timedelta(seconds=30))
        browser = self.browser(here)
        done = self.code_step(browser, self.password_step(browser, user), self.code(user))
        if done.status_code == 200 and "take_over" in done.text:
            form = {"ticket": ticket_of(done), "choice": "take_over", "csrf": csrf_of(done)}
            done = browser.post("/sign-in/second-session", data=form)
        assert done.status_code == 303, done.text
        return browser

    def own_events(self) -> int:
        """How many of its own acts the installation has recorded."""
        return self.installation.log.count(Filter(sources=(OWN_SOURCE,)))

    def last_act(self) -> dict[str, Any]:
        """The last of them."""
        return self.installation.log.search(Filter(sources=(OWN_SOURCE,)), limit=1).events[0].to_contract()


@contextmanager
def visiting(house: House) -> Iterator[House]:
    """The house for one test: whatever browsers it opens are closed after it."""
    with ExitStack() as opened:
        house.open = opened
        yield house


def token() -> str:
    """Something as long as a token of ours, and none."""
    return secrets.token_urlsafe(32)
