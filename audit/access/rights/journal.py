"""What is told to the audit log about rights.

Rules:
- What gives something is recorded before it is committed. What takes away or refuses is committed first, together with
  its event, and then recorded; an event that did not reach the log is told again by the sweep, under the same id, so
  that the log has it once.
- Each change of a right carries its old and its new value, in one event for all rights of one act.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from audit.access.journal import Outcome, Recorder
from audit.access.rights.model import Application, Change, Doer, new_id
from audit.clock import TOKYO

__all__ = ["RightsJournal"]

Activity = Literal["apply", "approve", "authorize", "grant", "ledger_entry", "revoke", "security_event"]


class RightsJournal:
    """Writes the events of this package.

    Args:
        recorder: the audit log.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def record(self, doc: dict[str, Any]) -> None:
        """Append an event; durable when this returns."""
        self._recorder.record(doc)

    def event(
        self,
        activity: Activity,
        operation: str,
        at: datetime,
        by: Doer | None,
        outcome: Outcome = "success",
        /,
        *,
        target: tuple[str, str, str] = ("", "", ""),
        **details: object,
    ) -> dict[str, Any]:
        """An event in contract form (DESIGN 4.3), not yet recorded.

        Args:
            activity: a word of the closed vocabulary.
            operation: our own word for it.
            at: when it is done.
            by: who does it; None for the installation itself.
            outcome: how it ended.
            target: the person, system and affair that it is about.
            details: further fields; empty ones are left out.
        """
        person, system, affair = target
        named = {"id": person, "system": system, "affair": affair}
        doc: dict[str, Any] = {
            "time": at.astimezone(TOKYO).isoformat(timespec="microseconds"),
            "event_id": new_id(),
            "activity": activity,
            "operation_name": operation,
            "outcome": outcome,
            "actor": {"id": by.id, "kind": "staff"} if by else {"id": "mimamori", "kind": "system"},
            "target": {name: value for name, value in named.items() if value},
        }
        if by and by.address:
            doc["terminal"] = {"ip": by.address}
        if by and by.session:
            doc["session"] = by.session
        return doc | {name: value for name, value in details.items() if value not in ("", None, [])}

    def about(
        self,
        activity: Activity,
        operation: str,
        at: datetime,
        by: Doer | None,
        application: Application,
        outcome: Outcome = "success",
        /,
        **details: object,
    ) -> dict[str, Any]:
        """An event about an application, with what it asks for."""
        wish = application.wish
        asked = {
            "kind": wish.kind.value,
            "functions": list(wish.functions),
            "unit": wish.unit,
            "from": wish.start.isoformat(),
            "to": wish.end.isoformat() if wish.end else "",
            "decision_ref": wish.decision_ref,
            "replaces": list(wish.replaces),
            "outside": list(application.outside),
        }
        return self.event(
            activity,
            operation,
            at,
            by,
            outcome,
            target=(wish.person, wish.system, wish.affair),
            application=application.id,
            batch=application.batch,
            asked={name: value for name, value in asked.items() if value},
            **details,
        )

    def changed(
        self, activity: Activity, operation: str, by: Doer | None, changes: Sequence[Change], **details: object
    ) -> dict[str, Any]:
        """An event about rights of one person in one system, with their old and new values."""
        first = next(right for change in changes for right in (change.after, change.before) if right)
        return self.event(
            activity,
            operation,
            changes[0].at,
            by,
            target=(first.person, first.system, first.affair),
            rights=[_values(change) for change in changes],
            **details,
        )


def _values(change: Change) -> dict[str, Any]:
    before = {"before": change.before.to_doc()} if change.before else {}
    after = {"after": change.after.to_doc()} if change.after else {}
    return {"id": change.right, **before, **after}
