"""A dropped file is taken once it is complete, moved once it is durable, and never lost."""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
import tracemalloc
import unicodedata
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from memory_inbox import MemoryInbox
from yard import LIMITS, SOURCES, Yard

from ingest.receivers.folder import DropSource, OutcomeKind
from ingest.receivers.folder.names import shown
from ingest.receivers.folder.writers import being_written
from ingest.receivers.model import InboxFullError


@pytest.fixture
def yard(tmp_path: Path, inbox: MemoryInbox) -> Yard:
    return Yard(tmp_path, inbox)


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


def test_t11_half_written_is_taken_once_it_has_settled(yard: Yard) -> None:
    path = yard.put("a.jsonl", b"one\n")
    yard.look()
    yard.look(9)
    assert yard.data() == []
    path.write_bytes(b"one\ntwo\n")
    yard.look(9)
    yard.look(9)
    assert yard.data() == []
    assert yard.drop.health().waiting == 1
    assert yard.drop.health().longest_seconds == 27
    yard.look(1)
    assert yard.data() == [b"one\ntwo\n"]
    assert (yard.inbox.kept[0].source, yard.inbox.kept[0].name) == ("nhi", "a.jsonl")
    assert yard.done() == ["a.jsonl"]
    assert yard.lying("nhi") == ["done"]
    assert yard.drop.health().waiting == 0
    assert [(o.kind, o.size, o.receipt) for o in yard.outcomes] == [(OutcomeKind.TAKEN, 8, "r1")]
    assert yard.outcomes[0].sha256 == hashlib.sha256(b"one\ntwo\n").hexdigest()


@pytest.mark.parametrize("name", [".a", "a.tmp", "a.part", "a.PART", "a~", "a.filepart", "a.crdownload"])
def test_unfinished_names_wait_for_their_rename(yard: Yard, name: str) -> None:
    path = yard.put(name, b"half")
    yard.settle()
    assert yard.data() == []
    path.write_bytes(b"whole\n")
    path.rename(path.with_name("a.csv"))
    yard.settle()
    assert yard.data() == [b"whole\n"]


def test_a_marker_says_complete(yard: Yard) -> None:
    yard.put("a.csv", b"1\n")
    yard.put("a.csv.done", b"")
    yard.put("m.csv", b"2\n", "marked")
    yard.look()
    assert yard.data() == [b"1\n"]
    assert yard.done() == ["a.csv", "a.csv.done"]
    yard.look(100)
    assert yard.data() == [b"1\n"]
    yard.put("m.csv.ok", b"", "marked")
    yard.look()
    assert yard.data() == [b"1\n", b"2\n"]
    assert yard.inbox.kept[1].fmt == "csv"


def test_a_marker_left_over_from_an_older_file_says_nothing(yard: Yard) -> None:
    marker = yard.put("a.csv.done", b"")
    os.utime(marker, (1_000_000, 1_000_000))
    yard.put("a.csv", b"half")
    yard.look()
    assert yard.data() == []


def test_a_file_that_is_open_for_writing_waits(yard: Yard) -> None:
    path = yard.put("a.csv", b"1\n")
    with path.open("ab") as writer:
        with path.open("rb") as reader:
            if not being_written(reader.fileno()):
                pytest.skip("this system does not tell who writes")
        yard.settle()
        assert yard.data() == []
        assert yard.kinds() == [OutcomeKind.UNREADABLE]
        writer.write(b"2\n")
    yard.settle()
    assert yard.data() == [b"1\n2\n"]


