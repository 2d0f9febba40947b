"""The reviewer's queue of an installation: its findings, ranked by what the town is like on each day."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from math import ceil

from api.installation import Installation
from audit.clock import day_start, tokyo_date
from audit.context import Post
from audit.findings import Finding, FindingFilter, FindingStatus
from detectors.ranking import Case, CaseStatus, Facts, Weights, cases_of, load_weights, outcomes_by_day
from detectors.runner import CASEWORK

__all__ = ["case_ids", "case_queue", "found_case", "headcount", "listed", "places", "ranked"]

_NOBODY_KNOWN = 1000
"""How many staff a town is taken to have whose directory says nothing."""


def case_queue(installation: Installation, weights: Weights | None = None) -> list[Case]:
    """Every case of the installation, the latest day first, by rank within it, with what reviewers made of it."""
    findings = [
        *installation.findings.listing(FindingFilter()),
        *installation.findings.listing(FindingFilter(status=FindingStatus.WITHDRAWN)),
        *installation.findings.listing(FindingFilter(status=FindingStatus.EXCEPTED)),
    ]
    said = {one.case: one for one in installation.dispositions.every() if one.ended_at is None}
    cases = ranked(installation, findings, weights)
    return [case.judged(said[case.id]) if case.id in said else case for case in cases]


def found_case(installation: Installation, number: str) -> Case | None:
    """One case by its id."""
    return next((case for case in case_queue(installation) if case.id == number), None)


def ranked(installation: Installation, findings: Sequence[Finding], weights: Weights | None = None) -> list[Case]:
    """The cases that some findings make in this town."""
    return cases_of(findings, _facts(installation, findings), weights or load_weights())


def case_ids(cases: Iterable[Case]) -> Mapping[str, str]:
    """The case that each finding belongs to; a hint belongs to none."""
    return {finding.id: case.id for case in cases for finding in case.findings}


def listed(cases: Iterable[Case], *, start: datetime | None, end: datetime | None, status: str = "") -> list[Case]:
    """The cases whose window touches a span; what was withdrawn only when asked for by status."""
    return [
        case
        for case in cases
        if (start is None or case.end > start)
        and (end is None or case.start < end)
        and (case.status == status if status else case.status is not CaseStatus.WITHDRAWN)
    ]


def headcount(posts: Iterable[tuple[Post, ...]]) -> Callable[[date], int]:
    """How many people hold a post at the noon of a day; someone with two at once is one."""
    began: list[datetime] = []
    ended: list[datetime] = []
    for own in posts:
        last: datetime | None = None  # the end so far of the time that this person is here
        for start, end in sorted((_known(post.start, early=True), _known(post.end, early=False)) for post in own):
            if last is None or start > last:
                began.append(start)
                if last is not None:
                    ended.append(last)
                last = end
            else:
                last = max(last, end)
        if last is not None:
            ended.append(last)
    began.sort()
    ended.sort()

    def count(day: date) -> int:
        noon = day_start(day) + timedelta(hours=12)
        return bisect_right(began, noon) - bisect_right(ended, noon)

    return count


def places(staff: int, per_thousand: int) -> int:
    """How many cases a day the reviewers of a town take on, from 1."""
    return max(1, ceil(per_thousand * staff / 1000))


def _known(moment: datetime | None, *, early: bool) -> datetime:
    if moment is not None:
        return moment
    return day_start(date.min + timedelta(days=2)) if early else day_start(date.max - timedelta(days=2))


def _facts(installation: Installation, findings: Iterable[Finding]) -> Facts:
    now = installation.clock.now()
    work = installation.context.over(now, now)
    staff = headcount(work.posts.values())
    per_thousand = installation.settings.cases_per_thousand
    judged = (tokyo_date(start) for start in installation.findings.last_runs(CASEWORK))
    found = (tokyo_date(finding.start) for finding in findings)
    return Facts(
        through=max((*judged, *found), default=tokyo_date(now)),
        places=lambda day: places(staff(day) if work.posts else _NOBODY_KNOWN, per_thousand),
        closed=lambda day: bool(work.closed("", day)),
        outcomes=outcomes_by_day(installation.dispositions.every()),
    )
