"""A contractor who came for the machines and reads residents' records, or takes data out.

Contractors whose work is residents, like those who run a counter, read records on most of the days they are here, and
casework accounts for them; this is about the others. A single record may be a test; several that no case accounts for,
a statement that brings up many, or an output that nobody approved, are not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.casework import Because, LookUp, LookUpDimension, LookUpFilter, LookUpMeasure
from audit.events import LOOKUPS, Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.accounted import unaccounted
from detectors.rules.contractors.people import contractors, let_in
from detectors.rules.contractors.reads_residents.cases import CASES
from detectors.telling import about_person, at_hour, named, unknown_to_directory

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_HISTORY = timedelta(days=28)
_TAKING_OUT = (_A.EXPORT, _A.DOWNLOAD, _A.MEDIA_WRITE)
_APPROVALS = ("export", "media", "transfer")
_BY_CASE = (Because.ASSIGNED, Because.CASE, Because.CITED)
_SOME = 3
"""So many residents whom a contractor sees for a case of theirs show desk work."""
_READING = tuple(sorted(LOOKUPS | {_A.OPERATION}))
_COLUMNS = (*EVIDENCE_COLUMNS, "activity", "export_rows", "query_hits", "subject_count")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    residents: int = setting(
        2, "業務記録のない住民を何人閲覧したら検知するか", "so many residents without a case are a finding"
    )
    records: int = setting(
        100, "一回で何件を読み出したら検知するか", "records brought up by one act that are a finding"
    )
    reading_percent: int = setting(
        40,
        "過去 28 日に活動した日の何 % で住民を閲覧していれば、それが仕事とみなすか",
        "share of the days here with look-ups that makes reading a contractor's work",
    )


def _reading_is_work(window: Window, reader: Reader, actor: str, params: Parameters) -> bool:
    """Whether a contractor has read residents' records on most of their days here."""
    before = window.start - _HISTORY
    looked = reader.count_look_ups(
        LookUpFilter(start=window.day - _HISTORY, end=window.day, actors=(actor,)),
        (LookUpDimension.ACTOR,),
        (LookUpMeasure.DAYS,),
    )
    here = reader.aggregate(
        Filter(start=before, end=window.start, actors=(actor,), outcomes=("", "success")),
        (Dimension.ACTOR,),
        (Measure.DAYS,),
    )
    days = looked[0]["days"] if looked else 0
    return days >= 3 and days * 100 >= params.reading_percent * (here[0]["days"] if here else 0)


