"""Imported rules as values."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["ImportedRule"]


@dataclass(frozen=True, slots=True)
class ImportedRule:
    """One import of a rule.

    Attributes:
        number: of the import.
        rule: the rule's own id.
        title: what it is called.
        digest: SHA-256 of its bytes: its version.
        content: its bytes.
        stories: the bytes of the stories that held when it was imported.
        imported_by: staff id.
        confirmed_by: staff id of somebody else.
        imported_at: when.
        ended_by: who removed or replaced it; empty while it is in force.
        end_confirmed_by: who agreed.
        ended_at: when.
    """

    number: int
    rule: str
    title: str
    digest: str
    content: bytes
    stories: bytes
    imported_by: str
    confirmed_by: str
    imported_at: datetime
    ended_by: str = ""
    end_confirmed_by: str = ""
    ended_at: datetime | None = None
