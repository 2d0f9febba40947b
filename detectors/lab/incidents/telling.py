"""What every plot needs besides the stage: the days of its people, whom they are curious about, and how it is told.

A plot's function is its kind: `own_record` plants the kind `own-record`. `incident` and `trap` make the story of what
the function tells.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import wraps

from detectors.lab.acts import Errand, Story
from detectors.lab.model import Person
from detectors.lab.stage import Plot, Stage
from detectors.lab.timetable import at

__all__ = ["Told", "days_of", "gather", "half_day", "incident", "near", "seen", "told", "trap"]

_TRIES = 4


@dataclass(frozen=True, slots=True)
class Told:
    """What a plot tells of itself.

    Attributes:
        actors: who did it; empty for what happens to a source.
        source: where it shows first.
        start: no act of it lies before.
        end: no act of it lies after.
        ja: what happened, in Japanese.
        en: the same in English, in ASCII.
    """

    actors: tuple[str, ...]
    source: str
    start: datetime
    end: datetime
    ja: str
    en: str


Telling = Callable[[Stage], Told | None]


def told(people: Person | Iterable[Person], source: str, days: Collection[date], ja: str, en: str) -> Told:
    """Tell what people did on some days; the night after the last one belongs to it."""
    actors = (people,) if isinstance(people, Person) else tuple(people)
    names = tuple(dict.fromkeys(person.id for person in actors))
    return Told(names, source, at(min(days), 0), at(max(days), 32), ja, en)


def incident(*detectors: str, hard: bool = False) -> Callable[[Telling], Plot]:
    """Make a plot of a telling: something that ought to be found.

    Args:
        detectors: those expected to fire.
        hard: whether a person would have to look closely.
    """
    return _plot(detectors, (), hard=hard)


def trap(*tempts: str) -> Callable[[Telling], Plot]:
    """Make a plot of a telling: something that looks wrong and is right; it tempts these detectors."""
    return _plot((), tempts, hard=False)


def _plot(detectors: tuple[str, ...], tempts: tuple[str, ...], *, hard: bool) -> Callable[[Telling], Plot]:
    def made(telling: Telling) -> Plot:
        kind = telling.__name__.replace("_", "-")

        @wraps(telling)
        def plot(stage: Stage) -> Story | None:
            if not (it := telling(stage)):
                return None
            return Story(kind, it.actors, it.source, it.start, it.end, it.ja, it.en, detectors, tempts, hard)

        return plot

    return made


def seen(errand: Errand) -> set[str]:
    """The residents looked up in an errand."""
    return {subject for act in errand.acts for subject in act.subjects}


def days_of(
    stage: Stage, person: Person, count: int, *, apart: int = 1, first: date | None = None, last: date | None = None
) -> list[date]:
    """Ordinary working days of a person, in order.

    Args:
        stage: the town.
        person: whose.
        count: how many; fewer are none at all.
        apart: days that lie at least between two of them.
        first: the earliest; without it, the first third of the span is left alone.
        last: the latest.
    """
    span = stage.timetable.days
    first, last = first or span[len(span) // 3], last or span[-1]
    free = [day for day in span if first <= day <= last and stage.timetable.ordinary(person, day)]
    spread: list[date] = []
    for day in free:
        if not spread or (day - spread[-1]).days >= apart:
            spread.append(day)
    return sorted(stage.rng.sample(spread, count)) if len(spread) >= count else []


def half_day(stage: Stage) -> float:
    """Where the morning's or the afternoon's work begins, as a share of the day.

    What several people do one after the other within a quarter of the day from there keeps its order: no lunch hour
    lies between.
    """
    return stage.rng.choice((0.06, 0.56)) + stage.rng.uniform(0, 0.05)


def near(
    stage: Stage,
    whom: Callable[[Person], Sequence[str]],
    *units: str,
    history: int = 0,
    fits: Callable[[Person], bool] = lambda _: True,
) -> tuple[Person, date, list[str]] | None:
    """Cast somebody who has certain people, and find those of them whom nothing at work leads to on that day.

    Args:
        stage: the town.
        whom: the residents that a person has, for example neighbours.
        units: where to look; everywhere if none is given.
        history: ordinary working days that must lie before the day.
        fits: who may play the part besides.
    """
    for _ in range(_TRIES):
        part = stage.cast(
            *units,
            history=history,
            fits=lambda person: person.pace > 0 and person.kind == "staff" and bool(whom(person)) and fits(person),
        )
        if not part:
            return None
        person, first = part
        others = days_of(stage, person, 1, first=first + timedelta(days=1))
        for day in (first, *others):
            found = stage.uninvolved(whom(person), day) or stage.uninvolved(whom(person), day, unit=person.unit)
            if found:
                return person, day, found
    return None


def gather(
    stage: Stage, count: int, *, fits: Callable[[Person], bool] = lambda _: True
) -> tuple[list[Person], date] | None:
    """Cast several people of all sections who work on the same ordinary day."""
    days = stage.working_days()
    late = days[len(days) // 3 :]
    for day in stage.rng.sample(late, len(late)):
        there = [one for one in stage.people if one.pace and stage.free(one) and stage.timetable.ordinary(one, day)]
        able = [one for one in there if fits(one)]
        if len(able) >= count:
            team = stage.rng.sample(able, count)
            stage.take(team)
            return team, day
    return None
