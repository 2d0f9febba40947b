"""What single sign-on tells the audit log.

Rules:
- An authorization and a token are recorded before they are committed; a refusal after.
- Refusals to nobody known are counted, for anybody may send anything: see `MachineJournal.refuse`.
- No code, token, secret, nonce or state is ever passed to this module.
"""

from typing import Any, Literal
from uuid import uuid4

from audit.access.journal import Outcome, Recorder
from audit.access.strength import Proof
from audit.clock import TOKYO, Clock

__all__ = ["SsoJournal"]

Activity = Literal["authorize", "config_change", "login", "logout", "revoke", "security_event"]


class SsoJournal:
    """Writes the events of this package.

    Args:
        recorder: the audit log.
        clock: the time.
    """

    def __init__(self, recorder: Recorder, clock: Clock) -> None:
        self._recorder = recorder
        self._clock = clock

    def write(
        self,
        activity: Activity,
        operation: str,
        outcome: Outcome = "success",
        *,
        actor: str = "",
        session: str = "",
        address: str = "",
        source: str = "",
        amr: tuple[str, ...] = (),
        proof: Proof | None = None,
        **details: object,
    ) -> None:
        """Record one act.

        Args:
            activity: a word of the closed vocabulary.
            operation: our own word for it.
            outcome: how it ended.
            actor: the staff id; empty for this installation itself.
            session: a session's id, never its token.
            address: where it came from.
            source: the records service it is about.
            amr: what was proved, where no more of it is at hand.
            proof: the same, with everything known about it.
            details: further fields, free of secrets.

        Raises:
            StoreError: the log cannot be written; the act must not happen.
        """
        doc: dict[str, Any] = {
            "time": self._clock.now().astimezone(TOKYO).isoformat(timespec="microseconds"),
            "event_id": uuid4().hex,
            "activity": activity,
            "operation_name": operation,
            "outcome": outcome,
            "actor": {"id": actor, "kind": "staff"} if actor else {"kind": "system"},
            "unmapped": {name: value for name, value in details.items() if value},
        }
        if session:
            doc["session"] = session
        if address:
            doc["terminal"] = {"ip": address}
        if source:
            doc["target"] = {"system": source}
        if proof is not None:
            doc["auth"] = {"factors": list(proof.amr), "user_verified": proof.user_verified} | (
                {"authenticator": proof.authenticator} if proof.authenticator else {}
            )
        elif amr:
            doc["auth"] = {"factors": list(amr)}
        self._recorder.record(doc)
