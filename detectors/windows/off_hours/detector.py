"""Access at a time that nothing accounts for.

Judged by the person's own terms: roster, approved overtime and standby, leave, the unit's calendar, approved time
windows; the clock alone says nothing. A few minutes early or late are no finding. People whom the staff directory
does not know are judged by the town's hours, unless they are active at that hour on many days (a service account);
before there are some days of log, nothing is said about them. Where no directory was imported, everyone is staff.

An office's real hours show in its own log: a quarter of an hour beside working time in which half of a unit's people
are active that day is no finding, and neither is somebody who merely signs in early and looks at nothing. On closed
days and during leave neither excuses. What is looked up at such an hour counts for more when no case accounts for it,
and for less when cases account for all of it: late work is mostly work.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.clock import TOKYO, tokyo_date
from audit.context import WorkContext
from audit.events import LOOKUPS, Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS, evidence_of, main_source, subjects_of
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.accounted import unaccounted_of, units_that_tell
from detectors.windows.off_hours.cases import CASES

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
ACTS = tuple(
    sorted(
        LOOKUPS
        | {
            _A.SEARCH,
            _A.CREATE,
            _A.DELETE,
            _A.EXPORT,
            _A.DOWNLOAD,
            _A.UPLOAD,
            _A.LOGIN,
            _A.UNLOCK,
            _A.MEDIA_WRITE,
        }
        | {_A.BIND_NUMBER, _A.TRANSFER}
    )
)
"""Acts that need a person at work; signing out, locking and what systems do by themselves do not."""
_QUARTERS = 96
_ARRIVING = frozenset({_A.LOGIN, _A.UNLOCK})
_FEW = 3
"""Fewer people than this at the same time are no office's habit."""
_TAKING_OUT = frozenset({_A.EXPORT, _A.DOWNLOAD, _A.PRINT, _A.SCREEN_COPY, _A.MEDIA_WRITE})


