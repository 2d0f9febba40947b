"""Inquiries to other bodies, and provisions to them, without permit or purpose, or without a case.

Whether an inquiry has to name its permit and the number of its purpose is learned from the system itself: where nine
of ten do, one without is odd. What no case accounts for weighs more; a blank field in accounted work is carelessness.
Where a system never names them, only several inquiries without a case say something.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from audit.casework import Because, LookUpDimension, LookUpFilter, LookUpMeasure, Result
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.accounted import casework_tells
from detectors.rules.chance import at_least_binomial, likely
from detectors.rules.linkage.inquiries.cases import CASES
from detectors.telling import about_person, at_hour, named

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_ACTS = (_A.INQUIRY, _A.PROVISION)
_COLUMNS = (
    *EVIDENCE_COLUMNS,
    "activity",
    "actor_id",
    "actor_org_unit",
    "case_id",
    "counterparty_body",
    "counterparty_permit",
    "counterparty_purpose_no",
)
_LOOK_BACK = timedelta(days=28)
_UNACCOUNTED = (Result.CONTRADICTED, Result.UNMATCHED)
_ACCOUNTS = (Because.APPROVAL, Because.ASSIGNED, Because.CASE, Because.CITED, Because.COLLEAGUE)
"""What accounts for asking another body, or telling it: one's own change of the record does not."""
_MEANT, _PROPER = 0.005, 0.75
"""How likely somebody means to ask without a case, before anything is known; how sure proper form leaves one."""
_OVERSIGHT = 0.02
_LATELY = 14
_Kind = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    usual_percent: int = setting(
        90,
        "照会の何 % に記載があれば、記載を通例とみなすか",
        "share of inquiries that name something for it to be usual",
    )
    least_past: int = setting(
        10, "通例を判定するのに必要な過去の件数", "how many of the past it takes to tell what is usual"
    )
    residents: int = setting(
        2,
        "記載がそろっていても、案件のない照会が 1 日何人分から（2 週間ではその倍から）検知するか",
        "from how many residents a day inquiries without a case count, and twice as many in two weeks",
    )

    least_score: float = setting(
        0.25, "この確からしさに満たなければ検知しない", "what is less likely is left out, in proper form"
    )


@dataclass(frozen=True, slots=True)
class _Usual:
    """What the acts of a system name, as a rule."""

    permit: bool
    purpose: bool

    def missing(self, event: Mapping[str, Any]) -> tuple[bool, bool]:
        """Whether the permit is missing, and the purpose."""
        return (
            self.permit and not event["counterparty_permit"],
            self.purpose and not event["counterparty_purpose_no"],
        )


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    wanted = Filter(start=window.start, end=window.end, activities=_ACTS, outcomes=("", "success"), staff_only=True)
    if not reader.aggregate(wanted, (), (Measure.EVENTS,))[0]["events"]:
        return
    by = (Dimension.ACTOR, Dimension.SOURCE, Dimension.ACTIVITY)
    rows = reader.aggregate(wanted, by, (Measure.EVENTS, Measure.PERMITS, Measure.PURPOSES))
    usual = _usual(window, reader, wanted, params)
    alone = _without_case(window, reader, sorted({row["source"] for row in rows}))
    people = {
        row["actor"]
        for row in rows
        if row["actor"] in alone
        or (usual[row["source"], row["activity"]].permit and row["permits"] < row["events"])
        or (usual[row["source"], row["activity"]].purpose and row["purposes"] < row["events"])
    }
    if not people:
        return
    acts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in reader.columns(replace(wanted, actors=tuple(sorted(people))), _COLUMNS):
        acts[event["actor_id"]].append(event)
    for actor, events in sorted(acts.items()):
        yield from _judged(window, reader, actor, events, usual, params)


