"""Residents gone through by number: one household after the other, each a little further up or down the register.

Honest work comes in the order in which people do. Only lists are worked through by number, and these leave cases, an
approval or a change behind, so only what nothing accounts for is looked at. Where colleagues work through numbers the
same way on the same day, or the person always does, it is how the unit works.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure
from audit.clock import TOKYO
from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.evidence import evidence_of_look_ups
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.kind import READS
from detectors.rules.sentences import circumstances, main_source
from detectors.windows.scan.cases import CASES
from detectors.windows.shares import UNACCOUNTED

__all__ = ["DETECTOR", "Parameters"]

_D, _M = LookUpDimension, LookUpMeasure
_LIKE_PEERS = 0.5
"""Who takes no more than twice as many steps as colleagues usually do works as they do."""
_USUAL_DAYS = 3
_FEWEST_PEERS = 2


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    history_days: int = setting(
        28, "本人の習慣を何日前までみるか", "how far back the person's habit is looked for", most=28
    )
    minimum: int = setting(
        4, "番号が続く照会がこの回数より少なければ検知しない", "fewer steps from number to number are never a finding"
    )
    share: float = setting(
        0.4, "根拠のない照会のうち番号が続くものの割合", "the least share of such steps among look-ups without a case"
    )


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    day, after = window.day, window.day + timedelta(days=1)
    wanted = LookUpFilter(start=day, end=after, results=UNACCOUNTED)
    rows = reader.count_look_ups(wanted, (_D.ACTOR,), (_M.STEPS, _M.VISITS), {_M.STEPS: params.minimum})
    steps = {row["actor"]: int(row["steps"]) for row in rows if int(row["steps"]) >= params.share * int(row["visits"])}
    if not steps:
        return
    peers = _peers(reader, wanted, steps)
    habit = _habit(window, reader, tuple(sorted(steps)), params)
    for actor in sorted(steps):
        others = median(peers[actor]) if len(peers[actor]) >= _FEWEST_PEERS else 0
        if others > _LIKE_PEERS * steps[actor] or habit.get(actor, 0) >= _USUAL_DAYS:
            continue
        found = reader.look_ups(LookUpFilter(start=day, end=after, actors=(actor,), results=UNACCOUNTED))
        yield _draft(reader, window, actor, steps[actor], others, list(found))


def _peers(reader: Reader, wanted: LookUpFilter, steps: dict[str, int]) -> dict[str, list[int]]:
    """How many such steps the colleagues took the same day, each of those who looked anybody up."""
    by = _D.ACTOR, _D.UNIT
    whole = LookUpFilter(start=wanted.start, end=wanted.end)
    unit = {row["actor"]: row["unit"] for row in reader.count_look_ups(whole, by, (_M.LAST,))}
    units = tuple(sorted({unit[actor] for actor in steps}))
    rows = reader.count_look_ups(
        LookUpFilter(start=wanted.start, end=wanted.end, results=UNACCOUNTED, units=units), (_D.ACTOR,), (_M.STEPS,)
    )
    taken = {row["actor"]: int(row["steps"]) for row in rows}
    return {
        actor: [taken.get(other, 0) for other, place in sorted(unit.items()) if place == unit[actor] and other != actor]
        for actor in steps
    }


def _habit(window: Window, reader: Reader, actors: tuple[str, ...], params: Parameters) -> dict[str, int]:
    """On how many days before these people did the same."""
    start = window.day - timedelta(days=params.history_days)
    wanted = LookUpFilter(start=start, end=window.day, actors=actors, results=UNACCOUNTED)
    days: dict[str, int] = {}
    for row in reader.count_look_ups(wanted, (_D.ACTOR, _D.DAY), (_M.STEPS,), {_M.STEPS: params.minimum}):
        days[row["actor"]] = days.get(row["actor"], 0) + 1
    return days


def _draft(reader: Reader, window: Window, actor: str, steps: int, others: float, look_ups: Sequence[LookUp]) -> Draft:
    name = reader.context.name_of(actor, window.start) or actor
    factor, why = circumstances(reader.context, look_ups)
    score = min(0.95, 0.35 + 0.05 * steps + 0.05 * (factor - 1))
    first, last = (at.astimezone(TOKYO) for at in (look_ups[0].first, look_ups[-1].first))
    reasons = (
        Texts(
            f"{name}（{actor}）は番号の近い別世帯の住民へ、短い間に {steps} 回続けて移っています。",
            f"{name} ({actor}) went {steps} times within minutes from one resident to another household's whose number "
            "is next to it.",
        ),
        Texts(
            f"{first:%H:%M} から {last:%H:%M} までの根拠のない照会 {len(look_ups)} 人分で、"
            f"たとえば {look_ups[0].subject} から {look_ups[-1].subject} までです。",
            f"Between {first:%H:%M} and {last:%H:%M}, {len(look_ups)} residents without a case, from "
            f"{look_ups[0].subject} to {look_ups[-1].subject}.",
        ),
        Texts(
            f"同じ所属の職員のこの日の中央値は {others:.0f} 回です。一覧作業の承認もありません。",
            f"The median of the colleagues that day is {others:.0f}, and no work on a list was approved.",
        ),
        *why,
    )
    return Draft(
        entity=actor,
        severity=Severity.HIGH if score >= 0.6 else Severity.MEDIUM,
        score=score,
        actors=(actor,),
        subjects=tuple(dict.fromkeys(one.subject for one in look_ups))[:20],
        source=main_source(look_ups),
        title=Texts(
            f"{name} が番号の順に照会（{steps} 回続けて）",
            f"{name} went through residents by number ({steps} steps)",
        ),
        reasons=reasons[:5],
        baseline=(
            (Texts("同じ所属（この日の中央値）", "Colleagues that day (median)"), float(others)),
            (Texts("番号が続いた回数", "Steps from number to number"), float(steps)),
        ),
        **evidence_of_look_ups(look_ups),
    )


META = DetectorMeta(
    id="sequential-scan",
    version="1.0.0",
    title=Texts("番号順の照会", "Residents gone through by number"),
    description=Texts(
        "宛名番号などの順に、根拠のないまま次々と別の世帯を見ていくことを見つけます。",
        "Finds people who look at one household after the other in the order of their numbers, without a case.",
    ),
    family="windows",
    analytic_type=AnalyticType.BEHAVIORAL,
    severity=Severity.HIGH,
    techniques=("T1213", "T1119"),
    controls=("C-083", "C-094"),
    reads=READS,
    look_back=timedelta(days=28),
    runbook=Texts(
        "1. 一覧の確認や番号の点検が指示されていないか確かめます。\n2. 自動操作でないか、間隔を見ます。\n"
        "3. 画面の複写や出力がないか確かめ、本人に照会します。",
        "1. Check whether a list or a check of numbers was ordered.\n2. Look at the intervals: was it automated?\n"
        "3. Check for copies and exports, then ask the person.",
    ),
    false_positives=Texts(
        "口頭で指示された点検、連番で登録された転入世帯の処理。",
        "A check ordered by word of mouth, families that moved in and were given consecutive numbers.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
