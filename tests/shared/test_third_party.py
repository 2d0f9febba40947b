"""Logs that nobody here wrote, through the whole intake: nothing lost, nothing twice, counts as others counted."""

import csv
import io
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from foreign import DATA, Desk, need

pytestmark = pytest.mark.shared

SYSLOG = (
    "sshd-logs", "sshd-success-logs", "sshd-refused-conn", "sshd-bad-keyexchange-bf", "sshd-impossible-travel-user",
    "ssh-generic-test", "ssh-time-based-bf", "opnsense-sshd", "pam-logs", "syslog-logs", "CVE-2021-4034",
)  # fmt: skip
POSTGRES = ("pgsql-logs", "supabase-docker-pgsql-logs")
AUDIT_PREFIX = "2026-10-05 09:13:22.120 JST [4711] LOG:  "


def test_a_month_of_a_server_under_attack(desk: Desk) -> None:
    data = need(DATA / "auth-log" / "auth.log").read_bytes()
    expected = json.loads((DATA / "auth-log" / "expected_counts.json").read_text())
    failed = expected["failed_password"]
    expanded = expected["lines"] + failed["attempts_with_repeats_expanded"] - failed["lines"]
    sums = desk.take(data, "auth_log")
    assert desk.refused() == []
    assert (sums.read, sums.stored) == (expanded, expanded)
    events = desk.events()
    by_address = Counter(e.text("terminal_ip") for e in events if e.text("operation_name") == "Failed password")
    assert by_address == failed["attempts_by_source_ip"]
    accepted = [e for e in events if e.activity == "login" and e.text("outcome") == "success"]
    assert len(accepted) == expected["accepted"]["lines"]
    again = desk.take(data, "auth_log")
    assert (again.stored, again.duplicates, again.quarantined) == (0, expanded, 0)
    assert len(desk.events()) == expanded


def test_half_of_it_then_all_of_it(desk: Desk) -> None:
    lines = need(DATA / "auth-log" / "auth.log").read_bytes().splitlines(keepends=True)
    half = desk.take(b"".join(lines[:3000]), "auth_log")
    full = desk.take(b"".join(lines), "auth_log")
    assert full.duplicates == half.stored
    assert half.stored + full.stored == full.read


@pytest.mark.parametrize("name", SYSLOG)
def test_sshd_and_pam_of_many_kinds(desk: Desk, name: str) -> None:
    files = sorted(need(DATA / "crowdsec" / name).glob("*.log"))
    assert files
    for number, file in enumerate(files):
        source = f"{name}-{number}"
        data = file.read_bytes()
        sums = desk.take(data, "auth_log", source)
        assert desk.refused() == []
        assert sums.stored == sums.read >= sum(bool(line.strip()) for line in data.split(b"\n"))
        again = desk.take(data, "auth_log", source)
        assert (again.stored, again.duplicates) == (0, sums.read)


@pytest.mark.parametrize("name", POSTGRES)
def test_postgres_of_many_kinds(desk: Desk, name: str) -> None:
    """Their `log_line_prefix` is the administrator's own: a line is understood, or kept with the reason."""
    (file,) = need(DATA / "crowdsec" / name).glob("*.log")
    data = file.read_bytes()
    sums = desk.take(data, "pgaudit", name)
    assert sums.read == sum(bool(line.strip()) for line in data.split(b"\n"))
    assert all("no PostgreSQL log prefix" in reasons[0] for reasons in desk.refused())
    assert {(e.activity, e.text("outcome")) for e in desk.events(name)} <= {("login", "failure")}
    again = desk.take(data, "pgaudit", name)
    assert (again.stored, again.duplicates, again.quarantined) == (0, sums.stored, sums.quarantined)
    assert len(desk.refused()) == sums.quarantined


def test_a_program_nobody_knows_is_kept_not_lost(desk: Desk) -> None:
    (file,) = need(DATA / "crowdsec" / "sshesame").glob("*.log")
    lines = [line for line in file.read_bytes().split(b"\n") if line.strip()]
    sums = desk.take(file.read_bytes(), "auth_log")
    kept = [b"".join(desk.book.raw(row.id)) for row in desk.book.listing(limit=1000)]
    assert sums.stored + len(kept) == len(lines)
    assert set(kept) <= set(lines)
    again = desk.take(file.read_bytes(), "auth_log")
    assert (again.stored, again.quarantined) == (0, sums.quarantined)
    assert len(desk.refused()) == len(kept)


@pytest.mark.parametrize("form", ["stderr", "csvlog"])
def test_pgaudit_of_its_own_regression_test(desk: Desk, form: str) -> None:
    path = need(DATA / "pgaudit" / "expected_records.jsonl")
    records = [json.loads(line) for line in path.read_text().splitlines()]
    text = io.StringIO()
    if form == "stderr":
        text.write("".join(AUDIT_PREFIX + record["raw"].replace("\n", "\n\t") + "\n" for record in records))
    else:
        writer = csv.writer(text, lineterminator="\n")
        for n, record in enumerate(records):
            writer.writerow([
                "2026-10-05 09:13:22.120 JST", "hanako", "juki", "4711", "[local]", "6701.1267", n, "SELECT",
                "2026-10-05 09:00:00 JST", "3/1", "0", "LOG", "00000", record["raw"], *[""] * 8, "psql",
                "client backend", "", "0",
            ])  # fmt: skip
    data = text.getvalue().encode()
    sums = desk.take(data, "pgaudit")
    assert desk.refused() == []
    assert sums.stored == sums.read == len(records) == 419
    found = []
    for event in sorted(desk.events(), key=lambda e: e.log_index):
        kept = event.to_contract()["unmapped"]
        found.append({name: kept.get(name, "") for name in records[0]["fields"]})
    assert found == [{name: record["fields"][name] for name in records[0]["fields"]} for record in records]
    again = desk.take(data, "pgaudit")
    assert (again.stored, again.duplicates) == (0, 419)