_WEEKS_OF_HABIT = 3
"""The same weekday in so many of the last four weeks is a weekly job's habit."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    grace_minutes: int = setting(30, "何分までの早出・居残りを通常とみなすか", "how early or late is still usual")
    arrival_minutes: int = setting(
        120,
        "勤務時間の前後何分までなら、ログインだけのものや所属の半数がそろうものを通常とみなすか",
        "how far beside working time a mere sign-in, or half of a unit together, is still usual",
    )
    learning_days: int = setting(
        5,
        "名簿にない利用者を判定し始めるまでに必要なログの日数",
        "days of log before accounts outside the staff directory are judged at all",
    )
    habit_percent: int = setting(
        40,
        "名簿にない利用者について、過去 28 日のうち何 % の日に活動していればその時刻を通常とみなすか",
        "share of the last 28 days that makes an hour usual for such an account",
    )


@dataclass(frozen=True, slots=True)
class _Judgement:
    """Why a moment is not accounted for."""

    why: Texts
    weight: float
    minutes_off: float
    beside_work: bool = False


def _clock(at: datetime) -> str:
    return at.astimezone(TOKYO).strftime("%H:%M")


def _judge(
    context: WorkContext, actor: str, unit: str, source: str, at: datetime, grace: timedelta
) -> _Judgement | None:
    """Why an act at a moment is not accounted for, or nothing when it is."""
    if context.window_at(actor, source, at) is not None:
        return None
    leave = context.on_leave(actor, at)
    if leave is not None and leave.start + grace <= at < leave.end - grace:
        return _Judgement(
            Texts(
                f"休暇中（{_clock(leave.start)}〜{_clock(leave.end)}、勤務表による）の操作です。",
                f"They were on leave at the time, by the roster ({_clock(leave.start)} to {_clock(leave.end)}).",
            ),
            0.55,
            0.0,
        )
    day = tokyo_date(at)
    for near in {day, tokyo_date(at - grace), tokyo_date(at + grace)}:  # a shift may end or begin at midnight
        spans = context.working(actor, unit, near)
        if any(span.start - grace <= at < span.end + grace for span in spans):
            return None
    spans = context.working(actor, unit, day)
    distances = [max(span.start - at, at - span.end) for span in spans]
    off = min(distances).total_seconds() / 60 if distances else 24 * 60.0
    closed = context.closed(unit, day)
    if closed and not spans:
        why = Texts(
            f"閉庁日（{closed}）で、勤務の割当ても時間外の承認もありません。",
            f"The office was closed that day, a {day:%A}, and no duty or approval is on record.",
        )
        return _Judgement(why, 0.45, off)
    times = "、".join(f"{_clock(span.start)}〜{_clock(span.end)}" for span in spans)
    times_en = ", ".join(f"{_clock(span.start)} to {_clock(span.end)}" for span in spans)
    why = Texts(
        f"この日の勤務時間（{times}）の外で、時間外勤務の承認がありません。",
        f"It is outside the day's working time ({times_en}), and no overtime is approved.",
    )
    return _Judgement(why, 0.3, off, beside_work=True)


def _quarters(window: Window, reader: Reader) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """First and last act of everyone by source and quarter of an hour: small, whatever the number of events."""
    rows = reader.aggregate(
        Filter(start=window.start, end=window.end, activities=ACTS, outcomes=("", "success"), staff_only=True),
        (Dimension.ACTOR, Dimension.ORG_UNIT, Dimension.SOURCE, Dimension.QUARTER),
        (Measure.FIRST, Measure.LAST),
    )
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["actor"], row["source"]].append(row)
    return found


class _Units:
    """Where people work on one day, and when their units are open; looked up once for each."""

    def __init__(self, window: Window, context: WorkContext) -> None:
        self._window = window
        self._context = context
        self._of: dict[tuple[str, str], str] = {}
        self._hours: dict[str, tuple[datetime, datetime] | None] = {}

    def at(self, actor: str, at: datetime, said: str) -> str:
        """The unit of somebody at a moment of the day."""
        if (actor, said) in self._of:
            return self._of[actor, said]
        unit = self._context.unit_of(actor, at, said)
        bounds = (bound for post in self._context.posts.get(actor, ()) for bound in (post.start, post.end))
        if not any(bound is not None and self._window.start < bound < self._window.end for bound in bounds):
            self._of[actor, said] = unit
        return unit

    def open(self, actor: str, unit: str, first: datetime, last: datetime, grace: timedelta) -> bool:
        """Whether the unit is open from one moment to another, and the roster says nothing else of the person."""
        if actor in self._context.roster:
            return False
        if unit not in self._hours:
            self._hours[unit] = self._context.hours(unit, self._window.day)
        hours = self._hours[unit]
        return hours is not None and hours[0] - grace <= first and last < hours[1] + grace


def _shared(units: _Units, quarters: Iterable[Mapping[str, Any]]) -> Mapping[str, frozenset[int]]:
    """By unit, the quarters of an hour in which half of its people at work that day are active: its real hours."""
    present: dict[str, set[str]] = defaultdict(set)
    active: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in quarters:
        unit = units.at(row["actor"], row["first"], row["org_unit"])
        present[unit].add(row["actor"])
        active[unit][row["quarter"]].add(row["actor"])
    return {
        unit: frozenset(
            quarter
            for quarter, people in by_quarter.items()
            if len(people) >= max(_FEW, math.ceil(len(present[unit]) / 2))
        )
        for unit, by_quarter in active.items()
    }


def _days_of_log(window: Window, reader: Reader) -> int:
    """On how many of the last 28 days anybody did anything."""
    wanted = Filter(start=window.start - timedelta(days=28), end=window.start)
    return len(reader.aggregate(wanted, (Dimension.DAY,), (Measure.EVENTS,)))


def _habitual(window: Window, reader: Reader, actor: str, days_of_log: int, params: Parameters) -> frozenset[int]:
    """The quarters of an hour in which an account is active on many days, or every week on this weekday."""
    rows = reader.aggregate(
        Filter(start=window.start - timedelta(days=28), end=window.start, actors=(actor,)),
        (Dimension.DAY, Dimension.QUARTER),
        (Measure.EVENTS,),
    )
    days: dict[int, set[Any]] = defaultdict(set)
    for row in rows:
        for near in (-1, 0, 1):
            days[(row["quarter"] + near) % _QUARTERS].add(row["day"])
    return frozenset(
        quarter
        for quarter, seen in days.items()
        if len(seen) * 100 >= params.habit_percent * days_of_log
        or sum(day.weekday() == window.day.weekday() for day in seen) >= _WEEKS_OF_HABIT
    )


def _suspects(window: Window, reader: Reader, params: Parameters) -> dict[str, list[tuple[datetime, datetime, str]]]:
    """Who has any quarter of an hour that is not accounted for, and which."""
    grace = timedelta(minutes=params.grace_minutes)
    found: dict[str, list[tuple[datetime, datetime, str]]] = defaultdict(list)
    days_of_log = _days_of_log(window, reader)
    quarters = _quarters(window, reader)
    units = _Units(window, reader.context)
    shared = _shared(units, (row for rows in quarters.values() for row in rows))
    for (actor, source), rows in quarters.items():
        odd = []
        for row in rows:
            unit = units.at(actor, row["first"], row["org_unit"])
            if units.open(actor, unit, row["first"], row["last"], grace):
                continue
            judged = [_judge(reader.context, actor, unit, source, at, grace) for at in (row["first"], row["last"])]
            together = row["quarter"] in shared.get(unit, frozenset())
            if any(judgement and not (together and _near_work(judgement, params)) for judgement in judged):
                odd.append(row)
        if odd and reader.context.posts and not reader.context.knows(actor):
            if days_of_log < params.learning_days:
                continue
            usual = _habitual(window, reader, actor, days_of_log, params)
            odd = [row for row in odd if row["quarter"] not in usual]
        found[actor] += [(row["first"], row["last"], row["org_unit"]) for row in odd]
    return {actor: spans for actor, spans in found.items() if spans}


def _acts(
    window: Window, reader: Reader, suspects: Mapping[str, Sequence[tuple[datetime, datetime, str]]]
) -> Mapping[str, Sequence[dict[str, Any]]]:
    """The acts themselves, within the spans that looked odd: asked hour by hour of those who look odd in it."""
    hours: dict[int, set[str]] = defaultdict(set)
    for actor, spans in suspects.items():
        for start, _, _ in spans:  # none is longer than a quarter of an hour
            hours[start.astimezone(TOKYO).hour].add(actor)
    columns = (*EVIDENCE_COLUMNS, "activity", "actor_org_unit", "actor_id")
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for hour, actors in sorted(hours.items()):
        wanted = Filter(
            start=window.start,
            end=window.end,
            actors=tuple(sorted(actors)),
            activities=ACTS,
            outcomes=("", "success"),
            hours=(hour,),
            staff_only=True,
        )
        for event in reader.columns(wanted, columns):
            actor = event["actor_id"]
            if any(start <= event["time"] <= end for start, end, _ in suspects[actor]):
                found[actor].append(event)
    return found


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    grace = timedelta(minutes=params.grace_minutes)
    found: dict[str, list[tuple[dict[str, Any], _Judgement]]] = {}
    for actor, events in sorted(_acts(window, reader, _suspects(window, reader, params)).items()):
        odd = []
        for event in events:
            unit = reader.context.unit_of(actor, event["time"], event["actor_org_unit"])
            judgement = _judge(reader.context, actor, unit, event["source"], event["time"], grace)
            if judgement is not None:
                odd.append((event, judgement))
        if odd and not _only_coming_or_going(odd, params):
            found[actor] = odd
    casework = _casework(window, reader, found)
    for actor, odd in found.items():
        yield _draft(reader.context, actor, odd, casework.get(actor, (0, False)))


def _casework(
    window: Window, reader: Reader, found: Mapping[str, Sequence[tuple[Mapping[str, Any], _Judgement]]]
) -> Mapping[str, tuple[int, bool]]:
    """How many residents first looked up off hours no case accounts for, and whether cases account for all of them.

    Of people who looked at nobody, and of units whose cases are not delivered, nothing is said.
    """
    looked = {
        actor: events
        for actor, odd in found.items()
        if (events := [event for event, _ in odd if event["activity"] in LOOKUPS])
    }
    unit = {
        actor: reader.context.unit_of(actor, events[0]["time"], events[0]["actor_org_unit"])
        for actor, events in looked.items()
    }
    telling = units_that_tell(window, reader, set(unit.values()))
    known = [actor for actor in looked if unit[actor] in telling]
    without = unaccounted_of(window, reader, known)
    counts = {}
    for actor in known:
        times = {event["time"] for event in looked[actor]}
        counts[actor] = sum(look_up.first in times for look_up in without.get(actor, ()))
    return {actor: (count, count == 0) for actor, count in counts.items()}


def _only_coming_or_going(odd: Sequence[tuple[Mapping[str, Any], _Judgement]], params: Parameters) -> bool:
    """Whether somebody merely signed in early or unlocked late, beside a day's work, and looked at nothing."""
    return all(event["activity"] in _ARRIVING and _near_work(judgement, params) for event, judgement in odd)


