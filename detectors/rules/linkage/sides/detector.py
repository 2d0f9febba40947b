"""A transfer that only one side has on record: data was sent and nobody received it, or came and nobody sent it.

Both systems write their side. Which systems keep such a record is learned from four weeks: from one that never does,
nothing is missing. Files are told by name or hash; where neither side names any, by number. A linkage that was never
there before counts on its own, if the partner is a system of the house. What lies at the edge of the day is left out,
because its other side may stand in the next one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.events import Activity, ActorKind
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS, evidence_of, subjects_of
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.linkage.sides.cases import CASES
from detectors.telling import at_hour, severity_of

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_SIDES = (_A.RECEIVE, _A.TRANSFER)
_OTHER: Mapping[str, str] = {_A.RECEIVE: _A.TRANSFER, _A.TRANSFER: _A.RECEIVE}
_COLUMNS = (
    *EVIDENCE_COLUMNS,
    "activity",
    "actor_id",
    "actor_kind",
    "outcome",
    "counterparty_system",
    "export_file",
    "export_sha256",
    "export_rows",
)
_LOOK_BACK = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    edge_minutes: int = setting(
        60, "日の変わり目の何分間を判定から外すか", "how long around midnight the other side may lie in the other day"
    )
    habit_days: int = setting(
        2,
        "片側の記録を通例とみなすのに必要な日数",
        "on how many days a system must have kept its side for it to be usual",
    )
    learning_days: int = setting(
        3, "新しい連携を判定し始めるまでに必要なログの日数", "days of log before new linkages count"
    )


@dataclass(frozen=True, slots=True)
class _Habits:
    """What linkages there were in four weeks.

    Attributes:
        days: on how many days a system wrote such a side.
        links: system, partner and side of every linkage.
        systems: the systems that have a log here.
        log_days: how many days of log there are.
    """

    days: Mapping[tuple[str, str], int]
    links: frozenset[tuple[str, str, str]]
    systems: frozenset[str]
    log_days: int


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a system and day."""
    wanted = Filter(start=window.start, end=window.end, activities=_SIDES)
    if not reader.aggregate(wanted, (), (Measure.EVENTS,))[0]["events"]:
        return
    habits = _habits(window, reader)
    suspects = _unbalanced(reader, wanted, habits)
    if not suspects:
        return
    edge = timedelta(minutes=params.edge_minutes)
    systems = tuple(sorted({system for pair in suspects for system in pair}))
    around = Filter(start=window.start - edge, end=window.end, sources=systems, activities=_SIDES)
    events = list(reader.columns(around, _COLUMNS))
    inside = [
        one
        for one in events
        if window.start + edge <= one["time"] < window.end - edge
        and (one["source"], one["counterparty_system"]) in suspects
    ]
    alone: dict[str, list[tuple[dict[str, Any], float, Texts]]] = defaultdict(list)
    for event in _unpaired(inside, events):
        why = _why(event, habits, params)
        if why is not None:
            alone[event["source"]].append((event, *why))
    for source, found in sorted(alone.items()):
        yield _draft(source, found)


def _habits(window: Window, reader: Reader) -> _Habits:
    before = Filter(start=window.start - _LOOK_BACK, end=window.start)
    sides = Filter(start=before.start, end=before.end, activities=_SIDES)
    kept = reader.aggregate(sides, (Dimension.SOURCE, Dimension.ACTIVITY), (Measure.DAYS,))
    links = reader.aggregate(sides, (Dimension.SOURCE, Dimension.PARTNER, Dimension.ACTIVITY), (Measure.DAYS,))
    systems = reader.aggregate(Filter(start=before.start, end=window.end), (Dimension.SOURCE,), (Measure.EVENTS,))
    return _Habits(
        {(row["source"], row["activity"]): row["days"] for row in kept},
        frozenset((row["source"], row["partner"], row["activity"]) for row in links),
        frozenset(row["source"] for row in systems),
        reader.aggregate(before, (), (Measure.DAYS,))[0]["days"],
    )


def _unbalanced(reader: Reader, wanted: Filter, habits: _Habits) -> set[tuple[str, str]]:
    """The pairs of systems of which one wrote more sides than the other."""
    by = (Dimension.SOURCE, Dimension.PARTNER, Dimension.ACTIVITY, Dimension.OUTCOME)
    counts = Counter[tuple[str, str, str]]()
    for row in reader.aggregate(wanted, by, (Measure.EVENTS,)):
        if row["outcome"] in ("", "success"):
            counts[row["source"], row["partner"], row["activity"]] += row["events"]
    return {
        (source, partner)
        for (source, partner, activity), count in counts.items()
        if partner in habits.systems and partner != source and counts[partner, source, _OTHER[activity]] != count
    }


