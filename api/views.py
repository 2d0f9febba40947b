"""From the services' values to the pages' values. Nothing is decided here."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from api.own_findings import OWN_DETECTORS
from audit.clock import TOKYO
from audit.context import WorkContext
from audit.events import ACTIVITY_CLASS, OCSF_VERSION, AuditEvent
from audit.findings import Finding
from audit.texts import Texts
from dashboards.links import events_url
from dashboards.model import AlertRow, AlertView, BaselineRow, EventRow, EventView
from detectors.model import Detector
from detectors.registry import DETECTORS
from ingest.gaps import DETECTORS as GAP_DETECTORS
from ingest.sources.profile import Profile

__all__ = ["alert_row", "alert_view", "detector_title", "event_row", "event_view", "source_name"]

_NOTHING = Texts("", "")
"""A detector of another version, of which nothing is known here."""


_NONE: Mapping[str, Detector] = {}


def detector_title(detector: str, imported: Mapping[str, Detector] = _NONE) -> Texts:
    """What a detector is called; `imported` are those of the town's own."""
    if known := DETECTORS.get(detector) or imported.get(detector):
        return known.meta.title
    told = GAP_DETECTORS.get(detector) or OWN_DETECTORS.get(detector)
    return told.title if told else Texts.same(detector)


def source_name(catalogue: Mapping[str, Profile], source: str) -> Texts:
    """What a source is called."""
    if source == "mimamori":
        return Texts("見守り（本システム）", "Mimamori itself")
    profile = catalogue.get(source)
    return Texts(profile.name_ja, profile.name_en) if profile else Texts.same(source)


def alert_row(
    finding: Finding,
    catalogue: Mapping[str, Profile],
    context: WorkContext,
    imported: Mapping[str, Detector] = _NONE,
) -> AlertRow:
    """A finding as a line of the list."""
    return AlertRow(
        id=finding.id,
        severity=finding.severity,
        detector=finding.detector,
        detector_title=detector_title(finding.detector, imported),
        title=finding.title,
        actors=tuple((actor, context.name_of(actor, finding.start)) for actor in finding.actors),
        source_name=source_name(catalogue, finding.source),
        window_from=finding.start,
        window_to=finding.end,
        status=finding.status,
        score=finding.score,
        opened=finding.found_at,
    )


def alert_view(
    finding: Finding,
    evidence: Sequence[AuditEvent],
    catalogue: Mapping[str, Profile],
    context: WorkContext,
    imported: Mapping[str, Detector] = _NONE,
) -> AlertView:
    """A finding as a story."""
    runbook, false_positives = _advice(finding.detector, imported)
    first, last = finding.start.astimezone(TOKYO), finding.end.astimezone(TOKYO)
    filters = {"actor": finding.actors[0]} if finding.actors else {"source": finding.source}
    return AlertView(
        row=alert_row(finding, catalogue, context, imported),
        reasons=finding.reasons,
        evidence=tuple(event_row(event, catalogue) for event in evidence),
        more_evidence=finding.evidence_total - len(evidence),
        search_url=events_url(
            from_=f"{first:%Y-%m-%dT%H:%M}",
            to=f"{last + timedelta(minutes=1 if first == last else 0):%Y-%m-%dT%H:%M}",
            **filters,
        ),
        log_index=(finding.first_index, finding.last_index),
        runbook=runbook,
        false_positives=false_positives,
        detector_version=finding.detector_version,
        baseline=tuple(
            BaselineRow(label, value, is_this=place == len(finding.baseline))
            for place, (label, value) in enumerate(finding.baseline, start=1)
        ),
        baseline_title=Texts("1 日に閲覧した住民の数", "People looked up in a day") if finding.baseline else None,
        subject_count=len(finding.subjects) or None if finding.evidence_total < 20 else None,
        settled_at=finding.settled_at,
        settled_by=finding.settled_by,
        source_page="" if finding.actors else finding.source,
        excepted_by=finding.excepted_by,
        detector_page=finding.detector if finding.detector in DETECTORS or finding.detector in imported else "",
    )


def _advice(detector: str, imported: Mapping[str, Detector]) -> tuple[Texts, Texts]:
    """What to do about a detector's findings, and what usually explains them."""
    if known := DETECTORS.get(detector) or imported.get(detector):
        return known.meta.runbook, known.meta.false_positives
    told = GAP_DETECTORS.get(detector) or OWN_DETECTORS.get(detector)
    return (told.runbook, told.false_positives) if told else (_NOTHING, _NOTHING)


def event_row(event: AuditEvent, catalogue: Mapping[str, Profile]) -> EventRow:
    """An event as a line of a table."""
    return EventRow(
        log_index=event.log_index,
        time=event.time,
        source=event.source,
        source_name=source_name(catalogue, event.source),
        event_id=event.event_id,
        activity=event.activity,
        operation_name=event.text("operation_name"),
        outcome=event.text("outcome"),
        actor_id=event.text("actor_id"),
        actor_name=event.text("actor_name"),
        actor_unit=event.text("actor_org_unit"),
        terminal=event.text("terminal_id") or event.text("terminal_ip"),
        subjects=event.subjects,
        summary=event.text("screen") or event.text("reason"),
    )


def event_view(event: AuditEvent, catalogue: Mapping[str, Profile]) -> EventView:
    """An event in full."""
    ocsf = ACTIVITY_CLASS[event.activity]
    document = event.to_contract()
    for ours in ("log_index", "source", "ocsf", "received_at", "marks"):
        document.pop(ours, None)
    record: dict[str, object] = {
        "log_index": event.log_index,
        "received_at": event.received_at.astimezone(TOKYO).isoformat(),
        "ocsf_version": OCSF_VERSION,
        "class_uid": ocsf.class_uid,
        "activity_id": ocsf.activity_id,
        "type_uid": ocsf.type_uid,
    }
    if event.marks:
        record["marks"] = list(event.marks)
    return EventView(event_row(event, catalogue), document, record)
