"""An account in somebody else's hands: used at another's terminal while its owner is elsewhere.

No single sign proves it, so signs are added up: the terminal is one at which one or two others are at home; they were
at work there just then; the account's owner was at work at their own desk meanwhile, or on leave, or out of the
building; a sign-in failed there first; what was looked up has no case. Borrowing a colleague's empty desk shows none of
these but the first. Doors say who is out only where people who are out do not usually go on working: a card reader of
one room says nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from audit.context import RosterKind, WorkContext
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.accounted import casework_tells, unaccounted
from detectors.rules.sign_in.terminals.lent_id_cases import CASES
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

_A = Activity


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    least_score: float = setting(0.45, "この確からしさに満たなければ検知しない", "what is less likely is left out")
    beside_minutes: int = setting(
        15,
        "端末の持ち主が何分前後に操作していれば、その場にいたとみなすか",
        "whoever the terminal belongs to was there if they acted within so many minutes",
    )


@dataclass(slots=True)
class _Signs:
    """What speaks for an account being in somebody else's hands, and how strongly."""

    score: float = 0.1
    reasons: list[Texts] = field(default_factory=list)

    def add(self, weight: float, ja: str, en: str) -> None:
        self.score += weight
        self.reasons.append(Texts(ja, en))


def _doors(window: Window, reader: Reader) -> Mapping[str, list[tuple[datetime, bool]]]:
    """When people came in (true) and went out, by person, at doors that say something.

    A door's word counts where nearly everybody who went out by it did nothing until they came in again.
    """
    passes = Filter(
        start=window.start, end=window.end, activities=(_A.ENTRY, _A.EXIT), outcomes=("", "success"), staff_only=True
    )
    by_door: dict[str, dict[str, list[tuple[datetime, bool]]]] = defaultdict(lambda: defaultdict(list))
    for event in reader.columns(passes, ("time", "source", "actor_id", "activity")):
        by_door[event["source"]][event["actor_id"]].append((event["time"], event["activity"] == _A.ENTRY))
    if not by_door:
        return {}
    acts = Filter(
        start=window.start,
        end=window.end,
        actors=tuple(sorted({actor for people in by_door.values() for actor in people})),
        activities=(_A.LOGIN, _A.VIEW, _A.SEARCH, _A.UPDATE, _A.PRINT),
        outcomes=("", "success"),
    )
    active: dict[str, list[datetime]] = defaultdict(list)
    for row in reader.aggregate(acts, (Dimension.ACTOR, Dimension.QUARTER), (Measure.FIRST, Measure.LAST)):
        active[row["actor"]] += [row["first"], row["last"]]
    found: dict[str, list[tuple[datetime, bool]]] = defaultdict(list)
    for people in by_door.values():
        gone = [actor for actor, seen in people.items() if any(not came for _, came in seen)]
        working = sum(any(_out(people[actor], at) for at in active[actor]) for actor in gone)
        if len(gone) >= 5 and working * 5 <= len(gone):
            for actor in gone:
                found[actor] += people[actor]
    return found


def _out(passes: Sequence[tuple[datetime, bool]], at: datetime) -> bool:
    """Whether somebody had gone out some minutes before and not come in again."""
    before = [(when, came) for when, came in passes if when <= at]
    return bool(before) and not max(before)[1] and at - max(before)[0] >= timedelta(minutes=5)


