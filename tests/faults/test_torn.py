"""D3: what a power cut leaves of the spool. What was acknowledged is whole; what is not whole lies aside, reported."""

# ruff: noqa: S311 - cases bear their names in security.md; chance, not secrecy

import os
import random
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lives import LONG
from structlog.testing import capture_logs

import ingest.spool.service
import ingest.spool.shared
from audit.clock import FixedClock, SystemClock
from ingest.receivers.model import InboxFullError, InboxTooLargeError
from ingest.spool.segments import Entry
from ingest.spool.service import Spool


@pytest.fixture(autouse=True)
def _small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest.spool.service, "_SMALL", 100)
    monkeypatch.setattr(ingest.spool.service, "_PART", 80)


def spool(folder: Path) -> Spool:
    return Spool(folder, SystemClock(), reserve=0)


def pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 30] for at in range(0, len(data), 30))


def waiting(opened: Spool) -> list[tuple[Entry, bytes]]:
    """All that waits, in the order it is handed out."""
    found = []
    while group := opened.next_group(timeout=0):
        found += [(entry, entry.read()) for entry in group]
    return found


@pytest.mark.parametrize("damage", ["cut", "garbled", "zeros", "longer"])
def test_D3_the_last_frame_torn_at_every_offset(tmp_path: Path, damage: str) -> None:
    written = spool(tmp_path / "whole")
    payloads = [b"first" * 5, b"second" * 7, b"third" * 9]
    for data in payloads:
        written.accept("src", "x", [data])
    (path,) = (tmp_path / "whole").glob("*.shared")
    whole, (last, _) = path.read_bytes(), waiting(written)[-1]
    written.close()
    begin = whole.index(b"MMR1", whole.index(b"MMR1", 4) + 4)
    assert begin < last.parts[0][0]
    for offset in range(begin, len(whole) if damage != "longer" else begin + 60):
        folder = tmp_path / f"{damage}-{offset}"
        folder.mkdir()
        torn = {
            "cut": whole[:offset],
            "garbled": whole[:offset] + bytes([whole[offset] ^ 0xFF]) + whole[offset + 1 :],
            "zeros": whole[:offset] + bytes(len(whole) - offset),
            "longer": whole + whole[begin : offset + 1],
        }[damage]
        (folder / path.name).write_bytes(torn)
        opened = spool(folder)
        survivors = payloads if damage == "longer" else payloads[:2]
        assert [data for _, data in waiting(opened)] == survivors
        end = len(whole) if damage == "longer" else begin
        left = torn[end:]
        assert [(found.path.name, found.offset, found.size) for found in opened.torn] == (
            [(path.name, end, len(left))] if left else []
        )
        assert [kept.read_bytes() for kept in folder.glob("torn/*")] == ([left] if left else [])
        assert (folder / path.name).read_bytes() == torn[:end]
        opened.close()
        again = spool(folder)
        assert again.torn == [], "it is reported once"
        assert [data for _, data in waiting(again)] == survivors
        again.close()


def test_D3_a_torn_end_that_cannot_be_copied_harms_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = spool(tmp_path)
    written.accept("src", "x", [b"whole"])
    written.close()
    (path,) = tmp_path.glob("*.shared")
    path.write_bytes(path.read_bytes() + b"MMR1 half")
    with monkeypatch.context() as full:
        full.setattr(shutil, "copyfileobj", _no_room)
        opened = spool(tmp_path)
    assert [torn.size for torn in opened.torn] == [9]
    opened.accept("src", "y", [b"more"])
    assert [data for _, data in waiting(opened)] == [b"whole", b"more"]
    opened.close()
    again = spool(tmp_path)
    assert [data for _, data in waiting(again)] == [b"whole", b"more"]
    assert [kept.read_bytes() for kept in tmp_path.glob("torn/*")] == [b"MMR1 half"]
    again.close()


def _no_room(*_: Any) -> None:
    raise OSError(28, "No space left on device")


