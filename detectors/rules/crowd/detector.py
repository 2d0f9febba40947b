"""One resident whom many people look at without a case, and one person who keeps coming back to a resident.

Both ask how much of a unit's look-ups has a case at all. Where most have none, the town does not deliver the cases of
that unit, and neither a crowd nor a return says anything: such units are left out, and the figure of unmatched
look-ups by section tells the town so.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure, Relation, Result
from audit.clock import TOKYO
from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.evidence import evidence_of_look_ups
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.chance import at_least_binomial, likely
from detectors.rules.crowd.cases import CROWD, RETURNS
from detectors.rules.kind import READS, UNACCOUNTED
from detectors.rules.sentences import circumstances, listed, main_source

__all__ = ["DETECTORS"]

_D, _M = LookUpDimension, LookUpMeasure
_TRUST, _USUAL = 20, 0.05
"""Before anything is known of a unit, it counts as so many look-ups of which such a share has no case."""
_BLIND = 0.5
"""A unit more of whose look-ups have no case than this is one whose cases are not delivered."""
_MEANT = 1e-3
"""How likely it is, on any week, that a resident draws a crowd."""
_NOTICED = frozenset({"protected", "vip"})
_HOME = 8
"""More residents than this in one household are an institution."""
_SEVERAL = 3


def _without_case(reader: Reader, start: date, end: date) -> tuple[dict[str, float], int]:
    """By unit, the share of the residents looked up who were so without a case; and how many people looked."""
    actors: set[str] = set()
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    rows = reader.count_look_ups(
        LookUpFilter(start=start, end=end), (_D.UNIT, _D.ACTOR), (_M.MATCHED, _M.UNMATCHED, _M.CONTRADICTED)
    )
    for row in rows:
        actors.add(row["actor"])
        without = int(row["unmatched"]) + int(row["contradicted"])
        found[row["unit"]][0] += without
        found[row["unit"]][1] += without + int(row["matched"])
    shares = {unit: (without + _TRUST * _USUAL) / (every + _TRUST) for unit, (without, every) in found.items()}
    return shares, len(actors)


def _sighted(shares: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(sorted(unit for unit, share in shares.items() if share <= _BLIND))


# A crowd around one resident -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CrowdParameters:
    """Settings of the detector of crowds."""

    people: int = setting(4, "根拠なく見た職員がこの人数から検知する", "so many people without a case are a crowd")
    people_noticed: int = setting(3, "支援措置対象者や著名人の場合の人数", "the same for protected and public figures")
    days: int = setting(7, "何日間の照会を合わせてみるか", "over how many days they are counted", most=8)
    times_before: float = setting(
        2.0, "その前の 3 週間の何倍から検知するか", "how many times the number of the three weeks before"
    )


def _crowds(window: Window, reader: Reader, params: CrowdParameters) -> Iterable[Draft]:
    """One finding a resident and day, on days on which somebody joins."""
    start, after = window.day - timedelta(days=params.days - 1), window.day + timedelta(days=1)
    shares, _ = _without_case(reader, start, after)
    if not (units := _sighted(shares)):
        return
    rows = reader.count_look_ups(
        LookUpFilter(start=start, end=after, units=units, results=UNACCOUNTED),
        (_D.HOUSEHOLD,),
        (_M.ACTORS, _M.SUBJECTS, _M.LAST),
        at_least={_M.ACTORS: min(params.people, params.people_noticed)},
    )
    homes = {row["household"]: row for row in rows if row["last"] >= window.start and row["subjects"] <= _HOME}
    if not homes:
        return
    usual = _weeks_before(reader, start, tuple(sorted(homes)), units)
    found: dict[str, list[LookUp]] = defaultdict(list)
    wanted = LookUpFilter(start=start, end=after, households=tuple(sorted(homes)), units=units)
    for one in reader.look_ups(wanted):
        found[one.household].append(one)
    for home in sorted(found):
        if draft := _crowd(window, reader, found[home], usual.get(home, 0.0), shares, params):
            yield draft


def _weeks_before(reader: Reader, end: date, homes: tuple[str, ...], units: tuple[str, ...]) -> dict[str, float]:
    """How many people a week looked at a household without a case in the three weeks before."""
    rows = reader.count_look_ups(
        LookUpFilter(start=end - timedelta(weeks=3), end=end, households=homes, units=units, results=UNACCOUNTED),
        (_D.HOUSEHOLD, _D.ACTOR),
        (_M.DAYS,),
    )
    found: dict[str, float] = defaultdict(float)
    for row in rows:
        found[row["household"]] += min(3, int(row["days"])) / 3
    return found


def _crowd(
    window: Window,
    reader: Reader,
    look_ups: Sequence[LookUp],
    usual: float,
    shares: Mapping[str, float],
    params: CrowdParameters,
) -> Draft | None:
    odd = [one for one in look_ups if one.result != Result.MATCHED]
    actors = tuple(sorted({one.actor for one in odd}))
    joined = {one.actor for one in odd if one.day == window.day} - {one.actor for one in odd if one.day < window.day}
    noticed = any(_NOTICED.intersection(one.flags) for one in odd)
    least = params.people_noticed if noticed else params.people
    if not joined or len(actors) < max(least, params.times_before * usual):
        return None
    everyone = {one.actor for one in look_ups}
    share = sum(shares[one.unit] for one in odd) / len(odd)
    sure = likely(_MEANT, at_least_binomial(len(actors), len(everyone), share))
    score = sure * min(0.95, 0.3 + 0.1 * len(actors))
    if score < 0.1:
        return None
    seen_by: dict[str, set[str]] = defaultdict(set)
    for one in odd:
        seen_by[one.subject].add(one.actor)
    resident = min(seen_by, key=lambda key: (-len(seen_by[key]), key))
    units = tuple(sorted({one.unit for one in odd if one.unit}))
    named = listed(units, 5)
    first = min(one.first for one in odd).astimezone(TOKYO)
    people = listed((reader.context.name_of(actor, window.start) or actor for actor in actors), 10)
    return Draft(
        entity=resident,
        severity=Severity.CRITICAL
        if "protected" in odd[0].flags
        else Severity.HIGH
        if score >= 0.5
        else Severity.MEDIUM,
        score=score,
        actors=actors,
        subjects=tuple(sorted(seen_by, key=lambda key: (-len(seen_by[key]), key)))[:20],
        source=main_source(odd),
        title=Texts(
            f"住民 {resident} に根拠のない照会が集中（{len(actors)} 人）",
            f"{len(actors)} people looked up resident {resident} without a case",
        ),
        reasons=(
            Texts(
                f"{first.month}月{first.day}日からの {params.days} 日以内に {len(actors)} 人が、住民 {resident} "
                f"またはその世帯を業務上の根拠なく照会しました（{people.ja}）。",
                f"Within {params.days} days from {first:%-d %B} on, {len(actors)} people looked up resident {resident} "
                f"or the household without a case: {people.en}.",
            ),
            Texts(
                f"同じ間に照会した {len(everyone)} 人のうち、根拠のあるのは {len(everyone) - len(actors)} 人です。"
                f"ふだん根拠のない照会は {share:.0%} ほどです。",
                f"Of {len(everyone)} people who looked them up, {len(everyone) - len(actors)} had a case; "
                f"usually about {share:.0%} of look-ups have none.",
            ),
            Texts(
                f"その前の 3 週間は、根拠のない照会が週に {usual:.1f} 人でした。",
                f"In the three weeks before, {usual:.1f} people a week did so.",
            ),
            *((Texts(f"所属は {named.ja} です。", f"They belong to {named.en}."),) if units else ()),
        ),
        baseline=(
            (Texts("その前の週あたり人数", "People a week before"), round(usual, 2)),
            (Texts("この間の人数", "People in these days"), float(len(actors))),
        ),
        **evidence_of_look_ups(odd),
    )


# Coming back to one resident -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReturnParameters:
    """Settings of the detector of returns."""

    days: int = setting(3, "根拠のない照会がこの日数から検知する", "so many days without a case are a return")
    history_days: int = setting(28, "何日前までみるか", "how far back days are counted", most=28)
    least_score: float = setting(0.1, "この確からしさに満たなければ検知しない", "what is less likely is left out")


def _returns(window: Window, reader: Reader, params: ReturnParameters) -> Iterable[Draft]:
    """One finding a person and day."""
    start, after = window.day - timedelta(days=params.history_days), window.day + timedelta(days=1)
    shares, people = _without_case(reader, start, after)
    if not (units := _sighted(shares)):
        return
    rows = reader.count_look_ups(
        LookUpFilter(
            start=start,
            end=after,
            units=units,
            results=UNACCOUNTED,
            no_relations=(Relation.SELF, Relation.HOUSEHOLD),
        ),
        (_D.ACTOR, _D.HOUSEHOLD),
        (_M.DAYS, _M.SUBJECTS, _M.LAST),
        at_least={_M.DAYS: params.days},
    )
    pairs = [row for row in rows if row["subjects"] <= _HOME]
    today = [row for row in pairs if row["last"] >= window.start]
    if not today:
        return
    actors, homes = (tuple(sorted({row[name] for row in today})) for name in ("actor", "household"))
    asked = {(row["actor"], row["household"]) for row in today}
    found: dict[tuple[str, str], list[LookUp]] = defaultdict(list)
    for one in reader.look_ups(LookUpFilter(start=start, end=after, actors=actors, households=homes)):
        if (one.actor, one.household) in asked:
            found[one.actor, one.household].append(one)
    best: dict[str, Draft] = {}
    for (actor, home), look_ups in sorted(found.items()):
        days = len({one.day for one in look_ups if one.result != Result.MATCHED})
        others = sum(row["days"] >= days and (row["actor"], row["household"]) != (actor, home) for row in pairs)
        draft = _return(window, reader, look_ups, 100 * others / max(people, 100), params)
        if actor not in best or draft.score > best[actor].score:
            best[actor] = draft
    yield from (best[actor] for actor in sorted(best) if best[actor].score >= params.least_score)


def _return(
    window: Window, reader: Reader, look_ups: Sequence[LookUp], others: float, params: ReturnParameters
) -> Draft:
    """The draft of one person and household.

    Args:
        window: the day.
        reader: for names and working time.
        look_ups: all of the person's, of the household.
        others: how many other such pairs there are for each hundred people.
        params: the settings.
    """
    odd = [one for one in look_ups if one.result != Result.MATCHED]
    dates = sorted({one.day for one in odd})
    matched = len({one.day for one in look_ups if one.result == Result.MATCHED})
    strength = min(0.9, 0.15 * len(dates))
    slow = 1.0 if (dates[-1] - dates[0]).days >= 7 else 0.8
    score = strength * slow / (1 + matched) / (1 + others / 5)
    factor, why = circumstances(reader.context, [one for one in odd if one.day == window.day])
    score = min(0.95, score * (1.25 if factor > 1 else 1.0))
    actor = odd[0].actor
    name = reader.context.name_of(actor, window.start) or actor
    named = listed(one.subject for one in odd)
    days = listed((f"{day.month}/{day.day}" for day in dates), 8)
    reasons = [
        Texts(
            f"{name}（{actor}）が {len(dates)} 日（{days.ja}）にわたり、"
            f"同じ世帯を業務上の根拠なく照会しました（{named.ja}）。",
            f"{name} ({actor}) looked up the same household without a case on {len(dates)} days ({days.en}): "
            f"{named.en}.",
        ),
        Texts(
            f"この間、同じ世帯の照会で根拠のあった日は {matched} 日です。",
            f"In that time there was a case for it on {matched} days.",
        ),
        Texts(
            f"同じように繰り返す例は、ほかに職員 100 人あたり {others:.1f} 件です。",
            f"There are {others:.1f} other such returns for each hundred people.",
        ),
    ]
    return Draft(
        entity=actor,
        severity=Severity.HIGH if score >= 0.5 else Severity.MEDIUM,
        score=score,
        actors=(actor,),
        subjects=tuple(dict.fromkeys(one.subject for one in odd))[:20],
        source=main_source(odd),
        title=Texts(
            f"{name} が同じ住民を根拠なく {len(dates)} 日にわたり照会",
            f"{name} came back to the same resident without a case on {len(dates)} days",
        ),
        reasons=tuple([*reasons, *why][:5]),
        baseline=(
            (Texts("繰り返しとみなす日数", "Days that count as a return"), float(params.days)),
            (Texts("照会した日数", "Days of look-ups"), float(len(dates))),
        ),
        **evidence_of_look_ups(odd),
    )


_CROWD_META = DetectorMeta(
    id="crowd-on-one-resident",
    version="1.0.0",
    title=Texts("一人の住民への照会の集中", "A crowd around one resident"),
    description=Texts(
        "多くの職員が、業務上の根拠なく同じ住民や世帯を見たことを、一件にまとめて見つけます。",
        "Finds that many people looked at the same resident or household without a case, as one finding.",
    ),
    family="rules",
    analytic_type=AnalyticType.BEHAVIORAL,
    severity=Severity.CRITICAL,
    techniques=("T1213",),
    controls=("C-083", "C-103", "field G13"),
    reads=READS,
    look_back=timedelta(days=28),
    runbook=Texts(
        "1. その住民に報道や庁内の話題がなかったか確かめます。\n2. 最初に見た職員と、広まった経路を調べます。\n"
        "3. 見た全員に同じ日に照会し、所属長に知らせます。",
        "1. See whether the resident was in the news or talked about in the office.\n"
        "2. Find out who looked first and how word spread.\n3. Ask everyone on the same day, and tell their managers.",
    ),
    false_positives=Texts(
        "大きな事故や災害の対応で受付の入力が遅れたとき、複数の課が同時に扱う転入。",
        "An accident or disaster whose tickets came late; a move that several sections handle at once.",
    ),
    references=("field 105",),
)

_RETURN_META = DetectorMeta(
    id="repeated-resident",
    version="1.0.0",
    title=Texts("同じ住民への根拠のない照会の繰り返し", "Coming back to one resident"),
    description=Texts(
        "同じ職員が、業務上の根拠なく何日も同じ住民や世帯を見たことを見つけます。",
        "Finds somebody who looks at the same resident or household on several days without a case.",
    ),
    family="rules",
    analytic_type=AnalyticType.BEHAVIORAL,
    severity=Severity.HIGH,
    techniques=("T1213",),
    controls=("C-083", "C-084", "field G12"),
    reads=READS,
    look_back=timedelta(days=28),
    runbook=Texts(
        "1. 受付や案件の入力漏れでないか、所属に確かめます。\n2. 職員と住民の私的な関係を調べます。\n"
        "3. 住所や世帯の変化を追っていないか、見た画面を確かめます。",
        "1. Ask the unit whether a visit or case was never entered.\n2. See how the two are related in private life.\n"
        "3. See which screens were shown: does somebody follow an address or a household?",
    ),
    false_positives=Texts(
        "案件の登録漏れのまま続いた手続き、何度も電話をかけてくる人。",
        "An affair that went on without a case being entered; somebody who telephones again and again.",
    ),
)

DETECTORS = (
    Detector(_CROWD_META, CrowdParameters(), _crowds, CROWD),
    Detector(_RETURN_META, ReturnParameters(), _returns, RETURNS),
)
