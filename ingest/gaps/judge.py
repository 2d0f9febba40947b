"""The rules at work on one source: what is new goes in, findings are opened, brought up to date and settled.

Every judgement is idempotent: the same look again, after a crash between findings and memory, says the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from audit.clock import day_start, tokyo_date
from audit.context import WorkContext
from audit.events import AuditEvent
from audit.findings import MAX_EVIDENCE, DetectorRun, Draft, FindingService, FindingStatus
from audit.log.announcements import AnnouncementBook, Delivered
from audit.texts import Texts
from ingest.gaps import words
from ingest.gaps.clocks import ClockHour, Episode, follow
from ingest.gaps.memory import Memory, NumberGap, Told
from ingest.gaps.model import BACKDATING, CLOCK, SEQUENCE, SILENCE, VERSION, GapSummary
from ingest.gaps.questions import News, Questions
from ingest.gaps.sequence import JITTER, Island, Missing, Run, clusters, early, merged, place, run_at, without
from ingest.gaps.silence import HISTORY, Heard, Silence, chance, joined, silences
from ingest.gaps.timetable import Timetable
from ingest.sources.profile import Profile

__all__ = ["HORIZON", "Judge"]

HORIZON = timedelta(days=90)
"""How far back silences are told; older history is searched, not judged."""
_GRACE = timedelta(minutes=15)
"""So much more data, or so long without any, and a missing number is a gap and not a late one."""
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_MOST_FINDINGS = 20
"""New findings about one source's numbers in one look; close ranges share one."""
_MOST_ISLANDS = 1000
_MOST_RUNS = 20
_BY_CHANCE = 0.001
"""A silence that chance makes so long more often than this is none."""


