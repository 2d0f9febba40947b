"""Reading a file with one Sigma rule, or one correlation and the rules that it refers to."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationConditionOperator,
    SigmaCorrelationRule,
    SigmaCorrelationType,
    SigmaRuleReference,
)
from sigma.exceptions import SigmaError
from sigma.policy.profiles import SafePolicy
from sigma.rule import SigmaRule
from sigma.rule.attributes import SigmaStatus
from sigma.rule.base import SigmaYAMLLoader, check_alias_expansion

from audit.events import mask
from audit.log.condition import AnyOf
from audit.log.correlation import WHO, Correlation, CorrelationKind, Part
from audit.texts import Texts
from detectors.sigma.conditions import column_of, condition_of
from detectors.sigma.errors import SigmaRefusedError
from detectors.sigma.vocabulary import LEVELS

__all__ = ["EXTENSION", "MOST_BYTES", "SigmaDetection", "documents_of", "read_rule"]

EXTENSION = "mimamori"
"""The key under which a rule says what Sigma has no word for."""
MOST_BYTES = 65_536
_MOST_PARTS, _DEEPEST = 5, 30
_MOST_DOCUMENTS = 1 + _MOST_PARTS
_LONGEST = timedelta(days=31)
_TAXONOMIES = frozenset({"sigma", "mimamori", "ocsf"})
_ELSEWHERE = frozenset({EXTENSION, "regression_tests_path", "simulation"})
"""Keys beside Sigma's own that change nothing about what a rule finds."""
_TEXTS = ("title", "description", "runbook", "false_positives")
_TECHNIQUE = re.compile(r"t\d{4}(\.\d{3})?")
_KINDS: Mapping[SigmaCorrelationType, CorrelationKind] = {
    SigmaCorrelationType.EVENT_COUNT: CorrelationKind.EVENT_COUNT,
    SigmaCorrelationType.VALUE_COUNT: CorrelationKind.VALUE_COUNT,
    SigmaCorrelationType.VALUE_SUM: CorrelationKind.VALUE_SUM,
    SigmaCorrelationType.TEMPORAL: CorrelationKind.TEMPORAL,
    SigmaCorrelationType.TEMPORAL_ORDERED: CorrelationKind.TEMPORAL_ORDERED,
}
_Op = SigmaCorrelationConditionOperator


@dataclass(frozen=True, slots=True)
class SigmaDetection:
    """A rule as we use it.

    Attributes:
        id: Sigma's id.
        digest: SHA-256 of the file.
        names: what each group of a correlation is grouped by, as the rule calls it.
        texts: what the extension says in both languages, by name.
    """

    id: str
    digest: str
    title: str
    description: str
    level: str
    techniques: tuple[str, ...]
    controls: tuple[str, ...]
    references: tuple[str, ...]
    false_positives: tuple[str, ...]
    correlation: Correlation
    names: tuple[str, ...]
    reads: tuple[str, ...]
    texts: Mapping[str, Texts]


