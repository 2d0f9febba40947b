"""From single messages to deliveries, source by source, with back-pressure.

One thread for each source that has ever sent anything hands its batches over, so that many sources share one fsync and
messages of one source keep their order. While the inbox takes nothing the batch waits and is tried again; one more
batch gathers behind it, then `put` waits, its caller reads no more, and TCP holds the sender. Nothing that was put is
let go before the inbox has it, except at the end, where what could not be handed over in time is reported.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Condition, Event, Thread
from uuid import uuid4

from audit.texts import Texts
from ingest.receivers.model import Inbox, InboxFullError
from ingest.receivers.syslog.framing import Fault, as_line
from ingest.receivers.syslog.model import Limits, NoticeKind, SourceHealth, Unsent
from ingest.receivers.syslog.notices import Notices

__all__ = ["Collector"]

_RETRY_SECONDS = 5.0
_LOOK_SECONDS = 0.1
_ORIGINS_NAMED = 3


@dataclass(slots=True)
class _Batch:
    """What goes over together."""

    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    since: float = 0.0
    origins: dict[str, None] = field(default_factory=dict)
    faults: list[tuple[str, Fault]] = field(default_factory=list)

    @property
    def name(self) -> str:
        named = list(self.origins)[:_ORIGINS_NAMED]
        more = len(self.origins) - len(named)
        return f"syslog {', '.join(named)}" + (f" (+{more})" if more else "")


@dataclass(slots=True)
class _Queue:
    """One source's batches: the one that gathers, and the one on its way."""

    source: str
    changed: Condition = field(default_factory=Condition)
    batch: _Batch = field(default_factory=_Batch)
    held: int = 0
    messages: int = 0
    handed_over: int = 0
    refused: int = 0
    lost: int = 0
    deliveries: int = 0
    stopped: bool = False
    stream: str = field(default_factory=lambda: f"syslog {uuid4()}")
    thread: Thread | None = None


