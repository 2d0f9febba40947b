"""What goes wrong in the town: each incident is one small function, listed in `INCIDENTS`.

An incident names every detector that ought to fire on it. To add one, write the function and list it.
"""

from datetime import date, timedelta

from detectors.lab.acts import Act, Errand, Story
from detectors.lab.days import is_holiday, is_year_end
from detectors.lab.seat import Seat
from detectors.lab.sections import DESK, SYSTEMS_UNIT
from detectors.lab.stage import HISTORY, Plot, Stage
from detectors.lab.systems import NHI, SERVER
from detectors.lab.timetable import at

__all__ = ["INCIDENTS"]

OFF_HOURS = "off-hours-access"
GUESSING = "sign-in-guessing"
VOLUME = "look-up-volume"


def _story(errand: Errand, kind: str, ja: str, en: str, *detectors: str, actor: str = "", source: str = "") -> Story:
    act = errand.acts[0]
    actors = (actor or act.actor,)
    return Story(kind, actors, source or act.system, errand.start, errand.end, ja, en, detectors=detectors)


def night_without_overtime(stage: Stage) -> Story | None:
    """Somebody signs in at 23:40; nobody ordered overtime."""
    if not (part := stage.cast()):
        return None
    person, day = part
    seat = Seat.of(person, person.section.main_system, day, "x1")
    errand = stage.visit(seat, at(day, 23, 40), looks=6, gap=(20, 90))
    ja = f"{person.name}が時間外命令のない23時40分にサインインし、6人を照会した。"
    en = f"{person.id} signed in at 23:40 without an overtime order and looked up 6 residents."
    return _story(errand, "night-without-overtime", ja, en, OFF_HOURS)


def sunday_visit(stage: Stage) -> Story | None:
    """Somebody comes in on a Sunday without weekend duty."""
    sundays = [day for day in stage.timetable.days if day.weekday() == 6]
    return _closed_day(stage, sundays, "sunday-visit", ("休日当番でない日曜日", "a Sunday without weekend duty"))


def holiday_visit(stage: Stage) -> Story | None:
    """Somebody comes in on a public holiday, else in the year-end closure, else on a Saturday."""
    days = [day for day in stage.timetable.days if day.weekday() != 6]
    for chosen, words in (
        ([day for day in days if is_holiday(day)], ("祝日", "a public holiday")),
        ([day for day in days if is_year_end(day)], ("年末年始の閉庁日", "a day of the year-end closure")),
        ([day for day in days if day.weekday() == 5], ("土曜日", "a Saturday")),
    ):
        if chosen:
            return _closed_day(stage, chosen, "holiday-visit", words)
    return None


def _closed_day(stage: Stage, days: list[date], kind: str, words: tuple[str, str]) -> Story | None:
    if not (part := stage.cast(days=days)):
        return None
    person, day = part
    seat = Seat.of(person, person.section.main_system, day, "x1")
    errand = stage.visit(seat, at(day, stage.rng.randint(10, 15), 12), looks=9, gap=(30, 200))
    ja = f"{person.name}が{words[0]}にサインインし、9人を照会した。"
    en = f"{person.id} signed in on {words[1]} and looked up 9 residents."
    return _story(errand, kind, ja, en, OFF_HOURS)


def look_up_spree(stage: Stage) -> Story | None:
    """A counter clerk goes through several hundred residents within an afternoon."""
    if not (part := stage.cast(DESK, history=HISTORY)):
        return None
    person, day = part
    seat = Seat.of(person, person.section.main_system, day, "x1")
    looks = stage.rng.randint(320, 420)
    errand = stage.visit(seat, at(day, 12, 50), looks=looks, gap=(15, 35))
    ja = f"{person.name}が業務時間内に、普段の何倍にもなる{len(_seen(errand))}人を次々に照会した。"
    en = f"{person.id} looked up {len(_seen(errand))} residents one after the other within working hours."
    return _story(errand, "look-up-spree", ja, en, VOLUME)


