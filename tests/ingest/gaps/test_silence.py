"""Silence in business time: over nights, weekends, holidays and the year's end; late filling; a corrected calendar."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.casework import Casework
from audit.casework.repository import LookUpRepository
from audit.clock import TOKYO
from audit.context import CalendarDay, WorkContext
from audit.findings import Severity
from audit.log import Filter
from detectors.registry import DETECTORS
from detectors.runner import Runner
from ingest.gaps import SourceState
from ingest.gaps.silence import Heard, joined, silences
from ingest.gaps.timetable import Timetable
from ingest.sources.profile import Rhythm

SILENCE = "source-silence"


def jst(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("heard", "due"),
    [
        ("2026-10-05 09:00", "2026-10-05 13:00"),
        ("2026-10-05 15:15", "2026-10-06 10:30"),  # two hours today, two tomorrow
        ("2026-10-05 07:00", "2026-10-05 12:30"),  # before opening nothing runs
        ("2026-10-05 20:00", "2026-10-06 12:30"),
        ("2026-10-09 17:00", "2026-10-13 12:15"),  # a Friday before a long weekend: スポーツの日 is closed
        ("2026-12-28 16:15", "2027-01-04 11:30"),  # 年末年始
        ("2027-03-19 16:15", "2027-03-23 11:30"),  # a Friday; 春分の日 is a Sunday and its substitute the Monday
    ],
)
def test_working_hours_run_only_while_the_town_works(heard: str, due: str) -> None:
    assert Timetable(Rhythm("continuous", 4.0), WorkContext()).due(jst(heard)) == jst(due)


@pytest.mark.parametrize(
    ("heard", "due"),
    [
        ("2026-10-05 09:00", "2026-10-07 00:00"),
        ("2026-10-09 23:59", "2026-10-14 00:00"),
        ("2026-10-11 03:00", "2026-10-14 00:00"),
        ("2026-12-28 12:00", "2027-01-05 00:00"),
    ],
)
def test_a_daily_source_owes_something_on_every_working_day(heard: str, due: str) -> None:
    assert Timetable(Rhythm("daily"), WorkContext()).due(jst(heard)) == jst(due)


def test_around_the_clock_and_irregular() -> None:
    friday = jst("2026-10-09 23:00")
    assert Timetable(Rhythm("continuous", 6.0, around_the_clock=True), WorkContext()).due(friday) == friday + timedelta(
        hours=6
    )
    assert Timetable(Rhythm("daily", around_the_clock=True), WorkContext()).due(friday) == jst("2026-10-11 00:00")
    assert Timetable(Rhythm("irregular"), WorkContext()).due(friday) is None


def test_a_town_that_never_opens_owes_nothing() -> None:
    first = jst("2026-10-05 09:00").date()
    closed = [CalendarDay(first + timedelta(days=n), "", "closed", "", "", "") for n in range(400)]
    assert Timetable(Rhythm("continuous"), WorkContext.of(calendar=closed)).due(jst("2026-10-05 09:00")) is None
    assert Timetable(Rhythm("daily"), WorkContext.of(calendar=closed)).due(jst("2026-10-05 09:00")) is None


def test_the_order_of_arrival_does_not_matter() -> None:
    timetable = Timetable(Rhythm("continuous", 1.0, around_the_clock=True), WorkContext())
    spans = [Heard(jst(f"2026-10-05 {h:02}:00"), jst(f"2026-10-05 {h:02}:30")) for h in (3, 1, 7, 2, 6)]
    expected = joined(spans, timetable)
    one_by_one: list[Heard] = []
    for span in reversed(spans):
        one_by_one = joined([*one_by_one, span], timetable)
    assert one_by_one == expected
    holes = silences(expected, timetable, jst("2026-10-05 08:00"), jst("2026-10-01 00:00"))
    assert [(one.due.hour, one.again and one.again.hour) for one in holes] == [(4, 6)]


def test_one_finding_from_its_first_missed_moment_until_it_ends(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=4.0)
    town.at("10-05 11:00").hear("10-05 10:00", "10-05 11:00")
    assert town.look().opened == 0
    assert town.at("10-05 15:10").look().opened == 0  # due at 15:00, but it may be under way
    assert town.gaps.health("src").state is SourceState.LATE
    assert town.at("10-05 15:15").look().opened == 1
    for later in ("10-05 17:00", "10-06 09:00", "10-08 12:00"):
        assert town.at(later).look().opened == 0
        (found,) = town.found(SILENCE)
        assert (found.start, found.end, found.status) == (jst("2026-10-05 15:00"), jst(f"2026-{later}"), "open")
    assert (found.actors, found.subjects, found.source, found.severity) == ((), (), "src", Severity.MEDIUM)
    assert len(found.evidence) == 1
    assert "10月5日 11:00" in found.reasons[0].ja
    assert town.gaps.health("src").state is SourceState.SILENT
    town.at("10-08 13:00").hear("10-08 13:00", name="again.jsonl")
    assert town.look().filled == 1
    (found,) = town.found()
    assert (found.status, found.end) == ("filled", jst("2026-10-08 13:00"))
    assert found.settled_by == "2 again.jsonl"
    assert len(found.evidence) == 2
    assert "again.jsonl" in found.reasons[-1].en
    assert "no event has arrived" in found.reasons[-1].en
    assert found.to_contract()["settled"]["by"] == "2 again.jsonl"
    assert town.gaps.health("src").state is SourceState.OK


def test_weekend_holiday_and_year_end_are_no_silence(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=4.0)
    town.source("night", expected="daily")
    town.at("10-09 17:10").hear("10-09 17:10")
    town.hear("10-09 17:10", source="night")
    assert town.look().opened == 0
    assert town.at("10-13 12:00").look().opened == 0  # Tuesday after スポーツの日
    assert town.at("10-13 12:45").look().opened == 1  # 08:30 + 4 h - 5 min on Friday, + 15 min
    assert town.at("10-14 11:00").look().opened == 0
    assert town.at("10-14 12:00").look().opened == 1
    assert [(found.source, found.start) for found in town.found(SILENCE)] == [
        ("src", jst("2026-10-13 12:25")),
        ("night", jst("2026-10-14 00:00")),
    ]
    town.at("12-28 17:00").hear("12-28 17:00")
    town.hear("12-28 17:00", source="night")
    town.look()
    assert all(found.status == "filled" for found in town.found(SILENCE))
    assert town.at("2027-01-04 12:00").look().opened == 0
    assert town.at("2027-01-04 12:45").look().opened == 1


def test_a_late_delivery_fills_the_silence(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=4.0)
    town.at("10-05 09:00").hear("10-05 09:00")
    town.at("10-06 10:00").look()
    assert town.found(SILENCE)[0].status == "open"
    town.hear("10-05 12:00", "10-05 15:00", "10-05 17:00", "10-06 09:30", name="late")
    assert town.look().filled == 1
    (found,) = town.found(SILENCE)
    assert found.status == "filled"
    assert "4 events of that time have arrived since (delivery 2, late" in found.reasons[-1].en


def test_a_silence_that_late_events_make_smaller(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=2.0, around_the_clock=True)
    town.at("10-05 20:00").hear("10-05 08:00", "10-05 20:00")
    assert (town.look().opened, town.found()[0].status) == (1, "filled")
    town.hear("10-05 09:00")
    town.look()
    shorter = town.found(SILENCE)
    assert [(one.start, one.end, one.status) for one in shorter] == [
        (jst("2026-10-05 10:00"), jst("2026-10-05 20:00"), "filled"),
        (jst("2026-10-05 11:00"), jst("2026-10-05 20:00"), "filled"),
    ]
    assert "arrived since" in shorter[0].reasons[-1].en
    town.hear("10-05 15:00")
    town.look()
    assert [(one.start.hour + 9, one.end.hour + 9) for one in town.found(SILENCE)] == [(10, 20), (11, 15), (17, 20)]


def test_a_silence_that_ended_before_it_was_looked_at_is_told(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=4.0)
    town.at("10-06 17:00").hear("10-05 09:00", "10-06 16:00")
    summary = town.look()
    assert (summary.opened, summary.filled) == (1, 1)
    (found,) = town.found(SILENCE)
    assert (found.start, found.end, found.status) == (jst("2026-10-05 13:00"), jst("2026-10-06 16:00"), "filled")


def test_silent_since_before_we_listened_is_no_gap(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=4.0)
    town.source("never", expected="daily")
    town.at("10-05 09:00").hear("09-01 10:00", "09-01 11:00")
    assert town.at("10-20 09:00").look().opened == 0
    assert town.gaps.health("never").state is SourceState.NEVER
    assert town.gaps.health("src").state is SourceState.OK


def test_T4_late_events_re_open_the_windows_they_belong_to(town: Any) -> None:
    casework = Casework(LookUpRepository(town.store), town.context)
    runner = Runner(town.log, casework, town.context, town.findings, town.clock, lambda: DETECTORS)
    town.at("2027-01-05 09:00").hear("2026-12-31 23:59", "2027-01-01 00:00")
    assert [day.isoformat() for day in runner.run().days] == ["2026-12-31", "2027-01-01"]
    assert runner.run().windows == 0
    town.hear("2026-12-31 23:58", "2026-12-28 10:00")
    assert [day.isoformat() for day in runner.run().days] == ["2026-12-28", "2026-12-31", "2027-01-01"]


def test_a_source_that_is_expected_is_missed_even_if_it_never_came(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=4.0)
    town.expected = ("src",)
    town.gaps = town.watch()
    assert town.at("10-05 09:00").look().opened == 0
    assert town.at("10-05 14:00").look().opened == 1
    (found,) = town.found(SILENCE)
    assert found.evidence == ()
    town.hear("10-05 14:00")
    assert town.look().filled == 1


def test_C6_a_half_day_added_late_withdraws_the_silence(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=4.0)
    town.at("10-05 17:00").hear("10-05 17:00")
    assert town.at("10-06 17:00").look().opened == 1
    half_day = b"date,kind,opens,closes,note\n2026-10-06,open,08:30,%s,disaster drill\n"
    town.context.import_feed("calendar", half_day % b"10:00")
    assert town.look().withdrawn == 1
    (found,) = town.found(SILENCE, status="withdrawn")
    assert "calendar" in found.reasons[-1].en
    assert town.found(SILENCE) == []
    town.context.import_feed("calendar", half_day % b"17:15")
    town.at("10-06 17:10").look()
    (again,) = town.found(SILENCE)
    assert (again.id, again.status) == (found.id, "open")


def test_C6_a_sunday_on_duty_counts_and_holes_of_before_are_found(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=4.0)
    town.at("10-12 18:00").hear("10-10 17:00", "10-12 18:00")  # Saturday, and the holiday's evening
    assert town.look().opened == 0
    town.context.import_feed("calendar", b"date,kind,opens,closes\n2026-10-11,open,08:30,17:15\n")
    assert town.look().opened == 1
    assert town.found(SILENCE)[0].start == jst("2026-10-11 12:30")


def test_C4_our_own_clock_set_back_withdraws_nothing(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=4.0)
    town.at("10-05 09:00").hear("10-05 09:00")
    town.at("10-05 14:00").look()
    assert town.at("10-05 12:00").look().withdrawn == 0
    assert town.found(SILENCE)[0].status == "open"
    assert town.at("10-05 14:30").look().opened == 0
    assert len(town.found(SILENCE)) == 1


def test_C5_the_same_events_in_any_zone_are_the_same_silence(town: Any) -> None:
    """New York turns its clocks on 1 November 2026; an event's moment is what counts, whatever offset it came with."""
    for source in ("tokyo", "utc", "york"):
        town.source(source, expected="continuous", silence_hours=3.0, around_the_clock=True)
    town.at("11-01 14:40")
    moments = [
        ("2026-11-01T13:30:00+09:00", "2026-11-01T14:30:00+09:00"),
        ("2026-11-01T04:30:00Z", "2026-11-01T05:30:00Z"),
        ("2026-11-01T00:30:00-04:00", "2026-11-01T01:30:00-04:00"),
    ]
    for source, times in zip(("tokyo", "utc", "york"), moments, strict=True):
        town.take(*({"time": time} for time in times), source=source)
    assert town.at("11-01 17:40").look().opened == 0
    assert town.at("11-01 17:45").look().opened == 3
    assert {found.start for found in town.found(SILENCE)} == {jst("2026-11-01 17:30")}


