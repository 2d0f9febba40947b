"""What a plot needs: a fitting person, a day on which they are there, residents whom nothing accounts for."""

from collections.abc import Callable

from foreign_model import DAY, HOUR, MINUTE, Person, Resident, Town
from foreign_styles import Section

__all__ = ["Missing", "Plot"]

_TRIES = 80


class Missing(Exception):  # noqa: N818 - not an error: try again with another draw
    """Nobody, or nothing, that fits was found by this draw."""


class Plot:
    """Draws for incidents and traps."""

    def __init__(self, town: Town) -> None:
        self.town, self.rng = town, town.rng
        self.workdays = town.workdays()
        self.leaves = {
            (row["staff_id"], day)
            for row in town.feeds["roster"]
            if row["kind"] == "leave"
            for day in range(town.days)
            if row["start"] == town.local(town.when(day, 0))
        }
        self.numbered = sorted(town.residents, key=lambda one: one.number)

    def workday(self, low: float = 0.12, high: float = 0.93) -> int:
        """A day on which the town hall is open, within a part of the period."""
        count = len(self.workdays)
        return self.workdays[self.rng.randrange(int(low * count), max(int(low * count) + 1, int(high * count)))]

    def records(self, person: Person, day: int) -> Section:
        """Where a person handles records on a day."""
        section = self.town.section(person, day)
        if section is None or not section.systems or section.pace < 0.2:
            raise Missing
        return section

    def clerk(
        self,
        day: int,
        last: int | None = None,
        fits: Callable[[Person], bool] = lambda _: True,
        *,
        absent: bool = False,
    ) -> Person:
        """A clerk who handles records, is there on the day and not labelled near it.

        Args:
            day: the first day.
            last: the last day; the first when left out.
            fits: what else must hold.
            absent: whether the person must be on leave on the day instead of there.
        """
        town = self.town

        def good(one: Person) -> bool:
            section = town.section(one, day)
            there = ((one.id, day) in self.leaves) if absent else (one.id, day) in town.duty
            return (
                there
                and section is not None
                and bool(section.systems)
                and section.pace >= 0.2
                and one.role == "clerk"
                and one.employment != "contractor"
                and day not in one.asleep
                and one.unit(last or day) == one.unit(day)
                and fits(one)
            )

        found = town.choose(town.when(day, 0), town.when((last or day) + 1, 0), good)
        if found is None:
            raise Missing
        return found

    def system(self, person: Person, day: int) -> str:
        """The system in which a person mostly works."""
        systems = self.records(person, day).systems
        return max(systems, key=lambda one: systems[one])

    def moment(self, person: Person, day: int) -> float:
        """A moment in a person's working hours."""
        span = self.town.duty.get((person.id, day))
        if span is None:
            raise Missing
        start, end = span
        return self.rng.uniform(start + 30 * MINUTE, max(start + HOUR, min(end, self.town.when(day, 17)) - 20 * MINUTE))

    def days_there(self, person: Person, first: int, last: int) -> list[int]:
        """The working days on which a person is there."""
        return [day for day in range(first, last + 1) if (person.id, day) in self.town.duty]

    def unaccounted(self, person: Person, resident: Resident, at: float) -> bool:
        """Whether no casework of the person's unit is near a look-up, nor of the unit held before."""
        day = self.town.day_of(at)
        units = {post.unit for post in person.posts} | {person.unit(day)}
        return not any(unit and self.town.covered(unit, resident.household, at) for unit in units)

    def strangers(self, person: Person, at: float, count: int, among: list[Resident] | None = None) -> list[Resident]:
        """Residents with whom the person's unit has nothing to do."""
        found: list[Resident] = []
        pool = among if among is not None else self.town.residents
        for _ in range(_TRIES + count * 6):
            one = self.rng.choice(pool)
            plain = among is not None or not one.flags
            if plain and one not in found and not self.town.tied(person, one) and self.unaccounted(person, one, at):
                found.append(one)
                if len(found) == count:
                    return found
        raise Missing

    def terminals(self, site: str = "", *, other_than: str = "") -> list[str]:
        """Desks, by site."""
        return [
            row["terminal_id"]
            for row in self.town.feeds["terminals"]
            if row["kind"] == "desk" and (not site or row["site"] == site) and row["site"] != other_than
        ]

    def approved(self, person: Person, at: float, kinds: tuple[str, ...]) -> bool:
        """Whether anything is approved for a person within a day of a moment."""
        day = self.town.on(self.town.day_of(at)).isoformat()
        return any(
            row["staff_id"] == person.id
            and row["kind"] in kinds
            and row["valid_from"][:10] <= day <= row["valid_to"][:10]
            for row in self.town.feeds["approvals"]
        )

    def spread(self, person: Person, first: int, weeks: float, count: int) -> list[float]:
        """Moments in working hours, one a day at most, over some weeks."""
        last = min(self.town.days - 2, first + round(weeks * 7))
        days = self.days_there(person, first, last)
        if len(days) < count:
            raise Missing
        return [self.moment(person, day) for day in sorted(self.rng.sample(days, count))]

    def admin(self, day: int) -> Person:
        """A systems administrator who is there."""
        town = self.town
        found = town.choose(
            town.when(day, 0), town.when(day + 1, 0), lambda one: one.role == "admin" and (one.id, day) in town.duty
        )
        if found is None:
            raise Missing
        return found

    def labelled_days(self) -> set[tuple[str, int]]:
        """Sources and days in which something is labelled already."""
        town = self.town
        found = {(act.source, town.day_of(act.at)) for label in town.labels for act in label.acts}
        for label in (one for one in town.labels if not one.acts):
            for day in range(town.day_of(label.start), town.day_of(label.end) + 1):
                found.add((label.source, day))
        return found

    def span(self, day: int, start: float, end: float) -> tuple[float, float]:
        """From hour to hour."""
        return self.town.zero + day * DAY + start * HOUR, self.town.zero + day * DAY + end * HOUR
