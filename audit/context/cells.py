"""How each cell of a feed is read: from the text to its value, or a fault in both languages."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from audit.clock import TOKYO, day_start
from audit.context.factors import FACTORS
from audit.events import mask

__all__ = [
    "address_range",
    "clock_time",
    "day",
    "end",
    "factor_policy",
    "flags",
    "key",
    "must",
    "number",
    "one_of",
    "required",
    "start",
    "text",
]

FLAGS = frozenset({"deceased", "protected", "staff", "vip"})
_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?")
_KEY = re.compile(r"[0-9A-Za-z._:/+=-]{1,100}")
"""A pseudonym: nothing in which a Japanese name or address could be written."""
_TWELVE_DIGITS = re.compile(r"(?<!\d)\d{12}(?!\d)")
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_LONGEST = 1000
_LONGEST_ID = 100
_LONGEST_NUMBER = 15
_WIDEST = {4: 8, 6: 32}
"""The shortest prefix of a network of terminals: a wider one would make terminals of the whole world."""


def text(value: str) -> str:
    """Any text without a My Number."""
    if mask(value)[1]:
        raise ValueError("contains a My Number / 個人番号が含まれています")
    if len(value) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters / {_LONGEST} 文字を超えています")
    if "\0" in value:
        raise ValueError("holds a NUL character / NUL 文字が含まれています")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("holds half of a surrogate pair / サロゲートペアの片方だけがあります")
    return value


def required(value: str) -> str:
    """An identifier."""
    if not value:
        raise ValueError("is missing / 値がありません")
    if len(value) > _LONGEST_ID:
        raise ValueError(f"is longer than {_LONGEST_ID} characters / {_LONGEST_ID} 文字を超えています")
    return text(value)


def key(value: str) -> str:
    """A resident's pseudonym, or that of a household, lot or surname."""
    if value and (not _KEY.fullmatch(value) or _TWELVE_DIGITS.search(value)):
        raise ValueError(
            "is no pseudonymous key / 仮名の識別子ではありません (英数字と . _ : / + = -、12 桁の番号は不可)"
        )
    return text(value)


def day(value: str) -> date:
    """A date."""
    match = _DATE.fullmatch(value)
    if match is None:
        raise ValueError("is no date like 2026-04-01 / 2026-04-01 形式の日付ではありません")
    found = date(int(match[1]), int(match[2]), int(match[3]))
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise ValueError(f"is not between {_FIRST_YEAR} and {_LAST_YEAR} / {_FIRST_YEAR}〜{_LAST_YEAR} 年の外です")
    return found


def _moment(value: str) -> tuple[datetime, bool]:
    """A moment, and whether it was a whole day."""
    if _DATE.fullmatch(value):
        return day_start(day(value)), True
    try:
        at = datetime.fromisoformat(value.replace("/", "-"))
    except ValueError as error:
        raise ValueError("is no date or time / 日付または時刻ではありません") from error
    day(f"{at.year:04}-{at.month:02}-{at.day:02}")
    return (at if at.tzinfo else at.replace(tzinfo=TOKYO)), False


def start(value: str) -> datetime | None:
    """The first moment; None where nothing stands."""
    return _moment(value)[0] if value else None


def end(value: str) -> datetime | None:
    """The exclusive end: the last day is included, a time is exact."""
    if not value:
        return None
    at, whole_day = _moment(value)
    return at + timedelta(days=1) if whole_day else at


def must(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """The same, where something must stand."""

    def parsed(value: str) -> Any:  # noqa: ANN401
        return parse(required(value))

    return parsed


def one_of(*words: str, default: str = "") -> Callable[[str], str]:
    """One word of a closed set."""

    def parsed(value: str) -> str:
        word = value or default
        if word not in words:
            raise ValueError(f"is none of {', '.join(words)} / {', '.join(words)} のいずれかです")
        return word

    return parsed


def clock_time(value: str) -> str:
    """A time of day, as `08:30`."""
    if not value:
        return ""
    match = _TIME.fullmatch(value)
    if match is None or (match[1] == "24" and match[2] != "00"):
        raise ValueError("is no time of day like 08:30 / 08:30 形式の時刻ではありません")
    return f"{int(match[1]):02}:{match[2]}"


def number(value: str) -> int | None:
    """A whole number that is not negative."""
    if not value:
        return None
    if not value.isascii() or not value.isdigit():
        raise ValueError("is no whole number / 整数ではありません")
    if len(value) > _LONGEST_NUMBER:
        raise ValueError("is too large / 大きすぎます")
    return int(value)


def flags(value: str) -> str:
    """What is said of a resident: words of a closed set, sorted, joined by `;`."""
    words = {word.strip() for word in value.split(";") if word.strip()}
    if unknown := sorted(words - FLAGS):
        listed = ", ".join(sorted(FLAGS))
        raise ValueError(f"{'; '.join(unknown)[:_LONGEST_ID]}: is none of {listed} / {listed} のいずれかです")
    return ";".join(sorted(words))


def address_range(value: str) -> str:
    """An address or a network, in its one form: `10.3.1.31`, `10.3.1.0/24`."""
    if not value:
        return ""
    try:
        network = ip_network(value)
    except ValueError as error:
        raise ValueError(
            "is no address, and no network like 10.3.1.0/24 / アドレスでも 10.3.1.0/24 形式のネットワークでもありません"
        ) from error
    if network.prefixlen < _WIDEST[network.version]:
        raise ValueError("is too wide a network / ネットワークが広すぎます")
    alone = network.prefixlen == network.max_prefixlen
    return str(ip_address(network.network_address)) if alone else str(network)


def factor_policy(value: str) -> str:
    """Alternatives by `|`, factors by `+`: `password+palm_vein|password+totp`."""
    if not value:
        raise ValueError("is missing / 値がありません")
    alternatives = [[word.strip() for word in part.split("+")] for part in text(value).split("|")]
    if unknown := sorted({word for words in alternatives for word in words} - FACTORS):
        listed = ", ".join(sorted(FACTORS))
        named = ", ".join(word or "''" for word in unknown)[:_LONGEST_ID]
        raise ValueError(f"{named}: is no factor; known are {listed} / 認証要素ではありません")
    return "|".join("+".join(dict.fromkeys(words)) for words in alternatives)
