"""Messages over UDP, one a datagram (RFC 5426).

UDP loses without a word, and anybody can forge an address: where a sender can use TCP or TLS it should. What can be
known of losses is counted: datagrams the system dropped because we did not read them in time (Linux tells), and those
that found no room because the inbox takes nothing. The system tells with the next datagram that arrives.
"""

import socket
import struct
import sys
from collections.abc import Callable
from threading import Event

from audit.texts import Texts
from ingest.receivers.syslog.collector import Collector
from ingest.receivers.syslog.framing import Fault
from ingest.receivers.syslog.model import Limits, NoticeKind
from ingest.receivers.syslog.notices import Notices
from ingest.receivers.syslog.peers import Peers, plain_address

__all__ = ["Datagrams"]

_RXQ_OVFL = 40
"""`SO_RXQ_OVFL` of Linux, which Python's socket module does not name."""
_MOST_AT_ONCE = 500
_CUT = Texts("データグラムが長すぎて切れています", "the datagram was too long and is cut short")


class Datagrams:
    """Reads one UDP listener."""

    def __init__(
        self, sock: socket.socket, peers: Peers, limits: Limits, collector: Collector, notices: Notices
    ) -> None:
        self._sock = sock
        self._peers = peers
        self._limits = limits
        self._collector = collector
        self._notices = notices
        self._dropped = 0
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, limits.udp_buffer)
        if sys.platform == "linux":
            sock.setsockopt(socket.SOL_SOCKET, _RXQ_OVFL, 1)

    def run(self, stopping: Event, tick: float) -> None:
        """Read until told to stop and nothing more is there."""
        self._sock.settimeout(tick)
        while True:
            try:
                self._take(self._sock.recvmsg)
            except TimeoutError:
                if stopping.is_set():
                    return
                continue
            except OSError:
                if stopping.is_set():
                    return
                stopping.wait(tick)
                continue
            if stopping.is_set():
                self._drain()
                return

    def _drain(self) -> None:
        """What already waits when we stop is taken; what comes later is lost."""
        self._sock.setblocking(False)
        for _ in range(_MOST_AT_ONCE):
            try:
                self._take(self._sock.recvmsg)
            except OSError:
                return

    def _take(
        self, receive: Callable[[int, int], tuple[bytes, list[tuple[int, int, bytes]], int, tuple[str, int]]]
    ) -> None:
        data, extra, flags, peer = receive(self._limits.max_message, socket.CMSG_SPACE(4))
        address = plain_address(peer[0])
        source = self._peers.source(address)
        self._count_dropped(extra, source)
        if source is None:
            self._notices.note(
                NoticeKind.PEER_UNKNOWN,
                Texts("登録のない機器からの UDP を捨てました", "UDP from a peer in no table was dropped"),
                peer=address,
            )
            return
        if flags & socket.MSG_TRUNC:
            self._collector.offer(source, f"udp {address}", (), fault=Fault(_CUT, data))
            self._notices.note(NoticeKind.MESSAGE_REFUSED, _CUT, peer=address, source=source)
        else:
            self._collector.offer(source, f"udp {address}", (data,))

    def _count_dropped(self, extra: list[tuple[int, int, bytes]], source: str | None) -> None:
        """Count what the system dropped; whose it was nobody knows, so it stands with the sender of this one."""
        for level, kind, value in extra:
            if level == socket.SOL_SOCKET and kind == _RXQ_OVFL:
                (dropped,) = struct.unpack("=I", value[:4])
                more, self._dropped = (dropped - self._dropped) & 0xFFFFFFFF, dropped
                if more and source is not None:
                    self._collector.lose(source, more)
