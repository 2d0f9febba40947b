"""Statements of the context feeds, within the caller's unit of work."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CursorResult,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from audit.context.feeds import FeedRow
from audit.context.model import Approval, CalendarDay, Post, RosterKind, RosterSpan, Subject, Terminal, TimeWindow
from audit.context.reach import Reach, reach_of
from audit.context.tables import (
    TABLES,
    ApprovalRow,
    CalendarRow,
    CaseRow,
    ChangeRow,
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
_Name = InstrumentedAttribute[str]


def _one_human(staff_id: _Name, other: _Name) -> ColumnElement[bool]:
    """Whether two staff ids are one resident's, by any of their posts."""
    mine, theirs = aliased(StaffRow), aliased(StaffRow)
    return exists().where(
        mine.staff_id == staff_id,
        mine.subject_id != "",
        theirs.staff_id == other,
        theirs.subject_id == mine.subject_id,
    )


_STAFF: _Asked = select(
    StaffRow.staff_id, StaffRow.name, StaffRow.org_unit, StaffRow.post, StaffRow.role, StaffRow.employment,
    StaffRow.manager_id, StaffRow.subject_id, StaffRow.valid_from, StaffRow.valid_to, StaffRow.kana,
)  # fmt: skip
_ROSTER: _Asked = select(
    RosterRow.staff_id, RosterRow.start, RosterRow.end, RosterRow.kind, RosterRow.approved_by,
    and_(
        RosterRow.kind == RosterKind.OVERTIME, RosterRow.approved_by != "",
        _one_human(RosterRow.staff_id, RosterRow.approved_by),
    ),
)  # fmt: skip
_CALENDAR: _Asked = select(
    CalendarRow.date, CalendarRow.org_unit, CalendarRow.kind, CalendarRow.opens, CalendarRow.closes, CalendarRow.note
)
_WINDOWS: _Asked = select(
    ApprovalRow.approval_id, ApprovalRow.staff_id, ApprovalRow.source, ApprovalRow.valid_from, ApprovalRow.valid_to,
    ApprovalRow.note,
).where(
    ApprovalRow.kind.in_(("time_window", "maintenance")), ApprovalRow.approved_by.not_in(("", ApprovalRow.staff_id)),
    ~_one_human(ApprovalRow.staff_id, ApprovalRow.approved_by),
)  # fmt: skip
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

_CASES: _Asked = select(
    CaseRow.case_id, CaseRow.source, CaseRow.subject_id, CaseRow.org_unit, CaseRow.assignee, CaseRow.kind,
    CaseRow.opened_at, CaseRow.closed_at,
)  # fmt: skip

# Asked for every decision, so they are built once.
_REVISION = select(RevisionRow.number).where(RevisionRow.id == 1)
_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_SUBJECTS_AMONG: _Asked = _SUBJECTS.where(SubjectRow.subject_id.in_(_KEYS))
_PEOPLE_AS: _Asked = _STAFF.where(
    StaffRow.staff_id.in_(select(StaffRow.staff_id).where(StaffRow.subject_id.in_(_KEYS)))
)

_Moment = InstrumentedAttribute[datetime | None] | InstrumentedAttribute[datetime]


