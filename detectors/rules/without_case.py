"""Look-ups that nothing accounts for, of residents who are something particular to whoever looks, or to the town.

One look-up without a case may be a slip, a mistyped number, a question by telephone. How much it says depends on how
likely a slip would have hit somebody like that: on how many residents there are who are like that, and on how many
look-ups without a case this person has anyway. Hence one neighbour of three says much, one of two hundred who live in
the same building nothing, and where the town delivers no cases at all, hardly anything does. Several such residents,
or the same one on several days, are less and less likely to be chance.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from audit.casework import Because, LookUp, LookUpDimension, LookUpFilter, LookUpMeasure, Result
from audit.context import WorkContext
from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.evidence import evidence_of_look_ups
from detectors.model import AnalyticType, Case, Detector, DetectorMeta, Reader, Window
from detectors.rules.chance import at_least_poisson, likely
from detectors.rules.kind import READS, UNACCOUNTED, Group, Kind, Parameters
from detectors.rules.sentences import circumstances, listed, main_source, rarity, what, why_not

__all__ = ["detector_of"]

_D, _M = LookUpDimension, LookUpMeasure
_AGAIN = 0.2
"""How likely somebody is to come back to a household on another day, once chance has led them there."""
_WEAK = 0.2
"""What is left when something accounts for it, but not well."""
_BY_CASE = (Because.ASSIGNED, Because.CASE, Because.CITED)
_BY_DEED = (Because.CHANGE, Because.COLLEAGUE, Because.PRINT)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The look-ups of one person that chance explains least."""

    chance: float
    expected: float
    size: float
    homes: int
    look_ups: tuple[LookUp, ...]


def detector_of(
    name: str,
    kind: Kind,
    title: Texts,
    description: Texts,
    runbook: Texts,
    false_positives: Texts,
    controls: tuple[str, ...],
    cases: tuple[Case, ...],
    references: tuple[str, ...] = (),
) -> Detector:
    """The detector of one kind of residents."""
    meta = DetectorMeta(
        id=name,
        version="1.0.0",
        title=title,
        description=description,
        family="rules",
        analytic_type=AnalyticType.RULE,
        severity=kind.severity,
        techniques=("T1213", "T1078"),
        controls=controls,
        reads=READS,
        look_back=timedelta(days=Parameters().history_days),
        runbook=runbook,
        false_positives=false_positives,
        references=references,
    )
    return Detector(meta, Parameters(), _detect(kind), cases)


def _detect(kind: Kind) -> Callable[[Window, Reader, Parameters], Iterable[Draft]]:
    """One finding a person and day."""

    def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
        day, after = window.day, window.day + timedelta(days=1)
        homes = {
            row["actor"]: int(row["households"])
            for row in reader.count_look_ups(
                LookUpFilter(start=day, end=after, results=UNACCOUNTED), (_D.ACTOR,), (_M.HOUSEHOLDS,)
            )
        }
        wanted = LookUpFilter(
            start=day,
            end=after,
            results=() if kind.own_affair else UNACCOUNTED,
            relations=kind.relations,
            flags=kind.flags,
        )
        found = _by_actor(reader.look_ups(wanted))
        odd = {
            actor: kept
            for actor, look_ups in found.items()
            if (kept := [one for one in look_ups if one.result != Result.MATCHED])
        }
        group = kind.groups(window, reader, [one for look_ups in odd.values() for one in look_ups], params)
        residents = max(reader.context.residents, params.fewest_residents)
        past = _past(window, reader, kind, params, odd, group, residents)
        for actor, look_ups in sorted(odd.items()):
            today = _weigh(look_ups, homes.get(actor, 1), group, residents)
            weighed = min(today, past.get(actor, today), key=lambda one: one.chance)
            draft = _draft(kind, window, reader.context, actor, weighed, residents)
            if draft.score >= params.least_score:
                yield draft
        if kind.own_affair:
            yield from _favours(kind, window, reader, params, {a: own for a, own in found.items() if a not in odd})
        if kind.handled:
            yield from _elsewhere(kind, window, reader, params, odd.keys())

    return detect


def _by_actor(look_ups: Iterable[LookUp]) -> dict[str, list[LookUp]]:
    found: dict[str, list[LookUp]] = defaultdict(list)
    for one in look_ups:
        found[one.actor].append(one)
    return found


def _past(
    window: Window,
    reader: Reader,
    kind: Kind,
    params: Parameters,
    odd: Mapping[str, Sequence[LookUp]],
    group: Group,
    residents: int,
) -> dict[str, _Weighed]:
    """The same with the days before, of those in whose past chance expects less than one such look-up."""
    if not odd:
        return {}
    start, day = window.day - timedelta(days=params.history_days), window.day
    wanted = LookUpFilter(start=start, end=day + timedelta(days=1), actors=tuple(sorted(odd)), results=UNACCOUNTED)
    homes = {
        row["actor"]: int(row["households"])
        for row in reader.count_look_ups(wanted, (_D.ACTOR,), (_M.HOUSEHOLDS,))
        if int(row["households"]) * min(map(group, odd[row["actor"]])) < residents
    }
    if not homes:
        return {}
    before = LookUpFilter(
        start=start,
        end=day,
        actors=tuple(sorted(homes)),
        results=UNACCOUNTED,
        relations=kind.relations,
        flags=kind.flags,
    )
    return {
        actor: _weigh([*earlier, *odd[actor]], homes[actor], group, residents, day_of=odd[actor])
        for actor, earlier in _by_actor(reader.look_ups(before)).items()
    }


