"""A simulated town hall: a month of work in five systems, with incidents known because we planted them.

Order: hire people, decide the routine timetable, let the plots prepare their stories, then live day by day,
and settle the stories against what really happened. Everything follows from the arguments: the same arguments
give the same bytes, and no clock is read.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from detectors.lab.feeds import FEEDS, render_feed
from detectors.lab.habits import machine_day, office_day, technician_day
from detectors.lab.incidents import INCIDENTS
from detectors.lab.model import Act, Errand, Label, Story
from detectors.lab.people import hire, settle_households
from detectors.lab.stage import Stage
from detectors.lab.timetable import Timetable
from detectors.lab.traps import TRAPS
from detectors.lab.writers import WRITERS

__all__ = ["Town", "TownFiles", "simulate"]

RESIDENTS_PER_STAFF = 150
"""About a small municipality's; it decides how often two people happen to look up the same resident."""


@dataclass(frozen=True, slots=True)
class TownFiles:
    """Where a town was written.

    Attributes:
        feeds: context feeds by kind, as `mimamori import` names them.
        logs: log files with their source ids, as `mimamori ingest` names them.
        labels: what was planted, one JSON object a line.
    """

    feeds: Mapping[str, Path]
    logs: Sequence[tuple[str, Path]]
    labels: Path


@dataclass(frozen=True, slots=True)
class Town:
    """A simulated town after its month.

    Attributes:
        seed: what its randomness was drawn from.
        stage: its people, timetable and approvals.
        acts: everything that was done, in order of time.
        labels: what was planted and really happened.
    """

    seed: int
    stage: Stage
    acts: tuple[Act, ...]
    labels: tuple[Label, ...]

    def write(self, folder: Path) -> TownFiles:
        """Write feeds, logs and labels under a folder, which is created.

        Returns:
            The paths of everything written.
        """
        feeds = {kind: folder / "feeds" / f"{kind}.csv" for kind in FEEDS}
        logs = [(writer.source, folder / "logs" / writer.file) for writer in WRITERS]
        for path in (feeds["staff"], logs[0][1]):
            path.parent.mkdir(parents=True, exist_ok=True)
        for kind, path in feeds.items():
            path.write_text(render_feed(kind, self.stage), encoding="utf-8", newline="")
        people = {person.id: person for person in self.stage.people}
        for writer, (source, path) in zip(WRITERS, logs, strict=True):
            own = [act for act in self.acts if act.system == source]
            lines = writer.lines(own, people, Random(f"{self.seed}/quirks/{source}"))
            text = "".join(f"{line}\n" for line in lines)
            path.write_text(text, encoding=writer.encoding, newline="")
        labels = folder / "labels.jsonl"
        text = "".join(json.dumps(_label_row(label), ensure_ascii=False) + "\n" for label in self.labels)
        labels.write_text(text, encoding="utf-8", newline="")
        return TownFiles(feeds, logs, labels)


def simulate(*, staff: int, days: int, start: date, seed: int, incidents: bool = True) -> Town:
    """Let a town live.

    Args:
        staff: municipal staff, from 1; contractors come on top.
        days: how many days, from 1.
        start: the first day, from 2022 on (the holiday law in force since then).
        seed: what all randomness is drawn from.
        incidents: whether incidents and benign traps are planted.

    Returns:
        The town, the same for the same arguments.

    Raises:
        ValueError: an argument out of its range.
    """
    if staff < 1 or days < 1 or start.year < 2022:
        raise ValueError("a town needs at least one member of staff, one day, and a start in 2022 or later")
    span = tuple(start + timedelta(days=number) for number in range(days))
    rng = Random(f"{seed}/people")
    households = settle_households(rng, max(1500, RESIDENTS_PER_STAFF * staff))
    people = hire(rng, staff=staff, start=start, residents=[home[0] for home in households])
    timetable = Timetable(span)
    timetable.routine(Random(f"{seed}/routine"), people)
    stage = Stage(Random(f"{seed}/plots"), people, households, timetable)
    stories = [story for plot in (*TRAPS, *INCIDENTS) if (story := plot(stage))] if incidents else []
    acts = sorted(_live(stage, seed), key=lambda act: act.at)
    return Town(seed, stage, tuple(acts), tuple(_settle(stories, acts)))


def _live(stage: Stage, seed: int) -> Iterable[Act]:
    errands: dict[tuple[str, date], list[Errand]] = {}
    for errand in stage.errands:
        yield from errand.acts
        errands.setdefault((errand.person, errand.start.date()), []).append(errand)
    for day in stage.timetable.days:
        yield from machine_day(Random(f"{seed}/machines/{day}"), day)
        for person in stage.people:
            rng = Random(f"{seed}/{person.id}/{day}")
            own = errands.get((person.id, day), ())
            if person.pace:
                yield from office_day(rng, person, day, stage.timetable, stage.households, own)
            else:
                yield from technician_day(rng, person, day, stage.timetable, own)


def _settle(stories: Iterable[Story], acts: Sequence[Act]) -> Iterable[Label]:
    """A label states what was really written: a story without an act in its span is dropped."""
    for story in stories:
        own = [
            act
            for act in acts
            if act.system == story.source and act.actor in story.actors and story.start <= act.at <= story.end
        ]
        if own:
            actors = sorted({act.actor for act in own})
            subjects = sorted({subject for act in own for subject in act.subjects})
            yield Label(f"plot-{story.kind}", story, tuple(actors), own[0].at, own[-1].at, tuple(subjects))


def _label_row(label: Label) -> dict[str, object]:
    story = label.story
    return {
        "id": label.id,
        "kind": story.kind,
        "trap": story.trap,
        "detectors": list(story.detectors),
        "tempts": list(story.tempts),
        "actors": list(label.actors),
        "source": story.source,
        # Whole seconds around the acts: several systems write no fractions.
        "from": _second(label.first).isoformat(),
        "to": _second(label.last + timedelta(seconds=1)).isoformat(),
        "subjects": list(label.subjects),
        "story_ja": story.ja,
        "story_en": story.en,
    }


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