def test_t11_a_manifest_is_announced_and_checked(yard: Yard) -> None:
    digest = hashlib.sha256(b"1\n2\n").hexdigest()
    yard.put("a.csv.manifest", json.dumps({"rows": 2, "sha256": digest.upper()}).encode())
    yard.settle()
    assert yard.announced == [("nhi", "a.csv", 2, digest)]
    yard.put("a.csv", b"1\n2\n")
    yard.put("b.csv", b"1\n2\n3")
    yard.put("b.csv.manifest", json.dumps({"sha256": digest}).encode())
    yard.settle()
    assert yard.data() == [b"1\n2\n"]
    assert yard.done() == ["a.csv", "a.csv.manifest"]
    assert yard.error() == ["b.csv", "b.csv.manifest", "b.csv.reason.txt"]
    assert "SHA-256 がマニフェストと一致しません" in yard.reason("b.csv")
    assert "not the manifest's" in yard.reason("b.csv")
    assert [said[1] for said in yard.announced] == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "[]",
            "null",
            "{",
            '{"rows": -1}',
            '{"rows": "2"}',
            '{"rows": true}',
            '{"sha256": "ab"}',
            '{"sha256": 1}',
        ],
        *['{"rows":' + " " * (64 << 10) + "1}", "[" * 60_000],
    ],
    ids=range(11),
)
def test_a_manifest_that_cannot_be_read(yard: Yard, text: str) -> None:
    yard.put("a.csv", b"1\n")
    yard.put("a.csv.manifest", text.encode())
    yard.settle()
    assert yard.data() == []
    assert yard.error() == ["a.csv", "a.csv.manifest", "a.csv.reason.txt"]


def test_a_manifest_still_being_written_is_waited_for(yard: Yard) -> None:
    yard.put("a.csv", b"1\n")
    yard.look()
    yard.put("a.csv.manifest", b'{"rows"')
    yard.look(9)
    yard.look(9)
    yard.put("a.csv.manifest", b'{"rows": 1}')
    yard.look(1)
    assert (yard.data(), yard.error()) == ([], [])
    yard.look(10)
    assert yard.data() == [b"1\n"]


def test_empty_only_when_it_is_said(yard: Yard) -> None:
    yard.put("a.csv", b"")
    yard.put("b.csv", b"")
    yard.put("b.csv.manifest", b'{"rows": 0}')
    yard.settle()
    assert yard.data() == [b""]
    assert yard.error() == ["a.csv", "a.csv.reason.txt"]


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_packed_files(yard: Yard, pack: object) -> None:
    assert callable(pack)
    data = b"".join(b"line %d\n" % n for n in range(20_000))
    yard.put("a.csv.gz", pack(data))
    yard.put("b", pack(data) + pack(b"more\n"))
    yard.settle()
    assert sorted(yard.data(), key=len) == [data, data + b"more\n"]
    assert yard.outcomes[0].sha256 == hashlib.sha256(pack(data)).hexdigest()


def archives() -> dict[str, bytes]:
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("../../etc/cron.d/evil", "x")
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        member = tarfile.TarInfo("../evil")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    zeros = b"\0" * (1 << 19)
    return {
        "zip-slip": zipped.getvalue(),
        "tar-symlink": tarred.getvalue(),
        "tar-gzip": gzip.compress(tarred.getvalue()),
        "zip-gzip": gzip.compress(zipped.getvalue()),
        "nested": gzip.compress(gzip.compress(b"x" * 100)),
        "nested-zstd": zstd(gzip.compress(b"x" * 100)),
        "ratio": gzip.compress(zeros),
        "ratio-zstd": zstd(zeros),
        "absolute": gzip.compress(os.urandom((1 << 20) + 1)),
        "cut": gzip.compress(b"line\n" * 1000)[:-4],
        "junk-after": gzip.compress(b"line\n") + b"junk",
        "xz": b"\xfd7zXZ\x00 and so on",
        "7z": b"7z\xbc\xaf\x27\x1c and so on",
    }


ARCHIVES = archives()


@pytest.mark.parametrize("name", sorted(ARCHIVES))
def test_t10_what_must_not_be_unpacked(yard: Yard, name: str) -> None:
    yard.put(name, ARCHIVES[name])
    yard.put("good", b"fine\n")
    yard.settle()
    assert yard.data() == [b"fine\n"]
    assert yard.error() == [name, f"{name}.reason.txt"]
    japanese, english, *rest = yard.reason(name).splitlines()
    assert not japanese.isascii()
    assert english.isascii()
    assert rest == []
    assert (yard.root / "nhi" / "error" / name).read_bytes() == ARCHIVES[name]


