"""One connection, from its first byte to its last, in a thread of its own.

What can end it: the peer, a fault in the framing, a message that takes too long to end, too long a silence, or our own
end. Whatever part of a message is left then is refused with that reason, so that its bytes are in quarantine: what has
no end is no message, for nobody can tell what is missing.
"""

import socket
import ssl
import time
from threading import Event

from audit.texts import Texts
from ingest.receivers.syslog.collector import Collector
from ingest.receivers.syslog.framing import Framer, Framing
from ingest.receivers.syslog.model import Limits, NoticeKind
from ingest.receivers.syslog.notices import Notices

__all__ = ["Connection"]

TICK_SECONDS = 0.25
"""So often a waiting thread looks whether it should end."""
_READ = 64 << 10
_CLOSED = Texts("メッセージの途中で接続が閉じられました", "the connection was closed in the middle of a message")
_CUT = Texts("メッセージの途中で接続が切れました", "the connection broke in the middle of a message")
_SLOW = Texts("メッセージの受信に時間がかかりすぎました", "the message took too long to arrive")
_ENDED = Texts("受信プログラムの終了時に途中のメッセージでした", "the message had not ended when the receiver stopped")


class Connection:
    """Reads one admitted peer's messages."""

    def __init__(
        self,
        sock: socket.socket,
        *,
        source: str,
        peer: str,
        origin: str,
        framing: Framing,
        limits: Limits,
        collector: Collector,
        notices: Notices,
        stopping: Event,
    ) -> None:
        self._sock = sock
        self._source = source
        self._peer = peer
        self._origin = origin
        self._limits = limits
        self._collector = collector
        self._notices = notices
        self._stopping = stopping
        self._framer = Framer(limits.max_message, framing)
        self._heard = self._begun = time.monotonic()

    def run(self) -> None:
        """Read until the end."""
        fault = self._framer.finish(self._read())
        if fault is not None:
            self._collector.put(self._source, self._origin, (), fault=fault)
            self._notices.note(NoticeKind.MESSAGE_REFUSED, fault.reason, peer=self._peer, source=self._source)

    def _read(self) -> Texts:
        """Read until something ends the connection.

        Returns:
            What to say of a message that has not ended.
        """
        self._sock.settimeout(TICK_SECONDS)
        drained_by = float("inf")
        while True:
            if self._stopping.is_set():
                now = time.monotonic()
                drained_by = min(drained_by, now + self._limits.drain_seconds)
                if now >= drained_by or not self._collector.has_room(self._source):
                    return _ENDED
            try:
                data = self._sock.recv(_READ)
            except TimeoutError:
                if self._stopping.is_set():
                    return _ENDED
            except OSError as error:  # ssl's errors are of this kind too
                return self._cut(error)
            else:
                if not data:
                    return self._closed()
                self._take(data)
            if (end := self._too_long()) is not None:
                return end

    def _take(self, data: bytes) -> None:
        before = self._framer.pending
        messages = self._framer.feed(data)
        self._collector.put(self._source, self._origin, messages)
        self._heard = time.monotonic()  # after `put`: the time we did not read is not the sender's
        if messages or not before:
            self._begun = self._heard

    def _too_long(self) -> Texts | None:
        """Whether the stream was given up, or something has taken too long."""
        now = time.monotonic()
        if self._framer.fault is not None or now - self._heard > self._limits.idle_seconds:
            return _CLOSED
        if self._framer.pending and now - self._begun > self._limits.frame_seconds:
            return _SLOW
        return None

    def _closed(self) -> Texts:
        if self._framer.pending:
            self._note_cut(_CLOSED)
        return _CLOSED

    def _cut(self, error: OSError) -> Texts:
        """The connection broke, or TLS ended without its word of parting: an attacker may have cut it."""
        truncated = isinstance(error, ssl.SSLError)
        self._note_cut(
            Texts(
                "TLS の終了通知なしに接続が切れました。末尾が失われた可能性があります",
                "TLS ended without its closing notice, the end may be missing",
            )
            if truncated
            else Texts("接続が切れました", "the connection broke")
        )
        return _CUT

    def _note_cut(self, text: Texts) -> None:
        self._notices.note(NoticeKind.CONNECTION_CUT, text, peer=self._peer, source=self._source)
