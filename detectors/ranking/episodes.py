"""Findings that belong together: what one person did within a few days is one episode.

Findings of a person follow each other closely when at most one business day lies between them; after seven days a new
episode begins, so that a habit comes before a reviewer again. A finding about several people joins the episode of the
one against whom most is known, else it is an episode of its own; so is what is found about a source.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from audit.clock import tokyo_date
from audit.findings import Finding, FindingStatus

__all__ = ["Episode", "episodes_of"]

LONGEST = timedelta(days=7)
"""From the first day of an episode to its last, both counted."""
BETWEEN = 1
"""Business days that may lie between two findings of an episode."""

Closed = Callable[[date], bool]


def _day(finding: Finding) -> date:
    return tokyo_date(finding.start)


def _order(finding: Finding) -> tuple[date, str]:
    return _day(finding), finding.id


@dataclass(slots=True)
class Episode:
    """Findings that belong together, in the order of their days.

    Attributes:
        about: whom or what it is about, with the kind of it, so that no source is taken for a person.
        findings: never empty; those withdrawn or excepted are kept: the episode's name must not change with them.
    """

    about: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def id(self) -> str:
        """From whom it is about and its first window: what comes later changes nothing."""
        return "c-" + hashlib.sha256(f"{self.about}\x00{self.first.isoformat()}".encode()).hexdigest()[:20]

    @property
    def standing(self) -> list[Finding]:
        """Those that were neither withdrawn nor excepted."""
        gone = {FindingStatus.EXCEPTED, FindingStatus.WITHDRAWN}
        return [finding for finding in self.findings if finding.status not in gone]

    @property
    def first(self) -> date:
        """The day of its first finding."""
        return _day(self.findings[0])

    @property
    def last(self) -> date:
        """The day of its last finding."""
        return _day(self.findings[-1])

    def takes(self, day: date, closed: Closed) -> bool:
        """Whether a finding of a day, not before its first, belongs to it."""
        between = (self.last + timedelta(days=n) for n in range(1, (day - self.last).days))
        return day - self.first < LONGEST and sum(not closed(one) for one in between) <= BETWEEN


def episodes_of(findings: Iterable[Finding], closed: Closed, strength: Callable[[Episode], float]) -> list[Episode]:
    """Sort findings into episodes.

    Args:
        findings: in any order; the result does not depend on it.
        closed: whether the town hall is closed on a day.
        strength: how much is known against the person of an episode.

    Returns:
        The episodes, each with its findings in the order of their days.
    """
    ordered = sorted(findings, key=_order)
    of: dict[str, list[Episode]] = defaultdict(list)
    for finding in ordered:
        if len(finding.actors) <= 1:
            _continue(of, _about(finding), finding, closed)
    alone = [episode for episodes in of.values() for episode in episodes]
    joint = [finding for finding in ordered if len(finding.actors) > 1]
    return [*alone, *_join(joint, of, closed, strength)]


def _about(finding: Finding) -> str:
    return f"actor:{finding.actors[0]}" if finding.actors else f"source:{finding.source}"


def _continue(of: dict[str, list[Episode]], about: str, finding: Finding, closed: Closed) -> None:
    episodes = of[about]
    if not episodes or not episodes[-1].takes(_day(finding), closed):
        episodes.append(Episode(about))
    episodes[-1].findings.append(finding)


def _join(
    joint: Sequence[Finding],
    of: dict[str, list[Episode]],
    closed: Closed,
    strength: Callable[[Episode], float],
) -> list[Episode]:
    """Find each finding about several people its place; those without one begin episodes, which are returned."""
    groups: list[Episode] = []
    for finding in joint:
        known = [
            episode
            for actor in finding.actors
            for episode in of[f"actor:{actor}"]
            if _takes_joint(episode, _day(finding), closed)
        ]
        known += [
            group
            for group in groups
            if set(finding.actors) & {actor for one in group.findings for actor in one.actors}
            and group.takes(_day(finding), closed)
        ]
        if known:
            strongest = min(known, key=lambda episode: (-strength(_until(episode, _day(finding))), episode.id))
            strongest.findings.append(finding)
            strongest.findings.sort(key=_order)
        else:
            groups.append(Episode(f"group:{min(finding.actors)}", [finding]))
    return groups


def _takes_joint(episode: Episode, day: date, closed: Closed) -> bool:
    """Whether an episode of one person had begun by then: what came later cannot draw a finding to itself."""
    before = _until(episode, day)
    return bool(before.findings) and before.takes(day, closed)


def _until(episode: Episode, day: date) -> Episode:
    return Episode(episode.about, [finding for finding in episode.findings if _day(finding) <= day])
