"""Acts that somebody entered under an earlier time than that at which they were made.

Where a source says when it recorded an event, an act is backdated that was recorded long after its own time: as long as
that source, by its other events of the last weeks, hardly ever needs. Where it only numbers its events, a few numbers
tell that lie behind their neighbours by an hour or more. What many people have in common is a system that was cut off,
or a wrong clock, and is left to those who look at sources.

Where times of recording tell, a finding lies on the day under which the acts were entered: that is the day whose log
has become another one. Where numbers tell, it lies on the day that has the number before: there it can be seen by
looking back, in whatever order the days arrive.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS, evidence_of
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.sources.backdating.cases import CASES
from detectors.sources.numbering import WITHIN, Numbering, breaks_of
from detectors.sources.telling import lasting
from detectors.telling import about_person, at_hour, named

__all__ = ["DETECTOR", "META", "Parameters", "detect"]

_LOOK_BACK = timedelta(days=28)
_LEVELS = (timedelta(hours=1), timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""How long after the act: the first that a source hardly ever needs is what counts as backdated there."""
_STEP = timedelta(hours=1)
_FEW = 10
"""Numbers out of order in a row; more are a clock, a restart or a second writer."""
_MOST_FALLS = 20
_COLUMNS = (*EVIDENCE_COLUMNS, "activity", "actor_id", "actor_kind", "recorded_at", "sequence")
_CHANGES = frozenset({Activity.UPDATE})


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    usual_percent: float = setting(
        0.5,
        "過去 28 日のイベントの何 % までが遅れて記録されるなら、その遅れを通常とみなさないか",
        "share of a source's events of 28 days up to which a delay is not usual there",
    )
    most_actors: int = setting(
        4,
        "同じシステムで同じ日に何人までなら個人の操作とみるか",
        "people of one source and day up to which it is their own doing",
    )
    most_events: int = setting(
        100, "1 人 1 日で何件まで調べるか（超えるものは一括処理とみる）", "acts of a person; more are a bulk entry"
    )


@dataclass(frozen=True, slots=True)
class _Late:
    """An act under an earlier time.

    Attributes:
        event: the act.
        by: how much earlier, at least.
        numbered: whether its number tells, and not its time of recording.
        seen_at: the event of the day that has the number before, where the act itself lies under another day.
    """

    event: Mapping[str, Any]
    by: timedelta
    numbered: bool
    seen_at: Mapping[str, Any] | None = None


def _late_sources(window: Window, reader: Reader) -> dict[str, int]:
    """The sources of the day, with how many events were recorded later than the lowest level."""
    day = Filter(start=window.start, end=window.end)
    sources = reader.aggregate(day, (Dimension.SOURCE,), (Measure.EVENTS,))
    late = Filter(start=window.start, end=window.end, recorded_after=_LEVELS[0])
    found = {row["source"]: row["events"] for row in reader.aggregate(late, (Dimension.SOURCE,), (Measure.EVENTS,))}
    return {row["source"]: found[row["source"]] for row in sources if row["source"] in found}


def _level(window: Window, reader: Reader, source: str, params: Parameters) -> timedelta | None:
    """How long after the act a source hardly ever records."""
    before = Filter(start=window.start - _LOOK_BACK, end=window.start, sources=(source,))
    every = _count(reader, before)
    for level in _LEVELS:
        late = Filter(start=before.start, end=before.end, sources=(source,), recorded_after=level)
        if _count(reader, late) * 100 <= params.usual_percent * every:
            return level
    return None


def _count(reader: Reader, wanted: Filter) -> int:
    rows = reader.aggregate(wanted, (), (Measure.EVENTS,))
    return int(rows[0]["events"]) if rows else 0


