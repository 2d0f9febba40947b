"""Lives of one installation, one after the other, and what must be true after the last."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from senders import Parcel, judge

LONG = os.environ.get("MIMAMORI_FAULTS") == "long"
"""`make faults`: every boundary instead of a sample."""


@dataclass
class Hospital:
    """Starts lives in a process that has all imports behind it."""

    folder: Path
    process: subprocess.Popen[str]
    count: int = 0

    def run(self, **task: Any) -> tuple[int, dict[str, Any]]:
        """Live once; how it ended (minus the signal), and what it said."""
        self.count += 1
        answer = self.folder / f"answer-{self.count}"
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({**task, "answer": str(answer)}) + "\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        said = json.loads(answer.read_text()) if answer.exists() else {}
        answer.unlink(missing_ok=True)
        assert "error" not in said, said.get("trace")
        return status, said

    def fresh(self, name: str) -> "Town":
        """An installation of its own."""
        self.count += 1
        data = self.folder / f"{name}-{self.count}"
        template = self.folder / "template"
        if not template.exists():
            status, _ = self.run(act="live", data=str(template), told="/dev/null", parcels=[])
            assert status == 0
        shutil.copytree(template, data, symlinks=True)
        return Town(self, data)


@contextmanager
def hospital(folder: Path) -> Iterator[Hospital]:
    """The process that lives are forked from."""
    command = [sys.executable, str(Path(__file__).parent / "victim.py")]
    # One thread of the linear algebra: a fork must not happen while another thread holds a lock.
    quiet = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=quiet
    ) as process:
        yield Hospital(folder, process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=20)


@dataclass
class Town:
    """One installation and its senders."""

    hospital: Hospital
    data: Path
    url: str = ""

    @property
    def _told(self) -> Path:
        return self.data.with_suffix(".told")

    def live(self, parcels: list[Parcel], act: str = "live", **more: Any) -> tuple[int, dict[str, Any]]:
        """Send parcels, some of which are acknowledged before this life ends."""
        sent = [asdict(parcel) | {"data": parcel.data.hex()} for parcel in parcels]
        where = {"url": self.url} if self.url else {}
        return self.hospital.run(act=act, data=str(self.data), told=str(self._told), parcels=sent, **where, **more)

    def acknowledged(self) -> list[tuple[str, str]]:
        """Names and receipts of what was acknowledged in all lives so far."""
        if not self._told.exists():
            return []
        return [tuple(json.loads(line)) for line in self._told.read_text().splitlines()]

    def credentials(self, sources: tuple[str, ...]) -> dict[str, list[str]]:
        """Credentials for sources: id and secret of each."""
        where = {"url": self.url} if self.url else {}
        return self.hospital.run(act="credentials", data=str(self.data), sources=sources, **where)[1]

    def hear(self, name: str, receipt: str) -> None:
        """A sender that is no life of ours was told that a delivery is accepted."""
        with self._told.open("a") as told:
            told.write(f"{json.dumps([name, receipt])}\n")

    def unheard(self, parcels: list[Parcel]) -> list[Parcel]:
        """What a sender will send again: all that it heard nothing of. A stream never repeats itself."""
        heard = {name for name, _ in self.acknowledged()}
        return [parcel for parcel in parcels if parcel.name not in heard and not parcel.stream]

    def check(self, parcels: list[Parcel]) -> dict[str, Any]:
        """After a last life in which senders repeat what they heard nothing of: accepted is stored exactly, none twice,
        and all counters agree.

        Args:
            parcels: all that was ever sent to this installation, under names of their own.
        """
        status, found = self.live(self.unheard(parcels), act="look")
        assert status == 0
        by_name = {parcel.name: parcel for parcel in parcels}
        arrived = [by_name[row["name"]] for row in found["book"]]
        verdict = judge(arrived)
        assert {receipt for _, receipt in self.acknowledged()} <= {row["receipt"] for row in found["book"]}
        assert all(row["finished"] for row in found["book"])
        assert [tuple(row["sums"]) for row in found["book"]] == verdict.outcomes
        for read, stored, duplicates, quarantined in verdict.outcomes:
            assert read == stored + duplicates + quarantined
        assert Counter((source, name) for source, name, _, _ in found["events"]) == verdict.events
        per_delivery = Counter(delivery for *_, delivery in found["events"])
        assert per_delivery == Counter({row["number"]: row["sums"][1] for row in found["book"] if row["sums"][1]})
        count, last, different = found["log"]
        assert count == different == last + 1, "log indexes are not consecutive"
        kept = Counter(
            (row["source"], hashlib.sha256(bytes.fromhex(row["raw"])).hexdigest()) for row in found["quarantined"]
        )
        assert kept == Counter((source, digest) for source, digest, _ in verdict.refused)
        assert found["waiting"] == [0, 0, 0]
        assert found["files"] == []
        return found

    def forget(self) -> None:
        """Make room."""
        shutil.rmtree(self.data)
        self._told.unlink(missing_ok=True)


KILLED = -int(signal.SIGKILL)
