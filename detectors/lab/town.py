"""A simulated town hall: months of work in many systems, with incidents known because we planted them.

Order: settle residents, hire people, decide the routine timetable, plan the casework, let the plots prepare their
stories, then live day by day, and settle the stories against what really happened. Everything follows from the
arguments: the same arguments give the same bytes, and no clock is read.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from detectors.lab.acts import Act, Errand, Label, Story
from detectors.lab.casework import Planner
from detectors.lab.feeds import FEEDS, render_feed
from detectors.lab.habits import Habits
from detectors.lab.machines import machine_day, technician_day
from detectors.lab.outputs import plan_handovers, plan_outputs, plan_rights
from detectors.lab.people import hire, move_people
from detectors.lab.programme import programme
from detectors.lab.residents import settle_households
from detectors.lab.routine import enter_routine
from detectors.lab.stage import Plot, Stage, Trouble
from detectors.lab.timetable import Timetable
from detectors.lab.writers import WRITERS, Writer, writer_of

__all__ = ["Town", "TownFiles", "simulate"]

RESIDENTS_PER_STAFF = 300
"""Per member of staff with casework; it decides how often two people happen to look up the same resident."""

_LOOKS = frozenset({"view", "print", "screen_copy", "inquiry", "answer"})
"""Acts in which a person's record is seen."""


@dataclass(frozen=True, slots=True)
class TownFiles:
    """Where a town was written.

    Attributes:
        feeds: context feeds by kind, as `mimamori import` names them.
        logs: log files with their source ids, as `mimamori ingest` names them.
        labels: what was planted, one JSON object a line.
        contract: the sources whose file is in the contract's form, whatever their profile says.
    """

    feeds: Mapping[str, Path]
    logs: Sequence[tuple[str, Path]]
    labels: Path
    contract: frozenset[str]


