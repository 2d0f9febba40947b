"""Dispositions in the state database. Rows are only ever added to and ended; none is deleted."""

import json
from dataclasses import astuple
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, String, Text, Update, select, update
from sqlalchemy.orm import Mapped, mapped_column

from audit.dispositions.model import Disposition, DispositionKind, Judged
from audit.findings import Severity
from audit.store.state import Base, Session, UtcTime

__all__ = ["DispositionRepository"]

_HEX = 32
_NAME = 100


class DispositionRow(Base):
    """A disposition. `standing_for`: its case, until it ends; the key allows one a case."""

    __tablename__ = "case_dispositions"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(_HEX), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(String(10))
    findings: Mapped[str] = mapped_column(Text)  # JSON: finding, detector, score
    two: Mapped[bool]
    closed_by: Mapped[str] = mapped_column(String(_NAME))
    closed_at: Mapped[datetime] = mapped_column(UtcTime)
    confirmed_by: Mapped[str] = mapped_column(String(_NAME), default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    ended_by: Mapped[str] = mapped_column(String(_NAME), default="")
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    ended_reason: Mapped[str] = mapped_column(Text, default="")
    replaced: Mapped[bool] = mapped_column(default=False)
    standing_for: Mapped[str | None] = mapped_column(String(_HEX), unique=True, default=None)

    def disposition(self) -> Disposition:
        """The disposition as a value."""
        return Disposition(
            id=self.id,
            case=self.case_id,
            kind=DispositionKind(self.kind),
            reason=self.reason,
            severity=Severity(self.severity),
            findings=tuple(Judged(*one) for one in json.loads(self.findings)),
            two=self.two,
            closed_by=self.closed_by,
            closed_at=self.closed_at,
            confirmed_by=self.confirmed_by,
            confirmed_at=self.confirmed_at,
            ended_by=self.ended_by,
            ended_at=self.ended_at,
            ended_reason=self.ended_reason,
            replaced=self.replaced,
        )


class DispositionRepository:
    """The statements, within one unit of work."""

    def __init__(self, unit: Session) -> None:
        self._unit = unit

    def _once(self, statement: Update) -> bool:
        done = self._unit.execute(statement, execution_options={"synchronize_session": False})
        return cast("CursorResult[Any]", done).rowcount == 1

    def add(self, made: Disposition) -> None:
        """Insert one that stands, now, so that a second one of its case shows here."""
        self._unit.add(
            DispositionRow(
                id=made.id,
                case_id=made.case,
                kind=made.kind,
                reason=made.reason,
                severity=made.severity,
                findings=json.dumps([astuple(one) for one in made.findings]),
                two=made.two,
                closed_by=made.closed_by,
                closed_at=made.closed_at,
                standing_for=made.case,
            )
        )
        self._unit.flush()

    def every(self) -> list[Disposition]:
        """All there are, the oldest first."""
        rows = self._unit.scalars(select(DispositionRow).order_by(DispositionRow.closed_at, DispositionRow.id))
        return [row.disposition() for row in rows]

    def standing(self, case: str) -> Disposition | None:
        """The one of a case that has not ended."""
        row = self._unit.scalars(select(DispositionRow).where(DispositionRow.standing_for == case)).one_or_none()
        return row.disposition() if row is not None else None

    def confirm(self, number: str, by: str, now: datetime) -> bool:
        """Confirm one that waits; False when it was confirmed or ended before."""
        waiting = (
            DispositionRow.id == number,
            DispositionRow.confirmed_at.is_(None),
            DispositionRow.ended_at.is_(None),
        )
        return self._once(update(DispositionRow).where(*waiting).values(confirmed_by=by, confirmed_at=now))

    def end(self, number: str, by: str, now: datetime, *, reason: str = "", replaced: bool = False) -> bool:
        """End one; False when it was ended before."""
        standing = (DispositionRow.id == number, DispositionRow.ended_at.is_(None))
        ended = update(DispositionRow).where(*standing)
        return self._once(
            ended.values(ended_by=by, ended_at=now, ended_reason=reason, replaced=replaced, standing_for=None)
        )
