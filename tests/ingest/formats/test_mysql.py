"""Audit logs of MariaDB, MySQL Enterprise and Percona, in lines, JSON and XML."""

# A table of log lines is read best uncut, a row being one case.

# ruff: noqa: E501

import os
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import check
from ingest.formats.mysql import decode_mysql
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

PROFILE = Profile(id="db", name_ja="DB", name_en="db", format="mysql")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
SHARED = Path(os.environ.get("MIMAMORI_SHARED", Path(__file__).parents[4] / "shared")) / "data"
CONNECT = "20261005 09:13:22,db1,hanako,10.1.2.3,8,0,CONNECT,resident,,0"


def read(text: str | bytes, profile: Profile = PROFILE) -> list[Record | Refused]:
    data = text.encode() if isinstance(text, str) else text
    return list(decode_mysql(enumerate(data.split(b"\n"), 1), profile, reference=NOW))


def one(text: str, profile: Profile = PROFILE) -> dict[str, Any]:
    (found,) = read(text, profile)
    assert isinstance(found, Record), found
    assert check(found.doc, NOW).faults == ()
    return found.doc


def test_a_login_in_full() -> None:
    assert one(CONNECT) == {
        "time": "2026-10-05T09:13:22+09:00", "activity": "login", "operation_name": "CONNECT", "outcome": "success",
        "actor": {"id": "hanako"}, "terminal": {"ip": "10.1.2.3"}, "session": "8",
        "unmapped": {"server": "db1", "query_id": "0", "database": "resident", "status": "0"},
    }  # fmt: skip


def test_a_statement_in_full() -> None:
    doc = one(r"20261005 09:13:23,db1,hanako,localhost,8,41,QUERY,resident,'select * from t where a=\'x,y\'\nand b',0")
    assert doc["unmapped"] == {
        "server": "db1", "host": "localhost", "query_id": "41", "database": "resident", "event": "QUERY",
        "statement": "select * from t where a='x,y'\nand b", "status": "0",
    }  # fmt: skip
    assert (doc["activity"], doc["operation_name"], doc["outcome"]) == ("view", "SELECT", "success")


@pytest.mark.parametrize(
    ("statement", "activity", "target"),
    [
        ("insert into t values (1)", "create", None),
        ("update t set a = 1", "update", None),
        ("replace into t values (1)", "update", None),
        ("delete from t", "delete", None),
        ("truncate table t", "delete", None),
        ("load data infile 'x' into table t", "import", None),
        ("select * from t into outfile 'x'", "export", None),
        ("grant select on t to jiro", "grant", "jiro"),
        ("revoke select on t from jiro", "revoke", "jiro"),
        ("create user jiro identified by *****", "credential_issue", "jiro"),
        ("drop user jiro", "revoke", "jiro"),
        ("alter user jiro identified by *****", "credential_reset", "jiro"),
        ("create table t (a int)", "config_change", None),
        ("set global general_log = on", "config_change", None),
        ("set names utf8mb4", "operation", None),
        ("show tables", "operation", None),
        ("commit", "operation", None),
        ("", "operation", None),
    ],
)
def test_statements(statement: str, activity: str, target: str | None) -> None:
    doc = one(
        f"20261005 09:13:23,db1,hanako,10.1.2.3,8,41,QUERY,resident,'{statement.replace(chr(39), chr(92) + chr(39))}',0"
    )
    assert doc["activity"] == activity
    assert doc.get("target", {}).get("id") == target


