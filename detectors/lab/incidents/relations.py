"""Looking at oneself, the family, the neighbours, the colleagues."""

from datetime import timedelta

from detectors.lab.incidents.expected import (
    COLLEAGUE,
    FORMER_FAMILY,
    HOUSEHOLD,
    NAMESAKE,
    NEIGHBOUR,
    OWN_RECORD,
    REPEATED,
)
from detectors.lab.incidents.telling import Told, days_of, incident, near, told
from detectors.lab.model import Person
from detectors.lab.stage import Stage

__all__ = ["colleagues_records", "ex_partner", "family_record", "namesakes", "neighbours", "own_record"]

_FEW = 40
"""A surname that so few others bear is a family's."""


@incident(OWN_RECORD)
def own_record(stage: Stage) -> Told | None:
    """Somebody looks at the own record, and once more some days later."""
    if not (part := near(stage, lambda person: (person.resident,) if person.resident else ())):
        return None
    person, first, _ = part
    days = [first, *days_of(stage, person, 1, first=first + timedelta(days=1))]
    for day in days:
        stage.slip(person, day, person.resident)
    ja = f"{person.name}が自分自身の記録を照会した。"
    en = f"{person.id} looked at the own record."
    return told(person, person.section.main_system, days, ja, en)


@incident(HOUSEHOLD, hard=True)
def family_record(stage: Stage) -> Told | None:
    """Somebody looks at a member of the own household, once, between real work."""
    part = near(stage, lambda person: stage.residents.family(person.resident))
    if not part:
        return None
    person, day, family = part
    stage.slip(person, day, stage.rng.choice(family), by=stage.rng.choice(("number", "name")))
    ja = f"{person.name}が業務の合間に自分の世帯の人を照会した。"
    en = f"Between real work {person.id} looked at a member of the own household."
    return told(person, person.section.main_system, [day], ja, en)


@incident(FORMER_FAMILY, REPEATED, hard=True)
def ex_partner(stage: Stage) -> Told | None:
    """Somebody divorced follows where the former partner lives now, every week or two."""
    if not (part := near(stage, lambda person: _parted(stage, person))):
        return None
    person, _, former = part
    whom = stage.rng.choice(former)
    ahead = days_of(stage, person, 5, apart=3) or days_of(stage, person, 3, apart=2)
    free = [day for day in ahead if stage.uninvolved((whom,), day, unit=person.unit)]
    days = free[: stage.rng.randint(3, 4)]
    if len(days) < 2:
        return None
    for day in days:
        stage.slip(person, day, whom, *stage.residents.family(whom)[:1], by="name")
    ja = f"{person.name}が、かつての配偶者とみられる住民とその世帯を{len(days)}回照会した。"
    en = f"{person.id} looked up what seems to be a former partner, and the household, {len(days)} times."
    return told(person, person.section.main_system, days, ja, en)


def _parted(stage: Stage, person: Person) -> tuple[str, ...]:
    """Whoever once bore the person's surname, where that says something."""
    found = stage.former_family_of(person)
    return found if len(found) <= 3 else ()


@incident(NEIGHBOUR)
def neighbours(stage: Stage) -> Told | None:
    """Somebody looks at the households next door, one after the other."""
    if not (part := near(stage, lambda person: _few(stage.neighbours_of(person), 4, 30))):
        return None
    person, day, others = part
    chosen = stage.rng.sample(others, min(len(others), stage.rng.randint(3, 5)))
    stage.slip(person, day, *chosen, by="address")
    ja = f"{person.name}が、自分と同じ建物の住民{len(chosen)}人を照会した。"
    en = f"{person.id} looked up {len(chosen)} residents of the own building."
    return told(person, person.section.main_system, [day], ja, en)


@incident(COLLEAGUE)
def colleagues_records(stage: Stage) -> Told | None:
    """Somebody looks at the records of colleagues of the own section, the chief among them."""
    if not (part := near(stage, lambda person: _team(stage, person))):
        return None
    person, day, team = part
    chosen = stage.rng.sample(team, min(len(team), stage.rng.randint(2, 4)))
    stage.slip(person, day, *chosen, by="name")
    ja = f"{person.name}が、同じ係の同僚{len(chosen)}人の住民としての記録を照会した。"
    en = f"{person.id} looked at the records of {len(chosen)} colleagues as residents."
    return told(person, person.section.main_system, [day], ja, en)


def _team(stage: Stage, person: Person) -> tuple[str, ...]:
    return tuple(
        one.resident
        for one in stage.people
        if one.unit == person.unit and one.id != person.id and one.resident and one.resident != person.resident
    )


@incident(NAMESAKE, hard=True)
def namesakes(stage: Stage) -> Told | None:
    """Somebody with a rare surname looks at the relatives who bear it, over two days."""
    if not (part := near(stage, lambda person: _few(stage.namesakes_of(person), 4, _FEW))):
        return None
    person, first, others = part
    chosen = stage.rng.sample(others, min(len(others), stage.rng.randint(4, 6)))
    days = [first, *days_of(stage, person, 1, first=first + timedelta(days=1))]
    for number, day in enumerate(days):
        half = chosen[number :: len(days)]
        stage.slip(person, day, *stage.uninvolved(half, day, unit=person.unit), by="name")
    ja = f"{person.name}が、自分と同じ珍しい姓の住民{len(chosen)}人を照会した。"
    en = f"{person.id} looked up {len(chosen)} residents with the own, rare, surname."
    return told(person, person.section.main_system, days, ja, en)


def _few(residents: tuple[str, ...], least: int, most: int) -> tuple[str, ...]:
    return residents if least <= len(residents) <= most else ()
