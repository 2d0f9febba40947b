"""Somebody who goes on working in the systems of the unit that they have left.

A former unit's systems are those that a fifth of its other people use and hardly anybody of the new unit does. A few
days of handover are allowed, longer ones with an approval; after it, a few look-ups there that no case accounts for, or
an output, are a finding. Whoever holds both posts at a time, or has somebody's approval, is not one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.casework import LookUp
from audit.clock import TOKYO
from audit.context import Post
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.accounted import unaccounted
from detectors.rules.sign_in.transferees.cases import CASES
from detectors.telling import about_person, named

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_SHARE = 0.2
"""A system is a unit's when so many of its people use it."""
_TAKING_OUT = (_A.EXPORT, _A.DOWNLOAD, _A.PRINT, _A.SCREEN_COPY, _A.MEDIA_WRITE)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    handover_days: int = setting(5, "異動後、引継ぎとみなす日数", "days of handover after a transfer")
    within_days: int = setting(180, "異動後、何日まで見るか", "for how many days after a transfer it is looked for")
    residents: int = setting(
        2,
        "異動前のシステムで対応する業務記録のない住民が何人から",
        "residents without a case in the former unit's systems",
    )


def _former(reader: Reader, window: Window, actor: str, params: Parameters) -> Post | None:
    """The post that somebody left not long ago, but longer than a handover takes."""
    current = reader.context.post_at(actor, window.start)
    if current is None or current.start is None:
        return None
    since = window.start - current.start
    if not timedelta(days=params.handover_days) <= since <= timedelta(days=params.within_days):
        return None
    held = [post for post in reader.context.posts[actor] if post.holds(window.start)]
    before = [
        post
        for post in reader.context.posts[actor]
        if post.end is not None and post.end <= current.start and not post.empty
    ]
    last = max(before, key=lambda post: post.end or window.start, default=None)
    same = last is None or any(_related(last.org_unit, post.org_unit) for post in held)
    return None if same else last


def _related(unit: str, other: str) -> bool:
    return f"{unit}/".startswith(f"{other}/") or f"{other}/".startswith(f"{unit}/")


def _used_by(rows: Iterable[Mapping[str, Any]], reader: Reader, window: Window, but: str) -> dict[str, set[str]]:
    """By unit, the systems that its people used, one person left out; what one in many used is not the unit's."""
    people: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        if row["actor"] != but:
            people[reader.context.unit_of(row["actor"], window.start)][row["source"]].add(row["actor"])
    return {
        unit: {
            name for name, users in by_source.items() if len(users) >= _SHARE * len(set().union(*by_source.values()))
        }
        for unit, by_source in people.items()
    }


def _left_systems(
    rows: Iterable[Mapping[str, Any]], reader: Reader, window: Window, actor: str, former: Post
) -> set[str]:
    used = _used_by(rows, reader, window, actor)
    held = [post.org_unit for post in reader.context.posts[actor] if post.holds(window.start)]
    theirs = {source for unit, sources in used.items() if unit == former.org_unit for source in sources}
    own = {source for unit, sources in used.items() if any(_related(unit, mine) for mine in held) for source in sources}
    return theirs - own


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    acting = Filter(start=window.start, end=window.end, outcomes=("", "success"), staff_only=True)
    today = reader.aggregate(acting, (Dimension.ACTOR,), (Measure.EVENTS,))
    moved = {
        row["actor"]: former for row in today if (former := _former(reader, window, row["actor"], params)) is not None
    }
    if not moved:
        return
    week = Filter(start=window.start - timedelta(days=7), end=window.end, outcomes=("", "success"), staff_only=True)
    rows = reader.aggregate(week, (Dimension.ACTOR, Dimension.SOURCE), (Measure.EVENTS,))
    mine: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        mine[row["actor"]].add(row["source"])
    for actor, former in sorted(moved.items()):
        left = _left_systems(rows, reader, window, actor, former) & mine[actor]
        if left:
            yield from _judge(window, reader, actor, former, left, params)


