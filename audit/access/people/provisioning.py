"""People as a personnel system keeps them, one at a time (SCIM): what it says becomes posts in turn.

Another unit, post or role is a transfer: the post ends, and the next one begins. Anything else corrects the post that
is held. Inactive ends everything at once, what lies ahead included; active again begins a new post.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from audit.access.outbox import keep
from audit.access.people.errors import TakenError, UnknownPersonError
from audit.access.people.imports import StaffImports
from audit.access.people.journal import By
from audit.access.people.model import Change, ChangeKind, Draft, Person, Plan, post_of, row_of
from audit.access.people.repository import PeopleRepository, PersonRow
from audit.clock import TOKYO
from audit.context import FeedError, FeedRow, Post, read_row
from audit.store.state import Session

__all__ = ["Provisioning"]


class Provisioning(StaffImports):
    """The directory, open to a personnel system."""

    def everybody(self) -> Sequence[Person]:
        """The people that a personnel system may know of, by staff id."""
        with self._state.unit() as unit:
            said = PeopleRepository(unit).rows()
        found = []
        for staff_id, posts in sorted(self._context.people().items()):
            if not _deleted(row := said.get(staff_id), posts):
                found.append(_person(staff_id, posts, row))
        return found

    def known_as(self, staff_id: str) -> Sequence[Person]:
        """Those of them who have this staff id, however it is written in capitals and small letters."""
        found = (self.find(name) for name in self._context.alike(staff_id))
        return [person for person in found if person is not None]

    def find(self, staff_id: str) -> Person | None:
        """One of them; None when there is none, or the personnel system has deleted the person."""
        posts = self._context.person(staff_id)
        if not posts:
            return None
        with self._state.unit() as unit:
            row = PeopleRepository(unit).row(staff_id)
        return None if _deleted(row, posts) else _person(staff_id, posts, row)

    def create(self, draft: Draft, *, by: By) -> Person:
        """Take in a new person, or one who comes back.

        Raises:
            FeedError: a value that cannot be.
            TakenError: the staff id, or the external id, is somebody's.
            StoreError: the log cannot be written; nobody was taken in.
        """
        if self.known_as(draft.staff_id):
            raise TakenError("staff_id")
        with self._turn:
            as_of = self._context.revision()
            first = self._first(draft)
            found = self._planned([row_of(first)])

            def within(unit: Session) -> None:
                PeopleRepository(unit).claim(draft.staff_id, draft.external_id)
                self._journal.tell(found.changes, by, external_id=draft.external_id)

            self._context.import_rows("staff", [row_of(first)], within, as_of)
        return self._found(draft.staff_id)

    def _first(self, draft: Draft) -> Post:
        """The post to begin with. Whoever comes back begins anew: the time in between stays one without a post."""
        now = self._clock.now()
        first = post_of(_row(draft, draft.start or now.isoformat()))
        begun, over = first.start is None or first.start < now, first.end is not None and first.end <= now
        if begun and not over and self._context.person(draft.staff_id):
            first = replace(first, start=now)
        return first if draft.active else replace(first, end=first.start)

    def change(self, draft: Draft, *, by: By) -> Person:
        """Make somebody what a personnel system says; the same again changes and tells nothing.

        Raises:
            UnknownPersonError: there is no such person.
            FeedError: a value that cannot be.
            TakenError: the external id is somebody else's.
            StoreError: the log cannot be written.
        """
        with self._turn:
            as_of = self._context.revision()
            person = self._found(draft.staff_id)
            if person.external_id != draft.external_id:
                self._name(person, draft.external_id, by)
            rows = [row_of(post) for post in _becoming(person, draft, self._clock.now())]
            self._apply(rows, self._planned(rows), by, as_of, file=False)
        return self._found(draft.staff_id)

    def delete(self, staff_id: str, *, by: By) -> None:
        """End somebody's posts at once; the personnel system sees the person no more, the directory keeps the past.

        Raises:
            UnknownPersonError: there is no such person.
            StoreError: it cannot be done; or it is done, and the log cannot be written.
        """
        with self._turn:
            as_of = self._context.revision()
            person, now = self._found(staff_id), self._clock.now()
            rows = [row_of(post) for post in _ended(person.posts, now)]
            left = self._planned(rows).changes or (Change(staff_id, ChangeKind.LEFT, (), ()),)
            docs = self._journal.events(left, by, deleted="true")

            def within(unit: Session) -> None:
                PeopleRepository(unit).delete(staff_id, now)
                keep(unit, docs)

            self._context.import_rows("staff", rows, within, as_of)
        self._outbox.tell(docs)

    def _name(self, person: Person, external_id: str, by: By) -> None:
        """Keep another external id."""
        change = Change(person.staff_id, ChangeKind.CHANGED, (), ())
        with self._state.unit() as unit:
            PeopleRepository(unit).name(person.staff_id, external_id)
            self._journal.tell([change], by, old_external_id=person.external_id, new_external_id=external_id)

    def _planned(self, rows: Sequence[FeedRow]) -> Plan:
        """What the rows of one person change.

        Raises:
            FeedError: it cannot be.
        """
        found = self._plan(rows, self._context.person, 0)
        # A program that is told so at once can say when somebody leaves; a file is taken with a warning.
        endless = [f"{text.en} / {text.ja}" for text in found.endless]
        if found.faults or endless:
            raise FeedError((*found.faults, *endless))
        return found

    def _found(self, staff_id: str) -> Person:
        person = self.find(staff_id)
        if person is None:
            raise UnknownPersonError("unknown")
        return person


def _person(staff_id: str, posts: Sequence[Post], row: PersonRow | None) -> Person:
    in_turn = sorted(posts, key=lambda post: (post.start is not None, post.start))
    return Person(staff_id, tuple(in_turn), (row.external_id or "") if row else "")


def _deleted(row: PersonRow | None, posts: Sequence[Post]) -> bool:
    """Whether a personnel system has deleted somebody, and no file has brought the person back since."""
    if row is None or (deleted_at := row.deleted_at) is None:
        return False
    return all(post.end is not None and (post.end <= deleted_at or post.empty) for post in posts)


def _row(draft: Draft, start: str) -> FeedRow:
    """What was said, as a row of the staff feed, read by its rules."""
    return read_row("staff", {**asdict(draft), "valid_from": start, "valid_to": draft.end})


def _becoming(person: Person, draft: Draft, now: datetime) -> list[Post]:
    """The posts that make a person what was said; those that stay as they are may be among them."""
    shown = person.shown(now)
    back = draft.active and not person.active(now) and not _ahead(shown, now)
    same_end = shown.end is not None and draft.end and datetime.fromisoformat(draft.end) == shown.end
    said = post_of(_row(replace(draft, end="") if same_end else draft, _written(now if back else shown.start)))
    if same_end and not back:  # the end of a post that is over is not the end of the new one
        said = replace(said, end=shown.end)
    if shown.subject_id:
        said = replace(said, subject_id=shown.subject_id)  # a personnel system has no word for it
    moved = (said.org_unit, said.post, said.role) != (shown.org_unit, shown.post, shown.role)
    if not draft.active:
        others = [post for post in person.posts if post.start != shown.start]
        if moved and not shown.empty and shown.start != now:  # where somebody was is not rewritten
            return [*_ended([shown, *others], now), replace(said, start=now, end=now)]
        return _ended([replace(said, end=shown.end), *others], now)
    if back or not moved:
        return [said]
    asked = post_of(_row(draft, draft.start)).start if draft.start else None
    at = asked if asked is not None and asked != shown.start and asked > now else now
    if shown.start is not None and shown.start >= at:
        return [said]
    end = at if shown.end is None else min(at, shown.end)
    return [replace(shown, end=end), replace(said, start=at)]


def _ended(posts: Sequence[Post], now: datetime) -> list[Post]:
    """The same posts, none of them held from now on; one that lies ahead ends as it begins."""
    return [
        replace(post, end=now if post.start is None else max(now, post.start))
        if post.end is None or post.end > now
        else post
        for post in posts
    ]


def _ahead(post: Post, now: datetime) -> bool:
    return post.start is not None and post.start > now and not post.empty


def _written(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(TOKYO).isoformat()
