"""One account at work at two terminals at the same time.

Terminals that many share are left out, and so are two that the account uses every day, as where two networks need two
machines. What remains is an account whose acts at one place lie between its acts at another, closer than somebody can
walk there and back and work. Once may be a walk to a colleague; but to leave another unit's desk for the own one and be
back there within minutes is odd even once, and so is a change between sites that is faster than the way.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, pairwise
from typing import Any

from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.accounted import unaccounted
from detectors.rules.sign_in.terminals.concurrent_cases import CASES
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

    there_and_back_minutes: int = setting(
        10,
        "何分以内に二つの端末を行き来したら同時とみなすか",
        "there and back within so many minutes is at the same time",
    )
    between_sites_minutes: int = setting(
        10,
        "別の庁舎の端末へ何分以内に移ったら不可能とみなすか",
        "from one site to another within so many minutes is impossible",
    )


@dataclass(frozen=True, slots=True)
class _Crossing:
    """The acts by which an account was at two places at once."""

    places: tuple[str, str]
    sites: tuple[str, str] | None
    events: tuple[Mapping[str, Any], ...]
    times: int


def _comparable(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two acts name their places alike: an address may mean another thing in another system's log."""
    return one["source"] == other["source"] or bool(one["terminal_id"] and other["terminal_id"])


def _sites(places: Places, pair: tuple[str, str]) -> tuple[str, str] | None:
    """The sites of two terminals, where they are known and differ."""
    terminals = [places.registered.get(place) for place in pair]
    if any(terminal is None or terminal.kind == "server" for terminal in terminals):
        return None
    one, other = (terminal.site for terminal in terminals if terminal is not None)
    return (one, other) if one and other and one != other else None


def _crossing(
    events: Sequence[Mapping[str, Any]],
    pair: tuple[str, str],
    places: Places,
    foreign: Collection[str],
    params: Parameters,
) -> _Crossing | None:
    """Where acts at two places are too close for one person."""
    there = [event for event in events if event["place"] in pair]
    runs = [
        (one, other) for one, other in pairwise(there) if one["place"] != other["place"] and _comparable(one, other)
    ]
    sites = _sites(places, pair)
    walk, back = (
        timedelta(minutes=minutes) for minutes in (params.between_sites_minutes, params.there_and_back_minutes)
    )
    close: list[Mapping[str, Any]] = []
    times = enough = 0
    if sites is not None:
        for one, other in runs:
            if other["time"] - one["time"] <= walk:
                close += [one, other]
                times += 1
                enough += 2
    for (left, _), (_, again) in pairwise(runs):
        if again["place"] == left["place"] and again["time"] - left["time"] <= back:
            close += [event for event in there if left["time"] <= event["time"] <= again["time"]]
            times += 1
            enough += 2 if left["place"] in foreign else 1
    unique = {(event["source"], event["event_id"]): event for event in close}
    return _Crossing(pair, sites, tuple(unique.values()), times) if enough > 1 else None


def _of_other_units(reader: Reader, places: Places, actor: str, events: Sequence[Mapping[str, Any]]) -> set[str]:
    """The places where an account is not at home and that belong to another unit."""
    found = set()
    for event in events:
        place, at = event["place"], event["time"]
        unit = reader.context.unit_of(actor, at)
        terminal = places.registered.get(place)
        theirs = {reader.context.unit_of(owner, at) for owner in places.owners(place)}
        units = {terminal.org_unit} if terminal is not None and terminal.org_unit else theirs
        if unit and units and not places.at_home(actor, place) and not any(related(one, unit) for one in units):
            found.add(place)
    return found


