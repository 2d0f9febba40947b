"""What a detector is: a pure function of a window, with everything an operator must know about it.

`detect(window, reader, params)` takes time from the window and data through the reader; it keeps no state, asks no
clock and touches no network, so that any past window can be judged again with the same result.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import Any, Protocol, TypeVar

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure
from audit.clock import day_start, tokyo_date
from audit.context import WorkContext
from audit.findings import Draft, Severity
from audit.log import Correlation, Dimension, Filter, Match, Measure
from audit.texts import Texts

__all__ = [
    "AnalyticType",
    "Case",
    "Detector",
    "DetectorMeta",
    "ParameterError",
    "Reader",
    "Window",
    "parameters_of",
    "setting",
]

_T = TypeVar("_T")


class AnalyticType(IntEnum):
    """OCSF 1.8.0 `analytic.type_id`."""

    RULE = 1
    BEHAVIORAL = 2
    STATISTICAL = 3
    LEARNING = 4


@dataclass(frozen=True, slots=True)
class Window:
    """A span of events to judge. `end` is exclusive."""

    start: datetime
    end: datetime

    @classmethod
    def of_day(cls, day: date) -> "Window":
        """A business day."""
        return cls(day_start(day), day_start(day + timedelta(days=1)))

    @property
    def day(self) -> date:
        """The business day it begins on."""
        return tokyo_date(self.start)


class Reader(Protocol):
    """All that a detector may see."""

    @property
    def context(self) -> WorkContext:
        """Who works where and when."""

    def aggregate(
        self,
        wanted: Filter,
        by: Sequence[Dimension],
        measures: Sequence[Measure],
        at_least: Mapping[Measure, int] | None = None,
    ) -> list[dict[str, Any]]:
        """Measures by dimensions."""

    def columns(self, wanted: Filter, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Some columns of every matching event, in the order of time."""

    def look_ups(self, wanted: LookUpFilter) -> Iterator[LookUp]:
        """Look-ups with what accounts for them, in the order of time."""

    def count_look_ups(
        self,
        wanted: LookUpFilter,
        by: Sequence[LookUpDimension],
        measures: Sequence[LookUpMeasure],
        at_least: Mapping[LookUpMeasure, int] | None = None,
    ) -> list[dict[str, Any]]:
        """Measures of look-ups by dimensions, without the combinations that have less of a measure."""

    def suspected(self, start: date, end: date, without: str) -> frozenset[tuple[date, str]]:
        """The days and people of a span (`end` exclusive) that findings are about, but those of one detector."""

    def kept(self, name: str, made_of: Hashable, make: Callable[[], _T]) -> _T:
        """What was made under a name before, if of the same of this log and its feeds; else made now, and kept."""

    def matching(self, wanted: Filter, sought: Correlation, since: datetime, limit: int) -> list[Match]:
        """Where a correlation is found at some time or later, the strongest first, at most so many."""

    def matched(
        self, wanted: Filter, sought: Correlation, matches: Sequence[Match], limit: int
    ) -> Iterator[dict[str, Any]]:
        """The acts of what was found: the latest of each group, by its `key`, and how many `acts` there are in all."""


@dataclass(frozen=True, slots=True)
class Case:
    """A test that a detector carries: a story told in events, and whom it must name.

    Attributes:
        name: the story in a few words.
        events: in the contract's form, with `source` beside it.
        feeds: context feeds as CSV text, by kind.
        expect: the entities that must be found on `day`; empty for a silent case.
        day: the business day to judge.
    """

    name: str
    events: Sequence[Mapping[str, Any]]
    feeds: Mapping[str, str]
    expect: frozenset[str]
    day: date


@dataclass(frozen=True, slots=True)
class DetectorMeta:
    """What an operator must know about a detector.

    Attributes:
        id: kebab-case, never reused.
        version: changes whenever its output may; the major number is part of a finding's identity.
        title: one line.
        description: what it looks for.
        family: `rules`, `windows` or `learned`.
        analytic_type: OCSF's word for its kind.
        severity: the highest it gives.
        techniques: MITRE ATT&CK.
        controls: the documented controls it serves.
        reads: the event columns it reads.
        look_back: how far before its window it looks.
        runbook: what to do about a finding.
        false_positives: what else it may be.
        references: where the idea comes from.
    """

    id: str
    version: str
    title: Texts
    description: Texts
    family: str
    analytic_type: AnalyticType
    severity: Severity
    techniques: tuple[str, ...]
    controls: tuple[str, ...]
    reads: tuple[str, ...]
    look_back: timedelta
    runbook: Texts
    false_positives: Texts
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector: its metadata, its parameters with their defaults, its function, its own cases."""

    meta: DetectorMeta
    parameters: Any
    detect: Callable[[Window, Reader, Any], Iterable[Draft]]
    cases: tuple[Case, ...]


def setting(default: _T, ja: str, en: str, *, most: _T | None = None) -> _T:
    """A detector's parameter: its default, what it means to those who tune it, and how much is too much.

    What says how far back a detector reads must not be more than its `look_back`: events further back that arrive late
    would not make its windows due again.
    """
    text = Texts(ja, en) if most is None else Texts(f"{ja}（{most} まで）", f"{en} ({most} at most)")
    found: _T = field(default=default, metadata={"text": text, "most": most})
    return found


class ParameterError(ValueError):
    """A parameter that the detector does not have, of another type, or more than it may be."""


def parameters_of(detector: Detector, overrides: Mapping[str, Any]) -> Any:  # noqa: ANN401 - each has its own type
    """A detector's parameters with some replaced.

    Raises:
        ParameterError: naming every fault.
    """
    defaults = asdict(detector.parameters)
    known = defaults.keys()
    faults = [f"{detector.meta.id} has no parameter {name!r}" for name in sorted(overrides.keys() - known)]
    faults += [
        f"{detector.meta.id}.{name} must be {type(defaults[name]).__name__}"
        for name in sorted(overrides.keys() & known)
        if not isinstance(overrides[name], type(defaults[name]))
    ]
    bounds = {one.name: one.metadata.get("most") for one in fields(detector.parameters)}
    faults += [
        f"{detector.meta.id}.{name} must be {bounds[name]} at most"
        for name in sorted(overrides.keys() & known)
        if bounds[name] is not None and isinstance(overrides[name], int | float) and overrides[name] > bounds[name]
    ]
    if faults:
        raise ParameterError("; ".join(faults))
    return type(detector.parameters)(**{**defaults, **overrides})
