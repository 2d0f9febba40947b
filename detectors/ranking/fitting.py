"""Fitting the weights on episodes whose truth is known.

Two steps, both held back by a prior so that a handful of towns cannot talk a rare kind down: each detector's weight by
what came of its findings (`Weights.after`), then the calibration, so that of cases with a risk of 70 % seven in ten
are misuse. Fitted in the lab on its own towns, never on one that is kept for measuring.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from detectors.ranking.model import Outcomes, logistic
from detectors.ranking.risk import risk_of
from detectors.ranking.weights import Weights

__all__ = ["Said", "Told", "fit", "render"]

_OFFSET_SPREAD, _SLOPE_SPREAD = 1.0, 0.5
"""Standard deviations of the prior around a calibration that changes nothing."""
_LEAST_SLOPE = 0.2
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Said:
    """A finding, as far as it is weighed, and whether it was right."""

    id: str
    detector: str
    score: float
    true: bool


@dataclass(frozen=True, slots=True)
class Told:
    """An episode with what came of it."""

    true: bool
    findings: tuple[Said, ...]


def fit(episodes: Sequence[Told], weights: Weights) -> Weights:
    """Weights and calibration after some episodes; without any the weights are as they were.

    Args:
        episodes: also those that were no case.
        weights: from which groups and factors are taken; its weights and calibration are fitted anew.
    """
    fresh = replace(weights, weights={}, offset=0.0, slope=1.0)
    said: dict[str, list[Said]] = defaultdict(list)
    for episode in episodes:
        for finding in episode.findings:
            said[finding.detector].append(finding)
    weighed = fresh.after(
        {
            detector: Outcomes(
                sum(one.score for one in own) / len(own),
                sum(one.true for one in own),
                sum(not one.true for one in own),
            )
            for detector, own in sorted(said.items())
        }
    )
    offset, slope = _calibrate([(risk_of(one.findings, weighed).log_odds, one.true) for one in episodes])
    return replace(weighed, offset=offset, slope=slope)


def _calibrate(known: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Logistic regression of the truth on the log-odds, by Newton's method (Platt 1999, with a Gaussian prior)."""
    offset, slope = 0.0, 1.0
    for _ in range(_STEPS):
        pull, push = offset / _OFFSET_SPREAD**2, (slope - 1) / _SLOPE_SPREAD**2
        rows = [(odds, logistic(offset + slope * odds), true) for odds, true in known]
        down = pull + sum(risk - true for _, risk, true in rows)
        along = push + sum((risk - true) * odds for odds, risk, true in rows)
        a = 1 / _OFFSET_SPREAD**2 + sum(risk * (1 - risk) for _, risk, _ in rows)
        b = sum(risk * (1 - risk) * odds for odds, risk, _ in rows)
        c = 1 / _SLOPE_SPREAD**2 + sum(risk * (1 - risk) * odds * odds for odds, risk, _ in rows)
        step = a * c - b * b  # above 0: both priors hold the surface up
        offset -= _short((c * down - b * along) / step)
        slope -= _short((a * along - b * down) / step)
    return round(offset, 4), round(max(_LEAST_SLOPE, slope), 4)


def _short(step: float) -> float:
    """A step that cannot leap over the goal when it begins far away."""
    return min(1.0, max(-1.0, step))


def render(weights: Weights, towns: Sequence[str]) -> str:
    """The table that `load_weights` reads, with the towns that it was fitted on."""
    groups: dict[str, list[str]] = defaultdict(list)
    for detector, group in weights.groups.items():
        groups[group].append(detector)
    lines = ["# What each detector's word is worth when cases are ranked. Made by `mimamori lab fit`.", "", "[made]"]
    lines += ["towns = ["] + [f'  "{town}",' for town in towns] + ["]", "", "[risk]"]
    lines += [
        f"{name} = {getattr(weights, name)}"
        for name in ("base_rate", "within", "between", "offset", "slope", "least_risk")
    ]
    lines += ["", "[groups]"]
    for group, detectors in groups.items():
        lines += [f"{group} = [", *(f'  "{detector}",' for detector in detectors), "]"]
    lines += ["", "[weights]", *(f'"{name}" = {weight:.3f}' for name, weight in sorted(weights.weights.items()))]
    return "\n".join(lines) + "\n"
