"""Where each fact of a decision comes from: the town's services, asked as they stand now."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from audit.access.decisions import Approval, DecisionPolicy, Facts, LiveSession, Question, is_output
from audit.access.decisions.emergencies.service import EmergencyService
from audit.access.decisions.ledger.model import People
from audit.access.decisions.ledger.service import LedgerService
from audit.access.rights.model import Entitlement
from audit.access.strength import FactorPolicy
from audit.clock import Clock, tokyo_date
from audit.context import ContextService, Post, Subject, WorkContext, post_held

__all__ = ["Rights", "Sessions", "TownFacts"]

_Ask = Callable[[object, Callable[[], Any]], Any]
_MOST_KEPT = 50_000
"""Posts, days and terminals of a large city; beyond that they are forgotten and read again."""


class Rights(Protocol):
    """Who holds which right (`audit.access.rights`)."""

    def held(self, person: str, system: str, at: datetime) -> tuple[Entitlement, ...]:
        """The rights of one person in one system that hold at a moment."""


class Sessions(Protocol):
    """Who is signed in (`audit.access.AccessService`)."""

    def live_session(self, login_id: str) -> LiveSession | None:
        """The session that somebody has now."""


class _Kept:
    """What the context feeds say, kept until an import changes anything: asked for every decision, changed daily.

    What depends on the moment is not kept, only rows. Rows that are read while an import commits are kept under the
    state before it, which nobody asks for again.
    """

    def __init__(self, context: ContextService) -> None:
        self._context = context
        self._state: tuple[int, dict[object, Any]] = (-1, {})

    def now(self) -> _Ask:
        """A way to ask by key, reading what is not kept yet, as of the last import."""
        state, revision = self._state, self._context.revision()
        if state[0] != revision or len(state[1]) > _MOST_KEPT:
            state = self._state = (revision, {})
        values = state[1]

        def ask(key: object, read: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is read
            if key not in values:
                values[key] = read()
            return values[key]

        return ask


class TownFacts:
    """Reads the facts of one question from the town's services, as they stand now; implements `FactsReader`.

    Args:
        clock: the time.
        context: posts, rosters, the calendar, terminals, residents' flags, imported approvals.
        people: who is the same natural person.
        sessions: who is signed in.
        rights: who holds which right.
        factors: what a system asks its users for at a moment.
        policy: the policy in force.
        ledger: approvals given in Mimamori.
        emergencies: which are open.
    """

    def __init__(
        self,
        clock: Clock,
        context: ContextService,
        people: People,
        sessions: Sessions,
        rights: Rights,
        factors: Callable[[str, datetime], FactorPolicy],
        policy: Callable[[], DecisionPolicy],
        ledger: LedgerService,
        emergencies: EmergencyService,
    ) -> None:
        self._clock = clock
        self._context = context
        self._kept = _Kept(context)
        self._people = people
        self._sessions = sessions
        self._rights = rights
        self._factors = factors
        self._policy = policy
        self._ledger = ledger
        self._emergencies = emergencies

    def read(self, question: Question) -> Facts:
        """The facts as they stand now; of somebody without a post or a session nothing else is looked up.

        Raises:
            StoreError: they cannot be read.
        """
        now, ask, person = self._clock.now(), self._kept.now(), question.person
        posts: tuple[Post, ...] = ask(("person", person), lambda: self._context.person(person))
        post = post_held(posts, now)
        session = self._sessions.live_session(person) if post is not None else None
        if post is None or session is None:
            return Facts(now=now, post=post, session=session, factors=FactorPolicy())
        today = tokyo_date(now)
        work: WorkContext = ask(
            ("work", person, post.org_unit, today), lambda: self._context.work_of(person, post.org_unit, now)
        )
        address = question.address or session.address
        flags, related = self._residents(question.subjects, post, posts, now)
        facts = Facts(
            now=now,
            post=post,
            session=session,
            factors=self._required(question.system, now, ask),
            entitlements=self._rights.held(person, question.system, now),
            terminals=ask(
                ("terminals", address, question.terminal_id),
                lambda: self._context.terminals_at(address, question.terminal_id),
            ),
            terminals_known=ask("terminals", self._context.any_terminal),
            working=tuple(work.working(person, post.org_unit, today)),
            on_leave=work.on_leave(person, now) is not None,
            flags=flags,
            related=related,
            emergency=self._emergencies.open_for(person, question.system, now),
        )
        if self._asks_for_others(question, facts):
            facts = self._with_others(question, facts)
        return facts

    def _required(self, system: str, now: datetime, ask: _Ask) -> FactorPolicy:
        """What a system asks for, read once between two of the moments at which that changes."""
        changes: tuple[datetime, ...] = ask(("policies", system), lambda: self._context.factor_policy_changes(system))
        required: FactorPolicy = ask(("policy", system, bisect_right(changes, now)), lambda: self._factors(system, now))
        return required

    def _asks_for_others(self, question: Question, facts: Facts) -> bool:
        """Whether somebody else's word could matter. Where it is not looked for, a rule that wants it denies."""
        policy = self._policy().of(question.system)
        working = any(span.start <= facts.now < span.end for span in facts.working) and not facts.on_leave
        special = facts.flags or facts.related or (policy is not None and question.activity in policy.two_persons)
        return bool(not working or special or question.second_person or is_output(question))

    def _with_others(self, question: Question, facts: Facts) -> Facts:
        """The same with approvals, and with the second person where one is named."""
        approvals = self._approvals(question, facts.now)
        facts = replace(facts, approvals=approvals, selves=self._selves(question, approvals))
        second = question.second_person
        posts = self._context.person(second) if second else ()
        post = post_held(posts, facts.now)
        if post is None:
            return facts
        return replace(
            facts,
            second_session=self._sessions.live_session(second),
            second_entitlements=self._rights.held(second, question.system, facts.now),
            second_related=self._residents(question.subjects, post, posts, facts.now)[1],
        )

    def _approvals(self, question: Question, now: datetime) -> tuple[Approval, ...]:
        imported = (
            Approval(
                id=one.approval_id,
                kind=one.kind,
                person=one.staff_id,
                approved_by=one.approved_by,
                system=one.source,
                start=one.start,
                end=one.end,
                max_rows=one.max_rows,
                medium_id=one.medium_id,
                entered_at=one.entered_at,
            )
            for one in self._context.approvals_for(question.person, question.system, now)
        )
        given = self._ledger.in_force(question.person, question.system, now)
        return (*imported, *(self._with_concern(one, question.subjects) for one in given))

    def _with_concern(self, approval: Approval, subjects: Collection[str]) -> Approval:
        """A second person's approval with the residents who are the approver or of the approver's household."""
        if approval.kind != "second_person" or not subjects:
            return approval
        _, related = self._kin(subjects, self._context.person(approval.approved_by))
        return replace(approval, concerned=frozenset(related))

    def _selves(self, question: Question, approvals: Collection[Approval]) -> frozenset[str]:
        """Of those whose word would count, the ones who are the person under another id."""
        others = {approval.approved_by for approval in approvals} | {question.second_person}
        others -= {"", question.person}
        return frozenset(one for one in others if self._people.same_natural_person(question.person, one))

    def _residents(
        self, subjects: Collection[str], post: Post, posts: Collection[Post], now: datetime
    ) -> tuple[Mapping[str, frozenset[str]], Mapping[str, str]]:
        """Flags of the residents, and what each is to the holder of a post, who is a resident by any of their posts."""
        if not subjects:
            return {}, {}
        known, kin = self._kin(subjects, posts)
        colleagues = {
            other.subject_id: "colleague"
            for other in self._context.staff_among(subjects, now)
            if other.org_unit == post.org_unit and other.staff_id != post.staff_id
        }
        related = {subject: colleagues[subject] for subject in subjects if subject in colleagues} | kin
        flags = {subject: known[subject].flags for subject in subjects if subject in known and known[subject].flags}
        return flags, related

    def _kin(self, subjects: Collection[str], posts: Collection[Post]) -> tuple[Mapping[str, Subject], dict[str, str]]:
        """The residents, and which of them are somebody with these posts, or of the same household."""
        mine = {one.subject_id for one in posts} - {""}
        known = self._context.subjects({*subjects, *mine})
        households = {known[key].household_id for key in mine if key in known} - {""}
        kin = dict[str, str]()
        for subject in subjects:
            resident = known.get(subject)
            if subject in mine:
                kin[subject] = "self"
            elif resident is not None and resident.household_id in households:
                kin[subject] = "family"
        return known, kin
