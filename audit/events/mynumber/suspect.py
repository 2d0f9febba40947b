"""Which texts are worth a slow look: one pattern, read alike by Python, by Arrow and by ClickHouse.

The pattern uses only what `re` and RE2 understand the same way. It must match every text in which `mask` finds
something, and next to nothing else: a match costs a careful reading. It has three parts: twelve digits of whole
groups; escapes among digits; and the shapes that digits take in Base64, which are few, because ten neighbouring codes
leave most of each letter's six bits alone.

A text may be searched together with others, joined by anything that is no digit and no separator, a `|` for example.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from urllib.parse import quote

from audit.events.mynumber.writing import DIGIT, KANJI, ODD_DIGIT, PLAIN, SEPARATOR, USUAL_KANJI

__all__ = ["SUSPECT"]

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_ANY = range(256)
_ASCII_DIGIT = range(0x30, 0x3A)
_FULL_WIDTH = range(0x4F, 0x59)


def _letters(values: Iterable[int]) -> str:
    """A class of Base64 letters, standard and URL-safe, escaped or not."""
    letters = "".join(_ALPHABET[value] for value in sorted(values)).replace("+", r"+\-").replace("/", "/_")
    escaped = [name for letter, name in (("+", "%2[Bb]"), ("/", "%2[Ff]")) if letter in letters]
    return f"(?:{'|'.join((f'[{letters}]', *escaped))})" if escaped else f"[{letters}]"


def _shapes(octets: Sequence[Iterable[int]]) -> Iterator[str]:
    """What a sequence of octets can look like in Base64, at each of the three places it may begin."""
    for before in range(3):
        padded = [_ANY] * before + [list(some) for some in octets] + [_ANY] * 3
        letters: list[set[int]] = []
        for a, b, c in zip(padded[0::3], padded[1::3], padded[2::3], strict=False):
            letters.append({x >> 2 for x in a})
            letters.append({high | low for high, low in product({(x & 3) << 4 for x in a}, {y >> 4 for y in b})})
            letters.append({high | low for high, low in product({(y & 15) << 2 for y in b}, {z >> 6 for z in c})})
            letters.append({z & 63 for z in c})
        telling = [n for n, some in enumerate(letters) if len(some) < len(_ALPHABET)]
        yield "".join(_letters(some) for some in letters[telling[0] : telling[-1] + 1])


def _kanji_in(encoding: str) -> list[tuple[int, ...]]:
    return [tuple(kanji.encode(encoding)) for kanji in USUAL_KANJI]


_OCTETS: tuple[Sequence[Iterable[int]], ...] = (
    [_ASCII_DIGIT] * 4,
    [range(0x40)] * 12,  # digits with signs or controls between them, and digits in UTF-16
    ([0xEF], [0xBC], range(0x90, 0x9A)),
    [*zip(*_kanji_in("utf-8"), strict=True)] * 2,
    ([0x82], _FULL_WIDTH, [0x82], _FULL_WIDTH),
    [*zip(*_kanji_in("cp932"), strict=True)] * 3,  # two alone are too like a screen code
    (range(0x10, 0x1A), [0xFF], range(0x10, 0x1A), [0xFF]),
)
_BASE64 = "|".join(shape for octets in _OCTETS for shape in _shapes(octets))
"""Some digits in Base64: ASCII, full-width or kanji, in UTF-8, CP932 or UTF-16."""

_KANJI_ESCAPES = "|".join(quote(kanji) for same in KANJI for kanji in same)
_ESCAPE = (
    r"(?i:%[0-7][0-9a-f]|%c2%[89ab][0-9a-f]|%e2%[0-9a-f]{2}%[0-9a-f]{2}|%e3%8[03]%[0-9a-f]{2}|%ef%b[89a-d]%[0-9a-f]{2}"
    rf"|{_KANJI_ESCAPES}|%82(?:%[45][0-9a-f]|[o-x])|&(?:amp;)?#x?[0-9a-f]{{1,7}};?|&[a-z]{{2,16}};"
    r"|\\{1,4}(?:u[0-9a-f]{4}|x[0-9a-f]{2}|[nrtfv]))"
)
"""One character, escaped, that can be part of a number."""
_BETWEEN = f"[{SEPARATOR}]*"
_ITEM = f"(?:[{DIGIT}]|{_ESCAPE})"
_TWELVE = (
    f"(?:(?:^|[^{PLAIN}])[{PLAIN}]|[{ODD_DIGIT}])(?:{_BETWEEN}[{DIGIT}]){{10}}"
    f"{_BETWEEN}(?:[{PLAIN}](?:$|[^{PLAIN}])|[{ODD_DIGIT}])"
)
_ESCAPED = f"{_ESCAPE}(?:{_BETWEEN}{_ITEM}){{5}}|{_ITEM}(?:{_BETWEEN}{_ITEM}){{4}}{_BETWEEN}{_ESCAPE}"
"""Of twelve digits with an escape among them, at least five stand before it or after it."""

SUSPECT: str = f"{_TWELVE}|{_ESCAPED}|{_BASE64}"
"""Every text in which `mask` finds something matches this."""
