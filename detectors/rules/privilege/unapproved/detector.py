"""Rights given without an approval: one by one, or many in a day.

`grant-without-approval` speaks where a source writes an approval for most of what it grants; of the first grants that
a log tells, it speaks more softly, and only of people whose post did not change. A transfer or an appointment accounts
for a right as an approval does. `mass-privilege` counts the people to whom one person gives rights on a day; a new
year's transfers, which the directory tells, and approved ones do not count, and neither does a number that is usual
for whoever gives.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.clock import tokyo_date
from audit.context import WorkContext
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.privilege.grants import COLUMNS, acts_on_rights, approved_before, happened, what_of
from detectors.rules.privilege.unapproved.cases import MANY, SINGLE
from detectors.telling import about_person, at_hour, named

__all__ = ["DETECTORS", "Mass", "Single"]

_A = Activity
_HISTORY = timedelta(days=28)
_TRANSFER = timedelta(days=14)
_FEW = 3
"""Fewer grants than this with an approval show no habit."""
_HANDFUL = 6
"""Fewer grants than this without one do not either."""


@dataclass(frozen=True, slots=True)
class Single:
    """Settings of `grant-without-approval`."""

    approved_percent: int = setting(
        60,
        "過去 28 日の付与の何 % に承認の記録があれば、承認のない付与を異常とみなすか",
        "share of four weeks' grants with an approval that makes one without odd",
    )


@dataclass(frozen=True, slots=True)
class Mass:
    """Settings of `mass-privilege`."""

    people: int = setting(
        10, "一人が一日に何人へ付与したら検知するか", "so many people are given rights by one in a day"
    )
    times_usual: int = setting(
        3, "過去 28 日の最多の日の何倍を超えたら検知するか", "so many times the busiest day of four weeks"
    )


def _granted(window: Window) -> Filter:
    return Filter(start=window.start, end=window.end, activities=(_A.GRANT,), outcomes=("", "success"), staff_only=True)


def _by_source(events: Iterable[dict[str, Any]]) -> Mapping[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        found[event["source"]].append(event)
    return found


def _without(
    window: Window, reader: Reader, granted: Sequence[dict[str, Any]], share: int
) -> Iterable[tuple[dict[str, Any], bool]]:
    """Today's grants without an approval, and whether the source's other grants had one.

    Where others mostly had none, nothing is said; a handful of them shows no such habit.
    """
    approvals = acts_on_rights(window, reader, (_A.APPROVE,), 2 * _HISTORY)
    for grants in _by_source(granted).values():
        unmoved = [grant for grant in grants if not _moved(reader.context, grant)]
        for event in unmoved:
            if event["time"] < window.start or approved_before(reader.context, approvals, event, _HISTORY):
                continue
            others = [[grant for grant in some if grant is not event] for some in (grants, unmoved)]
            usual = any(_approved(reader.context, approvals, some, share) for some in others)
            if usual or (len(others[1]) < _HANDFUL and reader.context.knows(event["target_id"])):
                yield event, usual


def _approved(
    context: WorkContext, approvals: Sequence[dict[str, Any]], grants: Sequence[dict[str, Any]], share: int
) -> bool:
    """Whether most of some grants had an approval: of a transfer's, or of those between transfers."""
    approved = sum(approved_before(context, approvals, grant, _HISTORY) for grant in grants)
    return len(grants) >= _FEW and 100 * approved >= share * len(grants)


def single(window: Window, reader: Reader, params: Single) -> Iterable[Draft]:
    """One finding whoever gives, and day."""
    if not happened(reader, _granted(window)):
        return
    granted = acts_on_rights(window, reader, (_A.GRANT,), _HISTORY)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    unlike: set[str] = set()
    for event, usual in _without(window, reader, granted, params.approved_percent):
        found[event["actor_id"]].append(event)
        unlike |= {event["actor_id"]} if usual else set()
    for actor, events in sorted(found.items()):
        yield _single_draft(reader.context, actor, events, usual=actor in unlike)


def _single_draft(context: WorkContext, actor: str, events: Sequence[dict[str, Any]], *, usual: bool) -> Draft:
    first, people = events[0], sorted({event["target_id"] for event in events})
    unit = context.unit_of(actor, first["time"])
    hours = context.hours(unit, tokyo_date(first["time"]))
    late = hours is None or not hours[0] - timedelta(hours=1) <= first["time"] < hours[1] + timedelta(hours=1)
    name, when, what = named(context, actor, first["time"]), at_hour(first["time"]), what_of(first)
    reasons = [
        Texts(
            f"{name} が {when.ja} から {'、'.join(people[:5])} に権限{f'（{what}）' if what else ''}を付与しました"
            f"（{len(events)} 件）。",
            f"From {when.en} {name} gave rights{f' ({what})' if what else ''} to {', '.join(people[:5])} "
            f"({len(events)} acts).",
        ),
        Texts(
            "事前に他の人が承認した記録がありません。このシステムの他の付与のほとんどには記録があります。",
            "Nobody else had approved it before, as is on record for most other grants of this system.",
        )
        if usual
        else Texts(
            "事前に他の人が承認した記録も、異動や採用の記録もありません。",
            "Nobody else had approved it before, and no transfer or appointment is on record.",
        ),
    ]
    if late:
        reasons.append(Texts("開庁時間から大きく外れた時刻です。", "It was well outside office hours."))
    title = Texts(f"{name}: 承認の記録がない権限付与", f"{name}: rights given without an approval")
    score = (0.45 if usual else 0.35) + (0.15 if late else 0.0) + 0.02 * min(len(events), 5)
    return about_person(actor, events, score, title, reasons, others=people[:5])


