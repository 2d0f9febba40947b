"""Incidents, first part: records looked at by those who have no business with them."""

from collections.abc import Callable

from foreign_model import HOUR, MINUTE, Act, Person, Resident
from foreign_plot import Missing, Plot

__all__ = ["KINDS"]


def _watch(
    plot: Plot, kind: str, hard: bool, whom: Callable[[Person], list[Resident]], needs_home: bool = True
) -> None:
    """Somebody looks at people of one relation: often in one day, or seldom over weeks."""
    town, rng = plot.town, plot.rng
    first = plot.workday(0.1, 0.6)
    last = min(town.days - 3, first + (21 if hard else 1))
    person = plot.clerk(first, last, lambda one: not needs_home or one.resident is not None)
    moments = plot.spread(person, first, 3, rng.randint(2, 3)) if hard else []
    if not hard:
        at = plot.moment(person, first)
        moments = [at + number * rng.uniform(40, 300) for number in range(rng.randint(3, 6))]
    acts, seen = [], []
    residents = whom(person)
    for number, at in enumerate(moments):
        one = residents[number % len(residents)]
        if not plot.unaccounted(person, one, at):
            raise Missing
        seen.append(one)
        doing = "print" if not hard and number == len(moments) - 1 else "view"
        acts.append(town.look(person, at, plot.system(person, town.day_of(at)), one, doing))
    town.label(kind, acts, actors=[person], subjects=seen, hard=hard)


def _home(person: Person) -> Resident:
    if person.resident is None:
        raise Missing
    return person.resident


def own_record(plot: Plot, hard: bool) -> None:
    _watch(plot, "own_record", hard, lambda person: [_home(person)])


def own_household(plot: Plot, hard: bool) -> None:
    def whom(person: Person) -> list[Resident]:
        family = plot.town.family(_home(person))
        if not family:
            raise Missing
        return family[:1] if hard else family

    _watch(plot, "own_household", hard, whom)


def colleague(plot: Plot, hard: bool) -> None:
    def whom(person: Person) -> list[Resident]:
        unit = person.posts[0].unit
        found = [
            one.resident
            for one in plot.town.people.values()
            if one is not person and one.resident and any(post.unit == unit for post in one.posts)
        ]
        if not found:
            raise Missing
        return plot.rng.sample(found, 1 if hard else min(2, len(found)))

    _watch(plot, "colleague", hard, whom, needs_home=False)


def neighbour(plot: Plot, hard: bool) -> None:
    def whom(person: Person) -> list[Resident]:
        town, home = plot.town, _home(person)
        others = [one for one in town.lots[home.address] if one != home.household]
        if not others:  # a family moves in next door
            alone = [lot for lot, inside in town.lots.items() if len(inside) == 1 and lot != home.address]
            lot = plot.rng.choice(alone)
            others = town.lots.pop(lot)
            town.lots[home.address] += others
            for one in town.households[others[0]]:
                one.address = home.address
        return town.households[plot.rng.choice(others)][:2]

    _watch(plot, "neighbour", hard, whom)


def former_family(plot: Plot, hard: bool) -> None:
    def whom(person: Person) -> list[Resident]:
        home = _home(person)
        one = plot.rng.choice(plot.town.residents)
        if one.household == home.household or one.name == home.name or one.flags or one.born > home.born + 15:
            raise Missing
        one.former = home.name
        return [one]

    _watch(plot, "former_family", hard, whom)


def rare_namesake(plot: Plot, hard: bool) -> None:
    """A relative: the surname is rare, the household another."""

    def whom(person: Person) -> list[Resident]:
        home = _home(person)
        found = [one for one in plot.town.named[home.name] if one.household != home.household]
        if not 1 <= len(found) <= 12:
            raise Missing
        return found[:1]

    _watch(plot, "rare_namesake", hard, whom)


def _flagged(plot: Plot, flag: str) -> list[Resident]:
    return [plot.rng.choice([one for one in plot.town.residents if flag in one.flags and len(one.flags) == 1])]


def protected_person(plot: Plot, hard: bool) -> None:
    _watch(plot, "protected_person", hard, lambda _: _flagged(plot, "protected"), needs_home=False)


def celebrity(plot: Plot, hard: bool) -> None:
    _watch(plot, "celebrity", hard, lambda _: _flagged(plot, "vip"), needs_home=False)


def crowd(plot: Plot, hard: bool) -> None:
    """Many look at one resident of whom the town talks."""
    town, rng = plot.town, plot.rng
    first = plot.workday(0.2, 0.85)
    resident = plot.strangers(plot.clerk(first), town.when(first, 12), 1)[0]
    days = [day for day in plot.workdays if first <= day][: 4 if hard else 2]
    acts: list[Act] = []
    people: list[Person] = []
    while len(people) < (5 if hard else 8):
        day = rng.choice(days)
        person = plot.clerk(day, None, lambda one: one not in people)
        at = plot.moment(person, day)
        if not plot.unaccounted(person, resident, at) or town.tied(person, resident):
            raise Missing
        people.append(person)
        acts.append(town.look(person, at, plot.system(person, day), resident))
    town.label("crowd_on_one_resident", acts, actors=people, subjects=[resident], hard=hard)


