"""The ledger in the state database. Whatever happens once is one statement whose row count says whether it did."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Index, String, Text, Update, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from audit.access.decisions.ledger.model import ApprovalKind, ApprovalState, Entry, Medium, MediumState, Wanted
from audit.access.decisions.model import Approval
from audit.store.state import Base, Session, UtcTime

__all__ = ["EntryRow", "LedgerRepository", "MediumRow"]

_HEX = 32


class EntryRow(Base):
    """A request for an approval."""

    __tablename__ = "access_ledger_entries"
    __table_args__ = (Index(None, "person", "state"),)

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    person: Mapped[str] = mapped_column(String(100))
    system: Mapped[str] = mapped_column(String(100))
    start: Mapped[datetime] = mapped_column(UtcTime)
    end: Mapped[datetime] = mapped_column(UtcTime)
    reason: Mapped[str] = mapped_column(Text)
    max_rows: Mapped[int | None]
    max_uses: Mapped[int | None]
    medium_id: Mapped[str] = mapped_column(String(64))
    subjects: Mapped[str] = mapped_column(Text)  # JSON
    state: Mapped[str] = mapped_column(String(12))
    asked_by: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    settled_by: Mapped[str] = mapped_column(String(100), default="")
    settled_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    uses: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)

    @classmethod
    def of(cls, number: str, wanted: Wanted, asked_by: str, now: datetime) -> "EntryRow":
        """A new request."""
        return cls(
            id=number,
            kind=wanted.kind,
            person=wanted.person,
            system=wanted.system,
            start=wanted.start,
            end=wanted.end,
            reason=wanted.reason,
            max_rows=wanted.max_rows,
            max_uses=wanted.max_uses,
            medium_id=wanted.medium_id,
            subjects=json.dumps(wanted.subjects),
            state=ApprovalState.ASKED,
            asked_by=asked_by,
            asked_at=now,
        )

    def entry(self) -> Entry:
        """The request as a value."""
        wanted = Wanted(
            kind=ApprovalKind(self.kind),
            person=self.person,
            system=self.system,
            start=self.start,
            end=self.end,
            reason=self.reason,
            max_rows=self.max_rows,
            max_uses=self.max_uses,
            medium_id=self.medium_id,
            subjects=tuple(json.loads(self.subjects)),
        )
        return Entry(
            id=self.id,
            wanted=wanted,
            state=ApprovalState(self.state),
            asked_by=self.asked_by,
            asked_at=self.asked_at,
            settled_by=self.settled_by,
            settled_at=self.settled_at,
            uses=self.uses,
            rows=self.rows,
        )

    def approval(self) -> Approval:
        """What decisions see of one that is in force."""
        return Approval(
            id=self.id,
            kind=self.kind,
            person=self.person,
            approved_by=self.settled_by,
            system=self.system,
            start=self.start,
            end=self.end,
            max_rows=self.max_rows,
            medium_id=self.medium_id,
            entered_at=self.settled_at,
            subjects=tuple(json.loads(self.subjects)),
            ledger=True,
        )


class MediumRow(Base):
    """A registered medium."""

    __tablename__ = "access_media"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    holder: Mapped[str] = mapped_column(String(100))
    since: Mapped[datetime] = mapped_column(UtcTime)

    def medium(self) -> Medium:
        """The medium as a value."""
        return Medium(id=self.id, kind=self.kind, state=MediumState(self.state), holder=self.holder, since=self.since)


_LEFT = or_(EntryRow.max_uses.is_(None), EntryRow.uses < EntryRow.max_uses)
# Asked for every decision, so it is built once.
_AT = bindparam("at", type_=UtcTime)
_IN_FORCE = select(EntryRow).where(
    EntryRow.person == bindparam("person"),
    EntryRow.state == ApprovalState.IN_FORCE,
    or_(EntryRow.system == "", EntryRow.system == bindparam("system")),
    EntryRow.start <= _AT,
    EntryRow.end > _AT,
    _LEFT,
)


class LedgerRepository:
    """The statements, within one unit of work."""

    def __init__(self, unit: Session) -> None:
        self._unit = unit

    def _once(self, statement: Update) -> bool:
        done = self._unit.execute(statement, execution_options={"synchronize_session": False})
        return cast("CursorResult[Any]", done).rowcount == 1

    def add(self, row: EntryRow | MediumRow) -> None:
        """Insert a row now, so that a broken constraint shows here."""
        self._unit.add(row)
        self._unit.flush()

    def entry(self, number: str) -> Entry | None:
        """One request."""
        row = self._unit.get(EntryRow, number, populate_existing=True)
        return row.entry() if row is not None else None

    def entries(
        self, states: Sequence[ApprovalState], person: str = "", limit: int = 200, after: str = ""
    ) -> list[Entry]:
        """Requests in some states, the newest first: for or by one person, or all; those that come after one by its id.

        Raises:
            LookupError: there is none of this id among them.
        """
        wanted = select(EntryRow).where(EntryRow.state.in_(states))
        if person:
            wanted = wanted.where(or_(EntryRow.person == person, EntryRow.asked_by == person))
        if after:
            last = self._unit.get(EntryRow, after)
            if last is None or (person and person not in {last.person, last.asked_by}):
                raise LookupError(after)
            wanted = wanted.where(
                or_(EntryRow.asked_at < last.asked_at, and_(EntryRow.asked_at == last.asked_at, EntryRow.id > last.id))
            )
        rows = self._unit.scalars(wanted.order_by(EntryRow.asked_at.desc(), EntryRow.id).limit(limit))
        return [row.entry() for row in rows]

    def in_force(self, person: str, system: str, at: datetime) -> tuple[Approval, ...]:
        """The approvals of one person for a system that hold at a moment and are not used up."""
        rows = self._unit.scalars(_IN_FORCE, {"person": person, "system": system, "at": at})
        return tuple(row.approval() for row in rows)

    def settle(self, number: str, before: ApprovalState, after: ApprovalState, by: str, now: datetime) -> bool:
        """Move a request from one state to the next; False when it is not in the first any more."""
        return self._once(
            update(EntryRow)
            .where(EntryRow.id == number, EntryRow.state == before)
            .values(state=after, settled_by=by, settled_at=now)
        )

    def close(self, number: str, before: ApprovalState, after: ApprovalState) -> bool:
        """End a request, leaving on record who approved it; False when it has ended or moved on already."""
        return self._once(update(EntryRow).where(EntryRow.id == number, EntryRow.state == before).values(state=after))

    def use(self, number: str, now: datetime) -> bool:
        """Take one use of an approval; False when it has none left or is not in force any more."""
        return self._once(
            update(EntryRow)
            .where(
                EntryRow.id == number,
                EntryRow.state == ApprovalState.IN_FORCE,
                EntryRow.start <= now,
                EntryRow.end > now,
                _LEFT,
            )
            .values(uses=EntryRow.uses + 1)
        )

    def count_rows(self, number: str, rows: int) -> None:
        """Add to the records that left under an approval; one that was not given here is not counted."""
        self._once(update(EntryRow).where(EntryRow.id == number).values(rows=EntryRow.rows + rows))

    def waiting(self) -> int:
        """How many requests wait for an answer."""
        wanted = select(func.count()).select_from(EntryRow).where(EntryRow.state == ApprovalState.ASKED)
        return self._unit.scalar(wanted) or 0

    # Media

    def medium(self, number: str) -> Medium | None:
        """One medium."""
        row = self._unit.get(MediumRow, number, populate_existing=True)
        return row.medium() if row is not None else None

    def media(self) -> list[Medium]:
        """Every medium, those that are out first, the longest out first."""
        rows = self._unit.scalars(select(MediumRow).order_by(MediumRow.state != MediumState.OUT, MediumRow.since))
        return [row.medium() for row in rows]

    def move(self, before: Medium, after: MediumState, holder: str, now: datetime) -> bool:
        """Move a medium on; False when it is not where it was."""
        return self._once(
            update(MediumRow)
            .where(MediumRow.id == before.id, MediumRow.state == before.state, MediumRow.holder == before.holder)
            .values(state=after, holder=holder, since=now)
        )
