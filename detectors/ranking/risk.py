"""How much a set of findings says.

A detector's score is its author's word for the share of such findings that are misuse. One finding of a detector with
weight 1 gives exactly that share. A second finding of the same group of detectors adds less, because it mostly says the
same again; so does a second group, because groups are not independent. Whatever the weights are, a higher score never
lowers the risk: the parts are added in descending order with descending factors.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

from detectors.ranking.model import Contribution, Risk, logit
from detectors.ranking.weights import Weights

__all__ = ["Scored", "evidence", "risk_of"]

_LEAST, _MOST = 0.001, 0.97
"""No score is taken for certainty, whatever its author says."""


class Scored(Protocol):
    """What a detector said, as far as it is weighed: a finding, or the record of one."""

    @property
    def id(self) -> str:
        """Names it among others."""

    @property
    def detector(self) -> str:
        """Who said it."""

    @property
    def score(self) -> float:
        """0 to 1."""


def evidence(score: float, base_rate: float) -> float:
    """How far a score lifts the log-odds above those of an episode of which nothing is known, from 0 up."""
    return max(0.0, logit(min(_MOST, max(_LEAST, score))) - logit(base_rate))


def risk_of(findings: Iterable[Scored], weights: Weights) -> Risk:
    """The risk of an episode, whatever the order of its findings."""
    groups: dict[str, list[tuple[float, Scored]]] = defaultdict(list)
    for finding in findings:
        said = weights.weight(finding.detector) * evidence(finding.score, weights.base_rate)
        groups[weights.group(finding.detector)].append((said, finding))
    within = []
    for group, said_by in groups.items():
        said_by.sort(key=lambda pair: (-pair[0], pair[1].id))
        parts = [(said * weights.within**place, finding) for place, (said, finding) in enumerate(said_by)]
        within.append((sum(value for value, _ in parts), group, parts))
    within.sort(key=lambda item: (-item[0], item[1]))
    found = [
        Contribution(group, finding.detector, finding.id, weights.slope * value * weights.between**place)
        for place, (_, group, parts) in enumerate(within)
        for value, finding in parts
    ]
    found.sort(key=lambda part: (-part.value, part.finding))
    return Risk(weights.offset + weights.slope * logit(weights.base_rate), tuple(found))
