"""Bringing context feeds in, and asking what was known: over a span, or at one moment."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from audit.clock import Clock, SystemClock, tokyo_date
from audit.context.feeds import FeedRow, read_rows
from audit.context.model import Approval, Post, Subject, Terminal, WorkContext, post_held
from audit.context.reach import Reach
from audit.context.repository import ContextRepository
from audit.store.errors import StoreUnavailableError
from audit.store.state import Session, StateStore

__all__ = ["ContextService", "Imported", "units_above"]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a feed brought: rows read, and how many entries are new, changed or as they were."""

    read: int
    new: int
    changed: int
    unchanged: int


class ContextService:
    """The town's context.

    Args:
        state: the state database.
        clock: says when an approval was entered.
    """

    def __init__(self, state: StateStore, clock: Clock | None = None) -> None:
        self._state = state
        self._clock = clock or SystemClock()
        self._before_posts: Callable[[Session, Collection[str]], None] = lambda _unit, _people: None

    def before_posts_change(self, settle: Callable[[Session, Collection[str]], None]) -> None:
        """Name who must know, within the same unit of work, whose posts are about to be written.

        What ended by the posts as they were must not come back with the posts as they will be.
        """
        self._before_posts = settle

    def import_feed(self, kind: str, data: bytes) -> Imported:
        """Bring one feed in, whole or not at all; the same feed again changes nothing.

        Raises:
            FeedError: naming every fault.
        """
        return self.import_rows(kind, read_rows(kind, data))

    def import_rows(
        self,
        kind: str,
        rows: Sequence[FeedRow],
        within: Callable[[Session], None] = lambda _unit: None,
        as_of: int | None = None,
    ) -> Imported:
        """The same, of rows that were read before.

        Args:
            kind: of which feed.
            rows: from `read_rows` or `read_row`.
            within: what belongs to the same unit of work; done before it commits, and what it raises undoes all.
            as_of: the revision that the rows were made from; None where they depend on nothing.

        Raises:
            StoreUnavailableError: something has changed since; made anew, the rows can be brought in.
        """
        with self._state.unit() as session:
            repository = ContextRepository(session)
            if as_of is not None and not repository.unchanged_since(as_of):
                raise StoreUnavailableError("somebody else changed the context meanwhile")
            if kind == "staff":
                self._before_posts(session, {row["staff_id"] for row in rows})
            merged = repository.merge(kind, rows, self._clock.now())
            if merged.reach is not None:
                repository.revise(merged.reach)
            within(session)
            return Imported(len(rows), merged.new, merged.changed, merged.unchanged)

    def revision(self) -> int:
        """How many imports have changed something so far."""
        with self._state.unit() as session:
            return ContextRepository(session).revision()

    def reaches_since(self, revision: int) -> list[Reach]:
        """What time the imports have reached that changed something after a revision."""
        with self._state.unit() as session:
            return ContextRepository(session).reaches_since(revision)

    def table(self, kind: str) -> Mapping[str, Sequence[Any]]:
        """The whole of the feed `approvals`, `cases`, `staff` or `subjects`, as columns."""
        with self._state.unit() as session:
            return ContextRepository(session).table(kind)

    def over(self, start: datetime, end: datetime) -> WorkContext:
        """What is known about everybody's work over a span, and a day either side for night shifts."""
        margin = timedelta(days=1)
        with self._state.unit() as session:
            repository = ContextRepository(session)
            work = WorkContext.of(
                repository.posts(),
                repository.roster(start - margin, end + margin),
                repository.calendar(),
                repository.windows(start - margin, end + margin),
            )
            approvals: dict[str, list[Approval]] = defaultdict(list)
            for approval in repository.approvals_over(start - margin, end + margin):
                approvals[approval.staff_id].append(approval)
            policies: dict[str, list[tuple[datetime | None, str]]] = defaultdict(list)
            for source, since, asked in repository.policies():
                policies[source].append((since, asked))
            return replace(
                work,
                approvals={person: tuple(given) for person, given in approvals.items()},
                terminals=tuple(repository.every_terminal()),
                policies={source: tuple(rows) for source, rows in policies.items()},
                residents=repository.count_subjects(),
            )

    # One moment -------------------------------------------------------------------------------------------------

    def people(self) -> Mapping[str, tuple[Post, ...]]:
        """Every post of everyone, by person."""
        with self._state.unit() as session:
            return WorkContext.of(ContextRepository(session).posts()).posts

    def person(self, staff_id: str) -> tuple[Post, ...]:
        """Every post of one person, past and future ones too; none of somebody the directory does not know."""
        with self._state.unit() as session:
            return tuple(ContextRepository(session).person(staff_id))

    def alike(self, staff_id: str) -> tuple[str, ...]:
        """The staff ids that differ from one in capitals and small letters at most."""
        with self._state.unit() as session:
            return ContextRepository(session).alike(staff_id)

    def post_at(self, staff_id: str, at: datetime) -> Post | None:
        """The post that a person holds at a moment; of several the one that began last."""
        return post_held(self.person(staff_id), at)

    def staff_in(self, unit: str, at: datetime) -> tuple[Post, ...]:
        """The posts held in one unit at a moment, without those of the units below it."""
        with self._state.unit() as session:
            return tuple(ContextRepository(session).people_in(unit, at))

    def staff_among(self, subject_ids: Collection[str], at: datetime) -> tuple[Post, ...]:
        """The posts held at a moment by members of staff who are these residents; one that does not say so, says so."""
        by_staff: dict[str, list[Post]] = defaultdict(list)
        with self._state.unit() as session:
            for post in ContextRepository(session).people_as(subject_ids):
                by_staff[post.staff_id].append(post)
        held = ((post_held(posts, at), max(post.subject_id for post in posts)) for posts in by_staff.values())
        return tuple(replace(post, subject_id=post.subject_id or key) for post, key in held if post is not None)

    def work_of(self, staff_id: str, org_unit: str, at: datetime) -> WorkContext:
        """What is known about one person's working time on the business day of a moment and the days beside it.

        Args:
            staff_id: whose.
            org_unit: the unit whose calendar counts, with those above it.
            at: the moment.
        """
        margin = timedelta(days=1)
        day = tokyo_date(at)
        with self._state.unit() as session:
            repository = ContextRepository(session)
            return WorkContext.of(
                repository.person(staff_id),
                repository.roster(at - 2 * margin, at + 2 * margin, staff_id),
                repository.calendar_of(units_above(org_unit), day - margin, day + margin),
                repository.windows(at - margin, at + margin, staff_id),
            )

    def subjects(self, subject_ids: Collection[str]) -> Mapping[str, Subject]:
        """These residents, by id; those whom the feed does not know are left out."""
        with self._state.unit() as session:
            return {subject.subject_id: subject for subject in ContextRepository(session).subjects(subject_ids)}

    def approvals_for(self, staff_id: str, source: str, at: datetime) -> tuple[Approval, ...]:
        """The approvals of every kind that name a person, for one system, and are in force at a moment.

        One without an approver is an application and not among them.
        """
        with self._state.unit() as session:
            return tuple(ContextRepository(session).approvals(staff_id, source, at))

    def terminals_at(self, address: str, terminal_id: str = "") -> tuple[Terminal, ...]:
        """The registered terminals that an address lies in, or that have this id.

        Args:
            address: an IPv4 or IPv6 address; anything else, and empty, lies in none.
            terminal_id: what the caller says; empty for nothing.
        """
        with self._state.unit() as session:
            return tuple(ContextRepository(session).terminals(_ranges_of(address), terminal_id))

    def any_terminal(self) -> bool:
        """Whether any terminal is registered at all."""
        with self._state.unit() as session:
            return ContextRepository(session).any_terminal()

    def factor_policy(self, source: str, at: datetime) -> str:
        """What a system asks its users for at a moment; empty where no row says so."""
        with self._state.unit() as session:
            return ContextRepository(session).factor_policy(source, at) or ""

    def factor_policy_changes(self, source: str) -> tuple[datetime, ...]:
        """The moments from which something else is in force for a system, in order."""
        with self._state.unit() as session:
            return tuple(ContextRepository(session).policy_changes(source))


def units_above(unit: str) -> tuple[str, ...]:
    """A unit, the units it belongs to, and the whole town (empty) at last."""
    parts = unit.split("/") if unit else []
    return (*("/".join(parts[:count]) for count in range(len(parts), 0, -1)), "")


@lru_cache(maxsize=4096)
def _ranges_of(address: str) -> tuple[str, ...]:
    """Every form in which the feed could have written a range that an address lies in."""
    try:
        at = ip_address(address)
    except ValueError:
        return ()
    if isinstance(at, IPv6Address) and at.ipv4_mapped:
        at = at.ipv4_mapped
    networks = (ip_network((at, length), strict=False) for length in range(at.max_prefixlen))
    return (str(at), *map(str, networks))
