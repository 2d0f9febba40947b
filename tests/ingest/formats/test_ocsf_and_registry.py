"""OCSF events, and which decoder a delivery gets."""

# A table of log lines is read best uncut, a row being one case.

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
from ingest.formats.ocsf import _ACTIVITIES, decode_ocsf
from ingest.formats.registry import DECODERS, canonical_format, sniff
from ingest.model import Record, Refused
from ingest.sources.profile import FORMATS, Profile

PROFILE = Profile(
    id="idp", name_ja="認証", name_en="idp", format="ocsf", activities=MappingProxyType({"Print": "print"})
)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
SHARED = Path(os.environ.get("MIMAMORI_SHARED", Path(__file__).parents[4] / "shared"))
BASE: dict[str, Any] = {
    "class_uid": 3002, "activity_id": 1, "activity_name": "Logon", "time": 1791159202120, "status_id": 1,
    "user": {"uid": "s1", "name": "taro", "domain": "town"}, "src_endpoint": {"ip": "10.1.2.3", "port": 5},
    "metadata": {"uid": "e-1", "version": "1.8.0", "sequence": 7}, "session": {"uid": "x"},
    "auth_factors": [{"factor_type_id": 11}, {"factor_type_id": 10}],
}  # fmt: skip


def read(*events: dict[str, Any] | bytes) -> list[Record | Refused]:
    lines = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    return list(decode_ocsf(enumerate(lines, 1), PROFILE))


def one(**changes: Any) -> dict[str, Any]:
    (found,) = read({**BASE, **changes})
    assert isinstance(found, Record), found
    assert check(found.doc, NOW).faults == ()
    return found.doc


def test_authentication() -> None:
    doc = one()
    rest = doc.pop("unmapped")["ocsf"]
    assert doc == {
        "time": "2026-10-05T00:13:22.120000+00:00", "activity": "login", "operation_name": "Logon",
        "outcome": "success", "actor": {"id": "s1", "name": "taro"}, "terminal": {"ip": "10.1.2.3"}, "session": "x",
        "event_id": "e-1", "sequence": 7, "auth": {"factors": ["password", "webauthn"]},
    }  # fmt: skip
    assert rest == {
        "class_uid": 3002, "activity_id": 1, "status_id": 1, "user": {"domain": "town"}, "src_endpoint": {"port": 5},
        "metadata": {"version": "1.8.0"}, "auth_factors": BASE["auth_factors"],
    }  # fmt: skip


def test_who_and_whom() -> None:
    doc = one(class_uid=3001, activity_id=4, actor={"user": {"name": "admin"}})
    assert (doc["activity"], doc["actor"], doc["target"]) == (
        "credential_reset",
        {"id": "admin"},
        {"id": "s1"},
    )
    assert one(user={"uid": "svc", "type_id": 3})["actor"] == {"id": "svc", "kind": "system"}
    assert one(user="odd")["actor"] == {"kind": "system"}


@pytest.mark.parametrize(
    ("changes", "activity", "outcome"),
    [
        ({"action_id": 2}, "login", "denied"),
        ({"status_id": 2}, "login", "failure"),
        ({"status_id": 0}, "login", None),
        ({"class_uid": 6005, "activity_id": 4}, "search", "success"),
        ({"class_uid": 6001, "activity_id": 99, "activity_name": "Print"}, "print", "success"),
        ({"class_uid": 6003, "activity_id": 99, "activity_name": "provision"}, "provision", "success"),
        ({"class_uid": 1008, "activity_id": 1}, "log_clear", "success"),
        ({"class_uid": 9999, "activity_id": 1}, "operation", "success"),
        ({"class_uid": 3005, "activity_id": None, "type_uid": 300502}, "revoke", "success"),
    ],
)
def test_activity(changes: dict[str, Any], activity: str, outcome: str | None) -> None:
    doc = one(**changes)
    assert (doc["activity"], doc.get("outcome")) == (activity, outcome)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[]", "not a JSON object"),
        (b'{"class_uid":3002', "not JSON at character"),
        (b'{"class_uid":1,"class_uid":2}', "stands twice"),
        (b'{"class_uid":3002,"time":NaN}', "NaN"),
        (b'{"class_uid":3002,"time":"yesterday"}', "time: must be whole milliseconds"),
        (b'{"class_uid":3002,"time":1e3}', "time: must be whole milliseconds"),
        (b'{"class_uid":3002,"time":99999999999999999999}', "no such moment"),
        (b'{"time":1}', "class_uid"),
        (b"\xff", "UTF-8"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_bad_lines_do_not_hurt_good_ones(line: bytes, reason: str) -> None:
    before, bad, after = read(BASE, line, BASE)
    assert isinstance(before, Record)
    assert isinstance(after, Record)
    assert isinstance(bad, Refused)
    assert bad.raw == line
    assert any(reason in each for each in bad.reasons)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["uid", "name", "ip", "user"]), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*BASE, "actor", "api", "device", "type_uid", "time_dt", "action_id"]), _JSON))
def test_one_answer_whatever_the_event(changes: dict[str, Any]) -> None:
    assert len(read({**BASE, **changes})) == 1


