"""The scenario's requests at the whole application: its own policy, feeds, rights, sessions and log decide (S27)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from argon2.profiles import CHEAPEST
from desk import SYSTEM, serving
from oauth_client import OAuthClient
from test_authzen_scenario import ADMIN, ALICE, BATCHES, BOB, EIGHT, asked

from api.app import create_app
from api.installation import Installation, open_installation
from api.settings import Settings
from audit.access import NeedsSecondFactor, Passwords, Role, SignedIn, new_secret
from audit.access.machines import MachineRules
from audit.access.rights import Doer, Wish
from audit.clock import FixedClock
from audit.log import OWN_SOURCE, Filter

NOW = datetime(2026, 10, 5, 1, 0, 10, tzinfo=UTC)  # a Monday, 10:00 in Tokyo
PASSWORD, UNIT, HERE = "朝霧 correct staple 42", "hoken/shikaku", "10.3.1.31"
STAFF = f"""staff_id,org_unit,post,role,employment,manager_id,valid_from
head,{UNIT},係長,head,regular,,2020-04-01
alice,{UNIT},主事,,regular,head,2020-04-01
bob,{UNIT},主事,,regular,head,2020-04-01
systems,soumu/joho-system,係長,head,regular,,2020-04-01
"""
RIGHTS = {"alice": ("view", "update"), "bob": ("view",)}
RECORD = {"type": "record", "id": "0004512345"}
HEAD = {"type": "staff", "id": "head"}
VIEW, UPDATE, EXPORT = ({"name": name} for name in ("view", "update", "export"))


@dataclass
class Hall:
    """A running installation in which alice may view and update, and bob may view."""

    installation: Installation
    clock: FixedClock
    http: httpx.Client
    token: str = ""
    sessions: dict[str, str] = field(default_factory=dict)

    def open(self) -> None:
        installation = self.installation
        installation.access._passwords = Passwords(CHEAPEST)
        installation.context.import_feed("staff", STAFF.encode())
        policy = f"source,valid_from,require\n{SYSTEM},2020-01-01,password+totp\n"
        installation.context.import_feed("policies", policy.encode())
        for person, functions in RIGHTS.items():
            wish = Wish(
                person=person, system=SYSTEM, functions=functions, unit=UNIT, start=NOW, end=None, reason="資格審査"
            )
            application = installation.rights.apply(wish, Doer(id=person))
            for approver in ("head", "systems"):
                installation.rights.approve(application.id, Doer(id=approver))
            secret = new_secret()
            installation.access.create_account(person, "見本", frozenset({Role.STAFF}), PASSWORD, secret)
            begun = installation.access.begin_sign_in(person, PASSWORD, address=HERE)
            assert isinstance(begun, NeedsSecondFactor)
            done = installation.access.finish_sign_in(begun.ticket, pyotp.TOTP(secret).at(NOW), address=HERE)
            assert isinstance(done, SignedIn)
            self.sessions[person] = done.session.id
        made = installation.machines.register(SYSTEM)
        client = OAuthClient(made.client_id, made.client_secret, str(self.http.base_url).rstrip("/"))
        self.token = client.token(self.http, NOW)

    def post(self, path: str, body: Any) -> Any:
        answer = self.http.post(f"/access/v1/{path}", json=body, headers={"authorization": f"Bearer {self.token}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def about(self, subject: dict[str, Any], action: Any) -> dict[str, Any]:
        """A question in our own words."""
        context = {"session": self.sessions.get(subject["id"], ""), "address": HERE}
        return asked(subject | {"type": "staff"}, action, RECORD, context=context)

    def recorded(self) -> list[tuple[str, str, str]]:
        """Id, reason and outcome of every decision in the log, oldest first."""
        self.installation.acts.drain()
        found = self.installation.log.each(Filter(sources=(OWN_SOURCE,), activities=("authorize",)))
        docs = [event.to_contract() for event in found]
        return [(doc["event_id"], doc["operation_name"], doc["outcome"]) for doc in docs]


def as_recorded(answers: Sequence[Any]) -> list[tuple[str, str, str]]:
    """What the log must hold of answers."""
    return [
        (one["context"]["id"], one["context"]["reason"], "success" if one["decision"] else "denied") for one in answers
    ]


@pytest.fixture
def hall(tmp_path: Path, engine_path: Path) -> Iterator[Hall]:
    clock = FixedClock(NOW)
    settings = Settings(data=tmp_path, events_path=engine_path, clickhouse_database="authzen")
    with (
        open_installation(settings, clock) as installation,
        serving(create_app(installation, schedule=False)) as address,
        httpx.Client(base_url=address, timeout=30) as http,
    ):
        installation.machines.rules = MachineRules(issuer=address)
        hall = Hall(installation, clock, http)
        hall.open()
        yield hall
        installation.acts.drain()
        installation.log._repository._store.command("DROP DATABASE authzen")


def test_S27_whoever_is_not_of_our_directory_is_denied_whatever_the_request_says_of_them(hall: Hall) -> None:
    for body, _ in EIGHT:
        assert hall.post("evaluation", body)["decision"] is False, body
    denied = hall.recorded()
    assert len(denied) == len(EIGHT)
    for body, expected in BATCHES:
        found = [one["decision"] for one in hall.post("evaluations", body)["evaluations"]]
        assert found == [False] * len(expected)
    after = hall.recorded()
    assert len(after) >= len(denied) + len(BATCHES)
    assert {outcome for *_, outcome in after} == {"denied"}


def test_S27_rights_of_the_directory_decide_and_a_role_in_the_request_adds_nothing(hall: Hall) -> None:
    before = len(hall.recorded())
    answers = [
        hall.post("evaluation", hall.about(subject, action))
        for subject, action in (
            (ALICE, VIEW), (ALICE, UPDATE), (BOB, VIEW), (BOB, UPDATE), (ADMIN, UPDATE), (ALICE, EXPORT),
            (ADMIN, EXPORT),
        )
    ]  # fmt: skip
    assert [one["decision"] for one in answers] == [True, True, True, False, False, False, False]
    assert {one["context"]["reason"] for one in answers[3:]} == {"no_right"}
    assert hall.recorded()[before:] == as_recorded(answers)


def test_a_batch_ends_where_its_semantic_says_and_only_what_was_answered_is_recorded(hall: Hall) -> None:
    before = len(hall.recorded())
    parts = [hall.about(ALICE, VIEW), hall.about(BOB, UPDATE), hall.about(BOB, VIEW)]
    answers = list[Any]()
    for semantic, expected in (
        ("execute_all", [True, False, True]), ("deny_on_first_deny", [True, False]), ("permit_on_first_permit", [True]),
    ):  # fmt: skip
        body = {"evaluations": parts, "options": {"evaluations_semantic": semantic}}
        said = hall.post("evaluations", body)["evaluations"]
        assert [one["decision"] for one in said] == expected, semantic
        answers += said
    assert sorted(hall.recorded()[before:]) == sorted(as_recorded(answers))


def test_S26_without_a_live_session_of_their_own_nobody_is_allowed_anything(hall: Hall) -> None:
    before = len(hall.recorded())
    clerk = hall.about(BOB, VIEW)
    alices = {"session": hall.sessions["alice"], "address": HERE}
    answers = [hall.post("evaluation", body) for body in (clerk, clerk | {"context": alices}, hall.about(HEAD, VIEW))]
    assert [one["context"]["reason"] for one in answers] == ["allowed", "other_session", "no_session"]
    assert hall.recorded()[before:] == as_recorded(answers)
