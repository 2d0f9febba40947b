"""Which rows of a block are plainly right, by checks of whole columns.

Plainly right is: every name known, a strict time within bounds, words of the vocabulary, counts in their range, and
nothing that could hide a My Number. Being too strict costs a careful reading, being too lenient would cost the truth:
`tests/audit/events/test_readings.py` holds both readings to the same answers.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.events import FIELDS, Activity, ActorKind, Field, Kind, Outcome
from audit.events.mynumber import DIGIT, SUSPECT
from audit.events.validation import MAX_COUNT, MAX_EVENT_ID_BYTES, OLDEST
from audit.log.columns import ARROW

__all__ = ["PATHS", "READ", "judge"]

_TWELVE_DIGITS = 12
"""Nothing shorter, in bytes, holds twelve digits in any writing."""
_TIME = (
    r"^(?:199\d|20\d\d|21\d\d)-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$"
)
_WORDS = {
    "activity": pa.array([str(word) for word in Activity]),
    "actor.kind": pa.array(["", *map(str, ActorKind)]),
    "outcome": pa.array(["", *map(str, Outcome)]),
}
READ = tuple(f for f in FIELDS if f.path != "unmapped")
"""`unmapped` is what the form has no place for: a line that brings any is read with care."""
_SUSPECT = re.compile(SUSPECT)
_FEW, _SHORT = 512, 64
"""Of so few and short texts, in bytes, most were seen before, as words are, and are remembered. For others it is
worth setting up the search of the engine."""
_SPACES = r"[\s\x{0b}\x{1c}-\x{1f}\x{85}\p{Z}]*"
"""What Python's `strip` takes away, in the words of RE2."""
PATHS = frozenset(f.path for f in READ)
_MANY_VALUES = frozenset(
    {"case_id", "counterparty.permit", "event_id", "export.approval_id", "export.file", "export.sha256", "reason"}
    | {"session", "target.id"}
)
"""Texts that differ from event to event; all others repeat, and travel as dictionaries."""


def judge(
    found: Mapping[str, Any], strangers: Iterable[Any], unmapped: Sequence[Any], rows: int, newest: datetime
) -> tuple[dict[str, Any], Any]:
    """The columns of some events, and which of them are plainly right.

    Args:
        found: what was read, by our path: Arrow arrays of JSON's own kinds.
        strangers: what was read that the contract's form does not know, and that `unmapped` does not hold.
        unmapped: the values that stand in the text of `unmapped`, one array a name.
        rows: how many events.
        newest: the latest time that an event may have.
    """
    judgement = _Judgement(rows)
    for stranger in strangers:
        judgement.demand(pc.is_null(stranger))
    columns: dict[str, Any] = {}
    for f in READ:
        values = found.get(f.path)
        if values is None or (values.null_count == len(values) and f.path not in {"activity", "time"}):
            continue
        columns[f.column] = _CHECKS[f.kind](f, values, judgement)
    if not {"activity", "time"} <= columns.keys():
        return columns, np.zeros(rows, np.bool_)
    named = columns.get("actor_id")
    if named is not None:  # what somebody typed to sign in may be no name: `audit.events.check`
        typed = pc.equal(columns["activity"], "login").to_numpy(zero_copy_only=False)
        judgement.demand_harmless(
            named.dictionary, lambda places: np.flatnonzero(typed & np.isin(named.indices.to_numpy(), places))
        )
    if "unmapped" in found:
        columns["unmapped"] = found["unmapped"]
        for values in unmapped:
            judgement.demand_harmless(values, lambda places: places)
        judgement.demand(_are_whole(unmapped, rows))
    judgement.scan()
    kinds = columns.get("actor_kind")
    has_id = pc.not_equal(named, "") if named is not None else pa.array([False] * rows)
    is_system = pc.equal(kinds, "system") if kinds is not None else pa.array([False] * rows)
    judgement.demand(pc.or_(has_id, is_system))
    at = columns["time"]
    within = pc.and_(pc.greater_equal(at, pa.scalar(OLDEST, at.type)), pc.less_equal(at, pa.scalar(newest, at.type)))
    judgement.demand(pc.fill_null(within, False))
    return columns, judgement.clear


def _are_whole(unmapped: Sequence[Any], rows: int) -> Any:  # noqa: ANN401 - a Boolean Arrow array
    """Where no My Number can be cut over several of the values: too few of their characters are digits and no more."""
    digits = np.zeros(rows, np.int64)
    for values in unmapped if len(unmapped) > 1 else ():
        bare = pc.match_substring_regex(values, rf"^{_SPACES}[{DIGIT}]+{_SPACES}$").to_numpy(zero_copy_only=False)
        digits += np.where(bare, pc.utf8_length(values).to_numpy(), 0)
    return pa.array(digits < _TWELVE_DIGITS)


