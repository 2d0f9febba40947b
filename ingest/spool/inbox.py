"""The inbox that all receivers hand over to: the spool, and the book that knows what was sent before."""

import hashlib
import hmac
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.clock import Clock
from audit.events import mask
from audit.log import StoreError
from audit.log.quarantine import Arrival, Booked, DeliveryBook, Outcome, Refusal
from ingest.receivers.model import IdempotencyError, InboxFullError, Receipt
from ingest.spool.service import Spool

__all__ = ["DurableInbox", "Fate"]

_LOCKS = 64
_NO_BOOK = "台帳に書けません。しばらくしてから送り直してください / the book cannot be written: send again later"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a delivery so far.

    Attributes:
        source: whose it is.
        waiting: it is on disk, not yet in the log.
        outcome: what became of its records, once it does not wait.
        number: its number in the book, once it is there; 0 before.
    """

    source: str
    waiting: bool
    outcome: Outcome
    number: int = 0


class DurableInbox:
    """Keeps what receivers hand over; implements `ingest.receivers.model.Inbox`.

    Args:
        spool: where deliveries wait.
        book: where they are entered.
        clock: for refusals.
        secret: under which an idempotency key that holds a My Number is hashed, for it must be known again.
    """

    def __init__(self, spool: Spool, book: DeliveryBook, clock: Clock, secret: bytes) -> None:
        self._spool = spool
        self._book = book
        self._clock = clock
        self._secret = secret
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def accept(
        self, source: str, name: str, pieces: Iterable[bytes], *, fmt: str = "", key: str = "", stream: str = ""
    ) -> Receipt:
        """Keep one delivery durably; the same key with the same bytes is the same delivery.

        Raises:
            IdempotencyError: the key came before, with other bytes.
            InboxFullError: also where the book cannot say whether the key came before.
        """
        if mask(key)[1]:
            key = hmac.new(self._secret, key.encode(), "sha256").hexdigest()
        if not key:
            return self._spool.accept(source, name, pieces, fmt=fmt, stream=stream)
        with self._locks[hash((source, key)) % _LOCKS]:
            if (known := self._known(source, key)) is None:
                return self._spool.accept(source, name, pieces, fmt=fmt, key=key, stream=stream)
            hashing, size = hashlib.sha256(), 0
            for piece in pieces:
                hashing.update(piece)
                size += len(piece)
        receipt, sha256 = known
        if hashing.hexdigest() != sha256:
            raise IdempotencyError
        return Receipt(receipt, size, sha256, repeated=True)

    def _known(self, source: str, key: str) -> tuple[str, str] | None:
        if (waiting := self._spool.by_key(source, key)) is not None:
            return waiting.receipt, waiting.sha256
        try:
            booked = self._book.by_key(source, key)
        except StoreError as error:
            raise InboxFullError(_NO_BOOK) from error
        return (booked.receipt, booked.sha256) if booked is not None else None

    def refuse(self, source: str, name: str, raw: bytes, reason: str) -> None:
        """Put bytes that are no record into quarantine with the reason."""
        now = self._clock.now()
        try:
            entered = self._book.open(Arrival(source, name, "refused", now))
            self._book.refuse(entered.delivery, [Refusal(1, [raw], [reason])], {})
            self._book.close_all([(entered.delivery, Outcome(read=1, quarantined=1))], now)
        except (StoreError, OSError) as error:
            raise InboxFullError(_NO_BOOK) from error

    def fate(self, receipt: str) -> Fate | None:
        """What became of a delivery; None when there is none of this receipt."""
        waiting = self._spool.source_of(receipt)
        booked: Booked | None = self._book.by_receipt(receipt)
        if booked is not None and (booked.finished_at is not None or not waiting):
            return Fate(booked.source, booked.finished_at is None, booked.outcome, booked.number)
        return Fate(waiting, True, Outcome()) if waiting else None

    def wait_until_done(self, receipt: str, seconds: float) -> bool:
        """Wait until a delivery is in the log or in quarantine; False when the time is up."""
        return self._spool.wait_until_done(receipt, seconds)

    def waiting(self) -> Mapping[str, int]:
        """How many bytes of each source wait."""
        return self._spool.waiting()
