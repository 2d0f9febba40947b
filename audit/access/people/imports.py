"""Bringing the staff feed in: what a file would do is known, and may be refused, before it is done.

Rules:
- Nothing is ever deleted: a post ends. What is absent from a file stays as it was; only an end ends.
- What ends a person is committed before it is recorded, all else is recorded before it is committed: a failing log
  leaves less access, never more. The event of an end is committed with it, so that a later sweep can still tell it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from audit.access.outbox import keep
from audit.access.people.directory import PeopleDirectory
from audit.access.people.errors import PeopleRefusedError
from audit.access.people.journal import By
from audit.access.people.model import ChangeKind, Plan, post_of
from audit.access.people.planning import PostsOf, plan
from audit.context import FeedError, FeedRow, Imported, Post, read_rows
from audit.store.state import Session

__all__ = ["StaffImports"]


class StaffImports(PeopleDirectory):
    """The directory and its feed."""

    def plan_staff(self, data: bytes) -> Plan:
        """What a file would do; nothing is done.

        Raises:
            FeedError: the file cannot be read.
        """
        return self._plan_file(read_rows("staff", data))

    def import_staff(self, data: bytes, *, by: By, confirm: bool = False) -> Imported:
        """Bring a staff file in, whole or not at all; the same file again changes nothing and tells nothing.

        Args:
            data: CSV or JSON Lines.
            by: who does this, for the log.
            confirm: somebody has looked at the plan; a file may then end a large part of the people.

        Raises:
            FeedError: naming every fault.
            PeopleRefusedError: it ends a large part of the people, and nobody has confirmed that.
            StoreError: the log cannot be written, or somebody else changed the directory meanwhile.
        """
        rows = read_rows("staff", data)
        with self._turn:
            as_of = self._context.revision()
            found = self._plan_file(rows)
            if found.faults:
                raise FeedError(found.faults)
            if found.many_leave and not confirm:
                raise PeopleRefusedError("many_leave")
            return self._apply(rows, found, by, as_of, file=True)

    def _plan_file(self, rows: Sequence[FeedRow]) -> Plan:
        people = self._context.people()
        return self._plan(rows, lambda person: people.get(person, ()), in_office(people, self._clock.now()))

    def _plan(self, rows: Iterable[FeedRow], known: PostsOf, people: int) -> Plan:
        return plan([post_of(row) for row in rows], known, people, self._clock.now(), self._rules)

    def _apply(self, rows: Sequence[FeedRow], found: Plan, by: By, as_of: int, *, file: bool) -> Imported:
        """Do what was planned as of a revision of the directory: who leaves first."""
        leaving = [change for change in found.changes if change.kind is ChangeKind.LEFT]
        others = [change for change in found.changes if change.kind is not ChangeKind.LEFT]
        gone = {change.staff_id for change in leaving}
        done = [Imported(0, 0, 0, 0)]
        if leaving:
            ending = [row for row in rows if row["staff_id"] in gone]
            docs = self._journal.events(leaving, by)
            done.append(self._context.import_rows("staff", ending, lambda unit: keep(unit, docs), as_of))
            self._outbox.tell(docs)
            as_of += 1

        def tell(_unit: Session) -> None:
            self._journal.tell(others, by, found if file and found.changes else None)

        staying = [row for row in rows if row["staff_id"] not in gone]
        done.append(self._context.import_rows("staff", staying, tell, as_of))
        sums = (sum(getattr(part, name) for part in done) for name in ("read", "new", "changed", "unchanged"))
        return Imported(*sums)


def in_office(people: Mapping[str, Sequence[Post]], now: datetime) -> int:
    """How many people have a post now or later."""
    return sum(
        any((post.end is None or post.end > now) and not post.empty for post in posts) for posts in people.values()
    )
