"""File names: foreign, of any bytes, to be judged and shown but never trusted."""

import os
import unicodedata

from audit.events import mask

__all__ = ["MANIFEST", "MARKERS", "REASON", "is_companion", "is_unfinished", "shown", "with_suffix"]

MARKERS = (".done", ".ok")
MANIFEST = ".manifest"
REASON = ".reason.txt"
_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
_LONGEST = 255
"""Bytes of a file name, on every file system we know."""


def is_unfinished(name: str) -> bool:
    """Whether senders use such a name while they write: they rename the file when it is complete."""
    return name.startswith(".") or name.lower().endswith(_UNFINISHED)


def is_companion(name: str) -> bool:
    """Whether a file says something about another one."""
    return name.endswith((*MARKERS, MANIFEST, REASON))


def shown(name: str) -> str:
    """A name as people may see it: composed, what is invisible or no character escaped, My Numbers masked."""
    text = unicodedata.normalize("NFC", name)
    visible = "".join(char if char == " " or (char != "\\" and char.isprintable()) else _escaped(char) for char in text)
    return mask(visible)[0]


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as os.fsdecode has it
        return f"\\x{code - 0xDC00:02x}"
    return "\\\\" if char == "\\" else char.encode("unicode_escape").decode()


def with_suffix(name: str, suffix: str) -> str:
    """The name with something after it, cut where the file system ends."""
    return os.fsdecode(os.fsencode(name)[: _LONGEST - len(os.fsencode(suffix))]) + suffix
