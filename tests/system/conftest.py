"""Real PostgreSQL with pgAudit, real sshd: their logs are what the decoders must read."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.clock import SystemClock

sys.path.insert(0, str(Path(__file__).parent))

from ports import free_port
from programs import (
    PATH,
    PostgresLogs,
    SshLogs,
    give_up,
    listening,
    need,
    stop,
    syslog_to_oneself,
    wait_for,
)

_ADMIN = "postgres"
_PASSWORDS = {"hanako": "correct-horse", "jiro": "battery-staple"}
_CONFIG = """
shared_preload_libraries = 'pgaudit'
pgaudit.log = 'all'
pgaudit.log_rows = on
pgaudit.log_relation = on
log_destination = 'stderr,csvlog,jsonlog'
logging_collector = on
log_directory = '{logs}'
log_filename = 'server.log'
log_file_mode = 0644
log_line_prefix = '%m [%p] user=%u,db=%d,app=%a,client=%h '
log_connections = on
log_disconnections = on
log_timezone = 'Asia/Tokyo'
listen_addresses = '127.0.0.1'
unix_socket_directories = '{home}'
port = {port}
fsync = off
"""


def _newest_server() -> Path:
    homes = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda home: int(home.parent.name))
    if not homes:
        give_up("missing programs: postgresql")
    return homes[-1]


@pytest.fixture(scope="session")
def postgres_logs() -> Iterator[PostgresLogs]:
    """A private server's logs of a log-in, a wrong password, work on a table and a refusal."""
    programs = need("psql", "runuser")
    home = Path(tempfile.mkdtemp(prefix="mimamori-pg-"))
    try:
        yield _worked_on(home, programs)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@syslog_to_oneself()
