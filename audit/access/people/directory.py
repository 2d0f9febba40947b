"""The staff directory: the questions that access control asks of it."""

import threading
from datetime import datetime
from itertools import chain

from audit.access.journal import Recorder
from audit.access.outbox import Outbox
from audit.access.people.journal import PeopleJournal
from audit.access.people.model import PeopleRules
from audit.clock import Clock
from audit.context import ContextService, Post, post_held, units_above
from audit.store.state import StateStore

__all__ = ["PeopleDirectory"]


class PeopleDirectory:
    """What is asked of the directory.

    Args:
        state: the state database.
        clock: the time.
        context: holds the posts.
        recorder: the audit log.
        rules: the town's.
    """

    def __init__(
        self,
        state: StateStore,
        clock: Clock,
        context: ContextService,
        recorder: Recorder,
        rules: PeopleRules | None = None,
    ) -> None:
        self._state = state
        self._clock = clock
        self._context = context
        self._journal = PeopleJournal(recorder, clock)
        self._outbox = Outbox(state, recorder)
        self._rules = rules or PeopleRules()
        self._turn = threading.RLock()  # changes here wait for each other; one of another node makes ours fail

    def post_at(self, staff_id: str, at: datetime) -> Post | None:
        """The post that a person holds at a moment."""
        return self._context.post_at(staff_id, at)

    def holds_post(self, staff_id: str, at: datetime) -> bool:
        """Whether somebody is still with us at a moment; true for whoever the directory does not know."""
        posts = self._context.person(staff_id)
        return not posts or post_held(posts, at) is not None

    def same_natural_person(self, a: str, b: str) -> bool:
        """Whether two staff ids belong to one human being: the same id, or the same resident behind both."""
        return a == b or bool(self._residents(a) & self._residents(b))

    def head_of(self, unit: str, at: datetime) -> str | None:
        """Who leads a unit at a moment, the most senior of several; None when nobody does."""
        ranked = []
        for post in self._context.staff_in(unit, at):
            if post.role == self._rules.head_role or post.post in self._rules.head_posts:
                named = post.post in self._rules.head_posts
                rank = self._rules.head_posts.index(post.post) if named else len(self._rules.head_posts)
                ranked.append((rank, post.staff_id))
        return min(ranked)[1] if ranked else None

    def manager_of(self, staff_id: str, at: datetime) -> str | None:
        """Whom a person answers to at a moment.

        The one that the post names, while in office; else the head of the unit, or of the nearest unit above it.
        Never the same human being; None for somebody without a post, and where nobody is above.
        """
        post = self._context.post_at(staff_id, at)
        if post is None:
            return None
        named = post.manager_id if post.manager_id and self._context.post_at(post.manager_id, at) is not None else None
        heads = (self.head_of(unit, at) for unit in units_above(post.org_unit) if unit)
        above = (person for person in chain((named,), heads) if person is not None)
        return next((person for person in above if not self.same_natural_person(staff_id, person)), None)

    def _residents(self, staff_id: str) -> set[str]:
        return {post.subject_id for post in self._context.person(staff_id)} - {""}
