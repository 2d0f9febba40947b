"""Statements of the context feeds, within the caller's unit of work."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Select, and_, exists, func, insert, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from audit.context.feeds import FeedRow
from audit.context.model import Approval, CalendarDay, Post, RosterKind, RosterSpan, Subject, Terminal, TimeWindow
from audit.context.tables import (
    TABLES,
    ApprovalRow,
    CalendarRow,
    FeedTable,
    PolicyRow,
    RevisionRow,
    RosterRow,
    StaffRow,
    SubjectRow,
    TerminalRow,
)

__all__ = ["ContextRepository"]

_AT_ONCE = 500
"""So many entries are compared at one time, so that a feed of every resident needs little memory."""
_REMARK = "note"
"""The one column that permits nothing: a change of it alone does not make an approval a new one."""

_Asked = Select[*tuple[Any, ...]]

_STAFF: _Asked = select(
    StaffRow.staff_id, StaffRow.name, StaffRow.org_unit, StaffRow.post, StaffRow.role, StaffRow.employment,
    StaffRow.manager_id, StaffRow.subject_id, StaffRow.valid_from, StaffRow.valid_to, StaffRow.kana,
)  # fmt: skip
_ROSTER: _Asked = select(RosterRow.staff_id, RosterRow.start, RosterRow.end, RosterRow.kind, RosterRow.approved_by)
_CALENDAR: _Asked = select(
    CalendarRow.date, CalendarRow.org_unit, CalendarRow.kind, CalendarRow.opens, CalendarRow.closes, CalendarRow.note
)
_WINDOWS: _Asked = select(
    ApprovalRow.approval_id, ApprovalRow.staff_id, ApprovalRow.source, ApprovalRow.valid_from, ApprovalRow.valid_to,
    ApprovalRow.note,
).where(ApprovalRow.kind.in_(("time_window", "maintenance")), ApprovalRow.approved_by != "")  # fmt: skip
_APPROVALS: _Asked = select(
    ApprovalRow.approval_id, ApprovalRow.kind, ApprovalRow.staff_id, ApprovalRow.approved_by, ApprovalRow.source,
    ApprovalRow.valid_from, ApprovalRow.valid_to, ApprovalRow.max_rows, ApprovalRow.medium_id, ApprovalRow.note,
    ApprovalRow.entered_at,
).where(ApprovalRow.approved_by != "")  # fmt: skip
_TERMINALS: _Asked = select(
    TerminalRow.terminal_id, TerminalRow.org_unit, TerminalRow.site, TerminalRow.kind, TerminalRow.ip_range
)
_SUBJECTS: _Asked = select(
    SubjectRow.subject_id, SubjectRow.household_id, SubjectRow.address_key, SubjectRow.name_key,
    SubjectRow.former_name_key, SubjectRow.flags,
)  # fmt: skip

_Moment = InstrumentedAttribute[datetime | None] | InstrumentedAttribute[datetime]


def _touches(first: _Moment, last: _Moment, start: datetime, end: datetime) -> ColumnElement[bool]:
    """Whether a row's time has a part of a span, whose end is exclusive."""
    return and_(or_(first.is_(None), first < end), or_(last.is_(None), last > start))


def _holds(first: _Moment, last: _Moment, at: datetime) -> ColumnElement[bool]:
    """Whether a row holds at a moment."""
    return and_(or_(first.is_(None), first <= at), or_(last.is_(None), last > at))


