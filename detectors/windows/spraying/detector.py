"""One place that tries many accounts, few times each.

Who fails at a terminal or address where they are at home has mistyped; who fails where they have never been, together
with many others, is being tried. So the accounts that are at home somewhere, by the weeks before or by a success on
the same day, do not count there. Behind an address that everybody shares, only names that no one has ever signed in
with from there are left.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.clock import TOKYO
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS, evidence_of, main_source
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.telling import place_of, severity_of
from detectors.windows.spraying.cases import CASES

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_HISTORY = timedelta(days=28)
_FAILED = ("denied", "failure")
_COLUMNS = (*EVIDENCE_COLUMNS, "actor_id", "outcome", "terminal_id", "terminal_ip")
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    accounts: int = setting(
        5,
        "一つの場所から、よその利用者 ID がいくつ試されたら検知するか",
        "so many strange accounts tried from one place",
    )
    unknown_accounts: int = setting(
        4, "名簿にない利用者 ID ならいくつで検知するか", "so many, where the directory knows none of them"
    )


def _sign_ins(window: Window, outcomes: tuple[str, ...], back: timedelta = timedelta(0), **more: Any) -> Filter:  # noqa: ANN401 - any field
    return Filter(
        start=window.start - back, end=window.end, activities=(_A.LOGIN,), outcomes=outcomes, staff_only=True, **more
    )


def _places(window: Window, reader: Reader, params: Parameters) -> set[tuple[str, str]]:
    """The terminals and addresses at which several accounts failed."""
    least = {Measure.ACTORS: min(params.accounts, params.unknown_accounts)}
    rows = reader.aggregate(
        _sign_ins(window, _FAILED), (Dimension.TERMINAL, Dimension.ADDRESS), (Measure.ACTORS,), least
    )
    return {(row["terminal"], row["address"]) for row in rows if row["terminal"] or row["address"]}


def _failures(
    window: Window, reader: Reader, places: set[tuple[str, str]]
) -> Mapping[tuple[str, str], list[dict[str, Any]]]:
    """Each place's failures, in the order of time."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    terminals = {terminal for terminal, _ in places}
    named = () if "" in terminals else tuple(sorted(terminals))
    for event in reader.columns(_sign_ins(window, _FAILED, terminals=named), _COLUMNS):
        if (place := (event["terminal_id"], event["terminal_ip"])) in places:
            found[place].append(event)
    return found


