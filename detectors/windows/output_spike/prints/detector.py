"""An unusual number of residents printed or copied from the screen in a day, without a case.

A certificate has its application, a notice its case. What is counted are residents whose record somebody printed or
copied and for whom no case, approved list or change accounts; that a unit's work is printing is taken as no account
here, because a day of copying would itself make it look so. The number is compared with the person's own four weeks
on the scale of square roots; when the whole unit prints more that day, as much is allowed for.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure
from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.evidence import evidence_of_look_ups
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.outputs.approvals import Approvals
from detectors.rules.outputs.casework import UNACCOUNTED_PRINTS, cases_delivered
from detectors.rules.sentences import listed, main_source
from detectors.telling import at_hour, named, severity_of
from detectors.windows.output_spike.prints.cases import CASES

__all__ = ["DETECTOR", "Parameters"]

_D, _M = LookUpDimension, LookUpMeasure
_LOOK_BACK = timedelta(days=28)
_CHANCE = 0.5
"""Standard deviation of the square root of a count that scatters by chance alone."""
_LEAST_USUAL = 0.3
_PEERS = 3


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    minimum: int = setting(6, "この人数より少なければ検知しない", "fewer residents than this are never a finding")
    times_usual: float = setting(3.0, "ふだんの何倍から検知するか", "how many times the usual number is odd")
    times_busiest: float = setting(
        1.5, "過去の多い日（突出した 1 日を除く）の何倍から検知するか", "how many times the busiest day but one is odd"
    )
    deviations: float = setting(3.0, "ふだんから標準偏差の何倍で検知するか", "how many standard deviations are odd")
    enough_days: int = setting(
        5, "本人の記録がこの日数より少なければ所属と比べる", "with fewer days of one's own, the unit's are taken"
    )


@dataclass(frozen=True, slots=True)
class _Past:
    """How many residents somebody printed a day without a case, over how many days at work."""

    printed: Mapping[str, int]
    days: Mapping[str, int]

    def mean(self, actor: str) -> float:
        return self.printed.get(actor, 0) / max(self.days.get(actor, 0), 1)


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    day = LookUpFilter(start=window.day, end=window.day + timedelta(days=1))
    if _weak(reader.count_look_ups(day, (_D.BECAUSE,), (_M.PRINTED,))) < params.minimum:
        return
    today = _by_actor(reader.count_look_ups(day, (_D.ACTOR, _D.BECAUSE), (_M.PRINTED,), {_M.PRINTED: 1}))
    if not any(count >= params.minimum for count in today.values()):
        return
    earlier = LookUpFilter(start=window.day - _LOOK_BACK, end=window.day, actors=tuple(sorted(today)))
    past = _Past(
        _by_actor(reader.count_look_ups(earlier, (_D.ACTOR, _D.BECAUSE), (_M.PRINTED,), {_M.PRINTED: 1})),
        {row["actor"]: row["days"] for row in reader.count_look_ups(earlier, (_D.ACTOR,), (_M.DAYS,))},
    )
    units = {row["actor"]: row["unit"] for row in reader.count_look_ups(day, (_D.ACTOR, _D.UNIT), (_M.LOOKS,))}
    approvals = Approvals.of(reader.context)
    for actor, count in sorted(today.items()):
        if count < params.minimum:
            continue
        usual = _usual(actor, units, today, past, params)
        if not _odd(count, usual, params) or count < params.times_busiest * _busiest(window, reader, actor):
            continue
        found = _printed(day, reader, actor, approvals)
        residents = len({one.subject for one in found})
        if residents >= params.minimum and _odd(residents, usual, params):
            tells = cases_delivered(window, reader, units[actor])
            yield _draft(reader, actor, found, usual, past.days.get(actor, 0), tells=tells)


def _weak(rows: Iterable[Mapping[str, object]]) -> int:
    return sum(int(str(row["printed"])) for row in rows if row["because"] in UNACCOUNTED_PRINTS)


def _by_actor(rows: Iterable[Mapping[str, object]]) -> dict[str, int]:
    by_actor: dict[str, list[Mapping[str, object]]] = defaultdict(list)
    for row in rows:
        by_actor[str(row["actor"])].append(row)
    return {actor: found for actor, theirs in by_actor.items() if (found := _weak(theirs))}


def _usual(actor: str, units: Mapping[str, str], today: Mapping[str, int], past: _Past, params: Parameters) -> float:
    """How many are to be expected of somebody that day: own past, or the unit's, and how busy the unit is."""
    peers = [one for one in sorted(today) if one != actor and units.get(one) == units.get(actor)]
    known = [one for one in peers if past.days.get(one, 0) >= params.enough_days]
    ratios = [today[one] / max(past.mean(one), _LEAST_USUAL) for one in known]
    busy = min(3.0, max(1.0, median(ratios))) if len(ratios) >= _PEERS else 1.0
    own = past.mean(actor)
    if past.days.get(actor, 0) < params.enough_days and known:
        own = median(past.mean(one) for one in known)
    return max(own, _LEAST_USUAL) * busy