@dataclass(frozen=True, slots=True)
class Merged:
    """What an import changed: so many entries, and the time that it reaches, None when nothing was changed."""

    new: int
    changed: int
    unchanged: int
    reach: Reach | None


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

    def merge(self, kind: str, rows: Sequence[FeedRow], now: datetime) -> Merged:
        """Bring rows in.

        Args:
            kind: of which feed.
            rows: as they were read; of two with the same key the later one holds.
            now: when approvals are entered.

        Returns:
            How many entries are new, changed, and unchanged, and what time the change reaches.
        """
        table, names = TABLES[kind]
        first_ever = self._session.execute(select(table.id).limit(1)).first() is None
        stamp = {"entered_at": now} if table is ApprovalRow else {}
        wanted: dict[Any, dict[tuple[Any, ...], FeedRow]] = defaultdict(dict)
        for row in rows:
            wanted[row[names[0]]][tuple(row[name] for name in names)] = row
        new = changed = 0
        reach: Reach | None = None
        groups = iter(wanted)
        while piece := list(islice(groups, _AT_ONCE)):
            entries = {at: row for first in piece for at, row in wanted[first].items()}
            pairs = self._merge(table, names, piece, entries, stamp)
            if pairs:
                fresh = reach_of(kind, pairs, now, first_ever=first_ever)
                reach = fresh if reach is None else reach.with_(fresh)
            added = sum(old is None for old, _ in pairs)
            new, changed = new + added, changed + len(pairs) - added
        return Merged(new, changed, sum(map(len, wanted.values())) - new - changed, reach)

    def _merge(
        self,
        table: FeedTable,
        names: tuple[str, ...],
        firsts: Sequence[Any],
        entries: Mapping[tuple[Any, ...], FeedRow],
        stamp: Mapping[str, Any],
    ) -> list[tuple[FeedRow | None, FeedRow]]:
        columns = tuple(next(iter(entries.values())))
        asked = select(table.id, *(getattr(table, name) for name in columns))
        stored: dict[tuple[Any, ...], tuple[int, FeedRow]] = {}
        for number, *values in self._session.execute(asked.where(getattr(table, names[0]).in_(firsts))):
            found = dict(zip(columns, values, strict=True))
            stored[tuple(found[name] for name in names)] = (number, found)
        added, altered = [], []
        pairs: list[tuple[FeedRow | None, FeedRow]] = []
        for at, row in entries.items():
            if at not in stored:
                added.append({**row, **stamp})
                pairs.append((None, row))
                continue
            number, found = stored[at]
            differing = {name for name in columns if found[name] != row[name]}
            if differing:
                altered.append({"id": number, **row, **(stamp if differing - {_REMARK} else {})})
                pairs.append((found, row))
        if added:
            self._session.execute(insert(table), added)
        for row in altered:
            self._session.execute(update(table).where(table.id == row["id"]).values(row))
        return pairs

    def revision(self) -> int:
        """How many imports have changed something so far."""
        return self._session.scalar(_REVISION) or 0

    def unchanged_since(self, number: int) -> bool:
        """Whether no import has changed anything since `revision` was this; none will until the unit of work ends."""
        held = update(RevisionRow).where(RevisionRow.id == 1, RevisionRow.number == number)
        same = cast("CursorResult[Any]", self._session.execute(held.values(number=number))).rowcount == 1
        return same or (number == 0 and self._session.get(RevisionRow, 1) is None)

    def revise(self, reach: Reach) -> None:
        """Count an import that changed something, with the time it reaches; two at once are two."""
        counted = update(RevisionRow).where(RevisionRow.id == 1).values(number=RevisionRow.number + 1)
        if cast("CursorResult[Any]", self._session.execute(counted)).rowcount == 0:
            self._session.add(RevisionRow(id=1, number=1))
            self._session.flush()
        self._session.add(ChangeRow(number=self.revision(), first=reach.start, last=reach.end))

    def reaches_since(self, number: int) -> list[Reach]:
        """What time each import has reached that was counted after a revision."""
        later = select(ChangeRow.first, ChangeRow.last).where(ChangeRow.number > number).distinct()
        return [Reach(first, last) for first, last in self._session.execute(later)]

    # Everything over a span -------------------------------------------------------------------------------------

    def posts(self) -> Iterator[Post]:
        """Every post of everyone."""
        return self._posts(_STAFF)

    def roster(self, start: datetime, end: datetime, staff_id: str = "") -> Iterator[RosterSpan]:
        """The roster entries that touch a span, of everyone or of one person."""
        asked = _ROSTER.where(RosterRow.start < end, RosterRow.end > start)
        for person, begins, ends, kind, by, own in self._session.execute(_of(asked, RosterRow.staff_id, staff_id)):
            yield RosterSpan(person, begins, ends, RosterKind(kind), by, bool(own))

    def calendar(self) -> Iterator[CalendarDay]:
        """The town's calendar."""
        for row in self._session.execute(_CALENDAR):
            yield CalendarDay(*row)

    def windows(self, start: datetime, end: datetime, staff_id: str = "") -> Iterator[TimeWindow]:
        """Approved times for work that touch a span, of everyone or of one person."""
        asked = _WINDOWS.where(_touches(ApprovalRow.valid_from, ApprovalRow.valid_to, start, end))
        for row in self._session.execute(_of(asked, ApprovalRow.staff_id, staff_id)):
            yield TimeWindow(*row)

    def approvals_over(self, start: datetime, end: datetime) -> Iterator[Approval]:
        """Everybody's approvals of every kind that touch a span."""
        return self._approvals(_APPROVALS.where(_touches(ApprovalRow.valid_from, ApprovalRow.valid_to, start, end)))

    def policies(self) -> Iterator[tuple[str, datetime | None, str]]:
        """What every system asks its users for, since when, the latest first."""
        latest = (PolicyRow.source, PolicyRow.valid_from.desc().nulls_last())
        for row in self._session.execute(
            select(PolicyRow.source, PolicyRow.valid_from, PolicyRow.require).order_by(*latest)
        ):
            yield row[0], row[1], row[2]

    def every_terminal(self) -> Iterator[Terminal]:
        """The registered terminals."""
        for row in self._session.execute(_TERMINALS.order_by(TerminalRow.terminal_id)):
            yield Terminal(*row)

    def count_subjects(self) -> int:
        """How many residents the feed names."""
        return self._session.execute(select(func.count()).select_from(SubjectRow)).scalar_one()

    # Everything at once, column by column ------------------------------------------------------------------------

    def table(self, kind: str) -> dict[str, list[Any]]:
        """One feed of those that casework is matched by, as columns."""
        asked = {"approvals": _APPROVALS, "cases": _CASES, "staff": _STAFF, "subjects": _SUBJECTS}[kind]
        answer = self._session.execute(asked)
        columns: dict[str, list[Any]] = {name: [] for name in answer.keys()}  # noqa: SIM118 - a result is no mapping
        while rows := answer.fetchmany(20_000):
            for name, values in zip(columns, zip(*rows, strict=True), strict=True):
                columns[name].extend(values)
        return columns

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
        return self._posts(_PEOPLE_AS, {"keys": [key for key in subject_ids if key]})

    def subjects(self, subject_ids: Iterable[str]) -> Iterator[Subject]:
        """These residents, as far as they are known."""
        asked = self._session.execute(_SUBJECTS_AMONG, {"keys": list(subject_ids)})
        for key, household, address, name, former_name, flags in asked:
            yield Subject(key, household, address, name, former_name, frozenset(flags.split(";")) - {""})

    def approvals(self, staff_id: str, source: str, at: datetime) -> Iterator[Approval]:
        """The approvals of one person for one system that are in force at a moment."""
        return self._approvals(
            _APPROVALS.where(
                ApprovalRow.staff_id == staff_id,
                ApprovalRow.source.in_(("", source)),
                _holds(ApprovalRow.valid_from, ApprovalRow.valid_to, at),
            )
        )

    def _approvals(self, asked: _Asked) -> Iterator[Approval]:
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

    def policy_changes(self, source: str) -> list[datetime]:
        """When another row comes into force, in order."""
        begins = self._session.scalars(select(PolicyRow.valid_from).where(PolicyRow.source == source))
        return sorted(begin for begin in begins if begin is not None)

    def _posts(self, asked: _Asked, values: Mapping[str, Any] | None = None) -> Iterator[Post]:
        for row in self._session.execute(asked, values):
            yield Post(*row)


def _of(asked: _Asked, column: InstrumentedAttribute[str], staff_id: str) -> _Asked:
    """The same question, of one person."""
    return asked.where(column == staff_id) if staff_id else asked
