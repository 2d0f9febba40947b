"""An account that nobody used for a long time, and that acts again.

Silence is measured by the log: since the account's last act, or since the log began where it has none. An account that
was used day after day is dormant sooner than one that is used a few times a year. A new member of
staff, somebody whose post has changed, somebody who was on leave, and somebody whom the roster or an approval calls in
have a reason for it. An account that the directory does not know and that was never seen is as good as dormant, once
there is a directory. What it does after waking decides how much it matters.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from audit.context import RosterKind, WorkContext
from audit.events import LOOKUPS, Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.accounted import unaccounted
from detectors.rules.contractors.people import let_in
from detectors.rules.sign_in.dormant.cases import CASES
from detectors.telling import about_person, at_hour, named, place_of, unknown_to_directory

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_LOOK_BACK = timedelta(days=180)
_DAILY = 3
"""On fewer days than these nothing is known of how an account is used."""
_LONG = 60
_LONGER = 5
"""A silence so many times the longest pause before is none of its usual pauses."""
_COLUMNS = (*EVIDENCE_COLUMNS, "activity", "terminal_id", "terminal_ip")
_TAKING_OUT = frozenset({_A.EXPORT, _A.DOWNLOAD, _A.PRINT, _A.SCREEN_COPY, _A.MEDIA_WRITE})
_BY_ITSELF = frozenset({_A.LOGOUT, _A.LOCK, _A.HEARTBEAT, _A.LEDGER_ENTRY, _A.ENTRY, _A.EXIT})
_PEOPLE_S_OWN = tuple(sorted(set(_A) - _BY_ITSELF))


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    silent_days: int = setting(
        60, "何日使われなければ休眠とみなすか", "days without any act that make it dormant", most=180
    )
    pause_days: int = setting(
        30,
        "それまで毎日のように使われていた利用者 ID は、何日使われなければ休眠とみなすか",
        "the same for an account that was in daily use before",
    )
    least_log_days: int = setting(
        20,
        "ログがこれより短い間は、初めて現れた利用者 ID を判定しない",
        "days of log before an account without an earlier act is judged",
    )


@dataclass(frozen=True, slots=True)
class _Silence:
    """How long an account was silent, and since when; `seen` whether the log knows an earlier act."""

    since: datetime
    seen: bool

    def days(self, window: Window) -> int:
        return (window.start - self.since).days


def _acting(window: Window, start: datetime, **more: Any) -> Filter:  # noqa: ANN401 - any field
    return Filter(start=start, end=window.start, outcomes=("", "success"), staff_only=True, **more)


def _not_seen(window: Window, reader: Reader, actors: set[str], back: int, to: int = 0) -> set[str]:
    """Those of some accounts without an act between so many days back and so many."""
    if not actors:
        return actors
    wanted = Filter(
        start=window.start - timedelta(days=back),
        end=window.start - timedelta(days=to),
        actors=tuple(sorted(actors)),
        activities=_PEOPLE_S_OWN,
        outcomes=("", "success"),
        staff_only=True,
    )
    return actors - {row["actor"] for row in reader.aggregate(wanted, (Dimension.ACTOR,), (Measure.LAST,))}


def _begin_of_log(window: Window, reader: Reader) -> datetime:
    rows = reader.aggregate(
        Filter(start=window.start - _LOOK_BACK, end=window.start, staff_only=True), (), (Measure.FIRST, Measure.EVENTS)
    )
    return rows[0]["first"] if rows and rows[0]["events"] else window.start


def _silences(window: Window, reader: Reader, actors: set[str], params: Parameters) -> Mapping[str, _Silence]:
    """The accounts that were silent long enough."""
    begin = _begin_of_log(window, reader)
    wanted = _acting(window, window.start - _LOOK_BACK, actors=tuple(sorted(actors)), activities=_PEOPLE_S_OWN)
    last = {row["actor"]: row["last"] for row in reader.aggregate(wanted, (Dimension.ACTOR,), (Measure.LAST,))}
    found = {}
    for actor in actors:
        silence = _Silence(last.get(actor, begin), actor in last)
        least = params.silent_days if silence.seen else min(params.silent_days, params.least_log_days)
        days = silence.days(window)
        if silence.seen and params.pause_days <= days < least and _was_daily(window, reader, actor, silence):
            least = params.pause_days
        if days >= least:
            found[actor] = silence
    return found


def _was_daily(window: Window, reader: Reader, actor: str, silence: _Silence) -> bool:
    """Whether the pauses before were so short that this one is something else."""
    wanted = _acting(window, window.start - _LOOK_BACK, actors=(actor,), activities=_PEOPLE_S_OWN)
    days = sorted(row["day"] for row in reader.aggregate(wanted, (Dimension.DAY,), (Measure.EVENTS,)))
    longest = max(((later - earlier).days for earlier, later in pairwise(days)), default=0)
    return len(days) >= _DAILY and _LONGER * longest <= silence.days(window)


def _has_reason(context: WorkContext, window: Window, actor: str, silence: _Silence, params: Parameters) -> bool:
    """Whether the directory or the roster accounts for a silence."""
    since = min(silence.since, window.start - timedelta(days=params.silent_days))
    posts = context.posts.get(actor, ())
    if posts and all(post.end is not None and post.end <= window.start for post in posts):
        return True  # whoever has left is another finding
    if any(post.start is not None and since <= post.start < window.end for post in posts):
        return True
    if not silence.seen and not posts and not context.posts:
        return True  # without a directory every newcomer would be one
    away = (
        span
        for span in context.roster.get(actor, ())
        if span.kind in (RosterKind.LEAVE, RosterKind.TRAINING) and span.end > since and span.start < window.start
    )
    gone = sum(((min(span.end, window.start) - max(span.start, since)) for span in away), timedelta())
    return gone >= timedelta(days=silence.days(window) / 2)


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding an account and day."""
    today = Filter(
        start=window.start,
        end=window.end,
        activities=_PEOPLE_S_OWN,
        outcomes=("", "success"),
        staff_only=True,
    )
    candidates = {row["actor"] for row in reader.aggregate(today, (Dimension.ACTOR,), (Measure.FIRST,))}
    candidates = _not_seen(window, reader, candidates, 7)
    candidates = _not_seen(window, reader, candidates, min(params.silent_days, params.least_log_days), 7)
    if not candidates:
        return
    for actor, silence in sorted(_silences(window, reader, candidates, params).items()):
        if _has_reason(reader.context, window, actor, silence, params):
            continue
        wanted = Filter(
            start=window.start,
            end=window.end,
            actors=(actor,),
            activities=_PEOPLE_S_OWN,
            outcomes=("", "success"),
            staff_only=True,
        )
        events = [
            event
            for event in reader.columns(wanted, _COLUMNS)
            if not let_in(reader.context, actor, event["source"], event["time"])
        ]
        if events:
            yield _draft(window, reader, actor, silence, events)


