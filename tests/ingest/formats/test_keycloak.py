"""Keycloak's events as log lines, JSON and syslog."""

# A table of log lines is read best uncut, a row being one case.

# ruff: noqa: E501

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import check
from ingest.formats.keycloak import decode_keycloak
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

PROFILE = Profile(id="idp", name_ja="認証", name_en="idp", format="keycloak")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
SHARED = Path(os.environ.get("MIMAMORI_SHARED", Path(__file__).parents[4] / "shared")) / "data"
HEAD = "2026-10-05 09:13:22,120 WARN  [org.keycloak.events] (executor-thread-3) "
QUOTED = 'type="LOGIN_ERROR", realmId="r1", realmName="town", clientId="portal", userId="null", ipAddress="10.1.2.3", error="invalid_user_credentials", auth_method="openid-connect", username="s0412"'
LOGIN = {
    "id": "e-1",
    "time": 1791159202120,
    "type": "LOGIN",
    "realmId": "r1",
    "clientId": "portal",
    "userId": "u-1",
    "sessionId": "x-1",
    "ipAddress": "10.1.2.3",
    "details": {"username": "s0412", "auth_method": "openid-connect"},
}


def read(text: str | bytes, profile: Profile = PROFILE) -> list[Record | Refused]:
    data = text.encode() if isinstance(text, str) else text
    return list(decode_keycloak(enumerate(data.split(b"\n"), 1), profile, reference=NOW))


def one(text: str, profile: Profile = PROFILE) -> dict[str, Any]:
    (found,) = read(text, profile)
    assert isinstance(found, Record), found
    assert check(found.doc, NOW).faults == ()
    return found.doc


def event(kind: str, **changes: Any) -> dict[str, Any]:
    return one(json.dumps({**LOGIN, "type": kind, **changes}))


def test_a_line_in_full() -> None:
    assert one(HEAD + QUOTED) == {
        "time": "2026-10-05T09:13:22.120000+09:00", "activity": "login", "operation_name": "LOGIN_ERROR", "outcome": "failure",
        "actor": {"id": "s0412"}, "terminal": {"ip": "10.1.2.3"},
        "unmapped": {
            "level": "WARN", "logger": "org.keycloak.events", "thread": "executor-thread-3", "realmId": "r1", "realmName": "town",
            "clientId": "portal", "error": "invalid_user_credentials", "details.auth_method": "openid-connect",
        },
    }  # fmt: skip


def test_before_there_were_quotes() -> None:
    old = "type=LOGIN_ERROR, realmId=r1, realmName=town, clientId=portal, userId=null, ipAddress=10.1.2.3, error=invalid_user_credentials, auth_method=openid-connect, username='s0412'"
    assert one(HEAD + old) == one(HEAD + QUOTED)


def test_an_event_in_full() -> None:
    assert one(json.dumps(LOGIN)) == {
        "time": "2026-10-05T00:13:22.120000+00:00", "activity": "login", "operation_name": "LOGIN", "outcome": "success",
        "actor": {"id": "s0412"}, "terminal": {"ip": "10.1.2.3"}, "session": "x-1", "event_id": "e-1",
        "unmapped": {"realmId": "r1", "clientId": "portal", "userId": "u-1", "details.auth_method": "openid-connect"},
    }  # fmt: skip


def test_json_logs_and_syslog() -> None:
    message = {
        "timestamp": "2026-10-05T09:13:22.120+09:00",
        "loggerName": "org.keycloak.events",
        "level": "WARN",
        "message": QUOTED,
    }
    plain = one(json.dumps(message))
    wrapped = one(f"<12>1 2026-10-05T09:13:23+09:00 idp1 keycloak 7 - - {json.dumps(message)}")
    lined = one(f"<12>Oct  5 09:13:22 idp1 keycloak[7]: {QUOTED}")
    for doc in (plain, wrapped, lined):
        assert (doc["activity"], doc["outcome"], doc["actor"]) == ("login", "failure", {"id": "s0412"})
    assert plain["time"] == wrapped["time"] == "2026-10-05T09:13:22.120000+09:00"
    assert lined["unmapped"]["host"] == wrapped["unmapped"]["host"] == "idp1"


