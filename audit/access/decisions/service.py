"""The door to decisions: facts are read, the question is judged, the answer is recorded, and only then it leaves.

- An allow whose event is not durable does not exist: the answer is a denial, `not_recorded`.
- What cannot be judged is denied: facts that cannot be read, a policy that cannot be used.
- An output is allowed for one use: it takes one use of its approval, and what became of it is confirmed once.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from structlog import get_logger

from audit.access.decisions.case import is_output
from audit.access.decisions.errors import ConfirmRefusedError
from audit.access.decisions.facts import FactsReader
from audit.access.decisions.journal import ActsJournal, GroupRecorder, decision_event, new_id
from audit.access.decisions.ledger.repository import LedgerRepository
from audit.access.decisions.model import Answer, Effect, Facts, Question
from audit.access.decisions.policy import NO_POLICY, DecisionPolicy
from audit.access.decisions.reasons import TEXTS, Reason
from audit.access.decisions.repository import DecisionRepository, OutputRow
from audit.access.decisions.rules import decide
from audit.clock import Clock
from audit.store.state import Session, StateStore

__all__ = ["DecisionService"]

_log = get_logger("mimamori.decisions")
_OUTCOMES = frozenset({"success", "failure"})
_PROMPT = timedelta(minutes=15)
"""An output that is confirmed later than this after its decision is marked `late`."""


@dataclass(slots=True)
class _Judged:
    """One question on its way."""

    question: Question
    facts: Facts | None
    answer: Answer

    @property
    def output(self) -> bool:
        return self.answer.effect is Effect.ALLOW and is_output(self.question)


class DecisionService:
    """Answers questions about access.

    Args:
        facts: reads what a question is judged by.
        policy: the policy in force (`PolicyBook.current`).
        store: keeps the outputs that were allowed.
        recorder: the audit log; it groups what it is given.
        clock: the time.
    """

    def __init__(
        self,
        facts: FactsReader,
        policy: Callable[[], DecisionPolicy],
        store: StateStore,
        recorder: GroupRecorder,
        clock: Clock,
    ) -> None:
        self._facts = facts
        self._policy = policy
        self._store = store
        self._recorder = recorder
        self._journal = ActsJournal(recorder, clock)
        self._clock = clock
        self._counting = threading.Lock()
        self._counts: Counter[str] = Counter()

    def decide(self, question: Question) -> Answer:
        """Answer one question; its event is durable when this returns, or the answer is a denial."""
        return self.decide_all([question])[0]

    def decide_all(self, questions: Sequence[Question]) -> list[Answer]:
        """Answer several questions, in their order, with one durable write for all of their events."""
        judged = [self._judge(question) for question in questions]
        told = False
        try:
            if any(one.output for one in judged):
                with self._store.unit() as unit:
                    for one in judged:
                        if one.output:
                            self._take(unit, one)
                    self._record(judged)
                    told = True
            else:
                self._record(judged)
        except Exception as error:  # noqa: BLE001
            # Whatever it was that failed: there is no allow without its event.
            _log.warning("decisions withheld", error=type(error).__name__, count=len(judged))
            self._count({"withheld": len(judged)})
            if told:
                self._take_back(judged)
            return [_refusal(Reason.NOT_RECORDED, one.answer.policy) for one in judged]
        return [one.answer for one in judged]

    def counts(self) -> Mapping[str, int]:
        """How many answers were recorded since the start, by effect; `withheld`: those that could not be.

        `taken_back`: those of the allowed that could not be kept once they were recorded, so that nobody heard them.
        """
        with self._counting:
            return dict(self._counts)

    def _judge(self, question: Question) -> _Judged:
        policy, facts = NO_POLICY, None
        try:
            policy = self._policy()
            facts = self._facts.read(question)
            answer = decide(question, facts, policy)
        except Exception as error:  # noqa: BLE001
            # An error of ours or of a store must end as a denial, never as an answer that nobody meant.
            _log.warning("not judged", error=type(error).__name__)
            answer = _refusal(Reason.NOT_JUDGED, policy.version)
        return _Judged(question, facts, replace(answer, id=new_id()))

    def _take(self, unit: Session, one: _Judged) -> None:
        """Enter an output, and take one use of the approval that it rests on."""
        question, answer = one.question, one.answer
        approval = next((a for a in one.facts.approvals if a.id == answer.approval), None) if one.facts else None
        now = self._clock.now()
        if approval is not None and approval.ledger and not LedgerRepository(unit).use(approval.id, now):
            one.answer = replace(_refusal(Reason.APPROVAL_USED, answer.policy), id=answer.id)
            return
        limits = [rows for rows in (question.rows, approval.max_rows if approval else None) if rows is not None]
        DecisionRepository(unit).add(
            OutputRow(
                id=answer.id,
                person=question.person,
                system=question.system,
                activity=question.activity,
                approval=answer.approval,
                max_rows=min(limits, default=None),
                decided_at=now,
            )
        )

    def _record(self, judged: Sequence[_Judged]) -> None:
        now = self._clock.now()
        self._recorder.record_all([decision_event(one.question, one.facts, one.answer, now) for one in judged])
        self._count(Counter(one.answer.effect.value for one in judged))

    def _take_back(self, judged: Sequence[_Judged]) -> None:
        """Say of what was allowed and recorded, and then could not be kept, that nobody was given it."""
        for one in judged:
            if one.answer.effect is not Effect.ALLOW:
                continue
            person, system = one.question.person, one.question.system
            try:
                self._journal.write(
                    "authorize", "decision.taken_back", outcome="denied", target=person, system=system,
                    decision=one.answer.id,
                )  # fmt: skip
            except Exception as error:  # noqa: BLE001
                # The caller hears the denial either way; the log then shows an allow that was never heard.
                _log.warning("decision not taken back", error=type(error).__name__)
            else:
                self._count({"taken_back": 1})

    def _count(self, more: Mapping[str, int]) -> None:
        with self._counting:
            self._counts.update(more)

    # What became of outputs --------------------------------------------------------------------------------------

    def confirm(self, decision: str, *, system: str, outcome: str, rows: int | None = None) -> None:
        """Enter what became of an output that was allowed; once.

        Args:
            decision: the answer's id.
            system: the authenticated caller; a decision of another system is none.
            outcome: `success` or `failure`.
            rows: how many records left. More than was asked for or approved is a security event.

        Raises:
            ConfirmRefusedError: there is no such decision, or it was confirmed before.
            StoreError: it cannot be recorded.
        """
        if outcome not in _OUTCOMES or (rows is not None and rows < 0):
            raise ConfirmRefusedError("outcome")
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = DecisionRepository(unit)
            row = repository.output(decision, system)
            if row is None or not repository.confirm(decision, outcome, rows, now):
                raise ConfirmRefusedError("unknown")
            if row.approval and rows:
                LedgerRepository(unit).count_rows(row.approval, rows)
            self._tell(row, outcome, rows, now)

    def unconfirmed(self, older_than: timedelta = _PROMPT) -> list[str]:
        """The decisions on outputs of which nobody has said what became."""
        with self._store.unit() as unit:
            return [row.id for row in DecisionRepository(unit).unconfirmed(self._clock.now() - older_than)]

    def forget(self, after: timedelta) -> int:
        """Drop what is known of outputs that were decided longer ago; the log keeps it. How many.

        Raises:
            StoreError: it cannot be recorded, so nothing is dropped.
        """
        with self._store.unit() as unit:
            count, unconfirmed = DecisionRepository(unit).forget(self._clock.now() - after)
            if count:
                self._journal.write(
                    "purge", "decisions.outputs_forgotten", count=count, unconfirmed=unconfirmed, days=after.days
                )
        return count

    def _tell(self, row: OutputRow, outcome: str, rows: int | None, now: datetime) -> None:
        exceeded = rows is not None and row.max_rows is not None and rows > row.max_rows
        self._journal.write(
            "security_event" if exceeded else "ledger_entry",
            "output.exceeded" if exceeded else "output.confirmed",
            outcome=outcome,
            target=row.person,
            system=row.system,
            export={"rows": rows, "approval_id": row.approval},
            decision=row.id,
            act=row.activity,
            decided_at=row.decided_at.isoformat(),
            confirmed_at=now.isoformat(),
            granted_rows=row.max_rows,
            late=now - row.decided_at > _PROMPT,
        )


def _refusal(reason: Reason, policy: str) -> Answer:
    return Answer(effect=Effect.DENY, reason=reason, texts=TEXTS[reason], policy=policy)
