"""What sending systems do at the door, as told to the audit log.

Rules:
- What gives something is recorded before it is committed; what takes away or refuses, after. Either way a failing log
  ends with less access.
- A refusal is told at once; those that follow from the same source and network are counted and told once a minute.
  A sender with a wrong secret tries for ever, and must fill neither the log nor the memory.
- No secret, token or assertion is ever passed to this module. A name that a sender only claims is told as `claimed`.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from audit.access.journal import Outcome, Recorder
from audit.access.machines.model import SOURCE_ID
from audit.access.throttle import network_of
from audit.clock import TOKYO, Clock

__all__ = ["MachineJournal"]

Activity = Literal["credential_issue", "login", "revoke", "security_event", "unlock"]
WINDOW = timedelta(minutes=1)
MAX_WINDOWS = 1000
"""Sources and networks told apart at one time; what goes beyond is told together."""
MAX_CLAIMED = 5


@dataclass(slots=True)
class _Window:
    """The refusals of one source and network since one of them was told."""

    activity: Activity
    operation: str
    source: str
    address: str
    began: datetime
    person: str = ""
    reasons: Counter[str] = field(default_factory=Counter)
    claimed: set[str] = field(default_factory=set)


class MachineJournal:
    """Writes the events of this package.

    Args:
        recorder: the audit log.
        clock: the time.
    """

    def __init__(self, recorder: Recorder, clock: Clock) -> None:
        self._recorder = recorder
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, str, str], _Window] = {}

    def write(
        self,
        activity: Activity,
        operation: str,
        outcome: Outcome = "success",
        *,
        actor: str | None = None,
        address: str = "",
        source: str = "",
        person: str = "",
        **details: str | list[str],
    ) -> None:
        """Record one act.

        Args:
            activity: a word of the closed vocabulary.
            operation: our own word for it.
            outcome: how it ended.
            actor: the authenticated source; None for this installation itself, or where nobody proved anything.
            address: where it came from.
            source: the source it is about.
            person: the login id of the user it is about.
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
            "actor": {"kind": "system"} | ({"id": actor} if actor else {}),
            "unmapped": {name: value for name, value in details.items() if value},
        }
        if address:
            doc["terminal"] = {"ip": address}
        if source:
            doc["target"] = {"system": source}
        elif person:
            doc["target"] = {"id": person}
        self._recorder.record(doc)

    def refuse(
        self,
        activity: Activity,
        operation: str,
        reason: str,
        *,
        source: str,
        address: str,
        claimed: str = "",
        person: str = "",
    ) -> None:
        """Tell a refusal, or count it.

        Args:
            activity: a word of the closed vocabulary.
            operation: our own word for it.
            reason: a short stable word.
            source: whose credential it was; empty when it was nobody's.
            address: where it came from.
            claimed: the source that the sender named, where it proved to be another or none.
            person: the login id of the user whose it was, where it was no source's.
        """
        with self._lock:
            now = self._clock.now()
            self._tell_due(now)
            key = (operation, source or person, network_of(address))
            if key not in self._windows and len(self._windows) >= MAX_WINDOWS:
                key, source, person, address = (operation, "", ""), "", "", ""
            window = self._windows.get(key)
            told = window is not None
            if window is None:
                window = _Window(activity, operation, source, address, now, person)
            window.reasons[reason] += 1
            if SOURCE_ID.fullmatch(claimed) and len(window.claimed) < MAX_CLAIMED:
                window.claimed.add(claimed)
            if not told:
                self._tell(window)
                self._windows[key] = window

    def flush(self, *, everything: bool = False) -> None:
        """Tell what was counted and is due, or everything before the service stops."""
        with self._lock:
            self._tell_due(self._clock.now(), everything=everything)

    def _tell_due(self, now: datetime, *, everything: bool = False) -> None:
        for key, window in list(self._windows.items()):
            # A clock that went back must not keep a window open.
            if everything or not timedelta(0) <= now - window.began < WINDOW:
                if window.reasons:
                    self._tell(window)
                del self._windows[key]

    def _tell(self, window: _Window) -> None:
        self.write(
            window.activity,
            window.operation,
            "denied" if window.activity == "security_event" else "failure",
            address=window.address,
            source=window.source,
            person=window.person,
            count=str(window.reasons.total()),
            reasons=[f"{reason}={count}" for reason, count in sorted(window.reasons.items())],
            claimed=sorted(window.claimed),
        )
        window.reasons.clear()
        window.claimed.clear()
