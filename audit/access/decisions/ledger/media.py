"""The media ledger: each step of a medium is a decision first, then an entry. A medium is in one place at a time."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from audit.access.decisions.errors import MediumRefusedError
from audit.access.decisions.journal import ActsJournal, GroupRecorder
from audit.access.decisions.ledger.model import Medium, MediumState
from audit.access.decisions.ledger.repository import LedgerRepository, MediumRow
from audit.access.decisions.model import Actor, Answer, Effect, Question
from audit.clock import Clock
from audit.events import mask
from audit.store.state import StateStore

__all__ = ["MediaService"]

_LONGEST_ID = 64
_LONGEST_KIND = 40


class _Step(NamedTuple):
    """Where a medium must be for a step, where it is after it, and whether only its holder may take it."""

    before: frozenset[MediumState]
    after: MediumState
    holder: bool


_STEPS: Mapping[str, _Step] = MappingProxyType(
    {
        "media_checkout": _Step(frozenset({MediumState.STORED}), MediumState.OUT, holder=False),
        "media_write": _Step(frozenset({MediumState.OUT}), MediumState.OUT, holder=True),
        "media_return": _Step(frozenset({MediumState.OUT}), MediumState.RETURNED, holder=False),
        "media_erase": _Step(frozenset({MediumState.RETURNED}), MediumState.STORED, holder=False),
        "media_dispose": _Step(
            frozenset({MediumState.RETURNED, MediumState.STORED}), MediumState.DISPOSED, holder=False
        ),
    }
)


class MediaService:
    """The media of a town.

    Args:
        store: the state database.
        clock: the time.
        recorder: the audit log.
        decide: answers whether a step may be taken (`DecisionService.decide`).
    """

    def __init__(
        self, store: StateStore, clock: Clock, recorder: GroupRecorder, decide: Callable[[Question], Answer]
    ) -> None:
        self._store = store
        self._clock = clock
        self._journal = ActsJournal(recorder, clock)
        self._decide = decide

    def register(self, number: str, kind: str, *, by: Actor) -> Medium:
        """Enter a medium, stored and empty.

        Raises:
            MediumRefusedError: its number cannot be one, or is known.
            StoreError: it cannot be recorded.
        """
        if not 1 <= len(number) <= _LONGEST_ID or mask(number)[1] or len(kind) > _LONGEST_KIND:
            raise MediumRefusedError("shape")
        row = MediumRow(id=number, kind=mask(kind)[0], state=MediumState.STORED, holder="", since=self._clock.now())
        with self._store.unit() as unit:
            repository = LedgerRepository(unit)
            if repository.medium(number) is not None:
                raise MediumRefusedError("known")
            repository.add(row)
            medium = row.medium()
            self._journal.write(
                "ledger_entry",
                "media.registered",
                by=by,
                export={"medium_id": number},
                new={"state": str(medium.state), "kind": medium.kind},
            )
        return medium

    def step(self, question: Question, *, by: Actor) -> Answer:
        """Take a step: out, written to, back, erased, disposed of.

        Args:
            question: of the person who takes it, with the medium; its activity is the step.
            by: the same person, as signed in.

        Returns:
            The decision; unless it is an allow, nothing was entered.

        Raises:
            MediumRefusedError: the medium is unknown, not where the step needs it, or in other hands.
            StoreError: it cannot be recorded; the medium stays where it was.
        """
        step = _STEPS.get(question.activity)
        if step is None or by.staff_id != question.person:
            raise MediumRefusedError("state")
        medium = self._ready(question, step)
        answer = self._decide(replace(question, session=question.session or by.session))
        if answer.effect is not Effect.ALLOW:
            return answer
        holder = question.person if step.after is MediumState.OUT else ""
        with self._store.unit() as unit:
            if not LedgerRepository(unit).move(medium, step.after, holder, self._clock.now()):
                raise MediumRefusedError("state")
            self._journal.write(
                question.activity,
                f"media.{step.after}",
                by=by,
                system=question.system,
                export={"medium_id": medium.id, "rows": question.rows, "approval_id": answer.approval},
                decision=answer.id,
                old={"state": str(medium.state), "holder": medium.holder},
                new={"state": str(step.after), "holder": holder},
            )
        return answer

    def media(self) -> list[Medium]:
        """Every medium, those that are out first, the longest out first."""
        with self._store.unit() as unit:
            return LedgerRepository(unit).media()

    def _ready(self, question: Question, step: _Step) -> Medium:
        with self._store.unit() as unit:
            medium = LedgerRepository(unit).medium(question.medium_id)
        if medium is None:
            raise MediumRefusedError("unknown")
        if medium.state not in step.before:
            raise MediumRefusedError("state")
        if step.holder and medium.holder != question.person:
            raise MediumRefusedError("holder")
        return medium
