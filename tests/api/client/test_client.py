"""The typed client against the real routes, and against servers that fail in every way: whatever fails is a denial."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from desk import NO, SYSTEM, Desk, allow_views, open_desk
from hypothesis import given, settings
from hypothesis import strategies as st
from ports import free_port

from api.client import Access, ClientError, Mimamori
from api.client.answers import read_decision
from audit.access.decisions import functions_of
from audit.access.decisions.model import Answer, Effect, Question
from audit.access.strength import Acr

ROOT = Path(__file__).parents[3]
VIEW = Access(person="s0412", activity="view", subject="0004512345", session="sid", address="10.3.1.31")


@dataclass
class Ticks:
    """Seconds that pass when a test says so."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def the_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("desk")) as desk:
        yield desk


@pytest.fixture
def desk(the_desk: Desk) -> Desk:
    the_desk.decider.questions, the_desk.decider.rule = [], allow_views
    return the_desk


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def client(desk: Desk, ticks: Ticks) -> Iterator[Mimamori]:
    made = desk.machines.register(SYSTEM)
    with Mimamori(
        desk.address, made.client_id, made.client_secret, timeout=20, clock=desk.clock, monotonic=ticks
    ) as client:
        yield client


def test_it_needs_httpx_and_nothing_else_of_the_server() -> None:
    code = (
        "import sys\n"
        "from api.client import Guard, Mimamori\n"
        "bad = {'fastapi', 'starlette', 'pydantic', 'sqlalchemy', 'chdb', 'clickhouse_connect', 'structlog'}\n"
        "assert not bad & sys.modules.keys(), bad & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_a_question_arrives_whole_and_its_answer_comes_back(desk: Desk, client: Mimamori) -> None:
    whole = Access(
        person="s0412", activity="view", subject="0004512345", function="list", affair="nhi-levy", session="sid",
        address="10.3.1.31", terminal="T-1", purpose="window", case_id="c-1", second_person="s0500", rows=3,
        medium_id="M-017",
    )  # fmt: skip
    decision = client.evaluate(whole)
    assert decision
    assert (decision.reason, decision.life, decision.id) == ("allowed", 3.0, "d1")
    assert desk.decider.questions == [
        Question(
            person="s0412", system=SYSTEM, activity="view", function="list", affair="nhi-levy",
            subjects=("0004512345",), purpose="window", case_id="c-1", terminal_id="T-1", address="10.3.1.31",
            session="sid", rows=3, medium_id="M-017", second_person="s0500",
        )
    ]  # fmt: skip


def test_a_denial_brings_its_words_and_an_act_on_nobody_its_function(desk: Desk, client: Mimamori) -> None:
    decision = client.evaluate(Access(person="s0412", activity="config_change", function="users"))
    assert not decision
    assert (decision.reason, decision.reason_ja, decision.reason_en) == ("no_right", NO.ja, NO.en)
    assert (desk.decider.questions[0].function, desk.decider.questions[0].subjects) == ("users", ())


def test_an_act_on_nobody_and_of_no_function_besides_needs_none_besides(desk: Desk, client: Mimamori) -> None:
    client.evaluate(Access(person="s0412", activity="search", affair="nhi-levy"))
    (asked,) = desk.decider.questions
    assert (asked.activity, asked.affair, asked.subjects) == ("search", "nhi-levy", ())
    assert functions_of(asked) == ("view",)


def test_a_life_beyond_every_number_is_no_more_than_the_longest() -> None:
    assert read_decision({"decision": True, "context": {"life": 10**400}}).life == 10


def test_a_step_up_brings_the_challenge_to_pass_on(desk: Desk, client: Mimamori) -> None:
    desk.decider.rule = lambda _: Answer(
        effect=Effect.STEP_UP, reason="proof_weak", texts=NO, acr=Acr.USER_VERIFIED, max_age=timedelta(minutes=5)
    )
    decision = client.evaluate(VIEW)
    assert decision.step_up
    assert not decision
    assert decision.challenge == 'Bearer error="insufficient_user_authentication", acr_values="uv bio", max_age=300'


def test_E17_an_allow_is_relied_on_as_long_as_it_says_and_a_denial_never(
    desk: Desk, client: Mimamori, ticks: Ticks
) -> None:
    for now, asked in ((100.0, 1), (102.9, 1), (103.0, 2), (105.9, 2)):
        ticks.now = now
        assert client.evaluate(VIEW)
        assert len(desk.decider.questions) == asked, now
    assert client.evaluate(replace(VIEW, subject="0009999999"))
    assert client.evaluate(replace(VIEW, session="other"))
    assert len(desk.decider.questions) == 4
    for _ in range(2):
        assert not client.evaluate(replace(VIEW, activity="export"))
    assert len(desk.decider.questions) == 6


def test_E17_an_allow_for_one_use_is_asked_for_each_time(desk: Desk, client: Mimamori) -> None:
    desk.decider.rule = lambda _: Answer(effect=Effect.ALLOW, reason="allowed", texts=NO)
    assert client.evaluate(VIEW)
    assert client.evaluate(VIEW)
    assert len(desk.decider.questions) == 2


def test_several_at_once_in_their_order(desk: Desk, client: Mimamori) -> None:
    export = replace(VIEW, activity="export")
    assert [bool(one) for one in client.evaluate_all([VIEW, export, VIEW])] == [True, False, True]
    ended = client.evaluate_all([VIEW, export, VIEW], "deny_on_first_deny")
    assert [(bool(one), one.reason) for one in ended] == [
        (True, "allowed"), (False, "no_right"), (False, "not_evaluated"),
    ]  # fmt: skip
    permitted = client.evaluate_all([export, VIEW, VIEW], "permit_on_first_permit")
    assert [bool(one) for one in permitted] == [False, True, False]
    asked = len(desk.decider.questions)
    assert asked == 7
    assert client.evaluate(VIEW)
    assert client.evaluate_all([]) == []
    assert len(desk.decider.questions) == asked
    with pytest.raises(ClientError, match="100"):
        client.evaluate_all([VIEW] * 101)


def test_a_token_is_fetched_once_and_replaced_before_and_after_its_end(
    desk: Desk, client: Mimamori, ticks: Ticks
) -> None:
    def issued() -> int:
        return sum(doc["operation_name"] == "token.issued" for doc in desk.ledger.docs)

    before = issued()
    for seconds in (0, 10, 560):
        ticks.now = 100.0 + seconds
        assert client.evaluate(VIEW)
    assert issued() == before + 1
    ticks.now = 100.0 + 575
    assert client.evaluate(VIEW)
    assert issued() == before + 2
    desk.clock.advance(timedelta(minutes=11))  # ended on the server's side alone: its 401 decided nothing
    ticks.now += 10
    assert client.evaluate(VIEW)
    assert issued() == before + 3


def test_S25_a_revoked_credential_is_a_denial(desk: Desk, ticks: Ticks) -> None:
    made = desk.machines.register(SYSTEM)
    with Mimamori(desk.address, made.client_id, made.client_secret, clock=desk.clock, monotonic=ticks) as client:
        assert client.evaluate(replace(VIEW, case_id="c-1"))
        desk.machines.revoke(SYSTEM, made.client_id)
        assert client.evaluate(replace(VIEW, case_id="c-2")).reason == "unreachable"


def test_many_threads_share_it(desk: Desk, client: Mimamori) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(client.evaluate, [replace(VIEW, case_id=f"c-{n % 10}") for n in range(80)]))
    assert all(found)
    assert 10 <= len(desk.decider.questions) <= 80


