"""A burst of failed sign-ins that ends in a success.

Failures are counted per account, and per terminal or address over all accounts, within an hour before each success.
A person who mistypes at the terminal they always use gets more patience than a stranger. Failures from one place and
the success from another are somebody else's attempts, not a break-in: the success must come from a place that failed.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.clock import TOKYO
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS, evidence_of
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.windows.sign_in_guessing.cases import CASES

__all__ = ["DETECTOR", "Parameters"]

_COLUMNS = (*EVIDENCE_COLUMNS, "actor_id", "outcome", "terminal_id", "terminal_ip")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    within_minutes: int = setting(
        60, "成功の何分前までの失敗を数えるか", "failures older than this at the success do not count"
    )
    failures: int = setting(
        5,
        "初めての場所から、一つの利用者 ID で何回失敗したら",
        "so many of one account, from a place that is new to it",
    )
    failures_at_own_place: int = setting(
        8, "以前にもログインした場所から何回失敗したら", "so many from a place where it signed in before"
    )
    failures_from_one_place: int = setting(
        10, "一つの場所から、利用者 ID を問わず何回失敗したら", "so many from one place over all accounts"
    )
    history_days: int = setting(
        28,
        "いつもの場所を何日前までさかのぼって調べるか",
        "how far back an account's own places are looked for",
        most=28,
    )


def _place(event: Mapping[str, Any]) -> str:
    return str(event["terminal_id"] or event["terminal_ip"])


def _own_places(window: Window, reader: Reader, source: str, actor: str, params: Parameters) -> frozenset[str]:
    """Where an account has signed in before the burst's day."""
    wanted = Filter(
        start=window.start - timedelta(days=params.history_days),
        end=window.start,
        sources=(source,),
        actors=(actor,),
        activities=(Activity.LOGIN,),
        outcomes=("", "success"),
    )
    rows = reader.columns(wanted, ("terminal_id", "terminal_ip"))
    return frozenset(_place(row) for row in rows)


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding an account, source and day."""
    within = timedelta(minutes=params.within_minutes)
    failing = reader.aggregate(
        Filter(
            start=window.start - within,
            end=window.end,
            activities=(Activity.LOGIN,),
            outcomes=("failure", "denied"),
        ),
        (Dimension.SOURCE,),
        (Measure.EVENTS,),
    )
    for source in sorted(row["source"] for row in failing if row["events"] >= params.failures):
        yield from _in_source(window, reader, source, params)


def _in_source(window: Window, reader: Reader, source: str, params: Parameters) -> Iterable[Draft]:
    within = timedelta(minutes=params.within_minutes)
    sign_ins = reader.columns(
        Filter(start=window.start - within, end=window.end, sources=(source,), activities=(Activity.LOGIN,)),
        _COLUMNS,
    )
    by_account: dict[str, deque[dict[str, Any]]] = defaultdict(deque)
    by_place: dict[str, deque[dict[str, Any]]] = defaultdict(deque)
    bursts: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {}
    for event in sign_ins:
        place, account = _place(event), event["actor_id"]
        for recent in (by_account[account], by_place[place]):
            while recent and event["time"] - recent[0]["time"] > within:
                recent.popleft()
        if event["outcome"] in ("failure", "denied"):
            if account:
                by_account[account].append(event)
            if place:
                by_place[place].append(event)
            continue
        if event["time"] >= window.start and account:
            failures = _failures(window, reader, source, event, by_account[account], by_place[place], params)
            if failures:
                seen, successes = bursts.setdefault(account, ([], []))
                known = {other["event_id"] for other in seen}
                seen += [other for other in failures if other["event_id"] not in known]
                successes.append(event)
        by_account[account].clear()  # also before the window: that burst has ended, and was judged, yesterday
    for account, (failures, successes) in sorted(bursts.items()):
        yield _draft(reader, source, account, failures, successes)


def _failures(
    window: Window,
    reader: Reader,
    source: str,
    success: Mapping[str, Any],
    of_account: Sequence[dict[str, Any]],
    of_place: Sequence[dict[str, Any]],
    params: Parameters,
) -> list[dict[str, Any]]:
    """The failures that make a success suspicious; none when they do not."""
    place = _place(success)
    same_place = [event for event in of_account if _place(event) == place]
    found: dict[str, dict[str, Any]] = {}
    if same_place and len(of_account) >= params.failures:
        own = place in _own_places(window, reader, source, success["actor_id"], params)
        if len(of_account) >= (params.failures_at_own_place if own else params.failures):
            found |= {event["event_id"]: event for event in of_account}
    if place and len(of_place) >= params.failures_from_one_place:
        others = {event["actor_id"] for event in of_place if event["actor_id"] != success["actor_id"]}
        if others and place not in _own_places(window, reader, source, success["actor_id"], params):
            found |= {event["event_id"]: event for event in of_place}
    return list(found.values())


def _draft(
    reader: Reader,
    source: str,
    account: str,
    failures: Sequence[Mapping[str, Any]],
    successes: Sequence[Mapping[str, Any]],
) -> Draft:
    first, success = min(event["time"] for event in failures), successes[0]
    places = sorted({_place(event) for event in failures if _place(event)})
    accounts = sorted({event["actor_id"] for event in failures})
    name = reader.context.name_of(account, success["time"]) or account
    span = max(1, round((success["time"] - first).total_seconds() / 60))
    at = success["time"].astimezone(TOKYO)
    reasons = [
        Texts(
            f"{at.month}月{at.day}日 {at:%H:%M} に {account} のログインが成功する前の {span} 分間に、"
            f"{len(failures)} 回の失敗がありました。",
            f"Within {span} minute{'' if span == 1 else 's'} before {account} signed in on {at:%-d %B} at {at:%H:%M}, "
            f"{len(failures)} attempts failed.",
        ),
        Texts(
            f"失敗は {'、'.join(places[:5]) or '不明な場所'} からで、成功も同じ場所からです。",
            f"The failures came from {', '.join(places[:5]) or 'an unknown place'}, and so did the success.",
        ),
    ]
    if len(accounts) > 1:
        reasons.append(
            Texts(
                f"同じ場所から {len(accounts)} 個の利用者 ID が試されています。",
                f"{len(accounts)} different accounts were tried from there.",
            )
        )
    if reader.context.posts and not reader.context.knows(account):
        reasons.append(Texts("この利用者は職員名簿にありません。", "The staff directory does not know this account."))
    score = min(1.0, 0.6 + 0.02 * len(failures) + (0.1 if len(accounts) > 1 else 0.0))
    return Draft(
        entity=f"{source}/{account}",
        severity=Severity.CRITICAL if score >= 0.9 else Severity.HIGH,
        score=score,
        actors=(account,),
        subjects=(),
        source=source,
        title=Texts(
            f"{name}: {len(failures)} 回の失敗のあとにログイン成功",
            f"{name}: signed in after {len(failures)} failed attempts",
        ),
        reasons=tuple(reasons),
        **evidence_of([*failures, *successes]),
    )


META = DetectorMeta(
    id="sign-in-guessing",
    version="1.0.0",
    title=Texts("連続失敗後のログイン成功", "Sign-in after a burst of failures"),
    description=Texts(
        "短時間に失敗が続いたあと、同じ場所からログインに成功したものを見つけます。",
        "Finds sign-ins that succeed after a burst of failures from the same place.",
    ),
    family="windows",
    analytic_type=AnalyticType.BEHAVIORAL,
    severity=Severity.CRITICAL,
    techniques=("T1110.001", "T1110.003"),
    controls=("ログイン失敗一覧", "security S20"),
    reads=("time", "activity", "outcome", "actor_id", "terminal_id", "terminal_ip", "source"),
    look_back=timedelta(days=28),
    runbook=Texts(
        "1. 本人に、自分で入力を間違えたのか確かめます。\n2. 違えば直ちに利用者 ID を止め、成功後の操作を調べます。\n"
        "3. 同じ場所からの他の ID への試行も確かめます。",
        "1. Ask the person whether they mistyped.\n2. If not, disable the account at once and look at what was done "
        "after the success.\n3. Look for attempts on other accounts from the same place.",
    ),
    false_positives=Texts(
        "パスワード変更直後の打ち間違い、保存された古いパスワードを使う接続ソフト。",
        "Mistyping after a change of password, a program that keeps trying an old one.",
    ),
    references=("ASVS 5.0.0 6.3.1",),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