def _unpaired(inside: Sequence[dict[str, Any]], events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The sides that have no other one."""
    others: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        others[event["source"], event["activity"]].append(event)
    taken: set[tuple[str, str]] = set()
    alone = []
    for event in inside:
        if event["outcome"] not in ("", "success") or not event["counterparty_system"]:
            continue
        candidates = [
            one
            for one in others[event["counterparty_system"], _OTHER[event["activity"]]]
            if (one["source"], one["event_id"]) not in taken and _same(event, one)
        ]
        if candidates:
            nearest = min(candidates, key=lambda one: abs(one["time"] - event["time"]))
            taken.add((nearest["source"], nearest["event_id"]))
        else:
            alone.append(event)
    return alone


def _same(event: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two sides may be of one transfer."""
    if other["counterparty_system"] not in ("", event["source"]):
        return False
    for name in ("export_sha256", "export_file"):
        if event[name] and other[name]:
            return bool(event[name] == other[name])
    rows = event["export_rows"], other["export_rows"]
    return None in rows or rows[0] == rows[1]


def _why(event: Mapping[str, Any], habits: _Habits, params: Parameters) -> tuple[float, Texts] | None:
    """How odd it is that a side stands alone, and why."""
    source, partner, activity = event["source"], event["counterparty_system"], event["activity"]
    if partner not in habits.systems:
        return None
    kept = habits.days.get((partner, _OTHER[activity]), 0) >= params.habit_days
    new = habits.log_days >= params.learning_days and (source, partner, activity) not in habits.links
    if kept and new:
        return 0.75, Texts(
            f"{partner} はふだん自分の側を記録しており、この連携は過去 28 日に例がありません。",
            f"{partner} usually records its side, and this linkage was not there in the last 28 days.",
        )
    if kept:
        return 0.6, Texts(
            f"{partner} はふだん自分の側を記録していますが、この分がありません。",
            f"{partner} usually records its side, and this one is missing.",
        )
    if new:
        return 0.5, Texts(
            f"{partner} との間のこの向きの連携は、過去 28 日に例がありません。",
            f"A linkage with {partner} in this direction was not there in the last 28 days.",
        )
    return None


def _draft(source: str, found: Sequence[tuple[Mapping[str, Any], float, Texts]]) -> Draft:
    events = [event for event, _, _ in found]
    first, strength, why = max(found, key=lambda one: one[1])
    people = sorted({one["actor_id"] for one in events if one["actor_id"] and one["actor_kind"] != ActorKind.SYSTEM})
    rows = sum(one["export_rows"] or 0 for one in events)
    partner, when = first["counterparty_system"], at_hour(first["time"])
    score = min(0.9, strength + 0.1 * bool(people) + 0.05 * (rows >= 1000))
    sent = first["activity"] == _A.TRANSFER
    return Draft(
        entity=source,
        severity=severity_of(score, Severity.HIGH),
        score=round(score, 4),
        actors=tuple(people),
        subjects=subjects_of(events),
        source=source,
        title=Texts(
            f"{source} と {partner} の連携の片側だけの記録", f"Only one side of a linkage of {source} and {partner}"
        ),
        reasons=(
            Texts(
                f"{when.ja} に {source} が {partner} {'へ送った' if sent else 'から受けた'}記録が {len(events)} 件"
                f"（計 {rows:,} 件のデータ）ありますが、相手側の記録がありません。",
                f"At {when.en}, {source} recorded that data {'went to' if sent else 'came from'} {partner} "
                f"({len(events)} time(s), {rows:,} records); the other side has no record of it.",
            ),
            why,
        ),
        **evidence_of(events),
    )


META = DetectorMeta(
    id="unmatched-send-receive",
    version="1.0.0",
    title=Texts("片側しか記録のない連携", "A linkage of which only one side is on record"),
    description=Texts(
        "システム間の送信と受信を突き合わせ、相手側の記録がないもの、例のない連携を見つけます。",
        "Compares what systems sent with what others received, and finds what only one of them has on record.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1041", "T1565"),
    controls=("C-021", "C-107", "C-109", "C-113"),
    reads=("time", "source", "subjects", *_COLUMNS[len(EVIDENCE_COLUMNS) :]),
    look_back=_LOOK_BACK,
    runbook=Texts(
        "1. 連携の一覧に、この相手とデータの連携があるか確かめます。\n"
        "2. 相手側の処理の結果とログの取り込みを確かめます。\n"
        "3. 一覧にない連携なら、設定を変えた人と承認を調べ、データの所在を確かめます。",
        "1. See whether the list of linkages has this one.\n"
        "2. Check the other side's run, and whether its log came in.\n"
        "3. If it is not listed, find out who set it up and by whose approval, and where the data is.",
    ),
    false_positives=Texts(
        "相手側の処理の遅れや失敗、ログの取り込み漏れ、年次の連携。",
        "The other side is late or failed, its log did not come in, a yearly linkage.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
