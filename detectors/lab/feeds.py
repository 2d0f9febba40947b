"""The context feeds, as personnel, the sections and the security administrator would hand them over."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from detectors.lab.model import Person
from detectors.lab.stage import Stage
from detectors.lab.systems import SYSTEMS
from detectors.lab.timetable import at

__all__ = ["FEEDS", "render_feed"]

_Rows = Iterable[tuple[object, ...]]


def _staff(stage: Stage) -> _Rows:
    for p in sorted(stage.people, key=lambda p: (p.kind != "staff", p.since > stage.timetable.days[0])):
        until = p.until or ""
        unit, role = p.section.unit, p.section.role
        yield p.id, p.name, p.kana, unit, p.post, role, p.employment, p.manager, p.since, until, p.resident


def _subjects(stage: Stage) -> _Rows:
    for one in stage.residents.by_id.values():
        yield one.id, one.household, one.address, one.name, one.former_name, ";".join(sorted(one.flags))


def _cases(stage: Stage) -> _Rows:
    """As of the end of the span: what is closed later is still open."""
    end = at(stage.timetable.days[-1], 24)
    for case in sorted(stage.planner.work.cases.values(), key=lambda case: (case.opened, case.id)):
        closed = _second(case.closed) if case.closed and case.closed <= end else ""
        yield case.id, case.source, case.subject, case.unit, case.assignee, case.kind, _second(case.opened), closed


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
        yield a.id, a.kind, a.person, a.approved_by, a.source, *span, limit, a.medium, a.note


def _policies(stage: Stage) -> _Rows:
    since = min(person.since for person in stage.people)
    for system in SYSTEMS.values():
        if system.require:
            yield system.id, since, system.require


def _terminals(stage: Stage) -> _Rows:
    desks: dict[str, Person] = {}
    for person in stage.people:
        desks.setdefault(person.terminal, person)
    for terminal, person in sorted(desks.items()):
        kind = "vendor" if person.kind == "contractor" else "desk"
        yield terminal, person.unit, "本庁舎", kind, person.address


def _second(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat()


FEEDS: Mapping[str, tuple[str, Callable[[Stage], _Rows]]] = MappingProxyType(
    {
        "staff": (
            "staff_id,name,kana,org_unit,post,role,employment,manager_id,valid_from,valid_to,subject_id",
            _staff,
        ),
        "subjects": ("subject_id,household_id,address_key,name_key,former_name_key,flags", _subjects),
        "cases": ("case_id,source,subject_id,org_unit,assignee,kind,opened_at,closed_at", _cases),
        "roster": ("staff_id,start,end,kind,approved_by", _roster),
        "calendar": ("date,org_unit,kind,opens,closes,note", _calendar),
        "approvals": (
            "approval_id,kind,staff_id,approved_by,source,valid_from,valid_to,max_rows,medium_id,note",
            _approvals,
        ),
        "policies": ("source,valid_from,require", _policies),
        "terminals": ("terminal_id,org_unit,site,kind,ip_range", _terminals),
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
