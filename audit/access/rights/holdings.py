"""Who holds what: asked at every moment anew, so that a transfer, a retirement or an end takes effect by itself.

The sweep only writes down what has already happened: it gives nothing and takes nothing that still held.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.access.rights.errors import DecisionRefusedError, RightUnknownError
from audit.access.rights.model import (
    Application,
    Change,
    Doer,
    Entitlement,
    Status,
    lost_at,
    replay,
)
from audit.access.rights.repository import RightsRepository
from audit.access.rights.use_cases import UseCases
from audit.access.rights.wishes import words_of
from audit.context import Post, post_held
from audit.store.state import Session

__all__ = ["HoldingUseCases", "LedgerEntry", "Swept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One right with where it stands.

    Attributes:
        right: the right.
        application: how it came.
        holds: whether it gives anything now.
        applied_at: when the target system was first seen to have it; None when it was not yet.
    """

    right: Entitlement
    application: Application
    holds: bool
    applied_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep wrote down.

    Attributes:
        ended: rights whose end it noticed.
        expired: applications that nobody decided in time.
        told: events that an earlier act could not tell.
        longest: the longest time from an end to its being written down.
    """

    ended: int
    expired: int
    told: int
    longest: timedelta


class HoldingUseCases(UseCases):
    """Reading rights, ending them, and their history."""

    def held(self, person: str, system: str, at: datetime) -> tuple[Entitlement, ...]:
        """The rights that hold at a moment: approved, not taken away, valid, and of the unit that the person works in.

        Args:
            person: the staff id.
            system: the source id.
            at: the moment, usually now; rights that were taken away since are not found: for the past see `held_at`.
        """
        posts = self._people.posts(person)
        if post_held(posts, at) is None:
            return ()
        with self._store.unit() as unit:
            rows = RightsRepository(unit).rights(person=person, system=system)
            return tuple(right for row in rows if _holds(right := row.entitlement(), posts, at))

    def held_by(self, person: str) -> list[LedgerEntry]:
        """A person's rights in every system that were not taken away."""
        return self._entries(person=person)

    def ledger(self, system: str) -> list[LedgerEntry]:
        """The rights in a system that were not taken away, by person, and how each came."""
        return self._entries(system=system)

    def counts(self) -> Mapping[str, int]:
        """How many rights there are, by system."""
        with self._store.unit() as unit:
            return RightsRepository(unit).count_by_system()

    def _entries(self, *, person: str = "", system: str = "") -> list[LedgerEntry]:
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = RightsRepository(unit)
            rows = repository.rights(person=person, system=system)
            origins = repository.applications_by_id({row.application for row in rows})
        posts = self._posts(row.person for row in rows)
        return [
            LedgerEntry(
                right=(right := row.entitlement()),
                application=origins[row.application],
                holds=_holds(right, posts[row.person], now),
                applied_at=row.applied_at,
            )
            for row in rows
        ]

    def revoke(self, right: str, reason: str, by: Doer) -> None:
        """End a right at once: the holder, the manager or head, an approver of the system, a security administrator.

        Raises:
            RightUnknownError: there is no such right, as far as this person may know; recorded.
            DecisionRefusedError: without a reason.
        """
        now = self._clock.now()
        words = words_of(reason)
        if words is None:
            raise DecisionRefusedError("reason")
        with self._store.unit() as unit:
            repository = RightsRepository(unit)
            found = [row.entitlement() for row in repository.rights(ids=[right])]
            done = bool(found) and self._may_end(found[0], by, repository, now) and repository.end_right(right, now)
            if done:
                change = _change(found[0], "rights.revoked", now, by.id, words)
                repository.write_change(change)
                doc = self._journal.changed("revoke", "rights.revoked", by, [change], why=words)
                repository.add_untold(doc)
            else:
                doc = self._journal.event("revoke", "rights.revocation_denied", now, by, "denied", why="unknown")
        if not done:
            self._journal.record(doc)
            raise RightUnknownError("unknown")
        self._tell([doc])

    def may_end(self, right: Entitlement, by: Doer) -> bool:
        """Whether somebody may end a right."""
        with self._store.unit() as unit:
            return self._may_end(right, by, RightsRepository(unit), self._clock.now())

    def _may_end(self, right: Entitlement, by: Doer, repository: RightsRepository, now: datetime) -> bool:
        if by.oversees or by.id == right.person:
            return True
        approvers = self._approvers(repository, now)
        chain = self.rules.chain(right.system)
        named = chain is not None and any(approvers.named(step, right.unit, by.id) for step in chain.steps)
        return named or approvers.leads(by.id, right.person)

    def sweep(self, now: datetime) -> Swept:
        """Write down what has ended by itself, each end exactly once, and how long that took to be noticed.

        Raises:
            StoreError: the log cannot be written. What has ended has ended; the next sweep tells it.
        """
        with self._store.unit() as unit:
            repository = RightsRepository(unit)
            rights = [row.entitlement() for row in repository.rights()]
            docs, delays = self._end(repository, rights, now)
            docs += (expired := self._expired(repository, now))
            for doc in docs:
                repository.add_untold(doc)
        late = self._outbox.catch_up() - len(docs)
        longest = max(delays, default=timedelta(0))
        return Swept(ended=len(delays), expired=len(expired), told=late, longest=longest)

    def settle(self, unit: Session, people: Collection[str]) -> None:
        """Write down what has ended for some people, because the directory is about to say something else of them.

        A post that is lengthened after its end, or a gap that is filled, would otherwise bring back what was not yet
        swept. The next sweep tells it.

        Args:
            unit: in which the directory is changed.
            people: whose posts.
        """
        repository, alone = RightsRepository(unit), len(people) == 1
        rows = repository.rights(person=next(iter(people)) if alone else "")
        rights = [right for row in rows if (right := row.entitlement()).person in people]
        docs, _ = self._end(repository, rights, self._clock.now())
        for doc in docs:
            repository.add_untold(doc)

    def _end(
        self, repository: RightsRepository, rights: Sequence[Entitlement], now: datetime
    ) -> tuple[list[dict[str, Any]], list[timedelta]]:
        """End those rights that are over; their events, and how late each is noticed."""
        posts = self._posts(right.person for right in rights)
        ends = [
            (right, *end)
            for right in rights
            if (end := _over(right, posts[right.person], now)) and repository.end_right(right.id, now)
        ]
        docs = [self._noticed(right, operation, since, now, repository) for right, operation, since in ends]
        return docs, [now - since for _, _, since in ends]

    def _noticed(
        self, right: Entitlement, operation: str, since: datetime, now: datetime, repository: RightsRepository
    ) -> dict[str, Any]:
        change = _change(right, operation, now, "", "")
        repository.write_change(change)
        delay = f"{(now - since) / timedelta(days=1):.3f}"
        return self._journal.changed("revoke", operation, None, [change], ended_at=since.isoformat(), delay_days=delay)

    def _expired(self, repository: RightsRepository, now: datetime) -> list[dict[str, Any]]:
        return [
            self._journal.about("approve", "rights.application_expired", now, None, application, "denied")
            for application in repository.applications(status=Status.WAITING, expired_at=now)
            if repository.close(application.id, Status.EXPIRED, now)
        ]

    def history(self, person: str = "") -> Sequence[Change]:
        """The book of changes, or one person's part of it, in order."""
        with self._store.unit() as unit:
            return RightsRepository(unit).changes(person=person)

    def held_at(self, at: datetime, *, person: str = "") -> tuple[Entitlement, ...]:
        """The rights that held at a past moment, rebuilt from the book of changes and the directory."""
        found = replay(self.history(person), at)
        posts = self._posts(right.person for right in found.values())
        return tuple(right for right in found.values() if _holds(right, posts[right.person], at))

    def _posts(self, people: Iterable[str]) -> dict[str, tuple[Post, ...]]:
        return {name: self._people.posts(name) for name in set(people)}


def _holds(right: Entitlement, posts: Sequence[Post], at: datetime) -> bool:
    return right.in_force(at) and lost_at(posts, right, at) is None


def _over(right: Entitlement, posts: Sequence[Post], now: datetime) -> tuple[str, datetime] | None:
    """What ended a right, and when; None while it has not ended."""
    left = lost_at(posts, right, now) if right.start <= now else None
    if left is not None and (right.end is None or left < right.end):
        return ("rights.left_unit" if post_held(posts, now) else "rights.left_office"), left
    if right.end is not None and right.end <= now:
        return "rights.expired", right.end
    return None


def _change(right: Entitlement, operation: str, now: datetime, by: str, reason: str) -> Change:
    return Change(at=now, right=right.id, operation=operation, by=by, before=right, after=None, reason=reason)
