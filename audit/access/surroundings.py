"""What sign-in asks of its neighbours: who people are, and which terminals are the town's."""

from datetime import datetime
from typing import Protocol

from audit.context import Terminal

__all__ = ["EveryAddress", "People", "Strangers", "Terminals"]


class People(Protocol):
    """The staff directory. A login id is the staff id of its owner."""

    def same_natural_person(self, a: str, b: str) -> bool:
        """Whether two staff ids belong to one human being."""

    def holds_post(self, staff_id: str, at: datetime) -> bool:
        """Whether somebody is still with us; true for whoever the directory does not know."""


class Terminals(Protocol):
    """The registered terminals."""

    def terminals_at(self, address: str, terminal_id: str) -> tuple[Terminal, ...]:
        """Those that an address, or an id, belongs to."""


class Strangers:
    """No directory: everybody is somebody of their own and nobody leaves."""

    def same_natural_person(self, a: str, b: str) -> bool:
        """Only the same id is the same person."""
        return a == b

    def holds_post(self, staff_id: str, at: datetime) -> bool:  # noqa: ARG002 - the shape of `People`
        """Nobody is known to have left."""
        return True


class EveryAddress:
    """No register of terminals."""

    def terminals_at(self, address: str, terminal_id: str) -> tuple[Terminal, ...]:  # noqa: ARG002 - as above
        """None is registered."""
        return ()