@pytest.mark.parametrize(
    ("line", "activity", "outcome"),
    [
        ("20261005 09:13:22,db1,evil,10.1.2.3,9,0,FAILED_CONNECT,,,1045", "login", "failure"),
        ("20261005 09:13:22,db1,evil,10.1.2.3,9,0,FAILED_CONNECT,resident,,1044", "login", "denied"),
        ("20261005 09:13:22,db1,hanako,10.1.2.3:51234,9,0,DISCONNECT,,,0", "logout", "success"),
        ("20261005 09:13:22,db1,hanako,10.1.2.3,9,1,READ,resident,t,", "view", None),
        ("20261005 09:13:22,db1,hanako,10.1.2.3,9,1,WRITE,resident,t,", "update", None),
        ("20261005 09:13:22,db1,hanako,10.1.2.3,9,1,WRITE,mysql,db,", "operation", None),
        ("20261005 09:13:22,db1,hanako,10.1.2.3,9,1,DROP,resident,t,", "config_change", None),
        ("20261005 09:13:22,db1,hanako,10.1.2.3,9,1,QUERY,resident,'delete from t',1142", "delete", "denied"),
        ("20261005 09:13:22,db1,hanako,10.1.2.3,9,1,QUERY,resident,'delete from t',1064", "delete", "failure"),
        (
            "2026-10-05  9:13:11 8 [Warning] Access denied for user 'evil'@'10.1.2.3' (using password: YES)",
            "login",
            "failure",
        ),
        ("261005 14:49:17 [Warning] Access denied for user 'evil'@'10.1.2.3' (using password: NO)", "login", "failure"),
        (
            "2026-10-05T08:34:16.116872Z\t14 Connect\tAccess denied for user 'evil'@'10.1.2.3' (using password: YES)",
            "login",
            "failure",
        ),
        (
            "2026-10-05T08:06:45.411498Z 25 [Note] [MY-010926] [Server] Access denied for user 'evil'@'10.1.2.3' to database 'x'",
            "login",
            "denied",
        ),
    ],
)
def test_lines(line: str, activity: str, outcome: str | None) -> None:
    doc = one(line)
    assert (doc["activity"], doc.get("outcome"), doc["terminal"]["ip"]) == (activity, outcome, "10.1.2.3")
    assert doc["time"].startswith("2026-10-05T")


def test_behind_a_syslog_header() -> None:
    doc = one("Oct  5 09:13:22 dbhost mysql-server_auditing:  db1,root,localhost,1,2,QUERY,x,'select 1',0")
    assert (doc["time"], doc["actor"]["id"], doc["unmapped"]["server"]) == ("2026-10-05T09:13:22+09:00", "root", "db1")


def test_the_servers_own_lines_are_the_systems() -> None:
    doc = one("2026-10-05  9:13:11 0 [Note] mariadbd: ready for connections.")
    assert (doc["activity"], doc["actor"], doc["operation_name"]) == ("operation", {"kind": "system"}, "Note")


@pytest.mark.parametrize(
    "line",
    [
        # a name that pretends to be more fields, or another record
        "20261005 09:13:22,db1,root,localhost,1,0,CONNECT,,,0,10.0.0.1,5,0,FAILED_CONNECT,,,1045",
        "20261005 09:13:22,db1,a,b,10.0.0.1,5,0,FAILED_CONNECT,,,1045",
        "20261005 09:13:22,db1,root,h,1,0,QUERY,,'x',0,10.0.0.1,5,0,FAILED_CONNECT,,,1045",
        "20261005 09:13:22,db1,hanako,10.1.2.3,8,41,QUERY,resident,'cut off",
        "20261399 09:13:22,db1,hanako,10.1.2.3,8,0,CONNECT,resident,,0",
        "not a log",
        '{"timestamp":',
        '{"timestamp":"2026-10-05 00:00:00","timestamp":"x"}',
        "<!DOCTYPE x>",
        "<AUDIT_RECORD><NAME>&x;</NAME></AUDIT_RECORD>",
        '<AUDIT_RECORD NAME="Quit" STATUS="0"/>',
    ],
)
def test_refused_beside_the_good(line: str) -> None:
    first, bad, last = read(f"{CONNECT}\n{line}\n{CONNECT}")
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert isinstance(bad, Refused)
    assert (bad.line, bad.raw) == (2, line.encode())
    assert all(" / " in reason for reason in bad.reasons)


def test_an_element_left_open_is_given_up_at_the_next() -> None:
    quit_ = '<AUDIT_RECORD NAME="Quit" TIMESTAMP="2026-10-05T00:13:22" STATUS="0"/>'
    bad, good = read(f"<AUDIT_RECORD NAME='x\n SQLTEXT='y\n{quit_}")
    assert isinstance(bad, Refused)
    assert isinstance(good, Record)
    assert (bad.raw, good.line, good.raw) == (b"<AUDIT_RECORD NAME='x\n SQLTEXT='y", 3, quit_.encode())


