"""The SQL that seeks correlations. Every value is bound; every name is one of ours.

Within any stretch of a given length is decided by a sweep: an act counts from its own time until the stretch after it
is over, or until the next one of the same value; the most at any moment is then a running sum, and exact. Only the acts
about which it can be so are sorted: time is cut into slots as long as the stretch, which therefore lies within two of
them, and a pair of slots that has not enough in all has not enough within any stretch.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from audit.events import Kind
from audit.events.canonical import microseconds
from audit.log.condition import KINDS, Binder, rendered
from audit.log.correlation import WHO, Correlation, CorrelationKind, Match, Part

__all__ = ["FOUND", "bound", "evidence_of", "seeking"]

_K = CorrelationKind
FOUND = ("source", "event_id", "log_index", "time", "actor_id", "shown")
"""What of an act is told; `shown` are the first of its subjects."""
_MICROSECOND = timedelta(microseconds=1)
_LATEST, _MOST = 2**62, 2**40
_SUBJECTS = 20
_FOLDED = ("source", "event_id", "log_index", "time", "actor_id", f"arraySlice(subjects, 1, {_SUBJECTS}) AS shown")


def _whole(column: str) -> str:
    """A column as plain text, one row for each text of a list."""
    if column == WHO:
        return "CAST(if(actor_id = '', source, actor_id), 'String')"
    if KINDS[column] is Kind.IDS:
        return f"arrayJoin({column})"
    return f"CAST({column}, 'String')" if KINDS[column] is Kind.TEXT else f"ifNull(toString({column}), '')"


def _acts(sought: Correlation, where: str, binder: Binder, more: Sequence[str] = ()) -> str:
    """The acts that match, once for each part: `key`, `at`, `which`, `value`, `weight`."""
    sums = sought.kind is _K.VALUE_SUM
    selects = []
    for which, part in enumerate(sought.parts, start=1):
        keys = ", ".join(f"{_whole(column)} AS k{number}" for number, column in enumerate(part.by))
        value = _value(sought, part, which)
        weight = f"toInt64(least(ifNull({part.value}, 0), {_MOST}))" if sums else "toInt64(1)"
        told = [
            *([keys] if keys else []),
            "toUnixTimestamp64Micro(time) AS at", f"toUInt8({which}) AS which", f"{value} AS value",
            f"{weight} AS weight", *more,
        ]  # fmt: skip
        names = ", ".join(told)
        condition = rendered(part.condition, binder)
        selects.append(f"SELECT {names} FROM events WHERE {where} AND {condition}")
    width = len(sought.parts[0].by)
    key = "toJSONString([" + ", ".join(f"k{number}" for number in range(width)) + "])" if width else "'[]'"
    there = [*(f"k{number} != ''" for number in range(width)), *(["value != ''"] if _is_varied(sought) else [])]
    kept = " AND ".join([*there, "weight > 0"])
    rest = ", ".join(["at", "which", "value", "weight", *(name.rpartition(" ")[2] for name in more)])
    every = " UNION ALL ".join(selects)
    return f"SELECT {key} AS key, {rest} FROM ({every}) WHERE {kept}"


def _is_varied(sought: Correlation) -> bool:
    return sought.kind is _K.VALUE_COUNT


def _value(sought: Correlation, part: Part, which: int) -> str:
    if _is_varied(sought):
        return _whole(part.value)
    return f"'{which}'" if sought.kind is _K.TEMPORAL else "''"


def seeking(sought: Correlation, where: str, binder: Binder, limit: int) -> str:
    """The statement that finds groups: `key`, `strength`, `first`, `last` (microseconds), the strongest first.

    Placeholders besides the binder's: `since`, the microsecond from which a find is new; `least`; `within`.
    """
    acts = _acts(sought, where, binder)
    if sought.kind is _K.TEMPORAL_ORDERED:
        found = _in_order(acts, len(sought.parts))
    elif sought.kind is _K.ACTS:
        found = f"SELECT key, at, count() OVER (PARTITION BY key) AS total FROM ({acts}) WHERE at >= {{since:Int64}}"
    else:
        found = _sweep(sought, acts)
    most = binder.bind(limit, "UInt32")
    strength = "count()" if sought.kind is _K.TEMPORAL_ORDERED else "max(total)"
    least = "1" if sought.kind is _K.TEMPORAL_ORDERED else "total >= {least:Int64}"
    return (
        f"SELECT key, {strength} AS strength, min(at) AS first, max(at) AS last FROM ({found}) WHERE {least}"
        f" GROUP BY key ORDER BY strength DESC, key LIMIT {most}"
    )


def bound(sought: Correlation, since: datetime) -> dict[str, int]:
    """The values that `seeking` needs besides the binder's."""
    values = {"since": microseconds(since)}
    if sought.kind is not _K.TEMPORAL_ORDERED:
        values["least"] = sought.at_least
    if sought.kind is not _K.ACTS:
        values["within"] = sought.within // _MICROSECOND
    return values


