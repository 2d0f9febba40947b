"""An account at a terminal, in one session of one system: where acts come from."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from detectors.lab.acts import Act
from detectors.lab.model import Person

__all__ = ["Seat"]


@dataclass(frozen=True, slots=True)
class Seat:
    """An account at a terminal, in one session of one system.

    Attributes:
        system: source id.
        actor: the account.
        terminal: terminal id, empty where only addresses are seen.
        address: of the terminal.
        session: joins what is done from it.
        person: the post behind the account, None for service accounts and intruders.
    """

    system: str
    actor: str
    terminal: str
    address: str
    session: str
    person: Person | None = None

    @classmethod
    def of(cls, person: Person, system: str, day: date, number: str, *, terminal_of: Person | None = None) -> "Seat":
        """A person's account, at the own terminal or at somebody else's."""
        desk = terminal_of or person
        session = f"{person.id}-{day:%m%d}-{number}"
        return cls(system, person.id, desk.terminal, desk.address, session, person)

    def act(self, moment: datetime, activity: str, **more: Any) -> Act:  # noqa: ANN401 - the fields of Act
        """Do something."""
        return Act(
            moment, self.system, self.actor, activity, self.terminal, self.address, self.session, self.person, **more
        )
