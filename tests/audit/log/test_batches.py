"""What happens to a batch between reading and storing, by itself: ranges of ids, order, and parts of a block."""

import itertools
import random

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from audit.log import Lines, batches, spans

IDS = st.text(st.sampled_from("ab0あ🙂"), min_size=1, max_size=4)
SPANS = st.tuples(IDS, IDS).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(SPANS, max_size=30), SPANS)
def test_no_used_id_is_ever_taken_for_news(used: list[tuple[str, str]], asked: tuple[str, str]) -> None:
    ranges = spans.IdRanges()
    for first, last in used:
        ranges.add(first, last)
    first, last = asked
    assert ranges.meet(first, last) == any(a <= last and first <= b for a, b in used)


def test_of_many_ranges_neighbours_become_one() -> None:
    ranges, chance = spans.IdRanges(), random.Random(1)  # noqa: S311 - a seeded order
    numbers = list(range(0, 20_000, 10))
    chance.shuffle(numbers)
    for number in numbers:
        ranges.add(f"{number:06d}", f"{number + 3:06d}")
        assert len(ranges._firsts) == len(ranges._lasts) <= spans._MOST
    assert all(ranges.meet(f"{number + step:06d}", f"{number + step:06d}") for number in numbers for step in (0, 3))
    assert not ranges.meet("1", "2")
    assert not ranges.meet("", "-")
    assert ranges._firsts == sorted(ranges._firsts)
    assert all(a <= b for a, b in zip(ranges._firsts, ranges._lasts, strict=True))


@given(st.lists(st.lists(IDS, min_size=1, max_size=5), min_size=1, max_size=5))
def test_runs_that_follow_each_other_hold_no_id_twice(parts: list[list[str]]) -> None:
    runs = [batches.run_of(pa.table({"event_id": part})) for part in parts]
    ids = [one for part in parts for one in part]
    for run, part in zip(runs, parts, strict=True):
        assert (run.first, run.last) == (min(part), max(part))
        assert run.rises == all(a < b for a, b in itertools.pairwise(part))
    if batches.follow(runs):
        assert len(set(ids)) == len(ids)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60))
def test_rows_in_the_order_of_time(times: list[int]) -> None:
    table = pa.table({"time": pa.array(times, pa.timestamp("us", "UTC")), "log_index": range(len(times))})
    ordered = batches.in_time_order(table)
    found = list(zip(ordered["time"].cast(pa.int64()).to_pylist(), ordered["log_index"].to_pylist(), strict=True))
    assert sorted(found) == sorted(zip(times, range(len(times)), strict=True))
    assert [at for at, _ in found] == sorted(times)


@given(st.lists(st.sampled_from(["{}", "{ }", '{"あ":1}', "{" + "x" * 300 + "}"]), min_size=1), st.data())
def test_some_of_the_lines_are_those_lines(texts: list[str], data: st.DataObject) -> None:
    whole = [text.encode() for text in texts]
    wanted = data.draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole)))
    lines = Lines.of(b"\n".join(whole) + data.draw(st.sampled_from([b"", b"\n"])), first=7)
    some = lines.only(np.array(wanted))
    assert [some.line(place) for place in range(len(some))] == [w for w, yes in zip(whole, wanted, strict=True) if yes]
    assert some.numbers.tolist() == [n for n, yes in enumerate(wanted, start=7) if yes]
    assert all(some.numbered(n) == whole[n - 7] for n in some.numbers.tolist())
