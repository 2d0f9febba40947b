"""How a rule's finding about a person is told: their name, the hour, how bad it is, the acts that show it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from audit.clock import TOKYO
from audit.context import WorkContext
from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.evidence import evidence_of, main_source, subjects_of

__all__ = ["about_person", "at_hour", "named", "place_of", "severity_of", "unknown_to_directory"]

_BOUNDS = ((0.85, Severity.CRITICAL), (0.6, Severity.HIGH), (0.4, Severity.MEDIUM))


def severity_of(score: float, highest: Severity = Severity.CRITICAL) -> Severity:
    """The severity that a score stands for, up to a highest one."""
    order = [Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]
    found = next((severity for least, severity in _BOUNDS if score >= least), Severity.LOW)
    return order[min(order.index(found), order.index(highest))]


def named(context: WorkContext, actor: str, at: datetime) -> str:
    """A person's name and id, or the id alone where the directory has no name."""
    name = context.name_of(actor, at)
    return f"{name} ({actor})" if name else actor


def at_hour(at: datetime) -> Texts:
    """A moment as people say it."""
    there = at.astimezone(TOKYO)
    return Texts(f"{there.month}月{there.day}日 {there:%H:%M}", f"{there:%H:%M} on {there:%-d %B}")


def place_of(row: Mapping[str, Any]) -> str:
    """Where an event came from: the terminal, else its address; empty where the source does not say."""
    return str(row["terminal_id"] or row["terminal_ip"])


def unknown_to_directory(context: WorkContext, actor: str) -> list[Texts]:
    """The reason that somebody is unknown, where a directory was imported and does not have them."""
    if not context.posts or context.knows(actor):
        return []
    return [Texts("この利用者は職員名簿にありません。", "The staff directory does not know this account.")]


def about_person(
    actor: str,
    events: Sequence[Mapping[str, Any]],
    score: float,
    title: Texts,
    reasons: Sequence[Texts],
    highest: Severity = Severity.HIGH,
    others: Sequence[str] = (),
) -> Draft:
    """A finding about one person's acts.

    Args:
        actor: who.
        events: the acts, with the columns of `EVIDENCE_COLUMNS`.
        score: 0 to 1; more than 1 is cut.
        title: one line.
        reasons: why.
        highest: the detector's highest severity.
        others: people who acted with them.
    """
    score = round(min(score, 1.0), 4)
    return Draft(
        entity=actor,
        severity=severity_of(score, highest),
        score=score,
        actors=(actor, *(other for other in others if other != actor)),
        subjects=subjects_of(events),
        source=main_source(events),
        title=title,
        reasons=tuple(reasons),
        **evidence_of(events),
    )
