"""The decision routes by themselves behind a real server, over whatever a test lets decide."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from api.web.authzen import DecisionPoint, StaffDecisions, install_authzen
from api.web.certificates import BehindProxies
from api.web.errors import install_errors
from api.web.oauth import install_oauth
from api.web.security import SecurityHeaders
from audit.access import SecretBox
from audit.access.decisions.model import Answer, Effect, Question
from audit.access.machines import MachineRules, MachineService
from audit.clock import FixedClock
from audit.events import check
from audit.store.errors import StoreUnavailableError
from audit.store.state import StateStore
from audit.texts import Texts

sys.path.insert(0, str(Path(__file__).parents[1] / "doubles"))

from oauth_client import OAuthClient

SYSTEM, OTHER = "nhi-eligibility", "nhi-levy"
NO = Texts("権限がありません。", "No right.")
START = datetime(2026, 11, 20, 1, 0, 10, tzinfo=UTC)


@dataclass
class Ledger:
    """A log that takes valid events only, and can be full."""

    clock: FixedClock
    docs: list[dict[str, Any]] = field(default_factory=list)
    full: bool = False

    def record(self, doc: dict[str, Any]) -> None:
        if self.full:
            raise StoreUnavailableError("disk full")
        checked = check(doc, self.clock.now())
        if checked.faults or checked.masked:
            raise ValueError(checked.faults)
        self.docs.append(doc)


def allow_views(question: Question) -> Answer:
    """A policy of one line."""
    if question.activity == "view":
        return Answer(effect=Effect.ALLOW, reason="allowed", texts=NO, life=timedelta(seconds=3), policy="p1", id="d1")
    return Answer(effect=Effect.DENY, reason="no_right", texts=NO, policy="p1", id="d2")


@dataclass
class StandIn:
    """Decides by a function, and keeps what it was asked."""

    rule: Callable[[Question], Answer] = allow_views
    questions: list[Question] = field(default_factory=list)

    def decide(self, question: Question) -> Answer:
        self.questions.append(question)
        return self.rule(question)

    def decide_all(self, questions: Sequence[Question]) -> Sequence[Answer]:
        return [self.decide(question) for question in questions]


@dataclass
class Desk:
    """Where systems ask."""

    machines: MachineService
    clock: FixedClock
    ledger: Ledger
    decider: StandIn
    http: httpx.Client
    address: str

    def credential(self, source: str = SYSTEM) -> OAuthClient:
        made = self.machines.register(source)
        return OAuthClient(made.client_id, made.client_secret, self.address)

    def token(self, source: str = SYSTEM) -> str:
        return self.credential(source).token(self.http, self.clock.now())

    def ask(self, body: Any, token: str = "", path: str = "/access/v1/evaluation", **headers: str) -> httpx.Response:
        sent = {"content-type": "application/json", "authorization": f"Bearer {token or self.token()}"}
        given = {"content": body} if isinstance(body, bytes) else {"json": body}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(path, headers=sent | named, **given)

    def ask_all(self, body: Any, token: str = "") -> httpx.Response:
        return self.ask(body, token, "/access/v1/evaluations")


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """A real server; its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", ws="none", proxy_headers=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def open_desk(folder: Path, point: DecisionPoint | None = None) -> Iterator[Desk]:
    """A desk over a decision point; without one as in production, but for a stand-in that decides."""
    clock = FixedClock(START)
    ledger, store = Ledger(clock), StateStore(f"sqlite:///{folder / 'state.db'}")
    store.create_tables()
    machines = MachineService(store, clock, ledger, SecretBox(bytes(range(32))))
    decider = StandIn()
    app = FastAPI()
    app.add_middleware(SecurityHeaders)
    install_errors(app)
    install_oauth(app, machines)
    install_authzen(app, point or StaffDecisions(decider, ledger, clock))
    try:
        with serving(BehindProxies(app, "")) as address, httpx.Client(base_url=address, timeout=30) as http:
            machines.rules = MachineRules(issuer=address)
            yield Desk(machines, clock, ledger, decider, http, address)
    finally:
        store.close()
