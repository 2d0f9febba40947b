"""Tuning: nothing loosens what the detectors show without a preview over the past and a second person.

Rules:
- A preview is made first; its terms and its digest are the proposal's. Whoever confirms shows the same digest.
- Proposer and confirmer are two human beings, both in office; neither is covered by what they make, and no finding
  about either of them, or about the owner, ever falls under it.
- An exception holds from the day of its confirmation to its last day. Ended, it holds to the day before: what it hid
  until then stays hidden, by its name.
- Values of a detector are changed from those that the preview was made against, or not at all. They hold from the day
  of their confirmation: what was found before stays found.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from audit.access.decisions import Actor
from audit.access.decisions.journal import new_id
from audit.access.model import within
from audit.access.outbox import GroupRecorder, Outbox
from audit.clock import Clock, day_start, tokyo_date
from audit.events import mask
from audit.findings import ExceptedBy, Finding, FindingService
from audit.store.state import Session, StateStore
from audit.tuning.errors import TuningRefusedError, TuningUnknownError
from audit.tuning.journal import TuningJournal
from audit.tuning.model import (
    Catalogue,
    Change,
    ChangeState,
    ExceptionTerms,
    Kind,
    ParameterTerms,
    Preview,
    PreviewState,
    Surroundings,
    Terms,
)
from audit.tuning.previews import digest_of
from audit.tuning.repository import ChangeRow, PreviewRow, TuningRepository
from audit.tuning.rules import TuningRules
from audit.tuning.scopes import covers

__all__ = ["TuningService"]

_Found = TypeVar("_Found")
_PREVIEW_LIFE = timedelta(days=1)
"""The past that a preview looked at is yesterday's by then."""
_PROPOSAL_LIFE = timedelta(days=7)
_STALLED = timedelta(minutes=10)
"""A preview that runs and was not brought forward for so long runs no more."""


