"""Rights as the log tells them: who gave whom what, and who had said so before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.context import WorkContext
from audit.events import Activity
from audit.log import Filter, Measure
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import Reader, Window

__all__ = ["COLUMNS", "acts_on_rights", "approved_before", "happened", "same_person", "what_of"]

_A = Activity
COLUMNS = (
    *EVIDENCE_COLUMNS,
    "activity",
    "actor_id",
    "actor_kind",
    "operation_name",
    "target_id",
    "target_affair",
    "target_system",
    "terminal_id",
    "terminal_ip",
)


@dataclass(frozen=True, slots=True)
class _Right:
    """A right as far as an event names it."""

    affair: str
    system: str

    def covers(self, other: "_Right") -> bool:
        """Whether two events may speak of the same right: what one leaves out, the other may say."""
        return all(
            not one or not another or one == another
            for one, another in ((self.affair, other.affair), (self.system, other.system))
        )


def _right(event: Mapping[str, Any]) -> _Right:
    return _Right(event["target_affair"], event["target_system"])


def what_of(event: Mapping[str, Any]) -> str:
    """What a right is for, in the source's words; empty where it does not say."""
    return "/".join(dict.fromkeys(part for part in (event["target_system"], event["target_affair"]) if part))


def same_person(context: WorkContext, one: str, other: str) -> bool:
    """Whether two accounts belong to one human being: the same id, or the same resident behind both."""
    if one == other:
        return True
    residents = [
        {post.subject_id for post in context.posts.get(actor, ()) if post.subject_id} for actor in (one, other)
    ]
    return bool(residents[0] & residents[1])


def happened(reader: Reader, wanted: Filter) -> bool:
    """Whether there is any such event: on most days there is none, and nothing more to ask."""
    rows = reader.aggregate(wanted, (), (Measure.EVENTS,))
    return bool(rows and rows[0]["events"])


def acts_on_rights(
    window: Window,
    reader: Reader,
    activities: Iterable[Activity],
    back: timedelta = timedelta(0),
    **more: Any,  # noqa: ANN401 - any field
) -> list[dict[str, Any]]:
    """Acts on rights that succeeded, by people, about somebody; in the order of time."""
    wanted = Filter(
        start=window.start - back,
        end=window.end,
        activities=tuple(sorted(activities)),
        outcomes=("", "success"),
        staff_only=True,
        **more,
    )
    if not happened(reader, wanted):
        return []
    return [event for event in reader.columns(wanted, COLUMNS) if event["target_id"]]


def approved_before(
    context: WorkContext, approvals: Sequence[Mapping[str, Any]], grant: Mapping[str, Any], within: timedelta
) -> bool:
    """Whether somebody who is neither the one who gives nor the one who gets approved a right before it was given."""
    at: datetime = grant["time"]
    return any(
        at - within <= approval["time"] <= at
        and approval["target_id"] == grant["target_id"]
        and _right(approval).covers(_right(grant))
        and not same_person(context, approval["actor_id"], grant["target_id"])
        and not same_person(context, approval["actor_id"], grant["actor_id"])
        for approval in approvals
    )
