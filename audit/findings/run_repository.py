"""Evaluations in the state database: the last one of every window, and every one there ever was."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Boolean, Index, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.findings.runs import DetectorRun, Due, Evaluation
from audit.store.state import Base, UtcTime

__all__ = ["RunRepository", "RunRow"]


class RunRow(Base):
    """The last evaluation of one window by one detector, as a round of runs looks it up."""

    __tablename__ = "detector_runs"
    __table_args__ = (UniqueConstraint("detector", "start", "end"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    detector: Mapped[str] = mapped_column(String(100))
    start: Mapped[datetime] = mapped_column(UtcTime)
    end: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[str] = mapped_column(String(20))
    parameters: Mapped[str] = mapped_column(String(64))
    context_revision: Mapped[int]
    events: Mapped[int]
    high_water: Mapped[int]
    findings: Mapped[int]
    result: Mapped[str] = mapped_column(String(64))
    others: Mapped[str] = mapped_column(String(64), default="", server_default="")
    at: Mapped[datetime] = mapped_column(UtcTime)


class EvaluationRow(Base):
    """One evaluation. Rows are added, never changed."""

    __tablename__ = "detector_evaluations"
    __table_args__ = (Index("ix_detector_evaluations_window", "detector", "start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    detector: Mapped[str] = mapped_column(String(100))
    start: Mapped[datetime] = mapped_column(UtcTime)
    end: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[str] = mapped_column(String(20))
    parameters: Mapped[str] = mapped_column(String(64))
    context_revision: Mapped[int]
    events: Mapped[int]
    high_water: Mapped[int]
    findings: Mapped[int]
    result: Mapped[str] = mapped_column(String(64))
    others: Mapped[str] = mapped_column(String(64), default="", server_default="")
    error: Mapped[str] = mapped_column(String(100))
    due: Mapped[str] = mapped_column(String(20))
    late: Mapped[bool] = mapped_column(Boolean)
    node: Mapped[str] = mapped_column(String(64))
    token: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcTime)


class SettingsRow(Base):
    """Parameters by their hash: each set of values is kept once, however often it was judged with."""

    __tablename__ = "detector_settings"

    parameters: Mapped[str] = mapped_column(String(64), primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class LookRow(Base):
    """When a detector's due windows were last looked through: nothing due is not nothing done."""

    __tablename__ = "detector_looks"

    detector: Mapped[str] = mapped_column(String(100), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime)


_SAME = (
    "detector", "start", "end", "version", "parameters", "context_revision", "events", "high_water", "others"
)  # fmt: skip


class RunRepository:
    """SQL of evaluations, within the caller's unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def runs(self, detector: str) -> dict[datetime, RunRow]:
        """The last evaluation of every window of a detector, by the window's beginning."""
        return {row.start: row for row in self._session.scalars(select(RunRow).where(RunRow.detector == detector))}

    def record(self, run: DetectorRun, found: int, result: str, at: datetime) -> None:
        """Enter an evaluation; it is its window's last one now."""
        self._add(run, found, result, "", at)
        same = select(RunRow.id).where(
            RunRow.detector == run.detector, RunRow.start == run.start, RunRow.end == run.end
        )
        row = RunRow(**{name: getattr(run, name) for name in _SAME}, findings=found, result=result, at=at)
        before = self._session.scalar(same)
        if before is None:
            self._session.add(row)
        else:
            row.id = before
            self._session.merge(row)

    def record_failure(self, run: DetectorRun, error: str, at: datetime) -> None:
        """Enter an evaluation that came to nothing; the window's last one stays what it was."""
        self._add(run, 0, "", error, at)

    def _add(self, run: DetectorRun, found: int, result: str, error: str, at: datetime) -> None:
        if run.settings and self._session.get(SettingsRow, run.parameters) is None:
            body = json.dumps(dict(run.settings), ensure_ascii=False, sort_keys=True)
            self._session.add(SettingsRow(parameters=run.parameters, body=body))
        self._session.add(
            EvaluationRow(
                **{name: getattr(run, name) for name in (*_SAME, "due", "late", "node", "token")},
                findings=found,
                result=result,
                error=error,
                at=at,
            )
        )

    def history(
        self, *, detector: str, start: datetime | None, end: datetime | None, before: int | None, limit: int
    ) -> list[Evaluation]:
        """Evaluations, the latest first: of one detector, of the windows of a span, entered before a number."""
        query = select(EvaluationRow).order_by(EvaluationRow.id.desc()).limit(limit)
        if detector:
            query = query.where(EvaluationRow.detector == detector)
        if start is not None:
            query = query.where(EvaluationRow.end > start)
        if end is not None:
            query = query.where(EvaluationRow.start < end)
        if before is not None:
            query = query.where(EvaluationRow.id < before)
        rows = self._session.scalars(query).all()
        hashes = {row.parameters for row in rows}
        kept = self._session.scalars(select(SettingsRow).where(SettingsRow.parameters.in_(hashes)))
        settings = {row.parameters: json.loads(row.body) for row in kept}
        return [
            Evaluation(
                id=row.id,
                run=DetectorRun(
                    **{name: getattr(row, name) for name in (*_SAME, "late", "node", "token")},
                    settings=settings.get(row.parameters, {}),
                    due=Due(row.due),
                ),
                findings=row.findings,
                result=row.result,
                error=row.error,
                at=row.at,
            )
            for row in rows
        ]

    def last_looks(self) -> dict[str, datetime]:
        """When the due windows of every detector were last looked through."""
        return {row.detector: row.at for row in self._session.scalars(select(LookRow))}

    def last_look(self, detector: str) -> datetime | None:
        """The same of one detector."""
        row = self._session.get(LookRow, detector)
        return row.at if row is not None else None

    def looked(self, detectors: Sequence[str], at: datetime) -> None:
        """Enter that they were."""
        for detector in detectors:
            self._session.merge(LookRow(detector=detector, at=at))
