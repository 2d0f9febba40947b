"""An unusual number of records taken out in a day, or taken out at an unusual time.

What an approval covers, with its number of rows, is left out: the largest list of the month has its paper. The rest is
compared with what the person took out on the busy days of four weeks, else with the unit, else with the town. Where
nobody takes anything out, anything of some size is unusual. So it finds what matters in towns that approve nothing.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from audit.clock import tokyo_date
from audit.context import WorkContext
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.outputs.approvals import (
    OUTPUT_COLUMNS,
    OUTPUTS,
    Approvals,
    groups,
    outputs_of,
    size_of,
    takes_away,
    wanted_of,
    what,
)
from detectors.telling import about_person, at_hour, named
from detectors.windows.output_spike.exports.cases import CASES

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_TAKEN = (*OUTPUTS, _A.PRINT)
_LOOK_BACK = timedelta(days=28)
_GRACE = timedelta(minutes=30)
_OWN, _UNIT, _TOWN = 3, 5, 10
"""With fewer days on which something was taken out, a past says little."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    minimum: int = setting(50, "この件数より少なければ検知しない", "fewer records than this are never a finding")
    first_minimum: int = setting(
        200, "出力の例がない町で検知する最少の件数", "the fewest records that are odd where nobody takes anything out"
    )
    times_usual: float = setting(3.0, "ふだんの多い日の何倍から検知するか", "how many times a usual busy day is odd")
    learning_days: int = setting(5, "判定を始めるまでに必要なログの日数", "days of log before anything is judged")


@dataclass(frozen=True, slots=True)
class _Usual:
    """How many records a busy day has.

    Attributes:
        rows: so many.
        whose: own, the unit's, the town's; blank where nothing is taken out.
    """

    rows: float
    whose: str


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    wanted, approvals = wanted_of(window, _TAKEN), Approvals.of(reader.context)
    people = [row["actor"] for row in groups(reader, wanted) if row["activity"] != _A.PRINT or row["most_rows"]]
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in outputs_of(reader, wanted, people):
        if (event["activity"] != _A.PRINT or event["export_rows"]) and not approvals.allow(event):
            found[event["actor_id"]].append(event)
    found = {actor: events for actor, events in found.items() if size_of(events) >= params.minimum}
    if not found or _days_of_log(window, reader) < params.learning_days:
        return
    past = _past(window, reader)
    for actor, events in sorted(found.items()):
        unit = reader.context.unit_of(actor, window.start, events[0]["actor_org_unit"])
        usual, size = _usual(past, actor, unit), size_of(events)
        late = [event for event in events if not _at_work(reader.context, unit, event)]
        least = max(params.times_usual * usual.rows, params.minimum if usual.whose else params.first_minimum)
        if size >= least or size_of(late) >= params.minimum:
            yield _draft(reader, actor, events, usual, late, odd=size >= least)


def _days_of_log(window: Window, reader: Reader) -> int:
    """On how many of the last 28 days anybody did anything."""
    wanted = Filter(start=window.start - _LOOK_BACK, end=window.start)
    return int(reader.aggregate(wanted, (), (Measure.DAYS,))[0]["days"])


def _past(window: Window, reader: Reader) -> Sequence[tuple[str, str, int]]:
    """Person, unit and records of each day on which somebody took something out."""
    wanted = wanted_of(Window(window.start - _LOOK_BACK, window.start), _TAKEN)
    by = (Dimension.ACTOR, Dimension.ORG_UNIT, Dimension.DAY)
    rows = reader.aggregate(wanted, by, (Measure.ROWS,))
    return [
        (row["actor"], reader.context.unit_of(row["actor"], window.start, row["org_unit"]), row["rows"])
        for row in sorted(rows, key=lambda row: (row["actor"], row["day"], row["org_unit"]))
        if row["rows"]
    ]


def _usual(past: Sequence[tuple[str, str, int]], actor: str, of_unit: str) -> _Usual:
    own = sorted(rows for person, _, rows in past if person == actor)
    if len(own) >= _OWN:
        return _Usual(own[-2], "own")  # the second: one odd day must not hide the next
    unit = sorted(rows for person, place, rows in past if place == of_unit and person != actor)
    if len(unit) >= _UNIT:
        return _Usual(_quantile(unit, 0.9), "unit")
    town = sorted(rows for person, _, rows in past if person != actor)
    return _Usual(_quantile(town, 0.75), "town") if len(town) >= _TOWN else _Usual(0, "")


