"""What real programs write is read rightly: who, when, what, how it ended."""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from audit.clock import SystemClock
from audit.events import check
from ingest.formats.auth_log import decode_auth_log
from ingest.formats.pgaudit import decode_pgaudit
from ingest.formats.registry import sniff
from ingest.model import Decoder, Doc, Record
from ingest.sources.profile import Profile

sys.path.insert(0, str(Path(__file__).parent))

from programs import PostgresLogs, SshLogs

pytestmark = pytest.mark.system


def docs(path: Path, decoder: Decoder, form: str, start: datetime, end: datetime) -> list[Doc]:
    """Decode a log; nothing may be refused, all must be valid and within the test's span."""
    lines = path.read_bytes().split(b"\n")
    assert sniff(lines[:20]) == form
    profile = Profile(id="real", name_ja="本物", name_en="real", format=form)
    found = []
    for read in decoder(((n, line) for n, line in enumerate(lines, 1) if line), profile):
        assert isinstance(read, Record), read
        assert check(read.doc, SystemClock().now()).faults == ()
        at = datetime.fromisoformat(read.doc["time"])
        assert start - timedelta(seconds=60) <= at <= end + timedelta(seconds=1)
        found.append(read.doc)
    return found


def only(found: list[Doc], fits: Callable[[Doc], bool]) -> Doc:
    matching = [doc for doc in found if fits(doc)]
    assert len(matching) == 1, matching
    return matching[0]


@pytest.mark.parametrize("form", ["csvlog", "jsonlog", "stderr"])
def test_postgres(postgres_logs: PostgresLogs, form: str) -> None:
    logs = postgres_logs
    found = docs(getattr(logs, form), decode_pgaudit, "pgaudit", logs.start, logs.end)

    def by_user(activity: str) -> Doc:
        return only(
            found, lambda doc: doc["actor"].get("id") == logs.user and doc["activity"] == activity
            and "class" in doc["unmapped"],
        )  # fmt: skip

    read = by_user("view")
    assert read["unmapped"]["object_name"] == logs.table
    assert read["unmapped"]["statement"] == "SELECT id,\n       note\nFROM ledger"
    assert read["query"]["hits"] == 2
    assert read["outcome"] == "success"
    assert read["terminal"]["ip"] == "127.0.0.1"
    assert read["unmapped"]["database"] == logs.database
    created = by_user("create")
    assert created["operation_name"] == "INSERT"
    assert '\nline "two", end' in created["unmapped"]["statement"]
    assert by_user("update")["unmapped"]["object_name"] == logs.table
    assert by_user("export")["operation_name"].startswith("COPY")
    assert by_user("grant")["target"]["id"] == logs.outsider
    logins = [doc for doc in found if doc["activity"] == "login" and doc["actor"].get("id") == logs.user]
    assert [doc["outcome"] for doc in logins] == ["success"] * 5 + ["failure"]
    assert logins[-1]["auth"]["factors"] == ["password"]
    refused = only(found, lambda doc: doc.get("outcome") == "denied")
    assert refused["actor"]["id"] == logs.outsider
    assert "permission denied" in refused["unmapped"]["message"]
    # The wrong password's connection never was a session, so it has no disconnection of its own.
    assert sum(doc["activity"] == "logout" and doc["actor"].get("id") == logs.user for doc in found) == 5


@pytest.mark.parametrize("form", ["rfc3164", "rfc5424", "rfc3339"])
def test_ssh(ssh_logs: SshLogs, form: str) -> None:
    logs = ssh_logs
    found = docs(getattr(logs, form), decode_auth_log, "auth_log", logs.start, logs.end)
    good = only(found, lambda doc: doc["activity"] == "login" and doc["outcome"] == "success")
    assert good["actor"]["id"] == logs.user
    assert good["terminal"]["ip"] == logs.address
    assert good["auth"]["factors"] == ["password"]
    bad = [doc for doc in found if doc["activity"] == "login" and doc["outcome"] == "failure"]
    assert [doc["actor"]["id"] for doc in bad] == [logs.user, logs.hostile]
    assert {doc["terminal"]["ip"] for doc in bad} == {logs.address}
    left = only(found, lambda doc: doc["activity"] == "logout")
    assert left["actor"]["id"] == logs.user
    assert left["session"] == good["session"]
    issued = only(found, lambda doc: doc["activity"] == "credential_issue")
    assert issued["target"]["id"] == logs.user
    assert any(doc["activity"] == "credential_reset" and doc["target"]["id"] == logs.user for doc in found)
