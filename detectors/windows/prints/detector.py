"""Records printed or copied for which there is no case: today, or one now and then over weeks.

What is printed leaves the building. Units that issue certificates enter a ticket for nearly every print, so a print
without one is rarer than a look without one, and a few of them over some weeks say more than many looks do. Where a
unit prints without tickets, casework accounts for its prints, or colleagues do the same, and the detector is silent.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure
from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.evidence import evidence_of_look_ups
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.accounted import by_person
from detectors.rules.chance import likely
from detectors.rules.kind import READS
from detectors.rules.sentences import circumstances, listed, main_source
from detectors.windows.prints.cases import CASES
from detectors.windows.shares import UNACCOUNTED, Usual, at_least_beta_binomial, counted, supervised

__all__ = ["DETECTOR", "Parameters"]

_BEFORE = 1e-3
"""Of so many days with such a print one is meant, before it is looked at; twice that once it is known to be printed."""
_MOST = 0.02
"""What speaks for intent beside the number raises that to this at most."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    weeks: int = setting(4, "何週間の積み重ねまでみるか", "over how many weeks prints add up", most=4)
    least_score: float = setting(0.1, "この確からしさに満たなければ検知しない", "what is less likely is left out")


@dataclass(frozen=True, slots=True)
class _Series:
    """Prints that add up from some day on: households without a case, of all, and how likely chance alone did it."""

    start: date
    odd: int
    of: int
    chance: float


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day on which there is such a print."""
    after = window.day + timedelta(days=1)
    start = after - timedelta(weeks=params.weeks)
    today = _visits(reader, window.day, after, UNACCOUNTED)
    if not today:
        return
    past = counted(reader, start, after, printed=True)
    spans = [
        (_visits(reader, first, after, UNACCOUNTED), _visits(reader, first, after))
        for first in _beginnings(window.day, start)
    ]
    usual = {actor: one for actor in sorted(today) if (one := past.usual(actor, past.unit[actor])) is not None}
    chances = {
        actor: min(at_least_beta_binomial(odd[actor], every[actor], one.share, one.strength) for odd, every in spans)
        for actor, one in usual.items()
    }
    many = [actor for actor, chance in chances.items() if likely(_MOST, chance) >= params.least_score]
    if not many:
        return
    days = _by_day(reader, start, after, many)
    found = by_person(reader, LookUpFilter(start=start, end=after, printed=True, results=UNACCOUNTED), many)
    for actor in many:
        without = [one for one in found[actor] if not supervised(reader.context, one)]
        if any(one.day == window.day for one in without):
            yield from _judge(reader, window, actor, without, days[actor], usual[actor], params)


def _beginnings(day: date, start: date) -> tuple[date, ...]:
    """Prints add up on a day, over a week and over all the weeks."""
    return day, day - timedelta(days=6), start


def _visits(reader: Reader, start: date, end: date, results: Sequence[str] = ()) -> Counter[str]:
    """How many visits of a span ended in a print or copy, by person: no fewer than those without approved times."""
    rows = reader.count_look_ups(
        LookUpFilter(start=start, end=end, results=tuple(results), printed=True),
        (LookUpDimension.ACTOR,),
        (LookUpMeasure.VISITS,),
    )
    return Counter({row["actor"]: int(row["visits"]) for row in rows})


def _by_day(reader: Reader, start: date, end: date, actors: Sequence[str]) -> Mapping[str, Mapping[date, int]]:
    """The same of some people, by person and day."""
    wanted = LookUpFilter(start=start, end=end, actors=tuple(actors), printed=True)
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for row in reader.count_look_ups(wanted, (LookUpDimension.ACTOR, LookUpDimension.DAY), (LookUpMeasure.VISITS,)):
        found[row["actor"]][row["day"]] = int(row["visits"])
    return found


def _judge(
    reader: Reader,
    window: Window,
    actor: str,
    odd: Sequence[LookUp],
    every: Mapping[date, int],
    usual: Usual,
    params: Parameters,
) -> Iterator[Draft]:
    start = window.day + timedelta(days=1) - timedelta(weeks=params.weeks)
    series = min(_series(odd, every, window.day, start, usual), key=lambda one: one.chance)
    factor, why = circumstances(reader.context, [one for one in odd if one.day == window.day])
    score = likely(min(_MOST, _BEFORE * factor), series.chance)
    if score >= params.least_score:
        look_ups = [one for one in odd if one.day >= series.start]
        yield _draft(reader, window, actor, series, usual, look_ups, score, why)


def _series(
    odd: Sequence[LookUp], every: Mapping[date, int], day: date, start: date, usual: Usual
) -> Iterator[_Series]:
    for first in _beginnings(day, start):
        homes = len({(one.day, one.household) for one in odd if one.day >= first})
        of = max(homes, sum(count for at, count in every.items() if at >= first))
        yield _Series(first, homes, of, at_least_beta_binomial(homes, of, usual.share, usual.strength))


def _draft(
    reader: Reader,
    window: Window,
    actor: str,
    series: _Series,
    usual: Usual,
    look_ups: Sequence[LookUp],
    score: float,
    why: Sequence[Texts],
) -> Draft:
    name = reader.context.name_of(actor, window.start) or actor
    people, days = listed(one.subject for one in look_ups), len({one.day for one in look_ups})
    expected = series.of * usual.share
    reasons = (
        Texts(
            f"{name}（{actor}）は {days} 日で {series.odd} 世帯の記録を、案件も承認も処理もないまま印刷または画面複写"
            f"しています（{people.ja}）。",
            f"On {days} days {name} ({actor}) printed or copied the records of {series.odd} households for which there "
            f"is no case, approval or work: {people.en}.",
        ),
        Texts(
            f"同じ所属の {usual.peers} 人の割合（{usual.share:.1%}）なら、印刷した {series.of} 世帯中 "
            f"{expected:.1f} 世帯です。",
            f"Of {series.of} households printed, {expected:.1f} would be usual by the share of {usual.peers} "
            f"colleagues ({usual.share:.1%}).",
        ),
        *why,
    )
    return Draft(
        entity=actor,
        severity=Severity.HIGH if score >= 0.75 else Severity.MEDIUM,
        score=score,
        actors=(actor,),
        subjects=tuple(dict.fromkeys(one.subject for one in reversed(look_ups)))[:20],
        source=main_source(look_ups),
        title=Texts(
            f"{name} が根拠のない記録を印刷している（{days} 日で {series.odd} 世帯）",
            f"{name} printed records without a case ({series.odd} households, {days} days)",
        ),
        reasons=reasons[:5],
        baseline=(
            (Texts("所属のふだんの割合（％）", "The unit's usual share (%)"), round(100 * usual.share, 1)),
            (Texts("見込まれる世帯数", "Households expected"), round(expected, 1)),
            (Texts("根拠のない印刷の世帯数", "Households printed without a case"), float(series.odd)),
        ),
        **evidence_of_look_ups(look_ups),
    )


META = DetectorMeta(
    id="prints-without-case",
    version="1.0.0",
    title=Texts("根拠のない印刷", "Prints without a case"),
    description=Texts(
        "案件も承認も処理もない記録の印刷や画面複写を、その日と数週間の積み重ねについて、"
        "同じ所属の印刷での割合に照らして見つけます。",
        "Finds prints and copies of records without a case, on a day or adding up over weeks, beside the share that is "
        "usual among the prints of the unit.",
    ),
    family="windows",
    analytic_type=AnalyticType.STATISTICAL,
    severity=Severity.HIGH,
    techniques=("T1213", "T1052"),
    controls=("C-083", "C-084"),
    reads=READS,
    look_back=timedelta(weeks=4),
    runbook=Texts(
        "1. 印刷物がどこにあるか、本人と所属長に確かめます。\n2. 印刷された住民に共通点がないか見ます。\n"
        "3. 受付簿や申請書の綴りに、入力されていない申請がないか確かめます。",
        "1. Ask the person and the manager where the prints are.\n2. See what the residents have in common.\n"
        "3. Look through paper applications for one that was not entered.",
    ),
    false_positives=Texts(
        "入力されていない申請、刷り直し、公用請求への回答。",
        "An application that was not entered, a second print, an answer to another authority.",
    ),
    references=("field G12",),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
