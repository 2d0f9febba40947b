"""AuthZEN 1.0 over HTTP: who may ask, what is understood, what is answered."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from desk import NO, OTHER, SYSTEM, Desk, allow_views, open_desk
from hypothesis import given, settings
from hypothesis import strategies as st

from api.web.i_json import NotIJsonError, read_object
from audit.access.decisions.model import Answer, Effect, Question
from audit.access.strength import Acr

VIEW: dict[str, Any] = {
    "subject": {"type": "staff", "id": "s0412"},
    "action": {"name": "view"},
    "resource": {"type": "record", "id": "0004512345"},
}
WHOLE: dict[str, Any] = {
    "subject": {"type": "staff", "id": "s0412", "properties": {"role": "admin"}},
    "action": {"name": "export"},
    "resource": {
        "type": "record",
        "id": "0004512345",
        "properties": {"affair": "nhi-levy", "function": "list", "rows": 120, "medium_id": "M-017"},
    },
    "context": {
        "session": "sid", "terminal": "T-1", "address": "10.3.1.31", "purpose": "window", "case_id": "c-1",
        "second_person": "s0500",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def the_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("desk")) as desk:
        yield desk


@pytest.fixture
def desk(the_desk: Desk) -> Desk:
    the_desk.decider.questions, the_desk.decider.rule, the_desk.ledger.full = [], allow_views, False
    return the_desk


def without(body: dict[str, Any], part: str, key: str = "") -> dict[str, Any]:
    """A body with one part, or one key of it, left out."""
    if not key:
        return {name: value for name, value in body.items() if name != part}
    return body | {part: {name: value for name, value in body[part].items() if name != key}}


def test_an_allow_tells_how_long_it_may_be_relied_on(desk: Desk) -> None:
    answer = desk.ask(VIEW)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    context = {"reason": "allowed", "id": "d1", "policy": "p1", "life": 3.0, "notes": []}
    assert answer.json() == {"decision": True, "context": context}
    assert answer.headers["cache-control"] == "no-store"


def test_a_deny_is_a_good_answer(desk: Desk) -> None:
    answer = desk.ask(VIEW | {"action": {"name": "export"}})
    assert answer.status_code == 200
    words = {"ja": NO.ja, "en": NO.en}
    context = {"reason": "no_right", "id": "d2", "policy": "p1", "reason_user": words}
    assert answer.json() == {"decision": False, "context": context}


def test_every_part_of_a_question_arrives(desk: Desk) -> None:
    desk.ask(WHOLE)
    assert desk.decider.questions == [
        Question(
            person="s0412", system=SYSTEM, activity="export", function="list", affair="nhi-levy",
            subjects=("0004512345",), purpose="window", case_id="c-1", terminal_id="T-1", address="10.3.1.31",
            session="sid", rows=120, medium_id="M-017", second_person="s0500",
        )
    ]  # fmt: skip
    desk.ask(VIEW | {"resource": {"type": "function", "id": "administer"}})
    assert (desk.decider.questions[1].function, desk.decider.questions[1].subjects) == ("administer", ())


def test_a_step_up_says_what_would_be_enough(desk: Desk) -> None:
    desk.decider.rule = lambda _question: Answer(
        effect=Effect.STEP_UP, reason="proof_weak", texts=NO, acr=Acr.USER_VERIFIED, max_age=timedelta(minutes=5)
    )
    said = desk.ask(VIEW).json()
    assert said["decision"] is False
    assert (said["context"]["acr_values"], said["context"]["max_age"]) == ("uv bio", 300)
    assert said["context"]["reason_user"] == {"ja": NO.ja, "en": NO.en}


def test_S25_the_system_is_the_authenticated_one_whatever_a_question_claims(desk: Desk) -> None:
    claims = {"system": OTHER, "source": OTHER}
    body = VIEW | claims | {"context": claims, "resource": VIEW["resource"] | {"properties": claims}}
    desk.ask(body, desk.token(SYSTEM))
    desk.ask(body, desk.token(OTHER))
    assert [question.system for question in desk.decider.questions] == [SYSTEM, OTHER]


def test_S25_personnel_may_not_ask_for_decisions(desk: Desk) -> None:
    client = desk.credential("hr")
    form = client.form(desk.clock.now(), grant_type="client_credentials", scope="mimamori:access:decide")
    assert desk.http.post("/oauth2/token", data=form).json()["error"] == "invalid_scope"
    assert desk.ask(VIEW, client.token(desk.http, desk.clock.now())).status_code == 401
    assert desk.decider.questions == []


def test_S27_roles_that_the_caller_asserts_change_nothing(desk: Desk) -> None:
    for properties in ({"role": "admin"}, {"roles": ["admin"], "is_admin": True}, {}):
        desk.ask(VIEW | {"subject": VIEW["subject"] | {"properties": properties}})
    assert len({repr(question) for question in desk.decider.questions}) == 1


def test_only_a_failed_proof_of_the_asker_is_401(desk: Desk) -> None:
    bare = desk.http.post("/access/v1/evaluation", json=VIEW, headers={"x-request-id": "r-1"})
    assert (bare.status_code, bare.headers["www-authenticate"]) == (401, 'Bearer realm="mimamori"')
    assert bare.headers["x-request-id"] == "r-1"
    assert desk.ask(VIEW, "x" * 43).status_code == 401
    token = desk.token()
    desk.clock.advance(timedelta(minutes=10))
    assert desk.ask(VIEW, token).status_code == 401
    basic = desk.credential()
    assert desk.http.post("/access/v1/evaluation", json=VIEW, auth=(basic.client_id, basic.secret)).status_code == 401
    assert desk.decider.questions == []


def test_nothing_of_a_body_is_read_before_it_is_known_who_sends_it(desk: Desk) -> None:
    assert desk.ask(b"[" * 300_000, "x" * 43).status_code == 401


def test_request_ids_come_back_with_answers_and_refusals(desk: Desk) -> None:
    token = desk.token()
    for body in (VIEW, {}, b"no json"):
        assert desk.ask(body, token, x_request_id="bfe9eb29 ~1").headers["x-request-id"] == "bfe9eb29 ~1"
    assert "x-request-id" not in desk.ask(VIEW, token).headers


@pytest.mark.parametrize(
    "body",
    [
        *(without(VIEW, part) for part in ("subject", "action", "resource")),
        *(without(VIEW, part, key) for part in ("subject", "resource") for key in ("type", "id")),
        without(VIEW, "action", "name"),
        VIEW | {"subject": "s0412"}, VIEW | {"subject": None}, VIEW | {"action": {"name": 123}},
        VIEW | {"subject": {"type": "staff", "id": ""}}, VIEW | {"context": []},
        VIEW | {"subject": {"type": "staff", "id": "x" * 201}}, VIEW | {"context": {"purpose": 5}},
        VIEW | {"resource": VIEW["resource"] | {"properties": {"rows": "many"}}},
        VIEW | {"resource": VIEW["resource"] | {"properties": {"rows": True}}},
        VIEW | {"resource": VIEW["resource"] | {"properties": {"rows": -1}}},
        VIEW | {"resource": VIEW["resource"] | {"properties": "affair"}},
    ],
)  # fmt: skip
def test_a_part_that_is_missing_or_of_another_type_is_400(desk: Desk, body: dict[str, Any]) -> None:
    answer = desk.ask(body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert desk.decider.questions == []


def test_I1_a_my_number_is_refused_and_not_repeated(desk: Desk) -> None:
    number = "123456789018"
    for body in (
        VIEW | {"resource": {"type": "record", "id": number}},
        VIEW | {"subject": {"type": "staff", "id": number}},
        VIEW | {"context": {"purpose": f"照会 {number}"}},
    ):
        answer = desk.ask(body)
        assert answer.status_code == 400
        assert number not in answer.text
    assert number not in repr(desk.ledger.docs)
    assert desk.decider.questions == []


def test_unknown_fields_are_ignored(desk: Desk) -> None:
    body = VIEW | {"foo": "bar", "futureField": {"nested": True}, "context": {"time": "2025-06-27T18:03-07:00"}}
    assert desk.ask(body).json()["decision"] is True


@pytest.mark.parametrize(
    "body", [VIEW | {"subject": {"type": "user", "id": "alice"}}, VIEW | {"resource": {"type": "boat", "id": "1"}}]
)
def test_what_is_not_about_staff_and_records_is_denied_and_recorded(desk: Desk, body: dict[str, Any]) -> None:
    token = desk.token()
    before = len(desk.ledger.docs)
    said = desk.ask(body, token)
    assert (said.status_code, said.json()["decision"], said.json()["context"]["reason"]) == (200, False, "not_ours")
    (event,) = desk.ledger.docs[before:]
    assert (event["activity"], event["outcome"], event["target"]) == ("authorize", "denied", {"system": SYSTEM})
    desk.ledger.full = True
    assert desk.ask(body, token).status_code == 503


# JSON that two readers could understand in two ways -----------------------------------------------------------------

SURROGATE = json.dumps(VIEW).replace("s0412", "\\ud800").encode()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b'"view"', b"{", b"\xef\xbb\xbf{}", b"\xff\xfe{}", b'{"a":"\xc3\x28"}', SURROGATE,
        b'{"subject":{"type":"staff","id":"a"},"subject":{"type":"staff","id":"b"}}', b'{"a":1,"\\u0061":2}',
        b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":1e999}', b'{"a":9007199254740993}', b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' * 40 + b"1" + b"}" * 40, b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"{'a': 1}", b'{"a":1}x',
    ],
)  # fmt: skip
def test_a_body_that_is_no_I_json_is_400(desk: Desk, body: bytes) -> None:
    assert desk.ask(body).status_code == 400
    assert desk.decider.questions == []


def test_another_content_type_is_400_and_a_long_body_413(desk: Desk) -> None:
    token = desk.token()
    assert desk.ask(VIEW, token, content_type="text/plain").status_code == 400
    assert desk.ask(VIEW, token, content_type="application/json; charset=utf-8").status_code == 200
    assert desk.ask(json.dumps(VIEW).encode() + b" " * 300_000, token).status_code == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), JSON, max_size=4))
def test_what_is_read_is_what_was_written(value: dict[str, Any]) -> None:
    try:
        found = read_object(json.dumps(value).encode())
    except NotIJsonError:
        assert "\\ud" in json.dumps(value)
    else:
        assert found == value


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=60) | st.text('{}[]":,0123456789eE.-\\u NaInfity\ud800', max_size=60).map(
    lambda text: text.encode("utf-8", "surrogatepass")
))  # fmt: skip
def test_any_bytes_are_an_object_or_refused(body: bytes) -> None:
    with suppress(NotIJsonError):
        assert isinstance(read_object(body), dict)


# Several at once ----------------------------------------------------------------------------------------------------

ACTIONS = {name: {"action": {"name": name}} for name in ("view", "export")}


def decisions(answer: Any) -> list[bool]:
    assert answer.status_code == 200, answer.text
    return [one["decision"] for one in answer.json()["evaluations"]]


def test_defaults_are_inherited_whole_and_overridden_whole(desk: Desk) -> None:
    default = VIEW | {"context": {"session": "sid", "address": "10.0.0.1"}}
    body = default | {
        "evaluations": [
            {}, {"resource": {"type": "record", "id": "other"}}, {"context": {"session": "sid2"}}, ACTIONS["export"],
        ]
    }  # fmt: skip
    assert decisions(desk.ask_all(body)) == [True, True, True, False]
    first, second, third, fourth = desk.decider.questions
    assert (first.subjects, second.subjects) == (("0004512345",), ("other",))
    assert (third.session, third.address) == ("sid2", "")
    assert fourth.activity == "export"


@pytest.mark.parametrize(
    ("semantic", "asked", "expected"),
    [
        ("execute_all", ["view", "export", "view"], [True, False, True]),
        ("deny_on_first_deny", ["view", "export", "view"], [True, False]),
        ("deny_on_first_deny", ["view", "view"], [True, True]),
        ("permit_on_first_permit", ["export", "view", "view"], [False, True]),
        ("permit_on_first_permit", ["export", "export"], [False, False]),
    ],
)
def test_each_semantic_ends_where_it_says_and_nothing_after_it_is_judged(
    desk: Desk, semantic: str, asked: list[str], expected: list[bool]
) -> None:
    body = VIEW | {
        "options": {"evaluations_semantic": semantic, "another_option": "value"},
        "evaluations": [ACTIONS[name] for name in asked],
    }
    assert decisions(desk.ask_all(body)) == expected
    assert len(desk.decider.questions) == len(expected)


def test_one_that_cannot_be_read_is_a_deny_in_its_place(desk: Desk) -> None:
    body = {
        "subject": VIEW["subject"],
        "action": VIEW["action"],
        "evaluations": [
            {"resource": VIEW["resource"]}, {}, {"resource": VIEW["resource"] | {"properties": {"rows": "x"}}},
            {"subject": {"type": "user", "id": "alice"}, "resource": VIEW["resource"]}, {"resource": VIEW["resource"]},
        ],
    }  # fmt: skip
    answer = desk.ask_all(body)
    assert decisions(answer) == [True, False, False, False, True]
    reasons = [one["context"]["reason"] for one in answer.json()["evaluations"]]
    assert reasons == ["allowed", "bad_evaluation", "bad_evaluation", "not_ours", "allowed"]
    assert "decision" not in answer.json()


@pytest.mark.parametrize("semantic", ["execute_all", "permit_on_first_permit", "deny_on_first_deny"])
def test_a_batch_about_nothing_of_ours_is_one_event_that_tells_kinds_and_no_names(desk: Desk, semantic: str) -> None:
    alice = {"type": "user", "id": "yamada.hanako2@example.jp"}
    named = [
        *({"type": "boat", "id": name} for name in ("山田 太郎", "yamada-1970-01-01", "yamada.hanako2")),
        *({"type": kind, "id": "b-1"} for kind in ("yamada.2", "山田 太郎")),
        *({"type": "boat", "id": f"b-{n}"} for n in range(94)),
    ]
    body = {
        "subject": alice,
        "action": VIEW["action"],
        "options": {"evaluations_semantic": semantic},
        "evaluations": [VIEW | {"action": {"name": "export"}}, *({"resource": one} for one in named)],
    }
    token = desk.token()
    before = len(desk.ledger.docs)
    answered = desk.ask_all(body, token).json()["evaluations"]
    told = [doc for doc in desk.ledger.docs[before:] if doc["operation_name"] == "decision.not_ours"]
    if semantic == "deny_on_first_deny":
        assert (len(answered), told) == (1, [])
        return
    assert [one["context"]["reason"] for one in answered] == ["no_right"] + ["not_ours"] * 99
    (event,) = told
    assert event["unmapped"] == {"count": "99", "kinds": ["user:boat 97", "user:- 2"]}
    assert not any(name in repr(event) for name in ("yamada", "山田", "b-1"))
    desk.ledger.full = True
    assert desk.ask_all(body, token).status_code == 503


def test_without_a_list_it_is_one_question(desk: Desk) -> None:
    for body in (VIEW, VIEW | {"evaluations": []}):
        assert desk.ask_all(body).json()["decision"] is True


@pytest.mark.parametrize(
    "body",
    [
        VIEW | {"evaluations": {}}, VIEW | {"evaluations": ["view"]}, VIEW | {"evaluations": [{}] * 101},
        VIEW | {"evaluations": [{}], "options": {"evaluations_semantic": "all"}},
        VIEW | {"evaluations": [{}], "options": {"evaluations_semantic": ["execute_all"]}},
        VIEW | {"evaluations": [{}], "options": []}, VIEW | {"evaluations": [{}], "subject": "s0412"},
        VIEW | {"evaluations": [{}], "context": "now"}, {"evaluations": []},
    ],
)  # fmt: skip
def test_a_batch_that_is_wrong_as_a_whole_is_400(desk: Desk, body: dict[str, Any]) -> None:
    assert desk.ask_all(body).status_code == 400
    assert desk.decider.questions == []


def test_a_hundred_are_answered(desk: Desk) -> None:
    assert decisions(desk.ask_all(VIEW | {"evaluations": [{}] * 100})) == [True] * 100


def test_the_metadata_never_come_from_the_host_header(desk: Desk) -> None:
    answer = desk.http.get("/.well-known/authzen-configuration", headers={"host": "evil.example"})
    assert answer.json() == {
        "policy_decision_point": desk.address,
        "access_evaluation_endpoint": f"{desk.address}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{desk.address}/access/v1/evaluations",
    }
