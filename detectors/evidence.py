"""Turning events into a finding's evidence, the same way in every detector."""

from collections.abc import Mapping, Sequence
from typing import Any

from audit.casework import LookUp
from audit.findings import MAX_EVIDENCE

__all__ = ["EVIDENCE_COLUMNS", "evidence_of", "evidence_of_look_ups", "main_source", "subjects_of"]

EVIDENCE_COLUMNS = ("source", "event_id", "log_index", "time", "subjects")


def evidence_of(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """References and log range of events, as arguments of a draft; order of arrival does not matter."""
    ordered = sorted(events, key=lambda event: (event["time"], event["source"], event["event_id"]))
    return {
        "evidence": tuple(f"{event['source']}:{event['event_id']}" for event in ordered[:MAX_EVIDENCE]),
        "evidence_total": len(ordered),
        "first_index": min(event["log_index"] for event in ordered),
        "last_index": max(event["log_index"] for event in ordered),
    }


def evidence_of_look_ups(look_ups: Sequence[LookUp]) -> dict[str, Any]:
    """References and log range of the first acts of look-ups, as arguments of a draft.

    One act may show several people: it is named once.
    """
    ordered = sorted(look_ups, key=lambda look_up: (look_up.first, look_up.source, look_up.event_id))
    named = {look_up.evidence: look_up.first_index for look_up in ordered}
    return {
        "evidence": tuple(named)[:MAX_EVIDENCE],
        "evidence_total": len(named),
        "first_index": min(named.values()),
        "last_index": max(named.values()),
    }


def main_source(events: Sequence[Mapping[str, Any]]) -> str:
    """Where most of it happened; the first by name when several tie."""
    counts: dict[str, int] = {}
    for event in events:
        counts[event["source"]] = counts.get(event["source"], 0) + 1
    return min(counts, key=lambda source: (-counts[source], source))


def subjects_of(events: Sequence[Mapping[str, Any]], limit: int = 20) -> tuple[str, ...]:
    """The people looked at, up to a limit, in the order of time."""
    found: dict[str, None] = {}
    for event in sorted(events, key=lambda event: (event["time"], event["event_id"])):
        for subject in event["subjects"]:
            found.setdefault(subject)
    return tuple(found)[:limit]
