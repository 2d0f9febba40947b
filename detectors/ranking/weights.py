"""What each detector's word is worth, kept as data and moved by what came of its findings.

A detector's weight is 1 until something is known about it: its author's scores are the prior of a Beta distribution,
and true and false findings, from the lab or from reviewers, move it. No weight reaches 0, so that a rare kind of
misuse, of which nobody has seen a case yet, keeps its chance.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any

from detectors.ranking.model import Outcomes, logit

__all__ = ["Weights", "WeightsError", "load_weights"]

_LEAST, _MOST = 0.25, 1.5


class WeightsError(ValueError):
    """The table of weights is not as it must be."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How findings are weighed.

    Attributes:
        base_rate: share of misuse among episodes of which next to nothing is known.
        within: factor of each further finding of the same group, below 1.
        between: factor of each further group, up to 1.
        offset: of the calibration, in log-odds.
        slope: of the calibration, above 0, so that it keeps every order.
        least_risk: the probability from which an episode is a case.
        groups: the group of each detector.
        weights: of the detectors whose weight is not 1.
    """

    base_rate: float = 0.02
    within: float = 0.4
    between: float = 0.7
    offset: float = 0.0
    slope: float = 1.0
    least_risk: float = 0.25
    groups: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shares = (self.base_rate, self.within)
        if not all(0 < share < 1 for share in shares) or not 0 < self.between <= 1 or not 0 <= self.least_risk < 1:
            raise WeightsError("base_rate, within, between and least_risk are shares")
        if self.slope <= 0 or not all(weight > 0 for weight in self.weights.values()):
            raise WeightsError("slope and every weight are above 0")

    def group(self, detector: str) -> str:
        """The group of a detector; its own where none is declared."""
        return self.groups.get(detector, detector)

    def weight(self, detector: str) -> float:
        """What a detector's word is worth."""
        return self.weights.get(detector, 1.0)

    def after(self, outcomes: Mapping[str, Outcomes]) -> "Weights":
        """The weights after what came of findings, by detector; without a single outcome nothing changes."""

        def lift(share: float) -> float:
            return logit(min(0.97, max(2 * self.base_rate, share))) - logit(self.base_rate)

        def moved(detector: str, one: Outcomes) -> float:
            return min(_MOST, max(_LEAST, self.weight(detector) * lift(one.precision) / lift(one.expected)))

        heard = {detector: moved(detector, one) for detector, one in outcomes.items() if one.true + one.false}
        return replace(self, weights={**self.weights, **heard})

    def held_back(self, outcomes: Mapping[str, Outcomes]) -> "Weights":
        """The weights after what reviewers said: a word that proved wrong counts less, none ever more than before.

        What is found often is confirmed often; were its word raised, it would push aside what is found seldom.
        """
        moved = self.after(outcomes).weights
        return replace(self, weights={detector: min(self.weight(detector), own) for detector, own in moved.items()})


def load_weights(text: str = "") -> Weights:
    """The weights, as shipped or from a text in the same form.

    Raises:
        WeightsError: saying what is wrong with it.
    """
    try:
        table: dict[str, Any] = tomllib.loads(
            text or resources.files("detectors.ranking").joinpath("weights.toml").read_text(encoding="utf-8")
        )
        named = [(detector, group) for group, detectors in table["groups"].items() for detector in detectors]
        if len(named) != len(dict(named)):
            raise WeightsError("a detector is in two groups")
        return Weights(groups=dict(named), weights=table["weights"], **table["risk"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"not a table of weights: {error}") from error
