"""What looks wrong in the town and is right: each benign trap is one small function, listed in `TRAPS`.

A detector that fires on one of these wastes a reviewer's minutes. Everything that excuses it is in the feeds.
"""

from datetime import timedelta

from detectors.lab.acts import Story
from detectors.lab.incidents import GUESSING, OFF_HOURS, VOLUME
from detectors.lab.model import CalendarRow
from detectors.lab.seat import Seat
from detectors.lab.sections import DESK, SYSTEMS_UNIT
from detectors.lab.stage import HISTORY, Plot, Stage
from detectors.lab.systems import ATENA, REGISTER, SERVER
from detectors.lab.timetable import at

__all__ = ["TRAPS"]


def approved_overtime(stage: Stage) -> Story | None:
    """Overtime until 21:30, ordered in the roster."""
    if not (part := stage.cast(DESK)):
        return None
    person, day = part
    start, end = at(day, 17, 15), at(day, 21, 30)
    stage.roster(person, start, end, "overtime")
    return Story(
        "approved-overtime",
        (person.id,),
        person.section.main_system,
        start + timedelta(minutes=20),
        end + timedelta(minutes=20),
        f"{person.name}は時間外命令により21時30分まで勤務した。",
        f"{person.id} worked until 21:30 on an approved overtime order.",
        tempts=(OFF_HOURS,),
    )


def weekend_counter(stage: Stage) -> Story | None:
    """The calendar opens the counter on a Sunday morning."""
    days = [day for day in stage.timetable.days if day.weekday() == 6 and not stage.timetable.opening(DESK, day)]
    if not days:
        return None
    day = stage.rng.choice(days)
    team = [person for person in stage.people if person.unit == DESK and person.holds(day)]
    stage.announce(CalendarRow(day, DESK, "open", "09:00", "12:00", "休日窓口"))
    for person in team:
        stage.more_work(person, day, 1.0)
    return Story(
        "weekend-counter",
        tuple(person.id for person in team),
        REGISTER,
        at(day, 8),
        at(day, 13),
        "日曜日の休日窓口で、窓口係が通常どおり照会した。",
        "The counter was open on a Sunday morning, as the calendar says.",
        tempts=(OFF_HOURS,),
    )


def evening_shift(stage: Stage) -> Story | None:
    """A person whose shifts run from noon to 20:00 all month."""
    if not (part := stage.cast(DESK, "hoken-nenkin/shikaku")):
        return None
    person, _ = part
    days = [day for day in stage.timetable.days if stage.timetable.ordinary(person, day)]
    for day in days:
        stage.roster(person, at(day, 12), at(day, 20), "shift")
    return Story(
        "evening-shift",
        (person.id,),
        person.section.main_system,
        at(days[0], 12),
        at(days[-1], 20, 20),
        f"{person.name}は正午から20時までの遅番で勤務している。",
        f"{person.id} works a late shift from noon to 20:00.",
        tempts=(OFF_HOURS,),
    )


def forgotten_password(stage: Stage) -> Story | None:
    """Two or three mistyped passwords on the own terminal, then the right one."""
    if not (part := stage.cast()):
        return None
    person, day = part
    seat = Seat.of(person, person.section.main_system, day, "x1")
    errand = stage.visit(seat, at(day, 8, 41), looks=2, gap=(30, 90), failures=stage.rng.choice((2, 3)))
    return Story(
        "forgotten-password",
        (person.id,),
        seat.system,
        errand.start,
        errand.end,
        f"{person.name}が自席の端末でパスワードを数回間違えた後にサインインした。",
        f"{person.id} mistyped the password a few times at the own terminal, then signed in.",
        tempts=(GUESSING,),
    )


def busy_week(stage: Stage) -> Story | None:
    """A whole section has twice its usual work for a week, as the calendar says."""
    unit = "hoken-nenkin/shikaku"
    working = stage.working_days()
    weeks: dict[tuple[int, int], list[int]] = {}
    for number, day in enumerate(working):
        weeks.setdefault(day.isocalendar()[:2], []).append(number)
    late = [week for week in weeks.values() if week[0] >= HISTORY and len(week) >= 4]
    team = [person for person in stage.people if person.section.unit == unit]
    if not late or not team:
        return None
    days = [working[number] for number in stage.rng.choice(late)]
    for day in days:
        stage.announce(CalendarRow(day, unit, "busy", "", "", "被保険者証の一斉更新"))
        for person in team:
            stage.more_work(person, day, 2.0)
    stage.take(team)
    return Story(
        "busy-week",
        tuple(person.id for person in team),
        team[0].section.main_system,
        at(days[0], 8),
        at(days[-1], 20),
        "一斉更新の週で、資格係全員の照会件数が普段の約2倍になった。",
        "In the week of the general renewal the whole section looked up about twice as many residents.",
        tempts=(VOLUME,),
    )


def maintenance_night(stage: Stage) -> Story | None:
    """The contractor works at night within an approved time window."""
    # The night reaches into the next day, which must belong to the span.
    part = stage.cast(SYSTEMS_UNIT, follows=1, fits=lambda person: person.kind == "contractor")
    if not part:
        return None
    person, day = part
    start, end = at(day, 22), at(day, 26)
    for source in (SERVER, ATENA):
        stage.approve(person, source, start, end, "夜間保守作業")
    server, database = Seat.of(person, SERVER, day, "x1"), Seat.of(person, ATENA, day, "x2")
    commands = (
        "apt-get upgrade",
        "systemctl restart postgresql",
        "systemctl status postgresql",
        "shutdown -r now",
    )
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
    return Story(
        "maintenance-night",
        (person.id,),
        SERVER,
        start,
        end,
        f"委託先の{person.name}が承認された夜間保守を行った。",
        f"The contractor {person.id} did approved maintenance at night.",
        tempts=(OFF_HOURS,),
    )


def list_work(stage: Stage) -> Story | None:
    """Somebody checks a list of residents one by one, as a handover that was approved."""
    if not (part := stage.cast("zeimu/shuno", history=HISTORY)):
        return None
    person, day = part
    stage.approve(person, REGISTER, at(day, 12, 45), at(day, 17, 15), "滞納整理の引継ぎ一覧の確認", max_rows=100)
    seat = Seat.of(person, REGISTER, day, "x1")
    errand = stage.visit(seat, at(day, 13, 4), looks=stage.rng.randint(60, 90), gap=(40, 150))
    return Story(
        "list-work",
        (person.id,),
        REGISTER,
        errand.start,
        errand.end,
        f"{person.name}が承認を受けた引継ぎ一覧の確認で、多数の住民を順に照会した。",
        f"{person.id} went through a handover list that had been approved beforehand.",
        tempts=(VOLUME,),
    )


TRAPS: tuple[Plot, ...] = (
    maintenance_night,
    list_work,
    approved_overtime,
    evening_shift,
    busy_week,
    weekend_counter,
    forgotten_password,
)
"""Those that need particular people come first."""
