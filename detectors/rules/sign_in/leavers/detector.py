"""An account that acts although its owner's last post has ended.

The directory says until when somebody works here; the last day counts in full, and so does a shift that began on it.
Between two appointments, as when a fixed-term post is renewed a few days late, the account is not a leaver's. Refused
attempts count only when they are repeated: a colleague may have mistyped their own id.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.context import Post, WorkContext
from audit.events import LOOKUPS, Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.sign_in.leavers.cases import CASES
from detectors.telling import about_person, at_hour, named, place_of

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_ACTIVITIES = tuple(sorted(set(_A) - {_A.LOGOUT, _A.LOCK, _A.HEARTBEAT, _A.LEDGER_ENTRY, _A.EXIT}))
_COLUMNS = (*EVIDENCE_COLUMNS, "activity", "outcome", "terminal_id", "terminal_ip")
_TAKING_OUT = frozenset({_A.EXPORT, _A.DOWNLOAD, _A.PRINT, _A.SCREEN_COPY, _A.MEDIA_WRITE})


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    renewal_days: int = setting(
        7, "次の任用まで何日以内の空白なら継続とみなすか", "days between two appointments that are no leaving"
    )
    refused_attempts: int = setting(
        3, "拒否された試みだけの場合、何回で検知するか", "so many refused attempts, where none succeeded"
    )


def _left(context: WorkContext, actor: str, at: datetime, params: Parameters) -> Post | None:
    """The last post of somebody who has left by a moment; nothing for whoever still works here, or soon again."""
    posts = [post for post in context.posts.get(actor, ()) if not post.empty]
    if not posts or any(post.holds(at) for post in posts):
        return None
    if any(post.start is not None and at < post.start <= at + timedelta(days=params.renewal_days) for post in posts):
        return None
    ended = [post for post in posts if post.end is not None and post.end <= at]
    return max(ended, key=lambda post: post.end or at, default=None)


def _accounted_for(context: WorkContext, actor: str, post: Post, source: str, at: datetime) -> bool:
    """Whether a shift that began before the last day ended, or somebody else's approval, covers an act."""
    shifts = (
        span.start < (post.end or at) and span.start <= at < span.end + timedelta(minutes=30) and span.kind != "leave"
        for span in context.roster.get(actor, ())
    )
    return any(shifts) or context.window_at(actor, source, at) is not None


def _unwanted(
    context: WorkContext, actor: str, events: Iterable[Mapping[str, Any]], params: Parameters
) -> list[Mapping[str, Any]]:
    found = []
    for event in events:
        post = _left(context, actor, event["time"], params)
        if post is not None and not _accounted_for(context, actor, post, event["source"], event["time"]):
            found.append(event)
    return found


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    wanted = Filter(start=window.start, end=window.end, activities=_ACTIVITIES, staff_only=True)
    rows = reader.aggregate(wanted, (Dimension.ACTOR,), (Measure.LAST,))
    for actor in sorted(row["actor"] for row in rows if _left(reader.context, row["actor"], row["last"], params)):
        of_actor = Filter(start=window.start, end=window.end, activities=_ACTIVITIES, staff_only=True, actors=(actor,))
        events = _unwanted(reader.context, actor, reader.columns(of_actor, _COLUMNS), params)
        succeeded = [event for event in events if event["outcome"] in ("", "success")]
        if succeeded or len(events) >= params.refused_attempts:
            yield _draft(reader.context, actor, events, succeeded, params)


def _draft(
    context: WorkContext,
    actor: str,
    events: list[Mapping[str, Any]],
    succeeded: list[Mapping[str, Any]],
    params: Parameters,
) -> Draft:
    first = events[0]
    post = _left(context, actor, first["time"], params)
    last_day = post.end - timedelta(seconds=1) if post is not None and post.end is not None else first["time"]
    days = max(1, (first["time"] - last_day).days + 1)
    looks = sum(event["activity"] in LOOKUPS for event in succeeded)
    taken = sum(event["activity"] in _TAKING_OUT for event in succeeded)
    score = 0.35 + (0.35 if succeeded else 0.0) + (0.1 if looks else 0.0) + (0.1 if taken else 0.0)
    name, when, left = named(context, actor, last_day), at_hour(first["time"]), at_hour(last_day)
    reasons = [
        Texts(
            f"{name} の在職は職員名簿では {left.ja.split()[0]} までですが、その {days} 日後の {when.ja} に"
            f"この利用者 ID が使われました。",
            f"By the directory {name} worked here until {left.en.partition(' on ')[2]}; the account was used "
            f"{days} day{'' if days == 1 else 's'} later, at {when.en}.",
        ),
        Texts(
            f"この日の操作は {len(events)} 件で、うち {len(succeeded)} 件が成功し、"
            f"住民記録の閲覧などは {looks} 件です。",
            f"{len(events)} acts that day, of which {len(succeeded)} succeeded and {looks} are look-ups.",
        ),
    ]
    if place_of(first):
        reasons.append(Texts(f"端末は {place_of(first)} です。", f"It was at {place_of(first)}."))
    title = Texts(f"{name}: 退職後の利用者 ID の使用", f"{name}: the account of a leaver is used")
    return about_person(actor, events, score, title, reasons)


META = DetectorMeta(
    id="leaver-active",
    version="1.0.0",
    title=Texts("退職・任期満了後の利用者 ID の使用", "A leaver's account in use"),
    description=Texts(
        "職員名簿で最後の任用が終わったあとの操作や、繰り返された試みを見つけます。",
        "Finds acts, and repeated attempts, of accounts after their owner's last post has ended.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1078",),
    controls=("C-075", "C-098", "field G15"),
    reads=("time", "activity", "outcome", "actor_id", "terminal_id", "terminal_ip", "source", "subjects"),
    look_back=timedelta(days=1),
    runbook=Texts(
        "1. 人事に退職日を確かめ、名簿が遅れていれば直します。\n2. 退職していれば利用者 ID を直ちに止めます。\n"
        "3. 端末の場所から誰が操作したかを調べ、閲覧された住民を確かめます。",
        "1. Ask personnel for the last day; mend the directory if it is late.\n2. If they have left, stop the account "
        "at once.\n3. Find out from the terminal who acted, and whose records were read.",
    ),
    false_positives=Texts(
        "任用更新の名簿への反映の遅れ、再任用、本人以外の名義で動く処理。",
        "A renewed appointment that reached the directory late, and jobs that run under a person's name.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
