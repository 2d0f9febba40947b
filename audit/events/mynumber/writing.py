"""How a number is written, and what only looks like one.

Digits are those of every script, kanji used by position, and enclosed or raised ones. They form groups; a number is
twelve digits of whole neighbouring groups, with nothing but separators between them, so that digits inside of a
longer run are never one. The check digit alone is weak (one in eleven of such runs has it by chance), which is why
dates, addresses, telephone numbers and digests are recognised and kept. A bare run of twelve digits with a valid
check digit is masked whatever it is: better one ticket number less than one My Number more. Rule of the check
digit: 平成26年総務省令第85号第5条.
"""

import re
import unicodedata
from collections.abc import Iterator

__all__ = [
    "DIGIT",
    "KANJI",
    "MASK",
    "MASKED_DIGITS",
    "ODD_DIGIT",
    "PLAIN",
    "SEPARATOR",
    "TIME_WORD",
    "USUAL_KANJI",
    "is_date",
    "is_my_number",
    "numbers",
    "plain_digits",
]

MASK = "[個人番号]"
MASKED_DIGITS = 12

# fmt: off
_ZEROS = (
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0,
    0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620,
    0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0,
    0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60,
    0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
)
# fmt: on
"""Where each script's ten decimal digits begin."""
_ODD_RANGES = (
    "²-³", "¹-¹", "⁰-⁰", "⁴-⁹", "₀-₉", "①-⑨", "⑴-⑼", "⒈-⒐", "⓪-⓪", "⓵-⓽", "⓿-⓿", "❶-❾", "➀-➈", "➊-➒",
    "\U0001f100-\U0001f10a",
)  # fmt: skip
"""Raised, lowered and enclosed digits."""
KANJI = (
    "〇零",
    "一壱壹弌㊀㈠",
    "二弐貳貮㊁㈡",
    "三参參弎㊂㈢",
    "四肆㊃㈣",
    "五伍㊄㈤",
    "六陸㊅㈥",
    "七漆㊆㈦",
    "八捌㊇㈧",
    "九玖㊈㈨",
)
"""Kanji used by position, 0 to 9."""
USUAL_KANJI = "〇零一二三四五六七八九壱弐参"
"""Those that are also looked for inside of encodings."""

PLAIN = "0-9０-９"
_DECIMAL = "".join(f"{chr(zero)}-{chr(zero + 9)}" for zero in _ZEROS)
_ODD = "".join(_ODD_RANGES)
_KANJI = "".join(KANJI)
DIGIT = _DECIMAL + _ODD + _KANJI
"""Inside of brackets: every digit."""
ODD_DIGIT = DIGIT.replace("0-9", "", 1).replace("０-９", "", 1)
"""Those that may stand beside plain digits without belonging to them."""
SEPARATOR = (
    r"\x00-\x20+\-./_\x7f-" + "\xa0\xad·\u034f\u061c\u1680\u180e\u2000-\u2015•\u2027-\u202f⁃\u205f-\u206f\u20e3−─━"
    "\u3000゠・ー\ufe00-\ufe0f﹘﹣\ufeff＋－．／＿･ｰ"
)
"""Inside of brackets: what may stand between two digits of one number, any number of times."""

_VALUE = {
    **{zero + n: str(n) for zero in _ZEROS for n in range(10)},
    **{
        code: str(unicodedata.digit(chr(code), 0))
        for both in _ODD_RANGES
        for code in range(ord(both[0]), ord(both[-1]) + 1)
    },
    **{ord(character): str(n) for n, characters in enumerate(KANJI) for character in characters},
}
_NO_DIGITS = bytes(octet for octet in range(256) if not 0x30 <= octet <= 0x39)
_RUN = re.compile(rf"[{DIGIT}](?:[{SEPARATOR}]*[{DIGIT}]){{11,}}")
_ASCII_RUN = re.compile(r"[0-9](?:[\x00-\x20+\-./_\x7f]*[0-9]){11,}")
_GROUP = re.compile(rf"[{_DECIMAL}]+|[{_KANJI}]+|[{_ODD}]+")
"""`①` before a number and `三` after one are words of the text, not digits of the number."""

