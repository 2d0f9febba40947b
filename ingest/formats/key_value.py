r"""Lists of `name=value`, as many Japanese packages write their operation logs, and logfmt with them.

Cells are separated as in CSV, and what stands in front without a name is named by the profile's columns:
`2026/10/05 09:13:22,s0412,照会,宛名番号=0004512345`. A first bare cell for which there is no column is the time;
further ones are kept as `column N`. A value may hold `=`; only the first one separates. A cell, or a value, may be
quoted: doubled quotes stand for one as in CSV, and where the delimiter is a space `\"` does, as in logfmt. A quoted
cell may span lines.
"""

import re
from collections.abc import Iterable, Iterator

from ingest.formats.csv_rows import MAX_LINES, OpenQuoteError, RowError, read_rows
from ingest.formats.mapping import Mapper
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["decode_key_value", "split_pairs"]

_DOUBLED = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"')
_ESCAPED = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}


def decode_key_value(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Record | Refused]:
    """Decode a delivery of key=value lists; see `ingest.model.Decoder`."""
    mapper = Mapper(profile)
    columns = profile.columns or ("time",)
    for line, raw, read in read_rows(lines, profile, MAX_LINES, split_pairs):
        if isinstance(read, str):
            yield Refused(line, raw, (read,))
            continue
        doc, faults = mapper.document(_named(read, columns))
        yield Refused(line, raw, tuple(faults)) if faults else Record(line, raw, doc)


def _named(cells: list[str], columns: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    bare = 0
    for number, cell in enumerate(cells, 1):
        name, equals, value = cell.partition("=")
        if equals and (name := name.strip()):
            yield name, value
            continue
        yield columns[bare] if bare < len(columns) else f"column {number}", cell
        bare += 1


def split_pairs(text: str, delimiter: str) -> list[str]:
    """Cut one record into its cells, quotes taken off.

    Raises:
        RowError: naming the cell whose quotes are wrong.
    """
    spaced = delimiter == " "
    if '"' not in text:
        return text.split() if spaced else text.split(delimiter)
    quote = _ESCAPED if spaced else _DOUBLED
    cells: list[str] = []
    at = 0
    while True:
        begin = at
        end = text.find(delimiter, at)
        end = end if end >= 0 else len(text)
        equals = text.find('="', at, end)
        if text.startswith('"', at) or equals >= 0:
            begin = at if text.startswith('"', at) else equals + 1
            match = quote.match(text, begin)
            if match is None:
                raise OpenQuoteError(f"column {len(cells) + 1}: the quote never closes / 引用符が閉じていません")
            inner = _ESCAPE.sub(_unescaped, match[1]) if spaced else match[1].replace('""', '"')
            cells.append(text[at:begin] + inner)
            at = match.end()
            if at < len(text) and not text.startswith(delimiter, at):
                raise RowError(f"column {len(cells)}: text after the closing quote / 閉じた引用符の後に文字があります")
        else:
            if end > at or not spaced:
                cells.append(text[at:end])
            at = end
        if at >= len(text):
            return cells
        at += len(delimiter)


def _unescaped(match: re.Match[str]) -> str:
    return _CONTROLS.get(match[1], match[1])