def test_the_secret_is_shown_nowhere_and_goes_over_https_alone(client: Mimamori) -> None:
    assert client._secret.decode() not in repr(client)
    assert client._secret.decode() not in str(vars(client)).replace(repr(client._secret), "")
    for url in ("http://mimamori.example.lg.jp", "ftp://localhost", "mimamori", "http://localhost.evil.example"):
        with pytest.raises(ClientError):
            Mimamori(url, "id", "secret")


# Servers that fail --------------------------------------------------------------------------------------------------

Reply = Callable[[BaseHTTPRequestHandler], None]
TOKEN = b'{"access_token": "t", "expires_in": 600, "token_type": "Bearer"}'
GOOD = b'{"decision": true, "context": {"life": 5}}'


def reply(status: int, body: bytes, request_id: str = "echo") -> Reply:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        named = handler.headers.get("x-request-id", "") if request_id == "echo" else request_id
        for name, value in (
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("x-request-id", named),
        ):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def cut(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


ALLOWS, GIVES_A_TOKEN = reply(200, GOOD), reply(200, TOKEN)


@dataclass
class Faulty:
    """A server that answers as it is told, and counts the questions."""

    address: str
    answer: Reply = ALLOWS
    token: Reply = GIVES_A_TOKEN
    asked: int = 0


@pytest.fixture
def faulty() -> Iterator[Faulty]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/oauth2/token":
                found.token(self)
            else:
                found.asked += 1
                found.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Faulty(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "answer",
    [
        reply(500, b""), reply(503, GOOD), reply(204, b""), reply(302, b""), reply(403, GOOD), reply(400, GOOD),
        reply(200, b""), reply(200, b"{"), reply(200, b"[]"), reply(200, b"true"), reply(200, b"{}"), cut,
        reply(200, b'{"decision": 1}'), reply(200, b'{"decision": "true"}'), reply(200, b'{"decision": null}'),
        reply(200, b'{"decision": true, "context": []}'), reply(200, b"\xff\xfe"), reply(200, GOOD, "another"),
        reply(200, GOOD, ""), reply(200, b"[" * 200_000),
    ],
)  # fmt: skip
def test_whatever_fails_is_a_denial_and_is_not_asked_again(faulty: Faulty, answer: Reply) -> None:
    with Mimamori(faulty.address, "id", "secret", timeout=20) as client:
        assert client.evaluate(VIEW)  # it is the answer that fails, not the way
        faulty.answer, faulty.asked = answer, 0
        decision = client.evaluate(replace(VIEW, case_id="c"))
        assert (bool(decision), decision.reason) == (False, "unreachable")
        assert decision.reason_ja
        assert decision.reason_en
        assert faulty.asked == 1
        assert [one.reason for one in client.evaluate_all([VIEW, VIEW])] == ["unreachable"] * 2


def test_a_401_is_tried_once_more_with_another_token(faulty: Faulty) -> None:
    faulty.answer = reply(401, b"{}")
    with Mimamori(faulty.address, "id", "secret", timeout=20) as client:
        assert client.evaluate(VIEW).reason == "unreachable"
    assert faulty.asked == 2


@pytest.mark.parametrize("token", [reply(401, b"{}"), reply(200, b"{}"), reply(200, b'{"access_token": "t"}'), cut])
def test_without_a_token_nothing_is_asked(faulty: Faulty, token: Reply) -> None:
    faulty.token = token
    with Mimamori(faulty.address, "id", "secret", timeout=20) as client:
        assert client.evaluate(VIEW).reason == "unreachable"
    assert faulty.asked == 0


def test_a_server_that_does_not_answer_in_time_or_is_not_there_is_a_denial(faulty: Faulty) -> None:
    over = threading.Event()
    faulty.answer = lambda _: over.wait(20) and None
    with Mimamori(faulty.address, "id", "secret", timeout=0.2) as client:
        assert client.evaluate(VIEW).reason == "unreachable"
    over.set()
    with Mimamori(f"http://127.0.0.1:{free_port()}", "id", "secret") as client:
        assert client.evaluate(VIEW).reason == "unreachable"


@pytest.mark.parametrize(
    "said", [[], [{"decision": True}] * 3, [{"decision": True}], ["x", "y"], {}, None, [{"decision": True}, {}]]
)
def test_a_batch_of_another_length_allows_nothing_that_was_not_answered(faulty: Faulty, said: Any) -> None:
    faulty.answer = reply(200, json.dumps({"evaluations": said}).encode())
    with Mimamori(faulty.address, "id", "secret", timeout=20) as client:
        found = client.evaluate_all([VIEW, replace(VIEW, case_id="c")])
        assert len(found) == 2
        assert not found[1]
        faulty.asked = 0
        assert len(client.evaluate_all([VIEW] * 2, "deny_on_first_deny")) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["decision", "context", "life", "notes", "max_age", "acr_values", "reason_user", "ja"]),
        inner, max_size=4,
    ),
    max_leaves=10,
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(said=JSON)
def test_only_a_plain_true_allows(said: Any) -> None:
    decision = read_decision(said)
    assert decision.allowed <= (isinstance(said, dict) and said.get("decision") is True)
    assert 0 <= decision.life <= 10
    assert not decision.step_up or not decision.allowed
    assert decision.challenge.isascii()
    assert "\n" not in decision.challenge
    assert '"' not in decision.acr_values
