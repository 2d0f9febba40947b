"""Somebody resets another's password and signs in with it from their own terminal.

A help desk resets passwords all day; the owners then sign in where they sit. Here the account is used from the place
from which it was reset, which is not a place of its owner and not one that many share. Trying out that it works is one
thing; reading records with it is another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.events import LOOKUPS, Activity
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.privilege.grants import COLUMNS, acts_on_rights, same_person
from detectors.rules.privilege.reset_then_used.cases import CASES
from detectors.telling import about_person, at_hour, named, place_of

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_HISTORY = timedelta(days=28)
_RESETS = (_A.CREDENTIAL_ISSUE, _A.CREDENTIAL_RESET)
_USES = tuple(sorted(LOOKUPS | {_A.LOGIN, _A.UNLOCK, _A.SEARCH, _A.EXPORT, _A.DOWNLOAD, _A.CREATE, _A.DELETE}))


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    hours: int = setting(24, "再設定から何時間以内の使用を見るか（24 時間まで）", "hours after a reset (24 at most)")
    sharing: int = setting(
        4, "その日に何人が使えば共用の場所とみなすか", "so many accounts that day make a place a shared one"
    )


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding an account and day."""
    within = min(timedelta(hours=params.hours), timedelta(days=1))
    found: dict[str, tuple[Mapping[str, Any], list[dict[str, Any]]]] = {}
    for reset in acts_on_rights(window, reader, _RESETS, within):
        owner, by, place = reset["target_id"], reset["actor_id"], place_of(reset)
        if not place or same_person(reader.context, owner, by) or owner in found:
            continue
        uses = _uses(window, reader, reset, place, within)
        if uses and not _usual(window, reader, owner, place) and not _shared(window, reader, place, params):
            found[owner] = reset, uses
    for owner, (last, acts) in sorted(found.items()):
        yield _draft(reader, owner, last, acts)


def _uses(
    window: Window, reader: Reader, reset: Mapping[str, Any], place: str, within: timedelta
) -> list[dict[str, Any]]:
    """What the account did today from where it was reset."""
    wanted = Filter(
        start=max(window.start, reset["time"]),
        end=min(window.end, reset["time"] + within),
        actors=(reset["target_id"],),
        activities=_USES,
        outcomes=("", "success"),
    )
    columns = (*EVIDENCE_COLUMNS, "activity", "terminal_id", "terminal_ip")
    return [event for event in reader.columns(wanted, columns) if place in (event["terminal_id"], event["terminal_ip"])]


def _at(start: Any, end: Any, **more: Any) -> Filter:  # noqa: ANN401 - any field
    return Filter(start=start, end=end, outcomes=("", "success"), staff_only=True, **more)


def _usual(window: Window, reader: Reader, owner: str, place: str) -> bool:
    """Whether the owner has acted there before."""
    rows = reader.aggregate(
        _at(window.start - _HISTORY, window.start - timedelta(days=1), actors=(owner,)),
        (Dimension.TERMINAL, Dimension.ADDRESS),
        (Measure.EVENTS,),
    )
    return any(place in (row["terminal"], row["address"]) for row in rows)


def _shared(window: Window, reader: Reader, place: str, params: Parameters) -> bool:
    """Whether a terminal is for everybody, or many used a place that day."""
    if any(one.terminal_id == place and one.kind in ("counter", "shared") for one in reader.context.terminals):
        return True
    rows = reader.aggregate(
        _at(window.start, window.end),
        (Dimension.TERMINAL, Dimension.ADDRESS),
        (Measure.ACTORS,),
        {Measure.ACTORS: params.sharing},
    )
    return any(place in (row["terminal"], row["address"]) for row in rows if row["terminal"] in ("", place))


def _draft(reader: Reader, owner: str, reset: Mapping[str, Any], uses: Sequence[dict[str, Any]]) -> Draft:
    looks = [event for event in uses if event["activity"] in LOOKUPS]
    people = len({subject for event in looks for subject in event["subjects"]})
    name, by = named(reader.context, owner, reset["time"]), named(reader.context, reset["actor_id"], reset["time"])
    done, used, place = at_hour(reset["time"]), at_hour(uses[0]["time"]), place_of(reset)
    reasons = [
        Texts(
            f"{by} が {done.ja} に端末 {place} から {name} の認証情報を再設定しました。",
            f"{by} reset the credentials of {name} at {done.en}, from {place}.",
        ),
        Texts(
            f"その後 {used.ja} から、同じ端末 {place} でその利用者 ID が使われました（操作 {len(uses)} 件）。"
            "持ち主が以前に使った端末ではありません。",
            f"From {used.en} on the account was used at the same {place} ({len(uses)} acts), where its owner had not "
            "been before.",
        ),
    ]
    if looks:
        reasons.append(
            Texts(
                f"閲覧などが {len(looks)} 件、対象の住民は {people} 人です。",
                f"{len(looks)} of the acts are look-ups, of {people} residents.",
            )
        )
    title = Texts(f"{name}: 再設定した人による利用者 ID の使用", f"{name}: used from where it was reset")
    score = 0.45 + (0.3 if looks else 0.1 if len(uses) > 1 else 0.0) + min(0.1, 0.02 * people)
    return about_person(owner, [reset, *uses], score, title, reasons, Severity.CRITICAL, others=(reset["actor_id"],))


META = DetectorMeta(
    id="credential-reset-then-use",
    version="1.0.0",
    title=Texts("認証情報を再設定した人による使用", "Credentials reset, then used from the same place"),
    description=Texts(
        "他人の認証情報を再設定した端末から、その利用者 ID が使われたものを見つけます。",
        "Finds accounts used from the terminal from which somebody else had just reset their credentials.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.CRITICAL,
    techniques=("T1098", "T1078"),
    controls=("C-045", "C-099"),
    reads=("activity", "outcome", *(column for column in COLUMNS if column not in {"activity", "log_index"})),
    look_back=_HISTORY,
    runbook=Texts(
        "1. 持ち主に、再設定を頼んだか、その端末で操作したかを聞きます。\n2. 頼んでいなければ、利用者 ID を止めます。\n"
        "3. 再設定した人の他の再設定も調べます。",
        "1. Ask the owner whether they had asked for the reset, and whether they acted at that terminal.\n2. If not, "
        "stop the account.\n3. Look at what else was reset by the same person.",
    ),
    false_positives=Texts(
        "持ち主が担当者の席で新しいパスワードを試した場合。",
        "The owner tried the new password at the help desk's seat.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
