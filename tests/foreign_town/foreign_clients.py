"""Traps, first part: clients and casework that look like peeping, and have their ticket."""

from foreign_model import DAY, HOUR, MINUTE, Act, Person, Resident
from foreign_plot import Missing, Plot

__all__ = ["CLIENTS", "open_row", "plain_resident", "roster_row", "served", "team"]


def served(
    plot: Plot, person: Person, resident: Resident, at: float, source: str, kind: str = "application", days: float = 2
) -> list[Act]:
    """A look-up with its ticket, entered a few minutes before."""
    if plot.town.tied(person, resident):
        raise Missing
    ticket = plot.town.ticket(person, resident, source, kind, at - 5 * MINUTE, days * DAY)
    quoted = ticket.id if plot.rng.random() < plot.town.style.quoted_case else ""
    return [plot.town.look(person, at, source, resident, case_id=quoted)]


def roster_row(plot: Plot, person: Person, start: float, end: float, kind: str) -> None:
    """A line of the roster, approved."""
    town = plot.town
    row = {"staff_id": person.id, "start": town.local(start), "end": town.local(end), "kind": kind}
    town.feeds["roster"].append({**row, "approved_by": person.manager})


def open_row(plot: Plot, day: int, unit: str, opens: str, closes: str, note: str) -> None:
    town = plot.town
    row = {"date": town.on(day).isoformat(), "org_unit": unit, "kind": "open"}
    town.feeds["calendar"].append({**row, "opens": opens, "closes": closes, "note": note})


def team(plot: Plot, day: int, count: int, last: int | None = None, *, one_unit: bool = True) -> list[Person]:
    """Some clerks who are there, of one section if that matters."""
    found = [plot.clerk(day, last)]
    section = plot.records(found[0], day)
    while len(found) < count:
        found.append(
            plot.clerk(
                day,
                last,
                lambda one: one not in found and (not one_unit or plot.town.section(one, day) is section),
            )
        )
    return found


def plain_resident(plot: Plot, person: Person, source: str) -> Resident:
    """Somebody with a plain record whom a system knows."""
    for _ in range(200):
        one = plot.rng.choice(plot.town.residents)
        old, child = one.born < 1961, any(other.born > 2008 for other in plot.town.households[one.household])
        fits = old if source in {"ltci-core", "latter-elderly"} else child if source == "childcare" else True
        if fits and not one.flags and not plot.town.tied(person, one):
            return one
    raise Missing


def _client(plot: Plot, kind: str, whose: str) -> None:
    """A client who happens to be related to the town hall, with a real case, seen by somebody not of the family."""
    town, rng = plot.town, plot.rng
    day = plot.workday()
    person = plot.clerk(day, None, lambda one: whose not in {"namesake", "neighbour"} or one.resident is not None)
    home = person.resident
    pool: list[Resident] = []
    if whose in {"colleague", "family"}:
        for one in town.people.values():
            if one is not person and one.resident and one.unit(day) == person.unit(day):
                pool += [one.resident] if whose == "colleague" else town.family(one.resident)
    elif home is not None and whose == "namesake":
        pool = [one for one in town.named[home.name] if one.household != home.household]
    elif home is not None:
        others = [lot for lot in town.lots[home.address] if lot != home.household]
        pool = [one for lot in others for one in town.households[lot]]
    if not pool:
        raise Missing
    resident, at, source = rng.choice(pool), plot.moment(person, day), plot.system(person, day)
    acts = served(plot, person, resident, at, source)
    acts += [town.look(person, at + n * 240, source, resident, doing) for n, doing in ((1, "view"), (2, "update"))]
    town.label(kind, acts, actors=[person], subjects=[resident], trap=True)


def colleague_as_client(plot: Plot, _: bool) -> None:
    _client(plot, "colleague_as_client", "colleague")


def household_by_colleague(plot: Plot, _: bool) -> None:
    _client(plot, "household_handled_by_colleague", "family")


def namesake(plot: Plot, _: bool) -> None:
    _client(plot, "namesake_client", "namesake")


def neighbour_as_client(plot: Plot, _: bool) -> None:
    _client(plot, "neighbour_client", "neighbour")


def vip_application(plot: Plot, _: bool) -> None:
    """A person of note applies for something, like everybody."""
    _team_case(plot, "vip_application", 3, "vip")


