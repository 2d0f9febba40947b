"""An event as it is stored and read back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.clock import TOKYO
from audit.events.activities import ACTIVITY_CLASS, Activity
from audit.events.fields import FIELDS, Kind

__all__ = ["AuditEvent"]


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One stored event.

    Attributes:
        log_index: its place in the log, consecutive from 0.
        source: the source it came from.
        received_at: when it was taken in.
        columns: its values by column name (`audit.events.fields`), absent ones left out.
        marks: our own remarks, never part of what the source said: `skew`, `masked`.
    """

    log_index: int
    source: str
    received_at: datetime
    columns: Mapping[str, Any]
    marks: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """How findings name it: `source:event_id`."""
        return f"{self.source}:{self.event_id}"

    @property
    def event_id(self) -> str:
        """The source's own id, or the one derived from its bytes."""
        return str(self.columns["event_id"])

    @property
    def time(self) -> datetime:
        """When it happened, in UTC."""
        at: datetime = self.columns["time"]
        return at

    @property
    def activity(self) -> Activity:
        """What was done."""
        return Activity(self.columns["activity"])

    def text(self, column: str) -> str:
        """A text column, empty when absent."""
        return str(self.columns.get(column, ""))

    @property
    def subjects(self) -> tuple[str, ...]:
        """The pseudonymous keys of the people looked at."""
        return tuple(self.columns.get("subjects", ()))

    def to_contract(self) -> dict[str, Any]:
        """The contract's form (DESIGN 4.3), with what we know about it beside it."""
        doc: dict[str, Any] = {"log_index": self.log_index, "source": self.source}
        for field in FIELDS:
            value = self.columns.get(field.column)
            if value is None or value in ("", []):
                continue
            if field.kind is Kind.TIME:
                value = value.astimezone(TOKYO).isoformat()
            elif field.path == "unmapped":
                value = json.loads(value)
            group, _, name = field.path.partition(".")
            if name:
                doc.setdefault(group, {})[name] = value
            else:
                doc[group] = value
        ocsf = ACTIVITY_CLASS[self.activity]
        doc["ocsf"] = {
            "category_uid": ocsf.category_uid,
            "class_uid": ocsf.class_uid,
            "activity_id": ocsf.activity_id,
            "type_uid": ocsf.type_uid,
        }
        doc["received_at"] = self.received_at.astimezone(TOKYO).isoformat()
        if self.marks:
            doc["marks"] = list(self.marks)
        return doc
