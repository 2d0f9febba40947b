"""Windows events in XML and in every JSON that carries them."""

# A table of log lines is read best uncut, a row being one case.

# ruff: noqa: E501

import gzip
import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import Activity, check
from ingest.formats.windows import decode_windows
from ingest.formats.windows_events import ACTIVITIES, by_mask
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

PROFILE = Profile(id="ad", name_ja="AD", name_en="ad", format="windows")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
SHARED = Path(os.environ.get("MIMAMORI_SHARED", Path(__file__).parents[4] / "shared")) / "data"
SUCCESS, FAILURE = "0x8020000000000000", "0x8010000000000000"


def read(data: bytes) -> list[Record | Refused]:
    return list(decode_windows(enumerate(data.split(b"\n"), 1), PROFILE))


def one(text: str) -> dict[str, Any]:
    (found,) = read(text.encode())
    assert isinstance(found, Record), found
    assert check(found.doc, NOW).faults == ()
    return found.doc


def xml(number: int, keywords: str = SUCCESS, channel: str = "Security", **data: str) -> str:
    values = "".join(f'<Data Name="{name}">{value}</Data>' for name, value in data.items())
    return (
        '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>'
        f'<Provider Name="Microsoft-Windows-Security-Auditing"/><EventID>{number}</EventID><Keywords>{keywords}</Keywords>'
        f'<TimeCreated SystemTime="2026-10-05T00:13:22.1234567Z"/><EventRecordID>77</EventRecordID>'
        f"<Channel>{channel}</Channel><Computer>sv1.town.local</Computer></System><EventData>{values}</EventData></Event>"
    )


LOGIN = {
    "SubjectUserSid": "S-1-5-18", "SubjectUserName": "SV1$", "SubjectDomainName": "TOWN", "SubjectLogonId": "0x3e7",
    "TargetUserSid": "S-1-5-21-1-1-1-1104", "TargetUserName": "s0412", "TargetDomainName": "TOWN", "TargetLogonId": "0x9CC0B6",
    "LogonType": "3", "WorkstationName": "PC-0412", "IpAddress": "10.1.2.3", "IpPort": "50001",
}  # fmt: skip


def test_a_login_in_full() -> None:
    doc = one(xml(4624, **LOGIN))
    unmapped = doc.pop("unmapped")
    assert doc == {
        "time": "2026-10-05T00:13:22.123456+00:00", "activity": "login", "operation_name": "4624", "outcome": "success",
        "actor": {"id": "s0412"}, "terminal": {"id": "PC-0412", "ip": "10.1.2.3"}, "session": "sv1.town.local/0x9cc0b6",
        "sequence": 77,
    }  # fmt: skip
    assert unmapped["SystemTime"] == "2026-10-05T00:13:22.1234567Z"
    assert unmapped["LogonType"] == "3"
    assert unmapped["SubjectUserName"] == "SV1$"


