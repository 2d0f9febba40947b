"""Seeing through encodings: percent escapes, HTML entities, backslash escapes and Base64."""

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from audit.events.mynumber.writing import USUAL_KANJI

__all__ = ["View", "encoded_runs", "unescaped"]

_PERCENT = r"(?:%82[O-X]|%[0-9A-Fa-f]{2})+"
"""`%82O` is how browsers wrote a full-width zero in CP932: the second byte is a letter and stays one."""
_ESCAPE = re.compile(
    rf"(?P<percent>{_PERCENT})|(?P<entity>&(?:#\d{{1,7}};?|#[xX][0-9A-Fa-f]{{1,6}};?|[A-Za-z]{{2,16}};))"
    r"|\\{1,4}(?:u(?P<four>[0-9A-Fa-f]{4})|x(?P<two>[0-9A-Fa-f]{2})|(?P<control>[nrtfv]))"
)
_OCTET = re.compile(r"%..|.", re.DOTALL)
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_TWELVE_DIGITS = re.compile(rb"[0-9](?:[^0-9]{0,8}[0-9]){11}")
_CP932_KANJI = [re.escape(kanji.encode("cp932")) for kanji in USUAL_KANJI]
_WIDE_DIGITS = re.compile(
    b"\xef\xbc[\x90-\x99]|\x82[\x4f-\x58]\x82[\x4f-\x58]|\xff[\x10-\x19]\xff|"
    + b"|".join(kanji.encode() for kanji in USUAL_KANJI)
    + b"".join(b"|%s(?:%s)" % (kanji, b"|".join(_CP932_KANJI)) for kanji in _CP932_KANJI)
)
"""Full-width digits and kanji, as octets: UTF-8, CP932, UTF-16.

Each alternative begins with a literal: that `re` is quick to find.
"""
_STANDARD = str.maketrans("-_", "+/")
_ENCODINGS = (("utf-8", 0), ("cp932", 0), ("utf-16-le", 0), ("utf-16-le", 1), ("utf-16-be", 0), ("utf-16-be", 1))
"""The encodings, and how many octets come before: two-octet units may begin at either."""


@dataclass(frozen=True, slots=True)
class View:
    """A text read differently, and where each of its characters stands in the original.

    Attributes:
        text: the text as read.
        places: for each character its start and end in the original.
    """

    text: str
    places: list[tuple[int, int]]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of this reading stands in the original."""
        return self.places[start][0], self.places[end - 1][1]


def unescaped(text: str) -> View | None:
    """The text with its escapes resolved once; None when it has none."""
    if "%" not in text and "&" not in text and "\\" not in text:
        return None
    pieces, places, done = list[str](), list[tuple[int, int]](), 0
    for match in _ESCAPE.finditer(text):
        pieces.append(text[done : match.start()])
        places += ((at, at + 1) for at in range(done, match.start()))
        if match["percent"]:
            read = list(_percent(match[0], match.start()))
        else:
            read = [(character, match.span()) for character in _character(match)]
        pieces += (character for character, _ in read)
        places += (place for _, place in read)
        done = match.end()
    if not done:
        return None
    places += ((at, at + 1) for at in range(done, len(text)))
    return View("".join((*pieces, text[done:])), places)


def encoded_runs(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """Where Base64 stands that holds digits, and what it may say: it may begin in the middle of a longer word."""
    for match in _BASE64_RUN.finditer(text):
        run = match[0]
        if run.islower() and "8" not in run:
            continue  # words with hyphens: digits never look so
        octets = [some for skipped in range(4) if _holds_digits(some := _decoded(run, skipped))]
        readings = [some[before:].decode(encoding, "replace") for some in octets for encoding, before in _ENCODINGS]
        if readings:
            yield *match.span(), readings


def _decoded(run: str, skipped: int) -> bytes:
    """The octets of a Base64 run that begins so many letters in."""
    body = run.rstrip("=").translate(_STANDARD)[skipped:]
    body = body[:-1] if len(body) % 4 == 1 else body
    return base64.b64decode(body + "=" * (-len(body) % 4))


def _holds_digits(octets: bytes) -> bool:
    return _TWELVE_DIGITS.search(octets) is not None or _WIDE_DIGITS.search(octets) is not None


def _percent(run: str, at: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """The characters of percent escapes, UTF-8 or else CP932, each with its place."""
    octets = unquote_to_bytes(run)
    places = [(at + match.start(), at + match.end()) for match in _OCTET.finditer(run)]
    text, encoding = octets.decode("latin-1"), "latin-1"
    for encoding in ("utf-8", "cp932"):
        try:
            text = octets.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        encoding = "latin-1"
    first = 0
    for character in text:
        last = min(first + len(character.encode(encoding)), len(places))
        yield character, (places[first][0], places[last - 1][1])
        first = last


def _character(match: re.Match[str]) -> str:
    if match["entity"]:
        return html.unescape(match["entity"])
    if match["control"]:
        return " "
    return chr(int(match["four"] or match["two"], 16))
