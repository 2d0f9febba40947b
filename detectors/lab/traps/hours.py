"""Work at unusual times that somebody ordered, announced or approved."""

from datetime import timedelta

from detectors.lab.incidents.expected import ABSENT, CONTRACTOR_WINDOW, DORMANT, OFF_HOURS
from detectors.lab.incidents.telling import Told, told, trap
from detectors.lab.model import CalendarRow
from detectors.lab.sections import DESK, SYSTEMS_UNIT
from detectors.lab.stage import Stage
from detectors.lab.systems import ATENA, REGISTER, SERVER
from detectors.lab.timetable import at

__all__ = [
    "approved_overtime",
    "back_from_leave",
    "disaster_night",
    "election_night",
    "evening_shift",
    "maintenance_night",
    "weekend_counter",
]


@trap(OFF_HOURS)
def approved_overtime(stage: Stage) -> Told | None:
    """Overtime until 21:30, ordered in the roster."""
    if not (part := stage.cast(DESK)):
        return None
    person, day = part
    start, end = at(day, 17, 15), at(day, 21, 30)
    stage.roster(person, start, end, "overtime")
    ja = f"{person.name}は時間外命令により21時30分まで勤務した。"
    en = f"{person.id} worked until 21:30 on an approved overtime order."
    late = timedelta(minutes=20)
    return Told((person.id,), person.section.main_system, start + late, end + late, ja, en)


@trap(OFF_HOURS)
def weekend_counter(stage: Stage) -> Told | None:
    """The calendar opens the counter on a Sunday morning."""
    days = [day for day in stage.timetable.days if day.weekday() == 6 and not stage.timetable.opening(DESK, day)]
    days = [day for day in days if not any(stage.timetable.rows(person, day) for person in stage.people)]
    if not days:
        return None
    day = stage.rng.choice(days)
    team = [person for person in stage.people if person.unit == DESK and person.holds(day)]
    stage.announce(CalendarRow(day, DESK, "open", "09:00", "12:00", "休日窓口"))
    for person in team:
        stage.more_work(person, day, 1.0)
    ja, en = (
        "日曜日の休日窓口で、窓口係が通常どおり照会した。",
        "The counter was open on a Sunday, as the calendar says.",
    )
    return Told(tuple(person.id for person in team), REGISTER, at(day, 8), at(day, 13), ja, en)


@trap(OFF_HOURS)
def evening_shift(stage: Stage) -> Told | None:
    """A person whose shifts run from noon to 20:00 all month."""
    if not (part := stage.cast(DESK, "hoken-nenkin/shikaku")):
        return None
    person, _ = part
    days = [day for day in stage.timetable.days if stage.timetable.ordinary(person, day)]
    for day in days:
        stage.roster(person, at(day, 12), at(day, 20), "shift")
    ja = f"{person.name}は正午から20時までの遅番で勤務している。"
    en = f"{person.id} works a late shift from noon to 20:00."
    return Told((person.id,), person.section.main_system, at(days[0], 12), at(days[-1], 20, 20), ja, en)


@trap(OFF_HOURS, CONTRACTOR_WINDOW)
def maintenance_night(stage: Stage) -> Told | None:
    """The contractor works at night within an approved time window."""
    # The night reaches into the next day, which must belong to the span.
    part = stage.cast(SYSTEMS_UNIT, follows=1, fits=lambda person: person.kind == "contractor")
    if not part:
        return None
    person, day = part
    for source in (SERVER, ATENA):
        stage.approve(person, source, at(day, 22), at(day, 26), "夜間保守作業")
    server, database = stage.seat(person, SERVER, day, "x1"), stage.seat(person, ATENA, day, "x2")
    commands = ("apt-get upgrade", "systemctl restart postgresql", "systemctl status postgresql", "shutdown -r now")
    stage.plant(
        person.id,
        [
            server.act(at(day, 22, 12), "login"),
            *(
                server.act(at(day, 22, 20 + 35 * n), "operation", detail=f"/usr/bin/{c}")
                for n, c in enumerate(commands)
            ),
            server.act(at(day, 25, 31), "logout"),
        ],
    )
    stage.plant(
        person.id,
        [
            database.act(at(day, 23, 40), "login"),
            database.act(at(day, 23, 44), "view", detail="SELECT count(*) FROM public.addressee", hits=1),
            database.act(at(day, 23, 52), "logout"),
        ],
    )
    ja = f"委託先の{person.name}が承認された夜間保守を行った。"
    return told(person, SERVER, [day], ja, f"The contractor {person.id} did approved maintenance at night.")


