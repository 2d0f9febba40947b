"""Events as Arrow columns: one type for each kind of field, one table for each batch."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from audit.events import ACTIVITY_CLASS, FIELDS, Field, Kind

__all__ = ["ARROW", "EVENT_SCHEMA", "joined", "ocsf_columns", "table_of"]

ARROW: Mapping[Kind, Any] = {
    Kind.TEXT: pa.string(),
    Kind.IDS: pa.list_(pa.string()),
    Kind.COUNT: pa.uint64(),
    Kind.FLAG: pa.bool_(),
    Kind.TIME: pa.timestamp("us", "UTC"),
}
_ABSENT: Mapping[Kind, Any] = {Kind.TEXT: "", Kind.IDS: []}
EVENT_SCHEMA = pa.schema([(field.column, ARROW[field.kind]) for field in FIELDS])
"""Every column that an event's own fields have, in the order of `FIELDS`."""
_ACTIVITIES = pa.array([str(activity) for activity in ACTIVITY_CLASS])
_CLASS_UIDS = pa.array([ACTIVITY_CLASS[activity].class_uid for activity in ACTIVITY_CLASS], pa.uint16())
_ACTIVITY_IDS = pa.array([ACTIVITY_CLASS[activity].activity_id for activity in ACTIVITY_CLASS], pa.uint8())


def _column(field: Field, rows: Sequence[Mapping[str, Any]]) -> pa.Array:
    return pa.array([row.get(field.column, _ABSENT.get(field.kind)) for row in rows], ARROW[field.kind])


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table of events that Python has read.

    Args:
        rows: values by column name, absent ones left out, as `audit.events.check` gives them.
    """
    if not rows:
        return EVENT_SCHEMA.empty_table()
    there = frozenset[str]().union(*rows)
    return pa.table({field.column: _column(field, rows) for field in FIELDS if field.column in there})


def ocsf_columns(activity: pa.ChunkedArray) -> dict[str, pa.Array]:
    """The OCSF class and activity numbers of a column of activities."""
    words = activity.combine_chunks().dictionary_encode()
    place = pc.index_in(words.dictionary, _ACTIVITIES).take(words.indices)  # the dictionary may hold refused words too
    return {"class_uid": _CLASS_UIDS.take(place), "activity_id": _ACTIVITY_IDS.take(place)}


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Several tables as one; where one of them lacks a column, texts and lists are empty there."""
    names = dict.fromkeys(name for table in tables for name in table.column_names)
    return pa.table({name: _stacked(name, tables) for name in names})


def _stacked(name: str, tables: Sequence[pa.Table]) -> pa.ChunkedArray:
    kinds = {table.schema.field(name).type for table in tables if name in table.column_names}
    kind = kinds.pop() if len(kinds) == 1 else pa.string()  # a dictionary and plain texts meet as texts
    chunks = list[Any]()
    for table in tables:
        if name in table.column_names:
            chunks += pc.cast(table[name], kind).chunks
        else:
            chunks.append(_blank(kind, table.num_rows))
    stacked = pa.chunked_array(chunks, kind)
    return stacked.unify_dictionaries() if pa.types.is_dictionary(kind) else stacked


def _blank(kind: pa.DataType, count: int) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.repeat("", count).dictionary_encode()
    if pa.types.is_string(kind):
        return pa.repeat("", count)
    if pa.types.is_list(kind):
        return pa.repeat(pa.scalar([], kind), count)
    return pa.nulls(count, kind)
