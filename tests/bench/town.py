"""A town hall of any size, made inside the engine: people who work on cases of their unit, and the feeds that say so.

Twenty people make a unit; a unit works in one system and now and then in a second. Work comes in visits of six acts: a
search, looks at the records of one household, a change, a print. Of a hundred visits 97 are to the household of an
open case of the unit, half of these to the person's own; three are to a household drawn by lot. Every other person does
three times the work of their neighbour. One in twenty works late too, and the roster says so of three in four of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from audit.clock import day_start
from audit.context import FeedRow
from audit.context.service import ContextService
from audit.store.clickhouse import EventStore, Purpose

__all__ = ["SYSTEMS", "Town"]

SYSTEMS = (
    "nhi-eligibility", "nhi-levy", "resident-register", "atena", "ltci-core", "latter-elderly", "tax", "welfare",
    "childcare", "pension", "collection", "arrears",
)  # fmt: skip
_IN_UNIT = 20
_ACTS = 6
_OPEN = 400
"""Cases that a unit has open at a time; every day sixty are closed and as many opened."""
_DAILY = 60

_FILL = """
INSERT INTO events (log_index, source, received_at, delivery, class_uid, activity_id, activity, actor_id, actor_kind,
    actor_org_unit, auth_factors, case_id, event_id, export_approval_id, export_rows, operation_name, outcome, query_by,
    query_hits, recorded_at, screen, sequence, session, subjects, subject_count, terminal_id, terminal_ip, time)
WITH intDiv(number, 6) AS visit, number % 6 AS step, cityHash64(visit, {day:UInt32}) AS h,
    visit * 1000 >= {visits:UInt64} * 997 AS late, visit % 12 AS main, intDiv(visit, 12) AS round,
    intDiv({units:UInt32}, 12) AS alike, if((round + intDiv(round, 40 * alike)) % 4 = 0, 7, 0) AS other,
    (main + other) % 12 + 12 * (round % alike) AS unit, intDiv(round, alike) % 40 AS turn,
    multiIf(late, 0, turn < 10, 2 * turn + 1, 2 * (turn % 10)) AS place,
    unit + {units:UInt32} * place AS person,
    {day:UInt32} * 60 + intDiv(h, 10007) % 400 AS drawn,
    if(intDiv(h, 101) % 2 = 0, drawn, drawn - drawn % 20 + place) AS numbered,
    unit + {units:UInt32} * numbered AS of_case, intDiv(h, 1009) % 100 < 3 AS stray,
    if(stray, intDiv(h, 1013) % {households:UInt32}, (of_case * 7919) % {households:UInt32}) AS household,
    2 * household + intDiv(h, 1021) % 2 AS resident,
    {systems:Array(String)}[main + 1] AS system,
    intDiv(h, 1031) % 100 < cityHash64(person, {day:UInt32}) % 20 AS machine,
    multiIf(machine, 'job_run', step = 0 AND intDiv(h, 1033) % 40 = 0, 'login', step = 0, 'search',
        step = 4 AND intDiv(h, 1039) % 5 < 2, 'update', step = 5 AND intDiv(h, 1049) % 1000 = 0, 'export',
        step = 5 AND intDiv(h, 1051) % 10 < 3, 'print', 'view') AS act,
    act IN ('view', 'update', 'print') AS of_resident,
    {open:DateTime64(6, 'UTC')} + toIntervalMillisecond(
        if(late, 32400000 + intDiv((visit * 1000 - {visits:UInt64} * 997) * 9000000, {visits:UInt64} * 3),
            intDiv(visit * 31000000, {visits:UInt64})) + step * 15000 + h % 5000) AS at
SELECT {base:UInt64} + number, system, at + toIntervalSecond(40), {day:UInt32} + 1, 6005, 2, act,
    if(machine, concat('job-', system), concat('s', leftPad(toString(person), 5, '0'))),
    if(machine, 'system', 'staff'), if(machine, '', concat('d', toString(unit % 25), '/u', toString(unit))),
    if(act = 'login', ['password', 'palm_vein'], []),
    if(of_resident AND NOT stray AND unit % 2 = 0, concat('c-', toString(of_case)), ''),
    concat('e-', leftPad(toString({base:UInt64} + number), 12, '0')),
    if(act = 'export', concat('a-', toString(person)), ''), if(act = 'export', 40, NULL),
    act, if(act = 'login' AND intDiv(h, 1061) % 50 = 0, 'failure', 'success'),
    if(act = 'search', if(intDiv(h, 1063) % 3 = 0, 'number', 'name'), ''), if(act = 'search', 1 + h % 4, NULL),
    at + toIntervalMillisecond(3 + h % 400), concat('S', toString(step)),
    {numbered:UInt64} + round * 6 + step + 1,
    hex(cityHash64(person, {day:UInt32})),
    if(of_resident, [concat('00', leftPad(toString(resident), 8, '0'))], []), if(of_resident, 1, 0),
    if(machine, 'server', concat('T-', toString(person))),
    concat('10.', toString(intDiv(person, 40000)), '.', toString(intDiv(person, 200) % 200), '.',
        toString(person % 200 + 1)), at
