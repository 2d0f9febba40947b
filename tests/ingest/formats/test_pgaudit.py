"""PostgreSQL logs in three forms, and pgAudit's own records."""

# A table of log lines is read best uncut, a row being one case.

# ruff: noqa: E501

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import check
from ingest.formats.pgaudit import AuditError, audit_fields, decode_pgaudit
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

PROFILE = Profile(id="db", name_ja="DB", name_en="db", format="pgaudit")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
SHARED = Path(os.environ.get("MIMAMORI_SHARED", Path(__file__).parents[4] / "shared"))
PREFIX = "2026-10-05 09:13:22.120 JST [123] user=taro,db=resident,app=psql,client=10.1.2.3 "


def read(text: str | bytes) -> list[Record | Refused]:
    data = text.encode() if isinstance(text, str) else text
    return list(decode_pgaudit(enumerate(data.split(b"\n"), 1), PROFILE))


def one(text: str) -> dict[str, Any]:
    (found,) = read(text)
    assert isinstance(found, Record), found
    assert found.raw == text.encode()
    assert check(found.doc, NOW).faults == ()
    return found.doc


@pytest.mark.parametrize(
    ("payload", "activity", "name", "target"),
    [
        ("SESSION,1,1,READ,SELECT,TABLE,public.t,SELECT 1,<none>,3", "view", "SELECT", None),
        ("OBJECT,1,1,READ,COPY,TABLE,public.t,COPY t TO STDOUT,<none>", "export", "COPY", None),
        ("SESSION,1,1,WRITE,COPY,TABLE,public.t,COPY t FROM STDIN,<none>", "import", "COPY", None),
        ("SESSION,1,1,WRITE,INSERT,TABLE,public.t,x,<none>", "create", "INSERT", None),
        ("SESSION,1,1,WRITE,UPDATE,TABLE,public.t,x,<none>", "update", "UPDATE", None),
        ("SESSION,1,1,WRITE,DELETE,TABLE,public.t,x,<none>", "delete", "DELETE", None),
        ("SESSION,1,1,WRITE,TRUNCATE TABLE,TABLE,public.t,x,<none>", "delete", "TRUNCATE TABLE", None),
        (
            'SESSION,1,1,ROLE,GRANT,TABLE,,"GRANT SELECT ON t TO ""Bad Name"", jiro;",<none>',
            "grant",
            "GRANT",
            "Bad Name",
        ),
        (
            "SESSION,1,1,ROLE,REVOKE,TABLE,,REVOKE ALL ON t FROM jiro CASCADE,<none>",
            "revoke",
            "REVOKE",
            "jiro",
        ),
        ("SESSION,1,1,ROLE,CREATE ROLE,,,CREATE USER jiro,<none>", "credential_issue", "CREATE ROLE", "jiro"),
        (
            "SESSION,1,1,ROLE,ALTER ROLE,,,ALTER ROLE jiro PASSWORD <REDACTED>,<none>",
            "credential_reset",
            "ALTER ROLE",
            "jiro",
        ),
        (
            "SESSION,1,1,ROLE,ALTER ROLE,,,ALTER ROLE jiro CREATEDB,<none>",
            "policy_change",
            "ALTER ROLE",
            "jiro",
        ),
        ("SESSION,1,1,ROLE,DROP ROLE,,,DROP ROLE IF EXISTS jiro,<none>", "revoke", "DROP ROLE", "jiro"),
        ("SESSION,1,1,DDL,CREATE TABLE,TABLE,public.t,x,<none>", "config_change", "CREATE TABLE", None),
        ("SESSION,1,1,MISC,SET,,,SET a = b,<none>", "operation", "SET", None),
    ],
)
def test_audit(payload: str, activity: str, name: str, target: str | None) -> None:
    doc = one(f"{PREFIX}LOG:  AUDIT: {payload}")
    assert (doc["activity"], doc["operation_name"], doc["outcome"]) == (activity, name, "success")
    assert doc.get("target", {}).get("id") == target
    assert (doc["actor"], doc["terminal"]) == ({"id": "taro"}, {"ip": "10.1.2.3"})
    assert doc["time"] == "2026-10-05T09:13:22.120000+09:00"
    assert doc["unmapped"]["database"] == "resident"
    assert doc.get("query") == ({"hits": 3} if payload.endswith(",3") else None)


@pytest.mark.parametrize(
    ("line", "activity", "outcome", "actor"),
    [
        ("LOG:  connection authorized: user=taro database=resident application_name=psql", "login", "success", "taro"),
        ('FATAL:  password authentication failed for user "taro"', "login", "failure", "taro"),
        ('FATAL:  no pg_hba.conf entry for host "10.1.2.3", user "taro", database "x", no encryption', "login", "denied", "taro"),
        ("LOG:  disconnection: session time: 0:00:00.010 user=taro database=resident host=10.1.2.3 port=5", "logout", "success", "taro"),
        ("ERROR:  permission denied for table t", "operation", "denied", "taro"),
        ('ERROR:  relation "t" does not exist', "operation", "failure", "taro"),
        ("LOG:  checkpoint starting: time", "operation", None, "taro"),
    ],
)  # fmt: skip
def test_server(line: str, activity: str, outcome: str | None, actor: str) -> None:
    doc = one(PREFIX + line)
    assert (doc["activity"], doc.get("outcome"), doc["actor"]["id"]) == (activity, outcome, actor)


