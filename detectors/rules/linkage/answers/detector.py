"""Taking away what keeps a record from being answered by itself.

For some residents other bodies must not be answered automatically: somebody decides each time. Sources write the
change of that flag in words of their own, so the words are looked for: those of automatic answers, with those of
removing. Setting the flag protects and is no finding, and neither is a removal that a case of the resident accounts
for. An answer or a provision for the same resident on the same day says what it was for.

Where nothing was taken away, an answer or a provision by hand of a protected resident's data, without a case, comes to
the same.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from audit.casework import Because, LookUp, LookUpFilter, Result
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.linkage.answers.cases import CASES
from detectors.rules.outputs.casework import cases_delivered
from detectors.telling import about_person, at_hour, named

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_CHANGES = tuple(sorted((_A.CONFIG_CHANGE, _A.DELETE, _A.OPERATION, _A.POLICY_CHANGE, _A.UPDATE)))
_GIVEN = tuple(sorted((_A.ANSWER, _A.PROVISION)))
_COLUMNS = (*EVIDENCE_COLUMNS, "activity", "actor_id", "operation_name", "case_id", "counterparty_body")
_AUTOMATIC = re.compile(r"自動(応答|回答|提供|送信)|auto(matic)?[\s_-]*(answer|repl|respon|provision)", re.IGNORECASE)
_FORBIDS = re.compile(
    r"不可|禁止|抑止|停止|除外|拒否|無効|block|disabl|suppress|suspend|hold|forbid|\bno[\s_-]", re.IGNORECASE
)
_REMOVES = re.compile(
    r"解除|取消|取り消|削除|無効|外し|外す|オフ|\boff\b|clear|remov|releas|unset|delet|disabl|lift", re.IGNORECASE
)
_OVERRIDES = re.compile(r"上書|強制|overrid|bypass|force", re.IGNORECASE)
_ALLOWS = re.compile(r"可に|許可|再開|有効|enabl|allow|resum", re.IGNORECASE)
_LOOKS = re.compile(r"照会|参照|閲覧|確認|一覧|表示|view|list|show|search", re.IGNORECASE)
_CHANGE_OF_FLAG = re.compile(r"変更|更新|解除|取消|change|updat|switch|remov|releas|clear", re.IGNORECASE)
_SURE, _PERHAPS = 0.6, 0.4
_OWN_DOING = ("", Because.CHANGE, Because.COLLEAGUE, Because.PRINT)
"""What is given away is a change of the record as well, and cannot account for itself."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    case_days: int = setting(
        7, "何日前までの照会の根拠を、解除の根拠とみなすか", "how old a look-up's case may be to account for it", most=7
    )


def opens(words: str) -> float:
    """How likely an operation opens a record to automatic answers, by the source's words: 0 where it closes it."""
    if not _AUTOMATIC.search(words):
        return 0.0
    forbidden = _FORBIDS.search(words)
    others = _FORBIDS.sub("", words, count=1)
    if _OVERRIDES.search(words) or (forbidden and _REMOVES.search(others)):
        return _SURE
    if forbidden or _LOOKS.search(words):
        return 0.0
    if _ALLOWS.search(words):
        return _SURE
    return _PERHAPS if _CHANGE_OF_FLAG.search(words) else 0.0


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    found = {draft.entity: draft for draft in _by_hand(window, reader)}
    found |= {draft.entity: draft for draft in _opened(window, reader, params)}
    for _, draft in sorted(found.items()):
        yield draft


