"""CSV and TSV: a header or the profile names the columns, the profile says which of them is which of ours.

A quoted field may hold delimiters and line feeds, so a record may span lines. A quote that never closes must
not swallow the rest of the delivery: after `MAX_LINES` lines or `MAX_BYTES` bytes its first line alone is
refused, and reading goes on at the next. What is not mapped is kept under the column's own name; a column
that already bears one of our paths needs no mapping. Several columns mapped to `time` are read as one.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from audit.events import FIELDS, Activity, Kind, Outcome
from ingest.formats.japanese import ascii_forms, finer_than_kept, parse_number, parse_time
from ingest.formats.text import TextError, decode, put, quoted
from ingest.model import Doc, Record, Refused
from ingest.sources.profile import Profile

__all__ = ["MAX_BYTES", "MAX_LINES", "RowError", "decode_csv", "read_rows", "split_row"]

MAX_LINES = 100
"""No cell of an access log is longer; a longer one is a quote left open."""
MAX_BYTES = 1 << 20
_QUOTED = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"')
_KINDS: Mapping[str, Kind] = {field.path: field.kind for field in FIELDS if field.path != "unmapped"}
_WORDS: Mapping[str, frozenset[str]] = {"activity": frozenset(Activity), "outcome": frozenset(Outcome)}
_TRUE = frozenset({"1", "true", "yes", "y", "○", "〇", "有", "はい", "済"})
_FALSE = frozenset({"0", "false", "no", "n", "×", "無", "いいえ", "未"})


class RowError(ValueError):
    """A record that breaks the rules of CSV."""


class _OpenQuoteError(RowError):
    """A record that goes on in the next line, or should have."""


def decode_csv(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Record | Refused]:
    """Decode a CSV or TSV delivery; see `ingest.model.Decoder`."""
    table: _Table | None = None if profile.header else _Table(profile.columns, profile)
    for line, raw, read in read_rows(lines, profile):
        if isinstance(read, str):
            yield Refused(line, raw, (read,))
        elif table is None:
            table = _Table(tuple(read), profile)
            if table.faults:
                yield Refused(line, raw, table.faults)
        elif table.faults:
            yield Refused(line, raw, ("header: cannot be used / 見出し行を使えません", *table.faults))
        else:
            doc, faults = table.document(read)
            yield Refused(line, raw, tuple(faults)) if faults else Record(line, raw, doc)


def read_rows(
    lines: Iterable[tuple[int, bytes]], profile: Profile, max_lines: int = MAX_LINES
) -> Iterator[tuple[int, bytes, list[str] | str]]:
    """Cut the delivery into records: first line, bytes, and the cells or the reason why there are none."""
    source = iter(lines)
    waiting: deque[tuple[int, bytes]] = deque()

    def pull() -> tuple[int, bytes] | None:
        return waiting.popleft() if waiting else next(source, None)

    while (taken := pull()) is not None:
        line, raw = taken
        if not raw.strip():
            continue
        held: list[tuple[int, bytes]] = []
        whole, read = raw, _cells(raw, line, profile)
        while isinstance(read, _OpenQuoteError) and len(held) + 1 < max_lines and len(whole) < MAX_BYTES:
            if (following := pull()) is None:
                break
            held.append(following)
            whole += b"\n" + following[1]
            if b'"' in following[1]:  # nothing else can close the field
                read = _cells(whole, line, profile)
        if isinstance(read, RowError) and held:
            waiting.extendleft(reversed(held))
            whole = raw
        yield line, whole, str(read) if isinstance(read, RowError) else read


def _cells(raw: bytes, line: int, profile: Profile) -> list[str] | RowError:
    try:
        text = decode(raw, profile.encoding, first=line == 1).removesuffix("\r")
        return split_row(text, profile.delimiter)
    except TextError as error:
        # An open quote with bad bytes ends here too: the bytes decide, not what might have followed them.
        return RowError(f"record: {error}")
    except RowError as error:
        return error


def split_row(text: str, delimiter: str) -> list[str]:
    """Cut one record into its cells.

    Raises:
        RowError: naming the column whose quotes are wrong.
    """
    if '"' not in text:
        return text.split(delimiter)
    cells: list[str] = []
    at = 0
    while True:
        if text.startswith('"', at):
            match = _QUOTED.match(text, at)
            if match is None:
                raise _OpenQuoteError(f"column {len(cells) + 1}: the quote never closes / 引用符が閉じていません")
            cells.append(match[1].replace('""', '"'))
            at = match.end()
            if at < len(text) and not text.startswith(delimiter, at):
                raise RowError(f"column {len(cells)}: text after the closing quote / 閉じた引用符の後に文字があります")
        else:
            end = text.find(delimiter, at)
            cells.append(text[at : end if end >= 0 else len(text)])
            at = end if end >= 0 else len(text)
        if at >= len(text):
            return cells
        at += len(delimiter)


class _Table:
    """The columns of one delivery and what each of them means."""

    def __init__(self, columns: tuple[str, ...], profile: Profile) -> None:
        self._profile = profile
        self._names = tuple(name.strip().removesuffix("\r") for name in columns)
        self._paths = tuple(profile.fields.get(name, name if name in _KINDS else "") for name in self._names)
        self.faults = tuple(self._check())

    def _check(self) -> Iterator[str]:
        if not any(self._names):
            yield "header: names no column / 列名がありません"
        for number, name in enumerate(self._names, 1):
            if name in self._names[: number - 1] and name:
                yield f"header: column {number} {quoted(name)} stands twice / 列名が重複しています"
        for number, path in enumerate(self._paths, 1):
            if path and path != "time" and path in self._paths[: number - 1]:
                yield f"header: column {number}: a second column for {path} / {path} の列が二つあります"

    def document(self, cells: list[str]) -> tuple[Doc, list[str]]:
        """One row in the contract's form, and what is wrong with it."""
        if len(cells) != len(self._names):
            wanted = len(self._names)
            english = f"record: {len(cells)} columns where {wanted} belong"
            return {}, [f"{english} / 列が {len(cells)} 個あります ({wanted} 個のはずです)"]
        doc: Doc = {}
        unmapped: dict[str, Any] = {}
        faults: list[str] = []
        words: dict[str, tuple[str, str]] = {}
        for number, (name, path, cell) in enumerate(zip(self._names, self._paths, cells, strict=True), 1):
            value = cell.strip()
            if not value:
                continue
            if path in {"activity", "outcome"}:
                words[path] = (name, value)
            elif path == "time" and path in words:
                words[path] = (name, f"{words[path][1]} {value}")
            elif path == "time":
                words[path] = (name, value)
            elif path in _KINDS:
                self._take(doc, faults, f"column {number} {quoted(name)}", path, value)
            else:
                unmapped[path.removeprefix("unmapped.") or name or f"column {number}"] = value
        self._constants(doc, words, unmapped, faults)
        self._judge(doc, words, unmapped, faults)
        if unmapped:
            doc["unmapped"] = unmapped
        return doc, faults

    def _take(self, doc: Doc, faults: list[str], where: str, path: str, value: str) -> None:
        try:
            put(doc, path, self._convert(path, value))
        except ValueError as error:
            faults.append(f"{where}: {path}: {error}")

    def _convert(self, path: str, value: str) -> object:
        kind = _KINDS[path]
        if kind is Kind.IDS:
            separator = self._profile.split.get(path)
            items = value.split(separator) if separator else [value]
            return [item.strip() for item in items if item.strip()]
        if kind is Kind.COUNT:
            return parse_number(value)
        if kind is Kind.TIME:
            return parse_time(value, self._profile.zone, self._profile.times).isoformat()
        if kind is Kind.FLAG:
            word = ascii_forms(value).lower()
            if word not in _TRUE | _FALSE:
                raise ValueError("neither yes nor no / はい・いいえのどちらでもありません")
            return word in _TRUE
        return value

    def _constants(
        self, doc: Doc, words: dict[str, tuple[str, str]], unmapped: dict[str, Any], faults: list[str]
    ) -> None:
        for path, value in self._profile.constants.items():
            if path in {"activity", "outcome", "time"}:
                words.setdefault(path, (path, value))
            elif path not in _KINDS:
                unmapped.setdefault(path.removeprefix("unmapped."), value)
            elif not _has(doc, path):
                self._take(doc, faults, "profile", path, value)

    def _judge(self, doc: Doc, words: dict[str, tuple[str, str]], unmapped: dict[str, Any], faults: list[str]) -> None:
        """What may need more than one column."""
        if "time" not in words:
            faults.append("time: is missing / 時刻がありません")
        else:
            name, text = words["time"]
            self._take(doc, faults, quoted(name), "time", text)
            if finer_than_kept(text):
                unmapped[name] = text
        self._judge_words(doc, words, unmapped, faults)

    def _judge_words(
        self, doc: Doc, words: dict[str, tuple[str, str]], unmapped: dict[str, Any], faults: list[str]
    ) -> None:
        if "activity" not in words and isinstance(doc.get("operation_name"), str):
            words["activity"] = ("operation_name", doc["operation_name"])
        if "activity" not in words:
            faults.append("activity: is missing / 操作の種類がありません")
        for path, (name, word) in words.items():
            if path == "time":
                continue
            table = self._profile.activities if path == "activity" else self._profile.outcomes
            ours = table.get(word, word)
            if ours not in _WORDS[path]:
                label = "operation" if path == "activity" else "outcome"
                faults.append(
                    f"{path}: {label} {quoted(word)} is not in the vocabulary of source {self._profile.id}"
                    f" / {quoted(word)} は {self._profile.id} の語彙にありません"
                )
                continue
            doc[path] = str(ours)
            if path == "activity" and "operation_name" not in doc:
                if word != ours or name in self._names:
                    doc["operation_name"] = word
            elif word != ours and name in self._names:
                unmapped[name] = word


def _has(doc: Doc, path: str) -> bool:
    here: Any = doc
    for name in path.split("."):
        if not isinstance(here, dict) or name not in here:
            return False
        here = here[name]
    return True
