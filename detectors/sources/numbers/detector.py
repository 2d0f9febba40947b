"""Numbers that a source gave to events that are not in its log.

Numbers are put in order, so that late, repeated and shuffled deliveries are no gaps, and neither are the ranges of
several writers: a number is missing where time goes on from the event before to the event after. Where numbering began
anew, time falls back. Numbers that lie in the log under an earlier time were written later, not lost. A source that
leaves numbers out on ordinary days does not count its events.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from audit.clock import tokyo_date
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.sources.numbering import MOST_BREAKS, Break, all_breaks, breaks_from, breaks_of
from detectors.sources.numbers.cases import CASES
from detectors.sources.telling import about_source, event_at, lasting
from detectors.telling import at_hour

__all__ = ["DETECTOR", "META", "Parameters", "detect"]

_HABIT = timedelta(days=7)
_LOOK_BACK = timedelta(days=14)
"""How far back the number before the first one of a day is looked for."""
_WRITTEN_LATER = timedelta(days=28)
"""How far back events are looked for that were entered under an earlier time."""
_JITTER = timedelta(minutes=1)
"""Events of one moment may be numbered in another order than they are timed."""
_LATE = timedelta(hours=1)
_WORKING_HOURS = 10.0
_FEW_DAYS = 3
_NAMED = 10
"""Ranges that a sentence names."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    least_dense: float = setting(
        0.99,
        "通番が連続するとみなす割合（通常の日に、直前の番号に続く番号の割合）",
        "share of numbers that follow the one before on an ordinary day, from which a source counts its events",
    )
    least_missing: int = setting(1, "1 日に何件の欠けから知らせるか", "how many missing numbers of a day are told")
    times_usual: float = setting(
        5.0,
        "通常の何倍の速さまでを、その間に書かれ得た件数とみなすか",
        "how many times the usual pace could have been written in the time of a gap",
    )


@dataclass(frozen=True, slots=True)
class _Hole:
    """Numbers that are missing.

    Attributes:
        low: the last number before and when its event happened.
        high: the first number after and when its event happened.
        count: how many are missing.
        plausible: whether so many events could have been written in that time.
    """

    low: tuple[int, datetime]
    high: tuple[int, datetime]
    count: int
    plausible: bool

    @property
    def span(self) -> timedelta:
        """The time in which they were given."""
        return self.high[1] - self.low[1]


@dataclass(frozen=True, slots=True)
class _Habit:
    """How a source numbers on ordinary days.

    Attributes:
        dense: the share of numbers that follow the one before.
        pace: events of a working hour.
        days: on how many days that is based.
        breaks: how many breaks of a day the engine tells at once.
    """

    dense: float
    pace: float
    days: int
    breaks: float = 0.0


def _habit(window: Window, reader: Reader, source: str) -> _Habit:
    wanted = Filter(start=window.start - _HABIT, end=window.start, sources=(source,), first_sequence=0)
    days = reader.aggregate(wanted, (Dimension.DAY,), (Measure.EVENTS, Measure.BREAKS))
    if not days:
        return _Habit(1.0, 0.0, 0)
    breaks = [list(breaks_from(day["breaks"])) for day in days]
    holes = [sum(_is_hole(one) for one in of_day) for of_day in breaks]
    dense = median(day["events"] / (day["events"] + left_out) for day, left_out in zip(days, holes, strict=True))
    pace = median(day["events"] for day in days) / _WORKING_HOURS
    return _Habit(dense, pace, len(days), median(map(len, breaks)))


def _is_hole(gap: Break) -> bool:
    """Whether numbers are left out while time goes on."""
    return gap.high > gap.low + 1 and gap.after >= gap.before - _JITTER


