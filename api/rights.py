"""Composition of rights: the directory they ask, the systems they are kept for, and who acts."""

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from audit.access import Recorder, Role, Viewer
from audit.access.rights import Doer, RightsService, load_rules
from audit.clock import Clock
from audit.context import ContextService, Post
from audit.store.state import StateStore

__all__ = ["TownPeople", "doer_of", "open_rights"]


class Leaders(Protocol):
    """Who leads whom (`audit.access.people.PeopleService`)."""

    def manager_of(self, staff_id: str, at: datetime) -> str | None:
        """Whom a person answers to."""

    def head_of(self, unit: str, at: datetime) -> str | None:
        """Who leads a unit."""

    def same_natural_person(self, a: str, b: str) -> bool:
        """Whether two staff ids belong to one human being."""


class TownPeople:
    """The staff directory as rights ask it; implements `audit.access.rights.People`."""

    def __init__(self, context: ContextService, leaders: Leaders) -> None:
        self._context = context
        self._leaders = leaders

    def posts(self, staff_id: str) -> tuple[Post, ...]:
        """Every post of a person."""
        return self._context.person(staff_id)

    def manager_of(self, staff_id: str, at: datetime) -> str | None:
        """Whom a person answers to."""
        return self._leaders.manager_of(staff_id, at)

    def head_of(self, unit: str, at: datetime) -> str | None:
        """Who leads a unit."""
        return self._leaders.head_of(unit, at)

    def same_natural_person(self, a: str, b: str) -> bool:
        """Whether two staff ids belong to one human being."""
        return self._leaders.same_natural_person(a, b)


def open_rights(
    state: StateStore,
    clock: Clock,
    recorder: Recorder,
    people: TownPeople,
    *,
    data: Path,
    city: str,
    systems: Mapping[str, object] | Collection[str],
) -> RightsService:
    """The rights of one installation; a town's own chains are in `rights.toml` of its data directory.

    Raises:
        ChainError: that file cannot be used.
    """
    return RightsService(state, clock, recorder, people, load_rules(data / "rights.toml", city), systems)


def doer_of(viewer: Viewer) -> Doer:
    """Whoever is signed in, as one who acts: a person's login id is the staff id."""
    oversees = Role.SECURITY_ADMINISTRATOR in viewer.roles
    return Doer(
        id=viewer.login_id,
        address=viewer.address,
        session=viewer.session_id,
        oversees=oversees,
        reads_all=oversees or Role.AUDITOR in viewer.roles,
    )
