"""My Numbers never enter: twelve digits with a valid check digit are masked at the door.

The check digit alone is weak (one in ten twelve-digit strings has it), which is why times and declared identifiers
are parsed before this scan and never pass through it, and why runs that are not twelve digits are left alone. A
twelve-digit run in free text with a valid check digit is masked whatever it is: better one ticket number less than
one My Number more. Rule of the check digit: 平成26年総務省令第85号第5条.
"""

import re
import unicodedata

__all__ = ["MASK", "is_my_number", "mask", "mask_id"]

MASK = "[個人番号]"
_SEPARATORS = r"[\-‐-―−－ー・\s\u3000]"
_CANDIDATE = re.compile(rf"(?<!\d)\d(?:{_SEPARATORS}?\d){{11}}(?!\d)")
_DIGITS = re.compile(r"\D")


def is_my_number(digits: str) -> bool:
    """Whether twelve ASCII digits carry the check digit of a My Number."""
    if len(digits) != 12 or not (digits.isascii() and digits.isdigit()):
        return False
    total = sum(int(digit) * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(reversed(digits[:11]), start=1))
    remainder = total % 11
    return int(digits[11]) == (0 if remainder <= 1 else 11 - remainder)


def mask(text: str) -> tuple[str, int]:
    """Mask every My Number in a text.

    Returns:
        The text, and how many were masked. Full-width digits and common separators between digits are seen through.
    """
    parts, done, at, found = list[str](), 0, 0, 0
    while match := _CANDIDATE.search(text, at):
        if is_my_number(unicodedata.normalize("NFKC", _DIGITS.sub("", match[0]))):
            parts += (text[done : match.start()], MASK)
            done = at = match.end()
            found += 1
        else:
            at = match.start() + 1  # groups of digits overlap: `2026 1234 5678 9018` holds two candidates
    return "".join((*parts, text[done:])), found


def mask_id(value: str) -> tuple[str, int]:
    """Mask a key that is itself a My Number, in any writing; other keys are left exactly as they are."""
    _masked, found = mask(value)
    return (MASK, found) if found else (value, 0)
