"""Queues as simpler programs would make them of the same log: what the detectors have to beat.

Each counts a person's day and ranks the days' people by one number; the queue is cut to the same budget.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from statistics import mean, stdev

import numpy as np

from audit.clock import day_start
from audit.context import is_closed_by_law
from audit.events import LOOKUPS
from audit.log import Dimension, EventLog, Filter, Measure
from detectors.lab.scorecard import Entry
from detectors.model import Window

__all__ = ["BASELINES", "PersonDay", "clock_rules", "isolation_forest", "queue_of", "read_person_days", "three_sigma"]

PersonDay = tuple[str, date]
Counts = Mapping[PersonDay, Mapping[str, float]]
_FEATURES = ("events", "subjects", "look_ups", "changes", "outputs", "outside", "sources")
_CHANGES = frozenset({"create", "update", "delete", "grant", "revoke"})
_OUTPUTS = frozenset({"print", "screen_copy", "export", "download", "media_write"})
_OPENS, _CLOSES = 8, 18
"""Whole hours: a rule that knows no roster must leave the last quarter of an hour before 17:15 and some overtime."""


def read_person_days(log: EventLog) -> dict[PersonDay, dict[str, float]]:
    """What each person did on each day, in numbers."""
    found: dict[PersonDay, dict[str, float]] = defaultdict(lambda: dict.fromkeys(_FEATURES, 0.0))
    looks = Filter(activities=tuple(sorted(LOOKUPS)))
    for row in log.aggregate(looks, (Dimension.DAY, Dimension.ACTOR), (Measure.SUBJECTS,)):
        found[row["actor"], row["day"]]["subjects"] = float(row["subjects"])
    by = (Dimension.DAY, Dimension.ACTOR, Dimension.HOUR, Dimension.ACTIVITY, Dimension.SOURCE)
    sources: dict[PersonDay, set[str]] = defaultdict(set)
    for row in log.aggregate(Filter(), by, (Measure.EVENTS,)):
        key = row["actor"], row["day"]
        counts, events = found[key], row["events"]
        counts["events"] += events
        counts["look_ups"] += events * (row["activity"] in LOOKUPS)
        counts["changes"] += events * (row["activity"] in _CHANGES)
        counts["outputs"] += events * (row["activity"] in _OUTPUTS)
        counts["outside"] += events * (not _OPENS <= row["hour"] < _CLOSES or bool(is_closed_by_law(row["day"])))
        sources[key].add(row["source"])
        counts["sources"] = float(len(sources[key]))
    return {key: counts for key, counts in found.items() if key[0]}


def clock_rules(days: Counts) -> dict[PersonDay, float]:
    """Whoever acts outside office hours or on a closed day, by how often."""
    return {key: counts["outside"] for key, counts in days.items() if counts["outside"]}


def three_sigma(days: Counts) -> dict[PersonDay, float]:
    """Whoever looks at more residents than three standard deviations above their own days, by how many of these."""
    own: dict[str, list[float]] = defaultdict(list)
    for (actor, _), counts in days.items():
        own[actor].append(counts["subjects"])
    spread = {actor: (mean(counts), stdev(counts)) for actor, counts in own.items() if len(counts) >= 5}
    found = {}
    for key, counts in days.items():
        usual, deviation = spread.get(key[0], (0.0, 0.0))
        if deviation and (above := (counts["subjects"] - usual) / deviation) > 3:
            found[key] = above
    return found


def isolation_forest(days: Counts) -> dict[PersonDay, float]:
    """Everybody's day by how soon a random forest sets it apart from all the others (scikit-learn, seed 0)."""
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415 - takes seconds, and comes with an extra

    keys = sorted(days)
    if not keys:
        return {}
    table = np.array([[days[key][name] for name in _FEATURES] for key in keys])
    odd = -IsolationForest(random_state=0).fit(table).score_samples(table)
    return dict(zip(keys, map(float, odd), strict=True))


BASELINES: Mapping[str, Callable[[Counts], dict[PersonDay, float]]] = {
    "clock rules": clock_rules,
    "3-sigma volume": three_sigma,
    "IsolationForest": isolation_forest,
}


def queue_of(odd: Mapping[PersonDay, float], places: Callable[[date], int]) -> Iterable[Entry]:
    """The oddest people of each day, as many as there is time for."""
    by_day: dict[date, list[tuple[float, str]]] = defaultdict(list)
    for (actor, day), how in odd.items():
        by_day[day].append((-how, actor))
    for day, people in by_day.items():
        window = Window.of_day(day)
        for _, actor in sorted(people)[: places(day)]:
            yield Entry(frozenset({actor}), frozenset(), "", day_start(day), window.end, day, within=True)
