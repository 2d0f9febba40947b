"""From pySigma's condition tree to a condition over our columns; what cannot be asked is refused by its name."""

from collections.abc import Iterator, Mapping
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionIdentifier,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
)
from sigma.exceptions import SigmaError
from sigma.modifiers import reverse_modifier_mapping
from sigma.rule import SigmaRule
from sigma.rule.detection import SigmaDetection, SigmaDetectionItem
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
    TimestampPart,
)

from audit.events import Kind
from audit.log.condition import (
    KINDS,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    FlagTest,
    NetworkTest,
    Not,
    NumberTest,
    Present,
    RegexTest,
    SameText,
    TextTest,
    TimePart,
    TimeTest,
    Wildcard,
)
from audit.texts import Texts
from detectors.sigma.errors import SigmaRefusedError
from detectors.sigma.vocabulary import CATEGORIES, COLUMNS, PRODUCT

__all__ = ["column_of", "condition_of", "faults_of"]

_ALLOWED = frozenset(
    {
        "all", "cased", "cidr", "contains", "day", "endswith", "exists", "fieldref", "gt", "gte", "hour", "i",
        "ignorecase", "lt", "lte", "m", "minute", "month", "multiline", "neq", "re", "s", "dotall", "startswith",
        "year",
    }
)  # fmt: skip
_ANCHORS = frozenset({"contains", "endswith", "startswith"})
_MOST_TESTS, _MOST_TEXT, _LONGEST_REGEX, _LONGEST_CONDITION, _DEEPEST = 300, 16_384, 500, 1_000, 8
_COMPARED: Mapping[CompareOperators, Comparison] = {
    CompareOperators.LT: Comparison.LESS,
    CompareOperators.LTE: Comparison.LESS_EQUAL,
    CompareOperators.GT: Comparison.GREATER,
    CompareOperators.GTE: Comparison.GREATER_EQUAL,
}
_PARTS: Mapping[TimestampPart, TimePart] = {
    TimestampPart.MINUTE: TimePart.MINUTE,
    TimestampPart.HOUR: TimePart.HOUR,
    TimestampPart.DAY: TimePart.DAY,
    TimestampPart.MONTH: TimePart.MONTH,
    TimestampPart.YEAR: TimePart.YEAR,
}
_FLAGS: Mapping[SigmaRegularExpressionFlag, str] = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
_WILDCARDS: Mapping[SpecialChars, Wildcard] = {
    SpecialChars.WILDCARD_MULTI: Wildcard.ANY,
    SpecialChars.WILDCARD_SINGLE: Wildcard.ONE,
}


def column_of(field: str) -> str:
    """The column of a field.

    Raises:
        SigmaRefusedError: there is no such field.
    """
    column = COLUMNS.get(field)
    if column is None:
        raise SigmaRefusedError([Texts(f"項目 {field!r} はありません", f"there is no field {field!r}")])
    return column


def faults_of(rule: SigmaRule) -> Iterator[Texts]:
    """What in a rule's detections and log source has no meaning here, before its condition is looked at."""
    source = rule.logsource
    if source.product not in {None, PRODUCT}:
        yield Texts(
            f"logsource.product {source.product!r} の記録はありません（使えるのは {PRODUCT} だけです）",
            f"there are no events of logsource.product {source.product!r} (only {PRODUCT})",
        )
    if source.category is not None and source.category not in CATEGORIES:
        yield Texts(
            f"logsource.category {source.category!r} はありません（{', '.join(CATEGORIES)}）",
            f"there is no logsource.category {source.category!r} ({', '.join(CATEGORIES)})",
        )
    for name in source.custom_attributes or {}:
        yield Texts(f"logsource.{name} は使えません", f"logsource.{name} is not supported")
    for name, detection in rule.detection.detections.items():
        if name == "timeframe":
            yield Texts(
                "detection.timeframe は使えません（correlation を使ってください）",
                "detection.timeframe is not supported (write a correlation)",
            )
        else:
            yield from _faults_of_items(name, detection)


def _faults_of_items(name: str, detection: SigmaDetection) -> Iterator[Texts]:
    for item in detection.detection_items:
        if isinstance(item, SigmaDetection):
            yield from _faults_of_items(name, item)
        else:
            yield from _faults_of_item(name, item)


