"""Fixed width: columns of so many bytes each, as mainframes and 総合行政 packages write them.

The profile names the columns and their widths in bytes of its encoding, not in characters: in CP932 漢字 take two.
A line has exactly that many bytes. A shorter one may have been cut, and what was cut cannot be told from padding,
so it is refused, and so is a column border inside a character. Padding, spaces of either width, is taken off.
"""

from collections.abc import Iterable, Iterator

from ingest.formats.mapping import Mapper
from ingest.formats.text import TextError, decode, quoted
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["decode_fixed"]

_BOM = b"\xef\xbb\xbf"


def decode_fixed(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Record | Refused]:
    """Decode a fixed-width delivery; see `ingest.model.Decoder`."""
    mapper = Mapper(profile)
    places = {name: f"column {number} {quoted(name)}" for number, name in enumerate(profile.columns, 1)}
    for line, raw in lines:
        if not raw.strip():
            continue
        try:
            cells = _cells(raw, line, profile)
        except TextError as error:
            yield Refused(line, raw, (f"record: {error}",))
            continue
        doc, faults = mapper.document(zip(profile.columns, cells, strict=True), lambda name: places.get(name, name))
        yield Refused(line, raw, tuple(faults)) if faults else Record(line, raw, doc)


def _cells(raw: bytes, line: int, profile: Profile) -> list[str]:
    widths = profile.widths
    if not widths or len(widths) != len(profile.columns) or min(widths) < 1:
        raise TextError(
            f"the profile of {profile.id} does not give each column a width / 列ごとの幅が設定されていません"
        )
    # Decoding the whole first locates bytes that are no text at all.
    text = decode(raw, profile.encoding, first=line == 1).removesuffix("\r")
    encoding = "utf-16-le" if profile.encoding.startswith("utf-16") else profile.encoding
    body = text.encode(encoding) if encoding == "utf-16-le" else raw.removesuffix(b"\r")
    if line == 1 and encoding == "utf-8":
        body = body.removeprefix(_BOM)
    wanted = sum(widths)
    if len(body) != wanted:
        raise TextError(
            f"{len(body)} bytes where {wanted} belong / {len(body)} バイトあります ({wanted} バイトのはずです)"
        )
    cells, at = [], 0
    for number, width in enumerate(widths, 1):
        # A cell that begins at a character's first byte decodes only if it ends at one's last.
        try:
            cells.append(body[at : at + width].decode(encoding))
        except UnicodeDecodeError as error:
            raise TextError(
                f"byte {at + error.start + 1}: a character crosses the end of column {number}"
                f" / {at + error.start + 1} バイト目の文字が列 {number} の境界をまたいでいます"
            ) from error
        at += width
    return cells