def _near_work(judgement: _Judgement, params: Parameters) -> bool:
    """Whether a moment lies shortly before or after a day's work, neither on a closed day nor during leave."""
    return judgement.beside_work and judgement.minutes_off <= params.arrival_minutes


def _draft(
    context: WorkContext,
    actor: str,
    odd: Sequence[tuple[Mapping[str, Any], _Judgement]],
    casework: tuple[int, bool],
) -> Draft:
    events = [event for event, _ in odd]
    worst = max((judgement for _, judgement in odd), key=lambda judgement: (judgement.weight, judgement.minutes_off))
    lookups = [event for event in events if event["activity"] in LOOKUPS]
    taken = [event for event in events if event["activity"] in _TAKING_OUT]
    people = len({subject for event in lookups for subject in event["subjects"]})
    hours = min(worst.minutes_off / 60, 4)
    score = min(
        1.0,
        worst.weight + 0.05 * hours + (0.15 if lookups else 0.0) + min(0.15, 0.01 * people) + (0.15 if taken else 0.0),
    )
    without, all_on_cases = casework
    score = min(1.0, score + min(0.2, 0.04 * without) - (0.15 if all_on_cases and not taken else 0.0))
    severity = Severity.HIGH if score >= 0.75 else Severity.MEDIUM if score >= 0.5 else Severity.LOW
    first = min(event["time"] for event in events).astimezone(TOKYO)
    last = max(event["time"] for event in events).astimezone(TOKYO)
    name = context.name_of(actor, first) or actor
    span_ja = f"{first:%H:%M}" if first == last else f"{first:%H:%M}〜{last:%H:%M}"
    span_en = f"{first:%H:%M}" if first == last else f"{first:%H:%M} to {last:%H:%M}"
    reasons = [
        Texts(
            f"{name}（{actor}）が {first.month}月{first.day}日 {span_ja} に {len(events)} 件の操作をしました。",
            f"{name} ({actor}) acted {len(events)} times on {first:%-d %B}, {span_en}.",
        ),
        worst.why,
    ]
    if lookups:
        reasons.append(
            Texts(
                f"そのうち {len(lookups)} 件は住民記録の閲覧などで、対象は {people} 人です。",
                f"{len(lookups)} of them are look-ups, of {people} people.",
            )
        )
    if without:
        reasons.append(
            Texts(
                f"そのうち {without} 人には、対応する業務の記録がありません。",
                f"For {without} of them no case is on record.",
            )
        )
    elif all_on_cases:
        reasons.append(Texts("対象の住民にはすべて業務の記録があります。", "There is a case for each of them."))
    if taken:
        reasons.append(
            Texts(f"印刷や出力が {len(taken)} 件あります。", f"{len(taken)} of them print or take data out.")
        )
    if context.posts and not context.knows(actor):
        reasons.append(Texts("この利用者は職員名簿にありません。", "The staff directory does not know this account."))
    return Draft(
        entity=actor,
        severity=severity,
        score=score,
        actors=(actor,),
        subjects=subjects_of(events),
        source=main_source(events),
        title=Texts(f"{name} の勤務時間外アクセス（{span_ja}）", f"Off-hours access by {name} ({span_en})"),
        reasons=tuple(reasons),
        **evidence_of(events),
    )


