"""Tuning in an installation: what it asks of detectors, people and the log, and how previews are made.

A preview may take minutes: it is made by one thread of this process, one after the other, and says in the state
database how far it is, so that any page of any process can show it.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from queue import Queue
from typing import Any

from structlog import get_logger

from audit.access import AccessService, Permission
from audit.access.decisions import Actor
from audit.access.model import permissions_of
from audit.access.people import PeopleService
from audit.clock import Clock, day_start, tokyo_date
from audit.context import ContextService, units_above
from audit.findings import Draft, Finding, FindingFilter, FindingService
from audit.findings.model import finding_id
from audit.log import OWN_SOURCE, EventLog, Filter
from audit.tuning import (
    ExceptionTerms,
    ParameterTerms,
    Preview,
    Seen,
    Terms,
    TuningRefusedError,
    TuningService,
    preview_document,
)
from detectors.model import Detector, ParameterError, Window, parameters_of
from detectors.runner import Runner

__all__ = ["EXCEPTION_DAYS", "REHEARSAL_DAYS", "DetectorBook", "PreviewMaker", "TownAndLog"]

_log = get_logger("mimamori.tuning")
EXCEPTION_DAYS = 365
"""So much of the past is looked at before an exception."""
REHEARSAL_DAYS = 90
"""The same before a change of parameters, unless more is asked for."""
_GUARDED = frozenset(
    {"audit-scope-reduced", "backdated-acts", "log-cleared", "missing-numbers", "shifted-clock", "silent-source"}
)
"""Detectors of traces wiped out, held back or dated otherwise: an exception for all detectors leaves them alone."""
_AT_ONCE = 200
_BEYOND = 1e12
"""No threshold reaches it; NaN is not below it either."""
_STEP = 50
"""Findings between two words about progress."""

Progress = Callable[[int, int], None]


class DetectorBook:
    """The detectors as tuning needs them.

    Args:
        detectors: those that judge windows, by id; asked each time.
    """

    def __init__(self, detectors: Callable[[], Mapping[str, Detector]]) -> None:
        self._detectors = detectors

    def names(self) -> Collection[str]:
        """Their ids."""
        return self._detectors().keys()

    @property
    def guarded(self) -> Collection[str]:
        """Those that only an exception of their own name covers."""
        return _GUARDED

    def checked(self, detector: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values that differ from the detector's defaults.

        Raises:
            ParameterError: it does not take them.
        """
        known = self._detectors()[detector]
        defaults = asdict(known.parameters)
        taken = {name: _like(value, defaults.get(name)) for name, value in values.items()}
        given = asdict(parameters_of(known, taken))
        return {name: given[name] for name in sorted(given) if given[name] != defaults[name]}


