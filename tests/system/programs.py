"""Real programs for tests: found, started in private, always stopped."""

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class PostgresLogs:
    """What a private PostgreSQL wrote while known people did known things.

    `user` logged in, read, wrote, exported and granted; `intruder` is the name given with a wrong password;
    `outsider` was refused a table. All in the database `database`, on the table `table`, from 127.0.0.1.
    """

    csvlog: Path
    jsonlog: Path
    stderr: Path
    user: str
    intruder: str
    outsider: str
    database: str
    table: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class SshLogs:
    """What a private sshd wrote through rsyslog: one log-in, one wrong password, one unknown name.

    The last name is hostile: it contains the words of an address, ` from 1.2.3.4 port 22`.
    """

    rfc3164: Path
    rfc5424: Path
    rfc3339: Path
    user: str
    hostile: str
    address: str
    start: datetime
    end: datetime


def need(*programs: str) -> dict[str, str]:
    """Paths of programs; where one is missing the test skips, but in CI it fails."""
    found = {program: shutil.which(program, path=PATH) for program in programs}
    missing = sorted(program for program, path in found.items() if path is None)
    reasons = [f"missing programs: {', '.join(missing)}"] if missing else []
    if os.geteuid() != 0:
        reasons.append("not root")
    if reasons:
        give_up("; ".join(reasons))
    return {program: path for program, path in found.items() if path}


def give_up(reason: str) -> None:
    """Skip, or fail where everything was meant to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"system test impossible in CI: {reason} (tests/system/install.sh)")
    pytest.skip(f"{reason} (tests/system/install.sh installs what is needed)")


@contextmanager
def syslog_to_oneself() -> Iterator[None]:
    """Nobody else who asks for this uses the machine's one `/dev/log` meanwhile, be it in another process.

    PAM writes there whatever another worker does with `runuser`, and a private sshd's log would show it.
    """
    with (Path(tempfile.gettempdir()) / "mimamori-tests-syslog.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Wait until something is so, or fail saying what never was."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.1)


def listening(port: int) -> bool:
    """Whether somebody answers on a port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that a test started, and wait for it."""
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
