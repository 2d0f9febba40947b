"""Look-ups in a system or an affair that is none of the unit's, which nothing accounts for.

What a unit works with is what its people were seen to use in the last weeks, whatever the rights on paper say. Somebody
who for the first time uses what no colleague uses may help out or be new: then the unit's cases account for what they
look at. How many of these look-ups nothing accounts for, beside the town's usual share of slips, is the question.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure
from audit.events import LOOKUPS
from audit.findings import Draft, Severity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import evidence_of_look_ups
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.chance import likely
from detectors.rules.kind import READS
from detectors.rules.sentences import circumstances
from detectors.windows.outside_affair.cases import CASES
from detectors.windows.shares import UNACCOUNTED, at_least_beta_binomial

__all__ = ["DETECTOR", "Parameters"]

_BEFORE = 0.01
"""So many first uses of another unit's system in one are meant for something else than work."""
_SLIPS = 0.05
_STRENGTH = 10.0
"""How far the share of slips is trusted where people do what they do not usually do."""
_TRUST = 50
"""So many visits tell as much about a unit as is known of town halls in general."""
_SEVERAL, _UNTOLD = 3, 0.2
"""Several households count for something even where a unit's work is not on record."""
_COLLEAGUES = 0.1
"""What so many of the unit use is part of its work."""

_Field = tuple[str, str]
"""A system and an affair in it; the affair is blank where events do not say."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    history_days: int = setting(
        28, "所属が使う業務を何日前までみるか", "how far back one looks for what the unit works with", most=28
    )
    enough_days: int = setting(
        3, "所属の記録がこの日数より少なければ検知しない", "with fewer days on record the unit's work is not known"
    )
    least_score: float = setting(0.1, "この確からしさに満たなければ検知しない", "what is less likely is left out")


@dataclass(frozen=True, slots=True)
class _Use:
    """Who used what, and where they work."""

    fields: Mapping[str, frozenset[_Field]]
    unit: Mapping[str, str]

    def users(self, unit: str) -> Mapping[_Field, set[str]]:
        """The people of a unit by what they use."""
        found: dict[_Field, set[str]] = defaultdict(set)
        for actor, fields in self.fields.items():
            if self.unit[actor] == unit:
                for one in fields:
                    found[one].add(actor)
        return found


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    start = window.start - timedelta(days=params.history_days)
    wanted = Filter(
        start=start,
        end=window.start,
        activities=tuple(sorted(LOOKUPS)),
        outcomes=("", "success"),
        staff_only=True,
    )
    before, today = _use(reader, wanted), _use(reader, replace(wanted, start=window.start, end=window.end))
    known = {one for fields in before.fields.values() for one in fields}
    users = {unit: before.users(unit) for unit in set(today.unit.values()) - {""}}
    foreign = {
        actor: odd
        for actor, fields in sorted(today.fields.items())
        if (odd := (fields & known) - before.fields.get(actor, frozenset()))
        and (odd := odd - _work(users.get(today.unit[actor], {}), actor, odd))
    }
    if foreign:
        yield from _judge(window, reader, params, wanted, today, foreign)


def _work(users: Mapping[_Field, set[str]], actor: str, fields: frozenset[_Field]) -> frozenset[_Field]:
    """What of some fields is the unit's work; all of it where the unit is not known."""
    people = {person for who in users.values() for person in who} - {actor}
    if not people:
        return fields
    return frozenset(one for one in fields if len(users.get(one, set()) - {actor}) > _COLLEAGUES * len(people))


def _use(reader: Reader, wanted: Filter) -> _Use:
    """What everyone used in a span: system and affair; units by the directory, else as the events say."""
    by = Dimension.ACTOR, Dimension.ORG_UNIT, Dimension.SOURCE, Dimension.AFFAIR
    rows = reader.aggregate(wanted, by, (Measure.LAST,))
    rows.sort(key=lambda row: (row["org_unit"] != "", row["last"], row["org_unit"]))
    fields: dict[str, set[_Field]] = defaultdict(set)
    unit: dict[str, str] = {}
    for row in rows:
        fields[row["actor"]].add((row["source"], row["affair"]))
        unit[row["actor"]] = reader.context.unit_of(row["actor"], row["last"], row["org_unit"])
    return _Use({actor: frozenset(used) for actor, used in fields.items()}, unit)


def _judge(
    window: Window,
    reader: Reader,
    params: Parameters,
    wanted: Filter,
    today: _Use,
    foreign: Mapping[str, frozenset[_Field]],
) -> Iterable[Draft]:
    day, after = window.day, window.day + timedelta(days=1)
    units = tuple(sorted({today.unit[actor] for actor in foreign}))
    shares = _shares(reader, day - timedelta(days=params.history_days), day, units, params)
    chosen = tuple(sorted(actor for actor in foreign if today.unit[actor] in shares))
    if not chosen:
        return
    sources = tuple(sorted({source for actor in chosen for source, _ in foreign[actor]}))
    look_ups: dict[str, list[LookUp]] = defaultdict(list)
    for one in reader.look_ups(LookUpFilter(start=day, end=after, actors=chosen, sources=sources)):
        look_ups[one.actor].append(one)
    now = replace(wanted, start=window.start, end=window.end)
    for actor in chosen:
        seen = _seen_there(reader, now, actor, today.fields[actor], foreign[actor], look_ups[actor])
        odd = [one for one in seen if one.result in UNACCOUNTED]
        if not odd:
            continue
        homes, of = len({one.household for one in odd}), len({one.household for one in seen})
        chance = at_least_beta_binomial(homes, of, shares[today.unit[actor]], _STRENGTH)
        factor, why = circumstances(reader.context, odd)
        score = max(likely(min(0.2, _BEFORE * factor), chance), _UNTOLD if homes >= _SEVERAL else 0.0)
        if score >= params.least_score:
            yield _draft(window, reader, actor, today.unit[actor], foreign[actor], odd, of, score, why)