def _usual(window: Window, reader: Reader, wanted: Filter, params: Parameters) -> Mapping[_Kind, _Usual]:
    """By system and kind of act; where a system has hardly a past, what all systems do."""
    rows = reader.aggregate(
        replace(wanted, start=window.start - _LOOK_BACK),
        (Dimension.SOURCE, Dimension.ACTIVITY),
        (Measure.EVENTS, Measure.PERMITS, Measure.PURPOSES),
    )

    def share(measure: str, among: Sequence[Mapping[str, Any]]) -> bool:
        total = sum(row["events"] for row in among)
        naming = sum(row[measure] for row in among)
        return bool(total >= params.least_past and 100 * naming >= params.usual_percent * total)

    found = {}
    for row in rows:
        alike = [one for one in rows if one["activity"] == row["activity"]]
        among = [row] if row["events"] >= params.least_past else alike
        found[row["source"], row["activity"]] = _Usual(share("permits", among), share("purposes", among))
    return found


def _without_case(window: Window, reader: Reader, sources: Sequence[str]) -> set[str]:
    """Who looked at residents without a case in the systems of inquiries."""
    rows = reader.count_look_ups(
        LookUpFilter(
            start=window.day, end=window.day + timedelta(days=1), sources=tuple(sources), results=_UNACCOUNTED
        ),
        (LookUpDimension.ACTOR,),
        (LookUpMeasure.SUBJECTS,),
        {LookUpMeasure.SUBJECTS: 1},
    )
    return {row["actor"] for row in rows}


def _judged(
    window: Window,
    reader: Reader,
    actor: str,
    events: Sequence[dict[str, Any]],
    usual: Mapping[_Kind, _Usual],
    params: Parameters,
) -> Iterable[Draft]:
    unit = reader.context.unit_of(actor, window.start, events[0]["actor_org_unit"])
    tells = casework_tells(window, reader, unit)
    accounted = _accounted(window, reader, actor)
    gaps = [(event, usual[event["source"], event["activity"]].missing(event)) for event in events]
    blank = [event for event, missing in gaps if any(missing)]
    bare = [event for event in blank if not accounted.issuperset(event["subjects"]) or not event["subjects"]]
    stray = [event for event in events if event["subjects"] and accounted.isdisjoint(event["subjects"])]
    number = len({subject for event in bare or blank or stray for subject in event["subjects"]})
    if bare:
        score = (0.6 if tells else 0.4) + 0.06 * min(max(number - 1, 0), 5)
        yield _draft(reader, actor, bare, gaps, score, "case" if tells else "")
    elif blank:
        yield _draft(reader, actor, blank, gaps, 0.15 + 0.02 * min(number, 5), "accounted")
    elif tells and stray:
        chance = _chance(window, reader, actor, events, stray, params)
        if (score := min(_PROPER, likely(_MEANT, chance))) >= params.least_score:
            yield _draft(reader, actor, stray, gaps, score, "case")


def _chance(
    window: Window,
    reader: Reader,
    actor: str,
    events: Sequence[Mapping[str, Any]],
    stray: Sequence[Mapping[str, Any]],
    params: Parameters,
) -> float:
    """How likely it is that so many have no case by oversight: of the day's residents, and of two weeks'."""
    sources = tuple(sorted({event["source"] for event in events}))
    after = window.day + timedelta(days=1)

    def counts(days: int, *who: str) -> tuple[int, int]:
        wanted = LookUpFilter(start=after - timedelta(days=days), end=after, sources=sources, actors=who)
        rows = reader.count_look_ups(wanted, (LookUpDimension.BECAUSE,), (LookUpMeasure.SUBJECTS,))
        return (
            sum(row["subjects"] for row in rows if row["because"] not in _ACCOUNTS),
            sum(row["subjects"] for row in rows),
        )

    own, all_own = counts(_LOOK_BACK.days, actor)
    without, everyone = counts(_LOOK_BACK.days)
    share = max(_OVERSIGHT, (without - own + 1) / (everyone - all_own + 20))
    today, of_today = _residents(stray), _residents(events)
    lately, of_lately = counts(_LATELY, actor)
    chances = [at_least_binomial(today, of_today, min(1.0, share))] if today >= params.residents else []
    if lately >= 2 * params.residents:
        chances.append(at_least_binomial(lately, of_lately, min(1.0, share)))
    return min(chances, default=1.0)


