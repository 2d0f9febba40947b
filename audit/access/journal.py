"""What sign-in tells the audit log.

Rules:
- An act that gives something is recorded before it is committed; one that takes something away, or refuses,
  is committed before it is recorded. Either way a failing log ends with less access, never with more.
- The event of the end of an account or a session is committed with it, and told until the log has it (`outbox`).
- What was typed as login id is written only when it is one of ours: people type passwords into wrong fields.
- No password, code, token or secret is ever passed to this module.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import uuid4

from audit.access.strength import Proof
from audit.clock import TOKYO, Clock

__all__ = ["Activity", "Journal", "Outcome", "Recorder"]

Activity = Literal[
    "apply",
    "authorize",
    "credential_issue",
    "credential_reset",
    "grant",
    "lock",
    "login",
    "logout",
    "revoke",
    "security_event",
    "unlock",
]
Outcome = Literal["success", "failure", "denied"]


class Recorder(Protocol):
    """Where acts of Mimamori's own users are appended."""

    def record(self, doc: dict[str, Any]) -> None:
        """Append one event in contract form (DESIGN 4.3); return only once it is durable, else raise."""


@dataclass(frozen=True, slots=True)
class Journal:
    """Writes the events of this package."""

    recorder: Recorder
    clock: Clock

    def write(
        self,
        activity: Activity,
        operation: str,
        outcome: Outcome = "success",
        *,
        actor: str | None,
        address: str | None = None,
        session: str | None = None,
        target: str | None = None,
        factors: tuple[str, ...] = (),
        proof: Proof | None = None,
        also: Mapping[str, str | list[str]] | None = None,
        **details: str | list[str],
    ) -> None:
        """Record one act; takes what `event` takes."""
        doc = self.event(
            activity, operation, outcome, actor=actor, address=address, session=session, target=target,
            factors=factors, proof=proof, also=also, **details,
        )  # fmt: skip
        self.recorder.record(doc)

    def event(
        self,
        activity: Activity,
        operation: str,
        outcome: Outcome = "success",
        *,
        actor: str | None,
        address: str | None = None,
        session: str | None = None,
        target: str | None = None,
        factors: tuple[str, ...] = (),
        proof: Proof | None = None,
        also: Mapping[str, str | list[str]] | None = None,
        **details: str | list[str],
    ) -> dict[str, Any]:
        """One act as an event, not yet recorded.

        Args:
            activity: a word of the closed vocabulary.
            operation: our own word for it, with the reason.
            outcome: how it ended.
            actor: the login id of a known user, None for nobody known.
            address: where it came from; None for the machine itself.
            session: a session's id, never its token.
            target: the login id of the user it is about.
            factors: what was proved, where no authenticator had a part in it.
            proof: the same, with everything known about it.
            also: further fields, free of secrets.
            details: the same, by name.
        """
        doc: dict[str, Any] = {
            "time": self.clock.now().astimezone(TOKYO).isoformat(timespec="microseconds"),
            "event_id": uuid4().hex,
            "activity": activity,
            "operation_name": operation,
            "outcome": outcome,
            "actor": _actor(actor, address),
        }
        if address is not None:
            doc["terminal"] = {"ip": address}
        if session is not None:
            doc["session"] = session
        if target is not None:
            doc["target"] = {"id": target}
        if proof is not None:
            doc["auth"] = _auth(proof)
        elif factors:
            doc["auth"] = {"factors": list(factors), "user_verified": False}
        return doc | dict(also or {}) | details


def _auth(proof: Proof) -> dict[str, Any]:
    auth: dict[str, Any] = {"factors": list(proof.amr), "user_verified": proof.user_verified}
    return auth | ({"authenticator": proof.authenticator} if proof.authenticator else {})


def _actor(login_id: str | None, address: str | None) -> dict[str, str]:
    if login_id is None and address is None:
        return {"id": "mimamori", "kind": "system"}
    return {"id": login_id or "unknown", "kind": "staff"}
