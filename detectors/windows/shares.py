"""What share of a person's look-ups nothing accounts for, and what is usual: in the unit, and of their own.

Counted are visits: one household on one day. Opening a family of five by mistake is one mistake. Sections differ in
how much of their work is entered as cases, so a person is measured by colleagues of the same unit; only where these
have hardly any look-ups, by the town.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure, Result
from audit.context import RosterKind, WorkContext
from detectors.model import Reader

__all__ = ["UNACCOUNTED", "Tally", "Usual", "at_least_beta_binomial", "counted", "supervised"]

UNACCOUNTED = (Result.CONTRADICTED, Result.UNMATCHED)
_D, _M = LookUpDimension, LookUpMeasure
_HONEST = 0.05
"""An ordinary slip, a question by telephone: up to so much of honest work is on nobody's record."""
_TRUST = 50
"""So many visits tell as much about a unit as is known of town halls in general."""
_ENOUGH = 100
"""With fewer visits of their colleagues and their own, somebody is measured by the town."""
_FEWEST_PEERS, _FEWEST_VISITS = 4, 50
_NOTHING = -600.0
"""The logarithm of what no sum of probabilities notices."""


@dataclass(slots=True)
class Tally:
    """Visits of a span, and those that nothing accounts for, by person.

    Attributes:
        all: how many.
        unaccounted: how many of them nothing accounts for.
        unit: where each person works: the unit of most of their visits.
    """

    all: Mapping[str, int]
    unaccounted: Mapping[str, int]
    unit: Mapping[str, str]
    members: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.members = defaultdict(list)
        for actor in sorted(self.unit):
            self.members[self.unit[actor]].append(actor)

    def usual(self, actor: str, unit: str) -> "Usual | None":
        """What is usual in a unit for somebody, going by the colleagues; `None` where too little is known."""
        peers = [peer for peer in self.members.get(unit, ()) if peer != actor]
        visits, odd = sum(self.all[p] for p in peers), sum(self.unaccounted.get(p, 0) for p in peers)
        prior = _HONEST
        if visits + self.all.get(actor, 0) < _ENOUGH:
            everyone = sum(self.all.values())
            if everyone < _ENOUGH:
                return None
            prior = max(prior, sum(self.unaccounted.values()) / everyone)
        share = (odd + _TRUST * prior) / (visits + _TRUST)
        shares = [self.unaccounted.get(p, 0) / self.all[p] for p in peers if self.all[p] >= _FEWEST_VISITS]
        chance = [share * (1 - share) / self.all[p] for p in peers if self.all[p] >= _FEWEST_VISITS]
        return Usual(share, _spread(share, shares, chance), len(peers))


@dataclass(frozen=True, slots=True)
class Usual:
    """The share that is usual.

    Attributes:
        share: the unit's.
        spread: its standard deviation from person to person.
        peers: of how many colleagues.
    """

    share: float
    spread: float
    peers: int

    @property
    def strength(self) -> float:
        """So many visits of one's own would tell as much as the unit does."""
        return max(2.0, self.share * (1 - self.share) / self.spread**2 - 1)


def _spread(share: float, shares: Sequence[float], chance: Sequence[float]) -> float:
    """How much people differ beyond chance; one odd colleague does not widen it."""
    least, unknown = 0.2 * share, 0.4 * share
    if len(shares) < _FEWEST_PEERS:
        return unknown
    middle = median(shares)
    deviation = 1.4826 * median(abs(one - middle) for one in shares)
    return max(least, math.sqrt(max(0.0, deviation**2 - sum(chance) / len(chance))))


def counted(reader: Reader, start: date, end: date, actors: Iterable[str] = (), *, printed: bool = False) -> Tally:
    """The visits of a span of days (`end` exclusive); of all, or of those that ended in a print or copy."""
    chosen = tuple(sorted(actors))
    everything, odd = (
        reader.count_look_ups(
            LookUpFilter(start=start, end=end, actors=chosen, results=results, printed=printed),
            (_D.ACTOR, _D.UNIT),
            (_M.VISITS,),
        )
        for results in ((), UNACCOUNTED)
    )
    visits, unaccounted = Counter[str](), Counter[str]()
    most: dict[str, tuple[int, str]] = {}
    for row in everything:
        visits[row["actor"]] += int(row["visits"])
        most[row["actor"]] = max(most.get(row["actor"], (0, "")), (int(row["visits"]), row["unit"]))
    for row in odd:
        unaccounted[row["actor"]] += int(row["visits"])
    return Tally(visits, unaccounted, {actor: unit for actor, (_, unit) in most.items()})


def supervised(context: WorkContext, look_up: LookUp) -> bool:
    """Whether a look-up was made in a time that somebody approved although it is ordinary working time.

    Nobody needs leave to work at ten in the morning: what is approved then is the work itself, practising or a
    hand-over for example. Approval of work in the evening says nothing about what is looked at.
    """
    if context.window_at(look_up.actor, look_up.source, look_up.first) is None:
        return False
    hours = context.hours(look_up.unit, look_up.day)
    shifts = (span for span in context.roster.get(look_up.actor, ()) if span.kind is RosterKind.SHIFT)
    spans = [*([hours] if hours else []), *((span.start, span.end) for span in shifts)]
    return any(start <= look_up.first < end for start, end in spans)


def at_least_beta_binomial(found: int, of: int, mean: float, strength: float) -> float:
    """The probability of so many or more of some, where the share of such is itself uncertain.

    Args:
        found: how many there are.
        of: how many there could be.
        mean: the expected share, between 0 and 1.
        strength: how many observations the expectation is worth.
    """
    if found <= 0:
        return 1.0
    a, b = mean * strength, (1 - mean) * strength
    if b <= 0:
        return 1.0
    chosen = math.lgamma(of + 1) - math.lgamma(found + 1) - math.lgamma(of - found + 1)
    first = chosen + _log_beta(found + a, of - found + b) - _log_beta(a, b)
    if first < _NOTHING:
        return 1.0 if found < of * mean else 0.0
    falls_to_the_end = of * (1 - b) + a <= 1
    term = total = math.exp(first)
    for k in range(found, of):
        ratio = (of - k) * (k + a) / ((k + 1) * (of - k - 1 + b))
        term *= ratio
        total += term
        if ratio < 1 and falls_to_the_end and term * (of - k) < total * 1e-17:
            break
    return min(1.0, total)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
