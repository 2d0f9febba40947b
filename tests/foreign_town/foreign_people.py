"""Who lives in the town and who works for it: households, lots, surnames, posts, terminals, rosters, calendars."""

from typing import Any

from foreign_model import HOUR, MINUTE, Person, Post, Resident, Town
from foreign_styles import Section

__all__ = ["populate"]

_SURNAMES = 5000
_SIZES = ((1, 38), (2, 28), (3, 17), (4, 12), (5, 4), (6, 1))
_IN_FLATS = {"rural": 0.12, "city": 0.45, "ward": 0.75}


def populate(town: Town) -> None:
    """Fill an empty town with residents and staff, and say when everybody works."""
    _residents(town)
    _staff(town)
    _moves(town)
    _relate(town)
    _calendar(town)
    for day in range(town.days):
        _roster(town, day)


def _residents(town: Town) -> None:
    rng, style = town.rng, town.style
    count = town.size * style.residents_per_staff
    numbers = list(range(4_500_000, 4_500_000 + count))
    if style.name != "rural":  # a small register was numbered house by house
        rng.shuffle(numbers)
    weights = [1 / (rank + style.surname_offset) for rank in range(_SURNAMES)]
    names = iter(rng.choices(range(1, _SURNAMES + 1), weights, k=count * 2))
    sizes, shares = zip(*_SIZES, strict=True)
    lot, room = 0, 0
    household = 0
    while len(town.residents) < count:
        household += 1
        size = min(rng.choices(sizes, shares)[0], count - len(town.residents))
        if room == 0:
            lot += 1
            room = rng.randint(*style.flats) if rng.random() < _IN_FLATS[style.name] / 6 else 1
        room -= 1
        address, surname, eldest = f"L{lot:06d}", next(names), rng.randint(1936, 2000)
        for place in range(size):
            name = surname if rng.random() > 0.03 else next(names)
            born = eldest + rng.randint(-3, 6) if place < 2 else min(2025, eldest + rng.randint(22, 36))
            one = Resident(numbers[len(town.residents)], household, address, name, born)
            if place == 1 and rng.random() < 0.6:
                one.former = next(names)
            if rng.random() < 0.002:
                one.flags.add("protected")
            if rng.random() < 0.0008 and place == 0:
                one.flags.add("vip")
            if born < 1945 and rng.random() < 0.12:
                one.flags.add("deceased")
            town.residents.append(one)
            town.households[household].append(one)
            town.named[name].append(one)
        town.lots[address].append(household)
    for flag, least in (("vip", 4), ("protected", 8), ("deceased", 12)):
        while sum(flag in one.flags for one in town.residents) < least:
            rng.choice(town.residents).flags.add(flag)


def _person(town: Town, unit: str, employment: str, role: str, site: str, post: Post | None = None) -> Person:
    number = town.serial("staff")
    name = town.style.staff_id.format(number * 7 % 9973 + 12 if town.style.name == "city" else number)
    if employment == "contractor":
        name = f"X{name[1:]}" if town.style.name != "rural" else f"itaku{number}"
    desk = _terminal(town, unit, "vendor" if unit.startswith("vendor") else "desk", site)
    pace = max(0.3, town.rng.gauss(1, 0.25))
    found = Person(name, [post or Post(unit)], employment, role, desk, site, pace)
    town.people[name] = found
    return found


def _terminal(town: Town, unit: str, kind: str, site: str) -> str:
    name = town.style.terminal_id.format(town.serial("terminal"))
    if kind == "vendor":
        name = f"V{name}"
    row = {"terminal_id": name, "org_unit": unit, "site": site, "kind": kind, "ip_range": ""}
    if "ip" in town.style.shown:
        row["ip_range"] = town.address(name)
    town.feeds["terminals"].append(row)
    return name


