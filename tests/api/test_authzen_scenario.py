"""The AuthZEN working group's certification scenario (openid/authzen, `authorization-api-1_0-scenario.md`).

Its fixture has the decision point believe the role that a caller asserts. A profile of our own routes that exists in
this file alone does so, and passes Basic, Batch and Discovery; the profile in production, on the same requests, does
not. Search is not offered: who may see a resident is not for a records service to list.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from desk import SYSTEM, Desk, open_desk

from api.web.evaluations import Evaluation
from audit.access.decisions.model import Answer, Effect
from audit.access.machines import Machine
from audit.texts import Texts

READ, WRITE = {"name": "read"}, {"name": "write"}
SOFT, HARD = ({"name": "delete", "properties": {"soft": soft}} for soft in (True, False))
ALICE, BOB = {"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}
ADMIN = BOB | {"properties": {"role": "admin"}}
FIRST = {"type": "record", "id": "record-1"}
ACTIVE = FIRST | {"properties": {"status": "active"}}
ARCHIVED = {"type": "record", "id": "record-2", "properties": {"status": "archived"}}
LATER = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}


def asked(subject: Any, action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"subject": subject, "action": action, "resource": resource} | more


EIGHT = [
    (asked(ALICE, READ, FIRST), True),
    (asked(ALICE, WRITE, FIRST), True),
    (asked(BOB, READ, FIRST), True),
    (asked(BOB, WRITE, FIRST), False),
    (asked(ALICE, WRITE, ARCHIVED), False),
    (asked(ADMIN, WRITE, ARCHIVED), True),
    (asked(ALICE, SOFT, FIRST), True),
    (asked(ALICE, HARD, FIRST), False),
]
WELL_FORMED = [
    asked(ALICE, READ, FIRST, context=LATER),
    asked(ALICE, READ, FIRST, foo="bar", futureField={"nested": True}),
    asked(
        ALICE | {"properties": {"department": "Sales", "role": "manager"}},
        READ | {"properties": {"method": "GET"}},
        FIRST | {"properties": {"status": "active", "owner": "bob"}},
    ),
]
MISSING = [
    {name: part for name, part in asked(ALICE, READ, FIRST).items() if name != left_out}
    for left_out in ("subject", "action", "resource")
] + [
    asked({"id": "alice"}, READ, FIRST), asked({"type": "user"}, READ, FIRST), asked(ALICE, {}, FIRST),
    asked(ALICE, READ, {"id": "record-1"}), asked(ALICE, READ, {"type": "record"}),
    asked("alice", READ, FIRST), asked(ALICE, {"name": 123}, FIRST),
]  # fmt: skip
BATCHES: list[tuple[dict[str, Any], list[bool | None]]] = [
    ({"subject": ALICE, "action": READ, "evaluations": [
        {"resource": FIRST}, {"resource": {"type": "record", "id": "record-2"}},
    ]}, [True, None]),
    ({"subject": BOB, "resource": FIRST, "evaluations": [{"action": READ}, {"action": WRITE}]}, [True, False]),
    ({"subject": ALICE, "action": WRITE, "evaluations": [{"resource": ACTIVE}, {"resource": ARCHIVED}]}, [True, False]),
    ({"action": WRITE, "resource": ARCHIVED, "evaluations": [{"subject": ALICE}, {"subject": ADMIN}]}, [False, True]),
    ({"evaluations": [asked(ALICE, READ, FIRST), asked(BOB, WRITE, FIRST)]}, [True, False]),
    ({"subject": ALICE, "action": READ, "context": LATER, "evaluations": [
        {"resource": FIRST}, {"resource": {"type": "record", "id": "record-2"}, "context": {"source": "override"}},
    ]}, [None, None]),
    (asked(ALICE, WRITE, ACTIVE, evaluations=[{}, {"resource": ARCHIVED}]), [True, False]),
    ({"subject": ALICE, "action": READ, "options": {"evaluations_semantic": "execute_all"}, "evaluations": [
        {"resource": FIRST}, {},
    ]}, [True, False]),
]  # fmt: skip
"""The requests of its batch level, and what it wants; None where any decision will do."""


class Scenario:
    """The scenario's policy, which believes what a caller says of itself."""

    def decide(self, evaluations: Sequence[Evaluation], _machine: Machine) -> Sequence[Answer]:
        return [
            Answer(
                effect=Effect.ALLOW if self.allows(one) else Effect.DENY, reason="fixture", texts=Texts.same("fixture")
            )
            for one in evaluations
        ]

    def tell_not_ours(self, evaluations: Sequence[Evaluation], _machine: Machine) -> None:
        raise AssertionError(evaluations)

    def allows(self, one: Evaluation) -> bool:
        admin = one.subject_properties.get("role") == "admin"
        archived = one.resource_properties.get("status") == "archived"
        match one.action:
            case "read":
                return one.subject in {"alice", "bob"}
            case "write":
                return admin if archived else one.subject == "alice"
            case "delete":
                return one.subject == "alice" and one.action_properties.get("soft") is True
            case _:
                return False


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("scenario"), Scenario()) as desk:
        yield desk


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("production")) as desk:
        yield desk


