"""Every field of an event, once: the contract's path, our column, its kind.

Validation, canonical bytes, the ClickHouse table's intake, search and the documentation are all derived from this
table, so that they cannot disagree. Order is the alphabetical order of the paths, which is the canonical order.
"""

from enum import StrEnum
from typing import NamedTuple

__all__ = ["COLUMNS", "FIELDS", "FIELD_BY_PATH", "GROUPS", "Field", "Kind"]


class Kind(StrEnum):
    """What a field holds."""

    COUNT = "count"
    FLAG = "flag"
    IDS = "ids"
    TEXT = "text"
    TIME = "time"


class Field(NamedTuple):
    """One field.

    Attributes:
        path: its place in the contract's form, dotted.
        kind: what it holds.
        declared_id: an identifier by declaration: never searched for My Numbers, because masking one of two equal
            digits strings would merge what is not the same. The keys of people looked up are not among them: a My
            Number used as a key is exactly what must be found.
    """

    path: str
    kind: Kind = Kind.TEXT
    declared_id: bool = False

    @property
    def column(self) -> str:
        """The column that holds it."""
        return self.path.replace(".", "_")


FIELDS: tuple[Field, ...] = (
    Field("activity"),
    Field("actor.id", declared_id=True),
    Field("actor.kind"),
    Field("actor.name"),
    Field("actor.org_unit"),
    Field("actor.role"),
    Field("affair"),
    Field("auth.authenticator", declared_id=True),
    Field("auth.factors", Kind.IDS),
    Field("auth.user_verified", Kind.FLAG),
    Field("case_id", declared_id=True),
    Field("counterparty.body"),
    Field("counterparty.permit", declared_id=True),
    Field("counterparty.purpose_no", declared_id=True),
    Field("counterparty.system"),
    Field("event_id", declared_id=True),
    Field("export.approval_id", declared_id=True),
    Field("export.destination"),
    Field("export.file"),
    Field("export.medium_id", declared_id=True),
    Field("export.rows", Kind.COUNT),
    Field("export.sha256", declared_id=True),
    Field("operation_name"),
    Field("outcome"),
    Field("query.by"),
    Field("query.hits", Kind.COUNT),
    Field("reason"),
    Field("recorded_at", Kind.TIME),
    Field("screen"),
    Field("sequence", Kind.COUNT),
    Field("session", declared_id=True),
    Field("subject_count", Kind.COUNT),
    Field("subjects", Kind.IDS),
    Field("target.affair"),
    Field("target.id"),
    Field("target.system"),
    Field("terminal.id", declared_id=True),
    Field("terminal.ip", declared_id=True),
    Field("time", Kind.TIME),
    Field("unmapped"),
)

FIELD_BY_PATH = {field.path: field for field in FIELDS}
COLUMNS = tuple(field.column for field in FIELDS)
GROUPS = frozenset(field.path.split(".")[0] for field in FIELDS if "." in field.path)
"""Names whose value is an object: `actor`, `terminal`, …"""
