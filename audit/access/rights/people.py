"""What rights ask of the staff directory."""

from datetime import datetime
from typing import Protocol

from audit.context import Post

__all__ = ["People"]


class People(Protocol):
    """The staff directory; each answer is that of one moment."""

    def posts(self, staff_id: str) -> tuple[Post, ...]:
        """Every post of a person, past and coming ones included; none for somebody unknown."""

    def manager_of(self, staff_id: str, at: datetime) -> str | None:
        """The staff id of a person's manager; None or empty without one."""

    def head_of(self, unit: str, at: datetime) -> str | None:
        """The staff id of a unit's head; None or empty while there is none."""

    def same_natural_person(self, a: str, b: str) -> bool:
        """Whether two staff ids are known to belong to one natural person."""