@dataclass(slots=True)
class Judge:
    """One look at the sources.

    Attributes:
        ask: the log.
        findings: where findings go.
        book: deliveries, by their numbers.
        now: the present moment.
        index: the lowest log index that is new.
        size: the log index behind the last one.
        revision: the state of the calendar.
        work: the calendar.
        summary: what this look has done so far.
    """

    ask: Questions
    findings: FindingService
    book: AnnouncementBook
    now: datetime
    index: int
    size: int
    revision: int
    work: WorkContext
    summary: GapSummary = field(default_factory=GapSummary)

    # Keeping findings ------------------------------------------------------------------------------------------

    def open(
        self, detector: str, draft: Draft, start: datetime, end: datetime, events: Iterable[AuditEvent] = ()
    ) -> str:
        """Open a finding or bring it up to date."""
        shown = list(events)
        indexes = [event.log_index for event in shown] or [max(self.size - 1, 0)]
        named = (
            draft
            if draft.evidence
            else replace(
                draft,
                evidence=tuple(dict.fromkeys(event.ref for event in shown))[:MAX_EVIDENCE],
                evidence_total=draft.evidence_total or len({event.ref for event in shown}),
                first_index=min(indexes),
                last_index=max(indexes),
            )
        )
        run = DetectorRun(detector, VERSION, "", start, end, self.revision, len(shown), named.last_index)
        number, opened = self.findings.open(run, named)
        self.summary.opened += opened
        return number

    def fill(
        self,
        number: str,
        reason: Texts,
        arrival: Delivered | None = None,
        end: datetime | None = None,
        events: Iterable[AuditEvent] = (),
    ) -> None:
        """Enter that a gap is none any more."""
        by = f"{arrival.number} {arrival.name}" if arrival else ""
        refs = [event.ref for event in events]
        filled = self.findings.settle(number, FindingStatus.FILLED, reason, end=end, by=by, evidence=refs)
        self.summary.filled += filled

    # Silence ---------------------------------------------------------------------------------------------------

    def silence(self, profile: Profile, memory: Memory, news: News | None, *, expected: bool) -> None:
        """Judge whether a source is heard as often as it should be; an expected one even if it never was."""
        timetable = Timetable(profile.rhythm, self.work)
        horizon = self.now - HORIZON
        calendar = f"{self.revision} {profile.rhythm}"
        if not timetable.owes:
            memory.heard = []
        elif memory.calendar != calendar:  # small holes may have been joined by hours that are no longer so
            memory.heard = joined(self.ask.heard(profile.id, horizon), timetable)
        elif news is not None:
            fresh = self.ask.heard(profile.id, horizon, self.index)
            memory.heard = joined([*memory.heard, *fresh], timetable)
        if memory.calendar != calendar:
            memory.usual = {}
        memory.calendar = calendar
        memory.heard = [span for span in memory.heard[:-1] if span.last >= horizon] + memory.heard[-1:]
        spans = memory.heard or ([Heard(memory.since, memory.since)] if expected else [])
        owed = silences(spans, timetable, self.now, memory.since)
        memory.usual = {one.due: memory.usual[one.due] for one in owed if one.due in memory.usual}
        found = [one for one in owed if self._told_or_odd(profile, memory, one)]
        for one in found:
            self._tell(profile, memory, one, timetable.words)
        self._end_told(profile, memory, {one.due for one in found}, horizon)

    def _told_or_odd(self, profile: Profile, memory: Memory, found: Silence) -> bool:
        """Whether a silence is told of already, or longer than chance makes it by the source's own days."""
        if found.due in memory.told:
            return True
        if found.again is not None and memory.usual.get(found.due) == found.again:
            return False
        by_chance = self._chance(profile, found)
        if by_chance is None or by_chance <= _BY_CHANCE:
            return True
        if found.again is not None:
            memory.usual[found.due] = found.again
        return False

    def _chance(self, profile: Profile, found: Silence) -> float | None:
        """How likely chance alone makes a silence so long; `None` where too few days of the source are known."""
        day = day_start(tokyo_date(found.heard))
        days = self.ask.quarters(profile.id, day - HISTORY, day + HISTORY)
        return chance(found, self.now, days, lambda one: bool(self.work.closed("", one)))

    def _tell(self, profile: Profile, memory: Memory, found: Silence, expected: Texts) -> None:
        told = memory.told.get(found.due)
        if told is not None and told.again is not None and told.again == found.again:
            return
        before = self.ask.at(profile.id, found.heard)
        draft = words.silence(profile, found, expected, self._chance(profile, found))
        number = self.open(SILENCE, draft, found.due, found.again or self.now, before)
        if found.again is not None:
            _, delivery = self.ask.between(profile.id, found.again - _INSTANT, found.again + _INSTANT)
            arrival = self.book.delivery(delivery)
            reason = words.heard_again(found, found.again, arrival)
            self.fill(number, reason, arrival, found.again, self.ask.at(profile.id, found.again))
        memory.told[found.due] = Told(found.heard, found.again)

    def _end_told(self, profile: Profile, memory: Memory, standing: set[datetime], horizon: datetime) -> None:
        """Settle the silences that are none any more: events of the time have come, or it was no working time."""
        for due in [due for due in memory.told if due not in standing]:
            told = memory.told[due]
            if told.again is None and self.now < due:
                continue  # our own clock was set back: nothing has been learnt
            del memory.told[due]
            if due < horizon and told.again is not None:
                continue
            count, delivery = self.ask.between(profile.id, told.heard, told.again or self.now + _DAY)
            number = self.findings.named(SILENCE, VERSION, profile.id, due)
            if count:
                arrival = self.book.delivery(delivery)
                self.fill(number, words.arrived_late(count, arrival), arrival)
            else:
                self.summary.withdrawn += self.findings.settle(number, FindingStatus.WITHDRAWN, words.never_was())

    # Sequence numbers ------------------------------------------------------------------------------------------

    def sequence(self, profile: Profile, memory: Memory, news: News | None) -> None:
        """Judge whether every number has arrived."""
        if not profile.rhythm.sequence:
            return
        if news is not None and news.first is not None and news.last is not None:
            restarts = self.ask.restarts(profile.id, self.index)
            if restarts is None:
                day = day_start(tokyo_date(news.last))
                self.open(SEQUENCE, words.uncounted(profile), day, day + _DAY, self.ask.at(profile.id, news.last))
                return
            self._count(profile, memory, restarts, news.first, news.last)
        for gap in list(memory.gaps):
            self._follow_gap(profile, memory, gap, news)
        for run in memory.runs:
            self._open_missing(profile, memory, run)
        _forget(memory)

    def _count(
        self,
        profile: Profile,
        memory: Memory,
        restarts: Sequence[tuple[int, datetime]],
        first: datetime,
        last: datetime,
    ) -> None:
        """Put new numbers into their runs, in the order of time, so that a restart is met where it happened."""
        memory.runs = memory.runs or [Run(None)]
        moments = {at for _, at in restarts}
        bounds = moments | {run.start for run in memory.runs if run.start and first < run.start <= last}
        stepped_back: list[dict[str, Any]] = []
        carried: list[Island] = []
        for start, end in pairwise([*sorted(bounds | {first}), None]):
            if start is None:
                continue
            for number in [number for number, at in restarts if at == start]:
                place(memory.runs, number, start)
            run = run_at(memory.runs, start)
            if run is None:
                continue
            new = self.ask.numbered(profile.id, self.index, start, end, run.islands)
            following = early(run, new.islands, end) if end in moments else []
            run.islands = merged([*run.islands, *carried, *(one for one in new.islands if one not in following)])
            carried = following
            stepped_back += new.stepped_back
        for day in sorted({tokyo_date(row["time"]) for row in stepped_back}):
            self._tell_stepped_back(profile, day, [row for row in stepped_back if tokyo_date(row["time"]) == day])

    def _tell_stepped_back(self, profile: Profile, day: date, rows: Sequence[dict[str, Any]]) -> None:
        start = day_start(day)
        before = self.findings.get(self.findings.named(BACKDATING, VERSION, f"{profile.id}/sequence", start))
        known = before.evidence if before else ()
        refs = tuple(f"{profile.id}:{row['event_id']}" for row in rows)
        new = [ref for ref in refs if ref not in known]
        indexes = [row["log_index"] for row in rows]
        total = (before.evidence_total if before else 0) + len(new)
        draft = replace(
            words.stepped_back(profile, day, total),
            evidence=(*known, *new)[:MAX_EVIDENCE],
            evidence_total=total,
            first_index=min([*indexes, *([before.first_index] if before else [])]),
            last_index=max([*indexes, *([before.last_index] if before else [])]),
        )
        self.open(BACKDATING, draft, start, start + _DAY)

    def _open_missing(self, profile: Profile, memory: Memory, run: Run) -> None:
        found = self._fresh(memory, run)
        if not found:
            return
        for part in clusters(found, _MOST_FINDINGS):
            start = min(min(one.after, one.before) for one in part) - JITTER
            end = max(max(one.after, one.before) for one in part) + JITTER
            self._find(profile, run, (part[0].first, part[-1].last), start, end)
        for part in clusters(self._fresh(memory, run), _MOST_FINDINGS):
            ranges = [(one.first, one.last) for one in part]
            count = sum(one.count for one in part)
            gap = NumberGap("", run.start, ranges, ranges, part[0].first, count, part[0].after, part[-1].before)
            gap.finding = self._open_gap(profile, gap)
            memory.gaps.append(gap)

    def _find(self, profile: Profile, run: Run, span: tuple[int, int], start: datetime, end: datetime) -> None:
        """Look for numbers of a run in the log itself: by a moment they may lie on the other side of a restart."""
        run.islands = merged([*run.islands, *self.ask.present(profile.id, span, start, end, run)])

    def _fresh(self, memory: Memory, run: Run) -> list[Missing]:
        """What is missing, is told by no finding, and is no longer only late."""
        told = sorted(span for gap in memory.gaps if gap.run == run.start for span in gap.ranges)
        quiet = memory.received is not None and self.now >= memory.received + _GRACE
        return [
            one
            for one in run.missing
            if (quiet or (memory.last is not None and memory.last >= one.before + _GRACE))
            and without([(one.first, one.last)], told)
        ]

    def _open_gap(self, profile: Profile, gap: NumberGap) -> str:
        events = [
            *self.ask.number(profile.id, gap.ranges[0][0] - 1, gap.after),
            *self.ask.number(profile.id, gap.ranges[-1][1] + 1, gap.before),
        ]
        return self.open(SEQUENCE, words.numbers(profile, gap), gap.after, max(gap.after, gap.before), events)

    def _follow_gap(self, profile: Profile, memory: Memory, gap: NumberGap, news: News | None) -> None:
        run = next((run for run in memory.runs if run.start == gap.run), None)
        if run is None or not gap.watched:
            return
        start, end = gap.after - JITTER, gap.before + JITTER
        if news and news.first and news.last and news.first <= end and start <= news.last:
            self._find(profile, run, (gap.left[0][0], gap.left[-1][1]), start, end)
        left = without(gap.ranges, run.arrived)
        if left == gap.left:
            return
        gap.left = left
        if left:
            self._open_gap(profile, gap)
            return
        memory.gaps.remove(gap)
        number = self.ask.filled_by(profile.id, gap.ranges[0][0], gap.ranges[-1][1], self.index)
        arrival = self.book.delivery(number)
        self.fill(gap.finding, words.numbers_filled(gap.count, arrival), arrival)

    # Clocks ----------------------------------------------------------------------------------------------------

    def clock(self, profile: Profile, memory: Memory, hours: Sequence[ClockHour]) -> None:
        """Judge whether a source's clock is right."""
        judged = memory.clock_hour
        due = [hour for hour in hours if judged is None or hour.start >= judged or hour.refused]
        if not due:
            return
        verdict = follow(memory.clock, due)
        for episode in verdict.ended:
            number = self._open_clock(profile, episode)
            if episode.ended is not None:
                self.fill(number, words.clock_right(episode.ended), end=episode.end)
        if verdict.open is not None:
            self._open_clock(profile, verdict.open)
        memory.clock, memory.clock_hour = verdict.open, due[-1].start

    def _open_clock(self, profile: Profile, episode: Episode) -> str:
        events = self.ask.skewed(profile.id, episode.worst.start, episode.worst.start + timedelta(hours=1))
        return self.open(CLOCK, words.clock(profile, episode), episode.start, episode.end, events)

    def backdated(self, profile: Profile, day: date, after: timedelta) -> None:
        """Tell of the events of a day that were recorded long after it."""
        count, events = self.ask.backdated(profile.id, day, after)
        if count:
            longest = max(event.columns["recorded_at"] - event.time for event in events)
            draft = replace(words.backdated(profile, day, count, after, longest), evidence_total=count)
            self.open(BACKDATING, draft, day_start(day), day_start(day + _DAY), events)


def _forget(memory: Memory) -> None:
    """Keep a memory small: findings stand, but holes beyond these are no longer watched."""
    for run in memory.runs:
        surplus = len(run.islands) - _MOST_ISLANDS
        if surplus > 0:
            old, low = run.islands[surplus], run.islands[0]
            run.islands = [Island(low.first, old.last, low.began, old.ended), *run.islands[surplus + 1 :]]
            for gap in memory.gaps:
                if gap.run == run.start and gap.ranges[0][0] <= old.last:
                    gap.watched = False
                    gap.ranges = [span for span in gap.ranges if span[0] > old.last]
    memory.runs = memory.runs[-_MOST_RUNS:]
    kept = {run.start for run in memory.runs}
    memory.gaps = [gap for gap in memory.gaps if gap.run in kept and gap.ranges]
