"""Events of what was taken away: committed with the act, told after it, and told again until the log has them.

What takes away must not wait for the log, so it is committed before it is recorded; a log that fails just then would
never hear of it. Its event is therefore a row of the same unit of work, which goes once the log has the event. Whatever
is left is told by the next sweep, under the same id, by which the log stores it once (ADR 0019).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import String, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column
from structlog import get_logger

from audit.access.journal import Recorder
from audit.store.state import Base, Session, StateStore

__all__ = ["GroupRecorder", "Outbox", "UntoldRow", "keep"]

_AT_ONCE = 500
_log = get_logger(__name__)


@runtime_checkable
class GroupRecorder(Protocol):
    """A recorder that takes many events at the price of one: a thousand people leave on 31 March."""

    def record_all(self, docs: Sequence[Mapping[str, Any]]) -> None:
        """Append events, all or none; return only once they are durable, else raise."""


class UntoldRow(Base):
    """An event that the log may not have yet. The table has its name from when rights alone had such events."""

    __tablename__ = "access_right_untold"

    event_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    doc: Mapped[str] = mapped_column(Text)


def keep(unit: Session, docs: Sequence[Mapping[str, Any]]) -> None:
    """Commit events together with the act that they tell of."""
    unit.add_all(UntoldRow(event_id=doc["event_id"], doc=json.dumps(doc)) for doc in docs)
    unit.flush()


class Outbox:
    """Tells what was kept.

    Args:
        store: the state database.
        recorder: the audit log; it knows an event by its id.
    """

    def __init__(self, store: StateStore, recorder: Recorder | GroupRecorder) -> None:
        self._store = store
        self._recorder = recorder

    @contextmanager
    def unit(self) -> Iterator[tuple[Session, list[dict[str, Any]]]]:
        """A unit of work that takes something away, and a list for its events: committed with it, told after it.

        Raises:
            StoreError: it cannot be committed, and nothing has happened; or it is, and the log cannot be written.
        """
        docs = list[dict[str, Any]]()
        with self._store.unit() as unit:
            yield unit, docs
            keep(unit, docs)
        self.tell(docs)

    def tell(self, docs: Sequence[Mapping[str, Any]]) -> None:
        """Tell events that were committed; what the log refuses now is told by the next sweep.

        Raises:
            StoreError: the log cannot be written.
        """
        if not docs:
            return
        if isinstance(self._recorder, GroupRecorder):
            self._recorder.record_all(docs)
        else:
            for doc in docs:
                self._recorder.record(dict(doc))
        names = [doc["event_id"] for doc in docs]
        with self._store.unit() as unit:
            for start in range(0, len(names), _AT_ONCE):
                unit.execute(delete(UntoldRow).where(UntoldRow.event_id.in_(names[start : start + _AT_ONCE])))

    def catch_up(self) -> int:
        """Tell whatever was not told in its time; how many.

        An event that the log will never take stays, and holds up no other.

        Raises:
            StoreError: the log cannot be written; the rest stays.
        """
        with self._store.unit() as unit:
            docs = [json.loads(row) for row in unit.scalars(select(UntoldRow.doc).order_by(UntoldRow.event_id))]
        try:
            self.tell(docs)
        except ValueError:
            return sum(map(self._tell_alone, docs))
        return len(docs)

    def _tell_alone(self, doc: Mapping[str, Any]) -> bool:
        try:
            self.tell([doc])
        except ValueError:
            # Not what is wrong with it: that may repeat what stands in the event.
            _log.error("event_stays_untold", event_id=doc["event_id"])
            return False
        return True
