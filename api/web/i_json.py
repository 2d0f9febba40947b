"""JSON as programs must agree on it (RFC 7493): one meaning for every reader, and bounded work for ours. Pure.

A name that stands twice, text that is no Unicode, a number that no double holds: two readers may each understand
something else, and a decision would be about what the other one did not mean.
"""

import json
from collections.abc import Iterable
from math import isfinite
from typing import Any, Never

from audit.texts import Texts

__all__ = ["NotIJsonError", "read_object"]

MAX_DEPTH = 16
"""Objects and lists within each other; a question has four."""
_EXACT = 2**53
"""Beyond it a double leaves whole numbers out."""


class NotIJsonError(ValueError):
    """A body that is no I-JSON object.

    Args:
        texts: why, without repeating any of it.
    """

    def __init__(self, texts: Texts) -> None:
        super().__init__(texts.en)
        self.texts = texts


_UNREADABLE = Texts("本文が JSON ではありません", "the body is no JSON")
_NOT_OBJECT = Texts("本文は JSON オブジェクトでなければなりません", "the body must be a JSON object")
_TWICE = Texts("同じ名前が二度あります", "a name stands twice in one object")
_TEXT = Texts("UTF-8 でない、または不正な文字があります", "text that is no valid Unicode")
_NUMBER = Texts("扱えない数値があります", "a number beyond double precision")
_DEEP = Texts(f"入れ子は {MAX_DEPTH} 段までです", f"nested deeper than {MAX_DEPTH} levels")


def read_object(body: bytes) -> dict[str, Any]:
    """The object that a body holds.

    Raises:
        NotIJsonError: it holds none, or one that can be read in two ways.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotIJsonError(_TEXT) from error
    try:
        found = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
        )
    except NotIJsonError:
        raise
    except RecursionError as error:
        raise NotIJsonError(_DEEP) from error
    except ValueError as error:
        raise NotIJsonError(_UNREADABLE) from error
    if not isinstance(found, dict):
        raise NotIJsonError(_NOT_OBJECT)
    _check(found)
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotIJsonError(_TWICE)
    return found


def _no_constant(_name: str) -> Never:
    raise NotIJsonError(_NUMBER)


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise NotIJsonError(_NUMBER)
    return number


def _whole(text: str) -> int:
    if len(text) > 17 or abs(number := int(text)) > _EXACT:
        raise NotIJsonError(_NUMBER)
    return number


def _check(found: dict[str, Any]) -> None:
    """Look at every text and how deep it lies, without recursion."""
    level: list[Any] = [found]
    for _ in range(MAX_DEPTH):
        if not all(_is_text(text) for value in level for text in _texts(value)):
            raise NotIJsonError(_TEXT)
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    raise NotIJsonError(_DEEP)


def _texts(value: object) -> Iterable[str]:
    return (value,) if isinstance(value, str) else value if isinstance(value, dict) else ()


def _children(value: object) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _is_text(text: str) -> bool:
    """Whether every escape made a character of its own; half a pair of surrogates is none."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