@dataclass
class Disk:
    """A folder's writes as they were asked for, and what is left of them when the power goes.

    Only what was fsynced must be there: of what was written since, a beginning, all, or pages of zeros; of names made,
    changed or removed since the folder was fsynced, any.
    """

    folder: Path
    log: list[tuple[Any, ...]] = field(default_factory=list)

    def record(self, patch: pytest.MonkeyPatch) -> None:
        """Stand between the spool and the system."""
        write, log = ingest.spool.shared.write, self.log
        fsync, truncate, opening, rename, unlink = os.fsync, os.ftruncate, Path.open, Path.rename, Path.unlink

        def name_of(descriptor: int) -> Path:
            return Path(f"/proc/self/fd/{descriptor}").readlink()

        def writing(file: Any, parts: list[bytes]) -> None:
            at = os.lseek(file.fileno(), 0, os.SEEK_CUR)
            write(file, parts)
            log.append(("write", name_of(file.fileno()).name, at, b"".join(parts)))

        def syncing(descriptor: int) -> None:
            fsync(descriptor)
            path = name_of(descriptor)
            log.append(("folder",) if path == self.folder else ("sync", path.name))

        def cutting(descriptor: int, size: int) -> None:
            truncate(descriptor, size)
            log.append(("cut", name_of(descriptor).name, size))

        def making(path: Path, mode: str = "r", *more: Any, **how: Any) -> Any:
            if mode == "xb":
                log.append(("make", path.name))
            return opening(path, mode, *more, **how)

        def renaming(path: Path, target: Path) -> Path:
            log.append(("rename", path.name, target.name))
            return rename(path, target)

        def unlinking(path: Path, missing_ok: bool = False) -> None:
            log.append(("unlink", path.name))
            unlink(path, missing_ok=missing_ok)

        for module in (ingest.spool.shared, ingest.spool.service):
            patch.setattr(module, "write", writing)
        patch.setattr(os, "fsync", syncing)
        patch.setattr(os, "fdatasync", syncing)
        patch.setattr(os, "ftruncate", cutting)
        patch.setattr(Path, "open", making)
        patch.setattr(Path, "rename", renaming)
        patch.setattr(Path, "unlink", unlinking)

    def after_cut(self, moment: int, folder: Path, chance: random.Random) -> None:
        """Make the folder that is found after the power went at a moment."""
        contents: dict[str, bytearray] = {}
        durable: dict[str, int] = {}
        named, since = frozenset[str](), list[tuple[str, ...]]()
        for act, *what in self.log[:moment]:
            if act == "write":
                name, at, data = what
                contents[name][at:] = data
            elif act == "cut":
                del contents[what[0]][what[1] :]
                durable[what[0]] = min(durable.get(what[0], 0), what[1])
            elif act == "sync":
                durable[what[0]] = len(contents.get(what[0], b""))
            elif act in {"make", "rename", "unlink"}:
                if act == "make":
                    contents[what[0]] = bytearray()
                elif act == "rename":
                    contents[what[1]] = contents[what[0]]
                    durable[what[1]] = durable.get(what[0], 0)
                since.append((act, *what))
            elif act == "folder":
                named, since = _renamed(named, since), []
        named = _renamed(named, [change for change in since if chance.random() < 0.5])
        folder.mkdir()
        for name in named:
            whole, safe = bytes(contents[name]), durable.get(name, 0)
            lost = len(whole) - safe
            fate = chance.choice(["nothing", "beginning", "zeros", "all"])
            left = {
                "nothing": b"",
                "beginning": whole[safe : safe + chance.randint(0, lost)],
                "zeros": bytes(lost),
                "all": whole[safe:],
            }[fate]
            (folder / name).write_bytes(whole[:safe] + left)


def _renamed(named: frozenset[str], changes: list[tuple[str, ...]]) -> frozenset[str]:
    for act, *what in changes:
        named = named | {what[0]} if act == "make" else named - {what[0]}
        if act == "rename":
            named = named | {what[1]}
    return named


