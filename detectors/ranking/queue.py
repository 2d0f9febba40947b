"""The reviewer's queue: cases by risk, cut day by day to what reviewers have time for.

A case takes its place on the first day on which it is among the riskiest of those that wait, by what is known that
day, and in no other day's queue. What finds a day full waits a few days for a place, then stays behind the budget of
its riskiest day. An episode below the least risk is a hint, not yet a case. Later days change no place once taken.

An episode is weighed by what reviewers had said before its first day: closing a case moves no case that was there. What
they say moves ranks only. Whether an episode is a case at all is told by the weights as shipped, so that nobody can
silence a detector by closing its cases.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from audit.clock import tokyo_date
from audit.findings import Finding, FindingStatus, Severity
from audit.texts import Texts
from detectors.ranking.episodes import Episode, episodes_of
from detectors.ranking.model import SEVERITIES, Case, CaseStatus, Facts, Risk
from detectors.ranking.risk import risk_of
from detectors.ranking.weights import Weights

__all__ = ["WAITS", "cases_of"]

WAITS = timedelta(days=3)
"""How long a case that found its day full waits for a place: over a weekend."""
_MOST_REASONS = 6
_OF_STRONGEST = 3
"""Reasons taken from the finding that says most; of the others the first each."""
_MOST_SUBJECTS = 50


@dataclass(slots=True)
class _Candidate:
    """An episode on its way into the queue.

    Attributes:
        so_far: its risk on each day on which it had a finding, by what was known then.
        since: the first day on which it was a case and no hint.
        opened_on: where it has a place.
    """

    episode: Episode
    risk: Risk
    so_far: dict[date, Risk] = field(default_factory=dict)
    since: date | None = None
    opened_on: date | None = None

    @property
    def behind(self) -> bool:
        """Whether people go first: what is about a source, and not grave."""
        shown = self.episode.standing
        grave = any(finding.severity in {Severity.HIGH, Severity.CRITICAL} for finding in shown)
        return not grave and not any(finding.actors for finding in shown)

    def waiting(self, day: date) -> Risk | None:
        """Its risk by what is known on a day; nothing before its first finding, and once it has waited too long."""
        known = [on for on in self.so_far if on <= day <= on + WAITS]
        return self.so_far[max(known)] if known else None

    @property
    def riskiest(self) -> date:
        """The first day on which all its risk was known."""
        most = max(risk.log_odds for risk in self.so_far.values())
        return min(day for day, risk in self.so_far.items() if risk.log_odds == most)


def cases_of(findings: Iterable[Finding], facts: Facts, weights: Weights) -> list[Case]:
    """The cases of a town, by day and rank.

    Args:
        findings: all there are, those withdrawn and excepted too; their order does not matter.
        facts: how long each day's queue is, and what reviewers have said.
        weights: what each detector's word is worth before they said anything.

    Returns:
        The cases, the latest day first; behind each day's budget those that found no place, then those withdrawn.
    """
    learned = cache(lambda first: weights.held_back(facts.outcomes(first)))
    episodes = episodes_of(
        findings, facts.closed, lambda episode: risk_of(episode.standing, learned(episode.first)).log_odds
    )
    candidates = [_candidate(episode, weights, learned(episode.first)) for episode in episodes if episode.standing]
    standing = [one for one in candidates if one.since is not None]
    _open(standing, facts)
    withdrawn = [_Candidate(episode, risk_of((), weights)) for episode in episodes if _is_withdrawn(episode)]
    by_day: dict[date, list[_Candidate]] = defaultdict(list)
    for one in (*standing, *withdrawn):
        by_day[_shown_on(one)].append(one)
    return [
        _case(one, rank, day, facts.places(day))
        for day in sorted(by_day, reverse=True)
        for rank, one in _ranked(by_day[day], day, facts.places(day))
    ]


def _is_withdrawn(episode: Episode) -> bool:
    """Whether nothing of it stands; one of which something is excepted is in no queue."""
    return all(finding.status is FindingStatus.WITHDRAWN for finding in episode.findings)


def _candidate(episode: Episode, shipped: Weights, learned: Weights) -> _Candidate:
    days = sorted({tokyo_date(finding.start) for finding in episode.standing})
    known = {day: [finding for finding in episode.standing if tokyo_date(finding.start) <= day] for day in days}
    so_far = {day: risk_of(known[day], learned) for day in days}
    since = next((day for day in days if risk_of(known[day], shipped).probability >= shipped.least_risk), None)
    return _Candidate(episode, so_far[days[-1]], so_far, since)


def _open(candidates: Sequence[_Candidate], facts: Facts) -> None:
    """Give out the places, day after day."""
    by_day: dict[date, list[_Candidate]] = defaultdict(list)
    for one in candidates:
        for day in {on + timedelta(days=n) for on in one.so_far for n in range(WAITS.days + 1)}:
            by_day[day].append(one)
    for day in sorted(by_day):
        waiting = [
            (one.behind, -risk.log_odds, one.episode.id, one)
            for one in by_day[day]
            if one.opened_on is None
            and (one.since is not None and one.since <= day)
            and (day <= facts.through or day in one.so_far)
            and (risk := one.waiting(day)) is not None
        ]
        for *_, one in sorted(waiting, key=lambda item: item[:3])[: facts.places(day)]:
            one.opened_on = day


def _shown_on(one: _Candidate) -> date:
    if one.opened_on is not None:
        return one.opened_on
    return one.riskiest if one.so_far else one.episode.first


def _ranked(candidates: Sequence[_Candidate], day: date, places: int) -> list[tuple[int, _Candidate]]:
    """One day's cases with their ranks: those with a place, those that found none, then those withdrawn."""

    def key(one: _Candidate) -> tuple[bool, bool, float, str]:
        return one.opened_on != day, one.behind, -one.risk.log_odds, one.episode.id

    standing = sorted((one for one in candidates if one.so_far), key=key)
    withdrawn = sorted((one for one in candidates if not one.so_far), key=key)
    return [*enumerate(standing, start=1), *enumerate(withdrawn, start=max(places, len(standing)) + 1)]


