"""A day unlike the person's own and unlike their colleagues', by a model that is learned from the log.

Each of the other detectors looks at one thing. Here the small things of a day add up: two look-ups without a case, one
of them of a namesake, found by name and printed, a system that somebody never uses, half an hour after the end of work.

The model of a window is a function of the log before the Monday of its week (the anchor), of the parameters and the
seed. Person-days that open findings of other detectors are about are left out of it. Somebody's score depends on their
own day and the model alone; what their colleagues do that day can only excuse them.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from audit.casework import LookUp, LookUpFilter
from audit.clock import day_start
from audit.events import Activity, Outcome
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS, evidence_of, main_source, subjects_of
from detectors.learned.unusual_day.cases import CASES
from detectors.learned.unusual_day.features import COUNTED, PersonDays, number, of_look_ups, read, working_time
from detectors.learned.unusual_day.model import Model, Surprise, fit
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.chance import likely
from detectors.windows.shares import UNACCOUNTED, supervised

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_Row = npt.NDArray[np.float64]
_BEFORE = 5e-4
"""On so many person-days in one is there misuse that shows in these numbers."""
_COLLEAGUES = 3
"""Fewer of them say nothing about what kind of day it was in the unit."""
_OUTPUTS = frozenset({_A.PRINT, _A.SCREEN_COPY, _A.EXPORT, _A.DOWNLOAD, _A.MEDIA_WRITE})
_ATTEMPTS = frozenset({_A.LOGIN, _A.SECURITY_EVENT, _A.UNLOCK})
_SUCCEEDED = frozenset({"", Outcome.SUCCESS})
_TELLING = 0.05
"""What adds less than this share is neither told nor shown as evidence."""
_FEW_OWN = 5
"""With fewer days of their own the colleagues' are what somebody is compared with."""
_SENTENCES = 3
_AT_ONCE = 50
"""The acts of so many people are looked at together."""
_LOOKED_UP = frozenset(feature.name for feature in COUNTED if feature.of_look_ups)
_COLUMNS = (*EVIDENCE_COLUMNS, "actor_id", "activity", "outcome", "terminal_id")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    history_days: int = setting(28, "何日分のログから学ぶか", "how many days of log the model is learned from", most=28)
    learning_days: int = setting(
        10, "学習に必要な、操作のあった日数", "days with acts that must be there before anything is judged"
    )
    least_score: float = setting(0.5, "この確からしさに満たなければ検知しない", "what is less likely is left out")
    seed: int = setting(1, "学習に使う乱数の種", "the seed of what is drawn for learning")


@dataclass(frozen=True, slots=True)
class _Day:
    """Somebody's day, and how it was judged."""

    actor: str
    unit: str
    row: _Row
    surprise: Surprise

    @property
    def score(self) -> float:
        """How likely it is that there is misuse behind it."""
        return likely(_BEFORE, self.surprise.chance)

    def is_odd(self, params: Parameters) -> bool:
        """Whether there is anything to tell."""
        return any(self.surprise.parts) and self.score >= params.least_score


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    today = read(reader, window.day, window.day + timedelta(days=1))
    model = _model(window, reader, params) if today.keys else None
    if model is None:
        return
    actors = [actor for _, actor in today.keys]
    off = model.off(actors, today.units, today.values)
    days = map(_Day, actors, today.units, today.values, model.surprises(today.values, off))
    odd = [day for day in days if day.is_odd(params) and _excused(model, day, today, off).is_odd(params)]
    for begin in range(0, len(odd), _AT_ONCE):
        some = odd[begin : begin + _AT_ONCE]
        look_ups = _unaccounted(window, reader, [day.actor for day in some])
        judged = [_as_supervised(model, day, look_ups[day.actor]) for day in some]
        found = [day for day in judged if day.is_odd(params) and _excused(model, day, today, off).is_odd(params)]
        acts = _acts(window, reader, [day.actor for day in found])
        for day in found:
            yield _draft(window, reader, params, model, day, look_ups[day.actor], acts[day.actor])


def anchor_of(day: date) -> date:
    """The Monday of a day's week: its model knows nothing of this day or later."""
    return day - timedelta(days=day.weekday())


def _model(window: Window, reader: Reader, params: Parameters) -> Model | None:
    """The model of a window, learned anew when anything that it is made of has changed; none before there is enough."""
    anchor = anchor_of(window.day)
    start = anchor - timedelta(days=params.history_days)
    held = reader.aggregate(
        Filter(start=day_start(start), end=day_start(anchor)), (Dimension.DAY,), (Measure.EVENTS, Measure.LAST_INDEX)
    )
    if len(held) < params.learning_days:
        return None
    suspected = reader.suspected(start, anchor, META.id)
    content = tuple(sorted((row["day"], row["events"], row["last_index"]) for row in held))

    def learn() -> Model | None:
        days = read(reader, start, anchor)
        enough = len({day for day, _ in days.without(suspected).keys}) >= params.learning_days
        return fit(days, suspected, anchor, params.seed) if enough else None

    return reader.kept(META.id, (anchor, content, suspected, astuple(params)), learn)


