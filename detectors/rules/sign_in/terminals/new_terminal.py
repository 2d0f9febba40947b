"""An account at a terminal where it has not been before, and where it has no business.

People change desks, help out and get new machines. So a new place by itself is no finding where it belongs to the own
unit, to everybody (counters, shared terminals, those that many use), or where half of the unit has new places on the
same day. At another unit's terminal it needs something beside: look-ups that no case accounts for, or an hour outside
work. A terminal that is not registered, or a vendor's, is odd enough.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.casework import LookUp
from audit.clock import tokyo_date
from audit.context import WorkContext
from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.accounted import casework_tells, unaccounted
from detectors.rules.sign_in.terminals.new_terminal_cases import CASES
from detectors.rules.sign_in.terminals.places import (
    HISTORY,
    Places,
    Stay,
    acts_of,
    approved_there,
    related,
    whereabouts,
)
from detectors.telling import about_person, at_hour, named

__all__ = ["DETECTOR", "Parameters"]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    least_score: float = setting(0.35, "この確からしさに満たなければ検知しない", "what is less likely is left out")
    registered_percent: int = setting(
        80,
        "その日使われた端末の何 % が台帳にあれば、台帳にない端末を異常とみなすか",
        "share of the day's terminals that must be registered for another to be odd",
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Why a place is odd."""

    why: Texts
    weight: float


def _moving(places: Places, stays: Sequence[Stay]) -> set[str]:
    """The units of which half, and three at least, are at new places today."""
    present: dict[str, set[str]] = defaultdict(set)
    new: dict[str, set[str]] = defaultdict(set)
    for stay in stays:
        present[stay.unit].add(stay.actor)
        if places.settled(stay.actor) and not places.seen(stay.actor, stay.place):
            new[stay.unit].add(stay.actor)
    return {unit for unit, people in new.items() if len(people) >= max(3, len(present[unit]) / 2)}


def _odd(context: WorkContext, places: Places, stay: Stay, listed: bool) -> _Place | None:
    """Why a place is odd for whoever is there for the first time; nothing where it is not."""
    terminal = places.registered.get(stay.place)
    if terminal is not None:
        if terminal.kind == "vendor" and not _contractor(context, stay):
            return _Place(Texts("委託業者の端末です。", "It is a vendor's terminal."), 0.4)
        if not terminal.org_unit or related(terminal.org_unit, stay.unit):
            return None
        return _Place(
            Texts(f"別の所属（{terminal.org_unit}）の端末です。", f"It belongs to another unit, {terminal.org_unit}."),
            0.15,
        )
    if listed:
        return _Place(Texts("端末台帳にない端末です。", "It is not a registered terminal."), 0.4)
    owners = places.owners(stay.place)
    units = {context.unit_of(owner, stay.first) for owner in owners}
    if owners and not any(related(unit, stay.unit) for unit in units):
        names = "、".join(owners)
        return _Place(
            Texts(
                f"ふだんは別の所属の {names} が使う端末です。",
                f"It is usually used by {', '.join(owners)}, of another unit.",
            ),
            0.15,
        )
    return (
        _Place(Texts("これまで誰も使っていない端末です。", "Nobody has used it before."), 0.05) if not owners else None
    )


def _contractor(context: WorkContext, stay: Stay) -> bool:
    post = context.post_at(stay.actor, stay.first)
    return post is None or post.employment == "contractor"


def _off_hours(context: WorkContext, actor: str, unit: str, at: datetime) -> bool:
    grace = timedelta(minutes=30)
    spans = context.working(actor, unit, tokyo_date(at))
    return not any(span.start - grace <= at < span.end + grace for span in spans)


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    places, stays = whereabouts(window, reader)
    moving = _moving(places, stays)
    used = {stay.place for stay in stays}
    listed = bool(reader.context.terminals) and 100 * len(used & places.registered.keys()) >= (
        params.registered_percent * len(used)
    )
    found: dict[str, list[tuple[Stay, _Place]]] = defaultdict(list)
    for stay in stays:
        if stay.unit in moving or not places.settled(stay.actor) or places.seen(stay.actor, stay.place):
            continue
        odd = None if places.for_all(stay.place) else _odd(reader.context, places, stay, listed)
        if odd is not None:
            found[stay.actor].append((stay, odd))
    for actor, new in sorted(found.items()):
        yield from _judge(window, reader, places, actor, new, params)


