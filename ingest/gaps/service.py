"""What does not arrive is noticed: one look at every source, every few minutes, at what is new since the last one."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from audit.clock import Clock, tokyo_date
from audit.context import ContextService, WorkContext
from audit.findings import FindingFilter, FindingService, FindingStatus
from audit.log import EventLog
from audit.log.announcements import AnnouncementBook, RefusedTime
from audit.log.quarantine import DeliveryBook
from ingest.gaps import words
from ingest.gaps.clocks import ClockHour
from ingest.gaps.judge import Judge
from ingest.gaps.memory import Memory
from ingest.gaps.model import BATCH, DETECTORS, SILENCE, VERSION, GapSummary, Health, SourceState
from ingest.gaps.questions import News, Questions, Volume
from ingest.gaps.timetable import Timetable
from ingest.sources.profile import Profile

__all__ = ["GapService"]

_COMMON = ""
"""The name under which is remembered what is common to all sources."""
_CLOCK_DAYS = timedelta(days=35)
"""Older events say nothing of a clock: they were not sent when they happened."""
_BACKDATED, _BACKDATED_LEDGER = timedelta(days=1), timedelta(days=7)
"""From when on a record is backdated; a ledger is kept on paper first."""


class GapService:
    """The watch over what should arrive.

    Args:
        log: what has arrived.
        book: by whom.
        announcements: what was announced, and what is remembered between two looks.
        context: the town's calendar.
        findings: where gaps are told.
        clock: the present moment.
        catalogue: the sources' profiles; one outside it is irregular.
        expected: sources that must be heard even if they never were, from the first look on.
    """

    def __init__(
        self,
        log: EventLog,
        book: DeliveryBook,
        announcements: AnnouncementBook,
        context: ContextService,
        findings: FindingService,
        clock: Clock,
        catalogue: Mapping[str, Profile],
        *,
        expected: Collection[str] = (),
    ) -> None:
        self._ask = Questions(log)
        self._log = log
        self._book = book
        self._announcements = announcements
        self._context = context
        self._findings = findings
        self._clock = clock
        self._catalogue = catalogue
        self._expected = frozenset(expected)
        self._looking = threading.Lock()

    def announce(self, source: str, name: str, rows: int, due: datetime, sha256: str = "") -> None:
        """Enter that a source will deliver a batch.

        Args:
            source: its id.
            name: what the delivery will be called.
            rows: how many records it will have.
            due: by when it will be here whole.
            sha256: of its bytes, in hex; where the book knows those of the delivery, they must be the same.
        """
        self._announcements.announce(source, name, rows, due, sha256, self._clock.now())

    def run(self) -> GapSummary:
        """Look at what is new, and at the time that has passed."""
        with self._looking:
            return self._run()

    def _run(self) -> GapSummary:
        kept = self._announcements.memories()
        common = kept.pop(_COMMON, {"index": 0, "quarantine": 0})
        now, revision = self._clock.now(), self._context.revision()
        index = min(common["index"], self._log.size)  # a log restored from a backup may be shorter than remembered
        news = self._ask.news(index)
        refused = self._announcements.refused_times(common["quarantine"])
        judge = Judge(
            ask=self._ask,
            findings=self._findings,
            book=self._announcements,
            now=now,
            index=index,
            size=max([index, *(one.last_index + 1 for one in news.values())]),
            revision=revision,
            work=self._context.over(now, now),  # the whole calendar, and as little else as can be
        )
        recent = tokyo_date(now - _CLOCK_DAYS)
        hours = self._ask.clock_hours({day for one in news.values() for day in one.days if day >= recent})
        _add_refused(hours, refused)
        changed = {}
        for source in sorted({*kept, *news, *hours, *self._expected}):
            memory = Memory.of(kept[source]) if source in kept else self._begin(source, now)
            _note(memory, news.get(source))
            profile = self._profile(source)
            judge.silence(profile, memory, news.get(source), expected=source in self._expected)
            judge.sequence(profile, memory, news.get(source))
            if source in news or source in {one.source for one in refused}:
                judge.clock(profile, memory, hours.get(source, []))
            if (body := memory.to_json()) != kept.get(source):
                changed[source] = body
        self._judge_backdating(judge)
        self._judge_batches(judge)
        common = {"index": judge.size, "quarantine": max([common["quarantine"], *(one.id for one in refused)])}
        self._announcements.remember({**changed, _COMMON: common})
        self._findings.looked(sorted(DETECTORS))
        judge.summary.events = sum(one.events for one in news.values())
        return judge.summary

    def _begin(self, source: str, now: datetime) -> Memory:
        """What is known of a source that was never looked at."""
        since = self._announcements.first_received(source)
        return Memory(since=since or now)

    def _profile(self, source: str) -> Profile:
        return self._catalogue.get(source) or Profile(id=source, name_ja=source, name_en=source)

    def _judge_backdating(self, judge: Judge) -> None:
        for source, day in self._ask.backdated_days(judge.index, _BACKDATED, ()):
            profile = self._profile(source)
            judge.backdated(profile, day, _BACKDATED_LEDGER if profile.kind == "ledger" else _BACKDATED)

    def _judge_batches(self, judge: Judge) -> None:
        for owed in self._announcements.owed():
            arrival = self._announcements.arrived(owed)
            profile = self._profile(owed.source)
            draft = words.batch(profile, owed, arrival)
            if arrival is not None and arrival.rows >= owed.rows and not arrival.other:
                self._announcements.meet(owed, arrival.number)
                number = self._findings.named(BATCH, VERSION, draft.entity, owed.due)
                judge.fill(number, words.batch_met(owed, arrival), arrival)
            elif judge.now >= owed.due:
                judge.open(BATCH, draft, owed.due, judge.now)

    # For people ------------------------------------------------------------------------------------------------

    def health(self, source: str) -> Health:
        """How one source is doing."""
        return self.healths([source])[source]

    def healths(self, sources: Collection[str] = ()) -> dict[str, Health]:
        """How sources are doing.

        Args:
            sources: which; all of the catalogue and all that ever delivered when empty.
        """
        kept = self._announcements.memories()
        kept.pop(_COMMON, None)
        totals = self._book.totals()
        wanted = sources or sorted({*self._catalogue, *kept, *totals})
        now = self._clock.now()
        work, volumes = self._context.over(now, now), self._ask.volumes(now)
        gaps = self._open_gaps()
        return {
            source: _health(
                self._profile(source),
                Memory.of(kept[source]) if source in kept else None,
                volumes.get(source, Volume()),
                totals[source].last_received if source in totals else None,
                gaps.get(source, {}),
                work,
                now,
            )
            for source in wanted
        }

    def _open_gaps(self) -> dict[str, dict[str, str]]:
        """The open findings about gaps by source: their ids, and which detector's they are."""
        found: dict[str, dict[str, str]] = {}
        for detector in DETECTORS:
            for finding in self._findings.listing(FindingFilter(status=FindingStatus.OPEN, detector=detector)):
                found.setdefault(finding.source, {})[finding.id] = detector
        return found


