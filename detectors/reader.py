"""What detectors see of an installation."""

import hashlib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar

from audit.casework import Casework, LookUp, LookUpDimension, LookUpFilter, LookUpMeasure
from audit.clock import day_start, tokyo_date
from audit.context import WorkContext
from audit.findings import FindingFilter, FindingService
from audit.log import OWN_SOURCE, Correlation, Dimension, EventLog, Filter, Match, Measure

__all__ = ["LogReader", "Memory"]

_T = TypeVar("_T")
_KEPT = 20_000
"""An answer of more rows is not kept for the next who asks the same."""


class Memory:
    """What detectors have learned of one installation: the latest under each name, gone with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Hashable, Any]] = {}

    def kept(self, name: str, made_of: Hashable, make: Callable[[], _T]) -> _T:
        """What was made under a name before, if of the same; else made now, and kept in its place."""
        before = self._kept.get(name)
        if before is not None and before[0] == made_of:
            found: _T = before[1]
            return found
        made = make()
        self._kept[name] = made_of, made
        return made


@dataclass(frozen=True, slots=True)
class LogReader:
    """What a detector sees: the log without our own acts, the look-ups made of it, and the context of its span.

    Attributes:
        findings: where detectors keep theirs; nothing is known of others' where not given.
        memory: what was learned of this log before.
        revision: which state of the context feeds this is.
        answers: what was asked of the log for the same window before, where it was short.
        told: hashes of what other detectors had found, by the detector that asked.
    """

    log: EventLog
    casework: Casework
    context: WorkContext
    findings: FindingService | None = None
    memory: Memory = field(default_factory=Memory)
    revision: int = 0
    answers: dict[Hashable, list[dict[str, Any]]] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)

    def aggregate(
        self,
        wanted: Filter,
        by: Sequence[Dimension],
        measures: Sequence[Measure],
        at_least: Mapping[Measure, int] | None = None,
    ) -> list[dict[str, Any]]:
        """Measures by dimensions; what another detector has asked before is not asked again."""
        question = (wanted, tuple(by), tuple(measures), tuple((at_least or {}).items()))
        rows = self.answers.get(question)
        if rows is None:
            rows = self.log.aggregate(replace(wanted, without_source=OWN_SOURCE), by, measures, at_least)
            if len(rows) <= _KEPT:
                self.answers[question] = rows
        return [dict(row) for row in rows]

    def columns(self, wanted: Filter, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Some columns of every matching event, in the order of time."""
        return self.log.columns(replace(wanted, without_source=OWN_SOURCE), columns)

    def look_ups(self, wanted: LookUpFilter) -> Iterator[LookUp]:
        """Look-ups with what accounts for them, in the order of time."""
        return self.casework.rows(wanted)

    def count_look_ups(
        self,
        wanted: LookUpFilter,
        by: Sequence[LookUpDimension],
        measures: Sequence[LookUpMeasure],
        at_least: Mapping[LookUpMeasure, int] | None = None,
    ) -> list[dict[str, Any]]:
        """Measures of look-ups by dimensions, without the combinations that have less of a measure."""
        return self.casework.aggregate(wanted, by, measures, at_least)

    def suspected(self, start: date, end: date, without: str) -> frozenset[tuple[date, str]]:
        """The days and people of a span (`end` exclusive) that findings are about, but those of one detector.

        Those under an exception count as well: an exception changes who is shown a finding, and no detector's result.
        """
        if self.findings is None:
            return frozenset()
        wanted = FindingFilter(start=day_start(start), end=day_start(end), without=(without,), excepted=True)
        found = frozenset(
            (tokyo_date(one.start), actor) for one in self.findings.listing(wanted) for actor in one.actors
        )
        told = "\n".join(f"{day} {actor}" for day, actor in sorted(found))
        self.told[without] = hashlib.sha256(told.encode()).hexdigest()
        return found

    def kept(self, name: str, made_of: Hashable, make: Callable[[], _T]) -> _T:
        """What was made under a name before, if of the same of this log and its feeds; else made now, and kept."""
        return self.memory.kept(name, (self.revision, made_of), make)

    def matching(self, wanted: Filter, sought: Correlation, since: datetime, limit: int) -> list[Match]:
        """Where a correlation is found at some time or later, the strongest first, at most so many."""
        return self.log.matching(replace(wanted, without_source=OWN_SOURCE), sought, since, limit)

    def matched(
        self, wanted: Filter, sought: Correlation, matches: Sequence[Match], limit: int
    ) -> Iterator[dict[str, Any]]:
        """The acts of what was found: the latest of each group, by its `key`, and how many `acts` there are in all."""
        return self.log.matched(replace(wanted, without_source=OWN_SOURCE), sought, matches, limit)
