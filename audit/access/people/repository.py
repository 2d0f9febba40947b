"""What personnel systems call people. Nothing here commits: the unit of work does."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, String, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from audit.access.people.errors import TakenError
from audit.store.state import Base, Session, UtcTime

__all__ = ["PeopleRepository", "PersonRow"]


class PersonRow(Base):
    """A person that a personnel system has spoken of. `deleted_at`: it said that there is no such person any more."""

    __tablename__ = "access_people"

    staff_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    external_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)


class PeopleRepository:
    """The statements, within one unit of work."""

    def __init__(self, unit: Session) -> None:
        self._unit = unit

    def row(self, staff_id: str) -> PersonRow | None:
        """What was said of one person."""
        return self._unit.get(PersonRow, staff_id)

    def rows(self) -> dict[str, PersonRow]:
        """What was said of everybody."""
        return {row.staff_id: row for row in self._unit.scalars(select(PersonRow))}

    def claim(self, staff_id: str, external_id: str) -> None:
        """Take a staff id for a new person, or for one who comes back; of two at once only one gets it.

        Raises:
            TakenError: one of the ids belongs to somebody.
        """
        named = select(PersonRow.staff_id).where(PersonRow.external_id == external_id)
        if external_id and self._unit.scalar(named) is not None:
            raise TakenError("external_id")
        if self.row(staff_id) is None:
            self._unit.add(PersonRow(staff_id=staff_id, external_id=external_id or None))
            self._flush("staff_id")
            return
        again = (
            update(PersonRow)
            .where(PersonRow.staff_id == staff_id, PersonRow.deleted_at.is_not(None))
            .values(deleted_at=None, external_id=external_id or None)
        )
        if self._change(again) != 1:
            raise TakenError("staff_id")

    def name(self, staff_id: str, external_id: str) -> None:
        """Keep what a personnel system calls somebody.

        Raises:
            TakenError: it calls somebody else so.
        """
        row = self.row(staff_id)
        if row is None:
            row = PersonRow(staff_id=staff_id)
            self._unit.add(row)
        row.external_id = external_id or None
        self._flush("external_id")

    def delete(self, staff_id: str, now: datetime) -> None:
        """Note that a personnel system knows somebody no more; the posts stay, and the name is free for another."""
        row = self.row(staff_id)
        if row is None:
            row = PersonRow(staff_id=staff_id)
            self._unit.add(row)
        row.deleted_at, row.external_id = now, None

    def _flush(self, reason: str) -> None:
        try:
            self._unit.flush()
        except IntegrityError as error:
            raise TakenError(reason) from error

    def _change(self, statement: Any) -> int:  # noqa: ANN401 - an UPDATE
        try:
            done = self._unit.execute(statement, execution_options={"synchronize_session": False})
        except IntegrityError as error:
            raise TakenError("external_id") from error
        return cast("CursorResult[Any]", done).rowcount