def _weigh(
    look_ups: Sequence[LookUp], homes: int, group: Group, residents: int, day_of: Sequence[LookUp] = ()
) -> _Weighed:
    """Of all, or only of those that are as rare as some of them, what chance explains least.

    Args:
        look_ups: all of a kind.
        homes: how many households the person looked at without a case in that time.
        group: how rare a look-up is.
        residents: how many there are.
        day_of: look-ups of which one must be among the rare ones.
    """
    rarest = min(map(group, day_of or look_ups))
    weighed = []
    for size in sorted({max(group(one), rarest) for one in look_ups}):
        of_it = tuple(one for one in look_ups if group(one) <= size)
        expected = homes * min(1.0, size / residents)
        seen = {one.household for one in of_it}
        again = len({(one.household, one.day) for one in of_it}) - len(seen)
        chance = at_least_poisson(len(seen), expected) * _AGAIN ** min(again, 5)
        weighed.append(_Weighed(chance, expected, size, len(seen), of_it))
    return min(weighed, key=lambda one: one.chance)


def _draft(kind: Kind, window: Window, context: WorkContext, actor: str, weighed: _Weighed, residents: int) -> Draft:
    today = [one for one in weighed.look_ups if one.day == window.day]
    factor, why = circumstances(context, today)
    cited = any(one.result == Result.CONTRADICTED for one in today)
    before = min(0.5, kind.before * factor * (2 if cited else 1))
    score = max(kind.least, likely(before, weighed.chance))
    title, first = what(kind, context, actor, today)
    days = len({one.day for one in weighed.look_ups})
    again = Texts(
        f"過去の分も含め、{days} 日にわたり {weighed.homes} 世帯で同じことがありました。",
        f"The same happened on {days} days, with {weighed.homes} households.",
    )
    return Draft(
        entity=actor,
        severity=kind.severity if score >= 0.5 else _less(kind.severity),
        score=score,
        actors=(actor,),
        subjects=tuple(dict.fromkeys(one.subject for one in weighed.look_ups))[:20],
        source=main_source(today),
        title=title,
        reasons=(
            first,
            why_not(kind, today),
            rarity(weighed.chance, weighed.size, residents),
            *((again,) if days > 1 else ()),
            *why,
        )[:5],
        baseline=(
            (Texts("偶然に見込まれる世帯数", "Households expected by chance"), round(weighed.expected, 4)),
            (Texts("照会した世帯数", "Households looked up"), float(weighed.homes)),
        ),
        **evidence_of_look_ups(weighed.look_ups),
    )


def _less(severity: Severity) -> Severity:
    steps = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
    return steps[max(0, steps.index(severity) - 1)]


def _favours(
    kind: Kind, window: Window, reader: Reader, params: Parameters, found: Mapping[str, Sequence[LookUp]]
) -> Iterable[Draft]:
    """Approved work on a list that is hardly longer than the relatives on it."""
    for actor, look_ups in sorted(found.items()):
        approved = [one for one in look_ups if one.because == Because.APPROVAL]
        if not approved:
            continue
        wanted = LookUpFilter(start=window.day, end=window.day + timedelta(days=1), actors=(actor,))
        rows = reader.count_look_ups(wanted, (_D.BECAUSE,), (_M.SUBJECTS,))
        length = next(int(row["subjects"]) for row in rows if row["because"] == Because.APPROVAL)
        if length < params.list_residents:
            why = Texts(
                f"承認 {approved[0].reference} の作業中ですが、その日に見た相手は {length} 人だけです。",
                f"It was within approval {approved[0].reference}, but they looked at {length} people in all.",
            )
            yield _weak(kind, reader.context, actor, approved, why)


def _elsewhere(
    kind: Kind, window: Window, reader: Reader, params: Parameters, found: Collection[str]
) -> Iterable[Draft]:
    """Look-ups that a change or print alone accounts for, while the case is another unit's; of people not yet found."""
    day, after = window.day, window.day + timedelta(days=1)
    wanted = LookUpFilter(start=day, end=after, becauses=_BY_DEED, flags=kind.flags)
    by_deed = [one for one in reader.look_ups(wanted) if one.actor not in found]
    if not by_deed:
        return
    handled: dict[str, set[str]] = defaultdict(set)
    by_case = LookUpFilter(
        start=day - timedelta(days=params.history_days),
        end=after,
        households=tuple(sorted({one.household for one in by_deed})),
        becauses=_BY_CASE,
    )
    for row in reader.count_look_ups(by_case, (_D.HOUSEHOLD, _D.UNIT), (_M.LOOKS,)):
        handled[row["household"]].add(row["unit"])
    others = (one for one in by_deed if handled[one.household] and one.unit not in handled[one.household])
    for actor, look_ups in sorted(_by_actor(others).items()):
        units = listed(sorted(handled[look_ups[0].household]))
        why = Texts(
            f"本人の操作（変更・印刷）のほかに根拠はなく、その世帯の案件を扱っているのは {units.ja} です。",
            f"Nothing but their unit's own change or print accounts for it; the case is handled by {units.en}.",
        )
        yield _weak(kind, reader.context, actor, look_ups, why)


def _weak(kind: Kind, context: WorkContext, actor: str, look_ups: Sequence[LookUp], why: Texts) -> Draft:
    """A question worth putting about look-ups that are accounted for after a fashion."""
    title, first = what(kind, context, actor, look_ups)
    return Draft(
        entity=actor,
        severity=_less(kind.severity),
        score=_WEAK,
        actors=(actor,),
        subjects=tuple(dict.fromkeys(one.subject for one in look_ups))[:20],
        source=main_source(look_ups),
        title=title,
        reasons=(first, why),
        **evidence_of_look_ups(look_ups),
    )