META = DetectorMeta(
    id="off-hours-access",
    version="1.1.0",
    title=Texts("勤務時間外・閉庁日のアクセス", "Access off hours and on closed days"),
    description=Texts(
        "勤務表、承認された時間外、休暇、所属の開庁時間のどれにも合わない時刻の操作を見つけます。",
        "Finds acts at a time that no roster, approved overtime, calendar or approved time window accounts for.",
    ),
    family="windows",
    analytic_type=AnalyticType.BEHAVIORAL,
    severity=Severity.HIGH,
    techniques=("T1078",),
    controls=("深夜・休日におけるアクセス一覧", "field G11"),
    reads=("time", "activity", "outcome", "actor_id", "actor_org_unit", "source", "subjects"),
    look_back=timedelta(days=28),
    runbook=Texts(
        "1. 時間外命令簿と勤務表を確かめ、漏れていれば取り込み直します。\n2. 対象の住民と本人の業務の関係を見ます。\n"
        "3. 説明がつかなければ所属長に照会します。",
        "1. Check the overtime ledger and the roster; import what is missing.\n2. See whether the people looked up "
        "belong to this person's work.\n3. Without an explanation, ask the manager.",
    ),
    false_positives=Texts(
        "承認が後から入った時間外、災害対応、選挙事務、勤務表の取り込み漏れ。",
        "Overtime approved later, disaster duty, election work, a roster that was not imported.",
    ),
    references=("住民記録システム標準仕様書 10.2",),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