_MONTH, _DAY = "(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_YEAR = r"(?:199\d|20[0-4]\d)"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_KEPT = re.compile(
    "|".join((
        r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])",
        r"(?<![0-9A-Za-z])(?:0x)?(?![A-Fa-f]*\d+[A-Fa-f]*(?![0-9A-Za-z]))[0-9A-Fa-f]{16,}(?![0-9A-Za-z])",
        rf"(?<!\d){_YEAR}([-/.]){_MONTH}\1{_DAY}(?!\d)",
        rf"(?<!\d){_YEAR}{_MONTH}{_DAY}(?!\d)",
        r"(?<![\d:])(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?(?:[+-]\d\d:?\d\d)?(?![\d:])",
        rf"(?<![\d.])(?:{_OCTET}\.){{3}}{_OCTET}(?!\d|\.\d)",
        r"(?<!\d)(?<!\d-)(?=(?:-?\d){10,11}(?!-?\d))0\d{1,4}-\d{1,4}-\d{3,4}",
        r"(?<!\d)\+81[- ]?(?:\d[- ]?){8,9}\d(?!\d)",
        r"(?<![\d.])(?:1\d{9}\.\d{1,9}|0\.\d+)(?!\d|\.\d)",
    ))
)  # fmt: skip
"""UUIDs, digests, dates, times of day, IPv4 addresses, telephone numbers, seconds since 1970 and fractions."""
TIME_WORD = re.compile(r"日時|時刻|日付|年月日|時間|time|date|stamp", re.IGNORECASE)
_TIME_WORD_BEFORE = re.compile(rf"(?:{TIME_WORD.pattern})[\W_]{{0,4}}\Z", re.IGNORECASE)
_STAMP = re.compile(rf"{_YEAR}{_MONTH}{_DAY}(?:[01]\d|2[0-3])[0-5]\d")
_DATE = re.compile(_YEAR + _MONTH + _DAY)


def is_my_number(digits: str) -> bool:
    """Whether twelve ASCII digits carry the check digit of a My Number."""
    if len(digits) != MASKED_DIGITS or not (digits.isascii() and digits.isdigit()):
        return False
    total = sum(int(digit) * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(reversed(digits[:11]), start=1))
    remainder = total % 11
    return int(digits[11]) == (0 if remainder <= 1 else 11 - remainder)


def plain_digits(text: str) -> str:
    """The same text with every digit an ASCII digit."""
    return text.translate(_VALUE)


def is_date(digits: str) -> bool:
    """Whether eight digits are a date of our days, `20261120`."""
    return _DATE.fullmatch(digits) is not None


def numbers(text: str, label: str = "") -> set[tuple[int, int]]:
    """Where My Numbers stand in a text, taken literally: the start and end of each, which may overlap.

    Args:
        text: the text.
        label: the name it stands under, if any.
    """
    if text.isascii() and len(text.encode().translate(None, _NO_DIGITS)) < MASKED_DIGITS:
        return set()  # most texts leave here: counting digits is ten times faster than the pattern
    found = list(_candidates(text))
    if not found:
        return set()
    kept = [False] * (len(text) + 1)
    for match in _KEPT.finditer(text):
        kept[match.start() : match.end()] = [True] * len(match[0])
    return {
        (start, end)
        for start, end, grouped in found
        if not any(kept[start:end]) and (grouped or not _is_time(text, label, start, end))
    }


def _is_time(text: str, label: str, start: int, end: int) -> bool:
    """Whether twelve digits are a date and time, and something says so."""
    said = TIME_WORD.search(label) or _TIME_WORD_BEFORE.search(text, max(0, start - 24), start)
    return said is not None and _STAMP.fullmatch(plain_digits(text[start:end])) is not None


def _candidates(text: str) -> Iterator[tuple[int, int, bool]]:
    """Whole neighbouring groups that make twelve digits with a valid check digit, and whether they are several."""
    for run in (_ASCII_RUN if text.isascii() else _RUN).finditer(text):
        groups = [(match.start(), match.end(), plain_digits(match[0])) for match in _GROUP.finditer(text, *run.span())]
        for first, (start, _, _) in enumerate(groups):
            digits = ""
            for last in range(first, len(groups)):
                digits += groups[last][2]
                if len(digits) >= MASKED_DIGITS:
                    if is_my_number(digits):
                        yield start, groups[last][1], last > first
                    break