def _overlapping(stays: Sequence[Stay], places: Places, slack: timedelta) -> set[str]:
    """The accounts whose stays at two places meet, of which one is not for all and not both are home."""
    by_actor: dict[str, list[Stay]] = {}
    for stay in stays:
        if not places.for_all(stay.place):
            by_actor.setdefault(stay.actor, []).append(stay)
    return {
        actor
        for actor, there in by_actor.items()
        for one, other in combinations(there, 2)
        if one.first <= other.last + slack and other.first <= one.last + slack
    }


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    places, stays = whereabouts(window, reader)
    slack = timedelta(minutes=max(params.there_and_back_minutes, params.between_sites_minutes))
    for actor in sorted(_overlapping(stays, places, slack)):
        events = [
            event
            for event in acts_of(window, reader, places, actor)
            if not places.for_all(event["place"]) and not approved_there(reader.context, actor, event)
        ]
        foreign = _of_other_units(reader, places, actor, events)
        used = sorted({event["place"] for event in events})
        found = [
            crossing
            for pair in combinations(used, 2)
            if not (all(places.at_home(actor, place) for place in pair) and _sites(places, pair) is None)
            and (crossing := _crossing(events, pair, places, foreign, params)) is not None
        ]
        if found:
            yield _draft(window, reader, places, actor, max(found, key=lambda one: (one.sites is not None, one.times)))


def _draft(window: Window, reader: Reader, places: Places, actor: str, crossing: _Crossing) -> Draft:
    events, first = crossing.events, min(crossing.events, key=lambda event: event["time"])
    strange = next((place for place in crossing.places if not places.at_home(actor, place)), crossing.places[1])
    owners = [owner for owner in places.owners(strange) if owner != actor]
    times = {event["time"] for event in events if event["place"] == strange}
    without = sum(look_up.first in times for look_up in unaccounted(window, reader, actor))
    score = 0.5 + 0.04 * min(crossing.times, 5) + (0.15 if crossing.sites else 0.0) + (0.1 if owners else 0.0)
    name, when = named(reader.context, actor, first["time"]), at_hour(first["time"])
    one, other = crossing.places
    reasons = [
        Texts(
            f"{name} の利用者 ID が {when.ja} から、端末 {one} と {other} で同時に使われました"
            f"（行き来 {crossing.times} 回、操作 {len(events)} 件）。",
            f"From {when.en} the account of {name} was used at {one} and {other} at the same time "
            f"({crossing.times} changes, {len(events)} acts).",
        ),
        Texts(
            "一人が行き来して操作できる間隔ではありません。", "Nobody can walk to and fro and work in so little time."
        ),
    ]
    if crossing.sites:
        reasons.append(
            Texts(
                f"二つの端末は別の庁舎（{'、'.join(crossing.sites)}）にあります。",
                f"The two are at different sites, {' and '.join(crossing.sites)}.",
            )
        )
    if owners:
        reasons.append(
            Texts(
                f"{strange} はふだん {'、'.join(owners)} が使います。",
                f"{strange} is usually used by {', '.join(owners)}.",
            )
        )
    if without:
        reasons.append(
            Texts(
                f"{strange} で閲覧した住民のうち {without} 人には、対応する業務の記録がありません。",
                f"For {without} of the residents looked up at {strange} no case is on record.",
            )
        )
    title = Texts(f"{name}: 二つの端末での同時使用", f"{name}: at two terminals at once")
    return about_person(actor, events, score, title, reasons, others=owners)


META = DetectorMeta(
    id="concurrent-sessions",
    version="1.0.0",
    title=Texts("一つの利用者 ID の同時使用", "One account at two terminals at once"),
    description=Texts(
        "一つの利用者 ID が、一人では行き来できない間隔で二つの端末から使われたものを見つけます。",
        "Finds accounts used at two terminals closer together than one person could be.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1078",),
    controls=("C-046", "C-096", "field G15"),
    reads=("time", "activity", "outcome", "actor_id", "terminal_id", "terminal_ip", "source", "subjects"),
    look_back=HISTORY,
    runbook=Texts(
        "1. 本人と、もう一方の端末の持ち主に、誰が操作したかを聞きます。\n2. 利用者 ID の貸し借りがあればやめさせ、"
        "パスワードを変えます。\n3. もう一方の端末で閲覧された住民を確かめます。",
        "1. Ask the person, and whoever the other terminal belongs to, who acted.\n2. Stop the lending, and change the "
        "password.\n3. See whose records were read at the other terminal.",
    ),
    false_positives=Texts(
        "一人が並べて使う二台の端末、裏で動き続ける処理、端末の記録の時刻のずれ。",
        "Two machines side by side, a job that goes on in the background, clocks that differ.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
