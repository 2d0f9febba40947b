"""Tables of rights. The book of changes only grows; everything else can be made from it and from the log."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from audit.access.rights.model import Approval, Delegation, Entitlement
from audit.store.state import Base, UtcTime

__all__ = [
    "ApplicationRow",
    "ApprovalRow",
    "ChangeRow",
    "DelegationRow",
    "EntitlementRow",
    "ReconciliationRow",
]

_ID = 32
_NAME = 100


class ApplicationRow(Base):
    """Something applied for. `turn` grows with each decision, so that two at one moment cannot both count."""

    __tablename__ = "access_right_applications"

    id: Mapped[str] = mapped_column(String(_ID), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    person: Mapped[str] = mapped_column(String(_NAME), index=True)
    system: Mapped[str] = mapped_column(String(_NAME))
    affair: Mapped[str] = mapped_column(String(_NAME))
    functions: Mapped[str] = mapped_column(Text)  # separated by a space
    unit: Mapped[str] = mapped_column(Text)
    start: Mapped[datetime] = mapped_column(UtcTime)
    end: Mapped[datetime | None] = mapped_column(UtcTime)
    reason: Mapped[str] = mapped_column(Text)
    decision_ref: Mapped[str] = mapped_column(String(_NAME))
    replaces: Mapped[str] = mapped_column(Text)  # separated by a space
    applicant: Mapped[str] = mapped_column(String(_NAME), index=True)
    chain: Mapped[str] = mapped_column(String(200))
    steps: Mapped[int] = mapped_column(Integer)
    outside: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    status: Mapped[str] = mapped_column(String(16), index=True)
    turn: Mapped[int] = mapped_column(Integer, default=0)
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    closed_by: Mapped[str] = mapped_column(String(_NAME), default="")
    closing_reason: Mapped[str] = mapped_column(Text, default="")
    batch: Mapped[str] = mapped_column(String(_ID), default="", server_default="")
    beside: Mapped[str] = mapped_column(Text, default="", server_default="")  # separated by a space


class ApprovalRow(Base):
    """One step given; the key makes a second one of the same step impossible."""

    __tablename__ = "access_right_approvals"

    application: Mapped[str] = mapped_column(ForeignKey("access_right_applications.id"), primary_key=True)
    step: Mapped[int] = mapped_column(Integer, primary_key=True)
    by: Mapped[str] = mapped_column(String(_NAME), index=True)
    deputy_for: Mapped[str] = mapped_column(String(_NAME))
    at: Mapped[datetime] = mapped_column(UtcTime)

    def approval(self) -> Approval:
        """The step as a value."""
        return Approval(step=self.step, by=self.by, deputy_for=self.deputy_for, at=self.at)


class EntitlementRow(Base):
    """One right. `ended_at`: it was taken away, or its end was noticed; `applied_at`: the target reported it first."""

    __tablename__ = "access_rights"
    __table_args__ = (Index(None, "person", "system"), Index(None, "system", "ended_at"))

    id: Mapped[str] = mapped_column(String(_ID), primary_key=True)
    person: Mapped[str] = mapped_column(String(_NAME))
    system: Mapped[str] = mapped_column(String(_NAME))
    affair: Mapped[str] = mapped_column(String(_NAME))
    function: Mapped[str] = mapped_column(String(_NAME))
    unit: Mapped[str] = mapped_column(Text)
    start: Mapped[datetime] = mapped_column(UtcTime)
    end: Mapped[datetime | None] = mapped_column(UtcTime)
    application: Mapped[str] = mapped_column(ForeignKey("access_right_applications.id"), index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    applied_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)

    def entitlement(self) -> Entitlement:
        """The right as a value."""
        return Entitlement(
            id=self.id,
            person=self.person,
            system=self.system,
            affair=self.affair,
            function=self.function,
            unit=self.unit,
            start=self.start,
            end=self.end,
            application=self.application,
        )


class ChangeRow(Base):
    """One change of one right, with its old and new value as JSON; rows are only ever added."""

    __tablename__ = "access_right_changes"

    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    right: Mapped[str] = mapped_column(String(_ID), index=True)
    person: Mapped[str] = mapped_column(String(_NAME), index=True)
    operation: Mapped[str] = mapped_column(String(_NAME))
    by: Mapped[str] = mapped_column(String(_NAME))
    before: Mapped[str] = mapped_column(Text)  # empty for none
    after: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)


class DelegationRow(Base):
    """A deputy named by an approver."""

    __tablename__ = "access_right_delegations"

    id: Mapped[str] = mapped_column(String(_ID), primary_key=True)
    approver: Mapped[str] = mapped_column(String(_NAME), index=True)
    deputy: Mapped[str] = mapped_column(String(_NAME), index=True)
    start: Mapped[datetime] = mapped_column(UtcTime)
    end: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)

    def delegation(self) -> Delegation:
        """The delegation as a value."""
        return Delegation(id=self.id, approver=self.approver, deputy=self.deputy, start=self.start, end=self.end)


class ReconciliationRow(Base):
    """The last comparison of a system with what was approved."""

    __tablename__ = "access_right_reconciliations"

    system: Mapped[str] = mapped_column(String(_NAME), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    by: Mapped[str] = mapped_column(String(_NAME))
    result: Mapped[str] = mapped_column(Text)  # JSON
