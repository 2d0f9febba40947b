"""What one must know beside the log to judge it: who works where and when, at which terminals, for which residents.

Feeds are effective-dated: an event is judged by what was in force at its hour.
"""

from audit.context.calendar import holiday_name, is_closed_by_law
from audit.context.factors import FACTORS, MODALITIES
from audit.context.feeds import FEEDS, FeedError, FeedRow, read_row, read_rows
from audit.context.model import (
    Approval,
    CalendarDay,
    Post,
    RosterKind,
    RosterSpan,
    Span,
    Subject,
    Terminal,
    TimeWindow,
    WorkContext,
    post_held,
)
from audit.context.reach import BEFORE_ENTRY, BEYOND_CLOSING, Reach
from audit.context.service import ContextService, Imported, units_above

__all__ = [
    "BEFORE_ENTRY",
    "BEYOND_CLOSING",
    "FACTORS",
    "FEEDS",
    "MODALITIES",
    "Approval",
    "CalendarDay",
    "ContextService",
    "FeedError",
    "FeedRow",
    "Imported",
    "Post",
    "Reach",
    "RosterKind",
    "RosterSpan",
    "Span",
    "Subject",
    "Terminal",
    "TimeWindow",
    "WorkContext",
    "holiday_name",
    "is_closed_by_law",
    "post_held",
    "read_row",
    "read_rows",
    "units_above",
]
