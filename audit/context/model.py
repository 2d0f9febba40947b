"""Posts, rosters, calendars and approvals as values, and the questions a detector asks of them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from audit.clock import day_start
from audit.context.calendar import DEFAULT_CLOSES, DEFAULT_OPENS, is_closed_by_law

__all__ = [
    "Approval",
    "CalendarDay",
    "Post",
    "RosterKind",
    "RosterSpan",
    "Span",
    "Subject",
    "Terminal",
    "TimeWindow",
    "WorkContext",
    "post_held",
]


class RosterKind(StrEnum):
    """What a roster entry says. Overtime and standby add to the day's hours, a shift replaces them."""

    LEAVE = "leave"
    OVERTIME = "overtime"
    SHIFT = "shift"
    STANDBY = "standby"
    TRAINING = "training"


@dataclass(frozen=True, slots=True)
class Post:
    """One post of one person. `end` is exclusive; `None` means without end."""

    staff_id: str
    name: str
    org_unit: str
    post: str
    role: str
    employment: str
    manager_id: str
    subject_id: str
    start: datetime | None
    end: datetime | None
    kana: str = ""

    @property
    def empty(self) -> bool:
        """Whether it ends as it begins, and is held at no moment: a post that was called off."""
        return self.start is not None and self.start == self.end

    def holds(self, at: datetime) -> bool:
        """Whether it is held at a moment."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


def post_held(posts: Iterable[Post], at: datetime) -> Post | None:
    """Of one person's posts the one held at a moment: of several the one that began last."""
    held = [post for post in posts if post.holds(at)]
    return max(held, key=lambda post: post.start or day_start(date.min + timedelta(days=2)), default=None)