def quiet_spree(stage: Stage) -> Story | None:
    """Somebody in a quiet section looks up three to four times as many residents as usual."""
    part = stage.cast(history=HISTORY, fits=lambda person: 4 <= person.pace <= 12)
    if not part:
        return None
    person, day = part
    seat = Seat.of(person, person.section.main_system, day, "x1")
    looks = round(person.pace * stage.rng.uniform(3.0, 3.6))
    errand = stage.visit(seat, at(day, 13, 20), looks=looks, gap=(60, 240))
    ja = f"照会の少ない係の{person.name}が、普段の3倍から4倍にあたる照会({looks}人)を半日で行った。"
    en = f"{person.id}, of a quiet section, looked up {looks} residents, three to four times the usual."
    return _story(errand, "quiet-spree", ja, en, VOLUME)


def ssh_guessing(stage: Stage) -> Story | None:
    """One address tries names and passwords at the server by night until an administrator's password fits."""
    part = stage.cast(SYSTEMS_UNIT, fits=lambda person: person.kind == "staff")
    if not part:
        return None
    person, day = part
    address = "10.9.77.45"
    moment = at(day, 2, 41)
    acts: list[Act] = []
    for number, name in enumerate(("root", "admin", "test", "oracle", "postgres", "backup", "root", "admin")):
        seat = Seat(SERVER, name, "", address, f"guess-{day:%m%d}-{number}")
        acts.append(seat.act(moment, "login", outcome="failure"))
        moment += timedelta(seconds=stage.rng.uniform(2, 5))
    for number in range(14):
        seat = Seat(SERVER, person.id, "", address, f"guess-{day:%m%d}-{number + 8}", person)
        acts.append(seat.act(moment, "login", outcome="failure"))
        moment += timedelta(seconds=stage.rng.uniform(2, 5))
    seat = Seat(SERVER, person.id, "", address, f"guess-{day:%m%d}-22", person)
    acts += stage.sign_in(seat, moment)
    acts.append(seat.act(moment + timedelta(seconds=31), "operation", detail="/usr/bin/cat /etc/shadow"))
    acts.append(seat.act(moment + timedelta(seconds=240), "logout"))
    errand = stage.plant("", acts)
    ja = f"夜間に{address}から管理サーバーへの総当たりがあり、{person.name}のパスワードで成功した。"
    en = f"At night one address ({address}) guessed passwords at the admin server until {person.id}'s fitted."
    return _story(errand, "ssh-guessing", ja, en, GUESSING, OFF_HOURS, actor=person.id)


def account_guessing(stage: Stage) -> Story | None:
    """Eight failures on one account, then success, at a terminal that is not the owner's."""
    part = stage.cast(fits=lambda person: person.pace > 0 and NHI in person.section.systems)
    if not part:
        return None
    person, day = part
    others = [p for p in stage.people if p.section is not person.section and p.kind == "staff"]
    if not others:
        return None
    desk = stage.rng.choice(others)
    seat = Seat.of(person, NHI, day, "x1", terminal_of=desk)
    start = at(day, stage.rng.randint(10, 15), 24)
    errand = stage.visit(seat, start, looks=4, gap=(15, 50), failures=8, instead=False)
    ja = f"別の係の端末{desk.terminal}で{person.name}としてのサインインが8回失敗した後に成功した。"
    en = f"At {desk.terminal}, a terminal of another section, {person.id} failed 8 times, then got in."
    return _story(errand, "account-guessing", ja, en, GUESSING)


def leave_day(stage: Stage) -> Story | None:
    """Somebody on approved leave signs in and looks residents up."""
    if not (part := stage.cast()):
        return None
    person, day = part
    stage.leave(person, day)
    seat = Seat.of(person, person.section.main_system, day, "x1")
    errand = stage.visit(seat, at(day, 14, 5), looks=7, gap=(20, 120))
    ja = f"休暇中の{person.name}の職員番号で午後2時にサインインがあり、7人が照会された。"
    en = f"{person.id}, on approved leave, signed in at two in the afternoon and looked up 7 residents."
    return _story(errand, "leave-day", ja, en, OFF_HOURS)


def _seen(errand: Errand) -> set[str]:
    return {subject for act in errand.acts for subject in act.subjects}


INCIDENTS: tuple[Plot, ...] = (
    ssh_guessing,
    account_guessing,
    look_up_spree,
    quiet_spree,
    leave_day,
    night_without_overtime,
    sunday_visit,
    holiday_visit,
)
"""Those that need particular people come first, so that a small town can still cast them."""
