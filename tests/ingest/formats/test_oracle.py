"""Oracle's audit trails: .aud text, syslog, XML, and exports of the unified trail."""

# A table of log lines is read best uncut, a row being one case.

# ruff: noqa: E501

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from audit.events import check
from ingest.formats.oracle import decode_oracle
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

PROFILE = Profile(id="db", name_ja="DB", name_en="db", format="oracle")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
AT = "Mon Oct  5 09:13:22 2026 +09:00"


def read(text: str | bytes, encoding: str = "utf-8") -> list[Record | Refused]:
    data = text.encode(encoding) if isinstance(text, str) else text
    profile = Profile(id="db", name_ja="DB", name_en="db", format="oracle", encoding=encoding)
    return list(decode_oracle(enumerate(data.split(b"\n"), 1), profile, reference=NOW))


def one(text: str, encoding: str = "utf-8") -> dict[str, Any]:
    (found,) = read(text, encoding)
    assert isinstance(found, Record), found
    assert check(found.doc, NOW).faults == ()
    return found.doc


def pair(name: str, value: str, encoding: str = "utf-8", quote: str = "'") -> str:
    return f"{name} :[{len(value.encode(encoding))}] {quote}{value}{quote}"


def record(action: str, *, user: str = "SYS", status: str = "0", encoding: str = "utf-8") -> str:
    pairs = [
        pair("ACTION", action, encoding),
        pair("DATABASE USER", user),
        pair("CLIENT USER", "oracle"),
        pair("STATUS", status),
    ]
    return "\n".join([AT, "LENGTH : '160'", *pairs]) + "\n"


TOP = """Audit file /u01/app/oracle/admin/orcl/adump/orcl_ora_1234_1.aud
Oracle Database 19c Enterprise Edition Release 19.0.0.0.0 - Production
ORACLE_HOME = /u01/app/oracle
System name:\tLinux
Node name:\tdb1
Instance name: orcl
Unix process pid: 1234, image: oracle@db1 (TNS V1-V3)

"""


def test_a_file_of_sys() -> None:
    first, second = read(f"{TOP}{record('CONNECT', user='/')}\n{record('alter system flush shared_pool')}")
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.line == 9
    assert first.raw.decode() == record("CONNECT", user="/").rstrip()
    assert first.doc == {
        "time": "2026-10-05T09:13:22+09:00", "activity": "login", "operation_name": "CONNECT", "outcome": "success",
        "actor": {"id": "oracle"},
        "unmapped": {"LENGTH": "160", "connected_as": "/", "RETURN_CODE": "0"},
    }  # fmt: skip
    assert (second.doc["activity"], second.doc["operation_name"], second.doc["actor"]) == (
        "config_change",
        "ALTER SYSTEM",
        {"id": "SYS"},
    )
    assert second.doc["unmapped"]["statement"] == "alter system flush shared_pool"


def test_a_statement_cannot_forge_a_record() -> None:
    forged = f"select '住民' from t where x = '\n\n{record('CONNECT', user='KACHO')}\n'"  # noqa: S608 - a log line, run by nobody
    docs = [found.doc for found in read(record(forged) + "\n" + record("CONNECT")) if isinstance(found, Record)]
    assert [(doc["actor"]["id"], doc["activity"]) for doc in docs] == [("SYS", "view"), ("SYS", "login")]
    assert docs[0]["unmapped"]["statement"] == forged


def test_a_record_cut_off_loses_only_itself() -> None:
    cut = record("select * from t where name = 'x'")[:-60]
    bad, good = read(f"{cut}\n{record('CONNECT')}")
    assert isinstance(bad, Refused)
    assert isinstance(good, Record)
    assert bad.raw.decode() == cut.rstrip()
    assert "never ends" in bad.reasons[0] or "where it should" in bad.reasons[0] or "no name" in bad.reasons[0]
    (last,) = read(cut)
    assert isinstance(last, Refused)


def test_japanese_in_the_databases_encoding() -> None:
    doc = one(record("select * from 被保険者 where 氏 = 'あ'", encoding="cp932"), "cp932")
    assert doc["unmapped"]["statement"] == "select * from 被保険者 where 氏 = 'あ'"


