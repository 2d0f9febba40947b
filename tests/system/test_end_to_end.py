"""Real programs' real logs, through the command line, into the log, and out again by search."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from forked import mimamori
from programs import PostgresLogs, SshLogs

pytestmark = [pytest.mark.system, pytest.mark.slow]

MIMAMORI = Path(sys.executable).with_name("mimamori")
"""The program as it is installed."""


def run(data: Path, *arguments: str) -> Any:
    done = mimamori("--data", str(data), "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ingest_twice(data: Path, source: str, fmt: str, path: Path) -> dict[str, int]:
    """Take a file in, and again: the second time changes nothing."""
    words = ["--data", str(data), "--json", "ingest", "--source", source, "--format", fmt, str(path)]
    first = json.loads(subprocess.run([MIMAMORI, *words], capture_output=True, check=True, timeout=120).stdout)
    assert first["quarantined"] == 0
    assert first["stored"] == first["read"] > 0
    again = run(data, "ingest", "--source", source, "--format", fmt, str(path))
    assert again == {**first, "stored": 0, "duplicates": first["read"]}
    return dict(first)


def only(found: dict[str, Any]) -> dict[str, Any]:
    assert len(found["events"]) == 1, found
    return dict(found["events"][0])


@pytest.mark.parametrize("form", ["csvlog", "jsonlog", "stderr"])
def test_postgres_log_is_found_by_search(postgres_logs: PostgresLogs, form: str, tmp_path: Path) -> None:
    logs = postgres_logs
    ingest_twice(tmp_path, "resident-db", "pgaudit", getattr(logs, form))

    def search(*arguments: str) -> dict[str, Any]:
        return dict(run(tmp_path, "search", "--source", "resident-db", *arguments))

    wrong = only(search("--activity", "login", "--outcome", "failure", "--actor", logs.intruder))
    assert logs.start <= datetime.fromisoformat(wrong["time"]) <= logs.end
    inserted = only(search("--activity", "create", "--actor", logs.user))
    assert inserted["unmapped"]["object_name"] == logs.table
    assert 'line "two"' in inserted["unmapped"]["statement"]
    assert [event["outcome"] for event in search("--activity", "grant", "--actor", logs.user)["events"]] == ["success"]
    assert [e["operation_name"] for e in search("--activity", "export", "--actor", logs.user)["events"]] == ["COPY"]
    refused = search("--outcome", "denied", "--actor", logs.outsider)["events"]
    assert any("ledger" in json.dumps(event["unmapped"]) for event in refused)


@pytest.mark.parametrize("form", ["rfc3164", "rfc5424"])
def test_ssh_log_is_found_by_search(ssh_logs: SshLogs, form: str, tmp_path: Path) -> None:
    logs = ssh_logs
    ingest_twice(tmp_path, "server-admin-terminal", "auth_log", getattr(logs, form))
    sign_ins = run(tmp_path, "search", "--activity", "login", "--actor", logs.user)["events"]
    assert sorted(event["outcome"] for event in sign_ins) == ["failure", "success"]
    for event in sign_ins:
        assert event["terminal"]["ip"] == logs.address
        assert event["auth"]["factors"] == ["password"]
        at = datetime.fromisoformat(event["time"])
        assert logs.start.replace(microsecond=0) <= at <= logs.end
