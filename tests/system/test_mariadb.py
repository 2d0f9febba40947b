"""A real MariaDB with server_audit: what it writes about known people doing known things is read rightly."""

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from audit.clock import SystemClock
from audit.events import check
from ingest.formats.mysql import decode_mysql
from ingest.model import Doc, Record, Refused
from ingest.sources.profile import Profile

sys.path.insert(0, str(Path(__file__).parent))

from ports import free_port
from programs import PATH, give_up, listening, need, stop, wait_for

pytestmark = pytest.mark.system
PLUGIN = Path("/usr/lib/mysql/plugin/server_audit.so")
PASSWORDS = {"hanako": "correct-horse", "jiro": "battery-staple"}
DB = Profile(id="db", name_ja="DB", name_en="db", format="mysql")


@dataclass(frozen=True, slots=True)
class Logs:
    audit: Path
    errors: Path
    start: datetime
    end: datetime


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    programs = need("mariadbd", "mariadb", "mariadb-install-db")
    if not PLUGIN.exists():
        give_up("missing programs: server_audit")
    home = tmp_path_factory.mktemp("m")
    socket, audit, errors, port = home / "s", home / "audit.log", home / "error.log", free_port()
    environment = {"PATH": PATH, "TZ": "Asia/Tokyo"}
    subprocess.run(
        [
            programs["mariadb-install-db"], "--no-defaults", f"--datadir={home / 'data'}", "--user=root",
            "--auth-root-authentication-method=normal", "--skip-test-db",
        ],
        env=environment, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    server = subprocess.Popen(
        [
            programs["mariadbd"], "--no-defaults", "--user=root", f"--datadir={home / 'data'}", f"--socket={socket}",
            f"--port={port}", "--bind-address=127.0.0.1", "--skip-name-resolve", "--plugin-load-add=server_audit",
            "--server-audit-logging=ON", f"--server-audit-file-path={audit}", f"--log-error={errors}",
            "--innodb-buffer-pool-size=16M", "--character-set-server=utf8mb4", "--log-warnings=2",
        ],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def sql(user: str, password: str, statement: str, *where: str) -> int:
        login = [programs["mariadb"], "--no-defaults", "--default-character-set=utf8mb4", f"-u{user}"]
        return subprocess.run(
            [*login, f"-p{password}", *where, "-e", statement],
            env=environment, capture_output=True, check=False, timeout=30,
        ).returncode  # fmt: skip

    def remote(user: str, password: str, statement: str) -> int:
        return sql(user, password, statement, "-h127.0.0.1", f"-P{port}", "resident")

    try:
        wait_for(lambda: listening(port), "mariadbd listens")
        start = SystemClock().now()
        administer = (
            "CREATE DATABASE resident; CREATE TABLE resident.ledger (id int PRIMARY KEY, note varchar(100));"
            + "".join(f"CREATE USER {who}@'127.0.0.1' IDENTIFIED BY '{word}';" for who, word in PASSWORDS.items())
            + "GRANT ALL ON resident.* TO hanako@'127.0.0.1' WITH GRANT OPTION"
        )
        hanako = PASSWORDS["hanako"]
        assert sql("root", "", administer, f"-S{socket}") == 0
        assert remote("hanako", hanako, "INSERT INTO ledger VALUES (1, '照会, it''s')") == 0
        assert remote("hanako", hanako, "SELECT id,\n  note FROM ledger WHERE note = 'a,b'") == 0
        assert remote("hanako", hanako, "UPDATE ledger SET note = 'b'; DELETE FROM ledger") == 0
        assert remote("hanako", hanako, "GRANT SELECT ON ledger TO jiro@'127.0.0.1'") == 0
        assert remote("hanako", hanako, f"SELECT '{'照' * 500}'") == 0
        assert remote("hanako", "wrong", "SELECT 1") != 0
        assert remote("jiro", PASSWORDS["jiro"], "DELETE FROM ledger") != 0
        assert remote("root,127.0.0.1,1,0,CONNECT,,,0", "x", "SELECT 1") != 0
    finally:
        stop(server)
    return Logs(audit, errors, start, SystemClock().now())


def read(path: Path) -> list[Record | Refused]:
    return list(decode_mysql(enumerate(path.read_bytes().split(b"\n"), 1), DB))


def docs(logs: Logs) -> list[Doc]:
    found = []
    for record in read(logs.audit):
        if isinstance(record, Record):
            assert check(record.doc, SystemClock().now()).faults == ()
            at = datetime.fromisoformat(record.doc["time"])
            assert logs.start - timedelta(seconds=60) <= at <= logs.end + timedelta(seconds=1)
            found.append(record.doc)
    return found


def test_everything_is_read_but_the_forged_name(logs: Logs) -> None:
    refused = [record for record in read(logs.audit) if isinstance(record, Refused)]
    # a failed log-in and its end, whose name pretends to be the successful log-in of root
    assert len(refused) == 2
    assert all(b"root,127.0.0.1,1,0,CONNECT,,,0" in record.raw for record in refused)
    assert len(docs(logs)) + 2 == len([line for line in logs.audit.read_bytes().split(b"\n") if line])


def test_who_did_what(logs: Logs) -> None:
    about = Counter(
        (doc["activity"], doc["actor"]["id"], doc.get("outcome"))
        for doc in docs(logs)
        if doc["actor"].get("id") in PASSWORDS and doc["unmapped"].get("event") == "QUERY"
    )
    for activity in ("create", "update", "delete", "grant"):
        assert about[activity, "hanako", "success"] == 1, activity
    assert about["view", "hanako", "success"] >= 2
    assert about["delete", "jiro", "denied"] == 1


def test_logins(logs: Logs) -> None:
    logins = Counter(
        (doc["actor"]["id"], doc["outcome"], doc["terminal"]["ip"])
        for doc in docs(logs)
        if doc["activity"] == "login" and doc["actor"].get("id") in PASSWORDS  # a port probe names nobody
    )
    assert logins == {
        ("hanako", "success", "127.0.0.1"): 5,
        ("hanako", "failure", "127.0.0.1"): 1,
        ("jiro", "success", "127.0.0.1"): 1,
    }


def test_statements_are_exact_and_without_passwords(logs: Logs) -> None:
    statements = [doc["unmapped"]["statement"] for doc in docs(logs) if "statement" in doc["unmapped"]]
    assert "SELECT id,\n  note FROM ledger WHERE note = 'a,b'" in statements
    assert "INSERT INTO ledger VALUES (1, '照会, it''s')" in statements
    assert not any(word in statement for statement in statements for word in PASSWORDS.values())


def test_a_statement_cut_within_a_character(logs: Logs) -> None:
    (doc,) = [doc for doc in docs(logs) if doc["unmapped"].get("truncated")]
    assert doc["activity"] == "view"
    assert set(doc["unmapped"]["statement"].removeprefix("SELECT '")) == {"照"}


def test_the_error_log_tells_of_refused_logins(logs: Logs) -> None:
    logins = [
        record.doc for record in read(logs.errors) if isinstance(record, Record) and record.doc["activity"] == "login"
    ]
    assert {(doc["actor"]["id"], doc["outcome"]) for doc in logins} >= {("hanako", "failure")}