class _Judgement:
    """Which rows are plainly right, narrowed check by check."""

    def __init__(self, rows: int) -> None:
        self.clear = np.ones(rows, np.bool_)
        self._texts: list[tuple[Any, Any]] = []

    def demand(self, good: Any) -> None:  # noqa: ANN401 - a Boolean array without nulls
        self.clear &= good.to_numpy(zero_copy_only=False)

    def refuse(self, rows: Any) -> None:  # noqa: ANN401 - an array of row numbers
        self.clear[rows] = False

    def demand_harmless(self, texts: Any, rows_of: Any) -> None:  # noqa: ANN401
        """Texts in which no My Number may hide; `rows_of` gives the rows of some places in them."""
        long = np.flatnonzero(pc.fill_null(pc.binary_length(texts), 0).to_numpy() >= _TWELVE_DIGITS)
        if len(long) == len(texts) and len(long):
            self._texts.append((texts, rows_of))
        elif len(long):
            self._texts.append((texts.take(pa.array(long)), lambda places: rows_of(long[places])))

    def scan(self) -> None:
        """Search all texts at once: setting up the search costs more than searching a column."""
        if not self._texts:
            return
        hidden = _suspected(pa.concat_arrays([texts for texts, _ in self._texts]))
        if not hidden.any():
            return
        begin = 0
        for texts, rows_of in self._texts:
            places = np.flatnonzero(hidden[begin : begin + len(texts)])
            begin += len(texts)
            if len(places):
                self.refuse(rows_of(places))


def _suspected(texts: Any) -> Any:  # noqa: ANN401 - a Boolean array of NumPy
    """In which of some texts a My Number may hide."""
    if len(texts) > _FEW or pc.max(pc.binary_length(texts)).as_py() > _SHORT:
        return pc.fill_null(pc.match_substring_regex(texts, SUSPECT), False).to_numpy(zero_copy_only=False)
    return np.fromiter((_is_suspected(text or "") for text in texts.to_pylist()), np.bool_, len(texts))


@lru_cache(maxsize=8192)
def _is_suspected(text: str) -> bool:
    return _SUSPECT.search(text) is not None


def _check_text(f: Field, values: Any, judgement: _Judgement) -> Any:  # noqa: ANN401
    if values.null_count:
        values = pc.fill_null(values, "")
    if f.path == "event_id" and pc.max(pc.binary_length(values)).as_py() > MAX_EVENT_ID_BYTES:
        judgement.demand(pc.less_equal(pc.binary_length(values), MAX_EVENT_ID_BYTES))
    if f.path in _MANY_VALUES:
        if not f.declared_id:
            judgement.demand_harmless(values, lambda places: places)
        return values
    words = values.dictionary_encode()
    if f.path in _WORDS:
        judgement.demand(pc.is_in(words.dictionary, _WORDS[f.path]).take(words.indices))
    elif not f.declared_id:
        judgement.demand_harmless(
            words.dictionary, lambda places: np.flatnonzero(np.isin(words.indices.to_numpy(), places))
        )
    return words


def _check_time(f: Field, values: Any, judgement: _Judgement) -> Any:  # noqa: ANN401
    if values.null_count:
        values = pc.fill_null(values, "")
    good = pc.match_substring_regex(values, _TIME)
    judgement.demand(good if f.path == "time" else pc.or_(good, pc.equal(values, "")))
    return pc.cast(pc.if_else(good, values, pa.scalar(None, pa.string())), ARROW[Kind.TIME])


def _check_ids(_f: Field, values: Any, judgement: _Judgement) -> Any:  # noqa: ANN401
    items, parents = pc.list_flatten(values), pc.list_parent_indices(values).to_numpy()
    filled = pc.fill_null(pc.not_equal(items, ""), False).to_numpy(zero_copy_only=False)
    if not filled.all():
        judgement.refuse(parents[~filled])
    judgement.demand_harmless(items, lambda places: parents[places])
    return pc.if_else(pc.is_valid(values), values, pa.scalar([], values.type)) if values.null_count else values


def _check_count(_f: Field, values: Any, judgement: _Judgement) -> Any:  # noqa: ANN401
    good = pc.fill_null(pc.and_(pc.greater_equal(values, 0), pc.less_equal(values, MAX_COUNT)), True)
    if not pc.all(good).as_py():
        judgement.demand(good)
        values = pc.if_else(good, values, pa.scalar(None, values.type))
    return pc.cast(values, ARROW[Kind.COUNT])


def _check_flag(_f: Field, values: Any, _judgement: _Judgement) -> Any:  # noqa: ANN401
    return values


_CHECKS = {
    Kind.TEXT: _check_text,
    Kind.TIME: _check_time,
    Kind.IDS: _check_ids,
    Kind.COUNT: _check_count,
    Kind.FLAG: _check_flag,
}
