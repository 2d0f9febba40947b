"""Searches by name, address or date of birth that find somebody, after which nobody's record is opened.

A list of hits shows names, ages and addresses; whoever only wants these need not open a record. In ordinary work a
search is followed by the record it was for, now and then by another search that narrows it down. How often that
happens differs from unit to unit and from system to system, so the usual share is the measure.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from audit.casework import LookUpDimension, LookUpFilter, LookUpMeasure, Result
from audit.clock import TOKYO
from audit.events import LOOKUPS, Activity
from audit.findings import Draft, Severity
from audit.log import BY_NUMBER, Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS, evidence_of, main_source, subjects_of
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.chance import likely
from detectors.windows.browsing.cases import CASES
from detectors.windows.shares import at_least_beta_binomial

__all__ = ["DETECTOR", "Parameters"]

_BEFORE = 2e-3
"""On so many working days of a person in one are names searched out of curiosity."""
_HONEST, _TRUST = 0.1, 30
"""So many searches in one narrow down another or find the wrong person; so many of a unit tell as much."""
_ENOUGH = 20
"""With fewer searches of the colleagues and their own, somebody is measured by the town."""
_UNIT, _OWN = 20.0, 60
"""The unit's share is worth so many searches of one's own, of which so many count at most."""
_SOON = timedelta(minutes=10)
_CLOSE = timedelta(minutes=3)
"""So soon after another a search is the same one, told otherwise."""
_TRIES = 8
"""Whoever needs more searches for one record is looking for something else."""
_COLUMNS = (*EVIDENCE_COLUMNS, "activity", "query_by", "query_hits")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    history_days: int = setting(
        14, "ふだんの割合を何日前までみるか", "how far back the usual share is taken from", most=14
    )
    minimum: int = setting(
        5, "照会に続かない検索がこの回数より少なければ検知しない", "fewer searches that lead to nothing are never found"
    )
    least_score: float = setting(0.12, "この確からしさに満たなければ検知しない", "what is less likely is left out")


@dataclass(frozen=True, slots=True)
class _Searches:
    """How many searches there were, and how many led to nobody's record."""

    all: int = 0
    fruitless: int = 0

    def __add__(self, other: "_Searches") -> "_Searches":
        return _Searches(self.all + other.all, self.fruitless + other.fruitless)


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    wanted = Filter(
        start=window.start,
        end=window.end,
        activities=(Activity.SEARCH, *sorted(LOOKUPS)),
        outcomes=("", "success"),
        staff_only=True,
    )
    today = _searches(reader, wanted)
    many = [actor for actor, found in sorted(today.items()) if found.fruitless >= params.minimum]
    if not many:
        return
    before = replace(wanted, start=window.start - timedelta(days=params.history_days), end=window.start)
    past = _searches(reader, before)
    unit = _units(reader, replace(before, end=window.end))
    shares: dict[str, tuple[float, float]] = {}
    for actor in many:
        peers = [other for other in sorted({*past, *today}) if other != actor and unit[other] == unit[actor]]
        colleagues = sum(((past.get(p) or _NONE) + (today.get(p) or _NONE) for p in peers), _NONE)
        own = past.get(actor, _NONE)
        everyone = sum((found for other, found in [*past.items(), *today.items()] if other != actor), _NONE)
        share = _share(colleagues, own, everyone)
        if share is None:
            continue
        chance = at_least_beta_binomial(today[actor].fruitless, today[actor].all, *share)
        if likely(_BEFORE, chance) >= params.least_score:
            shares[actor] = share
    if not shares:
        return
    acts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for act in reader.columns(replace(wanted, actors=tuple(shares)), (*_COLUMNS, "actor_id")):
        acts[act["actor_id"]].append(act)
    accounted = _accounted(reader, window, shares)
    for actor, share in shares.items():
        searches = _fruitless(acts[actor], accounted[actor])
        found = replace(today[actor], fruitless=len(searches))
        score = likely(_BEFORE, at_least_beta_binomial(found.fruitless, found.all, *share))
        if found.fruitless >= params.minimum and score >= params.least_score:
            yield _draft(reader, window, actor, found, share[0], searches, score)


_NONE = _Searches()


def _searches(reader: Reader, wanted: Filter) -> dict[str, _Searches]:
    rows = reader.aggregate(wanted, (Dimension.ACTOR,), (Measure.SEARCHES, Measure.FRUITLESS))
    return {row["actor"]: _Searches(int(row["searches"]), int(row["fruitless"])) for row in rows}


def _units(reader: Reader, wanted: Filter) -> Mapping[str, str]:
    """Everyone's unit: that of the post held, else the one that their latest events name."""
    rows = reader.aggregate(wanted, (Dimension.ACTOR, Dimension.ORG_UNIT), (Measure.LAST,))
    rows.sort(key=lambda row: (row["org_unit"] != "", row["last"], row["org_unit"]))
    found: dict[str, str] = defaultdict(str)
    for row in rows:
        found[row["actor"]] = reader.context.unit_of(row["actor"], row["last"], row["org_unit"])
    return found


def _share(colleagues: _Searches, own: _Searches, everyone: _Searches) -> tuple[float, float] | None:
    """The share of searches that usually lead to nothing and how far it can be trusted, as a number of searches."""
    basis = colleagues
    if colleagues.all + own.all < _ENOUGH:
        if everyone.all < _ENOUGH:
            return None
        basis = everyone
    unit = (basis.fruitless + _TRUST * _HONEST) / (basis.all + _TRUST)
    weight = min(1.0, _OWN / own.all) if own.all else 0.0
    strength = _UNIT + weight * own.all
    return (_UNIT * unit + weight * own.fruitless) / strength, strength


