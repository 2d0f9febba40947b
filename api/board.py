"""The board's numbers: what is asked of the log and the findings for each figure."""

from collections.abc import Sequence
from datetime import date, timedelta

from api import views
from api.installation import Installation
from audit.clock import tokyo_date
from audit.findings import FindingFilter, FindingStatus
from audit.log import OWN_SOURCE, Dimension, Filter, Measure
from dashboards.figures import activity_heatmap, alerts_over_time, events_by_source
from dashboards.model import BoardSpan, Figure
from detectors.model import Window
from ingest.gaps import DETECTORS as GAP_DETECTORS

__all__ = ["board_figures", "board_span"]

_DAYS = 30
_LONGEST = timedelta(days=3660)


def board_span(installation: Installation, first: date | None, last: date | None) -> tuple[date, date]:
    """The days that a board covers: as asked for, else the last thirty up to today; never backwards."""
    last = last or tokyo_date(installation.clock.now())
    first = first or last - timedelta(days=_DAYS - 1)
    return max(min(first, last), last - _LONGEST), max(first, last)


def board_figures(installation: Installation, first: date, last: date) -> tuple[Sequence[Figure], BoardSpan]:
    """The figures of a span of days."""
    start, end = Window.of_day(first).start, Window.of_day(last).end
    events = Filter(start=start, end=end, without_source=OWN_SOURCE)
    span = BoardSpan(first, last)
    hours = installation.log.aggregate(events, (Dimension.WEEKDAY, Dimension.HOUR), (Measure.EVENTS,))
    sources = installation.log.aggregate(events, (Dimension.SOURCE,), (Measure.EVENTS,))
    alerts = installation.findings.count_by_day(
        FindingFilter(start=start, end=end, status=FindingStatus.OPEN, without=GAP_DETECTORS)
    )
    by_day: dict[tuple[date, str], int] = {}
    for at, severity, count in alerts:
        key = (tokyo_date(at), severity)
        by_day[key] = by_day.get(key, 0) + count
    return [
        activity_heatmap([(row["weekday"], row["hour"], row["events"]) for row in hours], span=span),
        events_by_source(
            sorted(
                (
                    (row["source"], views.source_name(installation.catalogue, row["source"]), row["events"])
                    for row in sources
                ),
                key=lambda row: -row[2],
            ),
            span=span,
        ),
        alerts_over_time([(day, severity, count) for (day, severity), count in sorted(by_day.items())], span=span),
    ], span