@pytest.mark.parametrize(
    ("number", "keywords", "data", "activity", "outcome", "actor", "target"),
    [
        (4625, FAILURE, "LOGIN Status=0xC000006D SubStatus=0xC000006A", "login", "failure", "s0412", None),
        (4625, FAILURE, "LOGIN Status=0xC000006E SubStatus=0xC0000072", "login", "denied", "s0412", None),
        (4634, SUCCESS, "LOGIN", "logout", "success", "s0412", None),
        (4647, SUCCESS, "LOGIN", "logout", "success", "s0412", None),
        (4800, SUCCESS, "LOGIN", "lock", "success", "s0412", None),
        (4801, SUCCESS, "LOGIN", "unlock", "success", "s0412", None),
        (4776, FAILURE, "TargetUserName=s0412 Status=0xC000006A", "login", "failure", "s0412", None),
        (4776, SUCCESS, "TargetUserName=s0412 Status=0x0", "security_event", "success", "s0412", None),
        (4648, SUCCESS, "SubjectUserName=s0412 TargetUserName=admin", "security_event", "success", "s0412", "admin"),
        (4672, SUCCESS, "SubjectUserName=s0412", "security_event", "success", "s0412", None),
        (4673, FAILURE, "SubjectUserName=s0412", "security_event", "denied", "s0412", None),
        (4720, SUCCESS, "SubjectUserName=adm TargetUserName=s0533", "credential_issue", "success", "adm", "s0533"),
        (4724, SUCCESS, "SubjectUserName=adm TargetUserName=s0533", "credential_reset", "success", "adm", "s0533"),
        (4725, SUCCESS, "SubjectUserName=adm TargetUserName=s0533", "revoke", "success", "adm", "s0533"),
        (4740, SUCCESS, "SubjectUserName=SV1$ TargetUserName=s0533", "lock", "success", "SV1$", "s0533"),
        (
            4732,
            SUCCESS,
            "SubjectUserName=a TargetUserName=G MemberName=- MemberSid=S-9",
            "grant",
            "success",
            "a",
            "S-9",
        ),
        (4733, SUCCESS, "SubjectUserName=a TargetUserName=G MemberName=CN=s0533", "revoke", "success", "a", "CN=s0533"),
        (4663, SUCCESS, "SubjectUserName=s0412 ObjectType=File AccessMask=0x1", "view", "success", "s0412", None),
        (4663, SUCCESS, "SubjectUserName=s0412 ObjectType=File AccessMask=0x6", "update", "success", "s0412", None),
        (4663, SUCCESS, "SubjectUserName=s0412 ObjectType=File AccessMask=0x10000", "delete", "success", "s0412", None),
        (4663, SUCCESS, "SubjectUserName=s0412 ObjectType=Key AccessMask=0x1", "operation", "success", "s0412", None),
        (4656, SUCCESS, "SubjectUserName=s0412 ObjectType=File AccessMask=0x1", "operation", "success", "s0412", None),
        (4656, FAILURE, "SubjectUserName=s0412 ObjectType=File AccessMask=0x1", "view", "denied", "s0412", None),
        (5145, SUCCESS, "SubjectUserName=s0412 AccessMask=0x2", "update", "success", "s0412", None),
        (4670, SUCCESS, "SubjectUserName=s0412", "policy_change", "success", "s0412", None),
        (4719, SUCCESS, "SubjectUserName=s0412", "policy_change", "success", "s0412", None),
        (4688, SUCCESS, "SubjectUserName=s0412 TargetUserName=-", "operation", "success", "s0412", None),
        (9999, SUCCESS, "", "operation", "success", None, None),
    ],
)
def test_events(
    number: int, keywords: str, data: str, activity: str, outcome: str, actor: str | None, target: str | None
) -> None:
    words = data.split()
    said = dict(word.split("=", 1) for word in words if "=" in word)
    doc = one(xml(number, keywords, **({**LOGIN, **said} if "LOGIN" in words else said)))
    assert (doc["activity"], doc["outcome"], doc["actor"].get("id")) == (activity, outcome, actor)
    assert doc.get("target", {}).get("id") == target
    assert doc["operation_name"].startswith(str(number))


@pytest.mark.parametrize(
    ("name", "sid", "domain", "kind"),
    [
        ("PC-0412$", "S-1-5-21-1-1104", "TOWN", "system"),
        ("SYSTEM", "S-1-5-18", "NT AUTHORITY", "system"),
        ("DWM-1", "S-1-5-90-0-1", "Window Manager", "system"),
        ("ANONYMOUS LOGON", "S-1-5-7", "NT AUTHORITY", "system"),
        ("s0412", "S-1-5-21-1-1104", "TOWN", None),
        ("s0412", "S-1-5-180", "TOWN", None),
        ("-", "S-1-0-0", "-", "system"),
    ],
)
def test_who_is_the_system(name: str, sid: str, domain: str, kind: str | None) -> None:
    doc = one(xml(4624, TargetUserName=name, TargetUserSid=sid, TargetDomainName=domain))
    assert doc["actor"].get("kind") == kind
    assert doc["actor"].get("id") == (None if name == "-" else name)


