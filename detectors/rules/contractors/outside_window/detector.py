"""A contractor at work at a time for which nobody has let them in.

A contractor comes for a purpose: by the roster, in an approved time, for approved maintenance. Outside the office's
hours nothing else will do. Within them it depends on how the town lets contractors in: where their work is approved
piece by piece, one without an approval is odd; contractors who sit in the office every day, like those who run a
counter, are not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.clock import tokyo_date
from audit.context import WorkContext
from audit.events import LOOKUPS, Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.contractors.outside_window.cases import CASES
from detectors.rules.contractors.people import GRACE, contractors, let_in
from detectors.telling import about_person, at_hour, named, place_of, unknown_to_directory

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_HISTORY = timedelta(days=28)
_COLUMNS = (*EVIDENCE_COLUMNS, "activity", "actor_org_unit", "operation_name", "terminal_id", "terminal_ip")
_BY_HAND = tuple(sorted(set(_A) - {_A.LOGOUT, _A.LOCK, _A.HEARTBEAT, _A.LEDGER_ENTRY, _A.JOB_RUN, _A.BACKUP, _A.APPLY}))
_TAKING_OUT = frozenset({_A.EXPORT, _A.DOWNLOAD, _A.PRINT, _A.SCREEN_COPY, _A.MEDIA_WRITE})


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    daily_days: int = setting(
        8,
        "過去 28 日に何日活動していれば常駐とみなすか",
        "days of activity in four weeks that make a contractor resident",
    )


def _in_hours(context: WorkContext, unit: str, event: Mapping[str, Any]) -> bool:
    hours = context.hours(unit, tokyo_date(event["time"]))
    return hours is not None and hours[0] - GRACE <= event["time"] < hours[1] + GRACE


def _piece_by_piece(context: WorkContext, people: Iterable[str]) -> bool:
    """Whether contractors are let in by approvals at all, as far as the last weeks tell."""
    return any(
        context.windows.get(actor) or any(one.kind == "maintenance" for one in context.approvals.get(actor, ()))
        for actor in people
    )


def _resident(window: Window, reader: Reader, actor: str, params: Parameters) -> bool:
    """Whether a contractor sits in the office on many days."""
    rows = reader.aggregate(
        Filter(
            start=window.start - _HISTORY,
            end=window.start,
            actors=(actor,),
            activities=_BY_HAND,
            outcomes=("", "success"),
            hours=(9, 10, 11, 12, 13, 14, 15, 16),
        ),
        (Dimension.DAY, Dimension.SOURCE),
        (Measure.FIRST, Measure.LAST),
    )
    days = {
        row["day"]
        for row in rows
        if not (
            let_in(reader.context, actor, row["source"], row["first"])
            and let_in(reader.context, actor, row["source"], row["last"])
        )
    }
    return len(days) >= params.daily_days


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a contractor and day."""
    context, present = reader.context, contractors(window, reader)
    by_approval = _piece_by_piece(context, {*present, *_contractors_known(context)})
    for actor in sorted(present):
        wanted = Filter(
            start=window.start, end=window.end, actors=(actor,), activities=_BY_HAND, outcomes=("", "success")
        )
        outside: list[dict[str, Any]] = []
        within: list[dict[str, Any]] = []
        for event in reader.columns(wanted, _COLUMNS):
            if not let_in(context, actor, event["source"], event["time"]):
                unit = context.unit_of(actor, event["time"], event["actor_org_unit"])
                (within if _in_hours(context, unit, event) else outside).append(event)
        if within and (not by_approval or _resident(window, reader, actor, params)):
            within = []
        if outside or within:
            yield _draft(context, actor, outside, within)


def _contractors_known(context: WorkContext) -> set[str]:
    return {actor for actor, posts in context.posts.items() if any(post.employment == "contractor" for post in posts)}


def _draft(context: WorkContext, actor: str, outside: list[dict[str, Any]], within: list[dict[str, Any]]) -> Draft:
    events = [*outside, *within]
    first = min(events, key=lambda event: event["time"])
    looks = [event for event in events if event["activity"] in LOOKUPS and event["subjects"]]
    taken = [event for event in events if event["activity"] in _TAKING_OUT]
    score = (0.6 if outside else 0.45) + (0.15 if looks else 0.0) + (0.15 if taken else 0.0)
    name, when = named(context, actor, first["time"]), at_hour(first["time"])
    reasons = [
        Texts(
            f"委託先の {name} が {when.ja} から {len(events)} 件の操作をしました。",
            f"The contractor {name} acted {len(events)} times, from {when.en} on.",
        ),
        Texts(
            "その時間の勤務割当て、保守作業や時間帯の承認はありません。",
            "No duty, approved maintenance or approved time covers it.",
        ),
    ]
    if outside:
        reasons.append(
            Texts(f"{len(outside)} 件は開庁時間の外です。", f"{len(outside)} of the acts are outside office hours.")
        )
    if looks:
        reasons.append(
            Texts(f"住民記録の閲覧などが {len(looks)} 件あります。", f"{len(looks)} of them are look-ups of residents.")
        )
    if taken:
        reasons.append(Texts(f"印刷や出力が {len(taken)} 件あります。", f"{len(taken)} print or take data out."))
    if place_of(first):
        reasons.append(Texts(f"端末は {place_of(first)} です。", f"It was at {place_of(first)}."))
    reasons = [*reasons[:4], *unknown_to_directory(context, actor)]
    title = Texts(f"{name}: 承認のない時間の委託作業", f"{name}: a contractor at work without approval")
    return about_person(actor, events, score, title, reasons)


META = DetectorMeta(
    id="contractor-outside-window",
    version="1.0.0",
    title=Texts("承認のない時間の委託作業", "Contractor outside the approved window"),
    description=Texts(
        "勤務割当て、保守作業の承認、時間帯の承認のどれにも合わない委託先の操作を見つけます。",
        "Finds contractors' acts that no roster, approved maintenance or approved time covers.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1199", "T1078"),
    controls=("C-032", "C-082", "C-120"),
    reads=("time", "activity", "outcome", "actor_id", "actor_kind", "actor_org_unit", "source", "subjects"),
    look_back=_HISTORY,
    runbook=Texts(
        "1. 保守作業の届出と立会い記録を確かめます。\n2. 委託先の責任者に、誰が何のために作業したかの報告を求めます。\n"
        "3. 作業中の閲覧や出力を調べます。",
        "1. Check the notice of maintenance, and the record of whoever was present.\n2. Ask the contractor's manager "
        "who worked and what for.\n3. See what was read or taken out meanwhile.",
    ),
    false_positives=Texts(
        "緊急の障害対応、承認の登録漏れ、承認時間を過ぎた作業。",
        "An urgent repair, an approval that was not entered, work that took longer than approved.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