def _opened(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """Those who took the block away."""
    wanted = Filter(start=window.start, end=window.end, activities=_CHANGES, outcomes=("", "success"), staff_only=True)
    if not reader.aggregate(wanted, (), (Measure.EVENTS,))[0]["events"]:
        return
    words = {row["operation"] for row in reader.aggregate(wanted, (Dimension.OPERATION,), (Measure.EVENTS,))}
    odd = tuple(sorted(filter(opens, words)))
    if not odd:
        return
    acts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in reader.columns(replace(wanted, operations=odd), _COLUMNS):
        acts[event["actor_id"]].append(event)
    for actor, events in sorted(acts.items()):
        seen = _look_ups(window, reader, actor, events, params)
        bare = [event for event in events if not _accounted(event, seen)]
        if bare:
            yield _draft(window, reader, actor, bare, seen)


def _by_hand(window: Window, reader: Reader) -> Iterable[Draft]:
    """Those who gave away by hand what must not be answered by itself: data of somebody under protection."""
    guarded: dict[str, set[str]] = defaultdict(set)
    units: dict[str, str] = {}
    day = LookUpFilter(start=window.day, end=window.day + timedelta(days=1), flags=("protected",), because=_OWN_DOING)
    for one in reader.look_ups(day):
        guarded[one.actor].add(one.subject)
        units[one.actor] = one.unit
    if not guarded:
        return
    acts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    wanted = Filter(
        start=window.start,
        end=window.end,
        actors=tuple(sorted(guarded)),
        activities=_GIVEN,
        outcomes=("", "success"),
        staff_only=True,
    )
    for event in reader.columns(wanted, _COLUMNS):
        if guarded[event["actor_id"]].intersection(event["subjects"]):
            acts[event["actor_id"]].append(event)
    for actor, events in sorted(acts.items()):
        tells = cases_delivered(window, reader, units[actor])
        yield _given_away(reader, actor, events, tells=tells)


def _given_away(reader: Reader, actor: str, events: Sequence[dict[str, Any]], *, tells: bool) -> Draft:
    at, number = events[0]["time"], len({subject for event in events for subject in event["subjects"]})
    name, when = named(reader.context, actor, at), at_hour(at)
    provided = any(event["activity"] == _A.PROVISION for event in events)
    score = ((_SURE if provided else _PERHAPS) + 0.05 * min(number - 1, 4)) * (1.0 if tells else 0.5)
    reasons = [
        Texts(
            f"{name} が {when.ja} に {events[0]['source']} で、支援措置などの対象者 {number} 人のデータを"
            f"手作業で回答・提供しました。",
            f"At {when.en}, {name} answered or provided by hand in {events[0]['source']} the data of {number} "
            "resident(s) under protection.",
        ),
        Texts(
            "これらの住民について、本人や所属の案件は見当たりません。",
            "No case of theirs or of their unit accounts for these residents.",
        )
        if tells
        else Texts(
            "この所属の案件はほとんど取り込まれていないため、根拠の有無はわかりません。",
            "Hardly any cases of this unit are imported, so nothing can be said about why.",
        ),
    ]
    title = Texts(f"{name} が保護対象者のデータを手作業で提供", f"{name} gave away a protected resident's data by hand")
    return about_person(actor, events, score, title, reasons, Severity.CRITICAL)


def _look_ups(
    window: Window, reader: Reader, actor: str, events: Sequence[Mapping[str, Any]], params: Parameters
) -> list[LookUp]:
    """What somebody looked up of these residents lately."""
    subjects = tuple(sorted({subject for event in events for subject in event["subjects"] if subject}))
    if not subjects:
        return []
    start = window.day - timedelta(days=params.case_days)
    return list(
        reader.look_ups(
            LookUpFilter(start=start, end=window.day + timedelta(days=1), actors=(actor,), subjects=subjects)
        )
    )


def _accounted(event: Mapping[str, Any], seen: Sequence[LookUp]) -> bool:
    """Whether a case of each of its residents accounts for it."""
    matched = {one.subject for one in seen if one.result == Result.MATCHED and one.reference}
    return bool(event["subjects"]) and matched.issuperset(event["subjects"])


def _draft(
    window: Window, reader: Reader, actor: str, events: Sequence[dict[str, Any]], seen: Sequence[LookUp]
) -> Draft:
    at = events[0]["time"]
    subjects = {subject for event in events for subject in event["subjects"]}
    given = _given(window, reader, actor, at, subjects) if subjects else []
    guarded = any("protected" in one.flags for one in seen)
    name, when, words = named(reader.context, actor, at), at_hour(at), events[0]["operation_name"]
    score = (
        max(opens(event["operation_name"]) for event in events)
        + 0.15 * guarded
        + 0.2 * bool(given)
        + 0.03 * min(len(subjects), 5)
    )
    quoted = f" ({words})" if words.isascii() else ""
    reasons = [
        Texts(
            f"{name} が {when.ja} に {events[0]['source']} で、自動応答を止める設定を外しました"
            f"（「{words}」、{len(events)} 件）。",
            f"At {when.en}, {name} took away in {events[0]['source']} what keeps records from being answered by "
            f"themselves, {len(events)} time(s){quoted}.",
        ),
        Texts(
            "対象の住民について、本人が扱う案件や承認は見当たりません。",
            "No case or approval of theirs accounts for it.",
        ),
    ]
    if guarded:
        reasons.append(Texts("支援措置などの対象者が含まれます。", "A resident under protection is among them."))
    if given:
        reasons.append(
            Texts(
                f"同じ日に、同じ住民について回答や提供を {len(given)} 件行っています。",
                f"The same day they answered or provided data of the same residents, {len(given)} time(s).",
            )
        )
    title = Texts(f"{name} による自動応答を止める設定の解除", f"{name} overrode the block of automatic answers")
    return about_person(actor, [*events, *given], score, title, reasons, Severity.CRITICAL)


def _given(window: Window, reader: Reader, actor: str, at: Any, subjects: set[str]) -> list[dict[str, Any]]:  # noqa: ANN401
    """What they answered or provided of these residents afterwards, on the same day."""
    wanted = Filter(
        start=at, end=window.end, actors=(actor,), activities=_GIVEN, outcomes=("", "success"), staff_only=True
    )
    return [event for event in reader.columns(wanted, _COLUMNS) if subjects.intersection(event["subjects"])]


META = DetectorMeta(
    id="automatic-answer-overridden",
    version="1.0.0",
    title=Texts("自動応答を止める設定の解除", "The block of automatic answers overridden"),
    description=Texts(
        "他の機関からの照会に自動で応答しないよう守られた住民の設定が、根拠となる案件なしに外されたこと、"
        "保護対象者のデータが案件なしに手作業で提供されたことを見つけます。",
        "Finds that a resident's block of automatic answers to other bodies was taken away without a case, or that "
        "data of a resident under protection was given away by hand without one.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.CRITICAL,
    techniques=("T1562", "T1565"),
    controls=("C-103", "C-112"),
    reads=("time", "outcome", "source", "subjects", *_COLUMNS[len(EVIDENCE_COLUMNS) :]),
    look_back=timedelta(days=Parameters().case_days),
    runbook=Texts(
        "1. 設定をただちに元へ戻し、その間の提供の有無を確かめます。\n"
        "2. 支援措置の担当に、本人の安全に関わらないか確認します。\n"
        "3. 誰の求めで外したのか、本人に確かめます。",
        "1. Restore the block at once, and see whether anything was provided meanwhile.\n"
        "2. Ask those in charge of protection whether the resident is in danger.\n3. Ask at whose request it was done.",
    ),
    false_positives=Texts(
        "支援措置の終了による解除で案件が取り込まれていないもの、誤設定の訂正。",
        "Protection that ended and whose case was not imported, a wrong setting put right.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