def _recorded_late(window: Window, reader: Reader, params: Parameters) -> Iterable[_Late]:
    for source in sorted(_late_sources(window, reader)):
        level = _level(window, reader, source, params)
        if level is None:
            continue
        wanted = Filter(start=window.start, end=window.end, sources=(source,), recorded_after=level, staff_only=True)
        people = reader.aggregate(wanted, (Dimension.ACTOR,), (Measure.EVENTS,))
        if len(people) > params.most_actors:
            continue
        few = tuple(sorted(one["actor"] for one in people if one["events"] <= params.most_events))
        if not few:
            continue
        own = Filter(start=window.start, end=window.end, sources=(source,), recorded_after=level, actors=few)
        for event in reader.columns(own, _COLUMNS):
            yield _Late(event, event["recorded_at"] - event["time"], numbered=False)


def _out_of_order(window: Window, reader: Reader) -> Iterable[_Late]:
    for numbering in breaks_of(window, reader):
        falls = [one for one in numbering.breaks if one.fall >= _STEP and one.high > 1]
        if len(falls) > _MOST_FALLS or numbering.first <= 1 < len(falls):
            continue
        for fall in falls:
            if fall.high == fall.low + 1:
                yield from _few_after(window, reader, numbering.source, fall.low, fall.before, window.start)
        yield from _under_days_before(window, reader, numbering)


def _under_days_before(window: Window, reader: Reader, numbering: Numbering) -> Iterable[_Late]:
    """What was written right after events of the day, and lies in the log under a day before.

    It is looked for on the day on which it was written: on the day that it claims, what came before it by number would
    lie ahead, and may not have arrived.
    """
    source = numbering.source
    ends = [gap.low for gap in numbering.breaks if gap.high > gap.low + 1]
    if len(ends) > _MOST_FALLS:
        return
    for low in (*ends, numbering.last):
        wanted = Filter(
            start=window.start - _LOOK_BACK,
            end=window.start,
            sources=(source,),
            first_sequence=low,
            last_sequence=low + 1 + _FEW,
            recorded_within=WITHIN,
        )
        rows = reader.aggregate(wanted, (Dimension.SOURCE,), (Measure.FIRST_SEQUENCE,))
        if not rows or rows[0]["first_sequence"] != low + 1:
            continue  # that number was used before: numbering began anew, and numbers say nothing
        before = _last_of(window, reader, source, low)
        yield from _few_after(window, reader, source, low, before["time"], window.start - _LOOK_BACK, before)


def _last_of(window: Window, reader: Reader, source: str, number: int) -> Mapping[str, Any]:
    """The event of the day that has a number; the latest of several."""
    wanted = Filter(start=window.start, end=window.end, sources=(source,), first_sequence=number, last_sequence=number)
    return max(reader.columns(wanted, _COLUMNS), key=lambda row: (row["time"], row["event_id"]))


def _few_after(
    window: Window,
    reader: Reader,
    source: str,
    low: int,
    before: datetime,
    since: datetime,
    seen_at: Mapping[str, Any] | None = None,
) -> Iterable[_Late]:
    """The events whose numbers follow, as long as they lie behind; nothing when they are many, or of several people.

    Args:
        window: the day.
        reader: what there is to see.
        source: whose numbers.
        low: the number before.
        before: when its event happened.
        since: from when on they are looked for.
        seen_at: the event of the number before, where the others lie under another day.
    """
    wanted = Filter(
        start=since,
        end=min(window.end if seen_at is None else window.start, before - _STEP),
        sources=(source,),
        first_sequence=low + 1,
        last_sequence=low + 1 + _FEW,
        recorded_within=None if seen_at is None else WITHIN,
    )
    rows = sorted(reader.columns(wanted, _COLUMNS), key=lambda row: (row["sequence"], row["time"]))
    behind = [row for number, row in enumerate(rows, start=low + 1) if row["sequence"] == number]
    if 0 < len(behind) <= _FEW and len({row["actor_id"] for row in behind}) == 1:
        for row in behind:
            if row["actor_id"] and row["actor_kind"] != "system":
                yield _Late(row, before - row["time"], numbered=True, seen_at=seen_at)


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    by_actor: dict[str, dict[tuple[str, str], _Late]] = defaultdict(dict)
    for late in [*_out_of_order(window, reader), *_recorded_late(window, reader, params)]:
        by_actor[late.event["actor_id"]][late.event["source"], late.event["event_id"]] = late
    for actor, found in sorted(by_actor.items()):
        yield _draft(reader, actor, sorted(found.values(), key=lambda late: late.event["time"]))


