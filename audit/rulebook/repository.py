"""The rule book in the state database: rows are added and ended, never changed otherwise and never deleted."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import CursorResult, LargeBinary, Select, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.rulebook.model import ImportedRule
from audit.store.state import Base, UtcTime

__all__ = ["RuleRepository"]


class RuleRow(Base):
    """One import. `in_force` holds the rule's id while it is, so that there is one at most."""

    __tablename__ = "imported_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(String(100), index=True)
    in_force: Mapped[str | None] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(500))
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    stories: Mapped[bytes] = mapped_column(LargeBinary)
    imported_by: Mapped[str] = mapped_column(String(200))
    confirmed_by: Mapped[str] = mapped_column(String(200))
    imported_at: Mapped[datetime] = mapped_column(UtcTime)
    ended_by: Mapped[str] = mapped_column(String(200), default="")
    end_confirmed_by: Mapped[str] = mapped_column(String(200), default="")
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)


_COLUMNS = tuple(name for name in ImportedRule.__dataclass_fields__ if name != "number")


class RuleRepository:
    """Reads and writes within a unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def in_force(self, rule: str | None = None) -> Sequence[ImportedRule]:
        """What is in force, by rule; or one rule of it."""
        asked = select(RuleRow).where(RuleRow.in_force.is_not(None)).order_by(RuleRow.rule)
        return self._read(asked if rule is None else asked.where(RuleRow.in_force == rule))

    def ended(self) -> Sequence[ImportedRule]:
        """Everything that was in force and is no more, in the order in which it was imported."""
        return self._read(select(RuleRow).where(RuleRow.in_force.is_(None)).order_by(RuleRow.id))

    def history(self, rule: str) -> Sequence[ImportedRule]:
        """Every import of a rule, the latest first."""
        return self._read(select(RuleRow).where(RuleRow.rule == rule).order_by(RuleRow.id.desc()))

    def add(self, imported: ImportedRule) -> None:
        """Put a rule in force; the one before must be ended."""
        kept = {name: getattr(imported, name) for name in _COLUMNS}
        self._session.add(RuleRow(in_force=imported.rule, **kept))
        self._session.flush()

    def end(self, number: int, by: str, confirmed_by: str, at: datetime) -> bool:
        """End an import; false where somebody else already has."""
        ended = (
            update(RuleRow)
            .where(RuleRow.id == number, RuleRow.in_force.is_not(None))
            .values(in_force=None, ended_by=by, end_confirmed_by=confirmed_by, ended_at=at)
        )
        return cast("CursorResult[tuple[()]]", self._session.execute(ended)).rowcount == 1

    def _read(self, asked: Select[RuleRow]) -> Sequence[ImportedRule]:
        rows = self._session.scalars(asked)
        return [ImportedRule(number=row.id, **{name: getattr(row, name) for name in _COLUMNS}) for row in rows]