def _unaccounted(window: Window, reader: Reader, actors: Sequence[str]) -> Mapping[str, list[LookUp]]:
    """Some people's look-ups of the day that nothing accounts for, without those of approved practice."""
    found = defaultdict[str, list[LookUp]](list)
    wanted = LookUpFilter(
        start=window.day, end=window.day + timedelta(days=1), actors=tuple(actors), results=UNACCOUNTED
    )
    for one in reader.look_ups(wanted):
        if not supervised(reader.context, one):
            found[one.actor].append(one)
    return found


def _acts(window: Window, reader: Reader, actors: Sequence[str]) -> Mapping[str, list[dict[str, Any]]]:
    """Everything that some people did that day."""
    found = defaultdict[str, list[dict[str, Any]]](list)
    if actors:
        wanted = Filter(start=window.start, end=window.end, actors=tuple(actors), staff_only=True)
        for event in reader.columns(wanted, _COLUMNS):
            found[event["actor_id"]].append(event)
    return found


def _as_supervised(model: Model, day: _Day, look_ups: Sequence[LookUp]) -> _Day:
    """A day judged by those look-ups without a case that nobody has approved in advance."""
    row = of_look_ups(day.row, look_ups)
    if np.array_equal(row, day.row):
        return day
    off = model.off([day.actor], [day.unit], row[None, :])
    return replace(day, row=row, surprise=model.surprises(row[None, :], off)[0])


def _excused(model: Model, day: _Day, today: PersonDays, off: _Row) -> _Day:
    """A day of which that is taken off which the colleagues' day has as well: what keeps a whole unit busy."""
    others = [
        place
        for place, ((_, actor), unit) in enumerate(zip(today.keys, today.units, strict=True))
        if unit == day.unit and actor != day.actor
    ]
    if len(others) < _COLLEAGUES:
        return day
    usual = np.maximum(0.0, np.median(off[others], axis=0))
    own = model.off([day.actor], [day.unit], day.row[None, :])[0]
    return replace(day, surprise=model.surprises(day.row[None, :], (own - usual)[None, :])[0])


# What a finding says ---------------------------------------------------------------------------------------


def _draft(
    window: Window,
    reader: Reader,
    params: Parameters,
    model: Model,
    day: _Day,
    look_ups: Sequence[LookUp],
    acts: Sequence[dict[str, Any]],
) -> Draft:
    parts = sorted(((part, place) for place, part in enumerate(day.surprise.parts) if part), reverse=True)
    whole = math.fsum(part for part, _ in parts)
    shares = [(place, round(day.score * part / whole, 4)) for part, place in parts]
    score = math.fsum(share for _, share in shares)
    telling = [place for place, share in shares if share >= _TELLING * score]
    events = _evidence(reader, day.actor, frozenset(COUNTED[place].name for place in telling), look_ups, acts)
    name = reader.context.name_of(day.actor, window.start) or day.actor
    return Draft(
        entity=day.actor,
        severity=Severity.HIGH if score >= 0.75 else Severity.MEDIUM if score >= 0.5 else Severity.LOW,
        score=score,
        actors=(day.actor,),
        subjects=subjects_of(events),
        source=main_source(events),
        title=Texts(f"{name} のふだんと違う一日", f"An unusual day of {name}"),
        reasons=(
            _how_rare(window, model, day, name),
            *(_how_much(model, day, place) for place in telling[:_SENTENCES]),
            _learned_from(params, model),
        ),
        baseline=(
            *((COUNTED[place].text, share) for place, share in shares),
            (Texts("合計（確からしさ）", "Together: the score"), score),
        ),
        **evidence_of(events),
    )


def _evidence(
    reader: Reader,
    actor: str,
    telling: frozenset[str],
    look_ups: Sequence[LookUp],
    events: Sequence[dict[str, Any]],
) -> list[dict[str, Any]]:
    """The acts of the day by which the numbers that tell are what they are; all of them where these name none."""
    chosen = {one.evidence for one in look_ups} if _LOOKED_UP & telling else set[str]()
    span = working_time(reader.context, actor, events[0]["time"], events[-1]["time"])
    tells: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
        "searches": lambda event: event["activity"] == _A.SEARCH and event["outcome"] in _SUCCEEDED,
        "outputs": _is_output,
        "rows": _is_output,
        "denied": lambda event: event["outcome"] not in _SUCCEEDED and event["activity"] not in _ATTEMPTS,
        "off_minutes": lambda event: span is None or not span[0] <= event["time"] <= span[1],
        "sources": _further(events, "source"),
        "terminals": _further(events, "terminal_id"),
    }
    asked = [tells[name] for name in sorted(telling & tells.keys())]
    found = [
        event
        for event in events
        if f"{event['source']}:{event['event_id']}" in chosen or any(tell(event) for tell in asked)
    ]
    return found or list(events)