def protected_support(plot: Plot, _: bool) -> None:
    """The section that protects somebody works for them."""
    _team_case(plot, "protected_person_supported", 2, "protected")


def team_case(plot: Plot, _: bool) -> None:
    """A difficult case: the whole team has it open for days."""
    _team_case(plot, "team_on_one_case", 6, "")


def _team_case(plot: Plot, kind: str, count: int, flag: str) -> None:
    town, rng = plot.town, plot.rng
    first = plot.workday(0.15, 0.85)
    people = team(plot, first, count)
    source = plot.system(people[0], first)
    plain = [one for one in town.residents if flag in one.flags and len(one.flags) == 1]
    resident = rng.choice(plain) if flag else plain_resident(plot, people[0], source)
    at = town.duty[people[0].id, first][0] + HOUR
    acts = served(plot, people[0], resident, at, source, "application", 9)
    for person in people:
        for day in plot.days_there(person, first, first + 4)[: rng.randint(1, 3)]:
            when = plot.moment(person, day)
            if when > at and not town.tied(person, resident):
                acts.append(town.look(person, when, plot.system(person, day), resident))
    town.label(kind, acts, actors=people, subjects=[resident], trap=True)


def school_entry(plot: Plot, _: bool) -> None:
    """Every child of a year gets a notice."""
    town, rng = plot.town, plot.rng
    day = plot.workday()
    person = plot.clerk(day)
    source, year = plot.system(person, day), town.on(day).year - 6
    children = [one for one in town.residents if one.born == year and not one.flags and not town.tied(person, one)]
    children = children or [one for one in town.residents if one.born in {year - 1, year + 1} and not one.flags]
    start, end = town.duty[person.id, day]
    acts = []
    for one in children[:80]:
        at = rng.uniform(start + HOUR, end - 900)
        acts += served(plot, person, one, at, source, "notice", 5)
        acts.append(town.look(person, at + 20, source, one, "print"))
    town.label("school_entry", acts, actors=[person], subjects=children[:80], trap=True)


def numbered_notices(plot: Plot, _: bool) -> None:
    """Returned mail, worked through in the order of the register's numbers."""
    town, day = plot.town, plot.workday()
    person = plot.clerk(day)
    source, first = plot.system(person, day), plot.rng.randrange(len(plot.numbered) - 200)
    run = [one for one in plot.numbered[first : first + 60] if not one.flags and not town.tied(person, one)][:40]
    at = plot.moment(person, day) - HOUR / 2
    acts = [act for n, one in enumerate(run) for act in served(plot, person, one, at + n * 40, source, "notice", 3)]
    town.label("numbered_notices", acts, actors=[person], subjects=run, trap=True)


def busy_day(plot: Plot, _: bool) -> None:
    """Twice the usual work in a day, every piece of it with its ticket."""
    town, day = plot.town, plot.workday()
    person = plot.clerk(day)
    source = plot.system(person, day)
    start, end = town.duty[person.id, day]
    acts, seen = [], []
    for at in sorted(plot.rng.uniform(start + HOUR, end - 600) for _ in range(50)):
        one = plain_resident(plot, person, source)
        seen.append(one)
        acts += served(plot, person, one, at, source, "window", 0.1)
        acts.append(town.look(person, at + 60, source, one, "print"))
    town.label("busy_day_with_tickets", acts, actors=[person], subjects=seen, trap=True)


def common_name(plot: Plot, _: bool) -> None:
    """A client with a common name is searched for again and again before the right record is open."""
    town, day = plot.town, plot.workday()
    person = plot.clerk(day)
    source, at = plot.system(person, day), plot.moment(person, day)
    one = plain_resident(plot, person, source)
    acts = [
        town.act(person, at - 30 * (n + 1), source, "search", query={"by": "name", "hits": 30 + n}) for n in range(7)
    ]
    acts += served(plot, person, one, at + 20, source)
    town.label("common_name_search", acts, actors=[person], subjects=[one], trap=True)


CLIENTS = (
    colleague_as_client,
    household_by_colleague,
    namesake,
    neighbour_as_client,
    vip_application,
    protected_support,
    team_case,
    school_entry,
    numbered_notices,
    busy_day,
    common_name,
)
"""Every kind of this part; each lays one trap, or raises `Missing`."""