@pytest.mark.parametrize(
    ("data", "terminal"),
    [
        ({"IpAddress": "-", "WorkstationName": "-"}, None),
        ({"IpAddress": "::1", "LogonType": "3"}, {"id": "sv1.town.local"}),
        ({"IpAddress": "127.0.0.1", "LogonType": "2"}, {"id": "sv1.town.local"}),
        ({"IpAddress": "::ffff:10.1.2.3", "LogonType": "10"}, {"ip": "10.1.2.3"}),
        ({"IpAddress": "fe80::1%12", "WorkstationName": "PC-1"}, {"id": "PC-1", "ip": "fe80::1"}),
        ({"IpAddress": "pc-1.town", "LogonType": "3"}, None),
        ({"LogonType": "7"}, {"id": "sv1.town.local"}),
    ],
)
def test_terminals(data: dict[str, str], terminal: dict[str, str] | None) -> None:
    assert one(xml(4624, TargetUserName="s0412", **data)).get("terminal") == terminal


def test_user_data_and_other_logs() -> None:
    cleared = xml(1102).replace(
        "<EventData></EventData>",
        '<UserData><LogFileCleared xmlns="x"><SubjectUserName>s0412</SubjectUserName></LogFileCleared></UserData>',
    )
    assert (one(cleared)["activity"], one(cleared)["actor"]) == ("log_clear", {"id": "s0412"})
    assert one(xml(104, channel="System"))["activity"] == "log_clear"
    other = one(xml(4624, channel="Application", TargetUserName="s0412"))
    assert (other["activity"], other["operation_name"]) == ("operation", "Application/4624")


def test_events_over_lines_in_one_line_and_cut() -> None:
    event = xml(4624, **LOGIN)
    split = event.replace("><", ">\r\n<")
    data = f"<?xml version='1.0'?>\n<Events>\n{event}{event}\n{split}\n{event[:300]}\n{event}\n</Events>"
    found = read(data.encode())
    assert [(type(one).__name__, one.line) for one in found][:3] == [("Record", 3), ("Record", 3), ("Record", 4)]
    assert [type(one).__name__ for one in found[3:]] == ["Refused", "Record"]
    assert len({json.dumps(one.doc) for one in found if isinstance(one, Record)}) == 1
    assert found[0].raw.decode() == event


# fmt: off
FLAT = {
    "EventID": 4624, "Channel": "security", "Hostname": "sv1.town.local", "RecordNumber": 77,
    "EventTime": "2026-10-05 09:13:22", "@timestamp": "2026-10-05T00:13:22.120Z", "EventType": "AUDIT_SUCCESS",
    "Keywords": -9214364837600034816, "time": "a carrier's", **LOGIN,
}
BEAT = {
    "@timestamp": "2026-10-05T00:13:22.120Z", "event": {"code": "4624", "outcome": "success"},
    "winlog": {
        "event_id": "4624", "channel": "Security", "computer_name": "sv1.town.local", "record_id": 77,
        "keywords": ["Audit Success"], "event_data": LOGIN,
    },
}
CONVERTED = {
    "Event": {
        "#attributes": {"xmlns": "x"},
        "System": {
            "EventID": {"#attributes": {"Qualifiers": 0}, "#text": 4624}, "Channel": "Security", "EventRecordID": 77,
            "Computer": "sv1.town.local", "Keywords": SUCCESS,
            "TimeCreated": {"#attributes": {"SystemTime": "2026-10-05T00:13:22.120Z"}},
        },
        "EventData": LOGIN,
    }
}
VALUES = [
    *list(LOGIN.values())[:9], "Kerberos", "Kerberos", "PC-0412", "{0}", "-", "-", 0, "0x0", "-", "10.1.2.3", 50001,
]
SHELL = {
    "Id": 4624, "LogName": "Security", "MachineName": "sv1.town.local", "RecordId": 77,
    "TimeCreated": "/Date(1791159202120)/", "KeywordsDisplayNames": ["成功の監査"],
    "Properties": [{"Value": value} for value in VALUES],
}
# fmt: on


@pytest.mark.parametrize(
    "event", [FLAT, BEAT, CONVERTED, SHELL], ids=["nxlog", "winlogbeat", "converter", "powershell"]
)
def test_every_json_says_the_same(event: dict[str, Any]) -> None:
    doc = one(json.dumps(event))
    doc.pop("unmapped")
    assert doc == {
        "time": "2026-10-05T00:13:22.120000+00:00", "activity": "login", "operation_name": "4624", "outcome": "success",
        "actor": {"id": "s0412"}, "terminal": {"id": "PC-0412", "ip": "10.1.2.3"}, "session": "sv1.town.local/0x9cc0b6",
        "sequence": 77,
    }  # fmt: skip
    assert len(read(json.dumps([event, event], indent=2).encode())) == 2