def test_a_standard_record_with_an_address() -> None:
    comment = "Authenticated by: DATABASE; Client address: (ADDRESS=(PROTOCOL=tcp)(HOST=10.1.2.3)(PORT=53211))"
    said = {
        "SESSIONID": "12345",
        "USERID": "HANAKO",
        "USERHOST": "TOWN\\PC-7",
        "ACTION": "100",
        "RETURNCODE": "1017",
        "COMMENT$TEXT": comment,
        "OS$USERID": "hanako",
    }
    pairs = " ".join(pair(name, value, quote='"').replace(" :[", ":[") for name, value in said.items())
    doc = one(f'{AT}\nLENGTH: "233"\n{pairs}')
    assert (doc["activity"], doc["outcome"], doc["operation_name"]) == ("login", "failure", "LOGON")
    assert (doc["actor"], doc["terminal"], doc["session"]) == (
        {"id": "HANAKO"},
        {"id": "PC-7", "ip": "10.1.2.3"},
        "12345",
    )


@pytest.mark.parametrize(
    ("line", "user", "activity"),
    [
        ("Oct  5 09:13:22 db1 Oracle Audit[27684]: LENGTH : '160' ACTION :[7] 'CONNECT' DATABASE USER:[1] '/' CLIENT USER:[6] 'oracle' STATUS:[1] '0'", "oracle", "login"),
        ('Oct  5 09:13:22 db1 Oracle Audit[27684]: [ID 930208 user.notice] SESSIONID: "15" USERID: "APP" ACTION: "101" RETURNCODE: "0" PRIV$USED: 5', "APP", "logout"),
        ("<13>Oct  5 09:13:22 db1 Oracle Unified Audit[27684]: LENGTH: '190' TYPE:\"4\" SESID:\"99\" CLIENTID:\"\" DBUSER:\"HANAKO\" ACTION:\"3\" RETCODE:\"0\" SCHEMA:\"KOKUHO\" OBJNAME:\"T\"", "HANAKO", "view"),
    ],
)  # fmt: skip
def test_syslog(line: str, user: str, activity: str) -> None:
    doc = one(line)
    assert (doc["time"], doc["actor"]["id"], doc["activity"]) == ("2026-10-05T09:13:22+09:00", user, activity)


XML = """<?xml version="1.0" encoding="UTF-8"?>
<Audit xmlns="http://xmlns.oracle.com/oracleas/schema/dbserver_audittrail-11_2.xsd">
<Version>11.2</Version>
"""
ROW = (
    "<AuditRecord><Audit_Type>1</Audit_Type><Session_Id>12</Session_Id><Extended_Timestamp>2026-10-05T00:13:22.120000Z"
    "</Extended_Timestamp><DB_User>HANAKO</DB_User><OS_User>hanako</OS_User><Userhost>pc7</Userhost>"
    "<Object_Schema>KOKUHO</Object_Schema><Object_Name>T</Object_Name><Action>3</Action><Returncode>942</Returncode>\n"
    "<Sql_Text>select * from t where a &lt; 1</Sql_Text>\n</AuditRecord>"
)


def test_xml_cut_in_the_middle() -> None:
    good, cut, again, tail = read(f"{XML}{ROW}\n<AuditRecord><Audit_Type>1</Audit_Type>\n{ROW}\n{ROW[:50]}")
    assert isinstance(cut, Refused)
    assert isinstance(tail, Refused)
    assert isinstance(good, Record)
    assert isinstance(again, Record)
    assert good.doc == again.doc
    assert good.doc["unmapped"] == {
        "Audit_Type": "1", "ACTION": "3", "OBJECT_SCHEMA": "KOKUHO", "OBJECT_NAME": "T", "OS_USERNAME": "hanako",
        "RETURN_CODE": "942", "statement": "select * from t where a < 1",
    }  # fmt: skip
    assert (good.doc["activity"], good.doc["outcome"], good.doc["time"]) == (
        "view",
        "failure",
        "2026-10-05T00:13:22.120000+00:00",
    )


HEAD = '"EVENT_TIMESTAMP","EVENT_TIMESTAMP_UTC","DBUSERNAME","ACTION_NAME","RETURN_CODE","SQL_TEXT","USERHOST","AUTHENTICATION_TYPE"\n'


