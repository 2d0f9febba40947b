"""Statements of rights. Nothing here commits: the unit of work does.

What must happen once (a decision, the end of a right) is one UPDATE whose row count is the answer.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Update, func, or_, select, update

from audit.access.outbox import keep
from audit.access.rights.model import Application, Approval, Change, Delegation, Entitlement, Kind, Status, Wish
from audit.access.rights.tables import (
    ApplicationRow,
    ApprovalRow,
    ChangeRow,
    DelegationRow,
    EntitlementRow,
    ReconciliationRow,
)
from audit.store.state import Session

__all__ = ["RightsRepository"]


class RightsRepository:
    """The statements, within one unit of work."""

    def __init__(self, unit: Session) -> None:
        self._unit = unit

    def _change(self, statement: Update) -> int:
        done = self._unit.execute(statement, execution_options={"synchronize_session": False})
        return cast("CursorResult[Any]", done).rowcount

    # Applications

    def add_application(self, application: Application) -> None:
        """Keep a new application."""
        wish = application.wish
        self._unit.add(
            ApplicationRow(
                id=application.id,
                kind=wish.kind,
                person=wish.person,
                system=wish.system,
                affair=wish.affair,
                functions=" ".join(wish.functions),
                unit=wish.unit,
                start=wish.start,
                end=wish.end,
                reason=wish.reason,
                decision_ref=wish.decision_ref,
                replaces=" ".join(wish.replaces),
                applicant=application.applicant,
                chain=application.chain,
                steps=application.steps,
                outside=" ".join(application.outside),
                created_at=application.created_at,
                expires_at=application.expires_at,
                status=application.status,
                batch=application.batch,
                beside=" ".join(application.beside),
            )
        )
        self._unit.flush()

    def claim(self, application: str) -> bool:
        """Take a waiting application's turn, so that nobody else decides it in between; False when none waits."""
        turn = (
            update(ApplicationRow)
            .where(ApplicationRow.id == application, ApplicationRow.status == Status.WAITING)
            .values(turn=ApplicationRow.turn + 1)
        )
        return self._change(turn) == 1

    def approve(self, application: str, approval: Approval) -> None:
        """Keep a step that was given."""
        self._unit.add(
            ApprovalRow(
                application=application,
                step=approval.step,
                by=approval.by,
                deputy_for=approval.deputy_for,
                at=approval.at,
            )
        )
        self._unit.flush()

    def close(self, application: str, status: Status, now: datetime, by: str = "", reason: str = "") -> bool:
        """End a waiting application; False when it waits no more."""
        end = (
            update(ApplicationRow)
            .where(ApplicationRow.id == application, ApplicationRow.status == Status.WAITING)
            .values(status=status, closed_at=now, closed_by=by, closing_reason=reason)
        )
        return self._change(end) == 1

    def application(self, application: str) -> Application | None:
        """One application."""
        row = self._unit.get(ApplicationRow, application, populate_existing=True)
        return self._whole([row])[0] if row is not None else None

    def applications_by_id(self, ids: Iterable[str]) -> dict[str, Application]:
        """Some applications, by id."""
        rows: list[ApplicationRow] = []
        for chunk in _chunks(list(ids)):
            rows += self._unit.scalars(select(ApplicationRow).where(ApplicationRow.id.in_(chunk)))
        return {found.id: found for found in self._whole(rows)}

    def applications(
        self, *, status: Status | None = None, person: str = "", expired_at: datetime | None = None
    ) -> Sequence[Application]:
        """Applications, the newest first.

        Args:
            status: of this status alone.
            person: those that this person made, or that are for this person.
            expired_at: those whose time was over by then.
        """
        query = select(ApplicationRow).order_by(ApplicationRow.created_at.desc(), ApplicationRow.id)
        if status:
            query = query.where(ApplicationRow.status == status)
        if person:
            query = query.where(or_(ApplicationRow.person == person, ApplicationRow.applicant == person))
        if expired_at:
            query = query.where(ApplicationRow.expires_at <= expired_at)
        return self._whole(self._unit.scalars(query).all())

    def _whole(self, rows: Sequence[ApplicationRow]) -> list[Application]:
        given: dict[str, list[Approval]] = {row.id: [] for row in rows}
        for chunk in _chunks(list(given)):
            query = select(ApprovalRow).where(ApprovalRow.application.in_(chunk)).order_by(ApprovalRow.step)
            for approval in self._unit.scalars(query):
                given[approval.application].append(approval.approval())
        return [_application(row, tuple(given[row.id])) for row in rows]

    # Rights

    def rights(self, *, person: str = "", system: str = "", ids: Iterable[str] = ()) -> Sequence[EntitlementRow]:
        """Rights that were not taken away, by person; of one person, one system, or of some ids."""
        query = select(EntitlementRow).where(EntitlementRow.ended_at.is_(None))
        if person:
            query = query.where(EntitlementRow.person == person)
        if system:
            query = query.where(EntitlementRow.system == system)
        if wanted := list(ids):
            query = query.where(EntitlementRow.id.in_(wanted))
        order = (EntitlementRow.person, EntitlementRow.system, EntitlementRow.start, EntitlementRow.id)
        return self._unit.scalars(query.order_by(*order)).all()

    def add_right(self, right: Entitlement) -> None:
        """Keep a new right."""
        self._unit.add(
            EntitlementRow(
                id=right.id,
                person=right.person,
                system=right.system,
                affair=right.affair,
                function=right.function,
                unit=right.unit,
                start=right.start,
                end=right.end,
                application=right.application,
            )
        )
        self._unit.flush()

    def end_right(self, right: str, at: datetime) -> bool:
        """Take a right away; False when somebody did already."""
        end = update(EntitlementRow).where(EntitlementRow.id == right, EntitlementRow.ended_at.is_(None))
        return self._change(end.values(ended_at=at)) == 1

    def shorten(self, right: str, end: datetime) -> bool:
        """Give a right an earlier end; False when it was taken away, or ends earlier by now."""
        change = update(EntitlementRow).where(
            EntitlementRow.id == right,
            EntitlementRow.ended_at.is_(None),
            or_(EntitlementRow.end.is_(None), EntitlementRow.end >= end),
        )
        return self._change(change.values(end=end)) == 1

    def applied(self, ids: Sequence[str], at: datetime) -> int:
        """Mark rights that the target system was seen to have; how many it has now for the first time."""
        return sum(
            self._change(
                update(EntitlementRow)
                .where(EntitlementRow.id.in_(chunk), EntitlementRow.applied_at.is_(None))
                .values(applied_at=at)
            )
            for chunk in _chunks(ids)
        )

    # The book of changes

    def write_change(self, change: Change) -> None:
        """Add to the book."""
        known = change.after or change.before
        self._unit.add(
            ChangeRow(
                at=change.at,
                right=change.right,
                person=known.person if known else "",
                operation=change.operation,
                by=change.by,
                before=json.dumps(change.before.to_doc()) if change.before else "",
                after=json.dumps(change.after.to_doc()) if change.after else "",
                reason=change.reason,
            )
        )
        self._unit.flush()

    def changes(self, *, person: str = "") -> Sequence[Change]:
        """The book, or one person's part of it, in order."""
        query = select(ChangeRow).order_by(ChangeRow.number)
        rows = self._unit.scalars(query.where(ChangeRow.person == person) if person else query)
        return [
            Change(
                number=row.number,
                at=row.at,
                right=row.right,
                operation=row.operation,
                by=row.by,
                before=Entitlement.from_doc(json.loads(row.before)) if row.before else None,
                after=Entitlement.from_doc(json.loads(row.after)) if row.after else None,
                reason=row.reason,
            )
            for row in rows
        ]

    # Events that the log may not have yet

    def add_untold(self, doc: dict[str, Any]) -> None:
        """Keep an event until it is told."""
        keep(self._unit, [doc])

    # Deputies

    def add_delegation(self, delegation: Delegation) -> None:
        """Keep a delegation."""
        self._unit.add(
            DelegationRow(
                id=delegation.id,
                approver=delegation.approver,
                deputy=delegation.deputy,
                start=delegation.start,
                end=delegation.end,
            )
        )
        self._unit.flush()

    def delegations(self, after: datetime, *, start_by: datetime | None = None) -> Sequence[Delegation]:
        """Delegations that end after a moment and were not ended; with `start_by`, those that have begun by then."""
        query = select(DelegationRow).where(DelegationRow.end > after, DelegationRow.ended_at.is_(None))
        if start_by:
            query = query.where(DelegationRow.start <= start_by)
        return [row.delegation() for row in self._unit.scalars(query.order_by(DelegationRow.start, DelegationRow.id))]

    def end_delegation(self, delegation: str, approver: str, now: datetime) -> Delegation | None:
        """End an approver's delegation; None when there is none such."""
        row = self._unit.get(DelegationRow, delegation)
        end = (
            update(DelegationRow)
            .where(DelegationRow.id == delegation, DelegationRow.approver == approver, DelegationRow.ended_at.is_(None))
            .values(ended_at=now)
        )
        return row.delegation() if row is not None and self._change(end) == 1 else None

    # Reconciliation

    def keep_reconciliation(self, system: str, at: datetime, by: str, result: str) -> None:
        """Keep the last comparison of a system."""
        self._unit.merge(ReconciliationRow(system=system, at=at, by=by, result=result))

    def reconciliation(self, system: str) -> ReconciliationRow | None:
        """The last comparison of a system."""
        return self._unit.get(ReconciliationRow, system)

    def count_by_system(self) -> dict[str, int]:
        """How many rights there are, by system."""
        query = select(EntitlementRow.system, func.count()).where(EntitlementRow.ended_at.is_(None))
        return {row[0]: row[1] for row in self._unit.execute(query.group_by(EntitlementRow.system))}


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """As many at a time as SQLite binds with ease."""
    return (ids[start : start + 500] for start in range(0, len(ids), 500))


def _application(row: ApplicationRow, approvals: tuple[Approval, ...]) -> Application:
    return Application(
        id=row.id,
        wish=Wish(
            kind=Kind(row.kind),
            person=row.person,
            system=row.system,
            affair=row.affair,
            functions=tuple(row.functions.split()),
            unit=row.unit,
            start=row.start,
            end=row.end,
            reason=row.reason,
            decision_ref=row.decision_ref,
            replaces=tuple(row.replaces.split()),
        ),
        applicant=row.applicant,
        chain=row.chain,
        steps=row.steps,
        outside=tuple(row.outside.split()),
        approvals=approvals,
        created_at=row.created_at,
        expires_at=row.expires_at,
        status=Status(row.status),
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        closing_reason=row.closing_reason,
        batch=row.batch,
        beside=tuple(row.beside.split()),
    )
