"""From bytes to text, strictly: what does not fit its encoding is reported with its position, never replaced.

Delivered lines are cut at the byte 0x0A, which occurs inside no character of UTF-8, CP932 or EUC-JP. It does inside
UTF-16, so the reader turns that encoding into UTF-8 before it cuts; here its lines are UTF-8, and only the
positions in messages are those of the UTF-16 it was. 外字 are characters: a private use character, and the CP932
bytes F040 to F9FC which are one, pass exactly as they are.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from ingest.model import Doc

__all__ = ["TextError", "decode", "present", "put", "quoted"]

_BOM = b"\xef\xbb\xbf"
_NOT_CP932 = re.compile("[\x80\xa0\uf8f0-\uf8f3]")
"""Python maps the unassigned single bytes 0x80, 0xA0 and 0xFD-0xFF to these instead of refusing them."""
_LONG_NUMBER = re.compile(r"[0-9０-９][0-9０-９ \-]{10,}[0-9０-９]")
_SHOWN = 60


class TextError(ValueError):
    """Bytes that are not text in their source's encoding; the message gives the position of the first one."""


def decode(raw: bytes, encoding: str, *, first: bool = False) -> str:
    """Decode one record.

    Args:
        raw: its bytes.
        encoding: the profile's.
        first: whether this is the start of the delivery, where UTF-8 may carry a byte order mark.

    Raises:
        TextError: naming the first byte (1-based) that does not belong.
    """
    utf16 = encoding.startswith("utf-16")
    skipped = len(_BOM) if first and encoding == "utf-8" and raw.startswith(_BOM) else 0
    body = raw[skipped:]
    try:
        text = body.decode("utf-8" if utf16 else encoding)
    except UnicodeDecodeError as error:
        if utf16:
            at = 2 * _units(body[: error.start]) + 1
            raise TextError(_misfit(at, "half of a surrogate pair", encoding)) from error
        bad = body[error.start : error.end].hex(" ")
        raise TextError(_misfit(skipped + error.start + 1, bad, encoding)) from error
    if encoding == "cp932" and (found := _NOT_CP932.search(text)):
        at = len(text[: found.start()].encode(encoding))
        raise TextError(_misfit(at + 1, body[at : at + 1].hex(), encoding))
    return text


def quoted(text: str) -> str:
    """A source's word for use in a message: short, printable, long numbers masked: they may be a person's."""
    shown = _LONG_NUMBER.sub("(number)", text)
    shown = "".join("?" if unicodedata.category(char).startswith("C") else char for char in shown[:_SHOWN])
    return f"'{shown}{'…' if len(text) > _SHOWN else ''}'"


def put(doc: Doc, path: str, value: object) -> None:
    """Set a dotted path of ours, making the objects on the way."""
    *parents, leaf = path.split(".")
    here: dict[str, Any] = doc
    for name in parents:
        here = here.setdefault(name, {})
    here[leaf] = value


def present(values: Mapping[str, object]) -> dict[str, object]:
    """Only what a source said: no None, no empty text."""
    return {name: value for name, value in values.items() if value is not None and value != ""}


def _units(body: bytes) -> int:
    """How many 16-bit units some good UTF-8 takes."""
    return len(body.decode().encode("utf-16-le")) // 2


def _misfit(at: int, what: str, encoding: str) -> str:
    return f"byte {at}: {what} is not {encoding} / {at} バイト目が {encoding} ではありません"
