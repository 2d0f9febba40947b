"""Tuning in the state database. Rows of changes are only ever added to and settled; none is deleted."""

import json
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Date, String, Text, Update, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from audit.store.state import Base, Session, UtcTime
from audit.tuning.model import Change, Kind, Preview, PreviewState, terms_of

__all__ = ["ChangeRow", "PreviewRow", "TuningRepository"]

_HEX = 32
_HASH = 64
_NAME = 100


class ChangeRow(Base):
    """A proposal and what became of it. `in_force_for`: the detector whose values these are; its key allows one."""

    __tablename__ = "tuning_changes"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), index=True)
    detector: Mapped[str] = mapped_column(String(_NAME), index=True)
    terms: Mapped[str] = mapped_column(Text)  # JSON
    reason: Mapped[str] = mapped_column(Text)
    ticket: Mapped[str] = mapped_column(String(_NAME))
    preview: Mapped[str] = mapped_column(String(_HEX))
    digest: Mapped[str] = mapped_column(String(_HASH))
    proposed_by: Mapped[str] = mapped_column(String(_NAME))
    proposed_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    confirmed_by: Mapped[str] = mapped_column(String(_NAME), default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    ended_by: Mapped[str] = mapped_column(String(_NAME), default="")
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    replaced_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    in_force_for: Mapped[str | None] = mapped_column(String(_NAME), unique=True, default=None)

    def change(self) -> Change:
        """The change as a value."""
        return Change(
            id=self.id,
            terms=terms_of(Kind(self.kind), json.loads(self.terms)),
            reason=self.reason,
            ticket=self.ticket,
            preview=self.preview,
            digest=self.digest,
            proposed_by=self.proposed_by,
            proposed_at=self.proposed_at,
            expires_at=self.expires_at,
            confirmed_by=self.confirmed_by,
            confirmed_at=self.confirmed_at,
            ended_by=self.ended_by,
            ended_at=self.ended_at,
            replaced_at=self.replaced_at,
        )


class PreviewRow(Base):
    """A preview; `touched_at` tells one that runs from one whose process is gone."""

    __tablename__ = "tuning_previews"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    terms: Mapped[str] = mapped_column(Text)  # JSON
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(10))
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    made_by: Mapped[str] = mapped_column(String(_NAME))
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    touched_at: Mapped[datetime] = mapped_column(UtcTime)
    document: Mapped[str] = mapped_column(Text, default="")
    digest: Mapped[str] = mapped_column(String(_HASH), default="")

    def preview(self) -> Preview:
        """The preview as a value."""
        return Preview(
            id=self.id,
            terms=terms_of(Kind(self.kind), json.loads(self.terms)),
            first=self.first,
            last=self.last,
            state=PreviewState(self.state),
            done=self.done,
            total=self.total,
            made_by=self.made_by,
            made_at=self.made_at,
            document=json.loads(self.document) if self.document else {},
            digest=self.digest,
        )


class TuningRepository:
    """The statements, within one unit of work."""

    def __init__(self, unit: Session) -> None:
        self._unit = unit

    def _once(self, statement: Update) -> bool:
        done = self._unit.execute(statement, execution_options={"synchronize_session": False})
        return cast("CursorResult[Any]", done).rowcount == 1

    def add(self, row: ChangeRow | PreviewRow) -> None:
        """Insert a row now, so that a broken constraint shows here."""
        self._unit.add(row)
        self._unit.flush()

    def change(self, number: str) -> Change | None:
        """One change."""
        row = self._unit.get(ChangeRow, number, populate_existing=True)
        return row.change() if row is not None else None

    def changes(self) -> list[Change]:
        """Every change, the newest first."""
        rows = self._unit.scalars(select(ChangeRow).order_by(ChangeRow.proposed_at.desc(), ChangeRow.id))
        return [row.change() for row in rows]

    def exceptions(self) -> list[Change]:
        """Every exception that two people have made, whatever became of it, in the order of their ids."""
        made = select(ChangeRow).where(ChangeRow.kind == Kind.EXCEPTION, ChangeRow.confirmed_at.is_not(None))
        return [row.change() for row in self._unit.scalars(made.order_by(ChangeRow.id))]

    def parameters(self, detector: str = "") -> list[Change]:
        """The parameter changes in force, at most one a detector."""
        wanted = select(ChangeRow).where(ChangeRow.in_force_for.is_not(None))
        if detector:
            wanted = wanted.where(ChangeRow.in_force_for == detector)
        return [row.change() for row in self._unit.scalars(wanted.order_by(ChangeRow.detector))]

    def confirmed_parameters(self) -> list[Change]:
        """Every parameter change that has ever been in force, in that order."""
        made = select(ChangeRow).where(ChangeRow.kind == Kind.PARAMETERS, ChangeRow.confirmed_at.is_not(None))
        return [row.change() for row in self._unit.scalars(made.order_by(ChangeRow.confirmed_at, ChangeRow.id))]

    def confirm(self, number: str, by: str, now: datetime) -> bool:
        """Confirm a proposal; False when somebody settled it before."""
        waiting = (ChangeRow.id == number, ChangeRow.confirmed_at.is_(None), ChangeRow.ended_at.is_(None))
        return self._once(update(ChangeRow).where(*waiting).values(confirmed_by=by, confirmed_at=now))

    def replace(self, former: str, now: datetime) -> bool:
        """Put a parameter change out of force, because another one takes its place; False when one has before."""
        standing = (ChangeRow.id == former, ChangeRow.replaced_at.is_(None))
        return self._once(update(ChangeRow).where(*standing).values(replaced_at=now, in_force_for=None))

    def put_in_force(self, number: str, detector: str) -> bool:
        """Make these a detector's values; False when others were made so at the same moment."""
        try:
            return self._once(update(ChangeRow).where(ChangeRow.id == number).values(in_force_for=detector))
        except IntegrityError:
            return False

    def end(self, number: str, by: str, now: datetime) -> bool:
        """End an exception that two people have made; False when somebody did before."""
        made = (ChangeRow.kind == Kind.EXCEPTION, ChangeRow.confirmed_at.is_not(None), ChangeRow.ended_at.is_(None))
        return self._once(update(ChangeRow).where(ChangeRow.id == number, *made).values(ended_by=by, ended_at=now))

    def drop(self, number: str, by: str, now: datetime) -> bool:
        """Drop a proposal; False when somebody settled it before."""
        waiting = (ChangeRow.id == number, ChangeRow.confirmed_at.is_(None), ChangeRow.ended_at.is_(None))
        return self._once(update(ChangeRow).where(*waiting).values(ended_by=by, ended_at=now))

    def preview(self, number: str) -> Preview | None:
        """One preview."""
        row = self._unit.get(PreviewRow, number, populate_existing=True)
        return row.preview() if row is not None else None

    def touch(self, number: str, now: datetime, **values: object) -> bool:
        """Bring a preview forward, which runs from then on; False when it was given up or is done."""
        standing = (PreviewRow.id == number, PreviewRow.state.in_((PreviewState.QUEUED, PreviewState.RUNNING)))
        moved = {"state": PreviewState.RUNNING, "touched_at": now} | values
        return self._once(update(PreviewRow).where(*standing).values(**moved))

    def stop_previews(self, state: PreviewState, before: datetime, now: datetime) -> None:
        """Give up previews of a state that nobody has brought forward since a moment."""
        gone = (PreviewRow.state == state, PreviewRow.touched_at < before)
        self._unit.execute(update(PreviewRow).where(*gone).values(state=PreviewState.FAILED, touched_at=now))