@dataclass(frozen=True, slots=True)
class Town:
    """A simulated town after its months.

    Attributes:
        seed: what its randomness was drawn from.
        stage: its people, residents, cases, timetable and approvals.
        acts: everything that was done and arrived, in order of writing.
        lost: what was numbered and never arrived, each with how many acts had arrived before.
        labels: what was planted and really happened.
    """

    seed: int
    stage: Stage
    acts: tuple[Act, ...]
    lost: tuple[tuple[int, Act], ...]
    labels: tuple[Label, ...]

    def write(self, folder: Path, *, native: bool = True) -> TownFiles:
        """Write feeds, logs and labels under a folder, which is created.

        Args:
            folder: where.
            native: whether systems with a form of their own write in it; else everything is in the contract's.

        Returns:
            The paths of everything written.
        """
        feeds = {kind: folder / "feeds" / f"{kind}.csv" for kind in FEEDS}
        for name in ("feeds", "logs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for kind, path in feeds.items():
            path.write_text(render_feed(kind, self.stage), encoding="utf-8", newline="")
        logs = []
        for writer, numbered in self._logs(native=native):
            path = folder / "logs" / writer.file
            quirks = Random(f"{self.seed}/quirks/{writer.source}")
            with path.open("w", encoding=writer.encoding, newline="") as file:
                file.writelines(f"{line}\n" for line in writer.lines(numbered, quirks))
            logs.append((writer, path))
        labels = folder / "labels.jsonl"
        text = "".join(json.dumps(_label_row(label), ensure_ascii=False) + "\n" for label in self.labels)
        labels.write_text(text, encoding="utf-8", newline="")
        contract = frozenset(writer.source for writer, _ in logs if writer.contract)
        return TownFiles(feeds, [(writer.source, path) for writer, path in logs], labels, contract)

    def _logs(self, *, native: bool) -> Iterator[tuple[Writer, list[tuple[int, Act]]]]:
        """Each source's acts with their numbers: what is lost has a number all the same."""
        by_source: dict[str, list[tuple[Act, bool]]] = {writer.source: [] for writer in WRITERS}
        places = [(place + 1, True, act) for place, act in enumerate(self.acts)]
        places += [(place, False, act) for place, act in self.lost]
        for _, arrived, act in sorted(places, key=lambda one: one[0]):
            by_source.setdefault(act.system, []).append((act, arrived))
        first = [writer.source for writer in WRITERS]
        for source in (*first, *sorted(set(by_source) - set(first))):
            own = by_source[source]
            yield (
                writer_of(source, native=native),
                [(number, act) for number, (act, arrived) in enumerate(own, start=1) if arrived],
            )


def simulate(
    *, staff: int, days: int, start: date, seed: int, incidents: bool = True, plots: Sequence[Plot] | None = None
) -> Town:
    """Let a town live.

    Args:
        staff: municipal staff, from 1; contractors come on top.
        days: how many days, from 1.
        start: the first day, from 2022 on (the holiday law in force since then).
        seed: what all randomness is drawn from.
        incidents: whether incidents and benign traps are planted.
        plots: which ones, in order; a programme for a town of that size where none are named. One may stand there
            several times.

    Returns:
        The town, the same for the same arguments.

    Raises:
        ValueError: an argument out of its range.
    """
    if staff < 1 or days < 1 or start.year < 2022:
        raise ValueError("a town needs at least one member of staff, one day, and a start in 2022 or later")
    stage = _set_stage(staff, tuple(start + timedelta(days=number) for number in range(days)), seed)
    library = programme(Random(f"{seed}/programme"), staff) if plots is None else plots
    stories = list(_plant(stage, library)) if incidents else []
    arrived, lost = _befall(sorted(_live(stage, seed), key=lambda act: act.written), stage.troubles)
    return Town(seed, stage, tuple(arrived), tuple(lost), tuple(_settle(stories, arrived)))


def _set_stage(staff: int, span: tuple[date, ...], seed: int) -> Stage:
    """The town before its months begin."""
    residents = settle_households(Random(f"{seed}/residents"), max(1500, RESIDENTS_PER_STAFF * staff), staff=staff)
    people = hire(Random(f"{seed}/people"), staff=staff, start=span[0], residents=residents)
    people = move_people(Random(f"{seed}/moves"), people, span)
    timetable = Timetable(span)
    enter_routine(f"{seed}/routine", people, timetable)
    planner = Planner(f"{seed}/work", people, residents, timetable)
    work = planner.plan()
    stage = Stage(Random(f"{seed}/plots"), people, residents, timetable, planner)
    plan_outputs(Random(f"{seed}/outputs"), people, timetable, work, stage.approve)
    plan_handovers(Random(f"{seed}/handovers"), people, timetable, work, stage.approve)
    plan_rights(Random(f"{seed}/rights"), people, timetable, work)
    return stage


def _plant(stage: Stage, plots: Iterable[Plot]) -> Iterator[tuple[str, Story]]:
    """Run each plot; what it plants bears the id of its story."""
    for number, plot in enumerate(plots, start=1):
        stage.plot = f"p{number}"
        if story := plot(stage):
            yield stage.plot, story
    stage.plot = ""


def _live(stage: Stage, seed: int) -> Iterator[Act]:
    errands: dict[tuple[str, date], list[Errand]] = {}
    for errand in stage.errands:
        yield from errand.acts
        errands.setdefault((errand.person, errand.start.date()), []).append(errand)
    yield from stage.machines
    habits = Habits(stage.timetable, stage.residents)
    work = stage.planner.work
    for day in stage.timetable.days:
        yield from machine_day(Random(f"{seed}/machines/{day}"), day, stage.residents)
        for person in stage.people:
            rng = Random(f"{seed}/{person.id}/{day}")
            own = errands.get((person.id, day), ())
            key = person.id, day
            if not person.pace and person.holds(day):
                yield from technician_day(rng, habits, person, day, own)
            if person.holds(day):
                yield from habits.day(rng, person, day, work.touches.get(key, ()), work.chores.get(key, ()), own)


def _befall(acts: Sequence[Act], troubles: Sequence[Trouble]) -> tuple[list[Act], list[tuple[int, Act]]]:
    """What arrives, and what was numbered and does not, once silences and wrong clocks have had their effect.

    What is lost stands with how many had arrived before it: that is its place in the order of numbers.
    """
    if not troubles:
        return list(acts), []
    arrived: list[Act] = []
    lost: list[tuple[int, Act]] = []
    for act in acts:
        trouble = next((t for t in troubles if t.source == act.system and t.start <= act.at < t.end), None)
        if trouble is None:
            arrived.append(act)
        elif trouble.by is not None:
            arrived.append(replace(act, at=act.at + trouble.by, recorded=act.recorded and act.recorded + trouble.by))
        elif trouble.counted:
            lost.append((len(arrived), act))
    return arrived, lost  # a wrong clock changes what is written, not the order it is written in


def _settle(stories: Iterable[tuple[str, Story]], acts: Sequence[Act]) -> Iterator[Label]:
    """A label states what was really written: a story of people without an act is dropped."""
    planted: dict[str, list[Act]] = {}
    for act in acts:
        if act.plot:
            planted.setdefault(act.plot, []).append(act)
    counts: dict[str, int] = {}
    for mark, story in stories:
        own = planted.get(mark) or _within(story, acts)
        if story.actors:
            own = [act for act in own if act.actor in story.actors]
        if not own and story.actors:
            continue
        counts[story.kind] = counts.get(story.kind, 0) + 1
        yield _label(story, own, counts[story.kind], looks=mark in planted and not story.trap)


def _within(story: Story, acts: Sequence[Act]) -> list[Act]:
    actors = set(story.actors)
    return [
        act for act in acts if act.actor in actors and act.system == story.source and story.start <= act.at <= story.end
    ]


def _label(story: Story, own: Sequence[Act], number: int, *, looks: bool) -> Label:
    seen = {
        (act.at.date(), act.actor, act.system, subject)
        for act in own
        if looks and act.activity in _LOOKS
        for subject in act.subjects
    }
    moments = sorted(act.at for act in own) or [story.start, story.end]
    return Label(
        id=f"plot-{story.kind}" + (f"-{number}" if number > 1 else ""),
        story=story,
        actors=tuple(sorted({act.actor for act in own if story.actors})),
        sources=tuple(sorted({act.system for act in own} or {story.source})),
        first=moments[0],
        last=moments[-1],
        subjects=tuple(sorted({subject for act in own for subject in act.subjects})),
        looks=tuple(sorted(seen)),
    )


def _label_row(label: Label) -> dict[str, object]:
    story = label.story
    return {
        "id": label.id,
        "kind": story.kind,
        "trap": story.trap,
        "hard": story.hard,
        "detectors": list(story.detectors),
        "tempts": list(story.tempts),
        "actors": list(label.actors),
        "source": story.source,
        "sources": list(label.sources),
        # Whole seconds around the acts: several systems write no fractions.
        "from": _second(label.first).isoformat(),
        "to": _second(label.last + timedelta(seconds=1)).isoformat(),
        "subjects": list(label.subjects),
        "looks": [[day.isoformat(), *rest] for day, *rest in label.looks],
        "story_ja": story.ja,
        "story_en": story.en,
    }


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