@pytest.mark.parametrize(
    ("local", "utc", "time"),
    [
        ("05-OCT-26 09.13.22.120000 AM", "05-OCT-26 12.13.22.120000 AM", "2026-10-05T00:13:22.120000+00:00"),
        ("05-OCT-26 09.13.22.120000 PM", "", "2026-10-05T21:13:22.120000+09:00"),
        ("26-10-05 09:13:22.120000", "", "2026-10-05T09:13:22.120000+09:00"),
        ("26-10-05 09:13:22.120000 +00:00", "", "2026-10-05T09:13:22.120000+00:00"),
        ("2026-10-05 09:13:22", "2026-10-05 00:13:22", "2026-10-05T00:13:22+00:00"),
    ],
)
def test_times_of_an_export(local: str, utc: str, time: str) -> None:
    doc = one(f'{HEAD}"{local}","{utc}","HANAKO","SELECT","0","select *\nfrom t","PC1",')
    assert doc["time"] == time
    assert doc["unmapped"]["statement"] == "select *\nfrom t"


@pytest.mark.parametrize(
    ("action", "code", "statement", "activity", "outcome"),
    [
        ("LOGON", "1017", "", "login", "failure"),
        ("LOGON", "28000", "", "login", "denied"),
        ("LOGON", "28002", "", "login", "success"),
        ("LOGOFF", "0", "", "logout", "success"),
        ("ALTER USER", "0", "alter user x identified by geheim", "credential_reset", "success"),
        ("ALTER USER", "0", "alter user x quota 5m on u", "policy_change", "success"),
        ("GRANT", "1031", "grant dba to x", "grant", "denied"),
        ("EXPORT", "0", "", "export", "success"),
        ("TRUNCATE TABLE", "0", "", "delete", "success"),
        ("CREATE TABLE", "0", "", "config_change", "success"),
        ("NOAUDIT", "0", "", "policy_change", "success"),
        ("EXECUTE", "0", "", "operation", "success"),
    ],
)
def test_actions(action: str, code: str, statement: str, activity: str, outcome: str) -> None:
    doc = one(
        f'{HEAD}2026-10-05 09:13:22,,HANAKO,{action},{code},{statement},PC1,"(TYPE=(DATABASE));(CLIENT ADDRESS=((ADDRESS=(PROTOCOL=tcp)(HOST=10.1.2.3)(PORT=1521))));"'
    )
    assert (doc["activity"], doc["outcome"], doc["terminal"]["ip"]) == (activity, outcome, "10.1.2.3")
    assert "geheim" not in str(doc)
    assert doc.get("target", {}).get("id", "x") == "x"


def test_rows_of_another_length_and_repeated_headers() -> None:
    row = "2026-10-05 09:13:22,,HANAKO,SELECT,0,,PC1,\n"
    found = read(f"{HEAD}{row}x\n{HEAD}{row}")
    assert [type(one).__name__ for one in found] == ["Record", "Refused", "Record"]


def test_json_objects() -> None:
    doc = one(
        '{"EVENT_TIMESTAMP":"2026-10-05T09:13:22+09:00","DBUSERNAME":"HANAKO","ACTION_NAME":"UPDATE","RETURN_CODE":0}'
    )
    assert (doc["activity"], doc["outcome"], doc["actor"]["id"]) == ("update", "success", "HANAKO")


@given(st.binary())
def test_anything(data: bytes) -> None:
    for found in read(data):
        assert isinstance(found, Record) or all(" / " in reason for reason in found.reasons)


@given(st.text(st.characters(codec="utf-8")))
def test_any_action_and_its_neighbours(action: str) -> None:
    before, *_, after = read(f"{record('CONNECT')}\n{record(action)}\n{record('CONNECT')}".encode())
    assert isinstance(before, Record)
    assert isinstance(after, Record)
    assert before.doc == after.doc


@given(st.integers(0, 200), st.text("'\n []:9A", max_size=30))
def test_a_wrong_length_costs_no_neighbour(length: int, value: str) -> None:
    begun = f"{AT}\nACTION :[{length}] '"
    text = f"{begun}{value}'\n\n{record('CONNECT')}\n{record('CONNECT')}"
    # A length that ends at a quote of a later record is not wrong: a statement may hold the text of records.
    assume(length <= len(value) or text[len(begun) + length] != "'")
    *_, after = read(text)
    assert isinstance(after, Record)
    assert after.doc["operation_name"] == "CONNECT"