def _judge(
    window: Window, reader: Reader, actor: str, former: Post, left: set[str], params: Parameters
) -> Iterable[Draft]:
    context = reader.context
    looked = [
        look_up
        for look_up in unaccounted(window, reader, actor)
        if look_up.source in left and context.window_at(actor, look_up.source, look_up.first) is None
    ]
    outputs = Filter(
        start=window.start,
        end=window.end,
        actors=(actor,),
        sources=tuple(sorted(left)),
        activities=tuple(sorted(_TAKING_OUT)),
        outcomes=("", "success"),
    )
    taken = [
        event
        for event in reader.columns(outputs, EVIDENCE_COLUMNS)
        if context.window_at(actor, event["source"], event["time"]) is None
        and not context.approved("export", actor, event["source"], event["time"])
        and not context.approved("print", actor, event["source"], event["time"])
    ]
    if len(looked) >= params.residents or (taken and looked):
        yield _draft(window, reader, actor, former, looked, taken)


def _draft(
    window: Window, reader: Reader, actor: str, former: Post, looked: list[LookUp], taken: list[dict[str, Any]]
) -> Draft:
    named_events = {look_up.event_id for look_up in looked}
    first_acts = Filter(start=window.start, end=window.end, actors=(actor,), event_ids=tuple(sorted(named_events)))
    events = {(event["source"], event["event_id"]): event for event in reader.columns(first_acts, EVIDENCE_COLUMNS)}
    events |= {(event["source"], event["event_id"]): event for event in taken}
    name = named(reader.context, actor, window.start)
    ended = (former.end or window.start) - timedelta(seconds=1)
    last_day = ended.astimezone(TOKYO)
    days = (window.start - ended).days
    sources = sorted({source for source, _ in events})
    score = 0.4 + 0.04 * min(len(looked), 5) + (0.15 if taken else 0.0)
    reasons = [
        Texts(
            f"{name} は {last_day.month}月{last_day.day}日で {former.org_unit} を離れましたが、{days} 日たった今も"
            f"その所属のシステム（{'、'.join(sources)}）を使っています。今の所属の他の職員はほとんど使っていません。",
            f"{name} left {former.org_unit} on {last_day:%-d %B}, {days} days ago, and still uses its systems "
            f"({', '.join(sources)}), which hardly anybody of the present unit does.",
        ),
        Texts(
            f"そこで閲覧した住民のうち {len(looked)} 人には、対応する業務の記録がありません。",
            f"For {len(looked)} of the residents looked up there no case is on record.",
        ),
    ]
    if taken:
        reasons.append(Texts(f"印刷や出力が {len(taken)} 件あります。", f"{len(taken)} acts print or take data out."))
    title = Texts(f"{name}: 異動前の業務システムの使用", f"{name}: still at work in the former unit's systems")
    return about_person(actor, list(events.values()), score, title, reasons)


META = DetectorMeta(
    id="transferee-active",
    version="1.1.0",
    title=Texts("異動後の旧所属システムの使用", "A transferred person in the former unit's systems"),
    description=Texts(
        "引継ぎ期間を過ぎても、異動前の所属だけが使うシステムで業務記録のない閲覧や出力をしている人を見つけます。",
        "Finds people who, after the handover, read or take out records in systems that only their former unit uses.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1078",),
    controls=("C-072", "C-075", "field G15"),
    reads=("time", "activity", "outcome", "actor_id", "source", "subjects", "case_id"),
    look_back=timedelta(days=7),
    runbook=Texts(
        "1. 引継ぎや応援の指示があったかを新旧の所属長に確かめます。\n2. なければ旧所属の権限を外します。\n"
        "3. 閲覧された住民と本人の関係を見ます。",
        "1. Ask both managers whether a handover or help was ordered.\n2. If not, take the former rights away.\n"
        "3. See how the residents are related to the person.",
    ),
    false_positives=Texts(
        "長引く引継ぎ、名簿にない兼務、繁忙期の応援。",
        "A long handover, a second post that the directory does not have, help in a busy season.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