def _staff(town: Town) -> None:
    rng, style = town.rng, town.style
    for section in style.sections:
        manager = _person(town, section.unit, "regular", "manager", section.site)
        if section.counter:
            for _ in range(4):
                _terminal(town, section.unit, "counter", section.site)
        for number in range(max(3, round(town.size * section.share) - 1)):
            employment = "fixed_term" if rng.random() < style.part_time else "regular"
            if section.counter and rng.random() < style.contractor_counter:
                employment = "contractor"
            role = "admin" if section.unit == style.admin_unit and number < 5 else "clerk"
            _person(town, rng.choice(section.teams), employment, role, section.site).manager = manager.id
    managers = [one for one in town.people.values() if one.role == "manager"]
    chief = next(one for one in managers if one.posts[0].unit == style.admin_unit)
    for manager in managers:
        manager.manager = "" if manager is chief else chief.id
    for number in range(5):
        _person(town, f"vendor/v{number % 2 + 1}", "contractor", "engineer", "vendor")
    locals_ = rng.sample([one for one in town.residents if 1962 <= one.born <= 2004], len(town.people))
    for person, resident in zip(town.people.values(), locals_, strict=True):
        person.surname = resident.name
        if rng.random() < style.resident_staff and person.site != "vendor":
            person.resident = resident
            if style.name != "rural":
                resident.flags.add("staff")


