"""A person's day in numbers: few aggregate queries, one row a person and day.

Counted is what casework does not explain; two numbers beside, the households accounted for and the changes of records,
serve to explain the others.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure, Relation, Result
from audit.clock import TOKYO, day_start
from audit.context import WorkContext
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.model import Reader
from detectors.windows.shares import UNACCOUNTED

__all__ = ["COUNTED", "FEATURES", "Feature", "PersonDays", "number", "of_look_ups", "read", "working_time"]

_A_WEEK = timedelta(days=7)
"""So much is asked at once: a query over months of a large town would take longer than one may take."""
_HOURS = time(8, 30), time(17, 15)
"""Whoever works between these on a weekday is asked nothing further."""
_QUIET = timedelta(minutes=15)
"""Coming so much early or staying so much late says nothing."""
_SATURDAY = 5
_CLOSED = 60.0
"""To work at all on a day off counts as so many minutes beyond working time."""
_APPROVED = frozenset({"export", "media", "print", "transfer"})
_SCALE = {"off_minutes": 30.0}
_FIRST = {"sources": 1, "terminals": 1}
_FLAGS = ("deceased", "protected", "staff", "vip")


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of a person's day.

    Attributes:
        text: what it counts.
        of_look_ups: whether it is made of look-ups that nothing accounts for.
    """

    name: str
    text: Texts
    of_look_ups: bool = False


COUNTED = (
    Feature("unaccounted", Texts("根拠のない照会（世帯）", "households without a case"), of_look_ups=True),
    Feature("related", Texts("うち本人と関係のある住民（世帯）", "of them related to the person"), of_look_ups=True),
    Feature("flagged", Texts("うち注意を要する住民（世帯）", "of them of flagged residents"), of_look_ups=True),
    Feature("by_name", Texts("うち氏名で検索したもの（世帯）", "of them found by name"), of_look_ups=True),
    Feature("printed", Texts("うち印刷・複写したもの（世帯）", "of them printed or copied"), of_look_ups=True),
    Feature("searches", Texts("番号によらない検索（回）", "searches other than by number")),
    Feature("outputs", Texts("承認のない印刷・出力（件）", "outputs without an approval")),
    Feature("rows", Texts("承認のない出力の行数", "rows taken out without an approval")),
    Feature("denied", Texts("拒否・失敗した操作（件）", "acts refused or failed")),
    Feature("off_minutes", Texts("勤務時間外の幅（分）", "minutes beyond working time")),
    Feature("sources", Texts("二つ目以降のシステム", "systems beside the first")),
    Feature("terminals", Texts("二台目以降の端末", "terminals beside the first")),
)
"""What counts as odd when there is more of it than usual."""
FEATURES = (*(feature.name for feature in COUNTED), "accounted", "changes")
"""All numbers by their place: those that count, and those that explain."""
_PLACE = {name: place for place, name in enumerate(FEATURES)}
_LOOKED: Mapping[str, Mapping[str, Any]] = {
    "accounted": {"results": (Result.MATCHED,)},
    "unaccounted": {"results": UNACCOUNTED},
    "related": {"results": UNACCOUNTED, "relations": tuple(Relation)},
    "flagged": {"results": UNACCOUNTED, "flags": _FLAGS},
    "by_name": {"results": UNACCOUNTED, "by_name": True},
    "printed": {"results": UNACCOUNTED, "printed": True},
}
_COUNTS = {
    "searches": Measure.SEARCHES,
    "outputs": Measure.OUTPUTS,
    "rows": Measure.ROWS,
    "denied": Measure.DENIED,
    "sources": Measure.SOURCES,
    "terminals": Measure.TERMINALS,
    "changes": Measure.CHANGES,
}
_ENDS = Measure.FIRST, Measure.LAST