FROM numbers({count:UInt64})
SETTINGS max_insert_threads = 1
"""


def _resident(number: int) -> str:
    return f"00{number:08d}"


def _person(number: int) -> str:
    return f"s{number:05d}"


@dataclass(frozen=True, slots=True)
class Town:
    """One town.

    Attributes:
        staff: how many, a multiple of 240.
        residents: how many.
        days: the working days, in order.
    """

    staff: int
    residents: int
    days: Sequence[date]

    @property
    def units(self) -> int:
        """How many units there are."""
        return self.staff // _IN_UNIT

    @property
    def households(self) -> int:
        """How many households there are, of two residents each."""
        return self.residents // 2

    def unit(self, person: int) -> str:
        """The unit of somebody."""
        number = person % self.units
        return f"d{number % 25}/u{number}"

    @staticmethod
    def whole(count: int) -> int:
        """How many events a day has that shall have about so many: as many visits in every system."""
        share = _ACTS * len(SYSTEMS)
        return max(count // share, 1) * share

    def fill(self, store: EventStore, place: int, count: int) -> None:
        """Put a day into the log.

        Args:
            store: whose log.
            place: which day, by its place among the days.
            count: how many events, about.
        """
        base = store.rows("SELECT count() AS n FROM events", purpose=Purpose.MIGRATE)[0]["n"]
        values = {
            "day": place,
            "units": self.units,
            "households": self.households,
            "systems": list(SYSTEMS),
            "numbered": base // len(SYSTEMS),
            "open": day_start(self.days[place]) + timedelta(hours=8, minutes=30),
            "visits": self.whole(count) // _ACTS,
            "base": base,
            "count": self.whole(count),
        }
        store.command(_FILL, values, purpose=Purpose.MIGRATE)

    def tell(self, context: ContextService) -> dict[str, int]:
        """Bring the feeds in; how many rows each has."""
        feeds = {
            "staff": self._staff(),
            "subjects": self._subjects(),
            "cases": self._cases(),
            "roster": self._roster(),
            "approvals": self._approvals(),
            "terminals": self._terminals(),
            "policies": self._policies(),
        }
        return {kind: context.import_rows(kind, list(rows)).read for kind, rows in feeds.items()}

    def _staff(self) -> Iterator[FeedRow]:
        begin = day_start(date(2020, 4, 1))
        for person in range(self.staff):
            yield {
                "staff_id": _person(person), "name": f"職員{person}", "kana": "", "org_unit": self.unit(person),
                "post": "", "role": "clerk", "employment": "regular", "manager_id": _person(person % self.units),
                "valid_from": begin, "valid_to": None, "subject_id": _resident(person * 37 % self.residents),
            }  # fmt: skip

    def _subjects(self) -> Iterator[FeedRow]:
        for resident in range(self.residents):
            home = resident // 2
            yield {
                "subject_id": _resident(resident), "household_id": f"h{home}",
                "address_key": f"b{home // 10}" if home % 3 == 0 else f"l{home}",
                "name_key": f"n{home * home % 9973 * 7 % (1 + home % 4000)}", "former_name_key": "",
                "flags": "protected" if home % 250 == 0 else "",
            }  # fmt: skip

    def _cases(self) -> Iterator[FeedRow]:
        for number in range(len(self.days) * _DAILY + _OPEN):
            opened = max(0, (number - _OPEN) // _DAILY + 1)
            closed = number // _DAILY
            for unit in range(self.units):
                one = unit + self.units * number
                yield {
                    "case_id": f"c-{one}", "source": "", "subject_id": _resident(one * 7919 % self.households * 2),
                    "org_unit": self.unit(unit), "assignee": _person(unit + self.units * (number % _IN_UNIT)),
                    "kind": "application", "opened_at": self._at(opened, 0) if opened < len(self.days) else self._end,
                    "closed_at": self._at(closed, 24) if closed < len(self.days) else None,
                }  # fmt: skip

    def _roster(self) -> Iterator[FeedRow]:
        for place in range(len(self.days)):
            for person in (one for one in range(self.units) if one % 4):
                yield {
                    "staff_id": _person(person), "start": self._at(place, 17), "end": self._at(place, 22),
                    "kind": "overtime", "approved_by": _person(person % self.units + self.units),
                }  # fmt: skip

    def _approvals(self) -> Iterator[FeedRow]:
        span: dict[str, Any] = {"valid_from": self._at(0, 0), "valid_to": None, "medium_id": "", "note": ""}
        for person in range(self.staff):
            yield {
                "approval_id": f"a-{person}", "kind": "export", "staff_id": _person(person),
                "approved_by": _person((person + 7) % self.staff), "source": "", "max_rows": 100, **span,
            }  # fmt: skip

    def _terminals(self) -> Iterator[FeedRow]:
        for person in range(self.staff):
            yield {
                "terminal_id": f"T-{person}", "org_unit": self.unit(person), "site": "", "kind": "desk",
                "ip_range": f"10.{person // 40000}.{person // 200 % 200}.{person % 200 + 1}",
            }  # fmt: skip

    def _policies(self) -> Iterator[FeedRow]:
        for system in SYSTEMS:
            yield {"source": system, "valid_from": self._at(0, 0), "require": "password+palm_vein"}

    @property
    def _end(self) -> datetime:
        return self._at(len(self.days) - 1, 24)

    def _at(self, place: int, hour: int) -> datetime:
        return day_start(self.days[place]) + timedelta(hours=hour)