def test_a_failure_by_its_bits() -> None:
    doc = one(
        json.dumps(
            {
                "EventID": 4673,
                "@timestamp": "2026-10-05T00:13:22Z",
                "Keywords": -9218868437227405312,
                "SubjectUserName": "s0412",
            }
        )
    )
    assert doc["outcome"] == "denied"


@pytest.mark.parametrize(
    "bad",
    [
        "text", "{}", '{"EventID":"x"}', "<Event/>", "<Event><System><EventID>4624</EventID></System></Event>",
        '{"EventID":4624,"Channel":"Security"}', "<Event>&x;</Event>", '{"EventID":4624,"EventID":4625}',
        "<Event><System><EventID>4624</EventID><TimeCreated SystemTime='x'/></System></Event>",
    ],
)  # fmt: skip
def test_refused_beside_the_good(bad: str) -> None:
    first, refused, last = read(f"{xml(4624)}\n{bad}\n{xml(4624)}".encode())
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert isinstance(refused, Refused)
    assert refused.raw == bad.encode()
    assert all(" / " in reason for reason in refused.reasons)


def test_the_table_is_sound() -> None:
    assert set(ACTIVITIES.values()) <= set(Activity)
    assert [by_mask(mask) for mask in (0x1, 0x2, 0x40, 0x10000, 0x40000, 0x20000)] == [
        "read", "write", "delete", "delete", "permissions", "",
    ]  # fmt: skip


@given(st.binary())
def test_anything(data: bytes) -> None:
    *_, last = read(data + b"\n" + xml(4624).encode())
    assert isinstance(last, Record)
    assert last.doc == one(xml(4624))


KEYS = [
    "Event",
    "System",
    "EventData",
    "Data",
    "#text",
    "#attributes",
    "winlog",
    "event_data",
    "Properties",
    "Value",
    "x",
]
HEADS = ["Event", "EventID", "Channel", "Properties", "TimeCreated", "Keywords", "winlog", "IpAddress", "AccessMask"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(HEADS), JSON))
def test_any_object(event: dict[str, Any]) -> None:
    for found in read(json.dumps({"EventID": 4663, **event}).encode()):
        assert isinstance(found, Record) or all(" / " in reason for reason in found.reasons)


@pytest.mark.shared
def test_recordings_of_attacks() -> None:
    folder = SHARED / "windows-security"
    if not folder.exists():
        pytest.skip(f"third-party data not found at {folder}")
    expected = json.loads((folder / "expected_counts.json").read_text())
    for path in sorted(folder.glob("*.jsonl.gz")):
        counted: Counter[str] = Counter()
        activities: Counter[tuple[str, str]] = Counter()
        for found in read(gzip.decompress(path.read_bytes())):
            assert isinstance(found, Record), found
            assert check(found.doc, NOW).faults == ()
            said = found.doc["unmapped"]
            counted[f"{said['Channel']}/{said['EventID']}"] += 1
            activities[said["EventID"], found.doc["activity"]] += 1
        wanted = expected[path.name]
        assert counted == wanted["by_channel_and_event_id"]
        for number, activity in (
            ("4624", "login"),
            ("4634", "logout"),
            ("4672", "security_event"),
            ("4720", "credential_issue"),
            ("4719", "policy_change"),
        ):
            total = sum(n for key, n in counted.items() if key.lower() == f"security/{number}")
            assert activities[number, activity] == total


@pytest.mark.shared
def test_failed_logins_in_xml() -> None:
    path = SHARED / "crowdsec" / "windows-bf" / "windows-bf.log"
    if not path.exists():
        pytest.skip(f"third-party data not found at {path}")
    docs = [found.doc for found in read(path.read_bytes()) if isinstance(found, Record)]
    assert len(docs) == len(path.read_bytes().splitlines())
    assert {(doc["activity"], doc["outcome"]) for doc in docs} == {("login", "failure")}
    assert all("id" in doc["actor"] and "ip" in doc["terminal"] for doc in docs)