@dataclass(frozen=True, slots=True)
class PersonDays:
    """Person-days in numbers, in the order of day and person.

    Attributes:
        keys: day and staff id.
        units: where each person worked that day.
        values: one row a person-day, one column a feature, on a scale of logarithms.
    """

    keys: tuple[tuple[date, str], ...]
    units: tuple[str, ...]
    values: npt.NDArray[np.float64]

    def without(self, some: Iterable[tuple[date, str]]) -> "PersonDays":
        """The others."""
        left_out = frozenset(some)
        kept = [place for place, key in enumerate(self.keys) if key not in left_out]
        return PersonDays(
            tuple(self.keys[place] for place in kept), tuple(self.units[place] for place in kept), self.values[kept]
        )


def read(reader: Reader, start: date, end: date) -> PersonDays:
    """The person-days of a span (`end` exclusive), a week at a time."""
    rows: dict[tuple[date, str], list[float]] = {}
    units: dict[tuple[date, str], str] = {}
    while start < end:
        until = min(end, start + _A_WEEK)
        _read_acts(reader, start, until, rows)
        _read_look_ups(reader, start, until, rows, units)
        start = until
    keys = sorted(rows)
    noon = {day: day_start(day) + timedelta(hours=12) for day in {day for day, _ in keys}}
    unit_of = reader.context.unit_of
    return PersonDays(
        tuple(keys),
        tuple(unit_of(actor, noon[day], units.get((day, actor), "")) for day, actor in keys),
        _scaled(np.array([rows[key] for key in keys], np.float64).reshape(len(keys), len(FEATURES))),
    )


def of_look_ups(row: npt.NDArray[np.float64], look_ups: Iterable[LookUp]) -> npt.NDArray[np.float64]:
    """A person-day whose look-ups without a case are these alone."""
    homes: dict[str, set[str]] = defaultdict(set)
    for one in look_ups:
        for name, said in (
            ("unaccounted", True),
            ("related", bool(one.relations)),
            ("flagged", bool(one.flags)),
            ("by_name", one.by_name),
            ("printed", one.prints > 0),
        ):
            if said:
                homes[name].add(one.household)
    changed = row.copy()
    for feature in COUNTED:
        if feature.of_look_ups:
            changed[_PLACE[feature.name]] = np.log1p(len(homes[feature.name]))
    return changed


def number(feature: Feature, value: float) -> float:
    """The number that a value on the scale of logarithms stands for."""
    return float(np.expm1(value)) * _SCALE.get(feature.name, 1.0)


