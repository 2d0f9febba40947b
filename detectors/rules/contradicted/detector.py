"""Look-ups that cite a case which is on record and does not account for them.

Another household's case, another unit's, one long closed: a number mistyped once in a while, or a reason made up for a
look that has none. How often a unit mistypes is what a day is measured by. Residents who are related to whoever looks,
or marked by the town, are not mistyped more often than others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure, Result
from audit.findings import Draft, Severity
from audit.log import Filter
from audit.texts import Texts
from detectors.evidence import evidence_of_look_ups
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.chance import at_least_poisson, likely
from detectors.rules.contradicted.cases import CASES
from detectors.rules.kind import READS
from detectors.rules.sentences import circumstances, main_source

__all__ = ["DETECTOR", "Parameters"]

_D, _M = LookUpDimension, LookUpMeasure
_BEFORE = 2e-3
"""On so many working days of a person in one is a case cited as a pretext."""
_MISTYPED = 2e-3
"""So many of all citations in one are mistyped in a way that hits another case, before the unit itself is asked."""
_TRUST = 500
"""So many visits of a unit tell as much about its mistyping."""
_SENSITIVE = frozenset({"protected", "vip"})
_DELICATE = 5
"""So much more is a resident sought after who is marked or related than one who is not."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    history_days: int = setting(
        28, "所属の打ち間違いを何日前までみるか", "how far back the unit's mistyping is counted", most=28
    )
    least_score: float = setting(0.1, "この確からしさに満たなければ検知しない", "what is less likely is left out")


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    day, after = window.day, window.day + timedelta(days=1)
    rows = reader.count_look_ups(LookUpFilter(start=day, end=after), (_D.ACTOR, _D.UNIT), (_M.VISITS, _M.CONTRADICTED))
    visits: dict[str, int] = {}
    for row in rows:
        visits[row["actor"]] = visits.get(row["actor"], 0) + int(row["visits"])
    actors = tuple(sorted({row["actor"] for row in rows if int(row["contradicted"])}))
    if not actors:
        return
    wanted = LookUpFilter(start=day, end=after, actors=actors, results=(Result.CONTRADICTED,))
    found: dict[str, list[LookUp]] = {}
    for one in reader.look_ups(wanted):
        found.setdefault(one.actor, []).append(one)
    units = tuple(sorted({one.unit for look_ups in found.values() for one in look_ups}))
    mistyped = _mistyped(window, reader, units, params)
    for actor, look_ups in sorted(found.items()):
        expected = visits[actor] * mistyped[look_ups[0].unit]
        chance = at_least_poisson(len({one.household for one in look_ups}), expected)
        factor, why = circumstances(reader.context, look_ups)
        delicate = [one for one in look_ups if one.relations or _SENSITIVE.intersection(one.flags)]
        score = likely(min(0.3, _BEFORE * factor * (_DELICATE if delicate else 1)), chance)
        if score >= params.least_score:
            yield _draft(window, reader, actor, look_ups, delicate, expected, score, why)


def _mistyped(window: Window, reader: Reader, units: tuple[str, ...], params: Parameters) -> Mapping[str, float]:
    """The share of a unit's visits that cite a case which does not fit, on the days before."""
    start = window.day - timedelta(days=params.history_days)

    def of(results: tuple[str, ...]) -> Mapping[str, int]:
        wanted = LookUpFilter(start=start, end=window.day, units=units, results=results)
        return {row["unit"]: int(row["visits"]) for row in reader.count_look_ups(wanted, (_D.UNIT,), (_M.VISITS,))}

    every, odd = of(()), of((Result.CONTRADICTED,))
    return {unit: (odd.get(unit, 0) + _TRUST * _MISTYPED) / (every.get(unit, 0) + _TRUST) for unit in units}


