"""Who works here for a contractor, and what somebody has let them in for."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from audit.context import RosterKind, WorkContext
from audit.log import Dimension, Filter, Measure
from detectors.model import Reader, Window

__all__ = ["GRACE", "contractors", "let_in"]

GRACE = timedelta(minutes=30)
"""Work may begin a little early, and overrun."""


def contractors(window: Window, reader: Reader) -> dict[str, Mapping[str, Any]]:
    """The contractors' accounts active on a day, by the events or the directory, with their first and last act."""
    rows = reader.aggregate(
        Filter(start=window.start, end=window.end, outcomes=("", "success"), staff_only=True),
        (Dimension.ACTOR, Dimension.KIND),
        (Measure.FIRST, Measure.LAST),
    )
    return {
        row["actor"]: row for row in rows if _is_contractor(reader.context, row["actor"], row["kind"], row["first"])
    }


def _is_contractor(context: WorkContext, actor: str, kind: str, at: datetime) -> bool:
    post = context.post_at(actor, at)
    return post.employment == "contractor" if post is not None and post.employment else kind == "contractor"


def _near(at: datetime) -> Iterable[datetime]:
    return (at - GRACE, at, at + GRACE)


def let_in(context: WorkContext, actor: str, source: str, at: datetime) -> bool:
    """Whether the roster or somebody else's approval covers a contractor's act, a little early or late as it may be."""
    duty = (
        span.start - GRACE <= at < span.end + GRACE
        and span.kind not in (RosterKind.LEAVE, RosterKind.TRAINING)
        and (span.kind is not RosterKind.OVERTIME or span.approved)
        for span in context.roster.get(actor, ())
    )
    return any(duty) or any(
        context.window_at(actor, source, near) is not None or bool(context.approved("maintenance", actor, source, near))
        for near in _near(at)
    )