@pytest.mark.parametrize(
    ("kind", "changes", "activity", "outcome"),
    [
        ("LOGOUT", {}, "logout", "success"),
        ("LOGOUT_ERROR", {"error": "invalid_token"}, "logout", "failure"),
        ("LOGIN_ERROR", {"error": "user_temporarily_disabled"}, "login", "denied"),
        ("LOGIN_ERROR", {}, "login", "failure"),
        ("REGISTER", {}, "credential_issue", "success"),
        ("UPDATE_PASSWORD", {}, "credential_reset", "success"),
        ("REMOVE_CREDENTIAL", {}, "credential_reset", "success"),
        ("USER_DISABLED_BY_PERMANENT_LOCKOUT", {}, "lock", "success"),
        ("IMPERSONATE", {}, "security_event", "success"),
        ("GRANT_CONSENT", {}, "grant", "success"),
        ("CODE_TO_TOKEN", {}, "operation", "success"),
        ("SOMETHING_NEW", {}, "operation", "success"),
    ],
)
def test_types(kind: str, changes: dict[str, Any], activity: str, outcome: str) -> None:
    doc = event(kind, **changes)
    assert (doc["activity"], doc["outcome"], doc["operation_name"]) == (activity, outcome, kind)


def test_services_are_no_people() -> None:
    assert event("CLIENT_LOGIN", details={"username": "service-account-batch"})["actor"] == {
        "id": "service-account-batch",
        "kind": "system",
    }
    assert event("LOGOUT", details={})["actor"] == {"id": "u-1"}


@pytest.mark.parametrize(
    ("operation", "resource", "path", "activity", "target"),
    [
        ("CREATE", "USER", "users/u-2", "credential_issue", "u-2"),
        ("DELETE", "USER", "users/u-2", "revoke", "u-2"),
        ("UPDATE", "USER", "users/u-2", "policy_change", "u-2"),
        ("ACTION", "USER", "users/u-2/reset-password", "credential_reset", "u-2"),
        ("CREATE", "REALM_ROLE_MAPPING", "users/u-2/role-mappings/realm", "grant", "u-2"),
        ("DELETE", "GROUP_MEMBERSHIP", "users/u-2/groups/g", "revoke", "u-2"),
        ("UPDATE", "REALM", "", "config_change", None),
        ("CREATE", "CLIENT", "clients/c", "config_change", None),
    ],
)
def test_what_administrators_do(operation: str, resource: str, path: str, activity: str, target: str | None) -> None:
    shown = json.dumps(
        {"type": "password", "value": "geheim", "credentials": [{"secretData": "geheim", "temporary": True}]}
    )
    doc = one(json.dumps({
        "id": "a-1", "time": 1791159202120, "realmId": "r1", "authDetails": {"realmId": "master", "clientId": "c", "userId": "admin", "ipAddress": "10.1.2.3"},
        "operationType": operation, "resourceType": resource, "resourcePath": path, "representation": shown,
    }))  # fmt: skip
    assert (doc["activity"], doc["outcome"], doc["actor"], doc["terminal"]) == (
        activity,
        "success",
        {"id": "admin"},
        {"ip": "10.1.2.3"},
    )
    assert doc.get("target", {}).get("id") == target
    assert "geheim" not in str(doc)
    assert "temporary" in doc["unmapped"]["representation"]
    assert doc["unmapped"]["auth.realmId"] == "master"


def test_secrets_in_what_is_no_json() -> None:
    doc = event("LOGIN", representation='{"password":"geheim", "x": "cut of')
    assert "geheim" not in str(doc)
    assert "cut of" in doc["unmapped"]["representation"]


