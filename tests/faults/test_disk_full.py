"""D1: no room on the disk of the spool, of the event store, of the state database. 429, and nothing half kept."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lives import Hospital
from senders import DESK, DOOR, Parcel, line, numbered
from served import Service, serving


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own. Where none can be mounted, `test_torn.py` has the spool's part with a disk that pretends."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=192m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Leave no room on a disk."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        size = 1 << 20
        while size >= 512:
            try:
                file.write(os.urandom(size))
            except OSError:
                size >>= 1
    try:
        yield
    finally:
        filler.unlink()


def parcels(prefix: str, count: int, size: int = 50) -> list[Parcel]:
    return [
        Parcel(
            f"{prefix} {n}",
            (DESK, DOOR)[n % 2],
            b"".join(raw + b"\n" for raw in [*numbered(f"{prefix} {n}", size), line(), b"no event"]),
            f"{prefix}-{n}",
        )
        for n in range(count)
    ]


def until(done: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def refused(service: Service, sent: list[Parcel]) -> None:
    """Each of these is told to come again."""
    for each in sent:
        answer = service.post(each)
        assert answer.status == 429, answer
        assert int(answer.headers["retry-after"]) > 0
        assert answer.document["status"] == 429


def test_D1_no_room_for_the_spool(lives: Hospital, small_disk: Path) -> None:
    town = lives.fresh("full")
    (town.data / "spool").rmdir()
    (town.data / "spool").symlink_to(small_disk)
    before, during, after = (
        parcels("before", 4),
        [*parcels("during", 4), *parcels("large", 2, 9000)],
        parcels("after", 4),
    )
    with serving(town, DESK, DOOR) as service:
        for each in before:
            service.send(each)
        with filled(small_disk):
            refused(service, during)
        for each in [*after, *during[:5]]:
            assert service.post(each).status in {200, 202}
        service.stop()
    found = town.check([*before, *during, *after])
    assert found["torn"] == []


@pytest.mark.slow
def test_D1_no_room_for_the_event_store(lives: Hospital, small_disk: Path) -> None:
    """What comes is kept and acknowledged; it is stored when there is room again."""
    town = lives.fresh("full-events")
    events = town.data / "events"
    subprocess.run(["cp", "-a", f"{events}/.", small_disk], check=True)
    subprocess.run(["rm", "-r", events], check=True)
    events.symlink_to(small_disk)
    before, during = parcels("before", 4), parcels("during", 6, 3000)
    with serving(town, DESK, DOOR) as service:
        for each in before:
            service.send(each)
        service.token(DESK)
        service.token(DOOR)
        with filled(small_disk):
            for each in during:
                assert service.post(each).status == 202
            time.sleep(2)
        until(lambda: _stored(service, during[-1]), "what waited is stored")
        service.stop()
    town.check([*before, *during])


def _stored(service: Service, parcel: Parcel) -> bool:
    answer = service.post(parcel)
    assert answer.document["repeated"] is True
    return answer.document["state"] == "stored"


def test_D1_no_room_for_the_state_database(lives: Hospital, small_disk: Path) -> None:
    """Nothing is set aside: the writer waits until there is room for the book."""
    town = lives.fresh("full-state")
    for path in town.data.glob("state.sqlite*"):
        subprocess.run(["cp", "-a", path, small_disk], check=True)
        path.unlink()
    (town.data / "state.sqlite").symlink_to(small_disk / "state.sqlite")
    before, during = parcels("before", 4), parcels("during", 40)
    accepted = list[Parcel]()
    with serving(town, DESK, DOOR) as service:
        for each in before:
            service.send(each)
        with filled(small_disk):
            for each in during:
                answer = service.post(each)
                assert answer.status in {200, 202, 429}, answer
                if answer.status == 429:
                    assert int(answer.headers["retry-after"]) > 0
                else:
                    accepted.append(each)
            time.sleep(2)
        for each in during:
            service.send(each)
        service.stop()
    assert accepted, "the spool has a disk of its own"
    town.check([*before, *during])
