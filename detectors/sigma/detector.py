"""A Sigma rule as a detector: one finding a person and day for a rule, one a group for a correlation."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from audit.clock import TOKYO
from audit.context import WorkContext
from audit.findings import MAX_EVIDENCE, Draft
from audit.log import Filter, Match
from audit.log.correlation import CorrelationKind
from audit.texts import Texts
from detectors.evidence import evidence_of, main_source, subjects_of
from detectors.model import AnalyticType, Case, Detector, DetectorMeta, Reader, Window, setting
from detectors.sigma.rules import SigmaDetection
from detectors.sigma.vocabulary import LEVELS
from detectors.telling import named

__all__ = ["PREFIX", "Parameters", "detector_of"]

PREFIX = "sigma-"
"""The ids of imported detectors begin so; what ships with Mimamori does not."""
_MOST_ACTORS = 20
_RUNBOOK = Texts(
    "1. 根拠のイベントを開き、規則の説明と合うか確かめます。\n"
    "2. 本人の所属長に、その時間の業務と理由を確かめます。\n"
    "3. 説明できない場合は案件として記録し、必要なら利用を止めます。",
    "1. Open the events of the evidence: do they fit what the rule is about?\n"
    "2. Ask the head of the unit what the work was at that time, and why.\n"
    "3. Where nobody can explain it, keep a case, and stop the access if needed.",
)
_UNSAID = Texts("規則には書かれていません。", "The rule names none.")
_WORDS: Mapping[CorrelationKind, Texts] = {
    CorrelationKind.ACTS: Texts("規則に当たる行為 {n} 件", "{n} acts match the rule"),
    CorrelationKind.EVENT_COUNT: Texts(
        "{span} の間に {n} 件（規則は {least} 件以上）", "{n} acts within {span} (at least {least})"
    ),
    CorrelationKind.VALUE_COUNT: Texts(
        "{span} の間に異なる値が {n}（規則は {least} 以上）", "{n} different values within {span} (at least {least})"
    ),
    CorrelationKind.VALUE_SUM: Texts(
        "{span} の間の合計 {n}（規則は {least} 以上）", "{n} in all within {span} (at least {least})"
    ),
    CorrelationKind.TEMPORAL: Texts(
        "{span} の間に {n} 種類の行為（規則は {least} 種類以上）", "{n} kinds of acts within {span} (at least {least})"
    ),
    CorrelationKind.TEMPORAL_ORDERED: Texts(
        "{span} の間に決まった順の行為が {n} 回", "the acts in their order within {span}, {n} times"
    ),
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a town may tune of an imported rule."""

    score: float = setting(0.4, "警告の点数（0 から 1）", "score of its findings, 0 to 1")
    at_least: int = setting(1, "警告する数（行為、値、合計）", "how many acts, values, or units make a finding")
    most: int = setting(100, "1 日の警告の上限", "at most so many findings a day")


def detector_of(rule: SigmaDetection, cases: Iterable[Case]) -> Detector:
    """The detector of a rule."""
    severity, score = LEVELS[rule.level]
    said = ", ".join(rule.false_positives)
    meta = DetectorMeta(
        id=f"{PREFIX}{rule.id}",
        version=f"1.0.0+{rule.digest[:12]}",
        title=rule.texts.get("title", Texts.same(rule.title)),
        description=rule.texts.get("description", Texts.same(rule.description)),
        family="sigma",
        analytic_type=AnalyticType.RULE,
        severity=severity,
        techniques=rule.techniques,
        controls=rule.controls,
        reads=rule.reads,
        look_back=rule.correlation.within,
        runbook=rule.texts.get("runbook", _RUNBOOK),
        false_positives=rule.texts.get("false_positives", Texts.same(said) if said else _UNSAID),
        references=rule.references,
    )

    def detect(window: Window, reader: Reader, params: Any) -> Iterable[Draft]:  # noqa: ANN401 - as in Detector
        return _detect(rule, meta, window, reader, params)

    return Detector(meta, Parameters(score, rule.correlation.at_least), detect, tuple(cases))