def test_a_character_cut_in_two() -> None:
    whole = "20261005 09:13:23,db1,hanako,10.1.2.3,8,41,QUERY,resident,'select \\'照会".encode()
    (found,) = read(whole[:-1] + b"',0")
    assert isinstance(found, Record)
    assert found.doc["unmapped"]["statement"] == "select '照"
    assert found.doc["unmapped"]["truncated"] == "true"
    (refused,) = read(whole[:-1] + b"x',0")
    assert isinstance(refused, Refused)


def test_enterprise_json_over_lines() -> None:
    docs = [
        record.doc
        for record in read("""[
  {
    "timestamp": "2026-10-03 13:50:01", "id": 0, "class": "connection", "event": "connect", "connection_id": 11,
    "account": {"user": "hanako", "host": "pc1"}, "login": {"user": "hanako", "os": "", "ip": "10.0.0.1", "proxy": ""},
    "connection_data": {"connection_type": "ssl", "status": 1045, "db": "x"}
  },
{"timestamp":"2026-10-03 13:50:02","id":1,"class":"general","event":"status","connection_id":11,"account":{"user":"hanako[app] @ pc1 [10.0.0.1]","host":"pc1"},"general_data":{"command":"Query","sql_command":"set_password","query":"SET PASSWORD = 'geheim'","status":0}},
{"timestamp":"2026-10-03 13:50:02","id":2,"class":"table_access","event":"insert","connection_id":11,"account":{"user":"hanako","host":"pc1"},"table_access_data":{"db":"r","table":"t","query":"INSERT INTO t VALUES (1)","sql_command":"insert"}},
{"timestamp":"2026-10-03 13:50:02","id":3,"class":"query","event":"query_start","connection_id":11,"query_data":{"query":"select 1","status":0,"sql_command":"select"}}
]""")
        if isinstance(record, Record)
    ]
    assert [(doc["activity"], doc.get("outcome"), doc["actor"].get("id")) for doc in docs] == [
        ("login", "failure", "hanako"),
        ("credential_reset", "success", "hanako"),
        ("create", None, "hanako"),
        ("operation", "success", None),
    ]
    assert docs[0]["time"] == "2026-10-03T13:50:01+00:00"
    assert docs[0]["terminal"] == docs[1]["terminal"] == {"ip": "10.0.0.1"}
    assert docs[1]["unmapped"]["priv_user"] == "app"
    assert docs[1]["unmapped"]["statement"] == "SET PASSWORD = '[秘匿]'"
    assert (docs[2]["unmapped"]["database"], docs[2]["unmapped"]["object"]) == ("r", "t")


def test_percona_json() -> None:
    doc = one(
        '{"audit_record":{"name":"Query","record":"4707_2026-08-27T10:43:52","timestamp":"2026-08-27T10:44:19 UTC","command_class":"select",'
        '"connection_id":"37","status":1142,"sqltext":"select * from t","user":"hanako[hanako] @ localhost []","host":"localhost","os_user":"","ip":""}}'
    )
    assert (doc["time"], doc["activity"], doc["outcome"]) == ("2026-08-27T10:44:19+00:00", "view", "denied")
    assert (doc["actor"], doc["session"]) == ({"id": "hanako"}, "37")


OLD = '<AUDIT_RECORD\n  NAME="Query"\n  TIMESTAMP="2026-10-05T00:13:22"\n  SQLTEXT="select &lt;1> from&#10;t"\n  USER="hanako[hanako] @ pc1 [10.0.0.9]"\n  STATUS="0"\n  CONNECTION_ID="6"/>'
NEW = (
    "<AUDIT_RECORD>\n <TIMESTAMP>2026-10-05T00:13:22 UTC</TIMESTAMP>\n <NAME>Query</NAME>\n <CONNECTION_ID>6</CONNECTION_ID>\n"
    " <STATUS>0</STATUS>\n <USER>hanako[hanako] @ pc1 [10.0.0.9]</USER>\n <SQLTEXT>select &lt;1&gt; from\nt</SQLTEXT>\n</AUDIT_RECORD>"
)