def _note(memory: Memory, news: News | None) -> None:
    """Note when a source was last heard of."""
    if news is not None:
        memory.last = max(filter(None, (memory.last, news.last)), default=None)
        memory.received = max(filter(None, (memory.received, news.received)), default=None)


def _add_refused(hours: dict[str, list[ClockHour]], refused: Collection[RefusedTime]) -> None:
    """Count refused records to the hours in which they arrived."""
    for one in refused:
        start = one.at.replace(minute=0, second=0, microsecond=0)
        of_source = hours.setdefault(one.source, [])
        known = next((place for place, hour in enumerate(of_source) if hour.start == start), None)
        if known is None:
            of_source.append(ClockHour(start, refused=1))
            of_source.sort(key=lambda hour: hour.start)
        else:
            of_source[known] = replace(of_source[known], refused=of_source[known].refused + 1)


def _health(
    profile: Profile,
    memory: Memory | None,
    volume: Volume,
    delivered: datetime | None,
    gaps: Mapping[str, str],
    work: WorkContext,
    now: datetime,
) -> Health:
    timetable = Timetable(profile.rhythm, work)
    last = max(filter(None, (memory.last if memory else None, volume.last)), default=None)
    due = timetable.due(last) if last else None
    if last is None and delivered is None and not gaps:
        state = SourceState.NEVER
    elif SILENCE in gaps.values():
        state = SourceState.SILENT
    elif gaps:
        state = SourceState.GAP
    elif last and due and memory and due >= memory.since and now > (timetable.half(last) or due):
        state = SourceState.LATE
    else:
        state = SourceState.OK
    return Health(
        source=profile.id,
        state=state,
        last_event=last,
        last_delivery=delivered,
        today=volume.today,
        week=volume.week,
        expected=timetable.words,
        due=due,
        open_gaps=tuple(sorted(gaps)),
    )