def stalking(plot: Plot, hard: bool) -> None:
    """One resident, looked at again and again for weeks."""
    town = plot.town
    first = plot.workdays[2]
    person = plot.clerk(first, town.days - 3)
    moments = plot.spread(person, first, 8, 7 if hard else 14)
    resident = plot.strangers(person, moments[0], 1)[0]
    if not all(plot.unaccounted(person, resident, at) for at in moments):
        raise Missing
    acts = [town.look(person, at, plot.system(person, town.day_of(at)), resident) for at in moments]
    town.label("serial_one_resident", acts, actors=[person], subjects=[resident], hard=hard)


def curiosity(plot: Plot, hard: bool) -> None:
    """One or two a week, each time somebody else: a neighbour, a colleague, a namesake, a name from the papers."""
    town, rng = plot.town, plot.rng
    first = plot.workdays[2]
    person = plot.clerk(first, town.days - 3, lambda one: one.resident is not None)
    home = _home(person)
    near = [one for lot in town.lots[home.address] for one in town.households[lot] if lot != home.household]
    unit = person.posts[0].unit
    staff = [one.resident for one in town.people.values() if one.resident and one.posts[0].unit == unit]
    known = [one for one in town.residents if "vip" in one.flags]
    pool = [one for one in (*near[:3], *staff, *known) if one is not home and one.household != home.household]
    moments = plot.spread(person, first, 8, 8 if hard else 13)
    acts, seen = [], []
    for at in moments:
        one = next((one for one in rng.sample(pool, min(4, len(pool))) if plot.unaccounted(person, one, at)), None)
        if one is not None:
            seen.append(one)
            acts.append(town.look(person, at, plot.system(person, town.day_of(at)), one))
    if len(acts) < 6:
        raise Missing
    town.label("serial_low_and_slow", acts, actors=[person], subjects=seen, hard=hard)


def detective(plot: Plot, hard: bool) -> None:
    """Addresses for a detective: strangers, each with a copy of the screen."""
    town = plot.town
    first = plot.workday(0.05, 0.3)
    person = plot.clerk(first, min(town.days - 3, first + 28))
    acts, seen = [], []
    for at in plot.spread(person, first, 4, 6 if hard else 10):
        one = plot.strangers(person, at, 1)[0]
        source = plot.system(person, town.day_of(at))
        acts += [town.look(person, at, source, one), town.look(person, at + 15, source, one, "screen_copy")]
        seen.append(one)
    town.label("addresses_for_sale", acts, actors=[person], subjects=seen, hard=hard)


def sequential(plot: Plot, hard: bool) -> None:
    town, rng = plot.town, plot.rng
    day = plot.workday()
    person = plot.clerk(day)
    count, start = (18 if hard else 45), plot.moment(person, day) - HOUR / 2
    first = rng.randrange(len(plot.numbered) - 400)
    run = [one for one in plot.numbered[first : first + 300] if plot.unaccounted(person, one, start)][:count]
    if len(run) < count or run[-1].number - run[0].number > count * 1.6 or any(town.tied(person, one) for one in run):
        raise Missing
    step = 150 if hard else 25
    acts = [
        town.look(person, start + number * rng.uniform(0.9, 1) * step, plot.system(person, day), one)
        for number, one in enumerate(run)
    ]
    town.label("sequential_scan", acts, actors=[person], subjects=run, hard=hard)


def name_search(plot: Plot, hard: bool) -> None:
    town, rng = plot.town, plot.rng
    day = plot.workday()
    person = plot.clerk(day)
    at, source = plot.moment(person, day) - HOUR / 2, plot.system(person, day)
    acts = [
        town.act(person, at + n * 45, source, "search", query={"by": "name", "hits": rng.randint(1, 40)})
        for n in range(16 if hard else 40)
    ]
    town.label("name_search_without_view", acts, actors=[person], hard=hard)


def volume(plot: Plot, hard: bool) -> None:
    """Far more than usual in a day, with nothing to account for it."""
    town, rng = plot.town, plot.rng
    day = plot.workday()
    person = plot.clerk(day)
    start, end = town.duty[person.id, day]
    seen = plot.strangers(person, town.when(day, 12), 30 if hard else 80)
    acts = [town.look(person, rng.uniform(start + HOUR, end - 900), plot.system(person, day), one) for one in seen]
    town.label("volume_burst", acts, actors=[person], subjects=seen, hard=hard)


