"""An account that is used while its owner is on leave, or away for training.

Somebody who is away does not look residents up. Minutes at the edges of the absence are none of it, and neither is
work that somebody approved for that time. A mere sign-in may be a program that keeps a password; what counts is that
records were read or taken out, or that it happened at a terminal that is not the owner's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.clock import TOKYO
from audit.context import RosterKind, RosterSpan, WorkContext
from audit.events import LOOKUPS, Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.accounted import unaccounted
from detectors.rules.sign_in.absent.cases import CASES
from detectors.telling import about_person, at_hour, named, place_of

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_TAKING_OUT = frozenset({_A.EXPORT, _A.DOWNLOAD, _A.PRINT, _A.SCREEN_COPY, _A.MEDIA_WRITE})
_OF_WORK = frozenset(
    LOOKUPS | _TAKING_OUT | {_A.LOGIN, _A.UNLOCK, _A.SEARCH, _A.CREATE, _A.DELETE, _A.BIND_NUMBER, _A.TRANSFER}
)
_COLUMNS = (*EVIDENCE_COLUMNS, "activity", "terminal_id", "terminal_ip")
_WORDS = {RosterKind.LEAVE: Texts("休暇", "on leave"), RosterKind.TRAINING: Texts("研修", "away for training")}


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    grace_minutes: int = setting(
        30, "不在の前後何分までの操作を通常とみなすか", "minutes at the edges of an absence that are none of it"
    )


def _away(context: WorkContext, actor: str, at: datetime, grace: timedelta) -> RosterSpan | None:
    """The absence that covers a moment; leave before training, and neither where other duty is on record then."""
    rows = context.roster.get(actor, ())
    if any(
        span.kind not in _WORDS and span.start <= at < span.end and (span.kind != RosterKind.OVERTIME or span.approved)
        for span in rows
    ):
        return None
    away = [span for span in rows if span.kind in _WORDS and span.start + grace <= at < span.end - grace]
    return min(away, key=lambda span: span.kind, default=None)


def _acts(window: Window, actor: str = "") -> Filter:
    return Filter(
        start=window.start,
        end=window.end,
        activities=tuple(sorted(_OF_WORK)),
        outcomes=("", "success"),
        staff_only=True,
        actors=(actor,) if actor else (),
    )


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    grace, context = timedelta(minutes=params.grace_minutes), reader.context
    rows = reader.aggregate(_acts(window), (Dimension.ACTOR,), (Measure.FIRST, Measure.LAST))
    for row in sorted(rows, key=lambda row: str(row["actor"])):
        actor = row["actor"]
        spans = [span for span in context.roster.get(actor, ()) if span.kind in _WORDS]
        if not any(span.start + grace <= row["last"] and row["first"] < span.end - grace for span in spans):
            continue
        events = [
            event
            for event in reader.columns(_acts(window, actor), _COLUMNS)
            if _away(context, actor, event["time"], grace) is not None
            and context.window_at(actor, event["source"], event["time"]) is None
        ]
        draft = _judge(window, reader, actor, events, grace) if events else None
        if draft is not None:
            yield draft


def _judge(
    window: Window, reader: Reader, actor: str, events: Sequence[Mapping[str, Any]], grace: timedelta
) -> Draft | None:
    """A finding, unless during training nothing was taken out, and whatever was read is accounted for."""
    context, first = reader.context, events[0]
    span = _away(context, actor, first["time"], grace)
    looks = [event for event in events if event["activity"] in LOOKUPS]
    taken = [event for event in events if event["activity"] in _TAKING_OUT]
    if span is None:
        return None
    times = {event["time"] for event in looks}
    without = [look_up for look_up in unaccounted(window, reader, actor) if look_up.first in times]
    if span.kind is RosterKind.TRAINING and not (without or taken):
        return None  # a course at one's own desk, or one that was not attended
    people = len({subject for event in looks for subject in event["subjects"]})
    score = 0.45 if span.kind is RosterKind.LEAVE else 0.3
    score += (0.15 if looks else 0.0) + (0.1 if taken else 0.0) + min(0.2, 0.05 * len(without))
    score -= 0.15 if looks and not without else 0.0
    word, name = _WORDS[span.kind], named(context, actor, first["time"])
    start, end = (at.astimezone(TOKYO) for at in (span.start, span.end - timedelta(seconds=1)))
    when = at_hour(first["time"])
    reasons = [
        Texts(
            f"{name} は勤務表では {start.month}月{start.day}日 {start:%H:%M} から {end.month}月{end.day}日 {end:%H:%M}"
            f" まで{word.ja}ですが、{when.ja} にこの利用者 ID が使われました。",
            f"By the roster {name} was {word.en} from {start:%H:%M on %-d %B} to {end:%H:%M on %-d %B}, but the "
            f"account was used at {when.en}.",
        ),
        Texts(
            f"その間の操作は {len(events)} 件、閲覧した住民は {people} 人で、"
            f"うち {len(without)} 人には対応する業務の記録がありません。",
            f"{len(events)} acts meanwhile, {people} residents looked up; for {len(without)} of them no case is on "
            f"record.",
        ),
    ]
    if place_of(first):
        reasons.append(Texts(f"端末は {place_of(first)} です。", f"It was at {place_of(first)}."))
    title = Texts(f"{name}: {word.ja}中の利用者 ID の使用", f"{name}: the account is used while {word.en}")
    return about_person(actor, events, score, title, reasons)


META = DetectorMeta(
    id="absent-yet-active",
    version="1.0.0",
    title=Texts("休暇・研修中の利用者 ID の使用", "Active while absent"),
    description=Texts(
        "勤務表で休暇や研修とされている間の操作を見つけます。",
        "Finds acts of accounts whose owner is on leave or away for training by the roster.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1078",),
    controls=("C-051", "C-096"),
    reads=("time", "activity", "outcome", "actor_id", "terminal_id", "terminal_ip", "source", "subjects"),
    look_back=timedelta(days=0),
    runbook=Texts(
        "1. 休暇や研修が取り消されていないか勤務表を確かめます。\n2. 本人が操作したのかを確かめます。\n"
        "3. 本人でなければ、端末の場所から誰が使ったかを調べ、パスワードを変えます。",
        "1. Check whether the leave or training was called off.\n2. Ask whether it was the person themselves.\n"
        "3. If not, find out from the terminal who it was, and change the password.",
    ),
    false_positives=Texts(
        "取り消された休暇、半日単位で記録されない休暇、研修会場から行った業務。",
        "Leave called off, leave not recorded by the half-day, work done from the training place.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
