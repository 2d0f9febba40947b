"""Somebody who gives a right to themselves, or approves their own.

The same human being under a second account counts as themselves. Where somebody else had approved that right before,
whoever keys it in may be its owner: two people have seen it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.context import WorkContext
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.privilege.grants import acts_on_rights, approved_before, happened, same_person, what_of
from detectors.rules.privilege.self_granted.cases import CASES
from detectors.telling import about_person, at_hour, named

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_GIVING = (_A.APPROVE, _A.GRANT)
_LOOK_BACK = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    approval_days: int = setting(
        14,
        "何日前までの他者の承認を有効とみなすか（14 日まで）",
        "how old somebody else's approval may be (14 days at most)",
        most=14,
    )


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    giving = Filter(start=window.start, end=window.end, activities=_GIVING, outcomes=("", "success"), staff_only=True)
    if not happened(reader, giving):
        return
    pairs = reader.aggregate(giving, (Dimension.ACTOR, Dimension.TARGET), (Measure.EVENTS,))
    own = {row["actor"] for row in pairs if row["target"] and same_person(reader.context, row["actor"], row["target"])}
    if not own:
        return
    approvals = acts_on_rights(window, reader, (_A.APPROVE,), _LOOK_BACK)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in acts_on_rights(window, reader, _GIVING, actors=tuple(sorted(own))):
        within = timedelta(days=params.approval_days)
        if same_person(reader.context, event["actor_id"], event["target_id"]) and not approved_before(
            reader.context, approvals, event, within
        ):
            found[event["actor_id"]].append(event)
    for actor, events in sorted(found.items()):
        yield _draft(reader.context, actor, events)


def _draft(context: WorkContext, actor: str, events: Sequence[Mapping[str, Any]]) -> Draft:
    granted = [event for event in events if event["activity"] == _A.GRANT]
    first = (granted or events)[0]
    other = first["target_id"] if first["target_id"] != actor else ""
    name, when, what = named(context, actor, first["time"]), at_hour(first["time"]), what_of(first)
    doing = (
        ("自分に権限を付与しました", "granted a right to themselves")
        if granted
        else (
            "自分の申請を承認しました",
            "approved a request of their own",
        )
    )
    reasons = [
        Texts(
            f"{name} が {when.ja} に {doing[0]}{f'（{what}）' if what else ''}。同様の操作は計 {len(events)} 件です。",
            f"At {when.en} {name} {doing[1]}{f' ({what})' if what else ''}; {len(events)} such acts that day.",
        ),
        Texts("事前に他の人が承認した記録はありません。", "Nobody else had approved it before."),
    ]
    if other:
        reasons.append(
            Texts(
                f"付与先 {other} は、職員名簿では同じ人の別の利用者 ID です。",
                f"{other}, who got it, is another account of the same person by the directory.",
            )
        )
    title = Texts(f"{name}: 自分への権限付与", f"{name}: a right given to oneself")
    return about_person(actor, events, 0.85 if granted else 0.7, title, reasons, Severity.CRITICAL)


META = DetectorMeta(
    id="self-granted",
    version="1.0.0",
    title=Texts("自分への権限付与・自己承認", "A right given to oneself"),
    description=Texts(
        "自分または自分の別 ID に権限を付与・承認し、他の人の承認がないものを見つけます。",
        "Finds rights that somebody granted or approved for themselves, under any account, without anybody else.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.CRITICAL,
    techniques=("T1098",),
    controls=("C-066", "C-069", "C-099"),
    reads=("time", "activity", "outcome", "actor_id", "target_id", "target_affair", "target_system", "source"),
    look_back=_LOOK_BACK,
    runbook=Texts(
        "1. 付与された権限を外すか、外せない理由を確かめます。\n2. その権限で何が行われたかを調べます。\n"
        "3. 付与の手順を管理者以外の人が確かめるように直します。",
        "1. Take the right away, or learn why it cannot be.\n2. See what was done with it.\n"
        "3. Have somebody other than the administrator check what is granted.",
    ),
    false_positives=Texts(
        "紙の決裁だけで承認された付与、導入時の管理者の設定。",
        "A grant that was approved on paper only, an administrator's own set-up when a system is new.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
