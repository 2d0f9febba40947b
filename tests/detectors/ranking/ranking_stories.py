"""Findings as detectors would make them, in few words."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from audit.clock import day_start
from audit.context import is_closed_by_law
from audit.findings import Finding, FindingStatus, Severity
from audit.texts import Texts
from detectors.ranking import Facts, Weights

MONDAY = date(2026, 10, 5)
WEIGHTS = Weights(groups={"night": "time", "sunday": "time", "own": "relation", "bulk": "pattern"})
DETECTORS = ("night", "sunday", "own", "bulk", "unheard-of")


def day(number: int) -> date:
    """Days after Monday 5 October 2026; the next public holiday is Monday the 12th."""
    return MONDAY + timedelta(days=number)


def found(
    actors: str | Sequence[str] = "s1",
    on: int = 0,
    score: float = 0.5,
    detector: str = "night",
    *,
    severity: Severity = Severity.MEDIUM,
    status: FindingStatus = FindingStatus.OPEN,
    source: str = "tax",
    subjects: Sequence[str] = (),
) -> Finding:
    """A finding about one day; the same words give the same finding."""
    who = tuple(actors.split()) if isinstance(actors, str) else tuple(actors)
    words = f"{who} {on} {detector} {source if not who else ''}"
    start = day_start(day(on))
    return Finding(
        id=f"f-{hashlib.sha256(words.encode()).hexdigest()[:12]}",
        detector=detector,
        detector_version="1.0.0",
        parameters="",
        severity=severity,
        score=score,
        status=status,
        actors=who,
        subjects=tuple(subjects),
        source=source,
        start=start,
        end=start + timedelta(days=1),
        title=Texts(f"題 {detector}", f"title {detector}"),
        reasons=(Texts(f"理由 {words}", f"reason {words}"), Texts("もう一つ", f"another {detector}")),
        evidence=("tax:e1",),
        evidence_total=1,
        first_index=1,
        last_index=1,
        found_at=datetime(2026, 12, 1, tzinfo=UTC),
    )


def facts(places: int = 2, through: int = 60) -> Facts:
    """A town whose reviewers take on a few cases a day."""
    return Facts(through=day(through), places=lambda _day: places, closed=lambda one: bool(is_closed_by_law(one)))


def findings(**least: Any) -> st.SearchStrategy[list[Finding]]:
    """Findings of a few people and sources within three weeks, each once."""
    one = st.builds(
        found,
        actors=st.sampled_from(("", "s1", "s2", "s3", "s4", "s1 s2", "s2 s3 s4")),
        on=st.integers(0, 20),
        score=st.floats(0.01, 1.0),
        detector=st.sampled_from(DETECTORS),
        severity=st.sampled_from(Severity),
        status=st.sampled_from((FindingStatus.OPEN, FindingStatus.OPEN, FindingStatus.FILLED, FindingStatus.WITHDRAWN)),
        source=st.sampled_from(("tax", "care")),
    )
    return st.lists(one, max_size=25, unique_by=lambda finding: finding.id, **least)
