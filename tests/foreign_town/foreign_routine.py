"""What a town hall does by rule: jobs at night, lists with approvals, media with ledgers, rights, maintenance."""

from typing import Any

from foreign_model import HOUR, MINUTE, Act, Person, Town

__all__ = ["approve", "export", "medium_job", "medium_source", "routine", "sources_of_jobs"]


def routine(town: Town) -> None:
    """All routine, over all days."""
    for day in range(town.days):
        _jobs(town, day)
        if not town.closed(day):
            _lists(town, day)
            _maintenance(town, day)
            _rights(town, day)


def approve(
    town: Town, kind: str, person: Person | None, start: float, end: float, approver: str = "", **more: Any
) -> str:
    """Enter an approval; its id."""
    name = f"ap-{town.serial('approval'):05d}"
    row = {
        "approval_id": name,
        "kind": kind,
        "staff_id": person.id if person else "",
        "approved_by": approver or (person.manager if person else ""),
        "source": "",
        "valid_from": town.local(start),
        "valid_to": town.local(end),
        "max_rows": "",
        "medium_id": "",
        "note": "",
    }
    town.feeds["approvals"].append(row | more)
    return name


def sources_of_jobs(town: Town) -> list[str]:
    """The record systems of a town, in order."""
    named = {source for section in town.style.sections for source in section.systems}
    return sorted(named - {"common-platform", "gov-cloud"})


def export(town: Town, person: Person, at: float, source: str, rows: int, approval: str = "", **more: Any) -> Act:
    """Write records out."""
    name = f"list_{town.serial('file'):05d}.csv"
    to = more.pop("destination", "file_share")
    sheet = {
        "file": name,
        "rows": rows,
        "destination": to,
        "approval_id": approval,
        "medium_id": more.pop("medium", ""),
    }
    kept = {key: value for key, value in sheet.items() if value != ""}
    return town.act(person, at, source, more.pop("activity", "export"), export=kept, **more)


def medium_source(town: Town) -> str:
    """Where writing to media is logged."""
    return "file-share" if town.style.name == "rural" else "device-control"


def medium_job(town: Town, person: Person, at: float, rows: int) -> list[Act]:
    """Data taken to a medium as it should be: approval, ledger, writing, return, erasure."""
    medium = f"M-{town.rng.randint(1, 30):03d}"
    approval = approve(
        town, "media", person, at - HOUR, at + 6 * HOUR, medium_id=medium, max_rows=rows + 100, note="定期提供"
    )
    sheet = {"medium_id": medium, "rows": rows, "approval_id": approval, "destination": "usb", "file": "teiki.csv"}
    ledger, writing = "media-ledger", medium_source(town)
    return [
        town.act(person, at - 20 * MINUTE, ledger, "media_checkout", export={"medium_id": medium}),
        town.act(person, at, writing, "media_write", export=sheet),
        town.act(person, at + 2 * HOUR, ledger, "media_return", export={"medium_id": medium}),
        town.act(person, at + 2.2 * HOUR, ledger, "media_erase", export={"medium_id": medium}),
    ]


def _jobs(town: Town, day: int) -> None:
    rng = town.rng
    sources = sources_of_jobs(town)
    for number, source in enumerate(sources):
        at = town.when(day, 2) + number * 7 * MINUTE + rng.random() * 60
        town.act(None, at, source, "job_run", operation_name="夜間バッチ")
        if number % 3 == 0:
            town.act(None, at + 60, source, "export", export={"rows": rng.randint(800, 9000), "file": "renkei.csv"})
        partner = sources[(number + 1) % len(sources)]
        if number % 2 == 0:
            sheet = {"file": f"if_{source}_{day:03d}.dat", "rows": rng.randint(20, 400)}
            town.act(None, at + 120, source, "transfer", export=sheet, counterparty={"system": partner})
            town.act(None, at + 150, partner, "receive", export=sheet, counterparty={"system": source})
    for hour in range(24):
        town.act(None, town.when(day, hour) + 30, town.style.admin_source, "heartbeat")
    town.act(None, town.when(day, 3.5), town.style.admin_source, "backup")


def _clerks(town: Town, day: int, unit: str, role: str = "clerk") -> list[Person]:
    """Who of a section is there for the middle of a day."""
    found = []
    for person in town.people.values():
        section, span = town.section(person, day), town.duty.get((person.id, day))
        if section is None or span is None or section.unit != unit or person.role != role:
            continue
        if person.employment != "contractor" and day not in person.asleep and span[1] > town.when(day, 17):
            found.append(person)
    return found