class ContextRepository:
    """SQL of the context feeds."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # Bringing in ------------------------------------------------------------------------------------------------

    def merge(self, kind: str, rows: Sequence[FeedRow], now: datetime) -> tuple[int, int, int]:
        """Bring rows in.

        Args:
            kind: of which feed.
            rows: as they were read; of two with the same key the later one holds.
            now: when approvals are entered.

        Returns:
            How many entries are new, changed, and unchanged.
        """
        table, names = TABLES[kind]
        stamp = {"entered_at": now} if table is ApprovalRow else {}
        wanted: dict[Any, dict[tuple[Any, ...], FeedRow]] = defaultdict(dict)
        for row in rows:
            wanted[row[names[0]]][tuple(row[name] for name in names)] = row
        new = changed = 0
        groups = iter(wanted)
        while piece := list(islice(groups, _AT_ONCE)):
            entries = {at: row for first in piece for at, row in wanted[first].items()}
            added, altered = self._merge(table, names, piece, entries, stamp)
            new, changed = new + added, changed + altered
        return new, changed, sum(map(len, wanted.values())) - new - changed

    def _merge(
        self,
        table: FeedTable,
        names: tuple[str, ...],
        firsts: Sequence[Any],
        entries: Mapping[tuple[Any, ...], FeedRow],
        stamp: Mapping[str, Any],
    ) -> tuple[int, int]:
        columns = tuple(next(iter(entries.values())))
        asked = select(table.id, *(getattr(table, name) for name in columns))
        stored: dict[tuple[Any, ...], tuple[int, FeedRow]] = {}
        for number, *values in self._session.execute(asked.where(getattr(table, names[0]).in_(firsts))):
            found = dict(zip(columns, values, strict=True))
            stored[tuple(found[name] for name in names)] = (number, found)
        added, altered = [], []
        for at, row in entries.items():
            if at not in stored:
                added.append({**row, **stamp})
                continue
            number, found = stored[at]
            differing = {name for name in columns if found[name] != row[name]}
            if differing:
                altered.append({"id": number, **row, **(stamp if differing - {_REMARK} else {})})
        if added:
            self._session.execute(insert(table), added)
        for row in altered:
            self._session.execute(update(table).where(table.id == row["id"]).values(row))
        return len(added), len(altered)

    def revision(self) -> int:
        """How many imports have changed something so far."""
        row = self._session.get(RevisionRow, 1)
        return row.number if row is not None else 0

    def unchanged_since(self, number: int) -> bool:
        """Whether no import has changed anything since `revision` was this; none will until the unit of work ends."""
        held = update(RevisionRow).where(RevisionRow.id == 1, RevisionRow.number == number)
        same = cast("CursorResult[Any]", self._session.execute(held.values(number=number))).rowcount == 1
        return same or (number == 0 and self._session.get(RevisionRow, 1) is None)

    def revise(self) -> None:
        """Count an import that changed something; two at once are two."""
        counted = update(RevisionRow).where(RevisionRow.id == 1).values(number=RevisionRow.number + 1)
        if cast("CursorResult[Any]", self._session.execute(counted)).rowcount == 0:
            self._session.add(RevisionRow(id=1, number=1))

    # Everything over a span -------------------------------------------------------------------------------------

    def posts(self) -> Iterator[Post]:
        """Every post of everyone."""
        return self._posts(_STAFF)

    def roster(self, start: datetime, end: datetime, staff_id: str = "") -> Iterator[RosterSpan]:
        """The roster entries that touch a span, of everyone or of one person."""
        asked = _ROSTER.where(RosterRow.start < end, RosterRow.end > start)
        for person, begins, ends, kind, by in self._session.execute(_of(asked, RosterRow.staff_id, staff_id)):
            yield RosterSpan(person, begins, ends, RosterKind(kind), by)

    def calendar(self) -> Iterator[CalendarDay]:
        """The town's calendar."""
        for row in self._session.execute(_CALENDAR):
            yield CalendarDay(*row)

    def windows(self, start: datetime, end: datetime, staff_id: str = "") -> Iterator[TimeWindow]:
        """Approved times for work that touch a span, of everyone or of one person."""
        asked = _WINDOWS.where(_touches(ApprovalRow.valid_from, ApprovalRow.valid_to, start, end))
        for row in self._session.execute(_of(asked, ApprovalRow.staff_id, staff_id)):
            yield TimeWindow(*row)

    # One moment -------------------------------------------------------------------------------------------------

    def person(self, staff_id: str) -> Iterator[Post]:
        """Every post of one person."""
        return self._posts(_STAFF.where(StaffRow.staff_id == staff_id))

    def alike(self, staff_id: str) -> tuple[str, ...]:
        """The staff ids that are equal, but for capitals."""
        same = func.lower(StaffRow.staff_id) == func.lower(staff_id)
        return tuple(self._session.scalars(select(StaffRow.staff_id).where(same).distinct()))

    def calendar_of(self, units: Sequence[str], first: date, last: date) -> Iterator[CalendarDay]:
        """What the calendar says of some units from one day to another."""
        asked = _CALENDAR.where(CalendarRow.date.between(first, last), CalendarRow.org_unit.in_(units))
        for row in self._session.execute(asked):
            yield CalendarDay(*row)

    def people_in(self, unit: str, at: datetime) -> Iterator[Post]:
        """The posts that are held in one unit at a moment; a post that a later one has overtaken is none."""
        later = aliased(StaffRow)
        overtaken = exists().where(
            later.staff_id == StaffRow.staff_id,
            later.valid_from.is_not(None),
            or_(StaffRow.valid_from.is_(None), later.valid_from > StaffRow.valid_from),
            _holds(later.valid_from, later.valid_to, at),
        )
        held = _holds(StaffRow.valid_from, StaffRow.valid_to, at)
        return self._posts(_STAFF.where(StaffRow.org_unit == unit, held, ~overtaken))

    def people_as(self, subject_ids: Iterable[str]) -> Iterator[Post]:
        """Every post of the people who are these residents by any of their posts."""
        them = select(StaffRow.staff_id).where(StaffRow.subject_id.in_([key for key in subject_ids if key]))
        return self._posts(_STAFF.where(StaffRow.staff_id.in_(them)))

    def subjects(self, subject_ids: Iterable[str]) -> Iterator[Subject]:
        """These residents, as far as they are known."""
        asked = _SUBJECTS.where(SubjectRow.subject_id.in_(list(subject_ids)))
        for key, household, address, name, former_name, flags in self._session.execute(asked):
            yield Subject(key, household, address, name, former_name, frozenset(flags.split(";")) - {""})

    def approvals(self, staff_id: str, source: str, at: datetime) -> Iterator[Approval]:
        """The approvals of one person for one system that are in force at a moment."""
        asked = _APPROVALS.where(
            ApprovalRow.staff_id == staff_id,
            ApprovalRow.source.in_(("", source)),
            _holds(ApprovalRow.valid_from, ApprovalRow.valid_to, at),
        )
        for row in self._session.execute(asked):
            number, kind, person, by, system, start, end, max_rows, medium, note, entered_at = row
            yield Approval(
                approval_id=number,
                kind=kind,
                staff_id=person,
                approved_by=by,
                source=system,
                start=start,
                end=end,
                max_rows=max_rows,
                medium_id=medium,
                note=note,
                entered_at=entered_at,
            )

    def terminals(self, ranges: Sequence[str], terminal_id: str) -> Iterator[Terminal]:
        """The terminals of an id, or whose address or network is one of these."""
        known = TerminalRow.ip_range.in_(ranges) if ranges else None
        named = TerminalRow.terminal_id == terminal_id if terminal_id else None
        asked = [condition for condition in (known, named) if condition is not None]
        if asked:
            for row in self._session.execute(_TERMINALS.where(or_(*asked))):
                yield Terminal(*row)

    def any_terminal(self) -> bool:
        """Whether any terminal is registered."""
        return self._session.execute(select(TerminalRow.id).limit(1)).first() is not None

    def factor_policy(self, source: str, at: datetime) -> str | None:
        """What the row in force says; None without one."""
        return self._session.scalar(
            select(PolicyRow.require)
            .where(PolicyRow.source == source, or_(PolicyRow.valid_from.is_(None), PolicyRow.valid_from <= at))
            .order_by(PolicyRow.valid_from.desc().nulls_last())
            .limit(1)
        )

    def _posts(self, asked: _Asked) -> Iterator[Post]:
        for row in self._session.execute(asked):
            yield Post(*row)


def _of(asked: _Asked, column: InstrumentedAttribute[str], staff_id: str) -> _Asked:
    """The same question, of one person."""
    return asked.where(column == staff_id) if staff_id else asked
