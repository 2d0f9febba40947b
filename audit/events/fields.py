"""Every field of an event, once: the contract's path, our column, its kind.

Validation, canonical bytes, the ClickHouse table's intake, search and the documentation are all derived from this
table, so that they cannot disagree. Order is the alphabetical order of the paths, which is the canonical order.
"""

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["COLUMNS", "FIELDS", "FIELD_BY_PATH", "GROUPS", "Field", "Kind"]


class Kind(StrEnum):
    """What a field holds."""

    COUNT = "count"
    FLAG = "flag"
    IDS = "ids"
    TEXT = "text"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        path: its place in the contract's form, dotted.
        kind: what it holds.
        declared_id: an identifier by declaration: never searched for My Numbers, because masking one of two equal
            digits strings would merge what is not the same. The keys of people looked up are not among them: a My
            Number used as a key is exactly what must be found.
        column: the column that holds it.
    """

    path: str
    kind: Kind = Kind.TEXT
    declared_id: bool = False
    column: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the column."""
        object.__setattr__(self, "column", self.path.replace(".", "_"))


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
    Field("export.sha256"),
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
    Field("terminal.ip"),
    Field("time", Kind.TIME),
    Field("unmapped"),
)

FIELD_BY_PATH = {one.path: one for one in FIELDS}
COLUMNS = tuple(one.column for one in FIELDS)
GROUPS = frozenset(one.path.split(".")[0] for one in FIELDS if "." in one.path)
"""Names whose value is an object: `actor`, `terminal`, …"""