def _deviation(count: int, usual: float) -> float:
    return (math.sqrt(count) - math.sqrt(usual)) / _CHANCE


def _odd(count: int, usual: float, params: Parameters) -> bool:
    return count >= params.times_usual * usual and _deviation(count, usual) >= params.deviations


def _busiest(window: Window, reader: Reader, actor: str) -> int:
    """The busiest day but one of four weeks: one odd day must not hide the next."""
    earlier = LookUpFilter(start=window.day - _LOOK_BACK, end=window.day, actors=(actor,))
    days: dict[object, int] = defaultdict(int)
    for row in reader.count_look_ups(earlier, (_D.DAY, _D.BECAUSE), (_M.PRINTED,), {_M.PRINTED: 1}):
        days[row["day"]] += _weak([row])
    counts = sorted(days.values())
    return counts[-2] if len(counts) > 1 else 0


def _printed(day: LookUpFilter, reader: Reader, actor: str, approvals: Approvals) -> list[LookUp]:
    """What somebody printed without a case, and without an approved list."""
    wanted = LookUpFilter(start=day.start, end=day.end, actors=(actor,), because=UNACCOUNTED_PRINTS, printed=True)
    return [
        one
        for one in reader.look_ups(wanted)
        if not any(approvals.in_force(actor, one.source, one.last, ("export", "print")))
    ]


def _draft(reader: Reader, actor: str, found: Sequence[LookUp], usual: float, days: int, *, tells: bool) -> Draft:
    residents = list(dict.fromkeys(one.subject for one in found))
    at = found[0].first
    name, when, shown = named(reader.context, actor, at), at_hour(at), listed(residents)
    guarded = len({one.subject for one in found if "protected" in one.flags})
    score = (0.25 + 0.05 * _deviation(len(residents), usual)) * (1.0 if tells else 0.6) + 0.1 * bool(guarded)
    score = round(min(0.9, score), 4)
    reasons = [
        Texts(
            f"{name} が {when.ja} から {len(residents)} 人の記録を印刷または画面複写しました（{shown.ja}）。",
            f"From {when.en}, {name} printed or copied the records of {len(residents)} residents: {shown.en}.",
        ),
        Texts(
            f"案件のない印刷は、ふだん 1 日 {usual:.1f} 人ほどです（本人の過去 {days} 日などによる）。",
            f"About {usual:.1f} a day without a case are usual, by {days} days of their own and the unit's day.",
        ),
        Texts(
            "これらの住民について、案件も承認された一覧作業も見当たりません。",
            "No case and no approved list accounts for these residents.",
        )
        if tells
        else Texts(
            "この所属の案件はほとんど取り込まれていないため、根拠の有無はわかりません。",
            "Hardly any cases of this unit are imported, so nothing can be said about why.",
        ),
    ]
    if guarded:
        reasons.append(
            Texts(f"{guarded} 人は支援措置などの対象者です。", f"Of these residents, {guarded} are under protection.")
        )
    return Draft(
        entity=actor,
        severity=severity_of(score, Severity.HIGH),
        score=score,
        actors=(actor,),
        subjects=tuple(residents)[:20],
        source=main_source(found),
        title=Texts(f"{name} による印刷・画面複写の急増", f"{name} printed or copied unusually many records"),
        reasons=tuple(reasons),
        baseline=(
            (Texts("ふだんの人数", "Usual number of residents"), round(usual, 2)),
            (Texts("この日の人数", "Residents that day"), float(len(residents))),
        ),
        **evidence_of_look_ups(found),
    )


META = DetectorMeta(
    id="print-spike",
    version="1.0.0",
    title=Texts("印刷・画面複写の急増", "Unusually many prints and screen copies"),
    description=Texts(
        "案件のない住民の記録の印刷や画面複写が、本人のふだんと所属のその日を大きく超えたことを見つけます。",
        "Finds prints and screen copies of residents without a case, far above what the person usually makes and the "
        "unit's day explains.",
    ),
    family="windows",
    analytic_type=AnalyticType.STATISTICAL,
    severity=Severity.HIGH,
    techniques=("T1113", "T1213"),
    controls=("C-027", "C-086"),
    reads=("time", "activity", "outcome", "actor_id", "actor_kind", "actor_org_unit", "source", "subjects", "case_id"),
    look_back=_LOOK_BACK,
    runbook=Texts(
        "1. 印刷物の部数と所在を、本人と所属長に確かめます。\n"
        "2. 対象の住民に共通点（地区、名字、職業）がないか見ます。\n"
        "3. 説明がつかなければ、印刷物を回収します。",
        "1. Ask the person and their manager how many sheets there are and where.\n"
        "2. See what these residents have in common: a district, a surname, a trade.\n"
        "3. Without an explanation, have the sheets returned.",
    ),
    false_positives=Texts(
        "案件が取り込まれない業務の通知や証明の印刷、画面の不具合を伝えるための複写。",
        "Notices or certificates of work whose cases are not imported, copies made to show a fault of the screen.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
