"""The ASGI middleware: what is not allowed does not reach the application, whatever it is."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from desk import NO, SYSTEM, Desk, allow_views, open_desk, serving
from ports import free_port

from api.client import Access, Guard, Mimamori
from api.client.asgi import DECISION
from audit.access.decisions.model import Answer, Effect
from audit.access.strength import Acr

PAGE = Path(__file__).parents[3] / "docs" / "integrate.md"


@dataclass
class Records:
    """An application that counts who reached it."""

    scopes: list[Any] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for word in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{word}.complete"})
            return
        self.scopes.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a record"})


def access_of(scope: Any) -> Access | None:
    person = dict(scope["headers"]).get(b"x-person", b"").decode()
    activity = "export" if scope["path"].endswith("/export") else "view"
    return Access(person=person, activity=activity, subject="0004512345") if person else None


@dataclass
class Site:
    """The application behind the middleware, served."""

    records: Records
    desk: Desk
    http: httpx.Client

    def get(self, path: str = "/residents/1", person: str = "s0412") -> httpx.Response:
        return self.http.get(path, headers={"x-person": person} if person else {})


@pytest.fixture(scope="module")
def the_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("desk")) as desk:
        yield desk


@pytest.fixture
def desk(the_desk: Desk) -> Desk:
    the_desk.decider.questions, the_desk.decider.rule = [], allow_views
    return the_desk


@pytest.fixture
def mimamori(desk: Desk) -> Iterator[Mimamori]:
    made = desk.machines.register(SYSTEM)
    with Mimamori(desk.address, made.client_id, made.client_secret, timeout=20, clock=desk.clock) as client:
        yield client


@pytest.fixture
def site(desk: Desk, mimamori: Mimamori) -> Iterator[Site]:
    records = Records()
    app = Guard(records, mimamori, access_of, public={"/health"})
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as http:
        yield Site(records, desk, http)


def test_an_allowed_request_reaches_the_application_with_its_decision(site: Site) -> None:
    assert site.get().text == "a record"
    decision = site.records.scopes[0][DECISION]
    assert (decision.allowed, decision.id) == (True, "d1")


def test_every_refusal_has_its_status_and_words(site: Site) -> None:
    nobody = site.get(person="")
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    denied = site.get("/residents/1/export")
    assert denied.status_code == 403
    assert denied.headers["content-type"] == "application/problem+json"
    assert (denied.json()["reason"], denied.json()["detail_ja"]) == ("no_right", NO.ja)
    site.desk.decider.rule = lambda _: Answer(
        effect=Effect.STEP_UP, reason="proof_old", texts=NO, acr=Acr.OTP, max_age=timedelta(minutes=5)
    )
    stronger = site.get()
    assert stronger.status_code == 401
    challenge = 'Bearer error="insufficient_user_authentication", acr_values="mfa-otp uv bio", max_age=300'
    assert stronger.headers["www-authenticate"] == challenge
    assert site.records.scopes == []


def test_a_public_path_needs_no_decision_and_only_exactly_it(site: Site) -> None:
    assert site.get("/health", person="").status_code == 200
    for path in ("/health/", "/Health", "/health/../residents/1", "/healthz", "//health"):
        assert site.get(path, person="").status_code == 401
    assert site.desk.decider.questions == []


def test_what_cannot_be_reached_or_breaks_opens_nothing(mimamori: Mimamori) -> None:
    def broken(_scope: Any) -> Access:
        raise LookupError

    records = Records()
    nowhere = Mimamori(f"http://127.0.0.1:{free_port()}", "id", "secret")
    for client, asks, status in ((nowhere, access_of, 503), (mimamori, broken, 500)):
        with serving(Guard(records, client, asks)) as address:
            assert httpx.get(f"{address}/residents/1", headers={"x-person": "s0412"}).status_code == status
    nowhere.close()
    assert records.scopes == []


@pytest.mark.parametrize(("path", "expected"), [("/residents/1", "accept"), ("/residents/1/export", "close")])
def test_websockets_are_guarded_too(mimamori: Mimamori, path: str, expected: str) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": path, "headers": [(b"x-person", b"s0412")]}
    guard = Guard(Records(), mimamori, access_of)
    with ThreadPoolExecutor(1) as aside:  # a browser of another test may hold this thread's event loop
        aside.submit(lambda: asyncio.run(guard(scope, receive, send))).result()
    assert [message["type"] for message in sent] == [f"websocket.{expected}"]
    assert sent[0].get("code", 1008) == 1008


def test_the_example_of_the_documentation_works(desk: Desk) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    made, records = desk.machines.register(SYSTEM), Records()
    names: dict[str, Any] = {
        "url": desk.address,
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "app": records,
        "signed_in": lambda _scope: ("s0412", "sid"),
    }
    exec(found[1], names)  # noqa: S102 - our own page
    names["mimamori"]._clock = desk.clock
    with serving(names["app"]) as address:
        assert httpx.get(f"{address}/residents/0004512345").text == "a record"
    (question,) = desk.decider.questions
    assert (question.person, question.session, question.subjects) == ("s0412", "sid", ("0004512345",))
    assert question.address == "127.0.0.1"
    names["mimamori"].close()


def test_the_json_of_the_documentation_is_understood(desk: Desk) -> None:
    asked, _ = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert desk.ask(json.loads(asked)).status_code == 200
    assert (desk.decider.questions[0].rows, desk.decider.questions[0].second_person) == (120, "s0500")
