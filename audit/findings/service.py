"""Keeping findings: a run of a window replaces what the same window said before, in one unit of work."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from audit.clock import Clock
from audit.findings.model import MAX_EVIDENCE, Draft, Finding, FindingStatus, finding_id
from audit.findings.repository import FindingFilter, FindingRepository
from audit.findings.run_repository import RunRepository
from audit.findings.runs import DetectorRun, Evaluation, LastRun, Recorded
from audit.store.state import Session, StateStore
from audit.texts import Texts

__all__ = ["ExceptedBy", "FindingService"]

ExceptedBy = Callable[[Finding], str]
"""The exception that a finding falls under, by its id; empty for none."""


def _nothing_excepted(_unit: Session) -> ExceptedBy:
    return lambda _finding: ""


def _unguarded(_unit: Session) -> None:
    """Nobody else could keep the same."""


class FindingService:
    """The findings of one installation."""

    def __init__(self, state: StateStore, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._exceptions: Callable[[Session], ExceptedBy] = _nothing_excepted

    def except_by(self, exceptions: Callable[[Session], ExceptedBy]) -> None:
        """Ask for the exceptions in force whenever a window's findings are kept, in the same unit of work."""
        self._exceptions = exceptions

    def reconsider(self, unit: Session, since: datetime) -> int:
        """Judge again which findings are excepted, because exceptions have changed in this unit of work.

        Args:
            unit: in which they have.
            since: the earliest window that this may concern.

        Returns:
            How many findings are now excepted or open again.
        """
        repository, exceptions = FindingRepository(unit), self._exceptions(unit)
        return sum(repository.put(_standing(one, exceptions)) for one in repository.standing_since(since))

    def _finding(self, run: DetectorRun, draft: Draft) -> Finding:
        return Finding(
            id=finding_id(run.detector, run.version, draft.entity, run.start, run.end),
            detector=run.detector,
            detector_version=run.version,
            parameters=run.parameters,
            severity=draft.severity,
            score=draft.score,
            status=FindingStatus.OPEN,
            actors=draft.actors,
            subjects=draft.subjects,
            source=draft.source,
            start=run.start,
            end=run.end,
            title=draft.title,
            reasons=draft.reasons,
            evidence=draft.evidence,
            evidence_total=draft.evidence_total,
            first_index=draft.first_index,
            last_index=draft.last_index,
            found_at=self._clock.now(),
            baseline=draft.baseline,
        )

    def record(self, run: DetectorRun, drafts: Sequence[Draft]) -> Recorded:
        """Keep what one evaluation found, together with the record that it took place."""
        return self.record_all([(run, drafts)])[0]

    def record_all(
        self,
        judged: Sequence[tuple[DetectorRun, Sequence[Draft]]],
        failed: Sequence[tuple[DetectorRun, str]] = (),
        guard: Callable[[Session], None] = _unguarded,
    ) -> list[Recorded]:
        """Keep what several evaluations found, all or none of them.

        Args:
            judged: each with what it found.
            failed: those that came to nothing, each with the kind of error; what was found before stays.
            guard: what the unit of work begins with; what it raises undoes all.
        """
        with self._state.unit() as session:
            guard(session)
            for run, error in failed:
                RunRepository(session).record_failure(run, error, self._clock.now())
            exceptions = self._exceptions(session)
            return [self._record(session, run, drafts, exceptions) for run, drafts in judged]

    def _record(self, session: Session, run: DetectorRun, drafts: Sequence[Draft], exceptions: ExceptedBy) -> Recorded:
        found = sorted((self._finding(run, draft) for draft in drafts), key=lambda finding: finding.id)
        result = hashlib.sha256(
            json.dumps([finding.to_contract() for finding in found], ensure_ascii=False, sort_keys=True).encode()
        ).hexdigest()
        # The result is what the detector said; which of it is excepted, people have said.
        standing = [_standing(finding, exceptions) for finding in found]
        changed = FindingRepository(session).replace_window(run.detector, run.start, run.end, standing)
        RunRepository(session).record(run, len(found), result, self._clock.now())
        return Recorded(*changed, result)

    def add(self, run: DetectorRun, draft: Draft) -> bool:
        """Keep one finding that is opened by something other than a window's evaluation; whether it is new."""
        with self._state.unit() as session:
            return FindingRepository(session).add_if_new(self._finding(run, draft))

    @staticmethod
    def named(detector: str, version: str, entity: str, start: datetime) -> str:
        """The id of a finding that `open` keeps."""
        return finding_id(detector, version, entity, start, start)

    def open(self, run: DetectorRun, draft: Draft) -> tuple[str, bool]:
        """Keep a finding whose end is not known yet, and which is therefore named by its beginning alone.

        Called again it brings the finding up to date: its end so far, its reasons, its evidence. One that was settled
        stands again.

        Returns:
            Its id, and whether it was not open before.
        """
        named = self.named(run.detector, run.version, draft.entity, run.start)
        finding = replace(self._finding(run, draft), id=named)
        with self._state.unit() as session:
            return named, FindingRepository(session).put(finding)

    def settle(
        self,
        number: str,
        status: FindingStatus,
        reason: Texts,
        *,
        end: datetime | None = None,
        by: str = "",
        evidence: Sequence[str] = (),
    ) -> bool:
        """End a finding that `open` keeps: filled or withdrawn, with the sentence that says why. Nothing is deleted.

        Args:
            number: its id.
            status: what becomes of it.
            reason: appended to its reasons.
            end: when what it tells of ended; unchanged when not given.
            by: what settled it.
            evidence: more events, appended to its evidence.

        Returns:
            Whether this changed anything: a finding that does not exist is left alone, and the same said twice is
            said once.
        """
        with self._state.unit() as session:
            repository = FindingRepository(session)
            found = repository.get(number)
            if found is None or (found.status is status and reason in found.reasons):
                return False
            more = tuple(event for event in evidence if event not in found.evidence)
            repository.put(
                replace(
                    found,
                    status=status,
                    end=end or found.end,
                    reasons=(*found.reasons, reason),
                    evidence=(*found.evidence, *more)[:MAX_EVIDENCE],
                    evidence_total=found.evidence_total + len(more),
                    settled_at=self._clock.now(),
                    settled_by=by,
                )
            )
            return True

    def last_runs(self, detector: str) -> dict[datetime, LastRun]:
        """The last evaluation of every window of a detector, by the window's beginning."""
        with self._state.unit() as session:
            return {
                start: LastRun(
                    row.version,
                    row.parameters,
                    row.context_revision,
                    row.events,
                    row.high_water,
                    row.result,
                    row.others,
                )
                for start, row in RunRepository(session).runs(detector).items()
            }

    def last_look(self, detector: str) -> datetime | None:
        """When the due windows of a detector were last looked through."""
        with self._state.unit() as session:
            return RunRepository(session).last_look(detector)

    def last_looks(self) -> dict[str, datetime]:
        """The same of every detector that ever ran."""
        with self._state.unit() as session:
            return RunRepository(session).last_looks()

    def history(
        self,
        *,
        detector: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Evaluation]:
        """Every evaluation there was, the latest first.

        Args:
            detector: of which detector; of all when empty.
            start: of windows that end after it.
            end: of windows that begin before it.
            before: go on behind the evaluation of this number.
            limit: at most so many.
        """
        with self._state.unit() as session:
            return RunRepository(session).history(detector=detector, start=start, end=end, before=before, limit=limit)

    def looked(self, detectors: Sequence[str], guard: Callable[[Session], None] = _unguarded) -> None:
        """Enter that the due windows of some detectors have been looked through, whether any were due or not."""
        with self._state.unit() as session:
            guard(session)
            RunRepository(session).looked(detectors, self._clock.now())

    def listing(
        self, wanted: FindingFilter, *, limit: int | None = None, offset: int = 0, after: str = ""
    ) -> list[Finding]:
        """Findings, the latest window first, the oddest first within it.

        Args:
            wanted: which.
            limit: at most so many.
            offset: leave out so many first.
            after: go on behind the finding of this id.

        Raises:
            LookupError: there is no finding of that id.
        """
        with self._state.unit() as session:
            repository = FindingRepository(session)
            last = repository.get(after) if after else None
            if after and last is None:
                raise LookupError(after)
            return repository.listing(wanted, limit=limit, offset=offset, after=last)

    def get(self, number: str) -> Finding | None:
        """One finding, or nothing."""
        with self._state.unit() as session:
            return FindingRepository(session).get(number)

    def count_by_detector(self, wanted: FindingFilter) -> list[tuple[str, datetime, int]]:
        """How many findings by detector and beginning of the window."""
        with self._state.unit() as session:
            return FindingRepository(session).count_by_detector(wanted)

    def count_by_day(self, wanted: FindingFilter) -> list[tuple[datetime, str, int]]:
        """How many findings by beginning of the window and severity."""
        with self._state.unit() as session:
            return list(FindingRepository(session).count_by(wanted))


def _standing(finding: Finding, exceptions: ExceptedBy) -> Finding:
    """A finding that stands, as open or excepted."""
    by = exceptions(finding)
    return replace(finding, status=FindingStatus.EXCEPTED if by else FindingStatus.OPEN, excepted_by=by)
