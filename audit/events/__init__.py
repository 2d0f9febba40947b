"""What an event is: its fields, vocabulary, canonical bytes and validity. Pure, standard library only."""

from audit.events.activities import (
    ACTIVITY_CLASS,
    LOOKUPS,
    OCSF_VERSION,
    Activity,
    ActorKind,
    OcsfClass,
    Outcome,
)
from audit.events.canonical import canonical_bytes, digest
from audit.events.fields import COLUMNS, FIELDS, Field, Kind
from audit.events.model import AuditEvent
from audit.events.mynumber import mask
from audit.events.validation import MAX_RECORD_BYTES, Checked, Fault, check, parse_json, parse_time

__all__ = [
    "ACTIVITY_CLASS",
    "COLUMNS",
    "FIELDS",
    "LOOKUPS",
    "MAX_RECORD_BYTES",
    "OCSF_VERSION",
    "Activity",
    "ActorKind",
    "AuditEvent",
    "Checked",
    "Fault",
    "Field",
    "Kind",
    "OcsfClass",
    "Outcome",
    "canonical_bytes",
    "check",
    "digest",
    "mask",
    "parse_json",
    "parse_time",
]
