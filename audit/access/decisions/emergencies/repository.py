"""Emergencies and sealed credentials in the state database."""

from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Date, Index, String, Text, Update, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from audit.access.decisions.emergencies.model import Emergency, Envelope, EnvelopeState, Verdict
from audit.access.decisions.model import BreakGlass
from audit.store.state import Base, Session, UtcTime

__all__ = ["EmergencyRepository", "EmergencyRow", "EnvelopeWishRow", "SealedRow"]

_HEX = 32
_HASH = 64
_LISTED = 50


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
    """A credential in an envelope; only its hash is here. One without `expires_at` was made by one person: no good."""

    __tablename__ = "access_sealed_credentials"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(_HASH), unique=True)
    issued_by: Mapped[str] = mapped_column(String(100))
    issued_at: Mapped[datetime] = mapped_column(UtcTime)
    used_by: Mapped[str] = mapped_column(String(100), default="")
    used_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    confirmed_by: Mapped[str] = mapped_column(String(100), default="", server_default="")
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)  # lost, or replaced

    def envelope(self, now: datetime) -> Envelope:
        """The envelope as it is listed."""
        over = self.ended_at is not None or self.expires_at is None or self.expires_at <= now
        state = EnvelopeState.ENDED if over else EnvelopeState.SEALED
        return Envelope(
            id=self.id,
            state=EnvelopeState.OPENED if self.used_at is not None else state,
            asked_by=self.issued_by,
            asked_at=self.issued_at,
            confirmed_by=self.confirmed_by,
            expires_at=self.expires_at,
            opened_by=self.used_by,
            opened_at=self.used_at,
        )


class EnvelopeWishRow(Base):
    """Somebody's wish for an envelope; a credential comes of it once a second person confirms."""

    __tablename__ = "access_envelope_wishes"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    asked_by: Mapped[str] = mapped_column(String(100))
    offices: Mapped[str] = mapped_column(String(200))  # what the asker may speak for, separated by a space
    asked_at: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)  # confirmed or dropped

    def envelope(self) -> Envelope:
        """The wish as it is listed."""
        return Envelope(id=self.id, state=EnvelopeState.ASKED, asked_by=self.asked_by, asked_at=self.asked_at)


def _usable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return SealedRow.used_at.is_(None), SealedRow.ended_at.is_(None), SealedRow.expires_at > now


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

    def add(self, row: EmergencyRow | SealedRow | EnvelopeWishRow) -> None:
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

    def sealed(self, code_hash: str, now: datetime) -> SealedRow | None:
        """A sealed credential that can be used at a moment."""
        return self._unit.scalar(select(SealedRow).where(SealedRow.code_hash == code_hash, *_usable(now)))

    def use_sealed(self, code_hash: str, by: str, now: datetime) -> bool:
        """Use a sealed credential up; False when it is unknown, over, or was used before."""
        use = update(SealedRow).where(SealedRow.code_hash == code_hash, *_usable(now))
        return self._once(use.values(used_by=by, used_at=now))

    def end_sealed(self, number: str, now: datetime) -> bool:
        """Make an envelope void; False when it is none that could be used."""
        return self._once(update(SealedRow).where(SealedRow.id == number, *_usable(now)).values(ended_at=now))

    def wish(self, number: str) -> EnvelopeWishRow | None:
        """A wish for an envelope that nobody has confirmed or dropped."""
        asked = select(EnvelopeWishRow).where(EnvelopeWishRow.id == number, EnvelopeWishRow.ended_at.is_(None))
        return self._unit.scalar(asked)

    def end_wish(self, number: str, now: datetime) -> bool:
        """End a wish, because it is fulfilled or dropped; False when somebody did before."""
        end = update(EnvelopeWishRow).where(EnvelopeWishRow.id == number, EnvelopeWishRow.ended_at.is_(None))
        return self._once(end.values(ended_at=now))

    def envelopes(self, now: datetime) -> list[Envelope]:
        """The wishes that wait, then the envelopes there have been, the newest first."""
        wishes = self._unit.scalars(select(EnvelopeWishRow).where(EnvelopeWishRow.ended_at.is_(None)))
        made = self._unit.scalars(select(SealedRow).order_by(SealedRow.issued_at.desc(), SealedRow.id).limit(_LISTED))
        return [*(row.envelope() for row in wishes), *(row.envelope(now) for row in made)]
