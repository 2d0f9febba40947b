"""Policies that were in force, and outputs that were allowed once, in the state database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, String, Text, delete, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from audit.store.state import Base, Session, UtcTime

__all__ = ["DecisionRepository", "OutputRow", "PolicyRow"]

_HEX = 32


class PolicyRow(Base):
    """A policy as it came into force; the last one is the last good one. Nothing is ever changed or deleted."""

    __tablename__ = "access_decision_policies"

    number: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcTime)


class OutputRow(Base):
    """An output that was allowed; it is confirmed once."""

    __tablename__ = "access_output_decisions"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    person: Mapped[str] = mapped_column(Text, index=True)
    system: Mapped[str] = mapped_column(Text)
    activity: Mapped[str] = mapped_column(String(40))
    approval: Mapped[str] = mapped_column(Text)
    max_rows: Mapped[int | None]
    decided_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    outcome: Mapped[str] = mapped_column(String(10), default="")
    rows: Mapped[int | None] = mapped_column(default=None)


class DecisionRepository:
    """The statements, within one unit of work."""

    def __init__(self, unit: Session) -> None:
        self._unit = unit

    def last_policy(self) -> PolicyRow | None:
        """The policy that came into force last."""
        return self._unit.scalar(select(PolicyRow).order_by(PolicyRow.number.desc()).limit(1))

    def policies(self) -> Sequence[PolicyRow]:
        """Every policy that was in force, in order."""
        return self._unit.scalars(select(PolicyRow).order_by(PolicyRow.number)).all()

    def add(self, row: PolicyRow | OutputRow) -> None:
        """Insert a row now, so that a broken constraint shows here."""
        self._unit.add(row)
        self._unit.flush()

    def output(self, decision: str, system: str) -> OutputRow | None:
        """An output that was allowed to a system."""
        row = self._unit.get(OutputRow, decision)
        return row if row is not None and row.system == system else None

    def confirm(self, decision: str, outcome: str, rows: int | None, now: datetime) -> bool:
        """Use an output's decision up; False when it was used before."""
        done = self._unit.execute(
            update(OutputRow)
            .where(OutputRow.id == decision, OutputRow.confirmed_at.is_(None))
            .values(confirmed_at=now, outcome=outcome, rows=rows),
            execution_options={"synchronize_session": False},
        )
        return cast("CursorResult[Any]", done).rowcount == 1

    def unconfirmed(self, before: datetime) -> Sequence[OutputRow]:
        """Outputs that were allowed before a moment and of which nobody has said what became."""
        wanted = select(OutputRow).where(OutputRow.confirmed_at.is_(None), OutputRow.decided_at < before)
        return self._unit.scalars(wanted.order_by(OutputRow.decided_at)).all()

    def forget(self, before: datetime) -> tuple[int, int]:
        """Drop the outputs that were allowed before a moment; how many, and how many of them nobody had confirmed."""
        old = OutputRow.decided_at < before
        open_ = self._unit.scalar(
            select(func.count()).select_from(OutputRow).where(old, OutputRow.confirmed_at.is_(None))
        )
        done = self._unit.execute(delete(OutputRow).where(old), execution_options={"synchronize_session": False})
        return cast("CursorResult[Any]", done).rowcount, open_ or 0
