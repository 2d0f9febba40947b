"""Residents who look like trouble, colleagues, neighbours, the famous, the protected, with a real case."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from detectors.lab.incidents.expected import (
    CELEBRITY,
    COLLEAGUE,
    CROWD,
    DECEASED,
    HOUSEHOLD,
    NAMESAKE,
    NEIGHBOUR,
    PROTECTED,
)
from detectors.lab.incidents.telling import Told, near, told, trap
from detectors.lab.model import Person
from detectors.lab.stage import Stage
from detectors.lab.traps.serving import open_case, serve

__all__ = [
    "colleague_as_client",
    "deceased_procedure",
    "household_case_by_colleague",
    "namesake_as_client",
    "neighbour_as_client",
    "protected_support",
    "troubled_household",
    "vip_application",
]


def _with_case(
    stage: Stage, whom: Callable[[Person], Sequence[str]], words: tuple[str, str], *, prints: bool = True
) -> Told | None:
    """Somebody serves a resident whom they know, over a case that is really there."""
    if not (part := near(stage, whom)):
        return None
    person, day, found = part
    case = open_case(stage, person, stage.rng.choice(found), day)
    serve(stage, person, day, case, changes=True, prints=prints)
    return told(person, case.source, [day], words[0].format(person.name), words[1].format(person.id))


@trap(COLLEAGUE)
def colleague_as_client(stage: Stage) -> Told | None:
    """A colleague of another section applies for something, as any resident may."""
    homes = {one.resident: one.unit for one in stage.people if one.resident}

    def others(person: Person) -> list[str]:
        return [one for one, unit in homes.items() if unit != person.unit and one != person.resident]

    words = (
        "{}が、住民として申請した他係の同僚の手続きを担当した。",
        "{} handled a case of a colleague as a resident.",
    )
    return _with_case(stage, others, words)


@trap(HOUSEHOLD, COLLEAGUE)
def household_case_by_colleague(stage: Stage) -> Told | None:
    """The family of a member of staff has a case; as it should be, a colleague of the section handles it."""
    homes: dict[str, list[str]] = {one.unit: [] for one in stage.people}
    for one in stage.people:
        if one.resident and one.pace:
            homes[one.unit] += stage.residents.family(one.resident)

    def families(person: Person) -> list[str]:
        own = stage.household_of(person)
        return [one for one in homes[person.unit] if one not in own]

    words = (
        "{}が、同じ係の職員の家族の手続きを、本人に代わって担当した。",
        "{} handled a case of a colleague's family.",
    )
    return _with_case(stage, families, words)


@trap(NAMESAKE)
def namesake_as_client(stage: Stage) -> Told | None:
    """A client happens to have the clerk's rare surname."""

    def rare(person: Person) -> Sequence[str]:
        found = stage.namesakes_of(person)
        return found if len(found) <= 40 else ()

    words = (
        "{}が、たまたま同じ珍しい姓の住民の手続きを担当した。",
        "{} served a client who happens to bear the same name.",
    )
    return _with_case(stage, rare, words)


@trap(NEIGHBOUR)
def neighbour_as_client(stage: Stage) -> Told | None:
    """A neighbour comes to the counter."""
    words = ("{}が、窓口に来た近所の住民の手続きを担当した。", "{} served a neighbour who came to the counter.")
    return _with_case(stage, stage.neighbours_of, words)


@trap(CELEBRITY, CROWD)
def vip_application(stage: Stage) -> Told | None:
    """The resident everybody has heard of applies for something; the clerk handles it and a colleague helps."""
    if not (part := stage.cast()):
        return None
    person, day = part
    case = open_case(stage, person, stage.celebrity(), day, days=10)
    team = [one for one in stage.colleagues_of(person, day) if one.pace and stage.free(one)]
    people = [person, *team[:1]]
    stage.take(people)
    for one in people:
        serve(stage, one, day, case, changes=one is person, prints=one is person)
    ja, en = (
        f"著名な住民の申請を{person.name}の係が処理した。",
        f"{person.id}'s section handled an application of a celebrity.",
    )
    return told(people, case.source, [day], ja, en)


@trap(PROTECTED)
def protected_support(stage: Stage) -> Told | None:
    """A protected resident is supported by the officer in charge."""
    part = stage.cast("fukushi/hogo", "fukushi/kosodate", "shimin/madoguchi")
    if not part:
        return None
    person, day = part
    case = open_case(stage, person, stage.protected(), day, kind="visit", days=30)
    serve(stage, person, day, case, changes=True)
    ja = f"{person.name}が、担当する支援措置の対象者の相談に対応した。"
    en = f"{person.id} supported a protected resident, as the officer in charge."
    return told(person, case.source, [day], ja, en)


@trap(DECEASED, CROWD)
def deceased_procedure(stage: Stage) -> Told | None:
    """A resident has died: several sections close what there was."""
    dead = stage.residents.flagged("deceased")
    days = stage.working_days()
    if not dead or not (found := _sections(stage, days[len(days) // 3 :], 3)):
        return None
    people, day = found
    whom = stage.rng.choice(dead)
    for person in people:
        case = open_case(stage, person, whom, day, kind="notice", days=14)
        serve(stage, person, day, case, changes=True, prints=True)
    ja, en = (
        "死亡届のあった住民の手続きを複数の係が行った。",
        "Several sections closed the matters of a resident who had died.",
    )
    return told(people, people[0].section.main_system, [day], ja, en)


@trap(CROWD)
def troubled_household(stage: Stage) -> Told | None:
    """A household in trouble: four sections have a case of it in the same two days."""
    days = stage.working_days()
    if not (found := _sections(stage, days[len(days) // 3 : -1], 4)):
        return None
    people, day = found
    whom = stage.stranger(people[0], day)
    family = stage.residents.family(whom)[:2]
    for person in people:
        case = open_case(stage, person, whom, day, kind="visit", days=20)
        serve(stage, person, day, case, *family)
        morrow = day + timedelta(days=1)
        if stage.timetable.ordinary(person, morrow):
            serve(stage, person, morrow, case)
    ja, en = (
        "困難を抱える世帯に、複数の係がそれぞれのケースで対応した。",
        "Four sections worked on cases of one household.",
    )
    return told(people, people[0].section.main_system, [day, day + timedelta(days=1)], ja, en)


def _sections(stage: Stage, days: Sequence[date], count: int) -> tuple[list[Person], date] | None:
    """People of so many different sections who work on the same day."""
    for day in stage.rng.sample(days, len(days)):
        by_unit: dict[str, Person] = {}
        for person in stage.people:
            if person.pace and stage.free(person) and stage.timetable.ordinary(person, day):
                by_unit.setdefault(person.unit, person)
        if len(by_unit) >= count:
            people = stage.rng.sample(list(by_unit.values()), count)
            stage.take(people)
            return people, day
    return None
