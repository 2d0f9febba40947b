"""What every receiver hands over, and what it is told."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["IdempotencyError", "Inbox", "InboxFullError", "InboxTooLargeError", "Receipt"]


class InboxFullError(Exception):
    """The spool is at its bound, or its disk is full; nothing was kept of what was handed over.

    Attributes:
        retry_after: seconds after which it is worth trying again.
    """

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class IdempotencyError(Exception):
    """An idempotency key came before, with other bytes; nothing was kept of these."""


class InboxTooLargeError(Exception):
    """The delivery is larger than one source may ever have waiting; nothing was kept of it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One delivery that is durable: it survives a crash and will be in the log or, record by record, in quarantine.

    Attributes:
        name: the receipt's name: under it the sender can ask what became of the delivery.
        size: its bytes.
        sha256: of its bytes, in hexadecimal.
        repeated: the same delivery was accepted before, and this changes nothing.
    """

    name: str
    size: int
    sha256: str
    repeated: bool = False


class Inbox(Protocol):
    """Where receivers put what arrived. Safe to call from several threads; calls that wait share one fsync."""

    def accept(
        self, source: str, name: str, pieces: Iterable[bytes], *, fmt: str = "", key: str = "", stream: str = ""
    ) -> Receipt:
        """Keep one delivery durably; when this returns, it is on disk.

        Args:
            source: whose log it is.
            name: what to call it in the book, a file name for example.
            pieces: its bytes in order.
            fmt: its format; empty for the one in the source's profile.
            key: the sender's idempotency key; may be empty.
            stream: what it is a part of, when a sender that never repeats itself is cut into deliveries: a connection,
                a file that grows. Identical records without an id are then told apart across its deliveries.

        Raises:
            InboxFullError: nothing was kept; try again later.
            InboxTooLargeError: nothing was kept, and never will be.
            Exception: whatever `pieces` raised; nothing was kept.
        """

    def refuse(self, source: str, name: str, raw: bytes, reason: str) -> None:
        """Put bytes that are no record into quarantine with the reason, in both languages.

        Raises:
            InboxFullError: nothing was kept; try again later.
        """