def _further(events: Sequence[Mapping[str, Any]], column: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an act is the first at another one than the day's first system or terminal."""
    first: dict[str, tuple[str, str]] = {}
    for event in events:
        if event[column]:
            first.setdefault(event[column], (event["source"], event["event_id"]))
    chosen = frozenset(list(first.values())[1:])
    return lambda event: (event["source"], event["event_id"]) in chosen


def _is_output(event: Mapping[str, Any]) -> bool:
    return event["activity"] in _OUTPUTS and event["outcome"] in _SUCCEEDED


def _how_rare(window: Window, model: Model, day: _Day, name: str) -> Texts:
    own = model.baseline.own_days(day.actor, day.unit)
    often = f"{1 / day.surprise.chance:,.0f}"
    at = window.day
    compared = (
        Texts(f"本人の過去 {own} 日と所属のふだん", f"their own {own} days before and the unit's")
        if own >= _FEW_OWN
        else Texts(
            f"同じ所属の職員のふだん（この所属での本人の記録は {own} 日）",
            f"the days of their unit (of their own there are {own} in it)",
        )
    )
    return Texts(
        f"{name}（{day.actor}）の {at.month}月{at.day}日は、{compared.ja}と大きく違います。"
        f"偶然なら約 {often} 人日に 1 度です。",
        f"{at:%-d %B} of {name} ({day.actor}) is far from {compared.en}; "
        f"by chance such a day comes once in about {often}.",
    )


def _how_much(model: Model, day: _Day, place: int) -> Texts:
    feature = COUNTED[place]
    found = number(feature, day.row[place])
    usual = number(feature, float(model.baseline.expected(day.actor, day.unit)[place]))
    return Texts(
        f"{feature.text.ja}: {found:,.0f}（ふだんは {usual:,.1f} ほど）。",
        f"{feature.text.en[0].upper()}{feature.text.en[1:]}: {found:,.0f} (usually about {usual:,.1f}).",
    )


def _learned_from(params: Parameters, model: Model) -> Texts:
    start, end = model.anchor - timedelta(days=params.history_days), model.anchor - timedelta(days=1)
    return Texts(
        f"{start.isoformat()} から {end.isoformat()} までの {model.days:,} 人日から学んだモデルによります"
        f"（未解決の検知がある {model.left_out} 人日は除外、種 {params.seed}、指紋 {model.fingerprint}）。",
        f"By a model learned from {model.days:,} person-days, {start.isoformat()} to {end.isoformat()}; "
        f"{model.left_out} with open findings were left out (seed {params.seed}, fingerprint {model.fingerprint}).",
    )


META = DetectorMeta(
    id="unusual-day",
    version="1.0.0",
    title=Texts("ふだんと違う一日", "An unusual day"),
    description=Texts(
        "一人の一日を 12 の数で表し、本人と所属から学んだモデルに照らして、小さな違いが重なった日を見つけます。",
        "Compares a person's day, in twelve numbers, with a model of their own and their unit's days; what is a little "
        "odd in several ways adds up.",
    ),
    family="learned",
    analytic_type=AnalyticType.LEARNING,
    severity=Severity.HIGH,
    techniques=("T1078", "T1213"),
    controls=("C-083", "field H2", "field H5", "field H8", "field H10"),
    reads=(
        "time",
        "activity",
        "outcome",
        "actor_id",
        "actor_kind",
        "actor_org_unit",
        "source",
        "subjects",
        "query_by",
        "query_hits",
        "export_rows",
        "terminal_id",
    ),
    look_back=timedelta(days=35),
    runbook=Texts(
        "1. 点数の内訳で、何が効いたかを見ます。\n"
        "2. 同じ人の同じ日にほかの検知があれば、そちらの手順を先に進めます。\n"
        "3. 担当替え、応援、新しい事務の開始がなかったか所属に確かめます。\n"
        "4. 根拠のない照会が残れば、対象の住民と本人の関係を見て照会します。",
        "1. See in the parts of the score what made the day unusual.\n"
        "2. Where other detectors name the same person that day, follow their runbook first.\n"
        "3. Ask the unit about new duties, help for another unit, a new kind of work.\n"
        "4. If look-ups without a case remain, see how these residents are related to the person, and ask.",
    ),
    false_positives=Texts(
        "担当替えや応援の初日、記録に残らない口頭の指示、本人も所属も初めての事務。",
        "The first day of a new duty or of helping out, orders by word of mouth, work that is new to the whole unit.",
    ),
    references=("Fisher 1925, combining independent tests", "Efron and Morris 1973, empirical Bayes"),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