def _detect(
    rule: SigmaDetection, meta: DetectorMeta, window: Window, reader: Reader, params: Parameters
) -> list[Draft]:
    sought = replace(rule.correlation, at_least=max(1, params.at_least))
    wanted = Filter(start=window.start - sought.within, end=window.end)
    matches = reader.matching(wanted, sought, window.start, params.most)
    acts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    if matches:
        for act in reader.matched(wanted, sought, matches, MAX_EVIDENCE):
            acts[act["key"]].append(act)
    groups: dict[str, list[Match]] = defaultdict(list)
    for match in matches:
        groups[_entity(rule, match, acts[match.key])].append(match)
    return [
        _draft(rule, meta, entity, found, [act for match in found for act in acts[match.key]], params, reader.context)
        for entity, found in sorted(groups.items())
    ]


def _entity(rule: SigmaDetection, match: Match, acts: Sequence[Mapping[str, Any]]) -> str:
    """Whom a finding is about: the person where the rule names one, else its group."""
    columns = rule.correlation.parts[0].by
    if "actor_id" in columns:
        return match.group[columns.index("actor_id")]
    return " / ".join(match.group) or main_source(acts)


def _draft(
    rule: SigmaDetection,
    meta: DetectorMeta,
    entity: str,
    matches: Sequence[Match],
    acts: Sequence[Mapping[str, Any]],
    params: Parameters,
    context: WorkContext,
) -> Draft:
    """One finding of one or several groups; the strongest of them is told."""
    latest = sorted({act["log_index"]: act for act in acts}.values(), key=lambda act: (act["time"], act["event_id"]))
    latest = latest[-MAX_EVIDENCE:]
    per_group = {act["key"]: act for act in acts}.values()
    actors = tuple(dict.fromkeys(act["actor_id"] for act in latest if act["actor_id"]))[:_MOST_ACTORS]
    source = main_source(latest)
    about = named(context, entity, latest[-1]["time"]) if entity in actors else entity
    evidence = evidence_of(latest)
    if len(latest) < (total := sum(act["acts"] for act in per_group)) and len(latest) == MAX_EVIDENCE:
        evidence |= {
            "evidence_total": total,
            "first_index": min(act["lowest"] for act in per_group),
            "last_index": max(act["highest"] for act in per_group),
        }
    return Draft(
        entity=entity,
        severity=meta.severity,
        score=min(1.0, max(0.01, params.score)),
        actors=actors,
        subjects=subjects_of(latest),
        source=source,
        title=Texts(f"{about}: {meta.title.ja}", f"{about}: {meta.title.en}"),
        reasons=_reasons(rule, meta, matches[0], latest, params),
        **evidence,
    )


def _reasons(
    rule: SigmaDetection, meta: DetectorMeta, match: Match, acts: Sequence[Mapping[str, Any]], params: Parameters
) -> tuple[Texts, ...]:
    words = _WORDS[rule.correlation.kind]
    japanese, english = (
        words.in_(language).format(
            n=match.strength, least=params.at_least, span=_span(rule.correlation.within).in_(language)
        )
        for language in ("ja", "en")
    )
    group = ", ".join(f"{name} = {value}" for name, value in zip(rule.names, match.group, strict=False))
    first, last = (_moment(act["time"]) for act in (acts[0], acts[-1]))
    told = [
        Texts(
            f"{japanese}。最初は {first}、最後は {last} です。", f"{english}; the first at {first}, the last at {last}."
        ),
        *([Texts(f"まとめた項目: {group}。", f"Grouped by: {group}.")] if group else []),
        Texts(
            f"取り込んだ Sigma 規則「{meta.title.ja}」（{rule.level}）: {meta.description.ja}",
            f"The imported Sigma rule “{meta.title.en}” ({rule.level}): {meta.description.en}",
        ),
    ]
    return tuple(told)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}"


def _span(length: timedelta) -> Texts:
    seconds = round(length.total_seconds())
    for unit, ja, en in ((86400, "日", "days"), (3600, "時間", "hours"), (60, "分", "minutes")):
        if seconds >= unit and seconds % unit == 0:
            return Texts(f"{seconds // unit} {ja}", f"{seconds // unit} {en}")
    return Texts(f"{seconds} 秒", f"{seconds} seconds")
