"""Work at times at which nobody is expected to work."""

from datetime import date

from detectors.lab.days import is_holiday, is_year_end
from detectors.lab.incidents.expected import ABSENT, OFF_HOURS
from detectors.lab.incidents.telling import Told, days_of, incident, told
from detectors.lab.stage import Stage
from detectors.lab.timetable import at

__all__ = ["early_morning", "holiday_visit", "leave_day", "night_without_overtime", "stays_on", "sunday_visit"]


@incident(OFF_HOURS)
def night_without_overtime(stage: Stage) -> Told | None:
    """Somebody signs in at 23:40; nobody ordered overtime."""
    if not (part := stage.cast()):
        return None
    person, day = part
    seat = stage.seat(person, person.section.main_system, day)
    stage.visit(seat, at(day, 23, 40), looks=6, gap=(20, 90))
    ja = f"{person.name}が時間外命令のない23時40分にサインインし、6人を照会した。"
    en = f"{person.id} signed in at 23:40 without an overtime order and looked up 6 residents."
    return told(person, seat.system, [day], ja, en)


@incident(OFF_HOURS)
def early_morning(stage: Stage) -> Told | None:
    """Somebody is at the terminal two hours before anybody else."""
    if not (part := stage.cast()):
        return None
    person, day = part
    seat = stage.seat(person, person.section.main_system, day)
    looks = stage.rng.randint(4, 8)
    stage.visit(seat, at(day, 6, stage.rng.randint(5, 25)), looks=looks, gap=(20, 120))
    ja = f"{person.name}が開庁の2時間以上前にサインインし、{looks}人を照会した。"
    en = f"{person.id} signed in more than two hours before opening and looked up {looks} residents."
    return told(person, seat.system, [day], ja, en)


@incident(OFF_HOURS, hard=True)
def stays_on(stage: Stage) -> Told | None:
    """Somebody stays at the desk on several evenings, a little longer than anybody would ask about."""
    if not (part := stage.cast()):
        return None
    person, _ = part
    days = days_of(stage, person, stage.rng.randint(3, 4), apart=3)
    if not days:
        return None
    for day in days:
        seat = stage.seat(person, person.section.main_system, day)
        start = at(day, 18, stage.rng.randint(15, 50))
        stage.visit(seat, start, looks=stage.rng.randint(3, 5), gap=(60, 400))
    ja = f"{person.name}が時間外命令のない夕方に{len(days)}回残り、そのつど数人を照会した。"
    en = (
        f"{person.id} stayed on {len(days)} evenings without an overtime order and looked up a few residents each time."
    )
    return told(person, person.section.main_system, days, ja, en)


@incident(OFF_HOURS)
def sunday_visit(stage: Stage) -> Told | None:
    """Somebody comes in on a Sunday without weekend duty."""
    sundays = [day for day in stage.timetable.days if day.weekday() == 6]
    return _closed_day(stage, sundays, ("休日当番でない日曜日", "a Sunday without weekend duty"))


@incident(OFF_HOURS)
def holiday_visit(stage: Stage) -> Told | None:
    """Somebody comes in on a public holiday, else in the year-end closure, else on a Saturday."""
    days = [day for day in stage.timetable.days if day.weekday() != 6]
    for chosen, words in (
        ([day for day in days if is_holiday(day)], ("祝日", "a public holiday")),
        ([day for day in days if is_year_end(day)], ("年末年始の閉庁日", "a day of the year-end closure")),
        ([day for day in days if day.weekday() == 5], ("土曜日", "a Saturday")),
    ):
        if chosen:
            return _closed_day(stage, chosen, words)
    return None


def _closed_day(stage: Stage, days: list[date], words: tuple[str, str]) -> Told | None:
    if not (part := stage.cast(days=days)):
        return None
    person, day = part
    seat = stage.seat(person, person.section.main_system, day)
    stage.visit(seat, at(day, stage.rng.randint(10, 15), 12), looks=9, gap=(30, 200))
    ja = f"{person.name}が{words[0]}にサインインし、9人を照会した。"
    en = f"{person.id} signed in on {words[1]} and looked up 9 residents."
    return told(person, seat.system, [day], ja, en)


@incident(OFF_HOURS, ABSENT)
def leave_day(stage: Stage) -> Told | None:
    """Somebody on approved leave signs in and looks residents up."""
    if not (part := stage.cast()):
        return None
    person, day = part
    stage.leave(person, day)
    seat = stage.seat(person, person.section.main_system, day)
    stage.visit(seat, at(day, 14, 5), looks=7, gap=(20, 120))
    ja = f"休暇中の{person.name}の職員番号で午後2時にサインインがあり、7人が照会された。"
    en = f"{person.id}, on approved leave, signed in at two in the afternoon and looked up 7 residents."
    return told(person, seat.system, [day], ja, en)
