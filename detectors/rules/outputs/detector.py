"""Outputs that no approval covers, and outputs that hold more than was approved: two detectors."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.context import Approval
from audit.events import ActorKind
from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.outputs import cases
from detectors.rules.outputs.approvals import (
    OUTPUT_COLUMNS,
    Approvals,
    Practice,
    groups,
    is_job,
    outputs_of,
    rows_of,
    size_of,
    takes_away,
    wanted_of,
    what,
)
from detectors.telling import about_person, at_hour, named, unknown_to_directory

__all__ = ["DETECTORS"]

_LOOK_BACK = timedelta(days=28)
_ALLOWED = 1.02
"""A heading or two beyond the approved rows is no finding."""


@dataclass(frozen=True, slots=True)
class Unapproved:
    """Settings of the detector of outputs without approval."""

    least_score: float = setting(0.2, "この確からしさに満たなければ検知しない", "what is less likely is left out")


@dataclass(frozen=True, slots=True)
class Over:
    """Settings of the detector of outputs over their approval."""

    least_rows: int = setting(1, "超過がこの件数に満たなければ検知しない", "what exceeds by fewer rows is left out")


def _unapproved(window: Window, reader: Reader, params: Unapproved) -> Iterable[Draft]:
    """One finding a person and day."""
    wanted, approvals = wanted_of(window), Approvals.of(reader.context)
    doubtful = [row["actor"] for row in groups(reader, wanted) if not _plainly_covered(approvals, row)]
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in outputs_of(reader, wanted, doubtful):
        if not approvals.covering(event):
            found[event["actor_id"]].append(event)
    if not found:
        return
    practice = Practice.of(window, reader, approvals, _LOOK_BACK.days)
    for actor, outputs in sorted(found.items()):
        if is_job(reader.context, actor, practice):
            continue
        share = max(practice.share(source, actor) for source in {event["source"] for event in outputs})
        score = share * _weight(outputs)
        if score >= params.least_score:
            yield _without_approval(reader, actor, outputs, approvals, share, score)


def _plainly_covered(approvals: Approvals, row: Mapping[str, Any]) -> bool:
    """Whether one approval without a medium covers the first of some outputs and the last."""
    ends = [
        {
            one
            for one in approvals.in_force(row["actor"], row["source"], at, ("export", "transfer"))
            if not one.medium_id
        }
        for at in (row["first"], row["last"])
    ]
    return bool(ends[0] & ends[1])


def _weight(outputs: Sequence[Mapping[str, Any]]) -> float:
    """How bad it would be: by the number of records, where they went, and whose hands they are in."""
    weight = 0.55 + 0.07 * math.log10(1 + size_of(outputs))
    weight += 0.1 * any(map(takes_away, outputs))
    weight += 0.05 * any(event["actor_kind"] == ActorKind.CONTRACTOR for event in outputs)
    return min(0.95, weight)


def _without_approval(
    reader: Reader,
    actor: str,
    outputs: Sequence[Mapping[str, Any]],
    approvals: Approvals,
    share: float,
    score: float,
) -> Draft:
    at = outputs[0]["time"]
    name = named(reader.context, actor, at)
    return about_person(
        actor,
        outputs,
        score,
        Texts(f"{name} による承認のないデータ出力", f"{name} took data out without approval"),
        [
            what(name, at_hour(at), outputs),
            approvals.why_none(outputs[0]),
            Texts(
                f"ほかの職員の過去 28 日の出力からみて、通常の出力に承認がある割合は {share:.0%} と見込まれます。",
                f"Going by what others took out in 28 days, {share:.0%} of ordinary outputs here have an approval.",
            ),
            *unknown_to_directory(reader.context, actor),
        ],
        Severity.CRITICAL,
    )


def _over(window: Window, reader: Reader, params: Over) -> Iterable[Draft]:
    """One finding a person and day."""
    wanted, approvals = wanted_of(window), Approvals.of(reader.context)
    doubtful = [row["actor"] for row in groups(reader, wanted) if not _plainly_within(approvals, row)]
    found: dict[str, list[tuple[dict[str, Any], Approval]]] = defaultdict(list)
    for event in outputs_of(reader, wanted, doubtful):
        allowed = approvals.covering(event)
        if not allowed or any(one.max_rows is None for one in allowed):
            continue
        widest = max(allowed, key=lambda one: (one.max_rows or 0, one.approval_id))
        most = widest.max_rows or 0
        if rows_of(event) >= most + params.least_rows and rows_of(event) > most * _ALLOWED:
            found[event["actor_id"]].append((event, widest))
    for actor, over in sorted(found.items()):
        yield _over_approval(reader, actor, over)


def _plainly_within(approvals: Approvals, row: Mapping[str, Any]) -> bool:
    """Whether the largest of some outputs is within what any of the approvals at either end allows."""
    if row["most_rows"] is None:
        return False
    given = [
        one.max_rows
        for at in (row["first"], row["last"])
        for one in approvals.in_force(row["actor"], row["source"], at)
        if not one.medium_id
    ]
    return bool(given) and all(most is None or row["most_rows"] <= most for most in given)


def _over_approval(reader: Reader, actor: str, over: Sequence[tuple[Mapping[str, Any], Approval]]) -> Draft:
    event, widest = max(over, key=lambda one: rows_of(one[0]) / max(one[1].max_rows or 0, 1))
    rows, most = rows_of(event), widest.max_rows or 0
    times = rows / max(most, 1)
    outputs = [one for one, _ in over]
    at = outputs[0]["time"]
    name = named(reader.context, actor, at)
    score = min(0.95, 0.4 + 0.2 * math.log2(times) + 0.03 * math.log10(1 + rows) + 0.1 * any(map(takes_away, outputs)))
    return about_person(
        actor,
        outputs,
        score,
        Texts(f"{name} による承認件数を超えたデータ出力", f"{name} took out more than was approved"),
        [
            what(name, at_hour(at), outputs),
            Texts(
                f"承認 {widest.approval_id} が 1 回の出力に認めるのは {most:,} 件までで、"
                f"最も多いものは {rows:,} 件（{times:.1f} 倍）でした。",
                f"Approval {widest.approval_id} allows {most:,} records in one output; "
                f"the largest held {rows:,}, {times:.1f} times that.",
            ),
        ],
        Severity.CRITICAL,
    )


_READS = ("time", "outcome", *(column for column in OUTPUT_COLUMNS if column not in {"log_index", "time"}))

UNAPPROVED = Detector(
    DetectorMeta(
        id="export-without-approval",
        version="1.0.0",
        title=Texts("承認のないデータ出力", "Data taken out without approval"),
        description=Texts(
            "エクスポート、ダウンロード、媒体への書出しのうち、本人とシステムについて有効な、"
            "他の人による事前の承認がないものを見つけます。",
            "Finds exports, downloads and writes to media for which no approval by somebody else was in force for that "
            "person and system; in a town that does not approve its outputs it stays silent.",
        ),
        family="rules",
        analytic_type=AnalyticType.RULE,
        severity=Severity.CRITICAL,
        techniques=("T1530", "T1052", "T1567"),
        controls=("C-086", "C-087", "C-090", "C-093"),
        reads=_READS,
        look_back=_LOOK_BACK,
        runbook=Texts(
            "1. 出力した本人と所属長に、何のための出力か確かめます。\n"
            "2. 承認簿にあって取り込まれていない承認がないか見ます。\n"
            "3. 承認がなければ、出力したデータの所在を確かめ、回収・消去させます。",
            "1. Ask the person and their manager what the output was for.\n2. Look for an approval that is in the "
            "ledger and was not imported.\n3. Without one, find out where the data is; have it returned or erased.",
        ),
        false_positives=Texts(
            "承認の取り込み漏れ、口頭で承認された急ぎの出力、承認の要らない帳票。",
            "An approval that was not imported, an urgent output approved by word of mouth, a form that needs none.",
        ),
    ),
    Unapproved(),
    _unapproved,
    cases.UNAPPROVED,
)
OVER = Detector(
    DetectorMeta(
        id="export-over-approval",
        version="1.0.0",
        title=Texts("承認件数を超えたデータ出力", "More data taken out than was approved"),
        description=Texts(
            "承認はあるが、1 回の出力の件数が、有効などの承認の上限も超えているものを見つけます。",
            "Finds outputs that are approved but hold more records than any approval in force allows for one output.",
        ),
        family="rules",
        analytic_type=AnalyticType.RULE,
        severity=Severity.CRITICAL,
        techniques=("T1530", "T1052"),
        controls=("C-086", "C-090"),
        reads=_READS,
        look_back=timedelta(days=1),
        runbook=Texts(
            "1. 申請書の目的と件数を見て、抽出条件の違いで説明できるか確かめます。\n"
            "2. 余分なデータの所在を確かめます。\n"
            "3. 説明がつかなければ、余分なデータを消去させ、所属長に報告を求めます。",
            "1. Compare purpose and number in the application: does another condition of extraction explain it?\n"
            "2. Find out where the surplus data is.\n3. Otherwise have it erased, and ask the manager for a report.",
        ),
        false_positives=Texts(
            "見込みより対象者が多かった抽出、世帯単位と個人単位の数え違い。",
            "More people met the condition than expected; households approved and persons counted.",
        ),
    ),
    Over(),
    _over,
    cases.OVER,
)
DETECTORS = (UNAPPROVED, OVER)
