"""What looks wrong and is in order: each trap is unusual, and has its paper. Here: times, media, machines."""

from foreign_clients import CLIENTS, open_row, plain_resident, roster_row, served, team
from foreign_incidents import attempt
from foreign_model import DAY, HOUR, MINUTE, Act, Town
from foreign_plot import Missing, Plot
from foreign_routine import approve, export, medium_job

__all__ = ["TRAPS", "lay"]


def lay(town: Town) -> None:
    """Lay every kind of trap once, some twice."""
    plot = Plot(town)
    for trap in TRAPS:
        attempt(plot, trap, False)
        if town.rng.random() < 0.25:
            attempt(plot, trap, False, needed=False)


def approved_list_work(plot: Plot, _: bool) -> None:
    town, day = plot.town, plot.workday()
    person = plot.clerk(day)
    source = plot.system(person, day)
    start, end = town.duty[person.id, day]
    approve(town, "time_window", person, start, end + 600, source=source, note="対象者一覧の点検")
    seen = [plain_resident(plot, person, source) for _ in range(45)]
    acts = [town.look(person, plot.rng.uniform(start + 1800, end - 600), source, one) for one in seen]
    town.label("approved_list_work", acts, actors=[person], subjects=seen, trap=True)


def disaster_night(plot: Plot, _: bool) -> None:
    """The whole town hall is open all night; calls are written down."""
    town, day = plot.town, plot.workday(0.2, 0.8)
    people = team(plot, day, 8, one_unit=False)
    open_row(plot, day, "", "00:00", "24:00", "台風対応 災害警戒本部設置")
    open_row(plot, day + 1, "", "00:00", "24:00", "台風対応 災害警戒本部設置")
    acts, seen = [], []
    for person in people:
        roster_row(plot, person, town.when(day, 17.25), town.when(day + 1, 3), "standby")
        source, at = plot.system(person, day), town.when(day, 19) + plot.rng.random() * HOUR
        acts.append(town.sign_in(person, at - 90, source))
        for _number in range(plot.rng.randint(3, 6)):
            one = plain_resident(plot, person, source)
            seen.append(one)
            acts += served(plot, person, one, at, source, "call", 1)
            at += plot.rng.uniform(300, 4000)
    town.label("disaster_night", acts, actors=people, subjects=seen, trap=True)


def _rest_day(plot: Plot, weekday: int) -> int:
    days = [day for day in range(6, plot.town.days - 3) if plot.town.on(day).weekday() == weekday]
    taken = {row["date"] for row in plot.town.feeds["calendar"]}
    free = [day for day in days if plot.town.on(day).isoformat() not in taken] or days
    return plot.rng.choice(free)


def _off_day(
    plot: Plot, kind: str, weekday: int, hours: tuple[float, float], clock: tuple[str, str], note: str
) -> None:
    """Work on a day of rest, as the calendar and the roster say."""
    town, rng = plot.town, plot.rng
    day = _rest_day(plot, weekday)
    before = max(one for one in plot.workdays if one < day)
    people = team(plot, before, 5, day)
    if any((one.id, day) in town.duty for one in people):
        raise Missing
    open_row(plot, day, town.sections[people[0].unit(day)].unit, *clock, note)
    acts, seen = [], []
    for person in people:
        start, end = town.when(day, hours[0]), town.when(day, hours[1])
        roster_row(plot, person, start, end, "shift")
        source = plot.system(person, day)
        acts.append(town.sign_in(person, start + rng.uniform(2, 9) * MINUTE, source))
        for at in sorted(rng.uniform(start + 900, end - 900) for _ in range(rng.randint(4, 9))):
            one = plain_resident(plot, person, source)
            seen.append(one)
            acts += served(plot, person, one, at, source, "window", 0.1)
    town.label(kind, acts, actors=people, subjects=seen, trap=True)


def election_night(plot: Plot, _: bool) -> None:
    _off_day(plot, "election_night", 6, (13, 23.8), ("07:00", "24:00"), "選挙 投開票")


def weekend_counter(plot: Plot, _: bool) -> None:
    _off_day(plot, "weekend_counter", 5, (9, 16), ("09:00", "16:00"), "休日窓口")