@pytest.mark.shared
def test_every_activity_is_one_of_the_schema() -> None:
    folder = SHARED / "data" / "ocsf" / "classes"
    if not folder.exists():
        pytest.skip(f"{folder} is absent")
    classes = {found["uid"]: found for found in (json.loads(path.read_text()) for path in folder.glob("*.json"))}
    for class_uid, numbers in _ACTIVITIES.items():
        if class_uid in classes:
            assert set(map(str, numbers)) <= set(classes[class_uid]["attributes"]["activity_id"]["enum"])


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("sshd", "auth_log"), ("Auth-Log", "auth_log"), ("pam", "auth_log"), ("syslog", "auth_log"),
        ("PostgreSQL", "pgaudit"), ("csvlog", "pgaudit"), ("ndjson", "jsonl"), ("JSON", "jsonl"), ("tsv", "csv"),
        ("ocsf", "ocsf"), ("nginx", "access_log"), ("IIS", "w3c"), ("MariaDB", "mysql"), ("kv", "key_value"),
        ("OpenTelemetry", "otlp"), ("fixed-width", "fixed"),
    ],
)  # fmt: skip
def test_names(name: str, canonical: str) -> None:
    assert canonical_format(name) == canonical


def test_unknown_name() -> None:
    with pytest.raises(ValueError, match=", ".join(sorted(FORMATS))):
        canonical_format("xml")
    assert {canonical_format(name) for name in FORMATS} == set(DECODERS) | {"jsonl"}


@pytest.mark.parametrize(
    ("line", "form"),
    [
        (b'{"time":"2026-10-05T09:00:00Z","activity":"view"}', "jsonl"),
        (b'{"class_uid":3002}', "ocsf"),
        (b'{"timestamp":"x","error_severity":"LOG"}', "pgaudit"),
        (b"2026-10-05 09:13:22.120 JST [1] LOG:  x", "pgaudit"),
        (b'2026-10-05 09:13:22.120 UTC,"taro"', "pgaudit"),
        (b"Oct  5 09:13:22 web sshd[1]: x", "auth_log"),
        (b"<34>1 - h a p m - x", "auth_log"),
        (b"2026-10-05T09:13:22.5+09:00 web sshd[1]: x", "auth_log"),
        ("日時,職員".encode("cp932"), "csv"),
        (b"2026-10-05T09:13:22+09:00,s1,view", "csv"),
        (b"CEF:0|V|P|1|2|n|3|", "cef"),
        (b"Oct  5 09:13:22 fw CEF:0|V|P|1|2|n|3|", "cef"),
        (b"<13>1 2026-10-05T09:13:22Z h LEEF:2.0|V|P|1|2|^|a=b", "leef"),
        (b"#Software: Microsoft Internet Information Services 10.0", "w3c"),
        (b"#Fields: date time c-ip", "w3c"),
        (b'10.0.0.1 - - [05/Oct/2026:09:13:22 +0900] "GET / HTTP/1.1" 200 1', "access_log"),
        (b'vh:443 ::1 - s 1 [05/Oct/2026:09:13:22 +0900] "GET /?a,b HTTP/1.1" 200 1 "-" "-"', "access_log"),
        (b"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>", "windows"),
        (b"<Events>", "windows"),
        (b'<Audit xmlns="http://xmlns.oracle.com/oracleas/schema/dbserver_audittrail-11_2.xsd">', "oracle"),
        (b"<AuditRecord><Audit_Type>1</Audit_Type>", "oracle"),
        (b"ACTION :[7] 'CONNECT'", "oracle"),
        (b"<AUDIT>", "mysql"),
        (b"<AUDIT_RECORD", "mysql"),
        (b"20261005 09:13:22,db1,taro,localhost,8,0,CONNECT,town,,0", "mysql"),
        (b'{"audit_record":{"name":"Connect","record":"4"}}', "mysql"),
        (b'{"audit_record":{"name":"Connect","record":"4"}},', "mysql"),
        (b'2026-10-05 09:13:22,120 WARN  [org.keycloak.events] (x) type="LOGIN", realmId="town"', "keycloak"),
        (b'{"time":1791159202120,"type":"LOGIN","realmId":"town"}', "keycloak"),
        (b'[{"time":1791159202120,"operationType":"CREATE","realmId":"town"}]', "keycloak"),
        (b'{"resourceLogs":[]}', "otlp"),
        (b'{"winlog":{"event_id":"4624"}}', "windows"),
        (b'{"EventID":4624,"Channel":"Security"}', "windows"),
        (b"hello", None),
    ],
)
def test_sniff(line: bytes, form: str | None) -> None:
    assert sniff([b"", b"  ", b'<?xml version="1.0"?>', line]) == form
    assert sniff([b"\xef\xbb\xbf" + line]) == form


def test_sniff_nothing() -> None:
    assert sniff([]) is None


def test_what_ocsf_has_no_attribute_for_is_taken_from_unmapped() -> None:
    other = {"counterparty": {"permit": "p-1", "odd": 1}, "query": {"by": 3}, "item": "x"}
    found = one(class_uid=6005, unmapped={"subjects": ["k1", "k2"], "case_id": "c-1", **other})
    assert (found["subjects"], found["case_id"], found["counterparty"]) == (["k1", "k2"], "c-1", {"permit": "p-1"})
    rest = found["unmapped"]["ocsf"]["unmapped"]
    assert rest == {"counterparty": {"odd": 1}, "query": {"by": 3}, "item": "x"}


def test_subjects_in_another_form_stay_where_they_are() -> None:
    found = one(class_uid=6005, unmapped={"subjects": [{"id": "k1"}]})
    assert "subjects" not in found
    assert found["unmapped"]["ocsf"]["unmapped"] == {"subjects": [{"id": "k1"}]}
