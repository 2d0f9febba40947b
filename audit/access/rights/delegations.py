"""Deputies: an approver's word that somebody else may approve in their place for a time.

A deputy gets what the approver could decide at the moment of the decision, and nothing beyond: whoever is concerned
by an application, or gave another step of it, is left out of it with all their ids.
"""

from datetime import datetime, timedelta

from audit.access.rights.errors import DelegationRefusedError, RightUnknownError
from audit.access.rights.model import Delegation, Doer, new_id
from audit.access.rights.repository import RightsRepository
from audit.access.rights.use_cases import UseCases

__all__ = ["DelegationUseCases"]

_LONGEST = timedelta(days=366)


class DelegationUseCases(UseCases):
    """Naming deputies."""

    def delegate(self, deputy: str, start: datetime, end: datetime, by: Doer) -> Delegation:
        """Name a deputy.

        Raises:
            DelegationRefusedError: not this person, or not for this time; recorded.
        """
        now = self._clock.now()
        delegation = Delegation(id=new_id(), approver=by.id, deputy=deputy, start=max(start, now), end=end)
        with self._store.unit() as unit:
            repository = RightsRepository(unit)
            reason = self._why_not(delegation, repository, now)
            if reason is None:
                repository.add_delegation(delegation)
                doc = self._journal.event(
                    "grant",
                    "rights.deputy_named",
                    now,
                    by,
                    target=(deputy, "", ""),
                    delegation=delegation.id,
                    after={"from": delegation.start.isoformat(), "to": end.isoformat()},
                )
                self._journal.record(doc)
        if reason is not None:
            self._journal.record(self._journal.event("grant", "rights.deputy_denied", now, by, "denied", why=reason))
            raise DelegationRefusedError(reason)
        return delegation

    def _why_not(self, delegation: Delegation, repository: RightsRepository, now: datetime) -> str | None:
        approvers = self._approvers(repository, now)
        if approvers.post(delegation.approver) is None:
            return "post"
        if self._people.same_natural_person(delegation.approver, delegation.deputy):
            return "oneself"
        if approvers.post(delegation.deputy) is None:
            return "deputy"
        if not delegation.start < delegation.end <= now + _LONGEST:
            return "period"
        return None

    def end_delegation(self, delegation: str, by: Doer) -> None:
        """End a delegation of one's own at once.

        Raises:
            RightUnknownError: there is none such of this person's.
        """
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = RightsRepository(unit)
            ended = repository.end_delegation(delegation, by.id, now)
            if ended is None:
                raise RightUnknownError("unknown")
            doc = self._journal.event(
                "revoke",
                "rights.deputy_ended",
                now,
                by,
                target=(ended.deputy, "", ""),
                delegation=ended.id,
                before={"from": ended.start.isoformat(), "to": ended.end.isoformat()},
            )
            repository.add_untold(doc)
        self._tell([doc])

    def delegations_of(self, by: Doer) -> list[Delegation]:
        """Delegations that somebody gave or was given, present and coming."""
        with self._store.unit() as unit:
            found = RightsRepository(unit).delegations(self._clock.now())
        return [one for one in found if by.id in (one.approver, one.deputy)]