def documents_of(data: bytes, most: int, *, aliases: bool = True) -> list[Any]:
    """The YAML documents of a file.

    Args:
        data: the file.
        most: it may be so long.
        aliases: whether something may be written once and named again.

    Raises:
        SigmaRefusedError: it is too long, is not UTF-8, not YAML, has a key twice, merges, grows beyond measure when
            its aliases are followed, or has a number in it that may be a My Number.
    """
    if len(data) > most:
        raise SigmaRefusedError([Texts(f"{most} バイトまでです", f"at most {most} bytes")])
    try:
        text = data.decode("utf-8")
        _see_that_it_is_flat(text, aliases=aliases)
        documents = [one for one in yaml.load_all(text, SigmaYAMLLoader) if one is not None]
        check_alias_expansion(documents)
    except (UnicodeDecodeError, yaml.YAMLError, SigmaError, RecursionError, ValueError, TypeError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SigmaRefusedError([Texts(f"YAML として読めません: {what}", f"is no YAML: {what}")]) from error
    if mask(text)[1]:
        said = Texts("個人番号と思われる数字があります", "there is a number in it that may be a My Number")
        raise SigmaRefusedError([said])
    return documents


def _see_that_it_is_flat(text: str, *, aliases: bool) -> None:
    """See that a file is not nested beyond measure, which libyaml's composer would follow until the process dies.

    Raises:
        ValueError: it is, or has aliases where it may not.
    """
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
        if isinstance(event, yaml.AliasEvent) and not aliases:
            raise ValueError("aliases (*) cannot be used here")


def read_rule(data: bytes) -> SigmaDetection:
    """Read a rule.

    Raises:
        SigmaRefusedError: naming every fault that was found.
    """
    documents = documents_of(data, MOST_BYTES)
    _see_that_it_is_one(documents)
    try:
        collection: SigmaCollection = SigmaCollection.from_dicts(documents, policy=SafePolicy)
    except SigmaError as error:
        raise SigmaRefusedError([Texts(f"Sigma として読めません: {error}", f"Sigma: {error}")]) from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:  # what it does not check itself
        what = f"{type(error).__name__}: {error}"
        raise SigmaRefusedError([Texts(f"Sigma として読めません: {what}", f"Sigma: {what}")]) from error
    faults = [fault for rule in collection.rules for fault in _faults_of_head(rule)]
    correlations = [rule for rule in collection.rules if isinstance(rule, SigmaCorrelationRule)]
    plain = [rule for rule in collection.rules if isinstance(rule, SigmaRule)]
    if len(correlations) > 1 or (not correlations and len(plain) != 1):
        faults.append(
            Texts(
                "1 つのファイルには規則 1 つ、または相関 1 つとその規則だけを書きます",
                "a file holds one rule, or one correlation and its rules",
            )
        )
    if faults:
        raise SigmaRefusedError(dict.fromkeys(faults))
    if correlations:
        return _described(correlations[0], data, *_correlated(correlations[0], plain))
    return _described(plain[0], data, _single(plain[0]), ())


def _see_that_it_is_one(documents: Sequence[Any]) -> None:
    """See that a file holds few documents, all of them maps, without what changes others from outside."""
    if not documents or len(documents) > _MOST_DOCUMENTS or not all(isinstance(one, dict) for one in documents):
        said = Texts(f"規則の文書は 1 から {_MOST_DOCUMENTS} 個です", f"one to {_MOST_DOCUMENTS} documents of rules")
        raise SigmaRefusedError([said])
    faults = [
        Texts(f"{key} は使えません", f"{key} is not supported")
        for document in documents
        for key in ("action", "filter")
        if key in document
    ]
    if faults:
        raise SigmaRefusedError(dict.fromkeys(faults))


def _faults_of_head(rule: SigmaRule | SigmaCorrelationRule) -> list[Texts]:
    faults = []
    name = rule.name or rule.title
    if rule.taxonomy not in _TAXONOMIES:
        faults.append(Texts(f"{name}: taxonomy {rule.taxonomy} は使えません", f"{name}: no such taxonomy here"))
    if rule.status in {SigmaStatus.DEPRECATED, SigmaStatus.UNSUPPORTED}:
        faults.append(Texts(f"{name}: 廃止された規則です", f"{name}: the rule is {str(rule.status).lower()}"))
    if rule.scope:
        faults.append(Texts(f"{name}: scope は使えません", f"{name}: scope is not supported"))
    faults += [
        Texts(f"{name}: {key} という項目は知られていません", f"{name}: {key} is not a known key")
        for key in rule.custom_attributes
        if key not in _ELSEWHERE | ({"correlation"} if isinstance(rule, SigmaCorrelationRule) else set())
    ]
    return faults


def _single(rule: SigmaRule) -> Correlation:
    return Correlation(CorrelationKind.ACTS, (Part(condition_of(rule), (WHO,)),), 1)


def _correlated(rule: SigmaCorrelationRule, plain: Sequence[SigmaRule]) -> tuple[Correlation, tuple[str, ...]]:
    """A correlation, and what it is grouped by."""
    faults = list(_faults_of_correlation(rule))
    referred = [one.rule for one in rule.referenced_rules]
    faults += [
        Texts(f"規則 {one.title!r} は相関で使われていません", f"the rule {one.title!r} is not in the correlation")
        for one in plain
        if not any(one is other for other in referred)
    ]
    if faults:
        raise SigmaRefusedError(faults)
    kind = _KINDS[rule.type]
    parts = [_part(rule, reference, kind) for reference in rule.referenced_rules]
    if kind not in {CorrelationKind.TEMPORAL, CorrelationKind.TEMPORAL_ORDERED}:
        same = {(part.by, part.value) for part in parts}
        if len(same) == 1:  # an act that two of the rules match is one act
            parts = [Part(AnyOf(tuple(part.condition for part in parts)), parts[0].by, parts[0].value)]
    try:
        correlation = Correlation(kind, tuple(parts), _least(rule, kind), timedelta(seconds=rule.timespan.seconds))
    except ValueError as error:
        said = Texts(f"group-by と field に使えない項目です: {error}", f"group-by and field: {error}")
        raise SigmaRefusedError([said]) from error
    return correlation, tuple(rule.group_by or ())


def _faults_of_correlation(rule: SigmaCorrelationRule) -> list[Texts]:
    faults = []
    if rule.type not in _KINDS:
        name = rule.type.name.lower()
        faults.append(Texts(f"相関の種類 {name} は使えません", f"the correlation type {name} is not supported"))
    if rule.generate:
        faults.append(Texts("generate は使えません（別の規則として取り込みます）", "generate is not supported"))
    if timedelta(seconds=rule.timespan.seconds) > _LONGEST:
        faults.append(Texts(f"timespan は {_LONGEST.days} 日までです", f"timespan: at most {_LONGEST.days} days"))
    if not isinstance(rule.condition, SigmaCorrelationCondition):
        faults.append(Texts("文で書いた相関の条件は使えません", "a correlation's condition in words is not supported"))
    elif rule.condition.op not in {_Op.GT, _Op.GTE}:
        name = rule.condition.op.name.lower()
        faults.append(Texts(f"相関の条件 {name} は使えません（gt か gte）", f"{name} is not supported (gt or gte)"))
    elif not isinstance(rule.condition.count, int) or not 0 <= rule.condition.count < 10**9:
        faults.append(Texts("相関の条件は 0 以上の整数です", "a correlation's condition is a whole number"))
    elif isinstance(rule.condition.fieldref, list):
        faults.append(Texts("field は 1 つです", "field: only one"))
    if not 1 <= len(rule.referenced_rules) <= _MOST_PARTS:
        faults.append(Texts(f"相関の規則は {_MOST_PARTS} つまでです", f"at most {_MOST_PARTS} rules"))
    if any(isinstance(one.rule, SigmaCorrelationRule) for one in rule.referenced_rules):
        faults.append(Texts("相関の相関は使えません", "a correlation of correlations is not supported"))
    if len(rule.group_by or ()) > _MOST_PARTS:
        faults.append(Texts(f"group-by は {_MOST_PARTS} つまでです", f"group-by: at most {_MOST_PARTS}"))
    return faults


def _part(rule: SigmaCorrelationRule, reference: SigmaRuleReference, kind: CorrelationKind) -> Part:
    """One rule of a correlation, its aliases resolved."""
    aliases = {
        alias.alias: name
        for alias in rule.aliases
        for referred, name in alias.mapping.items()
        if referred.reference == reference.reference
    }
    named = {alias.alias for alias in rule.aliases}

    def column(field: str) -> str:
        if field in named and field not in aliases:
            said = Texts(
                f"別名 {field} が {reference.reference} にありません", f"no alias {field} of {reference.reference}"
            )
            raise SigmaRefusedError([said])
        return column_of(aliases.get(field, field))

    value = ""
    if kind in {CorrelationKind.VALUE_COUNT, CorrelationKind.VALUE_SUM}:
        field = rule.condition.fieldref if isinstance(rule.condition, SigmaCorrelationCondition) else None
        value = column(field if isinstance(field, str) else "")
    referred = reference.rule
    if not isinstance(referred, SigmaRule):
        raise TypeError("a correlation of correlations was refused before")
    return Part(condition_of(referred), tuple(column(field) for field in rule.group_by or ()), value)


def _least(rule: SigmaCorrelationRule, kind: CorrelationKind) -> int:
    if not isinstance(rule.condition, SigmaCorrelationCondition):
        raise TypeError("a condition in words was refused before")
    least = int(rule.condition.count) + (rule.condition.op is _Op.GT)
    parts = len(rule.referenced_rules)
    in_order = kind is CorrelationKind.TEMPORAL_ORDERED
    if least < 1 or (in_order and least != parts) or (kind is CorrelationKind.TEMPORAL and least > parts):
        said = Texts("相関の条件の数が規則の数に合いません", "the condition's number does not fit the number of rules")
        raise SigmaRefusedError([said])
    return least


def _described(
    rule: SigmaRule | SigmaCorrelationRule, data: bytes, correlation: Correlation, names: tuple[str, ...]
) -> SigmaDetection:
    faults = []
    if rule.id is None:
        faults.append(Texts("id（UUID）が必要です", "an id (UUID) is required"))
    if not rule.title:
        faults.append(Texts("title が必要です", "a title is required"))
    more = rule.custom_attributes.get(EXTENSION, {})
    texts, controls = _extension(more, faults)
    level = str(rule.level).lower() if rule.level is not None else "medium"
    if level not in LEVELS:
        faults.append(Texts(f"level {level} は使えません", f"no such level: {level}"))
    if faults:
        raise SigmaRefusedError(faults)
    tags = [tag.name.lower() for tag in rule.tags if tag.namespace == "attack"]
    columns = [column for part in correlation.parts for column in (*_columns(part.condition), *part.by, part.value)]
    return SigmaDetection(
        id=str(rule.id),
        digest=hashlib.sha256(data).hexdigest(),
        title=rule.title,
        description=rule.description or rule.title,
        level=level,
        techniques=tuple(tag.upper() for tag in tags if _TECHNIQUE.fullmatch(tag)),
        controls=controls,
        references=tuple(map(str, rule.references)),
        false_positives=tuple(map(str, rule.falsepositives)),
        correlation=correlation,
        names=names,
        reads=tuple(sorted({"time", "actor_id", "source", *columns} - {"", WHO})),
        texts=texts,
    )


def _extension(more: Any, faults: list[Texts]) -> tuple[dict[str, Texts], tuple[str, ...]]:  # noqa: ANN401 - any YAML
    """Texts in both languages and controls, from our own key."""
    texts: dict[str, Texts] = {}
    controls: tuple[str, ...] = ()
    for name, value in more.items() if isinstance(more, dict) else [("", None)]:
        said = value if isinstance(value, dict) else {}
        both = said.keys() == {"ja", "en"} and all(map(_is_text, said.values()))
        if name in _TEXTS and both:
            texts[name] = Texts(said["ja"], said["en"])
        elif name == "controls" and isinstance(value, list) and all(map(_is_text, value)):
            controls = tuple(value)
        else:
            faults.append(
                Texts(
                    f"{EXTENSION}.{name}: 使えない項目か値です", f"{EXTENSION}.{name}: not a known key, or not its form"
                )
            )
    return texts, controls


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _columns(condition: Any) -> set[str]:  # noqa: ANN401 - any part of a condition
    """The columns that a condition names."""
    if hasattr(condition, "parts"):
        return {column for part in condition.parts for column in _columns(part)}
    if hasattr(condition, "part") and not hasattr(condition, "column"):
        return _columns(condition.part)
    return {condition.column} | ({condition.other} if hasattr(condition, "other") else set())
