"""Approvals: asked for, given by somebody else who may, in force, used, closed. Each step an event with old and new."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from audit.access.decisions.errors import LedgerRefusedError
from audit.access.decisions.journal import ActsJournal, GroupRecorder, new_id
from audit.access.decisions.ledger.model import ApprovalKind, ApprovalState, Entry, People, Wanted
from audit.access.decisions.ledger.repository import EntryRow, LedgerRepository
from audit.access.decisions.model import Actor, Approval
from audit.access.outbox import Outbox
from audit.clock import Clock
from audit.events import mask
from audit.store.state import StateStore

__all__ = ["LedgerService", "heads_for"]

_LONGEST = timedelta(days=92)
_MOST_SUBJECTS = 100
_MOST_TEXT = 500
_OUTPUTS = frozenset({ApprovalKind.EXPORT, ApprovalKind.MEDIA, ApprovalKind.PRINT, ApprovalKind.TRANSFER})


def heads_for(people: People, person: str, at: datetime) -> Iterator[str]:
    """Who may approve something for a person: the heads of the person's unit and of those above, the nearest first."""
    post = people.post_at(person, at)
    unit = post.org_unit if post is not None else ""
    while unit:
        head = people.head_of(unit, at)
        if head is not None and not people.same_natural_person(head, person):
            yield head
        unit = unit.rpartition("/")[0]