def month_end_bulk(plot: Plot, _: bool) -> None:
    """The largest list of the month, applied for and approved."""
    town, day = plot.town, plot.workday(0.3, 0.95)
    person = plot.clerk(day)
    source = plot.system(person, day)
    start, end = plot.span(day, 8.5, 17.25)
    approval = approve(town, "export", person, start, end, source=source, max_rows=20000, note="月次納付書作成")
    at = plot.moment(person, day)
    acts = [export(town, person, at, source, plot.rng.randint(9000, 18000), approval)]
    town.label("month_end_bulk", acts, actors=[person], trap=True)


def learner(plot: Plot, _: bool) -> None:
    """Somebody new goes through many records for a week, as the training plan says."""
    town = plot.town
    new = [one for one in town.people.values() if one.posts[0].first is not None]
    plot.rng.shuffle(new)
    for person in new:
        first = person.posts[0].first or 0
        days = [day for day in plot.days_there(person, first, first + 7) if town.section(person, day)][:4]
        if len(days) < 3 or not town.free(person, town.when(days[0], 0), town.when(days[-1], 24)):
            continue
        acts, seen = [], []
        for day in days:
            start, end = plot.span(day, 8.5, 17.25)
            roster_row(plot, person, start, end, "training")
            approve(town, "time_window", person, start, end, note="新任研修（操作実習）")
            for _number in range(14):
                one = plain_resident(plot, person, "")
                seen.append(one)
                acts.append(town.look(person, plot.moment(person, day), plot.system(person, day), one))
        town.label("new_staff_learning", acts, actors=[person], subjects=seen, trap=True)
        return
    raise Missing


def desk_move(plot: Plot, _: bool) -> None:
    """A section gets new terminals: registered, approved, and used from then on."""
    town, day = plot.town, plot.workday(0.3, 0.8)
    people = [one for one in team(plot, day, 3) if one.second_desk is None]
    acts: list[Act] = []
    for person in people:
        name = town.style.terminal_id.format(town.serial("terminal"))
        ip = town.address(name) if "ip" in town.style.shown else ""
        unit = person.unit(day)
        town.feeds["terminals"].append(
            {"terminal_id": name, "org_unit": unit, "site": person.site, "kind": "desk", "ip_range": ip}
        )
        start = town.when(day, 0)
        approve(town, "terminal", person, start, town.when(town.days, 0), note=f"席替え {name}")
        for act in town.acts:
            if act.doc.get("terminal", {}).get("id") == person.desk and act.at >= start:
                act.doc["terminal"] = {"id": name, **({"ip": ip} if ip else {})}
                if act.at < start + DAY:
                    acts.append(act)
        person.desk = name
    if not acts:
        raise Missing
    town.label("desk_move", acts, actors=people, trap=True, span=plot.span(day, 0, 24))


def system_renewal(plot: Plot, _: bool) -> None:
    """A weekend of work on a system, by the vendor and an administrator, all approved."""
    town, day = plot.town, _rest_day(plot, 5)
    engineer = next(one for one in town.people.values() if one.role == "engineer")
    admin = plot.admin(max(one for one in plot.workdays if one < day))
    start, end = plot.span(day, 8, 20)
    for person in (engineer, admin):
        approve(town, "maintenance", person, start, end, admin.manager, note="システム更改")
        approve(town, "time_window", person, start, end, admin.manager, note="システム更改")
        roster_row(plot, person, start, end, "shift" if person is engineer else "overtime")
    source = town.style.admin_source
    town.feeds["roster"][-2]["approved_by"] = admin.manager
    acts = [
        town.sign_in(engineer, start + 1800, "contractor-terminal"),
        town.act(engineer, start + 1 * HOUR, "contractor-terminal", "maintenance", operation_name="更改作業"),
        town.sign_in(admin, start + 0.6 * HOUR, source),
        town.act(admin, start + 2 * HOUR, source, "config_change", operation_name="接続先変更"),
        town.act(None, start + 5 * HOUR, source, "restore", operation_name="データ移行"),
        town.act(engineer, start + 9 * HOUR, "contractor-terminal", "logout"),
    ]
    town.label("system_renewal", acts, actors=[engineer, admin], trap=True)


