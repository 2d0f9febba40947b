"""Telling somebody, but not too often: a flood of strangers must not become a flood of records.

The same kind of thing about the same peer is told at once, then at most once a minute with the number of times.
Addresses can be forged, so beyond a hundred peers a minute all others are told of together.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from audit.texts import Texts
from ingest.receivers.syslog.model import Notice, NoticeKind

__all__ = ["Notices"]

_EVERY_SECONDS = 60.0
_MOST = 100
_OTHERS = "*"


class Notices:
    """Counts what happens, and tells of it within bounds. Safe to call from several threads."""

    def __init__(self, tell: Callable[[Notice], None]) -> None:
        self._tell = tell
        self._lock = Lock()
        self._told: dict[tuple[NoticeKind, str], float] = {}
        self._untold: dict[tuple[NoticeKind, str], Notice] = {}
        self.counts: Counter[NoticeKind] = Counter()

    def note(self, kind: NoticeKind, text: Texts, *, peer: str = "", source: str = "", count: int = 1) -> None:
        """Count one thing, and tell of it now or later."""
        now = time.monotonic()
        with self._lock:
            self.counts[kind] += count
            key = (kind, peer)
            if key not in self._told and len(self._told) >= _MOST:
                key = (kind, _OTHERS)
            before = self._untold.get(key)
            notice = Notice(kind, key[1], source, text, count + (before.count if before else 0))
            if now - self._told.get(key, -_EVERY_SECONDS) < _EVERY_SECONDS:
                self._untold[key] = notice
                return
            self._told[key] = now
            self._untold.pop(key, None)
        self._deliver(notice)

    def flush(self, *, everything: bool = False) -> None:
        """Tell of what has waited for its minute, or at the end of everything."""
        now = time.monotonic()
        with self._lock:
            old = {key for key, at in self._told.items() if everything or now - at >= _EVERY_SECONDS}
            due = [self._untold.pop(key) for key in old if key in self._untold]
            for key in old:
                del self._told[key]
            self._told.update(dict.fromkeys(((notice.kind, notice.peer) for notice in due), now))
        for notice in due:
            self._deliver(notice)

    def _deliver(self, notice: Notice) -> None:
        try:
            self._tell(notice)
        except Exception:  # noqa: BLE001 - whoever cannot be told now is told in a minute; reading must go on
            with self._lock:
                key = (notice.kind, notice.peer)
                later = self._untold.get(key)
                count = notice.count + (later.count if later else 0)
                self._untold[key] = replace(later or notice, count=count)
