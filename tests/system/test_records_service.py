"""A records service, unchanged, behind a real nginx that asks Mimamori about every request: by day, weak, at night.

nginx runs by `deploy/nginx/records.conf` with addresses of this machine, without TLS. People use a real browser with a
virtual security key; time is Mimamori's own and moves when the test says so.
"""

import base64
import itertools
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from argon2.profiles import CHEAPEST
from playwright.sync_api import BrowserContext, Page

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "api"))
sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
sys.path.insert(0, str(Path(__file__).parents[1] / "ingest" / "receivers"))

from authenticators import VirtualKey
from certificates import Authority
from house import PASSWORD, House, User
from ports import free_port
from programs import PATH, listening, need, stop, wait_for

from api.app import create_app
from api.cli.serving import server_config
from api.client import Access, Mimamori
from api.installation import open_installation
from api.settings import Settings
from audit.access import Passwords, Role, SignedIn, new_secret
from audit.access.rights import Doer, Wish
from audit.access.strength import Proof
from audit.clock import FixedClock
from audit.log import OWN_SOURCE, Filter
from audit.store.errors import StoreUnavailableError

pytestmark = pytest.mark.system

SYSTEM, UNIT = "nhi-eligibility", "hoken/shikaku"
RESIDENT, PLACE = "0004512345", "/residents/0004512345"
MORNING = datetime(2026, 11, 20, 1, 0, 10, tzinfo=UTC)
"""A Friday at 10:00 in Tokyo."""
STAFF = f"""staff_id,name,kana,org_unit,post,role,employment,manager_id,valid_from,valid_to,subject_id
s0011,資格係長,,{UNIT},係長,,regular,,2020-04-01,,
s0012,係員,,{UNIT},主事,,regular,s0011,2020-04-01,,0009000001
s0013,係員,,{UNIT},主事,,regular,s0011,2020-04-01,,
s0014,係員,,{UNIT},主事,,regular,s0011,2020-04-01,,
s0015,係員,,{UNIT},主事,,regular,s0011,2020-04-01,,
s0016,係員,,{UNIT},主事,,regular,s0011,2020-04-01,,
s0091,情報係長,,soumu/joho-system,係長,head,regular,,2020-04-01,,
"""
GATEWAYS = """
[{system}]
origin = "http://localhost:{port}"
affair = "{system}"
subject = "[0-9]{{10}}"

[[{system}.route]]
methods = ["GET"]
path = "/search"
query = {{ q = "" }}
activity = "search"

[[{system}.route]]
methods = ["GET"]
path = "/residents/{{subject}}"
activity = "view"

[[{system}.route]]
methods = ["POST"]
path = "/residents/{{subject}}"
activity = "update"
"""
NGINX = """
user root;
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {home}; proxy_temp_path {home}; fastcgi_temp_path {home};
  uwsgi_temp_path {home}; scgi_temp_path {home};
  include {home}/records.conf;
}}
"""
_numbers = itertools.count(1)


