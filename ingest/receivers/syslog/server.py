"""A syslog server: plain threads, one for each connection, their number bounded.

Threads because the service is synchronous (ADR 0002) and because a thread that waits *is* the back-pressure: it reads
no more while the inbox takes nothing, and the sender is held by TCP itself. A municipality's systems are some dozen
senders with long connections, not thousands.

Plain TCP and TLS syslog have no acknowledgement: what a sender has given to its own system and we have not read when
either end dies is gone, and neither end knows. What we have read is handed over, or reported by `close`.
"""

import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread

from audit.texts import Texts
from ingest.receivers.model import Inbox
from ingest.receivers.syslog.collector import Collector
from ingest.receivers.syslog.connection import TICK_SECONDS, Connection
from ingest.receivers.syslog.datagrams import Datagrams
from ingest.receivers.syslog.model import Health, Limits, Listener, Notice, NoticeKind, Transport, Unsent
from ingest.receivers.syslog.notices import Notices
from ingest.receivers.syslog.peers import Peers, plain_address
from ingest.receivers.syslog.tls import ServerTls, certificate_names

__all__ = ["SyslogServer"]

_RESOLVE_TICKS = round(600 / TICK_SECONDS)
_PUT_SECONDS = 2.0
"""Putting what one holds takes no time once nobody waits for room."""
_STRANGER = Texts("登録のない機器からの接続を閉じました", "a connection of a peer in no table was closed")
_TOO_MANY = Texts("接続数が上限に達したため閉じました", "a connection was closed, there are too many")


@dataclass(slots=True)
class _Open:
    """A listener at work."""

    listener: Listener
    sock: socket.socket
    peers: Peers
    tls: ServerTls | None


