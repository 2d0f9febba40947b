"""A few look-ups every day that nothing accounts for, over weeks: low and slow.

On no single day there are more of them than slips can be. Over one, four or eight weeks they add up to more than
colleagues of the unit have, each of whom slips as well and about as often. The finding is made on the day on which the
sum becomes unlikely, and again only when it has become far more so; one bad day does not make a series.
"""

from collections import Counter
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
from detectors.rules.sentences import circumstances, main_source
from detectors.windows.serial.cases import CASES
from detectors.windows.shares import UNACCOUNTED, Usual, at_least_beta_binomial, counted, supervised

__all__ = ["DETECTOR", "Parameters"]

_BEFORE = 2e-3
"""So many people in one are, at any time, in the middle of such a series."""
_QUIET = timedelta(days=7)
"""What was found within so many days is not told again at the same strength."""
_WEEK = 60.0
"""Weeks differ more than months do: the colleagues' share is worth no more visits of one week than these."""
_LONG = timedelta(days=14)
"""What began later is no longer than some weeks, whatever the logs cover."""
_HALF_AGAIN, _FAR = 1.5, 0.01
"""It is told again when the likelihood has grown, or its chance fallen, by these factors."""
_LOOSE = 0.1
"""Whom chance explains as well as that is not looked at day by day."""
_Days = Mapping[str, Mapping[date, int]]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    weeks: int = setting(8, "何週間の積み重ねまでみるか", "over how many weeks look-ups add up", most=8)
    minimum: int = setting(
        5, "根拠のない照会がこの世帯数より少なければ検知しない", "fewer households than this are never a finding"
    )
    minimum_days: int = setting(4, "何日以上にわたるものを検知するか", "on fewer days than this it is not a series")
    least_score: float = setting(0.1, "この確からしさに満たなければ検知しない", "what is less likely is left out")


@dataclass(frozen=True, slots=True)
class _Series:
    """What adds up over some weeks."""

    start: date
    odd: int
    of: int
    days: int
    chance: float


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person, on the day that the series becomes unlikely or far more so."""
    day, after = window.day, window.day + timedelta(days=1)
    long = counted(reader, after - timedelta(weeks=params.weeks), after)
    usual = {
        actor: found
        for actor, odd in sorted(long.unaccounted.items())
        if odd >= params.minimum and (found := long.usual(actor, long.unit[actor])) is not None
    }
    if not usual:
        return
    tallies = {weeks: counted(reader, after - timedelta(weeks=weeks), after, usual) for weeks in _spans(params)[:-1]}
    tallies[params.weeks] = long
    loose = [
        actor
        for actor, found in usual.items()
        if min(
            _chance(tally.unaccounted.get(actor, 0), tally.all.get(actor, 0), found, weeks)
            for weeks, tally in tallies.items()
        )
        <= _LOOSE
    ]
    if not loose:
        return
    odd, every = _by_day(reader, day, loose, params)
    told = [
        actor
        for actor in loose
        if odd[actor].get(day) and _told(_worst(odd[actor], every[actor], day, usual[actor], params), params)
    ]
    start = day - timedelta(weeks=params.weeks) - _QUIET
    look_ups = by_person(reader, LookUpFilter(start=start, end=after, results=UNACCOUNTED), told)
    for actor in told:
        own = [one for one in look_ups[actor] if not supervised(reader.context, one)]
        yield from _judge(reader, window, actor, own, every[actor], usual[actor], params)


def _judge(
    reader: Reader,
    window: Window,
    actor: str,
    look_ups: Sequence[LookUp],
    every: Mapping[date, int],
    usual: Usual,
    params: Parameters,
) -> Iterator[Draft]:
    """A person's series without what was done in approved time, beside how it stood on each of the days before."""
    day = window.day
    odd = Counter(at for at, _ in {(one.day, one.household) for one in look_ups})
    series = _worst(odd, every, day, usual, params)
    if not odd.get(day) or series is None or not _told(series, params):
        return
    earlier = [day - timedelta(days=back) for back in range(1, _QUIET.days + 1)]
    before = (_worst(odd, every, at, usual, params) for at in earlier if odd.get(at))
    told = min((one.chance for one in before if one is not None and _told(one, params)), default=None)
    if told is None or _far_more(series.chance, told):
        own = [one for one in look_ups if one.day >= series.start]
        yield _draft(reader, window, actor, series, usual, own, again=told is not None)


def _far_more(chance: float, told: float) -> bool:
    """Whether it has become half as likely again to be meant, or chance far less likely to have done it."""
    return likely(_BEFORE, chance) >= _HALF_AGAIN * likely(_BEFORE, told) or chance <= _FAR * told