@dataclass
class Town:
    """Mimamori, nginx and the records service, all at work."""

    house: House
    address: str
    seen: Path

    def reached(self) -> list[dict[str, Any]]:
        """What has reached the records service."""
        return [json.loads(line) for line in self.seen.read_text(encoding="utf-8").splitlines()]

    def decisions(self, person: str) -> list[tuple[str, str]]:
        """What the log says of somebody's decisions, oldest first: reason and outcome."""
        self.house.installation.acts.drain()
        found = self.house.installation.log.each(
            Filter(sources=(OWN_SOURCE,), actors=(person,), activities=("authorize",))
        )
        return [(event["operation_name"], event["outcome"]) for event in (one.to_contract() for one in found)]

    def person(self, staff_id: str) -> User:
        """A member of staff with a sign-in to Mimamori."""
        user = User(staff_id, new_secret())
        self.house.installation.access.create_account(staff_id, "見本", frozenset({Role.STAFF}), PASSWORD, user.secret)
        return user

    def opened(self, staff_id: str) -> SignedIn:
        """A session that a key proved, without a browser."""
        proof = Proof(factors=frozenset({"webauthn"}), at=self.house.clock.now(), user_verified=True)
        opened = self.house.installation.access.open_verified_session(staff_id, proof, address="127.0.0.1")
        assert isinstance(opened, SignedIn)
        return opened

    def client(self) -> Mimamori:
        """The client of a records service that asks by itself."""
        made = self.house.installation.machines.register(SYSTEM)
        return Mimamori(self.house.address, made.client_id, made.client_secret, timeout=20, clock=self.house.clock)

    def may_view(self, staff_id: str) -> None:
        """The section head and the systems head approve of it."""
        rights, now = self.house.installation.rights, self.house.clock.now()
        wish = Wish(
            person=staff_id, system=SYSTEM, functions=("view",), unit=UNIT, start=now, end=None, reason="資格審査",
        )  # fmt: skip
        application = rights.apply(wish, Doer(id=staff_id))
        for approver in ("s0011", "s0091"):
            rights.approve(application.id, Doer(id=approver))

    def at(self, moment: datetime) -> None:
        self.house.clock.advance(moment - self.house.clock.now())

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A request that follows nothing."""
        return httpx.get(
            self.address + path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


@contextmanager
def _running(*command: str, port: int, home: Path) -> Iterator[None]:
    said = home / f"{Path(command[0]).name}.said"
    with said.open("ab") as out:
        process = subprocess.Popen(command, env={"PATH": PATH}, stdout=out, stderr=out)
    try:
        wait_for(lambda: listening(port) or process.poll() is not None, f"{command[0]} listens")
        assert process.poll() is None, said.read_text(errors="replace")
        yield
    finally:
        stop(process)


def _records_conf(home: Path, *, records: int, behind: int, port: int, secret: str) -> None:
    """The committed file with addresses of this machine, without TLS; each of them must stand in it."""
    text = (Path(__file__).parents[2] / "deploy" / "nginx" / "records.conf").read_text(encoding="utf-8")
    (home / "secret.conf").write_text(f'set $mimamori_secret "Basic {base64.b64encode(secret.encode()).decode()}";\n')
    changes = {
        "127.0.0.1:8000": f"127.0.0.1:{behind}",
        "127.0.0.1:8080": f"127.0.0.1:{records}",
        "listen 9443 ssl;": f"listen 127.0.0.1:{port};",
        "ssl_certificate /etc/mimamori/tls/server.pem;": "",
        "ssl_certificate_key /etc/mimamori/tls/server.key;": "",
        "ssl_protocols TLSv1.2 TLSv1.3;": "",
        "/etc/nginx/mimamori-secret.conf;": f"{home}/secret.conf;",
    }
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    (home / "records.conf").write_text(text, encoding="utf-8")
    (home / "nginx.conf").write_text(NGINX.format(home=home), encoding="utf-8")


@contextmanager
def _mimamori(data: Path, events: Path, port: int, behind: int) -> Iterator[House]:
    (data / "gateways.toml").write_text(GATEWAYS.format(system=SYSTEM, port=port), encoding="utf-8")
    settings = Settings(
        data=data, events_path=events, clickhouse_database="records", port=behind,
        return_origins=f"http://localhost:{port}",
    )  # fmt: skip
    clock = FixedClock(MORNING)
    with open_installation(settings, clock) as installation:
        installation.access._passwords = Passwords(CHEAPEST)
        installation.context.import_feed("staff", STAFF.encode())
        policy = f"source,valid_from,require\n{SYSTEM},2026-04-01,webauthn\n"
        installation.context.import_feed("policies", policy.encode())
        server = uvicorn.Server(server_config(create_app(installation, schedule=False), settings))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield House(installation, clock, f"http://localhost:{behind}")
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def the_town(engine_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    nginx = need("nginx")["nginx"]
    home, data = tmp_path_factory.mktemp("nginx"), tmp_path_factory.mktemp("data")
    records, behind, port, seen = free_port(), free_port(), free_port(), home / "seen"
    seen.touch()
    service = (sys.executable, str(Path(__file__).with_name("records_service.py")), str(records), str(seen))
    with ExitStack() as stack:
        house = stack.enter_context(_mimamori(data, engine_path, port, behind))
        made = house.installation.machines.register(SYSTEM)
        secret = f"{made.client_id}:{made.client_secret}"
        _records_conf(home, records=records, behind=behind, port=port, secret=secret)
        stack.enter_context(_running(*service, port=records, home=home))
        files = ("-p", str(home), "-c", str(home / "nginx.conf"), "-e", str(home / "error.log"))
        stack.enter_context(_running(nginx, *files, port=port, home=home))
        yield Town(house, f"http://localhost:{port}", seen)


@pytest.fixture
def town(the_town: Town) -> Town:
    the_town.at(MORNING)
    return the_town


@pytest.fixture
def context(browser: Any) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo")
    context.set_default_timeout(20_000)
    yield context
    context.close()


def by_code(page: Page, town: Town, user: User) -> None:
    """Sign in with password and code on the page that is open."""
    town.house.clock.advance(timedelta(seconds=30))
    page.fill("#login_id", user.login_id)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.fill("#code", town.house.code(user))
    page.keyboard.press("Enter")


def add_key(page: Page, town: Town, user: User) -> None:
    """Sign in at Mimamori, add the key that is plugged in, and leave."""
    page.goto(f"{town.house.address}/sign-in")
    by_code(page, town, user)
    page.wait_for_url("**/account")
    page.fill("#name", "机の鍵")
    page.get_by_role("button", name="キーを追加").click()
    page.wait_for_url("**/account?done=key_added")
    access = town.house.installation.access
    viewer = access.authenticate(cookie_of(page))
    assert viewer is not None
    access.sign_out(viewer)
    page.context.clear_cookies()


def cookie_of(page: Page) -> str:
    """The session that the browser holds."""
    return next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "mimamori")


def test_a_day_and_a_night_of_one_clerk(town: Town, context: BrowserContext) -> None:
    user = town.person("s0012")
    town.may_view("s0012")
    page = context.new_page()
    VirtualKey.plug(page)
    add_key(page, town, user)
    before = len(town.reached())

    page.goto(f"{town.address}/search?q=%E8%A6%8B%E6%9C%AC")  # no session: to sign-in
    assert page.url.startswith(f"{town.house.address}/sign-in?next=")
    by_code(page, town, user)  # and back; password and code are too weak: to step-up
    page.wait_for_url(f"{town.house.address}/step-up?**")
    assert len(town.reached()) == before, "nothing has reached the service so far"

    page.get_by_role("button", name="セキュリティキーを使う").click()  # the key is enough: back, and in
    page.wait_for_url(f"{town.address}/search?q=%E8%A6%8B%E6%9C%AC")
    page.get_by_role("link", name="見本 一郎").click()
    page.wait_for_url(f"{town.address}{PLACE}")
    assert page.inner_text("h1") == "見本 一郎"

    own = town.reached()[before:]
    assert [(one["method"], one["address"]) for one in own if "favicon" not in one["address"]] == [
        ("GET", "/search?q=%E8%A6%8B%E6%9C%AC"), ("GET", PLACE),
    ]  # fmt: skip
    for one in own:
        headers = {name.lower(): value for name, value in one["headers"]}
        assert headers["x-mimamori-person"] == "s0012"
        assert headers["x-mimamori-acr"] == "uv"
        assert headers["x-mimamori-decision"]
        assert "mimamori=" not in headers.get("cookie", "")
        assert "authorization" not in headers

    page.goto(f"{town.address}/residents/0009000001")  # the clerk's own record
    page.wait_for_url(f"{town.house.address}/denied?reason=self")
    assert "自分の記録は扱えません" in page.inner_text("main")

    town.at(MORNING + timedelta(hours=12))  # 22:00, and no roster says so
    page.goto(f"{town.address}{PLACE}")
    assert page.url.startswith(f"{town.house.address}/sign-in?next=")
    page.get_by_role("button", name="セキュリティキーでサインイン").click()
    page.wait_for_url(f"{town.house.address}/denied?reason=outside_hours")
    assert "勤務時間外です" in page.inner_text("main")
    assert [one["address"] for one in town.reached()[before:]].count(PLACE) == 1

    told = [one for one in town.decisions("s0012") if one[0] != "permission.denied"]
    pages = [one for one in told if one[0] != "unmapped"]  # a browser asks for /favicon.ico by itself
    assert pages == [
        ("proof_weak", "denied"), ("allowed", "success"), ("allowed", "success"), ("self", "denied"),
        ("outside_hours", "denied"),
    ]  # fmt: skip
    assert ("no_session", "denied") in town.decisions("unknown")


def _signed_in(town: Town, user: User, context: BrowserContext) -> str:
    """A session that a key proved; its cookie."""
    page = context.new_page()
    VirtualKey.plug(page)
    add_key(page, town, user)
    page.goto(f"{town.house.address}/sign-in")
    page.get_by_role("button", name="セキュリティキーでサインイン").click()
    page.wait_for_url("**/account")
    return cookie_of(page)


def test_what_a_browser_sends_itself_never_reaches_the_service(town: Town, context: BrowserContext) -> None:
    user = town.person("s0013")
    town.may_view("s0013")
    token = _signed_in(town, user, context)
    before = len(town.reached())
    spoofed = {
        "x_mimamori_person": "s0011", "x_mimamori_acr": "bio", "x_mimamori_decision": "mine",
        "x_mimamori_reason": "x", "x_forwarded_for": "10.9.9.9", "x_original_uri": "/search",
        "authorization": "Basic eDp5", "x_http_method_override": "DELETE",
    }  # fmt: skip
    for cookie in (
        f"mimamori={token}", f"a=1; mimamori={token}; b=2", f"b=2; mimamori={token}", f"mimamori={token}; a=mimamori=x",
        f"a=1; mimamori={token}; __Host-mimamori={token}",
    ):  # fmt: skip
        assert town.get(PLACE, cookie=cookie, **spoofed).status_code == 200, cookie
    for one in town.reached()[before:]:
        headers = {name.lower(): value for name, value in one["headers"]}
        assert headers["x-mimamori-person"] == "s0013"
        assert headers["x-mimamori-acr"] == "uv"
        assert headers["x-mimamori-decision"] != "mine"
        assert headers["x-forwarded-for"] == "127.0.0.1"
        assert not {"x-mimamori-reason", "authorization", "x-http-method-override"} & headers.keys()
        assert token not in repr(one)
    kept = [dict(one["headers"]).get("Cookie", "") for one in town.reached()[before:]]
    assert kept[1].replace(" ", "") == "a=1;b=2"


@pytest.mark.parametrize(
    "path",
    [
        "/search/../residents/0004512345", "/residents%2f0004512345", "/residents//0004512345", "/residents/4512345",
        "/RESIDENTS/0004512345", "/residents/0004512345;x", "/residents/0004512345?q=1", "/search?q=a&q=b", "/admin",
        "/residents/%30004512345%2f..%2f0004512346",
    ],
)  # fmt: skip
def test_an_address_that_no_line_knows_or_that_has_two_readings_is_denied(town: Town, path: str) -> None:
    access, somebody = town.house.installation.access, f"x{next(_numbers)}"
    access.create_account(somebody, "見本", frozenset({Role.STAFF}), PASSWORD, new_secret())
    opened = town.opened(somebody)
    before = len(town.reached())
    # httpx would tidy the path: it goes out byte for byte.
    answer = _raw(town, path, f"mimamori={opened.token}")
    assert answer.startswith("HTTP/1.1 303"), answer
    assert "/denied?reason=unmapped" in answer
    assert len(town.reached()) == before


def _raw(town: Town, path: str, cookie: str) -> str:
    port = int(town.address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n".encode()
        )
        parts = []
        while piece := connection.recv(4096):
            parts.append(piece)
    return b"".join(parts).decode()


def test_E10_the_right_ends_and_the_next_request_is_denied(town: Town, context: BrowserContext) -> None:
    user = town.person("s0014")
    town.may_view("s0014")
    token = _signed_in(town, user, context)
    assert town.get(PLACE, cookie=f"mimamori={token}").status_code == 200
    rights = town.house.installation.rights
    (held,) = rights.held_by("s0014")
    rights.revoke(held.right.id, "異動", Doer(id="s0011"))
    answer = town.get(PLACE, cookie=f"mimamori={token}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{town.house.address}/denied?reason=no_right")


def test_no_way_leads_around_the_question(town: Town) -> None:
    before = len(town.reached())
    assert town.get("/mimamori/forward-auth").status_code == 404
    assert town.get("/mimamori/forward-auth", cookie="mimamori=x").status_code == 404
    for path in (PLACE, "/", "/nowhere"):
        assert town.get(path).headers["location"].startswith(f"{town.house.address}/sign-in?next=")
    assert len(town.reached()) == before


def test_the_committed_file_is_good_with_tls(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("kiroku.example.lg.jp")
    text = (Path(__file__).parents[2] / "deploy" / "nginx" / "records.conf").read_text(encoding="utf-8")
    (tmp_path / "secret.conf").write_text('set $mimamori_secret "Basic eDp5";\n')
    for old, new in (
        ("/etc/mimamori/tls/server.pem", str(pair.certificate)),
        ("/etc/mimamori/tls/server.key", str(pair.key)),
        ("/etc/nginx/mimamori-secret.conf", f"{tmp_path}/secret.conf"),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "records.conf").write_text(text, encoding="utf-8")
    (tmp_path / "nginx.conf").write_text(NGINX.format(home=tmp_path), encoding="utf-8")
    nginx = need("nginx")["nginx"]
    files = ("-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log"))
    done = subprocess.run([nginx, "-t", *files], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_without_an_answer_nothing_goes_on(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailableError("disk full")

    before = len(town.reached())
    with monkeypatch.context() as broken:
        broken.setattr(type(town.house.installation.acts), "record_all", full)
        assert town.get(PLACE).status_code == 500
    assert len(town.reached()) == before


# The same decisions for a service that asks by itself ---------------------------------------------------------------


def _view(staff_id: str, session: str = "", **more: Any) -> Access:
    return Access(person=staff_id, activity="view", subject=RESIDENT, session=session, address="127.0.0.1", **more)


def test_S26_a_person_without_a_live_session_is_denied_and_it_is_in_the_log(town: Town) -> None:
    town.person("s0015")
    town.may_view("s0015")
    with town.client() as client:
        assert client.evaluate(_view("s0015", "made-up")).reason == "no_session"
        session = town.opened("s0015").session
        assert client.evaluate(_view("s0015", "made-up")).reason == "other_session"
        assert client.evaluate(_view("s0015", session.id)).reason == "allowed"
    reasons = [("no_session", "denied"), ("other_session", "denied"), ("allowed", "success")]
    assert town.decisions("s0015") == reasons


def test_S27_INV1_no_right_by_assertion_and_no_allow_without_its_event(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.person("s0016")
    session = town.opened("s0016").session
    access = town.house.installation.access
    with town.client() as client:
        body = _view("s0016", session.id).evaluation()
        body["subject"]["properties"] = {"role": "admin", "entitlements": [SYSTEM]}
        token = client._bearer()
        answer = httpx.post(
            f"{town.house.address}/access/v1/evaluation", json=body, headers={"authorization": f"Bearer {token}"}
        )
        assert (answer.status_code, answer.json()["context"]["reason"]) == (200, "no_right")
        town.may_view("s0016")
        counted = dict(town.house.installation.decisions.service.counts())

        def full(*_: object) -> None:
            raise StoreUnavailableError("disk full")

        with monkeypatch.context() as broken:
            broken.setattr(type(town.house.installation.acts), "record_all", full)
            assert client.evaluate(_view("s0016", session.id)).reason == "not_recorded"
        assert client.evaluate(_view("s0016", session.id, case_id="c-1")).reason == "allowed"
        allowed = town.house.installation.decisions.service.counts()["allow"]
        assert allowed == counted.get("allow", 0) + 1
        town.house.clock.advance(timedelta(minutes=4))  # at work in the service: the session is not idle
        assert client.evaluate(_view("s0016", session.id, case_id="c-2"))
        town.house.clock.advance(timedelta(minutes=4))
        assert client.evaluate(_view("s0016", session.id, case_id="c-3"))
        live = access.live_session("s0016")
        assert live is not None
        assert not live.locked
    assert town.decisions("s0016") == [("no_right", "denied"), *[("allowed", "success")] * 3]
