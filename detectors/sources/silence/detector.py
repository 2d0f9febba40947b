"""A source from which nothing comes for hours or days in which, by its own days, something should.

Silence is measured in the events that usually come in the same quarters of an hour, and judged by how long quiet spans
the source's own days have (`audit.log.quiet`): hours, closed days, lunch and few users are all in it. Quiet hours of
the whole town shorten it. Where nothing came all day, the days before are counted with it, so that a source of few
events is told of after several days.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean, median
from typing import Any

from audit.clock import day_start
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.log.quiet import QUARTERS, QuietSpan, chance_of_quiet, expected_by_quarter, longest_quiet, quiet_spans
from audit.texts import Texts
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.chance import likely
from detectors.sources.silence.cases import CASES
from detectors.sources.telling import about_source, event_at, lasting
from detectors.telling import at_hour

__all__ = ["DETECTOR", "META", "Parameters", "detect"]

_QUARTER = timedelta(minutes=15)
_DAY = timedelta(days=1)
_LOOK_BACK = timedelta(days=28)
_BEFORE = 1e-4
"""About so many of a source's days have a silence that is none of chance."""
_PROMPT = 900.0
"""Seconds: a source whose events arrive sooner is heard as it speaks."""
_SETTLED = timedelta(hours=12)
"""So long after a day, its files have come as well."""
_LEAST_OWED = 6.0
"""Events: fewer that did not come are never worth a closer look by themselves."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    least_minutes: int = setting(60, "何分以上の途切れを調べるか", "how many minutes without an event are looked at")
    least_days: int = setting(
        8,
        "比べるために必要な、同じ種類（開庁日・閉庁日）の過去の日数",
        "days of the same kind (open or closed) that must be known to compare with",
    )
    least_score: float = setting(0.5, "検知とする確からしさの下限", "the score from which a silence is told")
    longest_days: int = setting(
        7, "何日続いた途絶まで毎日知らせるか", "for how many days a lasting silence is told of each day"
    )


@dataclass(frozen=True, slots=True)
class _Today:
    """What came on the day, by source and quarter of an hour.

    Attributes:
        rows: events and times by source and quarter.
        received: when the last of it arrived.
    """

    rows: Mapping[str, Mapping[int, Mapping[str, Any]]]
    received: datetime

    def counts(self, source: str) -> dict[int, float]:
        """Events of a source by quarter."""
        return {quarter: float(row["events"]) for quarter, row in self.rows.get(source, {}).items()}

    def heard_until(self, source: str) -> int:
        """The quarter after the last in which any other source was heard: only until then the day is known."""
        return max((quarter + 1 for other, rows in self.rows.items() if other != source for quarter in rows), default=0)


@dataclass(frozen=True, slots=True)
class _Silence:
    """A silence.

    Attributes:
        source: whose.
        span: of the day.
        events: how many events usually come in it.
        owed: the same without bursts, and in a quiet town less: how long the silence is.
        usual: how long the longest quiet span of an ordinary day is, in the median.
        chance: how likely chance alone makes it so long.
        days: on how many days nothing came at all; 0 for a part of a day.
    """

    source: str
    span: QuietSpan
    events: float
    owed: float
    usual: float
    chance: float
    days: int = 0


def _today(window: Window, reader: Reader) -> _Today | None:
    rows = reader.aggregate(
        Filter(start=window.start, end=window.end),
        (Dimension.SOURCE, Dimension.QUARTER),
        (Measure.EVENTS, Measure.FIRST, Measure.LAST, Measure.LAST_RECEIVED),
    )
    if not rows:
        return None
    by_source: dict[str, dict[int, Mapping[str, Any]]] = defaultdict(dict)
    for row in rows:
        by_source[row["source"]][row["quarter"]] = row
    return _Today(by_source, max(row["last_received"] for row in rows))


def _before(window: Window, reader: Reader) -> dict[str, dict[int, float]]:
    """What came of each source in each quarter of an hour, over all days of the look-back."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    wanted = Filter(start=window.start - _LOOK_BACK, end=window.start)
    for row in reader.aggregate(wanted, (Dimension.SOURCE, Dimension.QUARTER), (Measure.EVENTS,)):
        found[row["source"]][row["quarter"]] = float(row["events"])
    return found


