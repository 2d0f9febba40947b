"""Leases and readings of clocks in the state database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, String, Update, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.store.state import Base, UtcTime

__all__ = ["LeaseRepository", "LeaseState"]


class LeaseRow(Base):
    """One kind of work. `token` grows with every holder, `beat` with everything that a holder does."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    token: Mapped[int]
    beat: Mapped[int]


class ReadingRow(Base):
    """What the clock of a node said when it was last looked at."""

    __tablename__ = "clock_readings"

    node: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime)


@dataclass(frozen=True, slots=True)
class LeaseState:
    """A lease as it is on record; `holder` is empty where nobody has it."""

    holder: str = ""
    token: int = 0
    beat: int = 0


class LeaseRepository:
    """SQL of leases, within the caller's unit of work. Each change is one statement whose row count is the answer."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def state(self, name: str) -> LeaseState | None:
        """A lease as it is; None where there never was one."""
        row = self._session.execute(
            select(LeaseRow.holder, LeaseRow.token, LeaseRow.beat).where(LeaseRow.name == name)
        ).first()
        return None if row is None else LeaseState(*row)

    def begin(self, name: str) -> None:
        """Enter a lease that nobody has."""
        self._session.execute(insert(LeaseRow).values(name=name, holder="", token=0, beat=0))

    def take(self, name: str, seen: LeaseState, holder: str) -> bool:
        """Give a lease to a node, if it still is as it was seen."""
        return self._change(
            update(LeaseRow)
            .where(LeaseRow.name == name, LeaseRow.token == seen.token, LeaseRow.beat == seen.beat)
            .values(holder=holder, token=seen.token + 1, beat=seen.beat + 1)
        )

    def beat(self, name: str, token: int) -> bool:
        """Enter that a holder is at work; whether it still is the holder."""
        return self._change(
            update(LeaseRow)
            .where(LeaseRow.name == name, LeaseRow.token == token, LeaseRow.holder != "")
            .values(beat=LeaseRow.beat + 1)
        )

    def release(self, name: str, token: int) -> bool:
        """Enter that a holder has done."""
        return self._change(
            update(LeaseRow)
            .where(LeaseRow.name == name, LeaseRow.token == token)
            .values(holder="", beat=LeaseRow.beat + 1)
        )

    def _change(self, statement: Update) -> bool:
        done = self._session.execute(statement.execution_options(synchronize_session=False))
        return cast("CursorResult[Any]", done).rowcount == 1

    def last_reading(self, node: str) -> datetime | None:
        """What a node's clock said when it was last looked at."""
        return self._session.scalar(select(ReadingRow.at).where(ReadingRow.node == node))

    def enter_reading(self, node: str, at: datetime) -> None:
        """Enter what it says."""
        self._session.merge(ReadingRow(node=node, at=at))