def _case(one: _Candidate, rank: int, day: date, places: int) -> Case:
    shown = one.episode.standing or one.episode.findings
    by_id = {finding.id: finding for finding in shown}
    ordered = [by_id[part.finding] for part in one.risk.parts] or sorted(shown, key=lambda finding: finding.id)
    return Case(
        id=one.episode.id,
        rank=rank,
        places=places,
        risk=one.risk,
        severity=max((finding.severity for finding in shown), key=SEVERITIES.index),
        status=CaseStatus.OPEN if one.so_far else CaseStatus.WITHDRAWN,
        actors=_each(finding.actors for finding in ordered),
        subjects=_each(finding.subjects for finding in ordered)[:_MOST_SUBJECTS],
        source=ordered[0].source,
        start=min(finding.start for finding in shown),
        end=max(finding.end for finding in shown),
        findings=tuple(ordered),
        title=_title(ordered),
        reasons=_reasons(ordered),
        opened_on=day,
    )


def _each(lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Everything named, once, in the order of naming."""
    return tuple({one: None for listed in lists for one in listed})


def _title(ordered: Sequence[Finding]) -> Texts:
    first, more = ordered[0].title, len(ordered) - 1
    if not more:
        return first
    return Texts(f"{first.ja}（ほか {more} 件）", f"{first.en} (and {more} more)")


def _reasons(ordered: Sequence[Finding]) -> tuple[Texts, ...]:
    """The reasons of the finding that says most, then what findings of other detectors say first."""
    others: Mapping[str, Finding] = {finding.detector: finding for finding in reversed(ordered)}
    first = [finding.reasons[0] for finding in ordered[1:] if others[finding.detector] is finding and finding.reasons]
    found = dict.fromkeys([*ordered[0].reasons[:_OF_STRONGEST], *first])
    return tuple(found)[:_MOST_REASONS]
