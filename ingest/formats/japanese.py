"""Times and numbers as Japanese systems write them.

A time is never guessed and never moved: what has two readings (24:00, a leap second, 午後12時, an hour that a
clock change repeats) is refused with the reason, and so is a date its era does not have. An era begins on its
first day: 平成31年4月30日 is followed by 令和元年5月1日. Before 明治6年 the calendar was lunisolar, so such
dates are refused too. Fractions finer than a microsecond are cut off; `finer_than_kept` tells a
decoder to keep the text as well. Reasons are English, then Japanese.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone, tzinfo

__all__ = [
    "TimeTextError",
    "ascii_forms",
    "finer_than_kept",
    "in_zone",
    "parse_number",
    "parse_time",
    "wareki",
]

_ERAS = (  # name, letter, first day, last day
    ("令和", "R", date(2019, 5, 1), date.max),
    ("平成", "H", date(1989, 1, 8), date(2019, 4, 30)),
    ("昭和", "S", date(1926, 12, 25), date(1989, 1, 7)),
    ("大正", "T", date(1912, 7, 30), date(1926, 12, 24)),
    ("明治", "M", date(1868, 1, 25), date(1912, 7, 29)),
)
_GREGORIAN_FROM = date(1873, 1, 1)
_LUNISOLAR = "before 明治6年 the calendar was another / 明治6年より前は旧暦です"
_ASCII = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x2212: 0x2D}
_SQUARE_ERAS = str.maketrans({"㋿": "令和", "㍻": "平成", "㍼": "昭和", "㍽": "大正", "㍾": "明治"})
_WEEKDAYS = "月火水木金土日"
_OFFSET = r"\s*(?P<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2})?"
_WRITTEN = re.compile(
    r"(?:(?P<era>令和|平成|昭和|大正|明治|[RHSTMrhstm])\s*\.?(?P<era_year>元|[0-9]{1,2})|(?P<year>[0-9]{4}))"
    r"(?:\s*年\s*|[-/.])(?P<month>\s?[0-9]{1,2})(?:\s*月\s*|[-/.])(?P<day>\s?[0-9]{1,2})(?:\s*日)?"
    r"(?:\s*\((?P<weekday>[月火水木金土日])\))?"
    r"(?:[Tt]|\s*)(?P<half>午前|午後)?\s*(?P<hour>[0-9]{1,2})(?::|\s*時\s*)(?P<minute>[0-9]{1,2})"
    r"(?:(?::|\s*分\s*)(?P<second>[0-9]{1,2})(?:[.,](?P<fraction>[0-9]{1,9}))?(?:\s*秒)?|\s*分)?" + _OFFSET
)
_COMPACT = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})[T ]?"
    r"(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})(?:\.?(?P<fraction>[0-9]{1,9}))?" + _OFFSET
)
_DAY_ALONE = re.compile(r"[^0-9]{0,2}[0-9元]{1,4}[年\-/.][0-9]{1,2}[月\-/.][0-9]{1,2}日?")
_GLUED = re.compile(r"[-/.][0-9]{3,}:")
"""A day and an hour with nothing between them have more than one reading."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5})")
_FINE = re.compile(r"[.,][0-9]{7,}")
_YEAR_CODES = ("%Y", "%y", "%G", "%c", "%x")


class TimeTextError(ValueError):
    """A time that cannot be read; the message says why and quotes nothing."""


def ascii_forms(text: str) -> str:
    """Full-width letters, digits and signs as ASCII; everything else as it is."""
    return text.translate(_ASCII)


def parse_number(text: str) -> int:
    """Read a whole number, full-width digits and thousands separators included.

    Raises:
        ValueError: when it is none.
    """
    plain = ascii_forms(text).strip()
    if not _NUMBER.fullmatch(plain):
        raise ValueError("not a whole number / 整数ではありません")
    return int(plain.replace(",", ""))


def finer_than_kept(text: str) -> bool:
    """Whether a time says more than microseconds."""
    return _FINE.search(ascii_forms(text)) is not None


def in_zone(local: datetime, zone: tzinfo) -> datetime:
    """A local time in its zone.

    Raises:
        TimeTextError: when the clocks of that zone show this time twice, or never.
    """
    at = local.replace(tzinfo=zone)
    offset = at.utcoffset()
    if offset != at.replace(fold=1).utcoffset():
        raise TimeTextError(
            f"the clocks of {zone} showed this time twice or never; an offset is needed"
            f" / {zone} では時刻が一つに定まらず、時差が必要です"
        )
    if offset is None or offset % timedelta(minutes=1):
        raise TimeTextError(f"{zone} had no offset in whole minutes then / 当時の時差は分単位ではありません")
    return at


