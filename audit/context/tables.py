"""The tables of the context feeds in the state database."""

from datetime import date, datetime

from sqlalchemy import Date, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from audit.store.state import Base, UtcTime

__all__ = [
    "TABLES",
    "ApprovalRow",
    "CalendarRow",
    "CaseRow",
    "ChangeRow",
    "FeedTable",
    "PolicyRow",
    "RevisionRow",
    "RosterRow",
    "StaffRow",
    "SubjectRow",
    "TerminalRow",
]


class StaffRow(Base):
    """One post of one person."""

    __tablename__ = "context_staff"
    __table_args__ = (
        Index("ix_context_staff_key", "staff_id", "valid_from"),
        Index("ix_context_staff_unit", "org_unit"),
        Index("ix_context_staff_subject", "subject_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(Text)
    kana: Mapped[str] = mapped_column(Text)
    org_unit: Mapped[str] = mapped_column(Text)
    post: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    employment: Mapped[str] = mapped_column(String(20))
    manager_id: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[datetime | None] = mapped_column(UtcTime)
    valid_to: Mapped[datetime | None] = mapped_column(UtcTime)
    subject_id: Mapped[str] = mapped_column(Text)


class SubjectRow(Base):
    """One resident, by pseudonyms."""

    __tablename__ = "context_subjects"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(100), unique=True)
    household_id: Mapped[str] = mapped_column(String(100))
    address_key: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(100))
    former_name_key: Mapped[str] = mapped_column(String(100))
    flags: Mapped[str] = mapped_column(String(100))


class CaseRow(Base):
    """One piece of casework: what somebody's record is looked at for."""

    __tablename__ = "context_cases"
    __table_args__ = (Index("ix_context_cases_case", "case_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[str] = mapped_column(String(100))
    org_unit: Mapped[str] = mapped_column(Text)
    assignee: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime)


class RosterRow(Base):
    """One entry of a duty roster."""

    __tablename__ = "context_roster"
    __table_args__ = (Index("ix_context_roster_key", "staff_id", "start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(100))
    start: Mapped[datetime] = mapped_column(UtcTime, index=True)
    end: Mapped[datetime] = mapped_column(UtcTime)
    kind: Mapped[str] = mapped_column(String(20))
    approved_by: Mapped[str] = mapped_column(Text)


class CalendarRow(Base):
    """One entry of the town's calendar."""

    __tablename__ = "context_calendar"

    id: Mapped[int] = mapped_column(primary_key=True)
    date: Mapped[date] = mapped_column(Date, index=True)
    org_unit: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(10))
    opens: Mapped[str] = mapped_column(String(8))
    closes: Mapped[str] = mapped_column(String(8))
    note: Mapped[str] = mapped_column(Text)


class ApprovalRow(Base):
    """One approval. `entered_at` is ours, no column of the feed."""

    __tablename__ = "context_approvals"
    __table_args__ = (Index("ix_context_approvals_staff", "staff_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    approval_id: Mapped[str] = mapped_column(String(200), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    staff_id: Mapped[str] = mapped_column(String(100))
    approved_by: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[datetime | None] = mapped_column(UtcTime)
    valid_to: Mapped[datetime | None] = mapped_column(UtcTime)
    max_rows: Mapped[int | None]
    medium_id: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    entered_at: Mapped[datetime | None] = mapped_column(UtcTime)


class PolicyRow(Base):
    """What one system asks its users for, from a moment on."""

    __tablename__ = "context_policies"
    __table_args__ = (Index("ix_context_policies_key", "source", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(100))
    valid_from: Mapped[datetime | None] = mapped_column(UtcTime)
    require: Mapped[str] = mapped_column(Text)


class TerminalRow(Base):
    """One registered terminal. `ip_range` has one form only, so that it is found by equality."""

    __tablename__ = "context_terminals"

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[str] = mapped_column(String(100), index=True)
    org_unit: Mapped[str] = mapped_column(Text)
    site: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(20))
    ip_range: Mapped[str] = mapped_column(String(50), index=True)


class RevisionRow(Base):
    """Counts the imports that changed something: a judgement names the one it was made under."""

    __tablename__ = "context_revision"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class ChangeRow(Base):
    """What time a counted import changed the context of; null is without a bound."""

    __tablename__ = "context_changes"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first: Mapped[datetime | None] = mapped_column(UtcTime)
    last: Mapped[datetime | None] = mapped_column(UtcTime)


FeedTable = (
    type[StaffRow]
    | type[CaseRow]
    | type[SubjectRow]
    | type[RosterRow]
    | type[CalendarRow]
    | type[ApprovalRow]
    | type[PolicyRow]
    | type[TerminalRow]
)
TABLES: dict[str, tuple[FeedTable, tuple[str, ...]]] = {
    "staff": (StaffRow, ("staff_id", "valid_from")),
    "subjects": (SubjectRow, ("subject_id",)),
    "cases": (CaseRow, ("case_id", "source", "subject_id")),
    "roster": (RosterRow, ("staff_id", "start", "end", "kind")),
    "calendar": (CalendarRow, ("date", "org_unit", "kind")),
    "approvals": (ApprovalRow, ("approval_id",)),
    "policies": (PolicyRow, ("source", "valid_from")),
    "terminals": (TerminalRow, ("terminal_id",)),
}
"""Each feed's table, and what makes two rows the same entry: a later one replaces an earlier.

Rows are looked up by the first name, which has an index.
"""
