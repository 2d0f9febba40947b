"""One delivery, end to end: every record is stored, a duplicate or in quarantine, whatever the bytes are like."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from cryptography.exceptions import InvalidTag

from audit.clock import FixedClock
from audit.events import check, parse_json
from audit.log import EventLog, Filter, LogRepository
from audit.log.quarantine import Arrival, DeliveryBook
from audit.store.clickhouse import EventStore
from audit.store.migrate import migrate
from audit.store.state import StateStore
from ingest.pipeline import Pipeline, Reconciliation
from ingest.sources.profile import Profile

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
SHARED = Path(os.environ.get("MIMAMORI_SHARED", Path(__file__).parents[2] / ".." / "shared"))
BASE = {"time": "2026-10-05T09:13:22.120+09:00", "activity": "view", "actor": {"id": "s0412"}}


def line(**changes: Any) -> bytes:
    return json.dumps({**BASE, **changes}, ensure_ascii=False).encode()


@dataclass
class Works:
    """A log, a book and the way from bytes to both."""

    folder: Path
    store: EventStore
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))

    def __post_init__(self) -> None:
        migrate(self.store, self.clock)
        self.state = StateStore(f"sqlite:///{self.folder / 'state.db'}")
        self.state.create_tables()
        self.log = EventLog(LogRepository(self.store), self.clock)
        self.book = DeliveryBook(self.state, self.folder / "quarantine", b"k" * 32)

    def take(self, data: bytes | BinaryIO, source: str = "src", fmt: str = "jsonl") -> Reconciliation:
        """Take in a delivery; its sums must add up, in the answer and in the book."""
        before = self.book.totals().get(source)
        sums = Pipeline(self.log, self.book, self.clock).take(
            Arrival(source, "file", fmt, self.clock.now()),
            io.BytesIO(data) if isinstance(data, bytes) else data,
            Profile(id=source, name_ja=source, name_en=source, format=fmt),
        )
        assert sums.read == sums.stored + sums.duplicates + sums.quarantined
        after = self.book.totals()[source]
        entered = [after.read, after.stored, after.duplicates, after.quarantined]
        if before is not None:
            old = (before.read, before.stored, before.duplicates, before.quarantined)
            entered = [new - was for new, was in zip(entered, old, strict=True)]
        assert entered == [sums.read, sums.stored, sums.duplicates, sums.quarantined]
        return sums

    def stored(self, source: str = "src") -> int:
        return self.log.count(Filter(sources=(source,)))

    def kept(self) -> list[tuple[int, bytes, str]]:
        """What is in quarantine, oldest first: line, bytes, reasons."""
        rows = reversed(self.book.listing(limit=10_000))
        return [(row.line, b"".join(self.book.raw(row.id)), " ".join(row.reasons)) for row in rows]


def four(sums: Reconciliation) -> tuple[int, int, int, int]:
    return sums.read, sums.stored, sums.duplicates, sums.quarantined


@pytest.fixture
def works(tmp_path: Path, lending: Any) -> Iterator[Works]:
    with lending.one() as store:
        opened = Works(tmp_path, store)
        yield opened
        opened.state.close()


def test_a_delivery_and_the_same_again(works: Works) -> None:
    bad = b'{"time":"2026-10-05T09:13:22","activity":"view","actor":{"id":"x"}}'
    data = b"\n".join([line(event_id="a"), line(), line(), b"{broken", b"", bad, bad, line(extra=1)])
    assert four(works.take(data)) == (7, 4, 0, 3)
    kept = works.kept()
    assert [(n, raw) for n, raw, _ in kept] == [(4, b"{broken"), (6, bad), (7, bad)]
    assert "offset" in kept[1][2]
    assert "時差" in kept[1][2]
    assert four(works.take(data)) == (7, 0, 4, 3)
    assert works.kept() == kept
    assert works.stored() == 4


def test_the_first_content_of_an_id_is_kept(works: Works) -> None:
    first, second = line(event_id="a", reason="1"), line(event_id="a", reason="2")
    works.take(first)
    sums = works.take(second + b"\n" + first)
    assert four(sums) == (2, 0, 1, 1)
    assert sums.conflicts == 1
    assert [raw for _, raw, _ in works.kept()] == [second]
    event = works.log.find("src", "a")
    assert event is not None
    assert event.text("reason") == "1"


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (line()[:40], "character"),
        (line(reason="窓口").decode().encode("cp932"), "byte"),
        (line(reason="窓口").decode().encode("euc_jp"), "byte"),
        (line(time="2026-10-05T09:13:22"), "time"),
        (line(time="2026-02-30T09:13:22Z"), "time"),
        (line(time="2026-12-01T00:00:00Z"), "time"),
        (line(activity="peek"), "activity"),
        (line(actor={}), "actor.id"),
        (line(actor="s1"), "actor"),
        (line(subjects="p1"), "subjects"),
        (line(sequence=-1), "sequence"),
        (b'{"time":1,"time":2}', "twice"),
        (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested"),
        (b'{"a":1e999}', "record"),
        (b"\xef\xbb\xbf" + line(), "character 1"),
        (b'{"x":"' + b"y" * (1 << 20) + b'"}', "1048576"),
    ],
)
def test_a_bad_line_is_one_located_error_and_nothing_else_is_lost(works: Works, bad: bytes, where: str) -> None:
    assert four(works.take(b"\n".join([line(event_id="a"), bad, line(event_id="b")]))) == (3, 2, 0, 1)
    ((number, raw, reasons),) = works.kept()
    assert (number, raw) == (2, bad)
    assert where in reasons
    assert any(ord(char) > 0x3000 for char in reasons)


def test_a_file_cut_in_the_middle_is_completed_by_the_whole_file(works: Works) -> None:
    whole = b"\n".join(line(event_id=f"e{n}") for n in range(50)) + b"\n"
    cut = works.take(whole[: len(whole) // 2])
    assert cut.quarantined == 1
    rest = works.take(whole)
    assert (rest.stored + cut.stored, rest.duplicates, rest.quarantined) == (50, cut.stored, 0)


def test_a_file_in_utf16_is_read_as_what_it_is(works: Works) -> None:
    sums = works.take((line().decode() + "\n" + line(event_id="a").decode() + "\n").encode("utf-16"))
    assert four(sums) == (2, 2, 0, 0)


@pytest.mark.parametrize("seed", range(4))
def test_the_sums_add_up_for_any_file(works: Works, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - seeded files
    pool = [line(event_id=f"e{n}") for n in range(8)] + [line(event_id=f"e{n}", reason="other") for n in range(4)]
    pool += [line(), line(extra=[1]), b"", b"  ", b"{", b"\xff", b"[]", line(sequence="x"), line(reason="x" * 200_000)]
    distinct = set()
    for _ in range(4):
        records = [chance.choice(pool) for _ in range(chance.randrange(60))]
        data = b"".join(record + chance.choice((b"\n", b"\r\n")) for record in records)
        assert works.take(data).read == sum(bool(record.strip()) for record in records)
        distinct |= {record for record in records if b"event_id" in record}
    names = {json.loads(record)["event_id"] for record in distinct}
    assert works.log.count(Filter(event_ids=tuple(f"e{n}" for n in range(8)))) == len(names)
    indexes = [event.log_index for event in works.log.each(Filter())]
    assert sorted(indexes) == list(range(len(indexes)))


class Vast(io.RawIOBase):
    """A line of so many megabytes between two events, made as it is read."""

    def __init__(self, megabytes: int) -> None:
        self._parts = self._make(megabytes)
        self._rest = b""

    @staticmethod
    def _make(megabytes: int) -> Iterator[bytes]:
        yield line(event_id="before") + b'\n{"reason":"'
        for _ in range(megabytes):
            yield b"x" * (1 << 20)
        yield b'"}\n' + line(event_id="after")

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (part := next(self._parts, b"")):
            self._rest += part
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


def test_a_line_of_100_megabytes_needs_little_memory(works: Works) -> None:
    tracemalloc.start()
    try:
        sums = works.take(cast("BinaryIO", Vast(100)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert four(sums) == (3, 2, 0, 1)
    assert peak < 90 << 20
    (row,) = works.book.listing()
    assert (row.line, row.length) == (2, (100 << 20) + len(b'{"reason":""}'))
    assert sum(map(len, works.book.raw(row.id))) == row.length


def test_bytes_in_quarantine_rest_encrypted(works: Works) -> None:
    secret = b"very-secret-123456789018"
    works.take(b'{"reason":"' + secret + b'"')
    assert secret in works.kept()[0][1]
    files = [file for file in works.folder.rglob("*") if file.is_file()]
    assert any(file.suffix == ".sealed" for file in files)
    for file in files:
        data = file.read_bytes()
        assert secret not in data
        assert b"123456789018" not in data
        if file.suffix == ".sealed":
            assert file.stat().st_mode & 0o077 == 0


def test_quarantine_cannot_be_altered_unseen(works: Works) -> None:
    works.take(b"{broken")
    (sealed,) = (works.folder / "quarantine").iterdir()
    data = bytearray(sealed.read_bytes())
    data[-1] ^= 1
    sealed.write_bytes(data)
    with pytest.raises(InvalidTag):
        works.kept()


def test_an_unknown_record_is_a_key_error(works: Works) -> None:
    with pytest.raises(KeyError):
        next(works.book.raw(404))


INGEST = """
import sys
from pathlib import Path
from datetime import UTC, datetime
sys.path.insert(0, sys.argv[3])
from test_pipeline import Works, EventStore
import ingest.reader
ingest.reader._LINES = 200
works = Works(Path(sys.argv[1]), EventStore(path=Path(sys.argv[1]) / "engine", database="killed"))
with open(sys.argv[2], "rb") as stream:
    print("begun", flush=True)
    sums = works.take(stream)
