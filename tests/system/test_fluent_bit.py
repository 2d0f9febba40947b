"""Fluent Bit, where somebody has it, sends by deploy/senders/fluent-bit.yaml; what it says is stored, and once."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from door import HOST, LOCAL, SOURCE, Door, committed, door, line
from programs import PATH, stop, wait_for

pytestmark = [pytest.mark.system, pytest.mark.foreign]

FLUENT_BIT = os.environ.get("FLUENT_BIT") or shutil.which("fluent-bit", path=f"{PATH}:/opt/fluent-bit/bin")


@pytest.fixture
def at() -> Iterator[Door]:
    if not FLUENT_BIT:
        pytest.skip("Fluent Bit is not in Debian: put it on PATH, or name it by FLUENT_BIT, to run this")
    with door() as made:
        yield made


class FluentBit:
    """One that reads `records/*.jsonl` beside the door."""

    def __init__(self, at: Door) -> None:
        self._home = at.home / "fluent-bit"
        self.records = at.home / "records"
        for folder in (self._home, self.records):
            folder.mkdir()
        changes = {
            "/var/lib/fluent-bit": str(self._home),
            "/var/log/records": str(self.records),
            # Neither the name nor the port exist here; the certificate is still checked for the name.
            f"host: {HOST}": f"host: {LOCAL}\n      tls.vhost: {HOST}",
            "port: 8443": f"port: {at.port}",
            "scheduler.cap: 60": "scheduler.cap: 2",
        }
        config = committed("fluent-bit.yaml", changes | at.files("server-ca.pem", "sender.pem", "sender.key"))
        self._config = self._home / "fluent-bit.yaml"
        self._config.write_text(config)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert FLUENT_BIT
        with (self._home / "said").open("ab") as said:
            self._process = subprocess.Popen([FLUENT_BIT, "-c", str(self._config)], stdout=said, stderr=said)

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            stop(self._process)

    def said(self) -> str:
        return (self._home / "said").read_text(errors="replace")

    def accepted(self) -> int:
        """How many batches were answered with a receipt."""
        return self.said().count('"receipt":')

    def rejected(self) -> int:
        """The bytes of batches that it keeps because they were refused."""
        return sum(file.stat().st_size for file in (self._home / "storage" / "rejected").glob("*.flb"))

    def write(self, data: bytes, name: str = "day.jsonl") -> None:
        with (self.records / name).open("ab") as file:
            file.write(data)


@contextmanager
def fluent_bit(at: Door) -> Iterator[FluentBit]:
    made = FluentBit(at)
    try:
        yield made
    finally:
        made.stop()


def stored(at: Door) -> list[dict[str, Any]]:
    """What the log holds of the source, once nothing runs beside the command."""
    found: list[dict[str, Any]] = at.command("search", "--source", SOURCE)["events"]
    return found


def test_lines_arrive_as_they_were_written(at: Door) -> None:
    strange = line(7, operation_name='照会 "𠮷" \\ \u2028', unmapped={"rate": 1.5, "yes": True, "number": 2**60})
    with fluent_bit(at) as sender:
        sender.write(line(1) + line(2) + b"no JSON at all\n" + strange)
        with at.open():
            sender.start()
            wait_for(lambda: sender.accepted() >= 1, "a batch is accepted", 30)
            time.sleep(1.5)  # a flush, so that a second batch would show itself
            sender.stop()
        assert "HTTP status=4" not in sender.said()
    found = {event["event_id"]: event for event in stored(at)}
    assert sorted(found) == ["nhi-000001", "nhi-000002", "nhi-000007"]
    assert found["nhi-000007"]["operation_name"] == '照会 "𠮷" \\ \u2028'
    assert found["nhi-000007"]["unmapped"] == {"rate": 1.5, "yes": True, "number": 2**60}
    assert found["nhi-000007"]["sequence"] == 7


def test_mimamori_away_and_both_killed_and_nothing_is_lost_or_doubled(at: Door) -> None:
    total = 30_000
    with fluent_bit(at) as sender, at.nginx():
        sender.write(b"".join(line(n) for n in range(10_000)))
        sender.start()
        wait_for(lambda: "HTTP status=502" in sender.said(), "it is told to come again", 30)
        with at.service():
            wait_for(lambda: sender.accepted() >= 1, "a batch is accepted", 30)
            sender.write(b"".join(line(n) for n in range(10_000, 20_000)))
            time.sleep(0.3)
            sender.kill()
        sender.write(b"".join(line(n) for n in range(20_000, total)))
        sender.start()
        with at.service():
            before = sender.accepted()
            wait_for(lambda: sender.accepted() > before, "batches are accepted again", 30)
            quiet_since, seen = time.monotonic(), -1
            while time.monotonic() - quiet_since < 5:
                if (now := sender.accepted()) != seen:
                    quiet_since, seen = time.monotonic(), now
                time.sleep(0.2)
            sender.stop()
    numbers = [event["sequence"] for event in stored(at)]
    assert sorted(numbers) == list(range(total))


def test_what_is_refused_is_kept_on_the_senders_disk(at: Door) -> None:
    at.command("sources", "credential", "revoke", SOURCE, "--all")
    with fluent_bit(at) as sender, at.open():
        sender.write(line(1))
        sender.start()
        wait_for(lambda: "HTTP status=401" in sender.said(), "it is refused", 30)
        wait_for(lambda: sender.rejected() > 0, "it keeps the batch", 10)
        sender.stop()
