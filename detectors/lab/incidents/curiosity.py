"""Looking at residents whom one has heard of, is after, or is paid for."""

from datetime import timedelta

from detectors.lab.incidents.expected import (
    CELEBRITY,
    CROWD,
    DECEASED,
    PRINTS,
    PROTECTED,
    REPEATED,
    SERIAL,
    UNACCOUNTED,
)
from detectors.lab.incidents.telling import Told, days_of, gather, incident, told
from detectors.lab.stage import Stage
from detectors.lab.systems import REGISTER

__all__ = [
    "celebrity_curiosity",
    "crowd_on_patient",
    "dead_residents_papers",
    "detective_leak",
    "four_citizens",
    "protected_whereabouts",
    "stalked_resident",
]


@incident(CELEBRITY, hard=True)
def celebrity_curiosity(stage: Stage) -> Told | None:
    """Somebody looks at the resident everybody has heard of, once or twice (Nobeoka)."""
    if not (part := stage.cast()):
        return None
    person, first = part
    whom = stage.rng.choice(stage.residents.flagged("vip"))
    days = [first, *days_of(stage, person, stage.rng.choice((0, 1)), first=first + timedelta(days=1))]
    days = [day for day in days if stage.uninvolved((whom,), day, unit=person.unit)]
    if not days:
        return None
    for day in days:
        stage.slip(person, day, whom, by="name")
    ja = f"{person.name}が、業務と関係なく著名な住民の記録を照会した。"
    en = f"{person.id} looked at the record of a well-known resident for no reason."
    return told(person, person.section.main_system, days, ja, en)


@incident(CROWD)
def crowd_on_patient(stage: Stage) -> Told | None:
    """A resident is in the news, and seven members of staff look within a day and a half (Yokote)."""
    if not (found := gather(stage, stage.rng.randint(6, 8), fits=lambda person: REGISTER in person.section.systems)):
        return None
    people, day = found
    whom = stage.stranger(people[0], day)
    days = {day}
    for person in people:
        morrow = day + timedelta(days=1)
        late = stage.rng.random() < 0.3 and stage.timetable.ordinary(person, morrow)
        when = morrow if late else day
        days.add(when)
        stage.slip(person, when, whom, system=REGISTER, by=stage.rng.choice(("name", "number")))
    ja = f"話題になった住民1人を、{len(people)}人の職員がケースなしに相次いで照会した。"
    en = f"{len(people)} members of staff looked at one resident who was in the news."
    return told(people, REGISTER, days, ja, en)


@incident(UNACCOUNTED, SERIAL, hard=True)
def four_citizens(stage: Stage) -> Told | None:
    """A tax clerk looks at four acquaintances and their families out of curiosity, over some weeks (Hyogo)."""
    part = stage.cast("zeimu/kazei", "zeimu/shuno") or stage.cast(fits=lambda person: 0 < person.pace <= 12)
    if not part:
        return None
    person, first = part
    days = [first, *days_of(stage, person, 3, apart=2, first=first + timedelta(days=1))]
    known = [stage.stranger(person, days[0], until=days[-1]) for _ in range(4)]
    for number, whom in enumerate(known):
        day = days[number % len(days)]
        family = stage.uninvolved(stage.residents.family(whom), day, unit=person.unit)
        stage.slip(person, day, whom, *family[:2], by="name")
        if REGISTER in person.section.systems:
            stage.slip(person, day, whom, system=REGISTER)
    ja = f"{person.name}が興味本位で、知人4人とその家族の記録を照会した。"
    en = f"Out of curiosity {person.id} looked at the records of four acquaintances and their families."
    return told(person, person.section.main_system, days, ja, en)


@incident(PROTECTED)
def protected_whereabouts(stage: Stage) -> Told | None:
    """Somebody finds out where a protected resident lives and prints it (Funabashi, Zushi)."""
    if not (part := stage.cast(fits=lambda person: REGISTER in person.section.systems)):
        return None
    person, day = part
    free = stage.uninvolved(stage.residents.flagged("protected"), day, unit=person.unit)
    if not free:
        return None
    whom = stage.rng.choice(free)
    stage.chore(
        person,
        day,
        REGISTER,
        ("search", {"by": "name", "hits": stage.rng.randint(1, 4)}),
        ("view", {"subjects": (whom,), "by": "number", "hits": 1}),
        ("print", {"subjects": (whom,)}),
    )
    ja = f"{person.name}が、支援措置の対象者の記録を業務と関係なく開き、印刷した。"
    en = f"{person.id} opened the record of a protected resident for no reason and printed it."
    return told(person, REGISTER, [day], ja, en)


@incident(SERIAL, PRINTS, hard=True)
def detective_leak(stage: Stage) -> Told | None:
    """Somebody prints a record a week for a detective agency (Funabashi)."""
    if not (part := stage.cast(fits=lambda person: REGISTER in person.section.systems)):
        return None
    person, _ = part
    weeks = max(3, len(stage.timetable.days) // 10)
    days = days_of(stage, person, weeks, apart=3)
    if not days:
        return None
    for day in days:
        for _ in range(stage.rng.choice((1, 2))):
            whom = stage.stranger(person, day)
            view = {"subjects": (whom,), "by": "number", "hits": 1}
            search = ("search", {"by": "name_birth", "hits": 1})
            stage.chore(person, day, REGISTER, search, ("view", view), ("print", {"subjects": (whom,)}))
    ja = f"{person.name}が{len(days)}日にわたり、依頼された住民の記録を1人か2人ずつ印刷して持ち出した。"
    en = f"On {len(days)} days {person.id} printed the records of one or two residents for somebody outside."
    return told(person, REGISTER, days, ja, en)


@incident(REPEATED, hard=True)
def stalked_resident(stage: Stage) -> Told | None:
    """Somebody comes back to the same resident again and again, between real work."""
    if not (part := stage.cast()):
        return None
    person, _ = part
    for count in (7, 6, 5, 4):
        if days := days_of(stage, person, count, apart=2):
            break
    else:
        return None
    whom = stage.stranger(person, days[0], until=days[-1])
    for day in days:
        stage.slip(person, day, whom, by=stage.rng.choice(("name", "number")))
    ja = f"{person.name}が、関係のない同じ住民を{len(days)}日にわたり照会した。"
    en = f"{person.id} came back to the same unrelated resident on {len(days)} days."
    return told(person, person.section.main_system, days, ja, en)


@incident(DECEASED, PRINTS)
def dead_residents_papers(stage: Stage) -> Told | None:
    """Somebody prints papers of residents who have died, whom nobody will miss them from."""
    if not (part := stage.cast(fits=lambda person: REGISTER in person.section.systems)):
        return None
    person, first = part
    days = [first, *days_of(stage, person, 1, first=first + timedelta(days=1))]
    dead = stage.residents.flagged("deceased")
    told_of = 0
    for day in days:
        for whom in stage.uninvolved(stage.rng.sample(dead, min(len(dead), 6)), day)[:3]:
            view = {"subjects": (whom,), "by": "number", "hits": 1}
            stage.chore(person, day, REGISTER, ("view", view), ("print", {"subjects": (whom,)}))
            told_of += 1
    if not told_of:
        return None
    ja = f"{person.name}が、亡くなった住民{told_of}人の記録を開いて証明書を印刷した。"
    en = f"{person.id} opened the records of {told_of} deceased residents and printed papers."
    return told(person, REGISTER, days, ja, en)