def _at_home(
    window: Window, reader: Reader, accounts: Iterable[str]
) -> Mapping[tuple[str, str], Mapping[str, datetime]]:
    """Since when each account signs in at a place: in the weeks before, or on the day itself."""
    rows = reader.aggregate(
        _sign_ins(window, ("", "success"), _HISTORY, actors=tuple(sorted(accounts))),
        (Dimension.ACTOR, Dimension.TERMINAL, Dimension.ADDRESS),
        (Measure.FIRST,),
    )
    found: dict[tuple[str, str], dict[str, datetime]] = defaultdict(dict)
    for row in rows:
        found[row["terminal"], row["address"]][row["actor"]] = row["first"]
    return found


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a place and day."""
    any_failed = reader.aggregate(_sign_ins(window, _FAILED), (), (Measure.ACTORS,))
    least = min(params.accounts, params.unknown_accounts)
    if not any_failed or any_failed[0]["actors"] < least:
        return
    places = _places(window, reader, params)
    if not places:
        return
    failures = _failures(window, reader, places)
    tried = {event["actor_id"] for events in failures.values() for event in events}
    home = _at_home(window, reader, tried)
    for place, events in sorted(failures.items()):
        accounts, at_home = {event["actor_id"] for event in events}, home.get(place, {})
        strange = accounts - at_home.keys()
        opened = {actor for actor in accounts & at_home.keys() if at_home[actor] >= window.start}
        unknown = bool(reader.context.posts) and not any(reader.context.knows(actor) for actor in strange)
        if len(strange) >= (params.unknown_accounts if unknown else params.accounts):
            wanted = [event for event in events if event["actor_id"] in strange | opened]
            yield _draft(window, reader, place, wanted, strange, opened)


def _successes(window: Window, reader: Reader, place: tuple[str, str], opened: set[str]) -> list[dict[str, Any]]:
    if not opened:
        return []
    wanted = _sign_ins(window, ("", "success"), actors=tuple(sorted(opened)))
    return [
        event for event in reader.columns(wanted, _COLUMNS) if (event["terminal_id"], event["terminal_ip"]) == place
    ]


def _draft(
    window: Window,
    reader: Reader,
    place: tuple[str, str],
    events: Sequence[dict[str, Any]],
    strange: set[str],
    opened: set[str],
) -> Draft:
    where = place_of({"terminal_id": place[0], "terminal_ip": place[1]})
    successes = _successes(window, reader, place, opened)
    first, last = (at.astimezone(TOKYO) for at in (events[0]["time"], events[-1]["time"]))
    accounts = sorted(strange | opened)
    score = round(min(1.0, 0.55 + 0.02 * min(len(strange), 10) + (0.2 if opened else 0.0)), 4)
    known = sum(reader.context.knows(actor) for actor in accounts)
    reasons = [
        Texts(
            f"{first.month}月{first.day}日 {first:%H:%M} から {last:%H:%M} までに、{where} から "
            f"{len(accounts)} 個の利用者 ID のログインが {len(events)} 回失敗しました。",
            f"From {first:%H:%M} to {last:%H:%M} on {first:%-d %B} {len(events)} sign-ins of {len(accounts)} accounts "
            f"failed at {where}.",
        ),
        Texts(
            f"そのうち {len(strange)} 個は、過去 28 日にここからログインに成功したことがありません。",
            f"{len(strange)} of them have not signed in there in 28 days.",
        ),
    ]
    if opened:
        names = sorted(opened)[:5]
        reasons.append(
            Texts(
                f"{'、'.join(names)} は、ここから初めてログインに成功しました。",
                f"{', '.join(names)} signed in there for the first time.",
            )
        )
    if reader.context.posts and known < len(accounts):
        reasons.append(
            Texts(
                f"{len(accounts) - known} 個は職員名簿にない利用者 ID です。",
                f"{len(accounts) - known} of them are not in the staff directory.",
            )
        )
    return Draft(
        entity=where,
        severity=severity_of(score),
        score=score,
        actors=tuple((sorted(opened) or accounts)[:_MOST_NAMED]),
        subjects=(),
        source=main_source(events),
        title=Texts(
            f"{where} から {len(accounts)} 個の利用者 ID への試行", f"{len(accounts)} accounts tried from {where}"
        ),
        reasons=tuple(reasons),
        **evidence_of([*events, *successes]),
    )


META = DetectorMeta(
    id="password-spraying",
    version="1.0.0",
    title=Texts("多数の利用者 ID への試行", "Many accounts tried from one place"),
    description=Texts(
        "一つの端末やアドレスから、そこを使わない多数の利用者 ID のログインが試されたものを見つけます。",
        "Finds terminals and addresses from which many accounts are tried that do not belong there.",
    ),
    family="windows",
    analytic_type=AnalyticType.BEHAVIORAL,
    severity=Severity.CRITICAL,
    techniques=("T1110.003",),
    controls=("ログイン失敗一覧", "C-098", "security S20"),
    reads=("time", "activity", "outcome", "actor_id", "terminal_id", "terminal_ip", "source"),
    look_back=_HISTORY,
    runbook=Texts(
        "1. その場所の端末を誰が使っていたかを確かめます。\n2. 成功した利用者 ID があれば直ちに止め、操作を調べます。\n"
        "3. 試された ID の持ち主にパスワードを変えてもらいます。",
        "1. Find out who was at that terminal.\n2. Stop accounts that were opened at once, and see what they did.\n"
        "3. Have the owners of the accounts that were tried change their passwords.",
    ),
    false_positives=Texts(
        "新しい共用端末の設置、研修用端末、認証基盤の障害。",
        "A new shared terminal, a training room, a fault of the sign-in service.",
    ),
    references=("ASVS 5.0.0 6.3.1",),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