@trap(OFF_HOURS)
def election_night(stage: Stage) -> Told | None:
    """On an election Sunday the electoral roll is looked into until midnight, on overtime orders."""
    span = stage.timetable.days[:-1]  # the night reaches into the next day
    free = [day for day in span if day.weekday() == 6 and not stage.timetable.opening(DESK, day)]
    team = [person for person in stage.people if person.unit == DESK and stage.free(person)][:4]
    free = [day for day in free if team and all(p.holds(day) and not stage.timetable.rows(p, day) for p in team)]
    if not free:
        return None
    day = stage.rng.choice(free)
    stage.take(team)
    for person in team:
        stage.roster(person, at(day, 7), at(day, 24), "overtime")
        stage.more_work(person, day, 1.0)
    ja, en = (
        "選挙の日曜日、時間外命令により深夜まで名簿を照会した。",
        "On an election Sunday people worked until midnight.",
    )
    return Told(tuple(person.id for person in team), REGISTER, at(day, 6, 30), at(day, 24, 30), ja, en)


@trap(OFF_HOURS)
def disaster_night(stage: Stage) -> Told | None:
    """A river rises: people are called in for the night, and look up who lives there and needs help."""
    days = stage.working_days()
    late = days[len(days) // 3 : -1]
    team = [p for p in stage.people if p.pace and stage.free(p) and REGISTER in p.section.systems and p.post == "主事"]
    nights = [day for day in late if sum(stage.timetable.ordinary(person, day) for person in team) >= 3]
    if not nights:
        return None
    day = stage.rng.choice(nights)
    called = [person for person in team if stage.timetable.ordinary(person, day)][: stage.rng.randint(3, 6)]
    stage.take(called)
    for number, person in enumerate(called):
        stage.roster(person, at(day, 17, 15), at(day, 24), "overtime")
        stage.approve(person, REGISTER, at(day, 17), at(day, 24), "避難行動要支援者の安否確認", max_rows=100)
        seat = stage.seat(person, REGISTER, day)
        stage.visit(seat, at(day, 19, 10 + 7 * number), looks=stage.rng.randint(15, 30), gap=(60, 300))
    ja, en = (
        "大雨の夜、動員された職員が避難の支援が要る住民を照会した。",
        "On a night of floods those called in looked up who needs help.",
    )
    return told(called, REGISTER, [day], ja, en)


@trap(DORMANT, ABSENT)
def back_from_leave(stage: Stage) -> Told | None:
    """Somebody is back at the desk after weeks of leave."""
    span = stage.timetable.days
    part = stage.cast(fits=lambda p: p.pace > 0 and p.since < span[0] and not p.until)
    if not part or len(span) < 20:
        return None
    person, _ = part
    back = next((d for d in span[3 * len(span) // 4 :] if stage.timetable.ordinary(person, d)), None)
    if back is None:
        return None
    for day in span:
        if day < back and stage.timetable.hours(person, day):
            stage.leave(person, day)
    ja = f"{person.name}が長い休暇から戻り、通常の業務を始めた。"
    en = f"{person.id} was back at work after weeks of leave."
    return Told((person.id,), person.section.main_system, at(back, 8), at(back, 18), ja, en)
