"""The context feeds in the state database."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Index, String, Text, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.context.feeds import FeedRow
from audit.context.model import CalendarDay, Post, RosterKind, RosterSpan, TimeWindow
from audit.store.state import Base, UtcTime

__all__ = ["ContextRepository"]


class _StaffRow(Base):
    __tablename__ = "context_staff"
    __table_args__ = (Index("ix_context_staff_key", "staff_id", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(Text)
    kana: Mapped[str] = mapped_column(Text)
    org_unit: Mapped[str] = mapped_column(Text)
    post: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    employment: Mapped[str] = mapped_column(String(20))
    manager_id: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[datetime | None] = mapped_column(UtcTime)
    valid_to: Mapped[datetime | None] = mapped_column(UtcTime)
    subject_id: Mapped[str] = mapped_column(Text)


class _RosterRow(Base):
    __tablename__ = "context_roster"
    __table_args__ = (Index("ix_context_roster_key", "staff_id", "start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(100))
    start: Mapped[datetime] = mapped_column(UtcTime, index=True)
    end: Mapped[datetime] = mapped_column(UtcTime)
    kind: Mapped[str] = mapped_column(String(20))
    approved_by: Mapped[str] = mapped_column(Text)


class _CalendarRow(Base):
    __tablename__ = "context_calendar"

    id: Mapped[int] = mapped_column(primary_key=True)
    date: Mapped[date] = mapped_column(Date, index=True)
    org_unit: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(10))
    opens: Mapped[str] = mapped_column(String(8))
    closes: Mapped[str] = mapped_column(String(8))
    note: Mapped[str] = mapped_column(Text)


class _ApprovalRow(Base):
    __tablename__ = "context_approvals"

    id: Mapped[int] = mapped_column(primary_key=True)
    approval_id: Mapped[str] = mapped_column(String(200), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    staff_id: Mapped[str] = mapped_column(String(100))
    approved_by: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[datetime | None] = mapped_column(UtcTime)
    valid_to: Mapped[datetime | None] = mapped_column(UtcTime)
    max_rows: Mapped[int | None]
    medium_id: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)


class _RevisionRow(Base):
    """Counts the imports that changed something: a judgement names the one it was made under."""

    __tablename__ = "context_revision"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


_Row = type[_StaffRow | _RosterRow | _CalendarRow | _ApprovalRow]
_TABLES: dict[str, tuple[_Row, tuple[str, ...]]] = {
    "staff": (_StaffRow, ("staff_id", "valid_from")),
    "roster": (_RosterRow, ("staff_id", "start", "end", "kind")),
    "calendar": (_CalendarRow, ("date", "org_unit", "kind")),
    "approvals": (_ApprovalRow, ("approval_id",)),
}
"""Each feed's table, and what makes two rows the same entry: a later one replaces an earlier."""


class ContextRepository:
    """SQL of the context feeds, within the caller's unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def merge(self, kind: str, rows: Sequence[FeedRow]) -> tuple[int, int, int]:
        """Bring rows in.

        Returns:
            How many entries are new, changed, and unchanged.
        """
        table, key = _TABLES[kind]
        stored: dict[tuple[Any, ...], Any] = {
            tuple(getattr(row, name) for name in key): row for row in self._session.scalars(select(table))
        }
        wanted = {tuple(row[name] for name in key): row for row in rows}
        new = changed = 0
        for at, row in wanted.items():
            found = stored.get(at)
            if found is None:
                self._session.add(table(**row))
                new += 1
            elif any(getattr(found, name) != value for name, value in row.items()):
                for name, value in row.items():
                    setattr(found, name, value)
                changed += 1
        return new, changed, len(wanted) - new - changed

    def revision(self) -> int:
        """How many imports have changed something so far."""
        row = self._session.get(_RevisionRow, 1)
        return row.number if row is not None else 0

    def revise(self) -> None:
        """Count an import that changed something."""
        self._session.merge(_RevisionRow(id=1, number=self.revision() + 1))

    def posts(self) -> Iterable[Post]:
        """Every post of everyone."""
        for row in self._session.scalars(select(_StaffRow)):
            yield Post(
                row.staff_id,
                row.name,
                row.org_unit,
                row.post,
                row.role,
                row.employment,
                row.manager_id,
                row.subject_id,
                row.valid_from,
                row.valid_to,
            )

    def roster(self, start: datetime, end: datetime) -> Iterable[RosterSpan]:
        """The roster entries that touch a span."""
        wanted = select(_RosterRow).where(_RosterRow.start < end, _RosterRow.end > start)
        for row in self._session.scalars(wanted):
            yield RosterSpan(row.staff_id, row.start, row.end, RosterKind(row.kind), row.approved_by)

    def calendar(self) -> Iterable[CalendarDay]:
        """The town's calendar."""
        for row in self._session.scalars(select(_CalendarRow)):
            yield CalendarDay(row.date, row.org_unit, row.kind, row.opens, row.closes, row.note)

    def windows(self, start: datetime, end: datetime) -> Iterable[TimeWindow]:
        """Approved times for work that touch a span."""
        wanted = select(_ApprovalRow).where(
            _ApprovalRow.kind.in_(("time_window", "maintenance")),
            _ApprovalRow.approved_by != "",
            or_(_ApprovalRow.valid_from.is_(None), _ApprovalRow.valid_from < end),
            or_(_ApprovalRow.valid_to.is_(None), _ApprovalRow.valid_to > start),
        )
        for row in self._session.scalars(wanted):
            yield TimeWindow(row.approval_id, row.staff_id, row.source, row.valid_from, row.valid_to, row.note)
