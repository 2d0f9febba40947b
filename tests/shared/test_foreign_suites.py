"""Every foreign log whose format we read, through the whole intake; and every other one through every parser.

What our formats do not claim, on purpose: the *error* logs of Apache and nginx (they tell of no access), the log of
nginx proxy manager and other access logs of an administrator's own pattern, lines of Combined without its user field.
Such lines are kept in quarantine with their bytes, which is asserted here line by line.
"""

import csv
import gzip
import io
import json
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from foreign import DATA, Desk, need

from audit.events import check
from ingest.formats.registry import DECODERS, decode
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

pytestmark = pytest.mark.shared

ACCESS = (
    "CVE-2017-9841", "CVE-2022-35914", "CVE-2022-41697", "CVE-2022-44877", "CVE-2023-22515", "CVE-2024-38475",
    "CVE-2025-0108", "apache-http-probing", "apache2-malformed", "apiscp-bf", "cve-2021-42013", "cve-2023-49103",
    "grafana_cve-2021-43798", "http-admin-interface-probing", "http-cve-probing", "http-dos-invalid-http-versions",
    "http-dos-switching-ua", "http-wordpress-scan", "nginx-cve-2021-41773", "nginx-http-open-proxy",
    "nginx-http-sensitive-files", "nginx-http-w00twoot", "spring4shell_cve-2022-22965", "thinkphp-cve-2018-20062",
    "vmware-cve-2022-22954", "zoneminder_cve-39285", "zoneminder_cve-39291",
)  # fmt: skip
CLAIMED = [
    *((name, "access_log", "none") for name in ACCESS),
    ("http-wordpress_wpconfig", "access_log", "syslog"),
    *((name, "mysql", "none") for name in ("mariadb-bf", "mariadb-logs", "mysql-logs")),
    ("keycloak-bf", "keycloak", "none"),
    ("windows-bf", "windows", "none"),
]
UNCLAIMED = re.compile(rb"\d{4}/\d\d/\d\d |\[\w{3} \w{3} \d\d |\[\d\d/|\S+ - \[")
"""How lines begin that neither Common nor Combined have."""


def lines_of(data: bytes) -> list[bytes]:
    return [line for line in data.split(b"\n") if line.strip()]


def logs(name: str) -> bytes:
    """The logs of a case, one after the other."""
    files = sorted(need(DATA / "crowdsec" / name).glob("*.log"))
    assert files
    return b"".join(file.read_bytes().rstrip(b"\n") + b"\n" for file in files)


@pytest.mark.parametrize(("name", "fmt", "envelope"), CLAIMED)
def test_a_claimed_format_needs_no_quarantine(shared_desk: Desk, name: str, fmt: str, envelope: str) -> None:
    data, source = logs(name), f"claimed-{name}"
    sums = shared_desk.take(data, fmt, source, envelope=envelope)
    assert shared_desk.refused(source) == []
    assert sums.stored == sums.read == len(lines_of(data))
    again = shared_desk.take(data, fmt, source, envelope=envelope)
    assert (again.stored, again.duplicates) == (0, sums.read)


@pytest.mark.parametrize(
    "name", ["apache2-logs", "nginx_http-logs", "nginx-http-generic-bf", "nginx-proxy-manager-logs", "nginx-mail-logs",
             "nginx_http-catch-npm", "nginx_req_limit_exceeded", "nginx-mail-bf"],
)  # fmt: skip
def test_what_is_no_access_log_is_kept_line_by_line(shared_desk: Desk, name: str) -> None:
    data, source = logs(name), f"mixed-{name}"
    sums = shared_desk.take(data, "access_log", source)
    unclaimed = [line for line in lines_of(data) if UNCLAIMED.match(line)]
    assert shared_desk.kept(source) == unclaimed
    assert (sums.stored, sums.quarantined) == (len(lines_of(data)) - len(unclaimed), len(unclaimed))


