"""What one must know beside the log to judge it: who works where and when, and which days are closed.

Feeds are effective-dated: an event is judged by what was in force at its hour.
"""

from audit.context.calendar import holiday_name, is_closed_by_law
from audit.context.feeds import FEEDS, FeedError, FeedRow, read_rows
from audit.context.model import (
    CalendarDay,
    Post,
    RosterKind,
    RosterSpan,
    Span,
    Subject,
    Terminal,
    TimeWindow,
    WorkContext,
)
from audit.context.service import ContextService, Imported

__all__ = [
    "FEEDS",
    "CalendarDay",
    "ContextService",
    "FeedError",
    "FeedRow",
    "Imported",
    "Post",
    "RosterKind",
    "RosterSpan",
    "Span",
    "Subject",
    "Terminal",
    "TimeWindow",
    "WorkContext",
    "holiday_name",
    "is_closed_by_law",
    "read_rows",
]