def _judge(
    window: Window,
    reader: Reader,
    places: Places,
    actor: str,
    new: Sequence[tuple[Stay, _Place]],
    params: Parameters,
) -> Iterable[Draft]:
    context = reader.context
    events = [
        event
        for event in acts_of(window, reader, places, actor)
        if event["place"] in {stay.place for stay, _ in new} and not approved_there(context, actor, event)
    ]
    if not events:
        return
    stay, odd = max(
        ((stay, odd) for stay, odd in new if stay.place in {event["place"] for event in events}),
        key=lambda one: (one[1].weight, one[0].place),
    )
    without: list[LookUp] = []
    if casework_tells(window, reader, stay.unit):
        times = {event["time"] for event in events}
        without = [look_up for look_up in unaccounted(window, reader, actor) if look_up.first in times]
    off = sum(_off_hours(context, actor, stay.unit, event["time"]) for event in events)
    score = odd.weight + 0.12 * min(len(without), 4) + (0.2 if off else 0.0)
    if score >= params.least_score:
        yield _draft(context, stay, odd, events, len(without), off, score)


def _draft(
    context: WorkContext,
    stay: Stay,
    odd: _Place,
    events: Sequence[dict[str, Any]],
    without: int,
    off: int,
    score: float,
) -> Draft:
    name, when = named(context, stay.actor, stay.first), at_hour(events[0]["time"])
    reasons = [
        Texts(
            f"{name} の利用者 ID が {when.ja} に、過去 28 日に使ったことのない端末 {stay.place} で使われました"
            f"（操作 {len(events)} 件）。",
            f"The account of {name} was used at {stay.place} at {when.en}, where it had not been in the 28 days before "
            f"({len(events)} acts).",
        ),
        odd.why,
    ]
    if without:
        reasons.append(
            Texts(
                f"そこで閲覧した住民のうち {without} 人には、対応する業務の記録がありません。",
                f"For {without} of the residents looked up there no case is on record.",
            )
        )
    if off:
        reasons.append(Texts(f"{off} 件は勤務時間の外です。", f"{off} of the acts are outside working time."))
    title = Texts(f"{name}: 初めての端末 {stay.place}", f"{name}: at {stay.place} for the first time")
    return about_person(stay.actor, events, score, title, reasons)


META = DetectorMeta(
    id="new-terminal",
    version="1.0.0",
    title=Texts("使い慣れない端末からの操作", "An account at a terminal that is new to it"),
    description=Texts(
        "別の所属や台帳にない端末での初めての操作のうち、業務記録や時刻で説明できないものを見つけます。",
        "Finds an account's first acts at another unit's or an unregistered terminal that nothing accounts for.",
    ),
    family="rules",
    analytic_type=AnalyticType.BEHAVIORAL,
    severity=Severity.HIGH,
    techniques=("T1078",),
    controls=("C-048", "C-095", "C-096"),
    reads=(
        "time",
        "activity",
        "outcome",
        "actor_id",
        "actor_org_unit",
        "terminal_id",
        "terminal_ip",
        "source",
        "subjects",
    ),
    look_back=HISTORY,
    runbook=Texts(
        "1. 席替え、応援、端末の交換がなかったか所属長に確かめます。\n"
        "2. 端末の持ち主と本人に、誰が操作したか聞きます。\n"
        "3. 台帳にない端末なら、接続を切って調べます。",
        "1. Ask the manager about moves, help to another unit, replaced machines.\n2. Ask the person, and whoever the "
        "terminal belongs to, who acted.\n3. Disconnect and examine a terminal that is not registered.",
    ),
    false_positives=Texts(
        "応援、打合せ先での利用、台帳に載っていない交換機。",
        "Helping out, work at a meeting, a replacement that is not registered yet.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
