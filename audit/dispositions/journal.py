"""What closing cases tells the audit log.

What closes a case is recorded before it is committed; what opens one again is committed first (ADR 0019).
"""

from typing import Any

from audit.access.decisions import Actor
from audit.access.decisions.journal import ActsJournal
from audit.access.outbox import GroupRecorder
from audit.clock import Clock
from audit.dispositions.model import Disposition

__all__ = ["DispositionJournal"]


class DispositionJournal:
    """Writes the events of this package.

    Args:
        recorder: the audit log.
        clock: the time.
    """

    def __init__(self, recorder: GroupRecorder, clock: Clock) -> None:
        self._acts = ActsJournal(recorder, clock)

    def closed(self, made: Disposition, by: Actor, former: Disposition | None) -> None:
        """Somebody judges a case: it is closed, or waits for a second person."""
        activity, operation = ("apply", "proposed") if made.two else ("ledger_entry", "closed")
        self._acts.record(self._event(activity, operation, made, by, old=former.to_doc() if former else {}))

    def confirmed(self, made: Disposition, by: Actor) -> None:
        """A second person agrees: it is closed."""
        self._acts.record(self._event("approve", "confirmed", made, by, closed_by=made.closed_by))

    def reopened(self, ended: Disposition, by: Actor) -> dict[str, Any]:
        """A case is open again; not yet recorded."""
        operation = "reopened" if ended.settled_at is not None else "dropped"
        return self._event("revoke", operation, ended, by, reopening=ended.ended_reason)

    def refused(self, operation: str, reason: str, by: Actor, case: str) -> None:
        """Somebody was not let."""
        self._acts.write("authorize", f"cases.{operation}_refused", by=by, outcome="denied", case=case, refusal=reason)

    def _event(self, activity: str, operation: str, one: Disposition, by: Actor, **details: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON holds
        return self._acts.event(
            activity,
            f"cases.{operation}",
            by=by,
            case=one.case,
            disposition=one.kind,
            entry=one.id,
            why=one.reason,
            severity=one.severity,
            findings=[judged.finding for judged in one.findings],
            **details,
        )