@dataclass(frozen=True, slots=True)
class RosterSpan:
    """One roster entry. `end` is exclusive.

    Attributes:
        own_word: whether who approved it is known to be the same human being under another id.
    """

    staff_id: str
    start: datetime
    end: datetime
    kind: RosterKind
    approved_by: str
    own_word: bool = False

    @property
    def approved(self) -> bool:
        """Whether somebody else approved it: nobody's own word accounts for their work."""
        return self.approved_by not in ("", self.staff_id) and not self.own_word


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One entry of the town's calendar; a blank `org_unit` means everyone."""

    day: date
    org_unit: str
    kind: str
    opens: str
    closes: str
    note: str


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """An approved time for work. `end` is exclusive; a blank `source` means every source."""

    approval_id: str
    staff_id: str
    source: str
    start: datetime | None
    end: datetime | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody's word that an output, a medium, a time, a terminal or maintenance is wanted. `end` is exclusive.

    Attributes:
        staff_id: for whom.
        source: in which system; blank for every one.
        entered_at: when it first stood here as it now stands; None when it came before that was kept. It covers
            nothing that was done earlier.
    """

    approval_id: str
    kind: str
    staff_id: str
    approved_by: str
    source: str
    start: datetime | None
    end: datetime | None
    max_rows: int | None
    medium_id: str
    note: str
    entered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Terminal:
    """A registered terminal. `kind`: desk, counter, shared, server or vendor; `ip_range`: an address or a network."""

    terminal_id: str
    org_unit: str
    site: str
    kind: str
    ip_range: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A resident, by pseudonyms only. `flags`: of `protected`, `vip`, `staff`, `deceased`."""

    subject_id: str
    household_id: str
    address_key: str
    name_key: str
    former_name_key: str
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when somebody works, and by what word of whose."""

    start: datetime
    end: datetime
    why: str


def _at(day: date, clock_time: str) -> datetime:
    hours, minutes = clock_time.split(":")[:2]
    return day_start(day) + timedelta(hours=int(hours), minutes=int(minutes))


@dataclass(frozen=True, slots=True)
class WorkContext:
    """Everything known about working time over a span, for judging events by it.

    Attributes:
        posts: every post, by person.
        roster: every roster entry that touches the span, by person.
        calendar: the town's calendar, by day.
        windows: approved times for work, by person.
        approvals: what else was approved, of every kind, by person; blank for what names nobody.
        terminals: the registered terminals.
        policies: what each system asks its users for, by system, the latest first.
        residents: how many residents the feed names.
    """

    posts: Mapping[str, tuple[Post, ...]] = field(default_factory=dict)
    roster: Mapping[str, tuple[RosterSpan, ...]] = field(default_factory=dict)
    calendar: Mapping[date, tuple[CalendarDay, ...]] = field(default_factory=dict)
    windows: Mapping[str, tuple[TimeWindow, ...]] = field(default_factory=dict)
    approvals: Mapping[str, tuple[Approval, ...]] = field(default_factory=dict)
    terminals: tuple[Terminal, ...] = ()
    policies: Mapping[str, tuple[tuple[datetime | None, str], ...]] = field(default_factory=dict)
    residents: int = 0

    @classmethod
    def of(
        cls,
        posts: Iterable[Post] = (),
        roster: Iterable[RosterSpan] = (),
        calendar: Iterable[CalendarDay] = (),
        windows: Iterable[TimeWindow] = (),
    ) -> "WorkContext":
        """Sort entries by what they are asked for."""
        by_staff: dict[str, list[Post]] = defaultdict(list)
        for post in posts:
            by_staff[post.staff_id].append(post)
        spans: dict[str, list[RosterSpan]] = defaultdict(list)
        for span in roster:
            spans[span.staff_id].append(span)
        days: dict[date, list[CalendarDay]] = defaultdict(list)
        for day in calendar:
            days[day.day].append(day)
        approved: dict[str, list[TimeWindow]] = defaultdict(list)
        for window in windows:
            approved[window.staff_id].append(window)
        return cls(
            {key: tuple(value) for key, value in by_staff.items()},
            {key: tuple(value) for key, value in spans.items()},
            {key: tuple(value) for key, value in days.items()},
            {key: tuple(value) for key, value in approved.items()},
        )

    def knows(self, staff_id: str) -> bool:
        """Whether a person is in the staff directory, at any time."""
        return staff_id in self.posts

    def post_at(self, staff_id: str, at: datetime) -> Post | None:
        """The post held at a moment."""
        return post_held(self.posts.get(staff_id, ()), at)

    def closed(self, org_unit: str, day: date) -> str:
        """Why a unit is closed on a day; empty when it is open."""
        entry = self._entry(org_unit, day)
        if entry is not None:
            return (entry.note or "休庁日") if entry.kind == "closed" else ""
        return is_closed_by_law(day)

    def hours(self, org_unit: str, day: date) -> tuple[datetime, datetime] | None:
        """From when to when a unit is open on a day; `None` when it is closed."""
        if self.closed(org_unit, day):
            return None
        entry = self._entry(org_unit, day)
        opens, closes = (entry.opens, entry.closes) if entry else ("", "")
        return _at(day, opens or DEFAULT_OPENS), _at(day, closes or DEFAULT_CLOSES)

    def _entry(self, org_unit: str, day: date) -> CalendarDay | None:
        """What the calendar says of a unit's opening: its own entry before its parents', theirs before everyone's."""
        entries = [entry for entry in self.calendar.get(day, ()) if entry.kind != "busy"]
        unit = org_unit
        while True:
            for entry in entries:
                if entry.org_unit == unit:
                    return entry
            if not unit:
                return None
            unit = unit.rpartition("/")[0]

    def on_leave(self, staff_id: str, at: datetime) -> RosterSpan | None:
        """The leave that a person is on at a moment."""
        for span in self.roster.get(staff_id, ()):
            if span.kind is RosterKind.LEAVE and span.start <= at < span.end:
                return span
        return None

    def working(self, staff_id: str, org_unit: str, day: date) -> list[Span]:
        """When a person works on a business day, by roster, else by the unit's opening hours.

        A span that reaches over midnight (a night shift) counts for both days.
        """
        first, last = day_start(day), day_start(day + timedelta(days=1))
        rows = [span for span in self.roster.get(staff_id, ()) if span.start < last and first < span.end]
        spans = [
            Span(span.start, span.end, f"roster:{span.kind}")
            for span in rows
            if span.kind is not RosterKind.LEAVE and (span.kind is not RosterKind.OVERTIME or span.approved)
        ]
        begun_today = [span for span in rows if span.start >= first]
        if not any(span.kind is RosterKind.SHIFT for span in begun_today):
            hours = self.hours(org_unit, day)
            if hours is not None:
                spans.append(Span(*hours, "calendar"))
        return sorted(spans, key=lambda span: span.start)

    def window_at(self, staff_id: str, source: str, at: datetime) -> TimeWindow | None:
        """The approval that covers a person's work in a source at a moment."""
        for window in self.windows.get(staff_id, ()):
            if (
                window.source in ("", source)
                and (window.start is None or window.start <= at)
                and (window.end is None or at < window.end)
            ):
                return window
        return None

    def approved(self, kind: str, staff_id: str, source: str, at: datetime) -> tuple[Approval, ...]:
        """The approvals of one kind in force for a person and a system that are not their own word.

        When they were entered is not asked: a town that brings its history in enters all of it today.
        """
        return tuple(
            approval
            for approval in (*self.approvals.get(staff_id, ()), *self.approvals.get("", ()))
            if approval.kind == kind
            and approval.source in ("", source)
            and approval.approved_by not in ("", staff_id)
            and (approval.start is None or approval.start <= at)
            and (approval.end is None or at < approval.end)
        )

    def factors_asked(self, source: str, at: datetime) -> str:
        """What a system asks its users for at a moment; empty where no row says so."""
        return next((asked for since, asked in self.policies.get(source, ()) if since is None or since <= at), "")

    def name_of(self, staff_id: str, at: datetime) -> str:
        """What a person is called in the post held at a moment; empty when the directory does not say."""
        post = self.post_at(staff_id, at)
        return post.name if post is not None else ""

    def unit_of(self, staff_id: str, at: datetime, fallback: str = "") -> str:
        """The unit of the post held at a moment, or what the event itself says."""
        post = self.post_at(staff_id, at)
        return post.org_unit if post is not None else fallback
