"""A scorecard as JSON, as Markdown, and against the floors that were asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from detectors.lab.scorecard import DetectorScore, Matching, QueueScore, Share
from detectors.ranking import Told

__all__ = ["FLOORS", "Scorecard", "as_document", "as_markdown", "misses"]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Everything measured in one town.

    Attributes:
        town: what it was made of: staff, days, seed, scenario.
        queue: the queue at budget.
        unlimited: what all findings find, whatever there is time for.
        matching: how casework matching did.
        detectors: each one's worth.
        baselines: what simpler programs find at the same budget.
        episodes: what weights can be fitted on: every episode, hints too, with what came of it.
    """

    town: Mapping[str, int | str]
    queue: QueueScore
    unlimited: QueueScore
    matching: Matching
    detectors: Sequence[DetectorScore]
    baselines: Mapping[str, QueueScore]
    episodes: Sequence[Told]


def _worst(card: Scorecard) -> float | None:
    return min((kind.value for kind in card.queue.kinds.values() if kind.value is not None), default=None)


def _days(card: Scorecard) -> float | None:
    return float(median(card.queue.delays)) if card.queue.delays else None


FLOORS: Mapping[str, tuple[Callable[[Scorecard], float | None], str]] = {
    "recall": (lambda card: card.queue.recall.value, "at least"),
    "kind": (_worst, "at least"),
    "precision": (lambda card: card.queue.precision.value, "at least"),
    "honest": (lambda card: card.matching.honest.value, "at least"),
    "traps": (lambda card: card.queue.traps.value, "at most"),
    "planted": (lambda card: card.matching.planted.value, "at most"),
    "days": (_days, "at most"),
}
"""What a floor can be asked of, and on which side of it is good; `kind` is the recall of the worst kind."""


def misses(card: Scorecard, floors: Mapping[str, float]) -> list[str]:
    """The floors that are missed, each as a line; what could not be measured misses its floor."""
    found = []
    for name, asked in floors.items():
        read, side = FLOORS[name]
        value = read(card)
        if value is None or (value < asked if side == "at least" else value > asked):
            found.append(f"{name}: {'-' if value is None else f'{value:.3f}'}, {side} {asked:g}")
    return found


def _share(share: Share) -> dict[str, Any]:
    return {"hits": share.hits, "of": share.of, "value": share.value, "interval": list(share.interval)}


def _queue(queue: QueueScore) -> dict[str, Any]:
    return {
        "recall": _share(queue.recall),
        "recall_hard": _share(queue.hard),
        "kinds": {name: _share(kind) for name, kind in queue.kinds.items()},
        "precision": _share(queue.precision),
        "traps_flagged": _share(queue.traps),
        "days_to_detect": list(queue.delays),
        "cases_a_day": queue.cases_a_day,
        "incidents_per_reviewer_hour": queue.per_hour,
        "missed": list(queue.missed),
        "flagged": list(queue.flagged),
    }


def as_document(card: Scorecard) -> dict[str, Any]:
    """The scorecard as JSON."""
    return {
        "town": dict(card.town),
        "queue": _queue(card.queue),
        "unlimited": _queue(card.unlimited),
        "lookups": {
            "honest_matched": _share(card.matching.honest),
            "planted_matched": _share(card.matching.planted),
            "matched_away": [
                {"kind": kind, "because": because, "look_ups": count}
                for (kind, because), count in card.matching.away.items()
            ],
        },
        "detectors": [
            {
                "detector": one.detector,
                "findings": one.findings,
                "precision": _share(one.precision),
                "found": list(one.found),
                "traps_flagged": _share(one.traps),
                "recall_without": _share(one.without.recall),
                "precision_without": _share(one.without.precision),
            }
            for one in card.detectors
        ],
        "baselines": {name: _queue(queue) for name, queue in card.baselines.items()},
        "episodes": [asdict(episode) for episode in card.episodes],
    }


def _said(share: Share) -> str:
    if share.value is None:
        return "–"
    low, high = share.interval
    return f"{share.value:.3f} [{low:.3f}, {high:.3f}] ({share.hits}/{share.of})"


def as_markdown(card: Scorecard) -> str:
    """The scorecard for people. Shares stand with their 95 % intervals (Wilson)."""
    queue, town = card.queue, ", ".join(f"{name} {value}" for name, value in card.town.items())
    delay = f"{median(queue.delays):g}" if queue.delays else "–"
    rows = [
        ("recall at budget", _said(queue.recall)),
        ("recall at budget, hard ones", _said(queue.hard)),
        ("recall, unlimited", _said(card.unlimited.recall)),
        ("precision at budget", _said(queue.precision)),
        ("traps flagged", _said(queue.traps)),
        ("honest look-ups matched", _said(card.matching.honest)),
        ("planted look-ups matched away", _said(card.matching.planted)),
        ("working days to detect, median", delay),
        ("cases a day", f"{queue.cases_a_day:.2f}"),
        ("incidents found per reviewer hour", f"{queue.per_hour:.2f}"),
    ]
    lines = [f"# Scorecard: {town}", "", "| measure | value |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows]
    lines += ["", "## The same budget, simpler programs", "", "| program | recall | precision | traps flagged |"]
    lines += ["|---|---|---|---|"]
    lines += [
        f"| {name} | {_said(one.recall)} | {_said(one.precision)} | {_said(one.traps)} |"
        for name, one in {"Mimamori": queue, **card.baselines}.items()
    ]
    if card.matching.away:
        lines += ["", "## Planted look-ups matched away", "", "| kind | because of | look-ups |", "|---|---|---|"]
        lines += [f"| {kind} | {because} | {count} |" for (kind, because), count in card.matching.away.items()]
    lines += ["", "## Kinds of incident", "", "| kind | found |", "|---|---|"]
    lines += [f"| {name} | {_said(kind)} |" for name, kind in queue.kinds.items()]
    lines += [
        "",
        "## Detectors",
        "",
        "| detector | findings | precision | incidents | traps | recall without it | precision without it |",
    ]
    lines += ["|---|---|---|---|---|---|---|"]
    lines += [
        f"| {one.detector} | {one.findings} | {_said(one.precision)} | {len(one.found)} | {one.traps.hits} "
        f"| {_said(one.without.recall)} | {_said(one.without.precision)} |"
        for one in card.detectors
    ]
    lines += [
        "",
        f"Missed: {', '.join(queue.missed) or 'none'}.",
        "",
        f"Flagged: {', '.join(queue.flagged) or 'none'}.",
    ]
    return "\n".join(lines) + "\n"