class SyslogServer:
    """Listens, and hands over what it hears.

    Args:
        listeners: the ports.
        inbox: where messages go.
        limits: the bounds.
        tell: called with what is worth a log line or a security event; from any thread, and it must not wait long.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        inbox: Inbox,
        *,
        limits: Limits | None = None,
        tell: Callable[[Notice], None] = lambda _notice: None,
    ) -> None:
        self._limits = limits or Limits()
        self._notices = Notices(tell)
        self._collector = Collector(inbox, self._limits, self._notices)
        self._listeners = tuple(listeners)
        self._open: list[_Open] = []
        self._stopping = Event()
        self._lock = Lock()
        self._count = 0
        self._by_source: Counter[str] = Counter()
        self._threads: set[Thread] = set()

    def start(self) -> None:
        """Begin to listen.

        Raises:
            OSError: a port is taken or a certificate cannot be read; nothing listens then.
            ValueError: a table of peers is wrong.
        """
        try:
            for listener in self._listeners:
                peers = Peers(listener)
                tls = ServerTls(listener.tls, self._notices) if listener.tls is not None else None
                self._open.append(_Open(listener, _bind(listener), peers, tls))
        except BaseException:
            for opened in self._open:
                opened.sock.close()
            self._open.clear()
            raise
        self._spawn(self._keep_house, name="syslog housekeeping")
        for opened in self._open:
            target = self._hear if opened.listener.transport is Transport.UDP else self._admit
            self._spawn(target, opened, name=f"syslog {opened.listener.transport}")

    @property
    def ports(self) -> tuple[int, ...]:
        """The listeners' ports, in their order."""
        return tuple(opened.sock.getsockname()[1] for opened in self._open)

    def health(self) -> Health:
        """The counters."""
        counts = self._notices.counts
        return Health(
            connections=self._count,
            turned_away=counts[NoticeKind.PEER_UNKNOWN],
            over_limit=counts[NoticeKind.TOO_MANY_CONNECTIONS],
            tls_faults=counts[NoticeKind.TLS_FAULT],
            cut=counts[NoticeKind.CONNECTION_CUT],
            sources=self._collector.health(),
        )

    def close(self) -> list[Unsent]:
        """Stop listening, read what has arrived, hand it over.

        Returns:
            What could not be handed over in time.
        """
        self._stopping.set()
        self._join(self._limits.drain_seconds + 4 * TICK_SECONDS)
        self._collector.hurry()  # who waited for room puts what it holds
        self._join(_PUT_SECONDS)
        unsent = self._collector.close()
        for opened in self._open:
            opened.sock.close()
        for lost in unsent:
            self._notices.note(
                NoticeKind.NOT_KEPT,
                Texts("終了までに引き渡せなかった記録があります", "records could not be handed over before the end"),
                source=lost.source,
                count=lost.messages,
            )
        self._notices.flush(everything=True)
        return unsent

    def _join(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _spawn(self, target: Callable[..., None], *args: object, name: str) -> None:
        def run() -> None:
            try:
                target(*args)
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = Thread(target=run, name=name, daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _keep_house(self) -> None:
        ticks = 0
        while True:
            if ticks % _RESOLVE_TICKS == 0:
                self._resolve()
            ticks += 1
            self._notices.flush()
            if self._stopping.wait(TICK_SECONDS):
                return

    def _resolve(self) -> None:
        for opened in self._open:
            # A name that only certificates bear is no fault on a listener that sees them.
            for name in opened.peers.resolve() if opened.tls is None else ():
                self._notices.note(
                    NoticeKind.LISTENER_FAULT,
                    Texts(f"機器名 {name} のアドレスが見つかりません", f"no address is found for the peer {name}"),
                )

    def _hear(self, opened: _Open) -> None:
        Datagrams(opened.sock, opened.peers, self._limits, self._collector, self._notices).run(
            self._stopping, TICK_SECONDS
        )

    def _admit(self, opened: _Open) -> None:
        """Take connections in."""
        opened.sock.settimeout(TICK_SECONDS)
        while not self._stopping.is_set():
            try:
                sock, peer = opened.sock.accept()
            except TimeoutError:
                continue
            except OSError as error:  # out of file descriptors, for example: others may end
                self._notices.note(
                    NoticeKind.LISTENER_FAULT,
                    Texts(
                        f"接続を受け付けられません ({error.strerror})",
                        f"connections cannot be taken ({error.strerror})",
                    ),
                )
                self._stopping.wait(TICK_SECONDS)
                continue
            address = plain_address(peer[0])
            source = opened.peers.source(address)
            if source is None and not (opened.tls is not None and opened.peers.by_certificate):
                self._notices.note(NoticeKind.PEER_UNKNOWN, _STRANGER, peer=address)
                sock.close()
            elif not self._enter():
                self._notices.note(NoticeKind.TOO_MANY_CONNECTIONS, _TOO_MANY, peer=address, source=source or "")
                sock.close()
            else:
                self._spawn(self._attend, opened, sock, address, name=f"syslog from {address}")

    def _enter(self) -> bool:
        with self._lock:
            entered = self._count < self._limits.connections
            self._count += entered
        return entered

    def _attend(self, opened: _Open, sock: socket.socket, address: str) -> None:
        """One connection, from its admission to its end."""
        try:
            with sock:
                if opened.tls is None:
                    self._read(opened, sock, address, ())
                    return
                try:
                    sock.settimeout(self._limits.handshake_seconds)
                    secured = opened.tls.context().wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
                except OSError as error:
                    reason = getattr(error, "reason", None) or type(error).__name__
                    self._notices.note(
                        NoticeKind.TLS_FAULT,
                        Texts(f"TLS 接続を確立できません ({reason})", f"no TLS connection came about ({reason})"),
                        peer=address,
                    )
                    return
                with secured:
                    self._read(opened, secured, address, certificate_names(secured))
                    with suppress(OSError):  # the word of parting; a peer that is gone need not hear it
                        secured.settimeout(TICK_SECONDS)
                        secured.unwrap().close()
        finally:
            with self._lock:
                self._count -= 1

    def _read(self, opened: _Open, sock: socket.socket, address: str, names: Sequence[str]) -> None:
        if self._stopping.is_set():  # the handshake outlasted us
            return
        source = opened.peers.source(address, names)
        if source is None:
            self._notices.note(NoticeKind.PEER_UNKNOWN, _STRANGER, peer=address)
            return
        with self._lock:
            admitted = self._by_source[source] < self._limits.connections_per_source
            self._by_source[source] += admitted
        if not admitted:
            self._notices.note(NoticeKind.TOO_MANY_CONNECTIONS, _TOO_MANY, peer=address, source=source)
            return
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            Connection(
                sock,
                source=source,
                peer=address,
                origin=f"{opened.listener.transport} {address}",
                framing=opened.listener.framing,
                limits=self._limits,
                collector=self._collector,
                notices=self._notices,
                stopping=self._stopping,
            ).run()
        finally:
            with self._lock:
                self._by_source[source] -= 1


def _bind(listener: Listener) -> socket.socket:
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    if listener.transport is Transport.UDP:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.bind((listener.host, listener.port))
        except BaseException:
            sock.close()
            raise
        return sock
    both = listener.host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((listener.host, listener.port), family=family, backlog=128, dualstack_ipv6=both)
