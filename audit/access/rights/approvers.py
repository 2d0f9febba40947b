"""Who may decide a step, at one moment. Nothing is remembered: posts are looked up when they are relied on.

Left out of a chain are the person concerned, those who would gain by another part of the same application, the
applicant, whoever gave another step and whoever's deputy did, each with every other id of the same natural person. A
deputy decides in the place of somebody who could decide: what is delegated cannot be delegated again.
"""

from collections.abc import Sequence
from datetime import datetime

from audit.access.rights.chains import THE_UNIT, Step
from audit.access.rights.model import Application, Delegation
from audit.access.rights.people import People
from audit.context import Post, post_held, units_above

__all__ = ["Approvers"]


class Approvers:
    """The directory as it stands at one moment, asked about chains.

    Args:
        people: the directory.
        delegations: those in force at the moment.
        at: the moment.
    """

    def __init__(self, people: People, delegations: Sequence[Delegation], at: datetime) -> None:
        self._people = people
        self._delegations = delegations
        self._at = at
        self._posts: dict[str, Post | None] = {}
        self._heads: dict[str, str] = {}

    def post(self, staff_id: str) -> Post | None:
        """The post that somebody holds."""
        if staff_id not in self._posts:
            self._posts[staff_id] = post_held(self._people.posts(staff_id), self._at) if staff_id else None
        return self._posts[staff_id]

    def named(self, step: Step, unit: str, who: str, without: Sequence[str] = ()) -> bool:
        """Whether a step names somebody for a unit's right, by the post held now.

        Args:
            step: of the chain.
            unit: that the right is for.
            who: the staff id.
            without: those who may not take part.
        """
        post = self.post(who)
        if post is None or self._among(who, without):
            return False
        if step.head_of:
            return who == self._head(unit if step.head_of == THE_UNIT else step.head_of, without)
        if step.staff:
            return who in step.staff
        inside = not step.unit or step.unit in units_above(post.org_unit)
        return inside and (post.post == step.post if step.post else post.role == step.role)

    def decider(self, step: Step, application: Application, who: str) -> str | None:
        """In whose place somebody may give the step that is due.

        Returns:
            Empty for one's own, the approver's staff id for a deputy, None when it is not theirs to give.
        """
        without, unit = involved(application), application.wish.unit
        if self.named(step, unit, who, without):
            return ""
        if self.post(who) is None or self._among(who, without):
            return None
        for delegation in self._delegations:
            if delegation.deputy == who and self.named(step, unit, delegation.approver, without):
                return delegation.approver
        return None

    def why_not(self, application: Application, who: str) -> str:
        """The reason for which somebody may not give a step, as a word."""
        if self._among(who, (application.wish.person, *application.beside)):
            return "oneself"
        if self._among(who, (application.applicant,)):
            return "applicant"
        given = [name for approval in application.approvals for name in (approval.by, approval.deputy_for)]
        return "same_person" if self._among(who, given) else "not_named"

    def leads(self, who: str, person: str) -> bool:
        """Whether somebody is the manager of a person, or the head of the person's unit or one above it."""
        post = self.post(person)
        if post is None or self.post(who) is None:
            return False
        if who == self._people.manager_of(person, self._at):
            return True
        return any(who == self._people.head_of(unit, self._at) for unit in units_above(post.org_unit))

    def holder(self, step: Step, application: Application) -> str:
        """Who would give a step, where that is one person; empty otherwise."""
        if not step.head_of:
            return step.staff[0] if len(step.staff) == 1 else ""
        unit = application.wish.unit if step.head_of == THE_UNIT else step.head_of
        return self._head(unit, involved(application))

    def _head(self, unit: str, without: Sequence[str]) -> str:
        for place in units_above(unit):
            if place not in self._heads:
                self._heads[place] = self._people.head_of(place, self._at) or ""
            head = self._heads[place]
            if head and self.post(head) is not None and not self._among(head, without):
                return head
        return ""

    def _among(self, who: str, others: Sequence[str]) -> bool:
        return any(who == other or self._people.same_natural_person(who, other) for other in others if other)


def involved(application: Application) -> tuple[str, ...]:
    """Everybody who may not give the next step."""
    given = [name for approval in application.approvals for name in (approval.by, approval.deputy_for) if name]
    return (application.wish.person, *application.beside, application.applicant, *given)