print(sums.read, sums.stored, sums.duplicates, sums.quarantined, works.stored(), len(works.kept()), flush=True)
indexes = sorted(row["log_index"] for row in works.store.rows("SELECT log_index FROM events"))
print(indexes == list(range(len(indexes))), flush=True)
works.store.close()
"""


@pytest.mark.parametrize("delay", [0.15, 0.6])
def test_killed_in_the_middle_and_run_again_nothing_is_lost_or_doubled(tmp_path: Path, delay: float) -> None:
    records = [line(event_id=f"e{n}") if n % 3 else line(reason=str(n // 2)) for n in range(4000)]
    records[5::400] = [b"{bad %d" % n for n in range(len(records[5::400]))]
    data = tmp_path / "data.jsonl"
    data.write_bytes(b"\n".join(records))
    command = [sys.executable, "-c", INGEST, str(tmp_path), str(data), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "begun\n"
        time.sleep(delay)
        victim.send_signal(signal.SIGKILL)
    again = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    begun, sums, consecutive = again.stdout.split("\n")[:3]
    read, stored, duplicates, quarantined, total, kept = map(int, sums.split())
    assert begun == "begun"
    assert (read, stored + duplicates, quarantined, total, kept) == (4000, 3990, 10, 3990, 10)
    assert consecutive == "True"


OUR_OWN_RULE = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}
"""Good JSON that is no event: which of two values of one name counts would be a guess."""


@pytest.fixture
def texts() -> Path:
    folder = SHARED / "data" / "text"
    if not folder.is_dir():
        pytest.skip(f"third-party data not found at {folder}")
    return folder


@pytest.mark.shared
def test_json_test_suite(works: Works, texts: Path) -> None:
    records, must_be_refused = [line(event_id="first")], []
    for file in sorted((texts / "json-test-suite").rglob("*.json")):
        bare = file.read_bytes().replace(b"\r", b" ").replace(b"\n", b" ")
        inside = line(file=file.name)[:-1] + b',"extra":' + bare + b"}"
        if file.name.startswith("n_") and bare.strip():
            must_be_refused.append(bare)
        if file.name.startswith("y_") and file.name not in OUR_OWN_RULE:
            assert parse_json(inside)[0] is not None, file.name
        records += [raw for raw in (bare, inside) if raw.strip()]
    assert len(records) > 600
    good = [(doc := parse_json(raw)[0]) is not None and not check(doc, NOW).faults for raw in records]
    assert four(works.take(b"\n".join(records))) == (len(records), sum(good), 0, len(records) - sum(good))
    kept = works.kept()
    assert sorted(raw for _, raw, _ in kept) == sorted(raw for raw, fine in zip(records, good, strict=True) if not fine)
    assert set(must_be_refused) <= {raw for _, raw, _ in kept}
    assert all(reasons for _, _, reasons in kept)


@pytest.mark.shared
def test_naughty_strings(works: Works, texts: Path) -> None:
    (file,) = (texts / "naughty-strings").rglob("*.json")
    strings = [text for text in json.loads(file.read_text()) if text]
    docs = [line(event_id=f"e{n:04d}", reason=text, actor={"id": text, "name": text}, export={"file": text})
            for n, text in enumerate(strings)]  # fmt: skip
    assert works.take(b"\n".join(docs)).stored == len(strings)
    for event, text in zip(works.log.each(Filter()), strings, strict=True):
        assert event.text("actor_id") == text
        if not event.marks:
            assert (event.text("reason"), event.text("export_file")) == (text, text)
