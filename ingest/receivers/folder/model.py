"""What a drop folder is told, and what it tells.

Errors, never seen outside this package:

    FileFaultError      the file can never be taken: it goes to `error/` with its reason
    FileBusyError       not now: it stays, and is looked at again
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from audit.texts import Texts

__all__ = ["DropSource", "FileBusyError", "FileFaultError", "Health", "Limits", "Outcome", "OutcomeKind"]


class FileFaultError(Exception):
    """A file that can never be taken.

    Attributes:
        reason: why.
    """

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.reason = Texts(ja, en)


class FileBusyError(Exception):
    """A file that cannot be taken now: somebody still writes it, or it cannot be read.

    Attributes:
        reason: why.
    """

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.reason = Texts(ja, en)


@dataclass(frozen=True, slots=True)
class DropSource:
    """How one source drops its files.

    Attributes:
        tail: its files grow in place and are rotated by the source; every new whole line is taken, nothing is moved.
            Only for formats in which a line is a record.
        marker: a file is taken only once `NAME.done` or `NAME.ok` lies beside it.
        repeat_header: with `tail`, the file's first line goes in front of every piece: CSV that names its columns.
        format: the format, where it is not the one of the source's profile.
    """

    tail: bool = False
    marker: bool = False
    repeat_header: bool = False
    format: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a drop folder.

    Attributes:
        poll_seconds: so often the folders are looked at.
        settle_seconds: a file without a marker is complete when nothing about it has changed for so long.
        unpacked_bytes: a packed file may unpack to so much,
        ratio: and to so many times its own size,
        ratio_from: which is judged once it has unpacked to so many bytes: a short file of zeros harms nobody.
        manifest_bytes: a manifest is no longer than this.
        piece_bytes: a growing file is taken in pieces of about so much.
        unended_seconds: the last line of a file rotated away is taken without its end after so long.
        retry_seconds: a file for which the inbox had no room is tried again after as long as the inbox says, then after
            twice as long and so on, up to this: each try reads it anew.
        watch_seconds: a file that was taken is looked at again for so long, should somebody still write it.
    """

    poll_seconds: float = 5.0
    settle_seconds: float = 10.0
    unpacked_bytes: int = 20 << 30
    ratio: int = 200
    ratio_from: int = 16 << 20
    manifest_bytes: int = 64 << 10
    piece_bytes: int = 64 << 20
    unended_seconds: float = 60.0
    retry_seconds: float = 300.0
    watch_seconds: float = 600.0


class OutcomeKind(StrEnum):
    """What became of a file."""

    FAULTY = "faulty"
    GREW = "grew"
    IGNORED = "ignored"
    NOT_KEPT = "not_kept"
    NOT_MOVED = "not_moved"
    STATE_LOST = "state_lost"
    TAKEN = "taken"
    TAKEN_AGAIN = "taken_again"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing worth telling about a file; what lasts is told at most every ten minutes.

    Attributes:
        kind: what became of it.
        source: the source, or the folder's name where it is no source.
        name: the file's name as it may be shown: control characters escaped, My Numbers masked.
        text: what happened.
        size: the file's bytes, or the piece's.
        sha256: of the file as it lay there, in hexadecimal; empty for a piece.
        receipt: the receipt's name, when it was taken.
    """

    kind: OutcomeKind
    source: str
    name: str
    text: Texts
    size: int = 0
    sha256: str = ""
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the folders.

    Attributes:
        counts: how often each kind of outcome came about since the start.
        waiting: files that lie in the folders and were not taken at the last look.
        longest_seconds: how long the oldest of them has been lying there since we first saw it.
        stopped: whether at the last look the inbox did not take all that could have been taken.
    """

    counts: Mapping[OutcomeKind, int]
    waiting: int
    longest_seconds: float
    stopped: bool
