"""An AuthZEN evaluation: how it is read, and which question about staff and residents it means. Pure.

| AuthZEN | here |
|---|---|
| `subject.type`, `subject.id` | `staff`, the staff id |
| `subject.properties` | ignored: who somebody is and may do stands in our own directory (S27) |
| `action.name` | an activity of the closed vocabulary; any other is denied |
| `resource.type`, `resource.id` | `record` and a resident's key, `function` and its name, or `system` and any word |
| `resource.properties` | `affair`, `function`, `rows`, `medium_id` |
| `context` | `session`, `terminal`, `address`, `purpose`, `case_id`, `second_person` |

Which system asks is never said in here: it is the one that authenticated itself (S25). Unknown fields are ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.access.decisions.model import Question
from audit.events import mask
from audit.texts import Texts

__all__ = ["BadEvaluationError", "Evaluation", "NotOursError", "question_of", "read_evaluation"]

MAX_TEXT = 200
"""Characters of one value."""
MAX_ROWS = 10**9
_RESOURCES = frozenset({"function", "record", "system"})
_ENTITIES = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id")}


class BadEvaluationError(ValueError):
    """An evaluation that is not as the standard has it; nothing was decided.

    Args:
        field: which part.
        what: what is wrong with it.
    """

    def __init__(self, field: str, what: Texts) -> None:
        self.texts = Texts(f"{field}: {what.ja}", f"{field}: {what.en}")
        super().__init__(self.texts.en)


class NotOursError(ValueError):
    """An evaluation in good order about something that nobody here can be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was asked, as the standard has it; `properties` and `context` as they came."""

    subject_type: str
    subject: str
    subject_properties: Mapping[str, Any]
    action: str
    action_properties: Mapping[str, Any]
    resource_type: str
    resource: str
    resource_properties: Mapping[str, Any]
    context: Mapping[str, Any]


_MISSING = Texts("必須です", "is required")
_OBJECT = Texts("オブジェクトでなければなりません", "must be an object")
_TEXT = Texts(f"1〜{MAX_TEXT} 文字の文字列でなければなりません", f"must be a text of 1 to {MAX_TEXT} characters")
_COUNT = Texts("0 以上の整数でなければなりません", "must be a whole number, 0 or more")
_NUMBER = Texts("個人番号を含めてはなりません", "must hold no My Number")


def read_evaluation(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Evaluation:
    """Read one evaluation.

    Args:
        given: its object.
        defaults: the object whose `subject`, `action`, `resource` and `context` stand in for those it leaves out, each
            as a whole.

    Raises:
        BadEvaluationError: a required part is missing, or one has the wrong type.
    """
    parts = {name: _object(name, given.get(name, defaults.get(name)), required=True) for name in _ENTITIES}
    for name, keys in _ENTITIES.items():
        for key in keys:
            _text(f"{name}.{key}", parts[name].get(key), required=True)
    properties = {
        name: _object(f"{name}.properties", part.get("properties"), required=False) for name, part in parts.items()
    }
    return Evaluation(
        subject_type=parts["subject"]["type"],
        subject=parts["subject"]["id"],
        subject_properties=properties["subject"],
        action=parts["action"]["name"],
        action_properties=properties["action"],
        resource_type=parts["resource"]["type"],
        resource=parts["resource"]["id"],
        resource_properties=properties["resource"],
        context=_object("context", given.get("context", defaults.get("context")), required=False),
    )


def question_of(evaluation: Evaluation, system: str) -> Question:
    """The question that an evaluation means.

    Args:
        evaluation: what was asked.
        system: the authenticated system that asks.

    Raises:
        NotOursError: its subject is no member of staff, or its resource is of no kind that we know.
        BadEvaluationError: a part that we know has the wrong type.
    """
    properties, context, kind = evaluation.resource_properties, evaluation.context, evaluation.resource_type
    if evaluation.subject_type != "staff" or kind not in _RESOURCES:
        raise NotOursError

    def said(part: str, within: Mapping[str, Any], name: str) -> str:
        return _text(f"{part}.{name}", within.get(name), required=False)

    return Question(
        person=evaluation.subject,
        system=system,
        activity=evaluation.action,
        function=evaluation.resource if kind == "function" else said("resource.properties", properties, "function"),
        affair=said("resource.properties", properties, "affair"),
        subjects=(evaluation.resource,) if kind == "record" else (),
        purpose=said("context", context, "purpose"),
        case_id=said("context", context, "case_id"),
        terminal_id=said("context", context, "terminal"),
        address=said("context", context, "address"),
        session=said("context", context, "session"),
        rows=_count("resource.properties.rows", properties.get("rows")),
        medium_id=said("resource.properties", properties, "medium_id"),
        second_person=said("context", context, "second_person"),
    )


def _object(name: str, value: object, *, required: bool) -> Mapping[str, Any]:
    if value is None and not required:
        return {}
    if not isinstance(value, dict):
        raise BadEvaluationError(name, _MISSING if value is None else _OBJECT)
    return value


def _text(name: str, value: object, *, required: bool) -> str:
    if value is None:
        if required:
            raise BadEvaluationError(name, _MISSING)
        return ""
    if not isinstance(value, str) or len(value) > MAX_TEXT or (required and not value):
        raise BadEvaluationError(name, _TEXT)
    if mask(value)[1]:
        raise BadEvaluationError(name, _NUMBER)
    return value


def _count(name: str, value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_ROWS:
        raise BadEvaluationError(name, _COUNT)
    return value
