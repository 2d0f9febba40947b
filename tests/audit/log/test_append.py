"""Appending: every record is stored, a duplicate or refused; nothing twice, nothing lost, on every engine."""

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from audit.events import canonical_bytes, digest
from audit.log import OWN_SOURCE, Appended, Filter, ReadRecord, read_records
from audit.log.intake import DIGEST

BASE = {"time": "2026-10-05T09:13:22.120+09:00", "activity": "view", "actor": {"id": "s0412"}}


def line(**changes: Any) -> bytes:
    return json.dumps({**BASE, **changes}, ensure_ascii=False).encode()


def lines(*docs: bytes) -> list[tuple[int, bytes]]:
    return list(enumerate(docs, start=1))


def sums(appended: Appended) -> tuple[int, int, int, int]:
    return appended.stored, appended.duplicates, len(appended.refused), appended.conflicts


def ids(desk: Any) -> list[str]:
    return sorted(event.event_id for event in desk.log.each(Filter()))


def test_an_event_is_found_by_its_name(desk: Any) -> None:
    desk.take(desk.delivery(), lines(line(event_id="e-1", reason="窓口")))
    found = desk.log.find("src", "e-1")
    assert found.columns["reason"] == "窓口"
    assert found.ref == "src:e-1"
    assert found.received_at == desk.clock.now()
    assert desk.log.find("other", "e-1") is None
    assert desk.log.find("src", "e-2") is None


def test_the_same_event_is_a_duplicate_wherever_it_comes_again(desk: Any) -> None:
    batch = lines(line(event_id="a"), line(event_id="b"), line(event_id="a"))
    assert sums(desk.take(desk.delivery(1), batch)) == (2, 1, 0, 0)
    assert sums(desk.take(desk.delivery(1), batch)) == (0, 3, 0, 0)
    assert sums(desk.take(desk.delivery(2), batch)) == (0, 3, 0, 0)
    assert ids(desk) == ["a", "b"]


def test_the_first_content_of_an_id_is_kept(desk: Any) -> None:
    first, second = line(event_id="a", reason="first"), line(event_id="a", reason="second")
    desk.take(desk.delivery(1), lines(first))
    appended = desk.take(desk.delivery(2), lines(line(event_id="b"), second))
    assert sums(appended) == (1, 0, 1, 1)
    assert (appended.refused[0].n, appended.refused[0].raw) == (2, second)
    assert appended.refused[0].faults[0].where == "event_id"
    assert desk.log.find("src", "a").text("reason") == "first"


def test_within_a_batch_too_the_first_content_is_kept(desk: Any) -> None:
    batch = lines(line(event_id="a", reason="1"), line(event_id="a", reason="2"), line(event_id="a", reason="1"))
    assert sums(desk.take(desk.delivery(), batch)) == (1, 1, 1, 1)
    assert desk.log.find("src", "a").text("reason") == "1"


def test_what_is_stored_decides_before_what_stands_earlier_in_the_batch(desk: Any) -> None:
    stored, other = line(event_id="a", reason="stored"), line(event_id="a", reason="other")
    desk.take(desk.delivery(1), lines(stored))
    appended = desk.take(desk.delivery(2), lines(other, stored))
    assert sums(appended) == (0, 1, 1, 1)
    assert appended.refused[0].raw == other


def test_the_same_id_at_another_time_is_a_conflict(desk: Any) -> None:
    desk.take(desk.delivery(1), lines(line(event_id="a")))
    later = line(event_id="a", time="2026-11-01T00:00:00Z")
    assert sums(desk.take(desk.delivery(2), lines(later))) == (0, 0, 1, 1)


def test_an_id_that_looks_like_ours_gets_no_special_treatment(desk: Any) -> None:
    desk.take(desk.delivery(1), lines(line(event_id="h-1")))
    later = line(event_id="h-1", time="2026-11-01T00:00:00Z")
    assert sums(desk.take(desk.delivery(2), lines(later))) == (0, 0, 1, 1)


def test_the_same_id_of_another_source_is_another_event(desk: Any) -> None:
    desk.take(desk.delivery(1), lines(line(event_id="a")))
    assert sums(desk.take(desk.delivery(2, "other"), lines(line(event_id="a", reason="x")))) == (1, 0, 0, 0)


def test_identical_records_of_one_delivery_are_events_each(desk: Any) -> None:
    same = line()
    with desk.log.delivery(desk.delivery(1)) as first:
        assert sums(desk.take(first, lines(same, same, line(reason="x")))) == (3, 0, 0, 0)
        assert sums(desk.take(first, lines(same))) == (1, 0, 0, 0)
    key = hashlib.sha256(same).hexdigest()[:32]
    assert {f"h-{key}-{n}" for n in range(3)} < set(ids(desk))
    assert len(ids(desk)) == 4


def test_the_same_delivery_again_adds_nothing_however_it_is_cut(desk: Any) -> None:
    same = line()
    with desk.log.delivery(desk.delivery(1)) as first:
        desk.take(first, lines(same, same, same))
    with desk.log.delivery(desk.delivery(2)) as second:
        assert sums(desk.take(second, lines(same))) == (0, 1, 0, 0)
        assert sums(desk.take(second, lines(same, same))) == (0, 2, 0, 0)
        assert sums(desk.take(second, lines(same))) == (1, 0, 0, 0)
    with desk.log.delivery(desk.delivery(3)) as third:
        assert sums(desk.take(third, lines(same, same, same, same))) == (0, 4, 0, 0)