def _cited(reader: Reader, window: Window, look_ups: Sequence[LookUp]) -> list[str]:
    """The cases that the acts name, as far as the first act on each resident does."""
    wanted = Filter(
        start=window.start,
        end=window.end,
        actors=(look_ups[0].actor,),
        event_ids=tuple(dict.fromkeys(one.event_id for one in look_ups)),
    )
    return sorted({row["case_id"] for row in reader.columns(wanted, ("case_id",)) if row["case_id"]})


def _draft(
    window: Window,
    reader: Reader,
    actor: str,
    look_ups: Sequence[LookUp],
    delicate: Sequence[LookUp],
    expected: float,
    score: float,
    why: Sequence[Texts],
) -> Draft:
    name = reader.context.name_of(actor, window.start) or actor
    homes = len({one.household for one in look_ups})
    subjects = tuple(dict.fromkeys(one.subject for one in look_ups))
    cited = _cited(reader, window, look_ups)
    which = ", ".join(cited[:_NAMED]) or "-"
    reasons = [
        Texts(
            f"{name}（{actor}）が示した案件は、見られた {homes} 世帯のものでないか、別の所属が扱うか、終了済みです。",
            f"The case that {name} ({actor}) cites is not that of the {homes} households looked at, belongs to another "
            "unit, or was closed before.",
        ),
        Texts(
            f"示された案件は {which}（{len(cited)} 件）、見られた住民は {', '.join(subjects[:_NAMED])} などです。",
            f"Cited: {which} ({len(cited)} cases); residents: {', '.join(subjects[:_NAMED])}.",
        ),
        Texts(
            f"所属の打ち間違いからは、この日 {expected:.2f} 世帯ほどの見込みです。",
            f"Going by the unit's mistyping, {expected:.2f} households were to be expected that day.",
        ),
    ]
    if delicate:
        reasons.append(
            Texts(
                f"うち {len(delicate)} 人は、本人とつながりがあるか、取扱いに注意を要する住民です。",
                f"{len(delicate)} of them are related to the person, or marked by the town.",
            )
        )
    return Draft(
        entity=actor,
        severity=Severity.HIGH if score >= 0.75 else Severity.MEDIUM if score >= 0.4 else Severity.LOW,
        score=score,
        actors=(actor,),
        subjects=subjects[:20],
        source=main_source(look_ups),
        title=Texts(
            f"{name} が合わない案件を示して照会（{homes} 世帯）",
            f"{name} cites cases that do not fit ({homes} households)",
        ),
        reasons=(*reasons, *why)[:5],
        baseline=(
            (Texts("見込まれる世帯数", "Households expected"), round(expected, 2)),
            (Texts("案件が合わない世帯数", "Households with a case that does not fit"), float(homes)),
        ),
        **evidence_of_look_ups(look_ups),
    )


META = DetectorMeta(
    id="contradicted-case",
    version="1.0.0",
    title=Texts("合わない案件を示した照会", "Citing a case that does not fit"),
    description=Texts(
        "示された案件が別の世帯や所属のもの、または終わったものである照会を、所属の打ち間違いの割合に照らして見つけます。",
        "Finds look-ups that cite another household's or unit's case, or a closed one, beside the unit's mistyping.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.HIGH,
    techniques=("T1213", "T1078"),
    controls=("C-083", "field H3"),
    reads=READS,
    look_back=timedelta(days=28),
    runbook=Texts(
        "1. 示された案件と見られた住民を並べ、番号が似ているだけか確かめます。\n"
        "2. 同じ案件番号が何人にも使われていないか見ます。\n3. 似ていなければ、何のために見たか本人に尋ねます。",
        "1. Compare the case cited with the resident: are the numbers merely alike?\n"
        "2. See whether one case number was used for several residents.\n3. If not alike, ask what the look was for.",
    ),
    false_positives=Texts(
        "案件番号の打ち間違い、前の案件を開いたままの照会、世帯分離の未反映。",
        "A mistyped number, the former case left open on the screen, a household that has split since.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