def _by_day(reader: Reader, wanted: Filter) -> dict[date, dict[int, float]]:
    """Events by day and quarter of an hour."""
    found: dict[date, dict[int, float]] = defaultdict(dict)
    for row in reader.aggregate(wanted, (Dimension.DAY, Dimension.QUARTER), (Measure.EVENTS,)):
        found[row["day"]][row["quarter"]] = float(row["events"])
    return found


def _longest(day: Mapping[int, float], expected: Sequence[float], until: int, least: int) -> QuietSpan | None:
    spans = (span for span in quiet_spans(day, expected, until) if span.end - span.first >= least)
    return next(spans, None)


class _Town:
    """The town on the day and before it; `like` are the days before that are open or closed as this one is."""

    def __init__(self, window: Window, reader: Reader, today: _Today, params: Parameters) -> None:
        self.window, self.reader, self.today, self.params = window, reader, today, params
        self.before = _before(window, reader)
        self.all = _by_day(reader, Filter(start=window.start - _LOOK_BACK, end=window.start))
        closed = bool(reader.context.closed("", window.day))
        self.like = sorted(day for day in self.all if bool(reader.context.closed("", day)) == closed)
        self.least = max(1, params.least_minutes // 15)

    def suspects(self) -> list[str]:
        """The sources of which so much is owed that their days are worth a closer look; at most is told, never less."""
        found = []
        for source, history in self.before.items():
            usual = [history.get(quarter, 0.0) / len(self.like) for quarter in range(QUARTERS)]
            until = self.today.heard_until(source)
            span = _longest(self.today.counts(source), usual, until, self.least)
            silent = source not in self.today.rows
            if span is not None and (span.expected >= _LEAST_OWED or (silent and sum(usual) > 0.5)):
                found.append(source)
        return sorted(found)

    def judge(self, source: str) -> _Silence | None:
        """The longest silence of a source on the day, with how likely chance makes it."""
        days = _by_day(
            self.reader, Filter(start=self.window.start - _LOOK_BACK, end=self.window.start, sources=(source,))
        )
        like = [day for day in self.like if days and day >= min(days)]
        silent = source not in self.today.rows
        if silent:  # days of the same silence are no habit
            like = [day for day in like if day <= max(days)]
        if len(like) < self.params.least_days:
            return None
        history = [days.get(day, {}) for day in like]
        expected = expected_by_quarter(history)
        span = _longest(self.today.counts(source), expected, self.today.heard_until(source), self.least)
        if span is None:
            return None
        usual = longest_quiet(history, expected)
        owed = span.expected * self._busy(source, span, days)
        chance = chance_of_quiet(owed, usual)
        middle = median(usual)
        events = fmean(sum(day.get(quarter, 0.0) for quarter in range(span.first, span.end)) for day in history)
        if not silent:
            return _Silence(source, span, events, owed, middle, chance)
        quiet = [day for day in self.like if day > max(days)]
        if (self.window.day - max(days)).days > self.params.longest_days:
            return None
        whole = chance_of_quiet(sum(expected), usual)
        total = owed + len(quiet) * sum(expected)
        events *= 1 + len(quiet)
        return _Silence(source, span, events, total, middle, chance * whole ** len(quiet), 1 + len(quiet))

    def _busy(self, source: str, span: QuietSpan, days: Mapping[date, Mapping[int, float]]) -> float:
        """How busy the other sources are in a span, against their days like this one; at most 1."""
        quarters = range(span.first, span.end)
        usual = sum(
            self.all[day].get(quarter, 0.0) - days.get(day, {}).get(quarter, 0.0)
            for day in self.like
            for quarter in quarters
        ) / len(self.like)
        others = [one for one in self.today.rows if one != source]
        now = sum(self.today.counts(one).get(quarter, 0.0) for one in others for quarter in quarters)
        return min(1.0, now / usual) if usual > 0 else 1.0

    def is_here(self, source: str) -> bool:
        """Whether what a source wrote that day would have arrived by now."""
        if self.today.received >= self.window.end + _SETTLED:
            return True
        wanted = Filter(start=self.window.start - timedelta(days=7), end=self.window.start, sources=(source,))
        rows = self.reader.aggregate(wanted, (Dimension.SOURCE,), (Measure.DELAY_LOW,))
        return bool(rows) and rows[0]["delay_low"] <= _PROMPT


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a source and day."""
    today = _today(window, reader)
    if today is None:
        return
    town = _Town(window, reader, today, params)
    if len(town.like) < params.least_days:
        return
    for source in town.suspects():
        found = town.judge(source)
        if found is not None and likely(_BEFORE, found.chance) >= params.least_score and town.is_here(source):
            yield _draft(town, found)


def _draft(town: _Town, found: _Silence) -> Draft:
    window, source = town.window, found.source
    start = day_start(window.day) + found.span.first * _QUARTER
    rows = town.today.rows.get(source, {})
    wanted = Filter(start=window.start - _LOOK_BACK, end=start, sources=(source,))
    last: datetime = town.reader.aggregate(wanted, (Dimension.SOURCE,), (Measure.LAST,))[0]["last"]
    events = [event_at(town.reader, source, last)]
    later = [row["first"] for quarter, row in rows.items() if quarter >= found.span.end]
    others = [
        (row["last"], other)
        for other, quarters in town.today.rows.items()
        if other != source
        for row in quarters.values()
    ]
    again = min(later) if later else None
    if again is not None:
        events.append(event_at(town.reader, source, again))
    elif others:
        at, other = max(others)
        events.append(event_at(town.reader, other, at))
    until = again or max(others)[0]
    times = found.owed / max(1.0, found.usual)
    heard, ended, length = at_hour(last), at_hour(until), lasting(until - last)
    reasons = [
        Texts(
            f"{heard.ja} から {ended.ja} まで {length.ja}、{source} のイベントがありません。",
            f"From {heard.en} to {ended.en}, {length.en}, there is no event of {source}.",
        ),
        Texts(
            f"この時間帯には通常約 {found.events:.0f} 件あります。"
            f"途切れの長さは通常の日に最も長いものの約 {times:.0f} 倍です。",
            f"About {found.events:.0f} events usually come in that time; that is about {times:.0f} times the longest "
            "pause of an ordinary day.",
        ),
    ]
    if again is None:
        reasons.append(Texts("その間、ほかのシステムのログは届いています。", "Other systems were heard in that time."))
    if found.days > 1:
        reasons.append(
            Texts(f"{found.days} 日続けて 1 件もありません。", f"Nothing has come on {found.days} days in a row.")
        )
    return about_source(
        source,
        events,
        likely(_BEFORE, found.chance),
        Texts(f"{length.ja}の途絶（{heard.ja} から）", f"silent for {length.en} (since {heard.en})"),
        reasons,
        (
            (
                Texts("通常の日の最長の途切れ（件分）", "longest quiet span of an ordinary day, in events"),
                round(found.usual, 1),
            ),
            (Texts("今回（件分）", "this one, in events"), round(found.owed, 1)),
        ),
    )


META = DetectorMeta(
    id="silent-source",
    version="1.0.0",
    title=Texts("途絶えたログ", "Silence in a log"),
    description=Texts(
        "システム自身の過去の日から見て届くはずの時間帯に、何時間または何日もログがないことを見つけます。"
        "後から取り込んだ期間も調べます。",
        "Finds hours or days without any event of a system in which, by its own days, there should be some; also in "
        "logs that were loaded afterwards.",
    ),
    family="windows",
    analytic_type=AnalyticType.STATISTICAL,
    severity=Severity.HIGH,
    techniques=("T1562.008", "T1562.002"),
    controls=("C-113", "field G9"),
    reads=("time", "source"),
    look_back=_LOOK_BACK,
    runbook=Texts(
        "1. その時間にシステムが動いていたか、ログの送り手が止まっていなかったか確かめます。\n"
        "2. 発生元にその時間のログが残っていれば取り込みます。\n"
        "3. 残っていなければ、誰がいつ止めたか、その間に誰が使っていたかを調べます。",
        "1. See whether the system was in use in that time, and whether what ships its log had stopped.\n"
        "2. If the source still has the log of that time, load it.\n"
        "3. If not, find out who stopped it and when, and who used the system meanwhile.",
    ),
    false_positives=Texts(
        "予定された停止、臨時の閉庁（庁内カレンダーに登録すると取り下げられます）、業務そのものの休止。",
        "A planned outage, a closure (enter it in the calendar feed and the finding is withdrawn), work that rested.",
    ),
    references=("NIST SP 800-92",),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
