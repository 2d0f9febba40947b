"""More look-ups in a day than usual that nothing accounts for: no case, no approval, no change, no colleague's work.

Two to four of a hundred honest look-ups have nothing on record, so the number alone says little: it is weighed against
the share that is usual in the unit and in the person's own past. Where nothing is entered as cases, nothing stands
out, and the detector is silent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure
from audit.clock import TOKYO
from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.evidence import evidence_of_look_ups
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.accounted import by_person
from detectors.rules.chance import likely
from detectors.rules.kind import READS
from detectors.rules.sentences import circumstances, main_source
from detectors.windows.shares import UNACCOUNTED, Tally, Usual, at_least_beta_binomial, counted, supervised
from detectors.windows.unaccounted.cases import CASES

__all__ = ["DETECTOR", "Parameters"]

_BEFORE = 2e-3
"""On so many working days of a person in one is such a series meant, before it is looked at."""
_MOST = 0.02
"""What speaks for intent beside the number raises that to this at most."""
_OWN = 60
"""Visits of one's own that count as evidence, at most: habits change."""
_UNIT = 10.0, 40.0
"""The unit's share is worth so many visits of one's own: the fewer, the more of these there are."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    history_days: int = setting(
        28, "ふだんの割合を何日前までみるか", "how far back the usual share is taken from", most=28
    )
    minimum: int = setting(
        4, "根拠のない照会がこの世帯数より少なければ検知しない", "fewer households than this are never a finding"
    )
    least_score: float = setting(0.12, "この確からしさに満たなければ検知しない", "what is less likely is left out")


@dataclass(frozen=True, slots=True)
class _Day:
    """A person's day beside what is usual."""

    odd: int
    of: int
    share: float
    usual: Usual
    chance: float


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    day, after = window.day, window.day + timedelta(days=1)
    rows = reader.count_look_ups(
        LookUpFilter(start=day, end=after, results=UNACCOUNTED),
        (LookUpDimension.ACTOR,),
        (LookUpMeasure.VISITS,),
        {LookUpMeasure.VISITS: params.minimum},
    )
    many = {row["actor"]: int(row["visits"]) for row in rows}
    if not many:
        return
    today = counted(reader, day, after, many)
    past = counted(reader, day - timedelta(days=params.history_days), after)
    odd = [
        actor
        for actor in sorted(many)
        if (judged := _judge(actor, today.unaccounted[actor], today, past)) is not None
        and likely(_MOST, judged.chance) >= params.least_score
    ]
    found = by_person(reader, LookUpFilter(start=day, end=after, results=UNACCOUNTED), odd)
    for actor in odd:
        look_ups = [one for one in found[actor] if not supervised(reader.context, one)]
        homes = len({one.household for one in look_ups})
        judged = _judge(actor, homes, today, past) if homes >= params.minimum else None
        if judged is None:
            continue
        factor, why = circumstances(reader.context, look_ups)
        score = likely(min(_MOST, _BEFORE * factor), judged.chance)
        if score >= params.least_score:
            yield _draft(reader, window, actor, judged, look_ups, score, why)


def _judge(actor: str, odd: int, today: Tally, past: Tally) -> _Day | None:
    """How likely chance alone had done as much: by the unit's share, moved towards the person's own."""
    usual = past.usual(actor, today.unit[actor])
    if usual is None:
        return None
    of = today.all[actor]
    own, own_odd = past.all[actor] - of, past.unaccounted[actor] - today.unaccounted[actor]
    weight = min(1.0, _OWN / own) if own else 0.0
    least, most = _UNIT
    unit = min(usual.strength, max(least, most - own))
    strength = unit + weight * own
    share = (unit * usual.share + weight * own_odd) / strength
    return _Day(odd, of, share, usual, at_least_beta_binomial(odd, of, share, strength))


def _draft(
    reader: Reader,
    window: Window,
    actor: str,
    judged: _Day,
    look_ups: Sequence[LookUp],
    score: float,
    why: Sequence[Texts],
) -> Draft:
    name = reader.context.name_of(actor, window.start) or actor
    first, last = (at.astimezone(TOKYO) for at in (min(o.first for o in look_ups), max(o.last for o in look_ups)))
    reasons = (
        Texts(
            f"{name}（{actor}）がこの日に見た {judged.of} 世帯のうち {judged.odd} 世帯には、"
            "案件も承認も、その後の処理も見当たりません。",
            f"Of {judged.of} households that {name} ({actor}) looked at that day, {judged.odd} have no case, "
            "no approval and no work that followed.",
        ),
        Texts(
            f"所属と本人のこれまでの割合（{judged.share:.0%}）なら {judged.of * judged.share:.1f} 世帯ほどです。",
            f"Going by the share that is usual for the unit and for them ({judged.share:.0%}), about "
            f"{judged.of * judged.share:.1f} were to be expected.",
        ),
        Texts(
            f"該当する照会は {first:%H:%M} から {last:%H:%M} までの間です。",
            f"These look-ups were made between {first:%H:%M} and {last:%H:%M}.",
        ),
        *why,
    )
    return Draft(
        entity=actor,
        severity=Severity.HIGH if score >= 0.75 else Severity.MEDIUM if score >= 0.5 else Severity.LOW,
        score=score,
        actors=(actor,),
        subjects=tuple(dict.fromkeys(one.subject for one in look_ups))[:20],
        source=main_source(look_ups),
        title=Texts(
            f"{name} の根拠のない照会が多い（{judged.odd} 世帯）",
            f"{name}: many look-ups without a case ({judged.odd} households)",
        ),
        reasons=reasons[:5],
        baseline=(
            (Texts("所属のふだんの割合（％）", "The unit's usual share (%)"), round(100 * judged.usual.share, 1)),
            (Texts("見込まれる世帯数", "Households expected"), round(judged.of * judged.share, 1)),
            (Texts("根拠のない世帯数", "Households without a case"), float(judged.odd)),
        ),
        **evidence_of_look_ups(look_ups),
    )


META = DetectorMeta(
    id="unaccounted-look-ups",
    version="1.1.0",
    title=Texts("根拠のない照会の増加", "Many look-ups without a case"),
    description=Texts(
        "案件、承認、処理のいずれにも結びつかない照会が、所属と本人のふだんの割合より多い日を見つけます。",
        "Finds days on which more look-ups than is usual for unit and person are tied to no case, approval or work.",
    ),
    family="windows",
    analytic_type=AnalyticType.STATISTICAL,
    severity=Severity.HIGH,
    techniques=("T1213",),
    controls=("C-083", "C-084", "field H3"),
    reads=READS,
    look_back=timedelta(days=28),
    runbook=Texts(
        "1. 受付の入力漏れや、電話での問合せが続いた日でないか所属に確かめます。\n"
        "2. 見られた住民に共通点（住所、世帯、話題）がないか見ます。\n3. 説明がつかなければ本人に照会します。",
        "1. Ask the unit whether visits went unentered or many people telephoned that day.\n"
        "2. See what the residents have in common (address, household, a topic).\n"
        "3. Without an explanation, ask the person.",
    ),
    false_positives=Texts(
        "案件の入力の遅れ、指示が記録に残らない一覧の確認、新しい事務の開始。",
        "Cases entered late, checks of a list ordered by word of mouth, a new kind of work.",
    ),
    references=("field H3",),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
