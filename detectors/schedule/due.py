"""What a window's result depends on, and whether that has changed since it was judged.

A result depends on the events of the window and of as long before it as the detector looks back, on what the context
feeds say of that time, on the detector's version and on its parameters. Windows are judged again when one of these has
changed, so that what is on record is what judging again would say.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from audit.clock import Clock, day_start, tokyo_date
from audit.context import ContextService, Reach
from audit.findings import Due, LastRun
from detectors.model import Detector, ParameterError, Window, parameters_of

__all__ = ["RECONSIDER", "Content", "Days", "Installed", "Known", "reach_of", "spans", "why_due"]

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


@dataclass(frozen=True, slots=True)
class Installed:
    """The detectors of a round with the parameters in force.

    Attributes:
        detectors: by id, those that can run.
        parameters: of each, as the detector takes them.
        refused: detectors that do not take what the town has set, and why: they are left out, and that is told.
    """

    detectors: Mapping[str, Detector]
    parameters: Mapping[str, Any]
    refused: Mapping[str, str]

    @classmethod
    def of(cls, detectors: Mapping[str, Detector], overrides: Mapping[str, Mapping[str, Any]]) -> "Installed":
        """The detectors that there are, with what the town has set."""
        parameters, refused = {}, {}
        for name, detector in detectors.items():
            try:
                parameters[name] = parameters_of(detector, overrides.get(name, {}))
            except ParameterError as error:
                refused[name] = str(error)
        return cls({name: detectors[name] for name in parameters}, parameters, refused)

    def settings(self, name: str) -> dict[str, Any]:
        """A detector's parameters by name."""
        return asdict(self.parameters[name])

    def hash_of(self, name: str) -> str:
        """A short hash of a detector's parameters."""
        return hashlib.sha256(json.dumps(self.settings(name), sort_keys=True).encode()).hexdigest()[:16]

    @property
    def reach(self) -> timedelta:
        """As far back as any of them sees."""
        return max((reach_of(one) for one in self.detectors.values()), default=_DAY)


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
