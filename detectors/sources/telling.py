"""How a finding about a source is told: the events beside what is missing or wrong, and how long it lasted."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.findings import Draft, Severity
from audit.log import Filter
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS, evidence_of
from detectors.model import Reader
from detectors.telling import severity_of

__all__ = ["about_source", "event_at", "from_microseconds", "lasting"]

_INSTANT = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_microseconds(at: int) -> datetime:
    """A moment that the engine tells as microseconds of the epoch."""
    return _EPOCH + timedelta(microseconds=at)


def lasting(span: timedelta) -> Texts:
    """A length of time as people say it, without its sign."""
    seconds = round(abs(span).total_seconds())
    if seconds < 120:
        return Texts(f"{seconds} 秒", f"{seconds} seconds")
    minutes = round(seconds / 60)
    if minutes < 120:
        return Texts(f"{minutes} 分", f"{minutes} minutes")
    if minutes < 48 * 60:
        return Texts(f"{minutes // 60} 時間 {minutes % 60} 分", f"{minutes // 60} h {minutes % 60} min")
    return Texts(f"{minutes // 1440} 日", f"{minutes // 1440} days")


def event_at(reader: Reader, source: str, at: datetime, number: int | None = None) -> dict[str, Any]:
    """The event of a moment (the first by id of several), or that of a number and moment."""
    wanted = Filter(start=at, end=at + _INSTANT, sources=(source,), first_sequence=number, last_sequence=number)
    return min(reader.columns(wanted, EVIDENCE_COLUMNS), key=lambda row: str(row["event_id"]))


def about_source(
    source: str,
    events: Sequence[Mapping[str, Any]],
    score: float,
    title: Texts,
    reasons: Sequence[Texts],
    baseline: Sequence[tuple[Texts, float]] = (),
) -> Draft:
    """A finding about a source, which is nobody's.

    Args:
        source: its id.
        events: those that show it, with the columns of `EVIDENCE_COLUMNS`; the same one twice is named once.
        score: 0 to 1.
        title: one line, without the source.
        reasons: why.
        baseline: what is usual; the last one is this case.
    """
    named = {(event["source"], event["event_id"]): event for event in events}
    return Draft(
        entity=source,
        severity=severity_of(score, Severity.HIGH),
        score=round(score, 4),
        actors=(),
        subjects=(),
        source=source,
        title=Texts(f"{source}: {title.ja}", f"{source}: {title.en}"),
        reasons=tuple(reasons),
        baseline=tuple(baseline),
        **evidence_of(list(named.values())),
    )
