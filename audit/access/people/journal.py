"""What changes of the directory tell the audit log: one event for each person, with old and new values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from audit.access.journal import Recorder
from audit.access.outbox import GroupRecorder
from audit.access.people.model import Change, ChangeKind, Plan, row_of
from audit.clock import TOKYO, Clock
from audit.context import Post

__all__ = ["By", "PeopleJournal"]

_ACTIVITIES: Mapping[ChangeKind, str] = {
    ChangeKind.JOINED: "grant",
    ChangeKind.MOVED: "config_change",
    ChangeKind.LEFT: "revoke",
    ChangeKind.EXTENDED: "grant",
    ChangeKind.CHANGED: "config_change",
}


@dataclass(frozen=True, slots=True)
class By:
    """Who changes the directory.

    Attributes:
        name: the source id of a system that proved itself, or who runs a command on this machine.
        address: where it came from; empty for this machine.
    """

    name: str
    address: str = ""


class PeopleJournal:
    """Writes the events of this package.

    Args:
        recorder: the audit log.
        clock: the time.
    """

    def __init__(self, recorder: Recorder, clock: Clock) -> None:
        self._recorder = recorder
        self._clock = clock

    def tell(self, changes: Iterable[Change], by: By, summary: Plan | None = None, **also: Any) -> None:  # noqa: ANN401
        """Record changes, and the sums of the file that they are from.

        Raises:
            StoreError: the log cannot be written.
        """
        docs = self.events(changes, by, **also)
        if summary is not None:
            docs.append(self._of_file(summary, by))
        if isinstance(self._recorder, GroupRecorder):
            self._recorder.record_all(docs)
            return
        for doc in docs:
            self._recorder.record(doc)

    def events(self, changes: Iterable[Change], by: By, **also: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        """The events of changes, not yet recorded."""
        return [self._of_person(change, by, also) for change in changes]

    def _of_person(self, change: Change, by: By, also: Mapping[str, Any]) -> dict[str, Any]:
        values = {"old": [_values(post) for post in change.before], "new": [_values(post) for post in change.after]}
        doc = self._doc(_ACTIVITIES[change.kind], f"people.{change.kind}", by, {**values, **also})
        return {**doc, "target": {"id": change.staff_id}}

    def _of_file(self, plan: Plan, by: By) -> dict[str, Any]:
        counts = {kind.value: str(plan.count(kind)) for kind in ChangeKind}
        return self._doc("import", "people.imported", by, {"read": str(plan.read), **counts})

    def _doc(self, activity: str, operation: str, by: By, details: Mapping[str, Any]) -> dict[str, Any]:
        doc: dict[str, Any] = {
            "time": self._clock.now().astimezone(TOKYO).isoformat(timespec="microseconds"),
            "event_id": uuid4().hex,
            "activity": activity,
            "operation_name": operation,
            "outcome": "success",
            "actor": {"kind": "system"},
            "unmapped": {**details, "by": by.name},
        }
        return {**doc, "terminal": {"ip": by.address}} if by.address else doc


def _values(post: Post) -> dict[str, str]:
    """A post's values by the names of the feed, without its person and without what is empty."""
    row = {name: value for name, value in row_of(post).items() if value and name != "staff_id"}
    return {
        name: value.astimezone(TOKYO).isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }
