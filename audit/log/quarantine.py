"""Quarantine and deliveries: what arrived, what became of it, and every record that was no event.

A refused record keeps its reasons and its exact bytes. The bytes may hold what must never stand in a table (a My
Number above all), so that they rest encrypted in a file of their own delivery, and the state database only knows
where. The same record delivered again is counted, not kept twice.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, Index, LargeBinary, String, Text, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.events import Fault, mask
from audit.log.model import Delivery
from audit.store.state import Base, StateStore, UtcTime

__all__ = [
    "Arrival",
    "Booked",
    "DeliveryBook",
    "DeliveryRow",
    "Entered",
    "Outcome",
    "Quarantined",
    "Refusal",
    "SourceTotals",
]

_FRAME = 1 << 20
"""Bytes encrypted at a time, so that a 100 MB record never needs 100 MB of memory twice."""
_NONCE = 12


class DeliveryRow(Base):
    """One delivery."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_source", "source"), UniqueConstraint("source", "key"))

    number: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(String(40))
    received_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    read: Mapped[int] = mapped_column(default=0)
    stored: Mapped[int] = mapped_column(default=0)
    duplicates: Mapped[int] = mapped_column(default=0)
    quarantined: Mapped[int] = mapped_column(default=0)
    masked: Mapped[int] = mapped_column(default=0)
    receipt: Mapped[str | None] = mapped_column(String(80), unique=True)
    key: Mapped[str | None] = mapped_column(String(300))
    sha256: Mapped[str | None] = mapped_column(String(64))
    stream: Mapped[str | None] = mapped_column(String(200), index=True)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery as it comes.

    Attributes:
        source: whose log it is.
        name: what to call it.
        fmt: its format.
        received_at: when it arrived.
        receipt: its name in the spool; empty for what does not pass through it.
        key: the sender's idempotency key; may be empty.
        sha256: of its bytes, in hexadecimal; may be empty.
        stream: the stream that it is a part of, a connection for example; empty when it stands alone.
    """

    source: str
    name: str
    fmt: str
    received_at: datetime
    receipt: str = ""
    key: str = ""
    sha256: str = ""
    stream: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """A delivery in the book.

    Attributes:
        delivery: under this number.
        resumed: it was begun before, by a process that ended before it was done.
        finished: it was done before, and only its end was not told.
    """

    delivery: Delivery
    resumed: bool = False
    finished: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of a delivery: `read = stored + duplicates + quarantined`; `masked` My Numbers were masked."""

    read: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    masked: int = 0


@dataclass(frozen=True, slots=True)
class Booked:
    """What the book says of a delivery."""

    number: int
    source: str
    receipt: str
    sha256: str
    received_at: datetime
    finished_at: datetime | None
    outcome: Outcome
    name: str


