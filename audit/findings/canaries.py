"""Canaries: once a day every detector is told one of its own stories, to see that it still sees."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Date, String, Text, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from audit.clock import TOKYO, Clock
from audit.store.state import Base, Session, StateStore, UtcTime

__all__ = ["Alarm", "Canary", "CanaryBook", "Verdict"]


class Verdict(StrEnum):
    """What came of a canary.

    `blind`: none of the detector's stories is seen, not even with its own parameters. `broken`: the detector raised an
    error. `refused`: it does not take the parameters that the town has set. `sees`: it found what the story tells of.
    `silenced`: it would have, with its own parameters, but not with those that the town has set.
    """

    BLIND = "blind"
    BROKEN = "broken"
    REFUSED = "refused"
    SEES = "sees"
    SILENCED = "silenced"


@dataclass(frozen=True, slots=True)
class Canary:
    """One day's canary of one detector.

    Attributes:
        detector: its id.
        day: the business day.
        version: of the detector.
        parameters: hash of the parameters in force.
        story: which was told.
        verdict: what came of it.
        error: what kind of error, for `broken` and `refused`.
        at: when.
    """

    detector: str
    day: date
    version: str
    parameters: str
    story: str
    verdict: Verdict
    error: str
    at: datetime

    def to_contract(self) -> dict[str, Any]:
        """As commands and the API show it."""
        return {
            "detector": self.detector,
            "day": self.day.isoformat(),
            "detector_version": self.version,
            "parameters_hash": self.parameters,
            "story": self.story,
            "verdict": self.verdict,
            "error": self.error,
            "at": self.at.astimezone(TOKYO).isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is told of a detector that does not see; `finding` is the id of the finding that tells it."""

    detector: str
    trouble: str
    finding: str


class CanaryRow(Base):
    """The canary of one detector on one day; one told again that day, because the detector changed, replaces it."""

    __tablename__ = "detector_canaries"

    detector: Mapped[str] = mapped_column(String(100), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    version: Mapped[str] = mapped_column(String(20))
    parameters: Mapped[str] = mapped_column(String(64))
    story: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(String(20))
    error: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcTime)


class AlarmRow(Base):
    """An alarm that stands."""

    __tablename__ = "detector_alarms"

    detector: Mapped[str] = mapped_column(String(100), primary_key=True)
    trouble: Mapped[str] = mapped_column(String(20))
    finding: Mapped[str] = mapped_column(String(40))


_FIELDS = tuple(Canary.__dataclass_fields__)


class CanaryBook:
    """The canaries of one installation, and the alarms that stand."""

    def __init__(self, state: StateStore, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    def enter(self, canary: Canary, guard: Callable[[Session], None]) -> None:
        """Keep what came of one; the unit of work begins with `guard`."""
        with self._state.unit() as session:
            guard(session)
            session.merge(CanaryRow(**{name: getattr(canary, name) for name in _FIELDS}))

    def last(self) -> dict[str, Canary]:
        """The last canary of every detector that ever had one."""
        latest = select(CanaryRow.detector, func.max(CanaryRow.day).label("day")).group_by(CanaryRow.detector)
        newest = latest.subquery()
        query = select(CanaryRow).join(
            newest, (CanaryRow.detector == newest.c.detector) & (CanaryRow.day == newest.c.day)
        )
        with self._state.unit() as session:
            return {row.detector: _canary(row) for row in session.scalars(query)}

    def first_days(self) -> dict[str, datetime]:
        """When every detector had its first canary: so long it has been known here."""
        query = select(CanaryRow.detector, func.min(CanaryRow.at)).group_by(CanaryRow.detector)
        with self._state.unit() as session:
            return {row[0]: row[1] for row in session.execute(query)}

    def alarms(self) -> dict[str, Alarm]:
        """The alarms that stand, by detector."""
        with self._state.unit() as session:
            rows = session.scalars(select(AlarmRow))
            return {row.detector: Alarm(row.detector, row.trouble, row.finding) for row in rows}

    def raise_alarm(self, alarm: Alarm) -> None:
        """Enter that an alarm stands."""
        with self._state.unit() as session:
            session.merge(AlarmRow(detector=alarm.detector, trouble=alarm.trouble, finding=alarm.finding))

    def end_alarm(self, detector: str) -> None:
        """Enter that none does."""
        with self._state.unit() as session:
            session.execute(delete(AlarmRow).where(AlarmRow.detector == detector))


def _canary(row: CanaryRow) -> Canary:
    values = {name: getattr(row, name) for name in _FIELDS}
    return Canary(**{**values, "verdict": Verdict(row.verdict)})