class Collector:
    """Gathers messages and hands them over. Safe to call from several threads."""

    def __init__(self, inbox: Inbox, limits: Limits, notices: Notices) -> None:
        self._inbox = inbox
        self._limits = limits
        self._notices = notices
        self._queues: dict[str, _Queue] = {}
        self._guard = Condition()
        self._closing = Event()
        self._ended = Event()
        self._deadline = float("inf")
        self._unsent: list[Unsent] = []

    def put(self, source: str, origin: str, messages: Sequence[bytes], *, fault: Fault | None = None) -> None:
        """Put messages, and the fault after them; waits while there is no room."""
        queue = self._queue(source)
        with queue.changed:
            while self._full(queue) and not self._closing.is_set():
                queue.changed.wait(_LOOK_SECONDS)  # room for all is told to nobody, so look again
            self._add(queue, origin, messages, fault)

    def offer(self, source: str, origin: str, messages: Sequence[bytes], *, fault: Fault | None = None) -> bool:
        """Put messages if there is room; where there is none they are lost, and counted."""
        queue = self._queue(source)
        with queue.changed:
            if not self._full(queue):
                self._add(queue, origin, messages, fault)
                return True
        self.lose(source, len(messages) + (fault is not None))
        return False

    def lose(self, source: str, count: int) -> None:
        """Count messages that are gone for good."""
        queue = self._queue(source)
        with queue.changed:
            queue.lost += count
        self._notices.note(
            NoticeKind.LOST,
            Texts(
                "UDP で届いたメッセージを受け取れず失いました", "messages sent over UDP could not be taken and are lost"
            ),
            source=source,
            count=count,
        )

    def has_room(self, source: str) -> bool:
        """Whether `put` would not wait."""
        return not self._full(self._queue(source))

    def health(self) -> dict[str, SourceHealth]:
        """Every source's counters."""
        found = {}
        for queue in self._all():
            with queue.changed:
                found[queue.source] = SourceHealth(
                    messages=queue.messages,
                    handed_over=queue.handed_over,
                    waiting=queue.messages - queue.handed_over,
                    refused=queue.refused,
                    lost=queue.lost,
                    deliveries=queue.deliveries,
                    stopped=queue.stopped,
                )
        return found

    def hurry(self) -> None:
        """Begin to end: nobody waits for room any more, and what is here must be handed over in time."""
        self._deadline = time.monotonic() + self._limits.close_seconds
        self._closing.set()
        self._wake()

    def close(self) -> list[Unsent]:
        """Hand over what is here; nothing may be put afterwards.

        Returns:
            What could not be handed over in time.
        """
        self._ended.set()
        self._wake()
        for queue in self._all():
            if queue.thread is not None:
                queue.thread.join()
        return self._unsent

    def _wake(self) -> None:
        for queue in self._all():
            with queue.changed:
                queue.changed.notify_all()

    def _all(self) -> list[_Queue]:
        with self._guard:
            return list(self._queues.values())

    def _queue(self, source: str) -> _Queue:
        with self._guard:
            queue = self._queues.get(source)
            if queue is None:
                queue = self._queues[source] = _Queue(source)
                queue.thread = Thread(target=self._run, args=(queue,), name=f"syslog to {source}", daemon=True)
                queue.thread.start()
            return queue

    def _full(self, queue: _Queue) -> bool:
        batch = queue.batch
        return self._due(batch) or (batch.size > 0 and sum(q.held for q in self._all()) >= self._limits.held_bytes)

    def _due(self, batch: _Batch) -> bool:
        limits = self._limits
        return len(batch.lines) + len(batch.faults) >= limits.flush_messages or batch.size >= limits.flush_bytes

    def _add(self, queue: _Queue, origin: str, messages: Sequence[bytes], fault: Fault | None) -> None:
        batch = queue.batch
        lines = [line for line in map(as_line, messages) if line]
        if not lines and fault is None:
            return
        size = sum(map(len, lines)) + len(lines)
        if fault is not None:
            batch.faults.append((origin, fault))
            size += len(fault.raw)
            queue.refused += 1
        first = not batch.origins
        if first:
            batch.since = time.monotonic()
        batch.origins[origin] = None
        batch.lines += lines
        batch.size += size
        queue.held += size
        queue.messages += len(lines)
        if first or self._due(batch):
            queue.changed.notify_all()

    def _run(self, queue: _Queue) -> None:
        while (batch := self._next(queue)) is not None:
            if not self._hand_over(queue, batch):
                self._unsent.append(Unsent(queue.source, len(batch.lines) + len(batch.faults), batch.size))
            with queue.changed:
                queue.held -= batch.size

    def _next(self, queue: _Queue) -> _Batch | None:
        """The next batch, once it is due; None at the end."""
        with queue.changed:
            while not self._ended.is_set():
                batch = queue.batch
                waits = self._limits.flush_seconds - (time.monotonic() - batch.since) if batch.origins else None
                if self._due(batch) or (waits is not None and waits <= 0):
                    break
                queue.changed.wait(waits)
            if not queue.batch.origins:
                return None
            batch, queue.batch = queue.batch, _Batch()
            queue.changed.notify_all()
            return batch

    def _hand_over(self, queue: _Queue, batch: _Batch) -> bool:
        """Hand a batch over, however long it takes; False when the end came first."""
        while True:
            try:
                self._try(queue, batch)
            except InboxFullError as error:
                pause = float(error.retry_after)
            except Exception as error:  # noqa: BLE001 - whatever the inbox's fault is, nothing was kept: try again
                pause = _RETRY_SECONDS
                self._notices.note(
                    NoticeKind.NOT_KEPT,
                    Texts(
                        f"受け取った記録を保存できません。再試行します ({type(error).__name__})",
                        f"what arrived cannot be kept, it is tried again ({type(error).__name__})",
                    ),
                    source=queue.source,
                )
            else:
                queue.stopped = False
                return True
            queue.stopped = True
            left = self._deadline - time.monotonic()
            if left <= 0:
                return False
            if self._closing.is_set():
                time.sleep(min(pause, left, _LOOK_SECONDS * 5))
            else:
                self._closing.wait(pause)

    def _try(self, queue: _Queue, batch: _Batch) -> None:
        """One attempt; what the inbox has is taken out of the batch, so that a second attempt repeats nothing."""
        if batch.lines:
            # Senders of syslog repeat nothing: what looks the same in two batches are two records.
            self._inbox.accept(queue.source, batch.name, [b"\n".join(batch.lines), b"\n"], stream=queue.stream)
            with queue.changed:
                queue.handed_over += len(batch.lines)
                queue.deliveries += 1
                batch.lines.clear()
        while batch.faults:
            origin, fault = batch.faults[0]
            self._inbox.refuse(queue.source, f"syslog {origin}", fault.raw, f"{fault.reason.en} / {fault.reason.ja}")
            del batch.faults[0]
