"""What leaves a system or changes a right, as it should: ordered beforehand, written into the ledger, given back.

Each is a chore within somebody's ordinary day, with the approval that covers it.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from detectors.lab.acts import Chore, Export, Target, Touch
from detectors.lab.casework import Casework
from detectors.lab.model import Approval, Person
from detectors.lab.systems import MEDIA, PLATFORM, REGISTER, SYSTEMS
from detectors.lab.timetable import Timetable, at

__all__ = ["ledger", "plan_handovers", "plan_outputs", "plan_rights"]

_WEEKLY = 0.18
"""The chance that a section needs a list on a working day."""

Approve = Callable[..., Approval]


def plan_outputs(rng: Random, people: Sequence[Person], timetable: Timetable, work: Casework, approve: Approve) -> None:
    """Lists for mailing, statistics and other offices: approved, exported, some of them on a registered medium.

    The resident register is too old to export anything.
    """
    teams: dict[str, list[Person]] = {}
    for person in people:
        if person.pace and person.employment == "regular" and person.section.lines[0].source != REGISTER:
            teams.setdefault(person.unit, []).append(person)
    number = 0
    for day in timetable.days:
        for team in teams.values():
            able = [person for person in team if timetable.ordinary(person, day)]
            if not able or rng.random() > _WEEKLY:
                continue
            number += 1
            _output(rng, rng.choice(able), day, number, work, approve)


def _output(rng: Random, person: Person, day: date, number: int, work: Casework, approve: Approve) -> None:
    source = person.section.lines[0].source
    rows = rng.choice((20, 50, 80, 120, 200, 400)) + rng.randint(0, 19)
    kind = rng.choices(("export", "print", "media"), (5, 3, 2))[0]
    medium = f"M-{rng.randint(1, 30):03}" if kind == "media" else ""
    span = at(day, 0) - timedelta(days=1), at(day, 24)
    given = approve(
        person,
        source,
        *span,
        "帳票・データの出力",
        max_rows=rows + rng.randint(0, 30),
        kind="print" if kind == "print" else "export",
        medium=medium,
    )
    spot = rng.uniform(0.1, 0.8)
    name = f"{source}-{day:%m%d}-{number}.csv"
    sheet = Export(
        rows,
        "" if kind == "print" else name,
        "",
        "usb" if medium else "printer" if kind == "print" else "share",
        medium,
        given.id if rng.random() < 0.5 else "",
    )
    activity = "print" if kind == "print" else "export"
    own = work.chores[person.id, day]
    own.append(Chore(spot, source, ((activity, {"export": sheet, "detail": "一覧出力"}),)))
    if medium:
        approve(person, MEDIA, *span, "外部媒体の使用", kind="media", medium=medium)
        own += ledger(spot, medium, rows)


def ledger(spot: float, medium: str, rows: int, *, plot: str = "") -> list[Chore]:
    """The entries of the media ledger around something that is written to a medium."""

    def entry(after: float, activity: str, **more: Any) -> Chore:  # noqa: ANN401 - fields of Export
        step = (activity, {"export": Export(medium=medium, **more)})
        return Chore(min(spot + after, 0.999), MEDIA, (step,), plot)

    return [
        entry(-0.03, "media_checkout"),
        entry(0.01, "media_write", rows=rows, destination="usb"),
        entry(0.12, "media_return"),
        entry(0.15, "media_erase"),
    ]


def plan_handovers(
    rng: Random, people: Sequence[Person], timetable: Timetable, work: Casework, approve: Approve
) -> None:
    """For a week after a transfer the old section still asks: an approval names the time and the list."""
    begun = {person.id: person for person in people if person.since > timetable.days[0]}
    for old in people:
        new = begun.get(old.id)
        if new is None or new is old or new.unit == old.unit:
            continue
        days = [new.since + timedelta(days=number) for number in range(7)]
        days = [day for day in days if day in timetable.days and timetable.ordinary(new, day)]
        own = [case for case in work.cases.values() if case.unit == old.unit and case.opened < at(new.since, 0)]
        if not days or not own:
            continue
        approve(new, "", at(new.since, 0), at(new.since, 24) + timedelta(days=7), "事務引継ぎの一覧の確認", max_rows=30)
        for day in days[:3]:
            case = rng.choice(own)
            touch = Touch(rng.random(), case, (case.subject,), (case.source,))
            work.touches[new.id, day].append(touch)


def plan_rights(rng: Random, people: Sequence[Person], timetable: Timetable, work: Casework) -> None:
    """Rights are applied for by the section, approved by its head, and set by a systems administrator."""
    setters = [person for person in people if person.kind == "staff" and not person.pace]
    heads = {person.unit: person for person in people if person.post == "係長"}
    first, last = timetable.days[0], timetable.days[-1]
    units = {(person.id, person.since): person.unit for person in people}
    for person in people:
        # Rights come with the post and go with it; a new desk changes nothing.
        morrow = person.until + timedelta(days=1) if person.until else None
        if morrow and first < morrow <= last and units.get((person.id, morrow)) != person.unit:
            _set_right(rng, "revoke", person, morrow, setters, heads, timetable, work)
        before = any(one.id == person.id and one.unit == person.unit and one.until for one in people if one != person)
        if person.kind == "staff" and first < person.since <= last and not before:
            _set_right(rng, "grant", person, person.since, setters, heads, timetable, work)


def _set_right(
    rng: Random,
    activity: str,
    person: Person,
    day: date,
    setters: Sequence[Person],
    heads: dict[str, Person],
    timetable: Timetable,
    work: Casework,
) -> None:
    days = [one for one in timetable.days if day <= one <= day + timedelta(days=6)]
    head = heads.get(person.unit) if activity == "grant" else None
    able = [(one, who) for one in days for who in setters if timetable.ordinary(who, one) and who.id != person.id]
    if head:  # nothing is granted before the head has asked for it
        able = [(one, who) for one, who in able if timetable.ordinary(head, one)]
    if not able:
        return
    when, who = able[0]
    system = person.section.main_system
    target = Target(person.id, SYSTEMS[system].affair, system)
    spot = rng.uniform(0.05, 0.3)
    work.chores[who.id, when].append(Chore(spot, PLATFORM, ((activity, {"target": target}),)))
    if head:
        asked = (("apply", {"target": target}), ("approve", {"target": target}))
        work.chores[head.id, when].append(Chore(spot / 2, PLATFORM, asked))