def test_D3_power_is_lost_at_every_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every moment of a history of small and large deliveries, some of which leave the spool meanwhile."""
    folder = tmp_path / "spool"
    disk, chance = Disk(folder), random.Random(20261120)
    promised: list[tuple[int, str, bytes]] = []
    done: dict[str, int] = {}
    with monkeypatch.context() as patch:
        disk.record(patch)
        patch.setattr(ingest.spool.service, "_SHARED", 900)
        opened = spool(folder)
        for n in range(24):
            data = bytes([65 + n]) * chance.choice([0, 20, 60, 90, 250, 400])
            receipt = opened.accept(f"src-{n % 2}", f"{n}", pieces(data)).name
            promised.append((len(disk.log), receipt, data))
            if n % 5 == 4:
                for entry in opened.next_group(timeout=0):
                    done[entry.receipt] = len(disk.log)
                    opened.done([entry])
        opened.close()
    sent = {receipt: data for _, receipt, data in promised}
    for moment in range(len(disk.log) + 1):
        for _ in range(20 if LONG else 2):
            left = tmp_path / "left"
            disk.after_cut(moment, left, chance)
            found = spool(left)
            there = waiting(found)
            kept = {entry.receipt: data for entry, data in there}
            must = {receipt for at, receipt, _ in promised if at <= moment and done.get(receipt, moment) >= moment}
            assert must <= kept.keys()
            for receipt, data in kept.items():
                assert sent.get(receipt, data) == data
            of_one = [entry.receipt for entry, _ in there if entry.source == "src-0"]
            assert of_one == sorted(of_one)
            found.close()
            shutil.rmtree(left)


def test_nothing_is_left_of_what_was_refused_by_a_failing_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call to the disk fails once, in turn: the sender is told to come again, and nothing is kept of it."""
    small, large = b"small", b"large" * 60
    for data in (small, large):
        for failing in range(1, 8):
            folder = tmp_path / f"{len(data)}-{failing}"
            opened = spool(folder)
            opened.accept("src", "before", [b"before"])
            with monkeypatch.context() as patch:
                broken = _fail_at(patch, failing)
                try:
                    opened.accept("src", "refused", pieces(data))
                    refused = False
                except InboxFullError:
                    refused = True
            assert refused == broken["failed"]
            opened.accept("src", "after", [b"after"])
            expected = [b"before", *([] if refused else [data]), b"after"]
            opened.close()
            again = spool(folder)
            assert [found for _, found in waiting(again)] == expected, failing
            assert again.torn == []
            assert sum(again.waiting().values()) == sum(map(len, expected))
            again.close()


