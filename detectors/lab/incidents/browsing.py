"""Going through residents whom no work leads to: many at once, or a few for a long time."""

from datetime import timedelta

from detectors.lab.acts import Act
from detectors.lab.incidents.expected import (
    BROWSING,
    CONTRADICTED,
    OUTSIDE_AFFAIR,
    SCAN,
    SERIAL,
    UNACCOUNTED,
    VOLUME,
)
from detectors.lab.incidents.telling import Told, days_of, incident, seen, told
from detectors.lab.sections import DESK
from detectors.lab.stage import HISTORY, Stage
from detectors.lab.systems import CARE, LEVY, SYSTEMS, TAX, WELFARE
from detectors.lab.timetable import at

__all__ = [
    "borrowed_case",
    "look_up_spree",
    "name_browsing",
    "other_affair",
    "quiet_spree",
    "sequential_scan",
    "slow_trickle",
    "street_scan",
]


@incident(VOLUME, UNACCOUNTED)
def look_up_spree(stage: Stage) -> Told | None:
    """A counter clerk goes through several hundred residents within an afternoon."""
    if not (part := stage.cast(DESK, history=HISTORY)):
        return None
    person, day = part
    seat = stage.seat(person, person.section.main_system, day)
    errand = stage.visit(seat, at(day, 12, 50), looks=stage.rng.randint(320, 420), gap=(15, 35))
    count = len(seen(errand))
    ja = f"{person.name}が業務時間内に、普段の何倍にもなる{count}人を次々に照会した。"
    en = f"{person.id} looked up {count} residents one after the other within working hours."
    return told(person, seat.system, [day], ja, en)


@incident(VOLUME, UNACCOUNTED, hard=True)
def quiet_spree(stage: Stage) -> Told | None:
    """Somebody in a quiet section looks up three to four times as many residents as usual."""
    part = stage.cast(history=HISTORY, fits=lambda person: 4 <= person.pace <= 12)
    if not part:
        return None
    person, day = part
    seat = stage.seat(person, person.section.main_system, day)
    looks = round(person.pace * stage.rng.uniform(3.0, 3.6))
    stage.visit(seat, at(day, 13, 20), looks=looks, gap=(60, 240))
    ja = f"照会の少ない係の{person.name}が、普段の3倍から4倍にあたる照会({looks}人)を半日で行った。"
    en = f"{person.id}, of a quiet section, looked up {looks} residents, three to four times the usual."
    return told(person, seat.system, [day], ja, en)


@incident(SCAN, UNACCOUNTED)
def sequential_scan(stage: Stage) -> Told | None:
    """Somebody types one resident number after the other, to see who comes up."""
    if not (part := stage.cast()):
        return None
    person, day = part
    numbers = sorted(stage.residents.ids)
    first, count = stage.rng.randrange(len(numbers) - 60), stage.rng.randint(35, 60)
    seat = stage.seat(person, person.section.main_system, day)
    start = at(day, stage.rng.choice((10, 13, 14)), stage.rng.randint(0, 40))
    stage.visit(seat, start, subjects=numbers[first : first + count], gap=(5, 25))
    ja = f"{person.name}が宛名番号を小さい順に{count}件続けて入力し、照会した。"
    en = f"{person.id} looked up {count} residents in the order of their numbers."
    return told(person, seat.system, [day], ja, en)


@incident(SCAN, UNACCOUNTED, hard=True)
def street_scan(stage: Stage) -> Told | None:
    """Somebody goes along a street, house by house, for an hour a day on two days."""
    if not (part := stage.cast(history=HISTORY)):
        return None
    person, first = part
    days = [first, *days_of(stage, person, 1, first=first + timedelta(days=1))]
    by_address = sorted(stage.residents.ids, key=lambda one: stage.residents.by_id[one].address)
    place = stage.rng.randrange(len(by_address) - 120)
    for day in days:
        street = stage.uninvolved(by_address[place : place + 40], day, unit=person.unit)
        place += 40
        seat = stage.seat(person, person.section.main_system, day)
        stage.visit(seat, at(day, 15, stage.rng.randint(5, 40)), subjects=street[:22], gap=(20, 80))
    ja = f"{person.name}が同じ通りの住民を番地の順に照会した({len(days)}日)。"
    en = f"{person.id} looked residents up house by house along a street, on {len(days)} days."
    return told(person, person.section.main_system, days, ja, en)


