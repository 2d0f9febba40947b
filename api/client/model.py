"""What a records service asks, and what it is told. Values only."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["UNREACHABLE", "Access", "ClientError", "Decision"]

UNREACHABLE = "unreachable"
"""The reason of a denial that Mimamori did not give: it did not answer, or not in a way that can be relied on."""


class ClientError(ValueError):
    """The client was set up or called wrongly; never raised for what Mimamori answers or fails to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """May this person do this, now?

    Attributes:
        person: the staff id.
        activity: a word of the closed vocabulary (`view`, `update`, `export`, ...).
        subject: the pseudonymous key of the resident; empty for an act on none.
        function: a function of the system; empty for the one that the activity belongs to.
        affair: the business; empty for the system's own.
        session: the `sid` that signing in gave.
        address: the person's network address, as the service sees it.
        terminal: the terminal's id.
        purpose: a word of the town's list of purposes.
        case_id: the reception ticket or application that it belongs to.
        second_person: the staff id of whoever confirms at the same time.
        rows: how many records an output holds.
        medium_id: the medium that it goes to.
    """

    person: str
    activity: str
    subject: str = ""
    function: str = ""
    affair: str = ""
    session: str = ""
    address: str = ""
    terminal: str = ""
    purpose: str = ""
    case_id: str = ""
    second_person: str = ""
    rows: int | None = None
    medium_id: str = ""

    def evaluation(self) -> dict[str, Any]:
        """As an AuthZEN evaluation."""
        properties = {"affair": self.affair, "rows": self.rows, "medium_id": self.medium_id}
        if self.subject:
            resource, properties["function"] = {"type": "record", "id": self.subject}, self.function
        elif self.function:
            resource = {"type": "function", "id": self.function}
        else:
            resource = {"type": "system", "id": self.activity}
        named = ("session", "address", "terminal", "purpose", "case_id", "second_person")
        return {
            "subject": {"type": "staff", "id": self.person},
            "action": {"name": self.activity},
            "resource": resource | {"properties": _given(properties)},
            "context": _given({name: getattr(self, name) for name in named}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What Mimamori says. It counts as true only when the act may go forward.

    Attributes:
        allowed: whether it may.
        reason: a word for programs; `unreachable` where there was no answer.
        reason_ja: the same for people, in Japanese; empty for an allow.
        reason_en: in English.
        acr_values: for a step-up, the levels that are enough; empty otherwise.
        max_age: for a step-up, how many seconds old the proof may be; None when age does not matter.
        life: for how many seconds an allow may be relied on; 0 for one use.
        id: of the decision, for the report on an output.
        notes: why an allow is looked at afterwards.
    """

    allowed: bool
    reason: str
    reason_ja: str = ""
    reason_en: str = ""
    acr_values: str = ""
    max_age: int | None = None
    life: float = 0.0
    id: str = ""
    notes: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        """Whether the act may go forward."""
        return self.allowed

    @property
    def step_up(self) -> bool:
        """Whether a stronger or fresher proof would change the answer."""
        return not self.allowed and (bool(self.acr_values) or self.max_age is not None)

    @property
    def challenge(self) -> str:
        """For a step-up, the value of `WWW-Authenticate` (RFC 9470)."""
        parts = ['Bearer error="insufficient_user_authentication"']
        if self.acr_values:
            parts.append(f'acr_values="{self.acr_values}"')
        if self.max_age is not None:
            parts.append(f"max_age={self.max_age}")
        return ", ".join(parts)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in {"", None}}
