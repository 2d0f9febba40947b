"""Much work, or work done in an unusual way, that its case, its list or its approval accounts for."""

from collections.abc import Sequence
from datetime import date, timedelta

from detectors.lab.incidents.expected import (
    CONTRADICTED,
    NEW_TERMINAL,
    REPEATED,
    SERIAL,
    TRANSFEREE,
    UNACCOUNTED,
    VOLUME,
)
from detectors.lab.incidents.telling import Told, days_of, told, trap
from detectors.lab.model import CalendarRow, Case, Person
from detectors.lab.stage import HISTORY, Stage
from detectors.lab.systems import REGISTER, SYSTEMS
from detectors.lab.timetable import at
from detectors.lab.traps.serving import open_case, serve

__all__ = [
    "borrowed_desk",
    "busy_week",
    "enrolment_week",
    "handover_visit",
    "late_ticket",
    "list_work",
    "new_staff_learning",
    "repeated_client",
]


@trap(VOLUME)
def busy_week(stage: Stage) -> Told | None:
    """A whole section has twice its usual work for a week, as the calendar says."""
    words = ("一斉更新の週で、資格係全員の照会件数が普段の約2倍になった。", "The week of the general renewal was busy.")
    return _busy(stage, "hoken-nenkin/shikaku", "被保険者証の一斉更新", words)


@trap(VOLUME)
def enrolment_week(stage: Stage) -> Told | None:
    """The week in which nursery and school places are applied for."""
    words = (
        "保育所と就学の申込みの週で、子育て係全員の照会が増えた。",
        "In the week of enrolment there was much work.",
    )
    return _busy(stage, "fukushi/kosodate", "入所・就学の一斉受付", words)


def _busy(stage: Stage, unit: str, note: str, words: tuple[str, str]) -> Told | None:
    working = stage.working_days()
    weeks: dict[tuple[int, int], list[int]] = {}
    for number, day in enumerate(working):
        weeks.setdefault(day.isocalendar()[:2], []).append(number)
    late = [week for week in weeks.values() if week[0] >= HISTORY and len(week) >= 4]
    team = [person for person in stage.people if person.section.unit == unit and stage.free(person)]
    if not late or not team:
        return None
    days = [working[number] for number in stage.rng.choice(late)]
    for day in days:
        stage.announce(CalendarRow(day, unit, "busy", "", "", note))
        for person in team:
            stage.more_work(person, day, 2.0)
    stage.take(team)
    actors = tuple(dict.fromkeys(person.id for person in team))
    return Told(actors, team[0].section.main_system, at(days[0], 8), at(days[-1], 20), *words)


@trap(VOLUME, UNACCOUNTED)
def list_work(stage: Stage) -> Told | None:
    """Somebody checks a list of residents one by one, as a handover that was approved."""
    if not (part := stage.cast("zeimu/shuno", history=HISTORY)):
        return None
    person, day = part
    stage.approve(person, REGISTER, at(day, 12, 45), at(day, 17, 15), "滞納整理の引継ぎ一覧の確認", max_rows=100)
    seat = stage.seat(person, REGISTER, day)
    stage.visit(seat, at(day, 13, 4), looks=stage.rng.randint(60, 90), gap=(40, 150))
    ja = f"{person.name}が承認を受けた引継ぎ一覧の確認で、多数の住民を順に照会した。"
    en = f"{person.id} went through a handover list that had been approved beforehand."
    return told(person, REGISTER, [day], ja, en)


@trap(UNACCOUNTED)
def late_ticket(stage: Stage) -> Told | None:
    """The counter is full: tickets of an afternoon are entered the next morning."""
    if not (part := stage.cast(follows=1)):
        return None
    person, day = part
    system = person.section.main_system
    morrow = day + timedelta(days=1)
    for _ in range(stage.rng.randint(4, 7)):
        whom = stage.stranger(person, day)
        closed = at(morrow, 17)
        case = stage.case(person, whom, morrow, kind="reception", hour=8.6, closed=closed)
        look = {"subjects": (whom,), "by": "number", "hits": 1, "cause": case.id}
        stage.chore(person, day, system, ("view", look), spot=stage.rng.uniform(0.6, 0.95))
    ja = f"{person.name}が夕方に応対した住民の受付を、翌朝に入力した。"
    en = f"{person.id} served residents in the afternoon and entered the tickets the next morning."
    return told(person, system, [day], ja, en)


