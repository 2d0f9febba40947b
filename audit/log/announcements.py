"""What a source owes: the batches it announced; and what has been understood so far of every source's gaps.

An announcement is met by a delivery of that name. A delivery that met an earlier announcement does not meet the next
one of the same name (a nightly file keeps its name), and one that came up to a day before its announcement does: the
slip is often written after the file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.events import mask
from audit.log.quarantine import DeliveryRow, QuarantineRow
from audit.store.state import Base, StateStore, UtcTime

__all__ = ["Announced", "AnnouncementBook", "Delivered", "RefusedTime"]

_EARLY = timedelta(days=1)
"""How long before its announcement a batch may have arrived."""


class AnnouncementRow(Base):
    """One announced batch."""

    __tablename__ = "announcements"
    __table_args__ = (UniqueConstraint("source", "name", "due"), Index("ix_announcements_met", "met"))

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(Text)
    rows: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    due: Mapped[datetime] = mapped_column(UtcTime)
    announced_at: Mapped[datetime] = mapped_column(UtcTime)
    delivery: Mapped[int] = mapped_column(default=0)
    met: Mapped[bool] = mapped_column(default=False)


class GapMemoryRow(Base):
    """What is remembered of one source's gaps between two looks; the blank source is what is common to all."""

    __tablename__ = "gap_memory"

    source: Mapped[str] = mapped_column(String(200), primary_key=True)
    body: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Announced:
    """A batch that is owed.

    Attributes:
        id: its number.
        source: who announced it.
        name: the delivery's name.
        rows: how many records it has.
        sha256: of its bytes, in hex, empty when not announced.
        due: by when it must have arrived whole.
        announced_at: when it was announced.
    """

    id: int
    source: str
    name: str
    rows: int
    sha256: str
    due: datetime
    announced_at: datetime


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery as the book has it, or several of one name together.

    Attributes:
        number: the last delivery's number, 0 when there is none.
        name: its name.
        received_at: when it arrived.
        rows: how many records have arrived.
        other: whether its bytes are known, and are not those that were announced.
    """

    number: int
    name: str
    received_at: datetime
    rows: int
    other: bool = False


@dataclass(frozen=True, slots=True)
class RefusedTime:
    """A record that was refused because its time cannot be: ahead of its receipt, or before any log."""

    id: int
    source: str
    at: datetime


class AnnouncementBook:
    """Announced batches, and the memory of gaps."""

    def __init__(self, state: StateStore) -> None:
        self._state = state

    def announce(self, source: str, name: str, rows: int, due: datetime, sha256: str, at: datetime) -> None:
        """Enter a batch; the same source, name and due time again corrects the rows and the digest."""
        digest, name = sha256.lower(), mask(name)[0]  # as the book has the names of deliveries
        with self._state.unit() as session:
            same = select(AnnouncementRow).where(
                AnnouncementRow.source == source, AnnouncementRow.name == name, AnnouncementRow.due == due
            )
            row = session.scalar(same)
            if row is None:
                row = AnnouncementRow(source=source, name=name, due=due, announced_at=at)
                session.add(row)
            elif (row.rows, row.sha256) != (rows, digest):
                row.met = False
            row.rows, row.sha256 = rows, digest

    def owed(self) -> list[Announced]:
        """Every batch that has not arrived whole, the earliest due first."""
        with self._state.unit() as session:
            rows = session.scalars(select(AnnouncementRow).where(~AnnouncementRow.met).order_by(AnnouncementRow.due))
            return [
                Announced(row.id, row.source, row.name, row.rows, row.sha256, row.due, row.announced_at) for row in rows
            ]

    def arrived(self, batch: Announced) -> Delivered | None:
        """What has arrived of a batch: parts are added up, and a repetition counts once."""
        with self._state.unit() as session:
            wanted = self._deliveries(session, batch)
            latest = session.scalar(wanted.order_by(DeliveryRow.number.desc()).limit(1))
            if latest is None:
                return None
            found = wanted.subquery()
            parts = select(func.max(found.c.read), func.sum(found.c.stored + found.c.quarantined))
            whole, together = session.execute(parts).one()
            digests = set(session.scalars(select(found.c.sha256))) - {None, ""}
            other = bool(batch.sha256 and digests and batch.sha256 not in digests)
            return Delivered(latest.number, latest.name, latest.received_at, max(whole, together), other)

    @staticmethod
    def _deliveries(session: Session, batch: Announced) -> Any:  # noqa: ANN401 - a Select of SQLAlchemy's own type
        same = (AnnouncementRow.source == batch.source, AnnouncementRow.name == batch.name)
        used = select(func.max(AnnouncementRow.delivery)).where(*same, AnnouncementRow.id != batch.id)
        return select(DeliveryRow).where(
            DeliveryRow.source == batch.source,
            DeliveryRow.name == batch.name,
            DeliveryRow.finished_at.is_not(None),
            DeliveryRow.received_at >= batch.announced_at - _EARLY,
            DeliveryRow.number > (session.scalar(used) or 0),
        )

    def meet(self, batch: Announced, delivery: int) -> None:
        """Enter that a batch has arrived whole, with which delivery."""
        with self._state.unit() as session:
            row = session.get_one(AnnouncementRow, batch.id)
            row.met, row.delivery = True, delivery

    def delivery(self, number: int) -> Delivered | None:
        """One delivery of the book."""
        with self._state.unit() as session:
            return _arrival(session.get(DeliveryRow, number))

    def last_delivery(self, source: str) -> Delivered | None:
        """The last delivery of a source."""
        of_source = select(DeliveryRow).where(DeliveryRow.source == source).order_by(DeliveryRow.number.desc())
        with self._state.unit() as session:
            return _arrival(session.scalar(of_source.limit(1)))

    def first_received(self, source: str) -> datetime | None:
        """When a source was first heard of."""
        with self._state.unit() as session:
            return session.scalar(select(func.min(DeliveryRow.received_at)).where(DeliveryRow.source == source))

    def refused_times(self, after: int) -> list[RefusedTime]:
        """The records in quarantine behind a number whose time is impossible, in the order of their numbers."""
        impossible = or_(
            QuarantineRow.reasons.like('%"time: % ahead of its receipt%'),
            QuarantineRow.reasons.like('%"time: before %'),
        )
        wanted = select(QuarantineRow).where(QuarantineRow.id > after, impossible).order_by(QuarantineRow.id)
        with self._state.unit() as session:
            return [RefusedTime(row.id, row.source, row.at) for row in session.scalars(wanted)]

    def memories(self) -> dict[str, dict[str, Any]]:
        """What is remembered, by source."""
        with self._state.unit() as session:
            return {row.source: json.loads(row.body) for row in session.scalars(select(GapMemoryRow))}

    def remember(self, memories: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace what is remembered of some sources, all of it or nothing."""
        with self._state.unit() as session:
            for source, body in memories.items():
                session.merge(GapMemoryRow(source=source, body=json.dumps(body, sort_keys=True)))


def _arrival(row: DeliveryRow | None) -> Delivered | None:
    return None if row is None else Delivered(row.number, row.name, row.received_at, row.read)