def _moves(town: Town) -> None:
    """Transfers, leavers, joiners, and accounts that fall asleep."""
    rng, style = town.rng, town.style
    sites = {section.unit: section.site for section in style.sections}
    firsts = [day for day in range(8, town.days - 6) if town.on(day).day == 1]
    turn = min(firsts, key=lambda day: abs(day - town.days * 0.55), default=town.days // 2)
    clerks = [one for one in town.people.values() if one.role == "clerk" and _records(town, one.posts[0].unit)]
    moving = rng.sample(clerks, max(6, round(len(clerks) * style.transfer_share)))
    units = [team for section in style.sections for team in section.teams if section.systems]
    for person in moving:
        old = person.posts[0].unit
        new = rng.choice([unit for unit in units if town.sections[unit] is not town.sections[old]])
        person.second_desk = (turn, _terminal(town, new, "desk", sites[town.sections[new].unit]))
        person.posts = [Post(old, None, turn - 1), Post(new, turn)]
        person.manager = next(
            one.id
            for one in town.people.values()
            if one.role == "manager" and one.posts[0].unit == town.sections[new].unit
        )
    rest = [one for one in clerks if one not in moving and one.employment != "contractor"]
    rng.shuffle(rest)
    for number, person in enumerate(rest[: max(8, town.size // 36)]):
        last = turn - 1 if number % 2 else rng.randint(town.days // 3, town.days * 2 // 3)
        person.posts = [Post(person.posts[0].unit, None, last)]
    for person in rest[-max(8, town.size // 36) :]:
        person.posts = [Post(person.posts[0].unit, turn)]
    for person in rest[len(rest) // 2 : len(rest) // 2 + 4]:
        person.asleep = frozenset(range(3, town.days))


def _relate(town: Town) -> None:
    """The people of the feeds."""
    for person in town.people.values():
        limit = "" if person.employment == "regular" else f"{town.on(town.days).year + 1}-03-31"
        for post in person.posts:
            town.feeds["staff"].append(
                {
                    "staff_id": person.id,
                    "name": f"職員{person.id}",
                    "kana": "",
                    "org_unit": post.unit,
                    "post": {"manager": "課長", "admin": "主査", "engineer": "SE"}.get(person.role, "主事"),
                    "role": person.role,
                    "employment": person.employment,
                    "manager_id": person.manager,
                    "valid_from": "2023-04-01" if post.first is None else town.on(post.first).isoformat(),
                    "valid_to": limit if post.last is None else town.on(post.last).isoformat(),
                    "subject_id": town.subject(person.resident) if person.resident else "",
                }
            )


def _records(town: Town, unit: str) -> bool:
    section = town.sections.get(unit)
    return bool(section and section.systems and section.pace > 0.2)


def _calendar(town: Town) -> None:
    """Evening and weekend counters, and one busy season."""
    counters = [section for section in town.style.sections if section.counter]
    busy = town.style.sections[1]
    for day in range(town.days):
        on = town.on(day)
        for section in counters if town.style.evening_counter else ():
            hours = _extra_hours(town, section, day)
            if hours:
                _calendar_row(town, day, section.unit, "open", hours, "延長窓口")
        if town.days // 3 <= day < town.days // 3 + 9 and not town.closed(day):
            _calendar_row(town, day, busy.unit, "busy", None, f"繁忙期{on.month}月")


def _calendar_row(
    town: Town, day: int, unit: str, kind: str, hours: tuple[float, float] | None, note: str
) -> dict[str, Any]:
    row = {
        "date": town.on(day).isoformat(),
        "org_unit": unit,
        "kind": kind,
        "opens": _clock(hours[0]) if hours else "",
        "closes": _clock(hours[1]) if hours else "",
        "note": note,
    }
    town.feeds["calendar"].append(row)
    return row


def _clock(hour: float) -> str:
    return f"{int(hour):02d}:{round(hour % 1 * 60):02d}"


def _extra_hours(town: Town, section: Section, day: int) -> tuple[float, float] | None:
    """When a counter is open beyond the usual: an evening a week and a weekend day a month, or every Saturday."""
    weekday = town.on(day).weekday()
    if not (town.style.evening_counter and section.counter):
        return None
    if town.style.name == "city":
        if weekday == 3 and not town.closed(day):
            return 8.5, 19.0
        return (9.0, 12.5) if weekday == 6 and town.on(day).day <= 7 else None
    return (9.0, 17.0) if weekday == 5 else None


def _roster(town: Town, day: int) -> None:
    rng, style = town.rng, town.style
    for person in town.people.values():
        unit = person.unit(day)
        section = town.sections.get(unit)
        if section is None or day in person.asleep:
            continue
        extra = _extra_hours(town, section, day)
        if town.closed(day):
            if extra and rng.random() < 0.25:
                _shift(town, person, day, extra)
            continue
        if rng.random() < 0.035:
            _span(town, person, town.when(day, 0), town.when(day + 1, 0), "leave")
            continue
        hours = (8.5, 17.25)
        if style.roster_for_all:
            hours = ((8.0, 16.75), (8.5, 17.25), (8.5, 17.25), (10.25, 19.0))[(day // 7 + len(person.id + unit)) % 4]
            _shift(town, person, day, hours)
        elif person.employment == "fixed_term":
            hours = (9.0, 15.5)
            if style.name == "city":
                _shift(town, person, day, hours)
        elif extra and rng.random() < 0.25:
            hours = (10.25, 19.0)
            _shift(town, person, day, hours)
        start, end = town.when(day, hours[0]), town.when(day, hours[1])
        busy = section is style.sections[1] and town.days // 3 <= day < town.days // 3 + 9
        if person.employment == "regular" and rng.random() < (0.3 if busy else 0.06):
            over = end + rng.choice((1.5, 2, 2.5, 3)) * HOUR
            _span(town, person, end, over, "overtime")
            end = over
        town.duty[person.id, day] = (start, end - 6 * MINUTE)


def _shift(town: Town, person: Person, day: int, hours: tuple[float, float]) -> None:
    start, end = town.when(day, hours[0]), town.when(day, hours[1])
    _span(town, person, start, end, "shift")
    town.duty[person.id, day] = (start, end - 6 * MINUTE)


def _span(town: Town, person: Person, start: float, end: float, kind: str) -> None:
    row = {"staff_id": person.id, "start": town.local(start), "end": town.local(end), "kind": kind}
    deputy = next(one.id for one in town.people.values() if one is not person)  # nobody approves their own overtime
    row["approved_by"] = "" if kind == "shift" else person.manager or deputy
    town.feeds["roster"].append(row)