def emergency_maintenance(plot: Plot, _: bool) -> None:
    town, day = plot.town, plot.workday()
    engineer = [one for one in town.people.values() if one.role == "engineer"][1]
    chief = next(one.id for one in town.people.values() if one.role == "manager")
    start, end = plot.span(day, 21.5, 26)
    approve(town, "maintenance", engineer, start, end, chief, source="contractor-terminal", note="障害復旧")
    roster_row(plot, engineer, start, end, "standby")
    town.feeds["roster"][-1]["approved_by"] = chief
    acts = [
        town.sign_in(engineer, start + 900, "contractor-terminal"),
        town.act(engineer, start + 3000, "contractor-terminal", "maintenance", operation_name="障害復旧"),
        town.act(engineer, start + 9000, "contractor-terminal", "logout"),
    ]
    town.label("emergency_maintenance", acts, actors=[engineer], trap=True)


def handover(plot: Plot, _: bool) -> None:
    """After a transfer the old section's cases are handed over, for days that somebody approved."""
    town = plot.town
    moved = [one for one in town.people.values() if len(one.posts) == 2]
    plot.rng.shuffle(moved)
    for person in moved:
        turn = person.posts[1].first or 0
        days = plot.days_there(person, turn, turn + 8)[:3]
        old = town.sections[person.posts[0].unit]
        known = [one for one in town.tickets if one.assignee == person.id and one.opened < town.when(turn, 0)]
        if len(days) < 2 or len(known) < 6 or not town.free(person, town.when(days[0], 0), town.when(days[-1], 24)):
            continue
        source = max(old.systems, key=lambda one: old.systems[one])
        start, end = town.when(days[0], 0), town.when(days[-1] + 1, 0)
        approve(town, "time_window", person, start, end, source=source, note="異動に伴う引継ぎ")
        acts, seen = [], []
        for day in days:
            at = plot.moment(person, day)
            acts.append(town.sign_in(person, at - 60, source))
            for ticket in known[-3:]:
                acts.append(town.look(person, at, source, ticket.resident, case_id=ticket.id))
                seen.append(ticket.resident)
                at += 200
        town.label("handover_after_transfer", acts, actors=[person], subjects=seen, trap=True)
        return
    raise Missing


def forgotten_password(plot: Plot, _: bool) -> None:
    """Wrong, wrong, wrong; a request to the help desk; a new password; in."""
    town, day = plot.town, plot.workday()
    person = plot.clerk(day, None, lambda one: (one.manager, day) in town.duty)
    admin = plot.admin(day)
    at, source = plot.moment(person, day), plot.system(person, day)
    wrong = {"factors": ["password"]}
    acts = [town.sign_in(person, at + n * 40, source, outcome="failure", auth=wrong) for n in range(4)]
    target = {"id": person.id, "system": source}
    boss = town.people[person.manager]
    acts.append(town.act(boss, at + 600, town.style.admin_source, "apply", target=target))
    acts.append(town.act(admin, at + 900, town.style.admin_source, "credential_reset", target=target))
    acts.append(town.sign_in(person, at + 1200, source))
    town.label("forgotten_password", acts, actors=[person, admin], trap=True)


def late_evening(plot: Plot, _: bool) -> None:
    """Overtime that was ordered, on cases that exist."""
    town, day = plot.town, plot.workday()
    person = plot.clerk(day, None, lambda one: town.duty[one.id, day][1] < town.when(day, 17.5))
    source, at = plot.system(person, day), town.when(day, 20)
    roster_row(plot, person, town.duty[person.id, day][1], town.when(day, 22.5), "overtime")
    acts, seen = [town.sign_in(person, at - 120, source)], []
    for n in range(8):
        one = plain_resident(plot, person, source)
        seen.append(one)
        acts += served(plot, person, one, at + n * 900, source)
    town.label("ordered_overtime", acts, actors=[person], subjects=seen, trap=True)


def medium_in_order(plot: Plot, _: bool) -> None:
    """Data on a medium, with approval, ledger, return and erasure."""
    town, day = plot.town, plot.workday()
    person = plot.clerk(day)
    acts = medium_job(town, person, town.when(day, 12.7), 6500)
    town.label("medium_with_ledger", acts, actors=[person], trap=True)


TRAPS = (
    learner,
    handover,
    disaster_night,
    election_night,
    weekend_counter,
    desk_move,
    approved_list_work,
    month_end_bulk,
    system_renewal,
    emergency_maintenance,
    forgotten_password,
    late_evening,
    medium_in_order,
    *CLIENTS,
)
"""Every kind of trap; each lays one, or raises `Missing`."""
