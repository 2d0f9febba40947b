"""What happens to the columns of a batch between reading and storing. Pure: no engine, no clock."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.log.columns import EVENT_SCHEMA, ocsf_columns
from audit.log.model import Delivery

__all__ = [
    "Known",
    "Run",
    "all_derived",
    "by_month",
    "follow",
    "in_time_order",
    "nameless",
    "numbered",
    "received",
    "repeated",
    "run_of",
    "staged",
    "time_span",
    "with_names",
]


_RUNS = 1_000
"""More runs than these are sorted row by row."""


@dataclass(frozen=True, slots=True)
class Known:
    """Which rows of a batch are no news: Boolean arrays, one element a row.

    Attributes:
        rows: the log has their id, or it stands earlier in the batch.
        conflicts: those among them whose content is another.
    """

    rows: Any
    conflicts: Any


def _text(column: pa.ChunkedArray) -> pa.Array:
    return pc.cast(column.combine_chunks(), pa.string())


def nameless(table: pa.Table) -> Any:  # noqa: ANN401 - an int64 array of NumPy
    """The places of the rows without an id of their own."""
    if "event_id" not in table.column_names:
        return np.arange(table.num_rows)
    return np.flatnonzero(pc.equal(table["event_id"], "").to_numpy())


def with_names(table: pa.Table, places: Any, hashes: pa.Array, before: Mapping[bytes, int]) -> pa.Table:  # noqa: ANN401
    """Name rows by the hash of their bytes and their ordinal among identical ones of their delivery.

    Args:
        table: rows of one delivery in its order.
        places: which rows.
        hashes: of their bytes.
        before: how often earlier batches of the delivery brought the same bytes.
    """
    seen = Counter(before)
    names = []
    for raw_hash in hashes.to_pylist():
        names.append(f"h-{raw_hash.hex()}-{seen[raw_hash]}")
        seen[raw_hash] += 1
    if len(names) == table.num_rows:
        ids = pa.array(names, pa.string())
    else:
        own = np.zeros(table.num_rows, np.bool_)
        own[places] = True
        ids = pc.replace_with_mask(_text(table["event_id"]), pa.array(own), pa.array(names, pa.string()))
    if "event_id" in table.column_names:
        return table.set_column(table.column_names.index("event_id"), "event_id", ids)
    return table.append_column("event_id", ids)


def received(table: pa.Table, delivery: Delivery, skewed: datetime) -> pa.Table:
    """Add what is known about the receipt: source, delivery, time, marks, and the OCSF numbers.

    Args:
        table: events of one delivery.
        delivery: which.
        skewed: an event later than this is marked `skew`.
    """
    count = table.num_rows
    marks = _marks(table, skewed) if count else None
    columns: dict[str, Any] = {
        "source": pa.repeat(pa.scalar(delivery.source), count).dictionary_encode(),
        "received_at": pa.repeat(pa.scalar(delivery.received_at, pa.timestamp("us", "UTC")), count),
        "delivery": pa.repeat(pa.scalar(delivery.number, pa.uint64()), count),
        **(ocsf_columns(table["activity"]) if count else {}),
        **({} if marks is None else {"marks": marks}),
    }
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def _marks(table: pa.Table, skewed: datetime) -> Any:  # noqa: ANN401 - an Arrow array, or None
    late = pc.greater(table["time"], pa.scalar(skewed, table["time"].type)).to_numpy()
    masked = pc.fill_null(table["masked"], False).to_numpy() if "masked" in table.column_names else late & False
    if not (late.any() or masked.any()):
        return None
    words = [[*(["masked"] if m else []), *(["skew"] if s else [])] for m, s in zip(masked, late, strict=True)]
    return pa.array(words, pa.list_(pa.string()))


def all_derived(table: pa.Table) -> bool:
    """Whether every id was derived from the bytes."""
    return "raw_hash" in table.column_names and table["raw_hash"].null_count == 0


def time_span(table: pa.Table) -> tuple[datetime, datetime]:
    """The first and the last time in a table that has rows."""
    span = pc.min_max(table["time"])
    return span["min"].as_py(), span["max"].as_py()


@dataclass(frozen=True, slots=True)
class Run:
    """The ids of one delivery's events.

    Attributes:
        ids: in its order.
        first: the least of them.
        last: the greatest.
        rises: each is greater than the one before it, as most producers' are.
    """

    ids: pa.Array
    first: str
    last: str
    rises: bool


def run_of(table: pa.Table) -> Run:
    """The ids of a table that has rows."""
    ids = table["event_id"].combine_chunks()
    if len(ids) < 2 or pc.all(pc.less(ids.slice(0, len(ids) - 1), ids.slice(1))).as_py():
        return Run(ids, ids[0].as_py(), ids[-1].as_py(), rises=True)
    bounds = pc.min_max(ids)
    return Run(ids, bounds["min"].as_py(), bounds["max"].as_py(), rises=False)


def follow(runs: Sequence[Run]) -> bool:
    """Whether all runs rise and none reaches into another, so that no id stands twice among them."""
    in_order = sorted(runs, key=lambda run: run.first)
    apart = all(one.last < another.first for one, another in itertools.pairwise(in_order))
    return apart and all(run.rises for run in runs)


def repeated(ids: pa.Array) -> pa.Array:
    """The ids that stand more than once."""
    if pc.count_distinct(ids).as_py() == len(ids):
        return pa.array([], pa.string())
    counted = pc.value_counts(ids)
    return counted.field("values").filter(pc.greater(counted.field("counts"), 1))


def staged(table: pa.Table, places: Any) -> pa.Table:  # noqa: ANN401
    """Some rows with their own columns only, `n` being their place in the table."""
    own = table.select([name for name in table.column_names if name in EVENT_SCHEMA.names])
    return own.take(pa.array(places)).append_column("n", pa.array(places, pa.uint64()))


def by_month(table: pa.Table) -> Iterator[pa.Table]:
    """The rows by month (UTC) as the log is partitioned, earliest first, in their order within each."""
    if not table.num_rows:
        return
    first, last = time_span(table)
    if (first.year, first.month) == (last.year, last.month):
        yield table
        return
    months = pc.add(pc.multiply(pc.year(table["time"]), 100), pc.month(table["time"]))
    for month in sorted(pc.unique(months).to_pylist()):
        yield table.filter(pc.equal(months, month))


def in_time_order(table: pa.Table) -> pa.Table:
    """The rows as the engine sorts them within a source: it would do so itself, at a higher cost.

    Usually the rows are some runs, one for each delivery, that only need to change places.
    """
    times = table["time"].combine_chunks().cast(pa.int64()).to_numpy()
    cuts = np.flatnonzero(times[1:] < times[:-1]) + 1
    if not len(cuts):
        return table
    begins, ends = np.append(0, cuts), np.append(cuts, len(times))
    order = np.argsort(times[begins], kind="stable")
    begins, ends = begins[order], ends[order]
    if len(cuts) > _RUNS or (times[ends[:-1] - 1] > times[begins[1:]]).any():
        return table.take(pa.array(np.argsort(times, kind="stable")))
    return pa.concat_tables([table.slice(begin, end - begin) for begin, end in zip(begins, ends, strict=True)])


def numbered(table: pa.Table, index: int) -> pa.Table:
    """The rows as they are stored, with consecutive log indexes from `index`."""
    kept = table.drop_columns([name for name in ("n", "raw_hash", "masked") if name in table.column_names])
    return kept.append_column("log_index", pa.array(np.arange(index, index + table.num_rows, dtype=np.uint64)))
