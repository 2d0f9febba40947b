"""Data gathered before leaving: outputs without approval, or look-ups without a case, that rise towards the last day.

Whose last post ends within some weeks is known from the staff feed. Handing over is work: what is approved or has its
case is left out. The last ten days are compared with those before, so that a habit of the desk is no finding.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure, Result
from audit.clock import tokyo_date
from audit.context import WorkContext
from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.evidence import evidence_of_look_ups
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.outputs.approvals import (
    OUTPUT_COLUMNS,
    Approvals,
    groups,
    outputs_of,
    size_of,
    takes_away,
    wanted_of,
    what,
)
from detectors.rules.outputs.casework import cases_delivered
from detectors.rules.sentences import listed, main_source
from detectors.telling import about_person, at_hour, named, severity_of
from detectors.windows.leaving.cases import CASES

__all__ = ["DETECTOR", "Parameters"]

_LOOK_BACK = timedelta(days=28)
_RECENT = timedelta(days=10)
_UNACCOUNTED = (Result.CONTRADICTED, Result.UNMATCHED)
_D, _M = LookUpDimension, LookUpMeasure


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    leaving_days: int = setting(30, "退職の何日前から判定するか", "how long before the last day somebody is watched")
    large_rows: int = setting(200, "1 日だけでも検知する件数", "the number of records that counts on a single day")
    households: int = setting(
        6, "案件のない照会が 1 日何世帯から検知するか", "from how many households a day look-ups without a case count"
    )
    times_usual: float = setting(3.0, "それまでの何倍から検知するか", "how many times the days before is odd")


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    today = {row["actor"] for row in groups(reader, wanted_of(window))}
    leaving = _leaving(reader.context, window.start, params)
    found = {draft.entity: draft for draft in _looked(window, reader, leaving, params)}
    found |= {draft.entity: draft for draft in _taken(window, reader, leaving, today, params)}
    for _, draft in sorted(found.items()):
        yield draft


def _leaving(context: WorkContext, at: datetime, params: Parameters) -> Mapping[str, datetime]:
    """Whose last post ends within some weeks, and when."""
    ends = {}
    for person, posts in context.posts.items():
        last = [post.end for post in posts if not post.empty]
        if last and None not in last:
            end = max(one for one in last if one is not None)
            if at < end <= at + timedelta(days=params.leaving_days):
                ends[person] = end
    return ends


def _taken(
    window: Window, reader: Reader, leaving: Mapping[str, datetime], today: set[str], params: Parameters
) -> Iterable[Draft]:
    """Those who take data out."""
    people = sorted(today & leaving.keys())
    if not people:
        return
    approvals = Approvals.of(reader.context)
    days: dict[str, dict[date, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for event in outputs_of(reader, wanted_of(Window(window.start - _LOOK_BACK, window.end)), people):
        if not approvals.covering(event):
            days[event["actor_id"]][tokyo_date(event["time"])].append(event)
    turn = tokyo_date(window.end - _RECENT)
    for actor, by_day in sorted(days.items()):
        if window.day not in by_day:
            continue
        recent = {day: events for day, events in sorted(by_day.items()) if day >= turn}
        before = [size_of(events) for day, events in by_day.items() if day < turn]
        if _rises(size_of(by_day[window.day]), len(recent), before, params):
            yield _gathered(reader, actor, leaving[actor], recent)


def _rises(size: int, days: int, before: Sequence[int], params: Parameters) -> bool:
    """Whether more is taken out than before: on more of the days, or more in one."""
    earlier = len(before) / (_LOOK_BACK.days - _RECENT.days)
    oftener = days > 1 and days / _RECENT.days > 2 * earlier
    return oftener or size >= max(params.large_rows, params.times_usual * max(before, default=0))


def _gathered(reader: Reader, actor: str, end: datetime, recent: Mapping[date, Sequence[dict[str, Any]]]) -> Draft:
    events = [event for of_day in recent.values() for event in of_day]
    last = [event for event in events if tokyo_date(event["time"]) == max(recent)]
    sizes = [size_of(of_day) for of_day in recent.values()]
    growing = len(sizes) > 1 and sizes == sorted(sizes) and sizes[0] < sizes[-1]
    score = 0.35 + 0.1 * min(len(sizes), 4) + 0.1 * growing + 0.1 * any(map(takes_away, events))
    score += 0.02 * math.log10(1 + sum(sizes))
    name, at = named(reader.context, actor, events[0]["time"]), last[0]["time"]
    reasons = [
        what(name, at_hour(at), last),
        _last_day(end),
        Texts(
            f"この 10 日のうち {len(sizes)} 日に、承認のない出力が計 {sum(sizes):,} 件のデータに及んでいます。",
            f"On {len(sizes)} of the last 10 days they took out {sum(sizes):,} records without approval.",
        ),
    ]
    if growing:
        reasons.append(Texts("件数は日を追って増えています。", "Each time it was more."))
    draft = about_person(actor, events, min(0.9, score), _title(name), reasons)
    return replace(
        draft,
        baseline=(
            (Texts("最初の日の件数", "Records on the first day"), float(sizes[0])),
            (Texts("この日の件数", "Records that day"), float(sizes[-1])),
        ),
    )


def _looked(window: Window, reader: Reader, leaving: Mapping[str, datetime], params: Parameters) -> Iterable[Draft]:
    """Those who look up more and more without a case."""
    if not leaving:
        return
    today = LookUpFilter(
        start=window.day,
        end=window.day + timedelta(days=1),
        actors=tuple(sorted(leaving)),
        results=_UNACCOUNTED,
    )
    least = {_M.HOUSEHOLDS: params.households}
    for row in sorted(reader.count_look_ups(today, (_D.ACTOR,), (_M.HOUSEHOLDS,), least), key=lambda row: row["actor"]):
        actor, earlier = row["actor"], replace(today, start=window.day - _LOOK_BACK, end=window.day)
        past = reader.count_look_ups(replace(earlier, actors=(actor,)), (_D.DAY,), (_M.HOUSEHOLDS,))
        worked = reader.count_look_ups(replace(earlier, actors=(actor,), results=()), (_D.ACTOR,), (_M.DAYS,))
        usual = sum(one["households"] for one in past) / max(sum(one["days"] for one in worked), 1)
        if row["households"] < params.times_usual * max(usual, 1.0):
            continue
        found = list(reader.look_ups(replace(today, actors=(actor,))))
        if cases_delivered(window, reader, found[0].unit):
            yield _seen(reader, actor, leaving[actor], found, usual)


def _seen(reader: Reader, actor: str, end: datetime, found: Sequence[LookUp], usual: float) -> Draft:
    name, when = named(reader.context, actor, found[0].first), at_hour(found[0].first)
    homes = len({one.household for one in found})
    shown = listed(one.subject for one in found)
    score = round(min(0.7, 0.3 + 0.02 * homes + 0.1 * any(one.prints for one in found)), 4)
    return Draft(
        entity=actor,
        severity=severity_of(score, Severity.HIGH),
        score=score,
        actors=(actor,),
        subjects=tuple(dict.fromkeys(one.subject for one in found))[:20],
        source=main_source(found),
        title=_title(name),
        reasons=(
            Texts(
                f"{name} が {when.ja} から、案件のない住民を {homes} 世帯照会しました（{shown.ja}）。",
                f"From {when.en}, {name} looked up {homes} households without a case: {shown.en}.",
            ),
            _last_day(end),
            Texts(
                f"それまでの案件のない照会は 1 日 {usual:.1f} 世帯ほどでした。",
                f"Before, about {usual:.1f} households a day had no case.",
            ),
        ),
        baseline=(
            (Texts("それまでの 1 日の世帯数", "Households a day before"), round(usual, 2)),
            (Texts("この日の世帯数", "Households that day"), float(homes)),
        ),
        **evidence_of_look_ups(found),
    )


def _title(name: str) -> Texts:
    return Texts(f"{name} が退職を前にデータを集めている疑い", f"{name} gathers data before leaving")


def _last_day(end: datetime) -> Texts:
    day = tokyo_date(end - timedelta(microseconds=1))
    return Texts(
        f"職員名簿では {day.month}月{day.day}日が在職の最終日です。",
        f"By the staff directory, {day:%-d %B} is their last day.",
    )


META = DetectorMeta(
    id="staging-before-leaving",
    version="1.0.0",
    title=Texts("退職を前にしたデータの収集", "Data gathered before leaving"),
    description=Texts(
        "退職や任期満了の近い職員の、承認のない出力や案件のない照会が、それまでより増えたことを見つけます。",
        "Finds that somebody whose last day is near takes out more without approval, or looks up more without a case, "
        "than before.",
    ),
    family="windows",
    analytic_type=AnalyticType.BEHAVIORAL,
    severity=Severity.HIGH,
    techniques=("T1074", "T1530"),
    controls=("C-083", "C-085", "C-086"),
    reads=(
        "time",
        "outcome",
        "subjects",
        "case_id",
        *(one for one in OUTPUT_COLUMNS if one.startswith(("actor", "export"))),
    ),
    look_back=_LOOK_BACK,
    runbook=Texts(
        "1. 引継ぎの作業かどうか、所属長に確かめます。\n"
        "2. 出力したデータの所在と、媒体や外部への送信の有無を調べます。\n"
        "3. 説明がつかなければ、最終日までの権限を減らし、返却と消去を確かめます。",
        "1. Ask the manager whether it is the hand-over.\n"
        "2. Find out where the data is and whether it left the house.\n"
        "3. Otherwise reduce their rights until the last day, and see that all is returned or erased.",
    ),
    false_positives=Texts(
        "引継ぎ資料の作成、年度末の業務の集中。", "Papers for the hand-over, the work of the end of the year."
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
