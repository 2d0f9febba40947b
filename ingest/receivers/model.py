"""What every receiver hands over, and what it is told."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Inbox", "InboxFullError", "Receipt"]


class InboxFullError(Exception):
    """The spool is at its bound, or its disk is full; nothing was kept of what was handed over.

    Attributes:
        retry_after: seconds after which it is worth trying again.
    """

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Receipt:
    """One delivery that is durable: it survives a crash and will be in the log or, record by record, in quarantine.

    Attributes:
        number: the delivery's number in the book.
        size: its bytes.
        sha256: of its bytes, in hexadecimal.
    """

    number: int
    size: int
    sha256: str


class Inbox(Protocol):
    """Where receivers put what arrived. Safe to call from several threads; calls that wait share one fsync."""

    def accept(self, source: str, name: str, pieces: Iterable[bytes], fmt: str = "") -> Receipt:
        """Keep one delivery durably; when this returns, it is on disk.

        Args:
            source: whose log it is.
            name: what to call it in the book, a file name for example.
            pieces: its bytes in order.
            fmt: its format; empty for the one in the source's profile.

        Raises:
            InboxFullError: nothing was kept; try again later.
        """

    def refuse(self, source: str, name: str, raw: bytes, reason: str) -> None:
        """Put bytes that are no record into quarantine with the reason, in both languages.

        Raises:
            InboxFullError: nothing was kept; try again later.
        """