def _lists(town: Town, day: int) -> None:
    """Each section's weekly list, its prints and its medium, by the one clerk who usually does it."""
    rng = town.rng
    for number, section in enumerate(town.style.sections):
        clerks = _clerks(town, day, section.unit)
        if not section.systems or section.pace < 0.2 or not clerks:
            continue
        clerk, source = clerks[0], max(section.systems, key=lambda one: section.systems[one])
        at = town.when(day, 14) + rng.random() * HOUR
        if day % 7 == number % 5:
            rows = rng.randint(40, 700)
            approval = approve(
                town, "export", clerk, town.when(day, 9), town.when(day, 17), source=source, max_rows=1000, note="週次"
            )
            export(town, clerk, at, source, rows, approval if rng.random() < 0.5 else "")
        if day % 7 == (number + 2) % 5:
            approve(town, "print", clerk, town.when(day, 9), town.when(day, 17), source=source, max_rows=3000)
            export(town, clerk, at, source, rng.randint(100, 1500), activity="print", destination="printer")
        if day % 14 == number:
            medium_job(town, clerk, at, rng.randint(30, 400))


def _maintenance(town: Town, day: int) -> None:
    """The vendor's weekly evening, approved, at the vendor's own terminal."""
    if town.on(day).weekday() != 2:
        return
    engineers = [one for one in town.people.values() if one.role == "engineer"]
    engineer = engineers[day // 7 % (len(engineers) - 2)]
    start, end = town.when(day, 18.5), town.when(day, 21.5)
    chief = next(one.id for one in town.people.values() if one.role == "manager")
    approve(town, "maintenance", engineer, start, end, chief, source="contractor-terminal", note="定期保守")
    if town.style.roster_for_all:
        town.feeds["roster"].append(
            {
                "staff_id": engineer.id,
                "start": town.local(start),
                "end": town.local(end),
                "kind": "shift",
                "approved_by": chief,
            }
        )
    at = start + town.rng.uniform(5, 20) * MINUTE
    town.sign_in(engineer, at, "contractor-terminal")
    town.act(engineer, at + 30 * MINUTE, "contractor-terminal", "maintenance", operation_name="パッチ適用")
    town.act(engineer, at + 90 * MINUTE, "contractor-terminal", "logout")


def _rights(town: Town, day: int) -> None:
    """Rights of those who come, move and go: applied for, approved, given, and taken away the day before."""
    admins = _clerks(town, day, town.style.admin_unit, "admin")
    if not admins:
        return
    source = town.style.admin_source
    for person in list(town.people.values()):
        for post in person.posts:
            section = town.sections.get(post.unit)
            if section is None or not section.systems:
                continue
            system = next(iter(section.systems))
            if post.first is not None and 0 <= post.first - day <= 3 and _last_workday(town, post.first) == day:
                at, target = town.when(day, 11) + town.rng.random() * HOUR, {"id": person.id, "system": system}
                bosses = _bosses(town, person, day)
                town.act(bosses[0], at, source, "apply", target=target)
                town.act(bosses[1], at + HOUR, source, "approve", target=target)
                town.act(admins[0], at + 2 * HOUR, source, "grant", target=target)
            if post.last is not None and _last_workday(town, post.last + 1) == day:
                at = town.when(day, 14) + town.rng.random() * HOUR
                town.act(admins[-1], at, source, "revoke", target={"id": person.id, "system": system})
    if town.rng.random() < 0.2:
        person = town.rng.choice(list(town.people.values()))
        target, at = {"id": person.id, "system": source}, town.when(day, 11)
        if person not in admins:
            town.act(_bosses(town, person, day)[0], at, source, "apply", target=target)
            town.act(admins[0], at + 0.5 * HOUR, source, "credential_reset", target=target)


def _bosses(town: Town, person: Person, day: int) -> list[Person]:
    """The managers who are there, the person's own first."""
    found = [one for one in town.people.values() if one.role == "manager" and (one.id, day) in town.duty]
    return sorted(found, key=lambda one: one.id != person.manager)


def _last_workday(town: Town, day: int) -> int:
    """The last day before `day` on which the town hall is open."""
    before = day - 1
    while before > 0 and town.closed(before):
        before -= 1
    return before
