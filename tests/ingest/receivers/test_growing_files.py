"""Every line of a growing file is taken once, however the file is rotated."""

import gzip
import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from memory_inbox import MemoryInbox
from yard import Yard

from ingest.receivers.folder import OutcomeKind


@pytest.fixture
def yard(tmp_path: Path, inbox: MemoryInbox) -> Yard:
    return Yard(tmp_path, inbox)


def log(yard: Yard, name: str = "app.log", source: str = "app") -> Path:
    return yard.root / source / name


def add(path: Path, *words: str) -> None:
    with path.open("a") as file:
        file.writelines(words)


def test_whole_lines_only_and_across_restarts(yard: Yard) -> None:
    add(log(yard), "one\ntw")
    yard.look()
    yard.look(100)
    assert yard.data() == [b"one\n"]
    yard.restart()
    add(log(yard), "o\n", "three\n", "fo")
    yard.look()
    assert yard.data() == [b"one\n", b"two\nthree\n"]
    assert [kept.name for kept in yard.inbox.kept] == ["app.log 0-4", "app.log 4-14"]
    yard.look(100)
    assert len(yard.inbox.kept) == 2
    assert yard.lying("app") == ["app.log"]


def test_renamed_away(yard: Yard) -> None:
    add(log(yard), "one\n")
    yard.look()
    add(log(yard), "two\nlast without end")
    log(yard).rename(log(yard, "app.log.1"))
    add(log(yard), "new\n")
    yard.look()
    assert sorted(yard.inbox.lines("app")) == [b"new", b"one", b"two"]
    yard.look(61)
    assert b"last without end" in yard.inbox.lines("app")
    yard.restart()
    yard.look(100)
    assert len(yard.inbox.lines("app")) == 4


@pytest.mark.parametrize("regrown", [False, True])
def test_copied_and_truncated(yard: Yard, regrown: bool) -> None:
    add(log(yard), "one\n", "two\n")
    yard.look()
    add(log(yard), "three\n")
    shutil.copy(log(yard), log(yard, "app.log.1"))
    os.truncate(log(yard), 0)
    new = ["four\n"] * (10 if regrown else 1)
    add(log(yard), *new)
    yard.look()
    assert sorted(yard.inbox.lines("app")) == sorted([b"one", b"two", b"three", *[b"four"] * len(new)])
    assert OutcomeKind.TRUNCATED not in yard.kinds()


def test_truncated_without_a_copy_is_told(yard: Yard) -> None:
    add(log(yard), "one\n")
    yard.look()
    os.truncate(log(yard), 0)
    add(log(yard), "1\n")
    yard.look()
    assert yard.inbox.lines("app") == [b"one", b"1"]
    assert yard.kinds().count(OutcomeKind.TRUNCATED) == 1


def test_gone_with_unread_lines_is_told(yard: Yard) -> None:
    add(log(yard), "one\nhalf")
    yard.look()
    log(yard).unlink()
    yard.look()
    yard.look(700)
    assert yard.kinds() == [OutcomeKind.TAKEN, OutcomeKind.VANISHED]


def test_a_share_that_is_empty_for_a_while(yard: Yard) -> None:
    add(log(yard), "one\n")
    yard.look()
    log(yard).rename(yard.root.parent / "away")
    yard.look()
    yard.restart()
    yard.look()
    (yard.root.parent / "away").rename(log(yard))
    add(log(yard), "two\n")
    yard.look()
    assert yard.data() == [b"one\n", b"two\n"]


def test_packed_rotations_are_taken_whole(yard: Yard) -> None:
    add(log(yard), "one\n")
    yard.look()
    add(log(yard), "two\n")
    log(yard, "app.log.1.gz").write_bytes(gzip.compress(log(yard).read_bytes()))
    log(yard).unlink()
    yard.settle()
    assert yard.data() == [b"one\n", b"one\ntwo\n"]
    assert yard.done("app") == ["app.log.1.gz"]


def test_the_header_goes_with_every_piece(yard: Yard) -> None:
    path = log(yard, "t.csv", "table")
    add(path, "time,user\n", "1,a\n")
    yard.look()
    add(path, "2,b\n")
    yard.look()
    assert yard.data() == [b"time,user\n1,a\n", b"time,user\n2,b\n"]


def test_large_files_come_in_pieces_of_whole_lines(yard: Yard) -> None:
    lines = [f"{n} {'x' * (n % 700)}\n" for n in range(2_000)]
    lines[1_000] = "y" * 200_000 + "\n"
    add(log(yard), *lines)
    yard.look()
    assert len(yard.inbox.kept) > 5
    assert b"".join(yard.data()).decode() == "".join(lines)
    assert all(data.endswith(b"\n") for data in yard.data())


def test_a_full_inbox_and_a_crash_lose_nothing(yard: Yard) -> None:
    add(log(yard), "one\n")
    yard.inbox.full = True
    yard.look()
    yard.inbox.full = False
    yard.restart()
    yard.look()
    add(log(yard), "two\n")
    yard.look()
    (yard.state / "app.json").unlink()  # as if the crash had come before it was written
    yard.restart()
    yard.look()
    assert yard.data() == [b"one\n", b"two\n", b"one\ntwo\n"]


def test_unfinished_names_and_links_are_left_alone(yard: Yard) -> None:
    add(log(yard, ".hidden"), "one\n")
    log(yard, "link").symlink_to(log(yard, ".hidden"))
    yard.look()
    assert yard.data() == []
    assert yard.error("app") == ["link", "link.reason.txt"]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 60)),
        st.tuples(st.sampled_from(["look", "rename", "copy", "restart", "half"]), st.just(0)),
    ),
    max_size=25,
)


@given(steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_lost_and_nothing_is_torn(
    tmp_path_factory: pytest.TempPathFactory, plan: list[tuple[str, int]]
) -> None:
    """Whatever is written, and however it is rotated: every line is taken, whole, and twice at most around a copy."""
    yard = Yard(tmp_path_factory.mktemp("plan"), MemoryInbox())
    path, written, number, copies = log(yard), 0, 0, 0
    path.touch()
    for step, count in plan:
        if step == "write":
            add(path, *(f"line {written + n} of some length\n" for n in range(count)))
            written += count
        elif step == "half":
            add(path, f"line {written} ")
            yard.look()
            add(path, "of some length\n")
            written += 1
        elif step == "look":
            yard.look()
        elif step == "restart":
            yard.restart()
        elif step == "rename":
            number += 1
            path.rename(log(yard, f"app.log.{number}"))
            path.touch()
        else:
            number, copies = number + 1, copies + 1
            shutil.copy(path, log(yard, f"app.log.{number}"))
            os.truncate(path, 0)
    yard.look()
    lines = yard.inbox.lines("app")
    assert set(lines) == {b"line %d of some length" % n for n in range(written)}
    if not copies:
        assert len(lines) == written