def _draft(reader: Reader, actor: str, found: Sequence[_Late]) -> Draft:
    events = [late.event for late in found]
    longest = max(found, key=lambda late: late.by)
    changes = sum(event["activity"] in _CHANGES for event in events)
    first, by = at_hour(events[0]["time"]), lasting(longest.by)
    who = named(reader.context, actor, events[0]["time"])
    reasons = [
        Texts(
            f"{who} の {len(found)} 件の操作は {first.ja} 以降のものとして記録されています。",
            f"{len(found)} acts of {who} are in the log as of {first.en} and after.",
        )
    ]
    if longest.numbered:
        reasons.append(
            Texts(
                f"通番では、最大 {by.ja}後の記録のあとに書かれています。",
                f"By their numbers they were written after events that are up to {by.en} newer.",
            )
        )
    else:
        entered = at_hour(longest.event["recorded_at"])
        reasons.append(
            Texts(
                f"実際に記録されたのは最大 {by.ja}後（{entered.ja}）です。"
                "このシステムの記録がそれほど遅れることは通常ありません。",
                f"They were recorded up to {by.en} later ({entered.en}); this system hardly ever records so late.",
            )
        )
    if changes:
        reasons.append(Texts(f"そのうち {changes} 件は記録の変更です。", f"{changes} of them change a record."))
    days = longest.by >= timedelta(days=1)
    score = (0.5 if days else 0.3) + (0.2 if changes else 0.0) + min(0.2, 0.04 * len(found))
    beside = {str(late.seen_at["event_id"]): late.seen_at for late in found if late.seen_at is not None}
    draft = about_person(
        actor,
        events,
        score,
        Texts(f"{who} のさかのぼった記録（{by.ja}）", f"Acts of {who} entered under an earlier time ({by.en})"),
        reasons,
        Severity.HIGH,
    )
    return replace(draft, **evidence_of([*beside.values(), *events])) if beside else draft


META = DetectorMeta(
    id="backdated-acts",
    version="1.1.0",
    title=Texts("さかのぼって記録された操作", "Acts entered under an earlier time"),
    description=Texts(
        "操作の日時より大きく遅れて記録された、または通番の順と日時の順が合わない、個人の操作を見つけます。",
        "Finds a person's acts that were recorded long after their own time, or whose numbers and times are not in the "
        "same order.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1070", "T1565.001"),
    controls=("C-188", "field D3"),
    reads=("time", "recorded_at", "sequence", "source", "actor_id", "activity", "subjects"),
    look_back=_LOOK_BACK,
    runbook=Texts(
        "1. 本人に、後から記録した理由と、元になった書類を確かめます。\n"
        "2. 対象の住民の記録が、その日時のあとに証明書や決定に使われていないか見ます。\n"
        "3. 書類がなければ、日時の書き換えとして所属長と情報システム担当に知らせます。",
        "1. Ask the person why it was recorded later, and for the papers it rests on.\n"
        "2. See whether the records were used for a certificate or a decision after the time they claim.\n"
        "3. Without papers, tell the manager and the system's owner that times were altered.",
    ),
    false_positives=Texts(
        "紙で受け付けた届出の後日の入力、窓口システムの停止中の受付、遡及の異動。",
        "Forms received on paper and typed in later, an outage at the counter, changes with retroactive effect.",
    ),
    references=("NIST SP 800-92",),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