class LedgerService:
    """The ledger of approvals.

    Args:
        store: the state database.
        clock: the time.
        recorder: the audit log.
        people: the directory.
    """

    def __init__(self, store: StateStore, clock: Clock, recorder: GroupRecorder, people: People) -> None:
        self._store = store
        self._clock = clock
        self._journal = ActsJournal(recorder, clock)
        self._outbox = Outbox(store, recorder)
        self._people = people

    def ask(self, wanted: Wanted, *, by: Actor) -> Entry:
        """Ask for an approval, for oneself or somebody else.

        Raises:
            LedgerRefusedError: what is asked for cannot be approved.
            StoreError: it cannot be recorded.
        """
        now = self._clock.now()
        self._check(wanted, by, now)
        clean = replace(
            wanted,
            reason=mask(wanted.reason.strip())[0],
            medium_id=mask(wanted.medium_id)[0],
            subjects=tuple(mask(subject)[0] for subject in wanted.subjects),
        )
        row = EntryRow.of(new_id(), clean, by.staff_id, now)
        with self._store.unit() as unit:
            LedgerRepository(unit).add(row)
            entry = row.entry()
            self._journal.record(self._event("apply", "ledger.asked", entry, by, "", ApprovalState.ASKED))
        return entry

    def approve(self, number: str, *, by: Actor) -> Entry:
        """Give what was asked for. It holds from this moment, never for what was done before.

        Raises:
            LedgerRefusedError: no such request, settled already, or not for this person to give.
            StoreError: it cannot be recorded; the request stays as it was.
        """
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = LedgerRepository(unit)
            entry = self._asked(repository, number)
            self._may_settle(entry, by, now)
            if entry.wanted.end <= now:
                raise LedgerRefusedError("span")
            if not repository.settle(number, ApprovalState.ASKED, ApprovalState.IN_FORCE, by.staff_id, now):
                raise LedgerRefusedError("settled")
            given = self._known(repository, number)
            states = (ApprovalState.ASKED, ApprovalState.IN_FORCE)
            self._journal.record(self._event("approve", "ledger.approved", given, by, *states))
        return given

    def refuse(self, number: str, *, by: Actor, reason: str) -> Entry:
        """Refuse what was asked for, with the reason.

        Raises:
            LedgerRefusedError: as for `approve`, or without a reason.
        """
        now = self._clock.now()
        if not 1 <= len(reason.strip()) <= _MOST_TEXT:
            raise LedgerRefusedError("reason")
        with self._outbox.unit() as (unit, told):
            repository = LedgerRepository(unit)
            self._may_settle(self._asked(repository, number), by, now)
            if not repository.settle(number, ApprovalState.ASKED, ApprovalState.REFUSED, by.staff_id, now):
                raise LedgerRefusedError("settled")
            entry = self._known(repository, number)
            told.append(
                self._event(
                    "approve",
                    "ledger.refused",
                    entry,
                    by,
                    ApprovalState.ASKED,
                    ApprovalState.REFUSED,
                    outcome="denied",
                    why=mask(reason.strip())[0],
                )
            )
        return entry

    def withdraw(self, number: str, *, by: Actor) -> Entry:
        """Take a request back, whoever asked for it or whom it is for.

        Raises:
            LedgerRefusedError: no such request, settled already, or somebody else's.
        """
        return self._end(number, by, ApprovalState.ASKED, ApprovalState.WITHDRAWN, "ledger.withdrawn")

    def close(self, number: str, *, by: Actor) -> Entry:
        """End an approval before its time: the one who asked, the one it is for, or one who may approve.

        Raises:
            LedgerRefusedError: no such approval, not in force, or not for this person to end.
        """
        return self._end(number, by, ApprovalState.IN_FORCE, ApprovalState.CLOSED, "ledger.closed")

    def entries(
        self,
        states: Sequence[ApprovalState] = tuple(ApprovalState),
        *,
        person: str = "",
        limit: int = 200,
        after: str = "",
    ) -> list[Entry]:
        """Requests in some states, the newest first: for or by one person, or all; those that come after one by its id.

        Raises:
            LookupError: there is none of this id among them.
        """
        with self._store.unit() as unit:
            return LedgerRepository(unit).entries(states, person, limit, after)

    def inbox(self, approver: str) -> list[Entry]:
        """The requests that wait for one approver."""
        now = self._clock.now()
        asked = self.entries((ApprovalState.ASKED,), limit=1000)
        return [one for one in asked if approver in heads_for(self._people, one.wanted.person, now)]

    def in_force(self, person: str, system: str, at: datetime) -> tuple[Approval, ...]:
        """The approvals of one person for a system that hold at a moment, as decisions see them."""
        with self._store.unit() as unit:
            return LedgerRepository(unit).in_force(person, system, at)

    def _end(self, number: str, by: Actor, before: ApprovalState, after: ApprovalState, operation: str) -> Entry:
        now = self._clock.now()
        with self._outbox.unit() as (unit, told):
            repository = LedgerRepository(unit)
            entry = self._known(repository, number)
            own = by.staff_id in {entry.asked_by, entry.wanted.person}
            head = before is ApprovalState.IN_FORCE and by.staff_id in heads_for(self._people, entry.wanted.person, now)
            if not own and not head:
                raise LedgerRefusedError("not_own")
            if not repository.close(number, before, after):
                raise LedgerRefusedError("settled")
            ended = self._known(repository, number)
            told.append(self._event("revoke", operation, ended, by, before, after))
        return ended

    def _check(self, wanted: Wanted, by: Actor, now: datetime) -> None:
        faults = {
            "no_post": any(self._people.post_at(one, now) is None for one in {wanted.person, by.staff_id}),
            "span": not wanted.start < wanted.end or wanted.end <= now or wanted.end - wanted.start > _LONGEST,
            "reason": not 1 <= len(wanted.reason.strip()) <= _MOST_TEXT,
            "number": any(number is not None and number < 1 for number in (wanted.max_rows, wanted.max_uses))
            or (wanted.max_uses is not None and wanted.kind not in _OUTPUTS),
            "medium": wanted.kind is ApprovalKind.MEDIA and not wanted.medium_id,
            "subjects": (wanted.kind is ApprovalKind.SECOND_PERSON) != bool(wanted.subjects)
            or len(wanted.subjects) > _MOST_SUBJECTS,
        }
        for reason, found in faults.items():
            if found:
                raise LedgerRefusedError(reason)

    def _may_settle(self, entry: Entry, by: Actor, now: datetime) -> None:
        """Somebody else, in the line above the person whom it is for, holding that post now."""
        concerned = (entry.wanted.person, entry.asked_by)
        if any(self._people.same_natural_person(by.staff_id, one) for one in concerned):
            raise LedgerRefusedError("oneself")
        if by.staff_id not in heads_for(self._people, entry.wanted.person, now):
            raise LedgerRefusedError("not_head")

    @staticmethod
    def _known(repository: LedgerRepository, number: str) -> Entry:
        entry = repository.entry(number)
        if entry is None:
            raise LedgerRefusedError("unknown")
        return entry

    def _asked(self, repository: LedgerRepository, number: str) -> Entry:
        entry = self._known(repository, number)
        if entry.state is not ApprovalState.ASKED:
            raise LedgerRefusedError("settled")
        return entry

    def _event(
        self,
        activity: str,
        operation: str,
        entry: Entry,
        by: Actor,
        before: str,
        after: str,
        *,
        outcome: str = "success",
        why: str = "",
    ) -> dict[str, Any]:
        wanted = entry.wanted
        return self._journal.event(
            activity,
            operation,
            by=by,
            outcome=outcome,
            target=wanted.person,
            system=wanted.system,
            subjects=wanted.subjects,
            export={"approval_id": entry.id, "medium_id": wanted.medium_id},
            kind=wanted.kind,
            old={"state": str(before)},
            new={
                "state": str(after),
                "from": wanted.start.isoformat(),
                "to": wanted.end.isoformat(),
                "max_rows": wanted.max_rows,
                "max_uses": wanted.max_uses,
                "approved_by": entry.settled_by,
            },
            why=why or wanted.reason,
        )