def _spans(params: Parameters) -> tuple[int, ...]:
    """Over how many weeks a series may go: one, half of the most, the most."""
    return tuple(sorted({1, max(1, params.weeks // 2), params.weeks}))


def _told(series: _Series | None, params: Parameters) -> bool:
    return series is not None and likely(_BEFORE, series.chance) >= params.least_score


def _chance(odd: int, of: int, usual: Usual, weeks: int) -> float:
    strength = min(usual.strength, _WEEK) if weeks == 1 else usual.strength
    return at_least_beta_binomial(odd, of, usual.share, strength)


def _by_day(reader: Reader, day: date, actors: Sequence[str], params: Parameters) -> tuple[_Days, _Days]:
    """Visits that nothing accounts for, and all of them, by person and day."""
    start = day - timedelta(weeks=params.weeks) - _QUIET

    def of(results: tuple[str, ...]) -> _Days:
        wanted = LookUpFilter(start=start, end=day + timedelta(days=1), actors=tuple(actors), results=results)
        found: dict[str, Counter[date]] = {actor: Counter() for actor in actors}
        by = LookUpDimension.ACTOR, LookUpDimension.DAY
        for row in reader.count_look_ups(wanted, by, (LookUpMeasure.VISITS,)):
            found[row["actor"]][row["day"]] += int(row["visits"])
        return found

    return of(UNACCOUNTED), of(())


def _worst(
    odd: Mapping[date, int], every: Mapping[date, int], day: date, usual: Usual, params: Parameters
) -> _Series | None:
    """Of one week, of half and of all of them up to a day, what chance explains least."""
    return min(_series(odd, every, day, usual, params), key=lambda one: one.chance, default=None)


def _series(
    odd: Mapping[date, int], every: Mapping[date, int], day: date, usual: Usual, params: Parameters
) -> Iterator[_Series]:
    for weeks in _spans(params):
        start = day - timedelta(weeks=weeks) + timedelta(days=1)
        found = {at: count for at, count in odd.items() if start <= at <= day}
        counts, total = list(found.values()), sum(found.values())
        if total < params.minimum or len(counts) < params.minimum_days or 2 * max(counts) > total:
            continue
        of = sum(count for at, count in every.items() if start <= at <= day)
        first = min(found)
        span = 1 if day - first < _LONG else weeks
        yield _Series(first, total, of, len(counts), _chance(total, of, usual, span))


def _draft(
    reader: Reader,
    window: Window,
    actor: str,
    series: _Series,
    usual: Usual,
    look_ups: Sequence[LookUp],
    *,
    again: bool,
) -> Draft:
    factor, why = circumstances(reader.context, [one for one in look_ups if one.day == window.day])
    score = likely(min(0.1, _BEFORE * factor), series.chance)
    name = reader.context.name_of(actor, window.start) or actor
    expected = series.of * usual.share
    reasons = (
        Texts(
            f"{name}（{actor}）は {series.start:%m月%d日} からの {series.days} 日で、案件も承認も処理もない "
            f"{series.odd} 世帯を少しずつ見ています。",
            f"Since {series.start:%-d %B}, on {series.days} days, {name} ({actor}) looked at {series.odd} households, "
            "a few a day, for which there is no case, approval or work.",
        ),
        Texts(
            f"同じ所属の {usual.peers} 人の割合（{usual.share:.1%}）なら、{series.of} 世帯中 {expected:.1f} 世帯です。",
            f"Of {series.of} households, {expected:.1f} would be usual by the share of {usual.peers} colleagues "
            f"({usual.share:.1%}).",
        ),
        Texts("どの日も、それだけでは目立ちません。", "No single day of it stands out."),
        *(
            (Texts("前に知らせたときより、さらに増えました。", "It has grown since it was last reported."),)
            if again
            else ()
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
            f"{name} が根拠のない照会を少しずつ続けている（{series.days} 日で {series.odd} 世帯）",
            f"{name}: a steady trickle of look-ups without a case ({series.odd} households, {series.days} days)",
        ),
        reasons=reasons[:5],
        baseline=(
            (Texts("所属のふだんの割合（％）", "The unit's usual share (%)"), round(100 * usual.share, 1)),
            (Texts("見込まれる世帯数", "Households expected"), round(expected, 1)),
            (Texts("根拠のない世帯数", "Households without a case"), float(series.odd)),
        ),
        **evidence_of_look_ups(look_ups),
    )


META = DetectorMeta(
    id="serial-look-ups",
    version="1.1.0",
    title=Texts("少しずつ続く根拠のない照会", "Look-ups without a case, low and slow"),
    description=Texts(
        "一日では目立たない数の、根拠のない照会が何週間も続くことを、同じ所属の職員の割合に照らして見つけます。",
        "Finds look-ups without a case that stay few on each day but add up over weeks, beside colleagues of the unit.",
    ),
    family="windows",
    analytic_type=AnalyticType.STATISTICAL,
    severity=Severity.HIGH,
    techniques=("T1213",),
    controls=("C-083", "field G12"),
    reads=READS,
    look_back=timedelta(weeks=9),
    runbook=Texts(
        "1. 見られた住民を並べ、共通点（住所、年齢、職業、話題）を探します。\n"
        "2. 時間帯や端末に決まりがないか見ます。\n3. 印刷や外部への持ち出しを合わせて確かめてから、本人に照会します。",
        "1. Lay the residents side by side and look for what they have in common.\n"
        "2. See whether hour or terminal repeat.\n3. Check prints and exports as well before asking the person.",
    ),
    false_positives=Texts(
        "受付を入力しない習慣、電話当番、記録に残らない確認作業の担当。",
        "A habit of not entering visits, telephone duty, checks that leave no record.",
    ),
    references=("field G12",),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
