"""Logs cleared, and less recorded than before.

Two detectors that differ in what is done to the trail: `log-cleared` finds logs that people clear, by the act or by
the command; `audit-scope-reduced` finds settings by which less is recorded. Sources say such things in words of their
own, so words are looked for, Japanese and English. Words of more recording are let pass. An approval that speaks of
the log accounts for both; one for maintenance in general only softens them, since nobody needs to clear a log for that.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.context import Approval, WorkContext
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.privilege.audit_trail.cases import CLEARED, REDUCED
from detectors.rules.privilege.grants import happened
from detectors.telling import about_person, at_hour, named, place_of

__all__ = ["DETECTORS", "Parameters"]

_A = Activity
_COLUMNS = (*EVIDENCE_COLUMNS, "activity", "actor_id", "operation_name", "reason", "terminal_id", "terminal_ip")
_COLUMNS_MORE = (*_COLUMNS, "target_id", "target_affair", "target_system", "unmapped")
_TRAIL = re.compile(
    r"監査|ログ(?!イン|オン|オフ|アウト)|証跡|記録(?:対象|範囲|レベル|停止|抑止|設定)"
    r"|audit|(?<![a-z])logs?(?![a-z])|logging"
    r"|log[-_](?:level|scope|target|filter|retention|rotate)|syslog|journald?|event ?log",
    re.IGNORECASE,
)
_LESS = re.compile(
    r"停止|無効|除外|縮小|削減|削除|対象外|短縮|解除|抑止|抑制|外し|外す|減ら|オフ|消去|クリア|切替なし"
    r"|disabl|exclud|stop|(?<![a-z])off(?![a-z])|reduc|suppress|narrow|shrink|remov|delet|drop|lower|mute|-e ?0",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"有効|追加|延長|拡大|開始|再開|強化|復旧|enabl|(?<![a-z])add|extend|widen|start|resum|increas|(?<![a-z])on(?![a-z])",
    re.IGNORECASE,
)
_CLEARING = re.compile(
    r"ログ(?:の)?(?:消去|削除|クリア|初期化|切り詰め)|(?:clear|delete|erase|purge|wipe|truncate|shred|rm)\b[^|;]*"
    r"(?:/var/log|event ?log|audit[-_. ]?(?:log|trail)|\.evtx|(?<![a-z])logs?(?![a-z]))"
    r"|wevtutil(?:\.exe)? +cl|clear-eventlog|history +-c|journalctl[^|;]*--(?:vacuum|rotate)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of these detectors."""

    approved_score: float = setting(
        0.45, "一般の保守として承認されている場合の確からしさ", "the score where maintenance in general is approved"
    )


def _words(event: Mapping[str, Any]) -> str:
    """All that an event says about what was done."""
    said = ("operation_name", "reason", "target_id", "target_affair", "target_system")
    return " ".join([*(str(event[name]) for name in said if event.get(name)), str(event.get("unmapped") or "")])


def _clears(event: Mapping[str, Any]) -> bool:
    return event["activity"] == _A.LOG_CLEAR or bool(_CLEARING.search(_words(event)))


def _reduces(event: Mapping[str, Any]) -> bool:
    """Whether a setting of the trail was changed, and not for more of it."""
    words = _words(event)
    return bool(_TRAIL.search(words)) and (bool(_LESS.search(words)) or not _MORE.search(words))


def _said_to_be_less(event: Mapping[str, Any]) -> bool:
    return bool(_LESS.search(_words(event)))


def _approvals(context: WorkContext, actor: str, event: Mapping[str, Any]) -> list[Approval]:
    """Somebody else's approvals of maintenance, or of work at that time, that stood when it happened."""
    at, source = event["time"], event["source"]
    return [
        approval
        for kind in ("maintenance", "time_window")
        for approval in context.approved(kind, actor, source, at)
        if approval.entered_at is None or approval.entered_at <= at
    ]


