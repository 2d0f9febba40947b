"""From findings to the reviewer's queue: one case a person-episode, with a risk that decomposes, cut to a budget."""

from detectors.ranking.feedback import outcomes_by_day
from detectors.ranking.fitting import Said, Told, fit, render
from detectors.ranking.model import Case, CaseStatus, Contribution, Facts, Outcomes, Risk
from detectors.ranking.queue import cases_of
from detectors.ranking.weights import Weights, WeightsError, load_weights

__all__ = [
    "Case",
    "CaseStatus",
    "Contribution",
    "Facts",
    "Outcomes",
    "Risk",
    "Said",
    "Told",
    "Weights",
    "WeightsError",
    "cases_of",
    "fit",
    "load_weights",
    "outcomes_by_day",
    "render",
]
