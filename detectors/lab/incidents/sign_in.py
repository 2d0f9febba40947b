"""Accounts that are guessed, lent, left behind or used where their owner is not."""

from datetime import timedelta

from detectors.lab.acts import Act
from detectors.lab.incidents.expected import (
    ABSENT,
    CONCURRENT,
    DORMANT,
    GUESSING,
    LEAVER,
    LENT,
    NEW_TERMINAL,
    OFF_HOURS,
    SECOND_FACTOR,
    SPRAYING,
    TRANSFEREE,
    UNACCOUNTED,
)
from detectors.lab.incidents.telling import Told, days_of, gather, incident, told
from detectors.lab.seat import Seat
from detectors.lab.sections import SYSTEMS_UNIT
from detectors.lab.stage import HISTORY, Stage
from detectors.lab.systems import NHI, REGISTER, SERVER
from detectors.lab.timetable import at

__all__ = [
    "absent_colleagues_account",
    "account_guessing",
    "dormant_account",
    "former_post",
    "lent_id",
    "password_spraying",
    "retired_account",
    "single_factor",
    "ssh_guessing",
    "vendor_terminal",
]


@incident(GUESSING, OFF_HOURS)
def ssh_guessing(stage: Stage) -> Told | None:
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
    stage.plant("", acts)
    ja = f"夜間に{address}から管理サーバーへの総当たりがあり、{person.name}のパスワードで成功した。"
    en = f"At night one address ({address}) guessed passwords at the admin server until {person.id}'s fitted."
    return told(person, SERVER, [day], ja, en)


@incident(GUESSING, NEW_TERMINAL)
def account_guessing(stage: Stage) -> Told | None:
    """Eight failures on one account, then success, at a terminal that is not the owner's."""
    part = stage.cast(fits=lambda person: person.pace > 0 and NHI in person.section.systems)
    if not part:
        return None
    person, day = part
    others = [p for p in stage.people if p.section is not person.section and p.kind == "staff"]
    if not others:
        return None
    desk = stage.rng.choice(others)
    seat = stage.seat(person, NHI, day, terminal_of=desk)
    start = at(day, stage.rng.randint(10, 15), 24)
    stage.visit(seat, start, looks=4, gap=(15, 50), failures=8, instead=False)
    ja = f"別の係の端末{desk.terminal}で{person.name}としてのサインインが8回失敗した後に成功した。"
    en = f"At {desk.terminal}, a terminal of another section, {person.id} failed 8 times, then got in."
    return told(person, NHI, [day], ja, en)


@incident(SPRAYING, GUESSING)
def password_spraying(stage: Stage) -> Told | None:
    """One terminal tries a password or two on many accounts, and one of them opens."""
    if not (found := gather(stage, stage.rng.randint(9, 13), fits=lambda person: REGISTER in person.section.systems)):
        return None
    people, day = found
    desk = {"terminal": "T-980001", "address": "10.9.80.23"}
    moment = at(day, stage.rng.randint(12, 15), stage.rng.randint(0, 59))
    for number, person in enumerate(people, start=1):
        seat = Seat(NHI, person.id, desk["terminal"], desk["address"], f"spray-{day:%m%d}-{number}", person)
        if number == len(people):
            stage.visit(seat, moment, looks=3, failures=1, instead=False)
            break
        acts = []
        for _ in range(stage.rng.randint(1, 2)):
            acts.append(seat.act(moment, "login", outcome="failure"))
            moment += timedelta(seconds=stage.rng.uniform(8, 25))
        stage.plant("", acts)
    ja = f"見慣れない端末{desk['terminal']}で{len(people)}人の職員番号が少しずつ試され、最後の1つで入られた。"
    en = f"At {desk['terminal']}, an unknown terminal, {len(people)} accounts were tried in turn until one opened."
    return told(people, NHI, [day], ja, en)