@incident(SERIAL, hard=True)
def slow_trickle(stage: Stage) -> Told | None:
    """For as long as there are logs: one or two residents every few days, always between real work."""
    if len(stage.timetable.days) < 28:
        return None
    part = stage.cast(fits=lambda p: p.pace > 0 and p.since <= stage.timetable.days[0] and not p.until)
    if not part:
        return None
    person, _ = part
    free = [day for day in stage.timetable.days if stage.timetable.ordinary(person, day)]
    days = free[stage.rng.randint(0, 2) :: stage.rng.randint(2, 3)]
    for day in days:
        for _ in range(stage.rng.choice((1, 1, 2))):
            stage.slip(person, day, stage.stranger(person, day), by=stage.rng.choice(("name", "number", "name_birth")))
    ja = f"{person.name}が{len(days)}日にわたり、業務の合間に担当でない住民を1人か2人ずつ照会し続けた。"
    en = f"On {len(days)} days {person.id} looked up one or two residents between real work, for no reason."
    return told(person, person.section.main_system, days, ja, en)


@incident(BROWSING, UNACCOUNTED)
def name_browsing(stage: Stage) -> Told | None:
    """Somebody types names and addresses of acquaintances all afternoon, and opens a few."""
    if not (part := stage.cast(history=HISTORY)):
        return None
    person, day = part
    seat = stage.seat(person, person.section.main_system, day)
    start = moment = at(day, 13, stage.rng.randint(5, 50))
    acts: list[Act] = []
    opened = 0
    for number in range(stage.rng.randint(24, 38)):
        moment += timedelta(seconds=stage.rng.uniform(40, 170))
        by = stage.rng.choice(("name", "name", "name_birth", "address"))
        acts.append(seat.act(moment, "search", by=by, hits=stage.rng.randint(0, 8)))
        if number % 4 == 1:
            moment += timedelta(seconds=stage.rng.uniform(5, 20))
            acts += stage.look(seat, moment, stage.stranger(person, day))
            opened += 1
    stage.plant(person.id, stage.session(seat, start, acts))
    ja = f"{person.name}が知人の氏名や住所で{len(acts) - opened}回検索し、{opened}人の記録を開いた。"
    en = f"{person.id} searched {len(acts) - opened} times by name or address and opened {opened} records."
    return told(person, seat.system, [day], ja, en)


@incident(OUTSIDE_AFFAIR, UNACCOUNTED)
def other_affair(stage: Stage) -> Told | None:
    """Somebody looks into the system of an affair that the own section has nothing to do with."""
    if not (part := stage.cast(history=HISTORY, fits=lambda p: p.pace > 0 and p.post == "主事")):
        return None
    person, first = part
    system = stage.rng.choice([one for one in (TAX, WELFARE, CARE, LEVY) if one not in person.section.systems])
    days = [first, *days_of(stage, person, 1, first=first + timedelta(days=1))]
    for day in days:
        stage.slip(
            person,
            day,
            *(stage.stranger(person, day) for _ in range(stage.rng.randint(2, 4))),
            system=system,
        )
    ja = f"{person.name}が、自分の係の事務ではない{system}に入り、住民を照会した。"
    en = f"{person.id} looked residents up in {system}, which the own section has nothing to do with."
    return told(person, system, days, ja, en)


@incident(CONTRADICTED, UNACCOUNTED, hard=True)
def borrowed_case(stage: Stage) -> Told | None:
    """Somebody quotes the number of a real case, of somebody else, to look residents up."""
    part = stage.cast(fits=lambda p: p.pace > 0 and SYSTEMS[p.section.main_system].cites)
    if not part:
        return None
    person, first = part
    system = person.section.main_system
    days = [first, *days_of(stage, person, 1, first=first + timedelta(days=1))]
    for day in days:
        if not (client := stage.client_of(person, day)):
            return None
        for _ in range(stage.rng.randint(2, 4)):
            look = {"subjects": (stage.stranger(person, day),), "by": "number", "hits": 1, "case": client[1].id}
            stage.chore(person, day, system, ("view", look))
    ja = f"{person.name}が別の住民の受付番号を付けて、関係のない住民を照会した。"
    en = f"{person.id} quoted the number of another resident's case to look unrelated residents up."
    return told(person, system, days, ja, en)