def expected_events(name: str) -> list[dict[str, str]]:
    """The fields that the authors of a case state, event by event."""
    path = need(DATA / "crowdsec" / "expected_events.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [row["meta"] for row in rows if row["test"] == name]


@pytest.mark.parametrize(
    "name", ["apache2-logs", "apache2-malformed", "nginx_http-logs", "spring4shell_cve-2022-22965"]
)
def test_requests_are_read_as_others_read_them(shared_desk: Desk, name: str) -> None:
    source = f"fields-{name}"
    shared_desk.take(logs(name), "access_log", source)

    def ours(event: Any) -> tuple[Any, ...]:
        doc = event.to_contract()
        return doc["terminal"]["ip"], doc["unmapped"]["status"]

    wanted = [meta for meta in expected_events(name) if meta["log_type"] == "http_access-log"]
    theirs = Counter((meta["source_ip"], meta["http_status"]) for meta in wanted)
    found = Counter(map(ours, shared_desk.events(source)))
    assert found <= theirs
    assert (theirs - found).total() == (1 if name == "nginx_http-logs" else 0)  # a line without the user field
    paths = Counter(urlsplit(meta["http_path"]).path for meta in wanted if meta.get("http_path", "").startswith("/"))
    assert Counter(e.text("screen") for e in shared_desk.events(source) if e.text("screen")) <= paths + Counter([""])


@pytest.mark.parametrize(("name", "zone"), [("mysql-logs", "UTC"), ("mariadb-logs", "UTC")])
def test_refused_database_logins_are_read_as_others_read_them(shared_desk: Desk, name: str, zone: str) -> None:
    source = f"fields-{name}"
    shared_desk.take(logs(name), "mysql", source, timezone=zone)
    found = Counter((e.text("actor_id"), e.text("terminal_ip"), e.time) for e in shared_desk.events(source))
    theirs = Counter(
        (meta["user"], meta["source_ip"], datetime.fromisoformat(meta["timestamp"])) for meta in expected_events(name)
    )
    assert theirs <= found  # one line is beyond what the authors state
    assert {(e.activity, e.text("outcome")) for e in shared_desk.events(source)} == {("login", "failure")}


@pytest.mark.parametrize(
    ("name", "fmt"), [("keycloak-bf", "keycloak"), ("mariadb-bf", "mysql"), ("windows-bf", "windows")]
)
def test_who_is_to_blame_can_be_found(shared_desk: Desk, name: str, fmt: str) -> None:
    source = f"blame-{name}"
    shared_desk.take(logs(name), fmt, source)
    cases = json.loads(need(DATA / "crowdsec" / "expected_alerts.json").read_text())
    (case,) = (case for case in cases if case["test"] == name)
    blamed = {address["ip"] for alert in case["alerts"] for address in alert["sources"]}
    named = Counter(
        event.get("username") or event.get("user") for event in max((a["events"] for a in case["alerts"]), key=len)
    )
    failed = [e for e in shared_desk.events(source) if e.activity == "login" and e.text("outcome") == "failure"]
    assert blamed <= {e.text("terminal_ip") for e in failed}
    assert set(named) - {None} <= {e.text("actor_id") for e in failed}


def test_recordings_of_attacks_through_the_whole_intake(shared_desk: Desk) -> None:
    folder = need(DATA / "windows-security")
    expected = json.loads((folder / "expected_counts.json").read_text())
    name = "auditpol_system_user_auditpolicy_modification.jsonl.gz"
    data = gzip.decompress((folder / name).read_bytes())
    sums = shared_desk.take(data, "windows", "auditpol")
    assert (sums.read, sums.stored, shared_desk.refused("auditpol")) == (expected[name]["lines"],) * 2 + ([],)
    found: Counter[str] = Counter()
    for event in shared_desk.events("auditpol"):
        said = event.to_contract()["unmapped"]
        found[f"{said['Channel']}/{said['EventID']}"] += 1
    assert found == expected[name]["by_channel_and_event_id"]


def test_samples_of_rules_are_windows_events(shared_desk: Desk) -> None:
    docs = []
    for file in sorted(need(DATA / "sigma" / "regression_data").rglob("*.json")):
        text, reader = file.read_text(encoding="utf-8-sig").strip(), json.JSONDecoder()
        while text:
            doc, end = reader.raw_decode(text)
            docs.append(doc)
            text = text[end:].strip()
    assert len(docs) >= 21
    sums = shared_desk.take(b"\n".join(json.dumps(doc).encode() for doc in docs), "windows", "sigma")
    assert shared_desk.refused("sigma") == []
    assert sums.stored == len(docs)


def panther_events() -> list[bytes]:
    """Single events of identity providers, in no format of ours."""
    found = []
    for file in sorted(need(DATA / "panther").glob("*.json")):
        for rule in json.loads(file.read_text()):
            found += [json.dumps(test["Log"]).encode() for test in rule["Tests"]]
    return found


def test_events_of_unknown_services_are_kept_not_lost(shared_desk: Desk) -> None:
    lines = panther_events()
    sums = shared_desk.take(b"\n".join(lines), "jsonl", "panther")
    assert (sums.read, sums.stored) == (539, 0)
    assert set(shared_desk.kept("panther")) == set(lines)


def profiles() -> dict[str, Profile]:
    """One profile for each format."""
    named = {"id": "x", "name_ja": "x", "name_en": "x"}
    more: dict[str, dict[str, Any]] = {"fixed": {"columns": ("a", "b"), "widths": (8, 8)}}
    return {fmt: Profile(**named, format=fmt, **more.get(fmt, {})) for fmt in DECODERS}


@pytest.mark.parametrize("fmt", sorted(DECODERS))
def test_no_log_of_anybody_breaks_a_parser(fmt: str, shared_desk: Desk) -> None:
    """Whatever is sent to whatever format: each line is a record, a part of one, or refused with a reason."""
    seen = set[bytes]()
    now, profile = shared_desk.clock.now(), profiles()[fmt]
    files = [*sorted(need(DATA / "crowdsec").glob("*/*.log")), DATA / "pgaudit" / "pgaudit.out"]
    for file in files:
        lines = [line for line in lines_of(file.read_bytes()) if line not in seen]
        seen.update(lines)
        _all_accounted(fmt, profile, lines, now, shared_desk)
    _all_accounted(fmt, profile, panther_events(), now, shared_desk)


def _all_accounted(fmt: str, profile: Profile, lines: list[bytes], now: datetime, desk: Desk) -> None:
    whole = b"".join(lines)
    raw = b""
    for found in decode(fmt, iter(enumerate(lines, 1)), profile, now):
        assert isinstance(found, Record | Refused)
        raw += found.raw
        if isinstance(found, Refused):
            assert found.reasons
        else:
            check(found.doc, desk.clock.now())
    assert len(raw) <= 60 * len(whole) + 1000  # one line may bring many records; nothing grows beyond all bounds


def naughty() -> list[str]:
    (file,) = need(DATA / "text" / "naughty-strings").rglob("*.json")
    return [text for text in json.loads(file.read_text()) if text.strip()]


def test_naughty_strings_as_cells(shared_desk: Desk) -> None:
    texts = naughty()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time", "activity", "id", "who", "what"])
    for n, text in enumerate(texts):
        writer.writerow(["2026-10-05 09:00:00", "view", f"e{n:04}", "s1", text])
    fields = {"time": "time", "activity": "activity", "id": "event_id", "who": "actor.id", "what": "unmapped.what"}
    sums = shared_desk.take(out.getvalue().encode(), "csv", "naughty", fields=fields, activities={"view": "view"})
    assert shared_desk.refused("naughty") == []
    assert sums.stored == len(texts)
    stored = {event.event_id: event for event in shared_desk.events("naughty")}
    for n, text in enumerate(texts):
        event = stored[f"e{n:04}"]
        if not event.marks:
            assert event.to_contract()["unmapped"]["what"] == text.strip(), text


def test_the_folders_are_where_they_were() -> None:
    assert {path.name for path in need(Path(DATA)).iterdir() if path.is_dir()} >= {"crowdsec", "panther", "sigma"}