@incident(DORMANT)
def dormant_account(stage: Stage) -> Told | None:
    """An account that nobody has used since long ago wakes for an hour."""
    span = stage.timetable.days
    part = stage.cast(follows=1, fits=lambda p: p.pace > 0 and p.post == "主事" and p.since < span[0] and not p.until)
    if not part or len(span) < 20:
        return None
    person, _ = part
    last = days_of(stage, person, 1, first=span[-len(span) // 4])
    if not last:
        return None
    # On loan to another body: the post and the account stay, the work does not.
    work = stage.planner.work
    for day in span:
        work.touches.pop((person.id, day), None)
        work.chores.pop((person.id, day), None)
    seat = stage.seat(person, person.section.main_system, last[0])
    stage.visit(seat, at(last[0], stage.rng.randint(10, 16), 8), looks=stage.rng.randint(3, 6), instead=False)
    ja = f"出向中で長く使われていなかった{person.name}の職員番号が使われた。"
    en = f"The account of {person.id}, on loan elsewhere and unused for long, was used."
    return told(person, seat.system, last, ja, en)


@incident(LEAVER)
def retired_account(stage: Stage) -> Told | None:
    """Somebody who has left signs in again days later: nobody closed the account."""
    part = stage.cast(
        follows=5, fits=lambda p: p.pace > 0 and p.employment == "regular" and p.post == "主事" and not p.until
    )
    if not part:
        return None
    person, last = part
    stage.retire(person, last)
    after = [day for day in stage.working_days() if day > last + timedelta(days=2)]
    if not after:
        return None
    day = stage.rng.choice(after)
    seat = stage.seat(person, person.section.main_system, day)
    stage.visit(seat, at(day, stage.rng.randint(9, 16), 31), looks=stage.rng.randint(2, 5), instead=False)
    ja = f"{last:%m月%d日}に退職した{person.name}の職員番号で、後日サインインがあった。"
    en = f"{person.id} left on {last}; the account was used again later."
    return told(person, seat.system, [day], ja, en)


@incident(TRANSFEREE, hard=True)
def former_post(stage: Stage) -> Told | None:
    """Weeks after a transfer somebody still looks into the former section's system."""
    for old, new in stage.movers():
        system = old.section.main_system
        days = days_of(stage, new, 2, apart=2, first=new.since + timedelta(days=10))
        if not days or system in new.section.systems:
            continue
        stage.take([new])
        for day in days:
            stage.slip(new, day, *(stage.stranger(new, day) for _ in range(stage.rng.randint(2, 4))), system=system)
        ja = f"{new.name}が異動後も前の係のシステムに入り、担当でない住民を照会し続けた。"
        en = f"After the transfer {new.id} went on looking residents up in the former section's system."
        return told(new, system, days, ja, en)
    return None


@incident(LENT, CONCURRENT, NEW_TERMINAL)
def lent_id(stage: Stage) -> Told | None:
    """An account works at two desks at once: the owner at the own one, a borrower at another section's."""
    if not (part := stage.cast(fits=lambda person: person.pace > 0 and person.post == "主事")):
        return None
    person, first = part
    desks = [one for one in stage.people if one.pace and one.unit != person.unit and one.holds(first)]
    days = [first, *days_of(stage, person, 1, first=first + timedelta(days=1))]
    if not desks:
        return None
    desk = stage.rng.choice(desks)
    for day in days:
        seat = stage.seat(person, person.section.main_system, day, terminal_of=desk)
        stage.visit(seat, at(day, stage.rng.randint(9, 11), 40), looks=4, gap=(120, 600), instead=False)
    ja = f"{person.name}が自席で仕事をしている間、その職員番号が他係の端末{desk.terminal}でも使われた。"
    en = f"While {person.id} worked at the own desk, the account was also in use at {desk.terminal}, another section's."
    return told(person, person.section.main_system, days, ja, en)


@incident(ABSENT, NEW_TERMINAL, hard=True)
def absent_colleagues_account(stage: Stage) -> Told | None:
    """While somebody is on leave, a colleague uses the account at the next desk for two or three look-ups."""
    if not (part := stage.cast()):
        return None
    person, day = part
    if not (team := [one for one in stage.colleagues_of(person, day) if one.pace]):
        return None
    stage.leave(person, day)
    desk = stage.rng.choice(team)
    seat = stage.seat(person, person.section.main_system, day, terminal_of=desk)
    subjects = [stage.stranger(person, day) for _ in range(stage.rng.randint(2, 3))]
    stage.visit(seat, at(day, stage.rng.randint(9, 16), 17), subjects=subjects, instead=False)
    ja = f"休暇中の{person.name}の職員番号が、同じ係の端末{desk.terminal}で使われた。"
    en = f"The account of {person.id}, on leave, was used at {desk.terminal}, a colleague's terminal."
    return told(person, seat.system, [day], ja, en)


@incident(SECOND_FACTOR)
def single_factor(stage: Stage) -> Told | None:
    """A sign-in by password alone, to a system that asks for two factors."""
    if not (part := stage.cast(fits=lambda p: p.pace > 0 and p.section.main_system != REGISTER)):
        return None
    person, day = part
    seat = stage.seat(person, person.section.main_system, day)
    start = at(day, stage.rng.randint(9, 16), stage.rng.randint(0, 59))
    seen = stage.look(seat, start + timedelta(seconds=40), *(stage.stranger(person, day) for _ in range(2)))
    out = seat.act(seen[-1].at + timedelta(seconds=20), "logout")
    stage.plant(person.id, [seat.act(start, "login", factors=("password",)), *seen, out])
    ja = f"{person.name}が二要素を求めるシステムに、パスワードだけで入った。"
    en = f"{person.id} got into a system that asks for two factors with a password alone."
    return told(person, seat.system, [day], ja, en)


@incident(NEW_TERMINAL, UNACCOUNTED)
def vendor_terminal(stage: Stage) -> Told | None:
    """A clerk's account is used at the vendor's terminal in the server room."""
    vendors = stage.contractors()
    if not vendors or not (part := stage.cast(history=HISTORY)):
        return None
    person, day = part
    seat = stage.seat(person, person.section.main_system, day, terminal_of=vendors[0])
    start = at(day, stage.rng.randint(13, 16), 22)
    errand = stage.visit(seat, start, looks=stage.rng.randint(8, 14), gap=(20, 60), instead=False)
    count = sum(len(act.subjects) for act in errand.acts)
    ja = f"{person.name}の職員番号が委託先の保守端末{vendors[0].terminal}で使われ、{count}人が照会された。"
    en = f"The account of {person.id} was used at {vendors[0].terminal}, a vendor's terminal, on {count} residents."
    return told(person, seat.system, [day], ja, en)
