"""How much may wait: a bound for all sources, half of it for any one of them, and a part of the disk that stays free.

The operational log hears of it when that changes, and not at every delivery.
"""

import shutil
import threading
from pathlib import Path

from structlog import get_logger

from ingest.receivers.model import InboxFullError, InboxTooLargeError

__all__ = ["RETRY_AFTER", "Room"]

RETRY_AFTER = 5
"""Seconds after which a sender may try again."""
_FILLING, _FULL = 0.8, 0.98
"""Shares of the limit from which the operational log says so, and from which there is no room to speak of."""
_NO_ROOM = "受信箱がいっぱいです。しばらくしてから送り直してください / the inbox is full: send again later"
_NEVER = "受信箱に入る大きさを超えています。分けて送ってください / larger than the inbox: send it in parts"
_NO_DISK = "ディスクに書けません。しばらくしてから送り直してください / the disk cannot be written: send again later"
_log = get_logger("mimamori.spool")


class Room:
    """The room of one spool. Safe to use from several threads.

    Args:
        folder: where deliveries wait.
        limit: how many bytes may wait.
        reserve: how many bytes of the disk stay free.
        share: which part of the room one source may have.

    Attributes:
        limit: how many bytes may wait.
    """

    def __init__(self, folder: Path, limit: int, reserve: int, share: float = 0.5) -> None:
        self.limit = limit
        self._share = int(limit * share)
        self._folder = folder
        self._reserve = reserve
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}
        self._told = ""
        self._crowded: set[str] = set()

    def take(self, source: str, size: int) -> None:
        """So many more bytes of a source wait, or fewer."""
        with self._lock:
            self._sizes[source] = self._sizes.get(source, 0) + size

    @property
    def held(self) -> int:
        """How many bytes wait."""
        with self._lock:
            return sum(self._sizes.values())

    def by_source(self) -> dict[str, int]:
        """How many bytes of each source wait."""
        with self._lock:
            return {source: size for source, size in self._sizes.items() if size}

    def check(self, source: str, size: int, kept: int = 0) -> None:
        """See that there is room for more of a delivery, so many bytes of which are kept already.

        Raises:
            InboxFullError: there is none now.
            InboxTooLargeError: there will never be.
            OSError: the disk cannot be asked.
        """
        if kept + size > self._share:
            raise InboxTooLargeError(_NEVER)
        if self.held + size > self.limit or self.by_source().get(source, 0) + size > self._share:
            raise InboxFullError(_NO_ROOM, RETRY_AFTER)
        if shutil.disk_usage(self._folder).free < self._reserve + size:
            raise InboxFullError(_NO_DISK, RETRY_AFTER)

    def trouble(self) -> str:
        """Why nothing is taken in; empty when there is room."""
        if self.held >= _FULL * self.limit:
            return "inbox is full"
        try:
            return "disk is full" if shutil.disk_usage(self._folder).free < self._reserve else ""
        except OSError:
            return "disk cannot be read"

    def accepted(self, source: str) -> None:
        """A delivery was kept."""
        self._crowded.discard(source)
        self._tell("inbox is filling" if self.held > _FILLING * self.limit else "")

    def refused(self, source: str) -> None:
        """A delivery was not kept for want of room."""
        if trouble := self.trouble():
            self._tell(trouble)
        elif source not in self._crowded:
            self._crowded.add(source)
            _log.warning("a source has used its share of the inbox", source=source, limit=self._share)

    def failed(self, error: OSError) -> InboxFullError:
        """The disk refused a delivery: what to tell its sender."""
        self._tell("disk cannot be written", error=error.strerror)
        return InboxFullError(f"{_NO_DISK} ({error.strerror})", RETRY_AFTER)

    def _tell(self, trouble: str, **more: str | None) -> None:
        if trouble == self._told:
            return
        self._told = trouble
        if trouble:
            _log.warning(trouble, folder=str(self._folder), held=self.held, limit=self.limit, **more)
        else:
            _log.info("inbox has room again", folder=str(self._folder))
