"""A number cut into pieces: neighbouring values that are digits and nothing else, twelve together.

Neighbours under names that have nothing to do with each other must be cut as people cut (4+4+4, 6+6, …), because
ports, codes and process numbers stand side by side in every log and one in eleven of their chance meetings carries a
valid check digit. The items of a short list, and names that differ only in their number (番号1, 番号2), may be cut
anywhere.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from audit.events.mynumber.writing import (
    DIGIT,
    MASKED_DIGITS,
    TIME_WORD,
    is_date,
    is_my_number,
    plain_digits,
)

__all__ = ["split_numbers"]

_PART = re.compile(rf"[{DIGIT}]{{2,10}}")
_AS_PEOPLE_CUT = frozenset({(4, 4, 4), (6, 6), (8, 4), (4, 8), (3, 3, 3, 3)})
_NUMBERED = re.compile(r"(.*?)[\W_]*(\d{1,2}|[a-dA-D]|上|中|下|前|後)", re.DOTALL)
_OTHER_THINGS = re.compile(
    r"pid|tid|port|process|thread|line|size|len|count|rows|bytes|code|event|status|version|uid|gid"
    r"|ポート|件|行|コード|課|室|庁",
    re.IGNORECASE,
)
"""Names of numbers that are no part of anybody's."""
_LONGEST_LIST = 6
"""Two digits are the least a piece has; a longer list is a list of keys."""


def split_numbers(values: Sequence[Any], names: Sequence[str] | None = None) -> set[int]:
    """Which of some neighbours are pieces of a My Number.

    Args:
        values: the values of an object or the items of a list, in the order of the document.
        names: the object's names; None for a list.
    """
    parts = [_part(value) for value in values]
    if sum(map(bool, parts)) < 2:
        return set()
    if names is None:
        return _neighbours(parts, [""] * len(parts), anywhere=True) if len(parts) <= _LONGEST_LIST else set()
    texts = [part if isinstance(value, str) else "" for part, value in zip(parts, values, strict=True)]
    found = _neighbours(texts, names, anywhere=False)
    for places in _numbered(names):
        same = _neighbours([parts[n] for n in places], [names[n] for n in places], anywhere=True)
        found |= {places[n] for n in same}
    return found


def _part(value: Any) -> str:  # noqa: ANN401 - anything JSON can hold
    """Its digits, when it is nothing else."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = str(value).strip()
    return plain_digits(text) if _PART.fullmatch(text) else ""


def _neighbours(parts: Sequence[str], names: Sequence[str], *, anywhere: bool) -> set[int]:
    found = set[int]()
    for first in range(len(parts)):
        taken = ""
        for last in range(first, len(parts)):
            taken += parts[last]
            if not parts[last] or len(taken) >= MASKED_DIGITS:
                break
        else:
            continue
        here = range(first, last + 1)
        cut = tuple(len(parts[n]) for n in here)
        if len(cut) < 2 or not is_my_number(taken) or not (anywhere or cut in _AS_PEOPLE_CUT):
            continue
        if not _explained(parts[first : last + 1], names[first : last + 1]):
            found.update(here)
    return found


def _explained(parts: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the pieces are known to be something else."""
    return any(map(is_date, parts)) or any(TIME_WORD.search(name) or _OTHER_THINGS.search(name) for name in names)


def _numbered(names: Sequence[str]) -> list[list[int]]:
    """Places of names that differ only in their number, in its order."""
    series: dict[str, list[tuple[int, int]]] = {}
    for place, name in enumerate(names):
        if match := _NUMBERED.fullmatch(unicodedata.normalize("NFKC", name)):
            order = int(match[2]) if match[2].isdecimal() else place
            series.setdefault(match[1], []).append((order, place))
    return [[place for _, place in sorted(members)] for members in series.values() if len(members) > 1]