def creep(plot: Plot, _hard: bool) -> None:
    """Some more than usual, every day for two weeks."""
    town, rng = plot.town, plot.rng
    first = plot.workday(0.3, 0.65)
    person = plot.clerk(first, first + 12)
    acts, seen = [], []
    for day in plot.days_there(person, first, first + 12):
        for one in plot.strangers(person, town.when(day, 12), rng.randint(5, 9)):
            seen.append(one)
            acts.append(town.look(person, plot.moment(person, day), plot.system(person, day), one))
    town.label("volume_creep", acts, actors=[person], subjects=seen, hard=True)


def outside_affair(plot: Plot, hard: bool) -> None:
    """Records of a system with which the person's section has nothing to do."""
    town, rng = plot.town, plot.rng
    first = plot.workday(0.1, 0.7)
    person = plot.clerk(first, min(town.days - 3, first + 8))
    mine = plot.records(person, first).systems
    others = {one for section in town.style.sections for one in section.systems if section.pace > 0.2} - set(mine)
    if not others:
        raise Missing
    source = rng.choice(sorted(others))
    acts, seen = [], []
    for at in plot.spread(person, first, 1, 3)[: 2 if hard else 3]:
        acts.append(town.sign_in(person, at, source))
        for one in plot.strangers(person, at, 2 if hard else 4):
            acts.append(town.look(person, at + rng.uniform(30, 600), source, one))
            seen.append(one)
    town.label("outside_affair", acts, actors=[person], subjects=seen, hard=hard)


def deceased(plot: Plot, hard: bool) -> None:
    town = plot.town
    day = plot.workday()
    person = plot.clerk(day)
    at = plot.moment(person, day) - HOUR / 2
    gone = [one for one in town.residents if "deceased" in one.flags]
    seen = plot.strangers(person, at, 5 if hard else 10, gone)
    acts = [town.look(person, at + n * 2 * MINUTE, plot.system(person, day), one) for n, one in enumerate(seen)]
    town.label("records_of_the_dead", acts, actors=[person], subjects=seen, hard=hard)


def _at_hours(plot: Plot, kind: str, hard: bool, day: int, person: Person, hour: float, count: int) -> None:
    """Sign-in and look-ups at an hour at which the person has no business."""
    town, rng = plot.town, plot.rng
    at = town.when(day, hour) + rng.random() * 20 * MINUTE
    source = plot.system(person, day)
    seen = plot.strangers(person, at, count)
    acts = [town.sign_in(person, at, source)]
    acts += [town.look(person, at + 60 + n * rng.uniform(60, 300), source, one) for n, one in enumerate(seen)]
    acts.append(town.act(person, max(act.at for act in acts) + 60, source, "logout"))
    town.label(kind, acts, actors=[person], subjects=seen, hard=hard)


def night(plot: Plot, hard: bool) -> None:
    day = plot.workday()
    person = plot.clerk(day, None, lambda one: plot.town.duty[one.id, day][1] < plot.town.when(day, 17.5))
    _at_hours(
        plot, "off_hours_night", hard, day, person, 20.2 if hard else plot.rng.choice((22.5, 23.4)), 3 if hard else 7
    )


def early(plot: Plot, hard: bool) -> None:
    day = plot.workday()
    _at_hours(plot, "off_hours_early", hard, day, plot.clerk(day), 6.4 if hard else 4.6, 3 if hard else 6)


def closed_day(plot: Plot, hard: bool) -> None:
    town = plot.town
    closed = [
        day
        for day in range(5, town.days - 3)
        if town.closed(day) and not any(row["date"] == town.on(day).isoformat() for row in town.feeds["calendar"])
    ]
    day = plot.rng.choice(closed)
    person = town.choose(
        town.when(day, 0),
        town.when(day + 1, 0),
        lambda one: one.role == "clerk" and one.employment == "regular" and (one.id, day) not in town.duty,
    )
    if person is None or day in person.asleep:
        raise Missing
    _at_hours(plot, "closed_day", hard, day, person, plot.rng.uniform(10, 15), 3 if hard else 6)


def on_leave(plot: Plot, hard: bool) -> None:
    day = plot.workday()
    person = plot.clerk(day, absent=True)
    _at_hours(plot, "used_on_leave", hard, day, person, plot.rng.uniform(9.5, 15), 2 if hard else 5)


KINDS = (
    own_record,
    own_household,
    colleague,
    neighbour,
    former_family,
    rare_namesake,
    protected_person,
    celebrity,
    crowd,
    stalking,
    curiosity,
    detective,
    sequential,
    name_search,
    volume,
    creep,
    outside_affair,
    deceased,
    night,
    early,
    closed_day,
    on_leave,
)
"""Every kind of this part; each plants one incident, or raises `Missing`."""
