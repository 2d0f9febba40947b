"""A real browser, a records service, Mimamori on another site: cookies and form policies as browsers hold them."""

import base64
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from house import PASSWORD, SOURCE, House
from playwright.sync_api import Browser, Page

from audit.access import Role
from audit.access.machines import MachineRules
from audit.access.sso import System

CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 64).digest()).rstrip(b"=").decode()

pytestmark = pytest.mark.system


@dataclass
class Records:
    """A records service with one link, at another site than the house: localhost, not 127.0.0.1."""

    link: str = ""
    brought: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        records = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                place = urlsplit(self.path)
                if place.path == "/callback":
                    records.brought.append({name: values[0] for name, values in parse_qs(place.query).items()})
                body = f'<a id="in" href="{records.link}">in</a>'.encode()
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://localhost:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def records(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Records]:
    records = Records()
    monkeypatch.setattr(house.installation.machines, "rules", MachineRules(issuer=house.address))
    back = f"{records.address}/callback"
    house.installation.sso.register(System(source=SOURCE, redirect_uris=(back,)), by="test")
    made = house.installation.machines.register(SOURCE)
    asked = {
        "response_type": "code",
        "client_id": made.client_id,
        "redirect_uri": back,
        "scope": "openid",
        "state": "s",
        "nonce": "n",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    records.link = f"{house.address}/oauth2/authorize?{urlencode(asked)}".replace("&", "&amp;")
    yield records
    house.installation.sso.remove(SOURCE, by="test")
    records.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_a_person_signs_in_once_and_goes_in_again_without_being_asked(
    house: House, records: Records, page: Page
) -> None:
    user = house.user(Role.STAFF)
    house.clock.advance(timedelta(seconds=30))
    page.goto(records.address)
    page.click("#in")
    page.fill("input[name=login_id]", user.login_id)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.fill("input[name=code]", house.code(user))
    page.press("input[name=code]", "Enter")
    page.wait_for_url(f"{records.address}/callback?*")
    assert records.brought[-1].keys() == {"code", "state", "iss"}
    page.click("#in")
    page.wait_for_url(lambda url: url.startswith(records.address) and records.brought[0]["code"] not in url)
    assert len(records.brought) == 2
    assert records.brought[1].keys() == {"code", "state", "iss"}
