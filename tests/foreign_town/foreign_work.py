"""The honest day: residents come, casework is written down (or not), records are looked at for it, mistakes happen."""

from collections import defaultdict

from foreign_model import DAY, HOUR, MINUTE, Person, Resident, Ticket, Town
from foreign_styles import Section

__all__ = ["Office", "work"]

_FOLLOW = ("update", "print", "create")
_KINDS = ("window", "application", "notice", "visit", "call")
_WRONG, _TYPED = 0.35, 0.6
"""Of what nothing accounts for: the wrong record, then the wrong number; the rest are questions by telephone."""
_GIVEN_UP = 0.03
"""Searches after which the client has gone, or is none of the town's."""


class Office:
    """The town at work, one day after the other."""

    def __init__(self, town: Town) -> None:
        self.town, self.rng = town, town.rng
        self.open: dict[str, list[Ticket]] = defaultdict(list)
        self.own: dict[str, list[Ticket]] = {}
        self.counters: dict[str, list[str]] = defaultdict(list)
        for row in town.feeds["terminals"]:
            if row["kind"] == "counter":
                self.counters[row["org_unit"]].append(row["terminal_id"])
        elders = [one for one in town.residents if one.born < 1962]
        parents = [family[0] for family in town.households.values() if any(one.born > 2008 for one in family)]
        self.pools = {"ltci-core": elders, "latter-elderly": elders, "childcare": parents}
        self.signed: set[tuple[str, str]] = set()

    def day(self, day: int) -> None:
        """Everybody's work of one day."""
        town = self.town
        for unit, tickets in self.open.items():
            self.open[unit] = [one for one in tickets if one.closed is None or one.closed + 4 * DAY > town.when(day, 0)]
        self.own = defaultdict(list)
        for one in (ticket for tickets in self.open.values() for ticket in tickets):
            self.own[one.assignee].append(one)
        for person in town.people.values():
            section = town.section(person, day)
            span = town.duty.get((person.id, day))
            if span is not None and section is not None and section.systems and day not in person.asleep:
                self._person(person, section, day, span)

    def _person(self, person: Person, section: Section, day: int, span: tuple[float, float]) -> None:
        town, rng = self.town, self.rng
        start, end = span
        busy = 1.6 if section is town.style.sections[1] and 0 <= day - town.days // 3 < 9 else 1.0
        tasks = town.style.tasks * person.pace * section.pace * busy * (end - start) / (8.6 * HOUR)
        count = max(0, round(rng.gauss(tasks * (0.3 if person.role == "manager" else 1), tasks**0.5)))
        begin = start + rng.uniform(2, 25) * MINUTE
        moments = sorted(self._moment(begin, end, day) for _ in range(count))
        desk = person.desk_on(day)
        counter, block = "", begin + rng.random() * max(1.0, end - begin - 2 * HOUR)
        if self.counters[section.unit] and rng.random() < 0.5:
            counter = rng.choice(self.counters[section.unit])
        self.signed = set()
        main = max(section.systems, key=lambda one: section.systems[one])
        if moments:
            self._sign_in(person, min(moments[0], start + rng.uniform(-12, 12) * MINUTE), main, desk)
        last: dict[str, float] = {}
        for at in moments:
            terminal = counter if counter and block <= at < block + 2 * HOUR else desk
            source = rng.choices(list(section.systems), list(section.systems.values()))[0]
            if source in {"common-platform", "gov-cloud"}:
                town.act(person, at, source, "operation", operation_name="稼働状況確認")
                continue
            self._sign_in(person, at - 40, source, terminal)
            self._task(person, section, source, at, terminal)
            last[source] = at
        for source, at in last.items():
            if rng.random() < 0.94:
                town.act(person, max(at + 5 * MINUTE, end - rng.random() * 10 * MINUTE), source, "logout")

    def _moment(self, begin: float, end: float, day: int) -> float:
        at = self.rng.uniform(begin, end)
        if 12 <= (at - self.town.when(day, 0)) / HOUR < 13 and self.rng.random() < 0.85:
            at = self.rng.uniform(begin, end)
        return at

    def _sign_in(self, person: Person, at: float, source: str, terminal: str) -> None:
        if (source, terminal) in self.signed:
            return
        self.signed.add((source, terminal))
        if self.rng.random() < 0.03:
            for number in range(self.rng.choice((1, 1, 2))):
                failed = at - 14 * (number + 1)
                self.town.sign_in(person, failed, source, terminal, outcome="failure", auth={"factors": ["password"]})
        self.town.sign_in(person, at, source, terminal)

    def _task(self, person: Person, section: Section, source: str, at: float, terminal: str) -> None:
        town, rng = self.town, self.rng
        draw = rng.random()
        pool = self.open[section.unit]
        if rng.random() < _GIVEN_UP:
            town.act(person, at, source, "search", query={"by": "name", "hits": rng.randint(0, 30)}, terminal=terminal)
            return
        if pool and (person.role == "manager" or draw < town.style.reopened):
            own = self.own[person.id] if rng.random() < 0.6 else []
            ticket = rng.choice(own or pool)
            if ticket.unit == section.unit and not town.tied(person, ticket.resident) and ticket.opened <= at:
                self._look(person, source, ticket.resident, at, terminal, ticket)
                return
        if draw > 1 - town.style.errands:
            self._errand(person, source, at, terminal)
        elif draw > 1 - town.style.errands - 0.03:
            self._inquiry(person, section, source, at, terminal)
        else:
            self._reception(person, section, source, at, terminal)

    def resident(self, person: Person, source: str) -> Resident:
        """Somebody whom the person may handle."""
        while True:
            found = self.rng.choice(self.pools.get(source) or self.town.residents)
            if not self.town.tied(person, found):
                return found

    def _reception(self, person: Person, section: Section, source: str, at: float, terminal: str) -> None:
        town, rng, style = self.town, self.rng, self.town.style
        resident = self.resident(person, source)
        kind = "arrears" if source in {"arrears", "nhi-arrears", "phone-dunning"} else rng.choice(_KINDS)
        late = rng.random() < style.late_ticket
        opened = at + rng.uniform(8, 23.5) * HOUR if late else at + rng.uniform(-6, 12) * MINUTE
        days = 0.0 if kind == "window" else rng.uniform(*style.lasting)
        ticket = town.ticket(person, resident, source, kind, opened, days * DAY + rng.uniform(0.3, 4) * HOUR)
        self.open[section.unit].append(ticket)
        self._look(person, source, resident, at, terminal, ticket)
        others = [one for one in section.systems if one != source]
        if others and rng.random() < 0.3:
            second = rng.choice(others)
            self._sign_in(person, at + 50, second, terminal)
            self._look(person, second, resident, at + 95, terminal, ticket)

    def _look(self, person: Person, source: str, resident: Resident, at: float, terminal: str, case: Ticket) -> None:
        """Find the record, look, perhaps at the family, and do what one came for."""
        town, rng = self.town, self.rng
        quoted = case.id if rng.random() < town.style.quoted_case and case.opened <= at + 5 * MINUTE else ""
        more = {"case_id": quoted, "terminal": terminal, "reason": case.kind}
        if rng.random() < 0.35:
            by = rng.choice(("name", "name", "number", "birth"))
            hits = 1 if by == "number" else rng.choice((1, 1, 2, 3, 5, 8, 14))
            town.act(person, at - 20, source, "search", query={"by": by, "hits": hits}, terminal=terminal)
        town.look(person, at, source, resident, **more)
        if not town.style.household_views and rng.random() < 0.18:
            for other in town.family(resident)[:2]:
                at += rng.uniform(10, 40)
                town.look(person, at, source, other, **more)
        if rng.random() < 0.1:
            town.look(person, at + rng.uniform(60, 900), source, resident, **more)
        if rng.random() < 0.35:
            doing = rng.choice(_FOLLOW)
            town.look(person, at + rng.uniform(60, 400), source, resident, doing, **more)

    def _errand(self, person: Person, source: str, at: float, terminal: str) -> None:
        """What nothing accounts for, and is in order: the wrong record, a slip of the hand, a question by telephone."""
        town, rng = self.town, self.rng
        resident = self.resident(person, source)
        if resident.flags & {"protected", "vip"}:  # their records open with a warning
            return
        draw = rng.random()
        if draw < _WRONG:
            others = [one for one in town.named[resident.name] if one is not resident and not town.tied(person, one)]
            resident = rng.choice(others) if others else resident
        elif draw > _TYPED:
            by = rng.choice(("name", "number"))
            town.act(person, at - 25, source, "search", query={"by": by, "hits": 1}, terminal=terminal)
        town.look(person, at, source, resident, terminal=terminal, reason="phone" if draw > _TYPED else "")

    def _inquiry(self, person: Person, section: Section, source: str, at: float, terminal: str) -> None:
        """Another body asks, or is asked."""
        town, rng = self.town, self.rng
        resident = self.resident(person, source)
        lasts = rng.uniform(0, 5) * DAY + HOUR
        ticket = town.ticket(person, resident, source, "inquiry", at - rng.uniform(1, 200) * MINUTE, lasts)
        self.open[section.unit].append(ticket)
        town.look(person, at, source, resident, terminal=terminal, case_id=ticket.id, reason="inquiry")
        if rng.random() < 0.5:
            self._sign_in(person, at + 100, "intermediate-server", terminal)
            ask_other_body(town, person, at + 200, resident, ticket.id, terminal)
        else:
            town.look(person, at + 240, source, resident, "answer", terminal=terminal, case_id=ticket.id)


def ask_other_body(town: Town, person: Person, at: float, resident: Resident, case: str, terminal: str) -> None:
    """An inquiry over the network as it should be: with permit, purpose and case."""
    party = {
        "body": town.rng.choice(("隣接市", "県", "年金機構", "県外の町")),
        "permit": f"P{town.serial('permit'):06d}",
        "purpose_no": str(town.rng.randint(1, 120)),
    }
    town.look(
        person, at, "intermediate-server", resident, "inquiry", terminal=terminal, case_id=case, counterparty=party
    )


def work(town: Town) -> Office:
    """Let the town work through all its days."""
    office = Office(town)
    for day in range(town.days):
        office.day(day)
    return office