def _shares(reader: Reader, start: date, end: date, units: tuple[str, ...], params: Parameters) -> dict[str, float]:
    """The share of visits that nothing accounts for, of the units that have been at work for long enough."""
    wanted = LookUpFilter(start=start, end=end, units=units)
    every = reader.count_look_ups(wanted, (LookUpDimension.UNIT,), (LookUpMeasure.VISITS, LookUpMeasure.DAYS))
    rows = reader.count_look_ups(replace(wanted, results=UNACCOUNTED), (LookUpDimension.UNIT,), (LookUpMeasure.VISITS,))
    odd = {row["unit"]: int(row["visits"]) for row in rows}
    return {
        row["unit"]: (odd.get(row["unit"], 0) + _TRUST * _SLIPS) / (int(row["visits"]) + _TRUST)
        for row in every
        if int(row["days"]) >= params.enough_days
    }


def _seen_there(
    reader: Reader,
    now: Filter,
    actor: str,
    fields: frozenset[_Field],
    foreign: frozenset[_Field],
    look_ups: Sequence[LookUp],
) -> list[LookUp]:
    """A person's look-ups in what is foreign to the unit; the acts are asked where a system has both."""
    mixed = {source for source, _ in foreign} & {source for source, _ in fields - foreign}
    affairs: set[tuple[str, str]] = set()
    if mixed:
        acts = reader.columns(
            replace(now, actors=(actor,), sources=tuple(sorted(mixed))), ("source", "affair", "subjects")
        )
        affairs = {
            (act["source"], subject)
            for act in acts
            if (act["source"], act["affair"]) in foreign
            for subject in act["subjects"]
        }
    own = {source for source, _ in foreign} - mixed
    return [one for one in look_ups if one.source in own or (one.source, one.subject) in affairs]


def _draft(
    window: Window,
    reader: Reader,
    actor: str,
    unit: str,
    foreign: frozenset[_Field],
    odd: Sequence[LookUp],
    of: int,
    score: float,
    why: Sequence[Texts],
) -> Draft:
    name = reader.context.name_of(actor, window.start) or actor
    homes = len({one.household for one in odd})
    sources = {one.source for one in odd}
    where = ", ".join(sorted("/".join(filter(None, one)) for one in foreign if one[0] in sources))
    reasons = (
        Texts(
            f"{name}（{actor}）は {where} で {of} 世帯を見ました。所属の {unit} も本人も、ここ数週間は使っていません。",
            f"{name} ({actor}) looked at {of} households in {where}, which neither they nor their unit ({unit}) "
            "have used for weeks.",
        ),
        Texts(
            f"うち {homes} 世帯には、所属が扱う案件も承認も処理も見当たりません。",
            f"For {homes} of them there is no case in the unit, no approval and no work that followed.",
        ),
        *why,
    )
    return Draft(
        entity=actor,
        severity=Severity.HIGH if score >= 0.75 else Severity.MEDIUM if score >= 0.4 else Severity.LOW,
        score=score,
        actors=(actor,),
        subjects=tuple(dict.fromkeys(one.subject for one in odd))[:20],
        source=odd[0].source,
        title=Texts(
            f"{name} が所属の業務でない {where} で照会（{homes} 世帯）",
            f"{name} looked residents up in {where}, none of the unit's work ({homes} households)",
        ),
        reasons=reasons[:5],
        baseline=(
            (Texts("そこで見た世帯数", "Households looked at there"), float(of)),
            (Texts("うち根拠のない世帯数", "Of these, without a case"), float(homes)),
        ),
        **evidence_of_look_ups(odd),
    )


META = DetectorMeta(
    id="outside-affair",
    version="1.1.0",
    title=Texts("担当外の業務での照会", "Look-ups outside one's affair"),
    description=Texts(
        "所属の誰も使わないシステムや業務で、根拠のない照会をした人を見つけます。",
        "Finds look-ups without a case in a system or an affair that nobody of the unit works with.",
    ),
    family="windows",
    analytic_type=AnalyticType.BEHAVIORAL,
    severity=Severity.HIGH,
    techniques=("T1213", "T1078"),
    controls=("C-054", "C-058", "C-083", "field H2"),
    reads=(*READS, "affair"),
    look_back=timedelta(days=28),
    runbook=Texts(
        "1. 応援や兼務、異動の引継ぎでないか所属長に確かめます。\n2. そのシステムの権限がまだ必要か見直します。\n"
        "3. 見られた住民と本人のつながりを調べます。",
        "1. Ask the manager whether they were helping out, hold a second post or handed work over.\n"
        "2. Review whether they still need the right.\n3. See how the residents are related to the person.",
    ),
    false_positives=Texts(
        "記録に残らない応援、新しく始まった事務、年に一度の作業。",
        "Help that nobody entered, work that has just begun, work done once a year.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