def test_old_and_new_xml_are_the_same() -> None:
    old, new = read(f'<?xml version="1.0" encoding="utf-8"?>\n<AUDIT>\n{OLD}\n {NEW}\n</AUDIT>\n')
    assert isinstance(old, Record)
    assert isinstance(new, Record)
    assert old.doc == new.doc
    assert (old.line, old.raw, new.line) == (3, OLD.encode(), 10)
    assert old.doc["unmapped"]["statement"] == "select <1> from\nt"
    assert old.doc["time"] == "2026-10-05T00:13:22+00:00"


@pytest.mark.parametrize(
    ("name", "activity"),
    [
        ("Connect", "login"),
        ("Quit", "logout"),
        ("NoAudit", "security_event"),
        ("TableRead", "view"),
        ("Query Start", "operation"),
    ],
)
def test_events_of_xml(name: str, activity: str) -> None:
    doc = one(f'<AUDIT_RECORD NAME="{name}" TIMESTAMP="2026-10-05T00:13:22" STATUS="0" USER="hanako" HOST="pc1"/>')
    assert (doc["activity"], doc["operation_name"]) == (activity, name)


def test_attributes_that_a_client_chose_pass_for_nothing() -> None:
    doc = one(
        '{"timestamp":"2026-10-05 00:13:22","class":"connection","event":"connect","connection_data":{"connection_attributes":'
        '{"user":"root","status":"0","activity":"view","_os":"Linux"},"status":1045},"login":{"user":"evil","ip":"10.1.2.3"}}'
    )
    assert (doc["actor"]["id"], doc["activity"], doc["outcome"]) == ("evil", "login", "failure")
    assert doc["unmapped"]["connection_data.connection_attributes.activity"] == "view"
    doc = one(
        "<AUDIT_RECORD><TIMESTAMP>2026-10-05T00:13:22 UTC</TIMESTAMP><NAME>Connect</NAME><USER>evil</USER><STATUS>1045</STATUS>"
        "<CONNECTION_ATTRIBUTES><ATTRIBUTE><NAME>status</NAME><VALUE>0</VALUE></ATTRIBUTE></CONNECTION_ATTRIBUTES></AUDIT_RECORD>"
    )
    assert (doc["outcome"], doc["unmapped"]["connection_attributes.status"]) == ("failure", "0")


def test_a_profile_goes_first() -> None:
    profile = Profile(
        id="db", name_ja="DB", name_en="db", format="mysql", timezone="UTC",
        activities=MappingProxyType({"SELECT": "search"}), fields=MappingProxyType({"database": "target.system"}),
    )  # fmt: skip
    doc = one("20261005 09:13:23,db1,hanako,10.1.2.3,8,41,QUERY,resident,'select 1',0", profile)
    assert (doc["activity"], doc["target"]["system"], doc["time"]) == (
        "search",
        "resident",
        "2026-10-05T09:13:23+00:00",
    )


@given(st.binary())
def test_anything(data: bytes) -> None:
    *_, last = read(data + b"\n" + CONNECT.encode())
    assert isinstance(last, Record)
    assert last.doc == one(CONNECT)


@given(st.text(st.characters(exclude_characters="\n\r", codec="utf-8")), st.booleans())
def test_any_statement_comes_back(statement: str, cut_off: bool) -> None:
    escaped = statement.replace("\\", "\\\\").replace("'", "\\'")
    line = f"20261005 09:13:23,db1,hanako,10.1.2.3,8,41,QUERY,resident,'{escaped}{'' if cut_off else chr(39) + ',0'}"
    (found,) = read(line)
    if isinstance(found, Record) and "identified" not in statement.lower() and "password" not in statement.lower():
        assert found.doc["unmapped"].get("statement", "") == statement.strip()


@pytest.mark.shared
@pytest.mark.parametrize("name", ["mysql-logs", "mariadb-logs", "mariadb-bf"])
def test_real_refusals(name: str) -> None:
    path = SHARED / "crowdsec" / name / f"{name}.log"
    if not path.exists():
        pytest.skip(f"third-party data not found at {path}")
    found = read(path.read_bytes())
    assert len(found) == len([line for line in path.read_bytes().splitlines() if line.strip()])
    for record in found:
        assert isinstance(record, Record)
        assert (record.doc["activity"], record.doc["outcome"]) == ("login", "failure")
        assert "id" in record.doc["actor"]
        assert "ip" in record.doc["terminal"]
