"""Closing cases: what a reviewer made of one is kept, and counts for the ranking of later ones.

Rules:
- Whoever judges deals with cases, is in office, and is neither among the case's people nor answers to one of them, now
  or when it happened.
- A high or critical case takes a second human being, under the same rules; until then it is open.
- A disposition is about the findings as they stood. One more, or a graver one, and the case is open again; what was
  said of the former ones stands until the case is judged anew.
- Nothing is deleted: a case that is reopened keeps every disposition it had.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from audit.access.decisions import Actor
from audit.access.decisions.journal import new_id
from audit.access.outbox import GroupRecorder, Outbox
from audit.clock import Clock
from audit.dispositions.errors import DispositionRefusedError
from audit.dispositions.journal import DispositionJournal
from audit.dispositions.model import CaseSeen, Disposition, DispositionKind, DispositionState, Surroundings
from audit.dispositions.repository import DispositionRepository
from audit.events import mask
from audit.store.errors import StoreRefusedError
from audit.store.state import StateStore

__all__ = ["DispositionService"]

_LONGEST = 500


class DispositionService:
    """The dispositions of one installation.

    Args:
        store: the state database.
        clock: the time.
        recorder: the audit log.
        surroundings: people.
    """

    def __init__(self, store: StateStore, clock: Clock, recorder: GroupRecorder, surroundings: Surroundings) -> None:
        self._store = store
        self._clock = clock
        self._journal = DispositionJournal(recorder, clock)
        self._outbox = Outbox(store, recorder)
        self._surroundings = surroundings

    def every(self) -> Sequence[Disposition]:
        """All there have ever been, the oldest first."""
        with self._store.unit() as unit:
            return DispositionRepository(unit).every()

    def close(self, case: CaseSeen, kind: DispositionKind, *, reason: str, by: Actor) -> Disposition:
        """Judge a case: it is closed when this returns, or, when it is grave, waits for a second person.

        Raises:
            DispositionRefusedError: it is closed already, or, recorded, not by this person.
            StoreError: it cannot be recorded, and nothing has happened.
        """
        now, why = self._clock.now(), _reason(reason)
        if case.withdrawn:
            raise DispositionRefusedError("withdrawn")
        self._admit("closing", case, by, now)
        made = Disposition(
            id=new_id(),
            case=case.id,
            kind=kind,
            reason=why,
            severity=case.severity,
            findings=case.findings,
            two=case.grave,
            closed_by=by.staff_id,
            closed_at=now,
        )
        try:
            with self._store.unit() as unit:
                repository = DispositionRepository(unit)
                former = repository.standing(case.id)
                if former is not None:
                    if former.covers(case):
                        raise DispositionRefusedError(
                            "proposed" if former.state is DispositionState.PROPOSED else "closed"
                        )
                    if not repository.end(former.id, by.staff_id, now, replaced=True):
                        raise DispositionRefusedError("overtaken")
                repository.add(made)
                self._journal.closed(made, by, former)
        except StoreRefusedError as error:  # two people at once
            raise DispositionRefusedError("overtaken") from error
        return made

    def confirm(self, case: CaseSeen, kind: DispositionKind, *, by: Actor) -> Disposition:
        """Agree with what somebody else made of a grave case: it is closed when this returns.

        Args:
            case: as it is now.
            kind: what the second person takes it to be; it must be what was proposed.
            by: the second person.

        Raises:
            DispositionRefusedError: nothing waits, the case has changed, or, recorded, this person may not, or the
                first one may no longer.
            StoreError: it cannot be recorded, and nothing has happened.
        """
        now = self._clock.now()
        self._admit("confirmation", case, by, now)
        with self._store.unit() as unit:
            found = DispositionRepository(unit).standing(case.id)
        if found is None or found.state is not DispositionState.PROPOSED:
            raise DispositionRefusedError("open" if found is None else "closed")
        if not found.covers(case):
            raise DispositionRefusedError("changed")
        if self._surroundings.same_natural_person(by.staff_id, found.closed_by):
            self._refuse("confirmation", "same_person", by, case)
        if not self._surroundings.may_close(found.closed_by):
            self._refuse("confirmation", "asker_left", by, case)
        if found.kind is not kind:
            raise DispositionRefusedError("another")
        with self._store.unit() as unit:
            if not DispositionRepository(unit).confirm(found.id, by.staff_id, now):
                raise DispositionRefusedError("overtaken")
            made = replace(found, confirmed_by=by.staff_id, confirmed_at=now)
            self._journal.confirmed(made, by)
        return made

    def reopen(self, case: CaseSeen, *, reason: str, by: Actor) -> Disposition:
        """Open a case again, or drop what waits for a second person; what was said is kept as history.

        Raises:
            DispositionRefusedError: it has no disposition, or, recorded, not by this person.
            StoreError: it cannot be committed; or it is, and cannot be recorded just now.
        """
        now, why = self._clock.now(), _reason(reason)
        self._admit("reopening", case, by, now)
        with self._outbox.unit() as (unit, told):
            repository = DispositionRepository(unit)
            found = repository.standing(case.id)
            if found is None:
                raise DispositionRefusedError("open")
            if not repository.end(found.id, by.staff_id, now, reason=why):
                raise DispositionRefusedError("overtaken")
            ended = replace(found, ended_by=by.staff_id, ended_at=now, ended_reason=why)
            told.append(self._journal.reopened(ended, by))
        return ended

    def _admit(self, operation: str, case: CaseSeen, by: Actor, now: datetime) -> None:
        if hindrance := self._hindrance(case, by.staff_id, now):
            self._refuse(operation, hindrance, by, case)

    def _refuse(self, operation: str, reason: str, by: Actor, case: CaseSeen) -> None:
        self._journal.refused(operation, reason, by, case.id)
        raise DispositionRefusedError(reason)

    def _hindrance(self, case: CaseSeen, who: str, now: datetime) -> str:
        """Why somebody may not judge a case; empty when they may."""
        if not self._surroundings.may_close(who):
            return "not_entitled"
        if self._is_among([who], case.actors):
            return "oneself"
        above = {one for at in (now, case.start) for one in self._surroundings.superiors_of(who, at)}
        return "superior" if self._is_among(sorted(above), case.actors) else ""

    def _is_among(self, people: Sequence[str], actors: Sequence[str]) -> bool:
        return any(self._surroundings.same_natural_person(one, actor) for one in people for actor in actors)


def _reason(text: str) -> str:
    why = mask(text.strip())[0]
    if not 1 <= len(why) <= _LONGEST:
        raise DispositionRefusedError("reason")
    return why