def _worked_on(home: Path, programs: dict[str, str]) -> PostgresLogs:
    server = _newest_server()
    shared = Path("/usr/share/postgresql") / server.parent.name / "extension"
    if not (shared / "pgaudit.control").exists():
        give_up("missing programs: pgaudit")
    logs = home / "logs"
    logs.mkdir()
    for folder in (home, logs):
        shutil.chown(folder, _ADMIN, _ADMIN)
    port = free_port()
    as_admin = [programs["runuser"], "-u", _ADMIN, "--"]
    data = home / "data"

    def psql(user: str, password: str, statement: str, *, database: str = "resident") -> int:
        return subprocess.run(
            [
                programs["psql"], "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement,
                f"host=127.0.0.1 port={port} user={user} dbname={database} application_name=mimamori-test",
            ],
            env={"PATH": PATH, "PGPASSWORD": password},
            cwd="/", capture_output=True, check=False, timeout=60,
        ).returncode  # fmt: skip

    def administer(statement: str, database: str = _ADMIN) -> None:
        subprocess.run(
            [
                *as_admin, programs["psql"], "-X", "-q", "-v", "ON_ERROR_STOP=1",
                "-h", str(home), "-p", str(port), "-d", database, "-c", statement,
            ],
            cwd="/", capture_output=True, check=True, timeout=60,
        )  # fmt: skip

    initdb = [*as_admin, str(server / "initdb"), "-D", str(data), "-A", "scram-sha-256", "-N"]
    password_file = home / "password"
    password_file.write_text("unused-over-the-socket\n")
    shutil.chown(password_file, _ADMIN, _ADMIN)
    subprocess.run(
        [*initdb, f"--pwfile={password_file}", "-E", "UTF8", "--locale=C.UTF-8", "--auth-local=peer"],
        cwd="/", capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    with (data / "postgresql.conf").open("a") as config:
        config.write(_CONFIG.format(logs=logs, home=home, port=port))
    control = [*as_admin, str(server / "pg_ctl"), "-D", str(data), "-w", "-t", "60"]
    with (home / "start.log").open("wb") as started:
        subprocess.run([*control, "start"], cwd="/", stdout=started, stderr=started, check=True, timeout=90)
    try:
        start = SystemClock().now()
        administer("CREATE DATABASE resident")
        for user, password in _PASSWORDS.items():
            administer(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
        administer("CREATE EXTENSION pgaudit", "resident")
        administer("CREATE TABLE ledger (id int PRIMARY KEY, note text)", "resident")
        administer("ALTER TABLE ledger OWNER TO hanako", "resident")
        hanako = _PASSWORDS["hanako"]
        done = [
            psql(
                "hanako",
                hanako,
                "INSERT INTO ledger VALUES (1, 'a'), (2, E'line one\nline \"two\", end')",
            ),
            psql("hanako", hanako, "SELECT id,\n       note\nFROM ledger"),
            psql("hanako", hanako, "UPDATE ledger SET note = 'b' WHERE id = 1"),
            psql("hanako", hanako, "COPY ledger TO STDOUT"),
            psql("hanako", hanako, "GRANT SELECT (id) ON ledger TO jiro"),
        ]
        assert done == [0] * len(done)
        assert psql("hanako", "wrong", "SELECT 1") != 0
        assert psql("jiro", _PASSWORDS["jiro"], "DELETE FROM ledger") != 0
    finally:
        subprocess.run([*control, "-m", "fast", "stop"], cwd="/", capture_output=True, check=True, timeout=90)
    return PostgresLogs(
        csvlog=logs / "server.csv",
        jsonlog=logs / "server.json",
        stderr=logs / "server.log",
        user="hanako",
        intruder="hanako",
        outsider="jiro",
        database="resident",
        table="public.ledger",
        start=start,
        end=SystemClock().now(),
    )


_RSYSLOG = """
module(load="imuxsock" SysSock.Use="on" SysSock.Name="/dev/log")
template(name="rfc5424" type="string"
  string="<%PRI%>1 %TIMESTAMP:::date-rfc3339% %HOSTNAME% %APP-NAME% %PROCID% - - %msg:2:$%\\n")
auth,authpriv.* action(type="omfile" file="{home}/rfc3164.log" template="RSYSLOG_TraditionalFileFormat")
auth,authpriv.* action(type="omfile" file="{home}/rfc5424.log" template="rfc5424")
auth,authpriv.* action(type="omfile" file="{home}/rfc3339.log" template="RSYSLOG_FileFormat")
"""
_SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {home}/host_key
PidFile {home}/sshd.pid
UsePAM yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
PubkeyAuthentication no
AllowTcpForwarding no
X11Forwarding no
PrintMotd no
Subsystem sftp internal-sftp
AllowUsers {user}
"""


@pytest.fixture(scope="session")
def ssh_logs() -> Iterator[SshLogs]:
    """A private sshd's logs, as rsyslog writes them, of a log-in and two that failed."""
    programs = need("sshd", "ssh", "sshpass", "ssh-keygen", "rsyslogd", "useradd", "userdel", "chpasswd")
    home = Path(tempfile.mkdtemp(prefix="mimamori-ssh-"))
    try:
        yield _logged_in(home, programs)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@syslog_to_oneself()
def _logged_in(home: Path, programs: dict[str, str]) -> SshLogs:
    if Path("/dev/log").exists():
        give_up("/dev/log is in use by this machine's own syslog")
    user, password, port = f"mmtest{os.getpid()}", "correct-horse-battery", free_port()
    hostile = "nobody from 1.2.3.4 port 22 ssh2"
    log = home / "rfc3164.log"
    started: list[subprocess.Popen[bytes]] = []

    def ssh(name: str, secret: str) -> int:
        options = {
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
            "PreferredAuthentications": "password",
            "NumberOfPasswordPrompts": "1",
            "LogLevel": "ERROR",
        }
        chosen = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        return subprocess.run(
            [
                programs["sshpass"], "-e", programs["ssh"], *chosen,
                "-p", str(port), "-l", name, "127.0.0.1", "true",
            ],
            env={"PATH": PATH, "SSHPASS": secret, "HOME": str(home)},
            capture_output=True, check=False, timeout=60,
        ).returncode  # fmt: skip

    def logged(words: str) -> bool:
        return log.exists() and words in log.read_text(errors="replace")

    try:
        (home / "rsyslog.conf").write_text(_RSYSLOG.format(home=home))
        (home / "sshd_config").write_text(_SSHD.format(home=home, port=port, user=user))
        subprocess.run(
            [programs["ssh-keygen"], "-q", "-t", "ed25519", "-N", "", "-f", str(home / "host_key")],
            check=True,
        )
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        start = SystemClock().now()
        started.append(
            subprocess.Popen(
                [programs["rsyslogd"], "-n", "-f", f"{home}/rsyslog.conf", "-i", f"{home}/rsyslog.pid"],
                env={"PATH": PATH, "TZ": "Asia/Tokyo"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip
        wait_for(Path("/dev/log").exists, "rsyslogd listens on /dev/log")
        subprocess.run([programs["useradd"], "--create-home", "--shell", "/bin/sh", user], check=True)
        subprocess.run([programs["chpasswd"]], input=f"{user}:{password}\n".encode(), check=True)
        started.append(
            subprocess.Popen(
                [programs["sshd"], "-D", "-f", str(home / "sshd_config")],
                env={"PATH": PATH, "TZ": "Asia/Tokyo"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip
        wait_for(lambda: listening(port), "sshd listens")
        assert ssh(user, password) == 0
        assert ssh(user, "wrong") != 0
        assert ssh(hostile, "wrong") != 0
        wait_for(lambda: logged(f"session closed for user {user}"), "sshd logs the end of the session")
        wait_for(lambda: logged(f"Failed password for invalid user {hostile}"), "sshd logs the hostile name")
        while started:  # nothing may be written after the end of the span
            stop(started.pop())
        return SshLogs(
            rfc3164=log,
            rfc5424=home / "rfc5424.log",
            rfc3339=home / "rfc3339.log",
            user=user,
            hostile=hostile,
            address="127.0.0.1",
            start=start,
            end=SystemClock().now(),
        )
    finally:
        for process in reversed(started):
            stop(process)
        Path("/dev/log").unlink(missing_ok=True)
        subprocess.run([programs["userdel"], "--remove", user], capture_output=True, check=False)