class QuarantineRow(Base):
    """One refused record."""

    __tablename__ = "quarantine"
    __table_args__ = (UniqueConstraint("source", "digest", "ordinal"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery: Mapped[int] = mapped_column(index=True)
    source: Mapped[str] = mapped_column(String(200))
    line: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    ordinal: Mapped[int]
    offset: Mapped[int]
    length: Mapped[int]
    reasons: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcTime)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record on its way into quarantine: its 1-based line, its bytes in pieces, why it is no event."""

    line: int
    raw: Iterable[bytes]
    reasons: Sequence[Fault | str]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One refused record, without its bytes.

    Attributes:
        id: its number.
        source: whose record it claims to be.
        delivery: the delivery it came with.
        line: 1-based number of its first line there.
        length: its length in bytes.
        reasons: why it is no event.
        at: when it arrived.
    """

    id: int
    source: str
    delivery: int
    line: int
    length: int
    reasons: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class SourceTotals:
    """What one source has delivered so far."""

    source: str
    deliveries: int
    read: int
    stored: int
    duplicates: int
    quarantined: int
    last_received: datetime


class DeliveryBook:
    """The book of deliveries and their refused records.

    Args:
        state: where the book is kept.
        folder: where the bytes of refused records are kept.
        key: the 32-byte key that they are encrypted with.
    """

    def __init__(self, state: StateStore, folder: Path, key: bytes) -> None:
        self._state = state
        self._folder = folder
        self._cipher = AESGCM(key)

    def open(self, arrival: Arrival) -> Entered:
        """Enter a delivery; see `open_all`."""
        return self.open_all([arrival])[0]

    def open_all(self, arrivals: Sequence[Arrival]) -> list[Entered]:
        """Enter deliveries; one whose receipt is in the book already is the same delivery, taken up again."""
        with self._state.unit() as session:
            receipts = [arrival.receipt for arrival in arrivals if arrival.receipt]
            known = {
                row.receipt: row
                for row in session.scalars(select(DeliveryRow).where(DeliveryRow.receipt.in_(receipts)))
            }
            rows = [known.get(arrival.receipt) or self._enter(session, arrival) for arrival in arrivals]
            session.flush()
            return [
                Entered(
                    Delivery(row.number, row.source, row.received_at, scope=self._scope(session, row)),
                    resumed=row.receipt in known,
                    finished=row.finished_at is not None,
                )
                for row in rows
            ]

    @staticmethod
    def _scope(session: Session, row: DeliveryRow) -> int:
        """The first delivery of the same stream."""
        if not row.stream:
            return 0
        first = select(func.min(DeliveryRow.number)).where(DeliveryRow.stream == row.stream)
        return session.scalar(first) or row.number

    @staticmethod
    def _enter(session: Session, arrival: Arrival) -> DeliveryRow:
        row = DeliveryRow(
            source=arrival.source,
            name=mask(arrival.name)[0],
            format=arrival.fmt,
            received_at=arrival.received_at,
            receipt=arrival.receipt or None,
            key=arrival.key or None,
            sha256=arrival.sha256 or None,
            stream=arrival.stream or None,
        )
        session.add(row)
        return row

    def close_all(self, outcomes: Sequence[tuple[Delivery, Outcome]], at: datetime) -> None:
        """Enter what became of deliveries."""
        with self._state.unit() as session:
            for delivery, outcome in outcomes:
                row = session.get_one(DeliveryRow, delivery.number)
                row.finished_at, row.read, row.stored = at, outcome.read, outcome.stored
                row.duplicates, row.quarantined, row.masked = outcome.duplicates, outcome.quarantined, outcome.masked

    def by_receipt(self, receipt: str) -> Booked | None:
        """The delivery of a receipt."""
        return self._booked(DeliveryRow.receipt == receipt)

    def by_key(self, source: str, key: str) -> Booked | None:
        """The delivery that a source sent under an idempotency key."""
        return self._booked((DeliveryRow.source == source) & (DeliveryRow.key == key))

    def _booked(self, wanted: ColumnElement[bool]) -> Booked | None:
        with self._state.unit() as session:
            row = session.scalar(select(DeliveryRow).where(wanted))
            return None if row is None else _booked(row)

    def deliveries(self, source: str, limit: int = 20) -> list[Booked]:
        """The last deliveries of a source, newest first."""
        wanted = select(DeliveryRow).where(DeliveryRow.source == source).order_by(DeliveryRow.number.desc())
        with self._state.unit() as session:
            return [_booked(row) for row in session.scalars(wanted.limit(limit))]

    def refuse(self, delivery: Delivery, records: Iterable[Refusal], ordinals: dict[bytes, int]) -> None:
        """Put records into quarantine; their bytes are durable when this returns.

        Args:
            delivery: what they came with.
            records: line, bytes in pieces, and reasons of each.
            ordinals: how many identical records this delivery brought before, kept by the caller from call to call.
        """
        path = self._path(delivery.number)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b") as file, self._state.unit() as session:
            for record in records:
                start = file.seek(0, os.SEEK_END)
                digest, length = self._seal(file, record.raw)
                ordinal = ordinals.get(digest, 0)
                ordinals[digest] = ordinal + 1
                if self._has(session, delivery.source, digest, ordinal):
                    file.truncate(start)
                    continue
                session.add(
                    QuarantineRow(
                        delivery=delivery.number,
                        source=delivery.source,
                        line=record.line,
                        digest=digest,
                        ordinal=ordinal,
                        offset=start,
                        length=length,
                        reasons=json.dumps([str(reason) for reason in record.reasons], ensure_ascii=False),
                        at=delivery.received_at,
                    )
                )
            file.flush()
            os.fsync(file.fileno())  # the bytes first: the state database must not name what a power cut took

    def _seal(self, file: BinaryIO, pieces: Iterable[bytes]) -> tuple[bytes, int]:
        """Write bytes encrypted; gives their SHA-256 and length."""
        hashing, length = hashlib.sha256(), 0
        for piece in pieces:
            for at in range(0, len(piece), _FRAME):
                frame = piece[at : at + _FRAME]
                hashing.update(frame)
                length += len(frame)
                nonce = os.urandom(_NONCE)
                sealed = nonce + self._cipher.encrypt(nonce, frame, None)
                file.write(len(sealed).to_bytes(4, "big") + sealed)
        return hashing.digest(), length

    @staticmethod
    def _has(session: Session, source: str, digest: bytes, ordinal: int) -> bool:
        found = select(QuarantineRow.id).where(
            QuarantineRow.source == source, QuarantineRow.digest == digest, QuarantineRow.ordinal == ordinal
        )
        return session.scalar(found) is not None

    def listing(self, source: str = "", limit: int = 100) -> list[Quarantined]:
        """The refused records, newest first, without their bytes."""
        wanted = select(QuarantineRow).order_by(QuarantineRow.id.desc()).limit(limit)
        if source:
            wanted = wanted.where(QuarantineRow.source == source)
        with self._state.unit() as session:
            return [_quarantined(row) for row in session.scalars(wanted)]

    def refused(self, delivery: int, limit: int = 100) -> list[Quarantined]:
        """The refused records of one delivery, in its order; those that came before with another are there."""
        wanted = select(QuarantineRow).where(QuarantineRow.delivery == delivery).order_by(QuarantineRow.line)
        with self._state.unit() as session:
            return [_quarantined(row) for row in session.scalars(wanted.limit(limit))]

    def raw(self, number: int) -> Iterator[bytes]:
        """The exact bytes of one refused record, in pieces.

        Raises:
            KeyError: there is no such record.
        """
        with self._state.unit() as session:
            row = session.get(QuarantineRow, number)
            if row is None:
                raise KeyError(number)
            delivery, offset, left = row.delivery, row.offset, row.length
        with self._path(delivery).open("rb") as file:
            file.seek(offset)
            while left:
                sealed = file.read(int.from_bytes(file.read(4), "big"))
                frame = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
                left -= len(frame)
                yield frame

    def stored(self) -> int:
        """How many events all deliveries together have stored."""
        with self._state.unit() as session:
            return session.scalar(select(func.coalesce(func.sum(DeliveryRow.stored), 0))) or 0

    def totals(self) -> dict[str, SourceTotals]:
        """What each source has delivered so far."""
        wanted = select(
            DeliveryRow.source,
            func.count(),
            func.sum(DeliveryRow.read),
            func.sum(DeliveryRow.stored),
            func.sum(DeliveryRow.duplicates),
            func.sum(DeliveryRow.quarantined),
            func.max(DeliveryRow.received_at),
        ).group_by(DeliveryRow.source)
        with self._state.unit() as session:
            return {row[0]: SourceTotals(*row) for row in session.execute(wanted)}

    def _path(self, delivery: int) -> Path:
        return self._folder / f"{delivery:08d}.sealed"


def _booked(row: DeliveryRow) -> Booked:
    sums = Outcome(row.read, row.stored, row.duplicates, row.quarantined, row.masked)
    receipt, sha256 = row.receipt or "", row.sha256 or ""
    return Booked(row.number, row.source, receipt, sha256, row.received_at, row.finished_at, sums, row.name)


def _quarantined(row: QuarantineRow) -> Quarantined:
    return Quarantined(row.id, row.source, row.delivery, row.line, row.length, tuple(json.loads(row.reasons)), row.at)