def _overnight(window: Window, reader: Reader, source: str, first: int) -> Break | None:
    """The break between the numbers of the days before and the first one of the day.

    What happened right before midnight may have its number after that which happened right after it: where a day ends
    with such events, the break begins before them, and they are found among the numbers that it seems to leave out.
    """
    if first <= 1:
        return None
    wanted = Filter(
        start=window.start - _LOOK_BACK, end=window.start, sources=(source,), first_sequence=0, last_sequence=first - 1
    )
    measures = (Measure.LAST, Measure.LAST_SEQUENCE)
    rows = reader.aggregate(wanted, (Dimension.SOURCE,), measures)
    if rows and not _settled(rows[0]["last"]):
        settled = replace(wanted, end=rows[0]["last"] - _JITTER)
        rows = reader.aggregate(settled, (Dimension.SOURCE,), measures) or rows
    if not rows or rows[0]["last_sequence"] >= first - 1:
        return None
    low = rows[0]["last_sequence"]
    ends = (
        reader.aggregate(
            Filter(start=start, end=end, sources=(source,), first_sequence=number, last_sequence=number),
            (Dimension.SOURCE,),
            (Measure.FIRST, Measure.LAST),
        )[0]
        for number, start, end in ((low, window.start - _LOOK_BACK, window.start), (first, window.start, window.end))
    )
    before, after = next(ends)["last"], next(ends)["first"]
    return Break(low, before, first, after)


def _settled(at: datetime) -> bool:
    """Whether the day was not yet so nearly over that the next one may hold the number before."""
    return tokyo_date(at + _JITTER) == tokyo_date(at)


def _elsewhere(window: Window, reader: Reader, source: str, gap: Break) -> int:
    """How many of the missing numbers the log has under an earlier time."""
    wanted = Filter(
        start=window.start - _WRITTEN_LATER,
        end=window.start,
        sources=(source,),
        first_sequence=gap.low,
        last_sequence=gap.high,
    )
    measures = (Measure.SEQUENCES, Measure.FIRST_SEQUENCE, Measure.LAST_SEQUENCE)
    rows = reader.aggregate(wanted, (Dimension.SOURCE,), measures)
    if not rows:
        return 0
    of_before = gap.before < window.start
    if rows[0]["last_sequence"] == gap.high or (rows[0]["first_sequence"] == gap.low and not of_before):
        # Numbers that are used again and again say nothing by themselves; those that were recorded late still do.
        rows = reader.aggregate(replace(wanted, recorded_after=_LATE), (Dimension.SOURCE,), measures)
        return int(rows[0]["sequences"]) if rows else 0
    return int(rows[0]["sequences"]) - int(rows[0]["first_sequence"] == gap.low)