def test_a_name_in_the_message_stands_in_for_the_prefix() -> None:
    doc = one('2026-10-05 09:13:22 UTC [1] FATAL:  password authentication failed for user "a""b"')
    assert doc["actor"] == {"id": 'a""b'}
    assert one("2026-10-05 09:13:22 +09 [1] LOG:  starting")["actor"] == {"kind": "system"}
    assert one("2026-10-05 09:13:22 GMT [1] taro@db LOG:  x")["actor"] == {"id": "taro"}


@pytest.mark.parametrize(
    "prefix",
    [
        "2026-10-05 09:13:22.120 JST [123] taro@resident ",
        "2026-10-05 09:13:22.120 JST [123] 10.1.2.3 taro@resident ",
        "10.1.2.3 2026-10-05 09:13:22.120 JST [123] taro@resident ",
        "2026-10-05 09:13:22.120 JST:10.1.2.3(5432):taro@resident:[123]:",
        PREFIX,
    ],
)
def test_prefixes_that_towns_have(prefix: str) -> None:
    doc = one(f'{prefix}FATAL:  password authentication failed for user "taro"')
    assert (doc["activity"], doc["outcome"], doc["actor"]["id"]) == ("login", "failure", "taro")
    assert (doc["unmapped"]["database"], doc["unmapped"]["pid"]) == ("resident", "123")
    assert doc.get("terminal", {"ip": "10.1.2.3"}) == {"ip": "10.1.2.3"}
    assert ("terminal" in doc) == ("10.1.2.3" in prefix)


def test_entries_over_lines_and_their_details() -> None:
    text = (
        f'{PREFIX}LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,"SELECT 1,\n\t\t""two""",<none>\n'
        f"{PREFIX}ERROR:  broken\n{PREFIX}DETAIL:  why\n\tmore\n{PREFIX}STATEMENT:  SELECT 1"
    )
    first, second = read(text)
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.doc["unmapped"]["statement"] == 'SELECT 1,\n\t"two"'
    assert (second.line, second.doc["unmapped"]["detail"]) == (3, "why\nmore")
    assert second.doc["unmapped"]["query"] == "SELECT 1"
    assert first.raw + b"\n" + second.raw == text.encode()


CSV_ROW = (
    '2026-10-05 09:13:22.120 UTC,"taro","resident",7,"10.1.2.3:4000",6abc.7,5,"SELECT",2026-10-05 09:00:00 UTC,3/4,0,LOG,'
    '00000,"AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.t,""SELECT\n""""x"""""",<none>",,,,,,,,,"psql","client backend",,0'
)


def test_csvlog() -> None:
    doc = one(CSV_ROW)
    assert (doc["event_id"], doc["session"], doc["terminal"]) == ("6abc.7:5", "6abc.7", {"ip": "10.1.2.3"})
    assert doc["unmapped"]["statement"] == 'SELECT\n"x"'
    assert doc["unmapped"]["port"] == "4000"


def test_jsonlog() -> None:
    entry = {
        "timestamp": "2026-10-05 09:13:22.120 UTC", "user": "taro", "dbname": "resident", "pid": 7, "remote_host": "::1",
        "remote_port": 4000, "session_id": "6abc.7", "line_num": 5, "error_severity": "ERROR", "state_code": "42501",
        "message": "no", "statement": "SELECT 1",
    }  # fmt: skip
    doc = one(json.dumps(entry))
    assert (doc["outcome"], doc["event_id"], doc["terminal"]) == ("denied", "6abc.7:5", {"ip": "::1"})
    good, bad, again = read(f'{json.dumps(entry)}\n{{"a":1,"a":2}}\n{json.dumps(entry)}')
    assert isinstance(bad, Refused)
    assert isinstance(good, Record)
    assert isinstance(again, Record)


def test_bad_entries_do_not_hurt_good_ones() -> None:
    good = f"{PREFIX}LOG:  fine"
    texts = [
        good,
        good.replace("JST", "CET"),
        f"{PREFIX}LOG:  AUDIT: SESSION,1",
        good.replace("2026-10", "2026-13"),
        good,
    ]
    found = read("\n".join(texts))
    assert [type(each) for each in found] == [Record, Refused, Refused, Refused, Record]
    assert [each.raw.decode() for each in found] == texts
    assert [type(each) for each in read(f"{CSV_ROW}\n1,2\n{CSV_ROW}")] == [Record, Refused, Record]
    refused = found[1]
    assert isinstance(refused, Refused)
    assert "more than one meaning" in refused.reasons[0]


@pytest.mark.parametrize("start", [PREFIX + "LOG:  x", CSV_ROW, "{}", "noise"])
@given(lines=st.lists(st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"")), max_size=8))
def test_nothing_is_lost_whatever_the_bytes(start: str, lines: list[bytes]) -> None:
    data = b"\n".join([start.encode(), *lines])
    taken = {each.line + offset for each in read(data) for offset in range(each.raw.count(b"\n") + 1)}
    assert {number for number, line in enumerate(data.split(b"\n"), 1) if line.strip()} <= taken


@given(st.text())
def test_payload_raises_only_its_own_error(text: str) -> None:
    try:
        found = audit_fields(text)
    except AuditError:
        return
    assert found["audit_type"] in {"SESSION", "OBJECT"}


@pytest.mark.shared
def test_second_opinion() -> None:
    path = SHARED / "data" / "pgaudit" / "expected_records.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    for line in path.read_text().splitlines():
        case = json.loads(line)
        assert audit_fields(case["raw"].removeprefix("AUDIT: ")) == case["fields"]
        kept = one(f"{PREFIX}LOG:  " + case["raw"].replace("\n", "\n\t"))["unmapped"]
        assert {name: kept.get(name, "") for name in case["fields"]} == case["fields"]
