"""Masking one text: suspect it, look at it in every reading, cover what was found in the text as it stands.

A number that is found in an unescaped or decoded reading is masked where it stands in the original, so that the rest
of the text is kept exactly as the source wrote it. Of a Base64 text nothing can be kept: it is masked whole.
"""

import re

from audit.events.mynumber.encoding import encoded_runs, unescaped
from audit.events.mynumber.suspect import SUSPECT
from audit.events.mynumber.writing import MASK, MASKED_DIGITS, numbers

__all__ = ["mask", "mask_id"]

_SUSPECT = re.compile(SUSPECT)
_NESTING = 2
"""An encoding within an encoding; a third layer is no accident any more."""


def mask(text: str, label: str = "") -> tuple[str, int]:
    """Mask every My Number in a text.

    Args:
        text: anything a source wrote.
        label: the name the text stands under, if any: twelve digits that are a date and time survive under `time`.

    Returns:
        The text, and how many were masked.
    """
    if len(text) < MASKED_DIGITS:
        return text, 0
    found = sorted(_found(text, label, _NESTING))
    if not found or _SUSPECT.search(text) is None:
        return text, 0
    parts, done = list[str](), 0
    for start, end in found:
        if start >= done:
            parts += (text[done:start], MASK)
        done = max(done, end)
    return "".join((*parts, text[done:])), _count(found)


def mask_id(value: str) -> tuple[str, int]:
    """Mask a key that is itself a My Number, in any writing; other keys are left exactly as they are."""
    _masked, found = mask(value)
    return (MASK, found) if found else (value, 0)


def _count(found: list[tuple[int, int]]) -> int:
    """How many numbers can stand side by side: groups of digits overlap, and one number may be read in two ways."""
    count = free = 0
    for end, start in sorted((end, start) for start, end in found):
        if start >= free:
            count, free = count + 1, end
    return count


def _found(text: str, label: str, nesting: int) -> set[tuple[int, int]]:
    """Where numbers stand, as the text is, unescaped, and inside Base64."""
    found = numbers(text, label)
    if nesting == 0:
        return found
    if (view := unescaped(text)) is not None:
        found |= {view.span(start, end) for start, end in _found(view.text, label, nesting - 1)}
    for start, end, readings in encoded_runs(text):
        if any(_found(reading, "", nesting - 1) for reading in readings):
            found.add((start, end))
    return found