def test_T4_late_events_out_of_order_over_the_year_end_leave_no_gap(town: Any) -> None:
    town.source("src", expected="daily")
    days = ["2026-12-25 10:00", "2026-12-28 23:59", "2027-01-04 00:00", "2027-01-05 10:00"]
    town.at("2026-12-25 10:00").hear(days[0])
    town.at("2027-01-06 09:00").hear(days[3])
    assert town.look().filled == 1  # 28 December and 4 January are missed
    town.hear(days[2], days[1])
    town.look()
    (found,) = town.found(SILENCE)
    assert "2 events of that time have arrived since" in found.reasons[-1].en
    assert [event.time for event in town.log.each(Filter())] == [jst(day) for day in days]


def _days_of(town: Any, count: int, *times: str) -> None:
    """Some weeks in which a source is heard at these times of every day."""
    first = jst("2026-10-05 00:00")
    for n in range(count):
        day = first + timedelta(days=n)
        if day.weekday() < 5:
            town.at(day.replace(hour=18))
            town.hear(*(f"{day:%Y-%m-%d} {at}" for at in times), name=f"{day:%m-%d}")


def test_a_pause_that_a_source_of_few_events_often_has_is_no_silence(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=4.0)
    _days_of(town, 19, "09:00", "16:50")
    town.look_twice()
    late = [finding for finding in town.found(SILENCE) if finding.start >= jst("2026-10-19 00:00")]
    assert late == []


def test_a_source_of_many_events_is_silent_after_as_long(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=4.0)
    _days_of(town, 18, *(f"{hour:02}:{minute:02}" for hour in range(9, 17) for minute in (0, 20, 40)))
    town.at("2026-10-23 14:30").hear("2026-10-23 09:00", "2026-10-23 09:20", name="last")
    town.look_twice()
    (finding,) = [finding for finding in town.found(SILENCE) if finding.start >= jst("2026-10-19 00:00")]
    assert finding.start == jst("2026-10-23 13:20")