def _notes(context: WorkContext, actor: str, event: Mapping[str, Any]) -> list[str]:
    window = context.window_at(actor, event["source"], event["time"])
    notes = [approval.note for approval in _approvals(context, actor, event)]
    return notes if window is None else [*notes, window.note]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What one of these detectors looks for."""

    activities: tuple[Activity, ...]
    loud: frozenset[Activity]
    fits: Callable[[Mapping[str, Any]], bool]
    score: float
    weaker: float
    title: Texts
    what: Texts


_CLEAR = _Kind(
    (_A.LOG_CLEAR, _A.OPERATION, _A.DELETE, _A.PURGE, _A.CONFIG_CHANGE, _A.SECURITY_EVENT),
    frozenset({_A.LOG_CLEAR}),
    _clears,
    0.85,
    0.85,
    Texts("ログの消去", "a log was cleared"),
    Texts("ログを消去しました", "cleared a log"),
)
_REDUCE = _Kind(
    (_A.CONFIG_CHANGE, _A.POLICY_CHANGE, _A.OPERATION, _A.SECURITY_EVENT),
    frozenset({_A.CONFIG_CHANGE, _A.POLICY_CHANGE}),
    _reduces,
    0.75,
    0.5,
    Texts("監査記録の縮小", "less is recorded than before"),
    Texts("監査記録の設定を変えました", "changed what is recorded"),
)


def _finder(kind: _Kind) -> Callable[[Window, Reader, Parameters], Iterable[Draft]]:
    def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
        """One finding a person and day."""
        for actor in sorted(_suspects(window, reader, kind)):
            wanted = Filter(
                start=window.start,
                end=window.end,
                actors=(actor,),
                activities=tuple(sorted(kind.activities)),
                outcomes=("", "success"),
                staff_only=True,
            )
            events = [event for event in reader.columns(wanted, _COLUMNS_MORE) if _wanted(kind, event)]
            events = [
                event
                for event in events
                if not any(_TRAIL.search(note) for note in _notes(reader.context, actor, event))
            ]
            if events:
                yield _draft(reader.context, kind, actor, events, params)

    return detect


def _wanted(kind: _Kind, event: Mapping[str, Any]) -> bool:
    """Whether an act is of the kind; what sources say in passing must be said clearly."""
    return kind.fits(event) and (event["activity"] in kind.loud or kind is _CLEAR or _said_to_be_less(event))


def _suspects(window: Window, reader: Reader, kind: _Kind) -> set[str]:
    """Who did anything of the kind: small, since such acts are few and commands are told by name."""
    wanted = Filter(
        start=window.start,
        end=window.end,
        activities=tuple(sorted(kind.activities)),
        outcomes=("", "success"),
        staff_only=True,
    )
    if not happened(reader, wanted):
        return set()
    rows = reader.aggregate(
        wanted,
        (Dimension.ACTOR, Dimension.ACTIVITY, Dimension.OPERATION),
        (Measure.EVENTS,),
    )
    return {
        row["actor"]
        for row in rows
        if row["activity"] in kind.loud or (row["operation"] and kind.fits({**row, "operation_name": row["operation"]}))
    }


def _draft(context: WorkContext, kind: _Kind, actor: str, events: list[dict[str, Any]], params: Parameters) -> Draft:
    clear = [event for event in events if _said_to_be_less(event)]
    first = (clear or events)[0]
    softened = all(_notes(context, actor, event) for event in events)
    score = params.approved_score if softened else kind.score if clear else kind.weaker
    name, when = named(context, actor, first["time"]), at_hour(first["time"])
    said = first["operation_name"]
    reasons = [
        Texts(
            f"{name} が {when.ja} に {first['source']} で{kind.what.ja}（{len(events)} 件）。",
            f"{name} {kind.what.en} of {first['source']} at {when.en} ({len(events)} acts).",
        ),
        Texts(
            "この時間の保守は承認されていますが、承認にログのことは書かれていません。",
            "Maintenance is approved for that time, but the approval does not speak of the log.",
        )
        if softened
        else Texts("これを承認した記録はありません。", "No approval of it is on record."),
    ]
    if said and said.isascii():
        reasons.append(Texts(f"操作の名前は「{said[:80]}」です。", f"The source calls it {said[:80]!r}."))
    elif said:
        reasons.append(Texts(f"操作の名前は「{said[:80]}」です。", "What the source calls it is in the event."))
    if place_of(first):
        reasons.append(Texts(f"端末は {place_of(first)} です。", f"It was at {place_of(first)}."))
    title = Texts(f"{name}: {kind.title.ja}", f"{name}: {kind.title.en}")
    return about_person(actor, events, score, title, reasons, Severity.CRITICAL)


_RUNBOOK = Texts(
    "1. 本人と上司に、誰の指示で何のために行ったかを聞きます。\n2. 控えやバックアップから失われた記録を補います。\n"
    "3. 前後の時間の操作を、別のログで調べます。\n4. 設定を元に戻します。",
    "1. Ask the person and their superior on whose order it was done, and what for.\n2. Restore what was lost from "
    "copies.\n3. Look at the hours before and after in other logs.\n4. Put the setting back.",
)
_READS = ("time", "activity", "outcome", "actor_id", "operation_name", "reason", "target_id", "source", "unmapped")

_LOG_CLEARED = DetectorMeta(
    id="log-cleared",
    version="1.0.0",
    title=Texts("ログの消去", "Log cleared"),
    description=Texts(
        "人がログを消去した操作やコマンドのうち、ログについての承認がないものを見つけます。",
        "Finds logs that people cleared, by an act or a command, without an approval that speaks of the log.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.CRITICAL,
    techniques=("T1070.001", "T1070.002"),
    controls=("C-035", "C-119"),
    reads=_READS,
    look_back=timedelta(0),
    runbook=_RUNBOOK,
    false_positives=Texts(
        "承認に書かれていない世代交代や容量不足の対応。",
        "Rotation, or room made on a full disk, that no approval tells.",
    ),
)
_SCOPE_REDUCED = DetectorMeta(
    id="audit-scope-reduced",
    version="1.0.0",
    title=Texts("監査記録の縮小", "Audit scope reduced"),
    description=Texts(
        "監査ログの停止・除外・縮小など、記録を減らす設定変更のうち承認のないものを見つけます。",
        "Finds changes of settings by which less is recorded, without an approval.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.CRITICAL,
    techniques=("T1562.002", "T1562.008"),
    controls=("C-035", "C-099"),
    reads=_READS,
    look_back=timedelta(0),
    runbook=_RUNBOOK,
    false_positives=Texts(
        "不要な記録の整理、障害対応中の一時的な設定。",
        "Tidying up of useless records, a setting for the time of a fault.",
    ),
)

DETECTORS = (
    Detector(_LOG_CLEARED, Parameters(), _finder(_CLEAR), CLEARED),
    Detector(_SCOPE_REDUCED, Parameters(), _finder(_REDUCE), REDUCED),
)
