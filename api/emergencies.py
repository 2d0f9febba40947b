"""Emergencies beside their record: what was done under them, who reviewed them, which review is overdue.

The record of an emergency is in the state database; its declaration, the decisions under it and its review are in the
log, and are read from there.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from api.installation import Installation
from audit.access.decisions.emergencies.model import Emergency
from audit.clock import tokyo_date
from audit.events import AuditEvent
from audit.findings import DetectorRun, Draft, Severity
from audit.log import OWN_SOURCE, Filter
from audit.texts import Texts

__all__ = ["OVERDUE_DETECTOR", "conduct_of", "is_overdue", "remind_of_reviews", "reviews"]

OVERDUE_DETECTOR = "break-glass-review"
"""Under this name overdue reviews are reported."""
REVIEWS_SHOWN = timedelta(days=92)
_SOON = timedelta(minutes=5)
"""Within this time of a declaration its event is stamped."""


def conduct_of(installation: Installation, emergency: Emergency) -> Iterator[AuditEvent]:
    """The decisions that were made under an emergency, the oldest first."""
    declared = emergency.declared
    made = _own(declared.start, declared.end + timedelta(seconds=1), "authorize", declared.person)
    for event in installation.log.each(made):
        if _unmapped(event).get("decision", {}).get("emergency") == declared.id:
            yield event


def reviews(installation: Installation) -> list[AuditEvent]:
    """The reviews of the last 92 days, the newest first."""
    now = installation.clock.now()
    entered = installation.log.each(_own(now - REVIEWS_SHOWN, now + _SOON, "approve"))
    found = [event for event in entered if event.text("operation_name") == "break_glass.reviewed"]
    return found[::-1]


def is_overdue(emergency: Emergency, now: datetime) -> bool:
    """Whether the day by whose end an emergency was to be reviewed is over."""
    return emergency.verdict is None and tokyo_date(now) > emergency.review_due


def remind_of_reviews(installation: Installation) -> int:
    """Open a finding, once, for each emergency whose review is overdue; how many are new.

    Raises:
        StoreError: the findings cannot be kept or the log not be read.
    """
    now = installation.clock.now()
    overdue = [one for one in installation.decisions.emergencies.unreviewed() if is_overdue(one, now)]
    return sum(_remind(installation, emergency) for emergency in overdue)


def _remind(installation: Installation, emergency: Emergency) -> bool:
    declared = emergency.declared
    told = _own(declared.start - _SOON, declared.start + _SOON, "grant", declared.person)
    mine = (one for one in installation.log.each(told) if _unmapped(one).get("emergency") == declared.id)
    event = next(mine, None)
    if event is None:  # still among our own acts on their way into the log: the next turn finds it
        return False
    due = emergency.review_due.isoformat()
    draft = Draft(
        entity=declared.id,
        severity=Severity.HIGH,
        score=0.8,
        actors=(declared.person,),
        subjects=(),
        source=declared.system,
        title=Texts(
            f"{declared.system}: 緊急利用の確認が期限を過ぎています",
            f"{declared.system}: the review of emergency access is overdue",
        ),
        reasons=(
            Texts(f"{due} までに確認が必要でした。", f"It was to be reviewed by {due}."),
            Texts(f"理由: {declared.reason}", f"Reason given: {declared.reason}"),
        ),
        evidence=(event.ref,),
        evidence_total=1,
        first_index=event.log_index,
        last_index=event.log_index,
    )
    run = DetectorRun(OVERDUE_DETECTOR, "1.0.0", "", declared.start, declared.end, 0, 1, event.log_index)
    return installation.findings.add(run, draft)


def _own(start: datetime, end: datetime, activity: str, actor: str = "") -> Filter:
    actors = (actor,) if actor else ()
    return Filter(start=start, end=end, sources=(OWN_SOURCE,), actors=actors, activities=(activity,))


def _unmapped(event: AuditEvent) -> dict[str, Any]:
    return dict(event.to_contract().get("unmapped", {}))
