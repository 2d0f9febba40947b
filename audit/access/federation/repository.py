"""What must happen once: an answer of a verifier. Its state is a row's primary key, so two cannot both win."""

from datetime import datetime

from sqlalchemy import String, delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from audit.store.state import Base, Session, UtcTime

__all__ = ["FederationRepository", "UsedStateError", "UsedStateRow"]


class UsedStateRow(Base):
    """A state that came back, kept until it could not be used anyway."""

    __tablename__ = "access_federation_states"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    forget_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class UsedStateError(Exception):
    """A state came back before."""


class FederationRepository:
    """The statements, within one unit of work."""

    def __init__(self, unit: Session) -> None:
        self._unit = unit

    def use(self, state_hash: str, forget_at: datetime, now: datetime) -> None:
        """Use a state up.

        Raises:
            UsedStateError: it was used before; it must end the unit.
        """
        self._unit.execute(delete(UsedStateRow).where(UsedStateRow.forget_at <= now))
        self._unit.add(UsedStateRow(state_hash=state_hash, forget_at=forget_at))
        try:
            self._unit.flush()
        except IntegrityError as error:
            raise UsedStateError from error
