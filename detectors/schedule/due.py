"""What a window's result depends on, and whether that has changed since it was judged.

A result depends on the events of the window and of as long before it as the detector looks back, on what the context
feeds say of that time, on the detector's version and on its parameters. Windows are judged again when one of these has
changed, so that what is on record is what judging again would say. What people have changed holds from the day on which
they did: windows before it keep what they were judged with.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from audit.clock import Clock, day_start, tokyo_date
from audit.context import ContextService, Reach
from audit.findings import Due, LastRun
from detectors.model import Detector, ParameterError, Window, parameters_of

__all__ = ["RECONSIDER", "Content", "Days", "Edition", "Installed", "Known", "Past", "reach_of", "spans", "why_due"]

RECONSIDER = timedelta(days=90)
"""How far back a change of the context feeds makes windows due again; further back, ask for the span."""
_AT_ONCE = 3_000_000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Content:
    """How many events there are, and the highest log index among them, -1 where there are none."""

    events: int = 0
    high_water: int = -1


def reach_of(detector: Detector) -> timedelta:
    """How far before its window a detector sees; a night reaches into the next day, whatever it says."""
    return max(detector.meta.look_back, _DAY)


@dataclass(slots=True)
class Days:
    """The business days that hold events, in order, and what each holds."""

    contents: Mapping[date, Content]
    _seen: dict[tuple[date, timedelta], Content] = field(default_factory=dict)

    def seen(self, day: date, reach: timedelta) -> Content:
        """What there is to see in a day's window and so long before it."""
        if (day, reach) not in self._seen:
            first = tokyo_date(day_start(day) - reach)
            span = (date.fromordinal(number) for number in range(first.toordinal(), day.toordinal() + 1))
            held = [self.contents[one] for one in span if one in self.contents]
            self._seen[day, reach] = Content(sum(one.events for one in held), max(one.high_water for one in held))
        return self._seen[day, reach]


def spans(due: Sequence[date], days: Mapping[date, Content]) -> Iterator[tuple[date, date]]:
    """Due days in spans that are matched in one go: one after the other, and no more events than fit in memory."""
    first: date | None = None
    last, events = date.min, 0
    for day in sorted(due):
        if first is not None and (day - last > _DAY or events + days[day].events > _AT_ONCE):
            yield first, last
            first = None
        if first is None:
            first, events = day, 0
        last, events = day, events + days[day].events
    if first is not None:
        yield first, last


class Known:
    """What the context feeds said when a round of runs began, and what has changed in them since others."""

    def __init__(self, context: ContextService, clock: Clock) -> None:
        self.revision = context.revision()
        self._context = context
        self._earliest = clock.now() - RECONSIDER
        self._reaches: dict[int, list[Reach]] = {}

    def changed(self, since: int, start: datetime, end: datetime) -> bool:
        """Whether anything about a span has changed since a revision; not asked about what is long past."""
        if since == self.revision or end < self._earliest:
            return False
        if since not in self._reaches:
            self._reaches[since] = self._context.reaches_since(since)
        return any(reach.touches(start, end) for reach in self._reaches[since])


_T = TypeVar("_T")
_Until = Sequence[tuple[date, _T]]
"""What was, in order, each with the first day on which it was no more."""


@dataclass(frozen=True, slots=True)
class Past:
    """What people have replaced: the windows before the day on which they did keep it, and what it found.

    Attributes:
        detectors: rules that were imported in the place of others, by the detector's id.
        overrides: what the town had set, by the detector's id.
    """

    detectors: Mapping[str, _Until[Detector]] = field(default_factory=dict)
    overrides: Mapping[str, _Until[Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edition:
    """A detector as it judges the windows of some days.

    Attributes:
        detector: the detector.
        parameters: those in force for these days, as it takes them.
        settings: the same by name.
        digest: a short hash of them.
    """

    detector: Detector
    parameters: Any
    settings: Mapping[str, Any]
    digest: str

    @classmethod
    def of(cls, detector: Detector, overrides: Mapping[str, Any]) -> "Edition":
        """A detector with what a town has set.

        Raises:
            ParameterError: it does not take that.
        """
        parameters = parameters_of(detector, overrides)
        settings = asdict(parameters)
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
        return cls(detector, parameters, settings, digest)


@dataclass(frozen=True, slots=True)
class Installed:
    """The detectors of a round with the parameters in force.

    Attributes:
        current: by id, those that can run, as they judge from today on.
        former: by id, as they judge the windows before some days.
        refused: detectors that do not take what the town has set, and why: they are left out, and that is told.
    """

    current: Mapping[str, Edition]
    former: Mapping[str, _Until[Edition]]
    refused: Mapping[str, str]

    @classmethod
    def of(
        cls, detectors: Mapping[str, Detector], overrides: Mapping[str, Mapping[str, Any]], past: Past | None = None
    ) -> "Installed":
        """The detectors that there are, with what the town has set and had set before."""
        current, refused = {}, {}
        for name, detector in detectors.items():
            try:
                current[name] = Edition.of(detector, overrides.get(name, {}))
            except ParameterError as error:
                refused[name] = str(error)
        then = past or Past()
        former = {name: list(_former(name, one.detector, overrides, then)) for name, one in current.items()}
        return cls(current, former, refused)

    @property
    def detectors(self) -> Mapping[str, Detector]:
        """Those that can run, by id."""
        return {name: one.detector for name, one in self.current.items()}

    def on(self, name: str, day: date) -> Edition:
        """A detector as it judges a day's window."""
        return _until(self.former[name], day, self.current[name])

    def reach_of(self, name: str) -> timedelta:
        """As far back as a detector sees, or saw."""
        return max(reach_of(one.detector) for one in (self.current[name], *(one for _, one in self.former[name])))

    @property
    def reach(self) -> timedelta:
        """As far back as any of them sees."""
        return max(map(self.reach_of, self.current), default=_DAY)


def _until(former: _Until[_T], day: date, now: _T) -> _T:
    return next((one for until, one in former if day < until), now)


def _former(
    name: str, detector: Detector, overrides: Mapping[str, Mapping[str, Any]], past: Past
) -> Iterator[tuple[date, Edition]]:
    """As a detector judged before; what it takes no more, say after an upgrade, gives way to what came after."""
    detectors, values = past.detectors.get(name, ()), past.overrides.get(name, ())
    for until in sorted({day for day, _ in (*detectors, *values)}):
        last = until - _DAY
        with suppress(ParameterError):
            then = _until(values, last, overrides.get(name, {}))
            yield until, Edition.of(_until(detectors, last, detector), then)


def why_due(
    last: LastRun | None,
    window: Window,
    reach: timedelta,
    now_is: LastRun,
    known: Known,
    remade: Collection[date],
) -> Due | None:
    """Why a window is to be judged, if it is.

    Args:
        last: its last evaluation.
        window: the window.
        reach: how far before it the detector sees.
        now_is: what an evaluation would be made with now.
        known: the context feeds.
        remade: days whose look-ups have been joined anew in this round.
    """
    if last is None:
        return Due.FIRST
    if (last.events, last.high_water) != (now_is.events, now_is.high_water):
        return Due.EVENTS
    if last.version != now_is.version:
        return Due.VERSION
    if last.parameters != now_is.parameters:
        return Due.PARAMETERS
    first = tokyo_date(window.start - reach)
    if any(first <= day <= window.day for day in remade) or known.changed(
        last.context_revision, window.start - reach, window.end
    ):
        return Due.CONTEXT
    return None
