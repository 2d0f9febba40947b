"""An unusual number of people looked up in a day.

The measure is the number of distinct people whose records a person saw. It is compared with the person's own last
four weeks and, when the whole unit is busy, with what the colleagues' day explains. Counts are compared on the scale
of square roots, on which chance scatter is the same for few and for many; the median and the spread around it do not
move for one odd day. Someone without a past of their own is compared with the colleagues of the unit.

Much work is no misuse: a day of many people is odd only if what goes beyond the usual is not accounted for by cases,
approvals or changes of the record.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure
from audit.clock import tokyo_date
from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.evidence import evidence_of_look_ups
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.sentences import main_source
from detectors.windows.look_up_volume.cases import CASES
from detectors.windows.shares import UNACCOUNTED, supervised

__all__ = ["DETECTOR", "Parameters"]

_CHANCE = 0.5
"""Standard deviation of the square root of a count that scatters by chance alone."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    history_days: int = setting(28, "本人の過去を何日前までみるか", "how far back the own past goes", most=28)
    enough_days: int = setting(
        5,
        "本人の記録がこの日数より少なければ、同じ所属の職員と比べる",
        "with fewer days of one's own, the colleagues' are taken",
    )
    minimum: int = setting(15, "この人数より少なければ検知しない", "fewer people than this are never a finding")
    times_usual: float = setting(2.5, "見込みの何倍から検知するか", "how many times the expected number is odd")
    deviations: float = setting(
        2.5, "見込みから標準偏差の何倍離れたら検知するか", "how many standard deviations above it"
    )
    times_busiest: float = setting(
        1.5,
        "過去の最も忙しかった日（突出した 1 日を除く）の何倍から検知するか",
        "how many times the busiest of the past days, leaving out one that stands alone",
    )
    unaccounted_share: float = setting(
        0.5,
        "見込みを超えた人数のうち、根拠のない照会が占める割合",
        "the least part of what goes beyond the expected that nothing accounts for",
    )
    busiest_factor: float = setting(
        3.0,
        "所属全体の忙しさで説明できる増加は何倍までか",
        "how much more work the colleagues' day may explain at most",
    )


@dataclass(frozen=True, slots=True)
class _Expected:
    """What is usual for one person on one day."""

    people: float
    spread: float
    usual: float
    busiest: float
    day_factor: float
    peers: int
    peers_median: float
    own_days: int
    """Days of their own past that were compared with; 0 when the colleagues' were."""


def _spread(counts: Sequence[float]) -> float:
    roots = [math.sqrt(count) for count in counts]
    middle = median(roots)
    return max(_CHANCE, 1.4826 * median(abs(root - middle) for root in roots))


def _expect(
    actor: str,
    peers: frozenset[str],
    today: Mapping[str, int],
    past: Mapping[str, Mapping[date, int]],
    params: Parameters,
) -> _Expected | None:
    others = sorted(peer for peer in peers if peer != actor)
    ratios = [
        today[peer] / median(past[peer].values())
        for peer in others
        if today.get(peer) and len(past.get(peer, {})) >= params.enough_days
    ]
    factor = min(params.busiest_factor, max(1.0, median(ratios))) if len(ratios) >= 3 else 1.0
    peers_today = [today[peer] for peer in others if today.get(peer)]
    peers_median = float(median(peers_today)) if peers_today else 0.0
    own = list(past.get(actor, {}).values())
    alone = len(own) >= params.enough_days
    counts = own if alone else [count for peer in others for count in past.get(peer, {}).values()]
    if len(counts) < params.enough_days:
        return None
    usual = float(median(counts))
    return _Expected(
        people=usual * factor,
        spread=_spread(counts),
        usual=usual,
        busiest=sorted(counts)[-2] * factor,  # the second: one odd day must not hide the next
        day_factor=factor,
        peers=len(peers_today),
        peers_median=peers_median,
        own_days=len(own) if alone else 0,
    )


def _units(reader: Reader, wanted: LookUpFilter, at: datetime) -> dict[str, str]:
    """Everyone's unit: that of the post held, else the one that their latest look-ups name."""
    rows = reader.count_look_ups(wanted, (LookUpDimension.ACTOR, LookUpDimension.UNIT), (LookUpMeasure.LAST,))
    rows.sort(key=lambda row: (row["unit"] != "", row["last"], row["unit"]))
    return {row["actor"]: reader.context.unit_of(row["actor"], at, row["unit"]) for row in rows}


def _odd(people: int, expected: _Expected, params: Parameters) -> float:
    """How many standard deviations above what is usual; 0 when it is within bounds."""
    deviation = (math.sqrt(people) - math.sqrt(expected.people)) / expected.spread
    odd = (
        people >= params.minimum
        and people >= params.times_usual * max(expected.people, 1.0)
        and people >= params.times_busiest * expected.busiest
        and deviation >= params.deviations
    )
    return deviation if odd else 0.0


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    first, last = tokyo_date(window.start - timedelta(days=params.history_days)), window.day
    wanted = LookUpFilter(start=first, end=last + timedelta(days=1))
    today: dict[str, int] = {}
    past: dict[str, dict[date, int]] = defaultdict(dict)
    by = (LookUpDimension.ACTOR, LookUpDimension.DAY)
    for row in reader.count_look_ups(wanted, by, (LookUpMeasure.SUBJECTS,)):
        if row["day"] == window.day:
            today[row["actor"]] = row["subjects"]
        else:
            past[row["actor"]][row["day"]] = row["subjects"]
    unit = _units(reader, wanted, window.start)
    members: dict[str, set[str]] = defaultdict(set)
    for actor, name in unit.items():
        members[name].add(actor)
    for actor in sorted(today):
        if today[actor] < params.minimum:
            continue
        expected = _expect(actor, frozenset(members[unit[actor]]), today, past, params)
        if expected is None or not _odd(today[actor], expected, params):
            continue
        unaccounted = _unaccounted(reader, window, actor)
        people = len({one.subject for one in unaccounted})
        if people >= params.unaccounted_share * (today[actor] - expected.people):
            deviation = _odd(today[actor], expected, params)
            yield _draft(reader, window, actor, today[actor], expected, deviation, unaccounted)