def _faults_of_item(name: str, item: SigmaDetectionItem) -> Iterator[Texts]:
    if item.field is None:
        yield Texts(
            f"{name}: 項目のない検索語は使えません（項目を指定してください）",
            f"{name}: keywords without a field are not supported (name the field)",
        )
        return
    used = {reverse_modifier_mapping[modifier.__name__] for modifier in item.modifiers}
    for modifier in sorted(used - _ALLOWED):
        yield Texts(
            f"{name}.{item.field}: 修飾子 {modifier} は使えません",
            f"{name}.{item.field}: the modifier {modifier} is not supported",
        )
    anchors = ", ".join(sorted(used & _ANCHORS))
    if "re" in used and anchors:
        yield Texts(
            f"{name}.{item.field}: re と {anchors} は併用できません（^ や $ を使ってください）",
            f"{name}.{item.field}: re cannot be joined with {anchors} (use ^ and $)",
        )


def condition_of(rule: SigmaRule) -> Condition:
    """The condition of a rule with its log source; several conditions are alternatives.

    Raises:
        SigmaRefusedError: naming every fault.
    """
    faults = list(faults_of(rule))
    written = [str(condition) for condition in rule.detection.condition]
    if any(len(one) > _LONGEST_CONDITION or _depth(one) > _DEEPEST for one in written):
        faults.append(Texts("condition が長すぎるか深すぎます", "the condition is too long or too deep"))
    if faults:
        raise SigmaRefusedError(faults)
    try:
        faults += _unused(rule)
        parsed = [one.parsed for one in rule.detection.parsed_condition]
    except SigmaError as error:
        raise SigmaRefusedError([*faults, Texts(f"condition を読めません: {error}", f"condition: {error}")]) from error
    compiler = _Compiler()
    parts = [compiler.compiled(one) for one in parsed]
    faults += compiler.faults
    if compiler.tests > _MOST_TESTS or compiler.text > _MOST_TEXT:
        faults.append(
            Texts(
                f"値が多すぎます（{_MOST_TESTS} 個、{_MOST_TEXT} 文字まで）",
                f"too many values (at most {_MOST_TESTS}, of {_MOST_TEXT} characters)",
            )
        )
    if faults:
        raise SigmaRefusedError(dict.fromkeys(faults))
    return AllOf((*_log_source(rule), AnyOf(tuple(parts))))


def _depth(condition: str) -> int:
    """How many parentheses are open at most, or how often `not` stands in a row of words."""
    deepest = open_now = 0
    for char in condition:
        open_now += (char == "(") - (char == ")")
        deepest = max(deepest, open_now)
    return max(deepest, condition.split().count("not") - _DEEPEST)


def _log_source(rule: SigmaRule) -> Iterator[Condition]:
    if rule.logsource.category is not None:
        activities = sorted(CATEGORIES[rule.logsource.category])
        yield AnyOf(tuple(TextTest("activity", (str(activity),), cased=True) for activity in activities))
    if rule.logsource.service is not None:
        yield TextTest("source", (rule.logsource.service,), cased=True)


def _unused(rule: SigmaRule) -> Iterator[Texts]:
    """Selections that no condition names: whoever wrote them meant something by them."""
    named: set[str] = set()
    waiting: list[Any] = [one.parse(postprocess=False) for one in rule.detection.parsed_condition]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ConditionIdentifier):
            named.add(node.identifier)
        elif isinstance(node, ConditionSelector):
            named |= {one.identifier for one in node.resolve_referenced_detections(rule.detection)}
        else:
            waiting += node.args
    for name in sorted(rule.detection.detections.keys() - named):
        yield Texts(f"選択 {name} は condition で使われていません", f"the selection {name} is not in the condition")