class TuningService:
    """The exceptions and parameters of one installation.

    Args:
        store: the state database.
        clock: the time.
        recorder: the audit log.
        findings: whose status exceptions decide.
        catalogue: the detectors.
        surroundings: people and events.
        longest: of an exception, in days.
    """

    def __init__(
        self,
        store: StateStore,
        clock: Clock,
        recorder: GroupRecorder,
        findings: FindingService,
        catalogue: Catalogue,
        surroundings: Surroundings,
        *,
        longest: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._journal = TuningJournal(recorder, clock)
        self._outbox = Outbox(store, recorder)
        self._findings = findings
        self._catalogue = catalogue
        self._surroundings = surroundings
        self._rules = TuningRules(catalogue, surroundings, timedelta(days=longest))
        findings.except_by(self.excepted_by)

    @property
    def longest(self) -> timedelta:
        """How long an exception may last."""
        return self._rules.longest

    # What others ask

    def overrides(self) -> Mapping[str, Mapping[str, Any]]:
        """The parameters that differ from the detectors' own, by detector."""
        with self._store.unit() as unit:
            changes = TuningRepository(unit).parameters()
        return {one.terms.detector: one.terms.values for one in changes if isinstance(one.terms, ParameterTerms)}

    def overrides_before(self) -> Mapping[str, Sequence[tuple[date, Mapping[str, Any]]]]:
        """What they were before each change, in order, by detector, with the day on which the change was confirmed.

        That day's window is judged with the new values, those before it with the old ones.
        """
        with self._store.unit() as unit:
            changes = TuningRepository(unit).confirmed_parameters()
        found: dict[str, list[tuple[date, Mapping[str, Any]]]] = defaultdict(list)
        for one in changes:
            if isinstance(one.terms, ParameterTerms) and one.confirmed_at is not None:
                found[one.terms.detector].append((tokyo_date(one.confirmed_at), one.terms.before))
        return found

    def excepted_by(self, unit: Session) -> ExceptedBy:
        """Which exception a finding falls under, as this unit of work sees them."""
        made = [(change, span) for change in TuningRepository(unit).exceptions() if (span := change.span())]

        def judge(finding: Finding) -> str:
            day = tokyo_date(finding.start)
            for change, (first, last) in made:
                if first <= day <= last and self.covers(change.terms, finding, change.parties):
                    return change.id
            return ""

        return judge

    def covers(self, terms: Terms, finding: Finding, parties: tuple[str, ...]) -> bool:
        """Whether an exception that some people answer for covers a finding, whatever its day."""
        return isinstance(terms, ExceptionTerms) and covers(
            terms, finding, parties, self._catalogue, self._surroundings
        )

    def changes(self) -> list[Change]:
        """Every change, the newest first."""
        with self._store.unit() as unit:
            return TuningRepository(unit).changes()

    def change(self, number: str) -> Change:
        """One change.

        Raises:
            TuningUnknownError: there is none of this id.
        """
        with self._store.unit() as unit:
            return _known(TuningRepository(unit).change(number))

    def _checked(self, terms: Terms, by: Actor, now: datetime) -> Terms:
        """Terms as they would be proposed.

        Raises:
            TuningRefusedError: they cannot be, or, recorded, not by this person.
        """
        if isinstance(terms, ParameterTerms):
            return self._rules.checked_parameters(terms, self.overrides().get(terms.detector, {}))
        self._rules.check_exception(terms, now)
        if self._rules.is_for(terms, by.staff_id, now):
            self._journal.refused("proposal", "oneself", by)
            raise TuningRefusedError("oneself")
        return terms

    # Previews

    def begin_preview(self, terms: Terms, *, first: date, by: Actor) -> Preview:
        """Enter that a preview of some terms is being made.

        Args:
            terms: what would be proposed; `before` of parameters is filled in here.
            first: the first business day of the past to look at.
            by: who would propose.

        Raises:
            TuningRefusedError: it could not be proposed like this, or not by this person; the latter is recorded.
        """
        now = self._clock.now()
        checked = self._checked(terms, by, now)
        row = PreviewRow(
            id=new_id(),
            kind=Kind.EXCEPTION if isinstance(checked, ExceptionTerms) else Kind.PARAMETERS,
            terms=json.dumps(checked.to_doc(), ensure_ascii=False),
            first=first,
            last=tokyo_date(now),
            state=PreviewState.QUEUED,
            made_by=by.staff_id,
            made_at=now,
            touched_at=now,
        )
        with self._store.unit() as unit:
            repository = TuningRepository(unit)
            _stop_previews(repository, now)
            repository.add(row)
        return row.preview()

    def advance(self, preview: str, done: int, total: int) -> bool:
        """Say how far a preview is, which no more waits for its turn; False when it is wanted no more."""
        return self._touch(preview, done=done, total=total)

    def finish(self, preview: str, document: Mapping[str, Any]) -> Preview:
        """Keep the result of a preview.

        Raises:
            TuningRefusedError: it was given up meanwhile.
        """
        kept = json.dumps(document, ensure_ascii=False)
        if not self._touch(preview, state=PreviewState.DONE, document=kept, digest=digest_of(document)):
            raise TuningRefusedError("given_up")
        return self.preview(preview)

    def fail(self, preview: str) -> None:
        """Give a preview up."""
        self._touch(preview, state=PreviewState.FAILED)

    def _touch(self, preview: str, **values: object) -> bool:
        with self._store.unit() as unit:
            return TuningRepository(unit).touch(preview, self._clock.now(), **values)

    def preview(self, number: str) -> Preview:
        """One preview, waiting, running or done.

        Raises:
            TuningUnknownError: there is none of this id.
        """
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = TuningRepository(unit)
            _stop_previews(repository, now)
            return _known(repository.preview(number))

    # Changes

    def propose(self, preview: str, *, reason: str, ticket: str, by: Actor) -> Change:
        """Propose what was previewed.

        Raises:
            TuningRefusedError: there is no finished preview of this person's, or it cannot be proposed any more.
            StoreError: it cannot be recorded.
        """
        now = self._clock.now()
        why, number = mask(reason.strip())[0], mask(ticket.strip())[0]
        if not 1 <= len(why) <= 500:
            raise TuningRefusedError("reason")
        if not 1 <= len(number) <= 100:
            raise TuningRefusedError("ticket")
        with self._store.unit() as unit:
            seen = TuningRepository(unit).preview(preview)
        if seen is None or seen.state is not PreviewState.DONE or seen.made_by != by.staff_id:
            raise TuningRefusedError("preview")
        if not within(seen.made_at, now, _PREVIEW_LIFE):
            raise TuningRefusedError("over")
        if isinstance(seen.terms, ParameterTerms) and not seen.document["judged"] and self._surroundings.holds_events():
            raise TuningRefusedError("nothing_judged")
        if self._checked(seen.terms, by, now) != seen.terms:
            raise TuningRefusedError("changed")
        row = ChangeRow(
            id=new_id(),
            kind=Kind.EXCEPTION if isinstance(seen.terms, ExceptionTerms) else Kind.PARAMETERS,
            detector=seen.terms.detector,
            terms=json.dumps(seen.terms.to_doc(), ensure_ascii=False),
            reason=why,
            ticket=number,
            preview=seen.id,
            digest=seen.digest,
            proposed_by=by.staff_id,
            proposed_at=now,
            expires_at=now + _PROPOSAL_LIFE,
        )
        with self._store.unit() as unit:
            TuningRepository(unit).add(row)
            change = row.change()
            self._journal.proposed(change, by)
        return change

    def confirm(self, number: str, *, digest: str, by: Actor) -> Change:
        """Confirm somebody else's proposal: it is in force when this returns.

        Args:
            number: of the proposal.
            digest: of the preview that this person has looked at.
            by: the second person.

        Raises:
            TuningUnknownError: there is none of this id.
            TuningRefusedError: it waits no more, or, recorded, this person may not, or the proposer has left office.
            StoreError: it cannot be recorded, and is not in force.
        """
        now, change = self._clock.now(), self.change(number)
        if change.state(now) is not ChangeState.PROPOSED:
            raise TuningRefusedError("over" if change.state(now) is ChangeState.OVER else "closed")
        if reason := self._hindrance(change, by, now):
            self._journal.refused("confirmation", reason, by, number)
            raise TuningRefusedError(reason)
        if digest != change.digest:
            raise TuningRefusedError("digest")
        with self._store.unit() as unit:
            repository = TuningRepository(unit)
            if not repository.confirm(number, by.staff_id, now):
                raise TuningRefusedError("closed")
            made = replace(change, confirmed_by=by.staff_id, confirmed_at=now)
            affected = self._put_in_force(repository, unit, made, now)
            self._journal.confirmed(made, by, affected)
        return made

    def _put_in_force(self, repository: TuningRepository, unit: Session, made: Change, now: datetime) -> int:
        if isinstance(made.terms, ExceptionTerms):
            return self._findings.reconsider(unit, day_start(tokyo_date(now)))
        former = repository.parameters(made.terms.detector)
        in_force = former[0].terms.values if former and isinstance(former[0].terms, ParameterTerms) else {}
        replaced = in_force == made.terms.before and all(repository.replace(one.id, now) for one in former)
        if not replaced or not repository.put_in_force(made.id, made.terms.detector):
            raise TuningRefusedError("changed")
        return 0

    def _hindrance(self, change: Change, by: Actor, now: datetime) -> str:
        """Why somebody cannot confirm a proposal; empty when they can."""
        if self._surroundings.same_natural_person(by.staff_id, change.proposed_by):
            return "same_person"
        if isinstance(change.terms, ExceptionTerms) and self._rules.is_for(change.terms, by.staff_id, now):
            return "oneself"
        return "" if self._surroundings.may_tune(change.proposed_by) else "asker_left"

    def end(self, number: str, *, by: Actor) -> Change:
        """End an exception at once, or drop a proposal.

        Raises:
            TuningUnknownError: there is none of this id.
            TuningRefusedError: it is over already, or values in force, which only a new change replaces.
        """
        now, change = self._clock.now(), self.change(number)
        standing = change.state(now)
        if standing not in {ChangeState.PROPOSED, ChangeState.IN_FORCE}:
            raise TuningRefusedError("closed")
        if change.kind is Kind.PARAMETERS and standing is ChangeState.IN_FORCE:
            raise TuningRefusedError("in_force")
        with self._outbox.unit() as (unit, told):
            repository = TuningRepository(unit)
            settle = repository.drop if standing is ChangeState.PROPOSED else repository.end
            if not settle(number, by.staff_id, now):  # what was seen must still stand: somebody may confirm meanwhile
                raise TuningRefusedError("closed")
            ended = replace(change, ended_by=by.staff_id, ended_at=now)
            open_again = self._findings.reconsider(unit, day_start(tokyo_date(now))) if change.confirmed_at else 0
            told.append(self._journal.ended(ended, by, open_again))
        return ended


def _stop_previews(repository: TuningRepository, now: datetime) -> None:
    """Give up what runs no more, and what has waited so long that its process must be gone."""
    repository.stop_previews(PreviewState.RUNNING, now - _STALLED, now)
    repository.stop_previews(PreviewState.QUEUED, now - _PREVIEW_LIFE, now)


def _known(found: _Found | None) -> _Found:
    if found is None:
        raise TuningUnknownError("unknown")
    return found