def _draft(window: Window, reader: Reader, actor: str, silence: _Silence, events: list[dict[str, Any]]) -> Draft:
    context, first, days = reader.context, events[0], silence.days(window)
    without = len(unaccounted(window, reader, actor))
    looks = [event for event in events if event["activity"] in LOOKUPS]
    taken = [event for event in events if event["activity"] in _TAKING_OUT]
    people = len({subject for event in looks for subject in event["subjects"]})
    score = (0.45 if days >= _LONG else 0.35) if silence.seen else 0.25
    score += (0.1 if looks else 0.0) + min(0.2, 0.05 * without)
    score += 0.1 if taken else 0.0
    name, when = named(context, actor, first["time"]), at_hour(first["time"])
    since = at_hour(silence.since)
    last = (
        Texts(f"最後の使用は {since.ja} です。", f"It was last used at {since.en}.")
        if silence.seen
        else Texts(
            f"ログの始まり（{since.ja}）以来、一度も使われていません。",
            f"It has not been used since the log began, at {since.en}.",
        )
    )
    reasons = [
        Texts(
            f"{name} の利用者 ID が {days} 日ぶりに {when.ja} に使われました。",
            f"The account of {name} was used at {when.en}, after {days} days of silence.",
        ),
        last,
        Texts(
            f"この日の操作は {len(events)} 件、閲覧した住民は {people} 人（業務の記録がないもの {without} 人）です。"
            "休職・異動・採用の記録はありません。",
            f"{len(events)} acts that day, {people} residents looked up, {without} of them without a case. No leave, "
            f"transfer or appointment is on record.",
        ),
    ]
    if place_of(first):
        reasons.append(Texts(f"端末は {place_of(first)} です。", f"It was at {place_of(first)}."))
    reasons += unknown_to_directory(context, actor)
    title = Texts(f"{name}: 休眠していた利用者 ID の使用", f"{name}: a dormant account is used again")
    return about_person(actor, events, score, title, reasons)


META = DetectorMeta(
    id="dormant-account",
    version="1.1.0",
    title=Texts("休眠していた利用者 ID の使用", "A dormant account awake"),
    description=Texts(
        "長く使われていなかった利用者 ID の使用のうち、休職・異動・採用で説明できないものを見つけます。",
        "Finds accounts that act after long silence without a leave, transfer or appointment to account for it.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1078",),
    controls=("C-075", "C-098", "field G15"),
    reads=("time", "activity", "outcome", "actor_id", "terminal_id", "terminal_ip", "source", "subjects"),
    look_back=_LOOK_BACK,
    runbook=Texts(
        "1. 本人と所属長に、使ったのが本人か、なぜ今使ったかを確かめます。\n"
        "2. 端末の場所から実際の操作者を調べます。\n3. 業務に要らない利用者 ID は止めます。",
        "1. Ask the person and their manager whether it was them, and why now.\n"
        "2. Find out from the terminal who acted.\n3. Stop accounts that no work needs.",
    ),
    false_positives=Texts(
        "年に数回だけ使う業務、名簿や勤務表にない休職からの復帰。",
        "Work that comes up a few times a year, a return from an absence that no feed tells.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
