"""The context feeds, as personnel, general affairs and the security administrator would hand them over."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from detectors.lab.stage import Stage

__all__ = ["FEEDS", "render_feed"]

_Rows = Iterable[tuple[object, ...]]


def _staff(stage: Stage) -> _Rows:
    for p in stage.people:
        until = p.until or ""
        unit, role = p.section.unit, p.section.role
        yield p.id, p.name, p.kana, unit, p.post, role, p.employment, p.manager, p.since, until, p.resident


def _roster(stage: Stage) -> _Rows:
    for row in sorted(stage.timetable.roster, key=lambda row: (row.start, row.person)):
        yield row.person, row.start.isoformat(), row.end.isoformat(), row.kind, row.approved_by


def _calendar(stage: Stage) -> _Rows:
    for row in sorted(stage.timetable.calendar, key=lambda row: (row.day, row.unit)):
        yield row.day, row.unit, row.kind, row.opens, row.closes, row.note


def _approvals(stage: Stage) -> _Rows:
    for a in stage.approvals:
        limit = "" if a.max_rows is None else a.max_rows
        span = (a.start.isoformat(), a.end.isoformat())
        yield a.id, "time_window", a.person, a.approved_by, a.source, *span, limit, "", a.note


FEEDS: Mapping[str, tuple[str, Callable[[Stage], _Rows]]] = MappingProxyType(
    {
        "staff": (
            "staff_id,name,kana,org_unit,post,role,employment,manager_id,valid_from,valid_to,subject_id",
            _staff,
        ),
        "roster": ("staff_id,start,end,kind,approved_by", _roster),
        "calendar": ("date,org_unit,kind,opens,closes,note", _calendar),
        "approvals": (
            "approval_id,kind,staff_id,approved_by,source,valid_from,valid_to,max_rows,medium_id,note",
            _approvals,
        ),
    }
)
"""Each feed's header and rows."""


def render_feed(kind: str, stage: Stage) -> str:
    """One feed as CSV text with a header."""
    header, rows = FEEDS[kind]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows(stage))
    return out.getvalue()
