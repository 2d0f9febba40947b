"""An inbox that keeps in memory, can be full, and keeps nothing of a delivery that fails: the twin of the spool."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from ingest.receivers.model import InboxFullError, Receipt


@dataclass(frozen=True, slots=True)
class Kept:
    source: str
    name: str
    data: bytes
    fmt: str = ""
    key: str = ""
    stream: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    source: str
    name: str
    raw: bytes
    reason: str


class MemoryInbox:
    def __init__(self) -> None:
        self.lock = Lock()
        self.kept: list[Kept] = []
        self.refused: list[Refused] = []
        self.full = False
        self.asked = 0

    def accept(
        self, source: str, name: str, pieces: Iterable[bytes], *, fmt: str = "", key: str = "", stream: str = ""
    ) -> Receipt:
        self.asked += 1
        if self.full:
            raise InboxFullError("full", retry_after=0)
        data = b"".join(pieces)  # an error of the pieces passes through: nothing is kept
        with self.lock:
            self.kept.append(Kept(source, name, data, fmt, key, stream))
            return Receipt(f"r{len(self.kept)}", len(data), hashlib.sha256(data).hexdigest())

    def refuse(self, source: str, name: str, raw: bytes, reason: str) -> None:
        if self.full:
            raise InboxFullError("full", retry_after=0)
        with self.lock:
            self.refused.append(Refused(source, name, raw, reason))

    def lines(self, source: str) -> list[bytes]:
        with self.lock:
            return [line for kept in self.kept if kept.source == source for line in kept.data.splitlines()]