def test_the_eight_decisions_and_again(scenario: Desk) -> None:
    token = scenario.token()
    for _ in range(3):
        for body, expected in EIGHT:
            answer = scenario.ask(body, token, x_request_id="bfe9eb29-ab87-4ca3-be83-a1d5d8305716")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-request-id"] == "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"
            assert answer.json()["decision"] is expected, body
            assert isinstance(answer.json().get("context", {}), dict)


def test_context_properties_and_unknown_fields_are_accepted(scenario: Desk) -> None:
    token = scenario.token()
    for body in WELL_FORMED:
        assert scenario.ask(body, token).json()["decision"] is True, body


def test_what_is_missing_or_malformed_is_400(scenario: Desk) -> None:
    token = scenario.token()
    for body in (*MISSING, b"", b"{"):
        assert scenario.ask(body, token).status_code == 400, body
    assert scenario.ask(EIGHT[0][0], token, content_type="text/plain").status_code == 400


def test_batches(scenario: Desk) -> None:
    token = scenario.token()
    for body, expected in BATCHES:
        answer = scenario.ask_all(body, token)
        assert answer.status_code == 200
        found = [one["decision"] for one in answer.json()["evaluations"]]
        assert len(found) == len(expected), body
        assert all(isinstance(one, bool) for one in found)
        assert [one if wanted is not None else None for one, wanted in zip(found, expected, strict=True)] == expected
    for body in (asked(ALICE, READ, FIRST), asked(ALICE, READ, FIRST, evaluations=[])):
        assert scenario.ask_all(body, token).json()["decision"] is True


def test_discovery(scenario: Desk) -> None:
    answer = scenario.http.get("/.well-known/authzen-configuration")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    found = answer.json()
    assert found["policy_decision_point"] == scenario.address
    for name, path in (("access_evaluation_endpoint", "evaluation"), ("access_evaluations_endpoint", "evaluations")):
        assert found[name] == f"{scenario.address}/access/v1/{path}"
    assert not any(name.startswith("search_") for name in found)


def test_S27_the_profile_in_production_denies_every_one_of_the_same_requests(production: Desk) -> None:
    token = production.token()
    for body, _ in EIGHT:
        answer = production.ask(body, token)
        assert (answer.status_code, answer.json()["decision"]) == (200, False), body
    for body, expected in BATCHES:
        found = [one["decision"] for one in production.ask_all(body, token).json()["evaluations"]]
        assert found == [False] * len(expected)
    assert production.decider.questions == []


def test_S27_asserted_of_staff_the_role_reaches_no_question(production: Desk) -> None:
    token = production.token()
    bodies = [
        asked({"type": "staff", "id": "s1"} | said, {"name": "update"}, ARCHIVED)
        for said in ({"properties": {"role": "admin"}}, {})
    ]
    answers = [production.ask(body, token).json() for body in bodies]
    assert answers[0] == answers[1]
    first, second = production.decider.questions
    assert first == second
    assert first.system == SYSTEM
    production.decider.questions.clear()
