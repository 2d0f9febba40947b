"""What decisions tell the audit log: one event for each answer, durable before the answer leaves."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from audit.access.decisions.model import Actor, Answer, Effect, Facts, Question
from audit.access.outbox import GroupRecorder
from audit.clock import TOKYO, Clock
from audit.events import mask

__all__ = ["ActsJournal", "GroupRecorder", "decision_event", "new_id"]


def new_id() -> str:
    """The id of a decision, of its event, of an entry."""
    return uuid4().hex


def decision_event(question: Question, facts: Facts | None, answer: Answer, now: datetime) -> dict[str, Any]:
    """One decision as an event.

    Args:
        question: what was asked; ids that the caller says are masked, for people type numbers into any field.
        facts: what it was judged by; None where they could not be read.
        answer: what was decided; its id becomes the event's.
        now: when.
    """
    post = facts.post if facts is not None else None
    session = facts.session if facts is not None else None
    doc: dict[str, Any] = {
        "time": _stamp(now),
        "event_id": answer.id,
        "activity": "authorize",
        "operation_name": answer.reason,
        "outcome": "success" if answer.effect is Effect.ALLOW else "denied",
        "actor": {"id": mask(question.person)[0] or "unknown", "kind": "staff"},
        "terminal": {"id": mask(question.terminal_id)[0], "ip": question.address},
        "affair": question.affair,
        "reason": question.purpose,
        "case_id": mask(question.case_id)[0],
        "target": {"system": question.system, "affair": question.affair},
        "unmapped": {
            "decision": _known(
                effect=answer.effect,
                activity=question.activity,
                function=question.function,
                policy=answer.policy,
                decided_at=_stamp(now),
                reliable_until=_stamp(now + answer.life) if answer.effect is Effect.ALLOW else "",
                acr=answer.acr or "",
                notes=list(answer.notes),
                approval=answer.approval,
                approvals=list(answer.approvals),
                second_person=mask(question.second_person)[0],
                second_session=_second(facts) if "second_person" in answer.notes and facts else {},
                emergency=facts.emergency.id if "break_glass" in answer.notes and facts and facts.emergency else "",
            )
        },
    }
    if question.subjects:
        doc |= {"subjects": list(question.subjects), "subject_count": len(question.subjects)}
    if post is not None:
        doc["actor"] |= {"org_unit": post.org_unit, "role": post.role}
    if session is not None:
        doc["session"] = session.id
        doc["auth"] = {
            "factors": list(session.proof.amr),
            "user_verified": session.proof.user_verified,
            "authenticator": session.proof.authenticator,
        }
    if question.rows is not None or question.medium_id:
        doc["export"] = {
            "rows": question.rows,
            "medium_id": mask(question.medium_id)[0],
            "approval_id": mask(answer.approval)[0],
        }
    return doc


def _second(facts: Facts) -> dict[str, Any]:
    """The session by which the second person confirmed, and what it had proved; nothing where none was named."""
    session = facts.second_session
    if session is None:
        return {}
    return {"id": session.id, "factors": list(session.proof.amr), "proved_at": _stamp(session.proof.at)}


class ActsJournal:
    """Writes the events of the ledger, of emergencies and of the policy.

    Args:
        recorder: the audit log.
        clock: the time.
    """

    def __init__(self, recorder: GroupRecorder, clock: Clock) -> None:
        self._recorder = recorder
        self._clock = clock

    def write(
        self,
        activity: str,
        operation: str,
        *,
        by: Actor | None = None,
        outcome: str = "success",
        target: str = "",
        system: str = "",
        subjects: Iterable[str] = (),
        export: Mapping[str, Any] | None = None,
        **details: Any,  # noqa: ANN401 - whatever JSON holds
    ) -> str:
        """Record one act; what `event` takes, and the id of its event.

        Raises:
            StoreError: the log cannot be written; the act must not happen.
        """
        doc = self.event(
            activity, operation, by=by, outcome=outcome, target=target, system=system, subjects=subjects,
            export=export, **details,
        )  # fmt: skip
        self.record(doc)
        return str(doc["event_id"])

    def record(self, doc: Mapping[str, Any]) -> None:
        """Record an act whose event is made already.

        Raises:
            StoreError: the log cannot be written; the act must not happen.
        """
        self._recorder.record_all([doc])

    def event(
        self,
        activity: str,
        operation: str,
        *,
        by: Actor | None = None,
        outcome: str = "success",
        target: str = "",
        system: str = "",
        subjects: Iterable[str] = (),
        export: Mapping[str, Any] | None = None,
        **details: Any,  # noqa: ANN401 - whatever JSON holds
    ) -> dict[str, Any]:
        """One act as an event, not yet recorded.

        Args:
            activity: a word of the closed vocabulary.
            operation: our own word for it.
            by: who acts; None for the installation itself.
            outcome: how it ended.
            target: the staff id that it is about.
            system: the source that it is about.
            subjects: residents it is about, by their keys.
            export: what leaves, in the contract's words.
            details: further fields, free of secrets; `old` and `new` where something changes.
        """
        doc: dict[str, Any] = {
            "time": _stamp(self._clock.now()),
            "event_id": new_id(),
            "activity": activity,
            "operation_name": operation,
            "outcome": outcome,
            "actor": {"id": by.staff_id, "kind": "staff"} if by else {"id": "mimamori", "kind": "system"},
            "target": _known(id=target, system=system),
            "unmapped": _known(**details),
        }
        if by is not None:
            doc |= {"terminal": {"ip": by.address}, "session": by.session}
        if subjects:
            doc["subjects"] = list(subjects)
        if export:
            doc["export"] = dict(export)
        return doc


def _stamp(at: datetime) -> str:
    return at.astimezone(TOKYO).isoformat(timespec="microseconds")


def _known(**values: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON holds
    return {name: value for name, value in values.items() if value not in ("", [], (), {}, None)}