@trap(VOLUME, SERIAL)
def new_staff_learning(stage: Stage) -> Told | None:
    """Somebody new sits beside a colleague and opens the section's cases to learn how they are handled."""
    if not (part := stage.cast(fits=lambda person: person.pace > 0 and person.post != "係長", history=3)):
        return None
    person, first = part
    days = [first, *days_of(stage, person, 2, first=first + timedelta(days=1))]
    for day in days:
        for case in _cases_of_unit(stage, person, day, stage.rng.randint(4, 8)):
            cited = {"case": case.id} if SYSTEMS[case.source].cites else {}
            look = {"subjects": (case.subject,), "by": "number", "hits": 1, "cause": case.id, **cited}
            stage.chore(person, day, case.source, ("view", look))
    ja = f"{person.name}が、仕事を覚えるために係の受付中のケースを先輩と順に開いた。"
    en = f"{person.id} opened the section's cases beside a colleague, to learn the work."
    return told(person, person.section.main_system, days, ja, en)


def _cases_of_unit(stage: Stage, person: Person, day: date, count: int) -> Sequence[Case]:
    noon = at(day, 12)
    open_ones = [
        case
        for case in stage.planner.work.cases.values()
        if case.unit == person.unit and case.opened < at(day, 8) and (case.closed is None or case.closed > noon)
    ]
    return stage.rng.sample(open_ones, min(count, len(open_ones)))


@trap(REPEATED)
def repeated_client(stage: Stage) -> Told | None:
    """A resident comes again and again with the same matter; the same clerk looks each time."""
    if not (part := stage.cast(fits=lambda person: person.pace > 0)):
        return None
    person, _ = part
    for count in (6, 5, 4):
        if days := days_of(stage, person, count, apart=2):
            break
    else:
        return None
    whom = stage.stranger(person, days[0], until=days[-1])
    case = open_case(stage, person, whom, days[0], days=(days[-1] - days[0]).days + 2)
    for day in days:
        serve(stage, person, day, case)
    ja = f"{person.name}が、長引く相談の住民を{len(days)}回照会した。"
    en = f"{person.id} looked the same client up on {len(days)} days, over a matter that dragged on."
    return told(person, case.source, days, ja, en)


@trap(TRANSFEREE)
def handover_visit(stage: Stage) -> Told | None:
    """In the week after a transfer the old section still asks; the handover was approved."""
    for old, new in stage.movers():
        days = days_of(stage, new, 1, first=new.since, last=new.since + timedelta(days=6))
        if not days:
            continue
        day = days[0]
        own = _cases_of_unit(stage, old, day, 4)
        if not own:
            continue
        stage.take([new])
        system = old.section.main_system
        stage.approve(new, system, at(new.since, 0), at(new.since, 24) + timedelta(days=7), "事務引継ぎ", max_rows=30)
        for case in own:
            look = {"subjects": (case.subject,), "by": "number", "hits": 1, "cause": case.id}
            stage.chore(new, day, system, ("view", look))
        ja = f"異動した{new.name}が、承認を受けた引継ぎのため前の係のケースを開いた。"
        en = f"After the transfer {new.id} opened cases of the former section for an approved handover."
        return told(new, system, [day], ja, en)
    return None


@trap(NEW_TERMINAL, CONTRADICTED)
def borrowed_desk(stage: Stage) -> Told | None:
    """The own terminal is broken: a day's clients are served at a colleague's, who is on leave."""
    if not (part := stage.cast()):
        return None
    person, day = part
    mates = [one for one in stage.colleagues_of(person, day) if one.pace and stage.free(one)]
    mates = [one for one in mates if stage.timetable.ordinary(one, day)]
    if not mates:
        return None
    desk = stage.rng.choice(mates)
    stage.take([desk])
    stage.leave(desk, day)
    system = person.section.main_system
    approved = at(day, 8), at(day, 18)
    stage.approve(person, system, *approved, f"端末故障のため{desk.terminal}を使用", kind="terminal")
    seat = stage.seat(person, system, day, terminal_of=desk)
    moment = start = at(day, 10, stage.rng.randint(0, 40))
    acts = []
    for _ in range(stage.rng.randint(3, 6)):
        whom = stage.stranger(person, day)
        case = open_case(stage, person, whom, day, kind="reception", days=1)
        moment += timedelta(minutes=stage.rng.uniform(3, 12))
        cited = {"case": case.id} if SYSTEMS[system].cites else {}
        acts.append(seat.act(moment, "view", subjects=(whom,), by="number", hits=1, cause=case.id, **cited))
    stage.plant(person.id, stage.session(seat, start, acts))
    ja = f"{person.name}が端末の故障のため、休暇中の同僚の端末{desk.terminal}で承認を得て応対した。"
    en = f"With the own terminal broken, {person.id} served clients at {desk.terminal}, as approved."
    return told(person, system, [day], ja, en)
