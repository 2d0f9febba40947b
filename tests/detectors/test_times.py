"""Time as detectors see it: cases C5 to C7 of the security review."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from audit.clock import TOKYO, FixedClock
from audit.findings import FindingFilter, FindingService
from audit.log import Delivery, LineReader, Lines
from detectors.cases import act, clock, feeds, look_ups, sign_in
from detectors.registry import DETECTORS
from detectors.runner import Runner

Town = Any
MakeTown = Callable[[Any, Mapping[str, str]], Town]
OFF_HOURS = DETECTORS["off-hours-access"]
MONDAY, HOLIDAY = date(2026, 10, 5), date(2026, 10, 12)
STAFF = feeds(staff=[{"staff_id": "s1", "org_unit": "zeimu"}])
ZONES = [
    UTC, TOKYO, ZoneInfo("America/New_York"), ZoneInfo("Europe/London"), timezone(timedelta(hours=5, minutes=45)),
    timezone(-timedelta(hours=9, minutes=30)),
]  # fmt: skip


def found(town: Town, day: date, detector: Any = OFF_HOURS) -> set[str]:
    return {draft.entity for draft in town.judge(detector, day)}


# C5: zones ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("day", [MONDAY, date(2026, 10, 25), date(2026, 11, 1), date(2026, 3, 30)], ids=str)
def test_C5_a_moment_is_the_same_hour_here_whatever_zone_it_is_written_in(town: MakeTown, zone: Any, day: date) -> None:
    """Days on and around which London and New York turn their clocks."""
    working = day if day.weekday() < 5 else day + timedelta(days=8 - day.isoweekday())
    for hour, expected in ((time(10), set()), (time(17, 20), set()), (time(18), {"s1"}), (time(23, 59), {"s1"})):
        at = datetime.combine(working, hour, TOKYO)
        told = town([{**act(at, "s1"), "time": at.astimezone(zone).isoformat()}], STAFF)
        assert found(told, working) == expected, (hour, zone)
        assert found(told, working + timedelta(days=1)) == set()


def test_C5_nine_o_clock_in_utc_is_six_in_the_evening_here(town: MakeTown) -> None:
    told = town([{**act(clock(MONDAY, "09:00"), "s1"), "time": "2026-10-05T09:00:00Z"}], STAFF)
    (draft,) = told.judge(OFF_HOURS, MONDAY)
    assert draft.entity == "s1"
    assert any("18:00" in reason.ja for reason in draft.reasons)
    assert found(town([act(clock(MONDAY, "09:00"), "s1")], STAFF), MONDAY) == set()


def test_C5_a_time_that_does_not_say_where_is_refused(town: MakeTown) -> None:
    told = town([], {})
    now = datetime(2026, 12, 1, tzinfo=UTC)
    lines = b'{"time": "2026-10-05T22:00:00", "activity": "view", "actor": {"id": "s1"}}'
    appended = told.log.append(Delivery(9, "nhi-eligibility", now), LineReader(now).read(Lines.of(lines)))
    assert appended.stored == 0
    (refused,) = appended.refused
    assert refused.faults[0].where == "time"


# C6: a calendar that changes ------------------------------------------------------------------------------


@pytest.fixture
def judged(town: MakeTown) -> Callable[..., tuple[Town, Runner, FindingService]]:
    """A town with the runner that keeps what it finds."""

    def make(events: Any, given: Mapping[str, str]) -> tuple[Town, Runner, FindingService]:
        told = town(events, given)
        now = FixedClock(datetime(2026, 12, 1, tzinfo=UTC))
        findings = FindingService(told.state, now)
        every = {OFF_HOURS.meta.id: OFF_HOURS}
        return told, Runner(told.log, told.casework, told.context, findings, now, lambda: every), findings

    return make


def statuses(findings: FindingService) -> list[tuple[str, ...]]:
    listed = [findings.listing(FindingFilter(status=status)) for status in ("open", "withdrawn")]
    return [tuple(one.actors[0] for one in found) for found in listed]


@pytest.mark.parametrize(
    ("day", "at", "before", "calendar"),
    [
        (MONDAY, "10:00", (), "2026-10-05,,closed,,,市制記念日"),
        (MONDAY, "15:00", (), "2026-10-05,zeimu,open,08:30,12:00,半日"),
        (HOLIDAY, "10:00", ("s1",), "2026-10-12,zeimu,open,08:30,17:15,休日開庁"),
        (date(2026, 11, 23), "22:00", ("s1",), "2026-11-23,,open,08:30,24:00,開票事務"),
        (date(2026, 9, 22), "10:00", ("s1",), "2026-09-22,,open,08:30,17:15,災害対応"),
    ],
    ids=["closed late", "half-day late", "open on a holiday", "election night", "disaster duty"],
)
def test_C6_a_calendar_that_comes_late_judges_the_day_anew_and_is_on_record(
    judged: Any, day: date, at: str, before: tuple[str, ...], calendar: str
) -> None:
    told, runner, findings = judged([act(clock(day, at), "s1")], STAFF)
    runner.run()
    assert statuses(findings)[0] == before
    first = findings.last_runs(OFF_HOURS.meta.id)[clock(day, "00:00")]
    header = "date,org_unit,kind,opens,closes,note\n"
    told.context.import_feed("calendar", f"{header}{calendar}\n".encode())
    runner.run()
    then = findings.last_runs(OFF_HOURS.meta.id)[clock(day, "00:00")]
    assert then.context_revision > first.context_revision
    after: tuple[str, ...] = () if before else ("s1",)
    assert statuses(findings) == [after, before]
    if after:
        (finding,) = findings.listing(FindingFilter(status="open"))
        said = calendar.rsplit(",", 1)[1] if ",closed," in calendar else "12:00"
        assert any(said in reason.ja for reason in finding.reasons), finding.reasons


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 5, 6), "振替休日"), (date(2026, 9, 22), "国民の休日"), (date(2025, 12, 30), "年末年始"),
        (date(2026, 1, 2), "年末年始"),
    ],
)  # fmt: skip
def test_C6_days_that_the_law_closes_are_told_by_their_name(town: MakeTown, day: date, name: str) -> None:
    (draft,) = town([act(clock(day, "10:00"), "s1")], STAFF).judge(OFF_HOURS, day)
    assert any(name in reason.ja for reason in draft.reasons), draft.reasons


# C7: nights and the turn of the year ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "evening",
    [date(2026, 10, 5), date(2026, 10, 30), date(2025, 12, 31), date(2026, 3, 31), date(2026, 2, 28)],
    ids=["a week", "a month", "a year", "a fiscal year", "a February"],
)
def test_C7_a_night_shift_is_work_on_both_sides_of_midnight(town: MakeTown, evening: date) -> None:
    morning = evening + timedelta(days=1)
    roster = [
        {"staff_id": "s1", "start": f"{evening}T22:00:00", "end": f"{morning}T07:00:00", "kind": "shift"},
    ]  # fmt: skip
    given = feeds(staff=[{"staff_id": s, "org_unit": "zeimu"} for s in ("s1", "s2")], roster=roster)
    nights = [clock(evening, "22:30"), clock(evening, "23:59"), clock(morning, "00:01"), clock(morning, "06:40")]
    told = town([act(at, person) for at in nights for person in ("s1", "s2")], given)
    assert (found(told, evening), found(told, morning)) == ({"s2"}, {"s2"})
    late = town([act(clock(morning, "10:00" if morning.weekday() > 4 else "20:00"), "s1")], given)
    assert found(late, morning) == {"s1"}, "the shift is over"


MOVED, APRIL = 40, date(2026, 4, 1)
_UNITS = ("zeimu/kazei", "hoken/shikaku", "kaigo/nintei", "shimin/madoguchi")
_SYSTEMS = dict(zip(_UNITS, ("tax", "nhi-eligibility", "care", "resident-register"), strict=True))


def a_year_s_end() -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Forty of eighty people change sections on 1 April: new systems, terminals, residents; a long first evening."""
    staff, events, cases, roster = [], [], [], []
    before = [APRIL - timedelta(days=back) for back in (1, 2, 5, 6, 7, 8, 9)]
    for number in range(2 * MOVED):
        person, old = f"s{number:03d}", _UNITS[number % 4]
        new = _UNITS[(number + 1) % 4] if number < MOVED else old
        if new == old:
            staff.append({"staff_id": person, "org_unit": old})
        else:
            staff += [
                {"staff_id": person, "org_unit": old, "valid_to": "2026-03-31"},
                {"staff_id": person, "org_unit": new, "valid_from": "2026-04-01"},
            ]
            roster.append(
                {"staff_id": person, "start": f"{APRIL}T17:15:00", "end": f"{APRIL}T20:00:00", "kind": "overtime",
                 "approved_by": f"s{(number + 41) % 80:03d}"}
            )  # fmt: skip
        for day in [*before, APRIL]:
            unit = new if day == APRIL else old
            address = f"10.{_UNITS.index(unit) + 1}.0.{number + 1}"
            source = _SYSTEMS[unit]
            events += [sign_in(clock(day, "08:31"), person, address, unit=unit, source=source)]
            events += look_ups(
                day, person, 20, unit=unit, source=source, ip=address, first=200 * _UNITS.index(unit) + 1
            )
        if new != old:
            grant = {"target": {"id": person}, "source": _SYSTEMS[new], "operation_name": "grant_role"}
            events.append(act(clock(APRIL, "08:05"), "s079", "grant", **grant))
            first = f"k-{200 * _UNITS.index(new) + 1:04d}"
            events.append(act(clock(APRIL, "18:40"), person, unit=new, source=_SYSTEMS[new], subjects=[first]))
    for place, unit in enumerate(_UNITS):
        cases += [
            {"case_id": f"c-{place}-{n}", "subject_id": f"k-{200 * place + n:04d}", "org_unit": unit,
             "kind": "application", "opened_at": "2026-03-01T09:00:00+09:00"}
            for n in range(1, 21)
        ]  # fmt: skip
    return events, feeds(staff=staff, cases=cases, roster=roster)


def test_C7_the_day_on_which_forty_people_change_sections_floods_nobody(town: MakeTown) -> None:
    """All detectors together: fewer findings than one in ten of those who moved; who abuses the day is among them."""
    events, given = a_year_s_end()
    abuse = act(clock(APRIL, "23:10"), "s078", unit=_UNITS[2], source=_SYSTEMS[_UNITS[2]], subjects=["k-9999"])
    told = town([*events, abuse], given)
    for day, sought in ((APRIL, {"s078"}), (APRIL + timedelta(days=1), set())):
        found = [(name, draft.entity) for name, one in DETECTORS.items() for draft in told.judge(one, day)]
        assert sought <= {entity for _, entity in found}
        assert len(found) <= MOVED // 10, found