def _accounted(reader: Reader, window: Window, actors: Iterable[str]) -> Mapping[str, set[tuple[str, str]]]:
    """The residents whom each looked at that day for a reason that is on record, with the system."""
    day = window.day
    wanted = LookUpFilter(start=day, end=day + timedelta(days=1), actors=tuple(actors), results=(Result.MATCHED,))
    by = (LookUpDimension.ACTOR, LookUpDimension.SOURCE, LookUpDimension.SUBJECT)
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in reader.count_look_ups(wanted, by, (LookUpMeasure.DAYS,)):
        found[row["actor"]].add((row["source"], row["subject"]))
    return found


def _fruitless(acts: Iterable[Mapping[str, Any]], accounted: Collection[tuple[str, str]]) -> list[Mapping[str, Any]]:
    """The searches after which the next act is another search, or a look-up much later.

    A few searches that follow each other closely and end with the record of somebody who is accounted for were one
    search, for a name that many bear or that was heard badly.
    """
    ordered = sorted(
        (act for act in acts if act["activity"] != Activity.SEARCH or _finds_by_words(act)),
        key=lambda act: (act["time"], act["activity"] != Activity.SEARCH, act["event_id"]),
    )
    found: list[Mapping[str, Any]] = []
    following: Mapping[str, Any] | None = None
    ends_well, tries = False, 0
    for act in reversed(ordered):
        tries += 1
        if act["activity"] != Activity.SEARCH:
            ends_well, tries = any((act["source"], subject) in accounted for subject in act["subjects"]), 0
        elif following is None or following["time"] - act["time"] > _SOON:
            ends_well = False
            found.append(act)
        elif following["activity"] == Activity.SEARCH:
            ends_well = ends_well and tries <= _TRIES and following["time"] - act["time"] <= _CLOSE
            if not ends_well:
                found.append(act)
        following = act
    return found[::-1]


def _finds_by_words(act: Mapping[str, Any]) -> bool:
    return act["query_by"].lower() not in BY_NUMBER and act["query_hits"] != 0


def _draft(
    reader: Reader,
    window: Window,
    actor: str,
    today: _Searches,
    share: float,
    searches: Sequence[Mapping[str, Any]],
    score: float,
) -> Draft:
    name = reader.context.name_of(actor, window.start) or actor
    by = Counter(act["query_by"] or "-" for act in searches)
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(by.items(), key=lambda one: (-one[1], one[0]))[:3])
    first, last = (act["time"].astimezone(TOKYO) for act in (searches[0], searches[-1]))
    return Draft(
        entity=actor,
        severity=Severity.MEDIUM if score >= 0.5 else Severity.LOW,
        score=score,
        actors=(actor,),
        subjects=subjects_of(searches),
        source=main_source(searches),
        title=Texts(
            f"{name} の検索の多くが照会に続かない（{today.fruitless} 回）",
            f"{name} searched by name and opened no record ({today.fruitless} times)",
        ),
        reasons=(
            Texts(
                f"{name}（{actor}）が名前などで検索して該当者のあった {today.all} 回のうち、"
                f"{today.fruitless} 回は誰の記録も開いていません。",
                f"Of {today.all} searches by name and the like with hits, {name} ({actor}) opened nobody's record "
                f"after {today.fruitless}.",
            ),
            Texts(
                f"所属と本人のふだん（{share:.0%}）なら {today.all * share:.1f} 回ほどです。",
                f"By what is usual for the unit and for them ({share:.0%}), {today.all * share:.1f} were expected.",
            ),
            Texts(
                f"{first:%H:%M} から {last:%H:%M} まで、検索に使った項目は {kinds} です。",
                f"Between {first:%H:%M} and {last:%H:%M}; searched by: {kinds}.",
            ),
        ),
        baseline=(
            (Texts("見込まれる回数", "Searches expected"), round(today.all * share, 1)),
            (Texts("照会に続かない検索", "Searches that led to nothing"), float(today.fruitless)),
        ),
        **evidence_of(searches),
    )


META = DetectorMeta(
    id="name-browsing",
    version="1.1.0",
    title=Texts("照会に続かない名前の検索", "Searches by name that lead to nothing"),
    description=Texts(
        "名前や住所、生年月日で検索し、該当者がいるのに誰の記録も開かないことが、ふだんより多い日を見つけます。",
        "Finds days on which searches by name, address or birth date have hits but lead to nobody's record.",
    ),
    family="windows",
    analytic_type=AnalyticType.STATISTICAL,
    severity=Severity.MEDIUM,
    techniques=("T1213", "T1087"),
    controls=("C-083", "C-115", "field G10"),
    reads=("time", "activity", "outcome", "actor_id", "actor_org_unit", "source", "query_by", "query_hits", "subjects"),
    look_back=timedelta(days=14),
    runbook=Texts(
        "1. 検索語が残るシステムなら、誰を探したか確かめます。\n2. 一覧画面の印刷や複写がないか見ます。\n"
        "3. 窓口や電話の応対だったか本人に尋ねます。",
        "1. Where the system keeps what was typed, see who was searched for.\n"
        "2. Look for prints or copies of the list of hits.\n3. Ask whether it was for a visitor or a caller.",
    ),
    false_positives=Texts(
        "読みの分からない名前を何度も探した、該当者の有無だけを答える事務、照会を記録しないシステム。",
        "A name whose reading was unclear, work that only asks whether somebody is registered, a system that records "
        "no views.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