def _holes(
    window: Window, reader: Reader, source: str, breaks: Sequence[Break], habit: _Habit, params: Parameters
) -> Iterable[_Hole]:
    for gap in breaks:
        if not _is_hole(gap):
            continue
        count = gap.high - gap.low - 1 - _elsewhere(window, reader, source, gap)
        if count <= 0:
            continue
        hours = max(0.25, (gap.after - gap.before).total_seconds() / 3600)
        most = max(30.0, params.times_usual * habit.pace * min(hours, _WORKING_HOURS))
        yield _Hole((gap.low, gap.before), (gap.high, gap.after), count, count <= most)


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a source and day."""
    for numbering in breaks_of(window, reader):
        source = numbering.source
        breaks = [gap for gap in numbering.breaks if _is_hole(gap) and _settled(gap.after)]
        overnight = _overnight(window, reader, source, numbering.first)
        if not (breaks or overnight):
            continue
        habit = _habit(window, reader, source)
        if habit.dense < params.least_dense or (habit.days < _FEW_DAYS and len(breaks) > _FEW_DAYS):
            continue
        if habit.breaks >= MOST_BREAKS:
            continue  # it does not number in order; that a day alone has so many says that much is missing
        breaks = [gap for gap in all_breaks(window, reader, numbering) if _is_hole(gap) and _settled(gap.after)]
        found = [*([overnight] if overnight else []), *breaks]
        holes = list(_holes(window, reader, source, found, habit, params))
        if sum(hole.count for hole in holes) >= params.least_missing and holes:
            yield _draft(reader, source, holes, habit)


def _draft(reader: Reader, source: str, holes: Sequence[_Hole], habit: _Habit) -> Draft:
    count = sum(hole.count for hole in holes)
    events: list[dict[str, Any]] = []
    for hole in holes[:_NAMED]:
        events += [event_at(reader, source, at, number) for number, at in (hole.low, hole.high)]
    ranges = [_range(hole) for hole in holes[:_NAMED]]
    more = len(holes) - len(ranges)
    largest = max(holes, key=lambda hole: hole.count)
    low, high, span = at_hour(largest.low[1]), at_hour(largest.high[1]), lasting(largest.span)
    reasons = [
        Texts(
            f"届いていない通番: {'、'.join(ranges)}{f' ほか {more} か所' if more else ''}（計 {count} 件）。",
            f"Numbers that are not in the log: {', '.join(ranges)}{f' and {more} more ranges' if more else ''} "
            f"({count} in all).",
        ),
        Texts(
            f"最も大きい欠け（{largest.count} 件）は {low.ja} と {high.ja} の間の {span.ja}です。",
            f"The largest gap ({largest.count}) lies between {low.en} and {high.en}, {span.en}.",
        ),
    ]
    if habit.days:
        reasons.append(
            Texts(
                f"過去 {habit.days} 日、このシステムの番号は通常連続しています。",
                f"On the {habit.days} days before, the numbers of this system usually follow each other.",
            )
        )
    plausible = any(hole.plausible for hole in holes)
    if not plausible:
        reasons.append(
            Texts(
                "その時間に書かれ得た件数より多いため、採番のやり直しかもしれません。",
                "That is more than could have been written in the time: the source may have renumbered its events.",
            )
        )
    score = min(0.95, (0.7 if plausible else 0.35) + (0.1 if count >= _NAMED and plausible else 0.0))
    return about_source(
        source,
        events,
        score + (0.1 if habit.days >= _FEW_DAYS and plausible else 0.0),
        Texts(f"通番 {count} 件の欠け", f"{count} numbers are missing"),
        reasons,
    )


def _range(hole: _Hole) -> str:
    first, last = hole.low[0] + 1, hole.high[0] - 1
    return f"{first}" if first == last else f"{first}-{last}"


META = DetectorMeta(
    id="missing-numbers",
    version="1.1.0",
    title=Texts("ログの通番の欠け", "Numbers missing from a log"),
    description=Texts(
        "システムが付けた通番のうち、ログにないものを見つけます。番号のやり直し、複数の書き手、重複した配信は欠けとしません。",
        "Finds numbers that a system gave to events that its log does not have. Renumbering, several writers and "
        "repeated deliveries are no gaps.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1070", "T1562.008"),
    controls=("C-113", "C-188"),
    reads=("time", "recorded_at", "sequence", "source"),
    look_back=_WRITTEN_LATER,
    runbook=Texts(
        "1. 発生元に欠けた番号の記録が残っているか確かめ、残っていれば取り込みます。\n"
        "2. 残っていなければ、消された可能性があるものとして、前後の操作とその時間の利用者を調べます。\n"
        "3. 発生元の管理者の操作（ログの消去、設定の変更）を同じ時間で見ます。",
        "1. Look for the missing numbers at the source, and load them if they are there.\n"
        "2. If not, treat them as deleted: see what was done before and after, and who used the system.\n"
        "3. Look at what administrators of the source did at that time (logs cleared, settings changed).",
    ),
    false_positives=Texts(
        "発生元での採番のやり直し、取り消された処理にも番号を付けるシステム、まだ届いていない配信。",
        "A source that renumbered its events or numbers what it rolls back; a delivery still under way.",
    ),
    references=("NIST SP 800-92",),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
