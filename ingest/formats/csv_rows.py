"""CSV and TSV: a header or the profile names the columns, the profile says which of them is which of ours.

A quoted field may hold delimiters and line feeds, so a record may span lines. A quote that never closes must
not swallow the rest of the delivery: after `MAX_LINES` lines or `MAX_BYTES` bytes its first line alone is
refused, and reading goes on at the next. What the cells mean is `ingest.formats.mapping`'s; two columns for one
place of ours are refused with the header, unless they are a day and its time, or hold lists. A header that names no
column of the profile is most likely a record: it is refused and counted, so that nothing is lost in its place.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from audit.events import Kind
from ingest.formats.mapping import KINDS, Mapper
from ingest.formats.text import TextError, decode, quoted
from ingest.model import Doc, Record, Refused
from ingest.sources.profile import Profile

__all__ = ["MAX_BYTES", "MAX_LINES", "OpenQuoteError", "RowError", "Table", "decode_csv", "read_rows", "split_row"]

MAX_LINES = 100
"""No cell of an access log is longer; a longer one is a quote left open."""
MAX_BYTES = 1 << 20
_QUOTED = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"')


class RowError(ValueError):
    """A record that breaks the rules of CSV."""


class OpenQuoteError(RowError):
    """A record that goes on in the next line, or should have."""


class BadBytesError(RowError):
    """The record is whole, and holds bytes that are not of its encoding."""


def decode_csv(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Record | Refused]:
    """Decode a CSV or TSV delivery; see `ingest.model.Decoder`."""
    table: Table | None = None if profile.header else Table(profile.columns, profile)
    for line, raw, read in read_rows(lines, profile):
        if isinstance(read, str):
            yield Refused(line, raw, (read,))
        elif table is None:
            table = Table(tuple(read), profile)
            if table.faults:
                yield Refused(line, raw, table.faults)
        elif table.faults:
            yield Refused(line, raw, ("header: cannot be used / 見出し行を使えません", *table.faults))
        else:
            doc, faults = table.document(read)
            yield Refused(line, raw, tuple(faults)) if faults else Record(line, raw, doc)


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
                raise OpenQuoteError(f"column {len(cells) + 1}: the quote never closes / 引用符が閉じていません")
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


def read_rows(
    lines: Iterable[tuple[int, bytes]],
    profile: Profile,
    max_lines: int = MAX_LINES,
    cut: Callable[[str, str], list[str]] = split_row,
) -> Iterator[tuple[int, bytes, list[str] | str]]:
    """Cut the delivery into records: first line, bytes, and the cells or the reason why there are none.

    Args:
        lines: number and bytes of every line.
        profile: how this source writes.
        max_lines: a record of more lines is a quote left open.
        cut: cuts one record at a delimiter; raises `OpenQuoteError` when the record goes on in the next line.
    """
    source = iter(lines)
    waiting: deque[tuple[int, bytes]] = deque()

    def pull() -> tuple[int, bytes] | None:
        return waiting.popleft() if waiting else next(source, None)

    while (taken := pull()) is not None:
        line, raw = taken
        if not raw.strip():
            continue
        held: list[tuple[int, bytes]] = []
        whole, read = raw, _cells(raw, line, profile, cut)
        while isinstance(read, OpenQuoteError) and len(held) + 1 < max_lines and len(whole) < MAX_BYTES:
            if (following := pull()) is None:
                break
            held.append(following)
            whole += b"\n" + following[1]
            if b'"' in following[1]:  # nothing else can close the field
                read = _cells(whole, line, profile, cut)
        if isinstance(read, RowError) and held and not isinstance(read, BadBytesError):
            waiting.extendleft(reversed(held))
            whole = raw
        yield line, whole, str(read) if isinstance(read, RowError) else read


def _cells(raw: bytes, line: int, profile: Profile, cut: Callable[[str, str], list[str]]) -> list[str] | RowError:
    try:
        text = decode(raw, profile.encoding, first=line == 1).removesuffix("\r")
        return cut(text, profile.delimiter or ",")
    except TextError as error:
        try:  # what follows in the same quotes is no record of its own
            encoding = "utf-8" if profile.encoding.startswith("utf-16") else profile.encoding
            cut(raw.decode(encoding, "replace").removesuffix("\r"), profile.delimiter or ",")
        except OpenQuoteError:
            return OpenQuoteError(f"record: {error}")
        except RowError:
            pass
        return BadBytesError(f"record: {error}")
    except RowError as error:
        return error


class Table:
    """The columns of one delivery and what each of them means.

    Attributes:
        faults: why the columns cannot be used; none when they can.
    """

    def __init__(self, columns: tuple[str, ...], profile: Profile) -> None:
        self._mapper = Mapper(profile)
        given = tuple(name.strip().removesuffix("\r") for name in columns)
        self._names = tuple(name or f"column {number}" for number, name in enumerate(given, 1))
        self._places = {
            shown: f"column {number} {quoted(name)}" if name else shown
            for number, (name, shown) in enumerate(zip(given, self._names, strict=True), 1)
        }
        self.faults = tuple(self._check(given))

    def _check(self, given: tuple[str, ...]) -> Iterator[str]:
        if not any(given):
            yield "header: names no column / 列名がありません"
        elif "time" not in self._mapper.profile.constants and not any(map(self._mapper.path_of, given)):
            # Else the first record of a delivery without a header would pass for one, and be lost uncounted.
            yield "header: no column of the profile, is it a record? / プロファイルの列がなく、記録かもしれません"
        elif any(re.search(r"\r(?!\n)", name) for name in given):
            yield "header: lines end in CR alone / 改行が CR だけです"
        taken: set[str] = set()
        for number, name in enumerate(given, 1):
            path = self._mapper.path_of(name)
            if name and name in given[: number - 1]:
                yield f"header: column {number} {quoted(name)} stands twice / 列名が重複しています"
            if path in taken:
                yield f"header: column {number}: a second column for {path} / {path} の列が二つあります"
            if path and path != "time" and KINDS[path] is not Kind.IDS:
                taken.add(path)

    def _where(self, name: str) -> str:
        return self._places.get(name, name)

    def document(self, cells: list[str]) -> tuple[Doc, list[str]]:
        """One row in the contract's form, and what is wrong with it."""
        if len(cells) != len(self._names):
            wanted = len(self._names)
            english = f"record: {len(cells)} columns where {wanted} belong"
            return {}, [f"{english} / 列が {len(cells)} 個あります ({wanted} 個のはずです)"]
        return self._mapper.document(zip(self._names, cells, strict=True), self._where)