def _away(context: WorkContext, actor: str, at: datetime) -> bool:
    grace = timedelta(minutes=30)
    return any(
        span.kind in (RosterKind.LEAVE, RosterKind.TRAINING) and span.start + grace <= at < span.end - grace
        for span in context.roster.get(actor, ())
    )


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding an account and day."""
    places, stays = whereabouts(window, reader)
    doors = _doors(window, reader)
    strange: dict[str, list[Stay]] = defaultdict(list)
    for stay in stays:
        if _elsewhere(places, stay) or stay.actor in doors:
            strange[stay.actor].append(stay)
    for actor, there in sorted(strange.items()):
        events = acts_of(window, reader, places, actor)
        drafts = [
            draft
            for stay in there
            if (draft := _judge(window, reader, places, stay, events, doors.get(actor, ()), params)) is not None
        ]
        if drafts:
            yield max(drafts, key=lambda draft: (draft.score, draft.first_index))


def _elsewhere(places: Places, stay: Stay) -> bool:
    """Whether an account with a home of its own is at the terminal of one or two others."""
    return (
        places.settled(stay.actor)
        and not places.at_home(stay.actor, stay.place)
        and bool(places.owners(stay.place))
        and not places.for_all(stay.place)
    )


def _judge(
    window: Window,
    reader: Reader,
    places: Places,
    stay: Stay,
    events: Sequence[dict[str, Any]],
    doors: Sequence[tuple[datetime, bool]],
    params: Parameters,
) -> Draft | None:
    context = reader.context
    there = [event for event in events if event["place"] == stay.place]
    there = [event for event in there if not approved_there(context, stay.actor, event)]
    if not there:
        return None
    signs, owners = _Signs(), [owner for owner in places.owners(stay.place) if owner != stay.actor]
    elsewhere = _elsewhere(places, stay)
    out = [event for event in there if _out(doors, event["time"])]
    if out:
        at = at_hour(out[0]["time"])
        signs.add(
            0.4,
            f"入退室の記録では、本人は {at.ja} に庁舎を出ていました。",
            f"By the doors, the owner was out at {at.en}.",
        )
    elif not elsewhere:
        return None
    if _away(context, stay.actor, there[0]["time"]):
        signs.add(0.4, "勤務表では、本人は不在でした。", "By the roster, the owner was away.")
    if elsewhere:
        if not any(related(context.unit_of(owner, stay.first), stay.unit) for owner in owners):
            signs.score += 0.1
        _at_own_desk(signs, events, there)
        _others_there(window, reader, places, stay, owners, signs, params)
        _failed_first(window, reader, places, stay, signs)
    if signs.reasons:
        _without_case(window, reader, stay, there, signs)
    return _draft(context, stay, out or there, signs, owners) if signs.score >= params.least_score else None


def _at_own_desk(signs: _Signs, events: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]) -> None:
    """The owner goes on working at home while the account is used elsewhere."""
    first, last = there[0]["time"], there[-1]["time"]
    actor_home = {event["place"] for event in events} - {there[0]["place"]}
    own = [event for event in events if event["place"] in actor_home and first < event["time"] < last]
    if own:
        signs.add(
            0.3,
            f"その間に、同じ利用者 ID が別の端末 {own[0]['place']} でも {len(own)} 件操作しています。",
            f"Meanwhile the same account acted {len(own)} times at {own[0]['place']}.",
        )


def _others_there(
    window: Window,
    reader: Reader,
    places: Places,
    stay: Stay,
    owners: Sequence[str],
    signs: _Signs,
    params: Parameters,
) -> None:
    """Whoever the terminal belongs to was at work there just then."""
    beside = timedelta(minutes=params.beside_minutes)
    for owner in owners:
        times = [event["time"] for event in acts_of(window, reader, places, owner) if event["place"] == stay.place]
        amid = sum(stay.first < at < stay.last for at in times)
        if not any(stay.first - beside <= at <= stay.last + beside for at in times):
            continue
        name = named(reader.context, owner, stay.first)
        signs.add(
            0.3 if amid else 0.2,
            f"端末 {stay.place} をふだん使う {name} が、その直前直後に同じ端末で操作していました。",
            f"{name}, who usually uses {stay.place}, was at work there just before or after.",
        )
        return


def _failed_first(window: Window, reader: Reader, places: Places, stay: Stay, signs: _Signs) -> None:
    failed = Filter(
        start=max(window.start, stay.first - timedelta(minutes=10)),
        end=stay.last,
        actors=(stay.actor,),
        activities=(_A.LOGIN,),
        outcomes=("failure", "denied"),
    )
    names = [
        event["terminal_id"] or places.aliases.get(event["terminal_ip"], event["terminal_ip"])
        for event in reader.columns(failed, ("terminal_id", "terminal_ip"))
    ]
    count = names.count(stay.place)
    if count:
        signs.add(
            0.1,
            f"その端末で、成功の前にログインが {count} 回失敗しています。",
            f"{count} sign-ins failed there before one succeeded.",
        )


def _without_case(
    window: Window, reader: Reader, stay: Stay, there: Sequence[Mapping[str, Any]], signs: _Signs
) -> None:
    if not casework_tells(window, reader, stay.unit):
        return
    times = {event["time"] for event in there}
    without = sum(look_up.first in times for look_up in unaccounted(window, reader, stay.actor))
    if without:
        signs.add(
            0.1 if without < 3 else 0.2,
            f"そこで閲覧した住民のうち {without} 人には、対応する業務の記録がありません。",
            f"For {without} of the residents looked up there no case is on record.",
        )


def _draft(
    context: WorkContext, stay: Stay, events: Sequence[dict[str, Any]], signs: _Signs, owners: Sequence[str]
) -> Draft:
    name, when = named(context, stay.actor, stay.first), at_hour(events[0]["time"])
    whose = (
        Texts(f"（ふだんは {'、'.join(owners)} が使用）", f", usually used by {', '.join(owners)},")
        if owners
        else Texts("", "")
    )
    reasons = [
        Texts(
            f"{name} の利用者 ID が {when.ja} に端末 {stay.place}{whose.ja} で {len(events)} 件操作しました。",
            f"At {when.en} the account of {name} acted {len(events)} times at {stay.place}{whose.en.rstrip(',')}.",
        ),
        *signs.reasons,
    ]
    title = Texts(f"{name}: 利用者 ID の貸し借りの疑い", f"{name}: the account may be in somebody else's hands")
    return about_person(stay.actor, events, min(signs.score, 0.95), title, reasons, others=owners)


META = DetectorMeta(
    id="lent-id",
    version="1.0.0",
    title=Texts("利用者 ID の貸し借り・なりすまし", "A lent or borrowed account"),
    description=Texts(
        "持ち主が別の場所にいる間に、他の職員の端末などで使われた利用者 ID を見つけます。",
        "Finds accounts used at somebody else's terminal, or at all, while their owner is elsewhere.",
    ),
    family="rules",
    analytic_type=AnalyticType.BEHAVIORAL,
    severity=Severity.HIGH,
    techniques=("T1078",),
    controls=("C-045", "C-051", "C-096", "C-100", "field G15"),
    reads=("time", "activity", "outcome", "actor_id", "terminal_id", "terminal_ip", "source", "subjects"),
    look_back=HISTORY,
    runbook=Texts(
        "1. 持ち主と端末の使用者に、別々に、誰が操作したかを聞きます。\n"
        "2. 貸し借りならやめさせ、パスワードを変えます。\n"
        "3. 閲覧された住民と、端末の使用者の関係を見ます。",
        "1. Ask the owner, and whoever uses the terminal, separately, who acted.\n2. Stop the lending and change the "
        "password.\n3. See how the residents are related to whoever uses the terminal.",
    ),
    false_positives=Texts(
        "隣席での操作の指導、故障した端末の代わり、退室時のカードのかざし忘れ。",
        "Showing a colleague how, a broken machine, a card not held to the reader.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