def _like(value: Any, default: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """A value as its parameter's default is: whole numbers stand for fractions, nothing else for anything else.

    Raises:
        ParameterError: it is no number where a number belongs, or one that no threshold can be.
    """
    if isinstance(default, bool) or isinstance(value, bool):
        if type(value) is not type(default):
            raise ParameterError("a truth value is no number")
        return value
    if isinstance(default, float) and isinstance(value, int):
        value = float(value)
    if isinstance(value, int | float) and not 0 <= value < _BEYOND:
        raise ParameterError("no number that a threshold can be")
    return value


class TownAndLog:
    """What tuning asks about people and events.

    Args:
        people: the staff directory.
        context: who belongs to which unit.
        access: who tunes detectors.
        log: when events took place.
    """

    def __init__(self, people: PeopleService, context: ContextService, access: AccessService, log: EventLog) -> None:
        self._people = people
        self._context = context
        self._access = access
        self._log = log

    def same_natural_person(self, one: str, other: str) -> bool:
        """Whether two staff ids are one person's."""
        return self._people.same_natural_person(one, other)

    def holds_post(self, staff_id: str, at: datetime) -> bool:
        """Whether somebody holds a post; whoever the directory does not know holds none."""
        return self._context.post_at(staff_id, at) is not None

    def may_tune(self, staff_id: str) -> bool:
        """Whether somebody tunes detectors, now."""
        return Permission.DETECTORS_DETECTOR_TUNE in permissions_of(self._access.roles_in_office(staff_id))

    def units_of(self, staff_id: str, at: datetime) -> Collection[str]:
        """The unit of a person at a moment, and those above it."""
        post = self._context.post_at(staff_id, at)
        return [unit for unit in units_above(post.org_unit) if unit] if post is not None else []

    def holds_events(self) -> bool:
        """Whether the log holds events of the town's systems."""
        return self._log.count(Filter(without_source=OWN_SOURCE)) > 0

    def times_of(self, refs: Sequence[str]) -> Sequence[datetime]:
        """When the events of some references took place."""
        by_source: dict[str, list[str]] = {}
        for ref in refs:
            source, _, event_id = ref.partition(":")
            by_source.setdefault(source, []).append(event_id)
        return [
            event.time
            for source, ids in by_source.items()
            for event in self._log.search(
                Filter(sources=(source,), event_ids=tuple(ids)), limit=_AT_ONCE, newest_first=False
            ).events
        ]


class PreviewMaker:
    """Makes previews.

    Args:
        tuning: keeps them.
        findings: those of the past.
        runner: judges the past anew.
        detectors: by id; asked each time.
        clock: the time.
    """

    def __init__(
        self,
        tuning: TuningService,
        findings: FindingService,
        runner: Runner,
        detectors: Callable[[], Mapping[str, Detector]],
        clock: Clock,
    ) -> None:
        self._tuning = tuning
        self._findings = findings
        self._runner = runner
        self._detectors = detectors
        self._clock = clock
        self._waiting: Queue[Preview | None] = Queue()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._turn = threading.Lock()

    def detectors(self) -> Mapping[str, Detector]:
        """Those that can be tuned, by id."""
        return self._detectors()

    def begin(self, terms: Terms, *, by: Actor, days: int = 0) -> Preview:
        """Begin a preview of some terms; what `TuningService.begin_preview` takes and refuses.

        Args:
            terms: what would be proposed.
            by: by whom.
            days: of the past; as many as are usual when not given.
        """
        usual = EXCEPTION_DAYS if isinstance(terms, ExceptionTerms) else REHEARSAL_DAYS
        first = tokyo_date(self._clock.now()) - timedelta(days=(days or usual) - 1)
        return self._tuning.begin_preview(terms, first=first, by=by)

    def start(self, preview: Preview) -> None:
        """Make a preview in its turn, while the caller goes on."""
        with self._turn:
            self._waiting.put(preview)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="previews", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop: what is not done is given up."""
        self._closing = True
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (preview := self._waiting.get()) is not None:
            try:
                if self._closing:
                    self._tuning.fail(preview.id)
                else:
                    self.make(preview)
            except Exception as error:  # noqa: BLE001 - the next one must be made; this one is marked as failed
                _log.error("a preview failed", error=type(error).__name__)
            finally:
                self._waiting.task_done()

    def make(self, preview: Preview, progress: Progress = lambda _done, _total: None) -> Preview:
        """Make a preview now.

        Raises:
            TuningRefusedError: it was given up meanwhile.
            StoreError: the past cannot be read, or the result not be kept.
        """

        def say(done: int, total: int) -> None:
            progress(done, total)
            if self._closing or not self._tuning.advance(preview.id, done, total):
                raise TuningRefusedError("given_up")

        try:
            say(0, 0)  # it waits no more
            if isinstance(preview.terms, ExceptionTerms):
                document = self._of_exception(preview.terms, preview, say)
            else:
                document = self._of_parameters(preview.terms, preview, say)
        except BaseException:
            self._tuning.fail(preview.id)
            raise
        return self._tuning.finish(preview.id, document)

    def _of_exception(self, terms: ExceptionTerms, preview: Preview, say: Progress) -> dict[str, Any]:
        """What an exception would have hidden, had it always been there."""
        wanted = FindingFilter(start=day_start(preview.first), status="open")
        past = [one for one in self._findings.listing(wanted) if tokyo_date(one.start) >= preview.first]
        parties = tuple({preview.made_by, terms.owner})
        hidden = []
        for done, finding in enumerate(past):
            if done % _STEP == 0:
                say(done, len(past))
            if self._tuning.covers(terms, finding, parties):
                hidden.append(_kept(finding))
        say(len(past), len(past))
        return preview_document(terms, preview.first, preview.last, hidden, len(past))

    def _of_parameters(self, terms: ParameterTerms, preview: Preview, say: Progress) -> dict[str, Any]:
        """What other values would have found, and what not."""
        detector = self._detectors()[terms.detector]
        days = (preview.last - preview.first).days + 1
        with_old = self._rehearsed(detector, preview, terms.before)
        with_new = self._rehearsed(detector, preview, terms.values)
        seen: list[Seen] = []
        judged = 0
        for (window, old), (_, new) in zip(with_old, with_new, strict=True):
            judged += 1
            say(min(days, (window.day - preview.first).days + 1), days)
            seen += self._differences(detector, window, old, new)
        say(days, days)
        return preview_document(terms, preview.first, preview.last, seen, judged)

    def _rehearsed(
        self, detector: Detector, preview: Preview, values: Mapping[str, Any]
    ) -> Iterator[tuple[Window, list[Draft]]]:
        return self._runner.rehearse(
            detector, day_start(preview.first), day_start(preview.last + timedelta(days=1)), values
        )

    def _differences(
        self, detector: Detector, window: Window, old: Sequence[Draft], new: Sequence[Draft]
    ) -> Iterator[Seen]:
        def named(drafts: Sequence[Draft]) -> dict[str, Draft]:
            meta = detector.meta
            return {finding_id(meta.id, meta.version, one.entity, window.start, window.end): one for one in drafts}

        before, after = named(old), named(new)
        for number in sorted(before.keys() ^ after.keys()):
            draft = before.get(number) or after[number]
            yield Seen(
                effect="disappears" if number in before else "appears",
                finding=number,
                detector=detector.meta.id,
                day=window.day,
                severity=draft.severity,
                score=draft.score,
                actors=draft.actors,
                source=draft.source,
                title=draft.title,
                kept=self._findings.get(number) is not None,
            )


def _kept(finding: Finding) -> Seen:
    return Seen(
        effect="hidden",
        finding=finding.id,
        detector=finding.detector,
        day=tokyo_date(finding.start),
        severity=finding.severity,
        score=finding.score,
        actors=finding.actors,
        source=finding.source,
        title=finding.title,
    )
