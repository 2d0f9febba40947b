"""What belongs to one source's folder, and handing over to the inbox."""

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from audit.clock import Clock
from audit.texts import Texts
from ingest.receivers.folder.model import DropSource, FileBusyError, FileFaultError, Limits, OutcomeKind
from ingest.receivers.folder.moving import DONE, ERROR
from ingest.receivers.folder.names import shown
from ingest.receivers.folder.state import FolderState
from ingest.receivers.folder.telling import Telling
from ingest.receivers.model import Inbox, InboxFullError, InboxTooLargeError, Receipt

__all__ = ["Announce", "Listing", "Place", "open_file"]

Announce = Callable[[str, str, int | None, str], None]
"""Told of a batch that a manifest announces: source, file name as shown, rows if given, SHA-256 if given."""
_RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in a folder at one look: files by name, and what is neither file nor folder."""

    files: dict[str, os.stat_result] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> "Listing":
        """Look.

        Raises:
            OSError: the folder cannot be read.
        """
        listing = cls()
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:  # gone since, or not ours to see: the next look tells
                    continue
                if stat.S_ISREG(status.st_mode):
                    listing.files[entry.name] = status
                elif not stat.S_ISDIR(status.st_mode):
                    listing.strange.append(entry.name)
                elif entry.name not in {DONE, ERROR}:
                    listing.folders.append(entry.name)
        return listing


@dataclass(slots=True)
class Place:
    """One source's folder and all that is needed to empty it."""

    folder: Path
    source_id: str
    source: DropSource | None
    inbox: Inbox
    limits: Limits
    clock: Clock
    monotonic: Callable[[], float]
    tell: Telling
    announce: Announce
    state: FolderState

    def hand_over(self, name: str, pieces: Iterable[bytes], *, key: str = "", stream: str = "") -> Receipt:
        """Give one delivery to the inbox.

        Args:
            name: what it is called.
            pieces: its bytes.
            key: the same when the same bytes are handed over again.
            stream: what it is a part of.

        Raises:
            FileFaultError: the file is not what it should be.
            FileBusyError: the file cannot be read now.
            InboxFullError: nothing was kept, for whatever reason.
        """
        assert self.source is not None, "an unknown source's files are never handed over"  # noqa: S101 - a bug if not
        try:
            return self.inbox.accept(
                self.source_id, shown(name), pieces, fmt=self.source.format, key=key, stream=stream
            )
        except (InboxFullError, FileFaultError, FileBusyError):
            raise
        except InboxTooLargeError as error:
            raise FileFaultError(
                "larger than the inbox: cut it", "受信箱に入る大きさを超えています。分割してください"
            ) from error
        except Exception as error:
            self.tell(
                OutcomeKind.NOT_KEPT,
                self.source_id,
                name,
                Texts(
                    f"保存できません。再試行します ({type(error).__name__})",
                    f"it cannot be kept, it is tried again ({type(error).__name__})",
                ),
            )
            raise InboxFullError("the inbox failed", _RETRY_SECONDS) from error

    def save(self) -> None:
        """Save the state; without it files may be taken twice after a restart, which changes nothing in the log."""
        try:
            self.state.save()
        except OSError as error:
            self.tell(
                OutcomeKind.STATE_LOST,
                self.source_id,
                self.state.path.name,
                Texts(f"状態を保存できません ({error.strerror})", f"the state cannot be saved ({error.strerror})"),
            )


def open_file(path: Path) -> int:
    """Open a regular file for reading, and nothing that a link could lead to or a device could be.

    Raises:
        FileBusyError: it cannot be opened now.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        name = error.strerror or type(error).__name__
        raise FileBusyError(f"it cannot be opened ({name})", f"開けません ({name})") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileBusyError("it is no file any more", "ファイルではなくなりました")
    return descriptor
