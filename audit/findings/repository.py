"""Findings in the state database."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Index, String, Text, and_, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.findings.model import Finding, FindingStatus, Severity
from audit.store.state import Base, UtcTime
from audit.texts import Texts

__all__ = ["FindingFilter", "FindingRepository"]


class FindingRow(Base):
    """One finding. What is asked for has columns of its own, the rest is in `body`."""

    __tablename__ = "findings"
    __table_args__ = (Index("ix_findings_start", "start"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    detector: Mapped[str] = mapped_column(String(100), index=True)
    detector_version: Mapped[str] = mapped_column(String(20))
    parameters: Mapped[str] = mapped_column(String(64))
    severity: Mapped[str] = mapped_column(String(10))
    score: Mapped[float]
    status: Mapped[str] = mapped_column(String(20), index=True)
    source: Mapped[str] = mapped_column(String(200))
    start: Mapped[datetime] = mapped_column(UtcTime)
    end: Mapped[datetime] = mapped_column(UtcTime)
    found_at: Mapped[datetime] = mapped_column(UtcTime)
    body: Mapped[str] = mapped_column(Text)


def _body(finding: Finding) -> str:
    plain = asdict(finding)
    kept = (
        "actors",
        "subjects",
        "title",
        "reasons",
        "evidence",
        "evidence_total",
        "first_index",
        "last_index",
        "baseline",
    )
    body = {name: plain[name] for name in kept}
    if finding.settled_at is not None:
        body["settled"] = [finding.settled_at.isoformat(), finding.settled_by]
    if finding.excepted_by:
        body["excepted_by"] = finding.excepted_by
    return json.dumps(body, ensure_ascii=False, sort_keys=True)


def _finding(row: FindingRow) -> Finding:
    body = json.loads(row.body)
    settled_at, settled_by = body.get("settled", ("", ""))
    return Finding(
        id=row.id,
        detector=row.detector,
        detector_version=row.detector_version,
        parameters=row.parameters,
        severity=Severity(row.severity),
        score=row.score,
        status=FindingStatus(row.status),
        actors=tuple(body["actors"]),
        subjects=tuple(body["subjects"]),
        source=row.source,
        start=row.start,
        end=row.end,
        title=Texts(*body["title"]),
        reasons=tuple(Texts(*reason) for reason in body["reasons"]),
        evidence=tuple(body["evidence"]),
        evidence_total=body["evidence_total"],
        first_index=body["first_index"],
        last_index=body["last_index"],
        found_at=row.found_at,
        baseline=tuple((Texts(*label), value) for label, value in body["baseline"]),
        settled_at=datetime.fromisoformat(settled_at) if settled_at else None,
        settled_by=settled_by,
        excepted_by=body.get("excepted_by", ""),
    )


class FindingFilter:
    """Which findings; empty fields do not restrict, but what was withdrawn or excepted is shown only by its status.

    `start` and `end` (exclusive) are about the judged window; `among` and `without` are detectors. `excepted` shows
    what is excepted among the others: what a detector said does not depend on who is to see it.
    """

    def __init__(
        self,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        status: str = "",
        severity: str = "",
        detector: str = "",
        source: str = "",
        among: Collection[str] = (),
        without: Collection[str] = (),
        excepted: bool = False,
    ) -> None:
        self.conditions = []
        if start is not None:
            self.conditions.append(FindingRow.end > start)
        if end is not None:
            self.conditions.append(FindingRow.start < end)
        for column, value in (
            (FindingRow.status, status),
            (FindingRow.severity, severity),
            (FindingRow.detector, detector),
            (FindingRow.source, source),
        ):
            if value:
                self.conditions.append(column == value)
        if among:
            self.conditions.append(FindingRow.detector.in_(list(among)))
        if without:
            self.conditions.append(FindingRow.detector.not_in(list(without)))
        if not status:
            hidden = [FindingStatus.WITHDRAWN] if excepted else [FindingStatus.EXCEPTED, FindingStatus.WITHDRAWN]
            self.conditions.append(FindingRow.status.not_in(hidden))


class FindingRepository:
    """SQL of findings, within the caller's unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def replace_window(
        self, detector: str, start: datetime, end: datetime, found: Sequence[Finding]
    ) -> tuple[int, int, int]:
        """Keep what a run of one window found.

        Returns:
            How many findings are new, how many were there, how many are withdrawn.
        """
        window = select(FindingRow).where(
            FindingRow.detector == detector, FindingRow.start == start, FindingRow.end == end
        )
        stored = {row.id: row for row in self._session.scalars(window)}
        new = 0
        for finding in found:
            row = stored.pop(finding.id, None)
            if row is None:
                row = FindingRow(id=finding.id, found_at=finding.found_at)
                self._session.add(row)
                new += 1
            row.detector, row.detector_version = finding.detector, finding.detector_version
            row.parameters, row.severity, row.score = finding.parameters, finding.severity, finding.score
            row.status, row.source, row.body = finding.status, finding.source, _body(finding)
            row.start, row.end = finding.start, finding.end
        withdrawn = 0
        for row in stored.values():
            if row.status in {FindingStatus.EXCEPTED, FindingStatus.OPEN}:
                row.status = FindingStatus.WITHDRAWN
                withdrawn += 1
        return new, len(found) - new, withdrawn

    def standing_since(self, start: datetime) -> list[Finding]:
        """Findings that are open or excepted, of windows that begin at a moment or later."""
        rows = self._session.scalars(
            select(FindingRow).where(
                FindingRow.start >= start, FindingRow.status.in_([FindingStatus.EXCEPTED, FindingStatus.OPEN])
            )
        )
        return [_finding(row) for row in rows]

    def add_if_new(self, finding: Finding) -> bool:
        """Keep a finding that belongs to no detector's window; whether it is new."""
        if self._session.get(FindingRow, finding.id) is not None:
            return False
        self._session.add(
            FindingRow(
                id=finding.id,
                detector=finding.detector,
                detector_version=finding.detector_version,
                parameters=finding.parameters,
                severity=finding.severity,
                score=finding.score,
                status=finding.status,
                source=finding.source,
                start=finding.start,
                end=finding.end,
                found_at=finding.found_at,
                body=_body(finding),
            )
        )
        return True

    def put(self, finding: Finding) -> bool:
        """Keep a finding as it now is, whatever it was before; whether it was new, or not standing as this one does."""
        row = self._session.get(FindingRow, finding.id)
        if row is None:
            return self.add_if_new(finding)
        changed = row.status != finding.status
        row.status, row.body, row.end = finding.status, _body(finding), finding.end
        row.severity, row.score, row.detector_version = finding.severity, finding.score, finding.detector_version
        return changed

    def listing(
        self, wanted: FindingFilter, *, limit: int | None = None, offset: int = 0, after: Finding | None = None
    ) -> list[Finding]:
        """Findings, the latest window first, the oddest first within it; `after` goes on behind one of them."""
        query = (
            select(FindingRow)
            .where(*wanted.conditions)
            .order_by(FindingRow.start.desc(), FindingRow.score.desc(), FindingRow.id)
            .limit(limit)
            .offset(offset)
        )
        if after is not None:
            same_window = FindingRow.start == after.start
            query = query.where(
                or_(
                    FindingRow.start < after.start,
                    and_(same_window, FindingRow.score < after.score),
                    and_(same_window, FindingRow.score == after.score, FindingRow.id > after.id),
                )
            )
        return [_finding(row) for row in self._session.scalars(query)]

    def get(self, number: str) -> Finding | None:
        """One finding."""
        row = self._session.get(FindingRow, number)
        return None if row is None else _finding(row)

    def count_by_detector(self, wanted: FindingFilter) -> list[tuple[str, datetime, int]]:
        """How many findings by detector and beginning of the window."""
        query = (
            select(FindingRow.detector, FindingRow.start, func.count())
            .where(*wanted.conditions)
            .group_by(FindingRow.detector, FindingRow.start)
            .order_by(FindingRow.detector, FindingRow.start)
        )
        return [(row[0], row[1], row[2]) for row in self._session.execute(query)]

    def count_by(self, wanted: FindingFilter) -> Iterable[tuple[datetime, str, int]]:
        """How many findings by beginning of the window and severity."""
        query = (
            select(FindingRow.start, FindingRow.severity, func.count())
            .where(*wanted.conditions)
            .group_by(FindingRow.start, FindingRow.severity)
            .order_by(FindingRow.start)
        )
        return [(row[0], row[1], row[2]) for row in self._session.execute(query)]
