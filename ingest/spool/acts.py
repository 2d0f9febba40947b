"""Our own acts that somebody waits for: durable within a fraction of a millisecond, in the log soon after.

A decision about access must not leave before its event is safe, and cannot wait for the engine, whose smallest insert
takes many times as long. So the event is fsynced in a spool of its own, beside the deliveries of other systems, and a
thread brings what waits to the log in order. The log knows each event by its id: what a crash makes it see twice is
stored once. Unlike deliveries, acts have no entry in the book: nobody outside sent them, and every look-up of a town is
one.
"""

import itertools
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson
from structlog import get_logger

from audit.clock import Clock
from audit.events import check
from audit.log import OWN_SOURCE, Delivery, EventLog, StoreError, read_together
from ingest.receivers.model import InboxFullError
from ingest.spool.segments import Entry
from ingest.spool.service import Spool

__all__ = ["AHEAD", "ActSpool", "ActsFullError"]

AHEAD = 1 << 20
"""So many bytes are laid down ahead in the spool of acts: those of some hundred decisions."""
_log = get_logger("mimamori.acts")
_NAME = "acts"
_GATHER = 0.25
"""Seconds between two groups: while one is stored, whoever asks for a decision waits longer."""
_PAUSES = (0.1, 0.5, 1.0, 5.0)


class ActsFullError(StoreError):
    """An act cannot be kept, so that it must not happen."""


class ActSpool:
    """Keeps acts and brings them to the log; implements `audit.access.journal.Recorder`.

    Args:
        spool: where they wait, with nothing else in it.
        log: where they go.
        clock: for their receipt.
    """

    def __init__(self, spool: Spool, log: EventLog, clock: Clock) -> None:
        self._spool = spool
        self._audit_log = log
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="acts", daemon=True)

    def record(self, doc: Mapping[str, Any]) -> None:
        """Keep one act; when this returns, it survives a crash.

        Raises:
            ValueError: the event is faulty, which is a defect of ours.
            ActsFullError: it cannot be kept; the act must not happen.
        """
        self.record_all([doc])

    def record_all(self, docs: Sequence[Mapping[str, Any]]) -> None:
        """Keep several acts, all of them or none.

        Raises:
            ValueError: an event is faulty, which is a defect of ours.
            ActsFullError: they cannot be kept; the acts must not happen.
        """
        now = self._clock.now()
        lines = list[bytes]()
        for doc in docs:
            named = {"event_id": f"m-{uuid4().hex}", **doc}
            if faults := check(named, now).faults:
                raise ValueError("; ".join(map(str, faults)))
            lines += (orjson.dumps(named), b"\n")
        if not lines:
            return
        try:
            self._spool.accept(OWN_SOURCE, _NAME, lines)
        except InboxFullError as error:
            raise ActsFullError("our own acts cannot be kept") from error

    def trouble(self) -> str:
        """Why nothing can be kept; empty when there is room."""
        return self._spool.trouble()

    def waiting(self) -> int:
        """How many acts, or groups of them, are not in the log yet."""
        return self._spool.state().entries

    # Bringing them to the log ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to bring what waits to the log, and go on until stopped."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is under way; what still waits stays on disk."""
        self._stopping.set()
        self._spool.close()
        self._thread.join()

    def drain(self) -> None:
        """Bring what waits to the log now, in the calling thread.

        Raises:
            StoreError: the log cannot be written; what is not in it yet still waits.
        """
        while entries := self._spool.next_group(timeout=0):
            self._store(entries)

    def _run(self) -> None:
        while entries := self._spool.next_group():
            for pause in itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1])):
                try:
                    self._store(entries)
                except Exception as error:  # noqa: BLE001 - nothing may be lost or set aside; once full, nothing is allowed
                    _log.warning("not stored", error=type(error).__name__, entries=len(entries))
                    if self._stopping.wait(pause):
                        return
                else:
                    break
            self._stopping.wait(_GATHER)

    def _store(self, entries: Sequence[Entry]) -> None:
        # As one delivery, received when the last of them was: half the work, and each has its time and its id.
        received_at = entries[-1].received_at
        (reading,) = read_together([(b"".join(entry.read() for entry in entries), received_at)])
        self._audit_log.append(Delivery(0, OWN_SOURCE, received_at), reading)
        self._spool.done(entries)
