"""A source whose clock was wrong for hours.

Two things tell. Where the source says when it recorded an event (or what collects its log does), the time from event
to recording is compared with its usual, hour by hour: shifted as a whole, and all by the same. Where it numbers its
events, time falls back in the order of numbers and many events of several people follow from there: that is when a
clock was set, or was set right again. One person's few events out of order are no clock, but backdated.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from audit.clock import day_start
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.sources.clock.cases import CASES
from detectors.sources.numbering import Break, breaks_of
from detectors.sources.telling import about_source, event_at, lasting
from detectors.telling import at_hour

__all__ = ["DETECTOR", "META", "Parameters", "detect"]

_LOOK_BACK = timedelta(days=14)
_HOUR = timedelta(hours=1)
_MOST_FALLS = 20
"""A source in which time falls back so often does not number its events in the order of time."""
_WHOLE = 0.8
"""Share of the numbers after a fall that must lie behind it."""
_FEW_DAYS = 3
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    least_seconds: int = setting(
        120, "何秒以上のずれから調べるか", "from how many seconds on a clock may be called wrong"
    )
    spread_seconds: int = setting(
        60,
        "ずれが全体に同じとみなす幅（秒）。記録までの時間が普段からこれより散らばるシステムは調べない",
        "within how many seconds all are shifted by the same; sources that usually differ more are not judged",
    )
    least_events: int = setting(5, "何件以上のイベントから判断するか", "how many events a clock is judged by")
    least_actors: int = setting(
        2, "通番の順から判断するときに必要な利用者の数", "people needed where the order of numbers tells"
    )


@dataclass(frozen=True, slots=True)
class _Shift:
    """Hours in which all events lie differently to their recording than usual.

    Attributes:
        first: the first of them.
        end: the hour after the last.
        by: seconds by which events are ahead of their usual place; negative when behind.
        usual: seconds from event to recording, usually.
        events: how many.
    """

    first: int
    end: int
    by: float
    usual: float
    events: int


def _shifts(window: Window, reader: Reader, params: Parameters) -> dict[str, _Shift]:
    """By source, hours that are shifted as a whole."""
    measures = (Measure.EVENTS, Measure.LAG, Measure.LAG_LOW, Measure.LAG_HIGH)
    by_source: dict[str, list[Mapping[str, Any]]] = {}
    for row in reader.aggregate(
        Filter(start=window.start, end=window.end), (Dimension.SOURCE, Dimension.HOUR), measures
    ):
        if row["lag"] is not None:
            by_source.setdefault(row["source"], []).append(row)
    found = {}
    for source, hours in by_source.items():
        if any(abs(hour["lag"]) >= params.least_seconds for hour in hours):
            usual = _usual(window, reader, source, params)
            shift = _shift(sorted(hours, key=lambda hour: int(hour["hour"])), usual, params)
            if shift is not None:
                found[source] = shift
    return found


def _usual(window: Window, reader: Reader, source: str, params: Parameters) -> float | None:
    """The usual seconds from event to recording; nothing where they differ, or few days are known."""
    rows = reader.aggregate(
        Filter(start=window.start - _LOOK_BACK, end=window.start, sources=(source,)),
        (Dimension.DAY,),
        (Measure.LAG, Measure.LAG_LOW, Measure.LAG_HIGH),
    )
    days = [row for row in rows if row["lag"] is not None]
    if len(days) < _FEW_DAYS or median(day["lag_high"] - day["lag_low"] for day in days) > params.spread_seconds:
        return None
    return float(median(day["lag"] for day in days))


def _shift(hours: Sequence[Mapping[str, Any]], usual: float | None, params: Parameters) -> _Shift | None:
    if usual is None:
        return None
    odd = [
        hour
        for hour in hours
        if abs(hour["lag"] - usual) >= params.least_seconds
        and hour["lag_high"] - hour["lag_low"] <= params.spread_seconds
    ]
    if not odd or sum(hour["events"] for hour in odd) < params.least_events:
        return None
    by = median(usual - hour["lag"] for hour in odd)
    alike = [hour for hour in odd if abs(usual - hour["lag"] - by) <= params.spread_seconds]
    events = sum(hour["events"] for hour in alike)
    if events < params.least_events:
        return None
    return _Shift(alike[0]["hour"], alike[-1]["hour"] + 1, by, usual, events)


@dataclass(frozen=True, slots=True)
class _Fall:
    """A place in the numbers at which time falls back for everyone.

    Attributes:
        at: the two numbers.
        events: how many of the numbers after it lie behind the one before.
        actors: of how many people.
    """

    at: Break
    events: int
    actors: int


def _falls(window: Window, reader: Reader, params: Parameters) -> dict[str, list[_Fall]]:
    found: dict[str, list[_Fall]] = {}
    for numbering in breaks_of(window, reader):
        falls = [one for one in numbering.breaks if one.high == one.low + 1]
        if len(falls) > _MOST_FALLS:
            continue
        for fall in falls:
            behind = _behind(window, reader, numbering.source, fall)
            if behind["events"] < params.least_events or behind["actors"] < params.least_actors:
                continue
            if behind["events"] >= _WHOLE * (behind["last_sequence"] - fall.high + 1):
                found.setdefault(numbering.source, []).append(_Fall(fall, behind["events"], behind["actors"]))
    return found


def _behind(window: Window, reader: Reader, source: str, fall: Break) -> Mapping[str, Any]:
    """What follows by number and lies behind by time."""
    wanted = Filter(start=window.start, end=fall.before, sources=(source,), first_sequence=fall.high)
    measures = (Measure.EVENTS, Measure.ACTORS, Measure.LAST_SEQUENCE)
    return reader.aggregate(wanted, (Dimension.SOURCE,), measures)[0]


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a source and day."""
    shifts, falls = _shifts(window, reader, params), _falls(window, reader, params)
    for source in sorted({*shifts, *falls}):
        yield _draft(window, reader, source, shifts.get(source), falls.get(source, []))


