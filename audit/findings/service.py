"""Keeping findings: a run of a window replaces what the same window said before, in one unit of work."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from audit.clock import Clock
from audit.findings.model import MAX_EVIDENCE, Draft, Finding, FindingStatus, finding_id
from audit.findings.repository import FindingFilter, FindingRepository, RunRow
from audit.store.state import StateStore
from audit.texts import Texts

__all__ = ["DetectorRun", "FindingService", "LastRun", "Recorded"]


@dataclass(frozen=True, slots=True)
class DetectorRun:
    """One evaluation of one window.

    Attributes:
        detector: its id.
        version: its version.
        parameters: hash of its parameters.
        start: the window's beginning.
        end: its end, exclusive.
        context_revision: which state of the context feeds it saw.
        events: how many events the window held.
        high_water: the highest log index among them, -1 when there were none.
    """

    detector: str
    version: str
    parameters: str
    start: datetime
    end: datetime
    context_revision: int
    events: int
    high_water: int


@dataclass(frozen=True, slots=True)
class LastRun:
    """What is known of a window's last evaluation."""

    version: str
    parameters: str
    context_revision: int
    events: int
    high_water: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run changed."""

    new: int
    known: int
    withdrawn: int


class FindingService:
    """The findings of one installation."""

    def __init__(self, state: StateStore, clock: Clock) -> None:
        self._state = state
        self._clock = clock

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

    def record_all(self, judged: Sequence[tuple[DetectorRun, Sequence[Draft]]]) -> list[Recorded]:
        """Keep what several evaluations found, all or none of them."""
        with self._state.unit() as session:
            return [self._record(FindingRepository(session), run, drafts) for run, drafts in judged]

    def _record(self, repository: FindingRepository, run: DetectorRun, drafts: Sequence[Draft]) -> Recorded:
        found = sorted((self._finding(run, draft) for draft in drafts), key=lambda finding: finding.id)
        result = hashlib.sha256(
            json.dumps([finding.to_contract() for finding in found], ensure_ascii=False, sort_keys=True).encode()
        ).hexdigest()
        changed = repository.replace_window(run.detector, run.start, run.end, found)
        repository.record_run(
            RunRow(
                detector=run.detector,
                start=run.start,
                end=run.end,
                version=run.version,
                parameters=run.parameters,
                context_revision=run.context_revision,
                events=run.events,
                high_water=run.high_water,
                findings=len(found),
                result=result,
                at=self._clock.now(),
            )
        )
        return Recorded(*changed)

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
                start: LastRun(row.version, row.parameters, row.context_revision, row.events, row.high_water)
                for start, row in FindingRepository(session).runs(detector).items()
            }

    def last_look(self, detector: str) -> datetime | None:
        """When the due windows of a detector were last looked through."""
        with self._state.unit() as session:
            return FindingRepository(session).last_look(detector)

    def looked(self, detectors: Sequence[str]) -> None:
        """Enter that the due windows of some detectors have been looked through, whether any were due or not."""
        with self._state.unit() as session:
            FindingRepository(session).looked(detectors, self._clock.now())

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

    def count_by_day(self, wanted: FindingFilter) -> list[tuple[datetime, str, int]]:
        """How many findings by beginning of the window and severity."""
        with self._state.unit() as session:
            return list(FindingRepository(session).count_by(wanted))