def _unaccounted(reader: Reader, window: Window, actor: str) -> list[LookUp]:
    """A person's look-ups of the day that nothing accounts for: no case, change or approval, no training either."""
    day = window.day
    wanted = LookUpFilter(start=day, end=day + timedelta(days=1), actors=(actor,), results=UNACCOUNTED)
    return [one for one in reader.look_ups(wanted) if not supervised(reader.context, one)]


def _draft(
    reader: Reader,
    window: Window,
    actor: str,
    people: int,
    expected: _Expected,
    deviation: float,
    unaccounted: Sequence[LookUp],
) -> Draft:
    name = reader.context.name_of(actor, window.start) or actor
    times = people / max(expected.usual, 1.0)
    subjects = tuple(dict.fromkeys(one.subject for one in unaccounted))
    own = expected.own_days > 0
    reasons = [
        Texts(
            f"{name}（{actor}）がこの日に閲覧などをした住民は {people} 人です。",
            f"{name} ({actor}) looked up {people} different people that day.",
        ),
        Texts(
            f"ふだん（過去 {expected.own_days} 日の中央値）は 1 日 {expected.usual:.0f} 人で、その {times:.1f} 倍です。"
            if own
            else f"本人の記録が少ないため同じ所属と比べました。ふだんは 1 日 {expected.usual:.0f} 人です。",
            f"Usual is {expected.usual:.0f} a day (median of {expected.own_days} days of their own): "
            f"{times:.1f} times that."
            if own
            else f"They have little past of their own; in their unit {expected.usual:.0f} a day is usual.",
        ),
        Texts(
            f"うち {len(subjects)} 人には、案件も承認も処理も見当たりません。",
            f"For {len(subjects)} of them there is no case, no approval and no work that followed.",
        ),
    ]
    if expected.peers:
        reasons.append(
            Texts(
                f"同じ所属の {expected.peers} 人の、この日の中央値は {expected.peers_median:.0f} 人でした。",
                f"The median of {expected.peers} colleagues in the unit that day was {expected.peers_median:.0f}.",
            )
        )
    if expected.day_factor > 1.05:
        reasons.append(
            Texts(
                f"所属全体が忙しい日であること（ふだんの {expected.day_factor:.1f} 倍）は差し引いてあります。",
                f"That the whole unit was busy ({expected.day_factor:.1f} times usual) has been allowed for.",
            )
        )
    known = 1 - len(subjects) / people
    score = min(0.95, 0.35 + 0.04 * deviation + 0.03 * min(times, 10.0)) * (1 - known / 2)
    return Draft(
        entity=actor,
        severity=Severity.HIGH if score >= 0.75 else Severity.MEDIUM,
        score=score,
        actors=(actor,),
        subjects=subjects[:20],
        source=main_source(unaccounted),
        title=Texts(
            f"{name} の閲覧人数が多い（{people} 人、ふだんの {times:.1f} 倍）",
            f"{name} looked up unusually many people ({people}, {times:.1f} times usual)",
        ),
        reasons=tuple(reasons),
        baseline=(
            (
                Texts("本人のふだん", "Their own usual") if own else Texts("同じ所属のふだん", "The unit's usual"),
                expected.usual,
            ),
            (Texts("この日に見込まれる数", "Expected that day"), round(expected.people, 1)),
            (Texts("同じ所属（この日）", "Colleagues that day"), expected.peers_median),
            (Texts("この日", "That day"), float(people)),
        ),
        **evidence_of_look_ups(unaccounted),
    )


META = DetectorMeta(
    id="look-up-volume",
    version="1.1.0",
    title=Texts("閲覧人数の急増", "Unusually many people looked up"),
    description=Texts(
        "1 日に閲覧した住民の数を、本人の過去と同じ所属の職員に照らして比べ、根拠のない増加を見つけます。",
        "Compares the people looked up in a day with the own past and the colleagues; increases without cases count.",
    ),
    family="windows",
    analytic_type=AnalyticType.STATISTICAL,
    severity=Severity.HIGH,
    techniques=("T1213",),
    controls=("大量検索実施者一覧", "field H2"),
    reads=("time", "activity", "outcome", "actor_id", "actor_org_unit", "source", "subjects", "case_id"),
    look_back=timedelta(days=28),
    runbook=Texts(
        "1. 一覧作成や通知発送などの作業指示があったか確かめます。\n"
        "2. 対象者に共通点（住所、世帯、名字）がないか見ます。\n"
        "3. 出力や印刷を伴っていれば優先して照会します。",
        "1. Check whether list work or a mailing was ordered.\n2. See whether the people have something in common "
        "(address, household, surname).\n3. If data was printed or exported as well, ask first about that.",
    ),
    false_positives=Texts(
        "年度替わりの一括確認、引き継ぎ、通知の返戻処理。",
        "Checks at the turn of the fiscal year, hand-overs, returned mail.",
    ),
    references=("Anscombe 1948, the transformation of Poisson data",),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