def _quantile(ordered: Sequence[int], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _at_work(context: WorkContext, unit: str, event: Mapping[str, Any]) -> bool:
    actor, at = event["actor_id"], event["time"]
    if context.window_at(actor, event["source"], at) is not None:
        return True
    spans = context.working(actor, unit, tokyo_date(at))
    return any(span.start - _GRACE <= at < span.end + _GRACE for span in spans)


def _draft(
    reader: Reader,
    actor: str,
    events: Sequence[Mapping[str, Any]],
    usual: _Usual,
    late: Sequence[Mapping[str, Any]],
    *,
    odd: bool,
) -> Draft:
    size, at = size_of(events), events[0]["time"]
    name, times = named(reader.context, actor, at), size / max(usual.rows, 1.0)
    weight = 0.25 + 0.12 * math.log2(times / 3 + 1) if usual.whose else 0.2 + 0.1 * math.log10(size)
    score = (weight if odd else 0.25) + 0.1 * any(map(takes_away, events)) + 0.15 * bool(late)
    compared = {
        "own": Texts("本人のふだんの多い日", "a busy day of their own"),
        "unit": Texts("同じ所属の多い日", "a busy day of somebody in the unit"),
        "town": Texts("庁内の多い日", "a busy day of somebody in the town"),
        "": Texts("データ出力の例がほとんどありません", "hardly anything was taken out"),
    }[usual.whose]
    reasons = [
        what(name, at_hour(at), events),
        Texts(
            f"過去 28 日では、{compared.ja}{f'は {usual.rows:,.0f} 件です' if usual.whose else ''}。",
            f"In the last 28 days, {compared.en}{f' had {usual.rows:,.0f} records' if usual.whose else ''}.",
        ),
        Texts("この件数を認める承認はありません。", "No approval allows this number of records."),
    ]
    if late:
        first = at_hour(late[0]["time"])
        reasons.append(
            Texts(f"勤務時間外（{first.ja}）の出力を含みます。", f"Some was outside working time ({first.en}).")
        )
    draft = about_person(
        actor,
        events,
        min(0.9, score),
        Texts(
            f"{name} によるふだんと異なるデータ出力", f"{name} took out data in an unusual amount or at an unusual time"
        ),
        reasons,
    )
    baseline = (
        (Texts("ふだんの多い日の件数", "Records on a usual busy day"), float(usual.rows)),
        (Texts("この日の件数", "Records that day"), float(size)),
    )
    return replace(draft, baseline=baseline)


META = DetectorMeta(
    id="unusual-export",
    version="1.0.0",
    title=Texts("ふだんと異なるデータ出力", "An unusual amount of data taken out"),
    description=Texts(
        "承認の範囲にないデータ出力のうち、件数が本人や所属のふだんを大きく超えるもの、勤務時間外のものを見つけます。",
        "Finds outputs beyond any approval whose number of records is far above what the person or the unit takes out, "
        "or that were made outside working time.",
    ),
    family="windows",
    analytic_type=AnalyticType.STATISTICAL,
    severity=Severity.HIGH,
    techniques=("T1530", "T1567"),
    controls=("C-085", "C-086", "C-094"),
    reads=("outcome", *(one for one in OUTPUT_COLUMNS if one != "log_index")),
    look_back=_LOOK_BACK,
    runbook=Texts(
        "1. 何のための出力か、本人と所属長に確かめます。\n"
        "2. 月次や年次の業務なら、一括出力として登録し承認を取るよう案内します。\n"
        "3. 説明がつかなければ、データの所在を確かめます。",
        "1. Ask the person and their manager what it was for.\n2. If it is monthly or yearly work, have it registered "
        "and approved.\n3. Otherwise find out where the data is.",
    ),
    false_positives=Texts(
        "年に一度の一括出力、統計調査、移行の準備で承認が取り込まれていないもの。",
        "A yearly list, a survey, the preparation of a migration whose approval was not imported.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
