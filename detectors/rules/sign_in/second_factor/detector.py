"""A sign-in with less than the system asks for.

What a system asks for is in the policies feed, by date. Where it has no row there, the system's own habit speaks: if
nearly all of its sign-ins of four weeks were made with two kinds of factors, one with a single kind is odd. A log that
does not say with what somebody signed in says nothing here. When a third of a system's people sign in alike on one
day, a reader is broken or a policy was not delivered: the finding is then a weak one for each of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.context import MODALITIES
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.sign_in.second_factor.cases import CASES
from detectors.telling import about_person, at_hour, named, place_of

__all__ = ["DETECTOR", "Parameters", "satisfies"]

_A = Activity
_WITHOUT_PROOF = frozenset({_A.LOGOUT, _A.LOCK, _A.UNLOCK})
"""Opening one's own locked screen asks for less than signing in."""
_ACTIVITIES = tuple(sorted(set(_A) - _WITHOUT_PROOF))
_COLUMNS = (*EVIDENCE_COLUMNS, "actor_id", "auth_factors", "terminal_id", "terminal_ip")
_KNOWLEDGE = frozenset({"password", "pin"})
_TOGETHER = 5
"""Fewer people than this are no breakdown of a system."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    usual_percent: int = setting(
        95,
        "方針のないシステムで、過去 28 日のログインの何 % が多要素なら単一要素を異常とみなすか",
        "share of four weeks' sign-ins with two kinds of factors that makes a single one odd, without a policy",
    )
    least_sign_ins: int = setting(
        50, "その判断に必要なログインの件数", "sign-ins of four weeks that are needed for saying so"
    )


def _kinds(factors: Iterable[str]) -> frozenset[str]:
    """What somebody knows, has and is."""
    kinds = set()
    for factor in factors:
        inherent = factor in MODALITIES or factor == "biometric"
        kinds.add("is" if inherent else "knows" if factor in _KNOWLEDGE else "has")
    return frozenset(kinds)


def _meets(part: str, used: frozenset[str]) -> bool:
    """Whether one factor that is asked for was used, under its own name or a more exact one."""
    if part in used or (part == "biometric" and used & MODALITIES):
        return True
    if part in MODALITIES and "biometric" in used:
        return True  # the source does not say which
    if part == "vein":
        return bool(used & {"finger_vein", "palm_vein"})
    return part in {"finger_vein", "palm_vein"} and "vein" in used


def satisfies(asked: str, used: Iterable[str]) -> bool:
    """Whether factors are enough for a policy: alternatives by `|`, factors by `+`. An empty policy asks nothing."""
    given = frozenset(used)
    alternatives = [[part.strip() for part in way.split("+")] for way in asked.split("|") if way.strip()]
    return not alternatives or any(all(_meets(part, given) for part in way) for way in alternatives)


def _usually_two_kinds(window: Window, reader: Reader, source: str, params: Parameters) -> bool:
    wanted = Filter(
        start=window.start - timedelta(days=28),
        end=window.start,
        sources=(source,),
        activities=(_A.LOGIN,),
        outcomes=("", "success"),
        staff_only=True,
    )
    rows = reader.aggregate(wanted, (Dimension.FACTORS,), (Measure.EVENTS,))
    told = {row["factors"]: row["events"] for row in rows if row["factors"]}
    two = sum(count for factors, count in told.items() if len(_kinds(factors.split("+"))) > 1)
    total = sum(told.values())
    return bool(total >= params.least_sign_ins and two * 100 >= params.usual_percent * total)


def _too_weak(reader: Reader, source: str, factors: Iterable[str], at: datetime, two_kinds: bool) -> bool:
    asked = reader.context.factors_asked(source, at)
    if asked:
        return not satisfies(asked, factors)
    return two_kinds and len(_kinds(factors)) < 2


def _acts(window: Window, **more: Any) -> Filter:  # noqa: ANN401 - any field
    return Filter(
        start=window.start,
        end=window.end,
        activities=_ACTIVITIES,
        outcomes=("", "success"),
        staff_only=True,
        **more,
    )


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    rows = reader.aggregate(_acts(window), (Dimension.SOURCE, Dimension.FACTORS), (Measure.FIRST, Measure.LAST))
    weak: dict[str, bool] = {}
    for row in rows:
        source, factors = row["source"], row["factors"].split("+")
        if not row["factors"]:
            continue
        single = len(_kinds(factors)) == 1 and not reader.context.factors_asked(source, row["first"])
        habit = single and _usually_two_kinds(window, reader, source, params)
        if any(_too_weak(reader, source, factors, at, habit) for at in (row["first"], row["last"])):
            weak[source] = weak.get(source, False) or habit
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    crowded: set[str] = set()
    for source, habit in sorted(weak.items()):
        by_actor = _weak_acts(window, reader, source, habit)
        people = _people(window, reader, source)
        if len(by_actor) >= _TOGETHER and 3 * len(by_actor) >= people:
            crowded.add(source)
        for actor, events in by_actor.items():
            found[actor] += events
    for actor, events in sorted(found.items()):
        yield _draft(reader, actor, events, crowded)


def _people(window: Window, reader: Reader, source: str) -> int:
    rows = reader.aggregate(_acts(window, sources=(source,)), (Dimension.SOURCE,), (Measure.ACTORS,))
    return int(rows[0]["actors"]) if rows else 0


def _weak_acts(window: Window, reader: Reader, source: str, habit: bool) -> Mapping[str, list[dict[str, Any]]]:
    rows = reader.aggregate(
        _acts(window, sources=(source,)), (Dimension.ACTOR, Dimension.FACTORS), (Measure.FIRST, Measure.LAST)
    )
    actors = {
        row["actor"]
        for row in rows
        if row["factors"]
        and any(_too_weak(reader, source, row["factors"].split("+"), at, habit) for at in (row["first"], row["last"]))
    }
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    if actors:
        for event in reader.columns(_acts(window, sources=(source,), actors=tuple(sorted(actors))), _COLUMNS):
            factors = event["auth_factors"]
            if factors and _too_weak(reader, source, factors, event["time"], habit):
                found[event["actor_id"]].append(event)
    return found


def _draft(reader: Reader, actor: str, events: list[dict[str, Any]], crowded: set[str]) -> Draft:
    first = events[0]
    context, at, used = reader.context, first["time"], first["auth_factors"]
    asked = context.factors_asked(first["source"], at)
    alone = [event for event in events if event["source"] not in crowded]
    single = any(len(_kinds(event["auth_factors"])) == 1 for event in alone)
    score = (0.75 if single and asked else 0.6 if single else 0.35) if alone else 0.15
    score += 0.05 * min(len(alone), 3) if alone else 0.0
    when, name, words = at_hour(at), named(context, actor, at), "+".join(sorted(used))
    place = place_of(first)
    reasons = [
        Texts(
            f"{name} が {when.ja} に {first['source']} へ {words} だけでログインしました"
            f"（同様のものは計 {len(events)} 件）。",
            f"{name} signed in to {first['source']} at {when.en} with {words} only ({len(events)} such acts).",
        ),
        Texts(f"このシステムが求める認証は {asked} です。", f"The system asks for {asked}.")
        if asked
        else Texts(
            "このシステムでは、過去 28 日のログインのほとんどが二種類の要素によるものでした。",
            "Nearly all sign-ins to this system in the last 28 days were made with two kinds of factors.",
        ),
    ]
    if place:
        reasons.append(Texts(f"端末は {place} です。", f"It was at {place}."))
    if not alone:
        reasons.append(
            Texts(
                "同じ日に多くの職員が同様なので、認証装置の故障か方針の取り込み漏れかもしれません。",
                "Many people did the same that day: a reader may be broken, or a policy was not imported.",
            )
        )
    title = Texts(f"{name}: 認証要素の不足", f"{name}: signed in with too few factors")
    return about_person(actor, events, score, title, reasons)


META = DetectorMeta(
    id="missing-second-factor",
    version="1.0.0",
    title=Texts("認証要素の不足", "Sign-in without a required factor"),
    description=Texts(
        "システムの方針が求める認証要素を満たさないログインや操作を見つけます。",
        "Finds sign-ins and acts whose recorded factors do not meet the system's policy.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1078", "T1556.006"),
    controls=("C-037", "C-095"),
    reads=("time", "activity", "outcome", "actor_id", "auth_factors", "terminal_id", "terminal_ip", "source"),
    look_back=timedelta(days=28),
    runbook=Texts(
        "1. その時刻に生体認証装置などの故障や代替手段の承認がなかったか確かめます。\n"
        "2. なければ本人が操作したのかを本人と所属長に確かめます。\n3. 不足した認証を許した設定を直します。",
        "1. Check whether a reader was broken or another way was approved at the time.\n"
        "2. If not, ask the person and their manager whether it was them.\n3. Mend the setting that let it pass.",
    ),
    false_positives=Texts(
        "装置の故障中の代替認証、方針の取り込み漏れ、要素の一部しか書かないログ。",
        "Another way while a reader is broken, a policy that was not imported, a log that names only some factors.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
