"""Whose word counts: roster, calendars of units and their parents, posts in turn, approved times."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from audit.clock import TOKYO
from audit.context import (
    CalendarDay,
    Post,
    RosterKind,
    RosterSpan,
    TimeWindow,
    WorkContext,
)

MONDAY, SUNDAY = date(2026, 10, 5), date(2026, 10, 4)


def hours_of(day: date, opens: time, closes: time) -> tuple[datetime, datetime]:
    """When a unit is open on a day."""
    return datetime.combine(day, opens, TOKYO), datetime.combine(day, closes, TOKYO)


USUAL = hours_of(MONDAY, time(8, 30), time(17, 15))


def at(day: int, hour: int, minute: int = 0, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=TOKYO)


def entry(day: date, unit: str, kind: str, opens: str = "", closes: str = "", *, note: str = "") -> CalendarDay:
    return CalendarDay(day, unit, kind, opens, closes, note)


def post(unit: str, start: datetime | None, end: datetime | None, staff_id: str = "s1") -> Post:
    return Post(staff_id, "", unit, "", "", "regular", "", "", start, end)


def duty(start: datetime, end: datetime, kind: RosterKind, approved_by: str = "") -> RosterSpan:
    return RosterSpan("s1", start, end, kind, approved_by)


def spans(context: WorkContext, day: date, unit: str = "a") -> list[tuple[datetime, datetime, str]]:
    return [(span.start, span.end, span.why) for span in context.working("s1", unit, day)]


@pytest.mark.parametrize(("by", "own_word", "counts"), [("s9", False, True), ("", False, False), ("s1", False, False),
                                                        ("s9", True, False)])  # fmt: skip
def test_overtime_counts_by_the_word_of_somebody_else(by: str, *, own_word: bool, counts: bool) -> None:
    night = RosterSpan("s1", at(4, 18), at(4, 22), RosterKind.OVERTIME, by, own_word)
    assert night.approved is counts
    assert bool(spans(WorkContext.of(roster=[night]), SUNDAY)) is counts


def test_without_feeds_the_law_and_the_usual_hours_hold() -> None:
    context = WorkContext()
    assert context.hours("a", MONDAY) == USUAL
    assert context.hours("a", SUNDAY) is None
    assert context.closed("a", date(2026, 10, 12)) == "スポーツの日"
    assert spans(context, MONDAY) == [(at(5, 8, 30), at(5, 17, 15), "calendar")]
    assert spans(context, SUNDAY) == []


def test_a_calendar_closes_a_weekday_and_opens_a_sunday() -> None:
    context = WorkContext.of(
        calendar=[entry(MONDAY, "", "closed", note="市制記念日"), entry(SUNDAY, "", "open", "9:00", "12:00")]
    )
    assert context.closed("a", MONDAY) == "市制記念日"
    assert context.hours("a", MONDAY) is None
    assert context.hours("a", SUNDAY) == hours_of(SUNDAY, time(9), time(12))


@pytest.mark.parametrize(
    ("unit", "hours"),
    [
        ("a/b/c", hours_of(MONDAY, time(13), time(17, 15))),  # its own word
        ("a/b/x", hours_of(MONDAY, time(8, 30), time(19))),  # its parent's
        ("a/b", hours_of(MONDAY, time(8, 30), time(19))),
        ("a/x", None),  # its grandparent's
        ("ab", hours_of(MONDAY, time(10), time(16))),  # everyone's: a like name is no parent
        ("", hours_of(MONDAY, time(10), time(16))),
    ],
)
def test_the_nearest_unit_s_word_counts(unit: str, hours: tuple[datetime, datetime] | None) -> None:
    context = WorkContext.of(
        calendar=[
            entry(MONDAY, "", "open", "10:00", "16:00"),
            entry(MONDAY, "a", "closed"),
            entry(MONDAY, "a/b", "open", closes="19:00"),
            entry(MONDAY, "a/b/c", "open", opens="13:00"),
        ]
    )
    assert context.hours(unit, MONDAY) == hours
    assert bool(context.closed(unit, MONDAY)) is (hours is None)


def test_a_busy_day_keeps_its_hours() -> None:
    context = WorkContext.of(calendar=[entry(MONDAY, "a", "busy"), entry(SUNDAY, "", "busy")])
    assert context.hours("a", MONDAY) == USUAL
    assert context.hours("b", SUNDAY) is None


def test_an_office_may_close_at_midnight() -> None:
    context = WorkContext.of(calendar=[CalendarDay(MONDAY, "a", "open", "08:30", "24:00", "")])
    hours = context.hours("a", MONDAY)
    assert hours is not None
    assert hours[1] - hours[0] == timedelta(hours=15, minutes=30)


def test_a_shift_replaces_the_hours_and_overtime_adds_when_approved() -> None:
    shift = duty(at(5, 13), at(5, 21), RosterKind.SHIFT)
    assert spans(WorkContext.of(roster=[shift]), MONDAY) == [(at(5, 13), at(5, 21), "roster:shift")]
    asked, granted = (duty(at(5, 18), at(5, 20), RosterKind.OVERTIME, by) for by in ("", "s9"))
    assert len(spans(WorkContext.of(roster=[asked]), MONDAY)) == 1
    assert spans(WorkContext.of(roster=[granted]), MONDAY)[1] == (at(5, 18), at(5, 20), "roster:overtime")


@pytest.mark.parametrize("kind", [RosterKind.STANDBY, RosterKind.TRAINING])
def test_standby_and_training_are_work_even_on_a_sunday(kind: RosterKind) -> None:
    context = WorkContext.of(roster=[duty(at(4, 8), at(4, 20), kind)])
    assert spans(context, SUNDAY) == [(at(4, 8), at(4, 20), f"roster:{kind}")]


def test_a_night_shift_counts_for_both_days() -> None:
    night = (at(5, 21), at(6, 5), "roster:shift")
    context = WorkContext.of(roster=[duty(night[0], night[1], RosterKind.SHIFT)])
    assert spans(context, MONDAY) == [night]
    assert spans(context, date(2026, 10, 6)) == [night, (at(6, 8, 30), at(6, 17, 15), "calendar")]
    assert spans(context, date(2026, 10, 7)) == [(at(7, 8, 30), at(7, 17, 15), "calendar")]


def test_leave_holds_to_its_exact_end_and_is_no_work() -> None:
    context = WorkContext.of(roster=[duty(at(5, 13), at(5, 17, 15), RosterKind.LEAVE)])
    asked = [context.on_leave("s1", moment) for moment in (at(5, 12, 59), at(5, 13), at(5, 17, 14), at(5, 17, 15))]
    assert [leave is not None for leave in asked] == [False, True, True, False]
    assert context.on_leave("s2", at(5, 14)) is None
    assert spans(context, MONDAY) == [(at(5, 8, 30), at(5, 17, 15), "calendar")]


def test_the_post_held_at_that_hour_counts() -> None:
    april = datetime(2026, 4, 1, tzinfo=TOKYO)
    context = WorkContext.of(posts=[post("old", None, april), post("new", april, None)])
    assert context.unit_of("s1", datetime(2026, 3, 31, 23, 59, 59, tzinfo=TOKYO)) == "old"
    assert context.unit_of("s1", april) == "new"


def test_of_two_posts_the_later_counts_and_unknown_people_have_none() -> None:
    context = WorkContext.of(posts=[post("acting", at(1, 0), at(9, 0)), post("own", at(1, 0, month=4), None)])
    assert context.unit_of("s1", at(5, 9)) == "acting"
    assert context.unit_of("s1", at(9, 0)) == "own"
    assert context.knows("s1")
    assert not context.knows("s2")
    assert context.post_at("s2", at(5, 9)) is None
    assert context.unit_of("s2", at(5, 9), "what the event says") == "what the event says"


@pytest.mark.parametrize(
    ("staff_id", "source", "moment", "covered"),
    [
        ("s1", "nhi", at(5, 20), True),
        ("s1", "nhi", at(5, 22, 59), True),
        ("s1", "nhi", at(5, 23), False),
        ("s1", "nhi", at(5, 19, 59), False),
        ("s1", "atena", at(5, 20), False),
        ("s2", "nhi", at(5, 20), False),
        ("s3", "anything", at(5, 3), True),
    ],
)
def test_approved_times_are_of_a_person_and_a_source(
    staff_id: str, source: str, moment: datetime, covered: Any
) -> None:
    context = WorkContext.of(
        windows=[
            TimeWindow("a-1", "s1", "nhi", at(5, 20), at(5, 23), ""),
            TimeWindow("a-2", "s3", "", None, None, ""),
        ]
    )
    assert (context.window_at(staff_id, source, moment) is not None) is covered
