"""How every source is doing: what the watch over gaps, the log, the book and the spool say, put together once.

The command line and the pages show the same values.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from api.installation import Installation
from audit.clock import day_start, tokyo_date
from audit.findings import Finding, FindingFilter, FindingStatus
from audit.log import OWN_SOURCE, Dimension, Filter, Measure
from ingest.gaps import DETECTORS, Health, SourceState
from ingest.sources.profile import Profile

__all__ = ["ATTENTION", "SourceStatus", "is_known", "statuses"]

ATTENTION = (SourceState.SILENT, SourceState.GAP, SourceState.LATE)
"""The states that somebody should look at, worst first."""
_ORDER = (*ATTENTION, SourceState.OK, SourceState.NEVER)
_DAYS = 7


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source.

    Attributes:
        profile: how it writes.
        in_catalogue: whether this town's catalogue has it.
        health: how it is doing.
        events: how many are in the log.
        last_event: when the latest of them happened.
        days: events by business day, seven of them, today last.
        quarantined: how many of its records were refused.
        waiting: bytes of it that wait in the spool.
        gaps: the open findings about what is missing, the latest first.
    """

    profile: Profile
    in_catalogue: bool
    health: Health
    events: int
    last_event: datetime | None
    days: tuple[tuple[date, int], ...]
    quarantined: int
    waiting: int
    gaps: tuple[Finding, ...]


def is_known(installation: Installation, source: str) -> bool:
    """Whether a source is in the catalogue or has delivered."""
    return source in installation.catalogue or source in installation.book.totals()


def statuses(installation: Installation, only: Collection[str] = ()) -> list[SourceStatus]:
    """How sources are doing, those that need a look first, then by the city's numbers and their ids.

    Args:
        installation: whose.
        only: these sources; all of the catalogue, and all that ever delivered, when empty.
    """
    healths = installation.gaps.healths(only)
    sources = tuple(only)
    totals = {
        row["source"]: row
        for row in installation.log.aggregate(
            Filter(sources=sources, without_source=OWN_SOURCE), (Dimension.SOURCE,), (Measure.EVENTS, Measure.LAST)
        )
    }
    book, waiting = installation.book.totals(), installation.inbox.waiting()
    days, by_day = _by_day(installation, sources)
    gaps = _open_gaps(installation)
    found = [
        SourceStatus(
            profile=installation.profile(source),
            in_catalogue=source in installation.catalogue,
            health=health,
            events=totals[source]["events"] if source in totals else 0,
            last_event=totals[source]["last"] if source in totals else None,
            days=tuple((day, by_day.get((source, day), 0)) for day in days),
            quarantined=book[source].quarantined if source in book else 0,
            waiting=waiting.get(source, 0),
            gaps=tuple(gaps.get(source, ())),
        )
        for source, health in healths.items()
    ]
    return sorted(found, key=_place)


def _place(status: SourceStatus) -> tuple[int, int, str]:
    return _ORDER.index(status.health.state), status.profile.number or 1000, status.profile.id


def _by_day(installation: Installation, sources: tuple[str, ...]) -> tuple[list[date], dict[tuple[str, date], int]]:
    today = tokyo_date(installation.clock.now())
    days = [today - timedelta(days=n) for n in reversed(range(_DAYS))]
    wanted = Filter(sources=sources, start=day_start(days[0]), without_source=OWN_SOURCE)
    rows = installation.log.aggregate(wanted, (Dimension.SOURCE, Dimension.DAY), (Measure.EVENTS,))
    return days, {(row["source"], row["day"]): row["events"] for row in rows}


def _open_gaps(installation: Installation) -> dict[str, Sequence[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in installation.findings.listing(FindingFilter(status=FindingStatus.OPEN, among=DETECTORS)):
        found.setdefault(finding.source, []).append(finding)
    return dict(found)
