"""Emergencies and sealed credentials in the state database."""

from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Date, Index, String, Text, Update, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from audit.access.decisions.emergencies.model import Emergency, Verdict
from audit.access.decisions.model import BreakGlass
from audit.store.state import Base, Session, UtcTime

__all__ = ["EmergencyRepository", "EmergencyRow", "SealedRow"]

_HEX = 32
_HASH = 64


class EmergencyRow(Base):
    """A declared emergency."""

    __tablename__ = "access_emergencies"
    __table_args__ = (Index(None, "person", "end"),)

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    person: Mapped[str] = mapped_column(String(100))
    system: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(Text)
    start: Mapped[datetime] = mapped_column(UtcTime)
    end: Mapped[datetime] = mapped_column(UtcTime)
    sealed: Mapped[bool]
    review_due: Mapped[date] = mapped_column(Date)
    verdict: Mapped[str] = mapped_column(String(12), default="")
    reviewed_by: Mapped[str] = mapped_column(String(100), default="")
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    note: Mapped[str] = mapped_column(Text, default="")

    def declared(self) -> BreakGlass:
        """The emergency as decisions see it."""
        return BreakGlass(
            id=self.id,
            person=self.person,
            system=self.system,
            reason=self.reason,
            start=self.start,
            end=self.end,
            sealed=self.sealed,
        )

    def emergency(self) -> Emergency:
        """The emergency and its review."""
        return Emergency(
            declared=self.declared(),
            review_due=self.review_due,
            verdict=Verdict(self.verdict) if self.verdict else None,
            reviewed_by=self.reviewed_by,
            reviewed_at=self.reviewed_at,
        )


class SealedRow(Base):
    """A credential in an envelope; only its hash is here."""

    __tablename__ = "access_sealed_credentials"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(_HASH), unique=True)
    issued_by: Mapped[str] = mapped_column(String(100))
    issued_at: Mapped[datetime] = mapped_column(UtcTime)
    used_by: Mapped[str] = mapped_column(String(100), default="")
    used_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)


# Asked for every decision, so it is built once.
_AT = bindparam("at", type_=UtcTime)
_OPEN = (
    select(EmergencyRow)
    .where(
        EmergencyRow.person == bindparam("person"),
        EmergencyRow.system == bindparam("system"),
        EmergencyRow.start <= _AT,
        EmergencyRow.end > _AT,
    )
    .order_by(EmergencyRow.sealed.desc(), EmergencyRow.end.desc())
    .limit(1)
)


class EmergencyRepository:
    """The statements, within one unit of work."""

    def __init__(self, unit: Session) -> None:
        self._unit = unit

    def _once(self, statement: Update) -> bool:
        done = self._unit.execute(statement, execution_options={"synchronize_session": False})
        return cast("CursorResult[Any]", done).rowcount == 1

    def add(self, row: EmergencyRow | SealedRow) -> None:
        """Insert a row now, so that a broken constraint shows here."""
        self._unit.add(row)
        self._unit.flush()

    def emergency(self, number: str) -> Emergency | None:
        """One emergency."""
        row = self._unit.get(EmergencyRow, number, populate_existing=True)
        return row.emergency() if row is not None else None

    def open_for(self, person: str, system: str, at: datetime) -> BreakGlass | None:
        """The emergency that a person has open for a system at a moment; a sealed one first."""
        row = self._unit.scalars(_OPEN, {"person": person, "system": system, "at": at}).first()
        return row.declared() if row is not None else None

    def end(self, number: str, now: datetime) -> bool:
        """End an emergency; False when it is over already."""
        return self._once(update(EmergencyRow).where(EmergencyRow.id == number, EmergencyRow.end > now).values(end=now))

    def review(self, number: str, verdict: Verdict, by: str, note: str, now: datetime) -> bool:
        """Enter a review; False when there was one before."""
        return self._once(
            update(EmergencyRow)
            .where(EmergencyRow.id == number, EmergencyRow.verdict == "")
            .values(verdict=verdict, reviewed_by=by, note=note, reviewed_at=now)
        )

    def unreviewed(self) -> list[Emergency]:
        """Emergencies that nobody has reviewed, the first due first."""
        rows = self._unit.scalars(
            select(EmergencyRow).where(EmergencyRow.verdict == "").order_by(EmergencyRow.review_due, EmergencyRow.start)
        )
        return [row.emergency() for row in rows]

    def use_sealed(self, code_hash: str, by: str, now: datetime) -> bool:
        """Use a sealed credential up; False when it is unknown or was used before."""
        return self._once(
            update(SealedRow)
            .where(SealedRow.code_hash == code_hash, SealedRow.used_at.is_(None))
            .values(used_by=by, used_at=now)
        )
