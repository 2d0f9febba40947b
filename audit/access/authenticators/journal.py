"""What happens to authenticators, as told to the audit log.

Rules:
- What gives something is recorded before it is committed; what takes away or refuses, after.
- A refusal names the account whose key it was only once the key is one of ours; what was typed is never written.
- No challenge, response, code or credential id is ever passed to this module.
"""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from audit.access.authenticators.model import By
from audit.access.journal import Outcome, Recorder
from audit.clock import TOKYO, Clock

__all__ = ["Activity", "AuthenticatorJournal"]

Activity = Literal[
    "config_change", "credential_issue", "credential_reset", "login", "policy_change", "revoke", "security_event",
    "unlock",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class AuthenticatorJournal:
    """Writes the events of this package."""

    recorder: Recorder
    clock: Clock

    def write(
        self,
        activity: Activity,
        operation: str,
        outcome: Outcome = "success",
        *,
        by: By,
        target: str | None = None,
        auth: dict[str, Any] | None = None,
        **details: str | list[str],
    ) -> None:
        """Record one act.

        Args:
            activity: a word of the closed vocabulary.
            operation: our own word for it, with the reason.
            outcome: how it ended.
            by: who does it; nobody at all stands for this installation.
            target: the login id of the user it is about.
            auth: factors, user verification and authenticator, where there are any.
            details: further fields, free of secrets.

        Raises:
            StoreError: the log cannot be written; the act must not happen.
        """
        own = by.actor is None and by.address is None
        doc: dict[str, Any] = {
            "time": self.clock.now().astimezone(TOKYO).isoformat(timespec="microseconds"),
            "event_id": uuid4().hex,
            "activity": activity,
            "operation_name": operation,
            "outcome": outcome,
            "actor": {"id": "mimamori", "kind": "system"} if own else {"id": by.actor or "unknown", "kind": "staff"},
            "unmapped": {name: value for name, value in details.items() if value},
        }
        if by.address is not None:
            doc["terminal"] = {"ip": by.address}
        if by.session is not None:
            doc["session"] = by.session
        if target is not None:
            doc["target"] = {"id": target}
        if auth is not None:
            doc["auth"] = auth
        self.recorder.record(doc)