def _at_the_desk(window: Window, reader: Reader, actor: str, unaccounted_for: int) -> bool:
    """Whether casework accounts for most of what a contractor reads that day: desk work that was given away."""
    wanted = LookUpFilter(start=window.day, end=window.day + timedelta(days=1), actors=(actor,), becauses=_BY_CASE)
    rows = reader.count_look_ups(wanted, (LookUpDimension.ACTOR,), (LookUpMeasure.SUBJECTS,))
    return bool(rows) and rows[0]["subjects"] >= max(_SOME, unaccounted_for)


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a contractor and day."""
    for actor in sorted(contractors(window, reader)):
        taken, bulk = _taken(window, reader, actor), _bulk(window, reader, actor, params)
        looked = unaccounted(window, reader, actor)
        enough = len(looked) >= params.residents or (looked and (taken or bulk))
        if not (enough or taken or bulk) or _at_the_desk(window, reader, actor, len(looked)):
            continue
        if not _reading_is_work(window, reader, actor, params):
            yield _draft(window, reader, actor, looked if enough else [], taken, bulk)


def _records(event: Mapping[str, Any]) -> int:
    return max(event["query_hits"] or 0, event["subject_count"] or 0)


def _bulk(window: Window, reader: Reader, actor: str, params: Parameters) -> list[dict[str, Any]]:
    """Acts that each brought up many records and that nobody approved as list work."""
    wanted = Filter(start=window.start, end=window.end, actors=(actor,), activities=_READING, outcomes=("", "success"))
    return [
        event
        for event in reader.columns(wanted, _COLUMNS)
        if _records(event) >= params.records
        and not any(reader.context.approved(kind, actor, event["source"], event["time"]) for kind in _APPROVALS)
    ]


def _taken(window: Window, reader: Reader, actor: str) -> list[dict[str, Any]]:
    wanted = Filter(
        start=window.start, end=window.end, actors=(actor,), activities=_TAKING_OUT, outcomes=("", "success")
    )
    return [
        event
        for event in reader.columns(wanted, _COLUMNS)
        if not any(reader.context.approved(kind, actor, event["source"], event["time"]) for kind in _APPROVALS)
    ]


def _draft(
    window: Window,
    reader: Reader,
    actor: str,
    looked: list[LookUp],
    taken: list[dict[str, Any]],
    bulk: list[dict[str, Any]],
) -> Draft:
    context = reader.context
    first_acts = Filter(
        start=window.start,
        end=window.end,
        actors=(actor,),
        event_ids=tuple(sorted({look_up.event_id for look_up in looked})),
    )
    acts: list[Mapping[str, Any]] = [*reader.columns(first_acts, EVIDENCE_COLUMNS)] if looked else []
    wanted = {look_up.evidence for look_up in looked}
    events = {key: event for event in acts if (key := f"{event['source']}:{event['event_id']}") in wanted}
    events |= {f"{event['source']}:{event['event_id']}": event for event in (*taken, *bulk)}
    first = min(events.values(), key=lambda event: event["time"])
    outside = not let_in(context, actor, first["source"], first["time"])
    flagged = sum(bool({"protected", "vip"} & set(look_up.flags)) for look_up in looked)
    score = 0.5 + 0.03 * min(len(looked), 5) + (0.15 if taken else 0.0) + (0.1 if flagged else 0.0)
    score += 0.15 if bulk else 0.0 if looked else -0.15
    name, when = named(context, actor, first["time"]), at_hour(first["time"])
    reasons = [
        Texts(
            f"委託先の {name} が {when.ja} から、住民の記録を閲覧または出力しました"
            f"（業務の記録がない住民 {len(looked)} 人）。",
            f"From {when.en} on the contractor {name} read residents' records or took them out "
            f"({len(looked)} residents without a case).",
        ),
        Texts("この人はふだん住民の記録を閲覧していません。", "This person does not usually read residents' records."),
    ]
    if bulk:
        most = max(_records(event) for event in bulk)
        reasons.append(
            Texts(
                f"一回で多数の記録を読み出した操作が {len(bulk)} 件あり、最も多いものは {most} 件です。",
                f"{len(bulk)} acts brought up many records at once, {most} at most.",
            )
        )
    if taken:
        rows = sum(event["export_rows"] or 0 for event in taken)
        reasons.append(
            Texts(
                f"承認のない出力が {len(taken)} 件（{rows} 行）あります。",
                f"{len(taken)} outputs ({rows} rows) that nobody approved.",
            )
        )
    reasons.append(
        Texts("保守作業の承認もありません。", "No maintenance is approved for that time either.")
        if outside
        else Texts("承認された保守作業の時間内です。", "It was within the time of approved work.")
    )
    if flagged:
        reasons.append(
            Texts(
                f"{flagged} 人は支援措置などで保護された住民です。",
                f"{flagged} of them are protected or prominent residents.",
            )
        )
    reasons = [*reasons, *unknown_to_directory(context, actor)][:5]
    title = Texts(f"{name}: 委託先による住民記録の閲覧", f"{name}: a contractor reads residents' records")
    return about_person(actor, list(events.values()), score, title, reasons)


META = DetectorMeta(
    id="contractor-reads-residents",
    version="1.1.0",
    title=Texts("委託先による住民記録の閲覧・出力", "Contractor reads residents' records"),
    description=Texts(
        "保守などの委託先が、業務の記録なしに住民の記録を閲覧したり、承認なしに出力したものを見つけます。",
        "Finds contractors who read residents' records without a case, or take data out without an approval.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1199", "T1213"),
    controls=("C-032", "C-120", "C-121"),
    reads=("time", "activity", "outcome", "actor_id", "actor_kind", "source", "subjects", "export_rows"),
    look_back=_HISTORY,
    runbook=Texts(
        "1. 作業指示書に、住民の記録を見る必要があるかを確かめます。\n2. 委託先の責任者に報告を求めます。\n"
        "3. 出力したものの所在と消去を確かめます。",
        "1. See in the work order whether records had to be looked at.\n2. Ask the contractor's manager for a report.\n"
        "3. Find what was taken out, and see it erased.",
    ),
    false_positives=Texts(
        "障害の再現に実データが要った保守、始まったばかりの窓口委託。",
        "A fault that could only be reproduced with real records, a counter contract that has just begun.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