def _scaled(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Numbers on a scale of logarithms: from one to two is as far as from ten to twenty-one."""
    scaled: npt.NDArray[np.float64] = np.log1p(counts / np.array([_SCALE.get(name, 1.0) for name in FEATURES]))
    return scaled


def _read_acts(reader: Reader, start: date, end: date, rows: dict[tuple[date, str], list[float]]) -> None:
    """Everybody's acts of some days, in one query."""
    context = reader.context
    wanted = Filter(start=day_start(start), end=day_start(end), staff_only=True)
    places = [(_PLACE[name], measure, _FIRST.get(name, 0)) for name, measure in _COUNTS.items()]
    outputs, rows_out, off = (_PLACE[name] for name in ("outputs", "rows", "off_minutes"))
    ordinary: dict[date, tuple[datetime, datetime] | None] = {}
    for found in reader.aggregate(wanted, (Dimension.DAY, Dimension.ACTOR), (*_COUNTS.values(), *_ENDS)):
        day, actor = found["day"], found["actor"]
        row = rows[day, actor] = [0.0] * len(FEATURES)
        for place, measure, first in places:
            row[place] = max(0, (found[measure] or 0) - first)
        if row[outputs] and _output_approved(context, actor, day):
            row[outputs] = row[rows_out] = 0
        if day not in ordinary:
            ordinary[day] = _ordinary(day)
        within = ordinary[day]
        if within is None or found["first"] < within[0] or found["last"] > within[1]:
            row[off] = _minutes_off(context, actor, found["first"], found["last"])


def _read_look_ups(
    reader: Reader,
    start: date,
    end: date,
    rows: Mapping[tuple[date, str], list[float]],
    units: dict[tuple[date, str], str],
) -> None:
    """Everybody's households of some days: those accounted for, and the others by what is known of them.

    Prints that a case accounts for are taken off the outputs.
    """
    by = (LookUpDimension.DAY, LookUpDimension.ACTOR, LookUpDimension.UNIT)
    most: dict[tuple[date, str], tuple[int, str]] = {}
    for name, restricted in _LOOKED.items():
        wanted = LookUpFilter(start=start, end=end, **restricted)
        for found in reader.count_look_ups(wanted, by, (LookUpMeasure.VISITS,)):
            key, visits = (found["day"], found["actor"]), int(found["visits"])
            row = rows.get(key)
            if row is not None:
                row[_PLACE[name]] += visits
                most[key] = max(most.get(key, (0, "")), (visits, found["unit"]))
    units.update((key, unit) for key, (_, unit) in most.items())
    certificates = LookUpFilter(start=start, end=end, results=(Result.MATCHED,), printed=True)
    for found in reader.count_look_ups(certificates, by, (LookUpMeasure.SUBJECTS,)):
        row = rows.get((found["day"], found["actor"]))
        if row is not None:  # a print for which there is a case asks for no approval beside it
            row[_PLACE["outputs"]] = max(0.0, row[_PLACE["outputs"]] - int(found["subjects"]))


def _output_approved(context: WorkContext, actor: str, day: date) -> bool:
    """Whether somebody else has approved an output of this person's for that day."""
    first, last = day_start(day), day_start(day + timedelta(days=1))
    return any(
        approval.kind in _APPROVED
        and approval.approved_by not in ("", actor)
        and (approval.start is None or approval.start < last)
        and (approval.end is None or approval.end > first)
        for approval in context.approvals.get(actor, ())
    )


def _ordinary(day: date) -> tuple[datetime, datetime] | None:
    """From when to when nobody is asked what they are there for; never at a weekend."""
    opens, closes = (datetime.combine(day, at, TOKYO) for at in _HOURS)
    return (opens - _QUIET, closes + _QUIET) if day.weekday() < _SATURDAY else None


def _minutes_off(context: WorkContext, actor: str, first: datetime, last: datetime) -> float:
    """How far the first and the last act of a day lie beyond working time, approved overtime included."""
    span = working_time(context, actor, first, last)
    if span is None:
        return (last - first) / timedelta(minutes=1) + _CLOSED
    return float(sum(max(0.0, beyond / timedelta(minutes=1)) for beyond in (span[0] - first, last - span[1])))


def working_time(context: WorkContext, actor: str, first: datetime, last: datetime) -> tuple[datetime, datetime] | None:
    """From when to when somebody's acts of a day say nothing, by roster, approved overtime and orders.

    Args:
        context: who works when.
        actor: whose day.
        first: their first act of it.
        last: the last.

    Returns:
        None on a day on which they do not work at all.
    """
    day = first.astimezone(TOKYO).date()
    spans = [(span.start, span.end) for span in context.working(actor, context.unit_of(actor, first), day)]
    spans += _ordered(context, actor, first, last)
    if not spans:
        return None
    return min(start for start, _ in spans) - _QUIET, max(end for _, end in spans) + _QUIET


def _ordered(context: WorkContext, actor: str, first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The times that somebody else approved for a person's work, in whichever system: within those of the day's acts.

    Those that name nobody are not asked: what is ordered from a vendor says nothing about staff.
    """
    orders = (one for one in context.approvals.get(actor, ()) if one.kind == "maintenance")
    by_others = (one for one in orders if one.approved_by not in ("", actor))
    approved = [(one.start, one.end) for one in context.windows.get(actor, ())]
    for since, until in (*approved, *((one.start, one.end) for one in by_others)):
        start, end = max(since or first, first), min(until or last, last)
        if start <= end:
            yield start, end