def _residents(events: Sequence[Mapping[str, Any]]) -> int:
    return len({subject for event in events for subject in event["subjects"]})


def _accounted(window: Window, reader: Reader, actor: str) -> set[str]:
    """The residents for whom something accounts for somebody's acts of the day, in any system."""
    wanted = LookUpFilter(start=window.day, end=window.day + timedelta(days=1), actors=(actor,), because=_ACCOUNTS)
    rows = reader.count_look_ups(wanted, (LookUpDimension.SUBJECT,), (LookUpMeasure.LOOKS,))
    return {row["subject"] for row in rows}


def _draft(
    reader: Reader,
    actor: str,
    events: Sequence[dict[str, Any]],
    gaps: Sequence[tuple[dict[str, Any], tuple[bool, bool]]],
    score: float,
    case: str,
) -> Draft:
    at, source = events[0]["time"], events[0]["source"]
    name, when = named(reader.context, actor, at), at_hour(at)
    number = len({subject for event in events for subject in event["subjects"]})
    permit = any(missing[0] for _, missing in gaps)
    purpose = any(missing[1] for _, missing in gaps)
    reasons = [
        Texts(
            f"{name} が {when.ja} から {source} で、他の機関との照会・提供を {len(events)} 件"
            f"（{number} 人分）行いました。",
            f"From {when.en}, {name} made {len(events)} inquiries or provisions in {source}, for {number} residents.",
        )
    ]
    if permit or purpose:
        ja = "と".join([*(["許可"] if permit else []), *(["事務の番号"] if purpose else [])])
        en = " and ".join([*(["the permit"] if permit else []), *(["the number of the purpose"] if purpose else [])])
        reasons.append(
            Texts(
                f"このシステムではほとんどの照会に記される{ja}がありません。",
                f"What nearly all others in this system name is missing: {en}.",
            )
        )
    reasons.append(
        {
            "case": Texts(
                "対象の住民について、本人や所属の案件も見当たりません。",
                "No case of theirs or of their unit accounts for these residents.",
            ),
            "accounted": Texts(
                "対象の住民については案件があり、記入漏れと思われます。",
                "There is a case for these residents: the field was probably forgotten.",
            ),
            "": Texts(
                "この所属の案件はほとんど取り込まれていないため、根拠の有無はわかりません。",
                "Hardly any cases of this unit are imported, so nothing can be said about why.",
            ),
        }[case]
    )
    title = Texts(f"{name} による根拠のない情報照会・提供", f"{name} asked or told other bodies without ground")
    return about_person(actor, events, score, title, reasons)


META = DetectorMeta(
    id="inquiry-without-permit",
    version="1.0.0",
    title=Texts("許可や案件のない情報照会・提供", "Inquiry or provision without permit or case"),
    description=Texts(
        "他の機関への照会や提供で、通例記される許可や事務の番号がないもの、案件のないものを見つけます。",
        "Finds inquiries to other bodies and provisions to them that lack the permit or purpose that others name, or "
        "that no case accounts for.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1213",),
    controls=("C-018", "C-104", "C-105"),
    reads=("time", "outcome", "source", "subjects", *_COLUMNS[len(EVIDENCE_COLUMNS) :]),
    look_back=_LOOK_BACK,
    runbook=Texts(
        "1. どの事務のどの手続きの照会か、本人に確かめます。\n2. 情報提供等記録と申請書を突き合わせます。\n"
        "3. 根拠がなければ、照会先に取消しを連絡し、番号法上の報告の要否を検討します。",
        "1. Ask which procedure of which affair it was for.\n2. Compare the record of provision with the application.\n"
        "3. Without ground, tell the other body, and consider whether a report under the Number Act is due.",
    ),
    false_positives=Texts(
        "許可番号の記入漏れ、電話で急ぎ依頼された照会、接続の試験。",
        "A forgotten number, an urgent inquiry asked for by telephone, a test of the connection.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