def test_deliveries_at_the_same_time_count_apart(desk: Any) -> None:
    same = line()
    with desk.log.delivery(desk.delivery(1)) as first, desk.log.delivery(desk.delivery(2)) as second:
        assert sums(desk.take(first, lines(same, same))) == (2, 0, 0, 0)
        assert sums(desk.take(second, lines(same))) == (0, 1, 0, 0)
        assert sums(desk.take(first, lines(same))) == (1, 0, 0, 0)
        assert sums(desk.take(second, lines(same, same))) == (0, 2, 0, 0)


def test_careful_and_fast_reading_name_the_same_bytes_alike(desk: Any) -> None:
    plain, careful = line(), line(extra={"deep": [1, None]})
    batch = lines(plain, careful, careful, b"{broken")
    assert sums(desk.take(desk.delivery(1), batch)) == (3, 0, 1, 0)
    assert sums(desk.take(desk.delivery(2), batch)) == (0, 3, 1, 0)


def test_records_read_in_python_mix_with_lines(desk: Any) -> None:
    desk.take(desk.delivery(1), lines(line(event_id="a")))
    columns = desk.log.find("src", "a").columns
    record = ReadRecord(7, b"raw", columns)
    changed = ReadRecord(8, b"raw2", {**columns, "reason": "other"})
    appended = desk.log.append(desk.delivery(2), read_records([record, changed]))
    assert sums(appended) == (0, 1, 1, 1)
    assert appended.refused[0].n == 8


def test_log_indexes_are_consecutive_over_batches_sources_and_restarts(desk: Any) -> None:
    desk.take(desk.delivery(1), lines(line(event_id="b"), line(event_id="a"), b"{", line(event_id="b")))
    desk.take(desk.delivery(2, "other"), lines(line()))
    again = desk.reopened()
    desk.take(desk.delivery(3), lines(line(event_id="c")), log=again)
    found = sorted((event.log_index, event.event_id) for event in again.each(Filter()))
    assert [index for index, _ in found] == [0, 1, 2, 3]
    assert [name for _, name in found][:2] == ["b", "a"]


def test_the_engines_digest_is_that_of_the_canonical_bytes(desk: Any) -> None:
    docs = (line(event_id="fast"), line(event_id="slow", extra=1), line())
    desk.take(desk.delivery(), lines(*docs))
    stored = {
        row["event_id"]: row["digest"]
        for row in desk.store.rows(
            f"SELECT event_id, toFixedString({DIGEST}, 16) AS digest FROM events", {"source": "src"}
        )
    }
    for event in desk.log.each(Filter()):
        assert stored[event.event_id] == digest("src", event.columns)
        assert canonical_bytes("src", event.columns).startswith(b"6:source,3:src,")


def test_a_clock_that_is_a_little_ahead_is_marked(desk: Any) -> None:
    def at(seconds: float) -> str:
        return str((desk.clock.now() + timedelta(seconds=seconds)).isoformat())

    batch = lines(*(line(event_id=str(s), time=at(s)) for s in (0, 60, 60.000001, 300, 300.000001)))
    appended = desk.take(desk.delivery(), batch)
    assert [row.n for row in appended.refused] == [5]
    marks = {event.event_id: event.marks for event in desk.log.each(Filter())}
    assert marks == {"0": (), "60": (), "60.000001": ("skew",), "300": ("skew",)}


def test_an_empty_batch_is_nothing(desk: Any) -> None:
    assert sums(desk.take(desk.delivery(), [])) == (0, 0, 0, 0)
    assert sums(desk.log.append(desk.delivery(), read_records([]))) == (0, 0, 0, 0)


def test_refused_rows_carry_their_bytes_and_every_fault(desk: Any) -> None:
    raw = b'{"time":"2026-02-30T00:00:00Z","activity":"look","actor":7}'
    appended = desk.take(desk.delivery(), [(41, raw)])
    assert (appended.refused[0].n, appended.refused[0].raw) == (41, raw)
    assert {fault.where for fault in appended.refused[0].faults} >= {"time", "activity", "actor"}


def test_our_own_acts_are_events_too(desk: Any) -> None:
    for _ in range(2):
        desk.log.record({"time": "2026-11-20T12:00:00+09:00", "activity": "search", "actor": {"id": "admin"}})
    found = list(desk.log.each(Filter(sources=(OWN_SOURCE,))))
    assert [event.event_id for event in found] == ["m-000000000000", "m-000000000001"]
    with pytest.raises(ValueError, match="activity"):
        desk.log.record({"time": "2026-11-20T12:00:00+09:00", "activity": "nonsense", "actor": {"id": "x"}})


HOSTILE: Sequence[str] = ("'", "\\", "\\'; DROP TABLE events; --", "{x:String}", "a\0b", "𠮷", "\u202e", "\n\t", "`")


def test_hostile_texts_are_stored_and_found_as_they_are(desk: Any) -> None:
    batch = lines(*(line(event_id=text, actor={"id": text}, subjects=[text], reason=text) for text in HOSTILE))
    assert sums(desk.take(desk.delivery(), batch)) == (len(HOSTILE), 0, 0, 0)
    for text in HOSTILE:
        for wanted in (Filter(actors=(text,)), Filter(subject=text), Filter(event_ids=(text, "none"))):
            assert [event.text("reason") for event in desk.log.each(wanted)] == [text]
    assert sums(desk.take(desk.delivery(2), batch)) == (0, len(HOSTILE), 0, 0)