def mass(window: Window, reader: Reader, params: Mass) -> Iterable[Draft]:
    """One finding whoever gives, and day."""
    if not happened(reader, _granted(window)):
        return
    rows = reader.aggregate(_granted(window), (Dimension.ACTOR,), (Measure.EVENTS,), {Measure.EVENTS: params.people})
    givers = tuple(sorted(row["actor"] for row in rows))
    if not givers:
        return
    approvals = acts_on_rights(window, reader, (_A.APPROVE,), _HISTORY)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in acts_on_rights(window, reader, (_A.GRANT,), actors=givers):
        moved = _moved(reader.context, event)
        if not moved and not approved_before(reader.context, approvals, event, _HISTORY):
            found[event["actor_id"]].append(event)
    for actor, events in sorted(found.items()):
        people = len({event["target_id"] for event in events})
        busiest = _busiest(window, reader, actor)
        if people >= params.people and people > params.times_usual * busiest:
            yield _mass_draft(reader.context, actor, events, people, busiest)


def _moved(context: WorkContext, grant: Mapping[str, Any]) -> bool:
    """Whether the one who gets a right begins a post just then."""
    return any(
        post.start is not None and abs(post.start - grant["time"]) <= _TRANSFER
        for post in context.posts.get(grant["target_id"], ())
    )


def _busiest(window: Window, reader: Reader, actor: str) -> int:
    """To how many people somebody gave rights on the busiest of the days before."""
    before = Filter(
        start=window.start - _HISTORY,
        end=window.start,
        actors=(actor,),
        activities=(_A.GRANT,),
        outcomes=("", "success"),
    )
    people: dict[Any, set[str]] = defaultdict(set)
    for row in reader.aggregate(before, (Dimension.DAY, Dimension.TARGET), (Measure.EVENTS,)):
        people[row["day"]].add(row["target"])
    return max((len(targets) for targets in people.values()), default=0)


def _mass_draft(context: WorkContext, actor: str, events: Sequence[dict[str, Any]], people: int, busiest: int) -> Draft:
    name, when = named(context, actor, events[0]["time"]), at_hour(events[0]["time"])
    reasons = [
        Texts(
            f"{name} が {when.ja} から {people} 人に権限を付与しました（{len(events)} 件）。",
            f"From {when.en} {name} gave rights to {people} people ({len(events)} acts).",
        ),
        Texts(
            f"過去 28 日で最も多い日は {busiest} 人でした。異動や採用、他の人の承認で説明できるものは除いています。",
            f"On the busiest of the 28 days before it was {busiest}. Transfers, appointments and approved rights are "
            "left out.",
        ),
    ]
    title = Texts(f"{name}: 一日に {people} 人への権限付与", f"{name}: rights for {people} people in a day")
    return about_person(actor, events, 0.4 + 0.01 * min(people, 30), title, reasons)


_READS = ("activity", "outcome", *(column for column in COLUMNS if column not in {"activity", "log_index"}))
_RUNBOOK = Texts(
    "1. 付与の申請書と決裁を確かめます。\n2. 決裁がなければ権限を外し、付与した理由を聞きます。\n"
    "3. その権限で何が行われたかを調べます。",
    "1. Look for the request and its approval.\n2. Without one, take the rights away and ask why they were given.\n"
    "3. See what was done with them.",
)

_SINGLE = DetectorMeta(
    id="grant-without-approval",
    version="1.1.0",
    title=Texts("承認の記録がない権限付与", "Rights given without an approval"),
    description=Texts(
        "ふだん承認の記録を伴うシステムで、他の人の承認なしに付与された権限を見つけます。",
        "Finds rights given without anybody else's approval, in systems where approvals are on record as a rule.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1098",),
    controls=("C-066", "C-070", "C-077", "C-099"),
    reads=_READS,
    look_back=2 * _HISTORY,
    runbook=_RUNBOOK,
    false_positives=Texts(
        "紙の決裁、緊急の付与、承認の記録が遅れて届く場合。",
        "An approval on paper, an urgent grant, approvals that arrive late.",
    ),
)
_MASS = DetectorMeta(
    id="mass-privilege",
    version="1.0.0",
    title=Texts("一日に多数の人への権限付与", "Rights for many people in a day"),
    description=Texts(
        "異動や承認で説明できない多数の権限付与を、付与した人の普段と比べて見つけます。",
        "Finds many rights given in a day by one person that neither transfers nor approvals account for.",
    ),
    family="rules",
    analytic_type=AnalyticType.STATISTICAL,
    severity=Severity.HIGH,
    techniques=("T1098",),
    controls=("C-073", "C-099"),
    reads=_READS,
    look_back=2 * _HISTORY,
    runbook=_RUNBOOK,
    false_positives=Texts(
        "新しいシステムの導入、名簿に反映されていない組織改正。",
        "A new system, a reorganisation that has not reached the directory.",
    ),
)

DETECTORS = (
    Detector(_SINGLE, Single(), single, SINGLE),
    Detector(_MASS, Mass(), mass, MANY),
)