def test_t10_a_bomb_costs_no_memory(tmp_path: Path, inbox: MemoryInbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "accept", lambda _source, _name, pieces, **_how: sum(map(len, pieces)))
    yard = Yard(tmp_path, inbox, replace(LIMITS, unpacked_bytes=32 << 20, ratio=10_000))
    yard.put("bomb.gz", gzip.compress(b"\0" * (64 << 20), 9))
    tracemalloc.start()
    yard.settle()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert yard.error() == ["bomb.gz", "bomb.gz.reason.txt"]
    assert "33554432" in yard.reason("bomb.gz")
    assert peak < 8 << 20


def test_t10_links_and_devices_are_not_followed(yard: Yard, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"root:x:0:0\n")
    (yard.root / "nhi" / "link").symlink_to(tmp_path / "secret")
    (yard.root / "nhi" / "nowhere").symlink_to(tmp_path / "nothing")
    os.mkfifo(yard.root / "nhi" / "pipe")
    (yard.root / "nhi" / "folder").mkdir()
    yard.settle()
    assert yard.data() == []
    assert set(yard.error()) == {n + e for n in ("link", "nowhere", "pipe") for e in ("", ".reason.txt")}
    assert (tmp_path / "secret").read_bytes() == b"root:x:0:0\n"
    assert yard.kinds().count(OutcomeKind.IGNORED) == 1