def _sweep(sought: Correlation, acts: str) -> str:
    measure, of = {
        _K.EVENT_COUNT: ("count", ""),
        _K.VALUE_SUM: ("sum", "weight"),
        _K.VALUE_COUNT: ("uniqExact", "value"),
        _K.TEMPORAL: ("uniqExact", "value"),
    }[sought.kind]
    busy = _crowded("acts", measure, of)
    if measure == "uniqExact":  # as many values need as many acts, and acts are counted sooner
        many = _crowded("acts", "count", "")
        busy = _crowded(f"(SELECT * FROM acts WHERE {many})", measure, of)
    following = (
        f"leadInFrame(at, 1, toInt64({_LATEST})) OVER (PARTITION BY key, value ORDER BY at"
        " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)"
        if measure == "uniqExact"
        else f"toInt64({_LATEST})"
    )
    spells = f"SELECT key, at, weight, {following} AS following FROM acts WHERE {busy}"
    gone = "least(at + {within:Int64} + 1, following)"
    steps = (
        "SELECT key, turn.1 AS moment, turn.2 AS step FROM"
        f" (SELECT key, arrayJoin([(at, weight), ({gone}, -weight)]) AS turn FROM ({spells}))"
    )
    running = "sum(step) OVER (PARTITION BY key ORDER BY moment, step ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    return (
        f"WITH acts AS ({acts}) SELECT key, moment AS at, total FROM"
        f" (SELECT key, moment, step, {running} AS total FROM ({steps})) WHERE step > 0 AND moment >= {{since:Int64}}"
    )


def _crowded(acts: str, measure: str, of: str) -> str:
    """The test that an act lies in a pair of slots of its group that holds enough."""
    slot = "intDiv(at, {within:Int64} + 1)"
    some = f"{measure}State({of}) AS some, max(at) AS latest"
    slots = f"SELECT key, {slot} AS slot, {some} FROM {acts} GROUP BY key, slot"
    pairs = (
        f"SELECT key, arrayJoin([slot - 1, slot]) AS pair FROM ({slots}) GROUP BY key, pair"
        f" HAVING {measure}Merge(some) >= {{least:Int64}} AND max(latest) >= {{since:Int64}}"
    )
    return f"(key, {slot}) IN (SELECT key, arrayJoin([pair, pair + 1]) FROM ({pairs}))"


def _in_order(acts: str, parts: int) -> str:
    """Each last part, and when the latest series of all before it began."""
    over = "OVER (PARTITION BY key ORDER BY at, which ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    series = f"SELECT key, at, which, at AS begun0 FROM ({acts})"
    for part in range(1, parts):
        begun = f"max(if(which = {part}, begun{part - 1}, toInt64(-1))) {over} AS begun{part}"
        kept = ", ".join(f"begun{earlier}" for earlier in range(part))
        series = f"SELECT key, at, which, {kept}, {begun} FROM ({series})"
    return (
        f"SELECT key, at, 1 AS total FROM ({series}) WHERE which = {parts} AND begun{parts - 1} >= 0"
        f" AND at - begun{parts - 1} <= {{within:Int64}} AND at >= {{since:Int64}}"
    )


def evidence_of(
    sought: Correlation, matches: Sequence[Match], where: str, binder: Binder, limit: int
) -> tuple[str, dict[str, Any]]:
    """The statement that tells the acts of what was found, the latest of each, with how many there are in all.

    Returns:
        The statement, and the values that it needs besides the binder's.
    """
    values = {
        "keys": [match.key for match in matches],
        "begins": [microseconds(match.first - sought.within) for match in matches],
        "ends": [microseconds(match.last) for match in matches],
    }
    acts = _acts(sought, where, binder, _FOLDED)
    names = ", ".join(FOUND)
    most = binder.bind(limit, "UInt32")
    place = "indexOf({keys:Array(String)}, key)"
    span = f"at >= {{begins:Array(Int64)}}[{place}] AND at <= {{ends:Array(Int64)}}[{place}]"
    each = f"SELECT DISTINCT key, {names} FROM ({acts}) WHERE key IN {{keys:Array(String)}} AND {span}"
    all_of = "OVER (PARTITION BY key)"
    counted = f"count() {all_of} AS acts, min(log_index) {all_of} AS lowest, max(log_index) {all_of} AS highest"
    return (
        f"SELECT key, {names}, {counted} FROM ({each}) ORDER BY key, time DESC, source, event_id LIMIT {most} BY key",
        values,
    )
