"""How values are written for people: hostile text made visible, dates in Asia/Tokyo, plain numbers.

Logs carry whatever an attacker typed. Escaping keeps such text from becoming markup; that is not enough:
a bidirectional override or an escape sequence changes what the *reader* sees. So every character without a
shape of its own is replaced by one that has: the template environment applies `visible` to all it prints.
"""

import unicodedata
from datetime import date, datetime, time, timedelta

from markupsafe import Markup, escape

from audit.clock import TOKYO
from dashboards.model import Language

__all__ = ["day", "day_short", "is_odd", "moment", "number", "size", "span", "spelled", "visible"]

_WEEKDAYS_JA = "月火水木金土日"
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# strftime's month names follow the machine's locale.
_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ODD_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
# Letters and marks by category, yet blank on the screen: fillers, grapheme joiner, empty Braille cell.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def is_odd(character: str) -> bool:
    """Whether a character would be invisible or would rearrange its neighbours."""
    return character in _BLANKS or unicodedata.category(character) in _ODD_CATEGORIES


def _spell(character: str) -> str:
    # Not the Unicode control pictures: most office machines have no font with them.
    if named := _NAMED.get(character):
        return named
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def spelled(text: str) -> str:
    """The text with odd characters spelled out, for places that take no markup."""
    return "".join(_spell(c) if is_odd(c) else c for c in text)


def visible(text: object) -> Markup:
    """Text as safe HTML in which odd characters are marked and spelled out."""
    if isinstance(text, Markup):
        return text
    plain = str(text)
    if not any(is_odd(c) for c in plain):
        return escape(plain)
    odd = Markup('<span class="odd" title="U+{:04X}">{}</span>')
    return Markup("").join(odd.format(ord(c), _spell(c)) if is_odd(c) else c for c in plain)


def day(value: date, language: Language) -> str:
    """A date with its weekday: `2026年10月5日(月)` or `Mon 5 Oct 2026`."""
    if language == "ja":
        return f"{value.year}年{value.month}月{value.day}日({_WEEKDAYS_JA[value.weekday()]})"
    return f"{_WEEKDAYS_EN[value.weekday()]} {value.day} {_MONTHS_EN[value.month - 1]} {value.year}"


def day_short(value: date, language: Language) -> str:
    """A date where room is scarce and the year is known: `10/5` or `5 Oct`."""
    if language == "ja":
        return f"{value.month}/{value.day}"
    return f"{value.day} {_MONTHS_EN[value.month - 1]}"


def moment(value: datetime, language: Language, *, seconds: bool = False) -> str:
    """A moment in Asia/Tokyo: `2026年10月5日(月) 23:40` or `Mon 5 Oct 2026 23:40`."""
    local = value.astimezone(TOKYO)
    return f"{day(local.date(), language)} {local:%H:%M:%S}" if seconds else f"{day(local, language)} {local:%H:%M}"


def span(start: datetime, end: datetime, language: Language) -> Markup:
    """A window of time, the day said once where it is the same, and alone where it is the whole day."""
    first, last = start.astimezone(TOKYO), end.astimezone(TOKYO)
    whole_day = first.time() == last.time() == time.min
    if whole_day and last.date() - first.date() == timedelta(days=1):
        parts: tuple[str, ...] = (day(first, language),)
    elif first.date() == last.date():
        parts = (day(first, language), f"{first:%H:%M}–{last:%H:%M}")
    else:
        parts = (f"{moment(start, language)} –", moment(end, language))
    return Markup(" ").join(Markup('<span class="keep">{}</span>').format(part) for part in parts)


def number(value: float) -> str:
    """A number with separators, at most two decimals."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")


def size(value: int) -> str:
    """Bytes as people read them: `950 B`, `1.2 MB`."""
    amount = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{number(round(amount, 1))} {unit}"
