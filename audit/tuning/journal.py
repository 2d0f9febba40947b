"""What tuning tells the audit log, with old and new values.

What loosens is recorded before it is committed; what ends an exception, or refuses, is committed first (ADR 0019).
"""

from typing import Any

from audit.access.decisions import Actor
from audit.access.decisions.journal import ActsJournal
from audit.access.outbox import GroupRecorder
from audit.clock import Clock
from audit.tuning.model import Change, Kind

__all__ = ["TuningJournal"]

_CONFIRMED = {Kind.EXCEPTION: "policy_change", Kind.PARAMETERS: "config_change"}


class TuningJournal:
    """Writes the events of this package.

    Args:
        recorder: the audit log.
        clock: the time.
    """

    def __init__(self, recorder: GroupRecorder, clock: Clock) -> None:
        self._acts = ActsJournal(recorder, clock)

    def proposed(self, change: Change, by: Actor) -> None:
        """Somebody proposes."""
        self._acts.record(self._event("apply", "proposed", change, by))

    def confirmed(self, change: Change, by: Actor, affected: int = 0) -> None:
        """Two people have made a change. `affected`: findings that it excepts at once."""
        self._acts.record(
            self._event(_CONFIRMED[change.kind], "confirmed", change, by, affected=affected, **_values(change))
        )

    def ended(self, change: Change, by: Actor, affected: int) -> dict[str, Any]:
        """An exception is ended, or a proposal dropped; not yet recorded."""
        if change.confirmed_at is None:
            return self._event("revoke", "dropped", change, by)
        return self._event("policy_change", "ended", change, by, affected=affected, old=change.terms.to_doc())

    def refused(self, operation: str, reason: str, by: Actor, change: str = "") -> None:
        """Somebody was not let."""
        self._acts.write(
            "authorize", f"tuning.{operation}_refused", by=by, outcome="denied", change=change, refusal=reason
        )

    def _event(self, activity: str, operation: str, change: Change, by: Actor, **details: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON holds
        return self._acts.event(
            activity,
            f"tuning.{change.kind}_{operation}",
            by=by,
            change=change.id,
            detector=change.terms.detector,
            asked={} if details else change.terms.to_doc(),
            why=change.reason,
            ticket=change.ticket,
            preview=change.digest,
            proposed_by=change.proposed_by,
            **details,
        )


def _values(change: Change) -> dict[str, Any]:
    document = change.terms.to_doc()
    if change.kind is Kind.EXCEPTION:
        return {"new": document}
    return {"old": {"values": document["before"]}, "new": {"values": document["values"]}}