def test_t10_done_and_error_may_not_lead_elsewhere(yard: Yard, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for name in ("done", "error"):
        (yard.root / "nhi" / name).symlink_to(tmp_path / "elsewhere")
    yard.put("good", b"1\n")
    yard.put("bad", b"")
    yard.settle()
    yard.look(5)
    assert yard.data() == [b"1\n"]
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert yard.kinds().count(OutcomeKind.TAKEN) == 1
    assert OutcomeKind.NOT_MOVED in yard.kinds()


def test_unknown_sources_and_files_without_one(yard: Yard) -> None:
    (yard.root / "nosuch").mkdir()
    yard.put("a", b"1\n", "nosuch")
    yard.put("b", b"2\n", "")
    yard.settle()
    assert yard.data() == []
    assert yard.error("nosuch") == ["a", "a.reason.txt"]
    assert yard.error("") == ["b", "b.reason.txt"]
    assert "no source has this name" in yard.reason("a", "nosuch")


def test_a_source_added_later(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    (yard.root / "new").mkdir()
    yard.look()
    monkeypatch.setitem(SOURCES, "new", DropSource())
    yard.put("a", b"1\n", "new")
    yard.settle()
    assert yard.inbox.lines("new") == [b"1"]


def test_t11_the_same_again(yard: Yard) -> None:
    for _ in range(3):
        yard.put("a.csv", b"1\n")
        yard.settle()
        yard.restart()
    assert yard.done() == ["a.csv", "a.csv.1", "a.csv.2"]
    assert yard.kinds() == [OutcomeKind.TAKEN, OutcomeKind.TAKEN_AGAIN, OutcomeKind.TAKEN_AGAIN]


def test_faulty_files_of_one_name_are_all_kept(yard: Yard) -> None:
    for _ in range(2):
        yard.put("a.csv", b"")
        yard.settle()
    assert yard.error() == ["a.csv", "a.csv.1", "a.csv.1.reason.txt", "a.csv.reason.txt"]


def test_a_full_inbox_leaves_the_file_where_it_is(yard: Yard) -> None:
    yard.inbox.full = True
    yard.put("a.csv", b"1\n")
    yard.settle()
    assert yard.drop.health().stopped
    assert yard.lying("nhi") == ["a.csv"]
    yard.inbox.full = False
    yard.look(1)
    assert yard.done() == ["a.csv"]
    assert not yard.drop.health().stopped


def test_what_the_inbox_has_no_room_for_holds_up_nobody(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    accept = yard.inbox.accept

    def narrow(source: str, name: str, pieces: object, **how: object) -> object:
        if name == "large":
            asked.append(yard.seconds)
            raise InboxFullError("no room", retry_after=5)
        return accept(source, name, pieces, **how)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(yard.inbox, "accept", narrow)
    yard.put("large", b"1\n")
    os.utime(yard.root / "nhi" / "large", (0, 0))
    yard.put("small", b"2\n")
    yard.put("other", b"3\n", "marked")
    yard.put("other.ok", b"", "marked")
    yard.settle()
    assert sorted(yard.data()) == [b"2\n", b"3\n"]
    assert yard.drop.health().stopped
    for _ in range(200):
        yard.look(5)
    assert [round(b - a) for a, b in pairwise(asked)] == [5, 10, 20, 40, 80, 160, 300, 300]


def test_a_failing_inbox_is_tried_again(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(yard.inbox, "accept", lambda *_: (_ for _ in ()).throw(OSError(5, "disk")))
        yard.put("a.csv", b"1\n")
        yard.settle()
        assert yard.lying("nhi") == ["a.csv"]
        assert yard.kinds() == [OutcomeKind.NOT_KEPT]
    yard.look(4)
    assert yard.data() == []
    yard.look(1)
    assert yard.data() == [b"1\n"]


def test_a_crash_after_acceptance_is_a_re_delivery(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.put("a.csv", b"1\n")
    with monkeypatch.context() as patch:
        patch.setattr("ingest.receivers.folder.whole.move_to_done", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            yard.settle()
    yard.restart()
    yard.settle()
    assert yard.data() == [b"1\n", b"1\n"]
    assert yard.kinds() == [OutcomeKind.TAKEN, OutcomeKind.TAKEN_AGAIN]
    assert yard.done() == ["a.csv"]


def test_a_file_that_cannot_be_moved_is_not_taken_again(yard: Yard) -> None:
    (yard.root / "nhi" / "done").write_bytes(b"in the way")
    yard.put("a.csv", b"1\n")
    yard.settle()
    for _ in range(3):
        yard.look(20)
    assert yard.data().count(b"1\n") == 1
    (yard.root / "nhi" / "done").unlink()
    yard.look()
    assert "a.csv" in yard.done()


def test_a_file_replaced_while_it_is_taken_is_taken_too(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = yard.put("a.csv", b"old\n")
    accept = yard.inbox.accept

    def slow(*args: object, **how: object) -> object:
        receipt = accept(*args, **how)  # type: ignore[arg-type]  # as they came
        monkeypatch.undo()
        path.with_suffix(".tmp").write_bytes(b"new\n")
        path.with_suffix(".tmp").rename(path)
        return receipt

    monkeypatch.setattr(yard.inbox, "accept", slow)
    yard.settle()
    assert yard.lying("nhi") == ["a.csv", "done"]
    yard.settle()
    assert yard.data() == [b"old\n", b"new\n"]


def test_a_file_written_to_while_it_is_read_is_not_taken(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = yard.put("a.csv", b"old\n")
    accept = yard.inbox.accept

    def slow(source: str, name: str, pieces: object, **how: object) -> object:
        monkeypatch.undo()
        path.write_bytes(b"old\nand more\n")
        return accept(source, name, pieces, **how)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(yard.inbox, "accept", slow)
    yard.settle()
    assert yard.data() == []
    yard.settle()
    assert yard.data() == [b"old\nand more\n"]


def test_a_file_written_to_after_it_was_taken_comes_back(yard: Yard) -> None:
    yard.put("a.csv", b"1\n")
    yard.settle()
    with (yard.root / "nhi" / "done" / "2026-11-22" / "a.csv").open("ab") as late:
        late.write(b"2\n")
    yard.look()
    yard.settle()
    assert yard.data() == [b"1\n", b"1\n2\n"]
    assert yard.kinds() == [OutcomeKind.TAKEN, OutcomeKind.GREW, OutcomeKind.TAKEN]


def test_what_cannot_be_read_stops_nothing(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.put("a", b"1\n")
    yard.put("b", b"2\n")
    real = os.open

    def locked(path: object, *args: int) -> int:
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return real(path, *args)  # type: ignore[arg-type]  # as it came

    with monkeypatch.context() as patch:
        patch.setattr("ingest.receivers.folder.place.os.open", locked)
        yard.settle()
        for _ in range(5):
            yard.look(5)
        assert yard.data() == [b"2\n"]
        assert yard.kinds().count(OutcomeKind.UNREADABLE) == 1
    yard.look(5)
    assert yard.data() == [b"2\n", b"1\n"]


def test_a_vanished_folder_and_a_vanished_file_stop_nothing(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = yard.put("a", b"1\n")
    yard.look()
    from ingest.receivers.folder import place

    of = place.Listing.of

    def late(folder: Path) -> place.Listing:
        listing = of(folder)
        path.unlink(missing_ok=True)
        return listing

    with monkeypatch.context() as patch:
        patch.setattr(place.Listing, "of", late)
        yard.look(10)
    (yard.root / "table").rmdir()
    yard.put("b", b"2\n")
    yard.settle()
    assert yard.data() == [b"2\n"]
    (yard.root).rename(yard.root.with_name("away"))
    yard.look()
    assert OutcomeKind.UNREADABLE in yard.kinds()


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("が.csv".encode(), "が.csv"),
        (unicodedata.normalize("NFD", "が.csv").encode(), "が.csv"),
        (b"a\nb.csv", "a\\nb.csv"),
        (b"\x8c\xbb.csv", "\\x8c\\xbb.csv"),
        ("a\u202ecsv".encode(), "a\\u202ecsv"),
        (b"back\\slash", "back\\\\slash"),
        (b"123456789018.csv", "[個人番号].csv"),
        (b"x" * 250 + b".csv", "x" * 250 + ".csv"),
        (b"\x1b[31mred", "\\x1b[31mred"),
    ],
)
def test_weird_names(yard: Yard, raw: bytes, seen: str) -> None:
    raw = raw[:255]
    path = Path(os.fsdecode(bytes(yard.root / "nhi") + b"/" + raw))
    path.write_bytes(b"1\n")
    yard.settle()
    path.write_bytes(b"")
    yard.settle()
    assert yard.data() == [b"1\n"]
    assert yard.inbox.kept[0].name == seen[: len(yard.inbox.kept[0].name)]
    assert {outcome.name for outcome in yard.outcomes} == {yard.inbox.kept[0].name}
    assert [os.fsencode(name) for name in yard.done()] == [raw]
    assert len(yard.error()) == 2


@given(st.binary(min_size=1, max_size=80))
def test_any_name_can_be_shown(raw: bytes) -> None:
    text = shown(os.fsdecode(raw))
    assert text.isprintable()
    text.encode()


def test_a_state_that_cannot_be_read(yard: Yard) -> None:
    yard.put("a", b"1\n")
    yard.settle()
    (yard.state / "nhi.json").write_text("{broken")
    yard.restart()
    yard.put("b", b"2\n")
    yard.settle()
    assert yard.data() == [b"1\n", b"2\n"]
    assert OutcomeKind.STATE_LOST in yard.kinds()


def test_a_state_that_cannot_be_written(yard: Yard) -> None:
    yard.state.write_text("a file where the folder belongs")
    yard.put("a", b"1\n")
    yard.settle()
    assert yard.done() == ["a"]
    assert OutcomeKind.STATE_LOST in yard.kinds()


def test_in_a_thread(tmp_path: Path, inbox: MemoryInbox) -> None:
    import time

    yard = Yard(tmp_path, inbox, replace(LIMITS, poll_seconds=0.02, settle_seconds=0))
    yard.drop.start()
    yard.put("a.tmp", b"1\n").rename(yard.root / "nhi" / "a")
    deadline = time.monotonic() + 10
    while not inbox.kept and time.monotonic() < deadline:
        time.sleep(0.02)
    yard.drop.close()
    assert yard.data() == [b"1\n"]
