"""A right that was given, used and taken away again within hours.

So somebody covers their tracks: in the list of rights, nothing is left. A right that is given by mistake and taken
back is not used; one that is lent for a task has been approved by somebody else. Which of the holder's acts used the
right follows from the system or affair that the right names; where it names none, any look-up or output counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.casework import LookUp
from audit.events import LOOKUPS, Activity
from audit.findings import Draft, Severity
from audit.log import Filter
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.accounted import unaccounted
from detectors.rules.privilege.grants import COLUMNS, acts_on_rights, approved_before, same_person, what_of
from detectors.rules.privilege.used_and_removed.cases import CASES
from detectors.telling import about_person, at_hour, named

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_TAKING_OUT = frozenset({_A.EXPORT, _A.DOWNLOAD, _A.MEDIA_WRITE})
_USES = tuple(sorted(LOOKUPS | _TAKING_OUT | {_A.CREATE, _A.DELETE, _A.SEARCH, _A.BIND_NUMBER}))
_LONGEST = timedelta(days=3)
_APPROVED_WITHIN = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    hours: int = setting(
        24, "付与から何時間以内の取消しを見るか（72 時間まで）", "hours from giving to taking away (72 at most)"
    )


@dataclass(frozen=True, slots=True)
class _Lent:
    """A right's short life."""

    grant: Mapping[str, Any]
    revoke: Mapping[str, Any]
    uses: tuple[dict[str, Any], ...]


def _same_right(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one["target_id"] == other["target_id"] and all(
        not one[name] or not other[name] or one[name] == other[name] for name in ("target_affair", "target_system")
    )


def _pairs(window: Window, reader: Reader, params: Parameters) -> Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Rights taken away today, with the giving of the same not long before."""
    revokes = acts_on_rights(window, reader, (_A.REVOKE,))
    if not revokes:
        return
    targets = {event["target_id"] for event in revokes}
    within = min(timedelta(hours=params.hours), _LONGEST)
    grants = [event for event in acts_on_rights(window, reader, (_A.GRANT,), within) if event["target_id"] in targets]
    for revoke in revokes:
        before = [
            grant
            for grant in grants
            if _same_right(grant, revoke) and timedelta(0) < revoke["time"] - grant["time"] <= within
        ]
        if before:
            yield max(before, key=lambda grant: grant["time"]), revoke


def _uses(reader: Reader, grant: Mapping[str, Any], revoke: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """What the holder did with a right while they held it."""
    wanted = Filter(
        start=grant["time"],
        end=revoke["time"],
        actors=(grant["target_id"],),
        activities=_USES,
        outcomes=("", "success"),
    )
    acts = list(reader.columns(wanted, (*EVIDENCE_COLUMNS, "activity", "affair")))
    names = {name for name in (grant["target_system"], grant["target_affair"]) if name}
    if not names:
        return tuple(event for event in acts if event["activity"] in LOOKUPS | _TAKING_OUT)
    return tuple(event for event in acts if names & {event["source"], event["affair"]})


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a holder and day."""
    found: dict[str, list[_Lent]] = {}
    approvals: list[dict[str, Any]] | None = None
    for grant, revoke in _pairs(window, reader, params):
        uses = _uses(reader, grant, revoke)
        if not uses:
            continue
        if approvals is None:
            approvals = acts_on_rights(window, reader, (_A.APPROVE,), _APPROVED_WITHIN)
        if not approved_before(reader.context, approvals, grant, _APPROVED_WITHIN) and not _lent_openly(
            reader, grant, uses
        ):
            found.setdefault(grant["target_id"], []).append(_Lent(grant, revoke, uses))
    for holder, lent in sorted(found.items()):
        yield _draft(window, reader, holder, lent)


def _lent_openly(reader: Reader, grant: Mapping[str, Any], uses: Sequence[Mapping[str, Any]]) -> bool:
    """Whether somebody else approved the holder's work at that time."""
    holder = grant["target_id"]
    return all(
        reader.context.window_at(holder, event["source"], event["time"]) is not None
        or bool(reader.context.approved("maintenance", holder, event["source"], event["time"]))
        for event in uses
    )


def _draft(window: Window, reader: Reader, holder: str, lent: Sequence[_Lent]) -> Draft:
    first = lent[0]
    giver, uses = first.grant["actor_id"], [event for one in lent for event in one.uses]
    own = same_person(reader.context, giver, holder)
    times = {event["time"] for event in uses}
    without: list[LookUp] = [one for one in unaccounted(window, reader, holder) if one.first in times]
    score = 0.55 + (0.2 if own else 0.0) + min(0.15, 0.03 * len(without))
    events = {
        (event["source"], event["event_id"]): event for one in lent for event in (one.grant, one.revoke, *one.uses)
    }
    name, by = named(reader.context, holder, window.start), named(reader.context, giver, window.start)
    given, taken, what = at_hour(first.grant["time"]), at_hour(first.revoke["time"]), what_of(first.grant)
    reasons = [
        Texts(
            f"{by} が {given.ja} に {name} へ権限{f'（{what}）' if what else ''}を付与し、"
            f"{taken.ja} に取り消されました。",
            f"{by} gave {name} a right{f' ({what})' if what else ''} at {given.en}; it was taken away at {taken.en}.",
        ),
        Texts(
            f"その間に、この権限を使ったとみられる操作が {len(uses)} 件あります。",
            f"{len(uses)} acts in between seem to have used it.",
        ),
        Texts("事前に他の人が承認した記録はありません。", "Nobody else had approved it before."),
    ]
    if own:
        reasons.append(Texts("付与した人と使った人は同じです。", "Who gave it and who used it are the same."))
    if without:
        reasons.append(
            Texts(
                f"閲覧した住民のうち {len(without)} 人には、対応する業務の記録がありません。",
                f"For {len(without)} of the residents looked up no case is on record.",
            )
        )
    title = Texts(f"{name}: 付与・使用・取消しが短時間", f"{name}: a right given, used and taken away")
    others = () if own else (giver,)
    return about_person(holder, list(events.values()), score, title, reasons, Severity.CRITICAL, others)


META = DetectorMeta(
    id="granted-used-removed",
    version="1.0.0",
    title=Texts("短時間の権限付与・使用・取消し", "A right given, used and taken away"),
    description=Texts(
        "付与されて間もなく取り消された権限のうち、その間に使われ、他の人の承認がないものを見つけます。",
        "Finds rights that were given, used and taken away within hours without anybody else's approval.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.CRITICAL,
    techniques=("T1098", "T1070"),
    controls=("C-077", "C-099"),
    reads=("activity", "outcome", *(column for column in COLUMNS if column not in {"activity", "log_index"})),
    look_back=_APPROVED_WITHIN,
    runbook=Texts(
        "1. 付与した人に、誰の依頼で何のために付与したかを聞きます。\n2. その間の操作と閲覧された住民を調べます。\n"
        "3. 付与と取消しの履歴をさかのぼり、繰り返されていないか確かめます。",
        "1. Ask whoever gave the right who had asked for it, and what for.\n2. See what was done, and to whom, "
        "meanwhile.\n3. Look back for the same having happened before.",
    ),
    false_positives=Texts(
        "紙の決裁による応援業務、緊急の障害対応。", "Help to another unit that was approved on paper, an urgent repair."
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
