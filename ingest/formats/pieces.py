"""Cutting deliveries whose records may span lines or share one: JSON objects and XML elements between lines of text.

Audit logs come as one object a line, as an array printed over many lines, as an array in one line, as elements with
everything in attributes or everything in children. What matters is always the same: where one record ends. A record
that never ends must not swallow what follows it: it is given up where the next one starts, at the first line that
cannot be part of it, at the end of the delivery, or when it grows beyond any event. What stands between records and
belongs to none of them (the brackets and commas of an array, the XML declaration, the root element) is no record;
anything else is handed over as text.

A piece's bytes are the record's own, without such brackets and commas: the last element of an open array gets a comma
once another follows, and must still be the same record when the file is delivered again.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from audit.events import MAX_RECORD_BYTES, parse_json
from ingest.formats.text import TextError, decode

__all__ = ["MAX_DEPTH", "MAX_LINES", "MAX_NAMES", "Form", "Piece", "cut", "flat"]

MAX_LINES = 2000
"""No audit record is printed over more lines; a longer one never closed."""
MAX_DEPTH = 32
"""Deeper structures are made to break readers, not to say something."""
MAX_NAMES = 2000
"""Names in one record; more are made to keep a reader busy."""
_BOM = b"\xef\xbb\xbf"
_BETWEEN = re.compile(rb"[\s,\[\]]*")
_JSON_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}"]')
_JSON_WORDS = re.compile(rb'(?:[\s{}\[\],:]|"(?:[^"\\]|\\.)*+"|-?[0-9][0-9.eE+-]*+|true|false|null)*+')
_TAG_TOKEN = re.compile(rb"[\"'>]")
_FRAME = re.compile(rb"<\?xml[^<>]*\?>|<!--[^<>]*-->|</?(?:AUDIT|Audit|Events)(?:\s[^<>]*)?>|<Version>[^<>]*</Version>")
_OPEN = "record: begins here and never ends / ここから始まる記録が終わっていません"


class Form(StrEnum):
    """What a piece is."""

    JSON = "json"
    TEXT = "text"
    XML = "xml"


@dataclass(frozen=True, slots=True)
class Piece:
    """One record, or what stands between records.

    Attributes:
        line: 1-based number of its first line.
        raw: its bytes.
        form: what it is.
        found: what a JSON object holds.
        fault: why it is no whole record, in both languages; empty when it is one.
    """

    line: int
    raw: bytes
    form: Form
    found: Mapping[str, Any] | None = None
    fault: str = ""


def cut(lines: Iterable[tuple[int, bytes]], encoding: str, tag: str = "") -> Iterator[Piece]:
    """Cut a delivery into pieces, in order, leaving out nothing but blanks and frames.

    Args:
        lines: number and bytes of every line.
        encoding: the profile's; JSON is read in it.
        tag: the XML element that is a record; without one, XML is text.
    """
    cutter = _Cutter(encoding, tag.encode())
    for line, raw in lines:
        yield from cutter.feed(line, raw)
    yield from cutter.give_up()


def flat(found: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, str]]:
    """Nested names and values as dotted names and text; lists of objects stay JSON.

    Raises:
        ValueError: when it is nested deeper than `MAX_DEPTH`.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} / 入れ子が {MAX_DEPTH} 段を超えています")
    for name, value in found.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.", depth + 1)
        elif isinstance(value, str):
            yield prefix + name, value
        elif value is not None:
            yield prefix + name, json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _Cutter:
    """Reads line by line; between lines it knows what is open."""

    def __init__(self, encoding: str, tag: bytes) -> None:
        self._encoding = encoding
        self._start = re.compile(rb"<" + re.escape(tag) + rb"(?=[\s/>]|$)") if tag else None
        self._close = re.compile(rb"</" + re.escape(tag) + rb"\s*>") if tag else None
        self._held: list[bytes] = []
        self._form = Form.TEXT
        self._line = self._size = self._indent = 0
        self._depth = 0
        self._in_tag = False
        self._quote = b""

    def feed(self, line: int, raw: bytes) -> Iterator[Piece]:
        """Take one line."""
        at = start = len(_BOM) if line == 1 and raw.startswith(_BOM) else 0
        if self._held and self._abandoned(raw):
            yield from self.give_up()
        while at < len(raw):
            if not self._held:
                alone, at = at == start, self._next(raw, at)
                if at >= len(raw):
                    return
                if not self._begin(line, raw, at):
                    yield Piece(line, raw if alone else raw[at:], Form.TEXT)
                    return
            end, sound = self._json(raw, at) if self._form is Form.JSON else self._xml(raw, at)
            self._hold(raw[at:end])
            if not sound:
                yield from self.give_up()
                return
            if end is None:
                return
            yield self._whole()
            at = end
        if self._held:
            self._hold(b"")

    def give_up(self) -> Iterator[Piece]:
        """Hand over what is open, as it is."""
        if self._held:
            yield Piece(self._line, b"\n".join(self._held), self._form, fault=_OPEN)
            self._held = []

    def _abandoned(self, raw: bytes) -> bool:
        """Whether what is open has been left open: another record starts, or it is too long for one."""
        if len(self._held) >= MAX_LINES or self._size + len(raw) > MAX_RECORD_BYTES:
            return True
        bare = raw.lstrip()
        if self._form is Form.JSON:
            again = bare.startswith(b"{") and len(raw) - len(bare) <= self._indent
            return again or not self._goes_on(raw)
        return self._start is not None and self._start.match(bare) is not None

    def _goes_on(self, raw: bytes) -> bool:
        """Whether a line is made of JSON's words, at least until the open object ends."""
        words = _JSON_WORDS.match(raw)
        until = words.end() if words else 0
        if until == len(raw):
            return True
        depth = self._depth
        for token in _JSON_TOKEN.finditer(raw, 0, until):
            depth += (token[0] == b"{") - (token[0] == b"}")
            if depth == 0:
                return True
        return False

    def _next(self, raw: bytes, at: int) -> int:
        """Where the next thing that is no frame stands."""
        while True:
            skipped = _BETWEEN.match(raw, at)
            after = skipped.end() if skipped else at
            if after < len(raw) and not raw.startswith((b"{", b"<"), after):
                # brackets before ordinary text are part of it
                return len(raw) - len(raw[at:].lstrip())
            frame = _FRAME.match(raw, after) if self._start else None
            if frame is None:
                return after
            at = frame.end()

    def _begin(self, line: int, raw: bytes, at: int) -> bool:
        if raw.startswith(b"{", at):
            self._form, self._depth = Form.JSON, 0
        elif self._start is not None and self._start.match(raw, at):
            self._form, self._in_tag, self._quote = Form.XML, True, b""
        else:
            return False
        self._line, self._size, self._indent = line, 0, len(raw) - len(raw.lstrip())
        return True

    def _hold(self, part: bytes) -> None:
        self._held.append(part)
        self._size += len(part) + 1

    def _whole(self) -> Piece:
        raw, self._held = b"\n".join(self._held), []
        if self._form is Form.XML:
            return Piece(self._line, raw, Form.XML)
        try:
            text = raw if self._encoding == "utf-8" else decode(raw, self._encoding).encode()
        except TextError as error:
            return Piece(self._line, raw, Form.JSON, fault=f"record: {error}")
        found, fault = parse_json(text)
        return Piece(self._line, raw, Form.JSON, found, str(fault) if found is None else "")

    def _json(self, raw: bytes, at: int) -> tuple[int | None, bool]:
        """Where the object ends in this line, and whether it can still be one: no JSON text goes over a line end."""
        for token in _JSON_TOKEN.finditer(raw, at):
            if token[0] == b"{":
                self._depth += 1
            elif token[0] == b"}":
                self._depth -= 1
                if self._depth == 0:
                    return token.end(), True
            elif token[0] == b'"':
                return None, False
        return None, True

    def _xml(self, raw: bytes, at: int) -> tuple[int | None, bool]:
        """Where the element ends in this line; what stands in quotes ends nothing."""
        if self._in_tag:
            for token in _TAG_TOKEN.finditer(raw, at):
                if self._quote:
                    self._quote = b"" if token[0] == self._quote else self._quote
                elif token[0] != b">":
                    self._quote = token[0]
                elif raw[token.start() - 1 : token.start()] == b"/":
                    return token.end(), True
                else:
                    self._in_tag, at = False, token.end()
                    break
            else:
                return None, True
        ending = self._close.search(raw, at) if self._close else None
        return (ending.end() if ending else None), True