def test_what_a_visitor_types_replaces_nothing() -> None:
    doc = one(
        HEAD
        + r'type="LOGIN_ERROR", realmId="r1", userId="null", ipAddress="10.1.2.3", error="user_not_found", username="x\", type=\"LOGIN\", error=\"null"'
    )
    assert (doc["outcome"], doc["operation_name"], doc["actor"]["id"]) == (
        "failure",
        "LOGIN_ERROR",
        'x", type="LOGIN", error="null',
    )
    doc = one(
        HEAD
        + "type=LOGIN_ERROR, realmId=r1, userId=null, ipAddress=10.1.2.3, error=user_not_found, username=x, type=LOGIN, ipAddress=10.9.9.9, error=null"
    )
    assert (doc["outcome"], doc["operation_name"], doc["terminal"]["ip"]) == ("failure", "LOGIN_ERROR", "10.1.2.3")
    assert doc["unmapped"]["ipAddress'"] == "10.9.9.9"


def test_other_lines_of_the_server_are_the_systems() -> None:
    doc = one("2026-10-05 09:13:22,120 INFO  [org.keycloak.services] (main) KC-SERVICES0050: Initializing master realm")
    assert (doc["activity"], doc["actor"], doc["unmapped"]["message"]) == (
        "operation",
        {"kind": "system"},
        "KC-SERVICES0050: Initializing master realm",
    )
    assert "outcome" not in doc


def test_arrays_in_one_line_and_over_many() -> None:
    for indent in (None, 2):
        found = read(json.dumps([LOGIN, {**LOGIN, "type": "LOGOUT"}], indent=indent))
        assert [record.doc["activity"] for record in found if isinstance(record, Record)] == ["login", "logout"]


def test_a_profile_goes_first() -> None:
    profile = Profile(
        id="idp",
        name_ja="認証",
        name_en="idp",
        fields=MappingProxyType({"userId": "actor.id", "clientId": "target.system"}),
        drop=("details.username",),
    )
    doc = one(json.dumps(LOGIN), profile)
    assert (doc["actor"]["id"], doc["target"]["system"]) == ("u-1", "portal")
    assert "s0412" not in str(doc)


@pytest.mark.parametrize(
    "bad",
    ["\tat org.keycloak.Foo.bar(Foo.java:1)", "{}", '{"type":"LOGIN"}', '{"type":"LOGIN","time":99999999999999999}', HEAD + "type=", HEAD.replace("10-05", "13-05") + "x", 'type="LOGIN" and more', '{"type":'],
)  # fmt: skip
def test_refused_beside_the_good(bad: str) -> None:
    good = json.dumps(LOGIN)
    first, refused, last = read(f"{good}\n{bad}\n{good}")
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert isinstance(refused, Refused)
    assert refused.raw == bad.encode()
    assert all(" / " in reason for reason in refused.reasons)


@given(st.binary())
def test_anything(data: bytes) -> None:
    *_, last = read(data + b"\n" + (HEAD + QUOTED).encode())
    assert isinstance(last, Record)
    assert last.doc == one(HEAD + QUOTED)


@given(st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), min_size=1))
def test_any_name_comes_back(name: str) -> None:
    # Keycloak escapes the quote alone, so a backslash in front of one has two readings: none are made here
    name = name.replace("\\", "/")
    doc = one(HEAD + QUOTED.replace('"s0412"', '"' + name.replace('"', '\\"') + '"'))
    assert doc["outcome"] == "failure"
    if name.strip() and name != "null" and not name.startswith("service-account-"):
        assert doc["actor"]["id"] == name.strip()


@pytest.mark.shared
def test_a_real_log() -> None:
    path = SHARED / "crowdsec" / "keycloak-bf" / "keycloak-logs.log"
    if not path.exists():
        pytest.skip(f"third-party data not found at {path}")
    found = read(path.read_bytes())
    assert len(found) == len([line for line in path.read_bytes().splitlines() if line.strip()])
    docs = [record.doc for record in found if isinstance(record, Record)]
    assert len(docs) == len(found)
    assert {(doc["activity"], doc["outcome"]) for doc in docs} == {("login", "failure")}
    assert all("ip" in doc["terminal"] and "id" in doc["actor"] for doc in docs)