class _Compiler:
    """Makes conditions of a tree, and collects what it cannot make."""

    def __init__(self) -> None:
        self.faults: list[Texts] = []
        self.tests = 0
        self.text = 0

    def compiled(self, node: Any) -> Condition:  # noqa: ANN401 - pySigma's nodes have no class in common
        match node:
            case ConditionAND():
                return AllOf(tuple(self.compiled(part) for part in node.args))
            case ConditionOR():
                return AnyOf(tuple(self.compiled(part) for part in node.args))
            case ConditionNOT():
                return Not(self.compiled(node.args[0]))
            case ConditionFieldEqualsValueExpression():
                self.tests += 1
                return self._test(node.field, node.value)
            case _:
                return self._refused("condition", "この条件は使えません", "this condition is not supported")

    def _refused(self, field: str, ja: str, en: str) -> Condition:
        self.faults.append(Texts(f"{field}: {ja}", f"{field}: {en}"))
        return AnyOf(())

    def _test(self, field: str, value: Any) -> Condition:  # noqa: ANN401 - one of pySigma's types
        column = COLUMNS.get(field)
        if column is None:
            return self._refused(field, "この名前の項目はありません", "there is no field of this name")
        kind = KINDS[column]
        made = self._presence(column, value) or self._special(field, column, kind, value)
        if made is None:
            made = self._plain(column, kind, value)
        if made is None:
            what = type(value).__name__.removeprefix("Sigma")
            return self._refused(
                field, f"この項目（{kind}）に {what} は使えません", f"{what} cannot be asked of {kind}"
            )
        return made

    @staticmethod
    def _presence(column: str, value: Any) -> Condition | None:  # noqa: ANN401
        if isinstance(value, SigmaExists):
            return Present(column) if value.exists else Not(Present(column))
        return Not(Present(column)) if isinstance(value, SigmaNull) else None

    def _special(self, field: str, column: str, kind: Kind, value: Any) -> Condition | None:  # noqa: ANN401
        textual = kind in {Kind.TEXT, Kind.IDS}
        match value:
            case SigmaRegularExpression() if textual:
                return self._regex(field, column, value)
            case SigmaCIDRExpression() if textual:
                return NetworkTest(column, value.network)
            case SigmaFieldReference() if kind is Kind.TEXT:
                other = COLUMNS.get(value.field)
                if other is None or KINDS[other] is not Kind.TEXT:
                    return self._refused(value.field, "文字の項目ではありません", "is no field that holds text")
                return SameText(column, other, value.starts_with, value.ends_with)
            case SigmaCompareExpression():
                return self._compared(column, kind, _COMPARED.get(value.op), value.number)
            case SigmaTimestampPart():
                return self._compared(column, kind, Comparison.EQUAL, value)
        return None

    def _regex(self, field: str, column: str, value: SigmaRegularExpression) -> Condition:
        pattern = value.regexp.to_plain(regex=True)
        self.text += len(pattern)
        if len(pattern) > _LONGEST_REGEX or not pattern.isprintable():
            return self._refused(
                field, "正規表現が長すぎるか、制御文字を含みます", "the expression is too long, or odd"
            )
        return RegexTest(column, pattern, frozenset(_FLAGS[flag] for flag in value.flags))

    @staticmethod
    def _compared(column: str, kind: Kind, how: Comparison | None, number: SigmaNumber) -> Condition | None:
        if how is None or abs(number.number) >= 2**63:
            return None
        if isinstance(number, SigmaTimestampPart):
            part = _PARTS.get(number.timestamp_part)
            return TimeTest(column, part, how, number.number) if kind is Kind.TIME and part is not None else None
        return NumberTest(column, how, number.number) if kind is Kind.COUNT else None

    def _plain(self, column: str, kind: Kind, value: Any) -> Condition | None:  # noqa: ANN401
        if isinstance(value, SigmaBool):
            return FlagTest(column, value.boolean) if kind is Kind.FLAG else None
        if isinstance(value, SigmaNumber) and kind is Kind.COUNT:
            return self._compared(column, kind, Comparison.EQUAL, value)
        if isinstance(value, SigmaNumber) and kind in {Kind.TEXT, Kind.IDS}:
            return TextTest(column, (str(value.number),))
        return self._string(column, kind, value) if type(value) in {SigmaString, SigmaCasedString} else None

    def _string(self, column: str, kind: Kind, value: SigmaString) -> Condition | None:
        pattern = tuple(_WILDCARDS[part] if isinstance(part, SpecialChars) else part for part in value.s)
        texts = tuple(part for part in pattern if isinstance(part, str))
        self.text += sum(map(len, texts))
        if len(texts) < len(pattern):  # a placeholder
            return None
        if kind is Kind.COUNT and len(texts) == 1 and texts[0].isdecimal() and len(texts[0]) < 19:
            return NumberTest(column, Comparison.EQUAL, int(texts[0]))
        if kind not in {Kind.TEXT, Kind.IDS}:
            return None
        if not "".join(texts):
            return Not(Present(column))
        return TextTest(column, texts, cased=isinstance(value, SigmaCasedString))