def _fail_at(patch: pytest.MonkeyPatch, number: int) -> dict[str, Any]:
    """Let the disk be full at one of the next calls, after half of it was done."""
    state = {"calls": 0, "failed": False}
    write, fsync, fdatasync, rename = ingest.spool.shared.write, os.fsync, os.fdatasync, Path.rename

    def failing() -> bool:
        state["calls"] += 1
        state["failed"] |= state["calls"] == number
        return state["calls"] == number

    def writing(file: Any, parts: list[bytes]) -> None:
        if failing():
            data = b"".join(parts)
            write(file, [data[: len(data) // 2]])
            _no_room()
        write(file, parts)

    def syncing(descriptor: int, sync: Any) -> None:
        if failing():
            _no_room()
        sync(descriptor)

    def renaming(path: Path, target: Path) -> Path:
        if failing():
            _no_room()
        return rename(path, target)

    for module in (ingest.spool.shared, ingest.spool.service):
        patch.setattr(module, "write", writing)
    patch.setattr(os, "fsync", lambda descriptor: syncing(descriptor, fsync))
    patch.setattr(os, "fdatasync", lambda descriptor: syncing(descriptor, fdatasync))
    patch.setattr(Path, "rename", renaming)
    return state


def test_T4_the_clock_steps_back_and_forward(tmp_path: Path) -> None:
    """Receipts go on growing: also after a restart deliveries are handed out as they arrived."""
    clock = FixedClock(datetime(2026, 11, 20, 3, 0, tzinfo=UTC))
    expected, receipts = list[bytes](), list[str]()
    for step in (0, -3600, 86400, -86400 * 400, 0, 1):
        clock.advance(timedelta(seconds=step))
        opened = Spool(tmp_path, clock, reserve=0)
        for n in range(3):
            data = f"{step} {n}".encode() * (1 if n % 2 else 40)  # small ones share files, large ones do not
            receipts.append(opened.accept("src", "x", [data]).name)
            expected.append(data)
        opened.close()
    assert receipts == sorted(set(receipts))
    opened = Spool(tmp_path, clock, reserve=0)
    assert [data for _, data in waiting(opened)] == expected
    opened.close()


def test_a_delivery_larger_than_its_room_is_refused_for_good(tmp_path: Path) -> None:
    opened = Spool(tmp_path, SystemClock(), limit=1000, reserve=0)
    with pytest.raises(InboxTooLargeError):
        opened.accept("src", "endless", pieces(b"y" * 2000))
    opened.accept("src", "x", [b"x" * 90])
    with pytest.raises(InboxFullError):
        opened.accept("src", "later", pieces(b"y" * 450))
    opened.accept("other", "D9: another source has room", pieces(b"y" * 450))
    assert opened.waiting() == {"src": 90, "other": 450}
    opened.close()


def test_the_operational_log_says_when_the_inbox_fills_and_when_it_has_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Spool(tmp_path, SystemClock(), limit=1000, reserve=0)
    with capture_logs() as said:
        for source in ("a", "b", "a", "b"):
            opened.accept(source, "x", [b"x" * 240])
        assert opened.trouble() == ""
        opened.accept("c", "x", [b"x" * 30])
        assert opened.trouble() == "inbox is full"
        with pytest.raises(InboxFullError):
            opened.accept("c", "x", [b"x" * 30])
        with pytest.raises(InboxFullError):
            opened.accept("c", "x", [b"x" * 30])
        while entries := opened.next_group(0):
            opened.done(entries)
        assert opened.trouble() == ""
        opened.accept("c", "x", [b"x" * 30])
        opened.accept("a", "x", [b"x" * 480])
        for _ in range(3):
            with pytest.raises(InboxFullError):  # a's half is used; b's deliveries are no news about that
                opened.accept("a", "x", [b"x" * 100])
            opened.accept("b", "x", [b"x"])
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=-1))
        assert opened.trouble() == "disk is full"
        with pytest.raises(InboxFullError):
            opened.accept("c", "x", [b"x" * 30])
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: Path(folder, "gone").stat())
        assert opened.trouble() == "disk cannot be read"
        with pytest.raises(InboxFullError):
            opened.accept("c", "x", [b"x" * 30])
    assert [one["event"] for one in said] == [
        "inbox is filling", "inbox is full", "inbox has room again", "a source has used its share of the inbox",
        "disk is full", "disk cannot be written",
    ]  # fmt: skip
    opened.close()


def test_D2_a_shared_file_is_closed_and_gone_when_all_in_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.spool.service, "_SHARED", 900)
    opened = spool(tmp_path)
    threads = [
        threading.Thread(target=lambda n=n: [opened.accept(f"src-{n}", "x", [b"data"]) for _ in range(20)])
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(tmp_path.glob("*.shared"))) > 10
    assert opened.state().entries == 120
    while group := opened.next_group(timeout=0):
        opened.done(group)
    assert len(list(tmp_path.glob("*.shared"))) <= 1
    opened.close()
    assert list(tmp_path.glob("*.*")) == []
    assert opened.waiting() == {}
