"""One process holds a data directory; the next one is told which."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from audit.store.clickhouse import hold_directory
from audit.store.errors import StoreHeldError

HOLD = """
import sys
from pathlib import Path
from audit.store.clickhouse import hold_directory
with hold_directory(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_holder_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreHeldError, match=rf"process {holder.pid}\b"), hold_directory(tmp_path):
            pytest.fail("two processes held the same directory")
        holder.communicate(timeout=20)
    with hold_directory(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()
    with hold_directory(tmp_path):
        assert (tmp_path / "lock").exists()


def test_the_lock_is_given_back(tmp_path: Path) -> None:
    for _ in range(2):
        with hold_directory(tmp_path / "new"):
            assert (tmp_path / "new" / "lock").stat().st_mode & 0o777 == 0o600