def parse_time(text: str, zone: tzinfo, patterns: Iterable[str] = ()) -> datetime:
    """Read a time: the given patterns first, then ISO 8601, slashes, 14 digits and 和暦.

    Args:
        text: what the source wrote.
        zone: the zone of a time that carries no offset.
        patterns: strptime patterns.

    Raises:
        TimeTextError: when it cannot be read, or could be read in more than one way.
    """
    plain = ascii_forms(text).translate(_SQUARE_ERAS).strip()
    for pattern in patterns:
        if not any(code in pattern for code in _YEAR_CODES):
            raise TimeTextError("the profile's time pattern has no year / 時刻の書式に年がありません")
        try:
            found = datetime.strptime(plain, pattern)  # noqa: DTZ007 - the profile's zone is given below
        except ValueError:
            continue
        return found if found.tzinfo else in_zone(found, zone)
    match = _COMPACT.fullmatch(plain) or _WRITTEN.fullmatch(plain)
    if match is None or _GLUED.search(plain):
        if _DAY_ALONE.fullmatch(plain):
            raise TimeTextError("a day without a time of day / 日付だけで時刻がありません")
        raise TimeTextError("not a time in any known form / 時刻として読めません")
    part = {name: value for name, value in match.groupdict().items() if value is not None}
    day = _day(part)
    if "weekday" in part and _WEEKDAYS[day.weekday()] != part["weekday"]:
        raise TimeTextError(f"{day} is not a {part['weekday']}曜日 / 曜日が日付と合いません")
    local = _moment(day, part)
    offset = part.get("offset")
    return in_zone(local, zone) if offset is None else local.replace(tzinfo=_offset(offset))


def wareki(at: datetime) -> str:
    """A time the way forms write it, `令和8年10月5日 9時13分22秒`.

    Raises:
        TimeTextError: for days before 明治6年.
    """
    day = at.date()
    if day < _GREGORIAN_FROM:
        raise TimeTextError(_LUNISOLAR)
    name, first = next((name, first) for name, _, first, _ in _ERAS if day >= first)
    year = day.year - first.year + 1
    return f"{name}{'元' if year == 1 else year}年{at.month}月{at.day}日 {at.hour}時{at.minute}分{at.second}秒"


def _day(part: dict[str, str]) -> date:
    month, day = int(part["month"]), int(part["day"])
    if "era" not in part:
        return _date(int(part["year"]), month, day)
    mark = part["era"].upper()
    name, _, first, last = next(era for era in _ERAS if mark in era[:2])
    number = 1 if part["era_year"] == "元" else int(part["era_year"])
    if number == 0:
        raise TimeTextError(f"{name} has no year 0 / {name}に 0 年はありません")
    found = _date(first.year + number - 1, month, day)
    if found < first:
        raise TimeTextError(f"{name} began on {first}, after {found} / {name}は {first} からです")
    if found > last:
        raise TimeTextError(f"{name} ended on {last}, before {found} / {name}は {last} までです")
    if found < _GREGORIAN_FROM:
        raise TimeTextError(_LUNISOLAR)
    return found


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise TimeTextError(f"there is no day {year:04}-{month:02}-{day:02} / 存在しない日付です") from error


def _moment(day: date, part: dict[str, str]) -> datetime:
    hour, minute, second = int(part["hour"]), int(part["minute"]), int(part.get("second", "0"))
    if "half" in part:
        if hour >= 12:
            raise TimeTextError(f"{part['half']}{hour}時 has more than one reading / 二通りに読めます")
        hour += 12 if part["half"] == "午後" else 0
    if hour >= 24:
        raise TimeTextError(f"hour {hour} lies on another day; it is not moved / {hour} 時は翌日にあたります")
    if minute >= 60 or second > 60:
        raise TimeTextError(f"there is no time {hour:02}:{minute:02}:{second:02} / 存在しない時刻です")
    if second == 60:
        raise TimeTextError("a leap second cannot be kept without moving it / うるう秒は扱えません")
    micro = int(part.get("fraction", "")[:6].ljust(6, "0"))
    return datetime(day.year, day.month, day.day, hour, minute, second, micro)  # noqa: DTZ001 - zoned by the caller


def _offset(text: str) -> timezone:
    if text in {"Z", "z"}:
        return timezone(timedelta(0))
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise TimeTextError("there is no such offset / 存在しない時差です")
    away = timedelta(hours=hours, minutes=minutes)
    return timezone(-away if text[0] == "-" else away)