def _draft(window: Window, reader: Reader, source: str, shift: _Shift | None, falls: Sequence[_Fall]) -> Draft:
    events: list[dict[str, Any]] = []
    reasons: list[Texts] = []
    score = 0.0
    title = Texts("時計のずれ", "its clock was wrong")
    if falls:
        largest = max(falls, key=lambda fall: fall.at.fall)
        at, back = at_hour(largest.at.before), lasting(largest.at.fall)
        for fall in falls:
            events += [
                event_at(reader, source, fall.at.before, fall.at.low),
                event_at(reader, source, fall.at.after, fall.at.high),
            ]
        title = Texts(f"時計が {back.ja}戻った（{at.ja}）", f"its clock went back by {back.en} ({at.en})")
        reasons += [
            Texts(
                f"通番 {largest.at.low} と {largest.at.high} の間で、時刻が {back.ja}戻っています（{at.ja} から）。",
                f"Between the numbers {largest.at.low} and {largest.at.high} time falls back by {back.en} (from "
                f"{at.en}).",
            ),
            Texts(
                f"その後の {largest.events} 件（利用者 {largest.actors} 人）も同じように前の時刻になっています。",
                f"{largest.events} events after it, of {largest.actors} people, lie behind in the same way.",
            ),
        ]
        score = 0.75 + (0.1 if largest.events >= 3 * _SHOWN else 0.0)
    if shift is not None:
        start = day_start(window.day) + shift.first * _HOUR
        end = day_start(window.day) + shift.end * _HOUR
        since, by = at_hour(start), lasting(timedelta(seconds=shift.by))
        wanted = Filter(start=start, end=end, sources=(source,))
        shown = reader.aggregate(wanted, (Dimension.HOUR,), (Measure.FIRST,))
        events += [event_at(reader, source, row["first"]) for row in sorted(shown, key=lambda row: int(row["hour"]))]
        way = Texts("進んで", "ahead") if shift.by > 0 else Texts("遅れて", "behind")
        title = Texts(f"時計が {by.ja}{way.ja}いた（{since.ja} から）", f"its clock was {by.en} {way.en} ({since.en})")
        usual = lasting(timedelta(seconds=shift.usual))
        reasons += [
            Texts(
                f"{since.ja} から {shift.end} 時までの {shift.events} 件の時刻が、そろって {by.ja}{way.ja}います。",
                f"From {since.en} to {shift.end}:00 the times of {shift.events} events are {by.en} {way.en}, all by "
                "the same.",
            ),
            Texts(f"発生から記録までは普段 {usual.ja}です。", f"From event to recording it usually takes {usual.en}."),
        ]
        score = max(score, 0.7 + (0.1 if shift.events >= 3 * _SHOWN else 0.0) + (0.05 if shift.by > 0 else 0.0))
    reasons.append(
        Texts(
            "この間の時刻は、ほかのシステムの記録とそのまま比べられません。",
            "Times of that span cannot be compared with those of other systems as they stand.",
        )
    )
    return about_source(source, events, score, title, reasons)


META = DetectorMeta(
    id="shifted-clock",
    version="1.0.0",
    title=Texts("時計がずれたログ", "A log whose clock was wrong"),
    description=Texts(
        "ある時間帯のイベントの時刻が、記録された時刻や通番の順に対して、そろって普段と違うことを見つけます。",
        "Finds hours in which all times of a system are shifted against their usual distance to the recording, or "
        "against the order of its numbers.",
    ),
    family="windows",
    analytic_type=AnalyticType.STATISTICAL,
    severity=Severity.HIGH,
    techniques=("T1070.006", "T1562"),
    controls=("C-113",),
    reads=("time", "recorded_at", "sequence", "source", "actor_id"),
    look_back=_LOOK_BACK,
    runbook=Texts(
        "1. 発生元の時刻合わせ (NTP) の記録を確かめ、直します。\n"
        "2. 時計を変更した操作があれば、承認と担当者を確かめます。\n"
        "3. その時間の操作を調べるときは、ずれを差し引いて読みます。",
        "1. Check the source's time synchronisation (NTP) and its log, and repair it.\n"
        "2. If somebody set the clock, see who, and whether it was approved.\n"
        "3. Take the shift into account when acts of that time are reviewed.",
    ),
    false_positives=Texts(
        "保守のための時刻の変更、記録がまとめて遅れた日。",
        "A clock set for maintenance; a day on which recording was late altogether.",
    ),
    references=("NIST SP 800-92",),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
