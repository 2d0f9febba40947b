"""From an application to a right: asked, approved step by step by whoever holds the post then, granted.

Rules:
- Each decision takes the application's turn first, so that of two at one moment the second sees what the first did.
- Everything is judged at the moment of the decision: posts, deputies, the chain, the person's unit and end of term.
- A right begins with its last approval at the earliest: nothing is granted for the past.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from audit.access.rights.approvers import Approvers
from audit.access.rights.chains import Chain
from audit.access.rights.errors import ApplicationRefusedError, DecisionRefusedError, RightUnknownError
from audit.access.rights.model import (
    Application,
    Approval,
    Change,
    Doer,
    Entitlement,
    Kind,
    Status,
    Wish,
    new_id,
)
from audit.access.rights.repository import RightsRepository
from audit.access.rights.use_cases import UseCases
from audit.access.rights.wishes import cleaned, fault, words_of
from audit.context import post_held

__all__ = ["ApplicationUseCases", "Due"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An application that somebody may decide now. `deputy_for`: in whose place; empty for one's own."""

    application: Application
    deputy_for: str


class ApplicationUseCases(UseCases):
    """Asking, approving, refusing, withdrawing."""

    def apply(self, wish: Wish, by: Doer) -> Application:
        """Ask for a right, for other terms, or for an end.

        Raises:
            ApplicationRefusedError: it cannot be asked for like this, or not by this person; recorded.
        """
        now = self._clock.now()
        try:
            with self._store.unit() as unit:
                repository = RightsRepository(unit)
                application = self._asked(cleaned(wish, now), by, repository, now)
                repository.add_application(application)
                self._journal.record(
                    self._journal.about(
                        "apply", "rights.applied_for", now, by, application, why=application.wish.reason
                    )
                )
        except ApplicationRefusedError as error:
            doc = self._journal.event("apply", "rights.application_denied", now, by, "denied", why=error.reason)
            self._journal.record(doc)
            raise
        return application

    def _asked(self, wish: Wish, by: Doer, repository: RightsRepository, now: datetime) -> Application:
        approvers = self._approvers(repository, now)
        chain = self.rules.chain(wish.system)
        if wish.system not in self.systems:
            raise ApplicationRefusedError("system")
        if chain is None:
            raise ApplicationRefusedError("chain")
        if approvers.post(by.id) is None or not self._people.posts(wish.person):
            raise ApplicationRefusedError("unknown_person")
        if chain.applicant and not approvers.named(chain.applicant, wish.unit, by.id):
            raise ApplicationRefusedError("chain_applicant")
        if not chain.applicant and wish.person != by.id and not self._leads(approvers, wish, by, now):
            raise ApplicationRefusedError("applicant")
        if chain.decision_ref and not wish.decision_ref:
            raise ApplicationRefusedError("decision_ref")
        if reason := fault(wish, self._people, self._present(wish, repository), now):
            raise ApplicationRefusedError(reason)
        return Application(
            id=new_id(),
            wish=wish,
            applicant=by.id,
            chain=chain.fingerprint,
            steps=len(chain.steps),
            outside=self.rules.outside(wish.unit, wish.system, wish.functions),
            approvals=(),
            created_at=now,
            expires_at=now + self.rules.wait,
            status=Status.WAITING,
        )

    def _leads(self, approvers: Approvers, wish: Wish, by: Doer, now: datetime) -> bool:
        """Whether somebody applies for staff of theirs, those who come with the next transfer included."""
        if approvers.leads(by.id, wish.person):
            return True
        coming = post_held(self._people.posts(wish.person), max(wish.start, now))
        return coming is not None and (
            coming.manager_id == by.id or self._people.head_of(coming.org_unit, now) == by.id
        )

    def approve(self, application: str, by: Doer) -> Application:
        """Give the step that is due; the last one grants.

        Raises:
            RightUnknownError: there is no such application, as far as this person may know; recorded.
            DecisionRefusedError: not by this person, or not now; recorded.
        """
        now = self._clock.now()
        later: list[dict[str, Any]] = []
        try:
            with self._store.unit() as unit:
                repository = RightsRepository(unit)
                found, deputy_for = self._turn(application, by, repository, now)
                self._still_stands(found, repository, now)
                approval = Approval(step=found.step, by=by.id, deputy_for=deputy_for, at=now)
                repository.approve(found.id, approval)
                found = replace(found, approvals=(*found.approvals, approval))
                step = f"{approval.step + 1}/{found.steps}"
                self._journal.record(
                    self._journal.about("approve", "rights.approved", now, by, found, step=step, deputy_for=deputy_for)
                )
                if found.step == found.steps:
                    repository.close(found.id, Status.APPROVED, now, by.id)
                    found = replace(found, status=Status.APPROVED, closed_at=now, closed_by=by.id)
                    later = self._fulfil(found, by, repository, now)
        except (DecisionRefusedError, RightUnknownError) as error:
            self._denied("rights.approval_denied", application, by, error.reason, now)
            raise
        self._tell(later)
        return found

    def refuse(self, application: str, reason: str, by: Doer) -> Application:
        """Refuse what one might have approved.

        Raises:
            RightUnknownError: there is no such application, as far as this person may know; recorded.
            DecisionRefusedError: not by this person, not now, or without a reason; recorded.
        """
        now = self._clock.now()
        words = words_of(reason)
        try:
            with self._store.unit() as unit:
                repository = RightsRepository(unit)
                found, deputy_for = self._turn(application, by, repository, now)
                if words is None:
                    raise DecisionRefusedError("reason")  # noqa: TRY301 - recorded below like every refusal
                repository.close(found.id, Status.REFUSED, now, by.id, words)
                doc = self._journal.about(
                    "approve", "rights.refused", now, by, found, "denied", why=words, deputy_for=deputy_for
                )
                repository.add_untold(doc)
        except (DecisionRefusedError, RightUnknownError) as error:
            self._denied("rights.refusal_denied", application, by, error.reason, now)
            raise
        self._tell([doc])
        return replace(found, status=Status.REFUSED, closed_at=now, closed_by=by.id, closing_reason=words)

    def withdraw(self, application: str, by: Doer) -> None:
        """Take back what one applied for, or what was applied for on one's behalf.

        Raises:
            RightUnknownError: there is no such application of this person's; recorded.
            DecisionRefusedError: it has been decided; recorded.
        """
        now = self._clock.now()
        try:
            with self._store.unit() as unit:
                repository = RightsRepository(unit)
                found = repository.application(application)
                if found is None or by.id not in (found.applicant, found.wish.person):
                    raise RightUnknownError("unknown")  # noqa: TRY301 - recorded below like every refusal
                if not repository.close(found.id, Status.WITHDRAWN, now, by.id):
                    raise DecisionRefusedError("closed")  # noqa: TRY301 - the same
                doc = self._journal.about("apply", "rights.withdrawn", now, by, found)
                repository.add_untold(doc)
        except (DecisionRefusedError, RightUnknownError) as error:
            self._denied("rights.withdrawal_denied", application, by, error.reason, now)
            raise
        self._tell([doc])

    def inbox(self, by: Doer) -> list[Due]:
        """What somebody may decide now, the oldest first."""
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = RightsRepository(unit)
            approvers, waiting = self._approvers(repository, now), repository.applications(status=Status.WAITING)
        due = []
        for application in reversed(waiting):
            chain = self._chain(application)
            if chain is None or now >= application.expires_at:
                continue
            place = approvers.decider(chain.steps[application.step], application, by.id)
            if place is not None:
                due.append(Due(application=application, deputy_for=place))
        return due

    def applications_of(self, by: Doer) -> list[Application]:
        """What somebody applied for, or what was applied for on their behalf, the newest first."""
        with self._store.unit() as unit:
            return list(RightsRepository(unit).applications(person=by.id))

    def application(self, application: str, by: Doer) -> Application:
        """One application, for those it concerns.

        Raises:
            RightUnknownError: there is none, as far as this person may know.
        """
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = RightsRepository(unit)
            found, approvers = repository.application(application), self._approvers(repository, now)
        if found is None or not self._may_see(found, by, approvers):
            raise RightUnknownError("unknown")
        return found

    def next_approver(self, application: Application) -> str:
        """Who gives the step that is due, where that is one person; empty otherwise."""
        chain, now = self._chain(application), self._clock.now()
        if chain is None or application.status is not Status.WAITING:
            return ""
        return Approvers(self._people, (), now).holder(chain.steps[application.step], application)

    def _chain(self, application: Application) -> Chain | None:
        """The chain that an application was made under, if it is still the system's."""
        chain = self.rules.chain(application.wish.system)
        return chain if chain and chain.fingerprint == application.chain else None

    def _may_see(self, application: Application, by: Doer, approvers: Approvers) -> bool:
        given = [name for approval in application.approvals for name in (approval.by, approval.deputy_for)]
        if by.reads_all or by.oversees or by.id in (application.wish.person, application.applicant, *given):
            return True
        chain = self._chain(application)
        if chain is None or application.status is not Status.WAITING:
            return by.id == application.closed_by
        return approvers.decider(chain.steps[application.step], application, by.id) is not None

    def _turn(self, application: str, by: Doer, repository: RightsRepository, now: datetime) -> tuple[Application, str]:
        """A waiting application for whoever may decide it now, and in whose place."""
        waits = repository.claim(application)
        found = repository.application(application)
        approvers = self._approvers(repository, now)
        if found is None or not self._may_see(found, by, approvers):
            why = "unknown" if found is None else approvers.why_not(found, by.id)
            raise RightUnknownError(why)
        if not waits:
            raise DecisionRefusedError("closed")
        if now >= found.expires_at:
            raise DecisionRefusedError("expired")
        chain = self._chain(found)
        if chain is None:
            raise DecisionRefusedError("chain_changed")
        place = approvers.decider(chain.steps[found.step], found, by.id)
        if place is None:
            raise DecisionRefusedError(approvers.why_not(found, by.id))
        return found, place

    def _still_stands(self, application: Application, repository: RightsRepository, now: datetime) -> None:
        wish = application.wish
        if reason := fault(wish, self._people, self._present(wish, repository), now):
            raise DecisionRefusedError(reason)

    @staticmethod
    def _present(wish: Wish, repository: RightsRepository) -> Sequence[Entitlement]:
        return [row.entitlement() for row in repository.rights(ids=wish.replaces)] if wish.replaces else ()

    def _fulfil(
        self, application: Application, by: Doer, repository: RightsRepository, now: datetime
    ) -> list[dict[str, Any]]:
        """Do what was approved. What it gives is recorded here; what it only takes away is to be told afterwards."""
        wish = application.wish
        start = max(wish.start, now)
        operation = {Kind.GRANT: "granted", Kind.CHANGE: "changed", Kind.REVOKE: "revoked"}[wish.kind]
        changes = [
            _ended(repository, old, start if wish.kind is Kind.CHANGE else now, now)
            for old in self._present(wish, repository)
        ]
        if wish.kind is not Kind.REVOKE:
            changes += [_granted(repository, wish, application.id, function, start, now) for function in wish.functions]
        changes = [replace(change, operation=f"rights.{operation}", by=by.id, reason=wish.reason) for change in changes]
        for change in changes:
            repository.write_change(change)
        doc = self._journal.changed(
            "revoke" if wish.kind is Kind.REVOKE else "grant",
            f"rights.{operation}",
            by,
            changes,
            application=application.id,
            why=wish.reason,
            approvals=[approval.by for approval in application.approvals],
        )
        if wish.kind is Kind.REVOKE:
            repository.add_untold(doc)
            return [doc]
        self._journal.record(doc)
        return []

    def _denied(self, operation: str, application: str, by: Doer, reason: str, now: datetime) -> None:
        with self._store.unit() as unit:
            found = RightsRepository(unit).application(application)
        if found is None:
            doc = self._journal.event("approve", operation, now, by, "denied", why=reason)
        else:
            doc = self._journal.about("approve", operation, now, by, found, "denied", why=reason)
        self._journal.record(doc)


def _granted(
    repository: RightsRepository, wish: Wish, application: str, function: str, start: datetime, now: datetime
) -> Change:
    right = Entitlement(
        id=new_id(),
        person=wish.person,
        system=wish.system,
        affair=wish.affair,
        function=function,
        unit=wish.unit,
        start=start,
        end=wish.end,
        application=application,
    )
    repository.add_right(right)
    return Change(at=now, right=right.id, operation="", by="", before=None, after=right)


def _ended(repository: RightsRepository, old: Entitlement, end: datetime, now: datetime) -> Change:
    """End a right now, or give it an earlier end where what follows it begins later."""
    if end > now and end > old.start:
        after = replace(old, end=end if old.end is None else min(end, old.end))
        done = repository.shorten(old.id, after.end or end)
    else:
        after, done = None, repository.end_right(old.id, now)
    if not done:
        raise DecisionRefusedError("replaces")
    return Change(at=now, right=old.id, operation="", by="", before=old, after=after)
